//! Every key of the file, once: what the reader accepts, what messages say, what the schema says.

mod load;
mod shape;
mod steps;
mod top;

pub(super) use load::{ADAPT, LOAD, PACE, SEARCH, STAGES};
pub(super) use shape::{Shape, Variants};
pub(super) use steps::{
    AUTH_CALL, EXPECT_MESSAGE, EXPECT_REPLY, MEASURE, MESSAGE, PAUSE, STEPS, UNTIL, WEBSOCKET,
};
pub(super) use top::{AUTH, LEVEL, POOL, PROBE, SCENARIO, USERS, WARMUP, WORKLOAD};

/// One key of a section.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) shape: Shape,
    pub(super) about: &'static str,
    pub(super) required: bool,
}

/// A mapping with known keys.
#[derive(Debug)]
pub(super) struct Section {
    /// As messages call it.
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) keys: &'static [&'static [Key]],
    pub(super) rules: &'static [Rule],
}

/// What holds between keys of a section.
#[derive(Debug)]
pub(super) enum Rule {
    /// One of them, and only one.
    Exactly(&'static [&'static str]),
    /// None or one of them.
    AtMost(&'static [&'static str]),
    /// The first only beside one of the others.
    Beside(&'static str, &'static [&'static str]),
}

/// A key that may be left out.
const fn may(name: &'static str, shape: Shape, about: &'static str) -> Key {
    Key { name, shape, about, required: false }
}

/// A key that must be there.
const fn need(name: &'static str, shape: Shape, about: &'static str) -> Key {
    Key { name, shape, about, required: true }
}

impl Section {
    /// All keys, in order.
    pub(super) fn all(&self) -> impl Iterator<Item = &'static Key> {
        self.keys.iter().flat_map(|keys| keys.iter())
    }

    /// The key of that name.
    pub(super) fn key(&self, name: &str) -> Option<&'static Key> {
        self.all().find(|key| key.name == name)
    }

    /// The names, for messages.
    pub(super) fn names(&self) -> String {
        self.all().map(|key| key.name).collect::<Vec<_>>().join(", ")
    }
}
