//! Everything that a report needs, and nothing else.

use std::time::SystemTime;

use crate::metrics::recorder::Gauges;
use crate::metrics::{Delta, Histogram, Recorder, Tails};
use crate::stdx::{Nanos, clock};
use crate::verdict::interval::Outcome as Held;
use crate::verdict::search::{Step, Unit};
use crate::verdict::threshold::Judged;
use crate::verdict::trust::{Trust, Verdict};
use crate::verdict::usl::Fit;

/// A run that has ended.
#[derive(Debug)]
pub struct Outcome {
    /// Wall-clock time of the start, for the stamp alone.
    pub started_at: SystemTime,
    /// How it ended.
    pub ended: Ended,
    /// From the start of the load, warm-up excluded, until the last operation ended: what rates
    /// are taken over. Never shorter than a duration that was asked for and reached.
    pub duration: Nanos,
    /// The phases that took place: name, from, to, since the start of the load.
    pub phases: Vec<PhaseSpan>,
    /// All that was recorded, summed over shards and seconds.
    pub total: Delta,
    /// How each user fared in the measured phases, shard by shard in any order; none of a shard
    /// that did not end as it should.
    pub tails: Vec<Tails>,
    /// One row a second.
    pub series: Vec<Row>,
    /// What happened when, since the start of the load.
    pub events: Vec<TimelineEvent>,
    /// Whether to believe it.
    pub trust: Trust,
    /// One for each of the plan's thresholds; none for those that are judged on the whole run.
    pub windows: Vec<Option<Judged>>,
    /// What a search has come to.
    pub searched: Option<Searched>,
    /// When the load was over before its time, as planned; since the start of the load.
    pub stopped: Option<Nanos>,
    /// How often the level was made another than the plan's.
    pub level_changes: u32,
    /// What the run cost this host.
    pub generator: Generator,
}

impl Outcome {
    /// A run that did not begin, with what was recorded of the attempt.
    #[must_use]
    pub fn not_begun(ended: Ended, mut recorder: Recorder, cores: &[usize]) -> Self {
        let nothing_measured = Trust {
            verdict: Verdict::Inconclusive,
            reasons: vec!["nothing was loaded".to_owned()],
        };
        Self {
            started_at: clock::wall_clock(),
            ended,
            duration: Nanos::ZERO,
            phases: Vec::new(),
            total: *recorder.hand_over(Box::default(), Nanos::ZERO, Gauges::default()),
            tails: Vec::new(),
            series: Vec::new(),
            events: Vec::new(),
            trust: nothing_measured,
            windows: Vec::new(),
            searched: None,
            stopped: None,
            level_changes: 0,
            generator: Generator { cores: cores.to_vec(), ..Generator::default() },
        }
    }
}

/// What a search for a capacity has come to.
#[derive(Clone, Debug, PartialEq)]
pub struct Searched {
    /// What its levels count.
    pub unit: Unit,
    /// How it ended; a level that was still to be tried, if something else ended the run.
    pub step: Step,
    /// Its trials, in order.
    pub rows: Vec<TrialRow>,
    /// How throughput grows with concurrency, as far as the trials show it; or why they do not.
    pub law: Result<Fit, String>,
}

/// A trial: one level, held and measured.
#[derive(Clone, Debug, PartialEq)]
pub struct TrialRow {
    /// The level, in the search's unit.
    pub level: u64,
    /// Since when it was measured, since the start of the load.
    pub from: Nanos,
    /// For how long.
    pub span: Nanos,
    /// Operations that ended well, a second.
    pub throughput: f64,
    /// Operations in flight, the mean over time.
    pub concurrency: f64,
    /// Connections at its end.
    pub connections: u64,
    /// Whether what was asked for held.
    pub held: Held,
    /// Whether the load generator itself was at its limit.
    pub saturated: bool,
    /// Samples that the verdict rests on: those of the threshold with the fewest.
    pub samples: u64,
    /// What each of the thresholds measured, with its unit; none without data.
    pub values: Vec<(Option<f64>, &'static str)>,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// As planned.
    Finished,
    /// By a signal.
    Interrupted {
        /// When, since the start of the load; nothing if that had not begun.
        at: Option<Nanos>,
    },
    /// By a threshold that was missed.
    Aborted {
        /// When, since the start of the load.
        at: Nanos,
        /// Which one, and what was measured.
        why: String,
    },
    /// Something of ours failed; the report says what.
    Failed(String),
    /// The target could not be reached before the load began; nothing was loaded.
    Unreachable(String),
}

/// A phase on the timeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PhaseSpan {
    /// Which.
    pub phase: crate::plan::Phase,
    /// Its start, since the start of the load.
    pub from: Nanos,
    /// Its end.
    pub to: Nanos,
}

/// One second of the series, all shards and all requests together, warm-up included.
#[derive(Clone, Debug, Default)]
pub struct Row {
    /// The end of the second, since the start of the load.
    pub at: Nanos,
    /// How long the row really covers.
    pub span: Nanos,
    /// Replies on the wire.
    pub replies: u64,
    /// Operations begun.
    pub begun: u64,
    /// Operations that ended well.
    pub ok: u64,
    /// Operations that failed.
    pub failed: u64,
    /// Operations dropped.
    pub dropped: u64,
    /// Bytes received.
    pub bytes_received: u64,
    /// Bytes sent.
    pub bytes_sent: u64,
    /// Operations in flight at the end.
    pub in_flight: u64,
    /// Connections open at the end.
    pub connections: u64,
    /// Quantiles of the response time in this second.
    pub response: Quantiles,
    /// The 99th percentile of the schedule lag in this second.
    pub lag_p99: Nanos,
}

/// A few quantiles of one second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quantiles {
    /// Median.
    pub p50: Nanos,
    /// 95th percentile.
    pub p95: Nanos,
    /// 99th percentile.
    pub p99: Nanos,
    /// Longest.
    pub max: Nanos,
}

impl Quantiles {
    /// Those of a histogram.
    #[must_use]
    pub fn of(histogram: &Histogram) -> Self {
        Self {
            p50: histogram.at(0.5),
            p95: histogram.at(0.95),
            p99: histogram.at(0.99),
            max: histogram.at(1.0),
        }
    }
}

/// Something worth a mark on the timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimelineEvent {
    /// When, since the start of the load.
    pub at: Nanos,
    /// What, in a few words.
    pub what: String,
}

/// What the run cost this host.
#[derive(Clone, Debug, Default)]
pub struct Generator {
    /// User-space CPU of the whole process.
    pub cpu_user: Nanos,
    /// Kernel CPU of the whole process.
    pub cpu_sys: Nanos,
    /// Peak resident memory.
    pub rss_peak_bytes: u64,
    /// Rings in use, over all shards.
    pub rings: u32,
    /// Most connections open at the end of any second.
    pub connections_peak: u64,
    /// The core of each shard.
    pub cores: Vec<usize>,
}
