//! How much load, for how long, in which shape.

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
    /// Whether it is no load at all.
    #[must_use]
    pub const fn is_nothing(self) -> bool {
        match self {
            Self::Connections(count) => count == 0,
            Self::Rate(rate) => rate.milli_per_s == 0,
        }
    }
}

/// How a load goes on.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// As it began, for so long.
    Constant(Spanned<Nanos>),
    /// In stages.
    Stages(Vec<Stage>),
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
    /// At equal distances, but those of a millisecond together.
    Batched,
    /// At random, as independent users come.
    Poisson,
}

/// So many in a span of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// How many.
    pub count: u64,
    /// In which time.
    pub every: Nanos,
}
