//! The lies the target tells, and exactly when.
//!
//! Requests are numbered from 1 as they become whole, per server (so per core), `/count` left
//! out; what is refused as malformed or too large has no number. A lie of period K is due at
//! every request whose number K divides. When several are due, the first of this order is told
//! and counted, and the others are left out (not put off):
//!
//! **close, corrupt, truncate, 5xx, delay**: whatever destroys more goes first.
//!
//! | lie      | what the client gets                                                          |
//! |----------|-------------------------------------------------------------------------------|
//! | close    | no reply; the connection is closed behind the replies of earlier requests     |
//! | corrupt  | the reply with a status line that no version of HTTP has; it stays open       |
//! | truncate | a length of at least 1 is announced, half of it (rounded down) sent, then the |
//! |          | close; a chunked body ends after half of it, without the last chunk; a reply  |
//! |          | that can have no body ends within its head                                    |
//! | 5xx      | 503, well-formed; the connection lives on                                     |
//! | delay    | the reply, so much later (on top of what `/delay` holds it back)              |

use std::fmt;

use super::limits::DELAY_MAX;
use crate::stdx::{Nanos, units};

/// One kind of lie, in order of precedence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lie {
    /// The connection is closed instead of a reply.
    Close,
    /// The status line is garbage.
    Corrupt,
    /// Less is sent than was announced.
    Truncate,
    /// 503 instead of the reply.
    Fail,
    /// The reply is held back.
    Delay,
}

impl Lie {
    /// All, in order of precedence.
    pub const ALL: [Self; 5] =
        [Self::Close, Self::Corrupt, Self::Truncate, Self::Fail, Self::Delay];

    /// As it is written and counted.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Close => "close",
            Self::Corrupt => "corrupt",
            Self::Truncate => "truncate",
            Self::Fail => "5xx",
            Self::Delay => "delay",
        }
    }
}

/// Which lies are told, each how often. The default is honest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Misbehaviour {
    /// Period of each lie, in the order of [`Lie::ALL`]; 0 is never.
    periods: [u64; 5],
    hold: Nanos,
}

impl Misbehaviour {
    /// Reads a list such as `delay:100:5ms,5xx:50,close:1000,truncate:500,corrupt:500`.
    ///
    /// # Errors
    /// Names everything that is wrong in the list, not only the first.
    pub fn parse(text: &str) -> Result<Self, MisbehaviourError> {
        let mut lies = Self::default();
        let mut problems = Vec::new();
        for item in text.split(',') {
            if let Err(problem) = lies.add(item.trim()) {
                problems.push(problem);
            }
        }
        if problems.is_empty() { Ok(lies) } else { Err(MisbehaviourError { problems }) }
    }

    /// The lie that is due at the request of this number, counted from 1.
    #[must_use]
    pub fn due(&self, number: u64) -> Option<Lie> {
        let is_due = |lie: &Lie| {
            let period = self.periods[*lie as usize];
            period != 0 && number.is_multiple_of(period)
        };
        Lie::ALL.into_iter().find(is_due)
    }

    /// How long [`Lie::Delay`] holds a reply back.
    #[must_use]
    pub const fn hold(&self) -> Nanos {
        self.hold
    }

    fn add(&mut self, item: &str) -> Result<(), Problem> {
        let mut parts = item.split(':');
        let name = parts.next().unwrap_or_default();
        let found = || item.to_owned();
        let Some(lie) = Lie::ALL.into_iter().find(|lie| lie.name() == name) else {
            return Err(Problem::UnknownLie(found()));
        };
        let period = parts.next().unwrap_or_default();
        let Some(period) = period.parse().ok().filter(|&period: &u64| period > 0) else {
            return Err(Problem::Period(found(), period.to_owned(), example(lie)));
        };
        if lie == Lie::Delay {
            let hold = parts.next().unwrap_or_default();
            let Some(hold) = units::duration(hold).ok().filter(|&hold| hold <= DELAY_MAX) else {
                return Err(Problem::Hold(found(), hold.to_owned(), example(lie)));
            };
            self.hold = hold;
        }
        if parts.next().is_some() {
            return Err(Problem::TooMuch(found(), example(lie)));
        }
        if self.periods[lie as usize] != 0 {
            return Err(Problem::Twice(found(), name.to_owned()));
        }
        self.periods[lie as usize] = period;
        Ok(())
    }
}

const fn example(lie: Lie) -> &'static str {
    match lie {
        Lie::Close => "close:1000",
        Lie::Corrupt => "corrupt:500",
        Lie::Truncate => "truncate:500",
        Lie::Fail => "5xx:50",
        Lie::Delay => "delay:100:5ms",
    }
}

/// Everything that is wrong with a list of lies.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct MisbehaviourError {
    /// In the order of the list; never empty.
    pub problems: Vec<Problem>,
}

impl fmt::Display for MisbehaviourError {
    /// One line for each problem.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            let gap = if index == 0 { "" } else { "\n" };
            write!(out, "{gap}{problem}")?;
        }
        Ok(())
    }
}

/// One thing that is wrong with a list of lies.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// No lie of this name.
    #[error(
        "'{0}': unknown lie; expected delay, 5xx, close, truncate or corrupt, \
         for example 5xx:50"
    )]
    UnknownLie(String),
    /// The period is missing, 0 or no number.
    #[error(
        "'{0}': the period is '{1}'; expected a whole number of requests, \
         at least 1, for example {2}"
    )]
    Period(String, String, &'static str),
    /// The duration of a delay is missing, too long or no duration.
    #[error(
        "'{0}': the delay is '{1}'; expected a duration of at most 60s, \
         for example {2}"
    )]
    Hold(String, String, &'static str),
    /// More parts than the lie has.
    #[error("'{0}': more than this lie takes; for example {1}")]
    TooMuch(String, &'static str),
    /// The same lie again.
    #[error("'{0}': {1} was given before; each lie has one period")]
    Twice(String, String),
}
