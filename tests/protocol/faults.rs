//! Every fault of a reply, at every cut: the very error, and the class it is counted in.

use onslaught::protocol::Failure;
use onslaught::protocol::http::AwaitingPhase;
use onslaught::protocol::http::ExchangeError::{self, *};
use onslaught::protocol::http::ReplyTo::{Head, Other};
use onslaught::protocol::http::Reuse::{Close, Keep};

use crate::feed::Then::{Ends, Waits};
use crate::feed::{Outcome, every_split, reply};

#[track_caller]
fn assert_faults(class: Failure, faults: &[(&str, ExchangeError)]) {
    for (stream, error) in faults {
        for then in [Waits, Ends] {
            let outcome = every_split(Other, stream.as_bytes(), then);
            assert_eq!(outcome, Outcome::Fault(*error), "{stream:?}");
        }
        assert_eq!(error.failure(), class, "{error}");
    }
}

#[test]
fn malformed_heads_are_protocol() {
    assert_faults(
        Failure::Protocol,
        &[
            ("<html>", NotHttp { found: b'<' }),
            ("HTTQ", NotHttp { found: b'Q' }),
            ("http/1.1 200 OK\r\n\r\n", NotHttp { found: b'h' }),
            ("\r\nHTTP/1.1 200 OK\r\n\r\n", NotHttp { found: b'\r' }),
            ("\0\0\x12\x04\0", NotHttp { found: 0 }),
            ("HTTP/2.0 200 OK\r\n\r\n", Version),
            ("HTTP/1.10 200 OK\r\n\r\n", Version),
            ("HTTP/1.1\r\n\r\n", Version),
            ("HTTP/1.1 20 OK\r\n\r\n", StatusLine),
            ("HTTP/1.1 2000 OK\r\n\r\n", StatusLine),
            ("HTTP/1.1  200 OK\r\n\r\n", StatusLine),
            ("HTTP/1.1 -20 OK\r\n\r\n", StatusLine),
            ("HTTP/1.1 200 O\0K\r\n\r\n", StatusLine),
            ("HTTP/1.1 200 O\rK\r\n\r\n", StatusLine),
            ("HTTP/1.1 099 Low\r\nContent-Length: 0\r\n\r\n", StatusCode { found: 99 }),
            ("HTTP/1.1 200 OK\r\n: v\r\n\r\n", HeaderName),
            ("HTTP/1.1 200 OK\r\nno colon\r\n\r\n", HeaderName),
            ("HTTP/1.1 200 OK\r\nName : v\r\n\r\n", HeaderName),
            ("HTTP/1.1 200 OK\r\n folded: first\r\n\r\n", HeaderName),
            ("HTTP/1.1 200 OK\r\nN\0: v\r\n\r\n", HeaderName),
            ("HTTP/1.1 200 OK\r\nN\u{e9}: v\r\n\r\n", HeaderName),
            ("HTTP/1.1 200 OK\r\nN: a\0b\r\n\r\n", HeaderValue),
            ("HTTP/1.1 200 OK\r\nN: a\rb\r\n\r\n", HeaderValue),
            ("HTTP/1.1 200 OK\r\nN: a\x7f\r\n\r\n", HeaderValue),
            ("HTTP/1.1 200 OK\r\nN: a\r\n\rN: a\r\n\r\n", BareCr),
        ],
    );
}

#[test]
fn contradicting_framing_is_protocol() {
    assert_faults(
        Failure::Protocol,
        &[
            ("HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello", ContentLength),
            ("HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello", ContentLength),
            ("HTTP/1.1 200 OK\r\nContent-Length: 5 5\r\n\r\nhello", ContentLength),
            ("HTTP/1.1 200 OK\r\nContent-Length: 0x5\r\n\r\nhello", ContentLength),
            ("HTTP/1.1 200 OK\r\nContent-Length: \r\n\r\nhello", ContentLength),
            ("HTTP/1.1 200 OK\r\nContent-Length: 5, \r\n\r\nhello", ContentLength),
            ("HTTP/1.1 200 OK\r\nContent-Length: 5;\r\n\r\nhello", ContentLength),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551616\r\n\r\n",
                ContentLengthOverflow,
            ),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\nhello",
                ContentLengthsDiffer { first: 5, other: 6 },
            ),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nA: b\r\nContent-Length: 4\r\n\r\nhello",
                ContentLengthsDiffer { first: 5, other: 4 },
            ),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
                LengthWithTransferEncoding,
            ),
            (
                "HTTP/1.1 204 No\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
                LengthWithTransferEncoding,
            ),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", TransferEncoding),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip\r\n\r\n", TransferEncoding),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\n", TransferEncoding),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n", TransferEncoding),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: \"chunked\"\r\n\r\n", TransferEncoding),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked;q=1\r\n\r\n", TransferEncoding),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding:\r\n\r\n", TransferEncoding),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\
                 transfer-encoding: chunked\r\n\r\n",
                TransferEncoding,
            ),
            ("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", TransferEncodingInHttp10),
            ("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n", UnaskedSwitch),
        ],
    );
}

#[test]
fn malformed_chunks_are_protocol() {
    let chunked =
        |body: &str| format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{body}");
    for (body, error) in [
        ("\r\n", ChunkSize { found: b'\r' }),
        (";ext\r\n", ChunkSize { found: b';' }),
        ("+5\r\n", ChunkSize { found: b'+' }),
        (" 5\r\n", ChunkSize { found: b' ' }),
        ("5g\r\n", ChunkSize { found: b'g' }),
        ("5 x\r\n", ChunkSize { found: b'x' }),
        ("5_0\r\n", ChunkSize { found: b'_' }),
        ("10000000000000000\r\n", ChunkSizeOverflow),
        ("fffffffffffffffff\r\n", ChunkSizeOverflow),
        ("5\nhello\r\n", ChunkLineEnd { found: b'\n' }),
        ("5\rhello\r\n", ChunkLineEnd { found: b'h' }),
        ("5;a\nhello\r\n", ChunkLineEnd { found: b'\n' }),
        ("5;a\0\r\nhello\r\n", ChunkExtension { found: 0 }),
        ("5\r\nhello5\r\n", ChunkEnd { found: b'5' }),
        ("5\r\nhello\n", ChunkEnd { found: b'\n' }),
        ("5\r\nhello\r0", ChunkEnd { found: b'0' }),
        ("5\r\nhello world", ChunkEnd { found: b' ' }),
        ("0\r\nno colon\r\n\r\n", Trailer { found: b' ' }),
        ("0\r\nName\r\n\r\n", Trailer { found: b'\r' }),
        ("0\r\nA: \0\r\n\r\n", Trailer { found: 0 }),
        ("0\r\nA: b\n\r\n", Trailer { found: b'\n' }),
        ("0\r\n\rx", Trailer { found: b'x' }),
        ("0\r\n\n", Trailer { found: b'\n' }),
    ] {
        assert_faults(Failure::Protocol, &[(&chunked(body), error)]);
    }
}

#[test]
fn early_ends_are_truncated() {
    for (stream, error) in [
        ("", NoReply),
        ("H", HeadCut { received: 1 }),
        ("HTTP/1.1 200", HeadCut { received: 12 }),
        ("HTTP/1.1 200 OK\r\nA: b\r\n", HeadCut { received: 23 }),
        ("HTTP/1.1 200 OK\r\nA: b\r\n\r", HeadCut { received: 24 }),
        ("HTTP/1.1 100 Continue\r\n\r\n", HeadCut { received: 0 }),
        ("HTTP/1.1 100 Continue\r\n\r\nHTTP", HeadCut { received: 4 }),
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", BodyCut { missing: 5 }),
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", BodyCut { missing: 1 }),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", ChunksCut),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhell", ChunksCut),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", ChunksCut),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", ChunksCut),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: b\r\n\r", ChunksCut),
    ] {
        assert_eq!(
            every_split(Other, stream.as_bytes(), Ends),
            Outcome::Fault(error),
            "{stream:?}"
        );
        assert_eq!(error.failure(), Failure::Truncated, "{error}");
        let waiting = every_split(Other, stream.as_bytes(), Waits);
        assert!(matches!(waiting, Outcome::Awaiting(_)), "{stream:?}: {waiting:?}");
    }
}

#[test]
fn a_malformed_head_that_is_cut_is_malformed() {
    let stream = b"HTTP/1.1 200 OK\r\nno colon\r\n";
    assert_eq!(every_split(Other, stream, Ends), Outcome::Fault(HeaderName));
    assert_eq!(every_split(Other, stream, Waits), Outcome::Awaiting(AwaitingPhase::Head));
}

#[test]
fn bytes_after_a_reply_are_desync() {
    let surplus = |reply_to, stream: &str| {
        assert_eq!(every_split(reply_to, stream.as_bytes(), Ends), Outcome::Fault(Surplus));
    };
    surplus(Other, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello!");
    surplus(Other, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n");
    surplus(Other, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n\r\n");
    surplus(Other, "HTTP/1.1 204 No Content\r\n\r\nbody");
    surplus(Other, "HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\nbody");
    surplus(Head, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody");
    assert_eq!(Surplus.failure(), Failure::Desync);
}

#[test]
fn replies_without_a_body_are_one_result() {
    let cases = [
        (Head, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", reply(200, 0, Keep)),
        (Head, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", reply(200, 0, Keep)),
        (Head, "HTTP/1.1 200 OK\r\n\r\n", reply(200, 0, Keep)),
        (Other, "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", reply(204, 0, Keep)),
        (Other, "HTTP/1.1 304 Same\r\nContent-Length: 1000\r\n\r\n", reply(304, 0, Keep)),
        (Other, "HTTP/1.1 304 Same\r\nConnection: close\r\n\r\n", reply(304, 0, Close)),
        (
            Other,
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nContent-Length: 9\r\n\r\n\
             HTTP/1.1 103 Early\r\nConnection: close\r\n\r\nHTTP/1.1 204 No\r\n\r\n",
            reply(204, 0, Keep),
        ),
        (Head, "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 404 No\r\n\r\n", reply(404, 0, Keep)),
    ];
    for (reply_to, stream, expected) in cases {
        for then in [Waits, Ends] {
            assert_eq!(every_split(reply_to, stream.as_bytes(), then), expected, "{stream:?}");
        }
    }
}

#[test]
fn a_close_delimited_body_ends_with_the_stream() {
    for body in ["", "x", "HTTP/1.1 200 OK\r\n\r\n", "0\r\n\r\n"] {
        let stream = format!("HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n\r\n{body}");
        let expected = reply(200, body.len() as u64, Close);
        assert_eq!(every_split(Other, stream.as_bytes(), Ends), expected, "{body:?}");
        let waiting = every_split(Other, stream.as_bytes(), Waits);
        assert_eq!(waiting, Outcome::Awaiting(AwaitingPhase::Body));
    }
}

#[test]
fn lenient_where_the_rfc_tells_user_agents_to_be() {
    let cases = [
        ("lone LFs", "HTTP/1.1 200 OK\nContent-Length: 2\n\nok", 2),
        ("mixed line ends", "HTTP/1.1 200 OK\r\nContent-Length: 2\n\r\nok", 2),
        ("a folded value", "HTTP/1.1 200 OK\r\nContent-Length:\r\n\t2\r\nA: b\r\n c\r\n\r\nok", 2),
        ("a folded empty line", "HTTP/1.1 200 OK\r\nA: b\r\n \r\nContent-Length: 2\r\n\r\nok", 2),
        ("no reason", "HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nok", 2),
        ("no blank either", "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok", 2),
        ("a reason in Latin 1", "HTTP/1.1 200 \u{e9}\r\nContent-Length: 2\r\n\r\nok", 2),
        ("the same length twice", "HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nok", 2),
        (
            "padded sizes and folded trailers",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
             2  \r\nok\r\n000\r\nA:\r\n b\r\n\r\n",
            2,
        ),
    ];
    for (what, stream, body_bytes) in cases {
        let expected = reply(200, body_bytes, Keep);
        assert_eq!(every_split(Other, stream.as_bytes(), Waits), expected, "{what}");
    }
}
