//! The transition table of the connection, cell by cell.

use onslaught::protocol::ws::{
    CloseCode, Connection, Event, Keep, Key, Kind, Phase, Role, Scratch, Settings, WsError, encode,
};

use super::feed::{Came, End, feed_to, frame, ping, pong, text};

/// What happens to a connection.
#[derive(Clone, Copy, Debug)]
enum Input {
    Nothing,
    Message,
    Ping,
    Pong,
    Close,
    Fault,
    OurClose,
    End,
}

use Input::{Close, End as EndOfStream, Fault, Message, Nothing, OurClose, Ping, Pong};

/// What it leads to: an event, our close frame, an error, or nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Gives {
    Nothing,
    Event(Came),
    CloseSent,
    Error(WsError),
}

const RESERVED: WsError = WsError::ReservedBits { found: 0xf1 };

fn connection_in(phase: Phase, role: Role) -> Connection {
    let mut connection = Connection::new(Settings::new(role));
    let inputs: &[Input] = match phase {
        Phase::Open => &[],
        Phase::Closing => &[OurClose],
        Phase::Answering => &[Close],
        Phase::Closed => &[Close, OurClose],
        Phase::Failed => &[Fault],
    };
    for input in inputs {
        let _outcome = put(&mut connection, role, *input);
    }
    assert_eq!(connection.phase(), phase);
    connection
}

fn put(connection: &mut Connection, role: Role, input: Input) -> Gives {
    let bytes = match input {
        Nothing => Vec::new(),
        Message => frame(role, 0x81, b"hi"),
        Ping => frame(role, 0x89, b"a"),
        Pong => frame(role, 0x8a, b"b"),
        Close => frame(role, 0x88, b"\x03\xe8bye"),
        Fault => frame(role, 0xf1, b""),
        OurClose => {
            let mut out = Vec::new();
            let key = (role == Role::Client).then_some(Key([1, 2, 3, 4]));
            connection.close(Some(CloseCode::GOING_AWAY), "", key, &mut out);
            return if out.is_empty() { Gives::Nothing } else { Gives::CloseSent };
        }
        EndOfStream => {
            return connection.end_of_stream().map_or_else(Gives::Error, |()| Gives::Nothing);
        }
    };
    match feed_to(connection, [&bytes[..]]) {
        (_, End::Fault(error)) => Gives::Error(error),
        (came, End::Phase(_)) => {
            assert!(came.len() < 2, "{came:?}");
            came.into_iter().next().map_or(Gives::Nothing, Gives::Event)
        }
    }
}

#[test]
fn every_cell() {
    let event = |came: &Came| Gives::Event(came.clone());
    let (hi, a, b) = (text("hi"), ping(b"a"), pong(b"b"));
    let bye = Came::Close(Some(1000), "bye".to_owned());
    let error = Gives::Error;
    let cells = [
        (Phase::Open, Nothing, Gives::Nothing, Phase::Open),
        (Phase::Open, Message, event(&hi), Phase::Open),
        (Phase::Open, Ping, event(&a), Phase::Open),
        (Phase::Open, Pong, event(&b), Phase::Open),
        (Phase::Open, Close, event(&bye), Phase::Answering),
        (Phase::Open, Fault, error(RESERVED), Phase::Failed),
        (Phase::Open, OurClose, Gives::CloseSent, Phase::Closing),
        (Phase::Open, EndOfStream, error(WsError::NoClose), Phase::Failed),
        (Phase::Closing, Nothing, Gives::Nothing, Phase::Closing),
        (Phase::Closing, Message, event(&hi), Phase::Closing),
        (Phase::Closing, Ping, event(&a), Phase::Closing),
        (Phase::Closing, Pong, event(&b), Phase::Closing),
        (Phase::Closing, Close, event(&bye), Phase::Closed),
        (Phase::Closing, Fault, error(RESERVED), Phase::Failed),
        (Phase::Closing, OurClose, Gives::Nothing, Phase::Closing),
        (Phase::Closing, EndOfStream, error(WsError::CloseNotAnswered), Phase::Failed),
        (Phase::Answering, Nothing, Gives::Nothing, Phase::Answering),
        (Phase::Answering, Message, Gives::Nothing, Phase::Answering),
        (Phase::Answering, Ping, Gives::Nothing, Phase::Answering),
        (Phase::Answering, Pong, Gives::Nothing, Phase::Answering),
        (Phase::Answering, Close, Gives::Nothing, Phase::Answering),
        (Phase::Answering, Fault, Gives::Nothing, Phase::Answering),
        (Phase::Answering, OurClose, Gives::CloseSent, Phase::Closed),
        (Phase::Answering, EndOfStream, Gives::Nothing, Phase::Answering),
        (Phase::Closed, Nothing, Gives::Nothing, Phase::Closed),
        (Phase::Closed, Message, Gives::Nothing, Phase::Closed),
        (Phase::Closed, Ping, Gives::Nothing, Phase::Closed),
        (Phase::Closed, Pong, Gives::Nothing, Phase::Closed),
        (Phase::Closed, Close, Gives::Nothing, Phase::Closed),
        (Phase::Closed, Fault, Gives::Nothing, Phase::Closed),
        (Phase::Closed, OurClose, Gives::Nothing, Phase::Closed),
        (Phase::Closed, EndOfStream, Gives::Nothing, Phase::Closed),
        (Phase::Failed, Nothing, Gives::Nothing, Phase::Failed),
        (Phase::Failed, Message, error(RESERVED), Phase::Failed),
        (Phase::Failed, Ping, error(RESERVED), Phase::Failed),
        (Phase::Failed, Pong, error(RESERVED), Phase::Failed),
        (Phase::Failed, Close, error(RESERVED), Phase::Failed),
        (Phase::Failed, Fault, error(RESERVED), Phase::Failed),
        (Phase::Failed, OurClose, Gives::CloseSent, Phase::Failed),
        (Phase::Failed, EndOfStream, error(RESERVED), Phase::Failed),
    ];
    assert_eq!(cells.len(), 5 * 8);
    for role in [Role::Client, Role::Server] {
        for (from, input, gives, to) in &cells {
            let mut connection = connection_in(*from, role);
            assert_eq!(put(&mut connection, role, *input), *gives, "{from:?} and {input:?}");
            assert_eq!(connection.phase(), *to, "{from:?} and {input:?}");
        }
    }
}

#[test]
fn a_close_frame_is_sent_once() {
    for role in [Role::Client, Role::Server] {
        let mut failed = connection_in(Phase::Failed, role);
        assert_eq!(put(&mut failed, role, OurClose), Gives::CloseSent);
        assert_eq!(put(&mut failed, role, OurClose), Gives::Nothing);
        let mut failed_later = connection_in(Phase::Closing, role);
        assert_eq!(put(&mut failed_later, role, Fault), Gives::Error(RESERVED));
        assert_eq!(put(&mut failed_later, role, OurClose), Gives::Nothing);
    }
}

#[test]
fn both_sides_close_at_once() {
    let mut client = Connection::new(Settings::new(Role::Client));
    let mut server = Connection::new(Settings::new(Role::Server));
    let (mut to_server, mut to_client) = (Vec::new(), Vec::new());
    client.close(Some(CloseCode::NORMAL), "done", Some(Key([9, 8, 7, 6])), &mut to_server);
    server.close(Some(CloseCode::GOING_AWAY), "restart", None, &mut to_client);
    let (at_client, _) = feed_to(&mut client, [&to_client[..]]);
    let (at_server, _) = feed_to(&mut server, [&to_server[..]]);
    assert_eq!(at_client, [Came::Close(Some(1001), "restart".to_owned())]);
    assert_eq!(at_server, [Came::Close(Some(1000), "done".to_owned())]);
    assert_eq!((client.phase(), server.phase()), (Phase::Closed, Phase::Closed));
    assert_eq!((client.end_of_stream(), server.end_of_stream()), (Ok(()), Ok(())));
}

#[test]
fn a_session_from_both_ends() {
    let mut client = Connection::new(Settings::new(Role::Client));
    let mut server = Connection::new(Settings::new(Role::Server));
    let mut scratch = Scratch::default();
    let key = Some(Key([0xde, 0xad, 0xbe, 0xef]));
    let mut out = Vec::new();
    encode::message(&mut out, Kind::Text, b"subscribe", key);
    client.close(Some(CloseCode::NORMAL), "", key, &mut out);
    let mut answers = Vec::new();
    let mut input = &out[..];
    while let Some(event) = server.receive(&mut input, &mut scratch).expect("no fault") {
        match Came::from(event) {
            Came::Text(text) => encode::message(&mut answers, Kind::Text, text.as_bytes(), None),
            Came::Close(code, _) => {
                server.close(code.and_then(CloseCode::new), "", None, &mut answers);
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(server.phase(), Phase::Closed);
    let (came, end) = feed_to(&mut client, answers.chunks(3));
    assert_eq!(came, [text("subscribe"), Came::Close(Some(1000), String::new())]);
    assert_eq!(end, End::Phase(Phase::Closed));
}

#[test]
fn whole_frames_are_lent_where_they_lie() {
    let mut connection = Connection::new(Settings::new(Role::Client));
    let bytes = [frame(Role::Client, 0x81, b"text"), frame(Role::Client, 0x89, b"ping")].concat();
    let mut scratch = Scratch::default();
    let mut input = &bytes[..];
    let mut lent = 0;
    while let Some(event) = connection.receive(&mut input, &mut scratch).expect("no fault") {
        let bytes_of_it = match event {
            Event::Message { bytes, .. } => bytes,
            Event::Ping(payload) => payload.bytes(),
            other => panic!("{other:?}"),
        };
        assert!(bytes.as_ptr_range().contains(&bytes_of_it.as_ptr()), "copied");
        lent += 1;
    }
    assert_eq!(lent, 2);
}

#[test]
fn what_becomes_of_messages_can_be_changed_between_them() {
    let mut connection = Connection::new(Settings::new(Role::Client));
    let begun = [frame(Role::Client, 0x81, b"kept"), frame(Role::Client, 0x01, b"kept ")].concat();
    let (mut came, _) = feed_to(&mut connection, [&begun[..]]);
    connection.keep(Keep::Count);
    let rest = [frame(Role::Client, 0x80, b"too"), frame(Role::Client, 0x81, b"counted")].concat();
    came.extend(feed_to(&mut connection, [&rest[..]]).0);
    assert_eq!(came, [text("kept"), text("kept too"), Came::Counted(Kind::Text, 7)]);
}
