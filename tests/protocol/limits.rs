//! Each limit: one below and exactly at it all is well, one above it is the limit's own error.

use onslaught::protocol::Failure;
use onslaught::protocol::http::ExchangeError::{self, *};
use onslaught::protocol::http::ReplyTo::Other;
use onslaught::protocol::http::Reuse::Keep;
use onslaught::protocol::http::limits::{
    CHUNK_LINE_BYTES_MAX, HEAD_BYTES_MAX, HEADERS_MAX, INTERIM_REPLIES_MAX, TRAILER_BYTES_MAX,
};

use crate::feed::Then::{Ends, Waits};
use crate::feed::{Outcome, feed, reply};

/// Whole, byte by byte, in pieces of a usual size, and cut near the limit.
#[track_caller]
fn outcome(stream: &[u8], near: usize) -> Outcome {
    let whole = feed(Other, [stream], Ends);
    for size in [1, 7, 1448] {
        assert_eq!(feed(Other, stream.chunks(size), Ends), whole, "pieces of {size}");
    }
    for cut in near.saturating_sub(3)..=(near + 3).min(stream.len()) {
        let (left, right) = stream.split_at(cut);
        assert_eq!(feed(Other, [left, right], Ends), whole, "cut at {cut}");
    }
    whole
}

#[track_caller]
fn assert_limit(limit: usize, error: ExchangeError, stream_of: impl Fn(usize) -> (Vec<u8>, usize)) {
    for size in [limit - 1, limit] {
        let (stream, near) = stream_of(size);
        assert_eq!(outcome(&stream, near), reply(200, 0, Keep), "{size} of {limit}");
    }
    let (stream, near) = stream_of(limit + 1);
    assert_eq!(outcome(&stream, near), Outcome::Fault(error), "one above {limit}");
    assert_eq!(error.failure(), Failure::Limit);
}

const EMPTY: &str = "Content-Length: 0\r\n\r\n";
const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

#[test]
fn head_bytes() {
    assert_limit(HEAD_BYTES_MAX, HeadTooLarge, |size| {
        let begin = "HTTP/1.1 200 OK\r\nX: ";
        let filler = "x".repeat(size - begin.len() - "\r\n".len() - EMPTY.len());
        let stream = format!("{begin}{filler}\r\n{EMPTY}");
        assert_eq!(stream.len(), size);
        (stream.into_bytes(), HEAD_BYTES_MAX)
    });
}

#[test]
fn the_limit_of_a_head_is_not_the_limit_of_what_comes_with_it() {
    let body = "x".repeat(3 * HEAD_BYTES_MAX);
    let stream = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    assert_eq!(feed(Other, [stream.as_bytes()], Waits), reply(200, body.len() as u64, Keep));
}

#[test]
fn an_endless_head_is_refused_at_its_limit() {
    let stream = format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(HEAD_BYTES_MAX));
    let at_limit = &stream.as_bytes()[..HEAD_BYTES_MAX];
    assert_eq!(feed(Other, at_limit.chunks(1000), Waits), Outcome::Fault(HeadTooLarge));
    let below = &stream.as_bytes()[..HEAD_BYTES_MAX - 1];
    assert!(matches!(feed(Other, below.chunks(1000), Waits), Outcome::Awaiting(_)));
}

#[test]
fn header_lines() {
    assert_limit(HEADERS_MAX, TooManyHeaders, |count| {
        let lines = "A: b\r\n".repeat(count - 1);
        let stream = format!("HTTP/1.1 200 OK\r\n{lines}{EMPTY}");
        let near = stream.len();
        (stream.into_bytes(), near)
    });
}

#[test]
fn interim_replies() {
    assert_limit(usize::from(INTERIM_REPLIES_MAX), TooManyInterim, |count| {
        let interim = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n".repeat(count);
        let near = interim.len();
        (format!("{interim}HTTP/1.1 200 OK\r\n{EMPTY}").into_bytes(), near)
    });
}

#[test]
fn chunk_lines() {
    let limit = usize::from(CHUNK_LINE_BYTES_MAX);
    let stream_of = |line: String| {
        let near = CHUNKED.len() + line.len();
        (format!("{CHUNKED}{line}\r\n\r\n").into_bytes(), near)
    };
    assert_limit(limit, ChunkLineTooLong, |size| stream_of(format!("{:0>size$}", 0)));
    assert_limit(limit, ChunkLineTooLong, |size| stream_of(format!("{:<size$}", 0)));
    assert_limit(limit, ChunkLineTooLong, |size| stream_of(format!("{:x<size$}", "0;")));
}

#[test]
fn chunk_lines_are_bounded_one_by_one() {
    let line = format!("{:x<1$}", "1;", usize::from(CHUNK_LINE_BYTES_MAX));
    let chunks = format!("{line}\r\n.\r\n").repeat(20);
    let stream = format!("{CHUNKED}{chunks}0\r\n\r\n");
    assert_eq!(feed(Other, [stream.as_bytes()], Waits), reply(200, 20, Keep));
}

#[test]
fn trailers() {
    let limit = usize::from(TRAILER_BYTES_MAX);
    assert_limit(limit, TrailersTooLong, |size| {
        let trailers = format!("A: b\r\nX: {}\r\n", "x".repeat(size - "A: b\r\nX: \r\n".len()));
        assert_eq!(trailers.len(), size);
        let near = CHUNKED.len() + 3 + size;
        (format!("{CHUNKED}0\r\n{trailers}\r\n").into_bytes(), near)
    });
}

#[test]
fn the_largest_numbers_are_no_limit() {
    let max = u64::MAX;
    let length = format!("HTTP/1.1 200 OK\r\nContent-Length: {max}\r\n\r\nx");
    let missing = max - 1;
    assert_eq!(feed(Other, [length.as_bytes()], Ends), Outcome::Fault(BodyCut { missing }));
    let chunk = format!("{CHUNKED}{max:x}\r\nx");
    assert_eq!(feed(Other, [chunk.as_bytes()], Ends), Outcome::Fault(ChunksCut));
}
