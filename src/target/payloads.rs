//! Bytes that many replies share: made once per server, sent without a copy.

use std::rc::Rc;

use super::limits::{PIECE, PIECES};

/// Which of the shared payloads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Canned {
    /// The whole reply of `/health`.
    Health,
    /// `100 Continue`.
    Continue,
    /// One piece of the pattern.
    Piece,
    /// As many pieces as go out at once.
    Pieces,
    /// One piece as a chunk.
    Chunk,
    /// As many chunks as go out at once.
    Chunks,
}

/// The shared payloads, in the order of [`Canned`].
#[derive(Debug)]
pub(super) struct Payloads {
    all: [Rc<[u8]>; 6],
}

/// The body of `/health`.
pub(super) const HEALTH_BODY: &[u8] = b"{\"status\":\"ok\"}";

const HEALTH: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\
    Content-Length: 15\r\n\r\n{\"status\":\"ok\"}";
const _: () = assert!(HEALTH_BODY.len() == 15);

const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// Byte i of every generated body is letter i modulo 64: whoever reads one can check it. Pieces
/// are a multiple of 64, so each begins at the first letter.
const PATTERN: &[u8; 64] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_";
const _: () = assert!(PIECE.is_multiple_of(PATTERN.len()));

impl Payloads {
    pub(super) fn new() -> Self {
        let piece = PATTERN.repeat(PIECE / PATTERN.len());
        let mut chunk = Vec::new();
        write_chunk(&piece, &mut chunk);
        let all: [&[u8]; 6] =
            [HEALTH, CONTINUE, &piece, &piece.repeat(PIECES), &chunk, &chunk.repeat(PIECES)];
        Self { all: all.map(Rc::from) }
    }

    pub(super) fn shared(&self, which: Canned) -> Rc<[u8]> {
        Rc::clone(&self.all[which as usize])
    }

    pub(super) fn bytes(&self, which: Canned) -> &[u8] {
        &self.all[which as usize]
    }
}

/// Adds one chunk with this data (RFC 9112 section 7.1).
pub(super) fn write_chunk(data: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(format!("{:x}\r\n", data.len()).as_bytes());
    out.extend_from_slice(data);
    out.extend_from_slice(b"\r\n");
}
