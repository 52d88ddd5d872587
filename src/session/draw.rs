//! The chance of one step of one session.

use crate::stdx::rng::Rng;

/// The random stream of one step: a function of seed, session and turn, so that it is the same on
/// any number of shards, and the same whatever other steps have drawn.
#[derive(Clone, Debug)]
pub struct Draw {
    stream: Rng,
}

impl Draw {
    /// The stream of the `turn`-th step of the session (or arrival, or user) `index`, which is
    /// counted over all shards.
    #[must_use]
    pub const fn new(seed: u64, index: u64, turn: u64) -> Self {
        Self { stream: Rng::stream(Rng::stream(seed, index).next_u64(), turn) }
    }

    /// A number below `bound`; 0 when the bound is 0.
    pub const fn below(&mut self, bound: u64) -> u64 {
        self.stream.below(bound)
    }

    /// 64 random bits.
    pub const fn bits(&mut self) -> u64 {
        self.stream.next_u64()
    }

    /// An index into `len` things; 0 when there are none.
    pub(super) fn index(&mut self, len: usize) -> usize {
        usize::try_from(self.below(len as u64)).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::Draw;

    #[test]
    fn steps_repeat_and_differ() {
        let three = |seed, index, turn| {
            let mut draw = Draw::new(seed, index, turn);
            [draw.bits(), draw.bits(), draw.bits()]
        };
        assert_eq!(three(1, 2, 3), three(1, 2, 3));
        for other in [three(2, 2, 3), three(1, 3, 3), three(1, 2, 4), three(1, 3, 2)] {
            assert_ne!(three(1, 2, 3), other);
        }
    }

    #[test]
    fn even_over_steps_and_within_one() {
        let mut seen = [[0_u32; 10]; 2];
        let mut draw = Draw::new(7, 7, 7);
        for turn in 0..100_000 {
            seen[0][Draw::new(42, turn % 50, turn / 50).index(10)] += 1;
            seen[1][draw.index(10)] += 1;
        }
        for seen in seen {
            // Chi-square with 9 degrees of freedom: 27.9 is the 0.1 % point.
            let chi: f64 = seen.iter().map(|&n| (f64::from(n) - 1e4).powi(2) / 1e4).sum();
            assert!(chi < 27.9, "uneven: {seen:?}");
        }
        assert_eq!(draw.below(0), 0);
        assert_eq!(draw.below(1), 0);
    }
}
