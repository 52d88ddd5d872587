//! One connection of a shard, and the operation that it carries.
//!
//! ```text
//!            begin            connected           dispatch
//!  Vacant ──────────► Opening ──────────► Idle ──────────► Busy
//!    ▲                   │                  │ ▲  answered    │ │ answered while sending
//!    │                   │                  │ ├──────────────┘ ▼
//!    │                   │ failed           │ └────────────── Settling
//!    │                   │                  │ peer ends        │ failed, or not to be reused:
//!    │                   ▼                  ▼                  ▼ from Busy too
//!    ├──────────────── Closing ◄────────────┴────────────────┘
//!    │ pause over        │ closed, and nothing of it outstanding
//!    └── BackingOff ◄────┘
//!
//!            dispatch               101               closing             closed by both
//!  Opening ──────────► Upgrading ────────► Live ──────────────► Farewell ────────────────► Closing
//! ```
//! The second line is a WebSocket's, which is opened for one session and is never idle.

use super::socket::Side;
use crate::metrics::LeafId;
use crate::net::Link;
use crate::plan::budget;
use crate::protocol::Timing;
use crate::protocol::http::Exchange;
use crate::session::CallKind;
use crate::stdx::Nanos;
use crate::stdx::rng;

use super::limits::{BACK_OFF_FIRST, BACK_OFF_LONGEST};

/// Where a connection stands. The picture is above.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum State {
    /// No socket.
    #[default]
    Vacant,
    /// Connecting, for an operation or ahead of the run.
    Opening,
    /// Connected, nothing awaited.
    Idle,
    /// A request is out, its reply awaited.
    Busy,
    /// The reply came while the request was still being sent: idle when that ends, closed if it
    /// does not end well and in time.
    Settling,
    /// Being closed.
    Closing,
    /// Not to be opened again before a moment.
    BackingOff,
    /// The request for a WebSocket is out, its 101 awaited.
    Upgrading,
    /// An open WebSocket.
    Live,
    /// Our close frame is sent; the peer's, and the end of the stream, are awaited.
    Farewell,
}

/// How a connection asks for what comes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Listening {
    /// One entry for many replies.
    #[default]
    Multishot,
    /// As before, and asked to end.
    Stopping,
    /// One entry a receive, so that large bodies can be discarded; `small` replies in a row had
    /// none.
    Single { small: u8 },
}

impl Listening {
    /// Small replies in a row, as far as that is counted.
    pub(super) const fn small_replies(self) -> u8 {
        match self {
            Self::Multishot | Self::Stopping => 0,
            Self::Single { small } => small,
        }
    }

    /// A reply has ended; bodies that were discarded set the count back.
    pub(super) const fn replied(&mut self) {
        if let Self::Single { small } = self {
            *small = small.saturating_add(1);
        }
    }
}

/// What a connection is busy with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Errand {
    /// A request of the plan.
    Http(u16),
    /// Opening a socket of the plan.
    Open(u16),
    /// A request for a token: no operation of the load.
    Call(CallKind),
}

impl Default for Errand {
    fn default() -> Self {
        Self::Http(0)
    }
}

/// An operation under way.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Operation {
    pub(super) leaf: LeafId,
    pub(super) errand: Errand,
    /// Sent a second time, with a new token.
    pub(super) retried: bool,
    /// Which token of its user it was sent with.
    pub(super) generation: u32,
    pub(super) timing: Timing,
    /// When the attempt began: what the timeout counts from.
    pub(super) begun: Nanos,
    /// Bytes of its reply so far.
    pub(super) received: u64,
    /// The low bits of its number on the shard.
    pub(super) serial: u32,
}

/// A connection's slot in the slab.
#[derive(Default)]
pub(super) struct Connection {
    pub(super) link: Link,
    pub(super) state: State,
    /// Failures in a row.
    pub(super) failures: u8,
    pub(super) operation: Option<Operation>,
    pub(super) exchange: Exchange,
    pub(super) listening: Listening,
    /// Bytes of the last request that the kernel has not taken.
    pub(super) unsent: u32,
    /// Bytes of the last request.
    pub(super) asked: u32,
    /// When the state is over, if it does not end by itself.
    pub(super) deadline: Nanos,
    /// The earliest entry of this slot in the wheel.
    pub(super) wheel_at: Nanos,
    /// An entry behind that one, left when the deadline moved ahead.
    pub(super) wheel_later: Nanos,
    /// When the slot became able to take an operation.
    pub(super) available: Nanos,
    /// Not to be opened again before.
    pub(super) not_before: Nanos,
    /// The session that it belongs to, or which of the connections for tokens it is.
    pub(super) owner: u32,
    /// A WebSocket's state.
    pub(super) side: Option<Box<Side>>,
}

/// A hundred thousand idle connections of one shard are to fit into 24 MiB.
const _: () = assert!(size_of::<Connection>() as u64 <= budget::CONNECTION);

impl Connection {
    pub(super) fn of(owner: u32) -> Self {
        let never = Nanos::MAX;
        Self { deadline: never, wheel_at: never, wheel_later: never, owner, ..Self::default() }
    }

    /// So many bytes are about to be sent; limits on bodies and messages keep them far below 2^32.
    pub(super) fn sends(&mut self, bytes: usize) {
        self.asked = u32::try_from(bytes).unwrap_or(u32::MAX);
        self.unsent = self.asked;
    }

    /// Whether it can take an operation.
    pub(super) const fn is_available(&self) -> bool {
        matches!(self.state, State::Idle | State::Vacant)
    }
}

/// The pause after `failures` in a row: none after the first unless connecting itself failed,
/// then doubling up to a second, each jittered down to its half so that a fleet does not return in
/// waves.
pub(super) fn pause(failures: u8, connecting: bool, seed: u64, slot: u32, now: Nanos) -> Nanos {
    let doublings = match (failures, connecting) {
        (0, _) | (1, false) => return Nanos::ZERO,
        (n, true) => u32::from(n - 1),
        (n, false) => u32::from(n - 2),
    };
    let full = BACK_OFF_FIRST.0.saturating_mul(1 << doublings.min(16)).min(BACK_OFF_LONGEST.0);
    let half = full / 2;
    Nanos(half + rng::choice(seed, u64::from(slot), now.0, half))
}

#[cfg(test)]
mod tests {
    use super::{BACK_OFF_LONGEST, Nanos, pause};

    #[test]
    fn pauses_grow_and_stay_bounded() {
        assert_eq!(pause(0, true, 1, 1, Nanos(1)), Nanos::ZERO);
        assert_eq!(
            pause(1, false, 1, 1, Nanos(1)),
            Nanos::ZERO,
            "one failure may be the peer's whim"
        );
        for failures in 1..=u8::MAX {
            let pause = pause(failures, true, 7, 3, Nanos(u64::from(failures)));
            let full = 10_000_000_u64.saturating_mul(1 << u32::from(failures - 1).min(16));
            let full = full.min(BACK_OFF_LONGEST.0);
            assert!((full / 2..=full).contains(&pause.0), "{failures}: {pause}");
        }
    }
}
