//! How much load, for how long, in which shape.

use super::threshold::Threshold;
use crate::scenario::place::Spanned;
use crate::stdx::Nanos;
use crate::stdx::units::Rate;

/// A load.
#[derive(Clone, Debug, PartialEq)]
pub struct Load {
    /// Where it begins: connections in the closed model, a rate in the open one.
    pub level: Spanned<Amount>,
    /// How it goes on.
    pub shape: Shape,
    /// How arrivals of the open model lie.
    pub arrivals: Spanned<Arrivals>,
    /// How closely an open load keeps to its schedule.
    pub pacing: Pacing,
    /// Most connections at once.
    pub max: Option<Spanned<u64>>,
    /// How long an arrival waits for a connection.
    pub patience: Option<Spanned<Nanos>>,
    /// How fast connections are opened.
    pub open: Option<Pace>,
}

/// A level of load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amount {
    /// So many connections.
    Connections(u64),
    /// So many arrivals a second.
    Rate(Rate),
}

impl Amount {
    /// The level as a number: connections, or thousandths of an arrival a second.
    #[must_use]
    pub const fn number(self) -> u64 {
        match self {
            Self::Connections(count) => count,
            Self::Rate(rate) => rate.milli_per_s,
        }
    }

    /// Whether it is no load at all.
    #[must_use]
    pub const fn is_nothing(self) -> bool {
        self.number() == 0
    }
}

/// How a load goes on.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// As it began, for so long.
    Constant(Spanned<Nanos>),
    /// In stages.
    Stages(Vec<Stage>),
    /// Level by level, in search of the capacity.
    Search(Box<Search>),
    /// As the target bears it.
    Adapt(Box<Adapt>),
}

/// A search for the highest level at which what is asked for still holds. The load's own level is
/// the lowest that is tried.
#[derive(Clone, Debug, PartialEq)]
pub struct Search {
    /// What must hold at a level: at least one, none with windows of its own.
    pub slo: Vec<Spanned<Threshold>>,
    /// The highest level that is tried, above the load's own and of its kind.
    pub to: Spanned<Amount>,
    /// How long a level is measured, more than nothing.
    pub trial: Nanos,
    /// How long the target settles at a level before that.
    pub settle: Nanos,
    /// How narrow the gap between what holds and what does not must become, as a share of what
    /// holds: above 0, at most 0.5.
    pub resolution: f64,
    /// Most trials, 4 to 1000.
    pub max_trials: u64,
}

/// A level that follows what the target bears, from the load's own on.
#[derive(Clone, Debug, PartialEq)]
pub struct Adapt {
    /// What it follows.
    pub goal: Goal,
    /// What is added at a time: more than nothing, of the load's kind.
    pub step: Spanned<Amount>,
    /// The highest level, above the load's own.
    pub to: Spanned<Amount>,
    /// How long it takes, at most.
    pub length: Spanned<Nanos>,
    /// How often the level is thought over: more than nothing, at most `length`.
    pub every: Nanos,
}

/// What an adaptive load follows.
#[derive(Clone, Debug, PartialEq)]
pub enum Goal {
    /// Up while this holds, down when it does not: a response time below a fixed one.
    Keep(Box<Spanned<Threshold>>),
    /// Up, slower above a response time, to an end above a share of errors.
    Ramp {
        /// The average response time above which it slows.
        slow_above: Spanned<Nanos>,
        /// The share of errors above which it ends, 0 to 1.
        stop_above: f64,
    },
}

/// One stage of a load.
#[derive(Clone, Debug, PartialEq)]
pub struct Stage {
    /// What results call the phase.
    pub name: Option<Spanned<String>>,
    /// The level at its end; none means the one before.
    pub to: Option<Spanned<Amount>>,
    /// How long it takes.
    pub length: Length,
}

/// How long a stage takes, and how the level changes meanwhile.
#[derive(Clone, Debug, PartialEq)]
pub enum Length {
    /// A straight line.
    Linear(Spanned<Nanos>),
    /// Doubling each time this has passed.
    Doubling(Spanned<Nanos>),
    /// At once, then held.
    Held(Spanned<Nanos>),
}

/// How arrivals lie.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Arrivals {
    /// At equal distances.
    #[default]
    Even,
    /// At random, as independent users come.
    Poisson,
}

/// How closely an open load keeps to its schedule, and at which cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pacing {
    /// Sleeps until something is due.
    #[default]
    Timed,
    /// Sleeps until shortly before, then spins: a core for each shard.
    Precise,
    /// What is due within a millisecond goes together, at its beginning.
    Efficient,
}

/// So many in a span of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// How many.
    pub count: u64,
    /// In which time.
    pub every: Nanos,
}
