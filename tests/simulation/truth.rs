//! What really happened, as the world saw it: the figures that the shards must arrive at.

use std::num::NonZeroU64;
use std::sync::Arc;

use onslaught::metrics::Tally;
use onslaught::metrics::recorder::{End, ShardCounts};
use onslaught::plan::{Load, Phase, Plan, Until};
use onslaught::protocol::Failure;
use onslaught::stdx::Nanos;
use onslaught::stdx::units::Rate;

use super::scenario::mix;

/// An operation that was begun.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Operation {
    /// Index into [`Truth::leaves`].
    pub(crate) leaf: usize,
    pub(crate) request: u16,
    pub(crate) intended: Nanos,
    /// The later of that and the moment when its slot became free.
    pub(crate) free: Nanos,
    pub(crate) begun: Nanos,
}

/// The slot that an operation begins on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) shard: usize,
    pub(crate) slot: u32,
    /// When the session's operation is due, if it has had one.
    pub(crate) due: Option<Nanos>,
    /// Since when the slot is free.
    pub(crate) free: Nanos,
}

/// What one leaf must hold.
#[derive(Default)]
pub(crate) struct Expected {
    pub(crate) tally: Tally,
    /// Failures by class that may be of another class too.
    pub(crate) unsure: [u64; Failure::ALL.len()],
    pub(crate) replies: u64,
    pub(crate) bytes_sent: u64,
    pub(crate) bytes_received: u64,
    pub(crate) connecting: u64,
    pub(crate) response: Times,
    pub(crate) blocked: Times,
    pub(crate) lag: Times,
    pub(crate) service: Times,
    pub(crate) waiting: Times,
}

/// Times of one kind, in microseconds.
#[derive(Default)]
pub(crate) struct Times {
    pub(crate) count: u64,
    pub(crate) sum: u64,
    pub(crate) longest: u64,
}

/// Everything.
pub(crate) struct Truth {
    pub(crate) plan: Arc<Plan>,
    /// When the load begins, once that is said.
    pub(crate) start: Option<Nanos>,
    /// When each shard turned first since then.
    pub(crate) first_turns: Vec<Option<Nanos>>,
    /// When nothing new was to fall due any more.
    pub(crate) stopped: Option<Nanos>,
    pub(crate) leaves: Vec<Expected>,
    pub(crate) sources: Vec<Source>,
    pub(crate) counts: ShardCounts,
    /// Completions of bodies that the kernel threw away.
    pub(crate) discards: u64,
    pub(crate) last_end: Nanos,
    /// When each request was first sent, since the start, and which one.
    pub(crate) sends: Vec<(Nanos, u16)>,
    /// When each connect was asked for.
    pub(crate) connects: Vec<Nanos>,
}

/// Where the operations of one shard come from.
pub(crate) enum Source {
    /// Open model: the number, among this shard's, of the next arrival.
    Arrivals { next: u64 },
    /// Closed model: operations begun by each session, and those of the load together.
    Sessions { turns: Vec<u64>, load: u64 },
}

impl Times {
    pub(crate) fn add(&mut self, time: Nanos) {
        self.count += 1;
        self.sum += time.as_micros();
        self.longest = self.longest.max(time.as_micros());
    }
}

impl Truth {
    pub(crate) fn new(plan: Arc<Plan>) -> Self {
        let leaves = plan.requests.len() * plan.phases().count();
        let source = |shard: u32| match plan.only().load {
            Load::Open { .. } => Source::Arrivals { next: 0 },
            Load::Closed => {
                let slots = plan.only().share(shard, plan.shards);
                let slots = usize::try_from(slots).expect("a few");
                Source::Sessions { turns: vec![0; slots], load: 0 }
            }
        };
        Self {
            start: None,
            first_turns: vec![None; plan.shards as usize],
            stopped: None,
            leaves: std::iter::repeat_with(Expected::default).take(leaves).collect(),
            sources: (0..plan.shards).map(source).collect(),
            counts: ShardCounts::default(),
            discards: 0,
            last_end: Nanos::ZERO,
            sends: Vec::new(),
            connects: Vec::new(),
            plan,
        }
    }

    /// Since the start of the load.
    pub(crate) fn since(&self, now: Nanos) -> Nanos {
        self.start.map_or(Nanos::ZERO, |start| now.since(start))
    }

    pub(crate) fn is_under_way(&self, now: Nanos) -> bool {
        self.start.is_some_and(|start| start <= now)
    }

    /// The shard begins an operation on this slot: which one that must be.
    pub(crate) fn begin(&mut self, place: Place, now: Nanos) -> Operation {
        assert!(self.is_under_way(now), "an operation before the start");
        let operation = match self.plan.only().load {
            Load::Open { .. } => self.take_arrival(place, now),
            Load::Closed => self.take_turn(place, now),
        };
        let tally = &mut self.leaves[operation.leaf].tally;
        tally.scheduled += 1;
        tally.sent += 1;
        operation
    }

    fn take_turn(&mut self, place: Place, now: Nanos) -> Operation {
        assert!(self.stopped.is_none(), "an operation after the stop");
        let Place { shard, slot, due, free } = place;
        let intended = due.or(self.start).expect("a load under way");
        assert!(self.since(intended) < self.span(), "an operation that is due after the end");
        let phase = self.plan.phase(0, self.since(intended));
        let share = self.share(shard);
        let Source::Sessions { turns, load } = &mut self.sources[shard] else {
            unreachable!("the closed model has sessions");
        };
        assert!(*load < share, "an operation beyond the number");
        *load += u64::from(phase == Phase::Load);
        let turn = &mut turns[slot as usize];
        let index = shard as u64 + u64::from(slot) * u64::from(self.plan.shards);
        let request = mix(&self.plan).choose(self.plan.seed, index, *turn);
        *turn += 1;
        let leaf = usize::from(self.plan.leaf(phase, request).0);
        Operation { leaf, request, intended, free: free.max(intended), begun: now }
    }

    fn take_arrival(&mut self, place: Place, now: Nanos) -> Operation {
        // What was not served in its patience by then is gone.
        self.drop_impatient(place.shard, now, place.free);
        let shard = place.shard;
        let Some((due, operation)) = self.upcoming(shard, now) else {
            panic!("shard {shard} begins an operation although none is left");
        };
        let since = self.since(now);
        assert!(due <= since, "shard {shard} begins at {since} what is due at {due}");
        self.pass(shard);
        Operation { free: place.free.max(operation.intended), ..operation }
    }

    /// The oldest arrival of this shard that was neither begun nor dropped.
    fn upcoming(&self, shard: usize, now: Nanos) -> Option<(Nanos, Operation)> {
        let Source::Arrivals { next } = self.sources[shard] else { return None };
        let index = shard as u64 + next * u64::from(self.plan.shards);
        let due = self.due(index);
        let stopped = self.stopped.is_some_and(|at| !self.is_due_by(due, at));
        if stopped || index >= self.arrivals() {
            return None;
        }
        let request = mix(&self.plan).choose(self.plan.seed, index, 0);
        let leaf = usize::from(self.plan.leaf(self.plan.phase(0, due), request).0);
        let intended = self.start? + due;
        Some((due, Operation { leaf, request, intended, free: intended, begun: now }))
    }

    fn is_due_by(&self, due: Nanos, at: Nanos) -> bool {
        self.start.is_some_and(|start| start <= at && due <= at.since(start))
    }

    fn pass(&mut self, shard: usize) {
        if let Source::Arrivals { next } = &mut self.sources[shard] {
            *next += 1;
        }
    }

    /// Whether an arrival waits.
    pub(crate) fn is_waiting(&self, shard: usize, now: Nanos) -> bool {
        let due = self.upcoming(shard, now).map(|(due, _)| due);
        self.is_under_way(now) && due.is_some_and(|due| due <= self.since(now))
    }

    /// Arrivals for which nothing was free within their patience are given up; `free` is when
    /// something was.
    pub(crate) fn drop_impatient(&mut self, shard: usize, now: Nanos, free: Nanos) {
        let Load::Open { patience, .. } = self.plan.only().load else { return };
        let free = self.since(free);
        while self.is_waiting(shard, now)
            && self.upcoming(shard, now).is_some_and(|(due, _)| free.since(due) > patience)
        {
            self.drop_one(shard, now);
        }
    }

    /// Nothing new falls due: what waits is given up.
    pub(crate) fn stop(&mut self, now: Nanos) {
        self.stopped.get_or_insert(now);
        for shard in 0..self.sources.len() {
            while self.is_waiting(shard, now) {
                self.drop_one(shard, now);
            }
        }
    }

    fn drop_one(&mut self, shard: usize, now: Nanos) {
        if let Some((_, operation)) = self.upcoming(shard, now) {
            let tally = &mut self.leaves[operation.leaf].tally;
            tally.scheduled += 1;
            tally.dropped += 1;
            self.pass(shard);
        }
    }

    /// An operation has ended.
    pub(crate) fn end(&mut self, operation: &Operation, end: End, now: Nanos) {
        let tally = &mut self.leaves[operation.leaf].tally;
        match end {
            End::Ok => tally.ok += 1,
            End::Failed(failure) => tally.failed[failure as usize] += 1,
            End::Aborted => tally.aborted += 1,
        }
        self.last_end = self.last_end.max(now);
    }

    /// Arrivals of a shard that were begun or dropped.
    pub(crate) fn arrived(&self, shard: usize) -> u64 {
        match self.sources[shard] {
            Source::Arrivals { next } => next,
            Source::Sessions { .. } => 0,
        }
    }

    /// Whether a shard has come to the end of its plan.
    pub(crate) fn is_exhausted(&self, shard: usize, now: Nanos) -> bool {
        if self.stopped.is_some() && matches!(self.plan.only().load, Load::Closed) {
            return true;
        }
        match &self.sources[shard] {
            Source::Arrivals { .. } => self.upcoming(shard, now).is_none(),
            Source::Sessions { load, .. } => {
                self.since(now) >= self.span() || *load >= self.share(shard)
            }
        }
    }

    /// How long operations fall due.
    pub(crate) fn span(&self) -> Nanos {
        let (Until::Elapsed(span) | Until::Operations(_, span)) = self.plan.only().until;
        self.plan.warmup + span
    }

    /// The operations of one shard in the closed model, those of the warm-up aside.
    fn share(&self, shard: usize) -> u64 {
        let count = self.count().map_or(u64::MAX, NonZeroU64::get);
        count.saturating_sub(shard as u64).div_ceil(u64::from(self.plan.shards))
    }

    fn count(&self) -> Option<NonZeroU64> {
        match self.plan.only().until {
            Until::Elapsed(_) => None,
            Until::Operations(count, _) => Some(count),
        }
    }

    /// When the arrival with this index is due, since the start: index / rate, rounded down.
    fn due(&self, index: u64) -> Nanos {
        let Load::Open { rate: Rate { milli_per_s }, .. } = self.plan.only().load else {
            unreachable!("the open model has a rate");
        };
        let at = u128::from(index) * 1_000_000_000_000 / u128::from(milli_per_s);
        Nanos(u64::try_from(at).expect("a short run"))
    }

    /// How many arrivals there are.
    fn arrivals(&self) -> u64 {
        let before = |at: Nanos| {
            let mut count = at.0 / self.due(1).0.max(1);
            while self.due(count) < at {
                count += 1;
            }
            while count > 0 && self.due(count - 1) >= at {
                count -= 1;
            }
            count
        };
        let counted = self.count().map_or(u64::MAX, |count| before(self.plan.warmup) + count.get());
        before(self.span()).min(counted)
    }
}
