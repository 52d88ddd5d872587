//! What the numbers amount to: pure functions of what was measured.
//!
//! Gives:      [`trust`], whether the load generator itself was the bottleneck; [`threshold`],
//!             whether what was asked for holds; [`windows`], the same while the run is on;
//!             [`measured`], what a metric is made of.
//! Neighbours: stdx, plan, scenario (thresholds), protocol (outcome), metrics.

pub mod measured;
pub mod threshold;
pub mod trust;
pub mod windows;
