//! The weighted mix: which request an operation is.

use crate::stdx::rng;

/// Weights as a running sum; a choice is a binary search in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mix {
    /// `ends[i]` is the sum of the weights up to and with the i-th.
    ends: Vec<u64>,
}

impl Mix {
    /// A mix of these weights. Needs no sum of 100: 10 of 105 is 9.52 %.
    #[must_use]
    pub fn new(weights: &[u32]) -> Self {
        let mut sum = 0;
        let ends = weights.iter().map(|&weight| {
            sum += u64::from(weight);
            sum
        });
        Self { ends: ends.collect() }
    }

    /// The share of the i-th, from 0 to 1.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "weights are far below 2^53")]
    pub fn share(&self, index: usize) -> f64 {
        let before = index.checked_sub(1).and_then(|at| self.ends.get(at)).copied().unwrap_or(0);
        match (self.ends.get(index), self.ends.last()) {
            (Some(end), Some(total)) if *total > 0 => (end - before) as f64 / *total as f64,
            _ => 0.0,
        }
    }

    /// The request of the operation (`index`, `turn`): of the arrival `index` in an open model, of
    /// the session `index` at its `turn` in a closed one. A function of the seed alone.
    #[must_use]
    pub fn choose(&self, seed: u64, index: u64, turn: u64) -> u16 {
        let [.., total] = self.ends[..] else { return 0 };
        if self.ends.len() == 1 {
            return 0;
        }
        let point = rng::choice(seed, index, turn, total);
        let at = self.ends.partition_point(|&end| end <= point);
        u16::try_from(at).unwrap_or(u16::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::Mix;

    #[test]
    fn shares_follow_the_weights() {
        let mix = Mix::new(&[10, 30, 0, 60]);
        let mut seen = [0_u32; 4];
        for index in 0..100_000 {
            seen[usize::from(mix.choose(9, index, 0))] += 1;
        }
        assert_eq!(seen[2], 0, "weight 0 is never chosen");
        for (count, share) in [(seen[0], 0.1), (seen[1], 0.3), (seen[3], 0.6)] {
            // Four standard deviations of a binomial count.
            let expected = 100_000.0 * share;
            let slack = 4.0 * f64::sqrt(expected * (1.0 - share));
            assert!((f64::from(count) - expected).abs() < slack, "{seen:?}");
        }
    }
}
