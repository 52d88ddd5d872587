//! The client's side of one connection: bytes of replies in, how each one ended out.
//!
//! Does:  RFC 9112 sections 4 to 9, for a client that has one request in flight.
//! Takes: bytes in pieces of any size, counts of bytes that the kernel threw away, the end of the
//!        stream. The outcome does not depend on where the pieces were cut.
//! Gives: a [`Reply`] for each request, or the [`ExchangeError`] that ends the connection.
//!
//! | state       | half a head | 1xx    | head alone | head of a body | last byte | end of stream |
//! |-------------|-------------|--------|------------|----------------|-----------|---------------|
//! | `Idle`      | `Failed`    | -      | -          | -              | -         | `Failed`      |
//! | `FirstByte` | `Head`      | `Head` | `Idle`     | `Body`         | -         | `Failed`      |
//! | `Head`      | `Head`      | `Head` | `Idle`     | `Body`         | -         | `Failed`      |
//! | `Body`      | -           | -      | -          | -              | `Idle`    | see [`body`]  |
//! | `Failed`    | `Failed`    | -      | -          | -              | -         | `Failed`      |
//!
//! `start` leads from `Idle` to `FirstByte`. Any error leads to `Failed`, which gives the same
//! error for ever: the framing is lost, and so is the connection. Bytes behind a complete reply are
//! such an error too, whether they come with it (then they take its place) or later.
//!
//! [`body`]: super::body

use std::mem;

use super::ExchangeError;
use super::body::{Body, Rest, Step};
use super::head::{self, Filled, Head, Length, PartialHead};
use super::limits::{HEAD_BYTES_MAX, INTERIM_REPLIES_MAX};
use crate::protocol::Failure;

/// Replies of one connection, one at a time.
#[derive(Debug, Default)]
pub struct Exchange {
    state: State,
}

const _: () = assert!(size_of::<Exchange>() <= 64, "every connection has one: 100k are 6.4 MB");

/// What was asked decides whether the reply has a body (RFC 9112 section 6.3, rule 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplyTo {
    /// A HEAD request.
    Head,
    /// Any other; CONNECT is not sent.
    Other,
}

/// How far the bytes have brought the reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Progress {
    /// More bytes are needed.
    More,
    /// The reply is complete.
    Done(Reply),
}

/// A complete reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Of the final reply, 100 to 999, never 1xx.
    pub status: u16,
    /// Bytes of body without chunk framing.
    pub body_bytes: u64,
    /// Whether the connection can serve again, as far as the reply decides it.
    pub reuse: Reuse,
}

/// Whether a connection can serve another request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reuse {
    /// It can.
    Keep,
    /// It cannot: the peer ends it, or does not frame its replies.
    Close,
}

/// What of a reply is awaited: it decides which timeout a wait is charged to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AwaitingPhase {
    /// Its first byte.
    FirstByte,
    /// The rest of its head; after an interim reply, the final head.
    Head,
    /// The rest of its body.
    Body,
}

impl AwaitingPhase {
    /// The timeout that a wait in this phase ends in.
    #[must_use]
    pub const fn timeout(self) -> Failure {
        match self {
            Self::FirstByte => Failure::TimeoutFirstByte,
            Self::Head | Self::Body => Failure::TimeoutBody,
        }
    }
}

impl Exchange {
    /// Begins to await one reply. The last one is complete: nothing is awaited.
    pub fn start(&mut self, reply_to: ReplyTo) {
        debug_assert!(matches!(self.state, State::Idle), "one request at a time: {self:?}");
        self.state = State::FirstByte { reply_to };
    }

    /// Takes all of these bytes. No bytes at all change nothing.
    ///
    /// # Errors
    /// When the reply is at fault, or when there are bytes that belong to no reply.
    pub fn receive(&mut self, bytes: &[u8]) -> Result<Progress, ExchangeError> {
        self.receive_with(bytes, &mut |_| {})
    }

    /// The same, and shows the body's data to `data` piece by piece, without chunk framing.
    ///
    /// # Errors
    /// As [`Self::receive`].
    pub fn receive_with(
        &mut self,
        bytes: &[u8],
        data: &mut impl FnMut(&[u8]),
    ) -> Result<Progress, ExchangeError> {
        let mut input = bytes;
        let mut state = mem::take(&mut self.state);
        while !input.is_empty() {
            match state.receive(&mut input, data) {
                Ok(Step::More(next)) => state = next,
                Ok(Step::Done(reply)) if input.is_empty() => return Ok(Progress::Done(reply)),
                Ok(Step::Done(_)) => return self.fail(ExchangeError::Surplus),
                Err(error) => return self.fail(error),
            }
        }
        self.state = state;
        Ok(Progress::More)
    }

    /// The peer has ended its side. Where nothing is awaited (see [`Self::phase`]) that is how
    /// an idle connection ends, no fault; the answer is then [`ExchangeError::NoReply`] all the
    /// same.
    ///
    /// # Errors
    /// When the reply is not complete with that.
    pub fn end_of_stream(&mut self) -> Result<Reply, ExchangeError> {
        match mem::take(&mut self.state).end_of_stream() {
            Ok(reply) => Ok(reply),
            Err(error) => self.fail(error),
        }
    }

    /// How many of the next bytes are body whatever they hold: since nothing reads them, the kernel
    /// may throw them away. `u64::MAX` while the end of the stream is what ends the body.
    #[must_use]
    pub const fn discardable(&self) -> u64 {
        match &self.state {
            State::Body { body } => body.discardable(),
            State::Idle | State::FirstByte { .. } | State::Head { .. } | State::Failed { .. } => 0,
        }
    }

    /// `len` bytes of body were thrown away, no more than [`Self::discardable`] said: the same as
    /// having received them.
    ///
    /// # Errors
    /// The one that ended the connection before.
    pub fn discarded(&mut self, len: u64) -> Result<Progress, ExchangeError> {
        debug_assert!(len <= self.discardable(), "{len} bytes that may be no body: {self:?}");
        match mem::take(&mut self.state) {
            State::Body { body } => match body.pass(len.min(body.discardable())) {
                Step::More(body) => self.state = State::Body { body },
                Step::Done(reply) => return Ok(Progress::Done(reply)),
            },
            State::Failed { error } => return self.fail(error),
            state @ (State::Idle | State::FirstByte { .. } | State::Head { .. }) => {
                self.state = state;
            }
        }
        Ok(Progress::More)
    }

    /// What is awaited, if anything is.
    #[must_use]
    pub const fn phase(&self) -> Option<AwaitingPhase> {
        match &self.state {
            State::Idle | State::Failed { .. } => None,
            State::FirstByte { .. } => Some(AwaitingPhase::FirstByte),
            State::Head { .. } => Some(AwaitingPhase::Head),
            State::Body { .. } => Some(AwaitingPhase::Body),
        }
    }

    fn fail<T>(&mut self, error: ExchangeError) -> Result<T, ExchangeError> {
        self.state = State::Failed { error };
        Err(error)
    }
}

/// What is awaited.
#[derive(Debug, Default)]
enum State {
    /// Nothing: no request is out.
    #[default]
    Idle,
    /// A reply of which nothing has come.
    FirstByte { reply_to: ReplyTo },
    /// The end of the head; `partial` is what has come of it, none right after an interim reply.
    Head { reply_to: ReplyTo, interim: u8, partial: Option<Box<PartialHead>> },
    /// The end of the body.
    Body { body: Body },
    /// Nothing any more.
    Failed { error: ExchangeError },
}

impl State {
    /// Takes bytes up to the end of a head, of a chunk or of the reply: at least one.
    fn receive(
        self,
        input: &mut &[u8],
        data: &mut impl FnMut(&[u8]),
    ) -> Result<Step<Self>, ExchangeError> {
        match self {
            Self::Idle => Err(ExchangeError::Surplus),
            Self::FirstByte { reply_to } => receive_head(reply_to, 0, None, input),
            Self::Head { reply_to, interim, partial } => {
                receive_head(reply_to, interim, partial, input)
            }
            Self::Body { body } => Ok(match body.receive(input, data)? {
                Step::More(body) => Step::More(Self::Body { body }),
                Step::Done(reply) => Step::Done(reply),
            }),
            Self::Failed { error } => Err(error),
        }
    }

    fn end_of_stream(self) -> Result<Reply, ExchangeError> {
        match self {
            Self::Idle | Self::FirstByte { .. } => Err(ExchangeError::NoReply),
            Self::Head { reply_to, partial, .. } => {
                let bytes = partial.as_ref().map_or(&[][..], |partial| partial.bytes());
                // A head that was malformed before it was cut is malformed in the first place.
                let _incomplete = head::parse(bytes, reply_to)?;
                Err(ExchangeError::HeadCut { received: bytes.len() })
            }
            Self::Body { body } => body.end_of_stream(),
            Self::Failed { error } => Err(error),
        }
    }
}

/// Parses the head where it lies if all of it is there, which is the usual case. If not, its bytes
/// are kept and searched for its end as they come, and it is judged when that has come: so the
/// work is linear, and a fault is found at the same byte however the bytes were cut.
fn receive_head(
    reply_to: ReplyTo,
    interim: u8,
    partial: Option<Box<PartialHead>>,
    input: &mut &[u8],
) -> Result<Step<State>, ExchangeError> {
    let mut partial = match partial {
        Some(partial) => partial,
        None => {
            let window = input.get(..HEAD_BYTES_MAX).unwrap_or(input);
            if let Ok(Some((head, len))) = head::parse(window, reply_to) {
                *input = input.get(len..).unwrap_or_default();
                return after_head(reply_to, interim, head);
            }
            Box::default()
        }
    };
    if partial.fill(input)? == Filled::Incomplete {
        return Ok(Step::More(State::Head { reply_to, interim, partial: Some(partial) }));
    }
    match head::parse(partial.bytes(), reply_to)? {
        Some((head, _)) => after_head(reply_to, interim, head),
        None => Err(ExchangeError::HeaderName),
    }
}

fn after_head(reply_to: ReplyTo, interim: u8, head: Head) -> Result<Step<State>, ExchangeError> {
    let Head { status, reuse, length } = head;
    let rest = match (status, length) {
        (101, _) => return Err(ExchangeError::UnaskedSwitch),
        (100..=199, _) if interim == INTERIM_REPLIES_MAX => {
            return Err(ExchangeError::TooManyInterim);
        }
        (100..=199, _) => {
            let interim = interim + 1;
            return Ok(Step::More(State::Head { reply_to, interim, partial: None }));
        }
        (_, Length::Nothing | Length::Bytes(0)) => {
            return Ok(Step::Done(Reply { status, body_bytes: 0, reuse }));
        }
        (_, Length::Bytes(left)) => Rest::Length { left },
        (_, Length::Chunked) => Rest::FIRST_CHUNK,
        (_, Length::UntilClose) => Rest::UntilClose,
    };
    Ok(Step::More(State::Body { body: Body { status, reuse, received: 0, rest } }))
}
