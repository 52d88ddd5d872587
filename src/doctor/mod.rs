//! Is this host able? Limits and cores, checked before a run.
//!
//! Gives:      [`raise_open_files`], [`Cores`], the cores that shards may be put on.
//! Neighbours: none.

pub mod cores;
pub mod limits;

pub use cores::{CoreError, Cores};
pub use limits::{LimitError, raise_open_files};
