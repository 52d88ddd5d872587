//! Captured conversations, from the reply to the handshake on, come to what they say at every cut.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use onslaught::protocol::ws::{Connection, Opened, Phase, Role, Settings, Upgrade};

use super::feed::{Came, End, feed_to, ping, pong, text};

/// What a server's bytes come to: the status and the subprotocol, then the events.
type Heard = (u16, Option<usize>, Vec<Came>);

fn hear<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Heard {
    let asked = Upgrade::builder("/", "localhost").subprotocol("chat").build().expect("a request");
    let mut opening = Some(asked.encode(*b"the sample nonce", &mut Vec::new()));
    let mut connection = Connection::new(Settings::new(Role::Client));
    let mut heard = (0, None, Vec::new());
    for mut piece in pieces {
        if let Some(waiting) = opening.take() {
            match waiting.receive(&asked, &mut piece).expect("no fault") {
                Opened::More(more) => {
                    opening = Some(more);
                    continue;
                }
                Opened::Accepted { subprotocol } => heard = (101, subprotocol, Vec::new()),
                Opened::Refused { status } => return (status, None, Vec::new()),
            }
        }
        let (came, end) = feed_to(&mut connection, [piece]);
        assert!(matches!(end, End::Phase(_)), "{end:?}");
        heard.2.extend(came);
    }
    assert_eq!(connection.phase(), Phase::Answering);
    heard
}

fn close(code: u16, reason: &str) -> Came {
    Came::Close(Some(code), reason.to_owned())
}

/// What each file must come to.
fn conversations() -> [(&'static str, Heard); 11] {
    let long = |letter: &str| letter.repeat(300);
    let bytes = |bytes: &[u8]| Came::Binary(bytes.to_vec());
    let counted: Vec<u8> = (0..200).collect();
    let greeting =
        vec![text("hello"), ping(b"are you there"), bytes(&[0, 1, 2, 255]), close(1000, "")];
    let echo = vec![text("hello"), bytes(&counted), pong(b"ping me"), close(1000, "")];
    let python =
        vec![text("Gr\u{fc}\u{df}e \u{2603}"), bytes(long("y").as_bytes()), close(1001, "going")];
    let empty = Came::Close(None, String::new());
    [
        ("node-401", (401, None, vec![])),
        ("node-closes-4000", (101, None, vec![text(&long("x")), close(4000, "tsch\u{fc}ss")])),
        ("node-echo", (101, None, echo)),
        (
            "node-fragments",
            (101, Some(0), vec![ping(b""), text("Gr\u{fc}\u{df}e \u{2603}"), close(1000, "")]),
        ),
        ("node-greets-first", (101, None, greeting)),
        ("node-refuses-unmasked", (101, None, vec![close(1002, "")])),
        ("python-400", (400, None, vec![])),
        ("python-closes-without-code", (101, Some(0), vec![text("x"), empty])),
        (
            "python-echo",
            (
                101,
                Some(0),
                vec![text("hello"), pong(b""), text("Gr\u{fc}\u{df}e"), close(1000, "")],
            ),
        ),
        ("python-fragments-1001", (101, Some(0), python)),
        (
            "python-refuses-utf8",
            (101, Some(0), vec![close(1007, "invalid start byte at position 0")]),
        ),
    ]
}

#[test]
fn captured_conversations_at_every_split() {
    for (name, expected) in conversations() {
        let stream = fs::read(folder().join(format!("{name}.ws"))).expect(name);
        assert_eq!(hear([&stream[..]]), expected, "{name}");
        assert_eq!(hear(stream.chunks(1)), expected, "{name}, byte by byte");
        for cut in 0..=stream.len() {
            let (left, right) = stream.split_at(cut);
            assert_eq!(hear([left, right]), expected, "{name}, cut at {cut}");
        }
    }
}

#[test]
fn every_captured_conversation_is_used() {
    let files = fs::read_dir(folder()).expect("tests/wire").map(|entry| entry.expect("an entry"));
    let names = files.map(|entry| entry.file_name().into_string().expect("a name"));
    let found: BTreeSet<_> =
        names.filter_map(|name| name.strip_suffix(".ws").map(str::to_owned)).collect();
    let used = conversations().map(|conversation| conversation.0.to_owned()).into();
    assert_eq!(found, used);
}

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/wire"))
}
