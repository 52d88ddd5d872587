use crate::kit::{HEALTH, World, get, split};

#[track_caller]
fn reply(request: impl AsRef<[u8]>) -> String {
    let mut world = World::new();
    world.connect(3);
    world.feed(3, request);
    assert!(!world.is_closed(3), "the connection lives on");
    world.text(3)
}

#[test]
fn health_is_one_shared_send() {
    let mut world = World::new();
    world.connect(0);
    for _ in 0..3 {
        world.feed(0, get("/health"));
        assert_eq!(world.text(0), HEALTH);
    }
    assert_eq!(world.sockets[&0].shared, 3);
}

#[test]
fn each_path_byte_for_byte() {
    let head = HEALTH.strip_suffix("{\"status\":\"ok\"}").unwrap();
    assert_eq!(reply("HEAD /health HTTP/1.1\r\nHost: t\r\n\r\n"), head);
    assert_eq!(reply(get("http://host:1/health?x=/bytes/3")), HEALTH);
    assert_eq!(
        reply(get("/bytes/12")),
        "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n\
         Content-Length: 12\r\n\r\n0123456789AB"
    );
    assert_eq!(
        reply(get("/chunked/17")),
        "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n\
         Transfer-Encoding: chunked\r\nTrailer: X-Bytes\r\n\r\n\
         11\r\n0123456789ABCDEFG\r\n0\r\nX-Bytes: 17\r\n\r\n"
    );
    assert_eq!(
        reply(get("/status/418")),
        "HTTP/1.1 418 I'm a teapot\r\nContent-Type: application/json\r\n\
         Content-Length: 14\r\n\r\n{\"status\":418}"
    );
    assert_eq!(reply(get("/status/204")), "HTTP/1.1 204 No Content\r\n\r\n");
    assert_eq!(reply(get("/status/304")), "HTTP/1.1 304 Not Modified\r\n\r\n");
    assert_eq!(split(reply(get("/status/205")).as_bytes()).1, b"");
    assert_eq!(
        reply("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n\r\nhello"),
        "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n\
         Content-Length: 5\r\n\r\nhello"
    );
}

#[test]
fn wrong_paths_methods_and_arguments() {
    for (request, status) in [
        (get("/nowhere"), "404 Not Found"),
        (get("/bytes/67108865"), "400 Bad Request"),
        (get("/delay/61s"), "400 Bad Request"),
        (get("/status/100"), "400 Bad Request"),
        (get("/echo"), "405 Method Not Allowed"),
        ("DELETE /health HTTP/1.1\r\nHost: t\r\n\r\n".to_owned(), "405 Method Not Allowed"),
    ] {
        let reply = reply(&request);
        assert!(reply.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{request} gave {reply}");
    }
    assert!(reply(get("/echo")).contains("\r\nAllow: POST\r\n"));
    let posted = reply("POST /count HTTP/1.1\r\nHost: t\r\n\r\n");
    assert!(posted.contains("\r\nAllow: GET, HEAD\r\n"));
}

#[test]
fn a_body_that_nobody_needs_is_thrown_away() {
    let request = "GET /health HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\n\r\nabc";
    assert_eq!(reply([request, &get("/health")].concat()), [HEALTH, HEALTH].concat());
}

#[test]
fn versions_and_persistence() {
    let mut world = World::new();
    let closing = HEALTH.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
    world.connect(0);
    world.feed(0, "GET /health HTTP/1.1\r\nHost: t\r\nConnection: x, Close\r\n\r\n");
    assert_eq!((world.text(0), world.is_closed(0)), (closing.clone(), true));
    world.connect(1);
    world.feed(1, "GET /health HTTP/1.0\r\n\r\n");
    assert_eq!((world.text(1), world.is_closed(1)), (closing, true));
    world.connect(2);
    world.feed(2, "GET /health HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    let living = HEALTH.replace("\r\n\r\n", "\r\nConnection: keep-alive\r\n\r\n");
    assert_eq!((world.text(2), world.is_closed(2)), (living, false));
    world.connect(4);
    world.feed(4, "GET /chunked/3 HTTP/1.0\r\n\r\n");
    assert!(world.text(4).ends_with("Content-Length: 3\r\nConnection: close\r\n\r\n012"));
}

#[test]
fn continue_is_said_to_those_who_wait() {
    let head =
        "POST /echo HTTP/1.1\r\nHost: t\r\nExpect: 100-Continue\r\nContent-Length: 2\r\n\r\n";
    let mut world = World::new();
    world.connect(0);
    world.feed(0, head);
    assert_eq!(world.text(0), "HTTP/1.1 100 Continue\r\n\r\n");
    world.feed(0, "ab");
    assert!(world.text(0).ends_with("\r\n\r\nab"));
    world.feed(0, [head, "ab"].concat());
    assert!(world.text(0).starts_with("HTTP/1.1 200 "), "the body is here already");
}

#[test]
fn pipelined_replies_are_one_send_in_order() {
    let mut world = World::new();
    world.connect(0);
    let paths = ["/health", "/bytes/3", "/status/500", "/health"];
    world.feed(0, paths.map(get).concat());
    let single = paths.map(|path| reply(get(path))).concat();
    assert_eq!(world.sockets[&0].longest, single.len());
    assert_eq!(world.text(0), single);
}

/// A conversation with every kind of body.
const CONVERSATION: &str = "\r\nGET /health HTTP/1.1\r\nHost: t\r\nX: y\r\n\r\n\
    POST /echo HTTP/1.1\r\nhost: t\r\nContent-Length: 11\r\n\r\nhello world\
    POST /echo HTTP/1.1\r\nHOST: t\r\nTransfer-Encoding: Chunked\r\n\r\n\
    3\r\nabc\r\n0A;ext=\"1\"\r\n0123456789\r\n000\r\nTrailer: 1\r\nOther: 2\r\n\r\n\
    HEAD /bytes/5 HTTP/1.1\r\nHost: t\r\n\r\n\
    POST /status/201 HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\n\r\nxx\
    GET /count HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n";

#[test]
fn every_split_gives_the_same() {
    let converse = |pieces: &[&[u8]]| {
        let mut world = World::new();
        world.connect(0);
        for piece in pieces.iter().filter(|piece| !piece.is_empty()) {
            world.feed(0, piece);
        }
        assert!(world.is_closed(0));
        world.text(0)
    };
    let all = CONVERSATION.as_bytes();
    let whole = converse(&[all]);
    assert!(whole.contains("\r\n\r\nhello world"), "{whole}");
    assert!(whole.contains("\r\n\r\nabc0123456789"), "{whole}");
    assert!(whole.contains("\"requests\":5"), "{whole}");
    for cut in 0..all.len() {
        assert_eq!(converse(&[&all[..cut], &all[cut..]]), whole, "cut at {cut}");
        let after = all.len().min(cut + 7);
        let thrice = [&all[..cut], &all[cut..after], &all[after..]];
        assert_eq!(converse(&thrice), whole, "cut at {cut} and {after}");
    }
    let bytes: Vec<&[u8]> = all.chunks(1).collect();
    assert_eq!(converse(&bytes), whole, "byte by byte");
}
