//! One operation as it went, for those who want every single one.
//!
//! Kept only when asked for. A shard writes records into memory that was set aside before, hands
//! them over with its [`Delta`](super::Delta) once a second, and counts those that found no room.

use super::leaf::LeafId;
use super::recorder::End;
use crate::protocol::Timing;

/// An operation that was begun and has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its number in the run; `sequence()` in a scenario.
    pub number: u64,
    /// What it was.
    pub leaf: LeafId,
    /// How it ended; `timing.done` is when.
    pub end: End,
    /// The reply's status, 0 where there is none.
    pub status: u16,
    /// Its instants; those that it did not reach are 0.
    pub timing: Timing,
    /// Bytes of the request.
    pub bytes_sent: u32,
    /// Bytes of the reply.
    pub bytes_received: u64,
}

/// Records of one shard in one second at most: 14 MiB. Those beyond are counted as lost.
pub const RECORDS_MAX: usize = 1 << 17;

const _: () = assert!(size_of::<Record>() * RECORDS_MAX <= 14 << 20);

/// Records since the last hand-over.
#[derive(Debug, Default)]
pub struct Records {
    /// At most [`RECORDS_MAX`], in the order in which operations ended.
    pub kept: Vec<Record>,
    /// How many found no room.
    pub lost: u64,
}

impl Records {
    /// Sets the memory aside.
    pub fn reserve(&mut self) {
        self.kept.reserve_exact(RECORDS_MAX - self.kept.len().min(RECORDS_MAX));
    }

    /// Keeps one, or counts it.
    pub fn add(&mut self, record: Record) {
        if self.kept.len() < RECORDS_MAX {
            self.kept.push(record);
        } else {
            self.lost += 1;
        }
    }

    /// Empties it, keeping its memory.
    pub fn clear(&mut self) {
        self.kept.clear();
        self.lost = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::{End, LeafId, RECORDS_MAX, Record, Records, Timing};

    #[test]
    fn what_finds_no_room_is_counted_and_memory_stays() {
        let record = Record {
            number: 0,
            leaf: LeafId(0),
            end: End::Ok,
            status: 200,
            timing: Timing::default(),
            bytes_sent: 0,
            bytes_received: 0,
        };
        let mut records = Records::default();
        records.reserve();
        let place = records.kept.as_ptr();
        let numbers = 0..RECORDS_MAX as u64 + 5;
        numbers.for_each(|number| records.add(Record { number, ..record }));
        assert_eq!((records.kept.len(), records.lost), (RECORDS_MAX, 5), "the first are kept");
        assert_eq!(records.kept.last().map(|last| last.number), Some(RECORDS_MAX as u64 - 1));
        assert_eq!(records.kept.as_ptr(), place, "nothing was allocated");
        records.clear();
        assert_eq!((records.kept.capacity(), records.lost), (RECORDS_MAX, 0));
    }
}
