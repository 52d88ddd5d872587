//! What was asked of the schedule, and what came of it.

use super::document::{Model, Pacing};
use super::metric::{per_second, seconds};
use crate::engine::outcome::{Ended, Outcome};
use crate::metrics::Leaf;
use crate::plan::{Load, Opening, Phase, Plan, Schedule, Until};
use crate::stdx::Nanos;

/// When a signal ended the run, since the start of the load.
pub(super) fn interrupted_at(outcome: &Outcome) -> Option<Nanos> {
    match outcome.ended {
        Ended::Interrupted { at } => at,
        Ended::Finished | Ended::Failed(_) | Ended::Unreachable(_) => None,
    }
}

/// The section of the document.
pub(super) fn pacing(outcome: &Outcome, plan: &Plan, load: &Leaf) -> Pacing {
    let (model, asked, patience) = match plan.only().load {
        Load::Closed => (Model::Closed, None, None),
        Load::Open { rate, patience } => (Model::Open, Some(rate.per_second()), Some(patience)),
    };
    let (operations, longest) = bounds(plan);
    let window = window(outcome, plan, load);
    let achieved = match asked {
        None => per_second(load.replies, outcome.duration),
        // Whichever instants the window begins and ends at, the schedule holds no more than that.
        Some(asked) => per_second(load.tally.sent, window.unwrap_or(Nanos::ZERO)).min(asked),
    };
    Pacing {
        model,
        connections: plan.only().sessions,
        asked_per_s: asked,
        achieved_per_s: achieved,
        asked_s: (longest < Nanos::MAX).then(|| seconds(longest)),
        loaded_s: window.map(seconds),
        operations,
        warmup_s: seconds(plan.warmup),
        timeout_s: seconds(plan.timeout),
        patience_s: patience.map(seconds),
        cold: plan.only().opening == Opening::Cold,
    }
}

/// Of the phase `load`: the most operations, and the longest time.
fn bounds(plan: &Plan) -> (Option<u64>, Nanos) {
    match plan.only().until {
        Until::Elapsed(span) => (None, span),
        Until::Operations(count, span) => (Some(count.get()), span),
    }
}

/// The time in which operations fell due, warm-up excluded: the drain comes after it. In a closed
/// loop that is ended by its count it is not known.
fn window(outcome: &Outcome, plan: &Plan, load: &Leaf) -> Option<Nanos> {
    if !outcome.phases.iter().any(|span| span.phase == Phase::Load) {
        return None;
    }
    let (operations, longest) = bounds(plan);
    let periods = |count: u64| match plan.only().load {
        Load::Closed => None,
        Load::Open { rate, .. } => Some(Schedule::constant(rate).due(count)),
    };
    let scheduled = load.tally.scheduled;
    let by_count = operations.filter(|count| scheduled >= *count);
    let window = match (&outcome.ended, by_count) {
        (Ended::Finished, None) => Some(longest),
        (Ended::Finished, Some(count)) => periods(count),
        _ => interrupted_at(outcome).map(|at| at.since(plan.warmup)).or_else(|| periods(scheduled)),
    };
    window.map(|window| window.min(longest))
}
