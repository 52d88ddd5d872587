use crate::kit::{Asked, HEALTH, Happened, LISTENER, World, get};
use onslaught::net::{Errno, Handle, More};
use onslaught::stdx::Nanos;

const SECOND: Nanos = Nanos::from_secs(1);

#[test]
fn receiving_is_armed_again_whenever_it_ended() {
    let mut world = World::new();
    world.connect(0);
    let handle = world.handle(0);
    for _ in 0..3 {
        world.happen(handle, Happened::ReceiveFailed(Errno::NO_BUFFERS, More::Ended));
        world.run();
        let request = get("/health").into_bytes();
        world.happen(handle, Happened::Received(request, More::Ended));
        world.run();
        assert_eq!(world.text(0), HEALTH);
    }
    world.feed(0, get("/health"));
    assert_eq!(world.text(0), HEALTH, "it is armed, or this would not have come");
}

#[test]
fn a_reset_or_a_failed_send_closes() {
    let mut world = World::new();
    world.connect(0);
    let handle = world.handle(0);
    world.happen(handle, Happened::ReceiveFailed(Errno::RESET, More::Ended));
    world.run();
    assert!(world.is_closed(0));
    world.connect(1);
    world.stuck = true;
    world.feed(1, get("/bytes/100000"));
    let handle = world.handle(1);
    world.happen(handle, Happened::Sent(Err(Errno::RESET), Some(Vec::new())));
    world.run();
    assert!(world.is_closed(1));
    assert_eq!((world.totals().accepted, world.totals().ended), (2, 2));
}

#[test]
fn the_end_of_the_client_is_answered_behind_the_replies() {
    let mut world = World::new();
    world.connect(0);
    world.feed(0, get("/delay/5ms"));
    world.end(0);
    assert!(!world.is_closed(0), "a reply is owed");
    world.pass(Nanos::from_millis(5));
    assert_eq!(world.text(0), HEALTH);
    assert!(world.is_closed(0));
    world.connect(1);
    world.feed(1, "GET /hea");
    world.end(1);
    assert!(world.is_closed(1), "nothing is owed to half a request");
    world.connect(2);
    world.end(2);
    assert!(world.is_closed(2));
    assert_eq!(world.totals().ended, 3);
}

#[test]
fn late_completions_of_an_earlier_life_change_nothing() {
    let mut world = World::new();
    world.connect(0);
    let first = world.handle(0);
    world.end(0);
    assert!(world.is_closed(0));
    world.connect(0);
    let second = world.handle(0);
    assert_ne!(first, second, "the slot is the same, the life another");
    world.feed(0, "GET /heal");
    world.happen(first, Happened::Received(b"GARBAGE\r\n\r\n".to_vec(), More::Armed));
    world.happen(first, Happened::Received(Vec::new(), More::Ended));
    world.happen(first, Happened::Sent(Err(Errno::RESET), Some(vec![1; 100])));
    world.happen(first, Happened::Closed);
    world.happen(Handle { slot: 77, generation: 0 }, Happened::Closed);
    world.run();
    world.feed(0, "th HTTP/1.1\r\nHost: t\r\n\r\n");
    assert_eq!(world.text(0), HEALTH);
    assert!(!world.is_closed(0));
    assert_eq!((world.totals().accepted, world.totals().ended), (2, 1));
}

#[test]
fn a_slot_that_comes_back_before_its_end_was_read_begins_anew() {
    let mut world = World::new();
    world.connect(0);
    world.stuck = true;
    world.feed(0, [get("/health"), get("/delay/60s"), "GET".to_owned()].concat());
    let first = world.handle(0);
    world.accept(0);
    world.happen(first, Happened::Closed);
    world.happen(first, Happened::Received(Vec::new(), More::Ended));
    world.run();
    world.stuck = false;
    world.feed(0, get("/health"));
    assert_eq!(world.text(0), "", "the slot's payload is still the old life's");
    world.happen(first, Happened::Sent(Err(Errno::RESET), None));
    world.run();
    assert_eq!(world.text(0), HEALTH, "the new life owes nothing of the old");
    world.pass(Nanos::from_secs(61));
    assert_eq!(world.text(0), "", "the old life's timer fires into nothing");
    assert_eq!((world.totals().accepted, world.totals().ended), (2, 1));
}

#[test]
fn accepting_pauses_after_an_error_and_never_spins() {
    let mut world = World::new();
    assert_eq!(world.accepts, 1);
    let listener = Handle { slot: LISTENER, generation: 0 };
    let full = Errno(24);
    world.happen(listener, Happened::Accepted(Err(full), More::Ended));
    world.run();
    world.pass(Nanos::from_millis(99));
    assert_eq!((world.accepts, world.totals().accept_errors), (1, 1));
    world.pass(Nanos::from_millis(1));
    assert_eq!(world.accepts, 2);
    world.sockets.insert(5, Default::default());
    let handle = Handle { slot: 5, generation: 0 };
    world.happen(handle, Happened::Accepted(Ok(()), More::Ended));
    world.run();
    assert_eq!(world.accepts, 3, "an accept that only ended is armed at once");
    world.feed(5, get("/health"));
    assert_eq!(world.text(5), HEALTH);
}

#[test]
fn slow_heads_end_after_30_s_and_idle_connections_never() {
    let mut world = World::new();
    for slot in 0..3 {
        world.connect(slot);
    }
    world.feed(1, "GET /health HTTP/1.1\r\n");
    world.pass(Nanos::from_secs(20));
    world.feed(1, "Host: t\r\n");
    // Slot 2 is never without half a head, yet each of them ends in time.
    world.feed(2, "GET /health HTTP/1.1\r\nHost:");
    world.pass(Nanos::from_secs(9));
    world.feed(2, [" t\r\n\r\n", "GET /health HTTP/1.1\r\nHost:"].concat());
    assert!(!world.is_closed(1));
    world.pass(SECOND);
    assert!(world.text(1).starts_with("HTTP/1.1 408 Request Timeout\r\n"));
    assert!(world.is_closed(1));
    world.pass(Nanos::from_secs(28));
    assert!(!world.is_closed(2), "this head has been coming for 29 s");
    world.feed(2, " t\r\n\r\n");
    assert_eq!(world.text(2), [HEALTH, HEALTH].concat());
    world.pass(Nanos::from_secs(86_400));
    assert!(!world.is_closed(0) && !world.is_closed(2));
    assert_eq!((world.totals().slow_heads, world.totals().refused), (1, 0));
    assert_eq!(world.wake_at, None, "an idle server sleeps");
}

#[test]
fn a_send_buffer_is_used_again() {
    let mut world = World::new();
    world.connect(0);
    let mut places = Vec::new();
    for _ in 0..5 {
        let handle = world.handle(0);
        let request = get("/bytes/100").into_bytes();
        world.happen(handle, Happened::Received(request, More::Armed));
        let asked = std::mem::take(world.turn());
        let [Asked::Send(_, payload)] = &asked[..] else { panic!("one send, not {asked:?}") };
        let bytes = payload.bytes();
        places.push(bytes.as_ptr());
        let taken = u32::try_from(bytes.len()).unwrap();
        let Some(Asked::Send(_, onslaught::net::Payload::Owned(buffer))) = asked.into_iter().next()
        else {
            panic!("an owned buffer");
        };
        world.happen(handle, Happened::Sent(Ok(taken), Some(buffer)));
        world.run();
    }
    assert!(places.iter().all(|place| *place == places[0]), "one buffer served all");
}

#[test]
fn many_connections_at_once() {
    let mut world = World::new();
    for slot in 0..2_000 {
        world.connect(slot);
        world.sockets.get_mut(&slot).unwrap().got.clear();
    }
    assert_eq!(world.totals().accepted - world.totals().ended, 2_000);
    for slot in (0..2_000).rev().step_by(100) {
        world.feed(slot, get("/health"));
        assert_eq!(world.text(slot), HEALTH);
    }
}

#[test]
fn a_timer_of_an_earlier_life_releases_nothing_early() {
    let mut world = World::new();
    world.connect(0);
    world.feed(0, get("/delay/10ms"));
    let first = world.handle(0);
    world.happen(first, Happened::ReceiveFailed(Errno::RESET, More::Ended));
    world.run();
    world.connect(0);
    world.feed(0, get("/delay/20ms"));
    world.pass(Nanos::from_millis(19));
    assert_eq!(world.text(0), "");
    world.pass(Nanos::from_millis(1));
    assert_eq!(world.text(0), HEALTH);
}

#[test]
fn the_watch_on_slow_heads_goes_on() {
    let mut world = World::new();
    for round in 1..=3 {
        world.connect(0);
        world.feed(0, "GET");
        world.pass(Nanos::from_secs(29));
        assert!(!world.is_closed(0));
        world.pass(SECOND);
        assert!(world.is_closed(0), "round {round}");
        world.pass(Nanos::from_secs(round));
    }
    // The watch of one head runs out while another is coming: that one has its own 30 s.
    world.connect(0);
    world.feed(0, "GET");
    world.pass(Nanos::from_secs(10));
    world.feed(0, " /health HTTP/1.1\r\nHost: t\r\n\r\nGET");
    world.pass(Nanos::from_secs(29));
    assert!(!world.is_closed(0));
    world.pass(SECOND);
    assert!(world.is_closed(0));
}

#[test]
fn receiving_is_stopped_once_though_more_comes_before_it_takes_effect() {
    let mut world = World::new();
    world.connect(0);
    world.feed(0, get("/delay/5ms"));
    let handle = world.handle(0);
    let batch = get("/health").repeat(1_000).into_bytes();
    for _ in 0..5 {
        world.happen(handle, Happened::Received(batch.clone(), More::Armed));
    }
    world.run();
    assert_eq!(world.stops, 1);
    world.pass(Nanos::from_millis(5));
    assert_eq!(world.text(0), HEALTH.repeat(5_001));
    world.feed(0, get("/health"));
    assert_eq!(world.text(0), HEALTH, "it is received from again");
}

#[test]
fn unread_input_has_a_bound() {
    let mut world = World::new();
    world.connect(0);
    world.feed(0, get("/delay/60s"));
    let handle = world.handle(0);
    let batch = vec![b'x'; 1 << 20];
    for _ in 0..8 {
        world.happen(handle, Happened::Received(batch.clone(), More::Armed));
    }
    world.turn().clear();
    assert_eq!(world.totals().overruns, 0, "8 MiB are kept");
    world.happen(handle, Happened::Received(vec![b'x'], More::Armed));
    world.run();
    assert!(world.is_closed(0));
    assert_eq!(world.totals().overruns, 1);
}
