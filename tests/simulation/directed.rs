//! Runs with one thing happening to them, and the exact figures that follow from it.

use http::Method;
use onslaught::metrics::{Histogram, Trend};
use onslaught::plan::{Load, Plan, Until, Workload};
use onslaught::protocol::Failure;
use onslaught::stdx::Nanos;

use super::run::{Finished, run};
use super::scenario::{Scenario, open, request, simple_plan};
use super::world::Words;

/// When what happens happens: ten seconds in, for one second.
const MOMENT: (Nanos, Nanos) = (Nanos::from_secs(10), Nanos::from_secs(11));
/// What the target takes for a reply.
const WORK: Nanos = Nanos::from_micros(50);
/// What the kernel of the simulation adds to anything, several times over.
const LAGS: Nanos = Nanos::from_micros(2);

fn finish(scenario: Scenario) -> Finished {
    let finished = run(scenario, Words::None);
    finished.check();
    finished
}

/// 30 s of a constant 1000/s on so many connections, to a target that answers in 50 us.
fn thousand_a_second(connections: u32) -> Scenario {
    let mut scenario = Scenario::calm(simple_plan(open(1_000), connections, 30));
    scenario.target.work = (WORK, WORK);
    scenario
}

impl Finished {
    /// A trend over all leaves.
    fn trend(&self, trend: Trend) -> Histogram {
        let mut sum = Histogram::new();
        self.total.leaves().for_each(|(_, leaf)| sum.add(leaf.trend(trend)));
        sum
    }

    /// Holds a quantile to milliseconds ± 1 %.
    #[track_caller]
    fn assert_near(&self, trend: Trend, quantile: f64, millis: u64) {
        let found = self.trend(trend).at(quantile);
        let expected = Nanos::from_millis(millis);
        let near = found.0.abs_diff(expected.0) <= expected.0 / 100;
        assert!(near, "{} at {quantile} is {found}, not {expected}", trend.name());
    }

    /// Holds a quantile to less than a millisecond.
    #[track_caller]
    fn assert_untouched(&self, trend: Trend, quantile: f64) {
        let found = self.trend(trend).at(quantile);
        let untouched = found < Nanos::from_millis(1);
        assert!(untouched, "{} at {quantile} is {found}", trend.name());
    }
}

/// The arrivals of the standstill wait for what is left of it: of 30 000, 1000 wait evenly between
/// a second and nothing. The 300 longest waits (p99) are those above 0.70 s, the 30 longest
/// (p99.9) those above 0.97 s.
///
/// 16 connections carry the first 16 of them, which is all that service time gets to see: fewer
/// than the 30 that p99.9 is about. The other 984 are blocked meanwhile, the first 300 of these
/// for more than 0.684 s.
#[test]
fn a_target_that_stands_still_shows_in_the_response_and_not_in_the_service() {
    let mut scenario = thousand_a_second(16);
    scenario.target.frozen = Some(MOMENT);
    let finished = finish(scenario);
    assert_eq!(finished.tally().ok, 30_000, "the schedule never moves");
    finished.assert_near(Trend::Duration, 0.99, 700);
    finished.assert_near(Trend::Duration, 0.999, 970);
    finished.assert_untouched(Trend::Duration, 0.9);
    finished.assert_untouched(Trend::Service, 0.999);
    finished.assert_near(Trend::Service, 1.0, 1_000);
    finished.assert_near(Trend::Blocked, 0.99, 684);
    finished.assert_untouched(Trend::Lag, 1.0);
}

/// The same with 256 connections: they carry the 256 oldest arrivals, whose service takes 1.000 to
/// 0.744 s. That is less than the 300 that p99 of the service time is about, and more than the 30
/// of p99.9, which is 0.97 s there too.
#[test]
fn many_connections_carry_more_of_a_standstill() {
    let mut scenario = thousand_a_second(256);
    scenario.target.frozen = Some(MOMENT);
    let finished = finish(scenario);
    finished.assert_near(Trend::Duration, 0.99, 700);
    finished.assert_near(Trend::Duration, 0.999, 970);
    finished.assert_untouched(Trend::Duration, 0.9);
    finished.assert_untouched(Trend::Service, 0.99);
    finished.assert_near(Trend::Service, 0.999, 970);
}

/// A generator that stands still finds a thousand arrivals overdue, and a free connection for each
/// of them: all of that is its own lag. At most one request was under way when it stopped, so
/// that service time shows nothing.
#[test]
fn a_generator_that_stands_still_shows_in_the_lag_and_not_in_the_service() {
    let mut scenario = thousand_a_second(1_200);
    scenario.course.stopped = vec![MOMENT];
    let finished = finish(scenario);
    assert_eq!(finished.tally().ok, 30_000, "none is skipped");
    finished.assert_near(Trend::Duration, 0.99, 700);
    finished.assert_near(Trend::Lag, 0.99, 700);
    finished.assert_near(Trend::Lag, 0.999, 970);
    finished.assert_untouched(Trend::Lag, 0.9);
    finished.assert_untouched(Trend::Service, 0.9999);
    finished.assert_untouched(Trend::Blocked, 1.0);
}

/// A delay that is known is found, within a bucket of the histogram (0.1 %).
#[test]
fn a_known_delay_is_found() {
    for delay in [500, 1_000, 5_000, 50_000].map(Nanos::from_micros) {
        let mut scenario = thousand_a_second(100);
        scenario.target.work = (delay, delay);
        let finished = finish(scenario);
        for trend in [Trend::Duration, Trend::Service, Trend::Waiting] {
            for quantile in [0.0, 0.5, 0.99, 0.999, 1.0] {
                let found = finished.trend(trend).at(quantile);
                let near = found.0.abs_diff(delay.0) <= delay.0 / 1_000 + LAGS.0;
                assert!(near, "{} at {quantile} is {found}, not {delay}", trend.name());
            }
        }
    }
}

/// 20 sessions against a target that is away from 3 s to 8 s.
///
/// The pauses of one session are at least half of 10, 20, 40 … 640 ms and 1 s: eight attempts
/// take 5 + 10 + … + 320 = 635 ms, after which there are at most two in any second. A
/// session's first failure is of the connection that broke, not of connecting, and costs no pause.
#[test]
fn a_target_that_is_away_is_not_stormed() {
    let sessions = 20;
    let mut scenario = Scenario::calm(simple_plan(Load::Closed, 20, 12));
    scenario.target.work = (Nanos::from_millis(5), Nanos::from_millis(5));
    scenario.target.outages = vec![(Nanos::from_secs(3), Nanos::from_secs(8))];
    let finished = finish(scenario);
    let connects = |from: u64, to: u64| {
        let within = Nanos::from_millis(from)..Nanos::from_millis(to);
        finished.truth.connects.iter().filter(|at| within.contains(at)).count()
    };
    assert_eq!(connects(0, 3_000), sessions, "connections stay");
    assert!(connects(3_000, 3_635) <= 9 * sessions, "{} at first", connects(3_000, 3_635));
    for from in (3_635..7_000).step_by(100) {
        let second = connects(from, from + 1_000);
        assert!(second <= 2 * sessions, "{second} connects in the second from {from} ms");
        assert!(second >= sessions, "{second} connects: a session waits longer than a second");
    }
    assert_eq!(connects(9_100, 12_100), 0, "a second after the return all are back");
    let tally = finished.tally();
    let away = tally.failed_by(Failure::Refused);
    assert_eq!(away + sessions as u64, tally.sent - tally.ok, "refused, or broken when it went");
}

/// What is due when does not depend on the number of shards.
#[test]
fn any_number_of_shards_makes_the_same_arrivals() {
    let sends = |shards: u32| {
        let simple = simple_plan(open(700), 40, 5);
        let requests = (0..).zip([1, 10, 3]);
        let requests =
            requests.map(|(index, weight)| (weight, request(index, Method::GET, 0, false)));
        let target = simple.targets[0].clone();
        let mut plan = Plan::of_requests("simulated", target, requests.collect());
        let workload = simple.only().clone();
        let program = std::mem::take(&mut plan.only_mut().program);
        plan.workloads = vec![Workload { program, ..workload }];
        (plan.warmup, plan.shards) = (Nanos::from_millis(300), shards);
        let mut sends = finish(Scenario::calm(plan)).truth.sends;
        sends.sort_unstable();
        sends
    };
    let whole = sends(1);
    let due = (0..3_710).map(|index| Nanos(index * 1_000_000_000 / 700));
    assert_eq!(whole.iter().map(|(at, _)| *at).collect::<Vec<_>>(), due.collect::<Vec<_>>());
    for shards in 2..=4 {
        assert_eq!(whole, sends(shards), "{shards} shards");
    }
}

/// A stop that comes behind the start, but before a late shard has turned: what was due by then
/// was never begun, and is dropped.
#[test]
fn a_stop_before_the_first_turn_drops_what_was_due() {
    let mut scenario = thousand_a_second(50);
    scenario.course.stopped = vec![(Nanos::from_millis(1), Nanos::from_millis(40))];
    scenario.course.drain_at = Some(Nanos::from_millis(20));
    let finished = finish(scenario);
    // Due when the load begins, just after 2 ms, and every millisecond from there.
    assert_eq!(finished.tally().dropped, 18);
    assert!(finished.ended_at < Nanos::from_millis(50), "ended at {}", finished.ended_at);
}

/// A million operations or a time, whichever comes first.
#[test]
fn a_number_of_operations_is_exact_over_any_shards() {
    for shards in 1..=4 {
        let count = 1_003.try_into().expect("not zero");
        let until = Until::Operations(count, Nanos::from_secs(60));
        let mut plan = simple_plan(Load::Closed, 13, 60);
        plan.only_mut().until = until;
        let finished = finish(Scenario::calm(Plan { shards, ..plan }));
        assert_eq!(finished.tally().ok, 1_003, "{shards} shards");
    }
}
