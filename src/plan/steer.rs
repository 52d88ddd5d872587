//! Loads whose level is found out while the run is on.

use super::Threshold;
use crate::stdx::Nanos;

/// What moves a workload's level, from the one that it starts with.
#[derive(Clone, Debug, PartialEq)]
pub struct Steer {
    /// What it is after.
    pub goal: Goal,
    /// The first level, and the lowest: sessions, or thousandths of an arrival a second.
    pub from: u64,
    /// The highest.
    pub to: u64,
}

/// What a level that moves is after.
#[derive(Clone, Debug, PartialEq)]
pub enum Goal {
    /// The highest level at which all of this holds.
    Search {
        /// What must hold at a level.
        slo: Vec<Threshold>,
        /// How long a level is measured.
        trial: Nanos,
        /// How long the target settles at a level before that.
        settle: Nanos,
        /// How narrow the gap between what holds and what does not must become, as a share of
        /// what holds.
        resolution: f64,
        /// Most trials.
        max_trials: u32,
    },
    /// A level at which a response time is kept.
    Keep {
        /// The response time, below a fixed one.
        threshold: Box<Threshold>,
        /// That one.
        target: Nanos,
        /// What is added at a time.
        step: u64,
        /// How often.
        every: Nanos,
    },
    /// A ramp that slows and stops.
    Ramp {
        /// The average response time above which it slows.
        slow_above: Nanos,
        /// The share of errors above which it ends, 0 to 1.
        stop_above: f64,
        /// What is added at a time.
        step: u64,
        /// How often.
        every: Nanos,
    },
}
