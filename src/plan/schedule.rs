//! Arrivals of the open model: when the n-th is due, in closed form.

use crate::stdx::Nanos;
use crate::stdx::units::Rate;

/// A constant rate: arrival n (from 0) is due n / rate after the start, rounded down to the
/// nanosecond. No sum is carried along, so nothing drifts over a week.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    rate: Rate,
}

/// Nanoseconds in a thousand seconds: rates are in thousandths.
const SCALE: u128 = 1_000_000_000_000;

impl Schedule {
    /// Arrivals at `rate`, which must not be zero.
    #[must_use]
    pub const fn constant(rate: Rate) -> Self {
        Self { rate }
    }

    /// When arrival `n` is due, from the start.
    #[must_use]
    pub fn due(&self, n: u64) -> Nanos {
        let rate = u128::from(self.rate.milli_per_s.max(1));
        Nanos(u64::try_from(u128::from(n) * SCALE / rate).unwrap_or(u64::MAX))
    }

    /// How many arrivals are due before `at`.
    #[must_use]
    pub fn before(&self, at: Nanos) -> u64 {
        // The least n with n * SCALE / rate >= at, in whole numbers.
        let area = u128::from(at.0) * u128::from(self.rate.milli_per_s.max(1));
        u64::try_from(area.div_ceil(SCALE)).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::{Nanos, Rate, Schedule};

    #[test]
    fn agrees_with_a_slow_count() {
        for milli_per_s in [1, 16, 333, 1_000, 7_919_000, 1_000_000, 123_456_789] {
            let schedule = Schedule::constant(Rate { milli_per_s });
            for at in [0, 1, 999, 1_000_000, 12_345_678] {
                let slow = (0..).take_while(|&n| schedule.due(n) < Nanos(at)).count() as u64;
                assert_eq!(schedule.before(Nanos(at)), slow, "{milli_per_s} m/s before {at} ns");
            }
        }
    }

    #[test]
    fn a_week_does_not_drift() {
        let schedule = Schedule::constant(Rate { milli_per_s: 3_000 });
        let week = Nanos::from_secs(7 * 86_400);
        assert_eq!(schedule.before(week), 3 * 7 * 86_400);
        assert_eq!(schedule.due(3 * 7 * 86_400), week);
    }
}
