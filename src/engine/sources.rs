//! A Poisson process as the union of many: each source is one of its own, of an equal part of the
//! rate, and belongs to one shard.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::num::NonZeroU64;

use crate::plan::Schedule;
use crate::plan::curve::ARRIVAL;
use crate::stdx::{Nanos, rng};

/// How many sources there are, whatever the number of shards: enough for 64 shards to have equal
/// parts, few enough that a shard's are found in a heap of 100 KiB.
const SOURCES: u64 = 4_096;

/// Keeps the choices of arrivals apart from others.
const GAPS: u64 = 0x6761_7073;

/// The sources of one shard.
#[derive(Debug)]
pub(super) struct Sources {
    seed: u64,
    shards: NonZeroU64,
    /// The next arrival of each, the earliest first.
    next: BinaryHeap<Reverse<Next>>,
}

/// The next arrival of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Next {
    due: Nanos,
    source: u64,
    /// Its number among those of its source.
    turn: u64,
    /// The area under the rate of all sources until it.
    area: u128,
}

impl Sources {
    pub(super) fn new(schedule: &Schedule, (shard, shards): (u32, NonZeroU64), seed: u64) -> Self {
        let mut sources = Self { seed: seed ^ GAPS, shards, next: BinaryHeap::new() };
        let mine = (u64::from(shard)..SOURCES).step_by(usize::try_from(shards.get()).unwrap_or(1));
        let firsts = mine.map(|source| {
            let area = sources.gap(source, 0);
            Reverse(Next {
                due: schedule.rounded(schedule.rate().time(area)),
                source,
                turn: 0,
                area,
            })
        });
        sources.next = firsts.collect();
        sources
    }

    /// The earliest arrival: its number over all shards, and when it is due.
    pub(super) fn first(&self) -> Option<(u64, Nanos)> {
        let Reverse(Next { due, source, turn, .. }) = self.next.peek()?;
        Some((turn.saturating_mul(SOURCES).saturating_add(*source), *due))
    }

    /// The earliest arrival is taken.
    pub(super) fn go_on(&mut self, schedule: &Schedule) {
        let Some(Reverse(Next { source, turn, area, .. })) = self.next.pop() else { return };
        let turn = turn + 1;
        let area = area.saturating_add(self.gap(source, turn));
        let due = schedule.rounded(schedule.rate().time(area));
        self.next.push(Reverse(Next { due, source, turn, area }));
    }

    /// The rate has changed.
    pub(super) fn reschedule(&mut self, schedule: &Schedule) {
        let next = std::mem::take(&mut self.next).into_iter().map(|Reverse(next)| {
            Reverse(Next { due: schedule.rounded(schedule.rate().time(next.area)), ..next })
        });
        self.next = next.collect();
    }

    /// This shard's part of so many arrivals.
    pub(super) fn part_of(&self, arrivals: u128) -> u128 {
        arrivals / u128::from(self.shards.get())
    }

    /// The area between two arrivals of a source: exponential, of the mean of one arrival of this
    /// source, and a function of the seed and its number alone.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "not negative, and far below 2^128"
    )]
    fn gap(&self, source: u64, turn: u64) -> u128 {
        // In (0, 1]: the logarithm of nothing is none.
        let uniform =
            (rng::choice(self.seed, source, turn, 1 << 53) + 1) as f64 / (1_u64 << 53) as f64;
        (-uniform.ln() * (SOURCES as f64) * ARRIVAL as f64) as u128
    }
}
