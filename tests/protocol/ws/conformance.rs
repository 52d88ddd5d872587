//! What the Autobahn test suite asks of a WebSocket (categories 1 to 7, and 9 as far as it is not
//! about time), as tables of frames, for either side and at every cut.

use onslaught::protocol::ws::frame::OpCode;
use onslaught::protocol::ws::{Phase, Role, Settings, WsError};

use super::feed::{Came, End, Frame, every_split, feed, ping, pong, stream, text};
use crate::feed::Then::Waits;

/// What it is about, the peer's frames, and what comes of them.
type Case<'a> = (&'a str, &'a [Frame<'a>], &'a [Came], End);

const OPEN: End = End::Phase(Phase::Open);
const CLOSED_BY_PEER: End = End::Phase(Phase::Answering);

#[track_caller]
fn assert_cases(cases: &[Case<'_>]) {
    for role in [Role::Client, Role::Server] {
        for (what, frames, came, end) in cases {
            let outcome = every_split(Settings::new(role), &stream(role, frames), Waits);
            assert_eq!(outcome.came, *came, "{what}, {role:?}");
            assert_eq!(outcome.end, *end, "{what}, {role:?}");
        }
    }
}

fn binary(bytes: &[u8]) -> Came {
    Came::Binary(bytes.to_vec())
}

fn close(code: u16, reason: &str) -> Came {
    Came::Close(Some(code), reason.to_owned())
}

#[test]
fn category_1_framing() {
    for len in [0, 1, 125, 126, 127, 128, 256, 1000] {
        let bytes = vec![b'*'; len];
        let as_text = text(std::str::from_utf8(&bytes).unwrap());
        assert_cases(&[
            ("text of every length format", &[(0x81, &bytes)], &[as_text], OPEN),
            ("binary of every length format", &[(0x82, &bytes)], &[binary(&bytes)], OPEN),
        ]);
    }
}

#[test]
fn category_1_framing_at_the_third_length_format() {
    for len in [65_535, 65_536, 70_000] {
        let bytes = vec![0xfe; len];
        for role in [Role::Client, Role::Server] {
            let stream = stream(role, &[(0x82, &bytes)]);
            for size in [1, 997, stream.len()] {
                let outcome = feed(Settings::new(role), stream.chunks(size), Waits);
                assert!(outcome.came == [binary(&bytes)], "{len} bytes in pieces of {size}");
            }
        }
    }
}

#[test]
fn category_2_pings_and_pongs() {
    let full = [0xfe; 125];
    let pings: Vec<Frame<'_>> = (0..10).map(|_| (0x89, &b"payload"[..])).collect();
    let ten = vec![ping(b"payload"); 10];
    assert_cases(&[
        ("a ping without payload", &[(0x89, b"")], &[ping(b"")], OPEN),
        ("a ping with text", &[(0x89, b"Hello")], &[ping(b"Hello")], OPEN),
        (
            "a ping with bytes that are no text",
            &[(0x89, b"\0\xff\xfe\xfd")],
            &[ping(b"\0\xff\xfe\xfd")],
            OPEN,
        ),
        ("a ping of the longest payload", &[(0x89, &full)], &[ping(&full)], OPEN),
        (
            "a ping of a byte too many",
            &[(0x89, &[0xfe; 126])],
            &[],
            End::Fault(WsError::ControlTooLong { op_code: OpCode::Ping }),
        ),
        ("an unasked pong", &[(0x8a, b"")], &[pong(b"")], OPEN),
        ("an unasked pong with payload", &[(0x8a, b"unasked")], &[pong(b"unasked")], OPEN),
        (
            "an unasked pong, then a ping",
            &[(0x8a, b"unasked"), (0x89, b"ping")],
            &[pong(b"unasked"), ping(b"ping")],
            OPEN,
        ),
        ("ten pings at once", &pings, &ten, OPEN),
    ]);
}

#[test]
fn category_3_reserved_bits() {
    for bits in 1..8_u8 {
        let bits = bits << 4;
        let fault = |found| End::Fault(WsError::ReservedBits { found });
        assert_cases(&[
            ("on a text", &[(0x81 | bits, b"small")], &[], fault(0x81 | bits)),
            ("on a binary", &[(0x82 | bits, b"\0\xff")], &[], fault(0x82 | bits)),
            ("on a ping", &[(0x89 | bits, b"ping")], &[], fault(0x89 | bits)),
            ("on a close", &[(0x88 | bits, b"")], &[], fault(0x88 | bits)),
            (
                "after a good message, before a ping",
                &[(0x81, b"good"), (0x81 | bits, b"bad"), (0x89, b"")],
                &[text("good")],
                fault(0x81 | bits),
            ),
        ]);
    }
}

#[test]
fn category_4_reserved_codes() {
    for found in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] {
        let end = End::Fault(WsError::OpCode { found });
        assert_cases(&[
            ("empty", &[(0x80 | found, b"")], &[], end),
            ("with a payload", &[(0x80 | found, b"reserved")], &[], end),
            (
                "after a good message",
                &[(0x81, b"good"), (0x80 | found, b""), (0x89, b"")],
                &[text("good")],
                end,
            ),
        ]);
    }
}

#[test]
fn category_5_fragmentation() {
    let nothing = End::Fault(WsError::NothingToContinue);
    let within = End::Fault(WsError::MessageWithinMessage { op_code: OpCode::Text });
    let in_pieces = |op_code| End::Fault(WsError::ControlFragmented { op_code });
    assert_cases(&[
        ("a ping in fragments", &[(0x09, b"a"), (0x80, b"b")], &[], in_pieces(OpCode::Ping)),
        ("a pong in fragments", &[(0x0a, b"a"), (0x80, b"b")], &[], in_pieces(OpCode::Pong)),
        ("a text in two", &[(0x01, b"one"), (0x80, b"two")], &[text("onetwo")], OPEN),
        ("a binary in two", &[(0x02, b"\xff"), (0x80, b"\0")], &[binary(b"\xff\0")], OPEN),
        (
            "a ping among fragments comes before their message",
            &[(0x01, b"one"), (0x89, b"ping"), (0x80, b"two")],
            &[ping(b"ping"), text("onetwo")],
            OPEN,
        ),
        (
            "empty fragments around one byte",
            &[(0x01, b""), (0x00, b""), (0x00, b"x"), (0x80, b"")],
            &[text("x")],
            OPEN,
        ),
        (
            "nothing but empty fragments",
            &[(0x01, b""), (0x00, b""), (0x80, b"")],
            &[text("")],
            OPEN,
        ),
        ("a last continuation alone", &[(0x80, b"x"), (0x81, b"y")], &[], nothing),
        ("a middle continuation alone", &[(0x00, b"x"), (0x81, b"y")], &[], nothing),
        (
            "a continuation after the last one",
            &[(0x01, b"a"), (0x80, b"b"), (0x80, b"c")],
            &[text("ab")],
            nothing,
        ),
        ("a text among fragments", &[(0x01, b"a"), (0x81, b"b"), (0x80, b"c")], &[], within),
        ("a first fragment twice", &[(0x01, b"a"), (0x01, b"b"), (0x80, b"c")], &[], within),
        (
            "five fragments with two pings, then more",
            &[
                (0x01, b"1"),
                (0x00, b"2"),
                (0x89, b"first"),
                (0x00, b"3"),
                (0x00, b"4"),
                (0x89, b"second"),
                (0x80, b"5"),
                (0x81, b"next"),
            ],
            &[ping(b"first"), ping(b"second"), text("12345"), text("next")],
            OPEN,
        ),
    ]);
}

#[test]
fn category_6_valid_text() {
    // From the borders of the ranges, non-characters and all.
    for valid in [
        "Hello-\u{b5}@\u{df}\u{f6}\u{e4}\u{fc}\u{e0}\u{e1}-UTF-8!!",
        "\u{3ba}\u{1f79}\u{3c3}\u{3bc}\u{3b5}",
        "\0",
        "\u{7f}\u{80}\u{7ff}\u{800}\u{fffd}\u{ffff}",
        "\u{d7ff}\u{e000}",
        "\u{10000}\u{10ffff}",
        "\u{fffe}\u{1fffe}\u{10fffe}",
    ] {
        let bytes = valid.as_bytes();
        let singles: Vec<Frame<'_>> = (0..bytes.len())
            .map(|at| {
                let first = if at == 0 { 0x01 } else { 0x00 };
                let fin = if at + 1 == bytes.len() { 0x80 } else { 0 };
                (first | fin, &bytes[at..=at])
            })
            .collect();
        let (left, right) = bytes.split_at(bytes.len() / 2);
        let message = [text(valid)];
        assert_cases(&[
            ("in one frame", &[(0x81, bytes)], &message, OPEN),
            ("in two", &[(0x01, left), (0x80, right)], &message, OPEN),
            ("in a frame a byte", &singles, &message, OPEN),
        ]);
    }
}

#[test]
fn category_6_invalid_text() {
    let wrong: [&[u8]; 22] = [
        b"\x80",
        b"\xbf",
        b"\x80\xbf\x80",
        b"\xc0\x80",
        b"\xc1\xbf",
        b"\xc2",
        b"\xc2 ",
        b"\xe0\x80\xaf",
        b"\xe0\x9f\xbf",
        b"\xe1\x80",
        b"\xed\xa0\x80",
        b"\xed\xaf\xbf",
        b"\xed\xb0\x80",
        b"\xed\xa0\x80\xed\xb0\x80",
        b"\xf0\x80\x80\xaf",
        b"\xf0\x8f\xbf\xbf",
        b"\xf0\x90\x80",
        b"\xf4\x90\x80\x80",
        b"\xf5\x80\x80\x80",
        b"\xf8\x88\x80\x80\x80",
        b"\xfe",
        b"\xff",
    ];
    for wrong in wrong {
        let good = [b"good ".as_slice(), wrong].concat();
        let (left, right) = wrong.split_at(wrong.len() / 2);
        let end = End::Fault(WsError::Utf8);
        assert_cases(&[
            ("in one frame", &[(0x81, wrong)], &[], end),
            ("behind good text", &[(0x81, &good)], &[], end),
            ("in two frames", &[(0x01, left), (0x80, right)], &[], end),
            ("in a binary it is no text", &[(0x82, wrong)], &[binary(wrong)], OPEN),
        ]);
    }
}

#[test]
fn category_7_closing() {
    let longest = "x".repeat(123);
    let full = [b"\x03\xe8".as_slice(), longest.as_bytes()].concat();
    let too_long = [&full[..], b"x"].concat();
    let nothing = Came::Close(None, String::new());
    assert_cases(&[
        (
            "after a message",
            &[(0x81, b"a"), (0x88, b"\x03\xe8")],
            &[text("a"), close(1000, "")],
            CLOSED_BY_PEER,
        ),
        ("twice", &[(0x88, b"\x03\xe8"), (0x88, b"\x03\xe9")], &[close(1000, "")], CLOSED_BY_PEER),
        ("then a ping", &[(0x88, b"\x03\xe8"), (0x89, b"")], &[close(1000, "")], CLOSED_BY_PEER),
        (
            "then a message",
            &[(0x88, b"\x03\xe8"), (0x81, b"a")],
            &[close(1000, "")],
            CLOSED_BY_PEER,
        ),
        (
            "among fragments",
            &[(0x01, b"a"), (0x88, b"\x03\xe8"), (0x80, b"b")],
            &[close(1000, "")],
            CLOSED_BY_PEER,
        ),
        ("without a payload", &[(0x88, b"")], &[nothing], CLOSED_BY_PEER),
        ("one byte", &[(0x88, b"\x03")], &[], End::Fault(WsError::CloseLength)),
        ("with a reason", &[(0x88, b"\x03\xe8Hello")], &[close(1000, "Hello")], CLOSED_BY_PEER),
        ("the longest reason", &[(0x88, &full)], &[close(1000, &longest)], CLOSED_BY_PEER),
        (
            "a byte too long",
            &[(0x88, &too_long)],
            &[],
            End::Fault(WsError::ControlTooLong { op_code: OpCode::Close }),
        ),
        (
            "a reason that is no text",
            &[(0x88, b"\x03\xe8\xce\xba\xed\xa0\x80")],
            &[],
            End::Fault(WsError::CloseReason),
        ),
    ]);
}

#[test]
fn category_7_codes() {
    for code in [
        1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000,
        4999_u16,
    ] {
        let payload = code.to_be_bytes();
        assert_cases(&[("valid", &[(0x88, &payload)], &[close(code, "")], CLOSED_BY_PEER)]);
    }
    for found in [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535_u16] {
        let payload = found.to_be_bytes();
        let end = End::Fault(WsError::CloseCode { found });
        assert_cases(&[("invalid", &[(0x88, &payload)], &[], end)]);
    }
}

#[test]
fn category_9_large_messages() {
    for mebibytes in [1, 4] {
        let bytes = vec![b'*'; mebibytes << 20];
        let whole = text(std::str::from_utf8(&bytes).unwrap());
        for fragment in [64, 4 << 10, 256 << 10, usize::MAX] {
            let pieces: Vec<&[u8]> = bytes.chunks(fragment).collect();
            let frames: Vec<Frame<'_>> = (0..pieces.len())
                .map(|at| {
                    let first = if at == 0 { 0x01 } else { 0x00 };
                    (first | if at + 1 == pieces.len() { 0x80 } else { 0 }, pieces[at])
                })
                .collect();
            let stream = stream(Role::Server, &frames);
            for segment in [1448, 64 << 10] {
                let outcome = feed(Settings::new(Role::Server), stream.chunks(segment), Waits);
                assert!(outcome.came == [whole.clone()], "{mebibytes} {fragment} {segment}");
            }
        }
    }
}
