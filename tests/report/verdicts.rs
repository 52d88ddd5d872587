//! Thresholds, from what a user writes to the exit code.

use onslaught::engine::outcome::Ended;
use onslaught::metrics::Delta;
use onslaught::plan::{Load, Phase, Plan};
use onslaught::protocol::Failure;
use onslaught::report::document::{ThresholdRow, Verdict};
use onslaught::report::{Colour, Latency, junit, text};
use onslaught::stdx::Nanos;
use onslaught::verdict::trust::load_of;
use onslaught::verdict::windows::Windows;

use crate::fixture::Fixture;
use crate::forge::{OPEN, PING, forge, thresholds};

/// What becomes of one threshold.
fn row(fixture: &mut Fixture, threshold: &str) -> ThresholdRow {
    fixture.plan.thresholds = thresholds(&[threshold]);
    let rows = fixture.report().document.thresholds;
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].text, threshold);
    rows[0].clone()
}

#[test]
fn values_are_what_a_hand_computes() {
    let mut fixture = forge();
    // 20 openings of 1,000 to 1,019 us, 40 pings of 1,000 to 1,039 us; the run took 10.004 s.
    let cases = [
        ("ws_connecting avg < 1.01ms", 1.009_5, "ms", 20, true),
        ("ws_connecting med <= 1010us", 1.009, "ms", 20, true),
        ("ws_connecting max < 1.019ms", 1.019, "ms", 20, false),
        ("ws_ping min == 1ms", 1.0, "ms", 40, true),
        ("ws_ping count > 40", 40.0, "", 40, false),
        ("ws_sessions count >= 20", 20.0, "", 20, true),
        ("ws_sessions rate > 2/s", 1.999_2, "/s", 20, false),
        ("users_created count != 18", 18.0, "", 18, false),
        ("checks rate >= 99.7%", 0.996_988, "share", 1_992, false),
        ("checks{name:id of create-task} rate == 1", 1.0, "share", 996, true),
        ("vus max < 76", 75.0, "", 1, true),
        ("vus{workload:status} max < 21", 20.0, "", 1, true),
        ("http_reqs{phase:warmup} count == 500", 500.0, "", 500, true),
        ("http_reqs{phase:warmup} rate == 500/s", 500.0, "/s", 500, true),
        ("http_reqs{group:profile} count == 200", 200.0, "", 200, true),
        ("http_req_failed{name:create-task} rate < 0.6%", 5.0 / 998.0, "share", 998, true),
        // 2 timeouts, 18 times 404, 3 times 401, 1 WebSocket.
        ("errors_total count < 100", 21.0, "", 21, true),
        ("group_duration{group:profile} min == 2ms", 2.0, "ms", 200, true),
        ("task_completion min < 2 * ws_msg_latency min", 50.0, "ms", 900, false),
        ("task_completion min < 51 * ws_msg_latency min", 50.0, "ms", 900, true),
    ];
    for (text, value, unit, samples, passed) in cases {
        let row = row(&mut fixture, text);
        let found = row.value.unwrap_or_else(|| panic!("{text}: {row:?}"));
        // A histogram is exact to a thousandth.
        assert!((found - value).abs() <= value * 1e-3, "{text}: {found}");
        assert_eq!((row.unit.as_str(), row.samples), (unit, samples), "{text}");
        assert_eq!((row.passed, row.reason), (passed, None), "{text}");
    }
}

#[test]
fn values_agree_with_the_metrics() {
    let mut fixture = forge();
    let metrics = fixture.report().document.metrics;
    let p95 = row(&mut fixture, "http_req_duration p(95) < 1s").value;
    assert_eq!(p95, Some(metrics.times("http_req_duration").p95));
    let failed = row(&mut fixture, "http_req_failed rate < 1%").value;
    assert_eq!(failed, Some(metrics.rate("http_req_failed").rate));
    fixture.outcome.total.counts.connect_failures = 3;
    let connects = row(&mut fixture, "connects_failed count < 3");
    assert_eq!((connects.value, connects.passed), (Some(3.0), false));
}

#[test]
fn no_data_is_no_pass() {
    let mut fixture = forge();
    let cases = [
        ("ws_connecting p(99) < 1s", "20 samples, p(99) needs 1000", 20),
        ("ws_connecting p(51) < 1s", "20 samples, p(51) needs 21", 20),
        ("ws_connecting p(95) < 1s min_samples 21", "20 of the 21 samples", 20),
        ("http_req_duration{name:nobody} p(95) < 1s", "no name called nobody", 0),
        ("http_req_duration{phase:peak} p(95) < 1s", "no phase called peak", 0),
        ("http_req_duration{name:GET /me,workload:api} avg < 1s", "all labels", 0),
        ("nonsense count < 1", "no metric nonsense", 0),
        ("logins{workload:api} count < 1", "not told apart", 0),
        ("http_req_duration rate < 1", "no rate", 0),
        ("checks{name:never} rate == 1", "no samples", 0),
        ("task_completion avg < 2 * ws_ping p(99)", "nothing to compare with", 900),
    ];
    for (text, reason, samples) in cases {
        let row = row(&mut fixture, text);
        assert!(!row.passed, "{text}");
        let why = row.reason.expect("a reason");
        assert!(why.contains(reason), "{text}: {why}");
        assert_eq!(row.samples, samples, "{text}");
        assert_eq!(fixture.report().exit.code(), 99, "{text}");
    }
}

#[test]
fn the_user_may_say_what_suffices() {
    let mut fixture = forge();
    assert!(row(&mut fixture, "ws_connecting p(99) < 1s min_samples 20").passed);
    assert!(row(&mut fixture, "ws_connecting p(50) < 1s").passed, "ten are slower");
    assert!(row(&mut fixture, "ws_connecting p(100) < 1s").passed, "the longest is no estimate");
    let empty = "checks{name:never} rate == 1 allow_empty";
    assert!(row(&mut fixture, empty).passed);
    let few = row(&mut fixture, "ws_connecting p(99) < 1s allow_empty");
    assert!(!few.passed, "few are not none");
}

#[test]
fn the_first_code_that_applies_wins() {
    let code = |change: &dyn Fn(&mut Fixture)| {
        let mut fixture = forge();
        change(&mut fixture);
        let report = fixture.report();
        (report.exit.code(), report.document.verdict)
    };
    let good = |fixture: &mut Fixture| {
        fixture.plan.thresholds = thresholds(&["http_req_failed rate < 10%"]);
    };
    assert_eq!(code(&good), (0, Verdict::Passed));
    assert_eq!(code(&|_| {}), (99, Verdict::Failed));
    let lost = |fixture: &mut Fixture| {
        let leaf = fixture.plan.leaf(Phase::Load, PING);
        fixture.outcome.total.leaf(leaf).tally.sent += 1;
    };
    assert_eq!(code(&lost), (1, Verdict::Failed));
    let aborted = |fixture: &mut Fixture| {
        lost(fixture);
        let why = "a threshold ended the run".to_owned();
        fixture.outcome.ended = Ended::Aborted { at: Nanos::from_secs(4), why };
    };
    assert_eq!(code(&aborted), (108, Verdict::Aborted));
    let interrupted = |fixture: &mut Fixture| {
        good(fixture);
        fixture.outcome.ended = Ended::Interrupted { at: Some(Nanos::from_secs(4)) };
    };
    assert_eq!(code(&interrupted), (105, Verdict::Interrupted));
}

#[test]
fn an_interrupted_run_passes_no_threshold() {
    let mut fixture = forge();
    fixture.outcome.ended = Ended::Interrupted { at: Some(Nanos::from_secs(4)) };
    let rows = fixture.report().document.thresholds;
    assert!(rows.iter().all(|row| !row.passed), "{rows:?}");
    assert!(rows[0].value.is_some(), "what was measured is shown");
    assert_eq!(rows[0].reason.as_deref(), Some("the run was interrupted"));
}

/// A second with so many openings that ended well, and so many that did not.
fn second(plan: &Plan, well: u64, badly: u64) -> Delta {
    let mut delta = Delta::default();
    let leaf = delta.leaf(plan.leaf(Phase::Load, 0));
    leaf.tally.ok = well;
    leaf.tally.failed[Failure::Reset as usize] = badly;
    delta
}

/// The threshold over seconds of (well, badly); when it ended the run, and how it was judged.
fn watched(threshold: &str, seconds: &[(u64, u64)]) -> (Option<u64>, Option<(bool, f64)>) {
    let mut plan = forge().plan;
    plan.thresholds = thresholds(&[threshold]);
    let mut windows = Windows::new(&plan);
    for (at, (well, badly)) in (1..).zip(seconds) {
        let delta = second(&plan, *well, *badly);
        windows.second(&plan, &delta, Nanos::from_secs(at), Nanos::from_secs(1));
    }
    let judged = windows.judged().remove(0);
    let judged = judged.map(|judged| (judged.passed, judged.value.unwrap_or(-1.0)));
    (windows.abort().map(|(at, _)| at.0 / 1_000_000_000), judged)
}

#[test]
fn windows_miss_when_they_last() {
    let bad = |from: u64, to: u64| -> Vec<(u64, u64)> {
        (1..=10).map(|at| if (from..=to).contains(&at) { (90, 10) } else { (100, 0) }).collect()
    };
    let over = "http_req_failed rate < 6% over 2s";
    assert_eq!(watched(over, &bad(4, 4)), (None, Some((true, 0.05))), "half a window");
    assert_eq!(watched(over, &bad(4, 5)), (None, Some((false, 0.1))));
    let lasting = "http_req_failed rate < 6% over 2s for 3s abort";
    // Windows that end at 5, 6 and 7 miss: for 2 s. One more makes it 3.
    assert_eq!(watched(lasting, &bad(4, 7)), (None, Some((true, 0.1))));
    assert_eq!(watched(lasting, &bad(4, 8)), (Some(8), Some((false, 0.1))));
    let abort = "http_req_failed rate < 1% abort";
    assert_eq!(watched(abort, &bad(11, 11)), (None, None), "judged on the whole run");
    assert_eq!(watched(abort, &bad(3, 3)).0, Some(3));
    let long = "http_req_failed rate < 1% over 1m";
    assert_eq!(watched(long, &bad(1, 10)), (None, Some((true, -1.0))), "not judged, not missed");
    let idle = vec![(0, 0); 10];
    assert_eq!(watched(over, &idle), (None, Some((false, -1.0))), "no data is no pass");
}

#[test]
fn a_fleet_is_judged_by_the_clock_unless_a_closed_loop_runs_beside_it() {
    let mut plan = forge().plan;
    assert_eq!(load_of(&plan), Load::Closed);
    plan.workloads.retain(|workload| workload.fleet.is_some());
    assert!(matches!(load_of(&plan), Load::Open { .. }));
    let open = Fixture::mixed().plan;
    assert_eq!(load_of(&open), open.only().load);
}

#[test]
fn each_threshold_is_a_test_case() {
    let report = forge();
    let xml = junit::suite(&report.report().document);
    assert_eq!(xml.matches("<testcase ").count(), 7, "{xml}");
    assert!(xml.contains("tests=\"7\" failures=\"3\""), "{xml}");
    assert!(xml.contains("p(95) &lt; 500ms"), "{xml}");
}

#[test]
fn thresholds_stand_first() {
    let fixture = forge();
    let shown = text::summary(&fixture.report(), Latency::Brief, Colour::Plain);
    let order = ["THRESHOLDS", "CHECKS", "HTTP", "WEBSOCKET", "USERS", "MEASURES", "EXECUTION"];
    let places = order.map(|heading| shown.find(&format!("\n{heading}")).expect(heading));
    assert!(places.is_sorted(), "{shown}");
    let leaf = fixture.plan.leaf(Phase::Load, OPEN);
    assert!(fixture.outcome.total.get(leaf).is_some());
}
