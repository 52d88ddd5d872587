//! Orders to a running load: keys on a terminal, signals from a script. What the target counted
//! itself says whether they were obeyed.

use std::time::Duration;

use rustix::process::Signal;

use crate::kit::{
    Onslaught, Report, Stopwatch, Target, Terminal, pause, shards, target, terminal, until,
};

const SOON: Duration = Duration::from_secs(5);

fn seen(server: &Target) -> u64 {
    server.told()["requests"].as_u64().expect("a count")
}

/// 200 a second, for longer than any test takes.
fn load(server: &Target, count: u32) -> Onslaught {
    Onslaught::http(server.url("/health"))
        .line("-R 200 -c 8 -d 60s --allow-untrusted")
        .shards(count)
}

#[track_caller]
fn press(terminal: &Terminal, keys: &str, shown: &str) {
    terminal.press(keys);
    until(shown, SOON, || terminal.has_shown(shown));
    // Every shard follows 50 ms behind the order.
    pause(Duration::from_millis(200));
}

/// Nothing comes for a second, once what was due before the pause has come: on a host that is
/// busy it may be late.
#[track_caller]
fn assert_still(server: &Target) {
    until("what was due to come", SOON, || {
        let before = seen(server);
        pause(Duration::from_millis(200));
        seen(server) == before
    });
    let held = seen(server);
    pause(Duration::from_secs(1));
    assert_eq!(seen(server), held, "it is paused");
}

/// So much comes in a second, to 5 %: for 2 s, so that a delay of 50 ms at either end is allowed.
#[track_caller]
fn assert_rate(server: &Target, rate: f64) {
    let (watch, from) = (Stopwatch::start(), seen(server));
    pause(Duration::from_secs(2));
    let came = u32::try_from(seen(server) - from).expect("a few hundred requests");
    let measured = f64::from(came) / watch.elapsed().as_secs_f64();
    assert!((measured / rate - 1.0).abs() < 0.05, "{measured}/s instead of {rate}/s");
}

/// Where on the timeline each of these stands, which is in this order.
#[track_caller]
fn assert_told<const N: usize>(report: &Report, expected: [&str; N]) {
    let events = report.at("/events").as_array().expect("a list of events");
    let mut told = events.iter().filter_map(|event| event["what"].as_str());
    for what in expected {
        assert!(told.any(|event| event == what), "no '{what}' in its place: {events:#?}");
    }
}

#[test]
fn keys_pause_a_load_and_change_its_level() {
    shards([1, 2], |count| {
        let (server, terminal) = (target(""), terminal());
        let before = terminal.modes();
        let load = load(&server, count).on(&terminal).start();
        until("the load to begin", SOON, || seen(&server) > 20);
        assert_ne!(terminal.modes(), before, "keys are read one by one");
        until("the keys", SOON, || terminal.has_shown("p pause"));
        press(&terminal, "p", "paused");
        assert_still(&server);
        press(&terminal, "p", "%  200 req/s");
        assert_rate(&server, 200.0);
        press(&terminal, "+++++", "level 150 %");
        assert_rate(&server, 300.0);
        terminal.press("d");
        let run = load.finish().exits([105]);
        assert_eq!(terminal.modes(), before, "the terminal is as it was");
        let report = run.report();
        report.assert_clean();
        assert_eq!(seen(&server), report.sent(), "nothing is lost{run}");
        let planned = "the level is 100 % of the plan's from here on";
        let more = "the level is 150 % of the plan's from here on";
        assert_told(report, ["paused", planned, more, "interrupted: draining"]);
        for what in ["paused", more] {
            assert!(run.stdout.contains(what), "the summary does not tell '{what}'{run}");
        }
    });
}

/// Ctrl-Z and Ctrl-C are what they are elsewhere, and find the terminal as it was.
#[test]
fn the_terminal_is_given_back() {
    shards([1, 2], |count| {
        let (server, terminal) = (target(""), terminal());
        let before = terminal.modes();
        let load = load(&server, count).on(&terminal).start();
        until("keys to be read", SOON, || terminal.modes() != before);
        until("the load to begin", SOON, || seen(&server) > 20);
        terminal.press("\x1a");
        until("the process to stop", SOON, || load.is_stopped());
        assert_eq!(terminal.modes(), before, "a shell takes over");
        load.signal(Signal::CONT);
        until("keys to be read again", SOON, || terminal.modes() != before);
        // An arrow key is none of ours.
        terminal.press("\x1b[0p");
        terminal.press("\x03");
        load.finish().exits([105]);
        assert_eq!(terminal.modes(), before, "the terminal is as it was");
        assert!(!terminal.has_shown("paused"), "nobody ordered that");
    });
}

#[test]
fn signals_pause_a_load_without_a_terminal() {
    shards([1, 2], |count| {
        let server = target("");
        let load = load(&server, count).start();
        until("the load to begin", SOON, || seen(&server) > 20);
        load.signal(Signal::USR1);
        pause(Duration::from_millis(400));
        // Once more is no end of it.
        load.signal(Signal::USR1);
        assert_still(&server);
        load.signal(Signal::USR2);
        let held = seen(&server);
        until("the load to go on", SOON, || seen(&server) > held + 20);
        load.signal(Signal::INT);
        let run = load.finish().exits([105]);
        run.report().assert_clean();
        assert_eq!(seen(&server), run.report().sent(), "nothing is lost{run}");
        let planned = "the level is 100 % of the plan's from here on";
        assert_told(run.report(), ["paused", planned, "interrupted: draining"]);
    });
}
