//! Send buffers that came back, kept so that a reply allocates nothing.

use super::limits::{SPARE_ALL, SPARE_EACH};

/// Empty buffers with capacity. Invariant: `bytes` is the sum of their capacities and stays
/// within [`SPARE_ALL`].
#[derive(Debug, Default)]
pub(super) struct Spare {
    buffers: Vec<Vec<u8>>,
    bytes: usize,
}

/// The head and body of every small reply fit.
const FRESH: usize = 512;

impl Spare {
    /// An empty buffer.
    pub(super) fn take(&mut self) -> Vec<u8> {
        let Some(buffer) = self.buffers.pop() else { return Vec::with_capacity(FRESH) };
        self.bytes -= buffer.capacity();
        buffer
    }

    /// Keeps a buffer, if there is room for it.
    pub(super) fn give(&mut self, mut buffer: Vec<u8>) {
        let size = buffer.capacity();
        if size == 0 || size > SPARE_EACH || self.bytes + size > SPARE_ALL {
            return;
        }
        buffer.clear();
        self.bytes += size;
        self.buffers.push(buffer);
    }
}

#[cfg(test)]
mod tests {
    use super::{SPARE_ALL, SPARE_EACH, Spare};

    #[test]
    fn keeps_what_fits_and_no_more() {
        let mut spare = Spare::default();
        spare.give(vec![1; 100]);
        assert_eq!(spare.take().capacity(), 100);
        spare.give(Vec::with_capacity(SPARE_EACH + 1));
        assert_eq!(spare.buffers.len(), 0, "too large to keep");
        for _ in 0..2 * SPARE_ALL / SPARE_EACH {
            spare.give(Vec::with_capacity(SPARE_EACH));
        }
        assert_eq!(spare.bytes, SPARE_ALL);
        assert_eq!(spare.buffers.len(), SPARE_ALL / SPARE_EACH);
    }
}
