//! What a shard asks of the kernel, as submission entries.
#![expect(unsafe_code, reason = "entries carry raw addresses; invariants in ring/mod.rs")]

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use io_uring::squeue::{Entry, Flags};
use io_uring::types::{CancelBuilder, DestinationSlot, Fd, Fixed};
use io_uring::{SubmissionQueue, Submitter, opcode};

use super::buffers::GROUP;
use super::tag::{Op, Tag};
use crate::net::{Handle, Payload, Submissions};

/// Turns Nagle's algorithm off (TCP_NODELAY = 1): the kernel reads it when the chain runs.
static ON: libc::c_int = 1;

/// Entries that must reach the kernel together: a submit in between would end their link.
pub(super) type Chain = Vec<Entry>;

/// Memory that outlives what is in flight.
pub(super) struct Keep {
    pub(super) live: Live,
    /// Buffers of sends that have ended, in the order of their completions.
    pub(super) returned: VecDeque<Option<Vec<u8>>>,
    listeners: Vec<OwnedFd>,
}

/// What in-flight entries point to.
pub(super) struct Live {
    /// What each slot is sending.
    payloads: Vec<Option<Payload>>,
    /// Whether each slot has a connect in flight, which a close must cancel.
    connecting: Vec<bool>,
    /// Addresses that connects point to: a handful, each kept for good.
    addresses: Vec<(SocketAddr, Box<SockAddr>)>,
    /// Where the eventfd is read into.
    wakes: Box<u64>,
    listeners: Vec<RawFd>,
    /// What found the queue full while the kernel took nothing.
    backlog: VecDeque<Chain>,
}

/// A socket address as the kernel reads it.
enum SockAddr {
    V4(libc::sockaddr_in),
    V6(libc::sockaddr_in6),
}

impl Keep {
    pub(super) fn new(slots: u32) -> Self {
        let slots = slots as usize;
        let live = Live {
            payloads: std::iter::repeat_with(|| None).take(slots).collect(),
            connecting: vec![false; slots],
            addresses: Vec::new(),
            wakes: Box::new(0),
            listeners: Vec::new(),
            backlog: VecDeque::new(),
        };
        Self { live, returned: VecDeque::new(), listeners: Vec::new() }
    }

    pub(super) fn add_listener(&mut self, listener: OwnedFd) -> u32 {
        self.live.listeners.push(listener.as_raw_fd());
        self.listeners.push(listener);
        u32::try_from(self.listeners.len() - 1).unwrap_or(u32::MAX)
    }

    /// The kernel has let go of the slot's payload.
    pub(super) fn sent(&mut self, slot: u32) {
        let payload = self.live.payloads[slot as usize].take();
        self.returned.push_back(match payload {
            Some(Payload::Owned(buffer)) => Some(buffer),
            Some(Payload::Shared(_)) | None => None,
        });
    }

    pub(super) fn connected(&mut self, slot: u32) {
        self.live.connecting[slot as usize] = false;
    }
}

impl Live {
    /// Reads the eventfd once more.
    pub(super) fn read_wakes(&mut self, mut queue: SubmissionQueue<'_>, fd: RawFd) {
        let into = std::ptr::from_mut::<u64>(&mut self.wakes).cast();
        let tag = Tag::new(Op::Wake, Handle { slot: 0, generation: 0 });
        let entry = opcode::Read::new(Fd(fd), into, 8).build().user_data(tag.bits());
        // SAFETY: `wakes` is boxed and outlives the ring; the eventfd is kept by the ring.
        if unsafe { queue.push(&entry) }.is_err() {
            self.backlog.push_back(vec![entry]);
        }
    }

    /// Moves what fits from the backlog into the queue. Whether that was all.
    pub(super) fn drain_backlog(&mut self, queue: &mut SubmissionQueue<'_>) -> bool {
        while let Some(chain) = self.backlog.front() {
            // SAFETY: the entries were built by this module, from memory that is still kept.
            // Either all of them fit or none is pushed.
            if unsafe { queue.push_multiple(chain) }.is_err() {
                return false;
            }
            self.backlog.pop_front();
        }
        true
    }

    /// The address as the kernel reads it, at a place that does not move.
    fn address(&mut self, to: SocketAddr) -> (*const libc::sockaddr, libc::socklen_t) {
        let known = self.addresses.iter().position(|(address, _)| *address == to);
        let at = known.unwrap_or_else(|| {
            self.addresses.push((to, Box::new(SockAddr::from(to))));
            self.addresses.len() - 1
        });
        let (_, address) = &self.addresses[at];
        match &**address {
            SockAddr::V4(v4) => (std::ptr::from_ref(v4).cast(), length_of(v4)),
            SockAddr::V6(v6) => (std::ptr::from_ref(v6).cast(), length_of(v6)),
        }
    }
}

/// Lets `bind` leave the port to `connect` (ip(7), linux/in.h).
const IP_BIND_ADDRESS_NO_PORT: u32 = 24;

/// A shard's side of the submission queue, for one turn.
pub struct RingSubmissions<'a> {
    submitter: Submitter<'a>,
    queue: SubmissionQueue<'a>,
    live: &'a mut Live,
}

impl<'a> RingSubmissions<'a> {
    pub(super) const fn new(
        submitter: Submitter<'a>,
        queue: SubmissionQueue<'a>,
        live: &'a mut Live,
    ) -> Self {
        Self { submitter, queue, live }
    }

    fn push(&mut self, entry: &Entry) {
        self.push_chain(std::slice::from_ref(entry));
    }

    /// Queues entries that belong together, in one piece.
    fn push_chain(&mut self, chain: &[Entry]) {
        if !self.fits(chain) {
            self.make_room();
            if !self.fits(chain) {
                self.live.backlog.push_back(chain.to_vec());
            }
        }
    }

    /// Pushes the chain, if it fits behind everything that waits.
    fn fits(&mut self, chain: &[Entry]) -> bool {
        // SAFETY: every address in an entry points into `Live`, or to a `static`.
        self.live.backlog.is_empty() && unsafe { self.queue.push_multiple(chain) }.is_ok()
    }

    /// Hands what is queued to the kernel.
    fn make_room(&mut self) {
        self.queue.sync();
        // What the kernel does not take now waits in the backlog, and the wait reports why.
        drop(self.submitter.submit());
        self.queue.sync();
        self.live.drain_backlog(&mut self.queue);
    }
}

impl Submissions for RingSubmissions<'_> {
    fn accept(&mut self, listener: u32) {
        let fd = Fd(self.live.listeners[listener as usize]);
        let tag = Tag::new(Op::Accept, Handle { slot: listener, generation: 0 });
        let entry = opcode::AcceptMulti::new(fd).allocate_file_index(true).build();
        self.push(&entry.user_data(tag.bits()));
    }

    fn connect(&mut self, handle: Handle, to: SocketAddr, from: Option<IpAddr>) {
        let family = if to.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 };
        let tag = Tag::new(Op::Connect, handle).bits();
        let Ok(slot) = DestinationSlot::try_from_slot_target(handle.slot) else {
            unreachable!("slots are far below 2^32");
        };
        let (address, length) = self.live.address(to);
        self.live.connecting[handle.slot as usize] = true;
        let linked = Flags::IO_LINK | Flags::SKIP_SUCCESS;
        // A direct descriptor is in no file table that a child could inherit: no SOCK_CLOEXEC.
        let on = std::ptr::from_ref(&ON).cast();
        let fixed = Fixed(handle.slot);
        let (level, option) = (libc::IPPROTO_TCP.unsigned_abs(), libc::TCP_NODELAY.unsigned_abs());
        // When a link that skips its success fails, its own completion comes and those behind it
        // do not; so exactly one completion comes whichever link fails.
        let socket =
            opcode::Socket::new(family, libc::SOCK_STREAM, 0).file_index(Some(slot)).build();
        let nodelay = opcode::SetSockOpt::new(fixed, level, option, on, length_of(&ON)).build();
        let connect = opcode::Connect::new(fixed, address, length).build();
        let socket = socket.flags(linked).user_data(tag);
        let nodelay = nodelay.flags(linked).user_data(tag);
        let connect = connect.user_data(tag);
        let Some(from) = from else {
            return self.push_chain(&[socket, nodelay, connect]);
        };
        // The port is chosen by the connect, when the other end is known: else each address of
        // ours would have its ports once, and not once for each target (ip(7)).
        let (level, option) = (libc::IPPROTO_IP.unsigned_abs(), IP_BIND_ADDRESS_NO_PORT);
        let late = opcode::SetSockOpt::new(fixed, level, option, on, length_of(&ON)).build();
        let (address, length) = self.live.address(SocketAddr::new(from, 0));
        let bind = opcode::Bind::new(fixed, address, length).build();
        self.push_chain(&[
            socket,
            nodelay,
            late.flags(linked).user_data(tag),
            bind.flags(linked).user_data(tag),
            connect,
        ]);
    }

    fn receive(&mut self, handle: Handle) {
        let entry = opcode::RecvMulti::new(Fixed(handle.slot), GROUP).build();
        self.push(&entry.user_data(Tag::new(Op::Receive, handle).bits()));
    }

    fn receive_once(&mut self, handle: Handle) {
        // Length 0: as much as the buffer that the kernel picks.
        let entry = opcode::Recv::new(Fixed(handle.slot), std::ptr::null_mut(), 0);
        let entry = entry.buf_group(GROUP).build().flags(Flags::BUFFER_SELECT);
        self.push(&entry.user_data(Tag::new(Op::Receive, handle).bits()));
    }

    fn stop_receiving(&mut self, handle: Handle) {
        let target = Tag::new(Op::Receive, handle).bits();
        let entry = opcode::AsyncCancel::new(target).build();
        self.push(&entry.user_data(Tag::new(Op::Ignored, handle).bits()));
    }

    fn discard(&mut self, handle: Handle, len: u32) {
        // With MSG_TRUNC the kernel drops what it would copy (tcp(7)): the address is not used.
        // Never with MSG_WAITALL: Linux 6.18 then asks for the whole length again after each
        // part, takes bytes beyond the body and hangs (measured, see bench/README.md).
        let entry = opcode::Recv::new(Fixed(handle.slot), std::ptr::null_mut(), len);
        let entry = entry.flags(libc::MSG_TRUNC).build();
        self.push(&entry.user_data(Tag::new(Op::Discard, handle).bits()));
    }

    fn send(&mut self, handle: Handle, payload: Payload) {
        let kept = &mut self.live.payloads[handle.slot as usize];
        // Freeing what the kernel still reads would be unsound, whoever is to blame.
        assert!(kept.is_none(), "slot {}: a send is in flight already", handle.slot);
        let bytes = kept.insert(payload).bytes();
        // More than 4 GiB in one send ends as a short one, and the shard sends the rest.
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let entry = opcode::Send::new(Fixed(handle.slot), bytes.as_ptr(), length)
            .flags(libc::MSG_WAITALL | libc::MSG_NOSIGNAL)
            .build();
        self.push(&entry.user_data(Tag::new(Op::Send, handle).bits()));
    }

    fn close(&mut self, handle: Handle) {
        let fixed = Fixed(handle.slot);
        let ignored = Tag::new(Op::Ignored, handle).bits();
        // Without a shutdown an armed receive keeps the socket open and the peer sees no end.
        let shutdown = opcode::Shutdown::new(fixed, libc::SHUT_RDWR).build();
        let shutdown = shutdown.flags(Flags::IO_HARDLINK).user_data(ignored);
        let close = opcode::Close::new(fixed).build();
        let close = close.user_data(Tag::new(Op::Close, handle).bits());
        if self.live.connecting[handle.slot as usize] {
            // A shutdown alone would make the pending connect try again.
            let cancel = opcode::AsyncCancel2::new(CancelBuilder::fd(fixed).all()).build();
            let cancel = cancel.flags(Flags::IO_HARDLINK).user_data(ignored);
            self.push_chain(&[cancel, shutdown, close]);
        } else {
            self.push_chain(&[shutdown, close]);
        }
    }
}

impl From<SocketAddr> for SockAddr {
    fn from(address: SocketAddr) -> Self {
        match address {
            SocketAddr::V4(v4) => Self::V4(libc::sockaddr_in {
                sin_family: family_of(libc::AF_INET),
                sin_port: v4.port().to_be(),
                sin_addr: libc::in_addr { s_addr: u32::from_ne_bytes(v4.ip().octets()) },
                sin_zero: [0; 8],
            }),
            SocketAddr::V6(v6) => Self::V6(libc::sockaddr_in6 {
                sin6_family: family_of(libc::AF_INET6),
                sin6_port: v6.port().to_be(),
                sin6_flowinfo: v6.flowinfo(),
                sin6_addr: libc::in6_addr { s6_addr: v6.ip().octets() },
                sin6_scope_id: v6.scope_id(),
            }),
        }
    }
}

fn family_of(family: libc::c_int) -> libc::sa_family_t {
    libc::sa_family_t::try_from(family).unwrap_or(0)
}

fn length_of<T>(_: &T) -> libc::socklen_t {
    libc::socklen_t::try_from(size_of::<T>()).unwrap_or(0)
}
