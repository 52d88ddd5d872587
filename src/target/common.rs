//! What the connections of one server share.

use std::sync::Arc;

use super::counters::Share;
use super::desk::{Around, Desk};
use super::exchange::Exchange;
use super::journal::{Entry, Journal};
use super::limits::{QUEUE_MAX, TIMERS_MAX};
use super::misbehave::{Lie, Misbehaviour};
use super::payloads::Payloads;
use super::realm::Realm;
use super::routes::Path;
use super::spare::Spare;
use crate::net::Wheel;
use crate::protocol::ws::Scratch;
use crate::stdx::Nanos;
use crate::stdx::rng::Rng;

/// All that is not one connection's own.
#[derive(Debug)]
pub(super) struct Common {
    pub(super) payloads: Payloads,
    pub(super) spare: Spare,
    pub(super) counters: Share,
    pub(super) lies: Misbehaviour,
    pub(super) desk: Desk,
    /// Where messages of WebSockets lie while they are looked at.
    pub(super) scratch: Scratch,
    /// Text of one answer, kept so that writing it allocates nothing.
    pub(super) text: String,
    /// What was done, if that is wanted.
    pub(super) journal: Option<Journal>,
    /// When the clerk of `/queue` is free again.
    clerk_free: Nanos,
    /// How long the clerk works.
    clerk: Rng,
    /// Requests numbered so far.
    numbered: u64,
    /// Messages numbered so far.
    messages: u64,
    wheel: Wheel,
    /// Entries in the wheel, stale ones included.
    timers: u32,
}

/// What a timer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Timer {
    /// A reply is held back on this slot.
    Hold(u32),
    /// A head has begun on this slot.
    Head(u32),
    /// The tasks that this slot's WebSocket is told about go on.
    Tasks(u32),
    /// Accepting is to be tried again.
    Accept,
}

/// Of what the clerk of `/queue` draws, unless another is given.
const DEFAULT_SEED: u64 = 1;

/// No slot has this key: slots are below 2^24.
const ACCEPT: u32 = u32::MAX;

impl Timer {
    const fn key(self) -> u32 {
        match self {
            Self::Hold(slot) => slot << 2,
            Self::Head(slot) => slot << 2 | 1,
            Self::Tasks(slot) => slot << 2 | 2,
            Self::Accept => ACCEPT,
        }
    }

    const fn of(key: u32) -> Self {
        match (key, key & 0b11) {
            (ACCEPT, _) => Self::Accept,
            (_, 0) => Self::Hold(key >> 2),
            (_, 1) => Self::Head(key >> 2),
            (_, _) => Self::Tasks(key >> 2),
        }
    }
}

impl Common {
    pub(super) fn new(lies: Misbehaviour, counters: Share, realm: Arc<Realm>, now: Nanos) -> Self {
        let clerk = Rng::stream(DEFAULT_SEED, counters.number() as u64);
        Self {
            payloads: Payloads::new(),
            spare: Spare::default(),
            desk: Desk::new(realm, counters.number()),
            counters,
            lies,
            scratch: Scratch::default(),
            text: String::new(),
            journal: None,
            clerk_free: now,
            clerk,
            numbered: 0,
            messages: 0,
            wheel: Wheel::new(now),
            timers: 0,
        }
    }

    /// Numbers and counts a request, perhaps an account's, and says which lie it is told.
    pub(super) fn number(&mut self, path: Path, account: Option<u32>) -> Option<Lie> {
        self.numbered += 1;
        self.counters.own().request(path);
        let lie = self.lies.due(self.numbered).or_else(|| self.due_for(account?))?;
        self.counters.own().lie(lie);
        Some(lie)
    }

    fn due_for(&self, account: u32) -> Option<Lie> {
        let account = self.desk.realm.accounts.get(account);
        account.filter(|_| self.lies.is_about_users()).and_then(|it| self.lies.due_for(&it.email))
    }

    /// Numbers a message that is about to be sent, and says which lie is due at it.
    pub(super) fn number_message(&mut self) -> Option<Lie> {
        self.messages += 1;
        self.lies.due_at_message(self.messages)
    }

    /// Draws what the clerk of `/queue` takes from another seed.
    pub(super) fn seed(&mut self, seed: u64) {
        self.clerk = Rng::stream(seed, self.counters.number() as u64);
    }

    /// The clerk takes a request that has arrived at `now`: when it is answered, and the work that
    /// it is. None if the clerk is booked for too long.
    pub(super) fn enqueue(&mut self, mean: Nanos, now: Nanos) -> Option<(Nanos, Nanos)> {
        let begins = self.clerk_free.max(now);
        if begins.since(now) > QUEUE_MAX {
            return None;
        }
        let work = Nanos(self.clerk.exponential(mean.0));
        self.clerk_free = begins + work;
        Some((self.clerk_free, work))
    }

    /// Notes a request that is answered now, if a journal is kept.
    pub(super) fn note(&mut self, exchange: &Exchange, now: Nanos) {
        if let Some(journal) = &mut self.journal
            && exchange.path != Path::Count
        {
            let Exchange { id, path, arrived, work, .. } = *exchange;
            journal.add(Entry { id, path, arrived, answered: now, work });
        }
    }

    /// The desk, and what it works with.
    pub(super) fn desk(&mut self, now: Nanos) -> (&mut Desk, Around<'_>) {
        let Self { desk, counters, lies, .. } = self;
        (desk, Around { counters: counters.own(), lies, now })
    }

    /// Sets a timer; false when there are too many.
    pub(super) fn set(&mut self, at: Nanos, timer: Timer) -> bool {
        // The listener's own timer is one, and must not be lost.
        if self.timers >= TIMERS_MAX && timer != Timer::Accept {
            return false;
        }
        self.timers += 1;
        self.wheel.insert(at, timer.key());
        true
    }

    /// Gathers the timers that are due.
    pub(super) fn due(&mut self, now: Nanos, due: &mut Vec<Timer>) {
        let before = due.len();
        self.wheel.advance(now, |key, _| due.push(Timer::of(key)));
        // As many were counted in by `set`.
        let fired = u32::try_from(due.len() - before).unwrap_or(u32::MAX);
        self.timers = self.timers.saturating_sub(fired);
    }

    pub(super) fn next_due(&self) -> Option<Nanos> {
        self.wheel.next_due()
    }
}
