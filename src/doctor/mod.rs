//! Is this host able? Limits and cores, checked before a run.
//!
//! Gives:      [`raise_open_files`] and [`raise_locked_memory`]; [`Cores`], those that shards may
//!             be put on.
//! Neighbours: none.

pub mod cores;
pub mod limits;

pub use cores::{CoreError, Cores};
pub use limits::{LimitError, open_files_limit, raise_locked_memory, raise_open_files};
