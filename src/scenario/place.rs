//! Places in the file: spans of bytes, and the line and column that people count in.

/// A range of bytes of the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// The first byte.
    pub start: u32,
    /// Behind the last byte.
    pub end: u32,
}

impl Span {
    /// From one offset to another; files are far smaller than 4 GiB (`limits.rs`).
    #[must_use]
    pub fn new(start: usize, end: usize) -> Self {
        let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Self { start: offset(start), end: offset(end.max(start)) }
    }

    /// The offset of the first byte.
    #[must_use]
    pub fn at(self) -> usize {
        usize::try_from(self.start).unwrap_or(usize::MAX)
    }

    /// The offset behind the last byte.
    #[must_use]
    pub fn to(self) -> usize {
        usize::try_from(self.end).unwrap_or(usize::MAX)
    }
}

/// A value and where it stands; two are equal when their values are.
#[derive(Clone, Debug)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub span: Span,
}

impl<T> Spanned<T> {
    /// A value at a place.
    pub const fn new(value: T, span: Span) -> Self {
        Self { value, span }
    }
}

impl<T: PartialEq> PartialEq for Spanned<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

/// How the file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// YAML 1.2.
    Yaml,
    /// JSON, read as the YAML that it is.
    Json,
    /// TOML 1.
    Toml,
}

/// The file: its name for messages, its text.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// As the user named it.
    pub name: &'a str,
    /// All of it.
    pub text: &'a str,
}

impl<'a> Source<'a> {
    /// By the ending of the name; what is neither `.json` nor `.toml` is YAML.
    #[must_use]
    pub fn format(&self) -> Format {
        match self.name.rsplit('.').next() {
            Some("json") => Format::Json,
            Some("toml") => Format::Toml,
            Some(_) | None => Format::Yaml,
        }
    }

    /// The line with that byte: its number from 1, its offset, its text without the line's end.
    #[must_use]
    pub(crate) fn line(&self, at: usize) -> (usize, usize, &'a str) {
        let before = self.text.get(..at).unwrap_or(self.text);
        let start = before.rfind('\n').map_or(0, |end| end + 1);
        let rest = self.text.get(start..).unwrap_or_default();
        let line = rest.split('\n').next().unwrap_or_default().trim_end_matches('\r');
        (before.matches('\n').count() + 1, start, line)
    }

    /// The line and the column of a byte, both from 1; columns are characters.
    #[must_use]
    pub fn line_and_column(&self, at: usize) -> (usize, usize) {
        let (number, start, _) = self.line(at);
        let before = self.text.get(start..at).unwrap_or_default();
        (number, before.chars().count() + 1)
    }
}
