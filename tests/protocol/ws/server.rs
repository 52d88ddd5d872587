//! A server's opening handshake: requests in order and not, and the 101 that a client takes.

use onslaught::protocol::http::server::{FIELDS_MAX, HEAD_MAX};
use onslaught::protocol::ws::{Asked, Opened, Refusal, Upgrade};
use onslaught::stdx::rng::Rng;

const REQUEST: &str = "GET /chat?room=1 HTTP/1.1\r\nHost: server.example.com\r\n\
                       Upgrade: websocket\r\nConnection: Upgrade\r\n\
                       Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
                       Sec-WebSocket-Version: 13\r\n\r\n";

/// The request with other header lines behind it.
fn with(more: &str) -> String {
    format!("{}{more}\r\n", &REQUEST[..REQUEST.len() - 2])
}

fn read(request: &str) -> Result<Option<(Asked<'_>, usize)>, Refusal> {
    Asked::read(request.as_bytes())
}

#[test]
fn the_example_of_the_rfc() {
    let (asked, len) = read(REQUEST).unwrap().expect("a whole request");
    assert_eq!((asked.target, len), ("/chat?room=1", REQUEST.len()));
    assert_eq!(asked.subprotocols, Vec::<&str>::new());
    let mut out = b"before".to_vec();
    asked.accept(None, &mut out);
    assert_eq!(
        String::from_utf8(out).unwrap(),
        "beforeHTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
    );
}

#[test]
fn an_incomplete_request_is_awaited() {
    for len in 0..REQUEST.len() {
        assert_eq!(read(&REQUEST[..len]), Ok(None), "{len} bytes");
    }
    let followed = format!("{REQUEST}\u{1}\u{2}frames");
    let (asked, len) = read(&followed).unwrap().expect("a whole request");
    assert_eq!((asked.target, len), ("/chat?room=1", REQUEST.len()));
}

#[test]
fn requests_in_order() {
    for request in [
        REQUEST.replace("websocket\r", "h2c, WebSocket\r"),
        REQUEST.replace("Connection: Upgrade", "connection: keep-alive, upgrade"),
        with("Sec-WebSocket-Extensions: permessage-deflate\r\n"),
        with("Origin: null\r\nCookie: a=b\r\n"),
    ] {
        assert!(matches!(read(&request), Ok(Some(_))), "{request}");
    }
    let request = with("Sec-WebSocket-Protocol: a, b\r\nSec-WebSocket-Protocol: c\r\n");
    let (asked, _) = read(&request).unwrap().expect("a whole request");
    assert_eq!(asked.subprotocols, ["a", "b", "c"]);
    let many = with(&format!("Sec-WebSocket-Protocol: {}\r\n", "x,".repeat(40)));
    let (asked, _) = read(&many).unwrap().expect("a whole request");
    assert_eq!(asked.subprotocols.len(), 32, "the rest is not looked at");
}

#[test]
fn requests_out_of_order() {
    let without = |line: &str| REQUEST.replace(line, "X-Other");
    let cases = [
        (without("Upgrade: websocket\r\nConnection"), Refusal::NoUpgrade, 426),
        (REQUEST.replace("websocket", "h2c"), Refusal::NoUpgrade, 426),
        (REQUEST.replace("GET", "POST"), Refusal::RequestLine, 400),
        (REQUEST.replace("HTTP/1.1", "HTTP/1.0"), Refusal::RequestLine, 400),
        (without("Connection"), Refusal::Fields, 400),
        (REQUEST.replace("Connection: Upgrade", "Connection: close"), Refusal::Fields, 400),
        (without("Host"), Refusal::Fields, 400),
        (with("Host: other\r\n"), Refusal::Fields, 400),
        (without("Sec-WebSocket-Version"), Refusal::Version, 426),
        (REQUEST.replace("Version: 13", "Version: 8"), Refusal::Version, 426),
        (REQUEST.replace("Version: 13", "Version: 13, 8"), Refusal::Version, 426),
        (with("Sec-WebSocket-Version: 13\r\n"), Refusal::Version, 426),
        (without("Sec-WebSocket-Key"), Refusal::Key, 400),
        (REQUEST.replace("dGhl", "dGh"), Refusal::Key, 400),
        (REQUEST.replace("dGhl", "dGhldGhl"), Refusal::Key, 400),
        (with("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"), Refusal::Key, 400),
        (REQUEST.replace("Host:", "Ho st:"), Refusal::Malformed, 400),
        ("\u{16}\u{3}\u{1}".to_owned(), Refusal::Malformed, 400),
        (with(&"A: b\r\n".repeat(FIELDS_MAX)), Refusal::TooLarge, 431),
        (with(&format!("A: {}\r\n", "x".repeat(HEAD_MAX))), Refusal::TooLarge, 431),
    ];
    for (request, refusal, status) in cases {
        assert_eq!(read(&request), Err(refusal), "{request}");
        assert_eq!(refusal.status(), status);
        let mut out = Vec::new();
        refusal.encode(&mut out);
        let reply = String::from_utf8(out).unwrap();
        assert!(reply.starts_with(&format!("HTTP/1.1 {status} ")), "{reply}");
        assert!(reply.ends_with("Content-Length: 0\r\n\r\n"), "{reply}");
        let ours = reply.contains("\r\nSec-WebSocket-Version: 13\r\n");
        assert_eq!(ours, status == 426, "{reply}");
        let asked = Upgrade::builder("/", "localhost").build().expect("a request");
        let opening = asked.encode([0; 16], &mut Vec::new());
        let opened = opening.receive(&asked, &mut reply.as_bytes());
        assert!(matches!(opened, Ok(Opened::Refused { status: found }) if found == status));
    }
}

#[test]
fn limits_of_a_request() {
    let sized = |size: usize| {
        let filler = "x".repeat(size - with("A: \r\n").len());
        with(&format!("A: {filler}\r\n"))
    };
    let lines = |count: usize| with(&"A: b\r\n".repeat(count - 5));
    for request in [sized(HEAD_MAX - 1), sized(HEAD_MAX), lines(FIELDS_MAX - 1), lines(FIELDS_MAX)]
    {
        assert!(matches!(read(&request), Ok(Some(_))), "{} bytes", request.len());
    }
    for request in [sized(HEAD_MAX + 1), lines(FIELDS_MAX + 1)] {
        assert_eq!(read(&request), Err(Refusal::TooLarge), "{} bytes", request.len());
    }
}

#[test]
fn our_client_takes_what_our_server_accepts() {
    let asked = Upgrade::builder("/", "localhost")
        .subprotocol("first")
        .subprotocol("second")
        .build()
        .expect("a request");
    for seed in 0..200 {
        let mut rng = Rng::stream(0x101, seed);
        let mut nonce = [0; 16];
        nonce.fill_with(|| rng.next_u64().to_le_bytes()[0]);
        let mut request = Vec::new();
        let opening = asked.encode(nonce, &mut request);
        let (heard, len) = Asked::read(&request).unwrap().expect("a whole request");
        assert_eq!((heard.target, len), ("/", request.len()));
        let choice = [None, Some(0), Some(1)][(seed % 3) as usize];
        let name = choice.map(|place: usize| heard.subprotocols[place]);
        let mut reply = Vec::new();
        heard.accept(name, &mut reply);
        reply.extend(b"\x81\x02hi");
        let mut input = &reply[..];
        match opening.receive(&asked, &mut input) {
            Ok(Opened::Accepted { subprotocol }) => assert_eq!(subprotocol, choice),
            other => panic!("{other:?}"),
        }
        assert_eq!(input, b"\x81\x02hi");
    }
}
