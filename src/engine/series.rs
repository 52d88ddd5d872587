//! The seconds of a run: deltas of all shards, merged into rows and into the windows that the
//! trust verdict is judged on.

use std::collections::BTreeMap;

use super::control::Level;
use super::host::{self, ThreadTimes};
use super::limits::SERIES_ROWS;
use super::outcome::{Quantiles, Row};
use super::steering::{Action, Steering};
use crate::metrics::{Delta, Histogram, LeafId, Trend};
use crate::plan::{Kind, LeafName, Load, Plan, Schedule, Spacing, Until, Workload};
use crate::stdx::Nanos;
use crate::verdict::measured::one_request;
use crate::verdict::threshold::Judged;
use crate::verdict::trust::Window;
use crate::verdict::windows::Windows;

const SECOND: u64 = 1_000_000_000;

/// Merges seconds as they come in, and judges each once all shards have delivered it.
pub(super) struct Series {
    plan: Plan,
    start: Nanos,
    /// Of the open workloads whose operations are their arrivals.
    arrivals: Vec<Arrivals>,
    /// Leaves of them, and of requests.
    arriving: Vec<bool>,
    requests: Vec<bool>,
    thresholds: Windows,
    pub(super) steering: Option<Steering>,
    actions: Vec<Action>,
    /// Seconds that some shard has not delivered yet.
    open: BTreeMap<u64, Delta>,
    /// The last second that each shard has delivered.
    delivered: Vec<Option<u64>>,
    threads: Vec<i32>,
    cores: Vec<usize>,
    before: Vec<ThreadTimes>,
    /// How long each shard has spun on purpose since procfs was read last.
    spun: Vec<Nanos>,
    stolen_before: Nanos,
    quota: host::Quota,
    throttled_before: Nanos,
    /// When procfs was read last.
    read_at: Nanos,
    pub(super) rows: Vec<Row>,
    pub(super) windows: Vec<Window>,
    pub(super) connections_peak: u64,
    /// Seconds beyond the limit of rows.
    pub(super) rows_left_out: u64,
}

/// Arrivals of a workload over all shards.
struct Arrivals {
    /// The workload, by index.
    workload: usize,
    /// When its first is due, since the start of the load.
    start: Nanos,
    /// None is due from then on.
    end: Nanos,
    schedule: Schedule,
    total: u64,
}

impl Arrivals {
    /// How many are due before `at`, since the start of the load.
    fn before(&self, at: Nanos) -> u64 {
        self.schedule.before(at.min(self.end).since(self.start)).min(self.total)
    }
}

/// Those of the open workloads in which an arrival is one operation.
fn arrivals(plan: &Plan) -> Vec<Arrivals> {
    // How many arrivals of a Poisson process are due is known when they have come.
    let even = |workload: &Workload| workload.spacing != Spacing::Poisson;
    let workloads = plan.workloads.iter().enumerate();
    let workloads = workloads.filter(|(_, workload)| one_request(workload) && even(workload));
    let arrivals = workloads.filter_map(|(index, workload)| {
        let (schedule, total) = workload.arrivals(plan.warmup)?;
        // What an order adds is beyond what was planned.
        let by_time = matches!(workload.until, Until::Elapsed(_));
        let end = workload.end(plan.warmup);
        let total = if by_time { u64::MAX } else { total };
        Some(Arrivals { workload: index, start: workload.start, end, schedule, total })
    });
    arrivals.collect()
}

impl Series {
    pub(super) fn new(plan: &Plan, start: Nanos, threads: Vec<i32>, cores: &[usize]) -> Self {
        let before = threads.iter().map(|&id| host::thread_times(id).unwrap_or_default());
        let arrives = |leaf: &LeafName| {
            let workload = plan.workloads.get(usize::from(leaf.workload));
            workload.is_some_and(|it| matches!(it.load, Load::Open { .. }) && one_request(it))
        };
        let requests = plan.leaves.iter().map(|leaf| leaf.kind == Kind::Http);
        let any = plan.leaves.iter().any(|leaf| leaf.kind == Kind::Http);
        let quota = host::Quota::of_this_process();
        Self {
            plan: plan.clone(),
            start,
            throttled_before: quota.throttled(),
            quota,
            arrivals: arrivals(plan),
            arriving: plan.leaves.iter().map(arrives).collect(),
            // Without requests the times of the second are those of all operations.
            requests: requests.map(|request| request || !any).collect(),
            thresholds: Windows::new(plan),
            steering: None,
            actions: Vec::new(),
            open: BTreeMap::new(),
            delivered: vec![None; threads.len()],
            spun: vec![Nanos::ZERO; threads.len()],
            before: before.collect(),
            threads,
            cores: cores.to_vec(),
            stolen_before: host::stolen(cores).unwrap_or_default(),
            read_at: start,
            rows: Vec::new(),
            windows: Vec::new(),
            connections_peak: 0,
            rows_left_out: 0,
        }
    }

    /// Nothing falls due from `now` on.
    pub(super) fn stop(&mut self, now: Nanos) {
        let at = now.since(self.start);
        for arrivals in &mut self.arrivals {
            arrivals.total = arrivals.before(at);
        }
    }

    /// The level of arrivals is another from a moment on.
    pub(super) fn change_level(&mut self, level: &Level) {
        for arrivals in &mut self.arrivals {
            if level.workload.is_none_or(|workload| workload == arrivals.workload) {
                let planned = self.plan.workloads[arrivals.workload].curve();
                let at = level.at.since(self.start + arrivals.start);
                level.apply(arrivals.schedule.rate_mut(), at, &planned);
            }
        }
    }

    /// The end of the warm-up was found: loads end so much earlier.
    pub(super) fn end_warmup(&mut self, plan: &Plan) {
        self.plan.warmup = plan.warmup;
        for arrivals in &mut self.arrivals {
            arrivals.end = plan.workloads[arrivals.workload].end(plan.warmup);
        }
    }

    /// What steering wants since it was asked last.
    pub(super) fn take_actions(&mut self) -> Vec<Action> {
        std::mem::take(&mut self.actions)
    }

    /// A threshold that is to end the run: when it was missed, and a sentence.
    pub(super) fn abort(&self) -> Option<(Nanos, String)> {
        self.thresholds.abort()
    }

    /// What became of thresholds that are judged on windows; one for each of the plan's.
    pub(super) fn judged(&self) -> Vec<Option<Judged>> {
        self.thresholds.judged()
    }

    /// Takes a shard's second, `last` when it is its final one.
    pub(super) fn take(&mut self, shard: u32, delta: &Delta, last: bool) {
        let elapsed = delta.to.since(self.start).0;
        // Handed over at the end of a second; the final one lies within a second.
        let passed = if last { elapsed.saturating_sub(1) } else { elapsed.saturating_sub(SECOND) };
        let second = passed / SECOND;
        let merged = self.open.entry(second).or_insert_with(|| Delta::from(delta.from));
        merged.add(delta);
        if let Some(delivered) = self.delivered.get_mut(shard as usize) {
            *delivered = Some(if last { u64::MAX } else { second });
        }
        if let Some(spun) = self.spun.get_mut(shard as usize) {
            *spun += delta.counts.spun;
        }
    }

    /// A shard delivers no more.
    pub(super) fn lost(&mut self, shard: u32) {
        if let Some(delivered) = self.delivered.get_mut(shard as usize) {
            *delivered = Some(u64::MAX);
        }
    }

    /// Closes the seconds that all shards have delivered, and says how many.
    pub(super) fn close_seconds(&mut self, now: Nanos) -> usize {
        let before = self.rows.len();
        let complete = self.delivered.iter().copied().min().flatten();
        while let Some(second) = self.open.first_entry()
            && complete.is_some_and(|complete| *second.key() <= complete)
        {
            let delta = second.remove();
            self.close(&delta, now);
        }
        self.rows.len() - before
    }

    fn close(&mut self, delta: &Delta, now: Nanos) {
        let row = self.row(delta);
        self.connections_peak = self.connections_peak.max(row.connections);
        let begun = self.arrived(delta);
        let window = Window {
            starved: delta.starved,
            blocked_p99: p99(delta, Trend::Blocked),
            service_p99: p99(delta, Trend::Service),
            ..self.window(&row, begun, delta.starved, now)
        };
        if row.at.since(row.span) >= self.plan.warmup {
            self.thresholds.second(&self.plan, delta, row.at, row.span);
            let when = (row.at, row.span);
            let steering = self.steering.as_mut();
            let action = steering.and_then(|it| it.second(&self.plan, delta, window, when));
            self.actions.extend(action);
        }
        // Less than half a second says little about seconds, and the warm-up is in no total.
        if row.span.0 * 2 >= SECOND && row.at.since(row.span) >= self.plan.warmup {
            self.windows.push(window);
        }
        if self.rows.len() < SERIES_ROWS {
            self.rows.push(row);
        } else {
            self.rows_left_out += 1;
        }
    }

    fn row(&self, delta: &Delta) -> Row {
        let (mut response, mut lag) = (Histogram::new(), Histogram::new());
        let mut row = Row {
            at: delta.to.since(self.start),
            span: delta.to.since(delta.from.max(self.start)),
            in_flight: delta.in_flight,
            connections: delta.connections,
            ..Row::default()
        };
        for (id, leaf) in delta.leaves() {
            if self.is(&self.requests, id) {
                response.add(leaf.trend(Trend::Duration));
            }
            lag.add(leaf.trend(Trend::Lag));
            row.replies += leaf.replies;
            row.begun += leaf.tally.sent;
            row.ok += leaf.tally.ok;
            row.failed += leaf.tally.failures();
            row.dropped += leaf.tally.dropped;
            row.bytes_received += leaf.bytes_received;
            row.bytes_sent += leaf.bytes_sent;
        }
        row.response = Quantiles::of(&response);
        row.lag_p99 = lag.at(0.99);
        row
    }

    /// Whether a leaf of any phase is among those.
    fn is(&self, among: &[bool], LeafId(id): LeafId) -> bool {
        let leaf = usize::from(id) % self.plan.leaves.len().max(1);
        among.get(leaf).copied().unwrap_or(false)
    }

    /// Operations that were begun and are arrivals.
    fn arrived(&self, delta: &Delta) -> u64 {
        let leaves = delta.leaves().filter(|(id, _)| self.is(&self.arriving, *id));
        leaves.map(|(_, leaf)| leaf.tally.sent).sum()
    }

    /// What the second shows about ourselves, with what procfs says of the shards' threads.
    #[expect(clippy::cast_precision_loss, reason = "shares of a second, shown with two digits")]
    fn window(&mut self, row: &Row, begun: u64, starved: bool, now: Nanos) -> Window {
        let since = now.since(std::mem::replace(&mut self.read_at, now)).0;
        // Seconds that come in late are closed together: only the first can be read apart.
        let span = if since * 2 >= SECOND { since as f64 } else { f64::INFINITY };
        let mut window = Window {
            lag_p99: row.lag_p99,
            response_p50: row.response.p50,
            response_p99: row.response.p99,
            ..Window::default()
        };
        let threads = self.threads.iter().zip(&mut self.before).zip(&mut self.spun);
        for ((thread, before), spun) in threads {
            let Some(times) = host::thread_times(*thread) else { continue };
            let ran = times.ran.since(before.ran).since(std::mem::take(spun));
            window.busy = window.busy.max(ran.0 as f64 / span);
            window.delayed = window.delayed.max(times.waited.since(before.waited).0 as f64 / span);
            *before = times;
        }
        if let Some(stolen) = host::stolen(&self.cores) {
            let cores = self.cores.len().max(1) as f64;
            window.stolen = stolen.since(self.stolen_before).0 as f64 / span / cores;
            self.stolen_before = stolen;
        }
        let throttled = self.quota.throttled();
        let kept = throttled.since(std::mem::replace(&mut self.throttled_before, throttled));
        window.throttled = kept.0 as f64 / span / self.cores.len().max(1) as f64;
        if self.arrivals.is_empty() {
            return window;
        }
        let before = |at| self.arrivals.iter().map(|each| each.before(at)).sum::<u64>();
        let due = before(row.at) - before(row.at.since(row.span));
        window.asked = Some(due as f64 / row.span.as_secs_f64().max(f64::MIN_POSITIVE));
        // One arrival more or less belongs to the neighbouring second.
        let slack = self.arrivals.len() as u64;
        if !starved && due > slack {
            window.achieved = (begun as f64 / (due - slack) as f64).min(1.0);
        }
        window
    }
}

/// Over all operations of a second.
fn p99(delta: &Delta, trend: Trend) -> Nanos {
    let mut all = Histogram::new();
    delta.leaves().for_each(|(_, leaf)| all.add(leaf.trend(trend)));
    all.at(0.99)
}
