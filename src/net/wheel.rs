//! A hashed timing wheel (Varghese and Lauck, 1987): inserting costs nanoseconds, and a deadline
//! that moves is not taken out but found stale when it comes up.
//!
//! Slots are 1 ms wide and hold exact times: an entry never fires early, and as late as the
//! caller's turns are apart.

use crate::stdx::Nanos;

/// Width of a slot.
const WIDTH: u64 = 1_000_000;
/// Slots in the wheel: one lap is 4.1 s; what lies beyond waits in its slot for its lap.
const SLOTS: usize = 4_096;

/// Times at which keys are due.
#[derive(Debug)]
pub struct Wheel {
    slots: Vec<Vec<Entry>>,
    /// One bit a slot: whether it holds anything.
    occupied: Vec<u64>,
    /// Everything before this moment has fired.
    now: Nanos,
    /// The earliest entry, or never.
    next: Nanos,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    at: Nanos,
    key: u32,
}

impl Wheel {
    /// An empty wheel that stands at `now`.
    #[must_use]
    pub fn new(now: Nanos) -> Self {
        Self {
            slots: vec![Vec::new(); SLOTS],
            occupied: vec![0; SLOTS / 64],
            now,
            next: Nanos::MAX,
        }
    }

    /// Fires `key` at `at`, or at the next turn if that has passed.
    pub fn insert(&mut self, at: Nanos, key: u32) {
        let at = at.max(self.now);
        let slot = slot_of(at);
        self.slots[slot].push(Entry { at, key });
        self.occupied[slot / 64] |= 1 << (slot % 64);
        self.next = self.next.min(at);
    }

    /// When the earliest entry is due.
    #[must_use]
    pub fn next_due(&self) -> Option<Nanos> {
        (self.next < Nanos::MAX).then_some(self.next)
    }

    /// Gives every entry that is due by `now` to `fire`, with the time it was due at.
    pub fn advance(&mut self, now: Nanos, mut fire: impl FnMut(u32, Nanos)) {
        if now < self.next {
            // Not even the slots need a look: nothing was due on the way.
            self.now = self.now.max(now);
            return;
        }
        let (from, to) = (self.now.0 / WIDTH, now.0 / WIDTH);
        let last = to.min(from + SLOTS as u64 - 1);
        for tick in from..=last {
            let slot = index(tick);
            if self.occupied[slot / 64] & (1 << (slot % 64)) == 0 {
                continue;
            }
            self.slots[slot].retain(|entry| {
                let due = entry.at <= now;
                if due {
                    fire(entry.key, entry.at);
                }
                !due
            });
            if self.slots[slot].is_empty() {
                self.occupied[slot / 64] &= !(1 << (slot % 64));
            }
        }
        self.now = now;
        self.next = self.earliest();
    }

    /// The earliest entry: the first slot ahead that holds one of this lap, else the least of all.
    fn earliest(&self) -> Nanos {
        let base = self.now.0 / WIDTH;
        let mut least = Nanos::MAX;
        let mut ahead = 0;
        while ahead < SLOTS as u64 {
            let slot = index(base + ahead);
            let rest = self.occupied[slot / 64] >> (slot % 64);
            if rest == 0 {
                ahead += 64 - (slot % 64) as u64;
                continue;
            }
            ahead += u64::from(rest.trailing_zeros());
            let slot = index(base + ahead);
            let soonest = self.slots[slot].iter().map(|entry| entry.at).min();
            least = least.min(soonest.unwrap_or(Nanos::MAX));
            if least.0 / WIDTH <= base + ahead {
                return least;
            }
            ahead += 1;
        }
        least
    }
}

fn slot_of(at: Nanos) -> usize {
    index(at.0 / WIDTH)
}

#[expect(clippy::cast_possible_truncation, reason = "below 4096 after the remainder")]
const fn index(tick: u64) -> usize {
    (tick % SLOTS as u64) as usize
}

#[cfg(test)]
mod tests {
    use super::{Nanos, Wheel};
    use crate::stdx::rng::Rng;

    #[test]
    fn fires_as_a_sorted_list_would() {
        for seed in 0..50 {
            let mut rng = Rng::stream(seed, 0);
            let mut now = Nanos(rng.below(1 << 40));
            let mut wheel = Wheel::new(now);
            let mut list: Vec<(Nanos, u32)> = Vec::new();
            for key in 0..400 {
                // From nothing to two and a half laps ahead.
                let at = now + Nanos(rng.below(10_000_000_000));
                wheel.insert(at, key);
                list.push((at, key));
                if rng.below(3) == 0 {
                    now += Nanos(rng.below(700_000_000));
                    let mut fired = Vec::new();
                    wheel.advance(now, |key, at| fired.push((at, key)));
                    fired.sort_unstable();
                    list.sort_unstable();
                    let due = list.partition_point(|(at, _)| *at <= now);
                    assert_eq!(fired, list.drain(..due).collect::<Vec<_>>(), "seed {seed}");
                    assert_eq!(wheel.next_due(), list.first().map(|(at, _)| *at), "seed {seed}");
                }
            }
        }
    }

    #[test]
    fn a_time_that_has_passed_fires_at_the_next_turn() {
        let mut wheel = Wheel::new(Nanos::from_secs(5));
        wheel.insert(Nanos::ZERO, 1);
        let mut fired = 0;
        wheel.advance(Nanos::from_secs(5), |_, _| fired += 1);
        assert_eq!((fired, wheel.next_due()), (1, None));
    }
}
