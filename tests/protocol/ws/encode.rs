//! Encoded frames, byte for byte.

use onslaught::protocol::ws::{
    CloseCode, Connection, Control, Fragment, Key, Kind, Role, Settings, encode,
};

use super::feed::{frame, stream};

const KEY: Option<Key> = Some(Key([0x37, 0xfa, 0x21, 0x3d]));

#[test]
fn the_examples_of_the_rfc() {
    // Section 5.7.
    let mut out = Vec::new();
    encode::message(&mut out, Kind::Text, b"Hello", None);
    assert_eq!(out, b"\x81\x05Hello");
    out.clear();
    encode::message(&mut out, Kind::Text, b"Hello", KEY);
    assert_eq!(out, b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58");
    out.clear();
    encode::fragment(&mut out, Fragment::First(Kind::Text), b"Hel", None);
    encode::fragment(&mut out, Fragment::Last, b"lo", None);
    assert_eq!(out, b"\x01\x03Hel\x80\x02lo");
    out.clear();
    encode::ping(&mut out, Control::new(b"Hello").unwrap(), None);
    encode::pong(&mut out, Control::new(b"Hello").unwrap(), KEY);
    assert_eq!(out, b"\x89\x05Hello\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58");
    out.clear();
    encode::message(&mut out, Kind::Binary, &[0; 256], None);
    assert_eq!(out[..4], *b"\x82\x7e\x01\x00");
    out.clear();
    encode::message(&mut out, Kind::Binary, &[0; 65_536], None);
    assert_eq!(out[..10], *b"\x82\x7f\0\0\0\0\0\x01\0\0");
}

#[test]
fn every_length_for_either_side() {
    for (role, key) in [(Role::Client, None), (Role::Server, KEY)] {
        for len in [0, 1, 7, 8, 9, 124, 125, 126, 127, 1000, 65_535, 65_536, 65_537] {
            let payload: Vec<u8> = (0..251).cycle().take(len).collect();
            let mut out = b"before".to_vec();
            encode::message(&mut out, Kind::Binary, &payload, key);
            assert!(out[..6] == *b"before" && out[6..] == frame(role, 0x82, &payload), "{len}");
        }
    }
}

#[test]
fn fragments_have_a_size() {
    let fragmented = |payload: &[u8], size| {
        let mut out = Vec::new();
        encode::fragments(&mut out, Kind::Text, payload, size, || None);
        out
    };
    let expected = |frames| stream(Role::Client, frames);
    assert_eq!(fragmented(b"", 3), expected(&[(0x81, b"")]));
    assert_eq!(fragmented(b"abc", 3), expected(&[(0x81, b"abc")]));
    assert_eq!(fragmented(b"abcd", 3), expected(&[(0x01, b"abc"), (0x80, b"d")]));
    assert_eq!(
        fragmented(b"abcdefg", 3),
        expected(&[(0x01, b"abc"), (0x00, b"def"), (0x80, b"g")])
    );
    assert_eq!(fragmented(b"ab", 0), expected(&[(0x01, b"a"), (0x80, b"b")]));
}

#[test]
fn each_fragment_has_a_key_of_its_own() {
    let mut keys = 0;
    let mut out = Vec::new();
    encode::fragments(&mut out, Kind::Binary, &[0; 9], 3, || {
        keys += 1;
        Some(Key([keys; 4]))
    });
    // Masked zeros are the key.
    let frame = |first, key: u8| [&[first, 0x83][..], &[key; 7]].concat();
    assert_eq!(out, [frame(0x02, 1), frame(0x00, 2), frame(0x80, 3)].concat());
}

#[test]
fn close_frames() {
    let closed = |code, reason| {
        let mut out = Vec::new();
        Connection::new(Settings::new(Role::Server)).close(code, reason, None, &mut out);
        out
    };
    assert_eq!(closed(None, ""), b"\x88\0");
    assert_eq!(closed(None, "lost without a code"), b"\x88\0");
    assert_eq!(closed(Some(CloseCode::NORMAL), ""), b"\x88\x02\x03\xe8");
    assert_eq!(closed(CloseCode::new(4000), "bye"), b"\x88\x05\x0f\xa0bye");
    let mut out = Vec::new();
    let mut client = Connection::new(Settings::new(Role::Client));
    client.close(Some(CloseCode::NORMAL), "", Some(Key([1, 1, 1, 1])), &mut out);
    assert_eq!(out, b"\x88\x82\x01\x01\x01\x01\x02\xe9");
}
