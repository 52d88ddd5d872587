//! The rooms of onslaught, in the order in which data flows through them.
//!
//! Not a public API: the library exists so that tests, benches and fuzz targets reach the pure
//! rooms. `src/README.md` holds the map.

pub mod cli;
pub mod doctor;
pub mod engine;
pub mod fit;
pub mod live;
pub mod metrics;
pub mod net;
pub mod plan;
pub mod protocol;
pub mod report;
pub mod scenario;
pub mod session;
pub mod stdx;
pub mod target;
pub mod verdict;
