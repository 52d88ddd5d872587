//! One socket's life, as its completions tell it.
//!
//! A slot may serve another socket only when nothing of the last one is outstanding: neither its
//! close, nor a receive, nor a send whose buffer the ring still holds. [`Link`] keeps that
//! account; it is a handful of bits, so that every connection can afford one.

use super::{Handle, More};

/// What is outstanding for one slot, and which life it is in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Link {
    generation: u32,
    connecting: bool,
    receiving: bool,
    sending: bool,
    closing: bool,
    closed: bool,
}

/// Generations are 24 bits wide, as wide as a ring can carry beside slot and operation.
const GENERATIONS: u32 = 1 << 24;

impl Link {
    /// The handle of this life of `slot`.
    #[must_use]
    pub const fn handle(&self, slot: u32) -> Handle {
        Handle { slot, generation: self.generation }
    }

    /// Whether `handle` is of this life.
    #[must_use]
    pub const fn is_current(&self, handle: Handle) -> bool {
        self.generation == handle.generation
    }

    /// A connect was submitted.
    pub const fn connecting(&mut self) {
        self.connecting = true;
    }

    /// The connect ended, well or not.
    pub const fn connected(&mut self) {
        self.connecting = false;
    }

    /// A connection was accepted into the slot: nothing is outstanding yet.
    pub const fn accepted(&mut self) {
        *self = Self { generation: self.generation, ..Self::NEW };
    }

    /// A receive (multishot, single or discarding) was submitted.
    pub const fn receiving(&mut self) {
        self.receiving = true;
    }

    /// A completion of a receive came.
    pub fn received(&mut self, more: More) {
        self.receiving = more == More::Armed;
    }

    /// A send was submitted.
    pub const fn sending(&mut self) {
        self.sending = true;
    }

    /// The send ended.
    pub const fn sent(&mut self) {
        self.sending = false;
    }

    /// Whether a send is in flight.
    #[must_use]
    pub const fn is_sending(&self) -> bool {
        self.sending
    }

    /// Whether a receive is outstanding.
    #[must_use]
    pub const fn is_receiving(&self) -> bool {
        self.receiving
    }

    /// Whether the connect is outstanding.
    #[must_use]
    pub const fn is_connecting(&self) -> bool {
        self.connecting
    }

    /// A close was submitted.
    pub const fn closing(&mut self) {
        self.closing = true;
    }

    /// Whether a close is under way or done.
    #[must_use]
    pub const fn is_closing(&self) -> bool {
        self.closing
    }

    /// The close ended.
    pub const fn closed(&mut self) {
        self.closed = true;
    }

    /// Ends this life if it was closed and nothing is outstanding; then the slot is free.
    pub const fn finish(&mut self) -> bool {
        if !self.closed || self.connecting || self.receiving || self.sending {
            return false;
        }
        *self = Self { generation: (self.generation + 1) % GENERATIONS, ..Self::NEW };
        true
    }

    const NEW: Self = Self {
        generation: 0,
        connecting: false,
        receiving: false,
        sending: false,
        closing: false,
        closed: false,
    };
}

#[cfg(test)]
mod tests {
    use super::{Link, More};

    #[test]
    fn a_slot_is_free_only_when_nothing_is_outstanding() {
        let mut link = Link::default();
        let first = link.handle(7);
        link.connecting();
        link.connected();
        link.receiving();
        link.sending();
        link.closing();
        link.closed();
        assert!(!link.finish(), "receive and send are still out");
        link.received(More::Ended);
        assert!(!link.finish(), "the send is still out");
        link.sent();
        assert!(link.finish());
        assert!(!link.is_current(first), "a new life has a new generation");
        assert!(!link.finish(), "a new life is not closed");
    }
}
