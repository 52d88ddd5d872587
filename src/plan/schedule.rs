//! Arrivals of the open model: when the n-th is due, in closed form.

use super::Curve;
use super::curve::ARRIVAL;
use crate::stdx::Nanos;
use crate::stdx::units::Rate;

/// Arrival n (from 0) is due at the last nanosecond until which the area under the rate is no more
/// than n. No sum is carried along, so nothing drifts over a week.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    rate: Curve,
    /// Arrivals are due at multiples of it; nothing is any time.
    quantum: Nanos,
}

impl Schedule {
    /// Arrivals at `rate`, for ever.
    #[must_use]
    pub const fn constant(rate: Rate) -> Self {
        Self { rate: Curve::constant(rate.milli_per_s), quantum: Nanos::ZERO }
    }

    /// Arrivals at a rate that changes, in thousandths a second; due at the last multiple of
    /// `quantum` before their time, if that is more than nothing.
    #[must_use]
    pub const fn of(rate: Curve, quantum: Nanos) -> Self {
        Self { rate, quantum }
    }

    /// The rate.
    #[must_use]
    pub const fn rate(&self) -> &Curve {
        &self.rate
    }

    /// The same, and from now on to be changed.
    pub const fn rate_mut(&mut self) -> &mut Curve {
        &mut self.rate
    }

    /// When arrival `n` is due, from the start; never, if the rate ends before.
    #[must_use]
    pub fn due(&self, n: u64) -> Nanos {
        self.rounded(self.rate.time(u128::from(n) * ARRIVAL))
    }

    /// At or before `at`: a moment at which arrivals are due.
    #[must_use]
    pub fn rounded(&self, at: Nanos) -> Nanos {
        if at == Nanos::MAX {
            return at;
        }
        Nanos(at.0 - at.0.checked_rem(self.quantum.0).unwrap_or(0))
    }

    /// How many arrivals are due before `at`.
    #[must_use]
    pub fn before(&self, at: Nanos) -> u64 {
        let at = match self.quantum.0 {
            0 => at,
            // All that comes before the next multiple was rounded down to one before `at`.
            quantum => Nanos(at.0.div_ceil(quantum).saturating_mul(quantum)),
        };
        // An arrival is due before, if the area until then is more than its number.
        u64::try_from(self.rate.area(at).div_ceil(ARRIVAL)).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::{Curve, Nanos, Rate, Schedule};
    use crate::plan::curve::Form;
    use crate::stdx::rng::Rng;

    fn assert_counts(schedule: &Schedule, at: u64) {
        let slow = (0..).take_while(|&n| schedule.due(n) < Nanos(at)).count() as u64;
        assert_eq!(schedule.before(Nanos(at)), slow, "{schedule:?} before {at} ns");
    }

    #[test]
    fn agrees_with_a_slow_count() {
        for milli_per_s in [1, 16, 333, 1_000, 7_919_000, 1_000_000, 123_456_789] {
            let schedule = Schedule::constant(Rate { milli_per_s });
            for at in [0, 1, 999, 1_000_000, 12_345_678] {
                assert_counts(&schedule, at);
            }
        }
    }

    #[test]
    fn agrees_with_a_slow_count_where_the_rate_changes() {
        for seed in 0..100 {
            let mut rng = Rng::stream(11, seed);
            let mut curve = Curve::constant(0);
            for _ in 0..=rng.below(4) {
                let (first, last) = (rng.below(3_000_000), rng.below(3_000_000));
                let form = match rng.below(2) {
                    0 if first > 0 && last > 0 => Form::Doubling,
                    _ => Form::Straight,
                };
                curve.push(first, last, Nanos(1 + rng.below(100_000_000)), form);
            }
            curve.push(0, 0, Nanos(1), Form::Straight);
            let quantum = Nanos([0, 1, 1_000, 1_000_000][usize::try_from(seed % 4).unwrap()]);
            let end = curve.end();
            let schedule = Schedule::of(curve, quantum);
            for _ in 0..5 {
                assert_counts(&schedule, rng.below(end.0));
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

    #[test]
    fn batches_are_never_late() {
        let even = Schedule::constant(Rate { milli_per_s: 3_333_333 });
        let batched = Schedule::of(Curve::constant(3_333_333), Nanos::from_millis(1));
        for n in 0..10_000 {
            let (exact, batch) = (even.due(n), batched.due(n));
            assert!(batch <= exact && exact.since(batch) < Nanos::from_millis(1));
            assert_eq!(batch.0 % 1_000_000, 0);
        }
    }
}
