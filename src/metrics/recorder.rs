//! What one shard records: integer adds and histogram indices, no lock, nothing shared.
//!
//! Once a second the shard hands its [`Delta`] over and goes on with an empty one that the
//! collector has given back, so that merging costs the shard nothing.

use super::catalog::{Counter, Trend};
use super::histogram::Histogram;
use super::interval::Blocks;
use super::leaf::{Leaf, LeafId};
use super::record::{Record, Records};
use crate::protocol::{Failure, Timing};
use crate::stdx::Nanos;

/// Texts kept per class of failure: enough to see a pattern, few enough to read.
pub const SAMPLES_PER_CLASS: usize = 10;

/// How an operation that was begun has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Well.
    Ok,
    /// With a failure.
    Failed(Failure),
    /// Cut off by the end of the run.
    Aborted,
}

/// Counts of a shard that belong to no single operation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShardCounts {
    /// Connections opened.
    pub connects: u64,
    /// Attempts to connect that failed.
    pub connect_failures: u64,
    /// Receives armed again after the kernel had ended them (`ENOBUFS` apart).
    pub rearmed: u64,
    /// Receives that found no buffer free: armed again, nothing lost.
    pub no_buffers: u64,
    /// Times that the completion queue overflowed: the kernel kept the rest, nothing lost. Known
    /// at the end of the run.
    pub overflows: u64,
    /// Receives with bytes on connections that awaited nothing.
    pub unasked: u64,
    /// The sum of the hashes of all arrivals: what came when to whom.
    pub order: u64,
    /// How long the shard spun on purpose.
    pub spun: Nanos,
    /// Turns of the shard's loop.
    pub turns: u64,
    /// The longest time that the shard was neither at work nor meant to wait.
    pub longest_stall: Nanos,
}

impl ShardCounts {
    /// Adds another's.
    pub fn add(&mut self, other: &Self) {
        self.connects += other.connects;
        self.connect_failures += other.connect_failures;
        self.rearmed += other.rearmed;
        self.no_buffers += other.no_buffers;
        self.overflows += other.overflows;
        self.unasked += other.unasked;
        self.order = self.order.wrapping_add(other.order);
        self.spun += other.spun;
        self.turns += other.turns;
        self.longest_stall = self.longest_stall.max(other.longest_stall);
    }
}

/// The first texts of one class of failure.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ErrorSamples {
    /// At most [`SAMPLES_PER_CLASS`].
    pub first: Vec<String>,
}

/// How often a check passed and failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CheckCount {
    /// It held.
    pub passes: u64,
    /// It did not.
    pub fails: u64,
}

/// What happened since the last hand-over. Deltas add up: any order, any grouping.
#[derive(Debug, Default)]
pub struct Delta {
    leaves: Vec<Option<Box<Leaf>>>,
    /// Counts beyond single operations.
    pub counts: ShardCounts,
    /// First texts per class of failure, indexed by [`Failure`].
    pub errors: [ErrorSamples; Failure::ALL.len()],
    /// What is counted beside operations, indexed by [`Counter`].
    pub counters: [u64; Counter::ALL.len()],
    /// What is timed beside operations; the plan says what each index is.
    pub timed: Vec<Histogram>,
    /// How often each of the plan's checks passed and failed.
    pub checks: Vec<CheckCount>,
    /// Single operations, if they are wanted. They do not add up: whoever merges deltas has taken
    /// them before.
    pub records: Records,
    /// Response times by blocks of seconds, made by whoever merges deltas.
    pub blocks: Blocks,
    /// When it was begun.
    pub from: Nanos,
    /// When it was handed over.
    pub to: Nanos,
    /// Operations in flight at `to`.
    pub in_flight: u64,
    /// Connections open at `to`.
    pub connections: u64,
    /// Whether any due arrival had to wait for a connection.
    pub starved: bool,
    /// The end of the latest operation.
    pub last_end: Nanos,
    /// The integral of operations in flight over time, in ns: from the moment that each could have
    /// left (`free`) until its end.
    pub in_flight_ns: u128,
    /// Of that, what no histogram holds between `free` and `done`, in ns: the times of operations
    /// that ended without a reply, and what messages waited for the send before them.
    pub unanswered_ns: u128,
}

impl Delta {
    /// An empty one that begins at `from`.
    #[must_use]
    pub fn from(from: Nanos) -> Self {
        Self { from, ..Self::default() }
    }

    /// The leaf, made on its first hit.
    pub fn leaf(&mut self, id: LeafId) -> &mut Leaf {
        let index = usize::from(id.0);
        if self.leaves.len() <= index {
            self.leaves.resize_with(index + 1, || None);
        }
        self.leaves[index].get_or_insert_default()
    }

    /// The leaf, if anything was recorded in it.
    #[must_use]
    pub fn get(&self, id: LeafId) -> Option<&Leaf> {
        self.leaves.get(usize::from(id.0))?.as_deref()
    }

    /// All leaves that were hit.
    pub fn leaves(&self) -> impl Iterator<Item = (LeafId, &Leaf)> {
        let ids = (0..).map(LeafId);
        ids.zip(&self.leaves).filter_map(|(id, leaf)| Some((id, leaf.as_deref()?)))
    }

    /// What was counted of one kind.
    #[must_use]
    pub const fn counter(&self, counter: Counter) -> u64 {
        self.counters[counter as usize]
    }

    /// The histogram of one index, made on its first hit.
    pub fn timed(&mut self, index: usize) -> &mut Histogram {
        if self.timed.len() <= index {
            self.timed.resize_with(index + 1, Histogram::new);
        }
        &mut self.timed[index]
    }

    /// The count of one of the plan's checks.
    pub fn check(&mut self, index: usize) -> &mut CheckCount {
        if self.checks.len() <= index {
            self.checks.resize_with(index + 1, CheckCount::default);
        }
        &mut self.checks[index]
    }

    /// Adds another's; moments widen to cover both. Gauges add up over the shards of one second;
    /// over seconds their sum means nothing and nobody reads it.
    pub fn add(&mut self, other: &Self) {
        for (id, leaf) in other.leaves() {
            self.leaf(id).add(leaf);
        }
        self.counts.add(&other.counts);
        for (mine, theirs) in self.counters.iter_mut().zip(&other.counters) {
            *mine += theirs;
        }
        for (index, theirs) in other.timed.iter().enumerate() {
            self.timed(index).add(theirs);
        }
        for (index, theirs) in other.checks.iter().enumerate() {
            let mine = self.check(index);
            mine.passes += theirs.passes;
            mine.fails += theirs.fails;
        }
        for (mine, theirs) in self.errors.iter_mut().zip(&other.errors) {
            let room = SAMPLES_PER_CLASS.saturating_sub(mine.first.len());
            mine.first.extend(theirs.first.iter().take(room).cloned());
        }
        self.from = self.from.min(other.from);
        self.to = self.to.max(other.to);
        self.in_flight += other.in_flight;
        self.connections += other.connections;
        self.starved |= other.starved;
        self.last_end = self.last_end.max(other.last_end);
        self.in_flight_ns += other.in_flight_ns;
        self.unanswered_ns += other.unanswered_ns;
    }

    /// Adds another's response times of some leaves to the block of a second, counted from the
    /// start of the load.
    pub fn block(&mut self, second: u64, other: &Self, leaves: impl Iterator<Item = LeafId>) {
        let mut times = Histogram::new();
        let leaves = leaves.filter_map(|id| other.get(id));
        leaves.for_each(|leaf| times.add(leaf.trend(Trend::Duration)));
        self.blocks.add(second, &times);
    }

    /// Empties it, keeping its memory.
    pub fn clear(&mut self) {
        self.leaves.iter_mut().flatten().for_each(|leaf| leaf.clear());
        self.timed.iter_mut().for_each(Histogram::clear);
        self.checks.fill(CheckCount::default());
        self.records.clear();
        let records = std::mem::take(&mut self.records);
        let leaves = std::mem::take(&mut self.leaves);
        let (timed, checks) = (std::mem::take(&mut self.timed), std::mem::take(&mut self.checks));
        *self = Self { leaves, timed, checks, records, ..Self::default() };
    }
}

/// One shard's recorder.
#[derive(Debug, Default)]
pub struct Recorder {
    delta: Box<Delta>,
    in_flight: u64,
    /// Until when operations in flight are in the delta's integral.
    integrated: Nanos,
    /// Whether single operations are kept.
    keeps_records: bool,
}

impl Recorder {
    /// Keeps single operations from now on.
    pub fn keep_records(&mut self) {
        self.keeps_records = true;
        self.delta.records.reserve();
    }

    /// Keeps an operation that has ended, if that is wanted.
    pub fn record(&mut self, record: impl FnOnce() -> Record) {
        if self.keeps_records {
            self.delta.records.add(record());
        }
    }

    /// An operation fell due.
    pub fn scheduled(&mut self, leaf: LeafId) {
        self.delta.leaf(leaf).tally.scheduled += 1;
    }

    /// An operation that fell due was dropped: nothing was free within its patience.
    pub fn dropped(&mut self, leaf: LeafId) {
        self.delta.leaf(leaf).tally.dropped += 1;
    }

    /// An attempt was begun.
    pub fn begun(&mut self, leaf: LeafId) {
        self.delta.leaf(leaf).tally.sent += 1;
    }

    /// The request's bytes were handed to the kernel.
    pub fn bytes_sent(&mut self, leaf: LeafId, bytes: u64) {
        self.delta.leaf(leaf).bytes_sent += bytes;
    }

    /// Bytes came that did not become a whole reply.
    pub fn bytes_lost(&mut self, leaf: LeafId, bytes: u64) {
        self.delta.leaf(leaf).bytes_received += bytes;
    }

    /// A whole reply came.
    pub fn reply(&mut self, leaf: LeafId, timing: &Timing, status: u16, bytes: u64) {
        debug_assert!(timing.adds_up(), "{timing:?}");
        let leaf = self.delta.leaf(leaf);
        leaf.reply(timing, status);
        leaf.bytes_received += bytes;
    }

    /// The answer to a message came: a reply without a status.
    pub fn answer(&mut self, leaf: LeafId, timing: &Timing) {
        debug_assert!(timing.adds_up(), "{timing:?}");
        self.delta.leaf(leaf).reply(timing, 0);
    }

    /// A whole reply came that ends no operation, because the request is sent again.
    pub fn retry(&mut self, leaf: LeafId, status: u16, bytes: u64) {
        let leaf = self.delta.leaf(leaf);
        leaf.retry(status);
        leaf.bytes_received += bytes;
    }

    /// Counts one.
    pub fn count(&mut self, counter: Counter) {
        self.delta.counters[counter as usize] += 1;
    }

    /// Records a time beside operations; the plan says what each index is.
    pub fn timed(&mut self, index: usize, span: Nanos) {
        self.delta.timed(index).record(span);
    }

    /// A check held, or did not.
    pub fn check(&mut self, index: u16, held: bool) {
        let count = self.delta.check(usize::from(index));
        count.passes += u64::from(held);
        count.fails += u64::from(!held);
    }

    /// An operation that was begun has ended.
    pub fn ended(&mut self, leaf: LeafId, end: End, at: Nanos) {
        let tally = &mut self.delta.leaf(leaf).tally;
        match end {
            End::Ok => tally.ok += 1,
            End::Failed(failure) => tally.failed[failure as usize] += 1,
            End::Aborted => tally.aborted += 1,
        }
        self.delta.last_end = self.delta.last_end.max(at);
    }

    /// An operation is in flight from `now` on; it could have left at `free`, which is not later.
    pub fn took_off(&mut self, free: Nanos, now: Nanos) {
        self.integrate(now);
        self.in_flight += 1;
        self.delta.in_flight_ns += u128::from(now.since(free).0);
    }

    /// An operation is no longer in flight, and a reply tells its times.
    pub fn landed(&mut self, now: Nanos) {
        self.integrate(now);
        debug_assert!(self.in_flight > 0, "one that never took off");
        self.in_flight -= 1;
    }

    /// An operation that could have left at `free` is no longer in flight, and has no reply.
    pub fn was_lost(&mut self, free: Nanos, now: Nanos) {
        self.landed(now);
        self.delta.unanswered_ns += u128::from(now.since(free).0);
    }

    /// An operation in flight could only leave so much later than was thought when it took off.
    pub fn waited(&mut self, span: Nanos) {
        self.delta.unanswered_ns += u128::from(span.0);
    }

    /// Operations in flight.
    #[must_use]
    pub const fn in_flight(&self) -> u64 {
        self.in_flight
    }

    /// Brings the integral of operations in flight up to `now`: the level changes at known moments
    /// only, so that one product at each of them makes it exact.
    fn integrate(&mut self, now: Nanos) {
        let span = now.since(self.integrated).0;
        self.delta.in_flight_ns += u128::from(self.in_flight) * u128::from(span);
        self.integrated = self.integrated.max(now);
    }

    /// Keeps the text of a failure, if it is among the first of its class in this delta.
    pub fn sample(&mut self, failure: Failure, text: impl FnOnce() -> String) {
        let samples = &mut self.delta.errors[failure as usize].first;
        if samples.len() < SAMPLES_PER_CLASS {
            samples.push(text());
        }
    }

    /// Counts beyond single operations.
    pub fn counts(&mut self) -> &mut ShardCounts {
        &mut self.delta.counts
    }

    /// Hands over what was recorded until `now` and goes on with `fresh`, which must be empty.
    pub fn hand_over(&mut self, fresh: Box<Delta>, now: Nanos, gauges: Gauges) -> Box<Delta> {
        self.integrate(now);
        let mut delta = std::mem::replace(&mut self.delta, fresh);
        if self.keeps_records {
            self.delta.records.reserve();
        }
        self.delta.from = now;
        delta.to = now;
        delta.in_flight = gauges.in_flight;
        delta.connections = gauges.connections;
        delta.starved = gauges.starved;
        delta
    }
}

/// What a shard holds at the moment of a hand-over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gauges {
    /// Operations in flight.
    pub in_flight: u64,
    /// Connections open.
    pub connections: u64,
    /// Whether any due arrival had to wait for a connection since the last hand-over.
    pub starved: bool,
}

#[cfg(test)]
mod tests {
    use super::{Delta, Gauges, Nanos, Recorder};

    /// Two operations: of 10 to 40, free since 5; of 20 to 50, never answered.
    #[test]
    fn the_integral_is_the_sum_of_the_times_in_flight() {
        let mut recorder = Recorder::default();
        recorder.took_off(Nanos(5), Nanos(10));
        recorder.took_off(Nanos(20), Nanos(20));
        let hand_over =
            |recorder: &mut Recorder, at| recorder.hand_over(Box::default(), at, Gauges::default());
        let first = hand_over(&mut recorder, Nanos(30));
        assert_eq!((first.in_flight_ns, first.unanswered_ns), (5 + 20 + 10, 0));
        assert_eq!(recorder.in_flight(), 2, "a hand-over changes nothing");
        recorder.landed(Nanos(40));
        recorder.was_lost(Nanos(20), Nanos(50));
        let second = hand_over(&mut recorder, Nanos(99));
        let mut sum = Delta::default();
        sum.add(&first);
        sum.add(&second);
        assert_eq!((sum.in_flight_ns, sum.unanswered_ns), (35 + 30, 30));
        assert_eq!(recorder.in_flight(), 0);
    }
}
