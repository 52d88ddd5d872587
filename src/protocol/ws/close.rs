//! How a connection was closed (RFC 6455 section 7.4).

use super::WsError;
use super::limits::CLOSE_REASON_BYTES_MAX;
use crate::protocol::Failure;

/// A code that may stand in a close frame: registered, or in the ranges for libraries and
/// applications.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CloseCode(u16);

impl CloseCode {
    /// The purpose is fulfilled.
    pub const NORMAL: Self = Self(1000);
    /// The peer goes down, or the page is left.
    pub const GOING_AWAY: Self = Self(1001);
    /// A protocol error.
    pub const PROTOCOL: Self = Self(1002);
    /// Data of a kind that is not taken here.
    pub const UNSUPPORTED: Self = Self(1003);
    /// Data that is not what its kind says, such as text that is no UTF-8.
    pub const INVALID_DATA: Self = Self(1007);
    /// A policy forbids it.
    pub const POLICY: Self = Self(1008);
    /// A message too big to take.
    pub const TOO_BIG: Self = Self(1009);
    /// The server cannot go on.
    pub const INTERNAL: Self = Self(1011);

    /// Never in a frame: the close frame had no code.
    pub const NO_CODE: u16 = 1005;
    /// Never in a frame: the stream ended without a close frame.
    pub const ABNORMAL: u16 = 1006;

    /// The code, if it may stand in a frame: 1004 to 1006 and 1015 never do, 1016 to 2999 mean
    /// nothing yet, and all else is out of range.
    #[must_use]
    pub const fn new(code: u16) -> Option<Self> {
        match code {
            1000..=1003 | 1007..=1014 | 3000..=4999 => Some(Self(code)),
            0..=999 | 1004..=1006 | 1015..=2999 | 5000.. => None,
        }
    }

    /// Its number.
    #[must_use]
    pub const fn number(self) -> u16 {
        self.0
    }
}

/// What a close frame says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Close<'a> {
    /// Why, as a number; none is [`CloseCode::NO_CODE`].
    pub code: Option<CloseCode>,
    /// Why, in words for people.
    pub reason: &'a str,
}

impl<'a> Close<'a> {
    /// Reads a close frame's payload (section 5.5.1).
    pub(super) fn parse(payload: &'a [u8]) -> Result<Self, WsError> {
        let Some((code, reason)) = payload.split_first_chunk() else {
            let empty = Self { code: None, reason: "" };
            return if payload.is_empty() { Ok(empty) } else { Err(WsError::CloseLength) };
        };
        let found = u16::from_be_bytes(*code);
        let code = CloseCode::new(found).ok_or(WsError::CloseCode { found })?;
        let reason = std::str::from_utf8(reason).map_err(|_| WsError::CloseReason)?;
        Ok(Self { code: Some(code), reason })
    }

    /// The class of a peer's close that ends a session with an error: any code but 1000, and none.
    #[must_use]
    pub fn failure(&self) -> Option<Failure> {
        let normal = self.code.is_none_or(|code| code == CloseCode::NORMAL);
        (!normal).then_some(Failure::WsClose)
    }

    /// The number under which the close is counted.
    #[must_use]
    pub fn number(&self) -> u16 {
        self.code.map_or(CloseCode::NO_CODE, CloseCode::number)
    }
}

/// The beginning of a reason that fits into a close frame, cut between characters.
pub(super) fn fitting(reason: &str) -> &str {
    reason.get(..reason.floor_char_boundary(CLOSE_REASON_BYTES_MAX)).unwrap_or(reason)
}

#[cfg(test)]
mod tests {
    use super::{Close, CloseCode, Failure, WsError, fitting};

    #[test]
    fn codes_of_frames_are_those_of_the_registry() {
        let valid: Vec<u16> =
            (0..=u16::MAX).filter(|&code| CloseCode::new(code).is_some()).collect();
        let mut expected: Vec<u16> = vec![1000, 1001, 1002, 1003];
        expected.extend(1007..=1014);
        expected.extend(3000..=4999);
        assert_eq!(valid, expected);
    }

    #[test]
    fn payloads() {
        let normal = Close { code: Some(CloseCode::NORMAL), reason: "" };
        assert_eq!(Close::parse(b""), Ok(Close { code: None, reason: "" }));
        assert_eq!(Close::parse(b"\x03\xe8"), Ok(normal));
        assert_eq!(Close::parse(b"\x03\xe8bye"), Ok(Close { reason: "bye", ..normal }));
        assert_eq!(Close::parse(b"\x03"), Err(WsError::CloseLength));
        assert_eq!(Close::parse(b"\x03\xed"), Err(WsError::CloseCode { found: 1005 }));
        assert_eq!(Close::parse(b"\x03\xe8\xff"), Err(WsError::CloseReason));
    }

    #[test]
    fn a_normal_close_is_no_failure() {
        let failure = |payload| Close::parse(payload).map(|close| close.failure());
        assert_eq!(failure(b""), Ok(None));
        assert_eq!(failure(b"\x03\xe8"), Ok(None));
        assert_eq!(failure(b"\x03\xe9"), Ok(Some(Failure::WsClose)));
        assert_eq!(failure(b"\x0f\xa0"), Ok(Some(Failure::WsClose)));
    }

    #[test]
    fn long_reasons_are_cut_between_characters() {
        assert_eq!(fitting("bye"), "bye");
        assert_eq!(fitting(&"x".repeat(124)).len(), 123);
        assert_eq!(fitting(&"é".repeat(62)).len(), 122);
    }
}
