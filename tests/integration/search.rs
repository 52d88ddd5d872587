//! Searches for a capacity, and loads that follow what the target bears, against targets whose
//! capacity is known by arithmetic.

use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;

use crate::kit::{Onslaught, Report, Run, Running, Target, target, until};

/// The target answers after 10 ms and there are 4 sessions: 4 / 10 ms = 400/s at most.
const CAPACITY: f64 = 400.0;

fn scenario(load: &str, path: &str) -> String {
    format!(
        "name: known\ntarget: ${{BASE_URL}}\nworkloads:\n  api:\n    load: {load}\n    \
         steps:\n      - get: {path}\n"
    )
}

fn start(server: &Target, text: &str, count: u32) -> Running {
    let load = Onslaught::scenario(text).set("BASE_URL", server.url("")).shards(count);
    load.line("--allow-untrusted").within(Duration::from_secs(100)).start()
}

/// Runs it with one shard and with two at the same time: they mostly wait, each for a target of
/// its own. The exit code is this one, unless a neighbour on this host spoilt the run.
fn run(text: &str, lies: &str, exit: i32) -> Vec<Run> {
    let servers = [target(lies), target(lies)];
    let runs = servers.iter().zip([1, 2]).map(|(server, count)| start(server, text, count));
    let runs: Vec<Running> = runs.collect();
    let runs: Vec<Run> = runs.into_iter().map(|run| run.finish().exits([exit, 0, 99])).collect();
    for run in &runs {
        assert!(run.exit == exit || is_spoilt(run), "exit {}, not {exit}{run}", run.exit);
    }
    runs
}

/// Whether something else had our cores: then a level may break, or hold, that should not. The run
/// says so itself; what is true of every run is asked of it all the same.
fn is_spoilt(run: &Run) -> bool {
    let verdict = run.report().text("/trust/verdict");
    let reasons = run.report().at("/trust/reasons").to_string();
    let spoilt = verdict == "generator_saturated" || reasons.contains("for its core");
    if spoilt {
        eprintln!("spoilt by a neighbour: {reasons}");
    }
    spoilt
}

fn list<'a>(report: &'a Report, pointer: &str) -> &'a [Value] {
    report.at(pointer).as_array().expect("a list")
}

fn number(value: &Value) -> f64 {
    value.as_f64().expect("a number")
}

fn events(run: &Run) -> Vec<(f64, &str)> {
    let events = list(run.report(), "/events").iter();
    events.map(|each| (number(&each["t_s"]), each["what"].as_str().expect("a text"))).collect()
}

/// Each trial is made of whole seconds of the series, in order, none of them in two of them.
#[track_caller]
fn assert_trials(run: &Run) {
    let (rows, mut before) = (list(run.report(), "/series"), 0.0);
    for trial in list(run.report(), "/search/trials") {
        let (from, span) = (number(&trial["from_s"]), number(&trial["span_s"]));
        assert!(from >= before, "one after the other: {trial}{run}");
        before = from + span / 2.0;
        // Of two shards one may end its second later, so that seconds overlap.
        let within = |row: &&Value| {
            let (to, span_of_row) = (number(&row["t_s"]), number(&row["span_s"]));
            to - span_of_row > from - 1e-4 && to < from + span + 1e-4
        };
        let of = |key: &str| rows.iter().filter(within).map(|row| number(&row[key])).sum::<f64>();
        assert!((of("span_s") - span).abs() < 1e-4, "{} s in {trial}{run}", of("span_s"));
        assert!((of("ok") / span - number(&trial["throughput_per_s"])).abs() < 0.1, "{trial}{run}");
        assert!((of("replies") - number(&trial["samples"])).abs() < 0.1, "{trial}{run}");
        let (held, value) = (trial["verdict"] == "holds", number(&trial["values"][0]));
        assert!(!held || value < 40.0, "it held at {value} ms: {trial}{run}");
    }
}

#[test]
fn a_known_capacity_is_found() {
    let load = "{rate: 200/s, max: 4, patience: 1s, search: {slo: [http_req_duration avg < 40ms], \
                to: 3000/s, trial: 1s, settle: 1s, resolution: 20%}}";
    for run in run(&scenario(load, "/delay/10ms"), "", 0) {
        let report = run.report();
        assert_trials(&run);
        assert_eq!(report.text("/search/unit"), "per_second", "{run}");
        // Of its upper bound, 30 trials of 6 s each.
        assert!(run.wall < Duration::from_secs(90), "the run ends with the search{run}");
        let events = events(&run);
        let of_trials = events.iter().filter(|(_, what)| what.contains("/s: "));
        let trials = list(report, "/search/trials");
        assert_eq!(of_trials.count(), trials.len(), "an event for each: {events:?}{run}");
        assert!(events.iter().any(|(_, what)| what.contains("the search is over")), "{events:?}");
        let highest = trials.iter().map(|trial| number(&trial["throughput_per_s"]));
        assert!(highest.fold(0.0, f64::max) < CAPACITY * 1.05, "more than there is{run}");
        if is_spoilt(&run) {
            continue;
        }
        assert_eq!(report.text("/search/end"), "found", "{run}");
        assert_eq!(report.text("/search/ceiling"), "target", "{run}");
        // What waits grows by what is too much: 5 % too much for 2 s are 40 waiting, so 100 ms.
        // Below, a host that others share may answer later than after 10 ms.
        let (holds, breaks) = (report.number("/search/holds"), report.number("/search/breaks"));
        assert!((200.0..=CAPACITY * 1.05).contains(&holds), "{holds}/s{run}");
        assert!(holds < breaks && breaks <= holds * 1.2 + 0.001, "{breaks}/s, by 20 %{run}");
        assert!((report.number("/search/achieved") / holds - 1.0).abs() < 0.05, "{run}");
        assert!(run.stdout.contains("held what was asked for"), "{run}");
    }
}

/// Of two connections each answer takes 20 ms, of three 30 ms: one clerk, 10 ms on average.
#[test]
fn connections_are_searched_too() {
    let load = "{connections: 2, search: {slo: [http_req_duration avg < 35ms], to: 100, trial: 1s, \
                settle: 0s, resolution: 20%}}";
    for run in run(&scenario(load, "/queue/10ms"), "--cores 0", 0) {
        assert_trials(&run);
        let report = run.report();
        assert_eq!(report.text("/search/unit"), "connections", "{run}");
        for trial in list(report, "/search/trials") {
            let busy = number(&trial["concurrency"]) / number(&trial["level"]);
            assert!(busy < 1.05, "not more than there are: {trial}{run}");
            assert!(busy > 0.95 || is_spoilt(&run), "all wait: {trial}{run}");
        }
        if is_spoilt(&run) {
            continue;
        }
        assert_eq!(report.text("/search/ceiling"), "target", "{run}");
        // The mean of about 100 exponential times is within a fifth of theirs.
        let holds = report.number("/search/holds");
        assert!((2.0..=4.0).contains(&holds), "{holds}{run}");
        assert!((report.number("/search/achieved") - holds).abs() < 0.01, "of 100 open{run}");
    }
}

#[test]
fn a_lowest_level_that_breaks_fails_the_run() {
    let load = "{rate: 900/s, max: 4, patience: 1s, search: {slo: [http_req_duration avg < 40ms], \
                to: 3000/s, trial: 1s, settle: 1s}}";
    for run in run(&scenario(load, "/delay/10ms"), "", 99) {
        assert_trials(&run);
        assert_eq!(run.report().text("/search/end"), "doomed", "{run}");
        assert!(run.report().at("/search/holds").is_null(), "{run}");
        assert!(run.stdout.contains("no level held what was asked for"), "{run}");
        if is_spoilt(&run) {
            continue;
        }
        assert!(run.stdout.contains("does not hold at the lowest level, 900/s"), "{run}");
    }
}

#[test]
fn a_limit_that_is_not_reached_is_at_least_that() {
    let load = "{rate: 20/s, max: 4, search: {slo: [http_req_duration avg < 40ms], to: 40/s, \
                trial: 1s, settle: 0s}}";
    for run in run(&scenario(load, "/delay/10ms"), "", 0) {
        assert_trials(&run);
        if is_spoilt(&run) {
            continue;
        }
        assert_eq!(run.report().text("/search/ceiling"), "none", "{run}");
        assert!((run.report().number("/search/holds") - 40.0).abs() < 1e-9, "{run}");
        assert!(run.stdout.contains("at least 40/s held"), "{run}");
    }
}

#[test]
fn a_search_that_is_interrupted_found_nothing() {
    let load = "{rate: 100/s, max: 4, search: {slo: [http_req_duration avg < 40ms], to: 300/s, \
                trial: 1s, settle: 0s}}";
    let servers = [target(""), target("")];
    let text = scenario(load, "/delay/10ms");
    let runs: Vec<_> =
        servers.iter().zip([1, 2]).map(|(server, count)| start(server, &text, count)).collect();
    // The second trial is under way.
    let sent = || servers.iter().map(|server| server.count().of("requests")).min().unwrap_or(0);
    until("the second level", Duration::from_secs(20), || sent() >= 150);
    runs.iter().for_each(|run| run.signal(Signal::INT));
    for run in runs {
        let run = run.finish().exits([105]);
        assert_eq!(run.report().text("/search/end"), "cut", "{run}");
        assert!(run.report().at("/search/holds").is_null(), "{run}");
        assert!(run.stdout.contains("the run ended before the search did"), "{run}");
    }
}

/// The levels that events tell of, each with when.
fn levels(run: &Run) -> Vec<(f64, f64)> {
    let told = events(run).into_iter().filter_map(|(at, what)| {
        let (level, _) = what.strip_prefix("the level goes to ")?.split_once("/s")?;
        Some((at, level.parse().expect("a level")))
    });
    told.collect()
}

#[test]
fn a_level_that_keeps_a_response_time_stays_near_what_the_target_bears() {
    let load = "{rate: 100/s, max: 4, patience: 200ms, adapt: {keep: http_req_duration avg < 40ms, \
                step: 100/s, to: 3000/s, for: 16s, every: 1s}}";
    for run in run(&scenario(load, "/delay/10ms"), "", 0) {
        let levels = levels(&run);
        if is_spoilt(&run) {
            continue;
        }
        let highest = levels.iter().fold(0.0_f64, |most, (_, level)| most.max(*level));
        // It takes two answers that are too long before it goes back: two steps too far.
        assert!((250.0..=CAPACITY + 300.0).contains(&highest), "{levels:?}{run}");
        let ends = levels.iter().skip(1).map(|(at, _)| *at).chain([16.0]);
        let above: f64 = levels
            .iter()
            .zip(ends)
            .map(|((at, level), end)| if *level > CAPACITY * 1.1 { end - at } else { 0.0 })
            .sum();
        assert!(above < 10.0, "{above} s of 16 above what it bears: {levels:?}{run}");
        let (_, last) = levels.last().expect("a level");
        assert!((150.0..=CAPACITY + 200.0).contains(last), "{levels:?}{run}");
        let back = levels.windows(2).any(|pair| pair[1].1 < pair[0].1);
        assert!(back || highest <= CAPACITY * 1.05, "it never went back: {levels:?}{run}");
    }
}

#[test]
fn a_ramp_slows_where_answers_are_late() {
    let load = "{rate: 20/s, max: 40, adapt: {slow_above: 5ms, step: 40/s, to: 300/s, for: 5s, \
                every: 1s}}";
    for run in run(&scenario(load, "/delay/10ms"), "", 0) {
        let levels: Vec<f64> = levels(&run).into_iter().map(|(_, level)| level).collect();
        assert!(levels.len() >= 3 && levels.len() <= 5, "once a second: {levels:?}{run}");
        let mut expected = 20.0;
        for level in &levels {
            // Half a step of 40/s each time: 10 ms are more than 5 ms.
            expected += 20.0;
            assert!((level - expected).abs() < 1e-9, "{levels:?}{run}");
        }
    }
}

#[test]
fn a_ramp_stops_where_too_much_fails() {
    let load = "{rate: 40/s, max: 40, adapt: {slow_above: 1s, stop_above: 5%, step: 40/s, \
                to: 300/s, for: 60s, every: 1s}}";
    for run in run(&scenario(load, "/health"), "--misbehave 5xx:4", 0) {
        let events = events(&run);
        // 10 of 40: by the interval of 95 % more than 14 %.
        let why = events.iter().find(|(_, what)| what.contains("failed, more than 5.0 %"));
        assert!(why.is_some_and(|(at, _)| *at < 5.0), "{events:?}{run}");
        assert!(run.wall < Duration::from_secs(20), "the load ends then{run}");
        assert!(run.report().number("/run/duration_s") < 6.0, "{run}");
    }
}

/// Each preset does all it has to in a fiftieth of its time and less, its thresholds have data, and
/// they are those of a target that is well: what a busy host spoils is told apart.
#[test]
fn presets_of_shapes_and_of_a_search_run() {
    let presets =
        [("spike", "0.05"), ("stress", "0.02"), ("soak", "0.002"), ("breakpoint", "0.05")];
    let server = target("");
    let start = |(name, scale): (&str, &str)| {
        let load =
            Onslaught::preset(name).set("BASE_URL", server.url("")).args(["--scale-time", scale]);
        let load = if name == "breakpoint" {
            load.set("FROM", "2100/s").set("MOST", "2200/s")
        } else {
            load
        };
        load.shards(1).line("--allow-untrusted").start()
    };
    for pair in presets.chunks(2) {
        let runs: Vec<Running> = pair.iter().map(|preset| start(*preset)).collect();
        for (run, (name, _)) in runs.into_iter().zip(pair) {
            let run = run.finish().exits([0, 99]);
            let report = run.report();
            assert!(run.exit == 0 || is_spoilt(&run), "{run}");
            let judged = list(report, "/thresholds").iter().filter(|row| !row["value"].is_null());
            let (judged, all) = (judged.count(), list(report, "/thresholds").len());
            // A window of a minute does not fit into a run of seconds.
            let windows = usize::from(matches!(*name, "stress" | "soak"));
            assert!(judged >= all - windows, "{judged} of {all}{run}");
            let phases = list(report, "/phases").iter().filter(|each| each["name"] != "load");
            let expected = [("spike", 3), ("stress", 6), ("soak", 4), ("breakpoint", 0)];
            assert!(expected.contains(&(*name, phases.count())), "{name}{run}");
            assert!(report.at("/search").is_null() != (*name == "breakpoint"), "{run}");
        }
    }
}
