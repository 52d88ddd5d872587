//! A frame's header (RFC 6455 section 5.2).
//!
//! ```text
//!  byte 0             byte 1          0, 2 or 8 bytes    0 or 4 bytes
//!  ┌───┬───┬────────┬──────┬─────┬──────────────────┬────────────┐
//!  │FIN│RSV│ opcode │ MASK │ len │ extended length  │    key     │ payload …
//!  │ 1 │ 3 │   4    │  1   │  7  │ if len is 126/127│ if MASK    │
//!  └───┴───┴────────┴──────┴─────┴──────────────────┴────────────┘
//! ```
//!
//! Rules are judged in the order of the bytes that break them, so that the same fault is found
//! however the header was cut. That, and an error that names the rule, is why this is not
//! `FrameHeader::parse` of tungstenite: it leaves RSV, mask and length rules to its caller, judges
//! the code last, and takes about twice the instructions (144, by callgrind, for a header of two
//! bytes). The tests hold the two against each other.

use std::fmt;

use super::limits::{CONTROL_BYTES_MAX, HEADER_BYTES_MAX};
use super::{Key, Role, WsError};

/// What a frame is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum OpCode {
    /// The next fragment of a message.
    Continuation = 0x0,
    /// A text message, or its first fragment.
    Text = 0x1,
    /// A binary message, or its first fragment.
    Binary = 0x2,
    /// The last frame of a side.
    Close = 0x8,
    /// To be answered with a pong.
    Ping = 0x9,
    /// An answer to a ping, or a sign of life.
    Pong = 0xa,
}

impl OpCode {
    const fn new(code: u8) -> Result<Self, WsError> {
        Ok(match code {
            0x0 => Self::Continuation,
            0x1 => Self::Text,
            0x2 => Self::Binary,
            0x8 => Self::Close,
            0x9 => Self::Ping,
            0xa => Self::Pong,
            found => return Err(WsError::OpCode { found }),
        })
    }

    /// Whether it stands between messages and fragments, not among them (section 5.5).
    #[must_use]
    pub const fn is_control(self) -> bool {
        matches!(self, Self::Close | Self::Ping | Self::Pong)
    }
}

impl fmt::Display for OpCode {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Continuation => "continuation",
            Self::Text => "text",
            Self::Binary => "binary",
            Self::Close => "close",
            Self::Ping => "ping",
            Self::Pong => "pong",
        })
    }
}

/// The payload of a ping or a pong: 125 bytes at most (section 5.5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Control<'a>(&'a [u8]);

impl<'a> Control<'a> {
    /// None if it is too long.
    #[must_use]
    pub const fn new(payload: &'a [u8]) -> Option<Self> {
        if payload.len() <= CONTROL_BYTES_MAX { Some(Self(payload)) } else { None }
    }

    /// Its bytes.
    #[must_use]
    pub const fn bytes(self) -> &'a [u8] {
        self.0
    }
}

/// Whether a frame ends its message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fin {
    Last,
    More,
}

/// What a complete header says.
///
/// Invariants: a control frame is `Fin::Last` and has at most 125 bytes; `len` < 2^63; there is a
/// key if and only if a client sent it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) fin: Fin,
    pub(super) op_code: OpCode,
    pub(super) key: Option<Key>,
    pub(super) len: u64,
}

const FIN: u8 = 0x80;
const RSV: u8 = 0x70;
const MASK: u8 = 0x80;

/// Parses the header at the front of `bytes` that the peer of `role` sent; gives its own length
/// too, or none if it is not complete.
pub(super) fn parse(bytes: &[u8], role: Role) -> Result<Option<(Header, usize)>, WsError> {
    let Some((&[first, second], rest)) = bytes.split_first_chunk() else { return Ok(None) };
    if first & RSV != 0 {
        return Err(WsError::ReservedBits { found: first });
    }
    let op_code = OpCode::new(first & 0x0f)?;
    let fin = if first & FIN == 0 { Fin::More } else { Fin::Last };
    if op_code.is_control() && fin == Fin::More {
        return Err(WsError::ControlFragmented { op_code });
    }
    let masked = second & MASK != 0;
    match (role, masked) {
        (Role::Client, true) => return Err(WsError::MaskedByServer),
        (Role::Server, false) => return Err(WsError::NotMaskedByClient),
        (Role::Client, false) | (Role::Server, true) => {}
    }
    let short = second & !MASK;
    if op_code.is_control() && usize::from(short) > CONTROL_BYTES_MAX {
        return Err(WsError::ControlTooLong { op_code });
    }
    let Some((len, rest)) = length(short, rest)? else { return Ok(None) };
    let (key, rest) = match (masked, rest.split_first_chunk()) {
        (false, _) => (None, rest),
        (true, Some((key, rest))) => (Some(Key(*key)), rest),
        (true, None) => return Ok(None),
    };
    Ok(Some((Header { fin, op_code, key, len }, bytes.len() - rest.len())))
}

/// A payload's length and what is behind it, if it is complete.
fn length(short: u8, rest: &[u8]) -> Result<Option<(u64, &[u8])>, WsError> {
    let (len, least, rest) = match short {
        126 => {
            let Some((len, rest)) = rest.split_first_chunk() else { return Ok(None) };
            (u64::from(u16::from_be_bytes(*len)), 126, rest)
        }
        127 => {
            let Some((len, rest)) = rest.split_first_chunk() else { return Ok(None) };
            (u64::from_be_bytes(*len), 0x1_0000, rest)
        }
        short => (u64::from(short), 0, rest),
    };
    if len >> 63 != 0 {
        return Err(WsError::LengthHighBit);
    }
    if len < least {
        return Err(WsError::LengthNotMinimal { len });
    }
    Ok(Some((len, rest)))
}

/// Appends a header.
pub(super) fn format(out: &mut Vec<u8>, header: &Header) {
    let fin = match header.fin {
        Fin::Last => FIN,
        Fin::More => 0,
    };
    let first = fin | header.op_code as u8;
    let mask = if header.key.is_some() { MASK } else { 0 };
    match (u8::try_from(header.len), u16::try_from(header.len)) {
        (Ok(len @ ..=125), _) => out.extend_from_slice(&[first, mask | len]),
        (_, Ok(len)) => {
            let [high, low] = len.to_be_bytes();
            out.extend_from_slice(&[first, mask | 126, high, low]);
        }
        (_, Err(_)) => {
            out.extend_from_slice(&[first, mask | 127]);
            out.extend_from_slice(&header.len.to_be_bytes());
        }
    }
    if let Some(Key(key)) = header.key {
        out.extend_from_slice(&key);
    }
}

/// A header that has begun to come.
///
/// Invariant: the first `len` bytes are a header's beginning, never all of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Partial {
    bytes: [u8; HEADER_BYTES_MAX],
    len: u8,
}

impl Partial {
    pub(super) const EMPTY: Self = Self { bytes: [0; HEADER_BYTES_MAX], len: 0 };

    /// Moves a header's bytes from the input; gives the header when it is complete, which leaves
    /// this empty.
    pub(super) fn read(
        &mut self,
        input: &mut &[u8],
        role: Role,
    ) -> Result<Option<Header>, WsError> {
        if self.len == 0
            && let Some((header, len)) = parse(input, role)?
        {
            *input = input.get(len..).unwrap_or_default();
            return Ok(Some(header));
        }
        while let Some((byte, rest)) = input.split_first() {
            let Some(place) = self.bytes.get_mut(usize::from(self.len)) else { break };
            *place = *byte;
            *input = rest;
            self.len += 1;
            let begun = self.bytes.get(..usize::from(self.len)).unwrap_or_default();
            if let Some((header, _)) = parse(begun, role)? {
                self.len = 0;
                return Ok(Some(header));
            }
        }
        Ok(None)
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.len == 0
    }
}

#[cfg(test)]
mod tests {
    use super::{Fin, Header, Key, OpCode, Partial, Role, WsError, format, parse};

    #[test]
    fn what_is_formatted_is_parsed_at_every_cut() {
        for len in [0, 1, 125, 126, 127, 65_535, 65_536, u64::MAX >> 1] {
            for (role, key) in [(Role::Client, None), (Role::Server, Some(Key([1, 2, 3, 4])))] {
                for (fin, op_code) in [(Fin::More, OpCode::Text), (Fin::Last, OpCode::Binary)] {
                    let header = Header { fin, op_code, key, len };
                    let mut bytes = Vec::new();
                    format(&mut bytes, &header);
                    assert_eq!(parse(&bytes, role), Ok(Some((header, bytes.len()))));
                    for cut in 0..bytes.len() {
                        let mut partial = Partial::EMPTY;
                        let (mut left, mut right) = bytes.split_at(cut);
                        assert_eq!(parse(left, role), Ok(None), "{cut} bytes of {header:?}");
                        assert_eq!(partial.read(&mut left, role), Ok(None));
                        assert_eq!(partial.read(&mut right, role), Ok(Some(header)));
                        assert!(partial.is_empty() && left.is_empty() && right.is_empty());
                    }
                }
            }
        }
    }

    #[test]
    fn a_longer_header_keeps_its_fault() {
        for (bytes, error) in [
            (&b"\xc1\x81\xff\xff"[..], WsError::ReservedBits { found: 0xc1 }),
            (b"\x83\x81\xff\xff", WsError::OpCode { found: 3 }),
            (b"\x09\xff\xff\xff", WsError::ControlFragmented { op_code: OpCode::Ping }),
            (b"\x89\xff\xff\xff", WsError::MaskedByServer),
            (b"\x89\x7e\xff\xff", WsError::ControlTooLong { op_code: OpCode::Ping }),
            (b"\x82\x7f\x80\0\0\0\0\0\0\0", WsError::LengthHighBit),
            (b"\x82\x7e\x00\x7d", WsError::LengthNotMinimal { len: 125 }),
            (b"\x82\x7f\0\0\0\0\0\0\xff\xff", WsError::LengthNotMinimal { len: 65_535 }),
        ] {
            let begun = |len| bytes.get(..len).expect("a beginning");
            let found = (0..=bytes.len()).map(|len| parse(begun(len), Role::Client));
            let first = found.clone().position(|found| found.is_err());
            assert!(found.skip(first.expect("a fault")).all(|found| found == Err(error)));
        }
    }
}
