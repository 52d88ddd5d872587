//! What the kernel has finished, as a shard sees it.

use std::collections::VecDeque;

use io_uring::cqueue;

use super::buffers::Buffers;
use super::tag::{Op, Tag};
use super::{Raw, more};
use crate::net::{Completion, Completions, Errno, Event, Handle, More};

/// Completions a turn: what follows from them is submitted before the next, so that no request
/// waits behind a large batch while its time counts as the target's.
const TURN: u32 = 64;

/// The next completions, at most [`TURN`] of them.
pub struct RingCompletions<'a> {
    batch: &'a mut VecDeque<Raw>,
    left: u32,
    buffers: &'a mut Buffers,
    returned: &'a mut VecDeque<Option<Vec<u8>>>,
    /// The buffer whose bytes the last completion showed.
    lent: Option<u16>,
}

impl<'a> RingCompletions<'a> {
    pub(super) const fn new(
        batch: &'a mut VecDeque<Raw>,
        buffers: &'a mut Buffers,
        returned: &'a mut VecDeque<Option<Vec<u8>>>,
    ) -> Self {
        Self { batch, left: TURN, buffers, returned, lent: None }
    }

    fn received(&mut self, raw: Raw) -> Event<'_> {
        let more = more(raw.flags);
        let buffer = cqueue::buffer_select(raw.flags);
        // A buffer comes back to us also with an end of stream, on some kernels.
        self.lent = buffer;
        match (outcome(raw.result), buffer) {
            (Ok(len), Some(id)) => Event::Received(self.buffers.filled(id, len as usize), more),
            (Ok(_), None) => Event::Received(&[], more),
            (Err(errno), _) => Event::ReceiveFailed(errno, more),
        }
    }
}

impl Completions for RingCompletions<'_> {
    fn next(&mut self) -> Option<Completion<'_>> {
        if let Some(id) = self.lent.take() {
            self.buffers.give(id);
        }
        self.left = self.left.checked_sub(1)?;
        let raw = self.batch.pop_front()?;
        let handle = raw.tag.handle();
        let event = match raw.tag.op {
            Op::Receive => return Some(Completion { handle, event: self.received(raw) }),
            Op::Send => {
                let buffer = self.returned.pop_front().flatten();
                Event::Sent(outcome(raw.result), buffer)
            }
            Op::Connect => Event::Connected(outcome(raw.result).map(drop)),
            Op::Discard => Event::Discarded(outcome(raw.result)),
            Op::Close => Event::Closed,
            Op::Accept => return Some(accepted(raw)),
            Op::Wake | Op::Ignored => unreachable!("settled by the ring itself"),
        };
        Some(Completion { handle, event })
    }
}

impl Drop for RingCompletions<'_> {
    /// Gives the buffers back; what was not asked for is there at the next turn.
    fn drop(&mut self) {
        if let Some(id) = self.lent.take() {
            self.buffers.give(id);
        }
        self.buffers.publish();
    }
}

/// An accepted connection stands in the slot that the kernel chose; a failure is the listener's.
fn accepted(raw: Raw) -> Completion<'static> {
    let more: More = more(raw.flags);
    match outcome(raw.result) {
        Ok(slot) => Completion {
            handle: Handle { slot, generation: 0 },
            event: Event::Accepted(Ok(()), more),
        },
        Err(errno) => {
            let Tag { slot, .. } = raw.tag;
            let handle = Handle { slot, generation: 0 };
            Completion { handle, event: Event::Accepted(Err(errno), more) }
        }
    }
}

fn outcome(result: i32) -> Result<u32, Errno> {
    u32::try_from(result).map_err(|_| Errno(result.wrapping_neg()))
}
