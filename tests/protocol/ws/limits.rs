//! Each limit: one below and exactly at it all is well, one above it is the limit's own error.

use onslaught::protocol::Failure;
use onslaught::protocol::ws::limits::{
    CLOSE_REASON_BYTES_MAX, CONTROL_BYTES_MAX, MESSAGE_BYTES_MAX, SUBPROTOCOLS_MAX,
};
use onslaught::protocol::ws::{
    CloseCode, Connection, Control, Keep, Key, Phase, Role, Settings, Upgrade, UpgradeError,
    WsError,
};

use super::feed::{Came, End, Outcome, every_split, feed, feed_to, frame, stream};
use crate::feed::Then::Waits;

const ROLES: [Role; 2] = [Role::Client, Role::Server];

#[test]
fn messages_of_one_frame() {
    for role in ROLES {
        let settings = Settings { message_bytes_max: 300, ..Settings::new(role) };
        for len in [299, 300] {
            let bytes = vec![7; len];
            let outcome = every_split(settings, &frame(role, 0x82, &bytes), Waits);
            assert_eq!(outcome.came, [Came::Binary(bytes)]);
        }
        let error = WsError::MessageTooLong { len: 301, max: 300 };
        let outcome = every_split(settings, &frame(role, 0x82, &[7; 301]), Waits);
        assert_eq!(outcome, Outcome { came: vec![], end: End::Fault(error) });
        assert_eq!(error.failure(), Failure::Limit);
        assert_eq!(error.close_code(), Some(CloseCode::TOO_BIG));
    }
}

#[test]
fn messages_of_fragments() {
    for role in ROLES {
        let settings = Settings { message_bytes_max: 30, ..Settings::new(role) };
        for (last, total) in [(9, 29), (10, 30)] {
            let frames: [(u8, &[u8]); 4] = [
                (0x02, &[1; 12]),
                (0x00, &[1; 8]),
                (0x89, b"does not count"),
                (0x80, &[1; 10][..last]),
            ];
            let outcome = every_split(settings, &stream(role, &frames), Waits);
            assert_eq!(outcome.came.last(), Some(&Came::Binary(vec![1; total])));
        }
        let frames: [(u8, &[u8]); 4] =
            [(0x02, &[1; 12]), (0x00, &[1; 8]), (0x00, &[1; 10]), (0x80, &[1; 1])];
        let outcome = every_split(settings, &stream(role, &frames), Waits);
        assert_eq!(outcome.end, End::Fault(WsError::MessageTooLong { len: 31, max: 30 }));
    }
}

#[test]
fn a_message_is_refused_by_its_header() {
    for keep in [Keep::Bytes, Keep::Count] {
        let settings = Settings { keep, ..Settings::new(Role::Client) };
        let announce = |len: u64| [&[0x82, 127][..], &len.to_be_bytes()].concat();
        for len in [MESSAGE_BYTES_MAX - 1, MESSAGE_BYTES_MAX] {
            let outcome = feed(settings, [&announce(len)[..]], Waits);
            assert_eq!(outcome.end, End::Phase(Phase::Open));
        }
        for len in [MESSAGE_BYTES_MAX + 1, u64::MAX >> 1] {
            let outcome = feed(settings, [&announce(len)[..]], Waits);
            let max = MESSAGE_BYTES_MAX;
            assert_eq!(outcome.end, End::Fault(WsError::MessageTooLong { len, max }));
        }
        let fragments = [&[0x02, 1, 0][..], &[0x80, 127], &(u64::MAX >> 1).to_be_bytes()].concat();
        let (len, max) = ((u64::MAX >> 1) + 1, MESSAGE_BYTES_MAX);
        let outcome = feed(settings, [&fragments[..]], Waits);
        assert_eq!(outcome.end, End::Fault(WsError::MessageTooLong { len, max }));
    }
}

#[test]
fn the_largest_message_by_default() {
    let bytes = vec![b'x'; usize::try_from(MESSAGE_BYTES_MAX).unwrap()];
    for role in ROLES {
        let stream = frame(role, 0x81, &bytes);
        let outcome = feed(Settings::new(role), stream.chunks(16 * 1024), Waits);
        let expected = Came::Text(String::from_utf8(bytes.clone()).unwrap());
        assert!(outcome.came == [expected], "{} events", outcome.came.len());
    }
}

#[test]
fn control_frames() {
    for role in ROLES {
        for len in [CONTROL_BYTES_MAX - 1, CONTROL_BYTES_MAX] {
            let payload = vec![b'p'; len];
            let outcome = every_split(Settings::new(role), &frame(role, 0x89, &payload), Waits);
            assert_eq!(outcome.came, [Came::Ping(payload)]);
        }
        let long = frame(role, 0x89, &[b'p'; CONTROL_BYTES_MAX + 1]);
        let outcome = every_split(Settings::new(role), &long, Waits);
        assert!(matches!(outcome.end, End::Fault(WsError::ControlTooLong { .. })));
    }
    assert!(Control::new(&[0; CONTROL_BYTES_MAX]).is_some());
    assert!(Control::new(&[0; CONTROL_BYTES_MAX + 1]).is_none());
}

#[test]
fn the_limit_of_messages_is_not_that_of_control_frames() {
    let settings = Settings { message_bytes_max: 0, ..Settings::new(Role::Client) };
    let bytes = stream(Role::Client, &[(0x81, b""), (0x89, b"ping"), (0x88, b"\x03\xe8bye")]);
    let outcome = every_split(settings, &bytes, Waits);
    assert_eq!(outcome.came.len(), 3, "{outcome:?}");
}

#[test]
fn reasons_of_our_close() {
    for (reason, expected) in [
        ("r".repeat(CLOSE_REASON_BYTES_MAX - 1), CLOSE_REASON_BYTES_MAX - 1),
        ("r".repeat(CLOSE_REASON_BYTES_MAX), CLOSE_REASON_BYTES_MAX),
        ("r".repeat(CLOSE_REASON_BYTES_MAX + 1), CLOSE_REASON_BYTES_MAX),
        ("☃".repeat(CLOSE_REASON_BYTES_MAX / 3 + 1), CLOSE_REASON_BYTES_MAX),
        ("é".repeat(CLOSE_REASON_BYTES_MAX), CLOSE_REASON_BYTES_MAX - 1),
    ] {
        let mut out = Vec::new();
        let key = Some(Key([3, 1, 4, 1]));
        let mut client = Connection::new(Settings::new(Role::Client));
        client.close(Some(CloseCode::NORMAL), &reason, key, &mut out);
        let mut server = Connection::new(Settings::new(Role::Server));
        let (came, _) = feed_to(&mut server, [&out[..]]);
        assert_eq!(came, [Came::Close(Some(1000), reason[..expected].to_owned())]);
    }
}

#[test]
fn subprotocols() {
    let offering = |count: usize| {
        let mut builder = Upgrade::builder("/", "localhost");
        for name in 0..count {
            builder = builder.subprotocol(format!("v{name}"));
        }
        builder.build().map(|upgrade| upgrade.subprotocols().len())
    };
    assert_eq!(offering(SUBPROTOCOLS_MAX - 1), Ok(SUBPROTOCOLS_MAX - 1));
    assert_eq!(offering(SUBPROTOCOLS_MAX), Ok(SUBPROTOCOLS_MAX));
    let found = SUBPROTOCOLS_MAX + 1;
    assert_eq!(offering(found), Err(UpgradeError::Subprotocols { found }));
}
