//! A request by hand, for a server's own counters.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// The body of `GET path` from a server on this host.
#[track_caller]
pub(crate) fn get(port: u16, path: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("connect to a test server");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("set a timeout");
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("send a request");
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply).expect("read a reply");
    let reply = String::from_utf8(reply).expect("a reply in UTF-8");
    assert!(reply.starts_with("HTTP/1.1 200 "), "{path} answered: {reply}");
    let (_, body) = reply.split_once("\r\n\r\n").expect("a head with an end");
    body.to_owned()
}
