//! A message that comes in pieces: fragments, or one frame in several segments.

use super::frame::{Header, OpCode};
use super::limits::RESERVED_BYTES_MAX;
use super::ready::Scratch;
use super::utf8::Utf8;
use super::{Key, WsError, mask};

/// What a message is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// UTF-8.
    Text,
    /// Any bytes.
    Binary,
}

impl Kind {
    pub(super) const fn op_code(self) -> OpCode {
        match self {
            Self::Text => OpCode::Text,
            Self::Binary => OpCode::Binary,
        }
    }
}

/// What becomes of the peer's messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Their bytes are given.
    Bytes,
    /// Their bytes are counted and let go, so that none is ever gathered. All rules are judged all
    /// the same, UTF-8 too.
    Count,
}

/// A message that has begun and not ended.
#[derive(Debug)]
pub(super) struct Partial {
    pub(super) kind: Kind,
    pub(super) keep: Keep,
    /// Bytes so far.
    pub(super) len: u64,
    /// The same bytes, unmasked; none if they are only counted.
    pub(super) bytes: Vec<u8>,
    /// What of a character is still to come; of text alone.
    pub(super) utf8: Utf8,
}

impl Partial {
    /// Begins with a frame that announces so many bytes.
    pub(super) fn new(kind: Kind, keep: Keep, header: &Header) -> Self {
        let announced = match keep {
            Keep::Bytes => usize::try_from(header.len).unwrap_or(usize::MAX),
            Keep::Count => 0,
        };
        let bytes = Vec::with_capacity(announced.min(RESERVED_BYTES_MAX));
        Self { kind, keep, len: 0, bytes, utf8: Utf8::default() }
    }

    /// Takes a piece that lies `offset` bytes into its frame's payload.
    pub(super) fn append(
        &mut self,
        piece: &[u8],
        key: Option<Key>,
        offset: u64,
        scratch: &mut Scratch,
    ) -> Result<(), WsError> {
        // usize is at most 64 bits wide, so a length always fits.
        self.len += piece.len() as u64;
        let plain = match (self.keep, self.kind, key) {
            (Keep::Count, Kind::Binary, _) => return Ok(()),
            (Keep::Count, Kind::Text, None) => piece,
            (Keep::Count, Kind::Text, Some(key)) => scratch.unmask(piece, key, offset),
            (Keep::Bytes, _, key) => {
                let start = self.bytes.len();
                self.bytes.extend_from_slice(piece);
                let new = self.bytes.get_mut(start..).unwrap_or_default();
                if let Some(key) = key {
                    mask::apply(new, key, offset);
                }
                new
            }
        };
        match self.kind {
            Kind::Text => self.utf8.receive(plain).map_err(|_| WsError::Utf8),
            Kind::Binary => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Header, Keep, Kind, OpCode, Partial, RESERVED_BYTES_MAX};
    use crate::protocol::ws::frame::Fin;

    #[test]
    fn what_is_announced_is_reserved_up_to_a_limit() {
        let reserved = |keep, announced| {
            let (fin, op_code) = (Fin::Last, OpCode::Binary);
            let header = Header { fin, op_code, key: None, len: announced };
            Partial::new(Kind::Binary, keep, &header).bytes.capacity()
        };
        let limit = RESERVED_BYTES_MAX as u64;
        for announced in [0, 1, limit - 1, limit] {
            assert_eq!(reserved(Keep::Bytes, announced) as u64, announced);
        }
        for announced in [limit + 1, u64::MAX >> 1] {
            assert_eq!(reserved(Keep::Bytes, announced), RESERVED_BYTES_MAX);
        }
        assert_eq!(reserved(Keep::Count, limit), 0);
    }
}
