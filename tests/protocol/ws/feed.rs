//! Feeds frames to a [`Connection`] in pieces, and at every cut; and writes frames by hand.

use onslaught::protocol::ws::{
    Connection, Event, Keep, Kind, Phase, Role, Scratch, Settings, WsError,
};

use crate::feed::Then;

/// An event that owns what it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Came {
    Text(String),
    Binary(Vec<u8>),
    Counted(Kind, u64),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(Option<u16>, String),
}

impl From<Event<'_>> for Came {
    fn from(event: Event<'_>) -> Self {
        match event {
            Event::Message { kind: Kind::Text, bytes } => {
                Self::Text(std::str::from_utf8(bytes).expect("text is UTF-8").to_owned())
            }
            Event::Message { kind: Kind::Binary, bytes } => Self::Binary(bytes.to_vec()),
            Event::Counted { kind, len } => Self::Counted(kind, len),
            Event::Ping(payload) => Self::Ping(payload.bytes().to_vec()),
            Event::Pong(payload) => Self::Pong(payload.bytes().to_vec()),
            Event::Close(close) => {
                Self::Close(close.code.map(|code| code.number()), close.reason.to_owned())
            }
        }
    }
}

pub(crate) fn text(text: &str) -> Came {
    Came::Text(text.to_owned())
}

pub(crate) fn ping(bytes: &[u8]) -> Came {
    Came::Ping(bytes.to_vec())
}

pub(crate) fn pong(bytes: &[u8]) -> Came {
    Came::Pong(bytes.to_vec())
}

/// How a conversation ends, as far as it was fed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Fault(WsError),
    Phase(Phase),
}

/// What a conversation comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) came: Vec<Came>,
    pub(crate) end: End,
}

/// Feeds pieces to a fresh connection.
#[track_caller]
pub(crate) fn feed<'a>(
    settings: Settings,
    pieces: impl IntoIterator<Item = &'a [u8]>,
    then: Then,
) -> Outcome {
    let mut connection = Connection::new(settings);
    let (came, end) = feed_to(&mut connection, pieces);
    let end = match (end, then) {
        (End::Fault(error), _) => {
            assert_eq!(connection.phase(), Phase::Failed);
            assert_eq!(connection.end_of_stream(), Err(error), "an error is for ever");
            let mut scratch = Scratch::default();
            let again = connection.receive(&mut &b"x"[..], &mut scratch);
            assert_eq!(again, Err(error), "an error is for ever");
            End::Fault(error)
        }
        (end, Then::Waits) => end,
        (end @ End::Phase(_), Then::Ends) => {
            connection.end_of_stream().map_or_else(End::Fault, |()| end)
        }
    };
    Outcome { came, end }
}

/// Feeds pieces to a connection, up to its first fault.
#[track_caller]
pub(crate) fn feed_to<'a>(
    connection: &mut Connection,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> (Vec<Came>, End) {
    let mut scratch = Scratch::default();
    let mut came = Vec::new();
    for mut piece in pieces {
        loop {
            match connection.receive(&mut piece, &mut scratch) {
                Ok(Some(event)) => came.push(event.into()),
                Ok(None) => break,
                Err(error) => return (came, End::Fault(error)),
            }
        }
        assert!(piece.is_empty(), "{} bytes were not taken", piece.len());
    }
    (came, End::Phase(connection.phase()))
}

/// Whole, byte by byte, and in two pieces at every cut: all must come to the same. And to the same
/// as far as it can be told when bytes are only counted.
#[track_caller]
pub(crate) fn every_split(settings: Settings, stream: &[u8], then: Then) -> Outcome {
    let whole = feed(settings, [stream], then);
    assert_eq!(feed(settings, stream.chunks(1), then), whole, "byte by byte");
    for cut in 0..=stream.len() {
        let (left, right) = stream.split_at(cut);
        assert_eq!(feed(settings, [left, right], then), whole, "cut at {cut}");
    }
    let counting = Settings { keep: Keep::Count, ..settings };
    let counted = Outcome { came: whole.came.iter().map(count).collect(), end: whole.end };
    for size in [1, 3, 100, usize::MAX] {
        assert_eq!(feed(counting, stream.chunks(size), then), counted, "counting by {size}");
    }
    whole
}

/// What is left of an event when bytes are only counted.
fn count(came: &Came) -> Came {
    match came {
        Came::Text(text) => Came::Counted(Kind::Text, text.len() as u64),
        Came::Binary(bytes) => Came::Counted(Kind::Binary, bytes.len() as u64),
        other => other.clone(),
    }
}

/// A frame by its first byte and its payload.
pub(crate) type Frame<'a> = (u8, &'a [u8]);

/// The frames as the peer of `role` sends them, written down byte by byte.
pub(crate) fn stream(role: Role, frames: &[Frame<'_>]) -> Vec<u8> {
    frames.iter().flat_map(|(first, payload)| frame(role, *first, payload)).collect()
}

/// One frame as the peer of `role` sends it.
pub(crate) fn frame(role: Role, first: u8, payload: &[u8]) -> Vec<u8> {
    let len = payload.len() as u64;
    let (short, extended) = match len {
        0..=125 => (len.to_be_bytes()[7], Vec::new()),
        126..=0xffff => (126, len.to_be_bytes()[6..].to_vec()),
        _ => (127, len.to_be_bytes().to_vec()),
    };
    let key = [0x37, 0xfa, 0x21, 0x3d];
    let (mask, key) = match role {
        Role::Client => (0, None),
        Role::Server => (0x80, Some(key)),
    };
    let mut bytes = vec![first, mask | short];
    bytes.extend(extended);
    bytes.extend(key.iter().flatten());
    bytes.extend(
        payload.iter().enumerate().map(|(at, byte)| byte ^ key.map_or(0, |key| key[at % 4])),
    );
    bytes
}
