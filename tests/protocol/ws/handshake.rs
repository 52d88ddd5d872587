//! A client's opening handshake: its request, and every reply at every cut.

use onslaught::protocol::Failure;
use onslaught::protocol::http::limits::{HEAD_BYTES_MAX, HEADERS_MAX, INTERIM_REPLIES_MAX};
use onslaught::protocol::http::{ExchangeError, RequestError};
use onslaught::protocol::ws::{HandshakeError, Opened, Upgrade, UpgradeError};

/// Of the example in section 1.3 of the RFC.
const NONCE: [u8; 16] = *b"the sample nonce";
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

fn upgrade() -> Upgrade {
    let builder = Upgrade::builder("/chat?room=1", "localhost:9001");
    builder.subprotocol("chat").subprotocol("v2").build().expect("a request")
}

/// What a reply comes to: the status, the subprotocol, and what is left for frames.
type Answer = Result<(u16, Option<usize>, Vec<u8>), HandshakeError>;

fn open<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Option<Answer> {
    let asked = upgrade();
    let mut opening = Some(asked.encode(NONCE, &mut Vec::new()));
    let mut answer: Option<Answer> = None;
    for mut piece in pieces {
        let Some(waiting) = opening.take() else {
            if let Some(Ok((_, _, left))) = &mut answer {
                left.extend(piece);
            }
            continue;
        };
        match waiting.receive(&asked, &mut piece) {
            Ok(Opened::More(more)) => {
                assert!(piece.is_empty(), "all is taken");
                opening = Some(more);
            }
            Ok(Opened::Accepted { subprotocol }) => {
                answer = Some(Ok((101, subprotocol, piece.to_vec())));
            }
            Ok(Opened::Refused { status }) => answer = Some(Ok((status, None, piece.to_vec()))),
            Err(error) => answer = Some(Err(error)),
        }
    }
    answer
}

#[track_caller]
fn every_split(reply: &str) -> Option<Answer> {
    let bytes = reply.as_bytes();
    let whole = open([bytes]);
    assert_eq!(open(bytes.chunks(1)), whole, "byte by byte: {reply}");
    for cut in 0..=bytes.len() {
        let (left, right) = bytes.split_at(cut);
        assert_eq!(open([left, right]), whole, "cut at {cut}: {reply}");
    }
    whole
}

/// A 101 in order, with more header lines.
fn accepted(more: &str) -> String {
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {ACCEPT}\r\n{more}\r\n"
    )
}

#[test]
fn the_request() {
    let mut out = b"before".to_vec();
    let _opening = upgrade().encode(NONCE, &mut out);
    let user_agent = concat!("onslaught/", env!("CARGO_PKG_VERSION"));
    let expected = format!(
        "beforeGET /chat?room=1 HTTP/1.1\r\nHost: localhost:9001\r\nUser-Agent: {user_agent}\r\n\
         Accept: */*\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Protocol: chat, v2\r\n\r\n"
    );
    assert_eq!(String::from_utf8(out).unwrap(), expected);
}

#[test]
fn the_request_has_the_headers_of_the_user() {
    let built = Upgrade::builder("/", "localhost")
        .header("Origin", "http://localhost")
        .header("X-Note", "\t Sec-WebSocket-Key: AAAA")
        .header("host", "other.example")
        .build()
        .expect("a request");
    let (mut first, mut second) = (Vec::new(), Vec::new());
    let _opening = built.encode([0; 16], &mut first);
    let _opening = built.encode([255; 16], &mut second);
    let first = String::from_utf8(first).unwrap();
    for line in [
        "host: other.example",
        "Origin: http://localhost",
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
    ] {
        assert!(first.contains(&format!("\r\n{line}\r\n")), "{line} in {first}");
    }
    let differing = first.bytes().zip(second).filter(|(one, other)| one != other).count();
    assert_eq!(differing, 22, "the key alone differs");
}

#[test]
fn what_cannot_be_asked() {
    let with = |name: &str| Upgrade::builder("/", "localhost").header(name, "x").build();
    for name in [
        "Connection",
        "upgrade",
        "Sec-WebSocket-Key",
        "sec-websocket-version",
        "Sec-WebSocket-Protocol",
        "SEC-WEBSOCKET-EXTENSIONS",
    ] {
        assert_eq!(with(name).unwrap_err(), UpgradeError::Reserved { name: name.to_owned() });
    }
    for name in ["", "a b", "a,b", "a\r\nX: y"] {
        let built = Upgrade::builder("/", "localhost").subprotocol(name).build();
        assert_eq!(built.unwrap_err(), UpgradeError::Subprotocol { name: name.to_owned() });
    }
    let twice = Upgrade::builder("/", "localhost").subprotocol("a").subprotocol("a").build();
    assert!(matches!(twice.unwrap_err(), UpgradeError::Subprotocol { .. }));
    let target = Upgrade::builder("ws://localhost/", "localhost").build();
    assert_eq!(target.unwrap_err(), UpgradeError::Request(RequestError::TargetStart));
}

#[test]
fn replies_in_order() {
    let none = Some(Ok((101, None, Vec::new())));
    for more in [
        "",
        "Date: now\r\n",
        "Sec-WebSocket-Extensions: \r\n",
        "Connection: keep-alive\r\n",
        "Content-Length: 5\r\n",
    ] {
        assert_eq!(every_split(&accepted(more)), none, "{more}");
    }
    for reply in [
        accepted("")
            .replace("websocket", "WebSocket")
            .replace("Upgrade\r\n", "keep-alive, UPGRADE\r\n"),
        accepted("").to_lowercase().replace(&ACCEPT.to_lowercase(), ACCEPT).replace("http", "HTTP"),
        accepted("").replace("\r\n", "\n"),
        format!("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n{}", accepted("")),
    ] {
        assert_eq!(every_split(&reply), none, "{reply}");
    }
    let second = accepted("Sec-WebSocket-Protocol: v2\r\n");
    assert_eq!(every_split(&second), Some(Ok((101, Some(1), Vec::new()))));
}

#[test]
fn what_is_behind_the_101_is_frames() {
    let reply = accepted("") + "\u{1}\u{5}hello\r\n\r\n";
    assert_eq!(every_split(&reply), Some(Ok((101, None, b"\x01\x05hello\r\n\r\n".to_vec()))));
}

#[test]
fn refusals_are_told_by_their_status() {
    for status in [200, 301, 400, 401, 403, 404, 426, 429, 500, 503, 999] {
        let reply = format!("HTTP/1.1 {status} Other\r\nContent-Length: 2\r\n\r\nno");
        assert_eq!(every_split(&reply), Some(Ok((status, None, b"no".to_vec()))));
        let old = format!("HTTP/1.0 {status} Other\r\n\r\n");
        assert_eq!(every_split(&old), Some(Ok((status, None, Vec::new()))));
    }
}

#[test]
fn replies_out_of_order() {
    use HandshakeError::{
        Accept, Connection, Repeated, UnaskedExtension, UnaskedSubprotocol, Version,
    };
    let repeated = |name: &str| Repeated { name: name.to_owned() };
    let other = accepted("").replace(ACCEPT, "AAAAAAAAAAAAAAAAAAAAAAAAAAA=");
    let lower = accepted("").replace(ACCEPT, &ACCEPT.to_lowercase());
    let line = |name: &str| accepted("").replace(name, "X-Other");
    for (reply, error) in [
        (accepted("").replace("HTTP/1.1", "HTTP/1.0"), Version),
        (line("Upgrade: websocket\r\nConnection"), HandshakeError::Upgrade),
        (accepted("").replace("websocket", "h2c"), HandshakeError::Upgrade),
        (accepted("").replace("websocket", "websocket, h2c"), HandshakeError::Upgrade),
        (accepted("Upgrade: websocket\r\n"), repeated("upgrade")),
        (line("Connection"), Connection),
        (accepted("").replace("Connection: Upgrade", "Connection: Upgraded"), Connection),
        (line("Sec-WebSocket-Accept"), Accept),
        (other, Accept),
        (lower, Accept),
        (accepted("").replace(ACCEPT, ""), Accept),
        (
            accepted(&format!("Sec-WebSocket-Accept: {ACCEPT}\r\n")),
            repeated("sec-websocket-accept"),
        ),
        (accepted("Sec-WebSocket-Extensions: permessage-deflate\r\n"), UnaskedExtension),
        (
            accepted("Sec-WebSocket-Extensions:\r\nsec-websocket-extensions: x\r\n"),
            UnaskedExtension,
        ),
        (accepted("Sec-WebSocket-Protocol: v3\r\n"), UnaskedSubprotocol),
        (accepted("Sec-WebSocket-Protocol: CHAT\r\n"), UnaskedSubprotocol),
        (accepted("Sec-WebSocket-Protocol: chat, v2\r\n"), UnaskedSubprotocol),
        (accepted("Sec-WebSocket-Protocol: \r\n"), UnaskedSubprotocol),
        (
            accepted("Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Protocol: chat\r\n"),
            repeated("sec-websocket-protocol"),
        ),
    ] {
        assert_eq!(every_split(&reply), Some(Err(error.clone())), "{reply}");
        assert_eq!(error.failure(), Failure::Protocol, "{error}");
    }
}

#[test]
fn malformed_replies() {
    for (reply, error) in [
        ("<html>", ExchangeError::NotHttp { found: b'<' }),
        ("\u{1}\u{2}", ExchangeError::NotHttp { found: 1 }),
        ("HTTP/2.0 101 X\r\n\r\n", ExchangeError::Version),
        ("HTTP/1.1 1010 X\r\n\r\n", ExchangeError::StatusLine),
        ("HTTP/1.1 099 X\r\n\r\n", ExchangeError::StatusCode { found: 99 }),
        ("HTTP/1.1 101 X\r\nno colon\r\n\r\n", ExchangeError::HeaderName),
        ("HTTP/1.1 101 X\r\nA: \0\r\n\r\n", ExchangeError::HeaderValue),
    ] {
        assert_eq!(every_split(reply), Some(Err(error.into())), "{reply}");
    }
}

#[test]
fn early_ends() {
    let asked = upgrade();
    let end = |reply: &str| {
        let opening = asked.encode(NONCE, &mut Vec::new());
        match opening.receive(&asked, &mut reply.as_bytes()) {
            Ok(Opened::More(opening)) => opening.end_of_stream(),
            other => panic!("{other:?}"),
        }
    };
    let cut = |received| HandshakeError::Reply(ExchangeError::HeadCut { received });
    assert_eq!(end(""), HandshakeError::Reply(ExchangeError::NoReply));
    assert_eq!(end("HTTP/1.1 101"), cut(12));
    assert_eq!(end("HTTP/1.1 100 Continue\r\n\r\n"), cut(0));
    assert_eq!(end("").failure(), Failure::Truncated);
    assert_eq!(end("HTTP").failure(), Failure::Truncated);
}

#[test]
fn limits() {
    let padded = |size: usize| {
        let filler = "x".repeat(size - accepted("X: \r\n").len());
        accepted(&format!("X: {filler}\r\n"))
    };
    let many = |count: usize| accepted(&"A: b\r\n".repeat(count - 3));
    let interim = |count: usize| "HTTP/1.1 103 E\r\n\r\n".repeat(count) + &accepted("");
    let most = usize::from(INTERIM_REPLIES_MAX);
    for (at_limit, below, above, error) in [
        (
            padded(HEAD_BYTES_MAX),
            padded(HEAD_BYTES_MAX - 1),
            padded(HEAD_BYTES_MAX + 1),
            ExchangeError::HeadTooLarge,
        ),
        (
            many(HEADERS_MAX),
            many(HEADERS_MAX - 1),
            many(HEADERS_MAX + 1),
            ExchangeError::TooManyHeaders,
        ),
        (interim(most), interim(most - 1), interim(most + 1), ExchangeError::TooManyInterim),
    ] {
        for size in [1, 1448, usize::MAX] {
            let open = |reply: &str| open(reply.as_bytes().chunks(size));
            assert_eq!(open(&at_limit), Some(Ok((101, None, Vec::new()))), "{error}");
            assert_eq!(open(&below), Some(Ok((101, None, Vec::new()))), "{error}");
            assert_eq!(open(&above), Some(Err(error.into())), "{error}");
        }
        assert_eq!(error.failure(), Failure::Limit);
    }
}
