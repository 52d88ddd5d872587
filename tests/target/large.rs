use crate::kit::{HEALTH, World, get, pattern, split};
use onslaught::stdx::Nanos;

/// Undoes the chunks; gives the body and the trailer.
fn unchunk(mut rest: &[u8]) -> (Vec<u8>, String) {
    let mut body = Vec::new();
    loop {
        let line = rest.windows(2).position(|two| two == b"\r\n").unwrap();
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..line]).unwrap(), 16).unwrap();
        rest = &rest[line + 2..];
        if size == 0 {
            return (body, String::from_utf8(rest.to_vec()).unwrap());
        }
        body.extend_from_slice(&rest[..size]);
        assert_eq!(&rest[size..size + 2], b"\r\n");
        rest = &rest[size + 2..];
    }
}

/// Sizes around every seam of the pieces.
const SIZES: [usize; 13] = [
    0,
    1,
    63,
    16_383,
    16_384,
    16_385,
    32_768,
    278_527,
    278_528,
    278_529,
    262_144,
    1_000_000,
    1 << 22,
];

#[test]
fn bodies_of_every_size_come_whole_however_they_are_sent() {
    for most in [usize::MAX, 100_000, 9_973] {
        let mut world = World::new();
        world.most = most;
        world.connect(0);
        for size in SIZES {
            world.feed(0, [get(&format!("/bytes/{size}")), get("/health")].concat());
            let got = world.got(0);
            let (head, rest) = split(&got);
            assert!(head.contains(&format!("Content-Length: {size}\r\n")), "{head}");
            assert!(rest[..size] == pattern(size), "the pattern of {size}");
            assert_eq!(&rest[size..], HEALTH.as_bytes(), "what was pipelined comes behind");
            world.feed(0, get(&format!("/chunked/{size}")));
            let got = world.got(0);
            let (body, trailer) = unchunk(split(&got).1);
            assert!(body == pattern(size), "the pattern of {size} in chunks");
            assert_eq!(trailer, format!("X-Bytes: {size}\r\n\r\n"));
        }
        assert!(world.sockets[&0].longest < 300_000, "no body is built as a whole");
    }
}

#[test]
fn sixty_four_mib() {
    let mut world = World::new();
    world.connect(0);
    world.feed(0, get("/bytes/64MiB"));
    let got = world.got(0);
    assert_eq!(split(&got).1.len(), 64 << 20);
    assert!(world.sockets[&0].shared >= 255, "nearly all of it was never copied");
}

#[test]
fn shared_and_owned_replies_survive_partial_sends() {
    for most in 1..=120 {
        let mut world = World::new();
        world.most = most;
        world.connect(0);
        for _ in 0..3 {
            world.feed(0, get("/health"));
            assert_eq!(world.text(0), HEALTH, "{most} bytes at a time");
        }
        world.feed(0, [get("/health"), get("/health")].concat());
        assert_eq!(world.text(0), [HEALTH, HEALTH].concat(), "{most} bytes at a time");
    }
}

#[test]
fn a_client_that_reads_nothing_is_no_longer_read_from() {
    let mut world = World::new();
    world.connect(0);
    world.stuck = true;
    let batch = get("/bytes/1000").repeat(50);
    for _ in 0..200 {
        world.feed(0, &batch);
    }
    assert_eq!(world.stops, 1, "receiving was stopped, once");
    let served = world.totals().requests();
    assert!(served < 200, "{served} replies are queued, about 64 KiB of them and one batch");
    world.stuck = false;
    world.run();
    assert_eq!(world.totals().requests(), 10_000, "and nothing was lost");
    let got = world.got(0);
    let one = World::new_reply("/bytes/1000");
    assert!(got == one.repeat(10_000));
}

#[test]
fn what_is_pipelined_behind_a_delay_waits_its_turn() {
    let mut world = World::new();
    world.connect(0);
    let requests = [get("/delay/5ms"), get("/status/201"), get("/delay/5ms"), get("/status/202")];
    world.feed(0, requests.concat());
    assert_eq!(world.text(0), "");
    world.pass(Nanos::from_millis(5));
    let first = world.text(0);
    assert!(first.starts_with(HEALTH) && first.contains(" 201 ") && !first.contains(" 202 "));
    world.pass(Nanos::from_millis(5));
    let second = world.text(0);
    assert!(second.starts_with(HEALTH) && second.contains(" 202 "));
    assert_eq!(world.wake_at, None, "no timer is left");
}

impl World {
    /// The reply to one GET, from a server of its own.
    fn new_reply(path: &str) -> Vec<u8> {
        let mut world = Self::new();
        world.connect(0);
        world.feed(0, get(path));
        world.got(0)
    }
}
