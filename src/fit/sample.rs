//! A bounded sample of a stream: each value is in it with the same likelihood.

use super::limits::SAMPLE;
use crate::stdx::rng::Rng;

/// Algorithm R (Vitter, "Random Sampling with a Reservoir", ACM TOMS 11, 1985), by a fixed seed:
/// the same log gives the same sample.
#[derive(Clone, Debug)]
pub struct Sample {
    values: Vec<f64>,
    seen: u64,
    rng: Rng,
}

impl Default for Sample {
    fn default() -> Self {
        Self { values: Vec::new(), seen: 0, rng: Rng::stream(1, 0) }
    }
}

impl Sample {
    /// One value more.
    pub fn add(&mut self, value: f64) {
        self.seen += 1;
        if self.values.len() < SAMPLE {
            self.values.push(value);
            return;
        }
        let at = usize::try_from(self.rng.below(self.seen)).unwrap_or(usize::MAX);
        if let Some(place) = self.values.get_mut(at) {
            *place = value;
        }
    }

    /// A number below 1, at random.
    pub fn unit(&mut self) -> f64 {
        f64::from(u32::try_from(self.rng.next_u64() >> 32).unwrap_or(0)) / 4_294_967_296.0
    }

    /// The values that were kept, in ascending order.
    #[must_use]
    pub fn sorted(&self) -> Vec<f64> {
        let mut sorted = self.values.clone();
        sorted.sort_by(f64::total_cmp);
        sorted
    }

    /// Values that were seen.
    #[must_use]
    pub const fn seen(&self) -> u64 {
        self.seen
    }
}

#[cfg(test)]
mod tests {
    use super::{SAMPLE, Sample};

    #[test]
    fn early_and_late_values_are_kept_alike() {
        let mut sample = Sample::default();
        let count = u32::try_from(4 * SAMPLE).unwrap();
        (0..count).for_each(|value| sample.add(f64::from(value)));
        let sorted = sample.sorted();
        assert_eq!((sorted.len(), sample.seen()), (SAMPLE, u64::from(count)));
        let early = sorted.partition_point(|value| *value < f64::from(count / 2));
        // A binomial count of 100 000 halves has a deviation of 158.
        assert!(early.abs_diff(SAMPLE / 2) < 4 * 158, "{early}");
    }
}
