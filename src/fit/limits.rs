//! What is kept of a log, at most.

use crate::stdx::Nanos;

/// Bytes of a line: servers take heads of 8 to 32 KiB, and a line repeats parts of one.
pub const LINE_BYTES: usize = 64 << 10;
/// Unreadable lines that are shown.
pub const EXAMPLES: usize = 5;
/// Requests that a scenario lists; the others are told as a share.
pub const KINDS_LISTED: usize = 20;
/// Requests that are told apart while a log is read: the most frequent ones come early.
pub const KINDS: usize = 10_000;
/// Bytes of a path that is told apart from others.
pub const PATH_BYTES: usize = 1_024;
/// Real paths that are kept for each request.
pub const PATHS_KEPT: usize = 20;
/// Minutes of the rate curve: a month.
pub const MINUTES: usize = 31 * 24 * 60;
/// Pieces that the rate curve is cut into before pieces that are alike are joined.
pub const PIECES: usize = 720;
/// Stages of the rate curve.
pub const STAGES: usize = 12;
/// Arrivals of one minute whose distances are looked at.
pub const ARRIVALS_A_MINUTE: usize = 100_000;
/// Distances and pauses that are kept, each chosen with the same likelihood.
pub const SAMPLE: usize = 100_000;
/// Clients that are there at once.
pub const CLIENTS: usize = 500_000;
/// A client that was silent for so long comes back as another visitor.
pub const SESSION: Nanos = Nanos::from_secs(30 * 60);
/// Fewer values than this say nothing about a distribution.
pub const FEW: usize = 30;
