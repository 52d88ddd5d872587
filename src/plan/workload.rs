//! A load, and what is done under it.

use std::num::NonZeroU64;
use std::ops::Range;

pub use crate::scenario::Pacing;

use super::steer::Steer;
use super::{Curve, Fleet, Phase, Program, Schedule};
use crate::stdx::Nanos;
use crate::stdx::units::Rate;

/// A load and what is done under it.
#[derive(Clone, Debug)]
pub struct Workload {
    /// Its key under `by.workload`.
    pub name: String,
    /// How operations fall due.
    pub load: Load,
    /// Sessions over all shards. Closed model: virtual users, where the level changes the most at
    /// once; open model: the most at once.
    pub sessions: u32,
    /// The level over time, since `start`, where it changes: sessions of the closed model,
    /// arrivals of the open one.
    pub levels: Option<Curve>,
    /// How arrivals lie.
    pub spacing: Spacing,
    /// How closely arrivals keep to their schedule.
    pub pacing: Pacing,
    /// Parts of the time since `start` that have a name, one behind the other.
    pub stages: Vec<Stage>,
    /// What moves the level while the run is on.
    pub steer: Option<Steer>,
    /// When no further operation falls due.
    pub until: Until,
    /// When it begins, since the start of the load.
    pub start: Nanos,
    /// How its connections are opened.
    pub opening: Opening,
    /// The connections that a session may have, each with the index of its target.
    pub channels: Vec<u16>,
    /// What each session does.
    pub program: Program,
    /// Instead of a program: WebSocket sessions that stay open, one channel each.
    pub fleet: Option<Fleet>,
    /// How a session gets its user.
    pub strategy: Strategy,
    /// The users that it may get, by index; none if the plan has no users.
    pub users: Range<u32>,
}

/// How operations fall due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Load {
    /// Each session starts its next operation when its last has ended.
    Closed,
    /// Iterations fall due by the clock, whatever the target does.
    Open {
        /// Arrivals over all shards; where the level changes, its highest.
        rate: Rate,
        /// How long an arrival waits for a free session before it is dropped.
        patience: Nanos,
    },
}

/// How arrivals of the open model lie.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Spacing {
    /// At equal distances, as far as the rate stays.
    #[default]
    Even,
    /// As independent users come: a Poisson process.
    Poisson,
}

/// Arrivals that go together where pacing is efficient: those of a tick of the timing wheel.
const BATCH: Nanos = Nanos::from_millis(1);

/// A part of a workload's time that has a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stage {
    /// Its end, since the workload's start; its beginning is the end of the one before.
    pub until: Nanos,
    /// What operations due in it are recorded in.
    pub phase: Phase,
}

/// When no further operation falls due, counted from the start of the workload and the end of the
/// warm-up, whichever is later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// After a time.
    Elapsed(Nanos),
    /// After so many operations, or a time, whichever comes first.
    Operations(NonZeroU64, Nanos),
}

/// How a workload's connections are opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// Before the load.
    Ahead,
    /// By the operations that need them.
    Cold,
    /// By the operations that need them; so many sessions begin at once, then as many later.
    Paced {
        /// How many.
        count: u32,
        /// After what time the next.
        every: Nanos,
    },
}

/// How a session gets its user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strategy {
    /// Any of the shard's, anew for each iteration.
    #[default]
    Random,
    /// A group by its weight, then any of the shard's of that group, anew for each iteration.
    Weighted,
    /// Session i is user i modulo their number.
    RoundRobin,
    /// Any of the shard's, kept as long as the session lives.
    Sticky,
    /// A user of its own: no two sessions share one.
    Unique,
}

impl Workload {
    /// The shard that a session lives on: that of a user whom it may get. A user lives on the
    /// shard that is its index modulo their number.
    #[must_use]
    pub const fn home(&self, session: u32, shards: u32) -> u32 {
        let shards = if shards == 0 { 1 } else { shards };
        match self.users.end.saturating_sub(self.users.start) {
            0 => session % shards,
            users => (self.users.start + session % users) % shards,
        }
    }

    /// The sessions of a shard, by their index over all of them, in order.
    pub fn sessions_on(&self, shard: u32, shards: u32) -> impl Iterator<Item = u32> + '_ {
        (0..self.sessions).filter(move |session| self.home(*session, shards) == shard)
    }

    /// How many sessions a shard has.
    #[must_use]
    pub fn share(&self, shard: u32, shards: u32) -> u32 {
        if self.users.is_empty() {
            let shards = shards.max(1);
            return self.sessions.saturating_sub(shard).div_ceil(shards);
        }
        u32::try_from(self.sessions_on(shard, shards).count()).unwrap_or(u32::MAX)
    }

    /// The shards that have sessions of it, in order: arrivals are theirs in turn.
    pub fn homes(&self, shards: u32) -> impl Iterator<Item = u32> + '_ {
        (0..shards.max(1)).filter(move |shard| self.share(*shard, shards) > 0)
    }

    /// Connections that its sessions hold at once at most.
    #[must_use]
    pub fn connections(&self) -> u64 {
        u64::from(self.sessions) * self.channels.len() as u64
    }

    /// From the start of the load until its measured part begins.
    #[must_use]
    pub fn begins(&self, warmup: Nanos) -> Nanos {
        self.start.max(warmup)
    }

    /// From the start of the load until nothing of it falls due any more.
    #[must_use]
    pub fn end(&self, warmup: Nanos) -> Nanos {
        let (Until::Elapsed(span) | Until::Operations(_, span)) = self.until;
        self.begins(warmup) + span
    }

    /// The phase of an operation that is due at `at`, since the start of the load, if that is
    /// behind the warm-up.
    #[must_use]
    pub fn phase(&self, at: Nanos) -> Phase {
        if self.stages.is_empty() {
            return Phase::Load;
        }
        let since = at.since(self.start);
        let behind = self.stages.partition_point(|stage| stage.until <= since);
        self.stages.get(behind).map_or(Phase::Load, |stage| stage.phase)
    }

    /// The parts of the time, since the start of the load, that belong to a named phase.
    pub(super) fn windows(&self, phase: Phase) -> impl Iterator<Item = (Nanos, Nanos)> + '_ {
        let begins = std::iter::once(Nanos::ZERO).chain(self.stages.iter().map(|it| it.until));
        let windows = begins.zip(&self.stages).filter(move |(_, stage)| stage.phase == phase);
        windows.map(|(begin, stage)| (self.start + begin, self.start + stage.until))
    }

    /// The level over time, since `start`: thousandths of sessions in the closed model, of
    /// arrivals a second in the open one.
    #[must_use]
    pub fn curve(&self) -> Curve {
        match (&self.levels, self.load) {
            (Some(levels), _) => levels.clone(),
            (None, Load::Closed) => Curve::sessions(self.sessions),
            (None, Load::Open { rate, .. }) => Curve::constant(rate.milli_per_s),
        }
    }

    /// How many sessions are there over time, since `start`: of an open load, and of one whose
    /// level is found out while the run is on, always as many as there may be.
    #[must_use]
    pub fn course_of_sessions(&self) -> Curve {
        match (&self.levels, self.load) {
            (Some(levels), Load::Closed) if self.steer.is_none() => levels.clone(),
            _ => Curve::sessions(self.sessions),
        }
    }

    /// Sessions that are at work when the workload starts.
    #[must_use]
    pub fn first_sessions(&self) -> u32 {
        match (&self.levels, self.load) {
            (Some(levels), Load::Closed) => levels.sessions_at(Nanos::ZERO),
            _ => self.sessions,
        }
    }

    /// The arrivals of the open model: their schedule, counted from `start`, and their number,
    /// over all shards. A Poisson process has no such schedule: what is told is its mean.
    #[must_use]
    pub fn arrivals(&self, warmup: Nanos) -> Option<(Schedule, u64)> {
        let Load::Open { .. } = self.load else { return None };
        let quantum = match self.pacing {
            Pacing::Efficient => BATCH,
            Pacing::Timed | Pacing::Precise => Nanos::ZERO,
        };
        let schedule = Schedule::of(self.curve(), quantum);
        let count = match self.until {
            Until::Elapsed(_) => u64::MAX,
            Until::Operations(count, _) => count.get(),
        };
        let before = schedule.before(self.begins(warmup).since(self.start));
        let end = self.end(warmup).since(self.start);
        let total = before.saturating_add(count).min(schedule.before(end));
        Some((schedule, total))
    }

    /// The mean of the level over the measured part, in thousandths.
    #[must_use]
    pub fn mean_level(&self, warmup: Nanos) -> f64 {
        let (from, to) =
            (self.begins(warmup).since(self.start), self.end(warmup).since(self.start));
        let curve = self.curve();
        if to <= from {
            return curve.level(from) as f64;
        }
        (curve.area(to) - curve.area(from)) as f64 / to.since(from).0 as f64
    }
}
