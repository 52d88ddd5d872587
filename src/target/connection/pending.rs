//! Replies that wait for the send in flight.

use super::super::payloads::{Canned, Payloads};
use super::super::spare::Spare;

/// Nothing, one shared payload, or bytes of our own: several replies become one send.
#[derive(Debug, Default)]
pub(super) enum Pending {
    #[default]
    Nothing,
    Canned(Canned),
    Owned(Vec<u8>),
}

/// What is in flight, so that a partial send can be finished.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Flight {
    #[default]
    Nothing,
    Canned(Canned),
    Owned,
}

impl Pending {
    /// Adds a shared payload: alone it needs no copy.
    pub(super) fn push(&mut self, which: Canned, payloads: &Payloads, spare: &mut Spare) {
        if self.is_empty() {
            *self = Self::Canned(which);
        } else {
            self.owned(payloads, spare).extend_from_slice(payloads.bytes(which));
        }
    }

    /// The bytes to add to.
    pub(super) fn owned(&mut self, payloads: &Payloads, spare: &mut Spare) -> &mut Vec<u8> {
        if let Self::Nothing | Self::Canned(_) = self {
            let mut bytes = spare.take();
            if let Self::Canned(which) = self {
                bytes.extend_from_slice(payloads.bytes(*which));
            }
            *self = Self::Owned(bytes);
        }
        match self {
            Self::Owned(bytes) => bytes,
            Self::Nothing | Self::Canned(_) => unreachable!("was made owned above"),
        }
    }

    pub(super) const fn is_empty(&self) -> bool {
        matches!(self, Self::Nothing)
    }

    /// Bytes that it holds of its own; shared ones cost nothing.
    pub(super) const fn len(&self) -> usize {
        match self {
            Self::Owned(bytes) => bytes.len(),
            Self::Nothing | Self::Canned(_) => 0,
        }
    }
}
