//! What will happen, in the order of virtual time.

use std::collections::BTreeMap;
use std::fmt;

use onslaught::net::{Errno, Handle, More};
use onslaught::stdx::Nanos;

use super::dice::Dice;
use super::scenario::Scenario;

/// One life of a slot of a shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Id {
    pub(crate) shard: usize,
    pub(crate) handle: Handle,
}

/// A completion that owns its bytes.
pub(crate) enum Happened {
    Connected(Result<(), Errno>),
    Received(Vec<u8>, More),
    ReceiveFailed(Errno, More),
    Discarded(Result<u32, Errno>),
    Sent(Result<u32, Errno>, Option<Vec<u8>>),
    Closed,
}

impl Happened {
    /// Anything, of an earlier life of a slot.
    pub(crate) fn stale(dice: &mut Dice) -> Self {
        match dice.between(0, 5) {
            0 => Self::Connected(Ok(())),
            1 => Self::Received(b"HTTP/1.1 200 Old\r\n\r\n".to_vec(), More::Ended),
            2 => Self::ReceiveFailed(Errno::RESET, More::Ended),
            3 => Self::Discarded(Ok(1)),
            4 => Self::Sent(Ok(1), None),
            _ => Self::Closed,
        }
    }
}

impl fmt::Debug for Happened {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connected(result) => write!(out, "connected {result:?}"),
            Self::Received(bytes, more) => write!(out, "received {} {more:?}", bytes.len()),
            Self::ReceiveFailed(errno, more) => write!(out, "receive failed {errno:?} {more:?}"),
            Self::Discarded(result) => write!(out, "discarded {result:?}"),
            Self::Sent(result, _) => write!(out, "sent {result:?}"),
            Self::Closed => write!(out, "closed"),
        }
    }
}

/// What reaches this host from a peer.
#[derive(Debug)]
pub(crate) enum Arrived {
    Bytes(Vec<u8>),
    End,
    Reset,
}

/// Something that will happen.
#[derive(Debug)]
pub(crate) enum Due {
    /// The peer takes the connection, or does not.
    Connects(Id),
    /// The kernel takes bytes of the send in flight.
    Takes(Id),
    /// So many bytes of requests reach the peer.
    Reaches(Id, usize),
    /// Something of the peer's reaches this host.
    Arrives(Id, Arrived),
    /// The receive of a closed socket ends.
    LetsGo(Id),
    /// A completion is there for the shard to see.
    Posts(Id, Happened),
    /// The target goes away, and its sockets with it.
    Outage,
}

/// All that is due, and the time.
#[derive(Default)]
pub(crate) struct Agenda {
    pub(crate) now: Nanos,
    entries: BTreeMap<(Nanos, u64), Due>,
    written: u64,
}

impl Agenda {
    /// Things at the same moment happen in the order in which they were written down.
    pub(crate) fn at(&mut self, at: Nanos, due: Due) {
        self.written += 1;
        self.entries.insert((at.max(self.now), self.written), due);
    }

    pub(crate) fn after(&mut self, delay: Nanos, due: Due) {
        self.at(self.now + delay, due);
    }

    pub(crate) fn next_at(&self) -> Option<Nanos> {
        self.entries.first_key_value().map(|((at, _), _)| *at)
    }

    /// The next thing that is due now.
    pub(crate) fn take(&mut self) -> Option<Due> {
        let entry = self.entries.first_entry()?;
        (entry.key().0 <= self.now).then(|| entry.remove())
    }
}

/// What everything in the world needs to act.
pub(crate) struct Scene<'a> {
    pub(crate) agenda: &'a mut Agenda,
    pub(crate) dice: &'a mut Dice,
    pub(crate) scenario: &'a Scenario,
}

impl Scene<'_> {
    pub(crate) const fn now(&self) -> Nanos {
        self.agenda.now
    }

    /// The kernel's own small delay.
    pub(crate) fn lag(&mut self) -> Nanos {
        Nanos(100) + self.dice.up_to(self.scenario.kernel.lag)
    }

    /// The way from here to the target, or back.
    pub(crate) fn way(&mut self) -> Nanos {
        let latency = self.scenario.target.latency;
        self.dice.span(Nanos(latency.0 / 2), latency)
    }
}
