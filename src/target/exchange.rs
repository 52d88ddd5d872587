//! One request and what is answered to it.

use super::exposition::MEDIA;
use super::misbehave::Lie;
use super::payloads::{HEALTH_BODY, Payloads};
use super::reply::{Announce, Coding, Head, Hint, Persistence, Progress, StatusLine, Stream};
use super::routes::{Path, Route, route};
use crate::protocol::http::server::{Method, Request, Version};
use crate::stdx::Nanos;

/// What has to be remembered of a request until its reply is written.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Exchange {
    pub(super) path: Path,
    pub(super) route: Route,
    pub(super) lie: Option<Lie>,
    /// `HEAD`: the reply has a head alone.
    head_only: bool,
    /// HTTP/1.0: no chunks, and a connection that lives on must say so.
    old: bool,
    persistent: bool,
    /// The status that the desk gave; 0 where the route says it.
    pub(super) given: u16,
    /// When its first byte was read.
    pub(super) arrived: Nanos,
    /// What the reply is to take.
    pub(super) work: Nanos,
    /// The client's number for it, if a journal is kept.
    pub(super) id: Option<u64>,
}

/// What the reply's body is made of.
#[derive(Clone, Copy, Debug)]
enum Content<'a> {
    Bytes(&'static str, &'a [u8]),
    Pattern(u64),
    Chunks(u64),
}

const JSON: &str = "application/json";
const BINARY: &str = "application/octet-stream";

impl Exchange {
    pub(super) fn of(request: &Request<'_>) -> Self {
        let (path, route) = route(request);
        Self {
            path,
            route,
            lie: None,
            head_only: request.method == Method::Head,
            old: request.version == Version::Http10,
            persistent: request.persistent,
            given: 0,
            arrived: Nanos::ZERO,
            work: Nanos::ZERO,
            id: None,
        }
    }

    /// Whether the reply is the shared one of `/health`, byte for byte.
    pub(super) const fn is_plain_health(&self) -> bool {
        let usual = self.persistent && !self.old && !self.head_only;
        usual
            && matches!(self.route, Route::Health | Route::Delay(_) | Route::Queue(_))
            && matches!(self.lie, None | Some(Lie::Delay))
    }

    /// Whether the connection is closed behind the reply.
    pub(super) fn is_last(&self) -> bool {
        !self.persistent || self.lie == Some(Lie::Truncate)
    }

    /// Adds the reply. `body` is what the route gives back: the request's body, the counts, or the
    /// desk's answer.
    /// The rest of a large body is handed back.
    pub(super) fn write(
        &self,
        body: &[u8],
        payloads: &Payloads,
        out: &mut Vec<u8>,
    ) -> Option<Stream> {
        let status = self.status();
        let text = status_text(status);
        let content = self.content(status, &text, body);
        let bodiless = self.head_only || matches!(status, 204 | 304);
        let cut = self.lie == Some(Lie::Truncate);
        let start = out.len();
        let (announced, sent) = lengths(content.len(), cut);
        self.head(status, content, announced).write(out);
        if bodiless {
            if cut {
                out.truncate(start + (out.len() - start) / 2);
            }
            return None;
        }
        let coding = match content {
            Content::Bytes(_, bytes) => {
                // Shorter than what lies in memory, so it fits.
                let sent = usize::try_from(sent).unwrap_or(bytes.len()).min(bytes.len());
                out.extend_from_slice(&bytes[..sent]);
                return None;
            }
            Content::Pattern(_) => Coding::Plain,
            Content::Chunks(_) if cut => Coding::Unended,
            Content::Chunks(total) => Coding::Chunked { total },
        };
        let mut stream = Stream { left: sent, coding, last: self.is_last() };
        match stream.fill(payloads, out) {
            Progress::Done => None,
            Progress::More => Some(stream),
        }
    }

    pub(super) fn status(&self) -> u16 {
        match self.route {
            _ if self.lie == Some(Lie::Fail) => 503,
            _ if self.lie == Some(Lie::DenyUser) => 403,
            _ if self.given != 0 => self.given,
            Route::Health
            | Route::Bytes(_)
            | Route::Chunked(_)
            | Route::Delay(_)
            | Route::Queue(_)
            | Route::Echo
            | Route::Count
            | Route::Metrics => 200,
            Route::Status(code) => code,
            Route::Register
            | Route::Login
            | Route::Refresh
            | Route::Logout
            | Route::CreateTask
            | Route::Task
            | Route::Gateway
            | Route::EchoSocket => 500,
            Route::Unknown => 404,
            Route::WrongMethod => 405,
            Route::WrongArgument => 400,
        }
    }

    fn content<'a>(&self, status: u16, text: &'a [u8], body: &'a [u8]) -> Content<'a> {
        match self.route {
            _ if self.lie.is_some_and(Lie::refuses) => Content::Bytes(JSON, text),
            Route::Health | Route::Delay(_) | Route::Queue(_) => Content::Bytes(JSON, HEALTH_BODY),
            Route::Bytes(len) => Content::Pattern(len),
            Route::Chunked(len) if self.old => Content::Pattern(len),
            Route::Chunked(len) => Content::Chunks(len),
            Route::Echo => Content::Bytes(BINARY, body),
            Route::Metrics => Content::Bytes(MEDIA, body),
            Route::Count
            | Route::Register
            | Route::Login
            | Route::Refresh
            | Route::Logout
            | Route::CreateTask
            | Route::Task
            | Route::Gateway
            | Route::EchoSocket => Content::Bytes(JSON, body),
            // 205 has a body of no bytes (RFC 9110 section 15.3.6).
            Route::Status(_) if status == 205 => Content::Bytes(JSON, b""),
            Route::Status(_) | Route::Unknown | Route::WrongMethod | Route::WrongArgument => {
                Content::Bytes(JSON, text)
            }
        }
    }

    fn head(&self, status: u16, content: Content<'_>, announced: u64) -> Head {
        let (media, announce) = match content {
            _ if matches!(status, 204 | 304) => (JSON, Announce::Nothing),
            Content::Bytes(media, _) => (media, Announce::Length(announced)),
            Content::Pattern(_) => (BINARY, Announce::Length(announced)),
            Content::Chunks(_) => (BINARY, Announce::Chunked),
        };
        let persistence = match (self.persistent, self.old) {
            (true, false) => Persistence::Implied,
            (true, true) => Persistence::KeepAlive,
            (false, _) => Persistence::Close,
        };
        let line = match self.lie {
            Some(Lie::Corrupt) => StatusLine::Garbage,
            _ => StatusLine::True,
        };
        let hint = match (status, self.path.methods()) {
            (405, Some(methods)) if self.route == Route::WrongMethod => Hint::Allow(methods),
            (401, _) if self.given != 0 => Hint::Bearer,
            _ => Hint::Nothing,
        };
        Head { line, status, media, announce, persistence, hint }
    }
}

impl Content<'_> {
    const fn len(&self) -> u64 {
        match self {
            Self::Bytes(_, bytes) => bytes.len() as u64,
            Self::Pattern(len) | Self::Chunks(len) => *len,
        }
    }
}

/// How many bytes are announced, and how many sent.
fn lengths(true_len: u64, cut: bool) -> (u64, u64) {
    if !cut {
        return (true_len, true_len);
    }
    // At least one is missing, also where there were none.
    let announced = true_len.max(1);
    (announced, announced / 2)
}

/// The reply that refuses a request; the connection is closed behind it.
pub(super) fn write_refusal(status: u16, out: &mut Vec<u8>) {
    let text = status_text(status);
    let head = Head {
        line: StatusLine::True,
        status,
        media: JSON,
        announce: Announce::Length(text.len() as u64),
        persistence: Persistence::Close,
        hint: Hint::Nothing,
    };
    head.write(out);
    out.extend_from_slice(&text);
}

/// `{"status":404}`
fn status_text(status: u16) -> [u8; 14] {
    let mut text = *b"{\"status\":000}";
    let mut rest = status;
    for digit in text[10..13].iter_mut().rev() {
        // Below 10, so it fits.
        *digit += (rest % 10) as u8;
        rest /= 10;
    }
    text
}
