//! How the run as a whole went: its verdict, the exit code, and the sentence that says why.

use super::document::Verdict;
use super::exit::ExitCode;
use super::figures::thousands;
use crate::engine::outcome::Ended;
use crate::metrics::{ErrorSamples, Tally};
use crate::protocol::Failure;
use crate::verdict::trust;

/// What a doubtful trust verdict does to the exit code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TrustPolicy {
    /// `--allow-untrusted`: nothing; the verdict is shown all the same.
    Allow,
    /// A saturated generator makes the run invalid, other doubts are shown.
    #[default]
    Refuse,
    /// `--strict`: whatever is not valid makes the run invalid.
    Strict,
}

/// The end of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// In the document.
    pub verdict: Verdict,
    /// For the shell.
    pub exit: ExitCode,
    /// Why, when something failed: a sentence with its numbers.
    pub error: Option<String>,
}

/// What a run is judged by.
#[derive(Debug)]
pub struct Evidence<'a> {
    /// How it ended.
    pub ended: &'a Ended,
    /// Whether the load generator was the bottleneck.
    pub trust: trust::Verdict,
    /// Operations of the phase `load`.
    pub load: &'a Tally,
    /// First texts per class of failure.
    pub errors: &'a [ErrorSamples],
    /// The first identity that does not hold.
    pub identities: Result<(), String>,
    /// How many thresholds were missed, or had no data.
    pub missed: usize,
}

/// The first that applies of 113 (nothing was loaded), 105, 108, 1, 99, 111 and 0.
#[must_use]
pub fn judge(evidence: &Evidence<'_>, policy: TrustPolicy) -> Judgement {
    let bug = evidence.identities.as_ref().err().map(|identity| {
        format!("the numbers do not add up, which is a bug in onslaught: {identity}")
    });
    let (verdict, exit, error) = match evidence.ended {
        Ended::Unreachable(why) => (Verdict::Failed, ExitCode::Unreachable, Some(why.clone())),
        Ended::Interrupted { .. } => (Verdict::Interrupted, ExitCode::Interrupted, bug),
        Ended::Aborted { why, .. } => (Verdict::Aborted, ExitCode::Aborted, Some(why.clone())),
        Ended::Failed(why) => (Verdict::Failed, ExitCode::Failed, Some(why.clone())),
        Ended::Finished => match bug.or_else(|| fruitless(evidence)) {
            Some(error) => (Verdict::Failed, ExitCode::Failed, Some(error)),
            None if evidence.missed > 0 => (Verdict::Failed, ExitCode::ThresholdsFailed, None),
            None if distrusted(evidence.trust, policy) => {
                (Verdict::Invalid, ExitCode::NotTrustworthy, None)
            }
            None => (Verdict::Passed, ExitCode::Passed, None),
        },
    };
    Judgement { verdict, exit, error }
}

fn distrusted(verdict: trust::Verdict, policy: TrustPolicy) -> bool {
    match (policy, verdict) {
        (TrustPolicy::Allow, _) | (_, trust::Verdict::Valid) => false,
        (TrustPolicy::Strict, _) => true,
        (TrustPolicy::Refuse, verdict) => verdict == trust::Verdict::GeneratorSaturated,
    }
}

/// A slow target or a failing one is a result, but a run without one success measured nothing.
fn fruitless(evidence: &Evidence<'_>) -> Option<String> {
    let tally = evidence.load;
    if tally.ok > 0 {
        return None;
    }
    if tally.scheduled == 0 {
        return Some("no operation fell due after the warm-up, so nothing was measured".into());
    }
    let mut fates = Failure::ALL
        .iter()
        .map(|failure| (failure.key(), tally.failed_by(*failure)))
        .chain([("cut off by the end", tally.aborted), ("dropped", tally.dropped)])
        .chain([("shed", tally.shed)])
        .filter(|(_, count)| *count > 0)
        .collect::<Vec<_>>();
    fates.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let fates = fates.iter().map(|(fate, count)| format!("{fate} {}", thousands(*count)));
    let fates = fates.collect::<Vec<_>>().join(", ");
    let all = thousands(tally.scheduled);
    Some(match first_text(evidence) {
        Some(text) => format!("not one of {all} operations succeeded: {fates}; first: {text}"),
        None => format!("not one of {all} operations succeeded: {fates}"),
    })
}

/// A text of the class that failed most.
fn first_text<'a>(evidence: &Evidence<'a>) -> Option<&'a str> {
    let most = Failure::ALL.iter().max_by_key(|failure| evidence.load.failed_by(**failure))?;
    evidence.errors.get(*most as usize)?.first.first().map(String::as_str)
}

#[cfg(test)]
mod tests {
    use crate::stdx::Nanos;

    use super::{Ended, Evidence, ExitCode, Failure, Tally, TrustPolicy, Verdict, judge, trust};

    fn good() -> Evidence<'static> {
        static LOAD: Tally = Tally {
            scheduled: 1,
            sent: 1,
            ok: 1,
            failed: [0; Failure::ALL.len()],
            aborted: 0,
            dropped: 0,
            shed: 0,
        };
        Evidence {
            ended: &Ended::Finished,
            trust: trust::Verdict::Valid,
            load: &LOAD,
            errors: &[],
            identities: Ok(()),
            missed: 0,
        }
    }

    fn exit(evidence: &Evidence<'_>, policy: TrustPolicy) -> (Verdict, u8) {
        let judgement = judge(evidence, policy);
        (judgement.verdict, judgement.exit.code())
    }

    #[test]
    fn the_first_that_applies_wins() {
        let broken = || Err("1 != 2".to_owned());
        let saturated = trust::Verdict::GeneratorSaturated;
        let refuse = TrustPolicy::Refuse;
        assert_eq!(exit(&good(), refuse), (Verdict::Passed, 0));
        let evidence = Evidence { trust: saturated, ..good() };
        assert_eq!(exit(&evidence, refuse), (Verdict::Invalid, 111));
        assert_eq!(exit(&evidence, TrustPolicy::Allow), (Verdict::Passed, 0));
        let evidence = Evidence { missed: 1, ..evidence };
        assert_eq!(exit(&evidence, refuse), (Verdict::Failed, 99));
        let evidence = Evidence { identities: broken(), ..evidence };
        assert_eq!(exit(&evidence, refuse), (Verdict::Failed, 1));
        let aborted = Ended::Aborted { at: Nanos::ZERO, why: "too slow".into() };
        let evidence = Evidence { ended: &aborted, ..evidence };
        assert_eq!(exit(&evidence, refuse), (Verdict::Aborted, 108));
        let evidence = Evidence { ended: &Ended::Interrupted { at: None }, ..evidence };
        assert_eq!(exit(&evidence, refuse), (Verdict::Interrupted, 105));
        assert!(judge(&evidence, refuse).error.is_some(), "the bug is still told");
        let refused = Ended::Unreachable("connection refused".into());
        let evidence = Evidence { ended: &refused, ..evidence };
        assert_eq!(exit(&evidence, refuse), (Verdict::Failed, 113));
    }

    #[test]
    fn doubts_count_only_if_strict() {
        for doubt in [trust::Verdict::TargetSaturated, trust::Verdict::Inconclusive] {
            let evidence = Evidence { trust: doubt, ..good() };
            assert_eq!(exit(&evidence, TrustPolicy::Refuse), (Verdict::Passed, 0));
            assert_eq!(exit(&evidence, TrustPolicy::Strict), (Verdict::Invalid, 111));
        }
    }

    #[test]
    fn a_run_without_a_success_has_failed() {
        let mut load = Tally { scheduled: 1_001, sent: 1_001, aborted: 1, ..Tally::default() };
        load.failed[Failure::Refused as usize] = 1_000;
        let judgement = judge(&Evidence { load: &load, ..good() }, TrustPolicy::Refuse);
        assert_eq!((judgement.verdict, judgement.exit), (Verdict::Failed, ExitCode::Failed));
        assert_eq!(
            judgement.error.as_deref(),
            Some("not one of 1,001 operations succeeded: refused 1,000, cut off by the end 1")
        );
        let one = Tally { ok: 1, ..load };
        assert_eq!(exit(&Evidence { load: &one, ..good() }, TrustPolicy::Refuse).1, 0);
    }
}
