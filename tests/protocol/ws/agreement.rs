//! Our reader and tungstenite's come to the same, where both say something.

use std::io::{Cursor, Read, Result as IoResult, Write};

use onslaught::protocol::ws::{Role, Settings, WsError};
use onslaught::stdx::rng::Rng;
use tungstenite::error::ProtocolError;
use tungstenite::protocol::frame::FrameHeader;
use tungstenite::protocol::frame::coding::OpCode;
use tungstenite::protocol::{Role as TheirRole, WebSocketConfig};
use tungstenite::{Error, Message, WebSocket};

use super::feed::{Came, End, feed};
use super::generate::{conversation, spoil};
use crate::feed::Then;

/// A stream that has been written before, and that swallows the answers.
struct Tape(Cursor<Vec<u8>>);

impl Read for Tape {
    fn read(&mut self, buffer: &mut [u8]) -> IoResult<usize> {
        self.0.read(buffer)
    }
}

impl Write for Tape {
    fn write(&mut self, bytes: &[u8]) -> IoResult<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> IoResult<()> {
        Ok(())
    }
}

/// What tungstenite makes of a stream, up to its first error or the end.
fn theirs(role: Role, stream: &[u8]) -> (Vec<Came>, Error) {
    let role = match role {
        Role::Client => TheirRole::Client,
        Role::Server => TheirRole::Server,
    };
    let config = WebSocketConfig::default().read_buffer_size(4096);
    let tape = Tape(Cursor::new(stream.to_vec()));
    let mut socket = WebSocket::from_raw_socket(tape, role, Some(config));
    let mut came = Vec::new();
    loop {
        came.push(match socket.read() {
            Ok(Message::Text(text)) => Came::Text(text.to_string()),
            Ok(Message::Binary(bytes)) => Came::Binary(bytes.to_vec()),
            Ok(Message::Ping(bytes)) => Came::Ping(bytes.to_vec()),
            Ok(Message::Pong(bytes)) => Came::Pong(bytes.to_vec()),
            Ok(Message::Close(None)) => Came::Close(None, String::new()),
            Ok(Message::Close(Some(close))) => {
                Came::Close(Some(close.code.into()), close.reason.to_string())
            }
            Ok(Message::Frame(_)) => continue,
            Err(error) => return (came, error),
        });
    }
}

#[test]
fn on_conversations() {
    for seed in 0..2_000 {
        let mut rng = Rng::stream(0x7a9, seed);
        let role = if seed % 2 == 0 { Role::Client } else { Role::Server };
        let (said, stream) = conversation(&mut rng, role);
        let (came, error) = theirs(role, &stream);
        assert!(came == said, "seed {seed}: {came:?} instead of {said:?}");
        let closed = matches!(said.last(), Some(Came::Close(..)));
        assert_eq!(matches!(error, Error::ConnectionClosed), closed, "seed {seed}: {error}");
    }
}

#[test]
fn on_spoilt_conversations() {
    let mut faults = 0;
    for seed in 0..8_000 {
        let mut rng = Rng::stream(0x7aa, seed);
        let role = if seed % 2 == 0 { Role::Client } else { Role::Server };
        let (_, mut stream) = conversation(&mut rng, role);
        spoil(&mut rng, &mut stream);
        let ours = feed(Settings::new(role), [&stream[..]], Then::Ends);
        let (came, error) = theirs(role, &stream);
        let shown = format!("seed {seed}: {ours:?}, theirs {came:?} {error}");
        match (ours.end, &error) {
            // They let these pass: a length is a length, and a code is replaced by 1002.
            (End::Fault(WsError::LengthNotMinimal { .. } | WsError::CloseCode { .. }), _) => {}
            // They judge a frame when all of it has come, which then never happens; and what it
            // announces before the kind of frame that it is.
            (End::Fault(_), Error::Protocol(ProtocolError::ResetWithoutClosingHandshake)) => {
                assert!(ours.came == came, "{shown}");
            }
            (End::Fault(_), Error::Protocol(_) | Error::Utf8(_) | Error::Capacity(_)) => {
                assert!(ours.came == came, "{shown}");
                faults += 1;
            }
            // Closed: what comes behind that, they call a fault and we throw away.
            (End::Phase(_), Error::ConnectionClosed | Error::Protocol(_)) => {
                assert!(ours.came == came, "{shown}");
                assert!(matches!(came.last(), Some(Came::Close(..))), "{shown}");
            }
            _ => panic!("{shown}"),
        }
    }
    assert!(faults > 1_000, "only {faults} faults");
}

#[test]
fn on_headers() {
    use onslaught::protocol::ws::{Kind, encode};
    for len in [0, 1, 125, 126, 65_535, 65_536] {
        let mut out = Vec::new();
        encode::message(&mut out, Kind::Binary, &vec![0; len], None);
        let mut cursor = Cursor::new(&out);
        let (header, their_len) = FrameHeader::parse(&mut cursor).unwrap().expect("a header");
        assert_eq!(their_len, len as u64);
        assert!(header.is_final && header.mask.is_none());
        assert_eq!(u8::from(header.opcode), 2);
        let mut formatted = Vec::new();
        FrameHeader { opcode: OpCode::from(2), ..header }
            .format(their_len, &mut formatted)
            .unwrap();
        assert_eq!(formatted, out[..out.len() - len]);
    }
}
