//! The sections of the summary, in the order in which they are read.

use super::page::{Ink, LABEL, Page, WIDTH};
use super::times::quantile;
use crate::metrics::catalog::names;
use crate::metrics::{Counter, Trend};
use crate::plan::Kind;
use crate::protocol::Failure;
use crate::protocol::outcome::Side;
use crate::report::build::{Report, distinct};
use crate::report::document::{Document, Model, Pacing, Run, Verdict, WorkloadRow};
use crate::report::figures::{bytes, harmless, per_second, percent, plural, span, thousands, time};
use crate::report::silence::silences;
use crate::verdict::measured::one_request;

/// Marks of the timeline that are shown; all of them are in `summary.json`.
const EVENTS_SHOWN: usize = 8;

/// Texts of a class of failure that are shown; `summary.json` has ten of each.
const TEXTS_SHOWN: usize = 3;

/// Columns of a number.
pub(super) const NUMBER: usize = 13;

/// CPU time is counted in ticks of 10 ms: less than ten of them is noise.
const MEASURABLE_S: f64 = 0.1;

/// Columns of a request's name, indentation included.
const NAME: usize = WIDTH - 11 - 9 - 3 * 12;

pub(super) fn title(page: &mut Page, document: &Document) {
    let verdict = match document.verdict {
        Verdict::Passed => "PASSED",
        Verdict::Failed => "FAILED",
        Verdict::Invalid => "INVALID",
        Verdict::Interrupted => "INTERRUPTED",
        Verdict::Aborted => "ABORTED",
    };
    let room = WIDTH - verdict.len() - 2;
    let name = harmless(&document.name, 30);
    let target = match document.run.targets.len() {
        0 | 1 => document.run.target.clone(),
        all => format!("{} and {} more", document.run.target, all - 1),
    };
    let target = harmless(&target, room.saturating_sub(name.chars().count() + 2));
    let gap = room - name.chars().count() - target.chars().count();
    let painted = page.paint(document.verdict.ink(), verdict);
    let name = page.paint(Ink::Bold, &name);
    page.line(&format!("{name}  {target}{}{painted}", " ".repeat(gap)));
}

/// What the open model did not do of what was asked.
pub(super) fn dropped(page: &mut Page, report: &Report<'_>) {
    let document = &report.document;
    let counts = &document.accounting.total;
    // A search goes beyond what is borne on purpose.
    if counts.dropped == 0 || document.search.is_some() {
        return;
    }
    let one = arrivals_are_operations(report);
    let dropped = match one {
        true => {
            let all = plural(counts.scheduled, "arrival");
            format!("{} of {all}", thousands(counts.dropped))
        }
        false => plural(counts.dropped, "arrival"),
    };
    let were = if counts.dropped == 1 { "was" } else { "were" };
    let remedy = if document.run.pacing.workloads.is_empty() {
        "more connections (-c) or less rate (-R)"
    } else {
        "more sessions or a lower rate"
    };
    let text = format!("{dropped} {were} dropped: nothing was free in time; {remedy}");
    page.wrapped("warning", &text, Ink::Yellow);
}

/// Whether each arrival is one operation, so that those scheduled are the arrivals.
fn arrivals_are_operations(report: &Report<'_>) -> bool {
    matches!(&report.plan.workloads[..], [only] if one_request(only))
}

/// Stretches in which nothing succeeded; the events tell more.
pub(super) fn silent(page: &mut Page, document: &Document) {
    let silences = silences(&document.series);
    let Some(first) = silences.first() else { return };
    let (from, to) = (span(first.from_s), span(first.to_s));
    let more = match silences.len() {
        1 => String::new(),
        all => format!(", and {} more", plural(all as u64 - 1, "time")),
    };
    let text = format!("from {from} to {to} not one operation succeeded{more}: see EVENTS");
    page.wrapped("warning", &text, Ink::Yellow);
}

/// What was asked for and what came of it.
pub(super) fn pacing(page: &mut Page, document: &Document) {
    load(page, document);
    let pacing = &document.run.pacing;
    let achieved = per_second(pacing.achieved_per_s);
    let rate = match pacing.asked_per_s {
        Some(_) if pacing.level_changes > 0 => {
            let changes = plural(pacing.level_changes.into(), "change");
            format!("achieved {achieved}, with {changes} of the level: see EVENTS")
        }
        None if pacing.model == Model::Open => {
            format!("achieved {achieved}; the level was found out on the way")
        }
        None if matches!(pacing.model, Model::Fleet | Model::Mixed) => {
            format!("achieved {achieved}, operations of any kind")
        }
        None => format!("achieved {achieved}; asked for as much as the replies allow"),
        Some(asked) => {
            let share = if asked > 0.0 { pacing.achieved_per_s / asked } else { 0.0 };
            format!("achieved {achieved} of {} asked for: {}", per_second(asked), percent(share))
        }
    };
    page.row("rate", &rate);
    page.wrapped("measured", &measured(document), Ink::Plain);
}

/// The load alone.
pub(super) fn load(page: &mut Page, document: &Document) {
    let Run { pacing, shards, .. } = &document.run;
    if pacing.workloads.is_empty() {
        page.wrapped("load", &asked(pacing, *shards, document.search.is_some()), Ink::Plain);
    } else {
        let all = plural(pacing.workloads.len() as u64, "workload");
        let on = plural(u64::from(*shards), "shard");
        let sockets = plural(pacing.connections.into(), "connection");
        page.row("load", &format!("{all}, {sockets}, on {on}"));
        let begun = document.accounting.total.scheduled > 0;
        for workload in &pacing.workloads {
            page.wrapped("", &asked_of(workload, begun), Ink::Plain);
        }
    }
    if document.run.is_scaled() {
        let digits = |scale: f64| (scale * 1e3).round() / 1e3;
        let (load, time) = (document.run.scale, document.run.scale_time);
        // What is smaller than a thousandth is shown as it is.
        let [load, time] = [load, time].map(|it| if it < 0.01 { it } else { digits(it) });
        let text = match (load, time) {
            (1.0, time) => format!("durations times {time}: a trial, not the run"),
            (load, 1.0) => format!("counts times {load}: a trial, not the run"),
            (load, time) => {
                format!("counts times {load}, durations times {time}: a trial, not the run")
            }
        };
        page.wrapped("scaled", &text, Ink::Yellow);
    }
}

/// What was asked of one workload among several.
fn asked_of(row: &WorkloadRow, begun: bool) -> String {
    let sessions = match row.model {
        Model::Fleet => plural(row.sessions.into(), "WebSocket session"),
        Model::Closed | Model::Open | Model::Mixed => plural(row.sessions.into(), "session"),
    };
    let what = match (row.model, row.asked_per_s) {
        (Model::Open, Some(rate)) => format!("{} over {sessions}", per_second(rate)),
        (Model::Closed, _) => format!("{sessions} in a closed loop"),
        _ => sessions,
    };
    let length = row.for_s.map_or_else(String::new, |length| format!(" for {}", span(length)));
    let start = match row.start_s {
        start if start > 0.0 => format!(", from {}", span(start)),
        _ => String::new(),
    };
    let achieved = row
        .achieved_per_s
        .filter(|_| begun)
        .map_or_else(String::new, |rate| format!("; achieved {}", per_second(rate)));
    format!("{}: {what}{length}{start}{achieved}", harmless(&row.name, 30))
}

/// Longer drains are shown.
const DRAIN_S: f64 = 0.1;

fn measured(document: &Document) -> String {
    let pacing = &document.run.pacing;
    let mut text = span(document.run.duration_s);
    let loaded = pacing.loaded_s.unwrap_or(f64::INFINITY);
    let drained = document.run.duration_s - loaded;
    if drained > DRAIN_S {
        text += &format!(": loaded {}, drained {}", span(loaded), span(drained));
    }
    if let (Some(operations), Some(longest)) = (pacing.operations, pacing.asked_s) {
        let counts = &document.accounting.total;
        if counts.scheduled >= operations {
            text += ", ended by count";
        } else if loaded >= longest && loaded.is_finite() {
            text += &format!(", ended by time after {}", plural(counts.sent, "request"));
        }
    }
    if pacing.warmup_s > 0.0 {
        text += &format!(", after a warm-up of {} that counts nowhere", span(pacing.warmup_s));
        text += match pacing.warmup_bound_s {
            Some(bound) if pacing.warmup_s < bound => ": then the load was steady",
            Some(_) => ": its bound, for the load did not become steady",
            None => "",
        };
    }
    text
}

fn asked(pacing: &Pacing, shards: u32, searched: bool) -> String {
    let connections = plural(pacing.connections.into(), "connection");
    if searched {
        let longest = pacing.asked_s.map_or_else(String::new, span);
        return format!("a search for the capacity, at most {longest} and {connections}");
    }
    let what = match (pacing.model, pacing.asked_per_s) {
        (Model::Open, Some(rate)) if pacing.varies => {
            format!("a rate that changes, {} on average, over {connections}", per_second(rate))
        }
        (Model::Open, Some(rate)) => format!("{} over {connections}", per_second(rate)),
        (Model::Open, None) => format!("a rate found out on the way, over {connections}"),
        (Model::Fleet, _) if pacing.varies => {
            let sessions = plural(pacing.connections.into(), "WebSocket session");
            format!("a number that changes, at most {sessions}")
        }
        (_, _) if pacing.varies => {
            format!("a number that changes, at most {connections} in a closed loop")
        }
        (Model::Fleet, _) => plural(pacing.connections.into(), "WebSocket session"),
        _ => format!("{connections} in a closed loop"),
    };
    let until = match (pacing.operations, pacing.asked_s) {
        (Some(count), None) => format!(", {}", plural(count, "request")),
        (Some(count), Some(seconds)) => {
            format!(", at most {} or {}", plural(count, "request"), span(seconds))
        }
        (None, Some(seconds)) => format!(" for {}", span(seconds)),
        (None, None) => String::new(),
    };
    format!("{what}{until}, on {}", plural(shards.into(), "shard"))
}

pub(super) fn trust(page: &mut Page, document: &Document) {
    let (ink, meaning) = match document.trust.verdict.as_str() {
        "valid" => (Ink::Green, "the numbers are the target's"),
        "generator_saturated" => (Ink::Red, "the numbers are partly this generator's"),
        "target_saturated" => (Ink::Yellow, "the target was at its limit"),
        _ => (Ink::Yellow, "too little is known to say whose the numbers are"),
    };
    let verdict = page.paint(ink, &document.trust.verdict);
    page.row("trust", &format!("{verdict}: {meaning}"));
    for reason in &document.trust.reasons {
        page.wrapped("", &format!("- {reason}"), Ink::Plain);
    }
}

/// A number in its column, and what qualifies it.
pub(super) fn counted(count: u64, rest: &str) -> String {
    format!("{:>NUMBER$}   {rest}", thousands(count))
}

pub(super) fn http(page: &mut Page, document: &Document) {
    if document.metrics.get(names::HTTP_REQS).is_none() {
        return;
    }
    page.heading("HTTP", "");
    let replies = document.metrics.counter(names::HTTP_REQS);
    page.row("replies", &counted(replies.count, &per_second(replies.rate)));
    let failed = document.metrics.rate(names::HTTP_REQ_FAILED);
    let share = format!("{} of what ended", percent(failed.rate));
    page.row("failed", &counted(failed.passes, &share));
    let created = document.metrics.counter(Counter::TasksCreated.name());
    if created.unit == Counter::TasksCreated.unit() {
        page.row("created", &counted(created.count, "tasks, by replies of status 201"));
    }
    let ours = ours(document);
    if ours > 0 {
        page.row("failed here", &counted(ours, "this host's fault, not among the above"));
    }
    let codes = document.metrics.statuses().map(|(code, count)| {
        let share = if replies.count == 0 { 0.0 } else { count as f64 / replies.count as f64 };
        (format!("status {code}"), counted(count, &format!("{} of the replies", percent(share))))
    });
    for (label, text) in codes {
        page.row(&label, &text);
    }
}

fn ours(document: &Document) -> u64 {
    let failed = &document.accounting.total.failed;
    failed.iter().filter(|(class, _)| side(class) == Some(Side::Local)).map(|(_, n)| n).sum()
}

fn side(class: &str) -> Option<Side> {
    failure(class).map(Failure::side)
}

fn failure(class: &str) -> Option<Failure> {
    Failure::ALL.into_iter().find(|failure| failure.key() == class)
}

/// Nothing new where there is but one request.
pub(super) fn by_request(page: &mut Page, document: &Document) {
    let requests = &document.by.request;
    let http = requests.iter().filter(|(_, metrics)| metrics.get(names::HTTP_REQS).is_some());
    if http.count() < 2 {
        return;
    }
    // The heading's own columns end before those of the names do.
    let titles = format!("{:>11}{:>9}{:>12}{:>12}{:>12}", "replies", "failed", "med", "p95", "p99");
    page.heading("BY REQUEST", &format!("{}{titles}", " ".repeat(NAME - LABEL)));
    for (name, metrics) in requests.iter() {
        if metrics.get(names::HTTP_REQS).is_none() {
            continue;
        }
        let trend = metrics.trend(Trend::Duration);
        let name = harmless(name, NAME - 3);
        let replies = thousands(metrics.counter(names::HTTP_REQS).count);
        let failed = percent(metrics.rate(names::HTTP_REQ_FAILED).rate);
        let times = [("med", trend.med), ("p95", trend.p95), ("p99", trend.p99)]
            .map(|(key, value)| format!("{:>12}", quantile(&trend, key, value)));
        let width = NAME - 2;
        page.line(&format!("  {name:<width$}{replies:>11}{failed:>9}{}", times.concat()));
    }
}

pub(super) fn execution(page: &mut Page, report: &Report<'_>) {
    let document = &report.document;
    let counts = &document.accounting.total;
    page.heading("EXECUTION", "");
    let workloads = &report.plan.workloads;
    let steps = workloads.iter().any(|it| it.fleet.is_none() && !one_request(it));
    if steps {
        let iterations = document.metrics.counter(names::ITERATIONS);
        page.row("iterations", &counted(iterations.count, &per_second(iterations.rate)));
    }
    let mut lost = Vec::new();
    if counts.dropped > 0 || document.run.pacing.model == Model::Open {
        lost.push(format!("{} dropped (nothing was free in time)", thousands(counts.dropped)));
    }
    if counts.shed > 0 {
        lost.push(format!("{} shed (too late to start)", thousands(counts.shed)));
    }
    page.row("scheduled", &counted(counts.scheduled, &lost.join(", ")));
    let failed = counts.failed.iter().map(|(_, count)| count).sum::<u64>();
    let mut ends = format!("{} ok, {} failed", thousands(counts.ok), thousands(failed));
    if counts.aborted > 0 {
        ends += &format!(", {} cut off by the end", thousands(counts.aborted));
    }
    page.row("sent", &counted(counts.sent, &ends));
    let kinds = &document.accounting.by_kind;
    for (kind, counts) in kinds.iter().filter(|_| kinds.0.len() > 1) {
        let failed = counts.failed.iter().map(|(_, count)| count).sum::<u64>();
        let ends = format!("{} ok, {} failed", thousands(counts.ok), thousands(failed));
        page.row(kind, &counted(counts.sent, &ends));
    }
}

pub(super) fn network(page: &mut Page, document: &Document) {
    page.heading("NETWORK", "");
    for (label, name) in [("received", names::DATA_RECEIVED), ("sent", names::DATA_SENT)] {
        let counter = document.metrics.counter(name);
        let (all, rate) = (bytes(counter.count as f64), bytes(counter.rate));
        page.row(label, &format!("{all:>NUMBER$}   {rate}/s"));
    }
    let odd = [
        ("connects", names::CONNECTS_FAILED, "failed"),
        ("unasked", names::UNASKED_RECEIVES, "times a connection spoke, nothing awaited"),
        ("no buffer", names::RECEIVES_WITHOUT_BUFFER, "receives: armed again, none lost"),
        ("overflows", names::QUEUE_OVERFLOWS, "of the completion queue: nothing lost"),
    ];
    let odd = odd.map(|(label, name, what)| (label, document.metrics.counter(name).count, what));
    for (label, count, what) in odd.into_iter().filter(|(_, count, _)| *count > 0) {
        page.row(label, &counted(count, what));
    }
}

pub(super) fn errors(page: &mut Page, report: &Report<'_>) {
    let document = &report.document;
    if document.errors.is_empty() {
        return;
    }
    page.heading("ERRORS", &format!("{:>19}   whose", "count"));
    for error in &document.errors {
        let whose = match side(&error.class) {
            Some(Side::Local) => "ours",
            Some(Side::Network) => "the network's",
            Some(Side::Check) => "of a check",
            Some(Side::Target) | None => "the target's",
        };
        let count = thousands(error.count);
        page.line(&format!("  {:<19}{count:>12}   {whose}", error.class));
        let failure = failure(&error.class);
        let kept = failure.and_then(|failure| report.samples.get(failure as usize));
        texts(page, kept.map(|kept| &kept.first[..]).unwrap_or_default());
    }
}

/// The first texts of a class, those that are alike as one.
fn texts(page: &mut Page, kept: &[String]) {
    let texts = distinct(kept);
    for (text, count) in texts.iter().take(TEXTS_SHOWN) {
        let text = match count {
            1 => (*text).to_owned(),
            count => format!("{text} ({count} of the first {})", kept.len()),
        };
        page.indented(&text, Ink::Dim);
    }
    let more = texts.len().saturating_sub(TEXTS_SHOWN) as u64;
    if more > 0 {
        page.indented(&format!("and {} in the JSON", plural(more, "other text")), Ink::Dim);
    }
}

pub(super) fn events(page: &mut Page, document: &Document) {
    if document.events.is_empty() {
        return;
    }
    page.heading("EVENTS", "");
    for event in document.events.iter().take(EVENTS_SHOWN) {
        page.wrapped(&span(event.t_s), &event.what, Ink::Plain);
    }
    let more = document.events.len().saturating_sub(EVENTS_SHOWN);
    if more > 0 {
        page.row("", &format!("and {}", plural(more as u64, "more mark")));
    }
}

/// What the run cost this host, warm-up included.
pub(super) fn generator(page: &mut Page, report: &Report<'_>) {
    let document = &report.document;
    let cost = &document.generator;
    let cpu = cost.cpu_user_s + cost.cpu_sys_s;
    let replies = document.phases.iter().map(|phase| phase.metrics.counter(names::HTTP_REQS).count);
    // Replies say nothing of what messages cost.
    let only_http = document.accounting.by_kind.iter().all(|(kind, _)| kind == Kind::Http.key());
    let replies = if only_http { replies.sum::<u64>() } else { 0 };
    page.heading("GENERATOR", "");
    // The kernel splits by what ran at its ticks.
    let (user, kernel) = (span(cost.cpu_user_s), span(cost.cpu_sys_s));
    let text = match cpu {
        cpu if cpu < MEASURABLE_S => "too short to measure: less than 100 ms of CPU".into(),
        cpu if replies == 0 || report.unmeasured.is_some() => {
            format!("{} CPU (about {user} user, {kernel} kernel)", span(cpu))
        }
        cpu => {
            let each = time(cpu * 1e3 / replies as f64);
            format!("{} CPU (about {user} user, {kernel} kernel), {each} a reply", span(cpu))
        }
    };
    page.row("cost", &text);
    let peak = plural(cost.connections_peak, "connection");
    let memory = bytes(cost.rss_peak_bytes as f64);
    let rings = plural(cost.rings.into(), "ring");
    page.row("peak", &format!("{memory} of memory, {peak} open, {rings}"));
    let host = &document.run.host;
    let text = format!("{}, {}, {}", plural(host.cores, "core"), host.cpu, host.kernel);
    page.row("host", &harmless(&text, WIDTH - LABEL));
}
