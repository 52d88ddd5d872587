//! How a run ended, and what the summary says of it.

use onslaught::engine::outcome::{Ended, TimelineEvent};
use onslaught::metrics::{Delta, Tally};
use onslaught::plan::curve::Form;
use onslaught::plan::{Curve, Load, Phase, Until};
use onslaught::protocol::Failure;
use onslaught::report::metric::Metric;
use onslaught::report::{Colour, Latency, text};
use onslaught::stdx::Nanos;

use crate::fixture::{self, Fixture};

/// The summary, each run of blanks as one.
fn shown(fixture: &Fixture) -> String {
    let text = text::summary(&fixture.report(), Latency::Brief, Colour::Plain);
    assert!(text.lines().all(|line| line.len() <= 80), "{text}");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn interrupt(fixture: &mut Fixture, at: Nanos) {
    fixture.outcome.ended = Ended::Interrupted { at: Some(at) };
    let what = "interrupted: draining".to_owned();
    fixture.outcome.events = vec![TimelineEvent { at, what }];
}

/// Nothing but this happened to the only request.
fn only(fixture: &mut Fixture, tally: Tally) {
    let mut total = Delta::default();
    total.leaf(fixture.plan.leaf(Phase::Load, 0)).tally = tally;
    fixture.outcome.total = total;
}

#[test]
fn the_achieved_rate_is_over_the_time_of_arrivals() {
    let mut fixture = Fixture::mixed();
    let achieved = |fixture: &Fixture| fixture.report().document.run.pacing.achieved_per_s;
    let share = 4_996.0 / 5_000.0;
    assert!((achieved(&fixture) - 500.0 * share).abs() < 1e-3);
    fixture.outcome.duration = Nanos::from_secs(40);
    assert!((achieved(&fixture) - 500.0 * share).abs() < 1e-3, "a drain is not in it");
    fixture.plan.only_mut().until = fixture::until(5_000);
    assert!((achieved(&fixture) - 500.0 * share).abs() < 1e-3, "5,000 periods");
    // 4,996 of 5,000 within 9.9 s would be more than was asked for.
    interrupt(&mut fixture, Nanos::from_millis(10_900));
    assert!((achieved(&fixture) - 500.0).abs() < 1e-9, "never above what was asked for");
    fixture.plan.only_mut().load = Load::Closed;
    assert!((achieved(&fixture) - 4_992.0 / 40.0).abs() < 1e-3, "closed: replies");
}

/// A ramp from nothing to 1,000/s over 10 s behind a second of warm-up; stopped half way, nobody
/// has asked for its mean.
#[test]
fn what_a_ramp_asked_for_is_what_fell_due() {
    let mut fixture = Fixture::mixed();
    let mut ramp = Curve::constant(0);
    ramp.push(0, 1_000_000, Nanos::from_secs(10), Form::Straight);
    fixture.plan.warmup = Nanos::ZERO;
    fixture.plan.only_mut().levels = Some(ramp);
    let asked = |fixture: &Fixture| fixture.report().document.run.pacing.asked_per_s;
    assert_eq!(asked(&fixture), Some(500.0));
    assert!(shown(&fixture).contains("load a rate that changes, 500/s on average, over"));
    interrupt(&mut fixture, Nanos::from_secs(5));
    assert_eq!(asked(&fixture), Some(250.0));
    fixture.outcome.level_changes = 2;
    let text = shown(&fixture);
    assert!(text.contains("with 2 changes of the level: see EVENTS"), "{text}");
    fixture.plan.only_mut().load = Load::Closed;
    assert!(shown(&fixture).contains("load a number that changes, at most"));
}

/// Sessions at work are those of the level, not the most that it ever has.
#[test]
fn sessions_are_those_of_the_level() {
    let mut fixture = Fixture::plain();
    let mut steps = Curve::constant(0);
    for sessions in [30_000, 10_000, 20_000] {
        steps.push(sessions, sessions, Nanos::from_secs(2), Form::Straight);
    }
    fixture.plan.warmup = Nanos::ZERO;
    let workload = fixture.plan.only_mut();
    (workload.load, workload.sessions) = (Load::Closed, 30);
    workload.until = Until::Elapsed(steps.end());
    workload.levels = Some(steps);
    let document = fixture.report().document;
    let Some(Metric::Gauge(vus)) = document.metrics.get("vus") else { panic!("no vus") };
    assert_eq!((vus.value, vus.min, vus.max), (20, 10, 30));
}

#[test]
fn a_drain_is_told() {
    let mut fixture = Fixture::plain();
    fixture.outcome.duration = Nanos::from_millis(10_090);
    assert!(!shown(&fixture).contains("drained"));
    fixture.outcome.duration = Nanos::from_millis(27_900);
    assert!(shown(&fixture).contains("measured 27.90 s: loaded 10 s, drained 17.90 s"));
    interrupt(&mut fixture, Nanos::from_secs(25));
    fixture.plan.only_mut().until = Until::Elapsed(Nanos::from_secs(60));
    assert!(shown(&fixture).contains("measured 27.90 s: loaded 25 s, drained 2.90 s"));
}

#[test]
fn of_two_ends_the_first_is_named() {
    let mut fixture = Fixture::plain();
    fixture.plan.only_mut().until = fixture::until(100_000);
    let text = shown(&fixture);
    assert!(text.contains("at most 100,000 requests or 60 s"), "{text}");
    assert!(text.contains("ended by count"), "{text}");
    fixture.plan.only_mut().until = fixture::until(100_001);
    let text = shown(&fixture);
    assert!(text.contains("ended by time after 100,000 requests"), "{text}");
    interrupt(&mut fixture, Nanos::from_secs(2));
    assert!(!shown(&fixture).contains("ended by"));
}

#[test]
fn an_interrupted_warm_up_claims_nothing() {
    let mut fixture = Fixture::mixed();
    fixture.plan.warmup = Nanos::from_secs(10);
    interrupt(&mut fixture, Nanos::from_millis(1_003));
    only(&mut fixture, Tally::default());
    let text = shown(&fixture);
    assert!(text.contains("interrupted after 1 s of the 10 s warm-up; nothing was measured"));
    for claim in ["trust", "a reply", "TIMES", "achieved", "HTTP"] {
        assert!(!text.contains(claim), "{claim}: {text}");
    }
    let document = fixture.report().document;
    assert_eq!(document.exit_code, 105);
    assert_eq!(document.trust.verdict, "inconclusive");
    assert!(document.trust.reasons[0].contains("nothing was measured"));
}

#[test]
fn interrupted_before_anything_began() {
    let mut fixture = Fixture::plain();
    fixture.outcome.ended = Ended::Interrupted { at: None };
    fixture.outcome.phases.clear();
    only(&mut fixture, Tally::default());
    let text = shown(&fixture);
    assert!(text.contains("interrupted before the load had begun; nothing was measured"));
    assert!(!text.contains("GENERATOR"), "it cost nothing that was measured: {text}");
}

#[test]
fn a_failed_attempt_is_no_contradiction() {
    let mut fixture = Fixture::plain();
    fixture.outcome.ended = Ended::Unreachable("refused".into());
    fixture.outcome.phases.clear();
    let mut tally = Tally { scheduled: 1, sent: 1, ..Tally::default() };
    tally.failed[Failure::Refused as usize] = 1;
    only(&mut fixture, tally);
    let document = fixture.report().document;
    assert_eq!(document.accounting.total.sent, 1);
    let expected = "nothing was loaded: the one attempt to reach the target failed";
    assert_eq!(document.trust.reasons, [expected]);
    assert_eq!(document.run.pacing.loaded_s, None);
}

#[test]
fn who_has_no_times_is_told() {
    let mut fixture = Fixture::mixed();
    let text = shown(&fixture);
    assert!(text.contains("4,992 replies; the 4 failures without a reply have no times"), "{text}");
    assert!(!shown(&Fixture::plain()).contains("no times"), "a status is a reply");
    let mut tally = Tally { scheduled: 9, sent: 9, ..Tally::default() };
    tally.failed[Failure::Reset as usize] = 9;
    only(&mut fixture, tally);
    let text = shown(&fixture);
    assert!(text.contains("TIMES no reply came, so there are no times"), "{text}");
}

#[test]
fn dropped_arrivals_are_told_at_the_top() {
    let text = text::summary(&Fixture::mixed().report(), Latency::Brief, Colour::Plain);
    let second = text.lines().nth(1).expect("a second line");
    assert!(second.contains("4 of 5,000 arrivals were dropped"), "{text}");
    assert!(!shown(&Fixture::plain()).contains("dropped"));
}

#[test]
fn texts_of_errors_are_whole_and_each_once() {
    let mut fixture = Fixture::plain();
    let name = fixture.plan.requests[0].name.clone();
    let long = "connection reset by peer while the reply was awaited ".repeat(3);
    let mut tally = Tally { scheduled: 7, sent: 7, ok: 3, ..Tally::default() };
    tally.failed[Failure::Reset as usize] = 4;
    only(&mut fixture, tally);
    let first = [1, 2, 1, 1].map(|port| format!("{name}: {long}{port}"));
    fixture.outcome.total.errors[Failure::Reset as usize].first = first.into();
    let text = shown(&fixture);
    assert!(text.contains(&format!("{long}1 (3 of the first 4) {long}2")), "{text}");
    assert!(!text.contains(&name), "the only request: {text}");
    let document = fixture.report().document;
    assert_eq!(document.errors[0].first, [1, 2].map(|port| format!("{long}{port}")));
}

#[test]
fn short_costs_are_no_figures() {
    let mut fixture = Fixture::plain();
    assert!(shown(&fixture).contains("(about 820 ms user, 1.41 s kernel), 22 us a reply"));
    fixture.outcome.generator.cpu_user = Nanos::from_millis(40);
    fixture.outcome.generator.cpu_sys = Nanos::from_millis(50);
    assert!(shown(&fixture).contains("cost too short to measure: less than 100 ms of CPU"));
}

#[test]
fn what_befell_connections_is_under_network() {
    let mut fixture = Fixture::plain();
    fixture.outcome.total.counts.connect_failures = 106;
    let document = fixture.report().document;
    assert_eq!(document.metrics.counter("connects_failed").count, 106);
    assert!(document.events.is_empty(), "when they failed is not known");
    assert!(shown(&fixture).contains("connects 106 failed"));
}

#[test]
fn an_iteration_is_an_operation() {
    let metrics = Fixture::plain().report().document.metrics;
    let duration = metrics.get("http_req_duration");
    assert!(duration.is_some());
    assert_eq!(metrics.get("iteration_duration"), duration);
}
