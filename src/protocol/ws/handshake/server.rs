//! A server's side: the request, and the 101 or the refusal (RFC 6455 section 4.2).

use std::mem::MaybeUninit;
use std::str;

use data_encoding::BASE64;
use httparse::{Header, Status};
use tungstenite::handshake::derive_accept_key;

use super::{KEY_BYTES, elements, has_element};
use crate::protocol::http::server::{FIELDS_MAX, HEAD_MAX};
use crate::protocol::ws::limits::SUBPROTOCOLS_MAX;

/// A client's request for a connection, found to be in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked<'a> {
    /// What for: path and query as they came.
    pub target: &'a str,
    /// The subprotocols that the client offers, the most preferred first.
    pub subprotocols: Vec<&'a str>,
    key: &'a [u8],
}

impl<'a> Asked<'a> {
    /// Reads the request at the front of `window`; gives its length too, or none if it is not
    /// complete. What is behind it is frames, if it is accepted.
    ///
    /// # Errors
    /// When it asks for something else, or not in the way that section 4.2.1 has it.
    pub fn read(window: &'a [u8]) -> Result<Option<(Self, usize)>, Refusal> {
        let mut fields = [const { MaybeUninit::<Header<'_>>::uninit() }; FIELDS_MAX];
        let mut head = httparse::Request::new(&mut []);
        let bounded = window.get(..HEAD_MAX).unwrap_or(window);
        match head.parse_with_uninit_headers(bounded, &mut fields) {
            Ok(Status::Complete(len)) => Ok(Some((Self::judge(&head)?, len))),
            Ok(Status::Partial) if bounded.len() == HEAD_MAX => Err(Refusal::TooLarge),
            Ok(Status::Partial) => Ok(None),
            Err(httparse::Error::TooManyHeaders) => Err(Refusal::TooLarge),
            Err(_) => Err(Refusal::Malformed),
        }
    }

    fn judge(head: &httparse::Request<'_, 'a>) -> Result<Self, Refusal> {
        let fields = Fields::read(head.headers)?;
        if !fields.upgrade {
            return Err(Refusal::NoUpgrade);
        }
        if head.method != Some("GET") || head.version != Some(1) {
            return Err(Refusal::RequestLine);
        }
        if !fields.connection || fields.hosts != 1 {
            return Err(Refusal::Fields);
        }
        if fields.version != Some(b"13") {
            return Err(Refusal::Version);
        }
        let key = fields.key.filter(|key| is_key(key)).ok_or(Refusal::Key)?;
        let target = head.path.unwrap_or_default();
        Ok(Self { target, subprotocols: fields.subprotocols, key })
    }

    /// Appends the 101, with one of the client's subprotocols if one is spoken.
    pub fn accept(&self, subprotocol: Option<&str>, out: &mut Vec<u8>) {
        out.extend_from_slice(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
              Connection: Upgrade\r\nSec-WebSocket-Accept: ",
        );
        out.extend_from_slice(derive_accept_key(self.key).as_bytes());
        if let Some(name) = subprotocol {
            debug_assert!(self.subprotocols.contains(&name), "{name} was not offered");
            out.extend_from_slice(b"\r\nSec-WebSocket-Protocol: ");
            out.extend_from_slice(name.as_bytes());
        }
        out.extend_from_slice(b"\r\n\r\n");
    }
}

/// What a request says about the connection.
#[derive(Default)]
struct Fields<'a> {
    hosts: u8,
    upgrade: bool,
    connection: bool,
    version: Option<&'a [u8]>,
    key: Option<&'a [u8]>,
    subprotocols: Vec<&'a str>,
}

impl<'a> Fields<'a> {
    fn read(headers: &[Header<'a>]) -> Result<Self, Refusal> {
        let mut fields = Self::default();
        for header in headers {
            fields.note(header)?;
        }
        Ok(fields)
    }

    /// Takes note of one field; most are told apart by their length.
    fn note(&mut self, header: &Header<'a>) -> Result<(), Refusal> {
        let is = |name: &str| header.name.eq_ignore_ascii_case(name);
        match header.name.len() {
            4 if is("Host") => self.hosts = self.hosts.saturating_add(1),
            7 if is("Upgrade") => self.upgrade |= has_element(header.value, "websocket"),
            10 if is("Connection") => self.connection |= has_element(header.value, "Upgrade"),
            17 if is("Sec-WebSocket-Key") => {
                return once(&mut self.key, header.value, Refusal::Key);
            }
            21 if is("Sec-WebSocket-Version") => {
                return once(&mut self.version, header.value, Refusal::Version);
            }
            22 if is("Sec-WebSocket-Protocol") => {
                let room = SUBPROTOCOLS_MAX.saturating_sub(self.subprotocols.len());
                let names = elements(header.value).filter_map(|name| str::from_utf8(name).ok());
                self.subprotocols.extend(names.take(room));
            }
            _ => {}
        }
        Ok(())
    }
}

/// Sets a field that may stand there once.
fn once<'a>(
    field: &mut Option<&'a [u8]>,
    value: &'a [u8],
    refusal: Refusal,
) -> Result<(), Refusal> {
    let before = field.replace(value.trim_ascii());
    if before.is_none() { Ok(()) } else { Err(refusal) }
}

/// Base64 of 16 bytes.
fn is_key(key: &[u8]) -> bool {
    let mut nonce = [0; KEY_BYTES / 4 * 3];
    key.len() == KEY_BYTES && BASE64.decode_mut(key, &mut nonce) == Ok(16)
}

/// Why a request is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// An ordinary request: to be served as such, or refused.
    #[error("the request has no \"Upgrade: websocket\" (RFC 6455, 4.2.1)")]
    NoUpgrade,
    /// No head of a request.
    #[error("the request head is malformed (RFC 9112, 3 and 5)")]
    Malformed,
    /// A head beyond the bounds of the HTTP side.
    #[error("the request head has more than {HEAD_MAX} bytes or {FIELDS_MAX} fields")]
    TooLarge,
    /// Another method or an older version.
    #[error("the request is not a GET of HTTP/1.1 (RFC 6455, 4.2.1)")]
    RequestLine,
    /// No `Connection: Upgrade`, or no single `Host`.
    #[error("the request lacks \"Connection: Upgrade\" or one Host (RFC 6455, 4.2.1)")]
    Fields,
    /// Another version of the protocol; the refusal names ours.
    #[error("Sec-WebSocket-Version is not 13 (RFC 6455, 4.2.1)")]
    Version,
    /// No key, more than one, or not base64 of 16 bytes.
    #[error("Sec-WebSocket-Key is not base64 of 16 bytes (RFC 6455, 4.2.1)")]
    Key,
}

impl Refusal {
    /// The status that tells the client (section 4.2.2).
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::Malformed | Self::RequestLine | Self::Fields | Self::Key => 400,
            Self::NoUpgrade | Self::Version => 426,
            Self::TooLarge => 431,
        }
    }

    /// Appends the reply; the connection is to be closed behind it.
    pub fn encode(self, out: &mut Vec<u8>) {
        let line: &[u8] = match self.status() {
            426 => {
                b"HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\n\
                     Sec-WebSocket-Version: 13\r\n"
            }
            431 => b"HTTP/1.1 431 Request Header Fields Too Large\r\n",
            _ => b"HTTP/1.1 400 Bad Request\r\n",
        };
        out.extend_from_slice(line);
        out.extend_from_slice(b"Connection: close\r\nContent-Length: 0\r\n\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::is_key;

    #[test]
    fn keys_are_16_bytes_in_base64() {
        assert!(is_key(b"dGhlIHNhbXBsZSBub25jZQ=="));
        assert!(is_key(b"AAAAAAAAAAAAAAAAAAAAAA=="));
        for wrong in [
            "",
            "dGhlIHNhbXBsZSBub25jZQ",
            "dGhlIHNhbXBsZSBub25jZR==",
            "dGhlIHNhbXBsZSBub25jZQ=A",
            "dGhlIHNhbXBsZSBub25jZWU=",
            "dGhlIHNhbXBsZSBub25jZWVl",
            "dGhlIHNhbXBsZSBub25j!Q==",
            "dGhlIHNhbXBsZSBub25jZQ====",
        ] {
            assert!(!is_key(wrong.as_bytes()), "{wrong}");
        }
    }
}
