//! Outcome -> Report: adds up, checks, judges.

use std::collections::BTreeMap;
use std::time::SystemTime;

use super::document::{
    Accounting, By, CheckRow, Counts, Document, ErrorRow, EventRow, GeneratorSection, PhaseSection,
    Run, SCHEMA, SeriesRow, TargetRow, Tool, TrustSection,
};
use super::exit::ExitCode;
use super::figures::{plural, span, thousands};
use super::fingerprint::{masked, plan_hash};
use super::host::Host;
use super::judge::{Evidence, TrustPolicy, judge};
use super::keyed::Keyed;
use super::metric::{CounterFigures, Metric, Metrics, ms, per_second, round6, seconds};
use super::pacing::{self, Done};
use super::silence::silences;
use super::{laws, levels, search, thresholds, users, view};
use crate::engine::outcome::{Ended, Outcome, PhaseSpan, Row};
use crate::metrics::catalog::names;
use crate::metrics::{Delta, ErrorSamples, Leaf, Tally};
use crate::plan::{Kind, LeafName, Load, Phase, Plan, Target, Workload};
use crate::protocol::Failure;
use crate::stdx::Nanos;
use crate::verdict::measured::{Origin, Part, Recorded, origins};
use crate::verdict::threshold::Samples;
use crate::verdict::trust::Verdict;

/// What a report needs to know beside the run.
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// What the user wants to find the run by.
    pub tags: BTreeMap<String, String>,
    /// The host that made the load.
    pub host: Host,
    /// What a doubtful trust verdict does.
    pub policy: TrustPolicy,
    /// What was found out about services behind the targets before the load, and after it.
    pub probes: [Vec<String>; 2],
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
    /// Operations of all kinds in the phase `load`.
    pub tally: Tally,
    /// The run.
    pub outcome: &'a Outcome,
    /// What was run.
    pub plan: &'a Plan,
}

/// Makes the report. Numbers that do not add up are told in it, with exit code 1: a run of an hour
/// is not thrown away by a panic.
#[must_use]
pub fn build<'a>(outcome: &'a Outcome, plan: &'a Plan, context: Context) -> Report<'a> {
    let total = &outcome.total;
    let recorded = Recorded { plan, delta: total, span: outcome.duration };
    let load = view::requests(&recorded, Part::whole(Phase::Load));
    let tally = Done::of(outcome, plan, None).tally;
    let samples = samples(plan, total);
    let unmeasured = unmeasured(outcome, plan, &tally);
    let thresholds = thresholds::rows(outcome, &recorded, unmeasured.as_deref());
    let evidence = Evidence {
        ended: &outcome.ended,
        trust: outcome.trust.verdict,
        load: &tally,
        errors: &samples,
        identities: laws::hold(plan, total).and_then(|()| laws::users(outcome, plan)),
        missed: thresholds.iter().filter(|row| !row.passed).count()
            + usize::from(outcome.searched.as_ref().is_some_and(search::is_doomed)),
    };
    let judgement = judge(&evidence, context.policy);
    let series: Vec<_> = outcome.series.iter().map(series_row).collect();
    let mut events = events(outcome, plan, &context.probes, &series);
    let told = |what: &&String| events.iter().any(|event| event.what == **what);
    let untold: Vec<_> = judgement.error.iter().filter(|what| !told(what)).collect();
    events.extend(
        untold.into_iter().map(|what| EventRow { t_s: seconds(end(outcome)), what: what.clone() }),
    );
    let metrics = whole(outcome, &recorded, Phase::Load);
    let phases = phases(outcome, &recorded);
    let document = Document {
        schema: SCHEMA,
        tool: Tool { name: "onslaught".into(), version: env!("CARGO_PKG_VERSION").into() },
        name: plan.name.clone(),
        verdict: judgement.verdict,
        exit_code: judgement.exit.code(),
        trust: trust(outcome, &tally, unmeasured.as_deref()),
        run: run(outcome, plan, context.host),
        accounting: accounting(outcome, plan, &tally),
        by: By {
            request: by_request(&recorded),
            workload: by_workload(outcome, &recorded, &metrics),
            group: by_group(&recorded),
            user: users::by_user(outcome, plan),
        },
        metrics: Keyed(metrics.0.into_iter().chain(oddities(outcome)).collect()),
        checks: checks(plan, total),
        levels: levels::rows(outcome, plan, &thresholds, &phases),
        thresholds,
        phases,
        series,
        events,
        errors: errors(&tally, &samples),
        tags: context.tags,
        search: outcome.searched.as_ref().map(search::section),
        delivery: None,
        faults: Vec::new(),
        monitor: None,
        slices: Vec::new(),
        generator: generator(outcome),
    };
    let (exit, error) = (judgement.exit, judgement.error);
    Report { document, exit, error, unmeasured, samples, load, tally, outcome, plan }
}

/// Why an interrupted run measured nothing, if so.
fn unmeasured(outcome: &Outcome, plan: &Plan, load: &Tally) -> Option<String> {
    if !matches!(outcome.ended, Ended::Interrupted { .. }) || load.scheduled > 0 {
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
fn trust(outcome: &Outcome, load: &Tally, unmeasured: Option<&str>) -> TrustSection {
    let only = |reason: &str| TrustSection {
        verdict: Verdict::Inconclusive.key().into(),
        reasons: vec![reason.into()],
    };
    match (&outcome.ended, unmeasured) {
        (_, Some(why)) => only(why),
        (Ended::Unreachable(_), None) if load.sent > 0 => {
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

/// The leaves of a phase that were hit, each with its name.
pub(super) fn of_phase<'a>(
    plan: &'a Plan,
    total: &'a Delta,
    phase: Phase,
) -> impl Iterator<Item = (&'a LeafName, &'a Leaf)> {
    plan.leaves(phase).filter_map(|(name, id)| Some((name, total.get(id)?)))
}

fn run(outcome: &Outcome, plan: &Plan, host: Host) -> Run {
    let row = |target: &Target| TargetRow { name: target.name.clone(), url: masked(&target.url) };
    Run {
        started_at: rfc3339(outcome.started_at),
        duration_s: seconds(outcome.duration),
        shards: plan.shards,
        shard_cores: outcome.generator.cores.clone(),
        seed: plan.seed,
        slice: "1/1".into(),
        scale: plan.scale_load,
        scale_time: plan.scale_time,
        plan_hash: plan_hash(plan),
        order_hash: order_hash(outcome, plan),
        target: plan.targets.first().map_or_else(String::new, |target| masked(&target.url)),
        targets: plan.targets.iter().map(row).collect(),
        pacing: pacing::pacing(outcome, plan),
        host,
    }
}

fn order_hash(outcome: &Outcome, plan: &Plan) -> Option<String> {
    let open = plan.workloads.iter().any(|it| matches!(it.load, Load::Open { .. }));
    open.then(|| format!("{:016x}", outcome.total.counts.order))
}

/// To the millisecond, in UTC; the epoch if the clock shows what no calendar holds.
fn rfc3339(at: SystemTime) -> String {
    let stamp = jiff::Timestamp::try_from(at).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    format!("{stamp:.3}")
}

/// Each kind of operation that the plan has, and all together.
fn accounting(outcome: &Outcome, plan: &Plan, tally: &Tally) -> Accounting {
    let kinds = Kind::ALL.into_iter().filter(|kind| plan.leaves.iter().any(|it| it.kind == *kind));
    let by_kind = kinds.map(|kind| {
        let mut sum = Tally::default();
        for (leaf, id) in plan.leaves(Phase::Load) {
            if let Some(leaf) = outcome.total.get(id).filter(|_| leaf.kind == kind) {
                sum.add(&leaf.tally);
            }
        }
        (kind.key().to_owned(), Counts::from(&sum))
    });
    Accounting { total: Counts::from(tally), by_kind: by_kind.collect() }
}

/// The metrics of a phase.
fn whole<'a>(outcome: &Outcome, recorded: &Recorded<'a>, phase: Phase) -> Metrics {
    at_work(outcome, view::metrics(recorded, Part::whole(phase)))
}

/// Sessions are at work only in a run that took place.
fn at_work(outcome: &Outcome, mut metrics: Metrics) -> Metrics {
    for (_, metric) in &mut metrics.0 {
        if let Metric::Gauge(gauge) = metric
            && outcome.phases.is_empty()
        {
            (gauge.value, gauge.min, gauge.max) = (0, 0, 0);
        }
    }
    metrics
}

/// By name: requests that share one are added up.
fn by_request<'a>(recorded: &Recorded<'a>) -> Keyed<Metrics> {
    let mut distinct: Vec<&'a str> = Vec::new();
    for named in &recorded.plan.leaves {
        if !distinct.contains(&named.name.as_str()) {
            distinct.push(&named.name);
        }
    }
    let part = |name| Part { name: Some(name), ..Part::whole(Phase::Load) };
    let metrics = |name: &'a str| (name.to_owned(), view::metrics(recorded, part(name)));
    distinct.into_iter().map(metrics).collect()
}

/// The only workload is the run itself.
fn by_workload(outcome: &Outcome, recorded: &Recorded<'_>, run: &Metrics) -> Keyed<Metrics> {
    let workloads = &recorded.plan.workloads;
    if let [only] = &workloads[..] {
        return Keyed(vec![(only.name.clone(), run.clone())]);
    }
    let part = |index| Part { workload: Some(index), ..Part::whole(Phase::Load) };
    let metrics = |(index, workload): (u16, &Workload)| {
        (workload.name.clone(), at_work(outcome, view::metrics(recorded, part(index))))
    };
    (0..).zip(workloads).map(metrics).collect()
}

fn by_group(recorded: &Recorded<'_>) -> Keyed<Metrics> {
    let part = |index| Part { group: Some(index), ..Part::whole(Phase::Load) };
    let groups = (0..).zip(&recorded.plan.groups);
    groups.map(|(index, name)| (name.clone(), view::metrics(recorded, part(index)))).collect()
}

/// Every check of the plan, also those that nothing came to.
fn checks(plan: &Plan, total: &Delta) -> Vec<CheckRow> {
    let row = |(index, name): (usize, &String)| {
        let count = total.checks.get(index).copied().unwrap_or_default();
        CheckRow { name: name.clone(), passes: count.passes, fails: count.fails }
    };
    plan.checks.iter().enumerate().map(row).collect()
}

fn phases(outcome: &Outcome, recorded: &Recorded<'_>) -> Vec<PhaseSection> {
    let section = |span: &PhaseSpan| {
        let length = match span.phase {
            Phase::Load => outcome.duration,
            Phase::Warmup | Phase::Named(_) => span.to.since(span.from),
        };
        PhaseSection {
            name: recorded.plan.phase_name(span.phase).into(),
            from_s: seconds(span.from),
            to_s: seconds(span.to),
            metrics: whole(outcome, &Recorded { span: length, ..*recorded }, span.phase),
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

/// What was found out before, the run's own marks, what they do not tell, what was found out after.
fn events(
    outcome: &Outcome,
    plan: &Plan,
    [before, after]: &[Vec<String>; 2],
    series: &[SeriesRow],
) -> Vec<EventRow> {
    let row = |at, what| EventRow { t_s: round6(seconds(at)), what };
    let before = before.iter().map(|what| row(Nanos::ZERO, what.clone()));
    let marks = outcome.events.iter().map(|event| row(event.at, event.what.clone()));
    let silent = silences(series).into_iter().map(|silence| EventRow {
        t_s: silence.from_s,
        what: format!(
            "until {} not one operation succeeded: {} failed",
            span(silence.to_s),
            thousands(silence.failed)
        ),
    });
    let mut marks: Vec<_> = marks.chain(silent).collect();
    marks.sort_by(|one, other| one.t_s.total_cmp(&other.t_s));
    let recorded = Recorded { plan, delta: &outcome.total, span: outcome.duration };
    let whole = Part::whole(Phase::Load);
    let origins = origins(plan, whole).into_iter();
    // Where an iteration is a request, its time has been told.
    let timed = origins.filter(|(_, origin)| *origin != Origin::IterationTimes);
    let beyond = timed.filter_map(|(name, origin)| {
        let Some(Samples::Times(times)) = recorded.of(origin, whole) else { return None };
        let count = times.out_of_range();
        (count > 0).then(|| plural(count, "time") + " beyond an hour, in no quantile of " + &name)
    });
    let at = if outcome.phases.is_empty() { plan.warmup } else { end(outcome) };
    let beyond = beyond.chain(after.iter().cloned()).map(|what| row(at, what));
    before.chain(marks).chain(beyond).collect()
}

/// The end of the run on its timeline.
fn end(outcome: &Outcome) -> Nanos {
    outcome.phases.iter().map(|span| span.to).max().unwrap_or(Nanos::ZERO)
}

fn errors(load: &Tally, samples: &[ErrorSamples]) -> Vec<ErrorRow> {
    let row = |failure: Failure| {
        let kept = samples.get(failure as usize).map(|kept| &kept.first[..]).unwrap_or_default();
        let first = distinct(kept).into_iter().map(|(text, _)| text.to_owned());
        ErrorRow {
            class: failure.key().into(),
            count: load.failed_by(failure),
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
