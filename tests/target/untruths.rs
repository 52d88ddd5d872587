use crate::client::{
    Came, Peer, SWITCHED, Tokens, ask, close, get_as, message, post, upgrade, user,
};
use crate::kit::{World, get};
use onslaught::protocol::jwt;
use onslaught::protocol::ws::Kind;
use onslaught::stdx::Nanos;
use onslaught::target::{Did, Lie, Path, Terms};
use serde_json::json;

fn told(world: &World, lie: Lie) -> u64 {
    world.totals().lies(lie)
}

/// What an echo of so many numbered messages brings, each in a receive of its own.
#[track_caller]
fn echoes(lies: &str, messages: u32) -> (World, Vec<String>) {
    let mut world = World::lying(lies);
    let mut peer = Peer::open(&mut world, 0, "/echo");
    for number in 1..=messages {
        peer.say(&mut world, &format!("{{\"n\":{number}}}"));
    }
    let text = |came| match came {
        Came::Text(text) => text,
        other => panic!("unexpected: {other:?}"),
    };
    let heard = peer.heard(&mut world).into_iter().map(text).collect();
    (world, heard)
}

/// The numbers that came whole, and how many came corrupted.
fn numbers(heard: &[String]) -> (Vec<u64>, u64) {
    let number = |text: &String| {
        let value: serde_json::Value = serde_json::from_str(text).ok()?;
        value["n"].as_u64()
    };
    let whole: Vec<u64> = heard.iter().filter_map(number).collect();
    let corrupt = heard.len() - whole.len();
    (whole, u64::try_from(corrupt).unwrap())
}

#[test]
fn dropped_messages() {
    let (world, heard) = echoes("ws-drop:4", 10);
    assert_eq!(numbers(&heard), (vec![1, 2, 3, 5, 6, 7, 9, 10], 0));
    assert_eq!((told(&world, Lie::WsDrop), world.totals().did(Did::WsMessagesOut)), (2, 8));
    assert_eq!(world.totals().did(Did::WsMessagesIn), 10);
}

#[test]
fn duplicated_messages() {
    let (world, heard) = echoes("ws-duplicate:4", 8);
    assert_eq!(numbers(&heard), (vec![1, 2, 3, 4, 4, 5, 6, 7, 8, 8], 0));
    assert_eq!((told(&world, Lie::WsDuplicate), world.totals().did(Did::WsMessagesOut)), (2, 10));
}

#[test]
fn corrupted_messages_keep_their_frames() {
    let (world, heard) = echoes("ws-corrupt:3", 7);
    assert_eq!(numbers(&heard), (vec![1, 2, 4, 5, 7], 2));
    assert_eq!(told(&world, Lie::WsCorrupt), 2);
    let mut world = World::lying("ws-corrupt:1");
    let mut peer = Peer::open(&mut world, 0, "/echo");
    // Held to be UTF-8 by the peer, whatever its last character is.
    for text in ["a", "ö", "€", "😀", "\u{7f}", "\u{7ff}", "\u{ffff}", "\u{10ffff}"] {
        peer.say(&mut world, text);
        let heard = peer.heard(&mut world);
        assert!(matches!(&heard[..], [Came::Text(other)] if other != text), "{text}: {heard:?}");
    }
    world.feed(0, message(Kind::Binary, &[0]));
    assert_eq!(peer.heard(&mut world), [Came::Binary(vec![1])]);
    assert_eq!(told(&world, Lie::WsCorrupt), 9);
    peer.say(&mut world, "");
    assert_eq!(peer.heard(&mut world), [Came::Text(String::new())]);
    assert_eq!(told(&world, Lie::WsCorrupt), 9, "nothing cannot be corrupted");
}

#[test]
fn swapped_messages() {
    let (world, heard) = echoes("ws-swap:3", 8);
    assert_eq!(numbers(&heard), (vec![1, 2, 4, 3, 5, 7, 6, 8], 0));
    assert_eq!(told(&world, Lie::WsSwap), 2);
    let (world, heard) = echoes("ws-swap:1", 5);
    assert_eq!(numbers(&heard), (vec![2, 1, 4, 3], 0), "one waits, no other does");
    assert_eq!((told(&world, Lie::WsSwap), world.totals().did(Did::WsMessagesOut)), (2, 4));
}

#[test]
fn what_waits_goes_out_before_the_close() {
    let mut world = World::lying("ws-swap:2");
    let mut peer = Peer::open(&mut world, 0, "/echo");
    peer.say(&mut world, "one");
    peer.say(&mut world, "two");
    assert_eq!(peer.heard(&mut world), [Came::Text("one".to_owned())]);
    world.feed(0, close(Some(1000)));
    let last = [Came::Text("two".to_owned()), Came::Close(Some(1000))];
    assert_eq!(peer.heard(&mut world), last);
    assert_eq!(told(&world, Lie::WsSwap), 0, "it was not overtaken");
    assert_eq!(world.totals().did(Did::WsMessagesOut), 2);
}

#[test]
fn messages_are_numbered_over_all_connections_of_a_server() {
    let mut world = World::lying("ws-drop:2");
    let mut peers = [0, 1, 2].map(|slot| Peer::open(&mut world, slot, "/echo"));
    for _ in 0..2 {
        for peer in &peers {
            peer.say(&mut world, "x");
        }
    }
    let heard = peers.each_mut().map(|peer| peer.heard(&mut world).len());
    assert_eq!(heard, [1, 1, 1], "1 of the first, 2 of the second, 3 of the third, and so on");
}

/// What ten thousand messages must bring, said anew: the first that divides, in order of
/// precedence; one that waits is overtaken by the next that is sent.
fn expected(messages: u64) -> (Vec<u64>, [u64; 4]) {
    let (mut out, mut told) = (Vec::new(), [0; 4]);
    let mut waiting = None;
    for n in 1..=messages {
        let sent = match n {
            n if n % 97 == 0 => {
                told[0] += 1;
                continue;
            }
            n if n % 31 == 0 => {
                told[1] += 1;
                vec![]
            }
            n if n % 53 == 0 => {
                told[2] += 1;
                vec![n, n]
            }
            n if n % 7 == 0 && waiting.is_none() => {
                waiting = Some(n);
                continue;
            }
            n => vec![n],
        };
        out.extend(sent);
        if let Some(late) = waiting.take() {
            told[3] += 1;
            out.push(late);
        }
    }
    (out, told)
}

#[test]
fn ten_thousand_messages_bring_exactly_the_lies_that_were_ordered() {
    let list = "ws-swap:7,ws-duplicate:53,ws-corrupt:31,ws-drop:97";
    let (world, heard) = echoes(list, 10_000);
    let (order, lies) = expected(10_000);
    let (whole, corrupt) = numbers(&heard);
    assert_eq!(whole, order);
    let kinds = [Lie::WsDrop, Lie::WsCorrupt, Lie::WsDuplicate, Lie::WsSwap];
    assert_eq!(kinds.map(|lie| told(&world, lie)), lies);
    assert_eq!(corrupt, lies[1]);
    assert_eq!(world.totals().did(Did::WsMessagesOut), u64::try_from(heard.len()).unwrap());
    assert_eq!(told(&world, Lie::Delay), 0);
}

#[test]
fn the_gateway_lies_too() {
    let mut world = World::lying("ws-corrupt:2");
    let tokens = user(&mut world, "a@b.c");
    let mut peer = Peer::open(&mut world, 1, &format!("/ws?token={}", tokens.access));
    peer.say(&mut world, "{\"type\":\"ping\",\"id\":1}");
    peer.say(&mut world, "{\"type\":\"ping\",\"id\":2}");
    let texts = ["{\"type\":\"pong\",\"id\":1}", "{\"type\":\"pong\",\"id\":2|"];
    assert_eq!(peer.heard(&mut world), texts.map(|text| Came::Text(text.to_owned())));
}

#[test]
fn an_upgrade_is_a_request_and_lied_to_as_one() {
    let opened = |lies: &str| {
        let mut world = World::lying(lies);
        world.connect(0);
        world.feed(0, upgrade("/echo"));
        let text = world.text(0);
        (text, world.is_closed(0), world.totals().did(Did::WsOpened))
    };
    let (text, closed, sockets) = opened("5xx:1");
    assert!(text.starts_with("HTTP/1.1 503 ") && !closed && sockets == 0, "{text}");
    assert_eq!(opened("close:1"), (String::new(), true, 0));
    let half = SWITCHED[..SWITCHED.len() / 2].to_owned();
    assert_eq!(opened("truncate:1"), (half, true, 0));
    let (text, closed, sockets) = opened("corrupt:1");
    let rest = SWITCHED.split_once("\r\n").unwrap().1;
    assert_eq!(text, format!("H?TP/one.one 2oo 0K\r\n{rest}"));
    assert!(!closed && sockets == 0);
    let mut world = World::lying("corrupt:1");
    world.connect(0);
    world.feed(0, [upgrade("/echo"), get("/count")].concat());
    assert!(world.text(0).contains("HTTP/1.1 200 OK\r\n"), "it is still one of HTTP");
    assert_eq!(world.totals().replies(Path::Echo, 0), 1);
}

/// Tokens live 20 s; every third is a lie.
#[test]
fn every_third_token_is_rejected_early_and_says_nothing_of_it() {
    let terms = Terms { token_life: Nanos::from_secs(20), ..Terms::default() };
    let mut world = World::on_terms(terms, "token-early:3");
    let mut tokens = vec![user(&mut world, "a@b.c")];
    for _ in 1..9 {
        let last = &tokens[tokens.len() - 1].refresh;
        let again = json!({"refreshToken": last}).to_string();
        tokens.push(Tokens::of(ask(&mut world, &post("/auth/refresh", None, &again))));
    }
    let expiry = jwt::expiry(&tokens[0].access);
    assert!(tokens.iter().all(|tokens| jwt::expiry(&tokens.access) == expiry));
    assert_eq!(told(&world, Lie::TokenEarly), 3);
    let good = |world: &mut World| {
        let ask = |tokens: &Tokens| ask(world, &get_as("/tasks/none", &tokens.access)).0 == 404;
        tokens.iter().map(ask).collect::<Vec<bool>>()
    };
    assert_eq!(good(&mut world), [true; 9]);
    world.pass(Nanos::from_millis(1_999));
    assert_eq!(good(&mut world), [true; 9], "a tenth of its life");
    world.pass(Nanos::from_millis(2));
    assert_eq!(good(&mut world), [true, true, false].repeat(3));
    assert_eq!(world.totals().did(Did::TokensRejectedEarly), 3);
    world.pass(Nanos::from_secs(17));
    assert_eq!(good(&mut world), [true, true, false].repeat(3));
    world.pass(Nanos::from_secs(1));
    assert_eq!(good(&mut world), [false; 9], "now it is over for all");
    let path = format!("/ws?token={}", tokens[2].access);
    assert_eq!(ask(&mut world, &upgrade(&path)).0, 401);
}

#[test]
fn one_account_waits_longer_and_one_is_refused() {
    let mut world = World::lying("slow-user:slow@b.c:50ms,deny-user:no@b.c");
    let [slow, no, good] =
        ["slow@b.c", "no@b.c", "a@b.c"].map(|email| user(&mut world, email).access);
    let made = |token: &str| post("/tasks", Some(token), "{\"type\":\"generate-pdf\"}");
    assert_eq!(ask(&mut world, &made(&good)).0, 201);
    assert_eq!(ask(&mut world, &made(&no)), (403, json!({"status": 403})));
    assert_eq!(ask(&mut world, &get_as("/tasks/none", &no)).0, 403);
    assert_eq!(ask(&mut world, &upgrade(&format!("/ws?token={no}"))).0, 403);
    assert_eq!(ask(&mut world, &get_as("/health", &no)).0, 200, "nobody looks at tokens there");
    assert_eq!((told(&world, Lie::DenyUser), world.totals().did(Did::TasksCreated)), (3, 1));
    for (slot, request) in [(1, made(&slow)), (2, upgrade(&format!("/ws?token={slow}")))] {
        world.connect(slot);
        world.feed(slot, request);
        world.pass(Nanos::from_millis(49));
        assert_eq!(world.text(slot), "", "held back");
        world.pass(Nanos::from_millis(1));
        assert!(!world.text(slot).is_empty());
    }
    assert_eq!((told(&world, Lie::SlowUser), told(&world, Lie::DenyUser)), (2, 3));
    assert_eq!(world.totals().did(Did::TasksCreated), 2, "it is carried out");
    assert_eq!(world.totals().did(Did::WsOpened), 1);
}
