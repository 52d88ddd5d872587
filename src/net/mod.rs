//! Bytes meet the kernel here and nowhere else.
//!
//! Gives:      the completion queue that a shard is driven by ([`Completion`], [`Submissions`]);
//!             [`ring`], which implements it on io_uring; [`Link`], one socket's life as its
//!             completions tell it; [`Wheel`], the timing wheel.
//! Neighbours: stdx.
//! Why so:     a shard sees completions and submissions only, so that a simulator can stand in
//!             for the kernel and drive the very same code.

use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;

pub mod error;
pub mod link;
pub mod probe;
pub mod resolve;
pub mod ring;
pub mod wheel;

pub use error::Errno;
pub use link::Link;
pub use wheel::Wheel;

/// One socket in one life of its slot.
///
/// Slots are used again; the generation tells a late completion of an earlier life apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Handle {
    /// Index into the shard's slots.
    pub slot: u32,
    /// Which life of the slot, counted modulo 2^24.
    pub generation: u32,
}

/// Something that the kernel has finished, for one socket.
#[derive(Debug)]
pub struct Completion<'a> {
    /// Whose it is. For [`Event::Accepted`] the slot is the new socket's, of generation 0.
    pub handle: Handle,
    /// What happened.
    pub event: Event<'a>,
}

/// What happened to a socket.
#[derive(Debug)]
pub enum Event<'a> {
    /// The connection that was asked for stands, or why not. Exactly one for each `connect`.
    Connected(Result<(), Errno>),
    /// A listener took a connection; `more` is false when it has to be armed again.
    Accepted(Result<(), Errno>, More),
    /// Bytes came; none at all means that the peer has ended its side.
    Received(&'a [u8], More),
    /// Receiving failed. `ENOBUFS` is no fault of the socket: arm it again.
    ReceiveFailed(Errno, More),
    /// A discarding receive ended: so many bytes came and went, at most as many as were asked
    /// for. None at all means that the peer has ended its side.
    Discarded(Result<u32, Errno>),
    /// A send ended, with the number of bytes taken and the buffer, if it was an owned one.
    Sent(Result<u32, Errno>, Option<Vec<u8>>),
    /// The socket is closed. Exactly one for each `close`.
    Closed,
}

/// Whether a multishot receive or accept stays armed after this completion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum More {
    /// More completions of the same will come.
    Armed,
    /// That was the last one: arm it again, if it is still wanted.
    Ended,
}

/// Completions, one at a time: the bytes of one are valid until the next is asked for.
pub trait Completions {
    /// The next one, or none for now.
    fn next(&mut self) -> Option<Completion<'_>>;
}

/// What a shard asks of the kernel. Nothing here fails at once or waits: every outcome comes back
/// as a [`Completion`].
pub trait Submissions {
    /// Arms a listener: each connection it takes gets a free slot. Answers: [`Event::Accepted`]
    /// until one says that it has ended.
    fn accept(&mut self, listener: u32);

    /// Opens a socket in the slot and connects it, from an address of this host if one is given,
    /// which is of the same family. Answer: [`Event::Connected`].
    fn connect(&mut self, handle: Handle, to: SocketAddr, from: Option<IpAddr>);

    /// Arms receiving. Answers: [`Event::Received`] as bytes come, or [`Event::ReceiveFailed`],
    /// until one says that it has ended.
    fn receive(&mut self, handle: Handle);

    /// Receives once, into the ring's own buffers, without staying armed: for a connection that
    /// discards bodies. Answer: one [`Event::Received`] or [`Event::ReceiveFailed`].
    fn receive_once(&mut self, handle: Handle);

    /// Stops an armed receive. Answer: the [`Event::ReceiveFailed`] with `ECANCELED`, or whatever
    /// came first.
    fn stop_receiving(&mut self, handle: Handle);

    /// Receives at most `len` bytes and throws them away in the kernel. No receive may be armed.
    /// Answer: [`Event::Discarded`].
    fn discard(&mut self, handle: Handle, len: u32);

    /// Sends bytes. At most one send is in flight per socket. Answer: [`Event::Sent`].
    fn send(&mut self, handle: Handle, payload: Payload);

    /// Shuts the socket down, so that the peer sees it end, and closes it. Answer:
    /// [`Event::Closed`]; completions of what was in flight may come before and after it.
    fn close(&mut self, handle: Handle);
}

/// What to send. The ring keeps it alive until the kernel has done with it.
#[derive(Clone, Debug)]
pub enum Payload {
    /// Bytes that many sends share: a request without holes. Counted without atomics, because
    /// each shard has a copy of its own.
    Shared(Rc<[u8]>),
    /// Bytes of this one send, handed back with [`Event::Sent`] so that the buffer is used again.
    Owned(Vec<u8>),
}

impl Payload {
    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Shared(bytes) => bytes,
            Self::Owned(bytes) => bytes,
        }
    }
}
