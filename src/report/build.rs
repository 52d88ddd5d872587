//! Outcome -> Report: adds up, checks, judges.

use std::collections::BTreeMap;
use std::time::SystemTime;

use super::document::{
    Accounting, By, Counts, Document, ErrorRow, EventRow, GeneratorSection, PhaseSection, Run,
    SCHEMA, SeriesRow, Tool, TrustSection,
};
use super::exit::ExitCode;
use super::figures::{plural, span};
use super::fingerprint::{masked, plan_hash};
use super::host::Host;
use super::judge::{Evidence, TrustPolicy, judge};
use super::keyed::Keyed;
use super::metric::{self, CounterFigures, Metric, Metrics, ms, per_second, round6, seconds};
use super::pacing;
use crate::engine::outcome::{Ended, Outcome, Row};
use crate::metrics::catalog::names;
use crate::metrics::{Delta, ErrorSamples, Leaf, Trend};
use crate::plan::{Phase, Plan};
use crate::protocol::Failure;
use crate::stdx::Nanos;
use crate::verdict::trust::Verdict;

/// The kind of operation that an HTTP load consists of.
const KIND: &str = "http";

/// What a report needs to know beside the run.
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// What the user wants to find the run by.
    pub tags: BTreeMap<String, String>,
    /// The host that made the load.
    pub host: Host,
    /// What a doubtful trust verdict does.
    pub policy: TrustPolicy,
}

/// A run, ready to be shown and written.
#[derive(Debug)]
pub struct Report<'a> {
    /// What every format is made from.
    pub document: Document,
    /// How the process is to end, unless a file cannot be written.
    pub exit: ExitCode,
    /// Why, when something failed.
    pub error: Option<String>,
    /// Why there is nothing to show of a run that was interrupted.
    pub unmeasured: Option<String>,
    /// First texts per class of failure, without the name of the only request.
    pub samples: Vec<ErrorSamples>,
    /// The phase `load`, all requests together.
    pub load: Leaf,
    /// The run.
    pub outcome: &'a Outcome,
    /// What was run.
    pub plan: &'a Plan,
}

/// Makes the report. Numbers that do not add up are told in it, with exit code 1: a run of an hour
/// is not thrown away by a panic.
#[must_use]
pub fn build<'a>(outcome: &'a Outcome, plan: &'a Plan, context: Context) -> Report<'a> {
    let load = sum(of_phase(plan, &outcome.total, Phase::Load).map(|(_, leaf)| leaf));
    let samples = samples(plan, &outcome.total);
    let unmeasured = unmeasured(outcome, plan, &load);
    let evidence = Evidence {
        ended: &outcome.ended,
        trust: outcome.trust.verdict,
        load: &load.tally,
        errors: &samples,
        identities: identities(plan, &outcome.total, &load),
    };
    let judgement = judge(&evidence, context.policy);
    let mut events = events(outcome, plan, &load);
    events.extend(
        judgement
            .error
            .iter()
            .map(|what| EventRow { t_s: seconds(end(outcome)), what: what.clone() }),
    );
    let metrics = run_metrics(outcome, plan, &load, outcome.duration);
    let counts = Counts::from(&load.tally);
    let by_kind = Keyed(vec![(KIND.into(), counts.clone())]);
    let document = Document {
        schema: SCHEMA,
        tool: Tool { name: "onslaught".into(), version: env!("CARGO_PKG_VERSION").into() },
        name: plan.name.clone(),
        verdict: judgement.verdict,
        exit_code: judgement.exit.code(),
        trust: trust(outcome, &load, unmeasured.as_deref()),
        run: run(outcome, plan, &load, context.host),
        accounting: Accounting { total: counts, by_kind },
        by: By {
            request: by_request(outcome, plan),
            workload: Keyed(vec![(KIND.into(), metrics.clone())]),
            ..By::default()
        },
        metrics: Keyed(metrics.0.into_iter().chain(oddities(outcome)).collect()),
        thresholds: Vec::new(),
        phases: phases(outcome, plan, &load),
        series: outcome.series.iter().map(series_row).collect(),
        events,
        errors: errors(&load, &samples),
        tags: context.tags,
        levels: Vec::new(),
        search: None,
        delivery: None,
        faults: Vec::new(),
        monitor: None,
        slices: Vec::new(),
        generator: generator(outcome),
    };
    let (exit, error) = (judgement.exit, judgement.error);
    Report { document, exit, error, unmeasured, samples, load, outcome, plan }
}

/// Why an interrupted run measured nothing, if so.
fn unmeasured(outcome: &Outcome, plan: &Plan, load: &Leaf) -> Option<String> {
    if !matches!(outcome.ended, Ended::Interrupted { .. }) || load.tally.scheduled > 0 {
        return None;
    }
    let at = pacing::interrupted_at(outcome).unwrap_or(Nanos::ZERO);
    if at == Nanos::ZERO || plan.warmup == Nanos::ZERO {
        return Some("interrupted before the load had begun; nothing was measured".into());
    }
    let (at, warmup) = (span(seconds(at.min(plan.warmup))), span(seconds(plan.warmup)));
    Some(format!("interrupted after {at} of the {warmup} warm-up; nothing was measured"))
}

/// The verdict of the engine, unless there is nothing that it could be about.
fn trust(outcome: &Outcome, load: &Leaf, unmeasured: Option<&str>) -> TrustSection {
    let only = |reason: &str| TrustSection {
        verdict: Verdict::Inconclusive.key().into(),
        reasons: vec![reason.into()],
    };
    match (&outcome.ended, unmeasured) {
        (_, Some(why)) => only(why),
        (Ended::Unreachable(_), None) if load.tally.sent > 0 => {
            only("nothing was loaded: the one attempt to reach the target failed")
        }
        _ => TrustSection {
            verdict: outcome.trust.verdict.key().into(),
            reasons: outcome.trust.reasons.clone(),
        },
    }
}

/// The first texts of each class; the name of the request says nothing where there is but one.
fn samples(plan: &Plan, total: &Delta) -> Vec<ErrorSamples> {
    let prefix = match &plan.leaves[..] {
        [only] => format!("{}: ", only.name),
        _ => String::new(),
    };
    let bare = |text: &String| text.strip_prefix(&prefix).unwrap_or(text).to_owned();
    let class = |kept: &ErrorSamples| ErrorSamples { first: kept.first.iter().map(bare).collect() };
    total.errors.iter().map(class).collect()
}

/// The leaves of a phase that were hit, each with the name of its request.
pub(super) fn of_phase<'a>(
    plan: &'a Plan,
    total: &'a Delta,
    phase: Phase,
) -> impl Iterator<Item = (&'a str, &'a Leaf)> {
    let names = plan.leaves.iter().map(|leaf| leaf.name.as_str());
    names.zip(plan.leaves(phase)).filter_map(|(name, id)| Some((name, total.get(id)?)))
}

fn sum<'a>(leaves: impl Iterator<Item = &'a Leaf>) -> Leaf {
    let mut total = Leaf::default();
    leaves.for_each(|leaf| total.add(leaf));
    total
}

/// The first identity that does not hold, of each leaf and of the total.
fn identities(plan: &Plan, total: &Delta, load: &Leaf) -> Result<(), String> {
    for phase in Phase::ALL {
        for (name, leaf) in of_phase(plan, total, phase) {
            reconcile(leaf).map_err(|why| format!("{name} in phase {}: {why}", phase.name()))?;
        }
    }
    reconcile(load).map_err(|why| format!("in all: {why}"))
}

/// Every operation has one end, and every reply its times and its status.
fn reconcile(leaf: &Leaf) -> Result<(), String> {
    leaf.tally.reconcile()?;
    let replies = leaf.replies;
    let statuses = leaf.statuses().map(|(_, count)| count).sum::<u64>();
    if statuses != replies {
        return Err(format!("replies {replies} != the sum of their statuses {statuses}"));
    }
    for trend in Trend::ALL.into_iter().filter(|trend| *trend != Trend::Connecting) {
        let histogram = leaf.trend(trend);
        let times = histogram.count() + histogram.out_of_range();
        if times != replies {
            return Err(format!("replies {replies} != times {times} of {}", trend.name()));
        }
    }
    Ok(())
}

fn run(outcome: &Outcome, plan: &Plan, load: &Leaf, host: Host) -> Run {
    Run {
        started_at: rfc3339(outcome.started_at),
        duration_s: seconds(outcome.duration),
        shards: plan.shards,
        shard_cores: outcome.generator.cores.clone(),
        seed: plan.seed,
        slice: "1/1".into(),
        scale: 1.0,
        plan_hash: plan_hash(plan),
        target: masked(&plan.targets[0].url),
        pacing: pacing::pacing(outcome, plan, load),
        host,
    }
}

/// To the millisecond, in UTC; the epoch if the clock shows what no calendar holds.
fn rfc3339(at: SystemTime) -> String {
    let stamp = jiff::Timestamp::try_from(at).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    format!("{stamp:.3}")
}

/// The metrics of a leaf with the gauges that belong to the run.
fn run_metrics(outcome: &Outcome, plan: &Plan, leaf: &Leaf, span: Nanos) -> Metrics {
    let mut metrics = metric::of_leaf(leaf, span);
    let sessions = if outcome.phases.is_empty() { 0 } else { plan.connections() };
    metrics.0.push(metric::vus(sessions));
    metrics
}

/// By name: requests that share one are added up.
fn by_request(outcome: &Outcome, plan: &Plan) -> Keyed<Metrics> {
    let mut distinct = Vec::new();
    for named in &plan.leaves {
        if !distinct.contains(&named.name.as_str()) {
            distinct.push(named.name.as_str());
        }
    }
    let metrics = |name: &str| {
        let leaves = of_phase(plan, &outcome.total, Phase::Load);
        let leaf = sum(leaves.filter(|(other, _)| *other == name).map(|(_, leaf)| leaf));
        (name.to_owned(), metric::of_leaf(&leaf, outcome.duration))
    };
    distinct.into_iter().map(metrics).collect()
}

fn phases(outcome: &Outcome, plan: &Plan, load: &Leaf) -> Vec<PhaseSection> {
    let section = |span: &crate::engine::outcome::PhaseSpan| {
        let metrics = match span.phase {
            Phase::Load => run_metrics(outcome, plan, load, outcome.duration),
            Phase::Warmup => {
                let leaves = of_phase(plan, &outcome.total, Phase::Warmup);
                let leaf = sum(leaves.map(|(_, leaf)| leaf));
                run_metrics(outcome, plan, &leaf, span.to.since(span.from))
            }
        };
        PhaseSection {
            name: span.phase.name().into(),
            from_s: seconds(span.from),
            to_s: seconds(span.to),
            metrics,
        }
    };
    outcome.phases.iter().map(section).collect()
}

fn series_row(row: &Row) -> SeriesRow {
    let time = |time: Nanos| ms(time.as_micros());
    SeriesRow {
        t_s: seconds(row.at),
        span_s: seconds(row.span),
        sent: row.begun,
        replies: row.replies,
        replies_per_s: per_second(row.replies, row.span),
        ok: row.ok,
        failed: row.failed,
        dropped: row.dropped,
        bytes_received: row.bytes_received,
        bytes_sent: row.bytes_sent,
        in_flight: row.in_flight,
        connections: row.connections,
        p50_ms: time(row.response.p50),
        p95_ms: time(row.response.p95),
        p99_ms: time(row.response.p99),
        max_ms: time(row.response.max),
        lag_p99_ms: time(row.lag_p99),
    }
}

/// The run's own marks, then the times that are in no quantile.
fn events(outcome: &Outcome, plan: &Plan, load: &Leaf) -> Vec<EventRow> {
    let row = |at, what| EventRow { t_s: round6(seconds(at)), what };
    let marks = outcome.events.iter().map(|event| row(event.at, event.what.clone()));
    let beyond = Trend::ALL.into_iter().filter_map(|trend| {
        let count = load.trend(trend).out_of_range();
        let name = trend.name();
        (count > 0).then(|| plural(count, "time") + " beyond an hour, in no quantile of " + name)
    });
    let at = if outcome.phases.is_empty() { plan.warmup } else { end(outcome) };
    marks.chain(beyond.map(|what| row(at, what))).collect()
}

/// The end of the run on its timeline.
fn end(outcome: &Outcome) -> Nanos {
    outcome.phases.iter().map(|span| span.to).max().unwrap_or(Nanos::ZERO)
}

fn errors(load: &Leaf, samples: &[ErrorSamples]) -> Vec<ErrorRow> {
    let row = |failure: Failure| {
        let kept = samples.get(failure as usize).map(|kept| &kept.first[..]).unwrap_or_default();
        let first = distinct(kept).into_iter().map(|(text, _)| text.to_owned());
        ErrorRow {
            class: failure.key().into(),
            count: load.tally.failed_by(failure),
            first: first.collect(),
        }
    };
    let mut rows: Vec<_> =
        Failure::ALL.into_iter().map(row).filter(|error| error.count > 0).collect();
    rows.sort_by_key(|error| std::cmp::Reverse(error.count));
    rows
}

/// Each text once, in the order of its first appearance, with how often it is there.
pub(super) fn distinct(texts: &[String]) -> Vec<(&str, u64)> {
    let mut found: Vec<(&str, u64)> = Vec::new();
    for text in texts {
        match found.iter_mut().find(|(known, _)| known == text) {
            Some((_, count)) => *count += 1,
            None => found.push((text, 1)),
        }
    }
    found
}

/// What happened to connections beside the operations, warm-up included.
fn oddities(outcome: &Outcome) -> [(String, Metric); 4] {
    let counts = &outcome.total.counts;
    let odd = [
        (names::CONNECTS_FAILED, "connects", counts.connect_failures),
        (names::UNASKED_RECEIVES, "receives", counts.unasked),
        (names::RECEIVES_WITHOUT_BUFFER, "receives", counts.no_buffers),
        (names::QUEUE_OVERFLOWS, "overflows", counts.overflows),
    ];
    odd.map(|(name, unit, count)| {
        let rate = per_second(count, outcome.duration);
        (name.to_owned(), Metric::Counter(CounterFigures { unit: unit.into(), count, rate }))
    })
}

fn generator(outcome: &Outcome) -> GeneratorSection {
    let generator = &outcome.generator;
    GeneratorSection {
        cpu_user_s: seconds(generator.cpu_user),
        cpu_sys_s: seconds(generator.cpu_sys),
        rss_peak_bytes: generator.rss_peak_bytes,
        rings: generator.rings,
        connections_peak: generator.connections_peak,
    }
}
