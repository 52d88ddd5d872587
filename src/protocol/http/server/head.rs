//! A request's head: what it asks for, and where its body ends.

use std::mem::MaybeUninit;

use super::{FIELDS_MAX, Fault};

/// How a server treats the request. Methods that this side never tells apart are one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// `GET`
    Get,
    /// `HEAD`: as `GET`, and the reply has no body.
    Head,
    /// `POST`
    Post,
    /// Any other.
    Other,
}

/// The client's version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// HTTP/1.0: a connection serves one request unless the client asks for more.
    Http10,
    /// HTTP/1.1
    Http11,
}

/// Where the request's body ends (RFC 9112 section 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// There is none, or it has no bytes.
    None,
    /// After so many bytes; never 0.
    Length(u64),
    /// After the last chunk.
    Chunked,
}

/// A request's head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request<'a> {
    /// What to do.
    pub method: Method,
    /// With what: the target's path, without scheme, authority and query.
    pub path: &'a str,
    /// In which version.
    pub version: Version,
    /// Where the body ends.
    pub framing: Framing,
    /// Whether the connection serves more requests afterwards (RFC 9112 section 9.3).
    pub persistent: bool,
    /// Whether the client waits for a `100 Continue` before it sends the body.
    pub expects_continue: bool,
    /// Whether the client asks for a WebSocket instead. Never with a body.
    pub upgrade: bool,
    /// What the client says about who it is (RFC 9110 section 11.6.2); of several the last.
    pub authorization: Option<&'a [u8]>,
    /// All of the head as it came, for readers of what else it says.
    pub raw: &'a [u8],
}

/// The head at the front of `window` and its length, if it is whole.
pub(super) fn parse(window: &[u8]) -> Result<Option<(usize, Request<'_>)>, Fault> {
    // Not zeroed: that would cost more than the parsing.
    let mut fields = [const { MaybeUninit::uninit() }; FIELDS_MAX];
    let mut head = httparse::Request::new(&mut []);
    match head.parse_with_uninit_headers(window, &mut fields) {
        Ok(httparse::Status::Complete(len)) => {
            let raw = window.get(..len).unwrap_or(window);
            Ok(Some((len, interpret(&head, raw)?)))
        }
        Ok(httparse::Status::Partial) => Ok(None),
        Err(httparse::Error::TooManyHeaders) => Err(Fault::TooManyFields),
        Err(error) => Err(Fault::Head(error)),
    }
}

/// The fields that a server acts on.
#[derive(Default)]
struct Fields<'a> {
    hosts: u8,
    length: Option<u64>,
    coded: bool,
    close: bool,
    keep_alive: bool,
    expects_continue: bool,
    upgrade: bool,
    authorization: Option<&'a [u8]>,
}

fn interpret<'a>(head: &httparse::Request<'_, 'a>, raw: &'a [u8]) -> Result<Request<'a>, Fault> {
    let mut fields = Fields::default();
    for field in head.headers.iter() {
        fields.read(field.name, field.value)?;
    }
    let version = if head.version == Some(0) { Version::Http10 } else { Version::Http11 };
    let framing = match (version, fields.coded, fields.length) {
        (Version::Http10, true, _) => return Err(Fault::CodingInOldVersion),
        (Version::Http11, true, Some(_)) => return Err(Fault::TwoFramings),
        (Version::Http11, true, None) => Framing::Chunked,
        (Version::Http10 | Version::Http11, false, None | Some(0)) => Framing::None,
        (Version::Http10 | Version::Http11, false, Some(length)) => Framing::Length(length),
    };
    let new = version == Version::Http11;
    if fields.hosts > 1 || new && fields.hosts == 0 {
        return Err(Fault::Host(fields.hosts));
    }
    Ok(Request {
        method: method(head.method.unwrap_or_default()),
        path: path(head.path.unwrap_or_default()),
        version,
        framing,
        persistent: !fields.close && (new || fields.keep_alive),
        expects_continue: fields.expects_continue && new && framing != Framing::None,
        upgrade: fields.upgrade && framing == Framing::None,
        authorization: fields.authorization,
        raw,
    })
}

impl<'a> Fields<'a> {
    fn read(&mut self, name: &str, value: &'a [u8]) -> Result<(), Fault> {
        // The length tells nearly all fields apart before a letter is looked at.
        match name.len() {
            4 if name.eq_ignore_ascii_case("host") => {
                self.hosts = self.hosts.saturating_add(1);
            }
            6 if name.eq_ignore_ascii_case("expect") => {
                self.expects_continue |= value.eq_ignore_ascii_case(b"100-continue");
            }
            7 if name.eq_ignore_ascii_case("upgrade") => {
                let mut protocols = value.split(|&byte| byte == b',').map(<[u8]>::trim_ascii);
                self.upgrade |= protocols.any(|name| name.eq_ignore_ascii_case(b"websocket"));
            }
            13 if name.eq_ignore_ascii_case("authorization") => {
                self.authorization = Some(value);
            }
            10 if name.eq_ignore_ascii_case("connection") => {
                for option in value.split(|&byte| byte == b',') {
                    let option = option.trim_ascii();
                    self.close |= option.eq_ignore_ascii_case(b"close");
                    self.keep_alive |= option.eq_ignore_ascii_case(b"keep-alive");
                }
            }
            14 if name.eq_ignore_ascii_case("content-length") => {
                let length = number(value).ok_or(Fault::Length)?;
                if self.length.replace(length).is_some() {
                    return Err(Fault::Length);
                }
            }
            17 if name.eq_ignore_ascii_case("transfer-encoding") => {
                if self.coded || !value.eq_ignore_ascii_case(b"chunked") {
                    return Err(Fault::Coding);
                }
                self.coded = true;
            }
            _ => {}
        }
        Ok(())
    }
}

/// Digits alone: no sign, no list (RFC 9110 section 8.6).
fn number(value: &[u8]) -> Option<u64> {
    let digits = value.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(value).ok().filter(|_| digits)?.parse().ok()
}

fn method(name: &str) -> Method {
    match name {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "POST" => Method::Post,
        _ => Method::Other,
    }
}

/// The path of a target in origin form or in absolute form (RFC 9112 section 3.2).
fn path(target: &str) -> &str {
    // Origin form, as nearly all: a search for a scheme would cost a tenth of the reading.
    let scheme = if target.starts_with('/') { None } else { target.split_once("://") };
    let path = match scheme {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => {
            let at = rest.find(['/', '?']).unwrap_or(rest.len());
            rest.get(at..).unwrap_or_default()
        }
        Some(_) | None => target,
    };
    let path = path.split_once('?').map_or(path, |(path, _)| path);
    if path.is_empty() { "/" } else { path }
}
