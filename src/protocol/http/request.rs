//! A request as bytes, encoded once per plan and sent many times (RFC 9112 sections 3 and 5).
//!
//! What the user wrote is checked here, so that no request can be framed in two ways: names are
//! tokens, values hold no CR, LF or NUL, and the length is the body's. Messages name the header and
//! never show its value, which may be a secret.

use std::fmt;
use std::sync::Arc;

use http::uri::Authority;
use http::{HeaderName, HeaderValue, Method};

use super::limits::REQUEST_BYTES_MAX;
use super::{ReplyTo, Reuse};

/// One request, ready to be sent; clones share its bytes.
#[derive(Clone)]
pub struct Request {
    /// Its method.
    pub method: Method,
    /// Whether the connection can serve again as far as the request decides it: not after a
    /// `Connection: close` of the user's.
    pub reuse: Reuse,
    bytes: Arc<[u8]>,
}

impl Request {
    /// Begins a request for `target` (path and query) on `host` (name or address, and port where
    /// it is not the scheme's own).
    #[must_use]
    pub fn builder(method: Method, target: &str, host: &str) -> RequestBuilder {
        RequestBuilder {
            method,
            target: target.to_owned(),
            host: host.to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// The bytes to send.
    #[must_use]
    pub const fn bytes(&self) -> &Arc<[u8]> {
        &self.bytes
    }

    /// How its reply is framed.
    #[must_use]
    pub fn reply_to(&self) -> ReplyTo {
        if self.method == Method::HEAD { ReplyTo::Head } else { ReplyTo::Other }
    }
}

impl fmt::Debug for Request {
    /// Without the bytes: they may hold secrets.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Request({}, {} bytes)", self.method, self.bytes.len())
    }
}

/// What a request is made of, as the user wrote it.
pub struct RequestBuilder {
    method: Method,
    target: String,
    host: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

impl RequestBuilder {
    /// Adds a header, as written: names keep their case, repeated ones stay repeated.
    ///
    /// It takes the place of ours where it is `Host`, `User-Agent`, `Accept` or `Content-Length`.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Checks and encodes it.
    ///
    /// # Errors
    /// When a part cannot stand in a request, or contradicts another one.
    pub fn build(self) -> Result<Request, RequestError> {
        if self.method == Method::CONNECT {
            return Err(RequestError::Connect);
        }
        self.headers.iter().try_for_each(|(name, value)| check_header(name, value))?;
        self.check_framing()?;
        let mut bytes = Vec::with_capacity(256 + self.body.len());
        self.encode_target(&mut bytes)?;
        self.encode_headers(&mut bytes)?;
        bytes.extend_from_slice(&self.body);
        check_size(bytes.len())?;
        let reuse = if self.asks_to_close() { Reuse::Close } else { Reuse::Keep };
        Ok(Request { method: self.method, reuse, bytes: bytes.into() })
    }

    /// The request line; an empty path is `/` (RFC 9112 section 3.2.1).
    fn encode_target(&self, bytes: &mut Vec<u8>) -> Result<(), RequestError> {
        let target = self.target.as_str();
        let asterisk = target == "*" && self.method == Method::OPTIONS;
        let root = if target.is_empty() || target.starts_with('?') { "/" } else { "" };
        if root.is_empty() && !target.starts_with('/') && !asterisk {
            return Err(RequestError::TargetStart);
        }
        let wrong = |(_, found): &(usize, char)| !matches!(found, '!'..='~') || *found == '#';
        if let Some((at, found)) = target.char_indices().find(wrong) {
            return Err(RequestError::Target { found, at });
        }
        bytes.extend_from_slice(self.method.as_str().as_bytes());
        bytes.push(b' ');
        bytes.extend_from_slice(root.as_bytes());
        bytes.extend_from_slice(target.as_bytes());
        bytes.extend_from_slice(b" HTTP/1.1\r\n");
        Ok(())
    }

    /// Host first, as RFC 9110 section 7.2 advises, then what the user left out, then the user's.
    fn encode_headers(&self, bytes: &mut Vec<u8>) -> Result<(), RequestError> {
        const USER_AGENT: &str = concat!("onslaught/", env!("CARGO_PKG_VERSION"));
        let mut hosts = self.named("Host");
        match hosts.next() {
            Some((name, value)) => line(bytes, name, value),
            None => {
                check_host(&self.host)?;
                line(bytes, "Host", self.host.as_bytes());
            }
        }
        if hosts.next().is_some() {
            return Err(RequestError::Repeated { name: "Host" });
        }
        for (name, value) in [("User-Agent", USER_AGENT), ("Accept", "*/*")] {
            if self.named(name).next().is_none() {
                line(bytes, name, value.as_bytes());
            }
        }
        if self.named("Content-Length").next().is_none() && self.announces_length() {
            line(bytes, "Content-Length", self.body.len().to_string().as_bytes());
        }
        for (name, value) in &self.headers {
            if !name.eq_ignore_ascii_case("Host") {
                line(bytes, name, value);
            }
        }
        bytes.extend_from_slice(b"\r\n");
        Ok(())
    }

    /// A Content-Length must be the body's, and the body is not encoded.
    fn check_framing(&self) -> Result<(), RequestError> {
        if self.named("Transfer-Encoding").next().is_some() {
            return Err(RequestError::TransferEncoding);
        }
        let mut lengths = self.named("Content-Length");
        let Some((_, value)) = lengths.next() else { return Ok(()) };
        if lengths.next().is_some() {
            return Err(RequestError::Repeated { name: "Content-Length" });
        }
        if value.trim_ascii() != self.body.len().to_string().as_bytes() {
            let found = String::from_utf8_lossy(value).into_owned();
            return Err(RequestError::ContentLength { found, body: self.body.len() });
        }
        Ok(())
    }

    /// An empty body is announced where one is expected (RFC 9110 section 8.6).
    fn announces_length(&self) -> bool {
        !self.body.is_empty() || [Method::POST, Method::PUT, Method::PATCH].contains(&self.method)
    }

    fn asks_to_close(&self) -> bool {
        let options = self.named("Connection").flat_map(|(_, value)| value.split(|b| *b == b','));
        options.map(<[u8]>::trim_ascii).any(|option| option.eq_ignore_ascii_case(b"close"))
    }

    fn named(&self, wanted: &str) -> impl Iterator<Item = (&str, &[u8])> {
        let all = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_slice()));
        all.filter(move |(name, _)| name.eq_ignore_ascii_case(wanted))
    }
}

/// Why a request cannot be sent as it was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// CONNECT makes a tunnel, not a reply.
    #[error("method CONNECT opens a tunnel and gets no reply to measure; use another method")]
    Connect,
    /// No origin form. The target is not shown: its query may hold a secret.
    #[error("the target does not start with '/'; give path and query alone, without a host")]
    TargetStart,
    /// A character that ends the target, or could.
    #[error("the target holds {found:?} at byte {at}; percent-encode it")]
    Target {
        /// The character.
        found: char,
        /// Its place in the target.
        at: usize,
    },
    /// No host and port.
    #[error("host {host:?} is not a name or an address with an optional port")]
    Host {
        /// As it was written.
        host: String,
    },
    /// A name that is no token.
    #[error("header {name:?} has a name that is no token (RFC 9110, 5.1); use letters and digits")]
    HeaderName {
        /// As it was written.
        name: String,
    },
    /// A value that could end its line. The value is not shown: it may be a secret.
    #[error("header '{name}' holds byte 0x{found:02x} at {at} of its value (RFC 9110, 5.5)")]
    HeaderValue {
        /// The header.
        name: String,
        /// The control character.
        found: u8,
        /// Its place in the value.
        at: usize,
    },
    /// A header that may stand there once.
    #[error("header '{name}' is given more than once (RFC 9112, 3.2 and 6.3); keep one")]
    Repeated {
        /// The header.
        name: &'static str,
    },
    /// A length that is not the body's.
    #[error("header 'Content-Length' is {found:?} and the body has {body} bytes; leave it out")]
    ContentLength {
        /// As it was written.
        found: String,
        /// The body's length.
        body: usize,
    },
    /// An encoding that the body does not have.
    #[error("header 'Transfer-Encoding' contradicts the body, sent as it is; leave it out")]
    TransferEncoding,
    /// A name or a password before the host. It is not shown.
    #[error("the host carries user information before an '@'; use an Authorization header")]
    UserInformation,
    /// Larger than its bound.
    #[error("the request has {found} bytes, and the most is {REQUEST_BYTES_MAX}")]
    TooLarge {
        /// Bytes of head and body.
        found: usize,
    },
}

fn check_header(name: &str, value: &[u8]) -> Result<(), RequestError> {
    if HeaderName::from_bytes(name.as_bytes()).is_err() {
        return Err(RequestError::HeaderName { name: name.to_owned() });
    }
    if HeaderValue::from_bytes(value).is_ok() {
        return Ok(());
    }
    let control = value.iter().enumerate().find(|(_, byte)| byte.is_ascii_control());
    let (at, found) = control.map_or((0, 0), |(at, byte)| (at, *byte));
    Err(RequestError::HeaderValue { name: name.to_owned(), found, at })
}

/// `uri-host [":" port]`: an authority without user information (RFC 9110 section 7.2).
fn check_host(host: &str) -> Result<(), RequestError> {
    if host.contains('@') {
        return Err(RequestError::UserInformation);
    }
    let authority = host.parse::<Authority>().ok().filter(|found| !found.host().is_empty());
    let valid = authority.is_some_and(|found| found.host() == host || found.port().is_some());
    if valid { Ok(()) } else { Err(RequestError::Host { host: host.to_owned() }) }
}

const fn check_size(found: usize) -> Result<(), RequestError> {
    if found > REQUEST_BYTES_MAX { Err(RequestError::TooLarge { found }) } else { Ok(()) }
}

fn line(bytes: &mut Vec<u8>, name: &str, value: &[u8]) {
    bytes.extend_from_slice(name.as_bytes());
    bytes.extend_from_slice(b": ");
    bytes.extend_from_slice(value);
    bytes.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::{REQUEST_BYTES_MAX, RequestError, check_host, check_size};

    #[test]
    fn size_is_bounded() {
        assert_eq!(check_size(REQUEST_BYTES_MAX), Ok(()));
        let found = REQUEST_BYTES_MAX + 1;
        assert_eq!(check_size(found), Err(RequestError::TooLarge { found }));
    }

    #[test]
    fn hosts() {
        for host in ["localhost", "localhost:8080", "127.0.0.1:1", "[::1]:80", "a-b.example"] {
            assert_eq!(check_host(host), Ok(()), "{host}");
        }
        for host in ["", "a b", "user@host", "host/path", "host:x", "a\r\nX: y", ":80"] {
            assert!(check_host(host).is_err(), "{host} is no host");
        }
    }
}
