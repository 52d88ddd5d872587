//! Requests as bytes, and what is refused.

use http::Method;
use onslaught::protocol::http::{ReplyTo, Request, RequestBuilder, RequestError, Reuse};

const AGENT: &str = concat!("onslaught/", env!("CARGO_PKG_VERSION"));

fn get(target: &str) -> RequestBuilder {
    Request::builder(Method::GET, target, "localhost:8080")
}

#[track_caller]
fn assert_bytes(builder: RequestBuilder, expected: &str) {
    let request = builder.build().expect("a request");
    let bytes = str::from_utf8(request.bytes()).expect("text");
    assert_eq!(bytes, expected.replace('\n', "\r\n").replace("AGENT", AGENT));
}

#[test]
fn what_is_set_unless_the_user_says_otherwise() {
    assert_bytes(
        get("/a?b=c"),
        "GET /a?b=c HTTP/1.1\nHost: localhost:8080\nUser-Agent: AGENT\nAccept: */*\n\n",
    );
    assert_bytes(
        get("/").header("user-agent", "mine").header("ACCEPT", "text/html").header("X", ""),
        "GET / HTTP/1.1\nHost: localhost:8080\nuser-agent: mine\nACCEPT: text/html\nX: \n\n",
    );
    assert_bytes(
        get("/").header("X", "1").header("host", "other").header("X", "2"),
        "GET / HTTP/1.1\nhost: other\nUser-Agent: AGENT\nAccept: */*\nX: 1\nX: 2\n\n",
    );
}

#[test]
fn bodies_are_announced() {
    let head = "Host: localhost\nUser-Agent: AGENT\nAccept: */*";
    let with = |method, body: &str| Request::builder(method, "/", "localhost").body(body);
    let expected = |method, rest| format!("{method} / HTTP/1.1\n{head}\n{rest}");
    assert_bytes(with(Method::POST, "abc"), &expected("POST", "Content-Length: 3\n\nabc"));
    assert_bytes(with(Method::POST, ""), &expected("POST", "Content-Length: 0\n\n"));
    assert_bytes(with(Method::PUT, ""), &expected("PUT", "Content-Length: 0\n\n"));
    assert_bytes(with(Method::PATCH, ""), &expected("PATCH", "Content-Length: 0\n\n"));
    assert_bytes(with(Method::DELETE, ""), &expected("DELETE", "\n"));
    assert_bytes(with(Method::GET, "q"), &expected("GET", "Content-Length: 1\n\nq"));
    let own = with(Method::POST, "abc").header("content-length", "3");
    assert_bytes(own, &expected("POST", "content-length: 3\n\nabc"));
}

#[test]
fn targets() {
    let line = |builder: RequestBuilder| {
        let request = builder.build().expect("a request");
        let text = str::from_utf8(request.bytes()).expect("text").to_owned();
        text.split("\r\n").next().expect("a line").to_owned()
    };
    assert_eq!(line(get("")), "GET / HTTP/1.1");
    assert_eq!(line(get("?q")), "GET /?q HTTP/1.1");
    assert_eq!(line(get("/%20{raw}|")), "GET /%20{raw}| HTTP/1.1");
    let options = Request::builder(Method::OPTIONS, "*", "localhost");
    assert_eq!(line(options), "OPTIONS * HTTP/1.1");
    for target in ["*", "a", "http://localhost/"] {
        assert_eq!(get(target).build().err(), Some(RequestError::TargetStart), "{target}");
    }
    for (target, found, at) in [
        ("/a b", ' ', 2),
        ("/a\r\nX: y", '\r', 2),
        ("/#top", '#', 1),
        ("/\u{e9}", '\u{e9}', 1),
        ("/\0", '\0', 1),
    ] {
        assert_eq!(get(target).build().err(), Some(RequestError::Target { found, at }));
    }
}

#[test]
fn header_injection_is_refused_by_name_and_without_the_value() {
    for (value, found, at) in
        [("secret\r\nX: y", b'\r', 6), ("secret\n", b'\n', 6), ("\0", 0, 0), ("\x7f", 0x7f, 0)]
    {
        let error = get("/").header("Authorization", value).build().expect_err("injection");
        let name = "Authorization".to_owned();
        assert_eq!(error, RequestError::HeaderValue { name, found, at });
        assert!(error.to_string().contains("'Authorization'"), "{error}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
    for name in ["", "A B", "A:", "A\r\nB", "\u{e9}"] {
        let error = get("/").header(name, "v").build().expect_err(name);
        assert_eq!(error, RequestError::HeaderName { name: name.to_owned() });
    }
}

#[test]
fn contradictions_are_refused() {
    let refused = |builder: RequestBuilder| builder.build().expect_err("a contradiction");
    let length = |value: &str| get("/").body("abc").header("Content-Length", value);
    for value in ["2", "4", "+3", "3, 3", "03", "", "x"] {
        let expected = RequestError::ContentLength { found: value.to_owned(), body: 3 };
        assert_eq!(refused(length(value)), expected);
    }
    let twice = length("3").header("content-length", "3");
    assert_eq!(refused(twice), RequestError::Repeated { name: "Content-Length" });
    let hosts = get("/").header("Host", "a").header("host", "a");
    assert_eq!(refused(hosts), RequestError::Repeated { name: "Host" });
    let chunked = get("/").header("Transfer-Encoding", "chunked");
    assert_eq!(refused(chunked), RequestError::TransferEncoding);
    let connect = Request::builder(Method::CONNECT, "/", "localhost");
    assert_eq!(refused(connect), RequestError::Connect);
    let host = Request::builder(Method::GET, "/", "user:pass@localhost");
    assert_eq!(refused(host), RequestError::UserInformation);
    let host = Request::builder(Method::GET, "/", "local host");
    assert_eq!(refused(host), RequestError::Host { host: "local host".to_owned() });
}

#[test]
fn what_the_request_decides_about_its_reply() {
    let request = |builder: RequestBuilder| builder.build().expect("a request");
    assert_eq!(request(get("/")).reply_to(), ReplyTo::Other);
    let head = request(Request::builder(Method::HEAD, "/", "localhost"));
    assert_eq!(head.reply_to(), ReplyTo::Head);
    assert_eq!(request(get("/")).reuse, Reuse::Keep);
    assert_eq!(request(get("/").header("Connection", "foo, Close")).reuse, Reuse::Close);
}

#[test]
fn shown_without_its_secrets() {
    let request = get("/").header("Authorization", "Bearer secret").build().expect("a request");
    assert!(!format!("{request:?}").contains("secret"));
}
