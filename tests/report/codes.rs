//! Exit codes over all combinations of what can be said of a run, and the closed lists of keys.

use std::fmt::Write as _;

use onslaught::engine::outcome::Ended;
use onslaught::metrics::Tally;
use onslaught::protocol::Failure;
use onslaught::report::TrustPolicy;
use onslaught::report::judge::{Evidence, judge};
use onslaught::stdx::Nanos;
use onslaught::verdict::trust;

use crate::golden::golden;

/// Where several codes apply, the first of these is the run's.
const PRECEDENCE: [u8; 7] = [113, 105, 108, 1, 99, 111, 0];

/// What can be said of a run.
struct Case {
    ended: Ended,
    adds_up: bool,
    succeeds: bool,
    misses: bool,
    trust: trust::Verdict,
    policy: TrustPolicy,
}

fn cases() -> Vec<Case> {
    let at = Nanos::from_secs(4);
    let ends = [
        Ended::Finished,
        Ended::Interrupted { at: Some(at) },
        Ended::Aborted { at, why: "a threshold ended the run".into() },
        Ended::Failed("shard 0 is gone".into()),
        Ended::Unreachable("refused".into()),
    ];
    let policies = [TrustPolicy::Allow, TrustPolicy::Refuse, TrustPolicy::Strict];
    let mut cases = Vec::new();
    for ended in ends {
        for bits in 0..8 {
            for trust in trust::Verdict::ALL {
                cases.extend(policies.map(|policy| Case {
                    ended: ended.clone(),
                    adds_up: bits & 1 == 0,
                    succeeds: bits & 2 == 0,
                    misses: bits & 4 > 0,
                    trust,
                    policy,
                }));
            }
        }
    }
    cases
}

impl Case {
    /// The code that the product gives, and its word for the verdict.
    fn judged(&self) -> (u8, String) {
        let ok = if self.succeeds { 9 } else { 0 };
        let mut load = Tally { scheduled: 10, sent: 10, ok, ..Tally::default() };
        load.failed[Failure::Reset as usize] = 10 - ok;
        let judgement = judge(
            &Evidence {
                ended: &self.ended,
                trust: self.trust,
                load: &load,
                errors: &[],
                identities: if self.adds_up { Ok(()) } else { Err("1 != 2".to_owned()) },
                missed: usize::from(self.misses),
            },
            self.policy,
        );
        let verdict = serde_json::to_value(judgement.verdict).expect("a word");
        (judgement.exit.code(), verdict.as_str().expect("a word").to_owned())
    }

    /// Every code that applies, whatever else does.
    fn applies(&self, code: u8) -> bool {
        let distrusted = match self.policy {
            TrustPolicy::Allow => false,
            TrustPolicy::Refuse => self.trust == trust::Verdict::GeneratorSaturated,
            TrustPolicy::Strict => self.trust != trust::Verdict::Valid,
        };
        match code {
            113 => matches!(self.ended, Ended::Unreachable(_)),
            105 => matches!(self.ended, Ended::Interrupted { .. }),
            108 => matches!(self.ended, Ended::Aborted { .. }),
            1 => matches!(self.ended, Ended::Failed(_)) || !self.adds_up || !self.succeeds,
            99 => self.misses,
            111 => distrusted,
            _ => true,
        }
    }

    fn line(&self) -> String {
        let ended = match &self.ended {
            Ended::Finished => "finished",
            Ended::Interrupted { .. } => "interrupted",
            Ended::Aborted { .. } => "aborted",
            Ended::Failed(_) => "failed",
            Ended::Unreachable(_) => "unreachable",
        };
        let says = |it: bool, word: &'static str| if it { word } else { "-" };
        let policy = match self.policy {
            TrustPolicy::Allow => "allow",
            TrustPolicy::Refuse => "refuse",
            TrustPolicy::Strict => "strict",
        };
        let (code, verdict) = self.judged();
        format!(
            "{ended:<11} {:<6} {:<9} {:<6} {:<19} {policy:<6} {code:>3} {verdict}",
            says(!self.adds_up, "broken"),
            says(!self.succeeds, "fruitless"),
            says(self.misses, "missed"),
            self.trust.key(),
        )
    }
}

#[test]
fn the_first_code_that_applies_is_the_runs() {
    for case in cases() {
        let first = PRECEDENCE.into_iter().find(|code| case.applies(*code));
        assert_eq!(Some(case.judged().0), first, "{}", case.line());
    }
}

#[test]
fn every_combination_of_reasons_has_its_code() {
    let cases = cases();
    assert_eq!(cases.len(), 5 * 8 * 4 * 3);
    let lines = cases.iter().map(|case| case.line() + "\n");
    golden("exit-codes.txt", lines.collect::<String>().as_bytes());
}

/// Keys that readers of `summary.json` rely on: adding one is a change of the schema.
#[test]
fn keys_are_closed_lists() {
    let mut text = String::new();
    for failure in Failure::ALL {
        writeln!(text, "failed.{} {:?}", failure.key(), failure.side()).expect("in memory");
    }
    for verdict in trust::Verdict::ALL {
        writeln!(text, "trust.verdict {}", verdict.key()).expect("in memory");
    }
    golden("keys.txt", text.as_bytes());
}
