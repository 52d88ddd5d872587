//! What must be true of a reply or a message, and what is kept of it.

use super::Text;
use crate::scenario::{Segment, Statuses};
use crate::stdx::Nanos;

/// What must be true of a reply or of a message.
#[derive(Clone, Debug, Default)]
pub struct Expect {
    /// The status is one of these. None: it is below 400, which is no check.
    pub statuses: Vec<Statuses>,
    /// The check that the status is, if it was asked for: an index into the plan's.
    pub status_check: Option<u16>,
    /// What stands where in its JSON.
    pub json: Vec<JsonCheck>,
    /// The longest that it may take.
    pub time: Option<TimeCheck>,
}

/// A time that must not be passed, judged on the response time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeCheck {
    /// The check: an index into the plan's.
    pub check: u16,
    /// The longest that is fine.
    pub most: Nanos,
}

/// What must stand where in JSON.
#[derive(Clone, Debug)]
pub struct JsonCheck {
    /// The check: an index into the plan's. None for what only tells messages apart.
    pub check: Option<u16>,
    /// Where.
    pub place: Place,
    /// What.
    pub expected: Expected,
}

/// Where a value stands in JSON, from the outside to the inside.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place(pub Vec<Segment>);

/// A value that is expected.
#[derive(Clone, Debug)]
pub enum Expected {
    /// The same each time.
    Fixed(serde_json::Value),
    /// Made each time; as JSON.
    Made(Text),
}

/// A value to keep.
#[derive(Clone, Debug)]
pub struct Save {
    /// As what.
    pub into: Saved,
    /// Where it stands: the first that leads somewhere.
    pub places: Vec<Place>,
}

/// What a value is kept as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Saved {
    /// In a pool of the plan's.
    Pool(u16),
    /// In a variable of the session's.
    Variable(u16),
}

impl Expect {
    /// Whether the status is as expected.
    #[must_use]
    pub fn takes(&self, status: u16) -> bool {
        match self.statuses.as_slice() {
            [] => status < LEAST_FAILING,
            ranges => ranges.iter().any(|range| (range.from..=range.to).contains(&status)),
        }
    }
}

/// The lowest status that counts as a failure where nothing is said, as in k6.
const LEAST_FAILING: u16 = 400;
