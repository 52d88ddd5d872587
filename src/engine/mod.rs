//! Shards and what surrounds them.
//!
//! Neighbours: stdx, plan, session, protocol, net, metrics, verdict.

mod connection;
mod limits;
pub mod outcome;
pub mod pacer;
pub mod shard;

pub use shard::Shard;
