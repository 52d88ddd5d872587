//! What can be wrong with a reply: one variant per fault, with the rule that it breaks.

use super::limits::{
    CHUNK_LINE_BYTES_MAX, HEAD_BYTES_MAX, HEADERS_MAX, INTERIM_REPLIES_MAX, TRAILER_BYTES_MAX,
};
use crate::protocol::Failure;

/// Why a reply could not be had. The connection is not to be used again.
///
/// Each sentence ends with the rule: "RFC 9112, 7.1" is its section 7.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExchangeError {
    /// The first bytes are of another protocol.
    #[error("the reply does not begin with \"HTTP/\": found {} (RFC 9112, 2.3)", Shown(.found))]
    NotHttp {
        /// The first byte that differs.
        found: u8,
    },
    /// A version other than 1.0 and 1.1.
    #[error("the reply's version is neither HTTP/1.0 nor HTTP/1.1 (RFC 9112, 2.3)")]
    Version,
    /// No three digits after the version, or control characters in the reason.
    #[error("the status line is not a version, three digits and a reason (RFC 9112, 4)")]
    StatusLine,
    /// A status that no class has.
    #[error("the status is {found:03}, and the lowest is 100 (RFC 9110, 15)")]
    StatusCode {
        /// The status.
        found: u16,
    },
    /// A header line without a name, or with a name that is no token.
    #[error("a header line has no valid name before its colon (RFC 9112, 5)")]
    HeaderName,
    /// A control character in a header's value.
    #[error("a header's value holds NUL, a bare CR or another control (RFC 9110, 5.5)")]
    HeaderValue,
    /// CR without LF at the end of the head.
    #[error("a CR without LF where a line of the head begins (RFC 9112, 2.2)")]
    BareCr,
    /// A Content-Length that is not digits alone.
    #[error("Content-Length is not a decimal number (RFC 9110, 8.6)")]
    ContentLength,
    /// A Content-Length above 2^64 − 1.
    #[error("Content-Length does not fit 64 bits (RFC 9110, 8.6)")]
    ContentLengthOverflow,
    /// Content-Lengths that contradict each other.
    #[error("Content-Length is said to be {first} and {other} (RFC 9112, 6.3 rule 5)")]
    ContentLengthsDiffer {
        /// The first one.
        first: u64,
        /// The first one that differs.
        other: u64,
    },
    /// Both ways to delimit a body.
    #[error("both Content-Length and Transfer-Encoding are given (RFC 9112, 6.3 rule 3)")]
    LengthWithTransferEncoding,
    /// A transfer coding other than a single `chunked`.
    #[error("Transfer-Encoding is anything but one \"chunked\" (RFC 9112, 6.1)")]
    TransferEncoding,
    /// A Transfer-Encoding where the version has none.
    #[error("Transfer-Encoding in an HTTP/1.0 reply (RFC 9112, 6.1)")]
    TransferEncodingInHttp10,
    /// 101 Switching Protocols without an Upgrade in the request.
    #[error("101 Switching Protocols was not asked for (RFC 9110, 15.2.2)")]
    UnaskedSwitch,
    /// No digit where a chunk's size must be, or something strange behind its digits.
    #[error("expected a chunk's size in hexadecimal, found {} (RFC 9112, 7.1)", Shown(.found))]
    ChunkSize {
        /// The byte in its place.
        found: u8,
    },
    /// A chunk's size above 2^64 − 1.
    #[error("a chunk's size does not fit 64 bits (RFC 9112, 7.1)")]
    ChunkSizeOverflow,
    /// A control character in a chunk extension.
    #[error("a chunk extension holds {} (RFC 9112, 7.1.1)", Shown(.found))]
    ChunkExtension {
        /// The control character.
        found: u8,
    },
    /// A chunk-size line that does not end in CRLF.
    #[error("a chunk's size line does not end in CRLF: found {} (RFC 9112, 7.1)", Shown(.found))]
    ChunkLineEnd {
        /// The byte in its place.
        found: u8,
    },
    /// Data of a chunk that is not followed by CRLF.
    #[error("a chunk's data is followed by {} instead of CRLF (RFC 9112, 7.1)", Shown(.found))]
    ChunkEnd {
        /// The byte in its place.
        found: u8,
    },
    /// A trailer that is no header line.
    #[error("a trailer is no header line ended by CRLF: found {} (RFC 9112, 7.1.2)", Shown(.found))]
    Trailer {
        /// The first byte that cannot stand where it stands.
        found: u8,
    },
    /// The connection ended before any byte of the reply.
    #[error("the connection ended before any byte of the reply came (RFC 9112, 8)")]
    NoReply,
    /// The connection ended within the head.
    #[error("the connection ended after {received} bytes of a head (RFC 9112, 8)")]
    HeadCut {
        /// Bytes of the head that had come, after any interim replies.
        received: usize,
    },
    /// The connection ended within a body of known length.
    #[error("the connection ended {missing} bytes short of Content-Length (RFC 9112, 8)")]
    BodyCut {
        /// Bytes that had not come.
        missing: u64,
    },
    /// The connection ended within a chunked body.
    #[error("the connection ended before the last chunk and its empty line (RFC 9112, 8)")]
    ChunksCut,
    /// Bytes that belong to no request.
    #[error("bytes came after the end of the reply, or without a request (RFC 9112, 9.2)")]
    Surplus,
    /// The head does not end within its bound.
    #[error("the head does not end within {HEAD_BYTES_MAX} bytes")]
    HeadTooLarge,
    /// More header lines than its bound.
    #[error("the head has more than {HEADERS_MAX} header lines")]
    TooManyHeaders,
    /// More interim replies than their bound.
    #[error("more than {INTERIM_REPLIES_MAX} interim replies (1xx) came before the final one")]
    TooManyInterim,
    /// A chunk-size line beyond its bound.
    #[error("a chunk's size line is longer than {CHUNK_LINE_BYTES_MAX} bytes (RFC 9112, 7.1.1)")]
    ChunkLineTooLong,
    /// Trailers beyond their bound.
    #[error("the trailers are longer than {TRAILER_BYTES_MAX} bytes (RFC 9112, 7.1.2)")]
    TrailersTooLong,
}

impl ExchangeError {
    /// The class under which it is counted.
    #[must_use]
    pub const fn failure(&self) -> Failure {
        match self {
            Self::NotHttp { .. }
            | Self::Version
            | Self::StatusLine
            | Self::StatusCode { .. }
            | Self::HeaderName
            | Self::HeaderValue
            | Self::BareCr
            | Self::ContentLength
            | Self::ContentLengthOverflow
            | Self::ContentLengthsDiffer { .. }
            | Self::LengthWithTransferEncoding
            | Self::TransferEncoding
            | Self::TransferEncodingInHttp10
            | Self::UnaskedSwitch
            | Self::ChunkSize { .. }
            | Self::ChunkSizeOverflow
            | Self::ChunkExtension { .. }
            | Self::ChunkLineEnd { .. }
            | Self::ChunkEnd { .. }
            | Self::Trailer { .. } => Failure::Protocol,
            Self::NoReply | Self::HeadCut { .. } | Self::BodyCut { .. } | Self::ChunksCut => {
                Failure::Truncated
            }
            Self::Surplus => Failure::Desync,
            Self::HeadTooLarge
            | Self::TooManyHeaders
            | Self::TooManyInterim
            | Self::ChunkLineTooLong
            | Self::TrailersTooLong => Failure::Limit,
        }
    }
}

/// A byte as people read it: quoted if it is visible, by number if not.
struct Shown<'a>(&'a u8);

impl std::fmt::Display for Shown<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            b'\r' => out.write_str("CR"),
            b'\n' => out.write_str("LF"),
            visible @ 0x21..=0x7e => write!(out, "'{}'", char::from(*visible)),
            other => write!(out, "byte 0x{other:02x}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ExchangeError;

    #[test]
    fn sentences_say_what_was_found_and_which_rule_it_breaks() {
        let said = |error: ExchangeError| error.to_string();
        assert_eq!(
            said(ExchangeError::NotHttp { found: 0x16 }),
            "the reply does not begin with \"HTTP/\": found byte 0x16 (RFC 9112, 2.3)"
        );
        assert_eq!(
            said(ExchangeError::ChunkEnd { found: b'x' }),
            "a chunk's data is followed by 'x' instead of CRLF (RFC 9112, 7.1)"
        );
        assert_eq!(
            said(ExchangeError::StatusCode { found: 7 }),
            "the status is 007, and the lowest is 100 (RFC 9110, 15)"
        );
        assert_eq!(
            said(ExchangeError::ContentLengthsDiffer { first: 5, other: 6 }),
            "Content-Length is said to be 5 and 6 (RFC 9112, 6.3 rule 5)"
        );
    }
}
