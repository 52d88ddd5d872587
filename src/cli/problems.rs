//! Mistakes on a command line, collected.

use std::fmt;

use crate::report::figures::plural;
use crate::stdx::units::UnitError;
use crate::stdx::{Nanos, units};

/// Every problem found so far.
#[derive(Debug, Default)]
pub(super) struct Problems {
    found: Vec<String>,
}

impl Problems {
    /// Notes a problem at `place`.
    pub(super) fn add(&mut self, place: &str, what: &str) {
        self.found.push(format!("{place}: {what}"));
    }

    /// The value, or nothing and a note.
    pub(super) fn keep<T, E: fmt::Display>(
        &mut self,
        place: &str,
        value: Result<T, E>,
    ) -> Option<T> {
        value.map_err(|error| self.add(place, &error.to_string())).ok()
    }

    /// A number of things of which there are to be `least` to `most`, or nothing and a note.
    pub(super) fn number(
        &mut self,
        place: &str,
        text: &str,
        (least, most): (u64, u64),
        noun: &str,
    ) -> Option<u64> {
        let few = || format!("{text} is too few; at least {} is needed", plural(least, noun));
        let many = || format!("{text} is too many; the most are {}", plural(most, noun));
        match units::count(text) {
            Ok(value) if value < least => self.add(place, &few()),
            Ok(value) if value <= most => return Some(value),
            Ok(_) | Err(UnitError::TooLarge(..)) => self.add(place, &many()),
            Err(error) => self.add(place, &error.to_string()),
        }
        None
    }

    /// Notes a time outside of `least..=most`.
    pub(super) fn span(&mut self, place: &str, value: Option<Nanos>, least: Nanos, most: Nanos) {
        if let Some(value) = value.filter(|value| !(least..=most).contains(value)) {
            let message = if value == Nanos::ZERO {
                format!("no time at all is too short; the shortest is {least}")
            } else if value < least {
                format!("{value} is too short; the shortest is {least}")
            } else {
                format!("{value} is too long; the longest is {most}")
            };
            self.add(place, &message);
        }
    }

    /// What `make` makes, if there is no problem.
    pub(super) fn or<T>(mut self, make: impl FnOnce() -> Option<T>) -> Result<T, Self> {
        if self.found.is_empty() {
            if let Some(made) = make() {
                return Ok(made);
            }
            self.add("arguments", "they could not be read together; see --help");
        }
        Err(self)
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for problem in &self.found {
            writeln!(out, "error: {problem}")?;
        }
        write!(out, "For more, try --help.")
    }
}
