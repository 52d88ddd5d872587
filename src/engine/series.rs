//! The seconds of a run: deltas of all shards, merged into rows and into the windows that the
//! trust verdict is judged on.

use std::collections::BTreeMap;

use super::host::{self, ThreadTimes};
use super::limits::SERIES_ROWS;
use super::outcome::{Quantiles, Row};
use crate::metrics::{Delta, Histogram, Trend};
use crate::plan::{Plan, Schedule};
use crate::stdx::Nanos;
use crate::verdict::trust::Window;

const SECOND: u64 = 1_000_000_000;

/// Merges seconds as they come in, and judges each once all shards have delivered it.
pub(super) struct Series {
    start: Nanos,
    arrivals: Option<(Schedule, u64)>,
    /// Seconds that some shard has not delivered yet.
    open: BTreeMap<u64, Delta>,
    /// The last second that each shard has delivered.
    delivered: Vec<Option<u64>>,
    threads: Vec<i32>,
    cores: Vec<usize>,
    before: Vec<ThreadTimes>,
    stolen_before: Nanos,
    /// When procfs was read last.
    read_at: Nanos,
    warmup: Nanos,
    pub(super) rows: Vec<Row>,
    pub(super) windows: Vec<Window>,
    pub(super) connections_peak: u64,
    /// Seconds beyond the limit of rows.
    pub(super) rows_left_out: u64,
}

impl Series {
    pub(super) fn new(plan: &Plan, start: Nanos, threads: Vec<i32>, cores: &[usize]) -> Self {
        let before = threads.iter().map(|&id| host::thread_times(id).unwrap_or_default());
        Self {
            start,
            arrivals: plan.only().arrivals(plan.warmup),
            open: BTreeMap::new(),
            delivered: vec![None; threads.len()],
            before: before.collect(),
            threads,
            cores: cores.to_vec(),
            stolen_before: host::stolen(cores).unwrap_or_default(),
            read_at: start,
            warmup: plan.warmup,
            rows: Vec::new(),
            windows: Vec::new(),
            connections_peak: 0,
            rows_left_out: 0,
        }
    }

    /// Nothing falls due from `now` on.
    pub(super) fn stop(&mut self, now: Nanos) {
        if let Some((schedule, total)) = &mut self.arrivals {
            *total = schedule.before(now.since(self.start)).min(*total);
        }
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
        let window = self.window(&row, delta.starved, now);
        // Less than half a second says little about seconds, and the warm-up is in no total.
        if row.span.0 * 2 >= SECOND && row.at.since(row.span) >= self.warmup {
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
        for (_, leaf) in delta.leaves() {
            response.add(leaf.trend(Trend::Duration));
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

    /// What the second shows about ourselves, with what procfs says of the shards' threads.
    #[expect(clippy::cast_precision_loss, reason = "shares of a second, shown with two digits")]
    fn window(&mut self, row: &Row, starved: bool, now: Nanos) -> Window {
        let since = now.since(std::mem::replace(&mut self.read_at, now)).0;
        // Seconds that come in late are closed together: only the first can be read apart.
        let span = if since * 2 >= SECOND { since as f64 } else { f64::INFINITY };
        let mut window = Window {
            lag_p99: row.lag_p99,
            response_p99: row.response.p99,
            achieved: 1.0,
            ..Window::default()
        };
        for (thread, before) in self.threads.iter().zip(&mut self.before) {
            let Some(times) = host::thread_times(*thread) else { continue };
            window.busy = window.busy.max(times.ran.since(before.ran).0 as f64 / span);
            window.delayed = window.delayed.max(times.waited.since(before.waited).0 as f64 / span);
            *before = times;
        }
        if let Some(stolen) = host::stolen(&self.cores) {
            let cores = self.cores.len().max(1) as f64;
            window.stolen = stolen.since(self.stolen_before).0 as f64 / span / cores;
            self.stolen_before = stolen;
        }
        if let Some((schedule, total)) = self.arrivals
            && !starved
        {
            let before = |at: Nanos| schedule.before(at).min(total);
            let due = before(row.at) - before(row.at.since(row.span));
            // One arrival more or less belongs to the neighbouring second.
            window.achieved = (row.begun as f64 / (due as f64 - 1.0).max(1.0)).min(1.0);
            if due <= 1 {
                window.achieved = 1.0;
            }
        }
        window
    }
}
