//! What std lacks, with no word of the product in it.
//!
//! Gives:      [`Nanos`] and [`Clock`], typed units as people write them, seeded randomness,
//!             networks of addresses, a stable hash, a few statistics.
//! Neighbours: none.

pub mod cidr;
pub mod clock;
pub mod fnv;
pub mod nanos;
pub mod rng;
pub mod stats;
pub mod units;

pub use cidr::Cidr;
pub use clock::Clock;
pub use fnv::Fnv;
pub use nanos::Nanos;
