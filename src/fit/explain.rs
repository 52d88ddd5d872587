//! A model in sentences, with the figures that speak for it.

use std::fmt::Write as _;

use super::{Fit, Poisson, Thinking};
use crate::plan::think::Times;

/// What was found, and how far it can be trusted; lines of text.
#[must_use]
pub fn explain(fit: &Fit) -> String {
    let mut out = String::new();
    let mut say = |text: String| {
        // Writing to a text does not fail.
        let _ = writeln!(out, "{text}");
    };
    say(format!(
        "{} requests in {}: {:.3}/s on average, from {} clients",
        fit.lines, fit.span, fit.rate, fit.clients
    ));
    if fit.unreadable > 0 {
        say(format!("{} lines could not be read; the first of them:", fit.unreadable));
        for (number, why) in &fit.examples {
            say(format!("  line {number}: {why}"));
        }
    }
    let listed: u64 = fit.kinds.iter().map(|kind| kind.count).sum();
    let rest = percent(fit.rest, listed + fit.rest);
    say(format!("mix: {} kinds of requests; others are {rest} of all", fit.kinds.len()));
    say(arrivals(fit));
    say(thinking(fit));
    if fit.crowded > 0 {
        let crowded = fit.crowded;
        say(format!("{crowded} requests came from more clients than are told apart at once"));
    }
    if !fit.is_fine {
        say("times are whole seconds: log milliseconds ($msec) for distances and pauses".into());
    }
    if !fit.has_durations {
        say("lines do not say how long requests took ($request_time): pauses include it".into());
    }
    out
}

fn arrivals(fit: &Fit) -> String {
    let peak = fit.stages.iter().map(|stage| stage.rate).fold(0.0, f64::max);
    let curve = format!("arrivals: {} levels, up to {peak:.3}/s", fit.stages.len());
    let Some(Poisson { gaps, distance, chance, variation }) = fit.poisson else {
        return format!("{curve}; too little is known of their distances");
    };
    let verdict = if chance > 0.01 {
        "as independent users come (Poisson)"
    } else if variation > 1.2 {
        "burstier than independent users"
    } else if variation < 0.8 {
        "more regular than independent users"
    } else {
        "nearly as independent users come"
    };
    format!(
        "{curve}; within a minute {verdict}: KS {distance:.4}, p = {chance:.3}, deviation \
         {variation:.2} of the mean, {gaps} distances"
    )
}

fn thinking(fit: &Fit) -> String {
    let Some(thinking) = &fit.thinking else {
        return "think times: too few pauses of the same client".to_owned();
    };
    let Thinking { distance, chance, pauses, exponential, lognormal, quantiles, .. } = thinking;
    let name = match &thinking.think.times {
        Times::Exponential { mean } => format!("exponential, mean {mean}"),
        Times::Lognormal { median, sigma } => {
            format!("lognormal, median {median}, sigma {sigma:.3}")
        }
        Times::Quantiles(points) => format!("{} quantiles", points.len()),
        Times::Even { least, most } => format!("from {least} to {most}"),
    };
    format!(
        "think times: {name} (KS {distance:.4}, p = {chance:.3}; exponential {exponential:.4}, \
         lognormal {lognormal:.4}, quantiles {quantiles:.4}); {pauses} pauses, {} requests \
         without one",
        fit.overlapping
    )
}

/// A share for people.
pub(super) fn percent(part: u64, of: u64) -> String {
    let tenths = part.saturating_mul(1_000) / of.max(1);
    format!("{}.{}%", tenths / 10, tenths % 10)
}
