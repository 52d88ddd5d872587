//! The head of a reply: what of it decides how the reply goes on (RFC 9112 sections 4, 5, 6.3).
//!
//! Strict where bytes could be understood in two ways, lenient where the RFC tells a user agent to
//! be: lines may end in a lone LF (section 2.2) and values may be folded (section 5.2).

use std::mem::MaybeUninit;

use httparse::{Header, ParserConfig, Status};

use super::limits::{HEAD_BYTES_MAX, HEADERS_MAX};
use super::{ExchangeError, ReplyTo, Reuse};

/// What a complete head says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) status: u16,
    pub(super) reuse: Reuse,
    pub(super) length: Length,
}

/// How the body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Length {
    /// There is none, whatever the headers say.
    Nothing,
    Bytes(u64),
    Chunked,
    UntilClose,
}

/// Parses a head that may be followed by more; gives its length too, or none if it is not complete.
pub(super) fn parse(
    bytes: &[u8],
    reply_to: ReplyTo,
) -> Result<Option<(Head, usize)>, ExchangeError> {
    if let Some(found) = unlike_http(bytes) {
        return Err(ExchangeError::NotHttp { found });
    }
    let mut lines = [const { MaybeUninit::<Header<'_>>::uninit() }; HEADERS_MAX];
    let mut reply = httparse::Response::new(&mut []);
    let mut config = ParserConfig::default();
    config.allow_obsolete_multiline_headers_in_responses(true);
    let len = match config.parse_response_with_uninit_headers(&mut reply, bytes, &mut lines)? {
        Status::Complete(len) => len,
        Status::Partial => return Ok(None),
    };
    let mut fields = Fields::default();
    for header in &*reply.headers {
        fields.note(header)?;
    }
    let version = if reply.version == Some(0) { Version::Http10 } else { Version::Http11 };
    let status = reply.code.unwrap_or(0);
    if status < 100 {
        return Err(ExchangeError::StatusCode { found: status });
    }
    let length = fields.length(version, status, reply_to)?;
    let reuse = fields.reuse(version, length);
    Ok(Some((Head { status, reuse, length }, len)))
}

/// The first byte that differs from the beginning of every reply. Empty lines before the status
/// line are for servers alone to forgive (section 2.2).
fn unlike_http(bytes: &[u8]) -> Option<u8> {
    const NAME: &[u8] = b"HTTP/";
    if bytes.starts_with(NAME) {
        return None;
    }
    bytes.iter().zip(NAME).find(|(found, expected)| found != expected).map(|(found, _)| *found)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Version {
    Http10,
    Http11,
}

/// The three headers that decide about framing and reuse.
#[derive(Default)]
struct Fields {
    content_length: Option<u64>,
    chunked: bool,
    close: bool,
    keep_alive: bool,
}

impl Fields {
    /// Takes note of one header; most are told apart by their length.
    fn note(&mut self, header: &Header<'_>) -> Result<(), ExchangeError> {
        match header.name.len() {
            10 if is(header.name, "Connection") => self.connection(header.value),
            14 if is(header.name, "Content-Length") => return self.content_length(header.value),
            17 if is(header.name, "Transfer-Encoding") => {
                return self.transfer_encoding(header.value);
            }
            _ => {}
        }
        Ok(())
    }

    fn connection(&mut self, value: &[u8]) {
        if value == b"keep-alive" {
            self.keep_alive = true;
            return;
        }
        for option in elements(value) {
            self.close |= option.eq_ignore_ascii_case(b"close");
            self.keep_alive |= option.eq_ignore_ascii_case(b"keep-alive");
        }
    }

    /// Several lengths are one as long as they are equal (RFC 9110 section 8.6).
    fn content_length(&mut self, value: &[u8]) -> Result<(), ExchangeError> {
        for digits in value.split(|byte| *byte == b',') {
            let other = decimal(trim(digits))?;
            let first = *self.content_length.get_or_insert(other);
            if first != other {
                return Err(ExchangeError::ContentLengthsDiffer { first, other });
            }
        }
        Ok(())
    }

    /// We ask for no coding (no `TE`), so that `chunked` alone may come, and once (section 6.1).
    fn transfer_encoding(&mut self, value: &[u8]) -> Result<(), ExchangeError> {
        let mut codings = elements(value);
        let chunked = codings.next().is_some_and(|coding| coding.eq_ignore_ascii_case(b"chunked"));
        if !chunked || self.chunked || codings.next().is_some() {
            return Err(ExchangeError::TransferEncoding);
        }
        self.chunked = true;
        Ok(())
    }

    /// RFC 9112 section 6.3; contradictions are refused even where there is no body.
    const fn length(
        &self,
        version: Version,
        status: u16,
        reply_to: ReplyTo,
    ) -> Result<Length, ExchangeError> {
        match (self.content_length, self.chunked, version) {
            (Some(_), true, _) => return Err(ExchangeError::LengthWithTransferEncoding),
            (None, true, Version::Http10) => return Err(ExchangeError::TransferEncodingInHttp10),
            (_, false, _) | (None, true, Version::Http11) => {}
        }
        Ok(match (reply_to, status, self.content_length) {
            (ReplyTo::Head, _, _) | (ReplyTo::Other, 100..=199 | 204 | 304, _) => Length::Nothing,
            (ReplyTo::Other, _, Some(bytes)) => Length::Bytes(bytes),
            (ReplyTo::Other, _, None) if self.chunked => Length::Chunked,
            (ReplyTo::Other, _, None) => Length::UntilClose,
        })
    }

    /// RFC 9112 section 9.3.
    fn reuse(&self, version: Version, length: Length) -> Reuse {
        let persists = version == Version::Http11 || self.keep_alive;
        if persists && !self.close && length != Length::UntilClose {
            Reuse::Keep
        } else {
            Reuse::Close
        }
    }
}

/// Compares names: first as nearly all servers write them, in a few instructions instead of ten a
/// byte.
fn is(name: &str, usual: &str) -> bool {
    name == usual || name.eq_ignore_ascii_case(usual)
}

/// The elements of a list, without the empty ones (RFC 9110 section 5.6.1).
fn elements(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|byte| *byte == b',').map(trim).filter(|element| !element.is_empty())
}

/// Without white space at the ends: blanks, and the line ends of folded values.
const fn trim(value: &[u8]) -> &[u8] {
    value.trim_ascii()
}

/// Digits alone: no sign, no blanks, no fraction.
fn decimal(digits: &[u8]) -> Result<u64, ExchangeError> {
    if digits.is_empty() {
        return Err(ExchangeError::ContentLength);
    }
    let mut number = 0_u64;
    let mut overflow = false;
    for byte in digits {
        if !byte.is_ascii_digit() {
            return Err(ExchangeError::ContentLength);
        }
        let (tens, high) = number.overflowing_mul(10);
        let (sum, low) = tens.overflowing_add(u64::from(byte - b'0'));
        overflow |= high | low;
        number = sum;
    }
    if overflow { Err(ExchangeError::ContentLengthOverflow) } else { Ok(number) }
}

impl From<httparse::Error> for ExchangeError {
    fn from(error: httparse::Error) -> Self {
        match error {
            httparse::Error::HeaderName => Self::HeaderName,
            httparse::Error::HeaderValue => Self::HeaderValue,
            httparse::Error::NewLine => Self::BareCr,
            httparse::Error::Status | httparse::Error::Token => Self::StatusLine,
            httparse::Error::TooManyHeaders => Self::TooManyHeaders,
            httparse::Error::Version => Self::Version,
        }
    }
}

/// The beginning of a head whose end has not come: the only bytes of a reply that are ever kept.
///
/// ```text
///  bytes ├── kept: len <= HEAD_BYTES_MAX ──┤ then the new ones, searched once for the empty line
///        HTTP/1.1 200 OK CR LF Content-Len │ gth: 5 CR LF CR LF │ body, left in the input
/// ```
#[derive(Debug, Default)]
pub(in crate::protocol) struct PartialHead {
    bytes: Vec<u8>,
    line: Line,
}

/// What the line at the end of the bytes holds so far.
#[derive(Clone, Copy, Debug, Default)]
enum Line {
    Empty,
    Cr,
    #[default]
    Text,
}

/// Whether the head's end has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::protocol) enum Filled {
    Complete,
    Incomplete,
}

impl PartialHead {
    /// Moves bytes from the input here, up to the end of the head.
    pub(in crate::protocol) fn fill(&mut self, input: &mut &[u8]) -> Result<Filled, ExchangeError> {
        let room = HEAD_BYTES_MAX.saturating_sub(self.bytes.len());
        let window = input.get(..room).unwrap_or(input);
        let mut filled = Filled::Incomplete;
        let mut taken = window.len();
        for (at, byte) in window.iter().enumerate() {
            self.line = match (byte, self.line) {
                (b'\n', Line::Empty | Line::Cr) => {
                    filled = Filled::Complete;
                    taken = at + 1;
                    break;
                }
                (b'\n', Line::Text) => Line::Empty,
                (b'\r', Line::Empty) => Line::Cr,
                (_, Line::Empty | Line::Cr | Line::Text) => Line::Text,
            };
        }
        let (new, rest) = input.split_at_checked(taken).unwrap_or((input, &[]));
        self.bytes.extend_from_slice(new);
        *input = rest;
        if let Some(found) = unlike_http(&self.bytes) {
            return Err(ExchangeError::NotHttp { found });
        }
        if filled == Filled::Incomplete && self.bytes.len() >= HEAD_BYTES_MAX {
            return Err(ExchangeError::HeadTooLarge);
        }
        Ok(filled)
    }

    pub(in crate::protocol) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::{ExchangeError, Head, Length, ReplyTo, Reuse, decimal, parse};

    fn head(lines: &str) -> Result<Head, ExchangeError> {
        let bytes = format!("{}\r\n\r\n", lines.replace('\n', "\r\n"));
        parse(bytes.as_bytes(), ReplyTo::Other).map(|head| head.expect("complete").0)
    }

    #[test]
    fn numbers_are_digits_that_fit() {
        assert_eq!(decimal(b"0"), Ok(0));
        assert_eq!(decimal(b"007"), Ok(7));
        assert_eq!(decimal(b"18446744073709551615"), Ok(u64::MAX));
        let overflow = Err(ExchangeError::ContentLengthOverflow);
        assert_eq!(decimal(b"18446744073709551616"), overflow);
        assert_eq!(decimal(b"99999999999999999999999999"), overflow);
        for wrong in ["", "+5", "-5", "5.0", "0x5", "5 5", "five"] {
            assert_eq!(decimal(wrong.as_bytes()), Err(ExchangeError::ContentLength), "{wrong}");
        }
    }

    #[test]
    fn reuse_follows_version_and_connection() {
        let reuse = |lines| head(lines).map(|head| head.reuse);
        let cases = [
            ("HTTP/1.1 200 OK\nContent-Length: 1", Reuse::Keep),
            ("HTTP/1.1 200 OK\nContent-Length: 1\nConnection: close", Reuse::Close),
            ("HTTP/1.1 200 OK\nContent-Length: 1\nConnection: foo ,\tCLOSE", Reuse::Close),
            ("HTTP/1.1 200 OK\nContent-Length: 1\nConnection: closed", Reuse::Keep),
            ("HTTP/1.1 200 OK\nContent-Length: 1\nConnection: keep-alive, close", Reuse::Close),
            ("HTTP/1.1 200 OK", Reuse::Close),
            ("HTTP/1.0 200 OK\nContent-Length: 1", Reuse::Close),
            ("HTTP/1.0 200 OK\nContent-Length: 1\nconnection: Keep-Alive", Reuse::Keep),
            ("HTTP/1.0 200 OK\nConnection: keep-alive", Reuse::Close),
        ];
        for (lines, expected) in cases {
            assert_eq!(reuse(lines), Ok(expected), "{lines}");
        }
    }

    #[test]
    fn length_follows_the_rules_in_order() {
        let length = |lines| head(lines).map(|head| head.length);
        let cases = [
            ("HTTP/1.1 200 OK\ncontent-length: 5", Ok(Length::Bytes(5))),
            ("HTTP/1.1 200 OK\nContent-Length: 5, 5", Ok(Length::Bytes(5))),
            ("HTTP/1.1 200 OK\nContent-Length: 5\nContent-Length: 05", Ok(Length::Bytes(5))),
            ("HTTP/1.1 200 OK\nContent-Length:\n 5", Ok(Length::Bytes(5))),
            ("HTTP/1.1 200 OK\nContent-Length: 5,", Err(ExchangeError::ContentLength)),
            ("HTTP/1.1 200 OK\nTRANSFER-ENCODING: Chunked", Ok(Length::Chunked)),
            ("HTTP/1.1 200 OK\nTransfer-Encoding: , chunked", Ok(Length::Chunked)),
            ("HTTP/1.1 204 No\nTransfer-Encoding: chunked", Ok(Length::Nothing)),
            ("HTTP/1.1 304 Same\nContent-Length: 5", Ok(Length::Nothing)),
            ("HTTP/1.1 103 Early\nContent-Length: 5", Ok(Length::Nothing)),
            ("HTTP/1.1 205 Reset", Ok(Length::UntilClose)),
            (
                "HTTP/1.1 304 Same\nContent-Length: 5\nTransfer-Encoding: chunked",
                Err(ExchangeError::LengthWithTransferEncoding),
            ),
        ];
        for (lines, expected) in cases {
            assert_eq!(length(lines), expected, "{lines}");
        }
    }
}
