//! The rooms of onslaught, in the order in which data flows through them.
//!
//! Not a public API: the library exists so that tests, benches and fuzz targets reach the pure
//! rooms. `src/README.md` holds the map.

pub mod net;
pub mod protocol;
pub mod stdx;
pub mod target;
