//! Loads whose level is found out while the run is on: what they will do, and for how long.

use std::fmt::Write as _;

use super::{about, about_exactly, reach, thousands};
use crate::plan::steer::{Goal, Steer};
use crate::plan::{Aggregate, Load, Plan, Threshold, Workload};
use crate::stdx::Nanos;

/// A trial that decides nothing is repeated, at most so many times as long.
const LONGER: f64 = 4.0;
/// Samples that an interval of a quantile takes beyond it.
const BEYOND: f64 = 100.0;

/// The levels, how they are judged, and the longest time.
pub(super) fn says(plan: &Plan, workload: &Workload, out: &mut String) {
    let Some(steer) = &workload.steer else { return };
    let show = |level| shown(workload, level);
    let (from, to) = (show(steer.from), show(steer.to));
    let longest = workload.end(plan.warmup).since(workload.begins(plan.warmup));
    match &steer.goal {
        Goal::Search { slo, .. } => {
            say!(out, "  the level is searched from {from} to {to}: the highest at which");
            for threshold in slo {
                say!(out, "    {}", threshold.text);
            }
            trials(steer, longest, out);
            for threshold in slo {
                unclear(plan, workload, threshold, &steer.goal, out);
            }
        }
        Goal::Keep { threshold, target, step, every } => {
            let calm = Nanos(target.0 / 5 * 4);
            let step = show(*step);
            say!(out, "  the level keeps {}, from {from} to {to}", threshold.text);
            say!(out, "    each {every}: {step} more below {calm}, a tenth less above {target}");
        }
        Goal::Ramp { slow_above, stop_above, step, every } => {
            let stop = about_exactly(stop_above * 100.0);
            let step = show(*step);
            say!(out, "  the level goes from {from} to {to}, {step} more each {every}");
            say!(out, "    half as fast above {slow_above} on average; ends above {stop} % errors");
        }
    }
}

/// A level as people read it.
fn shown(workload: &Workload, level: u64) -> String {
    match workload.load {
        Load::Closed => format!("{} sessions", thousands(level)),
        Load::Open { .. } => format!("{}/s", about_exactly(level as f64 / 1e3)),
    }
}

/// How many trials there will be, and how long that takes.
fn trials(steer: &Steer, longest: Nanos, out: &mut String) {
    let Goal::Search { trial, settle, resolution, max_trials, .. } = &steer.goal else { return };
    let factor = (steer.to as f64 / steer.from.max(1) as f64).max(1.0);
    let doubled = factor.log2().ceil() + 1.0;
    // Between a level and its double; a gap of one unit is narrow enough.
    let halved = (1.0 / resolution).min(steer.to as f64).log2().ceil();
    // Each end is seen twice.
    let most = (doubled + halved + 2.0).min(f64::from(*max_trials));
    let time = most * (trial.as_secs_f64() + settle.as_secs_f64());
    say!(
        out,
        "    holds, within {} %: it doubles until one does not, and then halves the gap",
        about_exactly(resolution * 100.0)
    );
    say!(
        out,
        "    trials of {trial} after {settle} to settle: about {} of them in {}s if all are clear",
        about(most).trim_end_matches(".0"),
        about_exactly(time.ceil())
    );
    say!(
        out,
        "    one that is not clear is repeated, up to {}s long; {max_trials} trials, {longest} at \
         most",
        about_exactly(trial.as_secs_f64() * LONGER)
    );
}

/// Says if even the longest trial at the lowest level has too few samples.
fn unclear(plan: &Plan, workload: &Workload, threshold: &Threshold, goal: &Goal, out: &mut String) {
    let Goal::Search { trial, .. } = goal else { return };
    let measured = &threshold.measured;
    let (Aggregate::Percentile(percentile), true) =
        (measured.aggregate, measured.metric.value.starts_with("http_"))
    else {
        return;
    };
    let seconds = trial.as_secs_f64() * LONGER;
    let come = reach::samples(plan, workload, threshold, seconds);
    let share = (1.0 - percentile / 100.0).min(percentile / 100.0).max(1e-9);
    if come < BEYOND / share {
        say!(
            out,
            "    warning: p({percentile}) is not clear below {} samples; at the lowest level {}s \
             have about {}",
            about(BEYOND / share),
            about_exactly(seconds),
            about(come)
        );
    }
}
