//! Ctrl-C at any moment: a run leaves a summary that adds up, whole files and no process.

use std::time::Duration;

use onslaught::stdx::rng::Rng;
use rustix::process::Signal;

use crate::kit::{Onslaught, Reply, Run, Running, established, liar, pause, target, trial, until};

/// Runs at once: low rates, so that they do not starve each other.
const AT_ONCE: usize = 5;

/// From the start of the process until after its end, in milliseconds: set-up, connections ahead,
/// warm-up, load, drain, writing.
const INSTANTS_MS: u64 = 2_200;

const SEED: u64 = 20_261_120;

/// Users log in, connections are opened, 300 ms of warm-up, 800 ms of load, users log out.
fn started(port: u16, with_users: bool) -> Running {
    let url = format!("127.0.0.1:{port}");
    if !with_users {
        let load = Onslaught::http(format!("http://{url}/delay/40ms")).shards(1);
        return load.line("-c 4 -R 100 -d 800ms --warmup 300ms --allow-untrusted").start();
    }
    let work = "    load: {connections: 4, for: 800ms}\n    mix: [{get: /delay/40ms}]\n";
    let text = trial(&format!("workloads:\n  some:\n    user: round-robin\n{work}"));
    let load = Onslaught::scenario(text).set("BASE_URL", format!("http://{url}")).shards(1);
    load.set("STATUS_URL", format!("ws://{url}")).line("--allow-untrusted").start()
}

/// What became of a run that was told to end after `at`.
fn assert_whole(run: Run, at: Duration) -> i32 {
    eprintln!("interrupted after {at:?}: exit {}", run.exit);
    for (path, bytes) in run.files() {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        let name = name.unwrap_or_default();
        assert!(!name.ends_with(".tmp"), "half a file: {name}{run}");
        let complete = !name.ends_with(".json") || bytes.ends_with(b"}\n");
        assert!(complete, "{name} is cut off{run}");
    }
    // Before anything of ours ran, the signal did what it does to any process.
    if run.exit == -2 {
        assert!(!run.has_report() && run.stdout.is_empty() && run.stderr.is_empty(), "{run}");
        return run.exit;
    }
    let run = run.exits([0, 105]);
    assert!(!run.stderr.contains("panicked"), "{run}");
    let report = run.report();
    let verdict = report.text("/verdict");
    assert_eq!(verdict, if run.exit == 0 { "passed" } else { "interrupted" }, "{run}");
    let sent = report.sent();
    assert_eq!(report.ok() + report.count("/accounting/aborted"), sent, "none failed{run}");
    if sent == 0 && run.exit == 105 {
        let reasons = report.at("/trust/reasons").to_string();
        assert!(reasons.contains("nothing was"), "nothing was loaded, and that is not said{run}");
    }
    run.exit
}

fn interrupted(cases: usize) {
    let server = target("");
    let mut rng = Rng::stream(SEED, 0);
    let mut exits = Vec::new();
    let instants: Vec<u64> = (0..cases).map(|_| rng.below(INSTANTS_MS)).collect();
    for (batch, instants) in instants.chunks(AT_ONCE).enumerate() {
        let mut runs: Vec<_> = instants
            .iter()
            .enumerate()
            .map(|(place, at)| (*at, started(server.port, (batch + place) % 2 == 1)))
            .collect();
        runs.sort_by_key(|(at, _)| *at);
        for (at, run) in &mut runs {
            let left = Duration::from_millis(*at).saturating_sub(run.age());
            if !run.ends_within(left) {
                run.signal(Signal::INT);
            }
        }
        for (at, run) in runs {
            exits.push(assert_whole(run.finish(), Duration::from_millis(at)));
        }
    }
    assert!(exits.contains(&105), "no run was interrupted: {exits:?}");
    until("connections to be gone", Duration::from_secs(5), || established(server.port) == 0);
}

#[test]
fn at_twenty_random_moments() {
    interrupted(20);
}

#[test]
#[ignore = "minutes: tests/run --long"]
fn at_a_hundred_random_moments() {
    interrupted(100);
}

/// Both come before the collector looks once: that they came is on the timeline all the same.
#[test]
fn two_at_once_are_two_events() {
    let server = liar(|_| Reply::Hang(Vec::new()));
    let load = Onslaught::http(server.url()).line("-c 2 -d 60s --timeout 50s");
    let load = load.shards(1).start();
    until("the load to begin", Duration::from_secs(5), || server.requests() == 2);
    // Different ones: two of a kind that come together are one.
    load.signal(Signal::INT);
    load.signal(Signal::TERM);
    let run = load.finish().exits([105]);
    assert!(run.wall < Duration::from_secs(5), "it waits although told twice{run}");
    let events = run.report().at("/events").to_string();
    for event in ["interrupted: draining", "interrupted again: what was in flight is aborted"] {
        assert!(events.contains(event), "no '{event}' in {events}{run}");
    }
    assert_eq!(run.report().count("/accounting/aborted"), 2, "{run}");
}

/// A second one during a long drain: the moment of the first stands.
#[test]
fn the_first_moment_is_the_one_that_is_told() {
    let server = liar(|_| Reply::Hang(Vec::new()));
    let load = Onslaught::http(server.url()).line("-c 2 -d 60s --timeout 50s").shards(1).start();
    until("the load to begin", Duration::from_secs(5), || server.requests() == 2);
    load.signal(Signal::INT);
    pause(Duration::from_millis(800));
    load.signal(Signal::INT);
    let run = load.finish().exits([105]);
    let events = run.report().at("/events").as_array().expect("events").clone();
    let at = |what: &str| {
        let event = events.iter().find(|event| event["what"] == what);
        event.and_then(|event| event["t_s"].as_f64()).unwrap_or_else(|| panic!("{what}: {run}"))
    };
    let (first, second) =
        (at("interrupted: draining"), at("interrupted again: what was in flight is aborted"));
    assert!(second - first > 0.5, "{first} s and {second} s{run}");
    let loaded = run.report().number("/run/pacing/loaded_s");
    assert!((loaded - first).abs() < 0.3, "loaded {loaded} s, interrupted at {first} s{run}");
}
