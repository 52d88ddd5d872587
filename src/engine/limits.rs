//! The engine's limits, each with its reason.

use crate::stdx::Nanos;

/// Connects in flight while connections are opened ahead of the run: more is slower (the
/// listener's backlog and the kernel's port search), fewer leaves the core idle.
pub(super) const CONNECTS_IN_FLIGHT: u32 = 64;

/// Longest wait for connections that are opened ahead of the load: a target that takes some and
/// not all of them is loaded with those.
pub(super) const AHEAD: Nanos = Nanos::from_secs(10);

/// Arrivals that wait for a connection at most, on one shard: beyond a million an open model says
/// nothing new, and the oldest are dropped and counted.
pub(super) const WAITING: u64 = 1 << 20;

/// Pause after the first of several failures in a row on one connection.
pub(super) const BACK_OFF_FIRST: Nanos = Nanos::from_millis(10);

/// Longest pause between two attempts on one connection: short enough to see a target return.
pub(super) const BACK_OFF_LONGEST: Nanos = Nanos::from_secs(1);

/// How long operations in flight may still take after a signal.
pub const GRACE: Nanos = Nanos::from_secs(5);

/// How long a shard runs before it lets the executor's other tasks run.
pub(super) const YIELD_EVERY: Nanos = Nanos::from_millis(1);

/// Deltas that may wait for the collector, per shard. One more second is not lost: the shard keeps
/// recording into the same delta.
pub(super) const DELTAS_WAITING: usize = 4;

/// Rows of the series: one day. Later seconds are in all totals, and an event says so.
pub(super) const SERIES_ROWS: usize = 86_400;

/// From the order to another level: every shard has to hear of it before.
pub(super) const LEVEL_LEAD: Nanos = Nanos::from_millis(50);

/// Where pacing is precise, a shard spins for so long before something is due: longer than a sleep
/// takes to end on a busy host.
pub(super) const SPIN: Nanos = Nanos::from_micros(60);

/// Changes of the level in one run: one a second for a day.
pub(super) const LEVELS: u32 = 86_400;

/// Events on the timeline.
pub(super) const EVENTS: usize = 1_000;

/// From so many bytes of a body that nothing reads, the kernel throws them away: below 16 KiB that
/// costs more than it saves.
pub(super) const DISCARD_FROM: u64 = 32 * 1_024;

/// Operations that one turn begins: they are submitted before the next turn reads the clock, so
/// that the last of them does not wait long after its time was taken.
pub(super) const BEGINS_A_TURN: usize = 64;

/// Arrivals that one turn drops: a turn stays short, whatever rate was asked for.
pub(super) const DROPS_A_TURN: usize = 4_096;

/// The most that one receive throws away: the kernel refuses lengths beyond 2^31.
pub(super) const DISCARD_AT_ONCE: u64 = 1 << 30;

/// A shard that stood still for so long is told of on the timeline.
pub(super) const STALL: Nanos = Nanos::from_millis(100);

/// After so many small replies in a row a connection listens by multishot again.
pub(super) const SMALL_REPLIES: u8 = 8;

/// Messages of one WebSocket whose answers are awaited at once: a peer that answers so late is
/// known to be late, and what falls due meanwhile is dropped and counted.
pub(super) const AWAITED: usize = 64;

/// Messages that a WebSocket keeps for a step that has not come yet, and the largest of them.
pub(super) const INBOX: usize = 16;
/// See [`INBOX`].
pub(super) const INBOX_BYTES: usize = 16 * 1_024;

/// Bytes that wait on a WebSocket for the send before them; messages due beyond that are skipped.
pub(super) const OUT_BYTES: usize = 1 << 20;

/// Bytes of a reply's body that are kept for checks and for what is saved: what lies behind them
/// is counted and not seen.
pub(super) const BODY_KEPT: usize = 256 * 1_024;

/// Send buffers that are kept for the next request, and the largest that is.
pub(super) const BUFFERS_KEPT: usize = 256;
/// See [`BUFFERS_KEPT`].
pub(super) const BUFFER_KEPT_BYTES: usize = 64 * 1_024;

/// How long a peer may take to answer a close frame, as it may to answer a FIN.
pub(super) const FAREWELL: Nanos = Nanos::from_secs(1);

/// Steps that take no time which one session goes through in one turn.
pub(super) const STEPS_A_TURN: usize = 64;

/// What a session waits that went through so many steps and asked nothing of any target, or whose
/// peer does not read: short beside what a person does, long beside a turn.
pub(super) const IDLE: Nanos = Nanos::from_millis(10);

/// How often another user is drawn when the first can get no token.
pub(super) const USERS_TRIED: u32 = 8;

/// Longest time for giving tokens back at the end.
pub(super) const LOGOUTS: Nanos = Nanos::from_secs(5);

/// Ids of one WebSocket's messages whose end is awaited by a measure: as many subscriptions as the
/// busiest status gateways allow on one connection.
pub(super) const WATCHED: usize = 64;
