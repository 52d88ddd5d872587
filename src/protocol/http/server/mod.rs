//! The server's side of HTTP/1.1: bytes in, requests and their bodies out.
//!
//! Does:       RFC 9112 sections 2 to 7 and 9.3 as a server has to read them; RFC 9110 section
//!             10.1.1 (`Expect`).
//! Takes:      bytes as they come, cut anywhere.
//! Gives:      [`Event`]s in order, one at a time, so that whoever is busy with one reply can
//!             leave the next request unread.
//! Neighbours: none.
//! Why so:     a head that came whole is read where it lies, without a copy and without an
//!             allocation; only a head that was cut is gathered, and within [`HEAD_MAX`].
//!
//! | state   | bytes come                | whole                | malformed        |
//! |---------|---------------------------|----------------------|------------------|
//! | Head    | Head, gathered            | Request; Head, Fixed or Chunked | Failed |
//! | Fixed   | Fixed, Body               | End; Head            | cannot be        |
//! | Chunked | Chunked, Body             | End; Head            | Failed           |
//! | Failed  | Failed, thrown away       | never                | Failed           |

mod chunked;
mod head;

use chunked::{Chunked, Progress};
pub use head::{Framing, Method, Request, Version};

/// A longer head is refused: 8 KiB is what most servers take, and what a connection may cost.
pub const HEAD_MAX: usize = 8 * 1024;
/// More fields than this are refused; real clients send about twenty.
pub const FIELDS_MAX: usize = 64;
/// A longer chunk extension is refused: nothing here reads any.
pub const EXTENSION_MAX: u16 = 256;
/// Longer trailers are refused, as a head would be.
pub const TRAILERS_MAX: u16 = 8 * 1024;

/// What the client did wrong. After it the connection is good for one reply and its close.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Neither a request line nor a field where one must be (RFC 9112 sections 3 and 5).
    #[error("the request head is malformed: {0}")]
    Head(httparse::Error),
    /// The head did not end within [`HEAD_MAX`].
    #[error("the request head is longer than {HEAD_MAX} bytes")]
    HeadTooLarge,
    /// The head has more fields than [`FIELDS_MAX`].
    #[error("the request head has more than {FIELDS_MAX} fields")]
    TooManyFields,
    /// HTTP/1.1 asks for exactly one `Host` (RFC 9112 section 3.2).
    #[error("the request has {0} Host fields, and must have one")]
    Host(u8),
    /// `Content-Length` is no number, or there are two of them (RFC 9112 section 6.3).
    #[error("Content-Length is not one number")]
    Length,
    /// Both `Content-Length` and `Transfer-Encoding`: somebody smuggles (RFC 9112 section 6.1).
    #[error("the body has both a Content-Length and a Transfer-Encoding")]
    TwoFramings,
    /// A transfer coding other than `chunked` alone.
    #[error("the only transfer coding here is chunked")]
    Coding,
    /// HTTP/1.0 knows no transfer coding (RFC 9112 section 6.1).
    #[error("HTTP/1.0 has no Transfer-Encoding")]
    CodingInOldVersion,
    /// A chunk's size, or the end of its line or data, is malformed (RFC 9112 section 7.1).
    #[error("the chunked body is malformed")]
    Chunk,
    /// The trailers did not end within [`TRAILERS_MAX`].
    #[error("the trailers are longer than {TRAILERS_MAX} bytes")]
    TrailersTooLarge,
}

impl Fault {
    /// The status that tells the client (RFC 9110 section 15.5, RFC 6585 section 5).
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::Head(_)
            | Self::Host(_)
            | Self::Length
            | Self::TwoFramings
            | Self::CodingInOldVersion
            | Self::Chunk => 400,
            Self::HeadTooLarge | Self::TooManyFields | Self::TrailersTooLarge => 431,
            Self::Coding => 501,
        }
    }
}

/// What came. `'h` is the head's place, `'i` the input's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<'h, 'i> {
    /// A head. Without a body ([`Framing::None`]) the request is whole and no `End` follows.
    Request(Request<'h>),
    /// A piece of the body.
    Body(&'i [u8]),
    /// The body, and with it the request, is whole.
    End,
}

/// How far one call came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step<'h, 'i> {
    /// Bytes taken from the front of the input.
    pub taken: usize,
    /// What they made; none means that all were taken and more are needed.
    pub event: Option<Event<'h, 'i>>,
}

/// The reading side of one connection.
#[derive(Debug, Default)]
pub struct Serving {
    state: State,
    /// The head so far, if it came in parts. Invariant: at most [`HEAD_MAX`] bytes of a head.
    head: Vec<u8>,
    /// Whether `head` was given out already, and only lingers for the caller's sake.
    given: bool,
}

#[derive(Clone, Copy, Debug, Default)]
enum State {
    #[default]
    Head,
    Fixed {
        left: u64,
    },
    Chunked(Chunked),
    Failed,
}

impl Serving {
    /// Takes bytes until one thing is known. Call it again with the rest until there is no event.
    ///
    /// # Errors
    /// When the client broke the protocol; whatever comes afterwards is thrown away.
    pub fn receive<'h, 'i: 'h>(&'h mut self, input: &'i [u8]) -> Result<Step<'h, 'i>, Fault> {
        if self.given {
            // Given up rather than kept, so that idle connections hold no buffer.
            self.head = Vec::new();
            self.given = false;
        }
        match self.state {
            State::Head if self.head.is_empty() => self.whole_head(input),
            State::Head => self.gathered_head(input),
            State::Fixed { left } => Ok(self.fixed(left, input)),
            State::Chunked(chunked) => self.chunked(chunked, input),
            State::Failed => Ok(Step { taken: input.len(), event: None }),
        }
    }

    /// Whether a head has begun and not ended.
    #[must_use]
    pub fn has_partial_head(&self) -> bool {
        !self.given && !self.head.is_empty()
    }

    /// Reads a head where it lies; keeps it if it is not whole.
    fn whole_head<'h, 'i: 'h>(&'h mut self, input: &'i [u8]) -> Result<Step<'h, 'i>, Fault> {
        if input.is_empty() {
            return Ok(Step { taken: 0, event: None });
        }
        let window = input.get(..HEAD_MAX).unwrap_or(input);
        let parsed = head::parse(window).inspect_err(|_| self.state = State::Failed)?;
        if let Some((taken, request)) = parsed {
            self.state = State::after(&request);
            return Ok(Step { taken, event: Some(Event::Request(request)) });
        }
        if window.len() == HEAD_MAX {
            self.state = State::Failed;
            return Err(Fault::HeadTooLarge);
        }
        self.head.extend_from_slice(window);
        Ok(Step { taken: window.len(), event: None })
    }

    /// Adds to the head that came in parts, and reads all of it again: at most [`HEAD_MAX`] bytes.
    fn gathered_head<'h, 'i: 'h>(&'h mut self, input: &'i [u8]) -> Result<Step<'h, 'i>, Fault> {
        let before = self.head.len();
        let room = HEAD_MAX.saturating_sub(before);
        let fresh = input.get(..room).unwrap_or(input);
        self.head.extend_from_slice(fresh);
        let full = self.head.len() == HEAD_MAX;
        match head::parse(&self.head) {
            Ok(Some((len, request))) => {
                self.state = State::after(&request);
                self.given = true;
                let taken = len.saturating_sub(before);
                Ok(Step { taken, event: Some(Event::Request(request)) })
            }
            Ok(None) if full => {
                self.state = State::Failed;
                Err(Fault::HeadTooLarge)
            }
            Ok(None) => Ok(Step { taken: fresh.len(), event: None }),
            Err(fault) => {
                self.state = State::Failed;
                Err(fault)
            }
        }
    }

    fn fixed<'h, 'i: 'h>(&'h mut self, left: u64, input: &'i [u8]) -> Step<'h, 'i> {
        if left == 0 {
            self.state = State::Head;
            return Step { taken: 0, event: Some(Event::End) };
        }
        let piece = usize::try_from(left).ok().and_then(|left| input.get(..left)).unwrap_or(input);
        // usize is at most 64 bits wide, so a length always fits.
        self.state = State::Fixed { left: left.saturating_sub(piece.len() as u64) };
        let event = (!piece.is_empty()).then_some(Event::Body(piece));
        Step { taken: piece.len(), event }
    }

    fn chunked<'h, 'i: 'h>(
        &'h mut self,
        mut chunked: Chunked,
        input: &'i [u8],
    ) -> Result<Step<'h, 'i>, Fault> {
        let (taken, progress) =
            chunked.receive(input).inspect_err(|_| self.state = State::Failed)?;
        let (state, event) = match progress {
            Progress::More => (State::Chunked(chunked), None),
            Progress::Data(piece) => (State::Chunked(chunked), Some(Event::Body(piece))),
            Progress::Done => (State::Head, Some(Event::End)),
        };
        self.state = state;
        Ok(Step { taken, event })
    }
}

impl State {
    /// What comes behind a head.
    const fn after(request: &Request<'_>) -> Self {
        match request.framing {
            Framing::None => Self::Head,
            Framing::Length(left) => Self::Fixed { left },
            Framing::Chunked => Self::Chunked(Chunked::START),
        }
    }
}
