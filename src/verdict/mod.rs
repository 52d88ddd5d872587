//! What the numbers amount to: pure functions of what was measured.
//!
//! Gives:      [`trust`], whether the load generator itself or the target was at its limit;
//!             [`threshold`], whether what was asked for holds; [`windows`], the same while the run
//!             is on; [`measured`], what a metric is made of; [`search`], which level to try next
//!             on the way to a capacity; [`steady`], when a load has warmed up; [`interval`],
//!             what a trial's samples say about a limit; [`controller`], loads that follow what
//!             the target bears; [`usl`], how throughput scales.
//! Neighbours: stdx, plan, scenario (thresholds), protocol (outcome), metrics.

pub mod controller;
mod growth;
pub mod interval;
pub mod measured;
pub mod search;
pub mod steady;
pub mod threshold;
pub mod trust;
pub mod usl;
pub mod windows;
