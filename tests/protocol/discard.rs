//! A body thrown away in the kernel is the same as one received.

use onslaught::protocol::http::{Exchange, Progress, ReplyTo};
use onslaught::stdx::rng::Rng;

use crate::feed::{Outcome, Then, feed};

const REPLIES: [&str; 6] = [
    "HTTP/1.1 200 OK\r\nContent-Length: 26\r\n\r\nabcdefghijklmnopqrstuvwxyz",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
     1\r\na\r\n10;ext\r\n0123456789abcdef\r\n0\r\nA: b\r\n\r\n",
    "HTTP/1.1 200 OK\r\n\r\nuntil the end of the stream",
    "HTTP/1.1 200 OK\r\nContent-Length: 26\r\n\r\ncut",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\ncut",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n01234!!",
];

#[test]
fn the_same_outcome_whatever_part_is_discarded() {
    for stream in REPLIES.map(str::as_bytes) {
        let expected = feed(ReplyTo::Other, [stream], Then::Ends);
        for seed in 0..200 {
            assert_eq!(discard_some(stream, seed), expected, "seed {seed}");
        }
    }
}

/// Receives and discards by turns, pieces of random size.
fn discard_some(stream: &[u8], seed: u64) -> Outcome {
    let mut rng = Rng::stream(7, seed);
    let mut exchange = Exchange::default();
    exchange.start(ReplyTo::Other);
    let mut rest = stream;
    while !rest.is_empty() {
        let discardable = exchange.discardable().min(rest.len() as u64);
        let progress = if discardable > 0 && rng.below(2) == 0 {
            let len = 1 + rng.below(discardable);
            rest = &rest[usize::try_from(len).unwrap()..];
            exchange.discarded(len)
        } else {
            let len = 1 + usize::try_from(rng.below(rest.len() as u64)).unwrap();
            let (piece, behind) = rest.split_at(len);
            rest = behind;
            exchange.receive(piece)
        };
        match progress {
            Ok(Progress::More) => {}
            Ok(Progress::Done(reply)) => return Outcome::Reply(reply),
            Err(error) => return Outcome::Fault(error),
        }
    }
    exchange.end_of_stream().map_or_else(Outcome::Fault, Outcome::Reply)
}

#[test]
fn only_what_is_body_for_certain_may_be_discarded() {
    let mut exchange = Exchange::default();
    assert_eq!(exchange.discardable(), 0, "idle");
    let mut at = |bytes: &str| {
        if exchange.phase().is_none() {
            exchange.start(ReplyTo::Other);
        }
        let _outcome = exchange.receive(bytes.as_bytes());
        exchange.discardable()
    };
    assert_eq!(at("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"), 0);
    assert_eq!(at("\r\n"), 0, "a size comes first");
    assert_eq!(at("ffffffffff\r"), 0);
    assert_eq!(at("\n"), 0xff_ffff_ffff);
    assert_eq!(at("12345"), 0xff_ffff_fffa);
    let mut exchange = Exchange::default();
    exchange.start(ReplyTo::Other);
    assert_eq!(exchange.receive(b"HTTP/1.1 200 OK\r\n\r\n"), Ok(Progress::More));
    assert_eq!(exchange.discardable(), u64::MAX, "until the end of the stream");
    assert_eq!(exchange.discarded(0), Ok(Progress::More));
    assert_eq!(exchange.discarded(1 << 40), Ok(Progress::More));
    assert_eq!(exchange.end_of_stream().map(|reply| reply.body_bytes), Ok(1 << 40));
}
