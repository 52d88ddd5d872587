//! Shards and what surrounds them.
//!
//! Neighbours: stdx, plan, session, protocol, net, metrics, verdict.

pub mod outcome;
