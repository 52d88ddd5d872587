//! A value that was taken out of a reply: its text, and how it stands in JSON.

/// A value that a reply gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept<'a> {
    /// The text of it: of a JSON text what it means, of anything else the JSON itself.
    pub text: &'a str,
    /// How it is written as JSON again.
    pub kind: Kind,
}

/// How a kept value is written as JSON.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// With quotes.
    #[default]
    Text,
    /// As it is: a number, `true`, `false`, a list, an object.
    Json,
}

impl<'a> Kept<'a> {
    /// A text.
    #[must_use]
    pub const fn text(text: &'a str) -> Self {
        Self { text, kind: Kind::Text }
    }

    /// Something that is JSON already.
    #[must_use]
    pub const fn json(text: &'a str) -> Self {
        Self { text, kind: Kind::Json }
    }
}
