//! Captured conversations come to what they say, at every cut.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use onslaught::protocol::http::ReplyTo::{self, Head, Other};
use onslaught::protocol::http::Reuse::{self, Close, Keep};

use crate::feed::{Then, every_split, reply};

/// File, request, status, bytes of body, reuse.
const CONVERSATIONS: [(&str, ReplyTo, u16, u64, Reuse); 22] = [
    ("nginx-204", Other, 204, 0, Keep),
    ("nginx-301", Other, 301, 162, Keep),
    ("nginx-304", Other, 304, 0, Keep),
    ("nginx-400-close", Other, 400, 150, Close),
    ("nginx-gzip-chunked", Other, 200, 1536, Keep),
    ("nginx-head", Head, 200, 0, Keep),
    ("nginx-http10-close", Other, 200, 17, Close),
    ("nginx-http10-keep-alive", Other, 200, 17, Keep),
    ("nginx-length", Other, 200, 17, Keep),
    ("nginx-page-4k", Other, 200, 4741, Keep),
    ("nginx-range-206", Other, 206, 4, Keep),
    ("node-100-continue", Other, 200, 6, Keep),
    ("node-103", Other, 200, 2, Keep),
    ("node-60-headers", Other, 200, 2, Keep),
    ("node-chunks", Other, 200, 14, Keep),
    ("node-close", Other, 200, 2, Close),
    ("node-head-chunked", Head, 200, 0, Keep),
    ("node-trailers", Other, 200, 13, Keep),
    ("node-until-close", Other, 200, 13, Close),
    ("python-404", Other, 404, 335, Close),
    ("python-http10", Other, 200, 17, Close),
    ("python-no-length", Other, 200, 68, Close),
];

#[test]
fn captured_conversations_at_every_split() {
    for (name, reply_to, status, body_bytes, reuse) in CONVERSATIONS {
        let stream = fs::read(folder().join(format!("{name}.http"))).expect(name);
        let outcome = every_split(reply_to, &stream, Then::Ends);
        assert_eq!(outcome, reply(status, body_bytes, reuse), "{name}");
    }
}

#[test]
fn every_captured_conversation_is_used() {
    let files = fs::read_dir(folder()).expect("tests/wire").map(|entry| entry.expect("an entry"));
    let names = files.map(|entry| entry.file_name().into_string().expect("a name"));
    let found: BTreeSet<_> =
        names.filter_map(|name| name.strip_suffix(".http").map(str::to_owned)).collect();
    let used = CONVERSATIONS.iter().map(|conversation| conversation.0.to_owned()).collect();
    assert_eq!(found, used);
}

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/wire"))
}
