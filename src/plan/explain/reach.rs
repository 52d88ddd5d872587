//! Rates that cannot be reached, with the arithmetic.
//!
//! It is Little's law each time (J. D. C. Little, "A Proof for the Queuing Formula: L = λW",
//! Operations Research 9, 1961): sessions at work = passes a second × the time of a pass.

use std::fmt::Write as _;

use super::{
    ASSUMED, about, about_exactly, expected, many, milliseconds, requests_of, span_of, thousands,
};
use crate::plan::{Bound, Load, Pass, Plan, Quantity, Threshold, Workload};
use crate::scenario::Comparison;

/// Answers that take no time at all, then those that are assumed; in seconds.
fn latencies() -> impl Iterator<Item = f64> {
    std::iter::once(0.0).chain(ASSUMED)
}

fn if_answers_take(latency: f64) -> String {
    if latency > 0.0 {
        format!("at {} an answer", milliseconds(latency))
    } else {
        "even if answers took no time".to_owned()
    }
}

/// A time as people write it.
fn time(seconds: f64) -> String {
    format!("{}s", about_exactly(seconds))
}

/// Says if the sessions of an open load do not carry its rate.
pub(super) fn sessions(workload: &Workload, pass: &Pass, out: &mut String) {
    let Load::Open { rate, .. } = workload.load else { return };
    let (rate, sessions) = (rate.per_second(), f64::from(workload.sessions));
    let needed = |latency: f64| (rate * pass.seconds(latency)).ceil();
    let Some(latency) = latencies().find(|latency| needed(*latency) > sessions) else { return };
    let each = pass.seconds(latency);
    say!(
        out,
        "  warning: {}, {} carry {} / {} a pass = {}/s",
        if_answers_take(latency),
        many(workload.sessions.into(), "session"),
        thousands(workload.sessions.into()),
        time(each),
        about_exactly((sessions / each * 10.0).floor() / 10.0)
    );
    say!(
        out,
        "    of the {}/s asked for, and the rest is dropped: it takes {}/s * {} = {} (max)",
        about_exactly(rate),
        about_exactly(rate),
        time(each),
        about_exactly(needed(latency))
    );
}

/// What a workload does at most, whatever its target.
struct Most {
    /// Requests, or passes, a second.
    rate: f64,
    /// How that comes about.
    because: String,
    /// Requests, or passes, that one pass is.
    each: f64,
}

/// Says if a rate that is asked for is one that the load cannot make.
pub(super) fn rate(plan: &Plan, threshold: &Threshold, out: &mut String) {
    let Bound::Fixed(Quantity::Rate(wanted)) = &threshold.bound else { return };
    let wanted = wanted.per_second();
    let least = [Comparison::More, Comparison::AtLeast, Comparison::Equal];
    if !least.contains(&threshold.comparison) {
        return;
    }
    let Some(most) = all(plan, threshold, 0.0) else { return };
    let together: f64 = most.iter().map(|each| each.rate).sum();
    if together < wanted {
        let sums: Vec<&str> = most.iter().map(|each| each.because.as_str()).collect();
        say!(
            out,
            "    out of reach: {} = {}/s at most, even if answers took no time",
            sums.join(" + "),
            about_exactly((together * 10.0).floor() / 10.0)
        );
        remedy(plan, &most, wanted, out);
        return;
    }
    let Some(most) = all(plan, threshold, ASSUMED[0]) else { return };
    let together: f64 = most.iter().map(|each| each.rate).sum();
    if together < wanted {
        say!(
            out,
            "    about {}/s are possible at 1 ms an answer: more sessions, or less thinking",
            about(together)
        );
    }
}

/// What one load would have to be.
fn remedy(plan: &Plan, most: &[Most], wanted: f64, out: &mut String) {
    let ([most], [workload]) = (most, plan.workloads.as_slice()) else { return };
    let arrivals = (wanted / most.each.max(f64::MIN_POSITIVE)).ceil();
    let more = wanted / most.rate.max(f64::MIN_POSITIVE);
    let thinking = Pass::of(&workload.program).thinking.as_secs_f64();
    match workload.load {
        Load::Closed => {
            say!(
                out,
                "    it takes more than {} sessions, less than {} of thinking, or an open load of \
                 {} arrivals/s",
                about_exactly((level(plan, workload) * more).floor()),
                time(thinking / more),
                about_exactly(arrivals)
            );
        }
        Load::Open { .. } => {
            let least = about_exactly((arrivals * thinking).ceil());
            let arrivals = about_exactly(arrivals);
            say!(out, "    it takes {arrivals} arrivals/s, and more than {least} sessions (max)");
        }
    }
}

/// The mean level of a workload; the highest of one that finds it out. Sessions, or arrivals a
/// second.
fn level(plan: &Plan, workload: &Workload) -> f64 {
    match (&workload.steer, workload.load) {
        (Some(steer), Load::Closed) => steer.to as f64,
        (Some(steer), Load::Open { .. }) => steer.to as f64 / 1e3,
        (None, _) => workload.mean_level(plan.warmup) / 1e3,
    }
}

/// What each workload makes of a metric, when each answer takes so many seconds; none where that
/// cannot be foretold.
fn all(plan: &Plan, threshold: &Threshold, latency: f64) -> Option<Vec<Most>> {
    let measured = &threshold.measured;
    let requests = match measured.metric.value.as_str() {
        "http_reqs" => true,
        "iterations" => false,
        _ => return None,
    };
    let known = |label: &str| matches!(label, "workload") || requests && label != "phase";
    if !measured.labels.iter().all(|(label, _)| known(&label.value)) {
        return None;
    }
    let run = plan.span().since(plan.warmup).as_secs_f64().max(1e-9);
    let programs = plan.workloads.iter().filter(|each| each.fleet.is_none());
    let wanted = measured.labels.iter().find(|(label, _)| label.value == "workload");
    let programs = programs.filter(|each| wanted.is_none_or(|(_, name)| name.value == each.name));
    programs
        .map(|workload| {
            let pass = Pass::of(&workload.program);
            let each =
                if requests { requests_of(plan, workload, &pass, &measured.labels) } else { 1.0 };
            most(plan, workload, &pass, (each, latency))
                .map(|most| Most { rate: most.rate * span_of(plan, workload) / run, ..most })
        })
        .collect()
}

/// None where nothing but the target bounds it.
fn most(
    plan: &Plan,
    workload: &Workload,
    pass: &Pass,
    (each, latency): (f64, f64),
) -> Option<Most> {
    let (level, seconds) = (level(plan, workload), pass.seconds(latency));
    let of_a_pass =
        if (each - 1.0).abs() < 1e-9 { String::new() } else { format!(" * {each:.2} requests") };
    let carried = f64::from(workload.sessions) / seconds;
    let by_sessions = |sessions: f64| {
        let sessions = about_exactly(sessions);
        format!("{sessions} sessions{of_a_pass} / {} of thinking", time(seconds))
    };
    let (passes, because) = match workload.load {
        Load::Closed if seconds <= 0.0 => return None,
        Load::Closed => (level / seconds, by_sessions(level)),
        Load::Open { .. } if carried < level => (carried, by_sessions(workload.sessions.into())),
        Load::Open { .. } => (level, format!("{}/s{of_a_pass}", about_exactly(level))),
    };
    Some(Most { rate: passes * each, because, each })
}

/// Samples of requests that a trial at the lowest level gives, at 10 ms an answer.
pub(super) fn samples(
    plan: &Plan,
    workload: &Workload,
    threshold: &Threshold,
    seconds: f64,
) -> f64 {
    let pass = Pass::of(&workload.program);
    let each = requests_of(plan, workload, &pass, &threshold.measured.labels);
    expected(plan, workload, &pass, ASSUMED[1]) / span_of(plan, workload).max(1e-9) * each * seconds
}
