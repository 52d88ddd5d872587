//! One connection after its opening handshake: bytes of the peer's frames in, events out.
//!
//! Does:  RFC 6455 sections 5 (framing), 7 (closing) and 8.1 (UTF-8), for either side.
//! Takes: bytes in pieces of any size, the end of the stream, our own wish to close.
//! Gives: an [`Event`] at a time, or the [`WsError`] that ends the connection. Neither depends on
//!        where the pieces were cut.
//!
//! | phase       | message | ping, pong | peer's close | fault    | our close | end of stream |
//! |-------------|---------|------------|--------------|----------|-----------|---------------|
//! | `Open`      | event   | event      | `Answering`  | `Failed` | `Closing` | `Failed`      |
//! | `Closing`   | event   | event      | `Closed`     | `Failed` | -         | `Failed`      |
//! | `Answering` | -       | -          | -            | -        | `Closed`  | -             |
//! | `Closed`    | -       | -          | -            | -        | -         | -             |
//! | `Failed`    | error   | error      | error        | error    | sent once | error         |
//!
//! "event" gives one and stays in its phase, as the peer's close gives one and moves on; "-" does
//! nothing at all.
//!
//! - Messages that come after our close frame are still delivered: they were on their way.
//! - Whatever comes after the peer's close frame is thrown away (section 1.4).
//! - A stream that ends without a close frame is a failure, to be counted as code 1006.
//! - When both close at once, each takes the other's frame for the answer: `Closed`.
//! - Any error leads to `Failed`, which gives the same error for ever. The peer may be told why,
//!   by a close frame with the error's code, unless one was sent already.

use super::encode;
use super::frame::{Fin, Header, OpCode, Partial as PartialHeader};
use super::limits::MESSAGE_BYTES_MAX;
use super::message::{Keep, Kind, Partial};
use super::ready::{Event, Place, Ready, Scratch};
use super::{CloseCode, Key, Role, WsError, utf8};

/// How a connection is set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Which side we are.
    pub role: Role,
    /// What becomes of messages.
    pub keep: Keep,
    /// Bytes of one message, kept or counted.
    pub message_bytes_max: u64,
}

impl Settings {
    /// For a side: messages are kept, up to [`MESSAGE_BYTES_MAX`].
    #[must_use]
    pub const fn new(role: Role) -> Self {
        Self { role, keep: Keep::Bytes, message_bytes_max: MESSAGE_BYTES_MAX }
    }
}

/// How far a connection has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Both sides may send.
    Open,
    /// We have closed, and the peer has not answered yet.
    Closing,
    /// The peer has closed, and awaits our close as the answer.
    Answering,
    /// Both have closed. The server ends the stream (RFC 6455 section 7.1.1).
    Closed,
    /// The peer is at fault, or its stream ended too early.
    Failed,
}

/// One connection.
#[derive(Debug)]
pub struct Connection {
    settings: Settings,
    /// Whether our close frame is sent.
    sent: Sent,
    /// Where in the peer's stream we are.
    state: State,
    /// The message that has begun and not ended. It outlives control frames among its fragments.
    message: Option<Partial>,
}

const _: () = assert!(size_of::<Connection>() <= 112, "every one counts: 54k are 6 MB");

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sent {
    NoClose,
    Close,
}

/// What is awaited of the peer.
#[derive(Debug)]
enum State {
    /// The end of a header, or a whole one.
    Header { partial: PartialHeader },
    /// The end of a payload; `control` gathers a control frame's, still masked.
    Payload { header: Header, received: u64, control: Vec<u8> },
    /// Nothing more: its close frame has come.
    Closed,
    /// Nothing any more.
    Failed { error: WsError },
}

impl State {
    const HEADER: Self = Self::Header { partial: PartialHeader::EMPTY };
}

impl Connection {
    /// A connection right after its opening handshake.
    #[must_use]
    pub const fn new(settings: Settings) -> Self {
        Self { settings, sent: Sent::NoClose, state: State::HEADER, message: None }
    }

    /// Takes bytes from the front of the input until one thing is known. No event means that all
    /// were taken and more are needed; after an event, call it again with the rest.
    ///
    /// # Errors
    /// When the peer breaks the protocol or a limit; then the rest of the input is of no use.
    #[inline]
    pub fn receive<'i: 's, 's>(
        &mut self,
        input: &mut &'i [u8],
        scratch: &'s mut Scratch,
    ) -> Result<Option<Event<'s>>, WsError> {
        // After the last event of a segment, which is every other call for most.
        if input.is_empty() {
            return Ok(None);
        }
        scratch.trim();
        let event = match self.advance(input, scratch) {
            Ok(None) => return Ok(None),
            Ok(Some(ready)) => ready.event(scratch),
            Err(error) => Err(error),
        };
        match event {
            Ok(event) => Ok(Some(event)),
            Err(error) => self.fail(error),
        }
    }

    /// The peer has ended its stream.
    ///
    /// # Errors
    /// When it had not closed before.
    pub fn end_of_stream(&mut self) -> Result<(), WsError> {
        let error = match (&self.state, &self.message, self.sent) {
            (State::Closed, ..) => return Ok(()),
            (State::Failed { error }, ..) => *error,
            (State::Header { partial }, None, sent) if partial.is_empty() => match sent {
                Sent::NoClose => WsError::NoClose,
                Sent::Close => WsError::CloseNotAnswered,
            },
            (State::Header { .. } | State::Payload { .. }, ..) => WsError::MessageCut,
        };
        self.fail(error)
    }

    /// Closes our side, or answers the peer's close, or tells a peer why it is dropped: appends a
    /// close frame, unless one was sent before. The reason is cut to 123 bytes; an answer has the
    /// code that it answers, and so none where there was none.
    pub fn close(
        &mut self,
        code: Option<CloseCode>,
        reason: &str,
        key: Option<Key>,
        out: &mut Vec<u8>,
    ) {
        debug_assert_eq!(key.is_some(), self.settings.role == Role::Client, "who masks (5.1)");
        if self.sent == Sent::NoClose {
            encode::close(out, code, reason, key);
            self.sent = Sent::Close;
        }
    }

    /// How far it has come. Messages may be sent while it is [`Phase::Open`] alone, pongs in
    /// [`Phase::Closing`] too (section 5.5.1).
    #[must_use]
    pub const fn phase(&self) -> Phase {
        match (&self.state, self.sent) {
            (State::Header { .. } | State::Payload { .. }, Sent::NoClose) => Phase::Open,
            (State::Header { .. } | State::Payload { .. }, Sent::Close) => Phase::Closing,
            (State::Closed, Sent::NoClose) => Phase::Answering,
            (State::Closed, Sent::Close) => Phase::Closed,
            (State::Failed { .. }, _) => Phase::Failed,
        }
    }

    /// What becomes of messages, from the next one on.
    pub const fn keep(&mut self, keep: Keep) {
        self.settings.keep = keep;
    }

    /// Takes bytes until one thing is known: at least one byte, if there is one.
    fn advance<'i>(
        &mut self,
        input: &mut &'i [u8],
        scratch: &mut Scratch,
    ) -> Result<Option<Ready<'i>>, WsError> {
        while !input.is_empty() {
            let ready = match &mut self.state {
                State::Header { partial } => match partial.read(input, self.settings.role)? {
                    Some(header) => self.begin(header, input, scratch)?,
                    None => return Ok(None),
                },
                State::Payload { .. } => self.go_on(input, scratch)?,
                State::Closed => {
                    *input = &[];
                    return Ok(None);
                }
                State::Failed { error } => return Err(*error),
            };
            if ready.is_some() {
                return Ok(ready);
            }
        }
        Ok(None)
    }

    /// Judges a header by what came before it; takes the payload, if all of it is there.
    #[inline]
    fn begin<'i>(
        &mut self,
        header: Header,
        input: &mut &'i [u8],
        scratch: &mut Scratch,
    ) -> Result<Option<Ready<'i>>, WsError> {
        let before = match (header.op_code, &self.message) {
            (OpCode::Close | OpCode::Ping | OpCode::Pong, _)
            | (OpCode::Text | OpCode::Binary, None) => 0,
            (OpCode::Continuation, Some(message)) => message.len,
            (OpCode::Continuation, None) => return Err(WsError::NothingToContinue),
            (op_code @ (OpCode::Text | OpCode::Binary), Some(_)) => {
                return Err(WsError::MessageWithinMessage { op_code });
            }
        };
        let (len, max) = (before.saturating_add(header.len), self.settings.message_bytes_max);
        if len > max && !header.op_code.is_control() {
            return Err(WsError::MessageTooLong { len, max });
        }
        let whole = usize::try_from(header.len).ok().and_then(|len| input.split_at_checked(len));
        match whole {
            Some((payload, rest)) => {
                *input = rest;
                self.whole(header, payload, scratch)
            }
            None => {
                self.state = State::Payload { header, received: 0, control: Vec::new() };
                Ok(None)
            }
        }
    }

    /// A frame that is all there.
    #[inline]
    fn whole<'i>(
        &mut self,
        header: Header,
        payload: &'i [u8],
        scratch: &mut Scratch,
    ) -> Result<Option<Ready<'i>>, WsError> {
        let kind = match (header.op_code, header.fin) {
            (OpCode::Text, Fin::Last) => Kind::Text,
            (OpCode::Binary, Fin::Last) => Kind::Binary,
            (OpCode::Text | OpCode::Binary | OpCode::Continuation, _) => {
                let message = self.message_of(&header);
                message.append(payload, header.key, 0, scratch)?;
                return self.end_of_frame(header, scratch);
            }
            (OpCode::Close | OpCode::Ping | OpCode::Pong, _) => {
                let place = scratch.plain(payload, header.key);
                return Ok(Some(self.control(header.op_code, place)));
            }
        };
        let counted = Ready::Counted { kind, len: header.len };
        if (self.settings.keep, kind) == (Keep::Count, Kind::Binary) {
            return Ok(Some(counted));
        }
        let place = scratch.plain(payload, header.key);
        if kind == Kind::Text && !utf8::is_valid(place.bytes(scratch)) {
            return Err(WsError::Utf8);
        }
        Ok(Some(match self.settings.keep {
            Keep::Bytes => Ready::Message { kind, place },
            Keep::Count => counted,
        }))
    }

    /// The next piece of a payload that did not come whole.
    fn go_on<'i>(
        &mut self,
        input: &mut &'i [u8],
        scratch: &mut Scratch,
    ) -> Result<Option<Ready<'i>>, WsError> {
        let State::Payload { header, received, control } = &mut self.state else { return Ok(None) };
        let (header, offset) = (*header, *received);
        let left = usize::try_from(header.len.saturating_sub(offset)).unwrap_or(usize::MAX);
        let (piece, rest) = input.split_at_checked(left).unwrap_or((input, &[]));
        *input = rest;
        *received += piece.len() as u64;
        let ended = *received == header.len;
        if header.op_code.is_control() {
            control.extend_from_slice(piece);
            if !ended {
                return Ok(None);
            }
            let raw = std::mem::take(control);
            self.state = State::HEADER;
            scratch.take_over(raw, header.key);
            return Ok(Some(self.control(header.op_code, Place::Scratch)));
        }
        self.message_of(&header).append(piece, header.key, offset, scratch)?;
        if ended {
            self.state = State::HEADER;
            return self.end_of_frame(header, scratch);
        }
        Ok(None)
    }

    /// The message that a data frame belongs to.
    fn message_of(&mut self, header: &Header) -> &mut Partial {
        let keep = self.settings.keep;
        let kind = if header.op_code == OpCode::Text { Kind::Text } else { Kind::Binary };
        self.message.get_or_insert_with(|| Partial::new(kind, keep, header))
    }

    /// A data frame is complete, and the message with it if it was the last one.
    fn end_of_frame<'i>(
        &mut self,
        header: Header,
        scratch: &mut Scratch,
    ) -> Result<Option<Ready<'i>>, WsError> {
        let message = match header.fin {
            Fin::More => None,
            Fin::Last => self.message.take(),
        };
        let Some(Partial { kind, keep, len, bytes, utf8 }) = message else { return Ok(None) };
        if !utf8.is_whole() {
            return Err(WsError::Utf8);
        }
        Ok(Some(match keep {
            Keep::Bytes => {
                scratch.take_over(bytes, None);
                Ready::Message { kind, place: Place::Scratch }
            }
            Keep::Count => Ready::Counted { kind, len },
        }))
    }

    fn control<'i>(&mut self, op_code: OpCode, place: Place<'i>) -> Ready<'i> {
        match op_code {
            OpCode::Ping => Ready::Ping { place },
            OpCode::Pong => Ready::Pong { place },
            OpCode::Close | OpCode::Continuation | OpCode::Text | OpCode::Binary => {
                self.state = State::Closed;
                Ready::Close { place }
            }
        }
    }

    fn fail<T>(&mut self, error: WsError) -> Result<T, WsError> {
        self.state = State::Failed { error };
        self.message = None;
        Err(error)
    }
}
