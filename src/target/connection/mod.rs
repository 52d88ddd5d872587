//! One connection: requests in, replies out, in order.
//!
//! One receive is armed and at most one send is in flight. Requests are read one after the other,
//! and none is read while the one before it has no place for its reply:
//!
//! | phase     | a request is whole              | hold over    | body queued | drained         |
//! |-----------|---------------------------------|--------------|-------------|-----------------|
//! | Free      | Free, Held, Streaming or Ending | –            | –           | close after EOF |
//! | Held      | left unread                     | as from Free | –           | cannot be       |
//! | Streaming | left unread                     | –            | Free/Ending | cannot be       |
//! | Ending    | thrown away                     | –            | –           | close           |
//!
//! After an upgrade it is Free for as long as the WebSocket is open: messages are read instead of
//! requests, and one that ends the WebSocket leads to Ending.

use std::mem;

use super::common::Common;
use super::counters::Did;
use super::desk::Admission;
use super::exchange::Exchange;
use super::limits::{BACKLOG_PAUSE, HEAD_PATIENCE, OUT_MAX};
use super::reply::Stream;
use crate::net::error::Cause;
use crate::net::{Event, Handle, Link, More, Submissions};
use crate::protocol::http::server::Serving;
use crate::stdx::Nanos;

mod gateway;
mod pending;
mod reading;
mod socket;
mod upgrade;
mod writing;

use pending::{Flight, Pending};
use socket::Socket;
use upgrade::Wish;

/// One slot: a connection while it is open, and what outlives it.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) link: Link,
    serving: Serving,
    /// Replies behind the one in flight.
    pending: Pending,
    slow: Option<Box<Slow>>,
    /// What it is after an upgrade.
    socket: Option<Box<Socket>>,
    /// Since when an unfinished head has been there; `MAX` when there is none.
    head_since: Nanos,
    flight: Flight,
    phase: Phase,
    open: bool,
    /// The client has ended its side.
    ended: bool,
    /// The armed receive was asked to stop.
    stopping: bool,
    /// The slot's earlier life has a send in flight. A slot has place for one payload in the ring,
    /// so nothing is sent until that one has come back.
    haunted: bool,
    /// A timer for slow heads is out. It belongs to the slot: a connection inherits it.
    watched: bool,
}

/// 10,000 connections in 1.25 MB; what most of them never need is in [`Slow`].
const _: () = assert!(size_of::<Connection>() <= 128);

/// What only bodies, large replies, delays and unread input need.
#[derive(Debug, Default)]
struct Slow {
    /// Input that came while no request was read. At most [`BACKLOG_MAX`] bytes.
    backlog: Vec<u8>,
    /// The body, where one is needed. At most [`ECHO_MAX`] bytes.
    body: Vec<u8>,
    /// Who asks, and for which task.
    admission: Admission,
    /// What is to come of the upgrade that is asked for.
    wish: Wish,
    /// The request whose body is being read, or whose reply is held back.
    exchange: Exchange,
    stream: Stream,
    hold_until: Nanos,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    Free,
    Held,
    Streaming,
    Ending,
}

/// What a connection works with in one turn.
pub(super) struct Turn<'a, S> {
    pub(super) slot: u32,
    pub(super) now: Nanos,
    pub(super) common: &'a mut Common,
    pub(super) submissions: &'a mut S,
}

impl Connection {
    /// A slot that no connection has used yet.
    pub(super) fn unused() -> Self {
        Self {
            link: Link::default(),
            serving: Serving::default(),
            pending: Pending::Nothing,
            slow: None,
            socket: None,
            head_since: Nanos::MAX,
            flight: Flight::Nothing,
            phase: Phase::Free,
            open: false,
            ended: false,
            stopping: false,
            haunted: false,
            watched: false,
        }
    }

    /// A connection came to this slot.
    pub(super) fn accepted<S: Submissions>(&mut self, turn: &mut Turn<'_, S>) {
        if self.open {
            // The kernel has freed the slot before the last completions of its earlier life were
            // read. They are late now: the next life has another generation.
            let haunted = self.haunted || self.link.is_sending();
            self.link.connected();
            self.link.received(More::Ended);
            self.link.sent();
            self.link.closed();
            self.end_life(turn);
            self.haunted = haunted;
        }
        self.open = true;
        self.link.accepted();
        turn.common.counters.own().accepted();
        self.listen(turn);
    }

    /// Something of this life happened.
    pub(super) fn complete<S: Submissions>(&mut self, event: Event<'_>, turn: &mut Turn<'_, S>) {
        match event {
            Event::Received(bytes, more) => {
                self.link.received(more);
                self.stopping &= self.link.is_receiving();
                self.received(bytes, turn);
            }
            Event::ReceiveFailed(errno, more) => {
                self.link.received(more);
                self.stopping &= self.link.is_receiving();
                // Both are transient: receiving is armed again below.
                if !matches!(errno.cause(), Cause::NoBuffers | Cause::Canceled) {
                    self.close(turn);
                }
            }
            Event::Sent(result, buffer) => self.sent(result, buffer, turn),
            Event::Closed => self.link.closed(),
            // Never asked for.
            Event::Connected(_) | Event::Accepted(..) | Event::Discarded(_) => {}
        }
        self.progress(turn);
        self.end_life(turn);
    }

    /// The send of the slot's earlier life has come back.
    pub(super) fn freed<S: Submissions>(&mut self, turn: &mut Turn<'_, S>) {
        if mem::take(&mut self.haunted) {
            self.progress(turn);
        }
    }

    /// The time of a held reply may have come.
    pub(super) fn hold_over<S: Submissions>(&mut self, turn: &mut Turn<'_, S>) {
        let Some(slow) = self.slow.as_ref() else { return };
        // A timer of an earlier life comes too early, and another is out.
        if self.phase != Phase::Held || slow.hold_until > turn.now {
            return;
        }
        let exchange = slow.exchange;
        self.phase = Phase::Free;
        self.reply(exchange, turn);
        self.progress(turn);
    }

    /// The time of a slow head may be over.
    pub(super) fn head_over<S: Submissions>(&mut self, turn: &mut Turn<'_, S>) {
        self.watched = false;
        if self.head_since == Nanos::MAX || self.link.is_closing() {
            return;
        }
        if self.head_since + HEAD_PATIENCE <= turn.now {
            turn.common.counters.own().slow_head();
            self.end_with(408, turn);
        }
        self.progress(turn);
    }

    /// The tasks that the WebSocket is told about have gone on.
    pub(super) fn tasks_over<S: Submissions>(&mut self, turn: &mut Turn<'_, S>) {
        if self.link.is_closing() || self.phase != Phase::Free {
            return;
        }
        if self.pending.len() >= OUT_MAX {
            // Reading cannot be put off here, because nothing was asked.
            turn.common.counters.own().overrun();
            return self.close(turn);
        }
        self.tell_of_tasks(turn);
        self.progress(turn);
    }

    /// Does whatever can be done now.
    fn progress<S: Submissions>(&mut self, turn: &mut Turn<'_, S>) {
        if self.link.is_closing() || !self.open {
            return;
        }
        self.read_backlog(turn);
        self.flush(turn);
        let drained = !self.link.is_sending() && self.pending.is_empty();
        match self.phase {
            Phase::Ending if drained => return self.close(turn),
            Phase::Free if drained && self.ended => return self.close(turn),
            Phase::Free | Phase::Held | Phase::Streaming | Phase::Ending => {}
        }
        self.watch(turn);
        self.listen(turn);
    }

    /// Arms receiving where it has ended and more is wanted.
    fn listen<S: Submissions>(&mut self, turn: &mut Turn<'_, S>) {
        let wanted = !self.ended
            && !self.link.is_closing()
            && self.phase != Phase::Ending
            && self.backlog_len() < BACKLOG_PAUSE;
        if wanted && !self.link.is_receiving() {
            self.link.receiving();
            turn.submissions.receive(self.link.handle(turn.slot));
        }
    }

    /// Closes the connection; whatever was queued is dropped.
    fn close<S: Submissions>(&mut self, turn: &mut Turn<'_, S>) {
        if self.link.is_closing() {
            return;
        }
        self.drop_buffers(turn.common);
        self.phase = Phase::Ending;
        self.link.closing();
        turn.submissions.close(self.link.handle(turn.slot));
    }

    /// Frees the slot, if nothing of this life is outstanding.
    fn end_life<S>(&mut self, turn: &mut Turn<'_, S>) {
        if !self.open || !self.link.finish() {
            return;
        }
        self.drop_buffers(turn.common);
        let (link, watched) = (self.link, self.watched);
        *self = Self { link, watched, haunted: self.haunted, ..Self::unused() };
        turn.common.counters.own().ended();
    }

    fn drop_buffers(&mut self, common: &mut Common) {
        if let Pending::Owned(bytes) = mem::take(&mut self.pending) {
            common.spare.give(bytes);
        }
        if let Some(slow) = self.slow.take() {
            common.spare.give(slow.body);
            common.spare.give(slow.backlog);
        }
        if self.socket.take().is_some() {
            common.counters.own().did(Did::WsClosed);
        }
        self.serving = Serving::default();
        self.head_since = Nanos::MAX;
    }

    fn slow(&mut self) -> &mut Slow {
        self.slow.get_or_insert_default()
    }

    /// Whether a completion is of this life.
    pub(super) const fn is_current(&self, handle: Handle) -> bool {
        self.open && self.link.is_current(handle)
    }
}
