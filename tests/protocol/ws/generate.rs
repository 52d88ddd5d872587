//! Generated conversations: what is said, and the bytes that say it.

use onslaught::protocol::ws::{
    CloseCode, Connection, Control, Fragment, Key, Kind, Role, Settings, encode,
};
use onslaught::stdx::rng::Rng;

use super::feed::Came;
use crate::generate::below;

/// The side that a receiver of `role` hears.
const fn peer(role: Role) -> Role {
    match role {
        Role::Client => Role::Server,
        Role::Server => Role::Client,
    }
}

/// What the peer of `role` says, encoded with random fragments and control frames among them.
pub(crate) fn conversation(rng: &mut Rng, role: Role) -> (Vec<Came>, Vec<u8>) {
    let (mut said, mut out) = (Vec::new(), Vec::new());
    for _ in 0..rng.below(6) {
        match rng.below(4) {
            0 => control(rng, role, &mut said, &mut out),
            1 => whole(rng, role, &mut said, &mut out),
            _ => fragmented(rng, role, &mut said, &mut out),
        }
    }
    if rng.below(2) == 0 {
        let mut sender = Connection::new(Settings::new(peer(role)));
        let code =
            [None, CloseCode::new(1000), CloseCode::new(1001), CloseCode::new(4999)][below(rng, 4)];
        let reason = if code.is_some() { ["", "bye", "tsch\u{fc}ss"][below(rng, 3)] } else { "" };
        sender.close(code, reason, key(rng, role), &mut out);
        said.push(Came::Close(code.map(CloseCode::number), reason.to_owned()));
    }
    (said, out)
}

fn whole(rng: &mut Rng, role: Role, said: &mut Vec<Came>, out: &mut Vec<u8>) {
    let (kind, payload, came) = message(rng);
    if rng.below(2) == 0 {
        encode::message(out, kind, &payload, key(rng, role));
    } else {
        let size = below(rng, 40);
        encode::fragments(out, kind, &payload, size, || key(rng, role));
    }
    said.push(came);
}

fn fragmented(rng: &mut Rng, role: Role, said: &mut Vec<Came>, out: &mut Vec<u8>) {
    let (kind, payload, came) = message(rng);
    let mut place = Fragment::First(kind);
    let mut rest = &payload[..];
    for _ in 0..1 + rng.below(4) {
        let (piece, behind) = rest.split_at(below(rng, rest.len() + 1));
        encode::fragment(out, place, piece, key(rng, role));
        rest = behind;
        place = Fragment::Middle;
        if rng.below(3) == 0 {
            control(rng, role, said, out);
        }
    }
    encode::fragment(out, Fragment::Last, rest, key(rng, role));
    said.push(came);
}

fn control(rng: &mut Rng, role: Role, said: &mut Vec<Came>, out: &mut Vec<u8>) {
    let bytes = random(rng, 126);
    let payload = Control::new(&bytes).expect("at most 125 bytes");
    if rng.below(2) == 0 {
        encode::ping(out, payload, key(rng, role));
        said.push(Came::Ping(bytes));
    } else {
        encode::pong(out, payload, key(rng, role));
        said.push(Came::Pong(bytes));
    }
}

fn message(rng: &mut Rng) -> (Kind, Vec<u8>, Came) {
    const BOUNDS: [usize; 5] = [2, 20, 127, 300, 70_000];
    let bound = if rng.below(300) == 0 { BOUNDS[4] } else { BOUNDS[below(rng, 4)] };
    if rng.below(2) == 0 {
        let bytes = random(rng, bound);
        return (Kind::Binary, bytes.clone(), Came::Binary(bytes));
    }
    const CHARACTERS: [char; 6] = ['a', '\u{7f}', '\u{e9}', '\u{20ac}', '\u{ffff}', '\u{1f600}'];
    let count = below(rng, bound);
    let text: String = (0..count).map(|_| CHARACTERS[below(rng, CHARACTERS.len())]).collect();
    (Kind::Text, text.clone().into_bytes(), Came::Text(text))
}

fn random(rng: &mut Rng, bound: usize) -> Vec<u8> {
    let len = below(rng, bound);
    (0..len).map(|_| rng.next_u64().to_le_bytes()[0]).collect()
}

fn key(rng: &mut Rng, role: Role) -> Option<Key> {
    let [a, b, c, d, ..] = rng.next_u64().to_le_bytes();
    (role == Role::Server).then_some(Key([a, b, c, d]))
}

/// Changes a few bytes, most of them near the front, or cuts the end off.
pub(crate) fn spoil(rng: &mut Rng, stream: &mut Vec<u8>) {
    const BYTES: &[u8] = b"\x00\x01\x02\x03\x08\x7e\x7f\x80\x81\x82\x88\x89\x8a\xc1\xf0\xff";
    for _ in 0..1 + rng.below(2) {
        let near = if rng.below(2) == 0 { stream.len() } else { stream.len().min(8) };
        let at = below(rng, near + 1);
        let byte = BYTES[below(rng, BYTES.len())];
        match (rng.below(6), at < stream.len()) {
            (0, _) => stream.truncate(below(rng, stream.len() + 1)),
            (1, true) => drop(stream.remove(at)),
            (2, true) => stream[at] ^= 1 << rng.below(8),
            (3 | 4, true) => stream[at] = byte,
            _ => stream.insert(at, byte),
        }
    }
}
