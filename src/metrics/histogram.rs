//! A histogram of times: HDR, 3 significant digits, 1 us to 1 h.

use hdrhistogram::Histogram as Hdr;

use crate::stdx::Nanos;

/// Times in whole microseconds, each within 0.1 %. What lies beyond an hour is counted, not
/// clipped: it is in [`Histogram::out_of_range`] and in no quantile.
#[derive(Clone, Debug)]
pub struct Histogram {
    hdr: Hdr<u64>,
    out_of_range: u64,
}

/// The largest time a histogram holds: one hour. No request timeout may be longer.
pub const LONGEST: Nanos = Nanos::from_secs(3_600);

/// Three digits keep the error of a quantile below 0.1 % at 188 KB a histogram.
const DIGITS: u8 = 3;

impl Histogram {
    /// An empty one.
    ///
    /// # Panics
    /// Never: the bounds are constants that the histogram accepts, which a test holds.
    #[must_use]
    #[expect(clippy::expect_used, reason = "constant bounds, covered by a test")]
    pub fn new() -> Self {
        let hdr = Hdr::new_with_bounds(1, LONGEST.as_micros(), DIGITS).expect("constant bounds");
        Self { hdr, out_of_range: 0 }
    }

    /// Adds one time. No allocation: the range is fixed.
    pub fn record(&mut self, time: Nanos) {
        if self.hdr.record(time.as_micros()).is_err() {
            self.out_of_range += 1;
        }
    }

    /// Adds all of another's.
    pub fn add(&mut self, other: &Self) {
        if !other.hdr.is_empty() {
            // Both have the same fixed bounds, so adding cannot fail.
            let added = self.hdr.add(&other.hdr);
            debug_assert!(added.is_ok(), "same bounds");
        }
        self.out_of_range += other.out_of_range;
    }

    /// Empties it.
    pub fn clear(&mut self) {
        if !self.hdr.is_empty() {
            self.hdr.reset();
        }
        self.out_of_range = 0;
    }

    /// How many times it holds.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.hdr.len()
    }

    /// Times beyond the range.
    #[must_use]
    pub const fn out_of_range(&self) -> u64 {
        self.out_of_range
    }

    /// The time at `quantile` (0 to 1), in microseconds, 0 when empty.
    #[must_use]
    pub fn micros_at(&self, quantile: f64) -> u64 {
        if self.hdr.is_empty() { 0 } else { self.hdr.value_at_quantile(quantile) }
    }

    /// The same as a span.
    #[must_use]
    pub fn at(&self, quantile: f64) -> Nanos {
        Nanos::from_micros(self.micros_at(quantile))
    }

    /// Shortest, mean and longest, in microseconds; zeros when empty. In this order of size
    /// always: all three come from the same buckets.
    #[must_use]
    pub fn min_mean_max(&self) -> (u64, f64, u64) {
        if self.hdr.is_empty() {
            return (0, 0.0, 0);
        }
        (self.hdr.min(), self.hdr.mean(), self.hdr.max())
    }

    /// The sum of all times, in ns: each within 0.1 % and rounded down to a microsecond.
    #[must_use]
    pub fn sum_ns(&self) -> u128 {
        let buckets = self.hdr.iter_recorded();
        let sum = |bucket: hdrhistogram::iterators::IterationValue<u64>| {
            let middle = self.hdr.median_equivalent(bucket.value_iterated_to());
            u128::from(middle) * u128::from(bucket.count_at_value())
        };
        buckets.map(sum).sum::<u128>() * 1_000
    }

    /// The histogram itself, for exporters.
    #[must_use]
    pub const fn hdr(&self) -> &Hdr<u64> {
        &self.hdr
    }
}

impl Default for Histogram {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::{Histogram, LONGEST, Nanos};

    #[test]
    fn merging_is_associative_commutative_and_has_an_identity() {
        let make = |times: &[u64]| {
            let mut histogram = Histogram::new();
            times.iter().for_each(|&us| histogram.record(Nanos::from_micros(us)));
            histogram
        };
        let sum = |parts: &[&Histogram]| {
            let mut total = Histogram::new();
            parts.iter().for_each(|part| total.add(part));
            (total.count(), total.out_of_range(), total.micros_at(0.5), total.min_mean_max())
        };
        let (a, b) = (make(&[1, 5, 900]), make(&[70_000, 3, LONGEST.as_micros() * 9]));
        let none = Histogram::new();
        assert_eq!(sum(&[&a, &b]), sum(&[&b, &none, &a]));
        assert_eq!(sum(&[&a, &b]).1, 1, "beyond the range: counted");
    }

    #[test]
    fn within_a_thousandth() {
        for us in [1_u64, 999, 12_345, 7_777_777, 3_599_999_999] {
            let mut histogram = Histogram::new();
            histogram.record(Nanos::from_micros(us));
            let read = histogram.micros_at(0.99);
            assert!(read.abs_diff(us) * 1_000 <= us, "{us} read as {read}");
        }
    }

    #[test]
    fn mean_lies_between_extremes() {
        let mut histogram = Histogram::new();
        histogram.record(Nanos::from_micros(7_777_777));
        let (min, mean, max) = histogram.min_mean_max();
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        let (min, max) = (min as f64, max as f64);
        assert!(min <= mean && mean <= max, "{min} {mean} {max}");
    }
}
