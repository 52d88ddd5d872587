//! Chance, from a seed alone.

use onslaught::stdx::Nanos;
use onslaught::stdx::rng::Rng;

/// A stream of choices.
pub(crate) struct Dice(Rng);

impl Dice {
    pub(crate) const fn new(seed: u64, stream: u64) -> Self {
        Self(Rng::stream(seed, stream))
    }

    /// A number from `from` to `to`, both included.
    pub(crate) const fn between(&mut self, from: u64, to: u64) -> u64 {
        from + self.0.below(to - from + 1)
    }

    /// The same for sizes.
    pub(crate) fn size(&mut self, from: usize, to: usize) -> usize {
        usize::try_from(self.between(from as u64, to as u64)).expect("within sizes")
    }

    /// True so many times in a thousand.
    pub(crate) const fn chance(&mut self, permille: u64) -> bool {
        self.0.below(1_000) < permille
    }

    /// One of these.
    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.size(0, from.len() - 1)]
    }

    /// A span up to and with `longest`.
    pub(crate) const fn up_to(&mut self, longest: Nanos) -> Nanos {
        Nanos(self.between(0, longest.0))
    }

    /// A span between two.
    pub(crate) const fn span(&mut self, from: Nanos, to: Nanos) -> Nanos {
        Nanos(self.between(from.0, to.0))
    }
}
