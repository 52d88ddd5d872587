//! What cannot be run: refused with its cause, its class and the right exit code, at once.

use std::time::Duration;

use crate::kit::{Onslaught, free_port, shards};

/// Wrong usage: exit 2, a cause on standard error, nothing else done.
#[track_caller]
fn assert_usage<const N: usize>(line: &str, words: [&str; N]) {
    eprintln!("http {line}");
    let load = Onslaught::http("http://127.0.0.1:9/").line(line).within(Duration::from_secs(5));
    let run = load.run().exits([2]).says(words);
    assert!(!run.has_report(), "wrong usage leaves no summary{run}");
    assert!(!run.stderr.contains("panicked"), "{run}");
}

#[test]
fn no_connections() {
    assert_usage("-c 0 -d 1s", ["0"]);
}

#[test]
fn durations_that_are_none() {
    for duration in ["99999999999999999999s", "1e400s", "10parsecs", "s", "-1s", "NaN"] {
        assert_usage(&format!("-d {duration}"), ["-d", duration]);
    }
    assert_usage("-d 0s", ["-d", "too short"]);
}

#[test]
fn quantities_that_overflow() {
    assert_usage("-d 1s -R 99999999999999999999", ["99999999999999999999"]);
    assert_usage("-d 1s -R 0", ["0"]);
    assert_usage("-d 1s -n 0", ["0"]);
    assert_usage("-d 1s -n 99999999999999999999999", ["99999999999999999999999"]);
    assert_usage("-d 1s -c 99999999999", ["99999999999"]);
    assert_usage("-d 1s -t 0", ["0"]);
    assert_usage("-d 1s --timeout 99999999999999999999h", ["99999999999999999999h"]);
}

#[test]
fn flags_that_do_not_exist() {
    assert_usage("--connektions 5", ["--connektions", "--connections"]);
}

#[test]
fn headers_that_split_a_request() {
    let load = Onslaught::http("http://127.0.0.1:9/").args(["-d", "1s", "-H", "X: a\r\nY: b"]);
    load.within(Duration::from_secs(5)).run().exits([2]);
}

#[test]
fn urls_that_are_none() {
    for url in ["", "http://", "ftp://127.0.0.1/", "127.0.0.1 8080", "http://127.0.0.1:99999/"] {
        eprintln!("http {url:?}");
        let load = Onslaught::http(url).line("-d 1s").within(Duration::from_secs(5));
        let run = load.run().exits([2]);
        assert!(!run.stderr.is_empty(), "no cause{run}");
    }
}

#[test]
fn a_refused_connection() {
    shards([1, 2], |count| {
        let load = Onslaught::http(format!("http://127.0.0.1:{}/", free_port()));
        let load = load.line("-c 16 -d 5s").shards(count).within(Duration::from_secs(10));
        let run = load.run().exits([113]).uses_at_most(Duration::from_millis(700));
        assert!(run.report().errors("refused") >= 1, "{:#}", run.report().at("/errors"));
        assert_eq!(run.report().ok(), 0);
        run.says(["refused"]);
    });
}

#[test]
fn a_name_that_does_not_resolve() {
    shards([1, 2], |count| {
        // RFC 6761: names below `invalid` never exist.
        let load = Onslaught::http("http://no-such-host.invalid/").line("-c 16 -d 5s");
        let run = load.shards(count).run().exits([113]).uses_at_most(Duration::from_millis(700));
        assert!(run.report().errors("dns") >= 1, "{:#}", run.report().at("/errors"));
        assert_eq!(run.report().ok(), 0);
        run.says(["no-such-host.invalid"]);
    });
}
