//! The immutable program that every shard executes; nothing in it can be wrong.
//!
//! Gives:      [`Plan`] and its parts; [`Schedule`], when the n-th arrival is due.
//! Neighbours: stdx, protocol(http requests), metrics(leaf ids).
//! Why so:     compiled once before the run, so that no shard can fail because of what a user
//!             wrote.

use std::net::SocketAddr;
use std::num::NonZeroU64;

use crate::metrics::LeafId;
use crate::protocol::http::Request;
use crate::stdx::Nanos;
use crate::stdx::units::Rate;

pub mod mix;
pub mod schedule;

pub use mix::Mix;
pub use schedule::Schedule;

/// What to do to whom, how much of it and for how long. Read this type to know the product.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The name in reports.
    pub name: String,
    /// The target as the user wrote it.
    pub url: String,
    /// Where it is: resolved, allowed, at least one.
    pub addresses: Vec<SocketAddr>,
    /// The requests of the mix, each a leaf of the results in each phase.
    pub requests: Vec<NamedRequest>,
    /// Which request an operation is.
    pub mix: Mix,
    /// How much load.
    pub load: Load,
    /// Connections (closed model: as many sessions), over all shards.
    pub connections: u32,
    /// When no further operation falls due.
    pub until: Until,
    /// Operations due before this moment are in the phase `warmup`, not in the results' totals.
    pub warmup: Nanos,
    /// From the beginning of an attempt until its reply has ended.
    pub timeout: Nanos,
    /// Whether connections are opened by the operations that need them, not ahead of the run.
    pub cold: bool,
    /// What all choices are a function of.
    pub seed: u64,
    /// The number of shards.
    pub shards: u32,
}

/// A request with the name under which it is reported.
#[derive(Clone, Debug)]
pub struct NamedRequest {
    /// Its key under `by.request`.
    pub name: String,
    /// Its bytes.
    pub request: Request,
}

/// How operations fall due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Load {
    /// Each session starts its next operation when its last has ended.
    Closed,
    /// Operations fall due by the clock, whatever the target does.
    Open {
        /// Arrivals over all shards.
        rate: Rate,
        /// How long an arrival waits for a free connection before it is dropped.
        patience: Nanos,
    },
}

/// When no further operation falls due, counted from the end of the warm-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// After a time.
    Elapsed(Nanos),
    /// After so many operations, or a time, whichever comes first.
    Operations(NonZeroU64, Nanos),
}

/// A named window of the run, told apart by when an operation was due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Phase {
    /// Not in the totals.
    Warmup,
    /// What the totals are made of.
    Load,
}

impl Phase {
    /// All of them, in the order of time.
    pub const ALL: [Self; 2] = [Self::Warmup, Self::Load];

    /// Its name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Warmup => "warmup",
            Self::Load => "load",
        }
    }
}

impl Plan {
    /// The leaf of `request` (an index into `requests`) in `phase`.
    #[must_use]
    pub fn leaf(&self, phase: Phase, request: u16) -> LeafId {
        let requests = u16::try_from(self.requests.len()).unwrap_or(u16::MAX);
        LeafId(phase as u16 * requests + request)
    }

    /// All leaves of a phase, in the order of `requests`.
    pub fn leaves(&self, phase: Phase) -> impl Iterator<Item = LeafId> + '_ {
        (0..u16::try_from(self.requests.len()).unwrap_or(u16::MAX))
            .map(move |request| self.leaf(phase, request))
    }

    /// The arrivals of the open model: their schedule and their number, over all shards.
    #[must_use]
    pub fn arrivals(&self) -> Option<(Schedule, u64)> {
        let Load::Open { rate, .. } = self.load else { return None };
        let schedule = Schedule::constant(rate);
        let (count, span) = match self.until {
            Until::Elapsed(span) => (u64::MAX, span),
            Until::Operations(count, span) => (count.get(), span),
        };
        let warmup = schedule.before(self.warmup);
        Some((schedule, warmup.saturating_add(count).min(schedule.before(self.warmup + span))))
    }

    /// The phase of an operation due at `at`, counted from the start of the load.
    #[must_use]
    pub fn phase(&self, at: Nanos) -> Phase {
        if at < self.warmup { Phase::Warmup } else { Phase::Load }
    }
}
