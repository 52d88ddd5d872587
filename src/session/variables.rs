//! What a session has saved of replies, for as long as an iteration lasts.

use super::kept::{Kept, Kind};
use super::limits::VARIABLE_BYTES_MAX;

/// A session's saved values, by index into the plan's variables. Costs nothing until one is set.
#[derive(Clone, Debug, Default)]
pub struct Variables {
    entries: Vec<Entry>,
}

#[derive(Clone, Debug, Default)]
struct Entry {
    text: String,
    kind: Kind,
    is_set: bool,
}

const _: () = assert!(size_of::<Variables>() <= 24, "every session has one");

impl Variables {
    /// Keeps a value. False if it is longer than [`VARIABLE_BYTES_MAX`]: then nothing is kept.
    pub fn set(&mut self, index: u16, value: Kept<'_>) -> bool {
        let index = usize::from(index);
        if self.entries.len() <= index {
            self.entries.resize_with(index + 1, Entry::default);
        }
        let entry = &mut self.entries[index];
        entry.is_set = value.text.len() <= VARIABLE_BYTES_MAX;
        if entry.is_set {
            entry.text.clear();
            entry.text.push_str(value.text);
            entry.kind = value.kind;
        }
        entry.is_set
    }

    /// The value, if one is kept.
    #[must_use]
    pub fn get(&self, index: u16) -> Option<Kept<'_>> {
        let entry = self.entries.get(usize::from(index)).filter(|entry| entry.is_set)?;
        Some(Kept { text: &entry.text, kind: entry.kind })
    }

    /// Forgets all values, for the next iteration; their memory stays.
    pub fn clear(&mut self) {
        self.entries.iter_mut().for_each(|entry| entry.is_set = false);
    }
}

#[cfg(test)]
mod tests {
    use super::super::kept::Kept;
    use super::super::limits::VARIABLE_BYTES_MAX;
    use super::Variables;

    #[test]
    fn kept_until_the_next_iteration() {
        let mut variables = Variables::default();
        assert_eq!(variables.get(3), None);
        assert!(variables.set(3, Kept::text("a")));
        assert!(variables.set(1, Kept::json("17")));
        assert!(variables.set(3, Kept::text("b")));
        assert_eq!(variables.get(3), Some(Kept::text("b")));
        assert_eq!(variables.get(1), Some(Kept::json("17")));
        assert_eq!(variables.get(0), None);
        variables.clear();
        assert_eq!(variables.get(3), None);
    }

    #[test]
    fn too_long_is_nothing_not_the_value_before() {
        let mut variables = Variables::default();
        let long = "x".repeat(VARIABLE_BYTES_MAX + 1);
        assert!(variables.set(0, Kept::text(&long[1..])));
        assert!(!variables.set(0, Kept::text(&long)));
        assert_eq!(variables.get(0), None);
    }

    #[test]
    fn buffers_are_reused() {
        let mut variables = Variables::default();
        assert!(variables.set(0, Kept::text("a long enough text")));
        let before = variables.get(0).unwrap().text.as_ptr();
        variables.clear();
        assert!(variables.set(0, Kept::text("a shorter one")));
        assert_eq!(variables.get(0).unwrap().text.as_ptr(), before);
    }
}
