//! Holds what was recorded to what really happened.

use onslaught::metrics::catalog::Trend;
use onslaught::metrics::{Leaf, LeafId, Tally};
use onslaught::plan::{Load, Phase, Until};
use onslaught::protocol::Failure;
use onslaught::stdx::Nanos;
use onslaught::verdict::trust::Little;

use super::run::Finished;
use super::truth::{Expected, Times};

/// What histograms may put a sum off by.
const A_THOUSANDTH: f64 = 0.001;

impl Finished {
    /// Fails at the first figure that differs from the truth.
    pub(crate) fn check(&self) {
        for (id, leaf) in self.total.leaves() {
            leaf.tally.reconcile().unwrap_or_else(|wrong| panic!("{id:?}: {wrong}"));
            adds_up(leaf);
        }
        for (index, expected) in self.truth.leaves.iter().enumerate() {
            let id = LeafId(u16::try_from(index).expect("a few"));
            let none = Leaf::default();
            let leaf = self.total.get(id).unwrap_or(&none);
            same_tally(id, &leaf.tally, expected);
            same_replies(id, leaf, expected);
            same_times(id, leaf, expected);
        }
        self.check_counts();
        self.check_number();
    }

    fn check_counts(&self) {
        let (found, truth) = (&self.total.counts, &self.truth.counts);
        assert_eq!(found.connects, truth.connects, "connects");
        assert_eq!(found.connect_failures, truth.connect_failures, "connects that failed");
        assert_eq!(found.no_buffers, truth.no_buffers, "receives without a buffer");
        assert_eq!(found.unasked, truth.unasked, "bytes that nobody asked for");
        assert_eq!(self.total.last_end, self.truth.last_end, "the last end");
        let little = Little::of(&self.total, Nanos::ZERO);
        assert!(little.off() <= A_THOUSANDTH, "Little's law: {little:?}");
    }

    /// A number of operations that was asked for is exact, unless time or an order came first.
    /// That of the open model is held to its schedule, arrival by arrival.
    fn check_number(&self) {
        let (Until::Operations(count, _), Load::Closed) =
            (self.plan.only().until, self.plan.only().load)
        else {
            return;
        };
        let load = self.plan.leaves(Phase::Load).filter_map(|(_, leaf)| self.total.get(leaf));
        let scheduled: u64 = load.map(|leaf| leaf.tally.scheduled).sum();
        assert!(scheduled <= count.get(), "{scheduled} of {count} operations");
        let whole = self.truth.since(self.ended_at) < self.truth.span();
        if whole && self.truth.stopped.is_none() {
            assert_eq!(scheduled, count.get(), "operations of the load");
        }
    }

    /// The sum of all leaves.
    pub(crate) fn tally(&self) -> Tally {
        let mut sum = Tally::default();
        self.total.leaves().for_each(|(_, leaf)| sum.add(&leaf.tally));
        sum
    }
}

fn same_tally(id: LeafId, found: &Tally, expected: &Expected) {
    let truth = &expected.tally;
    let numbers = |tally: &Tally| {
        let Tally { scheduled, sent, ok, aborted, dropped, shed, .. } = *tally;
        (scheduled, sent, ok, tally.failures(), aborted, dropped, shed)
    };
    assert!(
        numbers(found) == numbers(truth),
        "{id:?}: recorded {found:?}\nwhile the truth is {truth:?}"
    );
    for failure in Failure::ALL {
        let (is, should) = (found.failed_by(failure), truth.failed_by(failure));
        let unsure = expected.unsure[failure as usize];
        let key = failure.key();
        assert!(is.abs_diff(should) <= unsure, "{id:?}: {is} instead of {should} {key}");
    }
}

fn same_replies(id: LeafId, leaf: &Leaf, expected: &Expected) {
    assert_eq!(leaf.replies, expected.replies, "{id:?}: replies");
    let statuses: u64 = leaf.statuses().map(|(_, count)| count).sum();
    assert_eq!(statuses, expected.replies, "{id:?}: statuses");
    assert_eq!(leaf.bytes_sent, expected.bytes_sent, "{id:?}: bytes sent");
    assert_eq!(leaf.bytes_received, expected.bytes_received, "{id:?}: bytes received");
    for trend in Trend::ALL {
        let connecting = trend == Trend::Connecting;
        let replies = if connecting { expected.connecting } else { expected.replies };
        let recorded = leaf.trend(trend).count() + leaf.trend(trend).out_of_range();
        assert_eq!(recorded, replies, "{id:?}: {}", trend.name());
    }
}

fn same_times(id: LeafId, leaf: &Leaf, expected: &Expected) {
    let compare = |trend: Trend, times: &Times| {
        let (_, mean, longest) = leaf.trend(trend).min_mean_max();
        let sum = mean * as_f64(leaf.trend(trend).count());
        let name = trend.name();
        let near = longest.abs_diff(times.longest) <= 2 + times.longest / 500;
        assert!(near, "{id:?}: longest {name} {longest}, not {}", times.longest);
        let slack = 2.0 * as_f64(times.count) + as_f64(times.sum) / 500.0;
        let near = (sum - as_f64(times.sum)).abs() <= slack;
        assert!(near, "{id:?}: the sum of {name} is {sum}, not {}", times.sum);
    };
    compare(Trend::Duration, &expected.response);
    compare(Trend::Service, &expected.service);
    compare(Trend::Waiting, &expected.waiting);
    compare(Trend::Blocked, &expected.blocked);
    compare(Trend::Lag, &expected.lag);
}

/// response = blocked + connect + lag + service, in the mean.
fn adds_up(leaf: &Leaf) {
    let sum = |trend: Trend| {
        let (_, mean, _) = leaf.trend(trend).min_mean_max();
        mean * as_f64(leaf.trend(trend).count())
    };
    let parts = [Trend::Blocked, Trend::Connecting, Trend::Lag, Trend::Service].map(sum);
    let (parts, whole) = (parts.iter().sum::<f64>(), sum(Trend::Duration));
    let slack = 8.0 * as_f64(leaf.replies) + whole / 300.0;
    assert!((parts - whole).abs() <= slack, "the parts are {parts} us and the whole {whole} us");
}

#[expect(clippy::cast_precision_loss, reason = "sums of microseconds of a short run")]
pub(crate) const fn as_f64(number: u64) -> f64 {
    number as f64
}
