//! `onslaught ws` against npm's `ws`, Python's `websockets` and the embedded target.

use std::time::Duration;

use crate::kit::{Onslaught, Report, Run, Server, echo_node, echo_python, shards, target, until};

const SESSIONS: u64 = 50;

/// 15 periods of 200 ms in 3 s; a session's own phase and its opening cost it two at most, and the
/// first message may come before the first period. On a busy host they open late, by up to half a
/// second.
const MESSAGES: std::ops::RangeInclusive<u64> = SESSIONS * 10..=SESSIONS * 16;

fn load(url: &str, what: [&str; 2], count: u32) -> Run {
    let load = Onslaught::ws(url).line("-c 50 -d 3s --every 200ms --allow-untrusted");
    let what = what.into_iter().filter(|word| !word.is_empty());
    load.args(what).shards(count).run().exits([0])
}

/// Every session was opened and every message answered; gives the number of messages.
#[track_caller]
fn assert_answered(report: &Report) -> u64 {
    report.assert_clean();
    assert_eq!(report.metric("ws_sessions", "count"), SESSIONS);
    assert_eq!(report.metric("ws_connecting", "count"), SESSIONS);
    assert_eq!(report.metric("ws_session_duration", "count"), SESSIONS);
    assert_eq!(report.of_kind("ws_open", "ok"), SESSIONS);
    for metric in ["ws_errors", "ws_reconnects"] {
        assert_eq!(report.metric(metric, "count"), 0, "{metric}");
    }
    let answered = report.of_kind("ws_message", "ok");
    assert_eq!(report.sent(), SESSIONS + answered, "{:#}", report.at("/accounting"));
    assert!(MESSAGES.contains(&answered), "{answered} messages");
    answered
}

#[track_caller]
fn assert_closed_cleanly(server: &Server) {
    let closed = || server.count().all("closed").iter().map(|(_, count)| count).sum::<u64>();
    until("every socket to be closed", Duration::from_secs(20), || closed() == SESSIONS);
    assert_eq!(server.count().all("closed"), [("1000", SESSIONS)]);
}

fn messages_come_back(start: fn() -> Server) {
    shards([1, 2], |count| {
        let server = start();
        let run = load(&server.ws_url("/"), ["--message", "one & only: ü"], count);
        let (report, counts) = (run.report(), server.count());
        let answered = assert_answered(report);
        for metric in ["ws_msgs_sent", "ws_msgs_received", "ws_msg_latency"] {
            assert_eq!(report.metric(metric, "count"), answered, "{metric}{run}");
        }
        assert_eq!(counts.of("opened"), SESSIONS, "{counts}");
        assert_eq!(counts.of("messages"), answered, "{counts}");
        assert_eq!(counts.of("pings"), 0, "{counts}");
        assert_closed_cleanly(&server);
    });
}

fn pings_are_answered(start: fn() -> Server) {
    shards([1, 2], |count| {
        let server = start();
        let run = load(&server.ws_url("/"), ["--ping", ""], count);
        let (report, counts) = (run.report(), server.count());
        let answered = assert_answered(report);
        assert_eq!(report.metric("ws_ping", "count"), answered, "{run}");
        assert_eq!(counts.of("pings"), answered, "{counts}");
        assert_eq!(counts.of("messages"), 0, "{counts}");
        assert_eq!(report.metric("ws_msgs_sent", "count"), 0, "a ping is no message{run}");
        assert_closed_cleanly(&server);
    });
}

#[test]
fn messages_come_back_from_node() {
    messages_come_back(echo_node);
}

#[test]
fn messages_come_back_from_python() {
    messages_come_back(echo_python);
}

#[test]
fn pings_are_answered_by_node() {
    pings_are_answered(echo_node);
}

#[test]
fn pings_are_answered_by_python() {
    pings_are_answered(echo_python);
}

#[test]
fn messages_come_back_from_the_embedded_target() {
    shards([1, 2], |count| {
        let server = target("");
        let run = load(&server.ws_url("/echo"), ["--message", "hello"], count);
        let closed = || server.count().of("ws_closed") == SESSIONS;
        until("every socket to be closed", Duration::from_secs(20), closed);
        let (report, counts) = (run.report(), server.count());
        let answered = assert_answered(report);
        assert_eq!(report.metric("ws_msg_latency", "count"), answered, "{run}");
        counts.assert_same(
            report,
            [
                ("ws_sessions", "ws_opened"),
                ("ws_msgs_sent", "ws_messages_in"),
                ("ws_msgs_received", "ws_messages_out"),
            ],
        );
        assert_eq!(counts.of("ws_messages_in"), answered, "{counts}");
    });
}

/// The ramp is a part of the duration: the last of the sessions opens after 1 s.
#[test]
fn sessions_open_along_a_ramp() {
    shards([1, 2], |count| {
        let server = echo_node();
        let load = Onslaught::ws(server.ws_url("/")).line("-c 50 -d 2s --ramp 1s --every 200ms");
        let run = load.line("--message hello --allow-untrusted").shards(count).run().exits([0]);
        let report = run.report();
        report.assert_clean();
        assert_eq!(report.metric("ws_sessions", "count"), SESSIONS);
        assert_closed_cleanly(&server);
        assert!(run.wall < Duration::from_secs(4), "the ramp is not a part of it{run}");
        // The first is open for all of it, the last for half; the mean lies between.
        let [least, mean] = ["min", "avg"].map(|value| report.ms("ws_session_duration", value));
        assert!((900.0..1300.0).contains(&least), "the last was open for {least} ms{run}");
        assert!((1300.0..1700.0).contains(&mean), "sessions were open for {mean} ms{run}");
    });
}

#[test]
fn a_server_that_speaks_no_websocket_is_refused() {
    shards([1, 2], |count| {
        let server = target("");
        let load = Onslaught::ws(server.ws_url("/health")).line("-c 5 -d 1s --every 200ms");
        let run = load.line("--message hello").shards(count).run().exits([1, 113]);
        assert_eq!(run.report().ok(), 0, "{run}");
        assert!(run.report().errors("status") >= 1, "{:#}", run.report().at("/errors"));
        let text = report_text(run.report());
        assert!(text.contains("status 200"), "what came instead is told: {text}");
    });
}

/// The first texts of what failed.
fn report_text(report: &Report) -> String {
    format!("{:#}", report.at("/errors"))
}
