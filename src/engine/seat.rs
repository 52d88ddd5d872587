//! A session's place in a shard: who it is, what it waits for, when it goes on.
//!
//! ```text
//!           offered          begun            ended, slot free
//!   Free ──────────► Ready ──────────► Busy ─────────────────► Ready
//!    ▲ (open model)   │ ▲               ▲ │
//!    └────────────────┤ │ over          │ └── a 401: parked, until the token is there
//!      end            ▼ │               │
//!               Thinking, Token ────────┘
//! ```

use crate::plan::budget;
use crate::session::{Act, Session, Variables};
use crate::stdx::Nanos;

use super::connection::Operation;

/// No slot, no user.
pub(super) const NONE: u32 = u32::MAX;

/// What a session waits for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Waits {
    /// Its workload begins, or its next arrival falls due.
    #[default]
    Free,
    /// Its turn, or that the slot it awaits can take an operation.
    Ready,
    /// The end of a pause.
    Thinking,
    /// A token.
    Token,
    /// The end of an operation on a connection.
    Busy,
    /// The answer to a message.
    Answer,
    /// Nothing: its WebSocket is open, and speaks by the clock.
    Live,
    /// Nothing any more.
    Over,
}

/// A session of a shard.
pub(super) struct Seat {
    pub(super) mind: Session,
    /// Which of the shard's lanes it is of.
    pub(super) lane: u16,
    pub(super) waits: Waits,
    /// Whether its WebSocket has been open before.
    pub(super) was_open: bool,
    /// An arrival that is recorded as due and not begun yet.
    pub(super) scheduled: bool,
    /// The first of its slots.
    pub(super) first_slot: u32,
    /// Its user, by index over all; [`NONE`] without.
    pub(super) user: u32,
    /// The slot that it goes on with when that is available.
    pub(super) awaits: u32,
    /// What it does next, if that is decided.
    pub(super) pending: Option<Act>,
    /// When its next operation is due.
    pub(super) due: Nanos,
    /// When what it waited for last was there: a slot, a token, the end of an iteration. Until
    /// then it was not the shard that was late.
    pub(super) free: Nanos,
    /// When its timer fires; never if none is set.
    pub(super) timer: Nanos,
    /// When its iteration was due.
    pub(super) iteration: Nanos,
    /// An operation that waits for a token to be sent again.
    pub(super) parked: Option<Box<Operation>>,
    /// What it remembers within an iteration, if its workload saves or groups anything.
    pub(super) memory: Option<Box<Memory>>,
}

/// With its place in a queue: what a plan's budget says is what a session costs.
const _: () = assert!((size_of::<Seat>() + size_of::<u32>()) as u64 <= budget::SESSION);

/// What a session remembers within an iteration.
#[derive(Debug, Default)]
pub(super) struct Memory {
    pub(super) variables: Variables,
    /// Groups that it is in, each with when it came in.
    pub(super) groups: Vec<(u16, Nanos)>,
}

impl Seat {
    pub(super) fn new(index: u64, lane: u16, first_slot: u32) -> Self {
        Self {
            mind: Session::new(index),
            lane,
            waits: Waits::Free,
            was_open: false,
            scheduled: false,
            first_slot,
            user: NONE,
            awaits: NONE,
            pending: None,
            due: Nanos::ZERO,
            free: Nanos::ZERO,
            timer: Nanos::MAX,
            iteration: Nanos::ZERO,
            parked: None,
            memory: None,
        }
    }

    /// Nothing of an iteration is known in the next.
    pub(super) fn forget(&mut self) {
        if let Some(memory) = &mut self.memory {
            memory.variables.clear();
            memory.groups.clear();
        }
    }
}
