//! What the collector tells the shards, and the shards the collector.
//!
//! Orders go through two words that a shard reads only when its ring was woken, so that the hot
//! loop shares no cache line that anybody writes.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use crate::metrics::{Delta, Tails};
use crate::net::ring::{RingCounts, Waker};
use crate::plan::Curve;
use crate::stdx::Nanos;

/// What the user may order while the run is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Let nothing new fall due, until the level is set again.
    Pause,
    /// Go on at the level that was set last.
    Resume,
    /// So many thousandths of what was planned.
    Level(u64),
}

/// The orders in force.
#[derive(Debug, Default)]
pub(super) struct Control {
    /// When the load begins, in nanoseconds of the run's clock; 0 as long as that is open.
    start: AtomicU64,
    order: AtomicU8,
}

/// A change of the level, from a moment on that every shard is told before it comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level {
    /// Of this workload, by index; of all of them.
    pub workload: Option<usize>,
    /// From then on, on the run's clock.
    pub at: Nanos,
    /// What it is then.
    pub to: To,
}

/// What a level becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum To {
    /// So many thousandths of what was planned for each moment; nothing is a pause.
    Share(u64),
    /// Thousandths of arrivals a second, or of sessions; held for ever.
    Held(u64),
}

impl Level {
    /// Changes `curve` from `at` on, counted from the curve's beginning.
    pub(super) fn apply(&self, curve: &mut Curve, at: Nanos, planned: &Curve) {
        match self.to {
            To::Share(thousandths) => curve.scale_from(at, planned, thousandths),
            To::Held(level) => curve.hold_from(at, level),
        }
    }
}

/// What shards have to do. Each order includes the ones before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(super) enum Order {
    /// As planned.
    Run,
    /// Let nothing new fall due, and end what is in flight.
    Drain,
    /// End at once.
    Abort,
}

impl Control {
    /// Sets the start. Shards must be woken afterwards.
    pub(super) fn begin(&self, start: Nanos) {
        self.start.store(start.0.max(1), Ordering::Release);
    }

    /// Gives an order. Shards must be woken afterwards.
    pub(super) fn give(&self, order: Order) {
        self.order.store(order as u8, Ordering::Release);
    }

    /// The start, once it is set.
    pub(super) fn start(&self) -> Option<Nanos> {
        Some(self.start.load(Ordering::Acquire)).filter(|start| *start > 0).map(Nanos)
    }

    pub(super) fn order(&self) -> Order {
        match self.order.load(Ordering::Acquire) {
            0 => Order::Run,
            1 => Order::Drain,
            _ => Order::Abort,
        }
    }
}

/// What a shard tells the collector.
#[derive(Debug)]
pub(super) struct Message {
    /// Whose it is.
    pub(super) shard: u32,
    pub(super) news: News,
}

#[derive(Debug)]
pub(super) enum News {
    /// The ring stands; the thread's id, and how to wake it.
    Up { thread: i32, waker: Waker },
    /// So many calls for tokens have ended before the load, of so many.
    SettingUp { done: u64, all: u64 },
    /// The connections are open; `unable` is why none of its users could log in, if so.
    Ready { unable: Option<String> },
    /// What was recorded in the last second.
    Delta(Box<Delta>),
    /// The last of it, and how each of its users fared.
    Finished { delta: Box<Delta>, ring: RingCounts, tails: Tails },
    /// The shard cannot go on; a sentence with cause and remedy.
    Failed(String),
    /// The thread ends; the last that is heard of it.
    Gone,
}
