//! Shards and what surrounds them: [`run`] takes a plan to its outcome.
//!
//! Gives:      [`run`]; [`Shard`], the pure hot loop; [`Outcome`], what reports are made from.
//! Neighbours: stdx, plan, session, protocol, net, metrics, verdict.
//! Why so:     a shard is a core, a ring and a state machine that share nothing; the collector
//!             merges what they hand over each second, on a thread of its own.

mod collector;
mod connection;
mod control;
mod driver;
mod host;
mod limits;
pub mod outcome;
pub mod pacer;
mod seat;
mod series;
pub mod shard;
mod socket;
mod sources;
mod steering;

pub use collector::{EngineError, Log, Pulse, Run, run};
pub use control::{Command, Level, To};
pub use limits::GRACE;
pub use outcome::Outcome;
pub use shard::Shard;
