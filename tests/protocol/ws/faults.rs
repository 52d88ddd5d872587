//! Every fault of a peer, at every cut: the very error, its close code and its class.

use onslaught::protocol::Failure;
use onslaught::protocol::ws::WsError::{self, *};
use onslaught::protocol::ws::frame::OpCode as Code;
use onslaught::protocol::ws::{CloseCode as Told, Phase, Role, Settings};

use super::feed::{End, Frame, every_split, feed, stream, text};
use crate::feed::Then::{Ends, Waits};

const ROLES: [Role; 2] = [Role::Client, Role::Server];

#[track_caller]
fn assert_fault(role: Role, bytes: &[u8], error: WsError) {
    for then in [Waits, Ends] {
        let outcome = every_split(Settings::new(role), bytes, then);
        assert_eq!(outcome.end, End::Fault(error), "{}", bytes.escape_ascii());
    }
}

/// The fault of frames that are otherwise in order, for either side; what comes behind it does not
/// matter.
#[track_caller]
fn assert_faults(class: Failure, code: Told, faults: &[(&[Frame<'_>], WsError)]) {
    for (frames, error) in faults {
        for role in ROLES {
            let mut bytes = stream(role, frames);
            assert_fault(role, &bytes, *error);
            bytes.extend(stream(role, &[(0x81, b"more")]));
            assert_fault(role, &bytes, *error);
        }
        assert_eq!(error.close_code(), Some(code), "{error}");
        assert_eq!(error.failure(), class, "{error}");
    }
}

#[test]
fn malformed_headers_are_protocol() {
    let long = [b'x'; 126];
    assert_faults(
        Failure::Protocol,
        Told::PROTOCOL,
        &[
            (&[(0xc1, b"a")], ReservedBits { found: 0xc1 }),
            (&[(0xa1, b"a")], ReservedBits { found: 0xa1 }),
            (&[(0x91, b"a")], ReservedBits { found: 0x91 }),
            (&[(0xf9, b"a")], ReservedBits { found: 0xf9 }),
            (&[(0x01, b"a"), (0xc0, b"b")], ReservedBits { found: 0xc0 }),
            (&[(0x83, b"")], OpCode { found: 3 }),
            (&[(0x87, b"a")], OpCode { found: 7 }),
            (&[(0x8b, b"a")], OpCode { found: 11 }),
            (&[(0x8f, b"a")], OpCode { found: 15 }),
            (&[(0x01, b"a"), (0x03, b"")], OpCode { found: 3 }),
            (&[(0x09, b"a")], ControlFragmented { op_code: Code::Ping }),
            (&[(0x0a, b"a")], ControlFragmented { op_code: Code::Pong }),
            (&[(0x08, b"\x03\xe8")], ControlFragmented { op_code: Code::Close }),
            (&[(0x89, &long)], ControlTooLong { op_code: Code::Ping }),
            (&[(0x8a, &long)], ControlTooLong { op_code: Code::Pong }),
            (&[(0x88, &long)], ControlTooLong { op_code: Code::Close }),
        ],
    );
}

#[test]
fn fragments_out_of_order_are_protocol() {
    assert_faults(
        Failure::Protocol,
        Told::PROTOCOL,
        &[
            (&[(0x80, b"a")], NothingToContinue),
            (&[(0x00, b"a")], NothingToContinue),
            (&[(0x01, b"a"), (0x80, b"b"), (0x80, b"c")], NothingToContinue),
            (&[(0x81, b"a"), (0x80, b"b")], NothingToContinue),
            (&[(0x01, b"a"), (0x81, b"b")], MessageWithinMessage { op_code: Code::Text }),
            (&[(0x01, b""), (0x02, b"b")], MessageWithinMessage { op_code: Code::Binary }),
            (
                &[(0x02, b"a"), (0x00, b"b"), (0x89, b""), (0x82, b"c")],
                MessageWithinMessage { op_code: Code::Binary },
            ),
        ],
    );
}

#[test]
fn text_that_is_no_utf8_is_invalid_data() {
    assert_faults(
        Failure::Protocol,
        Told::INVALID_DATA,
        &[
            (&[(0x81, b"\xff")], Utf8),
            (&[(0x81, b"abc\xed\xa0\x80")], Utf8),
            (&[(0x81, b"\xf4\x90\x80\x80")], Utf8),
            (&[(0x81, b"cut \xe2\x98")], Utf8),
            (&[(0x01, b"cut \xe2\x98"), (0x80, b"")], Utf8),
            (&[(0x01, b"\xe2"), (0x00, b"\x98"), (0x80, b"x")], Utf8),
            (&[(0x01, b"\xe2"), (0x89, b"\xff"), (0x80, b"\xff")], Utf8),
            (&[(0x88, b"\x03\xe8\xff")], CloseReason),
            (&[(0x88, b"\x03\xe8\xe2\x98")], CloseReason),
        ],
    );
}

#[test]
fn bad_text_is_refused_before_its_frame_ends() {
    // The frame announces 100 bytes; the fourth is already wrong.
    for (role, mut bytes) in [(Role::Client, vec![0x81, 100]), (Role::Server, vec![0x81, 228])] {
        if role == Role::Server {
            bytes.extend([0; 4]);
        }
        bytes.extend(b"ok\xf0");
        assert_eq!(feed(Settings::new(role), [&bytes[..]], Waits).end, End::Phase(Phase::Open));
        bytes.push(0x8f);
        assert_fault(role, &bytes, Utf8);
    }
}

#[test]
fn close_frames_are_judged() {
    let protocol = |payload: &[u8], error| {
        assert_faults(Failure::Protocol, Told::PROTOCOL, &[(&[(0x88, payload)], error)]);
    };
    protocol(b"\x03", CloseLength);
    for found in [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535_u16] {
        protocol(&found.to_be_bytes(), CloseCode { found });
    }
}

#[test]
fn masks_belong_to_clients() {
    let masked = stream(Role::Server, &[(0x81, b"hi")]);
    assert_fault(Role::Client, &masked, MaskedByServer);
    let plain = stream(Role::Client, &[(0x81, b"hi")]);
    assert_fault(Role::Server, &plain, NotMaskedByClient);
    for error in [MaskedByServer, NotMaskedByClient] {
        assert_eq!(error.close_code(), Some(Told::PROTOCOL));
        assert_eq!(error.failure(), Failure::Protocol);
    }
}

#[test]
fn lengths_are_minimal_and_have_63_bits() {
    for (bytes, error) in [
        (&b"\x82\x7e\0\0"[..], LengthNotMinimal { len: 0 }),
        (b"\x82\x7e\0\x7d", LengthNotMinimal { len: 125 }),
        (b"\x82\x7f\0\0\0\0\0\0\0\0", LengthNotMinimal { len: 0 }),
        (b"\x82\x7f\0\0\0\0\0\0\xff\xff", LengthNotMinimal { len: 65_535 }),
        (b"\x82\x7f\x80\0\0\0\0\0\0\x01", LengthHighBit),
        (b"\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff", LengthHighBit),
    ] {
        assert_fault(Role::Client, bytes, error);
        assert_eq!(error.close_code(), Some(Told::PROTOCOL));
        assert_eq!(error.failure(), Failure::Protocol);
    }
}

#[test]
fn early_ends_are_truncated() {
    for role in ROLES {
        let settings = Settings::new(role);
        let whole = stream(role, &[(0x81, b"hi"), (0x01, b"a"), (0x89, b"p"), (0x80, b"b")]);
        let hi = stream(role, &[(0x81, b"hi")]).len();
        for len in 0..=whole.len() {
            let outcome = feed(settings, [&whole[..len]], Ends);
            let between = len == 0 || len == hi || len == whole.len();
            let error = if between { NoClose } else { MessageCut };
            assert_eq!(outcome.end, End::Fault(error), "after {len} bytes");
        }
        let closed = stream(role, &[(0x81, b"hi"), (0x88, b"")]);
        let outcome = every_split(settings, &closed, Ends);
        assert_eq!(outcome.end, End::Phase(Phase::Answering));
        assert_eq!(outcome.came[0], text("hi"));
    }
    for error in [NoClose, MessageCut, CloseNotAnswered] {
        assert_eq!(error.failure(), Failure::Truncated);
        assert_eq!(error.close_code(), None, "nobody is there to be told: 1006");
    }
}

#[test]
fn what_follows_a_close_is_thrown_away() {
    for role in ROLES {
        let mut bytes = stream(role, &[(0x88, b"\x03\xe8")]);
        let close = every_split(Settings::new(role), &bytes, Waits);
        bytes.extend(stream(role, &[(0x81, b"late"), (0x88, b"\x03\xe9"), (0xff, b"")]));
        assert_eq!(every_split(Settings::new(role), &bytes, Ends), close);
    }
}
