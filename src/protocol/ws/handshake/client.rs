//! A client's side: the request, and judging its reply (RFC 6455 section 4.1).

use std::mem::MaybeUninit;

use data_encoding::BASE64;
use http::{HeaderName, Method};
use httparse::{Header, ParserConfig, Status};
use tungstenite::handshake::derive_accept_key;

use super::{KEY_BYTES, elements, has_element};
use crate::protocol::Failure;
use crate::protocol::http::head::{Filled, PartialHead};
use crate::protocol::http::limits::{HEADERS_MAX, INTERIM_REPLIES_MAX};
use crate::protocol::http::{ExchangeError, Request, RequestBuilder, RequestError};
use crate::protocol::ws::limits::SUBPROTOCOLS_MAX;

/// A request for a connection, checked once and sent many times, with a fresh key each time.
#[derive(Clone, Debug)]
pub struct Upgrade {
    request: Request,
    /// Where the key stands in the request's bytes.
    key_at: usize,
    subprotocols: Vec<String>,
}

const KEY: &str = "Sec-WebSocket-Key";
/// Stands in the request where the key goes.
const NO_KEY: [u8; KEY_BYTES] = *b"AAAAAAAAAAAAAAAAAAAAAA==";

impl Upgrade {
    /// Begins a request for `target` (path and query) on `host` (name or address, and port where
    /// it is not the scheme's own).
    #[must_use]
    pub fn builder(target: &str, host: &str) -> UpgradeBuilder {
        let request = Request::builder(Method::GET, target, host)
            .header("Connection", "Upgrade")
            .header("Upgrade", "websocket")
            .header("Sec-WebSocket-Version", "13")
            .header(KEY, NO_KEY);
        UpgradeBuilder { request, reserved: None, subprotocols: Vec::new() }
    }

    /// Appends the request with a key made of 16 random bytes, fresh for each connection; gives
    /// what awaits its reply.
    pub fn encode(&self, nonce: [u8; 16], out: &mut Vec<u8>) -> Opening {
        let mut key = NO_KEY;
        BASE64.encode_mut(&nonce, &mut key);
        let bytes = self.request.bytes();
        let (before, behind) = bytes.split_at_checked(self.key_at).unwrap_or((bytes, &[]));
        out.extend_from_slice(before);
        out.extend_from_slice(&key);
        out.extend_from_slice(behind.get(KEY_BYTES..).unwrap_or_default());
        Opening { key, interim: 0, head: PartialHead::default() }
    }

    /// The subprotocols that are offered, in the order of preference.
    #[must_use]
    pub fn subprotocols(&self) -> &[String] {
        &self.subprotocols
    }
}

/// What a request for a connection is made of, as the user wrote it.
pub struct UpgradeBuilder {
    request: RequestBuilder,
    /// The first header that is the handshake's own.
    reserved: Option<String>,
    subprotocols: Vec<String>,
}

impl UpgradeBuilder {
    /// Adds a header, such as `Origin`, `Cookie` or `Authorization`.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<Vec<u8>>) -> Self {
        let name = name.into();
        if self.reserved.is_none() && is_reserved(&name) {
            self.reserved = Some(name.clone());
        }
        self.request = self.request.header(name, value);
        self
    }

    /// Offers a subprotocol, less preferred than those before.
    #[must_use]
    pub fn subprotocol(mut self, name: impl Into<String>) -> Self {
        self.subprotocols.push(name.into());
        self
    }

    /// Checks and encodes it.
    ///
    /// # Errors
    /// When a part cannot stand in a request, or contradicts the handshake.
    pub fn build(self) -> Result<Upgrade, UpgradeError> {
        if let Some(name) = self.reserved {
            return Err(UpgradeError::Reserved { name });
        }
        check_subprotocols(&self.subprotocols)?;
        let mut request = self.request;
        if !self.subprotocols.is_empty() {
            request = request.header(SUBPROTOCOL, self.subprotocols.join(", "));
        }
        let request = request.build()?;
        let line = format!("\r\n{KEY}: ");
        let at = request.bytes().windows(line.len()).position(|found| found == line.as_bytes());
        // Always there: it was put there above, and no other header has its name.
        let key_at = at.unwrap_or(0) + line.len();
        Ok(Upgrade { request, key_at, subprotocols: self.subprotocols })
    }
}

fn is_reserved(name: &str) -> bool {
    const OURS: [&str; 6] =
        ["Connection", "Upgrade", "Sec-WebSocket-Version", KEY, SUBPROTOCOL, EXTENSIONS];
    OURS.iter().any(|ours| name.eq_ignore_ascii_case(ours))
}

/// They are tokens, and no two are the same (section 4.1, requirement 10).
fn check_subprotocols(names: &[String]) -> Result<(), UpgradeError> {
    if names.len() > SUBPROTOCOLS_MAX {
        return Err(UpgradeError::Subprotocols { found: names.len() });
    }
    for (at, name) in names.iter().enumerate() {
        let token = HeaderName::from_bytes(name.as_bytes()).is_ok();
        if !token || names.iter().take(at).any(|before| before == name) {
            return Err(UpgradeError::Subprotocol { name: name.clone() });
        }
    }
    Ok(())
}

/// Why a connection cannot be asked for as it was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UpgradeError {
    /// No request, even without the handshake.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// A header that is the handshake's own.
    #[error("header '{name}' is part of the handshake (RFC 6455, 4.1); leave it out")]
    Reserved {
        /// As it was written.
        name: String,
    },
    /// No token, or given twice.
    #[error("subprotocol {name:?} is no token, or is given twice (RFC 6455, 4.1)")]
    Subprotocol {
        /// As it was written.
        name: String,
    },
    /// Too many to offer.
    #[error("{found} subprotocols are offered, and the most is {SUBPROTOCOLS_MAX}")]
    Subprotocols {
        /// How many there are.
        found: usize,
    },
}

/// A client that awaits the server's reply.
///
/// | in its place  | 1xx but 101 | 101        | other reply | end of stream |
/// |---------------|-------------|------------|-------------|---------------|
/// | `More`        | `More`      | `Accepted` | `Refused`   | error         |
///
/// It is consumed by what it becomes, so that a reply is judged once. The head is gathered until
/// its end has come: that is once per connection, and a fault is the same however it was cut.
#[derive(Debug)]
pub struct Opening {
    key: [u8; KEY_BYTES],
    interim: u8,
    head: PartialHead,
}

/// How far the bytes have brought the handshake.
#[derive(Debug)]
#[must_use]
pub enum Opened {
    /// More bytes are needed; all were taken.
    More(Opening),
    /// The connection is open; what is left of the input is frames.
    Accepted {
        /// Which of the offered subprotocols is spoken, by its place; none if none is.
        subprotocol: Option<usize>,
    },
    /// The server is reached, and answered with an ordinary reply. The connection is to be
    /// dropped: the reply's body is not read.
    Refused {
        /// The reply's status, never 1xx.
        status: u16,
    },
}

impl Opening {
    /// Appends the headers of the handshake, with a key made of 16 random bytes, and the empty
    /// line, to a request line and headers of the caller's; no subprotocol is offered.
    pub fn begin(nonce: [u8; 16], out: &mut Vec<u8>) -> Self {
        let mut key = NO_KEY;
        BASE64.encode_mut(&nonce, &mut key);
        out.extend_from_slice(
            b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n",
        );
        out.extend_from_slice(b"Sec-WebSocket-Key: ");
        out.extend_from_slice(&key);
        out.extend_from_slice(b"\r\n\r\n");
        Self { key, interim: 0, head: PartialHead::default() }
    }

    /// Takes bytes from the front of the input, up to the end of the reply's head.
    ///
    /// # Errors
    /// When the reply is malformed, or accepts what was not asked.
    pub fn receive(self, asked: &Upgrade, input: &mut &[u8]) -> Result<Opened, HandshakeError> {
        self.receive_offered(&asked.subprotocols, input)
    }

    /// The same for a request that was made without an [`Upgrade`]: these subprotocols were
    /// offered.
    ///
    /// # Errors
    /// As [`Self::receive`].
    pub fn receive_offered(
        mut self,
        subprotocols: &[String],
        input: &mut &[u8],
    ) -> Result<Opened, HandshakeError> {
        while !input.is_empty() {
            if self.head.fill(input)? == Filled::Incomplete {
                break;
            }
            let head = std::mem::take(&mut self.head);
            match judge(head.bytes(), &self.key, subprotocols)? {
                Judged::Interim if self.interim == INTERIM_REPLIES_MAX => {
                    return Err(ExchangeError::TooManyInterim.into());
                }
                Judged::Interim => self.interim += 1,
                Judged::Accepted { subprotocol } => return Ok(Opened::Accepted { subprotocol }),
                Judged::Refused { status } => return Ok(Opened::Refused { status }),
            }
        }
        Ok(Opened::More(self))
    }

    /// The server has ended the stream.
    #[must_use]
    pub fn end_of_stream(self) -> HandshakeError {
        match (self.head.bytes().len(), self.interim) {
            (0, 0) => ExchangeError::NoReply.into(),
            (received, _) => ExchangeError::HeadCut { received }.into(),
        }
    }
}

/// What a complete head comes to.
enum Judged {
    Interim,
    Accepted { subprotocol: Option<usize> },
    Refused { status: u16 },
}

fn judge(
    head: &[u8],
    key: &[u8; KEY_BYTES],
    subprotocols: &[String],
) -> Result<Judged, HandshakeError> {
    let mut lines = [const { MaybeUninit::<Header<'_>>::uninit() }; HEADERS_MAX];
    let mut reply = httparse::Response::new(&mut []);
    let mut config = ParserConfig::default();
    config.allow_obsolete_multiline_headers_in_responses(true);
    let parsed = config.parse_response_with_uninit_headers(&mut reply, head, &mut lines);
    if parsed.map_err(ExchangeError::from)? == Status::Partial {
        return Err(ExchangeError::HeaderName.into());
    }
    match reply.code.unwrap_or(0) {
        found @ ..100 => Err(ExchangeError::StatusCode { found }.into()),
        101 if reply.version == Some(0) => Err(HandshakeError::Version),
        101 => {
            let fields = Fields::read(reply.headers)?;
            let subprotocol = fields.judge(key, subprotocols)?;
            Ok(Judged::Accepted { subprotocol })
        }
        100..200 => Ok(Judged::Interim),
        status => Ok(Judged::Refused { status }),
    }
}

/// What a 101 says about the connection.
#[derive(Default)]
struct Fields<'a> {
    upgrade: Option<&'a [u8]>,
    connection: bool,
    accept: Option<&'a [u8]>,
    subprotocol: Option<&'a [u8]>,
    extensions: bool,
}

impl<'a> Fields<'a> {
    fn read(headers: &[Header<'a>]) -> Result<Self, HandshakeError> {
        let mut fields = Self::default();
        for header in headers {
            let once = match header.name.len() {
                7 if header.name.eq_ignore_ascii_case("Upgrade") => &mut fields.upgrade,
                10 if header.name.eq_ignore_ascii_case("Connection") => {
                    fields.connection |= has_element(header.value, "Upgrade");
                    continue;
                }
                20 if header.name.eq_ignore_ascii_case(ACCEPT) => &mut fields.accept,
                22 if header.name.eq_ignore_ascii_case(SUBPROTOCOL) => &mut fields.subprotocol,
                24 if header.name.eq_ignore_ascii_case(EXTENSIONS) => {
                    fields.extensions |= elements(header.value).next().is_some();
                    continue;
                }
                _ => continue,
            };
            if once.replace(header.value.trim_ascii()).is_some() {
                return Err(HandshakeError::Repeated { name: header.name.to_ascii_lowercase() });
            }
        }
        Ok(fields)
    }

    /// Which subprotocol is spoken, if all is as section 4.1 has it (its list of what the client
    /// must validate, from 2 on).
    fn judge(
        &self,
        key: &[u8; KEY_BYTES],
        subprotocols: &[String],
    ) -> Result<Option<usize>, HandshakeError> {
        let upgrade = self.upgrade.unwrap_or_default();
        if !upgrade.eq_ignore_ascii_case(b"websocket") {
            return Err(HandshakeError::Upgrade);
        }
        if !self.connection {
            return Err(HandshakeError::Connection);
        }
        if self.accept != Some(derive_accept_key(key).as_bytes()) {
            return Err(HandshakeError::Accept);
        }
        if self.extensions {
            return Err(HandshakeError::UnaskedExtension);
        }
        let Some(chosen) = self.subprotocol else { return Ok(None) };
        let mut offered = subprotocols.iter();
        match offered.position(|offer| offer.as_bytes() == chosen) {
            Some(place) => Ok(Some(place)),
            None => Err(HandshakeError::UnaskedSubprotocol),
        }
    }
}

const ACCEPT: &str = "Sec-WebSocket-Accept";
const SUBPROTOCOL: &str = "Sec-WebSocket-Protocol";
const EXTENSIONS: &str = "Sec-WebSocket-Extensions";

/// Why a connection could not be opened. A refusal is none: see [`Opened::Refused`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HandshakeError {
    /// The reply is malformed, endless or cut.
    #[error(transparent)]
    Reply(#[from] ExchangeError),
    /// 101 in a version that cannot switch.
    #[error("the 101 is of HTTP/1.0 (RFC 6455, 4.2.2)")]
    Version,
    /// No `Upgrade: websocket`.
    #[error("the 101 has no \"Upgrade: websocket\" (RFC 6455, 4.1)")]
    Upgrade,
    /// No `Connection: Upgrade`.
    #[error("the 101 has no \"Connection: Upgrade\" (RFC 6455, 4.1)")]
    Connection,
    /// No accept key, or that of another handshake.
    #[error("the 101 has no {ACCEPT}, or not the one of our key (RFC 6455, 4.1)")]
    Accept,
    /// A field that may stand there once.
    #[error("the 101 has '{name}' more than once (RFC 6455, 11.3)")]
    Repeated {
        /// Its name.
        name: String,
    },
    /// An extension, and none was offered.
    #[error("the 101 names an extension, and none was offered (RFC 6455, 4.1)")]
    UnaskedExtension,
    /// A subprotocol that was not offered.
    #[error("the 101 names a subprotocol that was not offered (RFC 6455, 4.1)")]
    UnaskedSubprotocol,
}

impl HandshakeError {
    /// The class under which it is counted.
    #[must_use]
    pub const fn failure(&self) -> Failure {
        match self {
            Self::Reply(error) => error.failure(),
            Self::Version
            | Self::Upgrade
            | Self::Connection
            | Self::Accept
            | Self::Repeated { .. }
            | Self::UnaskedExtension
            | Self::UnaskedSubprotocol => Failure::Protocol,
        }
    }
}
