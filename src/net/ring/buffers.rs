//! Receive buffers that the kernel picks from: a provided-buffer ring (`io_uring_register(2)`,
//! IORING_REGISTER_PBUF_RING).
#![expect(unsafe_code, reason = "memory shared with the kernel; invariants in ring/mod.rs")]

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::io;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU16, Ordering};

use io_uring::Submitter;
use io_uring::types::BufRingEntry;

/// The one group of buffers of a ring.
pub(super) const GROUP: u16 = 0;

const PAGE: usize = 4_096;

/// The buffers, and the ring of entries through which the kernel is given them.
pub(super) struct Buffers {
    entries: Block,
    bytes: Block,
    count: u16,
    size: u32,
    /// Where the next entry goes; the kernel sees it once it is published.
    tail: u16,
}

impl Buffers {
    /// `count` buffers (a power of two) of `size` bytes, all with the kernel.
    pub(super) fn new(submitter: &Submitter<'_>, count: u16, size: u32) -> io::Result<Self> {
        assert!(count.is_power_of_two(), "the kernel wants a power of two");
        let entries = Block::new(usize::from(count) * size_of::<BufRingEntry>());
        let bytes = Block::new(usize::from(count) * size as usize);
        let address = entries.start.as_ptr() as u64;
        // SAFETY: the block is page-aligned, large enough for `count` entries, zeroed, and lives
        // until after the ring is closed (field order in `Ring`).
        unsafe { submitter.register_buf_ring_with_flags(address, count, GROUP, 0)? };
        let mut buffers = Self { entries, bytes, count, size, tail: 0 };
        for id in 0..count {
            buffers.give(id);
        }
        buffers.publish();
        Ok(buffers)
    }

    /// The first `len` bytes of a buffer that the kernel has filled.
    pub(super) fn filled(&self, id: u16, len: usize) -> &[u8] {
        assert!(id < self.count && len <= self.size as usize, "the kernel keeps to its buffers");
        // SAFETY: in bounds by the assertion; initialised (zeroed at first, then by the kernel);
        // the kernel does not write to it before `give`, which takes `&mut self`.
        unsafe {
            let start = self.bytes.start.as_ptr().add(usize::from(id) * self.size as usize);
            std::slice::from_raw_parts(start, len)
        }
    }

    /// Gives a buffer back, as from the next [`Buffers::publish`].
    pub(super) fn give(&mut self, id: u16) {
        let index = usize::from(self.tail & (self.count - 1));
        // SAFETY: `index` is below `count`; only this thread writes entries, and the kernel reads
        // one only after the tail that covers it is published.
        unsafe {
            let entry = &mut *self.entries.start.as_ptr().cast::<BufRingEntry>().add(index);
            let start = self.bytes.start.as_ptr().add(usize::from(id) * self.size as usize);
            entry.set_addr(start as u64);
            entry.set_len(self.size);
            entry.set_bid(id);
        }
        self.tail = self.tail.wrapping_add(1);
    }

    /// Makes what was given visible to the kernel.
    pub(super) fn publish(&mut self) {
        // SAFETY: the tail lies inside the entries' block, is aligned, and is written by this
        // thread alone; the kernel reads it atomically.
        unsafe {
            let entries = self.entries.start.as_ptr().cast::<BufRingEntry>();
            let tail = BufRingEntry::tail(entries).cast::<AtomicU16>();
            (*tail).store(self.tail, Ordering::Release);
        }
    }
}

/// Page-aligned zeroed memory.
struct Block {
    start: NonNull<u8>,
    layout: Layout,
}

impl Block {
    fn new(bytes: usize) -> Self {
        let Ok(layout) = Layout::from_size_align(bytes.max(PAGE), PAGE) else {
            handle_alloc_error(Layout::new::<[u8; PAGE]>())
        };
        // SAFETY: the size is not zero.
        let start = NonNull::new(unsafe { alloc_zeroed(layout) });
        let Some(start) = start else { handle_alloc_error(layout) };
        Self { start, layout }
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        // SAFETY: allocated with this layout, and freed once.
        unsafe { dealloc(self.start.as_ptr(), self.layout) };
    }
}
