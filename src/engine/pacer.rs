//! Which arrivals of the open model are due. Pure, and without a queue: arrivals that wait are
//! those that nobody has taken yet, since the schedule tells each one's time.

use std::num::{NonZeroU32, NonZeroU64};

use super::limits::WAITING;
use super::sources::Sources;
use crate::plan::curve::ARRIVAL;
use crate::plan::{Curve, Schedule};
use crate::session::Assignment;
use crate::stdx::Nanos;

/// The arrivals of one shard, so that any number of shards makes the same ones together.
#[derive(Debug)]
pub struct Pacer {
    schedule: Schedule,
    patience: Nanos,
    share: Share,
    /// Where an arrival's user decides whose it is.
    owner: Option<Owner>,
    /// The first that was neither taken nor dropped.
    upcoming: Option<Arrival>,
    /// None comes from then on.
    until: Nanos,
}

/// Which arrivals are this shard's.
#[derive(Debug)]
enum Share {
    /// Every n-th from `next` on, up to a number over all shards.
    Numbered { shards: NonZeroU64, next: u64, total: u64 },
    /// Those of its sources.
    Poisson(Sources),
}

/// Arrivals are those of the shard on which their users live.
#[derive(Debug)]
pub struct Owner {
    /// How arrivals get their users, of all that there are.
    pub everyone: Assignment,
    /// The shard.
    pub shard: u32,
    /// How many there are; each of them has users and sessions.
    pub shards: NonZeroU32,
}

impl Owner {
    fn has(&self, index: u64) -> bool {
        let user = self.everyone.of_arrival(index);
        user.is_none_or(|user| user % self.shards == self.shard)
    }
}

/// One due start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// Its number over all shards.
    pub index: u64,
    /// When it was due, from the start of the workload.
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
        let share = Share::Numbered { shards, next: shard.into(), total };
        let (until, owner) = (Nanos::MAX, None);
        let mut pacer = Self { schedule, patience, share, owner, upcoming: None, until };
        pacer.look();
        pacer
    }

    /// The part of `shard` (from 0) of `shards`, of a Poisson process whose rate is that of the
    /// schedule; none of it is due at `until` or later.
    #[must_use]
    pub fn poisson(
        schedule: Schedule,
        (shard, shards): (u32, NonZeroU64),
        seed: u64,
        until: Nanos,
        patience: Nanos,
    ) -> Self {
        let sources = Sources::new(&schedule, (shard, shards), seed);
        let share = Share::Poisson(sources);
        let mut pacer = Self { schedule, patience, share, owner: None, upcoming: None, until };
        pacer.look();
        pacer
    }

    /// Of all arrivals, which are then to be this shard's alone, only those of its users.
    #[must_use]
    pub fn owned_by(mut self, owner: Owner) -> Self {
        self.owner = Some(owner);
        self.look();
        self
    }

    /// The next arrival, taken or dropped as its time comes.
    #[must_use]
    pub const fn upcoming(&self) -> Option<Arrival> {
        self.upcoming
    }

    /// Whether all arrivals that there were to be have come: no change of the rate brings more.
    #[must_use]
    pub const fn is_spent(&self) -> bool {
        match self.share {
            Share::Numbered { next, total, .. } => next >= total,
            Share::Poisson(_) => false,
        }
    }

    /// Takes the oldest arrival that is due.
    pub fn take(&mut self, now: Nanos) -> Option<Arrival> {
        let arrival = self.upcoming.filter(|arrival| arrival.due <= now)?;
        match &mut self.share {
            Share::Numbered { shards, next, .. } => *next = next.saturating_add(shards.get()),
            Share::Poisson(sources) => sources.go_on(&self.schedule),
        }
        self.look();
        Some(arrival)
    }

    /// Finds out which arrival is the next.
    fn look(&mut self) {
        let Self { schedule, share, owner, until, .. } = self;
        let has = |index| owner.as_ref().is_none_or(|owner| owner.has(index));
        let next = match share {
            Share::Numbered { next, total, shards } => {
                while *next < *total && !has(*next) {
                    *next = next.saturating_add(shards.get());
                }
                (*next < *total).then(|| (*next, schedule.due(*next)))
            }
            Share::Poisson(sources) => {
                while let Some((index, due)) = sources.first()
                    && due < *until
                    && !has(index)
                {
                    sources.go_on(schedule);
                }
                sources.first()
            }
        };
        let next = next.map(|(index, due)| Arrival { index, due });
        self.upcoming = next.filter(|arrival| arrival.due < self.until);
    }

    /// Whether an arrival for which nothing was free until `free` has lost its patience.
    #[must_use]
    pub fn is_impatient(&self, arrival: &Arrival, free: Nanos) -> bool {
        free.since(arrival.due) > self.patience
    }

    /// Whether more arrivals are due than may wait: then the oldest has to go.
    #[must_use]
    pub fn too_many_wait(&self, now: Nanos) -> bool {
        let Some(oldest) = self.upcoming else { return false };
        match &self.share {
            Share::Numbered { shards, total, .. } => {
                let last = WAITING.saturating_mul(shards.get()).saturating_add(oldest.index);
                last < *total && self.schedule.due(last) <= now
            }
            Share::Poisson(sources) => {
                let rate = self.schedule.rate();
                let waiting = rate.area(now).saturating_sub(rate.area(oldest.due)) / ARRIVAL;
                sources.part_of(waiting) > u128::from(WAITING)
            }
        }
    }

    /// When the oldest waiting arrival loses its patience.
    #[must_use]
    pub fn patience_ends(&self) -> Option<Nanos> {
        // Patience of exactly so long is still patience.
        self.upcoming.map(|arrival| arrival.due + self.patience + Nanos(1))
    }

    /// No arrival due at `from` or later comes any more.
    pub fn stop(&mut self, from: Nanos) {
        self.until = self.until.min(from);
        self.look();
    }

    /// The rate is another from a moment on that is still to come: `change` is given it to alter.
    /// Arrivals due before that moment stay as they are.
    pub fn change(&mut self, change: impl FnOnce(&mut Curve)) {
        change(self.schedule.rate_mut());
        if let Share::Poisson(sources) = &mut self.share {
            sources.reschedule(&self.schedule);
        }
        self.look();
    }
}

#[cfg(test)]
mod tests {
    use super::{Arrival, Curve, Nanos, NonZeroU64, Pacer, Schedule, WAITING};
    use crate::plan::curve::Form;
    use crate::stdx::units::Rate;

    fn pacer(rate: u64, shard: u32, shards: u64, total: u64, patience: Nanos) -> Pacer {
        let schedule = Schedule::constant(Rate { milli_per_s: rate * 1_000 });
        Pacer::new(schedule, (shard, NonZeroU64::new(shards).unwrap()), total, patience)
    }

    fn all(mut pacer: Pacer) -> Vec<Arrival> {
        std::iter::from_fn(|| pacer.take(Nanos::MAX)).collect()
    }

    #[test]
    fn shards_together_make_the_whole() {
        for shards in 1..=7 {
            let parts = (0..u32::try_from(shards).unwrap())
                .flat_map(|shard| all(pacer(1_000, shard, shards, 1_003, Nanos::MAX)));
            let mut together: Vec<Arrival> = parts.collect();
            together.sort_by_key(|arrival| arrival.index);
            assert_eq!(together, all(pacer(1_000, 0, 1, 1_003, Nanos::MAX)));
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
        assert_eq!(all(pacer).len(), 11, "0 ms to 10 ms, both included");
    }

    fn take(pacer: &mut Pacer, until: Nanos, into: &mut Vec<Arrival>) {
        into.extend(std::iter::from_fn(|| pacer.take(until)));
    }

    #[test]
    fn a_pause_moves_only_what_comes_after_it() {
        for shards in [1, 3] {
            let (at, again) = (Nanos::from_millis(100), Nanos::from_millis(250));
            let mut together = Vec::new();
            for shard in 0..u32::try_from(shards).unwrap() {
                let mut pacer = pacer(1_000, shard, shards, 400, Nanos::MAX);
                let planned = Curve::constant(1_000_000);
                take(&mut pacer, Nanos::from_millis(40), &mut together);
                pacer.change(|rate| rate.scale_from(at, &planned, 0));
                take(&mut pacer, Nanos::from_millis(200), &mut together);
                pacer.change(|rate| rate.scale_from(again, &planned, 1_000));
                together.extend(all(pacer));
            }
            together.sort_by_key(|arrival| arrival.index);
            let due: Vec<u64> = together.iter().map(|it| it.due.0 / 1_000_000).collect();
            let expected = (0..100).chain(250..550);
            assert_eq!(due, expected.collect::<Vec<_>>(), "{shards} shards");
        }
    }

    fn poisson(curve: &Curve, shard: u32, shards: u64, until: Nanos) -> Pacer {
        let schedule = Schedule::of(curve.clone(), Nanos::ZERO);
        let share = (shard, NonZeroU64::new(shards).unwrap());
        Pacer::poisson(schedule, share, 42, until, Nanos::MAX)
    }

    #[test]
    fn poisson_is_the_same_on_any_number_of_shards() {
        let curve = Curve::constant(5_000_000);
        let until = Nanos::from_secs(2);
        let whole = all(poisson(&curve, 0, 1, until));
        assert!(whole.is_sorted_by_key(|arrival| arrival.due));
        for shards in 2..=5 {
            let parts = (0..u32::try_from(shards).unwrap())
                .flat_map(|shard| all(poisson(&curve, shard, shards, until)));
            let mut together: Vec<Arrival> = parts.collect();
            together.sort_by_key(|arrival| (arrival.due, arrival.index));
            let mut whole = whole.clone();
            whole.sort_by_key(|arrival| (arrival.due, arrival.index));
            assert_eq!(together, whole, "{shards} shards");
        }
    }

    /// Kolmogorov–Smirnov: the gaps of a Poisson process are exponential.
    #[test]
    fn poisson_gaps_are_exponential() {
        let whole = all(poisson(&Curve::constant(5_000_000), 0, 1, Nanos::from_secs(4)));
        let mut gaps: Vec<f64> = whole
            .windows(2)
            .map(|pair| pair[1].due.since(pair[0].due).as_secs_f64() * 5_000.0)
            .collect();
        gaps.sort_by(f64::total_cmp);
        let count = gaps.len() as f64;
        let distance = gaps.iter().enumerate().map(|(rank, gap)| {
            let expected = 1.0 - (-gap).exp();
            (expected - rank as f64 / count).abs().max((expected - (rank + 1) as f64 / count).abs())
        });
        let distance = distance.fold(0.0, f64::max) * count.sqrt();
        // Exceeded by one honest sample in a thousand.
        assert!(distance < 1.95, "{distance} of {count} gaps");
        // 20,000 expected: four standard deviations are 566.
        assert!((19_434.0..20_566.0).contains(&count), "{count}");
    }

    /// The index of dispersion of counts is 1 for a Poisson process, and 0 for even arrivals.
    #[test]
    fn dispersion_tells_the_two_apart() {
        let dispersion = |arrivals: &[Arrival]| {
            let mut counts = vec![0.0; 400];
            for arrival in arrivals {
                counts[usize::try_from(arrival.due.0 / 10_000_000).unwrap()] += 1.0;
            }
            let mean = counts.iter().sum::<f64>() / 400.0;
            counts.iter().map(|count| (count - mean).powi(2)).sum::<f64>() / 399.0 / mean
        };
        let curve = Curve::constant(5_000_000);
        let random = dispersion(&all(poisson(&curve, 0, 1, Nanos::from_secs(4))));
        // Its standard deviation is sqrt(2 / 399) = 0.07.
        assert!((0.72..1.28).contains(&random), "{random}");
        let even = dispersion(&all(pacer(5_000, 0, 1, 20_000, Nanos::MAX)));
        assert!(even < 0.01, "{even}");
    }

    #[test]
    fn poisson_follows_a_ramp() {
        let mut curve = Curve::constant(0);
        curve.push(0, 4_000_000, Nanos::from_secs(4), Form::Straight);
        let whole = all(poisson(&curve, 0, 1, Nanos::from_secs(4)));
        // 8,000 in all, a quarter of them in the first half; four standard deviations.
        let half = whole.iter().filter(|it| it.due < Nanos::from_secs(2)).count();
        assert!((7_642..8_358).contains(&whole.len()), "{}", whole.len());
        assert!((1_821..2_179).contains(&half), "{half}");
    }
}
