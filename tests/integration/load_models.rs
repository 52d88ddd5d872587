//! Load models: stages, levels that come and go, sequences, the ways arrivals lie. Each is held
//! against a sum of the test's own and against what the target counted.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;

use crate::kit::{Onslaught, Report, Run, Target, TempDir, echo_node, shards, target, until};

const SOON: Duration = Duration::from_secs(5);

/// A scenario with these workloads, from the first name on.
fn scenario(workloads: &str) -> Onslaught {
    Onslaught::scenario(format!("name: models\ntarget: ${{BASE_URL}}\n{workloads}"))
        .args(["--allow-untrusted"])
}

fn on(server: &Target, workloads: &str) -> Onslaught {
    scenario(workloads).set("BASE_URL", server.url(""))
}

/// A workload that asks for `/health` under a load in the form of a flow.
fn health(name: &str, load: &str) -> String {
    format!("  {name}:\n    load: {{{load}}}\n    mix:\n      - get: /health\n")
}

fn seen(server: &Target) -> u64 {
    server.told()["requests"].as_u64().expect("a count")
}

/// The target's own connections, less the one that asks.
fn open(server: &Target) -> u64 {
    server.told()["connections"]["open"].as_u64().expect("a count") - 1
}

#[track_caller]
fn list<'a>(report: &'a Report, pointer: &str) -> &'a [Value] {
    report.at(pointer).as_array().expect("a list")
}

#[track_caller]
fn number(row: &Value, key: &str) -> f64 {
    row[key].as_f64().unwrap_or_else(|| panic!("no number {key} in {row:#}"))
}

/// What fell due in a named phase: all of it was answered.
#[track_caller]
fn replies_in(report: &Report, phase: &str) -> u64 {
    let phases = list(report, "/phases");
    let found = phases.iter().find(|row| row["name"] == phase);
    let found = found.unwrap_or_else(|| panic!("no phase {phase} in {phases:#?}"));
    found["metrics"]["http_reqs"]["count"].as_u64().expect("a count of replies")
}

/// A part of a course: its name, its length in seconds, and its rate after so much of a second.
type Piece = (&'static str, f64, fn(f64) -> f64);

const OPEN: &str = "
workloads:
  api:
    load:
      rate: 0/s
      max: 64
      stages:
        - {name: ramp, linear: 301/s, for: 500ms}
        - {name: hold, hold: 300ms}
        - {name: growth, exponential: 602/s, double: 600ms}
        - {name: lower, step: 107/s, for: 300ms}
        - {name: end, linear: 0/s, for: 300ms}
    mix:
      - get: /health
";

const PIECES: [Piece; 5] = [
    ("ramp", 0.5, |at| 301.0 * at / 0.5),
    ("hold", 0.3, |_| 301.0),
    ("growth", 0.6, |at| 301.0 * 2_f64.powf(at / 0.6)),
    ("lower", 0.3, |_| 107.0),
    ("end", 0.3, |at| 107.0 * (1.0 - at / 0.3)),
];

/// Arrivals due in each piece, by a sum of slices: arrival n is due when the area under the rate
/// has come to n, so as many are due before a moment as whole numbers lie below the area there.
fn due(pieces: &[Piece]) -> Vec<(&'static str, u64)> {
    const SLICES: u32 = 100_000;
    let (mut area, mut before) = (0.0, 0);
    let each = pieces.iter().map(|(name, length, rate)| {
        let width = length / f64::from(SLICES);
        area += (0..SLICES).map(|at| rate((f64::from(at) + 0.5) * width) * width).sum::<f64>();
        // None of the areas is so near to a whole number that the sum's error would matter.
        assert!((area - area.round()).abs() > 1e-3, "{name} ends at {area}");
        let until = (0_u32..).find(|count| f64::from(*count) >= area).expect("a finite area");
        let count = u64::from(until - before);
        before = until;
        (*name, count)
    });
    each.collect()
}

#[test]
fn an_open_load_in_stages_is_its_closed_form() {
    let expected = due(&PIECES);
    let total: u64 = expected.iter().map(|(_, count)| count).sum();
    shards([1, 2], |count| {
        let server = target("");
        let run = on(&server, OPEN).shards(count).run().exits([0]);
        let report = run.report();
        report.assert_clean();
        assert_eq!(report.count("/accounting/scheduled"), total, "{expected:?}{run}");
        for (phase, count) in &expected {
            assert_eq!(replies_in(report, phase), *count, "{phase} of {expected:?}{run}");
        }
        assert_eq!(seen(&server), report.sent(), "{run}");
    });
}

/// Eight sessions after 0.5 s, until 1.5 s; two after 2.5 s.
const CLOSED: &str = "
targets:
  api: ${BASE_URL}
  ws: ${WS_URL}
workloads:
  http:
    load: &load
      connections: 0
      stages: [{linear: 8, for: 500ms}, {hold: 1s}, {linear: 2, for: 1s}, {hold: 1200ms}]
    mix:
      - get: /delay/10ms
        target: api
  fleet:
    load: *load
    websocket: {url: /, target: ws}
    every: 200ms
    send: {text: hello}
    answer: next
";

/// Sessions of a workload so many seconds after the start.
fn level(at: f64) -> f64 {
    match at {
        ..0.5 => 16.0 * at,
        ..1.5 => 8.0,
        ..2.5 => 8.0 - 6.0 * (at - 1.5),
        _ => 2.0,
    }
}

#[test]
fn sessions_of_a_closed_load_come_and_go_with_the_level() {
    shards([1, 2], |count| {
        let (server, echo) = (target(""), echo_node());
        let load = Onslaught::scenario(format!("name: models{CLOSED}")).shards(count);
        let load = load.set("BASE_URL", server.url("")).set("WS_URL", echo.ws_url(""));
        let load = load.args(["--allow-untrusted"]).start();
        until("all sessions to be there", SOON, || {
            open(&server) == 8 && echo.count().of("opened") == 8
        });
        until("six connections to be closed", SOON, || open(&server) == 2);
        let gone = || echo.count().all("closed") == [("1000", 6)];
        until("six WebSockets to be closed with 1000", SOON, gone);
        let run = load.finish().exits([0]);
        let report = run.report();
        report.assert_clean();
        for row in list(report, "/series") {
            let (at, connections) = (number(row, "t_s"), number(row, "connections"));
            // Each of the two workloads has so many; a row ends when its last shard has told.
            let most = 2.0 * (level(at) + 0.02).max(level(at - 0.02)).floor();
            assert!(connections <= most, "{connections} of {most} at {at} s{run}");
            let flat = (0.9..1.4).contains(&at) || (2.9..3.4).contains(&at);
            assert!(!flat || connections == most, "{connections} of {most} at {at} s{run}");
        }
        until("the last to be closed", SOON, || echo.count().all("closed") == [("1000", 8)]);
        assert_eq!(report.metric("ws_sessions", "count"), echo.count().of("opened"), "{run}");
        assert_eq!(report.metric("http_req_connecting", "count"), 8, "{run}");
        assert_eq!(seen(&server), report.of_kind("http", "sent"), "{run}");
    });
}

const SEQUENCE: &str = "
workloads:
  api:
    mix:
      - get: /health
sequence:
  - name: low
    load: {rate: 100/s, for: 500ms, max: 16}
    cooldown: 1600ms
    thresholds: [http_req_failed rate < 1%]
  - name: middle
    load: {rate: 200/s, for: 500ms, max: 16}
    cooldown: 1500ms
    thresholds: [http_reqs count > 100]
  - name: high
    load: {rate: 300/s, for: 500ms, max: 16}
    thresholds: [http_reqs count == 150]
";

/// The rows of levels, each with its name, and whether it was reached and passed.
#[track_caller]
fn levels(report: &Report) -> Vec<(&str, bool, bool)> {
    let told = |row: &Value, key: &str| row[key].as_bool().expect("yes or no");
    let rows = list(report, "/levels").iter();
    rows.map(|row| {
        let (reached, passed) = (told(row, "reached"), told(row, "passed"));
        (row["name"].as_str().expect("a name"), reached, passed)
    })
    .collect()
}

#[test]
fn a_sequence_judges_each_level_and_rests_between_them() {
    shards([1, 2], |count| {
        let server = target("");
        let run = on(&server, SEQUENCE).shards(count).run().exits([99]);
        let report = run.report();
        report.assert_clean();
        let expected = [("low", true, true), ("middle", true, false), ("high", true, true)];
        assert_eq!(levels(report), expected, "{run}");
        let rows = list(report, "/levels");
        for (row, count) in rows.iter().zip([50, 100, 150]) {
            assert_eq!((&row["scheduled"], &row["ok"]), (&count.into(), &count.into()), "{row:#}");
        }
        assert_eq!((seen(&server), report.sent()), (300, 300), "{run}");
        let resting = rows.iter().map(|row| {
            let from = number(row, "to_s");
            (from, from + number(row, "cooldown_s") - 0.01)
        });
        let resting: Vec<(f64, f64)> = resting.collect();
        let is_resting = |row: &&Value| {
            let to = number(row, "t_s");
            let from = to - number(row, "span_s");
            resting.iter().any(|rest| rest.0 <= from + 0.001 && to <= rest.1)
        };
        let quiet: Vec<&Value> = list(report, "/series").iter().filter(is_resting).collect();
        assert_eq!(quiet.len(), 2, "one second in each cooldown: {quiet:#?}{run}");
        assert!(quiet.iter().all(|row| row["sent"] == 0), "sent in a cooldown: {quiet:#?}{run}");
    });
}

#[test]
fn an_interrupted_sequence_did_not_reach_its_end() {
    shards([1, 2], |count| {
        let server = target("");
        let soon = SEQUENCE.replace("cooldown: 1600ms", "cooldown: 200ms");
        let load = on(&server, &soon).shards(count).start();
        until("the second level", SOON, || seen(&server) > 60);
        load.signal(Signal::INT);
        let run = load.finish().exits([105]);
        let levels = levels(run.report());
        let reached: Vec<bool> = levels.iter().map(|(_, reached, _)| *reached).collect();
        assert_eq!(reached, [true, true, false], "{run}");
        assert!(!levels[2].2, "what was not reached has not passed{run}");
        assert_eq!(seen(&server), run.report().sent(), "{run}");
    });
}

/// What a run of 600 ms asked for, and how its requests lay as the target saw them: the index of
/// dispersion of their counts per 10 ms, in the middle one of windows of 60 ms. So a pause of the
/// host bends the window that it falls into, and no other.
fn arrivals(kind: &str, seed: u64, count: u32) -> (u64, f64) {
    let dir = TempDir::new();
    let journal = dir.join("journal.csv");
    let server = target(&format!("--journal {}", journal.display()));
    let load = health("api", &format!("rate: 2000/s, for: 600ms, max: 32, arrivals: {kind}"));
    let load = on(&server, &format!("workloads:\n{load}")).shards(count);
    let run = load.args(["--seed", &seed.to_string()]).run().exits([0]);
    run.report().assert_clean();
    let sent = run.report().sent();
    assert_eq!(seen(&server), sent, "{run}");
    (run.report().count("/accounting/scheduled"), dispersion(&journal, sent))
}

fn dispersion(journal: &Path, sent: u64) -> f64 {
    const WINDOW: usize = 6;
    const BINS: usize = 9 * WINDOW;
    let arrived = || -> Vec<u64> {
        let text = std::fs::read_to_string(journal).expect("read the journal");
        let lines = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
        let lines = lines.filter(|line| line.contains(",/health,"));
        lines
            .map(|line| line.split(',').nth(3).and_then(|it| it.parse().ok()).expect("a time"))
            .collect()
    };
    until("the journal to be written", SOON, || arrived().len() as u64 == sent);
    let times = arrived();
    // Even arrivals come in the middle of what is theirs, not on the border of two bins.
    let first = times.iter().min().expect("something arrived") - 250_000;
    let mut bins = [0.0; BINS];
    for time in times {
        let bin = usize::try_from((time - first) / 10_000_000).expect("a small number");
        if let Some(bin) = bins.get_mut(bin) {
            *bin += 1.0;
        }
    }
    let of = |window: &[f64]| {
        let count = f64::from(u32::try_from(WINDOW).expect("a small number"));
        let mean = window.iter().sum::<f64>() / count;
        let squares = window.iter().map(|bin| (bin - mean).powi(2)).sum::<f64>();
        // A window in which nothing came at all is as uneven as can be.
        if mean > 0.0 { squares / (count - 1.0) / mean } else { f64::INFINITY }
    };
    let mut windows: Vec<f64> = bins.chunks(WINDOW).map(of).collect();
    windows.sort_by(f64::total_cmp);
    windows[windows.len() / 2]
}

/// The process is the same wherever it runs.
#[test]
fn poisson_arrivals_follow_from_the_seed() {
    // Of five degrees of freedom the middle is at 0.87, and that of nine windows within 0.26 of it
    // two times in three.
    let random = |index: f64| (0.3..1.9).contains(&index);
    let mut tries = String::new();
    let counts = [1, 2].map(|shards| {
        let mut each = (0..3).map(|_| arrivals("poisson", 7, shards));
        let mut counts = Vec::new();
        let found = each.any(|(count, index)| {
            let _written = write!(tries, " {index:.2}");
            counts.push(count);
            random(index)
        });
        assert!(found, "dispersion of poisson arrivals:{tries}");
        eprintln!("dispersion of poisson arrivals:{tries}");
        assert!(counts.iter().all(|count| *count == counts[0]), "{counts:?}");
        counts[0]
    });
    assert_eq!(counts[0], counts[1], "one shard and two");
    assert_eq!(arrivals("poisson", 7, 1).0, counts[0], "again");
    assert_ne!(arrivals("poisson", 8, 1).0, counts[0], "another seed");
}

#[test]
fn even_arrivals_are_even() {
    shards([1, 2], |count| {
        let mut tries = String::new();
        // Of a few tries one finds a host that is quiet.
        let found = (0..5).any(|_| {
            let (count, index) = arrivals("even", 7, count);
            let _written = write!(tries, " {index:.3}");
            assert_eq!(count, 1_200);
            index < 0.2
        });
        assert!(found, "dispersion of even arrivals:{tries}");
        eprintln!("dispersion of even arrivals:{tries}");
    });
}

/// CPU time of a request at 2000 a second on each shard, in seconds: a shard that has no more than
/// one a millisecond has nothing to put together.
fn cost(pacing: &str, scheduled: u64, count: u32) -> f64 {
    let (server, rate) = (target(""), 2_000 * count);
    let load = format!("rate: {rate}/s, for: 1s, max: 64, pacing: {pacing}");
    let load = format!("workloads:\n{}", health("api", &load));
    let run = on(&server, &load).shards(count).run().exits([0]);
    assert_eq!(run.report().count("/accounting/scheduled"), scheduled, "{run}");
    run.report().assert_clean();
    run.cpu.as_secs_f64() / f64::from(rate)
}

#[test]
fn efficient_pacing_costs_less() {
    shards([1, 2], |count| {
        let mut tries = String::new();
        let found = (0..3).any(|_| {
            let all = 2_000 * u64::from(count);
            let (efficient, timed) = (cost("efficient", all, count), cost("timed", all, count));
            let _written = write!(tries, " {:.2} ({:.0} us)", efficient / timed, timed * 1e6);
            efficient / timed < 0.9
        });
        assert!(found, "an efficient request costs, of a timed one:{tries}");
        eprintln!("an efficient request costs, of a timed one:{tries}");
    });
}

#[test]
fn workloads_begin_when_they_say() {
    shards([1, 2], |count| {
        let server = target("");
        let early = health("early", "rate: 100/s, for: 1s, max: 8");
        let late = health("late", "rate: 200/s, for: 500ms, max: 8");
        let late = format!("{late}    start: 1500ms\n");
        let few = format!("{}    start: 500ms\n", health("few", "connections: 2, for: 500ms"));
        let paced = few.replace("    mix:", "    think: 50ms\n    mix:");
        let run = on(&server, &format!("workloads:\n{early}{late}{paced}"));
        let run = run.shards(count).run().exits([0]);
        let report = run.report();
        report.assert_clean();
        let replies = |name| report.metric_by("workload", name, "http_reqs");
        assert_eq!((replies("early"), replies("late")), (100, 100), "{run}");
        // Two sessions for half a second, one request each 50 ms and its reply's time.
        assert!((4..=20).contains(&replies("few")), "{} of few{run}", replies("few"));
        assert_eq!(seen(&server), report.sent(), "{run}");
        let sent = |row: &Value| row["sent"].as_u64().expect("a count");
        let rows: Vec<u64> = list(report, "/series").iter().map(sent).collect();
        // Nothing is early. On a host that is busy the last of a second may leave in the next: 25
        // of 200 a second are 125 ms.
        let first = 100 + replies("few");
        let both = rows[0] + rows[1];
        assert!((first - 25..=first).contains(&rows[0]), "{rows:?}: {first} at first{run}");
        assert!((first + 75..=first + 100).contains(&both), "{rows:?}: late at 1.5 s{run}");
    });
}

/// Refused before anything is sent, with all of these said.
#[track_caller]
fn refused<const N: usize>(workloads: &str, words: [&str; N]) -> Run {
    let server = target("");
    let run = on(&server, workloads).run().exits([104]).says(words);
    assert!(!run.has_report(), "nothing was run{run}");
    let accepted = server.told()["connections"]["accepted"].as_u64();
    assert_eq!(accepted, Some(1), "only the question itself came{run}");
    run
}

#[test]
fn impossible_loads_are_told_all_at_once() {
    let both = health("both", "connections: 5, rate: 10/s, for: 2s");
    let negative = health("negative", "rate: 5/s, stages: [{hold: -1s}]");
    let endless = health("endless", "rate: 10/s, for: 99999999999999999999h");
    let mixed = health("mixed", "connections: 10, stages: [{linear: 10/s, for: 5s}]");
    refused(
        &format!("workloads:\n{both}{negative}{endless}{mixed}"),
        [
            "'connections' and 'rate' exclude each other",
            "hold: '-1s' is negative",
            "for: '99999999999999999999h' is too large",
            "linear: '10/s' has the unknown unit '/s'",
            "4 problems",
        ],
    );
    let nothing = health("nothing", "rate: 0/s, stages: [{exponential: 9/s, double: 1s}]");
    let none = health("none", "connections: 0, for: 2s");
    refused(
        &format!("workloads:\n{nothing}{none}"),
        ["nothing does not become more by doubling", "a load of nothing", "2 problems"],
    );
    let halved = "connections: 9, stages: [{exponential: 0, double: 1s}, {hold: 5000000h}]";
    let halved = health("halved", halved);
    let thresholds = "thresholds:\n  - http_reqs{workload:nobody} rate > 1/s\n";
    refused(
        &format!("workloads:\n{halved}{thresholds}"),
        [
            "nothing is never reached by halving",
            "is too long",
            "there is no workload 'nobody'",
            "3 problems",
        ],
    );
    let fine = health("fine", "connections: 1, for: 1s");
    refused(
        &format!("workloads:\n{fine}thresholds:\n  - http_req_dura p(95) < 1ms\n"),
        ["http_req_dura", "http_req_duration"],
    );
}
