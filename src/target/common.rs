//! What the connections of one server share.

use super::counters::Share;
use super::limits::TIMERS_MAX;
use super::misbehave::{Lie, Misbehaviour};
use super::payloads::Payloads;
use super::routes::Path;
use super::spare::Spare;
use crate::net::Wheel;
use crate::stdx::Nanos;

/// All that is not one connection's own.
#[derive(Debug)]
pub(super) struct Common {
    pub(super) payloads: Payloads,
    pub(super) spare: Spare,
    pub(super) counters: Share,
    pub(super) lies: Misbehaviour,
    /// Requests numbered so far.
    numbered: u64,
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
    /// Accepting is to be tried again.
    Accept,
}

/// No slot has this key: slots are below 2^24.
const ACCEPT: u32 = u32::MAX;

impl Timer {
    const fn key(self) -> u32 {
        match self {
            Self::Hold(slot) => slot << 1,
            Self::Head(slot) => slot << 1 | 1,
            Self::Accept => ACCEPT,
        }
    }

    const fn of(key: u32) -> Self {
        match (key, key & 1) {
            (ACCEPT, _) => Self::Accept,
            (_, 0) => Self::Hold(key >> 1),
            (_, _) => Self::Head(key >> 1),
        }
    }
}

impl Common {
    pub(super) fn new(lies: Misbehaviour, counters: Share, now: Nanos) -> Self {
        Self {
            payloads: Payloads::new(),
            spare: Spare::default(),
            counters,
            lies,
            numbered: 0,
            wheel: Wheel::new(now),
            timers: 0,
        }
    }

    /// Numbers and counts a request, and says which lie it is told.
    pub(super) fn number(&mut self, path: Path) -> Option<Lie> {
        self.numbered += 1;
        self.counters.own().request(path);
        let lie = self.lies.due(self.numbered)?;
        self.counters.own().lie(lie);
        Some(lie)
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
