//! Which arrivals of the open model are due. Pure, and without a queue: arrivals that wait are a
//! range of numbers, since the schedule tells each one's time.

use std::num::NonZeroU64;

use super::limits::WAITING;
use crate::plan::Schedule;
use crate::stdx::Nanos;

/// The arrivals of one shard: every n-th of the schedule, so that any number of shards makes the
/// same ones together.
#[derive(Debug)]
pub struct Pacer {
    schedule: Schedule,
    shard: u64,
    shards: NonZeroU64,
    patience: Nanos,
    /// The first that was neither taken nor dropped, counted in this shard's arrivals.
    next: u64,
    /// The end of this shard's arrivals.
    end: u64,
}

/// One due start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// Its number over all shards.
    pub index: u64,
    /// When it was due, from the start of the load.
    pub due: Nanos,
}

impl Pacer {
    /// The part of `shard` (from 0) of `shards`, of the first `total` arrivals of the schedule.
    #[must_use]
    pub fn new(
        schedule: Schedule,
        (shard, shards): (u32, NonZeroU64),
        total: u64,
        patience: Nanos,
    ) -> Self {
        let shard = u64::from(shard);
        let end = total.saturating_sub(shard).div_ceil(shards.get());
        Self { schedule, shard, shards, patience, next: 0, end }
    }

    /// The next arrival, taken or dropped as its time comes.
    #[must_use]
    pub fn upcoming(&self) -> Option<Arrival> {
        (self.next < self.end).then(|| {
            let index = self.shard + self.next * self.shards.get();
            Arrival { index, due: self.schedule.due(index) }
        })
    }

    /// Takes the oldest arrival that is due.
    pub fn take(&mut self, now: Nanos) -> Option<Arrival> {
        let arrival = self.upcoming().filter(|arrival| arrival.due <= now)?;
        self.next += 1;
        Some(arrival)
    }

    /// Whether an arrival for which nothing was free until `free` has lost its patience.
    #[must_use]
    pub fn is_impatient(&self, arrival: &Arrival, free: Nanos) -> bool {
        free.since(arrival.due) > self.patience
    }

    /// Whether more arrivals are due than may wait: then the oldest has to go.
    #[must_use]
    pub fn too_many_wait(&self, now: Nanos) -> bool {
        let last = self.next.saturating_add(WAITING);
        let index = self.shard.saturating_add(last.saturating_mul(self.shards.get()));
        last < self.end && self.schedule.due(index) <= now
    }

    /// When the oldest waiting arrival loses its patience.
    #[must_use]
    pub fn patience_ends(&self) -> Option<Nanos> {
        // Patience of exactly so long is still patience.
        self.upcoming().map(|arrival| arrival.due + self.patience + Nanos(1))
    }

    /// No arrival due at `from` or later comes any more.
    pub fn stop(&mut self, from: Nanos) {
        let before = self.schedule.before(from);
        let mine = before.saturating_sub(self.shard).div_ceil(self.shards.get());
        self.end = self.end.min(mine.max(self.next));
    }
}

#[cfg(test)]
mod tests {
    use super::{Arrival, Nanos, NonZeroU64, Pacer, Schedule, WAITING};
    use crate::stdx::units::Rate;

    fn pacer(rate: u64, shard: u32, shards: u64, total: u64, patience: Nanos) -> Pacer {
        let schedule = Schedule::constant(Rate { milli_per_s: rate * 1_000 });
        Pacer::new(schedule, (shard, NonZeroU64::new(shards).unwrap()), total, patience)
    }

    #[test]
    fn shards_together_make_the_whole() {
        for shards in 1..=7 {
            let mut all: Vec<Arrival> = Vec::new();
            for shard in 0..u32::try_from(shards).unwrap() {
                let mut part = pacer(1_000, shard, shards, 1_003, Nanos::MAX);
                all.extend(std::iter::from_fn(|| part.take(Nanos::MAX)));
            }
            all.sort_by_key(|arrival| arrival.index);
            let mut whole = pacer(1_000, 0, 1, 1_003, Nanos::MAX);
            assert_eq!(all, std::iter::from_fn(|| whole.take(Nanos::MAX)).collect::<Vec<_>>());
        }
    }

    #[test]
    fn patience_is_kept_exactly() {
        let mut pacer = pacer(1_000, 0, 1, 10, Nanos::from_millis(5));
        let first = pacer.upcoming().unwrap();
        let ends = pacer.patience_ends().unwrap();
        assert!(!pacer.is_impatient(&first, Nanos::from_millis(5)));
        assert!(pacer.is_impatient(&first, ends));
        assert_eq!(pacer.take(ends), Some(first));
        let second = pacer.upcoming().unwrap();
        assert!(!pacer.is_impatient(&second, ends), "it was due 1 ms later");
    }

    #[test]
    fn no_more_than_a_million_wait() {
        let mut pacer = pacer(10_000_000, 0, 1, WAITING * 2, Nanos::MAX);
        let now = Nanos::from_secs(1);
        let mut dropped = 0;
        while pacer.too_many_wait(now) {
            pacer.take(now);
            dropped += 1;
        }
        assert_eq!(dropped, WAITING, "the oldest go, a million stay");
    }

    #[test]
    fn stopping_keeps_what_was_due() {
        let mut pacer = pacer(1_000, 0, 1, 1_000, Nanos::MAX);
        pacer.stop(Nanos::from_millis(10) + Nanos(1));
        let due = std::iter::from_fn(|| pacer.take(Nanos::MAX)).count();
        assert_eq!(due, 11, "0 ms to 10 ms, both included");
    }
}
