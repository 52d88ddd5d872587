//! The one place where time enters.

use std::time::{Instant, SystemTime};

use super::Nanos;

/// A monotonic clock (CLOCK_MONOTONIC) that counts from its own making.
///
/// Copies count from the same moment, so that all threads of a run agree.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Instant,
}

impl Clock {
    /// A clock that reads zero now.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one source of `now`")]
    pub fn start() -> Self {
        Self { start: Instant::now() }
    }

    /// Nanoseconds since the clock was started.
    #[must_use]
    pub fn now(&self) -> Nanos {
        Nanos::from(self.start.elapsed())
    }

    /// What the calendar said when the clock was started, in milliseconds since 1970, as far as
    /// the calendar says it now. Tokens carry such times; nothing is measured with it.
    #[must_use]
    pub fn wall_at_zero(&self) -> u64 {
        let since_1970 = wall_clock().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let now = u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX);
        now.saturating_sub(self.now().0 / 1_000_000)
    }
}

/// Wall-clock time, for stamps in reports alone: nothing is measured with it.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the one source of wall time")]
pub fn wall_clock() -> SystemTime {
    SystemTime::now()
}
