//! What came of the peer, and where its bytes lie until the caller has looked at them.

use super::close::Close;
use super::frame::Control;
use super::limits::SCRATCH_BYTES_MAX;
use super::message::Kind;
use super::{Key, WsError, mask};

/// Something that came. Its bytes lie in the input, or in the [`Scratch`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// A message.
    Message {
        /// What it is made of.
        kind: Kind,
        /// All of its bytes; of text, valid UTF-8.
        bytes: &'a [u8],
    },
    /// A message of which the bytes were only counted.
    Counted {
        /// What it is made of.
        kind: Kind,
        /// Its bytes.
        len: u64,
    },
    /// A ping, to be answered with a pong of the same payload (RFC 6455 section 5.5.2).
    Ping(Control<'a>),
    /// A pong.
    Pong(Control<'a>),
    /// The peer's last frame. Unless we closed before, it is to be answered with a close.
    Close(Close<'a>),
}

/// Room for what cannot be lent from the input: unmasked payloads, and gathered messages.
///
/// One serves all connections of a shard, because an event is looked at before the next one is
/// made; so an idle connection holds no buffer.
#[derive(Debug, Default)]
pub struct Scratch {
    bytes: Vec<u8>,
}

impl Scratch {
    /// Unmasks a piece that lies `offset` bytes into its frame's payload.
    pub(super) fn unmask(&mut self, piece: &[u8], key: Key, offset: u64) -> &[u8] {
        self.bytes.clear();
        self.bytes.extend_from_slice(piece);
        mask::apply(&mut self.bytes, key, offset);
        &self.bytes
    }

    /// Gives back what one large message took.
    #[inline]
    pub(super) fn trim(&mut self) {
        if self.bytes.capacity() > SCRATCH_BYTES_MAX {
            self.bytes = Vec::new();
        }
    }

    /// Takes over what was gathered elsewhere, and unmasks it if it is masked.
    pub(super) fn take_over(&mut self, gathered: Vec<u8>, key: Option<Key>) {
        self.bytes = gathered;
        if let Some(key) = key {
            mask::apply(&mut self.bytes, key, 0);
        }
    }

    /// A whole frame's payload, unmasked here if it is masked.
    #[inline]
    pub(super) fn plain<'i>(&mut self, payload: &'i [u8], key: Option<Key>) -> Place<'i> {
        match key {
            None => Place::Input(payload),
            Some(key) => {
                let _unmasked = self.unmask(payload, key, 0);
                Place::Scratch
            }
        }
    }
}

/// Where the bytes of an event lie.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place<'i> {
    Input(&'i [u8]),
    Scratch,
}

impl<'i> Place<'i> {
    #[inline]
    pub(super) fn bytes<'s>(self, scratch: &'s Scratch) -> &'s [u8]
    where
        'i: 's,
    {
        match self {
            Self::Input(bytes) => bytes,
            Self::Scratch => &scratch.bytes,
        }
    }
}

/// An event that does not hold on to the scratch yet, so that its maker may go on using it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ready<'i> {
    Message { kind: Kind, place: Place<'i> },
    Counted { kind: Kind, len: u64 },
    Ping { place: Place<'i> },
    Pong { place: Place<'i> },
    Close { place: Place<'i> },
}

impl<'i> Ready<'i> {
    /// The event itself; a close frame is read here.
    #[inline]
    pub(super) fn event<'s>(self, scratch: &'s Scratch) -> Result<Event<'s>, WsError>
    where
        'i: 's,
    {
        // A control frame's length was judged with its header.
        let control = |place: Place<'i>| Control::new(place.bytes(scratch)).unwrap_or_default();
        Ok(match self {
            Self::Message { kind, place } => Event::Message { kind, bytes: place.bytes(scratch) },
            Self::Counted { kind, len } => Event::Counted { kind, len },
            Self::Ping { place } => Event::Ping(control(place)),
            Self::Pong { place } => Event::Pong(control(place)),
            Self::Close { place } => Event::Close(Close::parse(place.bytes(scratch))?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Key, SCRATCH_BYTES_MAX, Scratch};

    #[test]
    fn what_one_large_message_took_is_given_back() {
        let mut scratch = Scratch::default();
        for (capacity, kept) in [
            (SCRATCH_BYTES_MAX - 1, SCRATCH_BYTES_MAX - 1),
            (SCRATCH_BYTES_MAX, SCRATCH_BYTES_MAX),
            (SCRATCH_BYTES_MAX + 1, 0),
        ] {
            scratch.take_over(Vec::with_capacity(capacity), None);
            scratch.trim();
            assert_eq!(scratch.bytes.capacity(), kept);
        }
    }

    #[test]
    fn unmasking_uses_the_room_that_is_there() {
        let mut scratch = Scratch::default();
        let _plain = scratch.unmask(&[1; 1000], Key([1, 2, 3, 4]), 0);
        let room = scratch.bytes.as_ptr();
        for len in [0, 1, 999, 1000] {
            assert_eq!(scratch.unmask(&vec![0; len], Key([7; 4]), 5), vec![7; len]);
            assert_eq!(scratch.bytes.as_ptr(), room);
        }
    }
}
