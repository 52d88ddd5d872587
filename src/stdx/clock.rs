//! The one place where time enters.

use std::time::{Instant, SystemTime};

use rustix::time::{ClockId, clock_gettime};

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

    /// What CLOCK_MONOTONIC stood at when the clock was started: what to add to its moments so that
    /// they can be compared with those of other processes of this host. To about 100 ns.
    #[must_use]
    pub fn monotonic_at_zero(&self) -> Nanos {
        let read = || {
            let before = self.now();
            let host = clock_gettime(ClockId::Monotonic);
            let after = self.now();
            let nanos = |part: i64| u64::try_from(part).unwrap_or(0);
            let host = Nanos::from_secs(nanos(host.tv_sec)) + Nanos(nanos(host.tv_nsec));
            // Between two readings of our own lies the host's.
            (after.since(before), host.since(before).0 - after.since(before).0 / 2)
        };
        // Of several the one that nothing came between.
        let best = (0..8).map(|_| read()).min();
        best.map_or(Nanos::ZERO, |(_, zero)| Nanos(zero))
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
