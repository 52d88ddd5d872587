//! The file as a tree in which each value and each key knows its place.
//!
//! YAML, JSON and TOML give the same tree; types are decided later, by what is asked for.

mod align;
mod merge;
mod toml;
mod yaml;

use std::ops::Range;

use super::diagnostic::{Diagnostic, Diagnostics};
use super::limits::FILE_BYTES_MAX;
use super::place::{Format, Source, Span, Spanned};
pub(super) use merge::merged;

/// One value of the file.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// Where it stands.
    pub(super) span: Span,
    /// What it is.
    pub(super) value: Value,
}

#[derive(Clone, Debug)]
pub(super) enum Value {
    Scalar(Scalar),
    Sequence(Vec<Node>),
    Mapping(Vec<Entry>),
}

/// A key and its value; the order is the file's.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) key: Spanned<String>,
    pub(super) value: Node,
}

/// How a scalar is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// Without quotes: it may mean a number, a truth value or nothing.
    Plain,
    /// Text, whatever it looks like.
    Quoted,
}

/// A text as it is meant, with the place of each of its bytes.
#[derive(Clone)]
pub(super) struct Scalar {
    pub(super) text: String,
    pub(super) style: Style,
    /// For each byte of the text, and for its end, the offset in the file.
    pub(super) offsets: Vec<u32>,
    /// Parts that came from the environment: never read as expressions.
    pub(super) fixed: Vec<Fixed>,
    /// Something in it is wrong and has been said: nothing more is to be said about it.
    pub(super) broken: bool,
}

/// A part of a scalar that came from the environment.
#[derive(Clone, Debug)]
pub(super) struct Fixed {
    pub(super) range: Range<usize>,
    pub(super) secret: bool,
}

impl Scalar {
    /// A text whose bytes stand one by one from `start` on.
    fn direct(text: String, style: Style, start: usize) -> Self {
        let offsets = (start..=start + text.len()).map(|at| Span::new(at, at).start).collect();
        Self { text, style, offsets, fixed: Vec::new(), broken: false }
    }

    /// Where a part of the text stands in the file.
    pub(super) fn place(&self, range: Range<usize>) -> Span {
        let at =
            |at: usize| self.offsets.get(at).or_else(|| self.offsets.last()).copied().unwrap_or(0);
        let (start, end) = (at(range.start), at(range.end));
        Span { start, end: end.max(start) }
    }

    /// Whether any of it is secret.
    pub(super) fn is_secret(&self) -> bool {
        self.fixed.iter().any(|part| part.secret)
    }

    /// As it may be shown.
    pub(super) fn shown(&self) -> String {
        const LONGEST: usize = 60;
        if self.is_secret() {
            return "***".to_owned();
        }
        match self.text.char_indices().nth(LONGEST) {
            Some((at, _)) => format!("{}…", self.text.get(..at).unwrap_or_default()),
            None => self.text.clone(),
        }
    }

    /// Whether it stands for nothing.
    pub(super) fn is_null(&self) -> bool {
        let plain = self.style == Style::Plain && !self.broken;
        plain && matches!(self.text.as_str(), "" | "~" | "null" | "Null" | "NULL")
    }
}

/// Secrets do not get into debug output.
impl std::fmt::Debug for Scalar {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{:?}", self.shown())
    }
}

impl Node {
    /// What it is, in words, with what it says.
    pub(super) fn described(&self) -> String {
        match &self.value {
            Value::Scalar(scalar) if scalar.is_null() => "nothing".to_owned(),
            Value::Scalar(scalar) => format!("'{}'", scalar.shown()),
            Value::Sequence(_) => "a list".to_owned(),
            Value::Mapping(_) => "a mapping".to_owned(),
        }
    }

    /// Whether it is a plain nothing.
    pub(super) fn is_null(&self) -> bool {
        matches!(&self.value, Value::Scalar(scalar) if scalar.is_null())
    }
}

/// Reads the file into a tree, with all that is wrong with its syntax.
pub(super) fn parse(source: &Source<'_>, problems: &mut Diagnostics) -> Option<Node> {
    if source.text.len() > FILE_BYTES_MAX {
        let what = format!("the file has {} bytes", source.text.len());
        let most = format!("at most {FILE_BYTES_MAX} bytes");
        let help = "generate less; large data does not belong into a scenario";
        problems.add(Diagnostic::new(Span::default(), what, most).help(help));
        return None;
    }
    match source.format() {
        Format::Yaml => yaml::parse(source.text, problems),
        Format::Json => yaml::parse_json(source.text, problems),
        Format::Toml => toml::parse(source.text, problems),
    }
}

/// The same key twice in one mapping.
fn duplicate(key: &Spanned<String>, first: Span) -> Diagnostic {
    Diagnostic::new(key.span, format!("the key '{}' is given twice", key.value), "again here")
        .also(first, "first here")
        .help("keep one of them")
}
