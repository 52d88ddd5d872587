//! A WebSocket's state beside its connection's: what is awaited on it, and what is to be sent.

use std::collections::VecDeque;

use super::limits::{AWAITED, INBOX, INBOX_BYTES, WATCHED};
use crate::metrics::LeafId;
use crate::plan::budget;
use crate::protocol::Timing;
use crate::protocol::ws::{self, Opening};
use crate::stdx::Nanos;

/// A WebSocket.
#[derive(Debug)]
pub(super) struct Side {
    /// Until it is open.
    pub(super) opening: Option<Opening>,
    /// Once it is open.
    pub(super) frames: ws::Connection,
    /// What its bytes are recorded under.
    pub(super) leaf: LeafId,
    /// Since when.
    pub(super) opened_at: Nanos,
    /// Frames that wait for the send before them.
    pub(super) out: Vec<u8>,
    /// Messages whose answers are awaited, oldest first.
    pub(super) awaited: VecDeque<Awaited>,
    /// What sent messages spoke of, oldest first: when that was made, for the measures.
    pub(super) watched: VecDeque<Watched>,
    /// Messages that nothing has asked for yet, for a journey that will.
    pub(super) inbox: VecDeque<Vec<u8>>,
    /// Whether messages are kept for a step to come.
    pub(super) keeps: bool,
}

/// A message whose answer is awaited.
#[derive(Clone, Copy, Debug)]
pub(super) struct Awaited {
    /// Index of the message in the plan.
    pub(super) message: u16,
    pub(super) leaf: LeafId,
    pub(super) timing: Timing,
    /// The low bits of its number on the shard.
    pub(super) serial: u32,
    /// What tells its answer from others, hashed; or which ping it was.
    pub(super) key: u64,
    /// When it has been awaited too long.
    pub(super) deadline: Nanos,
    /// Whether it is the journey's present step.
    pub(super) step: bool,
}

/// Something that a measure ends for when a message tells of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Watched {
    /// Which of the plan's measures.
    pub(super) measure: u16,
    /// Its id, hashed.
    pub(super) key: u64,
    pub(super) made: Nanos,
}

/// Ten thousand idle sockets of a shard are to cost a few MiB.
const _: () = assert!(size_of::<Side>() as u64 <= budget::WEB_SOCKET);

impl Side {
    /// One whose handshake has begun.
    pub(super) fn new(opening: Opening, settings: ws::Settings, leaf: LeafId, keeps: bool) -> Self {
        Self {
            opening: Some(opening),
            frames: ws::Connection::new(settings),
            leaf,
            opened_at: Nanos::ZERO,
            out: Vec::new(),
            awaited: VecDeque::new(),
            watched: VecDeque::new(),
            inbox: VecDeque::new(),
            keeps,
        }
    }

    /// Whether another message may await its answer.
    pub(super) fn has_room(&self) -> bool {
        self.awaited.len() < AWAITED
    }

    /// Keeps a message for a step to come; the oldest leave.
    pub(super) fn keep(&mut self, bytes: &[u8]) {
        if !self.keeps || bytes.len() > INBOX_BYTES {
            return;
        }
        let mut place = if self.inbox.len() >= INBOX {
            self.inbox.pop_front().unwrap_or_default()
        } else {
            Vec::new()
        };
        place.clear();
        place.extend_from_slice(bytes);
        self.inbox.push_back(place);
    }

    /// Waits for a message that tells of something; the oldest leave.
    pub(super) fn watch(&mut self, watched: Watched) {
        if self.watched.len() >= WATCHED {
            self.watched.pop_front();
        }
        self.watched.push_back(watched);
    }

    /// When something was made that a message tells of, once.
    pub(super) fn seen(&mut self, measure: u16, key: u64) -> Option<Nanos> {
        let is_it = |watched: &Watched| watched.measure == measure && watched.key == key;
        let place = self.watched.iter().position(is_it)?;
        self.watched.remove(place).map(|watched| watched.made)
    }

    /// When the message that has been awaited longest is overdue.
    pub(super) fn deadline(&self) -> Nanos {
        self.awaited.iter().map(|awaited| awaited.deadline).min().unwrap_or(Nanos::MAX)
    }
}
