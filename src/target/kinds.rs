//! The types of tasks that were met: each has a number, small enough for a task's id.

use std::sync::OnceLock;

use super::limits::KINDS_MAX;

/// Names by number. A place that is taken stays as it is, so all cores agree without a lock.
#[derive(Debug)]
pub(super) struct Kinds {
    names: Box<[OnceLock<Box<str>>]>,
}

impl Default for Kinds {
    fn default() -> Self {
        Self { names: (0..KINDS_MAX).map(|_| OnceLock::new()).collect() }
    }
}

impl Kinds {
    /// The number of a name, old or new; none when there are too many.
    pub(super) fn number(&self, name: &str) -> Option<u8> {
        let is_it = |place: &OnceLock<Box<str>>| &**place.get_or_init(|| Box::from(name)) == name;
        self.names.iter().position(is_it).and_then(|at| u8::try_from(at).ok())
    }

    /// The name of a number that was given out.
    pub(super) fn name(&self, number: u8) -> Option<&str> {
        self.names.get(usize::from(number))?.get().map(|name| &**name)
    }
}

#[cfg(test)]
mod tests {
    use super::{KINDS_MAX, Kinds};

    #[test]
    fn names_keep_their_numbers_until_there_are_too_many() {
        let kinds = Kinds::default();
        let name = |number: usize| format!("kind {number}");
        for round in 0..2 {
            for number in 0..KINDS_MAX {
                let given = kinds.number(&name(number)).map(usize::from);
                assert_eq!(given, Some(number), "round {round}");
            }
        }
        assert_eq!(kinds.number("one more"), None);
        assert_eq!(kinds.name(7), Some("kind 7"));
        assert_eq!(Kinds::default().name(0), None);
    }
}
