use crate::kit::{World, get};
use onslaught::protocol::http::server::{EXTENSION_MAX, FIELDS_MAX, HEAD_MAX, TRAILERS_MAX};

/// Status of the reply, whether the connection was closed, and how many were refused.
#[track_caller]
fn fed(pieces: &[&[u8]]) -> (String, bool, u64) {
    let mut world = World::new();
    world.connect(0);
    for piece in pieces {
        if !world.is_closed(0) {
            world.feed(0, piece);
        }
    }
    let status = world.text(0).get(9..12).unwrap_or("none").to_owned();
    (status, world.is_closed(0), world.totals().refused)
}

/// Whole and byte by byte, a request must come to the same end.
#[track_caller]
fn outcome(request: &[u8]) -> String {
    let whole = fed(&[request]);
    let bytes: Vec<&[u8]> = request.chunks(1).collect();
    assert_eq!(fed(&bytes), whole, "{}", request.escape_ascii());
    let refused = whole.2 == 1;
    assert_eq!(refused, whole.1, "what is refused is closed, and nothing else");
    whole.0
}

#[test]
fn malformed_requests_are_refused_and_closed() {
    let fields = |fields: &str| format!("POST /echo HTTP/1.1\r\n{fields}\r\n\r\n");
    for (request, status) in [
        ("GARBAGE\r\n\r\n".to_owned(), "400"),
        ("GET /health HTTP/2.0\r\nHost: t\r\n\r\n".to_owned(), "400"),
        ("GET /health HTTP/1.1\r\n\r\n".to_owned(), "400"),
        (fields("Host: a\r\nHost: a"), "400"),
        (fields("Host: t\r\nName : value"), "400"),
        (fields("Host: t\r\nContent-Length: 1x"), "400"),
        (fields("Host: t\r\nContent-Length: +1"), "400"),
        (fields("Host: t\r\nContent-Length:"), "400"),
        (fields("Host: t\r\nContent-Length: 1, 1"), "400"),
        (fields("Host: t\r\nContent-Length: 1\r\nContent-Length: 1"), "400"),
        (fields("Host: t\r\nContent-Length: 99999999999999999999"), "400"),
        (fields("Host: t\r\nContent-Length: 1\r\nTransfer-Encoding: chunked"), "400"),
        ("POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n".to_owned(), "400"),
        (fields("Host: t\r\nTransfer-Encoding: gzip, chunked"), "501"),
        (fields("Host: t\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked"), "501"),
    ] {
        assert_eq!(outcome(request.as_bytes()), status, "{request}");
    }
}

#[test]
fn malformed_chunks_are_refused() {
    let head = "POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (body, status) in [
        ("\r\n", "400"),
        (";x\r\n", "400"),
        ("g\r\n", "400"),
        ("1\n", "400"),
        ("-1\r\n", "400"),
        ("1\rx", "400"),
        ("1\r\naXY", "400"),
        ("1\r\na\rX", "400"),
        ("1;ext\n", "400"),
        ("0\r\nTrailer: 1\n", "400"),
        ("0\r\n\rX", "400"),
        ("0000000000000001\r\n", "400"),
        ("000000000000001\r\na\r\n0\r\n\r\n", "200"),
    ] {
        assert_eq!(outcome([head, body].concat().as_bytes()), status, "{body:?}");
    }
}

#[test]
fn each_limit_exactly_and_one_above() {
    let head_of = |len: usize| {
        let bare = "GET /health HTTP/1.1\r\nHost: t\r\nX: \r\n\r\n".len();
        format!("GET /health HTTP/1.1\r\nHost: t\r\nX: {}\r\n\r\n", "x".repeat(len - bare))
    };
    assert_eq!(outcome(head_of(HEAD_MAX).as_bytes()), "200");
    assert_eq!(outcome(head_of(HEAD_MAX + 1).as_bytes()), "431");
    let fields = |count: usize| {
        format!("GET /health HTTP/1.1\r\nHost: t\r\n{}\r\n", "X: y\r\n".repeat(count - 1))
    };
    assert_eq!(outcome(fields(FIELDS_MAX).as_bytes()), "200");
    assert_eq!(outcome(fields(FIELDS_MAX + 1).as_bytes()), "431");
    let chunked = "POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n";
    let extension = |len: u16| format!("{chunked}0;{}\r\n\r\n", "e".repeat(usize::from(len)));
    assert_eq!(outcome(extension(EXTENSION_MAX).as_bytes()), "200");
    assert_eq!(outcome(extension(EXTENSION_MAX + 1).as_bytes()), "400");
    let trailers = |len: u16| format!("{chunked}0\r\n{}\r\n\r\n", "t".repeat(usize::from(len)));
    assert_eq!(outcome(trailers(TRAILERS_MAX).as_bytes()), "200");
    assert_eq!(outcome(trailers(TRAILERS_MAX + 1).as_bytes()), "431");
}

#[test]
fn an_echo_is_at_most_1_mib() {
    let length =
        |len: usize| format!("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: {len}\r\n\r\n");
    let body = vec![b'x'; (1 << 20) + 1];
    let fits = fed(&[length(1 << 20).as_bytes(), &body[..1 << 20]]);
    assert_eq!(fits, ("200".to_owned(), false, 0));
    assert_eq!(fed(&[length((1 << 20) + 1).as_bytes()]), ("413".to_owned(), true, 1));
    let chunked = "POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n";
    let sized = |len: usize| format!("{chunked}{len:x}\r\n");
    let fits = fed(&[sized(1 << 20).as_bytes(), &body[..1 << 20], b"\r\n0\r\n\r\n"]);
    assert_eq!(fits, ("200".to_owned(), false, 0));
    let above = fed(&[sized((1 << 20) + 1).as_bytes(), &body]);
    assert_eq!(above, ("413".to_owned(), true, 1));
}

#[test]
fn what_follows_a_refusal_is_not_served() {
    let mut world = World::new();
    world.connect(0);
    world.feed(0, [&get("/health"), "GARBAGE\r\n\r\n", &get("/health")].concat());
    let text = world.text(0);
    assert_eq!(text.matches("HTTP/1.1 ").count(), 2, "{text}");
    assert_eq!((world.totals().requests(), world.totals().refused), (1, 1));
}
