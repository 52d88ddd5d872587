//! The completion queue on io_uring: the only unsafe code of the project.
//!
//! Does:       sockets as direct descriptors (they use no entry of the process's file table),
//!             multishot receives into a ring of provided buffers, connect as one linked chain.
//! Takes:      submissions from a shard's turn, a moment until which to wait.
//! Gives:      completions; wakes up for other threads through an eventfd.
//! Why so:     SINGLE_ISSUER and DEFER_TASKRUN make the kernel's work happen in [`Ring::wait`] and
//!             nowhere else, so that the time of a completion is the time at which it is seen.
//!
//! What the unsafe code relies on:
//! 1. memory that the kernel reads or writes is owned by the ring ([`Keep`], [`Buffers`]) and
//!    freed only after the kernel has let go of it: a payload at the completion of its send,
//!    everything else when all that was in flight is cancelled and the ring is closed;
//! 2. a buffer is lent to the shard between two calls of [`Completions::next`] and given back to
//!    the kernel only then.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;

use io_uring::{IoUring, cqueue, types};

use crate::stdx::Nanos;

mod buffers;
mod completions;
mod error;
mod submissions;
mod tag;

use buffers::Buffers;
pub use completions::RingCompletions;
pub use error::RingError;
use submissions::Keep;
pub use submissions::RingSubmissions;
use tag::{Op, Tag};

/// How large a ring is.
#[derive(Clone, Copy, Debug)]
pub struct RingOptions {
    /// Sockets at once: the size of its table of direct descriptors, which the soft limit of
    /// open files caps.
    pub slots: u32,
    /// Submissions that fit between two system calls; more are submitted in between.
    pub submissions: u32,
    /// Completions that the kernel hands over at once; under DEFER_TASKRUN it keeps the rest.
    pub completions: u32,
    /// Receive buffers, a power of two.
    pub buffers: u16,
    /// Bytes of each.
    pub buffer_bytes: u32,
}

impl RingOptions {
    /// What serves a shard of `slots` sockets: 512 submissions, 4096 completions, and 4 MiB of
    /// buffers, beyond which the cache suffers (a 64 MiB pool cost 9 % of throughput).
    #[must_use]
    pub const fn for_slots(slots: u32) -> Self {
        Self { slots, submissions: 512, completions: 4_096, buffers: 1_024, buffer_bytes: 4_096 }
    }
}

/// One ring, used by the thread that made it.
pub struct Ring {
    // Dropped first: afterwards the kernel holds none of the memory below.
    uring: IoUring,
    buffers: Buffers,
    keep: Keep,
    /// Completions taken from the kernel and not yet given to the shard.
    batch: VecDeque<Raw>,
    waker: Waker,
    counts: RingCounts,
    woken: bool,
}

/// A completion as the kernel wrote it.
#[derive(Clone, Copy, Debug)]
struct Raw {
    tag: Tag,
    result: i32,
    flags: u32,
}

/// What a ring has seen beyond single sockets.
#[derive(Clone, Copy, Debug, Default)]
pub struct RingCounts {
    /// Times that completions had to wait in the kernel because the queue was full.
    pub overflows: u64,
    /// System calls made.
    pub enters: u64,
}

/// Wakes the thread that waits in a ring.
#[derive(Clone, Debug)]
pub struct Waker {
    eventfd: Arc<OwnedFd>,
}

impl Waker {
    /// Makes the ring's next or present wait end. Safe to call from any thread.
    pub fn wake(&self) {
        // The counter cannot overflow: 2^64 wakes do not happen. Nothing else can fail here.
        let written = rustix::io::write(&self.eventfd, &1_u64.to_ne_bytes());
        debug_assert!(written.is_ok(), "{written:?}");
    }
}

impl Ring {
    /// A ring of the calling thread.
    ///
    /// # Errors
    /// When the kernel refuses, with the cause and the remedy.
    pub fn new(options: RingOptions) -> Result<Self, RingError> {
        let uring: IoUring = IoUring::builder()
            .setup_single_issuer()
            .setup_defer_taskrun()
            .setup_submit_all()
            .setup_cqsize(options.completions)
            .build(options.submissions)
            .map_err(|error| RingError::setup(&error, options))?;
        let files = uring.submitter().register_files_sparse(options.slots);
        files.map_err(|error| RingError::files(&error, options.slots))?;
        let buffers = Buffers::new(&uring.submitter(), options.buffers, options.buffer_bytes)
            .map_err(|error| RingError::buffers(&error))?;
        let flags = rustix::event::EventfdFlags::CLOEXEC;
        let eventfd = rustix::event::eventfd(0, flags).map_err(|error| RingError::Other {
            what: "making an eventfd",
            cause: io::Error::from(error),
        })?;
        let mut ring = Self {
            uring,
            buffers,
            keep: Keep::new(options.slots),
            batch: VecDeque::with_capacity(options.completions as usize),
            waker: Waker { eventfd: Arc::new(eventfd) },
            counts: RingCounts::default(),
            woken: false,
        };
        ring.listen_for_wakes();
        Ok(ring)
    }

    /// A handle with which other threads end this ring's wait.
    #[must_use]
    pub fn waker(&self) -> Waker {
        self.waker.clone()
    }

    /// Makes sockets that others opened (listeners) known, and returns the number of the first.
    ///
    /// Listeners are ordinary descriptors, kept open by the ring.
    pub fn add_listener(&mut self, listener: OwnedFd) -> u32 {
        self.keep.add_listener(listener)
    }

    /// Hands over what was submitted and waits for a completion, at most until `until`; not at all
    /// while there are completions that no turn has seen.
    ///
    /// # Errors
    /// When the kernel refuses in a way that is neither a timeout nor a signal.
    pub fn wait(&mut self, now: Nanos, until: Option<Nanos>) -> io::Result<()> {
        let behind = !self.keep.live.drain_backlog(&mut self.uring.submission());
        self.counts.enters += 1;
        let entered = if behind || !self.batch.is_empty() {
            self.uring.submit()
        } else {
            let span = until.map(|until| until.since(now));
            let timespec = span.map(|span| {
                let nanos = u32::try_from(span.0 % 1_000_000_000).unwrap_or(0);
                types::Timespec::new().sec(span.0 / 1_000_000_000).nsec(nanos)
            });
            let args = match &timespec {
                Some(timespec) => types::SubmitArgs::new().timespec(timespec),
                None => types::SubmitArgs::new(),
            };
            self.uring.submitter().submit_with_args(1, &args)
        };
        match entered {
            Err(error) if !is_ordinary(&error) => return Err(error),
            Ok(_) | Err(_) => self.harvest(),
        }
        Ok(())
    }

    /// Completions and submissions, for one turn of a shard.
    pub fn split(&mut self) -> (RingCompletions<'_>, RingSubmissions<'_>) {
        let (submitter, queue, _) = self.uring.split();
        let completions =
            RingCompletions::new(&mut self.batch, &mut self.buffers, &mut self.keep.returned);
        (completions, RingSubmissions::new(submitter, queue, &mut self.keep.live))
    }

    /// Whether another thread has woken this ring since the last call.
    pub const fn take_woken(&mut self) -> bool {
        std::mem::replace(&mut self.woken, false)
    }

    /// What it has seen so far.
    #[must_use]
    pub const fn counts(&self) -> RingCounts {
        self.counts
    }

    /// Takes all completions from the kernel and settles what is the ring's own business.
    fn harvest(&mut self) {
        let (_, queue, completions) = self.uring.split();
        self.counts.overflows += u64::from(queue.cq_overflow());
        let mut rearm = false;
        for entry in completions {
            let raw = Raw {
                tag: Tag::from_bits(entry.user_data()),
                result: entry.result(),
                flags: entry.flags(),
            };
            match raw.tag.op {
                Op::Wake => {
                    self.woken = true;
                    rearm = true;
                }
                Op::Ignored => {}
                Op::Send => {
                    self.keep.sent(raw.tag.slot);
                    self.batch.push_back(raw);
                }
                Op::Connect => {
                    self.keep.connected(raw.tag.slot);
                    self.batch.push_back(raw);
                }
                Op::Accept | Op::Receive | Op::Discard | Op::Close => self.batch.push_back(raw),
            }
        }
        drop(queue);
        if rearm {
            self.listen_for_wakes();
        }
    }

    fn listen_for_wakes(&mut self) {
        let fd = self.waker.eventfd.as_raw_fd();
        let (_, queue, _) = self.uring.split();
        self.keep.live.read_wakes(queue, fd);
    }
}

impl Drop for Ring {
    /// Closing a ring lets the kernel cancel what is in flight at its leisure; the memory that it
    /// points to is freed right afterwards, so it is cancelled here and waited for.
    fn drop(&mut self) {
        let everything = types::CancelBuilder::any();
        let patience = types::Timespec::new().sec(1);
        // Nothing in flight is an error to the kernel and fine here.
        drop(self.uring.submitter().register_sync_cancel(Some(patience), everything));
    }
}

/// Timeouts, signals and "first take what is there" are part of waiting.
fn is_ordinary(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::ETIME | libc::EINTR | libc::EBUSY | libc::EAGAIN))
}

/// Whether a multishot operation goes on after a completion with these flags.
fn more(flags: u32) -> super::More {
    if cqueue::more(flags) { super::More::Armed } else { super::More::Ended }
}
