//! What a submission carries through the kernel: operation, generation, slot.
//!
//! ```text
//!  63      56 55                    32 31                              0
//! ┌──────────┬────────────────────────┬─────────────────────────────────┐
//! │ operation│ generation             │ slot                            │
//! └──────────┴────────────────────────┴─────────────────────────────────┘
//! ```

use crate::net::Handle;

/// The operation that a completion belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Op {
    /// The eventfd of the [`super::Waker`].
    Wake,
    /// A step whose outcome shows elsewhere (a shutdown before a close, say).
    Ignored,
    /// Any link of a connect chain: exactly one of them completes.
    Connect,
    Accept,
    Receive,
    Discard,
    Send,
    Close,
}

/// A decoded `user_data`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tag {
    pub(super) op: Op,
    pub(super) generation: u32,
    pub(super) slot: u32,
}

const GENERATION_MASK: u64 = 0xff_ffff;

impl Tag {
    pub(super) const fn new(op: Op, handle: Handle) -> Self {
        Self { op, generation: handle.generation, slot: handle.slot }
    }

    pub(super) const fn bits(self) -> u64 {
        (self.op as u64) << 56 | (self.generation as u64 & GENERATION_MASK) << 32 | self.slot as u64
    }

    #[expect(clippy::cast_possible_truncation, reason = "fields of 24 and 32 bits")]
    pub(super) const fn from_bits(bits: u64) -> Self {
        let op = match bits >> 56 {
            0 => Op::Wake,
            2 => Op::Connect,
            3 => Op::Accept,
            4 => Op::Receive,
            5 => Op::Discard,
            6 => Op::Send,
            7 => Op::Close,
            _ => Op::Ignored,
        };
        Self { op, generation: ((bits >> 32) & GENERATION_MASK) as u32, slot: bits as u32 }
    }

    pub(super) const fn handle(self) -> Handle {
        Handle { slot: self.slot, generation: self.generation }
    }
}

#[cfg(test)]
mod tests {
    use super::{Handle, Op, Tag};

    #[test]
    fn survives_the_kernel() {
        let ops = [
            Op::Wake,
            Op::Ignored,
            Op::Connect,
            Op::Accept,
            Op::Receive,
            Op::Discard,
            Op::Send,
            Op::Close,
        ];
        for op in ops {
            let handle = Handle { slot: u32::MAX - 3, generation: 0xff_fffe };
            let back = Tag::from_bits(Tag::new(op, handle).bits());
            assert_eq!((back.op, back.handle()), (op, handle));
        }
    }
}
