//! What a search for the capacity becomes in a report: found, doomed, cut, and at the generator's
//! own limit.

use onslaught::engine::outcome::{Ended, Searched, TimelineEvent, TrialRow};
use onslaught::plan::steer::{Goal, Steer};
use onslaught::report::{Colour, ExitCode, Latency, json, text};
use onslaught::stdx::Nanos;
use onslaught::verdict::interval::Outcome as Held;
use onslaught::verdict::search::{Observation, Search, Spec, Step, Unit};
use onslaught::verdict::usl::{self, Point};

use crate::fixture::Fixture;
use crate::golden::golden;

/// A target whose throughput at N operations in flight is 100 N / (1 + 0.02 (N − 1) + 0.001 N (N −
/// 1)), and which does not answer in time above 1000/s; the generator's limit lies somewhere.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "operations in flight are few and not negative"
)]
fn search(from: u64, generator: u64, trials: usize) -> Searched {
    let second = Nanos::from_secs(1);
    let spec = Spec {
        unit: Unit::MilliPerSecond,
        from,
        to: 4_000_000,
        resolution: 0.1,
        trial: second,
        settle: second,
        max_trials: 30,
    };
    let mut search = Search::new(spec).expect("something to search");
    let mut rows: Vec<TrialRow> = Vec::new();
    while let Step::Try { level, settle, length } = search.propose() {
        if rows.len() == trials {
            break;
        }
        let rate = level as f64 / 1e3;
        // In flight at that rate: where the law gives it, or as many as there are.
        let law = |n: f64| 100.0 * n / (1.0 + 0.02 * (n - 1.0) + 0.001 * n * (n - 1.0));
        let flight = (10..320).map(|tenths| f64::from(tenths) / 10.0).find(|n| law(*n) >= rate);
        let (held, flight) = match flight {
            Some(flight) if rate <= 1_000.0 => (Held::Holds, flight),
            // What cannot be borne piles up.
            _ => (Held::Broken, 20.0 + rate / 100.0),
        };
        let (saturated, throughput) = (level > generator, law(flight).min(rate));
        search.observe(Observation {
            level,
            achieved: level,
            verdict: held,
            saturated_generator: saturated,
            samples: level / 1_000,
        });
        let from = rows.last().map_or(Nanos::ZERO, |row| row.from + row.span) + settle;
        rows.push(TrialRow {
            level,
            from,
            span: length,
            throughput,
            concurrency: flight,
            connections: 64,
            held,
            saturated,
            samples: level / 1_000,
            values: vec![(Some(flight * 1e3 / throughput), "ms"), (None, "share")],
        });
    }
    let points: Vec<Point> = rows
        .iter()
        .map(|row| Point { level: row.concurrency as u64, throughput: row.throughput })
        .collect();
    Searched { unit: Unit::MilliPerSecond, step: search.propose(), rows, law: usl::fit(&points, 7) }
}

fn searched(searched: Searched) -> Fixture {
    let mut fixture = Fixture::mixed();
    let (from, to) = (searched.rows[0].level, 4_000_000);
    let goal = Goal::Search {
        slo: Vec::new(),
        trial: Nanos::from_secs(1),
        settle: Nanos::from_secs(1),
        resolution: 0.1,
        max_trials: 30,
    };
    fixture.plan.only_mut().steer = Some(Steer { goal, from, to });
    fixture.outcome.stopped = Some(Nanos::from_secs(11));
    fixture.outcome.level_changes = 1;
    let what = "125/s: 10.1 ms: holds; next 250/s".to_owned();
    fixture.outcome.events = vec![TimelineEvent { at: Nanos::from_secs(2), what }];
    fixture.outcome.searched = Some(searched);
    fixture
}

fn shown(fixture: &Fixture) -> String {
    text::summary(&fixture.report(), Latency::Brief, Colour::Plain)
}

#[test]
fn a_capacity_that_was_found() {
    let fixture = searched(search(60_000, u64::MAX, usize::MAX));
    golden("search.json", &json::summary(&fixture.report().document).expect("in memory"));
    golden("search.txt", shown(&fixture).as_bytes());
    let text = shown(&fixture);
    assert!(text.is_ascii() && text.lines().all(|line| line.len() <= 80), "{text}");
    assert!(!text.contains("asked for as much"), "{text}");
}

#[test]
fn a_generator_at_its_limit_is_no_ceiling_of_the_target() {
    let document = searched(search(60_000, 300_000, usize::MAX)).report().document;
    let search = document.search.expect("a search");
    assert_eq!(search.ceiling.as_deref(), Some("generator"));
    assert!(search.holds.is_some_and(|holds| holds <= 300.0), "{search:?}");
    let spoilt = search.trials.iter().filter(|trial| trial.verdict == "generator_saturated");
    assert!(spoilt.count() >= 2, "{search:?}");
}

/// The run is missed when no level held; where every trial was spoilt by ourselves, nothing is
/// known of the target, and that is another code's affair.
#[test]
fn a_search_without_a_level_fails_unless_it_was_us() {
    let exit = |from, generator| {
        let mut fixture = searched(search(from, generator, usize::MAX));
        fixture.outcome.trust.verdict = onslaught::verdict::trust::Verdict::Valid;
        let report = fixture.report();
        let end = report.document.search.expect("a search").end;
        (report.exit, end)
    };
    assert_eq!(exit(2_000_000, u64::MAX), (ExitCode::ThresholdsFailed, "doomed".to_owned()));
    assert_eq!(exit(2_000_000, 0), (ExitCode::Passed, "doomed".to_owned()));
    assert_eq!(exit(500_000, u64::MAX), (ExitCode::Passed, "found".to_owned()));
}

#[test]
fn a_search_that_was_cut_found_nothing() {
    let mut fixture = searched(search(60_000, u64::MAX, 2));
    fixture.outcome.ended = Ended::Interrupted { at: Some(Nanos::from_secs(5)) };
    let search = fixture.report().document.search.expect("a search");
    assert_eq!((search.end.as_str(), search.holds, search.trials.len()), ("cut", None, 2));
    let text = shown(&fixture);
    assert!(text.contains("the run ended before the search did"), "{text}");
}
