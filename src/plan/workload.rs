//! A load, and what is done under it.

use std::num::NonZeroU64;
use std::ops::Range;

use super::{Fleet, Program, Schedule};
use crate::stdx::Nanos;
use crate::stdx::units::Rate;

/// A load and what is done under it.
#[derive(Clone, Debug)]
pub struct Workload {
    /// Its key under `by.workload`.
    pub name: String,
    /// How operations fall due.
    pub load: Load,
    /// Sessions over all shards. Closed model: virtual users; open model: the most at once.
    pub sessions: u32,
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
        /// Arrivals over all shards.
        rate: Rate,
        /// How long an arrival waits for a free session before it is dropped.
        patience: Nanos,
    },
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

    /// The arrivals of the open model: their schedule, counted from `start`, and their number,
    /// over all shards.
    #[must_use]
    pub fn arrivals(&self, warmup: Nanos) -> Option<(Schedule, u64)> {
        let Load::Open { rate, .. } = self.load else { return None };
        let schedule = Schedule::constant(rate);
        let count = match self.until {
            Until::Elapsed(_) => u64::MAX,
            Until::Operations(count, _) => count.get(),
        };
        let before = schedule.before(self.begins(warmup).since(self.start));
        let end = self.end(warmup).since(self.start);
        Some((schedule, before.saturating_add(count).min(schedule.before(end))))
    }
}
