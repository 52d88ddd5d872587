//! The one document that every format is made from: `summary.json`, schema 1.
//!
//! Every key is always present, also where there is nothing to say. New keys may be added within
//! a schema; none changes its meaning or goes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::host::Host;
use super::keyed::Keyed;
use super::metric::Metrics;
use crate::metrics::Tally;
use crate::protocol::Failure;

/// The version of this document's form.
pub const SCHEMA: u32 = 1;

/// The results of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Document {
    /// [`SCHEMA`].
    pub schema: u32,
    /// What made it.
    pub tool: Tool,
    /// The run's name.
    pub name: String,
    /// How it ended.
    pub verdict: Verdict,
    /// The process's exit code.
    pub exit_code: u8,
    /// Whether the load generator was the bottleneck.
    pub trust: TrustSection,
    /// What was run, where and when.
    pub run: Run,
    /// Where every operation of the phase `load` went; the warm-up is outside it.
    pub accounting: Accounting,
    /// Totals of the phase `load`.
    pub metrics: Metrics,
    /// The same, split.
    pub by: By,
    /// How often each check held and did not.
    #[serde(default)]
    pub checks: Vec<CheckRow>,
    /// What was asked for, and whether it held.
    pub thresholds: Vec<ThresholdRow>,
    /// Named windows of the run that took place, each with its metrics.
    pub phases: Vec<PhaseSection>,
    /// One row a second, warm-up included.
    pub series: Vec<SeriesRow>,
    /// What happened when.
    pub events: Vec<EventRow>,
    /// Failures of the phase `load` by class, the most frequent first.
    pub errors: Vec<ErrorRow>,
    /// What the user wants to find the run by.
    pub tags: BTreeMap<String, String>,
    /// The levels of a sequence; none in a run with one level.
    pub levels: Vec<LevelRow>,
    /// What a search for the capacity found; null without one.
    pub search: Option<SearchSection>,
    /// The ledger of messages; null without messages.
    pub delivery: Option<Value>,
    /// Faults that were injected.
    pub faults: Vec<Value>,
    /// What the target's host was seen to use; null if it was not watched.
    pub monitor: Option<Value>,
    /// The runs that this one was merged from.
    pub slices: Vec<Value>,
    /// What the run cost this host.
    pub generator: GeneratorSection,
}

/// What made a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Well.
    Passed,
    /// It failed, or missed a threshold.
    Failed,
    /// The numbers are not the target's.
    Invalid,
    /// By a signal.
    Interrupted,
    /// By a threshold.
    Aborted,
}

impl Verdict {
    /// Its key.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Invalid => "invalid",
            Self::Interrupted => "interrupted",
            Self::Aborted => "aborted",
        }
    }
}

/// The trust verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustSection {
    /// `valid`, `generator_saturated`, `target_saturated` or `inconclusive`.
    pub verdict: String,
    /// Each reason, one sentence with its numbers.
    pub reasons: Vec<String>,
}

/// What was run, where and when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Wall-clock start: RFC 3339, UTC.
    pub started_at: String,
    /// The measured duration that all rates are taken over, warm-up excluded.
    pub duration_s: f64,
    /// The number of shards.
    pub shards: u32,
    /// The core of each shard.
    pub shard_cores: Vec<usize>,
    /// What all choices are a function of.
    pub seed: u64,
    /// Which share of the whole load this process made.
    pub slice: String,
    /// What counts were multiplied by.
    pub scale: f64,
    /// What durations were multiplied by.
    #[serde(default = "unscaled")]
    pub scale_time: f64,
    /// Equal in two runs of the same plan.
    pub plan_hash: String,
    /// Equal in two runs in which the same arrivals came at the same moments to the same users, on
    /// any number of shards: 16 hexadecimal digits; null without arrivals.
    #[serde(default)]
    pub order_hash: Option<String>,
    /// The target as the user wrote it, its password masked; the first of several.
    pub target: String,
    /// All targets.
    #[serde(default)]
    pub targets: Vec<TargetRow>,
    /// What was asked for, and the rate that came of it.
    pub pacing: Pacing,
    /// The host that made the load.
    pub host: Host,
}

const fn unscaled() -> f64 {
    1.0
}

impl Run {
    /// Whether it is a trial of a larger or smaller run.
    #[must_use]
    #[expect(clippy::float_cmp, reason = "what nobody changed is exactly 1")]
    pub fn is_scaled(&self) -> bool {
        self.scale != 1.0 || self.scale_time != 1.0
    }
}

/// A system under test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetRow {
    /// How the scenario calls it.
    pub name: String,
    /// As the user wrote it, its password masked.
    pub url: String,
}

/// The load that was asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pacing {
    /// `closed` or `open`.
    pub model: Model,
    /// Connections over all shards.
    pub connections: u32,
    /// Arrivals a second, the mean over `loaded_s` where that changes; null in a closed model,
    /// which asks for as many as replies allow, and where the level was found out on the way.
    pub asked_per_s: Option<f64>,
    /// Whether the level changes as planned, or is found out while the run is on: then there are
    /// `connections` at most.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub varies: bool,
    /// How often the level was changed while the run was on, by the user or to find it out.
    #[serde(default, skip_serializing_if = "is_none")]
    pub level_changes: u32,
    /// Open: arrivals begun a second of `loaded_s`. Closed: replies a second of the measured
    /// duration.
    pub achieved_per_s: f64,
    /// The duration asked for; null without one.
    pub asked_s: Option<f64>,
    /// How long operations fell due; what the measured duration has beyond it is the drain. Null
    /// where it is not known: in a closed loop that was ended by its number of operations.
    pub loaded_s: Option<f64>,
    /// The number of operations asked for; null without one.
    pub operations: Option<u64>,
    /// The warm-up: what was asked for, or how long it was until the load was steady.
    pub warmup_s: f64,
    /// Where it was to end when the load is steady: at the latest after so long. A warm-up that is
    /// as long as that did not become steady.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warmup_bound_s: Option<f64>,
    /// From the beginning of an attempt until its reply has ended.
    pub timeout_s: f64,
    /// How long an arrival waits before it is dropped; null in a closed model.
    pub patience_s: Option<f64>,
    /// How closely arrivals kept to their schedule: `timed`, `precise` or `efficient`; null in a
    /// closed model, and where workloads differ.
    #[serde(default)]
    pub precision: Option<String>,
    /// Whether connections were opened by the operations that needed them.
    pub cold: bool,
    /// Each workload, where there are several. Then `connections` is their sum, `achieved_per_s`
    /// counts operations of any kind, and `asked_per_s` is null unless all of them are open.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub workloads: Vec<WorkloadRow>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "what serde asks for")]
const fn is_none(count: &u32) -> bool {
    *count == 0
}

/// A workload among several.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WorkloadRow {
    /// Its key under `by.workload`.
    pub name: String,
    /// `closed`, `open` or `fleet`.
    pub model: Model,
    /// Sessions over all shards.
    pub sessions: u32,
    /// Arrivals a second; null in a closed model.
    pub asked_per_s: Option<f64>,
    /// Open: arrivals begun a second of the time in which they fell due. Closed: replies a second
    /// of the measured duration, and of WebSocket sessions the operations begun.
    pub achieved_per_s: Option<f64>,
    /// Its beginning, since the start of the load.
    pub start_s: f64,
    /// How long it was asked for; null without an end.
    pub for_s: Option<f64>,
}

/// How operations fall due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Model {
    /// When a session's last operation has ended.
    Closed,
    /// By the clock.
    Open,
    /// WebSocket sessions that stay open, and speak now and then.
    Fleet,
    /// Several workloads.
    Mixed,
}

/// Where every operation went, in all and by kind of operation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accounting {
    /// All kinds together.
    #[serde(flatten)]
    pub total: Counts,
    /// Each kind that the run had.
    pub by_kind: Keyed<Counts>,
}

/// scheduled = sent + shed + dropped; sent = ok + failed + aborted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Fell due.
    pub scheduled: u64,
    /// Attempts begun.
    pub sent: u64,
    /// Ended well.
    pub ok: u64,
    /// Failed, by class: every class, also those at 0.
    pub failed: Keyed<u64>,
    /// Begun, and cut off by the end of the run.
    pub aborted: u64,
    /// Found nothing free within their patience.
    pub dropped: u64,
    /// Would have started too late, so were not started.
    pub shed: u64,
}

impl From<&Tally> for Counts {
    fn from(tally: &Tally) -> Self {
        let Tally { scheduled, sent, ok, aborted, dropped, shed, .. } = *tally;
        let by_class = |failure: Failure| (failure.key().to_owned(), tally.failed_by(failure));
        let failed = Failure::ALL.into_iter().map(by_class).collect();
        Self { scheduled, sent, ok, failed, aborted, dropped, shed }
    }
}

/// The totals, split.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct By {
    /// By the name of the request.
    pub request: Keyed<Metrics>,
    /// By workload.
    pub workload: Keyed<Metrics>,
    /// By group of steps.
    pub group: Keyed<Metrics>,
    /// By user.
    pub user: ByUser,
}

/// Users, and those that stand out. Each is told by a sketch of its response times, whose quantiles
/// are off by at most 8.7 % or 9 us (`metrics/tails.rs`).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ByUser {
    /// Users of the plan; without any, all else is 0, null and empty.
    pub users: u64,
    /// Those of whom an operation ended in the phase `load`.
    pub active: u64,
    /// Those of the active who were kept apart: the first on each shard, up to a limit.
    pub kept_apart: u64,
    /// Operations of the active who were not.
    pub operations_together: u64,
    /// Users with enough times for their p95, whom the next two are about.
    pub spread_of: u64,
    /// The p95 of the median user, the lower one of two, in milliseconds; null without one.
    pub median_p95_ms: Option<f64>,
    /// The p95 of the user whose p95 is longest, in milliseconds; null without one.
    pub worst_p95_ms: Option<f64>,
    /// Those that fared worst, ten at most: first up to five by p99, or by the highest quantile
    /// that is not thin, then those with the most failures, then the others by the former.
    pub worst: Vec<UserRow>,
}

/// How one user fared in the phase `load`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UserRow {
    /// Its index over all groups, from 0.
    pub user: u64,
    /// Its address, or `user-7` by its number if its group has no addresses.
    pub name: String,
    /// Its group; empty if that has no name.
    pub group: String,
    /// Operations that ended, of any kind; those that the end of the run cut off are not among
    /// them.
    pub operations: u64,
    /// Those that failed.
    pub failed: u64,
    /// Replies with 401, 403 and 429, those after which a request was sent again among them.
    pub statuses: BTreeMap<String, u64>,
    /// Response times that the quantiles are made of: operations without an answer have none.
    pub times: u64,
    /// Median response time, in milliseconds.
    pub med: f64,
    /// 95th percentile.
    pub p95: f64,
    /// 99th percentile.
    pub p99: f64,
    /// The longest, exact to the microsecond.
    pub max: f64,
    /// Quantiles that rest on fewer than ten slower times: not to be relied on.
    pub thin: Vec<String>,
}

/// A threshold and what became of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ThresholdRow {
    /// As the user wrote it.
    pub text: String,
    /// Whether it held.
    pub passed: bool,
    /// What was measured; null without data.
    pub value: Option<f64>,
    /// Its unit: `ms`, `share`, `/s`, or nothing for a count.
    #[serde(default)]
    pub unit: String,
    /// What it was compared with, where that was measured, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<f64>,
    /// On how many samples.
    pub samples: u64,
    /// Why it was not judged on a value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A check and how it fared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckRow {
    /// Its name.
    pub name: String,
    /// How often it held.
    pub passes: u64,
    /// How often it did not.
    pub fails: u64,
}

/// A named window of the run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PhaseSection {
    /// Its name.
    pub name: String,
    /// Its start, since the start of the load.
    pub from_s: f64,
    /// Its end.
    pub to_s: f64,
    /// Its metrics.
    pub metrics: Metrics,
}

/// A level of a sequence. Its metrics are those of the phase with its name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LevelRow {
    /// Its name.
    pub name: String,
    /// What was asked for, in words: `500/s` or `0, 100 connections`.
    pub asked: String,
    /// Its beginning, since the start of the load.
    pub from_s: f64,
    /// Its end.
    pub to_s: f64,
    /// How long nothing was done behind it.
    pub cooldown_s: f64,
    /// Whether the run came to it.
    pub reached: bool,
    /// Whether it was reached and all of its own thresholds held.
    pub passed: bool,
    /// Those thresholds; they are among those of the whole run, too.
    pub thresholds: Vec<ThresholdRow>,
    /// Operations that fell due on it.
    pub scheduled: u64,
    /// Of those, that ended well.
    pub ok: u64,
    /// That failed.
    pub failed: u64,
    /// That were dropped.
    pub dropped: u64,
}

/// What a search for a capacity found. Levels are connections, or arrivals a second.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SearchSection {
    /// What levels count: `connections` or `per_second`.
    pub unit: String,
    /// `found`, `doomed`, or `cut` where something else ended the run.
    pub end: String,
    /// From below: the highest level that held beneath the first that did not; null if none did.
    pub holds: Option<f64>,
    /// What was reached there, on average.
    pub achieved: Option<f64>,
    /// From above: the lowest level that did not hold; null if none was seen.
    pub breaks: Option<f64>,
    /// What keeps it from being higher: `target`, `generator`, `unclear`, or `none` where the
    /// capacity is at least that.
    pub ceiling: Option<String>,
    /// Whether both ends were seen twice.
    pub confirmed: bool,
    /// What else there is to say, each a sentence.
    pub notes: Vec<String>,
    /// All trials, in order.
    pub trials: Vec<TrialSection>,
    /// How throughput grows with concurrency (the Universal Scalability Law); null where the
    /// trials do not show it.
    pub law: Option<LawSection>,
}

/// A trial of a search.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrialSection {
    /// The level.
    pub level: f64,
    /// Since when it was measured, since the start of the load.
    pub from_s: f64,
    /// For how long.
    pub span_s: f64,
    /// Operations that ended well, a second.
    pub throughput_per_s: f64,
    /// Operations in flight, the mean over time.
    pub concurrency: f64,
    /// `holds`, `broken`, `unclear`, or `generator_saturated`.
    pub verdict: String,
    /// Samples of the threshold that has the fewest.
    pub samples: u64,
    /// What each of the thresholds measured, in their order; null without data.
    pub values: Vec<Option<f64>>,
}

/// X(N) = gain · N / (1 + contention · (N − 1) + coherency · N · (N − 1)), N operations in flight.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LawSection {
    /// Operations a second that one at a time would do.
    pub gain: f64,
    /// What waits for others, as a share.
    pub contention: f64,
    /// What each costs each other.
    pub coherency: f64,
    /// Operations in flight at the highest throughput; null if that grows without end.
    pub peak: Option<f64>,
    /// Where that lies in 95 of 100 experiments like this one; null where it is not bounded.
    pub peak_range: Option<[Option<f64>; 2]>,
    /// The throughput there.
    pub best_per_s: Option<f64>,
    /// Whether it lies beyond twice what was measured.
    pub extrapolated: bool,
    /// The share of the variance that the law explains.
    pub explained: f64,
}

/// One second of the run. The fields are the columns of `series.csv`, in the same order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SeriesRow {
    /// The end of the row, since the start of the load.
    pub t_s: f64,
    /// How long the row covers: 1 s but for the last.
    pub span_s: f64,
    /// Operations begun.
    pub sent: u64,
    /// Replies on the wire.
    pub replies: u64,
    /// The same a second of `span_s`.
    pub replies_per_s: f64,
    /// Operations that ended well.
    pub ok: u64,
    /// Operations that failed.
    pub failed: u64,
    /// Operations dropped.
    pub dropped: u64,
    /// Bytes of replies.
    pub bytes_received: u64,
    /// Bytes of requests.
    pub bytes_sent: u64,
    /// Operations in flight at the end.
    pub in_flight: u64,
    /// Connections open at the end.
    pub connections: u64,
    /// Median response time of the second.
    pub p50_ms: f64,
    /// Its 95th percentile.
    pub p95_ms: f64,
    /// Its 99th percentile.
    pub p99_ms: f64,
    /// The longest.
    pub max_ms: f64,
    /// 99th percentile of our own lateness in the second.
    pub lag_p99_ms: f64,
}

/// A mark on the timeline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EventRow {
    /// When, since the start of the load.
    pub t_s: f64,
    /// What, in a few words.
    pub what: String,
}

/// A class of failure that occurred.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorRow {
    /// Its key under `accounting.failed`.
    pub class: String,
    /// How often, in the phase `load`.
    pub count: u64,
    /// The first texts, each once, the warm-up's among them.
    pub first: Vec<String>,
}

/// What the run cost this host, from the start of the process to the end of the run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GeneratorSection {
    /// User-space CPU.
    pub cpu_user_s: f64,
    /// Kernel CPU.
    pub cpu_sys_s: f64,
    /// Peak resident memory.
    pub rss_peak_bytes: u64,
    /// Rings in use.
    pub rings: u32,
    /// Most connections open at the end of any second.
    pub connections_peak: u64,
}
