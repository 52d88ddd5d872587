//! What a scenario file may be, at most, and why.

/// Bytes of a file. The largest preset has 6 KiB; data of users belongs into files of its own.
pub const FILE_BYTES_MAX: usize = 1 << 20;

/// Values in a tree, with what aliases repeat: nine levels of nine aliases would be 4e8.
pub(super) const NODES_MAX: usize = 100_000;

/// Bytes of a text that count as one value more: aliases repeat texts, too.
pub(super) const NODE_BYTES: usize = 64;

/// Profiles of a file: each is checked with the whole of it.
pub(super) const PROFILES_MAX: usize = 50;

/// Declared names that are compared with an unknown one, and as many are listed.
pub(super) const NAMES_SHOWN_MAX: usize = 20;

/// Levels of nesting. Steps in groups in loops need about 20; recursion over it stays small.
pub(super) const DEPTH_MAX: usize = 64;

/// Levels of parentheses in an expression: the parser recurses once for each.
pub(super) const EXPRESSION_DEPTH_MAX: usize = 32;

/// Bytes of one expression: it must be readable on one line.
pub(super) const EXPRESSION_BYTES_MAX: usize = 1_000;

/// Diagnostics shown; more of them nobody reads before mending the first.
pub const SHOWN_MAX: usize = 50;

/// Diagnostics collected: a file of nothing but mistakes must not cost memory without bound.
pub(super) const COLLECTED_MAX: usize = 1_000;

/// Columns of a source line shown around the caret: what fits a terminal beside the gutter.
pub(super) const COLUMNS_MAX: usize = 100;

/// Quantiles of think times: one for each hundredth.
pub(super) const QUANTILES_MAX: usize = 101;

/// Loops in each other: a session keeps a counter for each.
pub(super) const LOOPS_MAX: usize = 4;

/// Users of a scenario: each has an identity, tokens and pools in memory.
pub(super) const USERS_MAX: u64 = 10_000_000;

/// Connections of a load: more than one host has file slots for.
pub(super) const CONNECTIONS_MAX: u64 = 10_000_000;

/// Ids that a pool keeps for one user.
pub(super) const POOL_MAX: u64 = 100_000;

/// Times that `repeat` repeats: a loop that never ends is a load of its own.
pub(super) const REPEAT_MAX: u64 = 1_000_000_000;

/// Trials of a search: each is kept with its numbers, and takes seconds.
pub(super) const TRIALS_MAX: u64 = 1_000;
