//! What the numbers amount to: pure functions of what was measured.
//!
//! Gives:      [`trust`], whether the load generator itself or the target was at its limit;
//!             [`threshold`], whether what was asked for holds; [`windows`], the same while the run
//!             is on; [`measured`], what a metric is made of.
//! Neighbours: stdx, plan, scenario (thresholds), protocol (outcome), metrics.

mod growth;
pub mod measured;
pub mod threshold;
pub mod trust;
pub mod windows;
