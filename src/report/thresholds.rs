//! What was asked for, and whether it held.

use super::document::ThresholdRow;
use super::metric::round6;
use crate::engine::outcome::{Ended, Outcome};
use crate::plan::{Phase, Threshold};
use crate::stdx::Nanos;
use crate::verdict::measured::Recorded;
use crate::verdict::threshold::{Judged, judge};

/// One row a threshold. Of a run that was not finished none is passed.
pub(super) fn rows(
    outcome: &Outcome,
    recorded: &Recorded<'_>,
    unmeasured: Option<&str>,
) -> Vec<ThresholdRow> {
    let cut = match (&outcome.ended, unmeasured) {
        (_, Some(_)) => Some("nothing was measured"),
        (Ended::Unreachable(_), None) => Some("nothing was loaded"),
        (Ended::Interrupted { .. }, None) => Some("the run was interrupted"),
        (Ended::Failed(_), None) => Some("the run failed"),
        (Ended::Finished | Ended::Aborted { .. }, None) => None,
    };
    let thresholds = recorded.plan.thresholds.iter().enumerate();
    let rows = thresholds.map(|(index, threshold)| {
        let seen = outcome.windows.get(index).cloned().flatten();
        let judged = seen.unwrap_or_else(|| over_all(threshold, outcome, recorded));
        row(threshold, judged, cut)
    });
    rows.collect()
}

/// Over the whole run.
fn over_all(threshold: &Threshold, outcome: &Outcome, recorded: &Recorded<'_>) -> Judged {
    judge(threshold, &|measured| {
        let plan = recorded.plan;
        let named = |phase: &Phase| {
            let name = plan.phase_name(*phase);
            measured.labels.iter().any(|(key, value)| key.value == "phase" && value.value == name)
        };
        let phase = plan.phases().find(named).unwrap_or(Phase::Load);
        let span = outcome.phases.iter().find(|span| span.phase == phase);
        let span = match (phase, span) {
            (Phase::Warmup | Phase::Named(_), Some(span)) => span.to.since(span.from),
            (Phase::Load, Some(_)) => outcome.duration,
            (_, None) => Nanos::ZERO,
        };
        Recorded { span, ..*recorded }.samples(measured)
    })
}

fn row(threshold: &Threshold, judged: Judged, cut: Option<&str>) -> ThresholdRow {
    let Judged { passed, value, unit, limit, samples, reason } = judged;
    ThresholdRow {
        text: threshold.text.clone(),
        passed: passed && cut.is_none(),
        value: value.map(round6),
        unit: unit.to_owned(),
        limit: limit.map(round6),
        samples,
        reason: cut.map(str::to_owned).or(reason),
    }
}
