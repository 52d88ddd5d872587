//! What std lacks, with no word of the product in it.
//!
//! Gives:      [`Nanos`] and [`Clock`], typed units as people write them, seeded randomness.
//! Neighbours: none.

pub mod clock;
pub mod nanos;
pub mod rng;
pub mod units;

pub use clock::Clock;
pub use nanos::Nanos;
