//! What was asked of the schedule, and what came of it.

use super::document::{Model, Pacing, WorkloadRow};
use super::metric::{per_second, round6, seconds};
use crate::engine::outcome::{Ended, Outcome};
use crate::metrics::Tally;
use crate::plan;
use crate::plan::{Load, Opening, Pass, Phase, Plan, Spacing, Until, Workload};
use crate::stdx::Nanos;
use crate::verdict::measured::one_request;

/// When a signal or a threshold ended the run, since the start of the load.
pub(super) fn interrupted_at(outcome: &Outcome) -> Option<Nanos> {
    match outcome.ended {
        Ended::Interrupted { at } => at,
        Ended::Aborted { at, .. } => Some(at),
        Ended::Finished | Ended::Failed(_) | Ended::Unreachable(_) => None,
    }
}

/// Operations of a workload, or of all, in the phase `load`.
#[derive(Debug, Default)]
pub(super) struct Done {
    pub(super) tally: Tally,
    pub(super) replies: u64,
}

impl Done {
    /// Of the workload, or of all.
    pub(super) fn of(outcome: &Outcome, plan: &Plan, workload: Option<usize>) -> Self {
        let mut done = Self::default();
        for (leaf, id) in plan.leaves(Phase::Load) {
            let wanted = workload.is_none_or(|wanted| wanted == usize::from(leaf.workload));
            if let Some(leaf) = outcome.total.get(id).filter(|_| wanted) {
                done.tally.add(&leaf.tally);
                done.replies += leaf.replies;
            }
        }
        done
    }
}

/// The section of the document.
pub(super) fn pacing(outcome: &Outcome, plan: &Plan) -> Pacing {
    let done = Done::of(outcome, plan, None);
    match &plan.workloads[..] {
        [only] => of_one(outcome, plan, only, &done),
        _ => of_several(outcome, plan, &done),
    }
}

fn of_one(outcome: &Outcome, plan: &Plan, workload: &Workload, done: &Done) -> Pacing {
    let (operations, longest) = bounds(workload);
    Pacing {
        model: model(workload),
        connections: workload.sessions,
        asked_per_s: asked(outcome, plan, workload, &done.tally),
        varies: workload.levels.is_some(),
        level_changes: outcome.level_changes,
        achieved_per_s: achieved(outcome, plan, workload, done),
        asked_s: (longest < Nanos::MAX).then(|| seconds(longest)),
        loaded_s: window(outcome, plan, workload, &done.tally).map(seconds),
        operations,
        warmup_s: seconds(plan.warmup),
        warmup_bound_s: plan.warmup_bound.map(seconds),
        timeout_s: seconds(plan.timeout),
        patience_s: patience(workload).map(seconds),
        precision: precision(workload).map(str::to_owned),
        cold: workload.opening == Opening::Cold,
        workloads: Vec::new(),
    }
}

fn of_several(outcome: &Outcome, plan: &Plan, done: &Done) -> Pacing {
    let rates = plan.workloads.iter().enumerate().map(|(index, workload)| {
        let done = Done::of(outcome, plan, Some(index));
        asked(outcome, plan, workload, &done.tally)
    });
    let rates = rates.collect::<Option<Vec<f64>>>();
    let longest = plan.span().since(plan.warmup);
    let begun = outcome.phases.iter().any(|span| span.phase == Phase::Load);
    let stopped = interrupted_at(outcome).map_or(Nanos::MAX, |at| at.since(plan.warmup));
    let loaded = longest.min(stopped);
    let row = |(index, workload): (usize, &Workload)| {
        let done = Done::of(outcome, plan, Some(index));
        let longest = bounds(workload).1;
        WorkloadRow {
            name: workload.name.clone(),
            model: model(workload),
            sessions: workload.sessions,
            asked_per_s: asked(outcome, plan, workload, &done.tally),
            achieved_per_s: Some(achieved(outcome, plan, workload, &done)),
            start_s: seconds(workload.start),
            for_s: (longest < Nanos::MAX).then(|| seconds(longest)),
        }
    };
    Pacing {
        model: Model::Mixed,
        connections: u32::try_from(plan.connections()).unwrap_or(u32::MAX),
        asked_per_s: rates.map(|rates| round6(rates.iter().sum())),
        varies: plan.workloads.iter().any(|workload| workload.levels.is_some()),
        level_changes: outcome.level_changes,
        achieved_per_s: per_second(done.tally.sent, outcome.duration),
        asked_s: (longest < Nanos::MAX).then(|| seconds(longest)),
        loaded_s: (begun && loaded < Nanos::MAX).then(|| seconds(loaded)),
        operations: None,
        warmup_s: seconds(plan.warmup),
        warmup_bound_s: plan.warmup_bound.map(seconds),
        timeout_s: seconds(plan.timeout),
        patience_s: None,
        precision: the_only(plan.workloads.iter().filter_map(precision)).map(str::to_owned),
        cold: plan.workloads.iter().all(|workload| workload.opening == Opening::Cold),
        workloads: plan.workloads.iter().enumerate().map(row).collect(),
    }
}

fn precision(workload: &Workload) -> Option<&'static str> {
    matches!(workload.load, Load::Open { .. }).then_some(match workload.pacing {
        plan::Pacing::Timed => "timed",
        plan::Pacing::Precise => "precise",
        plan::Pacing::Efficient => "efficient",
    })
}

/// The first, if the others are like it.
fn the_only<'a>(mut all: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let first = all.next()?;
    all.all(|other| other == first).then_some(first)
}

const fn model(workload: &Workload) -> Model {
    match (&workload.fleet, workload.load) {
        (Some(_), _) => Model::Fleet,
        (None, Load::Closed) => Model::Closed,
        (None, Load::Open { .. }) => Model::Open,
    }
}

/// Arrivals a second that were asked for; where that changes, the mean over the time in which any
/// fell due. None where nobody knew before.
fn asked(outcome: &Outcome, plan: &Plan, workload: &Workload, done: &Tally) -> Option<f64> {
    match workload.load {
        Load::Closed => None,
        Load::Open { .. } if workload.steer.is_some() => None,
        Load::Open { .. } if workload.levels.is_some() => {
            let loaded = window(outcome, plan, workload, done).filter(|it| *it > Nanos::ZERO);
            let Some(loaded) = loaded else {
                return Some(round6(workload.mean_level(plan.warmup) / 1e3));
            };
            let begin = workload.begins(plan.warmup).since(workload.start);
            let curve = workload.curve();
            let area = curve.area(begin + loaded) - curve.area(begin);
            Some(round6(area as f64 / loaded.0 as f64 / 1e3))
        }
        Load::Open { rate, .. } => Some(rate.per_second()),
    }
}

const fn patience(workload: &Workload) -> Option<Nanos> {
    match workload.load {
        Load::Closed => None,
        Load::Open { patience, .. } => Some(patience),
    }
}

/// The rate that came of a workload.
fn achieved(outcome: &Outcome, plan: &Plan, workload: &Workload, done: &Done) -> f64 {
    let Some((schedule, _)) = workload.arrivals(plan.warmup) else {
        let ended = if workload.fleet.is_some() { done.tally.sent } else { done.replies };
        return per_second(ended, outcome.duration);
    };
    let window = window(outcome, plan, workload, &done.tally).unwrap_or(Nanos::ZERO);
    let begin = workload.begins(plan.warmup).since(workload.start);
    let begun = if one_request(workload) {
        done.tally.sent
    } else if workload.steer.is_some() {
        // The schedule is not that of the plan: passes are told by the operations that they have.
        let each = Pass::of(&workload.program).operations.max(1.0);
        return per_second(done.tally.sent, window) / each;
    } else {
        // An iteration of several steps: each that fell due has begun, unless it was dropped.
        let lost = done.tally.dropped + done.tally.shed;
        (schedule.before(begin + window) - schedule.before(begin)).saturating_sub(lost)
    };
    // What the user or chance has made of the schedule it does not say.
    if workload.spacing == Spacing::Poisson || outcome.level_changes > 0 {
        return per_second(begun, window);
    }
    // Whichever instants the window begins and ends at, the schedule holds no more than that.
    let area = schedule.rate().area(begin + window) - schedule.rate().area(begin);
    let mean = area as f64 / 1e3 / window.0.max(1) as f64;
    per_second(begun, window).min(round6(mean))
}

/// Of the phase `load`: the most operations, and the longest time.
const fn bounds(workload: &Workload) -> (Option<u64>, Nanos) {
    match workload.until {
        Until::Elapsed(span) => (None, span),
        Until::Operations(count, span) => (Some(count.get()), span),
    }
}

/// The time in which operations fell due, warm-up excluded: the drain comes after it. In a closed
/// loop that is ended by its count it is not known.
fn window(outcome: &Outcome, plan: &Plan, workload: &Workload, done: &Tally) -> Option<Nanos> {
    if !outcome.phases.iter().any(|span| span.phase == Phase::Load) {
        return None;
    }
    let (operations, longest) = bounds(workload);
    let begins = workload.begins(plan.warmup);
    let periods = |count: u64| {
        let (schedule, _) = workload.arrivals(plan.warmup)?;
        let begin = begins.since(workload.start);
        Some(schedule.due(schedule.before(begin) + count).since(begin))
    };
    let by_count = operations.filter(|count| done.scheduled >= *count);
    let window = match (&outcome.ended, by_count) {
        (Ended::Finished, None) => Some(outcome.stopped.map_or(longest, |at| at.since(begins))),
        (Ended::Finished, Some(count)) => periods(count),
        _ => {
            let stopped = interrupted_at(outcome).map(|at| at.since(begins));
            stopped.or_else(|| periods(done.scheduled))
        }
    };
    window.map(|window| window.min(longest))
}
