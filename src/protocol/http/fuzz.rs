//! Entries for the fuzzer: what must hold of every stream of bytes, however it is cut.
//!
//! The targets in `tests/fuzz` are one line each; an ordinary test replays their corpus here.

use super::{Exchange, ExchangeError, Progress, Reply, ReplyTo};

/// Any bytes as a whole conversation. The first byte chooses the request, the next two the cut.
pub fn http_head(data: &[u8]) {
    let Some(((choice, cut), stream)) = choices(data) else { return };
    let reply_to = if choice & 1 == 0 { ReplyTo::Other } else { ReplyTo::Head };
    same_however_cut(reply_to, stream, cut);
}

/// Any bytes as a body. The first byte chooses how it is framed, the next two the cut.
pub fn http_body(data: &[u8]) {
    let Some(((choice, cut), body)) = choices(data) else { return };
    let head = match choice {
        0..=127 => "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_owned(),
        128..=250 => format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", choice - 128),
        251..=255 => "HTTP/1.1 200 OK\r\n\r\n".to_owned(),
    };
    let stream = [head.as_bytes(), body].concat();
    same_however_cut(ReplyTo::Other, &stream, head.len() + cut);
}

fn choices(data: &[u8]) -> Option<((u8, usize), &[u8])> {
    let (&[choice, high, low], stream) = data.split_first_chunk()?;
    Some(((choice, usize::from(u16::from_be_bytes([high, low]))), stream))
}

/// Whole, byte by byte, in two pieces, and with bodies discarded: one outcome.
fn same_however_cut(reply_to: ReplyTo, stream: &[u8], cut: usize) {
    let whole = outcome(reply_to, [stream]);
    let (left, right) = stream.split_at_checked(cut).unwrap_or((stream, &[]));
    assert_eq!(outcome(reply_to, [left, right]), whole, "cut at {cut}");
    assert_eq!(outcome(reply_to, stream.chunks(1)), whole, "byte by byte");
    assert_eq!(discarding(reply_to, stream), whole, "discarding");
    if let Ok(reply) = whole {
        let fed = u64::try_from(stream.len()).unwrap_or(u64::MAX);
        assert!(reply.body_bytes <= fed, "{} bytes of body in {fed}", reply.body_bytes);
        assert!(reply.status >= 200, "an interim reply is not final");
    }
}

/// What the stream and its end come to.
fn outcome<'a>(
    reply_to: ReplyTo,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Result<Reply, ExchangeError> {
    let mut exchange = Exchange::default();
    exchange.start(reply_to);
    let mut done = None;
    for piece in pieces {
        if let Progress::Done(reply) = exchange.receive(piece)? {
            done = Some(reply);
        }
    }
    done.map_or_else(|| exchange.end_of_stream(), Ok)
}

/// The same, with everything discarded that may be.
fn discarding(reply_to: ReplyTo, stream: &[u8]) -> Result<Reply, ExchangeError> {
    let mut exchange = Exchange::default();
    exchange.start(reply_to);
    let mut done = None;
    let mut rest = stream;
    while let Some((first, behind)) = rest.split_first() {
        let here = u64::try_from(rest.len()).unwrap_or(u64::MAX);
        let thrown = exchange.discardable().min(here);
        let progress = match usize::try_from(thrown) {
            Ok(len @ 1..) => {
                rest = rest.get(len..).unwrap_or_default();
                exchange.discarded(thrown)?
            }
            Ok(0) | Err(_) => {
                rest = behind;
                exchange.receive(std::slice::from_ref(first))?
            }
        };
        if let Progress::Done(reply) = progress {
            done = Some(reply);
        }
    }
    done.map_or_else(|| exchange.end_of_stream(), Ok)
}
