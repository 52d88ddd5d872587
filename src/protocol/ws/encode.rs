//! Frames to send, appended to a buffer of the caller's.
//!
//! A client gives a fresh key for each frame, a server gives none (RFC 6455 section 5.3). Close
//! frames are the [`Connection`]'s to send, because they change its state.
//!
//! [`Connection`]: super::Connection

use super::close::fitting;
use super::frame::{Fin, Header, OpCode, format};
use super::limits::{CONTROL_BYTES_MAX, HEADER_BYTES_MAX};
use super::{CloseCode, Control, Key, Kind, mask};

/// Where a fragment stands in its message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fragment {
    /// The first, and others follow.
    First(Kind),
    /// Neither the first nor the last.
    Middle,
    /// The last, and others came before.
    Last,
}

/// Appends a message in one frame. Text is for the caller to give as UTF-8.
#[inline]
pub fn message(out: &mut Vec<u8>, kind: Kind, payload: &[u8], key: Option<Key>) {
    frame(out, Fin::Last, kind.op_code(), payload, key);
}

/// Appends one fragment of a message. Control frames may stand between fragments, other messages
/// may not (section 5.4).
pub fn fragment(out: &mut Vec<u8>, place: Fragment, payload: &[u8], key: Option<Key>) {
    let (fin, op_code) = match place {
        Fragment::First(kind) => (Fin::More, kind.op_code()),
        Fragment::Middle => (Fin::More, OpCode::Continuation),
        Fragment::Last => (Fin::Last, OpCode::Continuation),
    };
    frame(out, fin, op_code, payload, key);
}

/// Appends a message in fragments of `size` bytes each (0 counts as 1), but for the last one;
/// `key` is asked once for each of them.
pub fn fragments(
    out: &mut Vec<u8>,
    kind: Kind,
    payload: &[u8],
    size: usize,
    mut key: impl FnMut() -> Option<Key>,
) {
    let size = size.max(1);
    let mut op_code = kind.op_code();
    let mut rest = payload;
    while let Some((piece, behind)) = rest.split_at_checked(size)
        && !behind.is_empty()
    {
        frame(out, Fin::More, op_code, piece, key());
        op_code = OpCode::Continuation;
        rest = behind;
    }
    frame(out, Fin::Last, op_code, rest, key());
}

/// Appends a ping.
pub fn ping(out: &mut Vec<u8>, payload: Control<'_>, key: Option<Key>) {
    frame(out, Fin::Last, OpCode::Ping, payload.bytes(), key);
}

/// Appends a pong; the answer to a ping has its payload (section 5.5.3).
pub fn pong(out: &mut Vec<u8>, payload: Control<'_>, key: Option<Key>) {
    frame(out, Fin::Last, OpCode::Pong, payload.bytes(), key);
}

/// Appends a close frame; without a code there is no reason either.
pub(super) fn close(out: &mut Vec<u8>, code: Option<CloseCode>, reason: &str, key: Option<Key>) {
    let mut payload = [0; CONTROL_BYTES_MAX];
    let mut len = 0;
    if let Some(code) = code {
        let bytes = code.number().to_be_bytes().into_iter().chain(fitting(reason).bytes());
        for (place, byte) in payload.iter_mut().zip(bytes) {
            *place = byte;
            len += 1;
        }
    }
    frame(out, Fin::Last, OpCode::Close, payload.get(..len).unwrap_or_default(), key);
}

fn frame(out: &mut Vec<u8>, fin: Fin, op_code: OpCode, payload: &[u8], key: Option<Key>) {
    out.reserve(HEADER_BYTES_MAX + payload.len());
    // usize is at most 64 bits wide, so a length always fits.
    format(out, &Header { fin, op_code, key, len: payload.len() as u64 });
    let start = out.len();
    out.extend_from_slice(payload);
    if let (Some(key), Some(masked)) = (key, out.get_mut(start..)) {
        mask::apply(masked, key, 0);
    }
}
