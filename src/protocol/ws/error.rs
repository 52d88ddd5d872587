//! What can be wrong with a peer's frames: one variant per fault, with the rule that it breaks.

use super::CloseCode;
use super::frame::OpCode;
use super::limits::CONTROL_BYTES_MAX;
use crate::protocol::Failure;

/// Why a connection cannot go on. Its framing is lost, or the peer is not to be trusted with it.
///
/// Each sentence ends with the rule: "RFC 6455, 5.2" is its section 5.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WsError {
    /// A reserved bit, and no extension was agreed on.
    #[error("a frame begins with 0x{found:02x}: reserved bits are set (RFC 6455, 5.2)")]
    ReservedBits {
        /// The frame's first byte.
        found: u8,
    },
    /// An operation code that has no meaning yet.
    #[error("a frame's operation code is 0x{found:x}, which is reserved (RFC 6455, 5.2)")]
    OpCode {
        /// The code.
        found: u8,
    },
    /// A control frame without FIN.
    #[error("a {op_code} frame is fragmented (RFC 6455, 5.5)")]
    ControlFragmented {
        /// Which one.
        op_code: OpCode,
    },
    /// A control frame with an extended length.
    #[error("a {op_code} frame has more than {CONTROL_BYTES_MAX} bytes (RFC 6455, 5.5)")]
    ControlTooLong {
        /// Which one.
        op_code: OpCode,
    },
    /// A server's frame with a key.
    #[error("the server sent a masked frame (RFC 6455, 5.1)")]
    MaskedByServer,
    /// A client's frame without a key.
    #[error("the client sent a frame that is not masked (RFC 6455, 5.1)")]
    NotMaskedByClient,
    /// A length of 64 bits above 2^63 − 1.
    #[error("a frame's length of 64 bits has its highest bit set (RFC 6455, 5.2)")]
    LengthHighBit,
    /// A length in more bytes than it needs.
    #[error("a frame's length, {len}, is written in more bytes than it needs (RFC 6455, 5.2)")]
    LengthNotMinimal {
        /// The length.
        len: u64,
    },
    /// A continuation where no message had begun.
    #[error("a continuation frame came, and no message had begun (RFC 6455, 5.4)")]
    NothingToContinue,
    /// A message within the fragments of another one.
    #[error("a {op_code} frame came within the fragments of a message (RFC 6455, 5.4)")]
    MessageWithinMessage {
        /// Its kind.
        op_code: OpCode,
    },
    /// A text message that is no UTF-8.
    #[error("a text message is not valid UTF-8 (RFC 6455, 8.1)")]
    Utf8,
    /// A close frame of one byte.
    #[error("a close frame has one byte, and a code takes two (RFC 6455, 5.5.1)")]
    CloseLength,
    /// A close code that may not stand in a frame.
    #[error("a close frame has code {found}, which no peer may send (RFC 6455, 7.4)")]
    CloseCode {
        /// The code.
        found: u16,
    },
    /// A reason that is no UTF-8.
    #[error("a close frame's reason is not valid UTF-8 (RFC 6455, 5.5.1)")]
    CloseReason,
    /// A message beyond its bound.
    #[error("a message has {len} bytes or more, and the most is {max} (RFC 6455, 10.4)")]
    MessageTooLong {
        /// Bytes of its fragments so far, with those that the last header announced.
        len: u64,
        /// The bound.
        max: u64,
    },
    /// The stream ended although no close frame had come.
    #[error("the connection ended without a close frame (RFC 6455, 7.1.5)")]
    NoClose,
    /// The stream ended although our close frame was not answered.
    #[error("the connection ended without an answer to our close frame (RFC 6455, 7.1.5)")]
    CloseNotAnswered,
    /// The stream ended within a frame, or between the fragments of a message.
    #[error("the connection ended within a frame or a message (RFC 6455, 7.1.5)")]
    MessageCut,
}

impl WsError {
    /// What the peer is told before the connection is dropped; none if it is not there any more
    /// (to be counted as [`CloseCode::ABNORMAL`]).
    #[must_use]
    pub const fn close_code(&self) -> Option<CloseCode> {
        match self {
            Self::ReservedBits { .. }
            | Self::OpCode { .. }
            | Self::ControlFragmented { .. }
            | Self::ControlTooLong { .. }
            | Self::MaskedByServer
            | Self::NotMaskedByClient
            | Self::LengthHighBit
            | Self::LengthNotMinimal { .. }
            | Self::NothingToContinue
            | Self::MessageWithinMessage { .. }
            | Self::CloseLength
            | Self::CloseCode { .. } => Some(CloseCode::PROTOCOL),
            Self::Utf8 | Self::CloseReason => Some(CloseCode::INVALID_DATA),
            Self::MessageTooLong { .. } => Some(CloseCode::TOO_BIG),
            Self::NoClose | Self::CloseNotAnswered | Self::MessageCut => None,
        }
    }

    /// The class under which it is counted. [`Failure::WsClose`] is not among them: see
    /// [`Close::failure`](super::Close::failure).
    #[must_use]
    pub const fn failure(&self) -> Failure {
        match self {
            Self::ReservedBits { .. }
            | Self::OpCode { .. }
            | Self::ControlFragmented { .. }
            | Self::ControlTooLong { .. }
            | Self::MaskedByServer
            | Self::NotMaskedByClient
            | Self::LengthHighBit
            | Self::LengthNotMinimal { .. }
            | Self::NothingToContinue
            | Self::MessageWithinMessage { .. }
            | Self::CloseLength
            | Self::CloseCode { .. }
            | Self::Utf8
            | Self::CloseReason => Failure::Protocol,
            Self::MessageTooLong { .. } => Failure::Limit,
            Self::NoClose | Self::CloseNotAnswered | Self::MessageCut => Failure::Truncated,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{OpCode, WsError};

    #[test]
    fn sentences_say_what_was_found_and_which_rule_it_breaks() {
        let said = |error: WsError| error.to_string();
        assert_eq!(
            said(WsError::ReservedBits { found: 0xc1 }),
            "a frame begins with 0xc1: reserved bits are set (RFC 6455, 5.2)"
        );
        assert_eq!(
            said(WsError::OpCode { found: 0xb }),
            "a frame's operation code is 0xb, which is reserved (RFC 6455, 5.2)"
        );
        assert_eq!(
            said(WsError::ControlTooLong { op_code: OpCode::Ping }),
            "a ping frame has more than 125 bytes (RFC 6455, 5.5)"
        );
        assert_eq!(
            said(WsError::MessageWithinMessage { op_code: OpCode::Text }),
            "a text frame came within the fragments of a message (RFC 6455, 5.4)"
        );
    }
}
