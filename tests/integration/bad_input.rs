//! What cannot be run: refused with its cause, its class and the right exit code, at once.

use std::time::Duration;

use crate::kit::{Onslaught, free_port, shards, target_at};

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
    for short in ["0s", "1ns", "999us"] {
        assert_usage(&format!("-d {short}"), ["-d", "too short", "1ms"]);
        assert_usage(&format!("-d 1s --timeout {short}"), ["--timeout", "too short", "1ms"]);
    }
}

#[test]
fn quantities_that_overflow() {
    assert_usage("-d 1s -R 99999999999999999999", ["99999999999999999999"]);
    assert_usage("-d 1s -R 0", ["-R", "above zero"]);
    for fast in ["20M", "99999999999999k", "99999999999999999999"] {
        assert_usage(&format!("-d 1s -R {fast}"), ["-R", fast, "10M a second"]);
    }
    assert_usage("-d 1s -n 0", ["0"]);
    assert_usage("-d 1s -n 99999999999999999999999", ["99999999999999999999999"]);
    assert_usage("-d 1s -c 99999999999", ["-c", "99999999999", "1,048,576"]);
    assert_usage("-d 1s -t 4095", ["4095", "-t"]);
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
fn urls_with_a_slip() {
    for (url, words) in [
        ("127.0.0.1:18080/health", ["did you mean", "http://127.0.0.1:18080/health"]),
        ("localhost:18080", ["did you mean", "http://localhost:18080"]),
        ("http://127.0.0.1:70000/", ["70000", "65535"]),
        ("http://127.0.0.1:0/", ["port 0", "65535"]),
    ] {
        Onslaught::http(url).line("-d 1s").run().exits([2]).says(words);
    }
}

#[test]
fn bodies_that_cannot_be_read() {
    for (body, why) in [("@/no/such/file", "No such file"), ("@/dev/zero", "64 MiB")] {
        assert_usage(&format!("-d 1s --body {body}"), ["--body", why]);
    }
}

/// The name stands for both loopback addresses, whatever the resolver says.
#[test]
fn localhost_is_tried_in_both_families() {
    let load = Onslaught::http(format!("http://localhost:{}/", free_port())).line("-d 1s");
    load.run().exits([113]).says(["127.0.0.1:", "[::1]:", "refused"]);
    let server = target_at("[::1]:0", "");
    let load = Onslaught::http(format!("http://localhost:{}/health", server.port));
    assert_eq!(load.line("-c 2 -n 10").run().exits([0]).report().ok(), 10);
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
