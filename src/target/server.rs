//! The server of one core: completions in, submissions out; no sockets, no clock.

use std::sync::Arc;

use super::common::{Common, Timer};
use super::connection::{Connection, Turn};
use super::counters::Share;
use super::journal::{Journal, Outlet};
use super::limits::ACCEPT_PAUSE;
use super::misbehave::Misbehaviour;
use super::realm::Realm;
use crate::net::{Completion, Completions, Errno, Event, Handle, More, Submissions};
use crate::stdx::Nanos;

/// When a turn is wanted next, if nothing completes before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Next {
    /// The time of the earliest timer; none means: only for a completion.
    pub wake_at: Option<Nanos>,
}

/// One listener and all connections that it took.
#[derive(Debug)]
pub struct Server {
    /// By slot. As long as the highest slot that the kernel has chosen.
    connections: Vec<Connection>,
    common: Common,
    listener: u32,
    accepting: Accepting,
    /// Kept between turns, so that firing timers allocates nothing.
    due: Vec<Timer>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Accepting {
    /// Not yet, or no more: to be armed in the next turn.
    Wanted,
    Armed,
    /// It failed; a timer is out.
    Paused,
}

impl Server {
    /// A server on a listener that the ring knows by this number.
    #[must_use]
    pub fn new(
        listener: u32,
        lies: Misbehaviour,
        counters: Share,
        realm: Arc<Realm>,
        now: Nanos,
    ) -> Self {
        Self {
            connections: Vec::new(),
            common: Common::new(lies, counters, realm, now),
            listener,
            accepting: Accepting::Wanted,
            due: Vec::new(),
        }
    }

    /// Draws what `/queue` takes from another seed than 1.
    #[must_use]
    pub fn seeded(mut self, seed: u64) -> Self {
        self.common.seed(seed);
        self
    }

    /// Keeps a journal of what it does, to be handed over now and then: see
    /// [`Server::hand_over`].
    #[must_use]
    pub fn with_journal(mut self) -> Self {
        self.common.journal = Some(Journal::new());
        self
    }

    /// Hands the journal over if that is due; says when that is wanted next.
    pub fn hand_over(&mut self, now: Nanos, outlet: &Outlet) -> Option<Nanos> {
        let journal = self.common.journal.as_mut()?;
        if journal.due().is_some_and(|due| due <= now) {
            outlet.hand_over(journal);
        }
        journal.due()
    }

    /// Takes what has completed, fires what is due, and asks for what follows. The first turn
    /// arms accepting, so it is wanted without any completion.
    pub fn turn(
        &mut self,
        now: Nanos,
        completions: &mut impl Completions,
        submissions: &mut impl Submissions,
    ) -> Next {
        self.fire(now, submissions);
        while let Some(Completion { handle, event }) = completions.next() {
            match event {
                Event::Accepted(result, more) => {
                    self.accepted(handle, result, more, now, submissions);
                }
                event => self.complete(handle, event, now, submissions),
            }
        }
        if self.accepting == Accepting::Wanted {
            self.accepting = Accepting::Armed;
            submissions.accept(self.listener);
        }
        Next { wake_at: self.common.next_due() }
    }

    fn fire(&mut self, now: Nanos, submissions: &mut impl Submissions) {
        let mut due = std::mem::take(&mut self.due);
        self.common.due(now, &mut due);
        for timer in due.drain(..) {
            let slot = match timer {
                Timer::Accept => {
                    self.accepting = Accepting::Wanted;
                    continue;
                }
                Timer::Hold(slot) | Timer::Head(slot) | Timer::Tasks(slot) => slot,
            };
            let Some(connection) = self.connections.get_mut(index(slot)) else { continue };
            let mut turn = Turn { slot, now, common: &mut self.common, submissions };
            match timer {
                Timer::Hold(_) => connection.hold_over(&mut turn),
                Timer::Head(_) => connection.head_over(&mut turn),
                Timer::Tasks(_) => connection.tasks_over(&mut turn),
                Timer::Accept => {}
            }
        }
        self.due = due;
    }

    fn accepted(
        &mut self,
        handle: Handle,
        result: Result<(), Errno>,
        more: More,
        now: Nanos,
        submissions: &mut impl Submissions,
    ) {
        if result.is_err() {
            self.common.counters.own().accept_error();
        } else {
            self.open(handle.slot, now, submissions);
        }
        match (result, more) {
            (_, More::Armed) => {}
            (Ok(()), More::Ended) => self.accepting = Accepting::Wanted,
            (Err(_), More::Ended) if self.accepting == Accepting::Paused => {}
            (Err(_), More::Ended) => {
                self.accepting = Accepting::Paused;
                self.common.set(now + ACCEPT_PAUSE, Timer::Accept);
            }
        }
    }

    fn open(&mut self, slot: u32, now: Nanos, submissions: &mut impl Submissions) {
        let wanted = index(slot) + 1;
        if self.connections.len() < wanted {
            self.connections.resize_with(wanted, Connection::unused);
        }
        let Some(connection) = self.connections.get_mut(index(slot)) else { return };
        let mut turn = Turn { slot, now, common: &mut self.common, submissions };
        connection.accepted(&mut turn);
    }

    fn complete(
        &mut self,
        handle: Handle,
        event: Event<'_>,
        now: Nanos,
        submissions: &mut impl Submissions,
    ) {
        let slot = handle.slot;
        let Some(connection) = self.connections.get_mut(index(slot)) else { return };
        let mut turn = Turn { slot, now, common: &mut self.common, submissions };
        if connection.is_current(handle) {
            connection.complete(event, &mut turn);
        } else if let Event::Sent(_, buffer) = event {
            // Late, of an earlier life: only its buffer and its place are of use.
            turn.common.spare.give(buffer.unwrap_or_default());
            connection.freed(&mut turn);
        }
    }
}

/// A slot as an index; 32 bits fit everywhere that io_uring does.
const fn index(slot: u32) -> usize {
    slot as usize
}
