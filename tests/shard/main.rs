//! Whole shards in virtual time, one thing happening to each: ends, waits, and what they are
//! charged to.

#![expect(clippy::unwrap_used, reason = "tests: the helpers fail too")]

mod kernel;
/// Levels that fall and rise.
#[cfg(test)]
mod levels;
/// Against theory.
#[cfg(test)]
mod queueing;
mod warmup;

use kernel::{Serve, World, longest};
use onslaught::metrics::{Counter, Trend};
use onslaught::plan::{Options, Plan, compile};
use onslaught::protocol::Failure;
use onslaught::scenario::{Ink, Source, read};
use onslaught::stdx::Nanos;

const USERS: &str = r#"
name: x
target: http://127.0.0.1
timeout: 2s
users: {count: 1, email: "u{n}@example.com", password: secret}
auth:
  login: {post: /login, json: {email: "${user.email}"}, token: $.token}
  ahead: 0
workloads:
"#;

#[track_caller]
fn plan(head: &str, workloads: &str) -> Plan {
    let text = format!("{head}{workloads}");
    let source = Source { name: "load.yaml", text: &text };
    let scenario = read(&source, &|_| None, None);
    let plan = scenario.and_then(|scenario| compile(&scenario, &Options::default()));
    let mut plan = plan.map_err(|it| it.render(&source, Ink::Plain)).unwrap().plan;
    for target in &mut plan.targets {
        target.addresses = vec!["127.0.0.1:80".parse().unwrap()];
    }
    plan
}

const PLAIN: &str = "name: x\ntarget: http://127.0.0.1\nworkloads:\n";
const BEARER: &str = "headers: {Authorization: \"Bearer ${user.token}\"}";
const SECOND: Nanos = Nanos::from_secs(1);

fn reply(status: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

fn at_once(reply: String) -> Option<(Nanos, String)> {
    Some((Nanos::ZERO, reply))
}

fn all_is_well() -> Serve {
    Box::new(|_, _| at_once(reply("200 OK", r#"{"token": "t"}"#)))
}

#[test]
fn a_visitor_who_leaves_a_socket_open_keeps_no_seat() {
    let steps = "  a:\n    load: {rate: 20/s, for: 1s, max: 2}\n    steps:\n      \
                 - websocket: {url: /ws}\n      - send: {text: hello}\n";
    let mut world = World::begin(plan(PLAIN, steps), Nanos::ZERO, all_is_well());
    world.run(Nanos::from_secs(9));
    let delta = world.finished();
    let opened: Vec<u64> = delta.leaves().map(|(_, leaf)| leaf.tally.ok).collect();
    assert_eq!(opened, [20, 20], "sockets, messages");
    assert!(world.now < SECOND + SECOND, "{}", world.now);
}

#[test]
fn a_session_with_nothing_to_ask_does_not_spin() {
    let steps = "  a:\n    load: {connections: 1, for: 1s}\n    steps:\n      \
                 - websocket: {url: /ws}\n";
    let mut world = World::begin(plan(PLAIN, steps), Nanos::ZERO, all_is_well());
    let turns = world.run(Nanos::from_secs(9));
    assert_eq!(world.finished().counter(Counter::WsSessions), 1);
    assert!(turns < 250, "{turns} turns in a second");
}

/// The request is refused shortly before the end, and its user's login never answered.
#[test]
fn an_operation_that_waits_for_a_token_ends_behind_its_lane() {
    let steps = format!(
        "  a:\n    load: {{connections: 1, for: 1s}}\n    steps:\n      \
         - {{get: /, {BEARER}}}\n      - think: 200ms\n"
    );
    let serve: Serve = Box::new(|now, request| match request.starts_with("POST /login") {
        true if now > Nanos::from_millis(500) => None,
        true => at_once(reply("200 OK", r#"{"token": "t"}"#)),
        false if now > Nanos::from_millis(700) => at_once(reply("401 Unauthorized", "")),
        false => at_once(reply("200 OK", "")),
    });
    let mut world = World::begin(plan(USERS, &steps), Nanos::ZERO, serve);
    world.run(Nanos::from_secs(60));
    let delta = world.finished();
    let (_, leaf) = delta.leaves().next().unwrap();
    assert_eq!((leaf.tally.ok, leaf.tally.failed_by(Failure::Status)), (4, 1));
    assert_eq!(leaf.retried, 1);
    assert!(world.now < Nanos::from_secs(4), "{}", world.now);
}

/// A second attempt on a new connection: what that takes is behind the first attempt's `sent`.
#[test]
fn the_parts_of_a_retried_operation_add_up() {
    let steps = format!(
        "  a:\n    load: {{rate: 1/s, for: 2s, max: 1}}\n    mix: [{{get: /, {BEARER}}}]\n"
    );
    let mut asked = 0;
    let serve: Serve = Box::new(move |_, request| {
        if request.starts_with("POST /login") {
            return at_once(reply("200 OK", r#"{"token": "t"}"#));
        }
        asked += 1;
        let refusal = "401 Unauthorized\r\nConnection: close";
        at_once(reply(if asked == 2 { refusal } else { "200 OK" }, ""))
    });
    let connect = Nanos::from_millis(5);
    let mut world = World::begin(plan(USERS, &steps), connect, serve);
    world.run(Nanos::from_secs(9));
    let delta = world.finished();
    let (_, leaf) = delta.leaves().next().unwrap();
    assert_eq!((leaf.tally.ok, leaf.retried), (2, 1));
    let lag = longest(&delta, Trend::Lag);
    assert!(lag < Nanos::from_millis(1), "{lag}");
    assert!(longest(&delta, Trend::Service) >= connect);
}

#[test]
fn a_wait_for_a_token_is_no_lag_of_ours() {
    let steps = format!(
        "  a:\n    load: {{rate: 10/s, for: 1s, max: 10}}\n    mix: [{{get: /, {BEARER}}}]\n"
    );
    let login = Nanos::from_millis(500);
    let serve: Serve = Box::new(move |_, request| {
        let delay = if request.starts_with("POST /login") { login } else { Nanos::ZERO };
        Some((delay, reply("200 OK", r#"{"token": "t"}"#)))
    });
    let mut world = World::begin(plan(USERS, &steps), Nanos::ZERO, serve);
    world.run(Nanos::from_secs(9));
    let delta = world.finished();
    assert!(longest(&delta, Trend::Blocked) > Nanos::from_millis(499));
    let lag = longest(&delta, Trend::Lag);
    assert!(lag < Nanos::from_millis(1), "{lag}");
}

#[test]
fn a_stop_ends_what_has_not_begun_yet() {
    let load = "  a:\n    load: {rate: 100/s, for: 9s, max: 5}\n    mix: [{get: /}]\n";
    for (start, stop, begun) in [(5, 2, false), (1, 3, true)] {
        let mut plan = plan(PLAIN, load);
        plan.only_mut().start = Nanos::from_secs(start);
        let mut world = World::begin(plan, Nanos::ZERO, all_is_well());
        world.run(Nanos::from_secs(stop));
        world.stop();
        world.run(Nanos::from_secs(60));
        let delta = world.finished();
        assert_eq!(delta.leaves().any(|(_, leaf)| leaf.tally.ok > 0), begun);
        let late = world.now.since(Nanos::from_secs(stop));
        assert!(late < Nanos::from_millis(50), "it went on for {late}");
        assert!(!delta.starved);
    }
}
