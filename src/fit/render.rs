//! A model as a scenario.
//!
//! As it stands it has the log's mean rate: the open model, in which a target that is slow gets no
//! less. The profile `curve` follows the log's rate; the profile `users` is the closed model, with
//! as many users as there were at once, who think. Requests that write are listed as comments: what
//! they sent is in no log, and an empty body would be refused by a target at less than what the
//! real one costs it.

use std::fmt::Write as _;
use std::time::Duration;

use super::explain::{explain, percent};
use super::limits::MINUTES;
use super::template::ID;
use super::{Fit, Kind};
use crate::plan::think::{Think, Times};
use crate::stdx::Nanos;

/// Shares are given out of so many.
const WEIGHTS: u64 = 10_000;

/// The scenario of a model, in YAML.
#[must_use]
pub fn scenario(fit: &Fit) -> String {
    let mut out = String::new();
    explain(fit).lines().for_each(|line| put(&mut out, 0, &format!("# {line}")));
    put(&mut out, 0, "name: fitted");
    put(&mut out, 0, "target: ${BASE_URL:-http://127.0.0.1:8080}");
    let listed: Vec<(usize, &Kind)> = fit.kinds.iter().enumerate().collect();
    data(&listed, &mut out);
    let longest = (MINUTES * 60) as u64;
    let seconds = fit.span.0.div_ceil(1_000_000_000).clamp(10, longest);
    put(&mut out, 0, "workloads:");
    put(&mut out, 2, "traffic:");
    put(&mut out, 4, &format!("load: {{rate: {}, for: {seconds}s}}", rate(fit.rate)));
    if fit.rest > 0 || fit.kinds.iter().any(|kind| !is_reading(&kind.method)) {
        put(
            &mut out,
            4,
            "# The rate is that of all requests: those listed stand in for the others,",
        );
        put(&mut out, 4, "# and for those that are comments until what they send is filled in.");
    }
    put(&mut out, 4, "mix:");
    let total: u64 = fit.kinds.iter().map(|kind| kind.count).sum::<u64>() + fit.rest;
    for (at, kind) in &listed {
        step(*at, kind, total, &mut out);
    }
    if !fit.kinds.iter().any(|kind| is_reading(&kind.method)) {
        put(&mut out, 6, "# Nothing in the log only reads: this stands in for what was asked.");
        put(&mut out, 6, "- get: /");
    }
    profiles(fit, seconds, &mut out);
    out
}

/// A line.
fn put(out: &mut String, indent: usize, text: &str) {
    // Writing to a text does not fail.
    let _ = writeln!(out, "{:indent$}{text}", "");
}

fn is_reading(method: &str) -> bool {
    matches!(method, "GET" | "HEAD" | "OPTIONS")
}

/// How many ids a path has.
fn ids(kind: &Kind) -> usize {
    kind.path.split('/').filter(|segment| *segment == ID).count()
}

/// The ids of requests with one of them each.
fn data(listed: &[(usize, &Kind)], out: &mut String) {
    let with = |kind: &Kind| is_reading(&kind.method) && ids(kind) == 1 && !kind.paths.is_empty();
    let mut lists = listed.iter().filter(|(_, kind)| with(kind)).peekable();
    if lists.peek().is_none() {
        return;
    }
    put(out, 0, "# Ids that the log's requests had and that were answered well.");
    put(out, 0, "data:");
    for (at, kind) in lists {
        let position = kind.path.split('/').position(|segment| segment == ID).unwrap_or(0);
        let id = |path: &String| path.split('/').nth(position).map(quoted);
        let values: Vec<String> = kind.paths.iter().filter_map(id).collect();
        put(out, 2, &format!("ids_{at}: [{}]", values.join(", ")));
    }
}

/// One request of the mix.
fn step(at: usize, kind: &Kind, total: u64, out: &mut String) {
    let Kind { method, path, count, errors, paths, queries } = kind;
    let weight = (u128::from(*count) * u128::from(WEIGHTS) / u128::from(total.max(1))).max(1);
    let name = quoted(format!("{method} {path}"));
    let mut notes = vec![percent(*count, total)];
    if *errors > 0 {
        notes.push(format!("{} with status 400 or more", percent(*errors, *count)));
    }
    if *queries {
        notes.push("queries left out".to_owned());
    }
    let notes = notes.join(", ");
    if !is_reading(method) {
        let method = method.to_ascii_lowercase();
        put(out, 6, &format!("# {notes}; what it sent is in no log:"));
        let body = "json: {…}";
        put(out, 6, &format!("# - {{weight: {weight}, {method}: {}, {body}}}", quoted(path)));
        return;
    }
    let method = method.to_ascii_lowercase();
    let head = format!("weight: {weight}, name: {name}");
    match (ids(kind), paths.as_slice()) {
        (0, _) => {
            let path = quoted(path);
            put(out, 6, &format!("- {{{head}, {method}: {path}}}  # {notes}"));
        }
        (_, []) => {
            put(out, 6, &format!("# {notes}; none with an id was answered well:"));
            put(out, 6, &format!("# - {{{head}, {method}: {}}}", quoted(path)));
        }
        (1, _) => {
            let (before, behind) = path.split_once(ID).unwrap_or((path, ""));
            let path = format!("\"{}${{pick(ids_{at})}}{}\"", escaped(before), escaped(behind));
            put(out, 6, &format!("- {{{head}, {method}: {path}}}  # {notes}"));
        }
        (_, paths) => {
            put(out, 6, &format!("- weight: {weight}  # {notes}"));
            put(out, 8, "one_of:");
            for path in paths {
                put(out, 10, &format!("- {{name: {name}, {method}: {}}}", quoted(path)));
            }
        }
    }
}

fn profiles(fit: &Fit, seconds: u64, out: &mut String) {
    put(out, 0, "profiles:");
    put(out, 2, "# The log's rate as it changed, each request of a user who knows of no other.");
    put(out, 2, "curve:");
    put(out, 4, "workloads:");
    put(out, 6, "traffic:");
    put(out, 8, "load:");
    let [first, rest @ ..] = fit.stages.as_slice() else { return };
    put(out, 10, &format!("rate: {}", rate(first.rate)));
    put(out, 10, "for: ~");
    put(out, 10, "arrivals: poisson");
    put(out, 10, "stages:");
    put(out, 12, &format!("- {{hold: {}}}", span(first.span)));
    for stage in rest {
        let (level, span) = (rate(stage.rate), span(stage.span));
        put(out, 12, &format!("- {{step: {level}, for: {span}}}"));
    }
    let (Some(thinking), Some(at_once)) = (&fit.thinking, fit.at_once) else { return };
    put(out, 2, "# As many users as there were at once, each of whom thinks between requests.");
    put(out, 2, "users:");
    put(out, 4, "workloads:");
    put(out, 6, "traffic:");
    let users = at_once.round().max(1.0);
    put(out, 8, &format!("load: {{rate: ~, connections: {users}, for: {seconds}s}}"));
    put(out, 8, &format!("think: {}", think(&thinking.think)));
}

/// A rate that the scenario reads as the same, in thousandths; never none.
fn rate(rate: f64) -> String {
    format!("{:.3}/s", rate.max(0.001))
}

/// A span in whole milliseconds, so that a reader sees its length; not shorter than that.
fn span(span: Nanos) -> String {
    let millis = span.0.div_ceil(1_000_000).max(1);
    if millis.is_multiple_of(1_000) {
        format!("{}s", millis / 1_000)
    } else {
        format!("{millis}ms")
    }
}

/// A think time, in microseconds.
fn think(think: &Think) -> String {
    let micros = |span: &Nanos| format!("{}us", Duration::from(*span).as_micros().max(1));
    let max = span(think.most);
    match &think.times {
        Times::Even { least, most } => format!("{}..{}", micros(least), micros(most)),
        Times::Exponential { mean } => format!("{{exponential: {}, max: {max}}}", micros(mean)),
        Times::Lognormal { median, sigma } => {
            let median = micros(median);
            format!("{{lognormal: {median}, sigma: {sigma:.4}, max: {max}}}")
        }
        Times::Quantiles(points) => {
            let points: Vec<String> = points.iter().map(micros).collect();
            format!("{{quantiles: [{}], max: {max}}}", points.join(", "))
        }
    }
}

/// A text of the log as a YAML text that means nothing else.
fn quoted(text: impl AsRef<str>) -> String {
    format!("\"{}\"", escaped(text.as_ref()))
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('$', "$$")
}
