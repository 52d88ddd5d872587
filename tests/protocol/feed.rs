//! Feeds a conversation to an [`Exchange`] in pieces, and at every cut.

use onslaught::protocol::http::{
    AwaitingPhase, Exchange, ExchangeError, Progress, Reply, ReplyTo, Reuse,
};

/// What a conversation comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Reply(Reply),
    Fault(ExchangeError),
    /// The peer is silent, and this is what is awaited of it.
    Awaiting(AwaitingPhase),
}

/// What the peer does after its last byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    Ends,
    Waits,
}

/// Feeds pieces to a fresh exchange that awaits one reply.
#[track_caller]
pub(crate) fn feed<'a>(
    reply_to: ReplyTo,
    pieces: impl IntoIterator<Item = &'a [u8]>,
    then: Then,
) -> Outcome {
    let mut exchange = Exchange::default();
    exchange.start(reply_to);
    let mut reply = None;
    let mut fault = None;
    for piece in pieces {
        match (exchange.receive(piece), fault) {
            (Ok(Progress::More), None) => {}
            (Ok(Progress::Done(done)), None) => {
                assert_eq!(reply.replace(done), None, "one reply to one request");
            }
            (Err(error), None) => fault = Some(error),
            (after, Some(_)) if piece.is_empty() => assert_eq!(after, Ok(Progress::More)),
            (after, Some(error)) => assert_eq!(after, Err(error), "an error is for ever"),
        }
    }
    match (fault, reply, exchange.phase(), then) {
        (Some(error), _, phase, _) => {
            assert_eq!(phase, None, "nothing is awaited after {error}");
            assert_eq!(exchange.end_of_stream(), Err(error), "an error is for ever");
            Outcome::Fault(error)
        }
        (None, Some(reply), phase, _) => {
            assert_eq!(phase, None, "nothing is awaited after {reply:?}");
            Outcome::Reply(reply)
        }
        (None, None, Some(phase), Then::Waits) => Outcome::Awaiting(phase),
        (None, None, _, Then::Ends) => match exchange.end_of_stream() {
            Ok(reply) => Outcome::Reply(reply),
            Err(error) => Outcome::Fault(error),
        },
        (None, None, None, Then::Waits) => panic!("a reply is awaited"),
    }
}

/// Whole, byte by byte, and in two pieces at every cut: all must come to the same.
#[track_caller]
pub(crate) fn every_split(reply_to: ReplyTo, stream: &[u8], then: Then) -> Outcome {
    let whole = feed(reply_to, [stream], then);
    assert_eq!(feed(reply_to, stream.chunks(1), then), whole, "byte by byte");
    for cut in 0..=stream.len() {
        let (left, right) = stream.split_at(cut);
        assert_eq!(feed(reply_to, [left, right], then), whole, "cut at {cut}");
    }
    whole
}

/// A complete reply, to compare with.
pub(crate) const fn reply(status: u16, body_bytes: u64, reuse: Reuse) -> Outcome {
    Outcome::Reply(Reply { status, body_bytes, reuse })
}
