//! Requests: bytes where they are known, else what they are made from.

use http::Method as Verb;

use super::holes::{Holes, find};
use super::names::shown;
use super::{Compiler, Site};
use crate::plan::{Content, Encoding, Request, Saved, Text, Value};
use crate::protocol::http::{self as wire, ReplyTo, RequestError, Reuse};
use crate::scenario::{self, Body, Diagnostic, Method, Part, Span, Spanned, Template, UserField};
use crate::stdx::Nanos;

/// Headers as they are written in the file.
type Headers = [(Spanned<String>, Template)];

/// A request as bytes, or what they are made from.
pub(super) struct Encoded {
    pub(super) content: Content,
    pub(super) reply_to: ReplyTo,
    pub(super) reuse: Reuse,
}

/// Whether a request carries its user's token.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    Carried,
    Left,
}

/// Where a request belongs.
#[derive(Clone, Copy)]
pub(super) struct Belongs {
    pub(super) leaf: u16,
    pub(super) target: u16,
    pub(super) channel: u8,
}

impl Compiler<'_> {
    /// A request of the plan.
    pub(super) fn request(
        &mut self,
        name: &str,
        request: &scenario::Request,
        belongs: Belongs,
        token: Token,
    ) -> Option<Request> {
        let Belongs { leaf, target, channel } = belongs;
        let place = request.path.span;
        let encoded = self.encode(request, target, token);
        let expect = self.expect(name, request.expect.as_ref(), place);
        let saves = self.saves(&request.save);
        let timeout = self.timeout(request.timeout.as_ref());
        let Encoded { content, reply_to, reuse } = encoded?;
        Some(Request {
            name: name.to_owned(),
            leaf,
            target,
            channel,
            content,
            reply_to,
            reuse,
            timeout,
            expect: expect?,
            creates: saves.iter().any(|save| matches!(save.into, Saved::Pool(_))),
            saves,
        })
    }

    /// The timeout of a step, or that of all.
    pub(super) fn timeout(&mut self, own: Option<&Spanned<Nanos>>) -> Nanos {
        own.map_or(self.plan.timeout, |own| self.within_timeouts(own))
    }

    /// The bytes of a request.
    pub(super) fn encode(
        &mut self,
        request: &scenario::Request,
        target: u16,
        token: Token,
    ) -> Option<Encoded> {
        let body = self.body(request);
        let path = self.text(&request.path.value, Encoding::Percent);
        let headers = self.headers(&request.headers);
        let (body, path, mut headers) = (body?, path?, headers?);
        let own = |name: &str| request.headers.iter().any(|(each, _)| is(&each.value, name));
        if let (Some(kind), false) = (content_type(&request.body), own("Content-Type")) {
            headers.push(("Content-Type", Text::fixed(kind)));
        }
        if token == Token::Carried && !own("Authorization") {
            let mut bearer = Text::fixed("Bearer ");
            bearer.push_value(Value::User(UserField::Token), Encoding::Header);
            headers.push(("Authorization", bearer));
        }
        let Site { authority, base } = self.site(target);
        let mut holes = holes(&base, &path, &headers);
        let path = [base.into_bytes(), holes.marked(path)].concat();
        let path = String::from_utf8_lossy(&path).into_owned();
        let mut builder = wire::Request::builder(verb(request.method), &path, &authority);
        for (name, value) in headers {
            builder = builder.header(name, holes.marked(value));
        }
        let fixed = body.as_ref().map_or(Some(&[][..]), Text::as_fixed);
        let made = fixed.is_none() || !holes.is_empty();
        if let (Some(body), false) = (fixed, made) {
            builder = builder.body(body);
        }
        let length = request.headers.iter().find(|(name, _)| is(&name.value, "Content-Length"));
        if let (Some((name, _)), true) = (length, made) {
            let what = "a length of its own for a body that is made each time";
            self.add(Diagnostic::new(name.span, what, "no Content-Length: it is added"));
            return None;
        }
        let built = builder.build().map_err(|error| self.unsendable(&error, request)).ok()?;
        let content = match made {
            false => Content::Fixed(built.bytes().clone()),
            true => Content::Made { head: head(&holes, built.bytes()), body },
        };
        Some(Encoded { content, reply_to: built.reply_to(), reuse: built.reuse })
    }

    /// The values of headers.
    pub(super) fn headers<'h>(&mut self, headers: &'h Headers) -> Option<Vec<(&'h str, Text)>> {
        let read = headers.iter().map(|(name, value)| {
            let text = self.text(value, Encoding::Header)?;
            Some((name.value.as_str(), text))
        });
        read.collect::<Vec<_>>().into_iter().collect()
    }

    /// What stands behind the empty line. None is a request that says nothing of a body.
    fn body(&mut self, request: &scenario::Request) -> Option<Option<Text>> {
        match &request.body {
            Body::None => {
                let announces =
                    matches!(request.method, Method::Post | Method::Put | Method::Patch);
                Some(announces.then(Text::default))
            }
            Body::Json(json) => self.json(json).map(Some),
            Body::Text(template) => self.text(template, Encoding::Raw).map(Some),
            Body::Form(fields) => self.form(fields).map(Some),
        }
    }

    /// `name=value&name=value`, percent-encoded.
    fn form(&mut self, fields: &Headers) -> Option<Text> {
        let mut form = Text::default();
        let mut whole = true;
        for (at, (name, value)) in fields.iter().enumerate() {
            form.push(if at == 0 { b"" } else { b"&" });
            form.push(percent(&name.value).as_bytes());
            form.push(b"=");
            let fixed = |text: &str, out: &mut Text| out.push(percent(text).as_bytes());
            match self.encoded(value, Encoding::Percent, &fixed) {
                Some(value) => form.append(value),
                None => whole = false,
            }
        }
        whole.then_some(form)
    }

    /// Why a request cannot be sent, at the header or the path that is to blame.
    fn unsendable(&mut self, error: &RequestError, request: &scenario::Request) {
        let problem = match error {
            RequestError::Target { found, .. } => illegal(*found, request.path.span),
            error => {
                let blamed = blamed(error).and_then(|blamed| {
                    request.headers.iter().rev().find(|(name, _)| is(&name.value, blamed))
                });
                let place = blamed.map_or(request.path.span, |(name, _)| name.span);
                Diagnostic::new(place, error.to_string(), "a request that can be sent")
            }
        };
        self.add(problem);
    }
}

/// A character that no path holds.
pub(super) fn illegal(found: char, place: Span) -> Diagnostic {
    let mut bytes = [0; 4];
    let encoded = percent(found.encode_utf8(&mut bytes));
    let what = format!("a path cannot hold {found:?}");
    let help = format!("it is written as {encoded}");
    Diagnostic::new(place, what, "characters that a URL may have").help(help)
}

/// The header that is to blame.
fn blamed(error: &RequestError) -> Option<&str> {
    match error {
        RequestError::HeaderName { name } | RequestError::HeaderValue { name, .. } => Some(name),
        RequestError::Repeated { name } => Some(name),
        RequestError::ContentLength { .. } => Some("Content-Length"),
        RequestError::TransferEncoding => Some("Transfer-Encoding"),
        RequestError::Host { .. } | RequestError::UserInformation => Some("Host"),
        RequestError::Connect
        | RequestError::TargetStart
        | RequestError::Target { .. }
        | RequestError::TooLarge { .. } => None,
    }
}

/// Marks that stand nowhere else in a head.
pub(super) fn holes(base: &str, path: &Text, headers: &[(&str, Text)]) -> Holes {
    let texts = std::iter::once(path).chain(headers.iter().map(|(_, value)| value));
    let pieces = texts.flat_map(|text| text.pieces.iter()).filter_map(|piece| match piece {
        crate::plan::Piece::Fixed(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
        crate::plan::Piece::Made(..) => None,
    });
    let names = headers.iter().map(|(name, _)| (*name).to_owned());
    let all: Vec<String> = pieces.chain(names).chain([base.to_owned()]).collect();
    Holes::beside(all.iter().map(String::as_str))
}

/// A head without the length of its body and the empty line.
fn head(holes: &Holes, bytes: &[u8]) -> Text {
    const LENGTH: &[u8] = b"\r\nContent-Length: 0\r\n";
    let head = bytes.get(..bytes.len().saturating_sub(2)).unwrap_or_default();
    match find(head, LENGTH) {
        Some(at) => {
            let (before, behind) = head.split_at(at + 2);
            holes.cut(&[before, behind.get(LENGTH.len() - 2..).unwrap_or_default()].concat())
        }
        None => holes.cut(head),
    }
}

const fn content_type(body: &Body) -> Option<&'static str> {
    match body {
        Body::None => None,
        Body::Json(_) => Some("application/json"),
        Body::Text(_) => Some("text/plain; charset=utf-8"),
        Body::Form(_) => Some("application/x-www-form-urlencoded"),
    }
}

fn is(name: &str, wanted: &str) -> bool {
    name.eq_ignore_ascii_case(wanted)
}

/// All but unreserved characters as `%XX` (RFC 3986 section 2.3).
pub(super) fn percent(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out += &format!("%{byte:02X}");
        }
    }
    out
}

const fn verb(method: Method) -> Verb {
    match method {
        Method::Get => Verb::GET,
        Method::Post => Verb::POST,
        Method::Put => Verb::PUT,
        Method::Patch => Verb::PATCH,
        Method::Delete => Verb::DELETE,
        Method::Head => Verb::HEAD,
        Method::Options => Verb::OPTIONS,
    }
}

/// What results call a request: its name, else `METHOD path`.
pub(super) fn name_of(name: Option<&Spanned<String>>, request: &scenario::Request) -> String {
    name.map_or_else(
        || format!("{} {}", verb(request.method), shown(&request.path.value)),
        |name| name.value.clone(),
    )
}

/// Whether a text has an expression in it.
pub(super) fn has_values(template: &Template) -> bool {
    template.parts.iter().any(|part| matches!(part, Part::Expr(_)))
}
