//! Ctrl-C: the first drains and reports, the second ends at once.

use std::time::Duration;

use rustix::process::Signal;

use crate::kit::{Onslaught, Reply, established, liar, shards, target, until};

fn interrupted_by(signal: Signal, count: u32) {
    let server = target("");
    let load = Onslaught::http(server.url("/health")).line("-c 64 -d 60s").shards(count).start();
    let connected = || established(server.port) >= 64;
    until("the load to begin", Duration::from_secs(5), connected);
    load.signal(signal);
    let run = load.finish().exits([105]);
    assert!(run.wall < Duration::from_secs(10), "it went on{run}");
    assert_eq!(run.report().text("/verdict"), "interrupted");
    assert_eq!(run.report().all_failed(), 0, "what was in flight was let end{run}");
    assert_eq!(run.report().count("/accounting/aborted"), 0, "{run}");
    assert_eq!(server.told()["requests"], run.report().sent(), "nothing is lost");
    assert!(run.stdout.contains("replies"), "no summary{run}");
    run.says(["draining, at most 5 s; ctrl-c again ends at once"]);
}

#[test]
fn an_interrupted_warm_up_measured_nothing() {
    let server = target("");
    let load = Onslaught::http(server.url("/health")).line("-c 4 -d 60s --warmup 60s").start();
    until("the load to begin", Duration::from_secs(5), || established(server.port) >= 4);
    load.signal(Signal::INT);
    let run = load.finish().exits([105]);
    assert!(run.stdout.contains("of the 60 s warm-up; nothing was"), "{run}");
    assert!(!run.stdout.contains("trust"), "{run}");
    assert_eq!(run.report().count("/accounting/scheduled"), 0, "{run}");
}

#[test]
fn an_interrupt_drains_and_reports() {
    shards([1, 2], |count| interrupted_by(Signal::INT, count));
}

#[test]
fn a_request_to_terminate_drains_and_reports() {
    shards([1, 2], |count| interrupted_by(Signal::TERM, count));
}

/// The target never answers, so that draining takes its time: the second signal cuts it short.
#[test]
fn a_second_interrupt_ends_at_once() {
    shards([1, 2], |count| {
        let server = liar(|_| Reply::Hang(Vec::new()));
        let load = Onslaught::http(server.url()).line("-c 4 -d 60s --timeout 50s");
        let mut load = load.shards(count).start();
        until("the load to begin", Duration::from_secs(5), || server.requests() == 4);
        load.signal(Signal::INT);
        assert!(!load.ends_within(Duration::from_millis(300)), "it did not wait for replies");
        load.signal(Signal::INT);
        assert!(load.ends_within(Duration::from_secs(2)), "it waits although told twice");
        load.finish().exits([105, -2]);
    });
}
