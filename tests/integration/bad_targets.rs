//! Scenarios against targets that are not what they should be: each fault has its class and its
//! exit code, and nobody is stormed.

use std::time::Duration;

use crate::kit::{Onslaught, Server, api, free_port, gateway, shards, status, trial};

const USERS: u64 = 5;

/// Status connections that are held open for 2 s.
const SESSIONS: u64 = 5;

fn load(server: &Server, workloads: &str, count: u32) -> Onslaught {
    let load = Onslaught::scenario(trial(workloads)).set("BASE_URL", server.url(""));
    load.set("STATUS_URL", server.ws_url("")).line("--allow-untrusted").shards(count)
}

fn sessions() -> String {
    format!("workloads:{}", status(&format!("connections: {SESSIONS}, for: 2s")))
}

/// Nobody can log in: the load is not begun.
#[test]
fn a_target_without_accounts() {
    shards([1, 2], |count| {
        let server = gateway().with("NO_AUTH", 1).start();
        let workloads = format!("workloads:{}", api("connections: 10, for: 5s"));
        let run = load(&server, &workloads, count).within(Duration::from_secs(15)).run();
        let run = run.exits([113]).says(["/auth/register", "404"]);
        let counts = server.count();
        assert_eq!(counts.replies_below("/tasks"), 0, "a load without users: {counts}");
        let attempts = counts.replies_below("/auth");
        // Registered and logged in, each at most twice.
        assert!((1..=USERS * 4).contains(&attempts), "{attempts} attempts{run}");
    });
}

/// Each operation that is sent fails once, after one renewal of its token and one more try. A user
/// whose new tokens are refused too is left alone for a while: what is due meanwhile finds no token
/// and is dropped, so the target is not flooded with renewals.
#[test]
fn a_target_that_accepts_no_token() {
    shards([1, 2], |count| {
        let server = gateway().with("ALWAYS_401", 1).start();
        let workloads = format!("workloads:{}", api("rate: 20/s, for: 2s"));
        let run = load(&server, &workloads, count).run().exits([1]);
        let (report, counts) = (run.report(), server.count());
        assert_eq!(report.of_kind("http", "scheduled"), 40, "{:#}", report.at("/accounting"));
        let sent = report.of_kind("http", "sent");
        assert!(sent >= USERS, "each user tries: {:#}", report.at("/accounting"));
        assert_eq!(report.failed("status"), sent, "{:#}", report.at("/accounting"));
        assert_eq!(report.all_failed(), sent, "{:#}", report.at("/accounting"));
        let refused = counts.of("unauthorized");
        assert_eq!(report.count("/metrics/status_codes/401"), refused, "{counts}");
        assert!((sent..=2 * sent).contains(&refused), "one retry at most: {counts}");
        let renewed = counts.of("refreshes") + counts.of("logins");
        assert!(renewed <= USERS + 40, "at most one renewal for each 401: {counts}");
        assert_eq!(counts.of("tasks_created"), 0, "{counts}");
    });
}

/// The server speaks no WebSocket as soon as one is open: sessions end, and come back slowly.
#[test]
fn garbage_ends_a_session() {
    shards([1, 2], |count| {
        let server = gateway().with("GARBAGE_WS", "open").start();
        let text = format!("{}thresholds: [ws_errors count < 1]\n", sessions());
        let run = load(&server, &text, count).run().exits([99]);
        let (report, counts) = (run.report(), server.count());
        let opened = counts.of("ws_opened");
        assert_eq!(report.metric("ws_sessions", "count"), opened, "{counts}");
        assert_eq!(report.metric("ws_reconnects", "count"), opened - SESSIONS, "{counts}");
        assert!(report.metric("ws_errors", "count") >= SESSIONS, "{counts}");
        assert_no_storm(opened);
    });
}

/// The same instead of an answer: the message that waits for it fails.
#[test]
fn garbage_is_no_answer() {
    shards([1, 2], |count| {
        let server = gateway().with("GARBAGE_WS", "answer").start();
        let run = load(&server, &sessions(), count).run().exits([0]);
        let (report, counts) = (run.report(), server.count());
        let failed = report.of_kind("ws_message", "failed/protocol");
        assert!(failed >= SESSIONS, "{:#}", report.at("/accounting"));
        assert_eq!(report.failed_of_kind("ws_message"), failed, "{:#}", report.at("/accounting"));
        assert_eq!(failed, counts.of("ws_messages_in"), "each of them: {counts}");
        assert_eq!(report.of_kind("ws_open", "ok"), counts.of("ws_opened"), "{counts}");
        assert_eq!(report.of_kind("ws_message", "ok"), 0, "{:#}", report.at("/accounting"));
        assert_no_storm(counts.of("ws_opened"));
    });
}

/// The upgrade is never answered: each attempt ends after 500 ms and is counted once.
#[test]
fn an_upgrade_that_is_never_answered() {
    shards([1, 2], |count| {
        let server = gateway().with("SILENT_WS", 1).start();
        let run = load(&server, &sessions(), count).run().exits([1]);
        let (report, counts) = (run.report(), server.count());
        let attempts = counts.of("ws_attempts");
        assert_eq!(report.of_kind("ws_open", "sent"), attempts, "{counts}");
        let late = ["timeout_connect", "timeout_first_byte"].map(|class| report.failed(class));
        let late = late.iter().sum::<u64>();
        assert!(late >= SESSIONS, "{:#}", report.at("/accounting"));
        assert_eq!(report.all_failed(), late, "{:#}", report.at("/accounting"));
        // What the end of the run cut short is no error of the target's.
        assert_eq!(report.metric("ws_errors", "count"), late, "counted once each{run}");
        assert_eq!(late + report.of_kind("ws_open", "aborted"), attempts, "{counts}");
        assert_eq!(report.metric("ws_sessions", "count"), 0, "{run}");
        // 2 s hold four attempts of 500 ms, and one more that has just begun.
        assert!(attempts <= SESSIONS * 5, "{attempts} attempts{run}");
        assert!(run.wall < Duration::from_secs(8), "it waits for what never comes{run}");
    });
}

/// Open, and dumb: every message waits for 150 ms and fails, the sessions stay.
#[test]
fn messages_that_are_never_answered() {
    shards([1, 2], |count| {
        let server = gateway().with("MUTE_WS", 1).start();
        let run = load(&server, &sessions(), count).run().exits([0]);
        let (report, counts) = (run.report(), server.count());
        let late = report.of_kind("ws_message", "failed/timeout_first_byte");
        assert!(late >= SESSIONS, "{:#}", report.at("/accounting"));
        assert_eq!(report.failed_of_kind("ws_message"), late, "{:#}", report.at("/accounting"));
        assert_eq!(report.all_failed(), late, "{:#}", report.at("/accounting"));
        assert_eq!(report.of_kind("ws_message", "ok"), 0, "{:#}", report.at("/accounting"));
        assert_eq!(report.metric("ws_msgs_sent", "count"), counts.of("ws_messages_in"));
        assert_eq!(report.metric("ws_msgs_received", "count"), 0, "{run}");
        assert_eq!(counts.of("ws_opened"), SESSIONS, "an unanswered message ends nothing");
        // 10 periods of 200 ms, and one that has just begun.
        assert!(counts.of("ws_messages_in") <= SESSIONS * 11, "{counts}");
    });
}

#[test]
fn a_port_where_nobody_listens() {
    shards([1, 2], |count| {
        let address = format!("127.0.0.1:{}", free_port());
        let workloads = format!("workloads:{}", api("connections: 10, for: 5s"));
        let load = Onslaught::scenario(trial(&workloads));
        let load = load.set("BASE_URL", format!("http://{address}"));
        let load = load.set("STATUS_URL", format!("ws://{address}")).shards(count);
        let run = load.within(Duration::from_secs(10)).run().exits([113]);
        run.says(["refused", &address]).uses_at_most(Duration::from_millis(700));
    });
}

/// The gateway answers, the status gateway is not there: attempts come slowly, and are counted.
#[test]
fn a_status_port_where_nobody_listens() {
    shards([1, 2], |count| {
        let server = gateway().start();
        let load = Onslaught::scenario(trial(&sessions())).set("BASE_URL", server.url(""));
        let load = load.set("STATUS_URL", format!("ws://127.0.0.1:{}", free_port()));
        let run = load.shards(count).run().exits([1, 113]);
        run.says(["refused"]).uses_at_most(Duration::from_millis(700));
        let counts = server.count();
        assert_eq!(counts.of("logouts"), counts.of("logins"), "who came in goes out: {counts}");
    });
}

/// A session that ended comes back after a growing pause: no more than 10 times in 2 s.
#[track_caller]
fn assert_no_storm(opened: u64) {
    assert!(opened <= SESSIONS * 10, "{SESSIONS} sessions were opened {opened} times in 2 s");
}
