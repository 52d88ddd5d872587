//! Timers, in order of their time.

use std::collections::BTreeMap;

use crate::stdx::Nanos;

/// Entries that fire once their time has come.
#[derive(Debug, Default)]
pub struct Wheel {
    entries: BTreeMap<(Nanos, u64), u32>,
    inserted: u64,
}

impl Wheel {
    /// An empty wheel that stands at `now`.
    #[must_use]
    pub fn new(_now: Nanos) -> Self {
        Self::default()
    }

    /// Asks for `key` at `at`.
    pub fn insert(&mut self, at: Nanos, key: u32) {
        self.inserted += 1;
        self.entries.insert((at, self.inserted), key);
    }

    /// Fires what is due at `now`, never early.
    pub fn advance(&mut self, now: Nanos, mut fire: impl FnMut(u32, Nanos)) {
        while let Some(entry) = self.entries.first_entry() {
            let at = entry.key().0;
            if at > now {
                return;
            }
            fire(entry.remove(), at);
        }
    }

    /// When the next entry is due.
    #[must_use]
    pub fn next_due(&self) -> Option<Nanos> {
        self.entries.first_key_value().map(|((at, _), _)| *at)
    }
}
