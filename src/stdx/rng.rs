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
