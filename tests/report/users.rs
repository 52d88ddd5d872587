//! How single users fared: who is told of, and that nobody is told of who was not measured.

use onslaught::metrics::Tails;
use onslaught::metrics::recorder::End;
use onslaught::protocol::Failure;
use onslaught::report::document::{ByUser, UserRow};
use onslaught::report::{Colour, Latency, text};
use onslaught::stdx::Nanos;

use crate::fixture::Fixture;
use crate::forge::{FAILING, SLOW, forge};

/// The report's users, from those of one shard alone: no law is held to half of a run.
fn told(tails: Tails) -> ByUser {
    let mut fixture = forge();
    fixture.outcome.tails = vec![tails];
    fixture.report().document.by.user
}

fn ends(tails: &mut Tails, user: u32, count: u64, ms: u64) {
    let took = Nanos::from_millis(ms);
    (0..count).for_each(|_| tails.ended(user, End::Ok, Some((200, took))));
}

fn fails(tails: &mut Tails, user: u32, count: u64) {
    let refused = End::Failed(Failure::Status);
    let took = Nanos::from_millis(1);
    (0..count).for_each(|_| tails.ended(user, refused, Some((403, took))));
}

fn users(rows: &[UserRow]) -> Vec<u64> {
    rows.iter().map(|row| row.user).collect()
}

#[test]
fn the_slow_and_the_failing_are_named() {
    let fixture = forge();
    let report = fixture.report();
    let by = &report.document.by.user;
    let [slow, .., last] = &by.worst[..] else { panic!("{by:?}") };
    assert_eq!((slow.user, slow.name.as_str()), (SLOW.into(), "loadtest7@example.com"));
    assert_eq!((slow.failed, slow.statuses["403"]), (0, 0));
    // 362 or 363 operations are too few for a p99, so it is ranked by its p95.
    assert_eq!(slow.thin, ["p99"]);
    assert!(last.p95 < slow.p95 / 20.0, "{by:?}");
    let failing = by.worst.iter().find(|row| row.user == u64::from(FAILING)).expect("told");
    assert_eq!((failing.failed, failing.statuses["403"]), (20, 20));
    assert_eq!((by.users, by.active, by.kept_apart, by.spread_of), (20, 20, 20, 20));
    assert_eq!(by.worst_p95_ms, Some(slow.p95));
    assert!(by.median_p95_ms.is_some_and(|median| median < slow.p95 / 20.0), "{by:?}");
    let text = text::summary(&report, Latency::Brief, Colour::Plain);
    assert!(text.contains("slowest     loadtest7@example.com: p95 "), "{text}");
    assert!(text.contains("failing     loadtest14@example.com: 20 of "), "{text}");
}

#[test]
fn first_the_slowest_then_those_that_failed_most() {
    let mut tails = Tails::new(20, 1, 20);
    for user in 0..20 {
        ends(&mut tails, user, 1_000, 1 + u64::from(user));
    }
    fails(&mut tails, 2, 5);
    fails(&mut tails, 3, 7);
    fails(&mut tails, 19, 6);
    let by = told(tails);
    assert_eq!(users(&by.worst), [19, 18, 17, 16, 15, 3, 2, 14, 13, 12]);
    // The lower one of the two in the middle: 10 ms, as far as a sketch can tell.
    let median = by.median_p95_ms.expect("enough times");
    assert!((median / 10.0 - 1.0).abs() < 0.087, "{median}");
}

#[test]
fn whoever_has_too_few_times_is_ranked_by_less() {
    let mut tails = Tails::new(6, 1, 6);
    ends(&mut tails, 0, 1_000, 2);
    // A p99 and a p95 of few times are of no use, a median of 20 is.
    ends(&mut tails, 1, 20, 900);
    ends(&mut tails, 2, 19, 5_000);
    ends(&mut tails, 3, 200, 30);
    let by = told(tails);
    assert_eq!(users(&by.worst), [1, 3, 0, 2]);
    let thin: Vec<_> = by.worst.iter().map(|row| row.thin.join(" ")).collect();
    assert_eq!(thin, ["p95 p99", "p99", "", "med p95 p99"]);
    assert_eq!((by.active, by.spread_of), (4, 2));
}

#[test]
fn users_beyond_the_limit_are_counted_together() {
    let mut tails = Tails::new(5, 1, 2);
    for user in [3, 1, 4, 0, 4] {
        ends(&mut tails, user, 1, 1);
    }
    let by = told(tails);
    assert_eq!((by.users, by.active, by.kept_apart, by.operations_together), (20, 4, 2, 3));
    assert_eq!(users(&by.worst), [1, 3]);
    assert_eq!((by.spread_of, by.median_p95_ms, by.worst_p95_ms), (0, None, None));
}

#[test]
fn without_users_there_is_nothing_to_tell() {
    assert_eq!(Fixture::mixed().report().document.by.user, ByUser::default());
}

#[test]
fn operations_of_users_that_do_not_add_up_fail_the_run() {
    let mut fixture = forge();
    fixture.outcome.tails[0].ended(0, End::Ok, None);
    let report = fixture.report();
    let error = report.error.as_deref().unwrap_or_default();
    assert!(error.contains("operations of users"), "{error}");
}
