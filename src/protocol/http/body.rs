//! The body of a reply: counted, and shown to whoever wants to keep it (RFC 9112, sections 6 to
//! 8).
//!
//! | rest         | data, not the last | its last byte     | line      | end of stream |
//! |--------------|--------------------|-------------------|-----------|---------------|
//! | `Length`     | `Length`           | the reply is done | -         | `BodyCut`     |
//! | `ChunkData`  | `ChunkData`        | `ChunkLine`       | -         | `ChunksCut`   |
//! | `ChunkLine`  | -                  | -                 | [`chunk`] | `ChunksCut`   |
//! | `UntilClose` | `UntilClose`       | -                 | -         | done          |
//!
//! Data may come through [`Body::receive`] or be thrown away in the kernel: [`Body::pass`] is what
//! both do, so that they cannot differ.
//!
//! [`chunk`]: super::chunk

use super::chunk::{Line, Next};
use super::{ExchangeError, Reply, Reuse};

/// A body of which something is to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Body {
    pub(super) status: u16,
    pub(super) reuse: Reuse,
    pub(super) received: u64,
    pub(super) rest: Rest,
}

/// What is to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rest {
    /// The rest of a Content-Length, never zero.
    Length { left: u64 },
    /// The rest of a chunk's data, never zero.
    ChunkData { left: u64 },
    /// A line between chunks or after them.
    ChunkLine { line: Line },
    /// Data until the peer ends its side.
    UntilClose,
}

impl Rest {
    pub(super) const FIRST_CHUNK: Self = Self::ChunkLine { line: Line::FirstDigit };
}

/// How far bytes have brought a reply: onwards to `T`, or to its end.
pub(super) enum Step<T> {
    More(T),
    Done(Reply),
}

impl Body {
    /// Takes bytes of data, which `data` may look at, or of one line, or as many as there are: at
    /// least one.
    pub(super) fn receive(
        self,
        input: &mut &[u8],
        data: &mut impl FnMut(&[u8]),
    ) -> Result<Step<Self>, ExchangeError> {
        match self.rest {
            Rest::ChunkLine { line } => Ok(match line.receive(input)? {
                Next::Line(line) => self.then(Rest::ChunkLine { line }),
                Next::Data { left } => self.then(Rest::ChunkData { left }),
                Next::End => Step::Done(self.reply()),
            }),
            Rest::Length { .. } | Rest::ChunkData { .. } | Rest::UntilClose => {
                let here = u64::try_from(input.len()).unwrap_or(u64::MAX);
                let taken = here.min(self.discardable());
                let split = usize::try_from(taken).ok().and_then(|len| input.split_at_checked(len));
                let (taken_now, rest) = split.unwrap_or((input, &[]));
                data(taken_now);
                *input = rest;
                Ok(self.pass(taken))
            }
        }
    }

    /// Lets `len` bytes of data go, of which there are at most [`Self::discardable`].
    pub(super) const fn pass(mut self, len: u64) -> Step<Self> {
        self.received = self.received.saturating_add(len);
        match self.rest {
            Rest::Length { left } if left > len => self.then(Rest::Length { left: left - len }),
            Rest::Length { .. } => Step::Done(self.reply()),
            Rest::ChunkData { left } if left > len => {
                self.then(Rest::ChunkData { left: left - len })
            }
            Rest::ChunkData { .. } => self.then(Rest::ChunkLine { line: Line::DataCr }),
            Rest::ChunkLine { .. } | Rest::UntilClose => Step::More(self),
        }
    }

    /// Bytes that are data whatever they hold.
    pub(super) const fn discardable(&self) -> u64 {
        match self.rest {
            Rest::Length { left } | Rest::ChunkData { left } => left,
            Rest::ChunkLine { .. } => 0,
            Rest::UntilClose => u64::MAX,
        }
    }

    /// The peer has ended its side: the end of a close-delimited body, too early for any other.
    pub(super) const fn end_of_stream(self) -> Result<Reply, ExchangeError> {
        match self.rest {
            Rest::Length { left } => Err(ExchangeError::BodyCut { missing: left }),
            Rest::ChunkData { .. } | Rest::ChunkLine { .. } => Err(ExchangeError::ChunksCut),
            Rest::UntilClose => Ok(self.reply()),
        }
    }

    const fn then(self, rest: Rest) -> Step<Self> {
        Step::More(Self { rest, ..self })
    }

    const fn reply(self) -> Reply {
        Reply { status: self.status, body_bytes: self.received, reuse: self.reuse }
    }
}
