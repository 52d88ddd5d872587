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
}

/// Wall-clock time, for stamps in reports alone: nothing is measured with it.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the one source of wall time")]
pub fn wall_clock() -> SystemTime {
    SystemTime::now()
}
