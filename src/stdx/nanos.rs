//! A moment or a span of the run, in nanoseconds.

use std::fmt;
use std::ops::{Add, AddAssign};
use std::time::Duration;

/// Nanoseconds: since the start of the run where a moment is meant, else a span.
///
/// 64 bits hold 584 years, so sums of a run's moments and spans do not overflow; the operators
/// saturate all the same, because a user may write any number into a duration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Nanos(pub u64);

impl Nanos {
    /// The start of the run, or no time at all.
    pub const ZERO: Self = Self(0);
    /// Later than anything: stands for "never".
    pub const MAX: Self = Self(u64::MAX);

    /// A span of whole microseconds.
    #[must_use]
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros.saturating_mul(1_000))
    }

    /// A span of whole milliseconds.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(1_000_000))
    }

    /// A span of whole seconds.
    #[must_use]
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1_000_000_000))
    }

    /// Whole microseconds, rounded down.
    #[must_use]
    pub const fn as_micros(self) -> u64 {
        self.0 / 1_000
    }

    /// Seconds as a float, for rates and for people.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "2^53 ns are 104 days, and people read 3 digits"
    )]
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// The span from `earlier` to this moment, nothing if it lies ahead.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Self {
        Self(self.0.saturating_sub(earlier.0))
    }
}

impl Add for Nanos {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Nanos {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl From<Duration> for Nanos {
    fn from(span: Duration) -> Self {
        Self(u64::try_from(span.as_nanos()).unwrap_or(u64::MAX))
    }
}

impl From<Nanos> for Duration {
    fn from(span: Nanos) -> Self {
        Self::from_nanos(span.0)
    }
}

impl fmt::Display for Nanos {
    /// The largest unit that leaves a whole number of at most three digits before the point.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (value, unit) = match self.0 {
            ns @ ..1_000 => return write!(out, "{ns}ns"),
            ns @ ..1_000_000 => (ns, (1_000, "us")),
            ns @ ..1_000_000_000 => (ns, (1_000_000, "ms")),
            ns => (ns, (1_000_000_000, "s")),
        };
        let (size, name) = unit;
        let hundredths = value % size * 100 / size;
        match (value / size, hundredths) {
            (whole, 0) => write!(out, "{whole}{name}"),
            (whole, part) if whole >= 100 => write!(out, "{whole}.{}{name}", part / 10),
            (whole, part) => write!(out, "{whole}.{part:02}{name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Nanos;

    #[test]
    fn shown_as_people_write_it() {
        let shown = |ns| Nanos(ns).to_string();
        assert_eq!(shown(999), "999ns");
        assert_eq!(shown(1_500), "1.50us");
        assert_eq!(shown(250_000_000), "250ms");
        assert_eq!(shown(123_456_789), "123.4ms");
        assert_eq!(shown(60_000_000_000), "60s");
    }

    #[test]
    fn never_overflows() {
        assert_eq!(Nanos::MAX + Nanos(1), Nanos::MAX);
        assert_eq!(Nanos(1).since(Nanos(2)), Nanos::ZERO);
        assert_eq!(Nanos::from_secs(u64::MAX), Nanos::MAX);
    }
}
