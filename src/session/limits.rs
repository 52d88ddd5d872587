//! What a session and its users keep, at most, and why.

use crate::stdx::Nanos;

/// Bytes of an id in a pool: ids stand in URLs; a longer one is a document, taken by mistake.
pub const ID_BYTES_MAX: usize = 256;

/// Bytes of a saved variable: a large document has a place in a reply, not in every session.
pub const VARIABLE_BYTES_MAX: usize = 64 * 1024;

/// Bytes of a token: common servers refuse header lines of 8 KiB, none takes 16 KiB.
pub const TOKEN_BYTES_MAX: usize = 16 * 1024;

/// Letters of one `random_string`: the body of a request, not its whole traffic.
pub const RANDOM_STRING_MAX: u64 = 64 * 1024;

/// Measures of a plan: one bit of an id's entry for each.
pub const MEASURES_MAX: usize = 64;

/// Ids that are compared with the one of a message: some microseconds.
pub const LOOKED_AT_MAX: usize = 1_000;

/// What a user waits after the first failed login; it doubles with each further one.
pub const BACK_OFF_FIRST: Nanos = Nanos::from_secs(1);

/// What a user waits between failed logins at most: a target that is back is found soon.
pub const BACK_OFF_MOST: Nanos = Nanos::from_secs(30);

/// A new token that is refused within this time has never been good: the request for which it
/// was fetched is sent at once.
pub const REFUSED_AT_ONCE: Nanos = Nanos::from_secs(2);

/// A token is renewed so long before its end at most: a slow target answers within it.
pub const MARGIN_MOST: Nanos = Nanos::from_secs(60);

/// A token is renewed so long before its end at least, where its life allows it.
pub const MARGIN_LEAST: Nanos = Nanos::from_millis(100);
