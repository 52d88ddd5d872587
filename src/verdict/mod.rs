//! What the numbers amount to: pure functions of what was measured.
//!
//! Gives:      [`trust`], whether the load generator itself was the bottleneck.
//! Neighbours: stdx, plan.

pub mod trust;
