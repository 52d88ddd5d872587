//! What a run amounts to when all shards have ended.

use super::super::host;
use super::super::outcome::{Ended, Generator, Outcome, PhaseSpan};
use super::Collector;
use crate::plan::{Phase, Until, Workload};
use crate::protocol::{Failure, Side};
use crate::stdx::Nanos;
use crate::verdict::trust::{self, Little, Totals};

impl Collector<'_> {
    pub(super) fn outcome(mut self) -> Outcome {
        let Some(series) = self.series.take() else {
            unreachable!("a run that was begun has a series");
        };
        if series.rows_left_out > 0 {
            self.note(&format!("{} seconds are not in the series", series.rows_left_out));
        }
        if self.total.records.lost > 0 {
            self.note(&format!("{} operations are not in requests.jtl", self.total.records.lost));
        }
        let cpu = host::cpu_times().unwrap_or_default();
        let warm = self.start + self.plan.warmup;
        let end = self.total.last_end.max(warm);
        let by_time = |workload: &Workload| matches!(workload.until, Until::Elapsed(_));
        let asked = self.plan.span().since(self.plan.warmup);
        let duration = match &self.ended {
            // An hour asked for and waited for is an hour, even if its last seconds were idle.
            Ended::Finished
                if self.stopped.is_none() && self.plan.workloads.iter().all(by_time) =>
            {
                end.since(warm).max(asked)
            }
            _ => end.since(warm),
        };
        self.total.counts.overflows = self.ring.overflows;
        let trust = trust::judge(&trust::load_of(&self.plan), &series.windows, &self.totals());
        Outcome {
            started_at: self.started_at,
            duration,
            phases: self.phases(duration),
            trust,
            windows: series.judged(),
            searched: series.steering.and_then(|steering| steering.searched(self.plan.seed)),
            stopped: self.stopped,
            level_changes: self.levels,
            generator: Generator {
                cpu_user: cpu.user.since(self.cpu_before.user),
                cpu_sys: cpu.sys.since(self.cpu_before.sys),
                rss_peak_bytes: host::peak_memory().unwrap_or(0),
                rings: u32::try_from(self.shards.len()).unwrap_or(u32::MAX),
                connections_peak: series.connections_peak,
                cores: self.run.cores.to_vec(),
            },
            series: series.rows,
            ended: self.ended,
            total: self.total,
            tails: self.tails,
            events: self.events,
        }
    }

    fn phases(&self, duration: Nanos) -> Vec<PhaseSpan> {
        let warmup = self.plan.warmup;
        let load = PhaseSpan { phase: Phase::Load, from: warmup, to: warmup + duration };
        let warm = PhaseSpan { phase: Phase::Warmup, from: Nanos::ZERO, to: warmup };
        let mut phases = if warmup > Nanos::ZERO { vec![warm, load] } else { vec![load] };
        let named = self.plan.phases().filter(|phase| matches!(phase, Phase::Named(_)));
        phases.extend(named.filter_map(|phase| {
            // Those that the run did not come to are not there.
            let (from, to) = self.plan.window(phase)?;
            let (from, to) = (from.max(warmup), to.min(load.to));
            (from < to).then_some(PhaseSpan { phase, from, to })
        }));
        phases
    }

    fn totals(&self) -> Totals {
        let mut totals = Totals {
            no_buffers: self.total.counts.no_buffers,
            overflows: self.ring.overflows,
            longest_stall: self.total.counts.longest_stall,
            little: Little::of(&self.total, self.start),
            broke: match &self.ended {
                Ended::Failed(why) => Some(why.clone()),
                _ => None,
            },
            ..Totals::default()
        };
        let leaves = self.plan.leaves(Phase::Load).filter_map(|(_, id)| self.total.get(id));
        for leaf in leaves {
            totals.replies += leaf.replies;
            totals.scheduled += leaf.tally.scheduled;
            totals.dropped += leaf.tally.dropped;
            totals.unreconciled = totals.unreconciled.or_else(|| leaf.tally.reconcile().err());
            let local = Failure::ALL.iter().filter(|failure| failure.side() == Side::Local);
            totals.local_failures +=
                local.map(|&failure| leaf.tally.failed_by(failure)).sum::<u64>();
        }
        totals
    }
}
