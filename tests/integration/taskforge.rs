//! The combined test at its full width: 20 users, a mix of requests, 50 status connections.

use std::time::Duration;

use rustix::process::Signal;

use crate::kit::{Counts, Onslaught, Report, gateway, shards, target, until};

/// What both sides count: the report's metric, the server's counter.
const BOTH_COUNT: [(&str, &str); 9] = [
    ("users_created", "users_created"),
    ("logins", "logins"),
    ("token_refreshes", "refreshes"),
    ("logouts", "logouts"),
    ("tasks_created", "tasks_created"),
    ("subscriptions", "subscriptions"),
    ("ws_sessions", "ws_opened"),
    ("ws_msgs_sent", "ws_messages_in"),
    ("ws_msgs_received", "ws_messages_out"),
];

/// The mix: each request with its weight.
const MIX: [(&str, f64); 5] = [
    ("health", 10.0),
    ("generate-pdf", 30.0),
    ("compress-video", 25.0),
    ("resize-image", 35.0),
    ("metrics", 5.0),
];

const USERS: u64 = 20;

const SESSIONS: u64 = 50;

/// The preset: full speed next to its target on a small host, so late now and then.
fn taskforge(base: &str, status: &str, count: u32) -> Onslaught {
    let load = Onslaught::preset("taskforge").set("BASE_URL", base).set("STATUS_URL", status);
    load.line("--allow-untrusted").shards(count)
}

/// Nothing went wrong, by the report and by the server.
#[track_caller]
fn assert_all_went_well(report: &Report, counts: &Counts) {
    report.assert_clean();
    counts.assert_same(report, BOTH_COUNT);
    for (metric, expected) in [
        ("users_created", USERS),
        ("logouts", USERS),
        ("ws_sessions", SESSIONS),
        ("auth_failures", 0),
        ("ws_errors", 0),
        ("ws_reconnects", 0),
    ] {
        assert_eq!(report.metric(metric, "count"), expected, "{metric}: {counts}");
    }
    assert_eq!(report.of_kind("ws_open", "ok"), SESSIONS);
    assert_eq!(report.of_kind("http", "ok"), report.metric("http_reqs", "count"));
    assert_eq!(report.of_kind("ws_message", "sent"), report.metric("ws_msgs_sent", "count"));
    assert!(report.metric("subscriptions", "count") > 0, "nobody subscribed: {counts}");
    for counter in ["login_failures", "refresh_failures", "unauthorized"] {
        assert_eq!(counts.of(counter), 0, "{counter}: {counts}");
    }
    let again = report.metric("http_retries_unauthorized", "count");
    assert_eq!(again, counts.of("ws_refused"), "only upgrades may be refused: {counts}");
}

#[track_caller]
fn assert_thresholds_and_checks_passed(report: &Report) {
    let thresholds = report.at("/thresholds").as_array().expect("a list of thresholds");
    assert_eq!(thresholds.len(), 5, "{thresholds:#?}");
    for threshold in thresholds {
        assert_eq!(threshold["passed"], true, "{threshold:#}");
    }
    // Each of the three kinds of tasks has a check of its status.
    assert_eq!(report.count("/metrics/checks/fails"), 0, "{:#}", report.at("/checks"));
    let tasks = report.metric("tasks_created", "count");
    assert!(report.count("/metrics/checks/passes") >= tasks, "{:#}", report.at("/checks"));
}

/// Pearson's chi-square of the requests' counts; 28.5 is exceeded once in 100,000 honest runs.
#[track_caller]
#[expect(clippy::cast_precision_loss, reason = "counts far below 2^53")]
fn assert_mix(report: &Report) {
    let counts = MIX.map(|(name, _)| report.metric_by("request", name, "http_reqs") as f64);
    let total: f64 = counts.iter().sum();
    let weights: f64 = MIX.iter().map(|(_, weight)| weight).sum();
    assert!(total > 2_000.0, "too few requests to tell: {counts:?}");
    let square = |((_, weight), count): (&(&str, f64), &f64)| {
        let expected = total * weight / weights;
        (count - expected).powi(2) / expected
    };
    let chi_square: f64 = MIX.iter().zip(&counts).map(square).sum();
    assert!(chi_square < 28.5, "chi-square {chi_square} of {counts:?} against {MIX:?}");
}

#[test]
fn the_embedded_target_counts_the_same() {
    shards([1, 2], |count| {
        let server = target("--task-time 1s");
        let run = taskforge(&server.url(""), &server.ws_url(""), count)
            .line("--scale-time 0.1")
            .run()
            .exits([0]);
        let all_closed = || server.count().of("ws_closed") == SESSIONS;
        until("every socket to be closed", Duration::from_secs(20), all_closed);
        let report = run.report();
        assert_all_went_well(report, &server.count());
        assert_thresholds_and_checks_passed(report);
        assert_mix(report);
        assert_eq!(report.count("/metrics/status_codes/201"), server.count().of("tasks_created"));
    });
}

/// Tokens live for 2 s, rounded up to a whole second as `exp` is: up to 3 s. Each user is used all
/// the time, so renews after 3 s at the latest. A margin is at most half of a life: 1 s.
#[test]
fn the_gateway_on_node_counts_the_same_and_sees_no_expired_token() {
    shards([1, 2], |count| {
        let server = gateway().with("TOKEN_TTL", 2).start();
        let load = taskforge(&server.url(""), &server.ws_url(""), count);
        let run = load.line("--scale-time 0.1334").run().exits([0]);
        let all_closed = || server.count().of("ws_closed_clean") == SESSIONS;
        until("every socket to be closed cleanly", Duration::from_secs(20), all_closed);
        let (report, counts) = (run.report(), server.count());
        assert_all_went_well(report, &counts);
        assert_thresholds_and_checks_passed(report);
        assert_mix(report);
        // No request of the mix met an expired token. An upgrade may: Node takes one connection a
        // turn, so under load one waits in its backlog for longer than a token of 2 s lives.
        assert_eq!(counts.of("expired_tokens_seen"), counts.of("ws_refused"), "{counts}");
        // 8 s hold 2 lives of 3 s, and 8 of 1 s, for each of the users.
        let refreshes = report.metric("token_refreshes", "count");
        assert!((USERS * 2..=USERS * 8).contains(&refreshes), "{refreshes} refreshes: {counts}");
        assert_eq!(report.metric("logins", "count"), USERS, "nobody logs in twice: {counts}");
        assert_paths(report, &counts);
        assert_round_robin(&counts);
        // A task takes 1 s from its making, the clock starts with the reply, which comes later.
        assert!(report.metric("task_completion", "count") > 0, "nothing was completed: {counts}");
        assert!(report.ms("task_completion", "min") >= 500.0, "completed too early{run}");
    });
}

/// Each request of the mix against the replies of its path.
#[track_caller]
fn assert_paths(report: &Report, counts: &Counts) {
    let by_request = |name| report.metric_by("request", name, "http_reqs");
    assert_eq!(by_request("health"), counts.replies("/health", 200), "{counts}");
    assert_eq!(by_request("metrics"), counts.replies("/metrics", 200), "{counts}");
    let tasks = ["generate-pdf", "compress-video", "resize-image"].map(by_request);
    assert_eq!(tasks.iter().sum::<u64>(), counts.replies("/tasks", 201), "{counts}");
    let foreign = [403, 404].map(|status| counts.replies("/tasks/:id", status));
    assert_eq!(by_request("foreign-task"), foreign.iter().sum::<u64>(), "{counts}");
    assert_eq!(counts.replies("/tasks/:id", 200), 0, "a foreign task was shown: {counts}");
    let business = ["/health", "/metrics", "/tasks"].map(|path| counts.replies_below(path));
    assert_eq!(report.metric("http_reqs", "count"), business.iter().sum::<u64>(), "{counts}");
}

/// 50 connections over 20 users: the first ten have three each, the others two.
#[track_caller]
fn assert_round_robin(counts: &Counts) {
    let mut opened = counts.all("ws_opened_by_user");
    opened.sort_unstable();
    let email = |n: u64| format!("loadtest{n}@example.com");
    let mut expected: Vec<(String, u64)> =
        (1..=USERS).map(|n| (email(n), if n <= 10 { 3 } else { 2 })).collect();
    expected.sort_unstable();
    let expected: Vec<(&str, u64)> =
        expected.iter().map(|(email, count)| (email.as_str(), *count)).collect();
    assert_eq!(opened, expected);
}

/// What was begun is ended: sockets closed, users logged out, all within the grace time of 5 s.
#[test]
fn an_interrupt_still_closes_and_logs_out() {
    shards([1, 2], |count| {
        let server = gateway().start();
        let mut load = taskforge(&server.url(""), &server.ws_url(""), count).start();
        let busy = || {
            let counts = server.count();
            counts.of("ws_opened") == SESSIONS && counts.of("logins") == USERS
        };
        until("the load to be on", Duration::from_secs(15), busy);
        load.signal(Signal::INT);
        assert!(load.ends_within(Duration::from_secs(7)), "it goes on");
        let run = load.finish().exits([105]);
        let all_closed = || server.count().of("ws_closed_clean") == SESSIONS;
        until("every socket to be closed cleanly", Duration::from_secs(20), all_closed);
        let (report, counts) = (run.report(), server.count());
        assert_eq!(report.text("/verdict"), "interrupted");
        assert_eq!(report.all_failed(), 0, "what was in flight was let end{run}");
        counts.assert_same(report, BOTH_COUNT);
        assert_eq!(counts.of("logouts"), USERS, "{counts}");
    });
}
