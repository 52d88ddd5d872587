//! Seeded randomness: a value is a function of the seed and of what it is for.

/// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
///
/// Small, fast and good enough for choices and jitter; nothing here is a secret.
#[derive(Clone, Debug)]
pub struct Rng {
    state: u64,
}

impl Rng {
    /// The stream of `index` under `seed`: the same on any number of shards.
    #[must_use]
    pub const fn stream(seed: u64, index: u64) -> Self {
        Self { state: mix(seed ^ mix(index.wrapping_mul(GOLDEN).wrapping_add(GOLDEN))) }
    }

    /// The next 64 bits.
    pub const fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(GOLDEN);
        mix(self.state)
    }

    /// A number below `bound`, 0 when the bound is 0. The bias is below 2^-32 for bounds below
    /// 2^32.
    pub const fn below(&mut self, bound: u64) -> u64 {
        scale(self.next_u64(), bound)
    }

    /// A span drawn from the exponential distribution of this mean, by inversion (Devroye:
    /// "Non-Uniform Random Variate Generation", 1986, section II.2.1), in whole units rounded
    /// down. Never more than 37 means: the least number that 53 bits hold above 0 is 2^-53.
    #[expect(clippy::cast_precision_loss, reason = "53 bits of chance, and means far below 2^53")]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not negative")]
    pub fn exponential(&mut self, mean: u64) -> u64 {
        // In (0, 1]: the logarithm of 0 is no number.
        let uniform = ((self.next_u64() >> 11) + 1) as f64 / (1_u64 << 53) as f64;
        (-uniform.ln() * mean as f64) as u64
    }
}

/// The choice below `bound` that belongs to (`seed`, `index`, `turn`), without any state.
#[must_use]
pub const fn choice(seed: u64, index: u64, turn: u64, bound: u64) -> u64 {
    scale(mix(mix(seed ^ mix(index.wrapping_add(GOLDEN))).wrapping_add(turn)), bound)
}

/// Maps 64 random bits onto `0..bound` by the high half of the product.
const fn scale(bits: u64, bound: u64) -> u64 {
    ((bits as u128 * bound as u128) >> 64) as u64
}

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

const fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::{Rng, choice};

    #[test]
    fn streams_repeat_and_differ() {
        let draw = |seed, index| {
            let mut rng = Rng::stream(seed, index);
            [rng.next_u64(), rng.next_u64(), rng.next_u64()]
        };
        assert_eq!(draw(1, 7), draw(1, 7));
        assert_ne!(draw(1, 7), draw(1, 8));
        assert_ne!(draw(1, 7), draw(2, 7));
    }

    /// Mean and deviation are both the mean asked for, and a share exp(-3) lies above three of it.
    /// Tolerances are five standard errors of each: 1/sqrt(n), sqrt(2/n), sqrt(p(1-p)/n).
    #[test]
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    fn exponential_in_mean_deviation_and_tail() {
        let (mut rng, count, mean) = (Rng::stream(3, 1), 100_000, 1_000_000_u64);
        let drawn: Vec<f64> = (0..count).map(|_| rng.exponential(mean) as f64 / 1e6).collect();
        let n = f64::from(count);
        let average = drawn.iter().sum::<f64>() / n;
        let square = drawn.iter().map(|x| (x - average).powi(2)).sum::<f64>() / n;
        let above = drawn.iter().filter(|&&x| x > 3.0).count() as f64 / n;
        assert!((average - 1.0).abs() < 5.0 / n.sqrt(), "mean {average}");
        assert!((square - 1.0).abs() < 5.0 * (8.0 / n).sqrt(), "variance {square}");
        let p = (-3.0_f64).exp();
        assert!((above - p).abs() < 5.0 * (p * (1.0 - p) / n).sqrt(), "tail {above}");
    }

    #[test]
    fn bounded_and_even() {
        let mut seen = [0_u32; 10];
        for turn in 0..100_000 {
            let at = usize::try_from(choice(42, 3, turn, 10)).unwrap();
            seen[at] += 1;
        }
        // Chi-square with 9 degrees of freedom: 27.9 is the 0.1 % point.
        let chi: f64 = seen.iter().map(|&n| (f64::from(n) - 1e4).powi(2) / 1e4).sum();
        assert!(chi < 27.9, "uneven: {seen:?}");
        assert_eq!(Rng::stream(1, 1).below(0), 0);
    }
}
