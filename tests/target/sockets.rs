use crate::client::{Came, Peer, SWITCHED, close, fragmented, message, ping, upgrade};
use crate::kit::{World, get, split};
use onslaught::protocol::ws::Kind;
use onslaught::stdx::Nanos;
use onslaught::target::{Did, Path};

fn text(text: &str) -> Came {
    Came::Text(text.to_owned())
}

#[test]
fn every_message_is_given_back() {
    let mut world = World::new();
    let mut peer = Peer::open(&mut world, 0, "/echo");
    peer.say(&mut world, "hellö");
    assert_eq!(peer.heard(&mut world), [text("hellö")]);
    world.feed(0, message(Kind::Binary, &[0, 255, 128]));
    assert_eq!(peer.heard(&mut world), [Came::Binary(vec![0, 255, 128])]);
    world.feed(0, message(Kind::Text, b""));
    assert_eq!(peer.heard(&mut world), [text("")]);
    world.feed(0, fragmented(Kind::Text, &[b"one", b"", "zwö".as_bytes()]));
    let pongs = [Came::Pong(b"one".to_vec()), Came::Pong(Vec::new())];
    assert_eq!(peer.heard(&mut world), [&pongs[..], &[text("onezwö")]].concat());
    for byte in message(Kind::Binary, &[7; 300]).chunks(1) {
        world.feed(0, byte);
    }
    assert_eq!(peer.heard(&mut world), [Came::Binary(vec![7; 300])]);
    let totals = world.totals();
    let counts = [Did::WsOpened, Did::WsMessagesIn, Did::WsMessagesOut, Did::WsClosed];
    assert_eq!(counts.map(|what| totals.did(what)), [1, 5, 5, 0]);
    assert_eq!(totals.replies(Path::Echo, 101), 1);
}

#[test]
fn what_one_receive_brings_is_one_send() {
    let mut world = World::new();
    let mut peer = Peer::open(&mut world, 0, "/echo");
    let before = world.sockets[&0].sends;
    world.feed(0, [message(Kind::Text, b"a").repeat(100), ping(b"!")].concat());
    assert_eq!(world.sockets[&0].sends - before, 1);
    assert_eq!(peer.heard(&mut world).len(), 101);
}

#[test]
fn messages_right_behind_the_upgrade_and_before_it() {
    let mut world = World::lying("delay:2:5ms");
    world.connect(0);
    let behind = message(Kind::Text, b"behind");
    let all = [get("/health").into_bytes(), upgrade("/echo").into_bytes(), behind].concat();
    world.feed(0, &all);
    assert!(!world.text(0).contains(" 101 "), "the upgrade is held back");
    world.pass(Nanos::from_millis(5));
    let got = world.got(0);
    let (head, rest) = split(&got);
    assert_eq!(head, SWITCHED);
    assert_eq!(rest, [&[0x81, 6][..], b"behind"].concat());
    assert_eq!(world.totals().did(Did::WsOpened), 1);
}

#[test]
fn every_cut_gives_the_same() {
    let frames = [fragmented(Kind::Text, &[b"on", b"e"]), close(Some(1000))].concat();
    let all = [upgrade("/echo").into_bytes(), frames].concat();
    let converse = |pieces: &[&[u8]]| {
        let mut world = World::new();
        world.connect(0);
        pieces.iter().filter(|piece| !piece.is_empty()).for_each(|piece| world.feed(0, piece));
        assert!(world.is_closed(0));
        world.got(0)
    };
    let whole = converse(&[&all]);
    assert_eq!(&whole[SWITCHED.len()..], b"\x8a\x02on\x81\x03one\x88\x02\x03\xe8");
    for cut in 0..all.len() {
        assert_eq!(converse(&[&all[..cut], &all[cut..]]), whole, "cut at {cut}");
    }
}

#[test]
fn a_close_is_answered_and_the_server_ends_the_stream() {
    for code in [None, Some(1000), Some(1001), Some(4000)] {
        let mut world = World::new();
        let mut peer = Peer::open(&mut world, 0, "/echo");
        let last = [message(Kind::Text, b"last"), close(code), message(Kind::Text, b"late")];
        world.feed(0, last.concat());
        assert_eq!(peer.heard(&mut world), [text("last"), Came::Close(code)]);
        assert!(world.is_closed(0));
        assert_eq!((world.totals().did(Did::WsClosed), world.totals().ended), (1, 1));
        assert_eq!(world.totals().did(Did::WsMessagesIn), 1, "what follows is thrown away");
    }
}

#[test]
fn a_peer_at_fault_is_told_so() {
    let unmasked = b"\x81\x01a".to_vec();
    let large = message(Kind::Binary, &vec![0; (1 << 20) + 1]);
    for (bytes, code) in [(unmasked, 1002), (message(Kind::Text, b"\xff"), 1007), (large, 1009)] {
        let mut world = World::new();
        let mut peer = Peer::open(&mut world, 0, "/echo");
        world.feed(0, bytes);
        assert_eq!(peer.heard(&mut world), [Came::Close(Some(code))]);
        assert!(world.is_closed(0));
    }
}

#[test]
fn a_stream_that_ends_is_a_socket_that_ends() {
    let mut world = World::new();
    let mut peer = Peer::open(&mut world, 0, "/echo");
    world.feed(0, &message(Kind::Text, b"whole")[..7]);
    world.end(0);
    assert!(world.is_closed(0));
    assert_eq!(peer.heard(&mut world), []);
    assert_eq!((world.totals().did(Did::WsOpened), world.totals().did(Did::WsClosed)), (1, 1));
    let mut again = Peer::open(&mut world, 0, "/echo");
    again.say(&mut world, "the slot lives again");
    assert_eq!(again.heard(&mut world), [text("the slot lives again")]);
    world.connect(1);
    world.feed(1, get("/health"));
    assert!(world.text(1).starts_with("HTTP/1.1 200 "), "a slot without one is plain HTTP");
}

#[test]
fn an_upgrade_that_is_not_in_order_is_refused() {
    let fine = upgrade("/echo");
    for (request, status) in [
        (fine.replace("Version: 13", "Version: 8"), "426"),
        (fine.replace("Key: dG", "Key: G"), "400"),
        (fine.replace("Connection: Upgrade", "Connection: keep-alive"), "400"),
        (get("/ws"), "426"),
    ] {
        let mut world = World::new();
        world.connect(0);
        world.feed(0, &request);
        let reply = world.text(0);
        assert!(reply.starts_with(&format!("HTTP/1.1 {status} ")), "{request}{reply}");
        assert!(world.is_closed(0));
        assert_eq!(world.totals().did(Did::WsRefused), 1);
        assert_eq!(world.totals().did(Did::WsOpened), 0);
    }
    let mut world = World::new();
    world.connect(0);
    world.feed(0, upgrade("/health"));
    assert!(world.text(0).starts_with("HTTP/1.1 200 "), "an upgrade may be passed over");
    world.feed(0, upgrade("/echo").replace("GET", "HEAD"));
    assert!(world.text(0).starts_with("HTTP/1.1 405 "));
    let with_body = upgrade("/echo").replace("Host: t", "Host: t\r\nContent-Length: 1");
    world.feed(0, [&with_body, "x"].concat());
    assert!(world.text(0).starts_with("HTTP/1.1 405 "), "with a body it is none");
}

#[test]
fn who_does_not_read_is_not_read_from() {
    let mut world = World::new();
    let mut peer = Peer::open(&mut world, 0, "/echo");
    let one = message(Kind::Binary, &[9; 4096]);
    world.stuck = true;
    for _ in 0..64 {
        world.feed(0, &one);
    }
    let taken = world.totals().did(Did::WsMessagesIn);
    assert!((16..24).contains(&taken), "64 KiB wait, no more is read: {taken}");
    assert_eq!(world.stops, 1, "and the kernel's window closes");
    world.stuck = false;
    world.run();
    let echoed = peer.heard(&mut world);
    assert_eq!(echoed.len(), 64, "nothing was lost");
    assert!(echoed.iter().all(|came| *came == Came::Binary(vec![9; 4096])));
}

#[test]
fn partial_sends_are_finished() {
    let mut world = World::new();
    let mut peer = Peer::open(&mut world, 0, "/echo");
    world.most = 3;
    peer.say(&mut world, "in many pieces");
    assert_eq!(peer.heard(&mut world), [text("in many pieces")]);
}

#[test]
fn what_came_before_the_upgrade_was_read_is_kept() {
    let mut world = World::new();
    world.connect(0);
    world.stuck = true;
    let frames = message(Kind::Binary, &[9; 4096]).repeat(40);
    world.feed(0, get("/bytes/1000000"));
    world.feed(0, [upgrade("/echo").as_bytes(), &frames].concat());
    assert_eq!(world.totals().did(Did::WsOpened), 0, "a body is still on its way");
    world.stuck = false;
    world.run();
    let got = world.got(0);
    let behind = &got[split(&got).0.len() + 1_000_000..];
    let echo = [&[0x82, 126, 16, 0][..], &[9; 4096]].concat();
    assert_eq!(behind.len(), SWITCHED.len() + 40 * echo.len(), "all of it, and in order");
    assert_eq!(behind, [SWITCHED.as_bytes(), &echo.repeat(40)].concat());
}
