use std::sync::Arc;

use crate::kit::{HEALTH, World, get, realm, split};
use onslaught::stdx::Nanos;
use onslaught::target::{Lie, Path, Share, Terms};

/// What one request brought, as a client would class it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Brought {
    Reply,
    Late,
    Unavailable,
    Nothing,
    TooLittle,
    Garbage,
}

/// Sends one request, on a new connection if the last was closed.
#[track_caller]
fn ask(world: &mut World, path: &str, whole: &str) -> Brought {
    if !world.sockets.contains_key(&0) || world.is_closed(0) {
        world.connect(0);
    }
    world.feed(0, get(path));
    let now = world.text(0);
    if world.is_closed(0) {
        if now.is_empty() {
            return Brought::Nothing;
        }
        assert!(whole.starts_with(&now) && now.len() < whole.len(), "a part: {now}");
        return Brought::TooLittle;
    }
    if now.is_empty() {
        world.pass(Nanos::from_millis(5));
        assert_eq!(world.text(0), whole);
        return Brought::Late;
    }
    if now == whole {
        return Brought::Reply;
    }
    if now.starts_with("HTTP/1.1 503 Service Unavailable\r\n") {
        return Brought::Unavailable;
    }
    assert!(!now.starts_with("HTTP/"), "{now}");
    assert_eq!(split(now.as_bytes()).1, split(whole.as_bytes()).1, "the rest is true");
    Brought::Garbage
}

#[test]
fn ten_thousand_requests_bring_exactly_the_lies_that_were_ordered() {
    let mut world = World::lying("delay:7:5ms,5xx:11,close:97,truncate:53,corrupt:31");
    let mut counted = [0_u64; 6];
    for number in 1..=10_000_u64 {
        // Said anew, not taken from the code: the first that divides, in order of precedence.
        let expected = match number {
            n if n % 97 == 0 => Brought::Nothing,
            n if n % 31 == 0 => Brought::Garbage,
            n if n % 53 == 0 => Brought::TooLittle,
            n if n % 11 == 0 => Brought::Unavailable,
            n if n % 7 == 0 => Brought::Late,
            _ => Brought::Reply,
        };
        assert_eq!(ask(&mut world, "/health", HEALTH), expected, "request {number}");
        counted[expected as usize] += 1;
        if number % 100 == 0 {
            world.connect(1);
            world.feed(1, get("/count"));
        }
    }
    let totals = world.totals();
    let lies = [Lie::Delay, Lie::Fail, Lie::Close, Lie::Truncate, Lie::Corrupt];
    assert_eq!(lies.map(|lie| totals.lies(lie)), counted[1..]);
    assert_eq!(totals.requests(), 10_000, "/count has no number");
    assert_eq!(totals.by_path[Path::Health as usize], 10_000);
}

#[test]
fn pipelined_requests_are_lied_to_by_their_number() {
    let mut world = World::lying("5xx:4,close:10");
    world.connect(0);
    world.feed(0, get("/health").repeat(20));
    let text = world.text(0);
    assert!(world.is_closed(0));
    assert_eq!((text.matches(" 200 OK").count(), text.matches(" 503 ").count()), (7, 2));
    assert_eq!(world.totals().requests(), 10, "what stands behind a close is never read");
}

#[test]
fn truncation_of_every_kind_of_reply() {
    let cut = |request: &str| {
        let mut world = World::lying("truncate:1");
        world.connect(0);
        world.feed(0, request);
        assert!(world.is_closed(0), "{request}");
        world.text(0)
    };
    let sent = |text: &str| split(text.as_bytes()).1.len();
    assert_eq!(sent(&cut(&get("/health"))), 7);
    let empty = cut(&get("/bytes/0"));
    assert!(empty.contains("Content-Length: 1\r\n"), "{empty}");
    assert_eq!(sent(&empty), 0);
    let large = cut(&get("/bytes/1000001"));
    assert!(large.contains("Content-Length: 1000001\r\n"));
    assert_eq!(sent(&large), 500_000);
    let chunks = cut(&get("/chunked/10"));
    assert!(chunks.ends_with("\r\n\r\n5\r\n01234\r\n"), "{chunks}");
    let many = cut(&get("/chunked/100000"));
    assert!(many.ends_with("\r\n") && !many.ends_with("0\r\n\r\n"), "no last chunk");
    for bodiless in ["HEAD /health HTTP/1.1\r\nHost: t\r\n\r\n", &get("/status/204")] {
        let text = cut(bodiless);
        assert!(text.starts_with("HTTP/1.1 20") && !text.contains("\r\n\r\n"), "{text}");
    }
}

#[test]
fn a_lie_comes_on_top_of_a_delay_that_was_asked_for() {
    let mut world = World::lying("delay:1:20ms");
    world.connect(0);
    world.feed(0, get("/delay/10ms"));
    world.pass(Nanos::from_millis(29));
    assert_eq!(world.text(0), "");
    world.pass(Nanos::from_millis(1));
    assert_eq!(world.text(0), HEALTH);
    let mut world = World::lying("close:1");
    world.connect(0);
    world.feed(0, get("/delay/10ms"));
    assert!(!world.is_closed(0), "the delay is kept, then the lie is told");
    world.pass(Nanos::from_millis(10));
    assert!(world.is_closed(0));
    assert_eq!(world.text(0), "");
}

#[test]
fn counts_are_of_all_servers() {
    let mut shares = Share::among(2);
    let realm = realm(Terms::default());
    let mut first = World::sharing("5xx:2", shares.remove(0), Arc::clone(&realm));
    let mut second = World::sharing("5xx:2", shares.remove(0), realm);
    first.connect(0);
    second.connect(0);
    second.connect(1);
    first.feed(0, get("/health").repeat(3));
    second.feed(0, [get("/nowhere"), get("/bytes/1"), get("/count")].concat());
    second.feed(1, "GARBAGE\r\n\r\n");
    first.got(0);
    first.feed(0, get("/count"));
    let text = first.text(0);
    let expected = "{\"requests\":5,\"by_path\":{\"/health\":3,\"/bytes\":1,\"/chunked\":0,\
        \"/delay\":0,\"/queue\":0,\"/status\":0,\"/echo\":0,\"/auth/register\":0,\"/auth/login\":0,\
        \"/auth/refresh\":0,\"/auth/logout\":0,\"/tasks\":0,\"/tasks/{id}\":0,\"/ws\":0,\
        \"/metrics\":0,\"other\":1},\
        \"lies\":{\"close\":0,\"corrupt\":0,\"truncate\":0,\"5xx\":2,\"delay\":0,\"ws-drop\":0,\
        \"ws-corrupt\":0,\"ws-duplicate\":0,\"ws-swap\":0,\"token-early\":0,\
        \"deny-user\":0,\"slow-user\":0},\
        \"connections\":{\"accepted\":3,\"open\":2},\
        \"refused\":1,\"slow_heads\":0,\"overruns\":0,\"accept_errors\":0,\
        \"users_created\":0,\"users_existing\":0,\"logins\":0,\"login_failures\":0,\
        \"refreshes\":0,\"refresh_failures\":0,\"logouts\":0,\"unauthorized\":0,\
        \"tokens_rejected_early\":0,\"tasks_created\":0,\"ws_opened\":0,\"ws_refused\":0,\
        \"ws_closed\":0,\"ws_messages_in\":0,\"ws_messages_out\":0,\"subscriptions\":0,\
        \"subscriptions_dropped\":0}";
    assert_eq!(split(text.as_bytes()).1, expected.as_bytes());
    serde_json::from_str::<serde_json::Value>(expected).expect("it is JSON");
}
