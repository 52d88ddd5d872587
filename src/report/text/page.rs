//! A page of text: headings, labelled rows, columns that line up.

use std::ffi::OsStr;

use crate::report::figures::harmless;

/// Columns of the page.
pub(super) const WIDTH: usize = 80;

/// Columns of the label at the left, indentation included.
pub(super) const LABEL: usize = 14;

/// Whether escape codes may be written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Colour {
    /// Text alone.
    #[default]
    Plain,
    /// With colours.
    Ansi,
}

impl Colour {
    /// Colours on a terminal, unless `NO_COLOR` is set to anything (no-color.org) or `TERM` says
    /// that the terminal knows none.
    #[must_use]
    pub fn choose(no_color: Option<&OsStr>, term: Option<&OsStr>, terminal: bool) -> Self {
        let denied = no_color.is_some_and(|value| !value.is_empty());
        let dumb = term.is_some_and(|value| value == "dumb");
        if terminal && !denied && !dumb { Self::Ansi } else { Self::Plain }
    }
}

/// What a piece of text is meant to say by its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ink {
    Plain,
    Bold,
    Dim,
    Green,
    Yellow,
    Red,
}

impl Ink {
    const fn code(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Bold => Some("1"),
            Self::Dim => Some("2"),
            Self::Green => Some("1;32"),
            Self::Yellow => Some("1;33"),
            Self::Red => Some("1;31"),
        }
    }
}

pub(super) struct Page {
    text: String,
    colour: Colour,
}

impl Page {
    pub(super) const fn new(colour: Colour) -> Self {
        Self { text: String::new(), colour }
    }

    pub(super) fn finish(self) -> String {
        self.text
    }

    /// Text in a colour; what is to line up must be padded before.
    pub(super) fn paint(&self, ink: Ink, text: &str) -> String {
        match (self.colour, ink.code()) {
            (Colour::Ansi, Some(code)) => format!("\x1b[{code}m{text}\x1b[0m"),
            _ => text.to_owned(),
        }
    }

    pub(super) fn blank(&mut self) {
        self.text.push('\n');
    }

    pub(super) fn line(&mut self, text: &str) {
        self.text.push_str(text.trim_end());
        self.text.push('\n');
    }

    /// A section begins; the rest of its line says what its columns are.
    pub(super) fn heading(&mut self, name: &str, columns: &str) {
        let gap = LABEL.saturating_sub(name.len());
        let name = self.paint(Ink::Bold, name);
        self.blank();
        match columns.trim_end() {
            "" => self.line(&name),
            columns => {
                let columns = self.paint(Ink::Dim, columns);
                self.line(&format!("{name}{}{columns}", " ".repeat(gap)));
            }
        }
    }

    /// A label and what belongs to it.
    pub(super) fn row(&mut self, label: &str, text: &str) {
        self.line(&format!("  {label:<width$}{text}", width = LABEL - 2));
    }

    /// A label and a text of any length, broken between words.
    pub(super) fn wrapped(&mut self, label: &str, text: &str, ink: Ink) {
        let mut label = label;
        for line in broken(text, WIDTH - LABEL) {
            let line = self.paint(ink, &line);
            self.row(label, &line);
            label = "";
        }
    }

    /// A text of any length below a row.
    pub(super) fn indented(&mut self, text: &str, ink: Ink) {
        for line in broken(text, WIDTH - 4) {
            let line = self.paint(ink, &line);
            self.line(&format!("    {line}"));
        }
    }
}

/// Lines of at most `width` characters; a longer word is broken where a line ends.
fn broken(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let word: Vec<char> = harmless(word, usize::MAX).chars().collect();
        for (at, part) in word.chunks(width).enumerate() {
            let part = String::from_iter(part);
            match lines.last_mut() {
                Some(line) if line.is_empty() => line.push_str(&part),
                Some(line)
                    if at == 0 && line.chars().count() + 1 + part.chars().count() <= width =>
                {
                    line.push(' ');
                    line.push_str(&part);
                }
                _ => lines.push(part),
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::{Colour, OsStr, broken};

    #[test]
    fn breaks_between_words() {
        assert_eq!(broken("one two three", 7), ["one two", "three"]);
        assert_eq!(broken("a establishment is", 6), ["a", "establ", "ishmen", "t is"]);
        assert_eq!(broken("", 5), [""]);
    }

    #[test]
    fn no_color_counts_if_not_empty() {
        let term = Some(OsStr::new("xterm"));
        assert_eq!(Colour::choose(None, term, true), Colour::Ansi);
        assert_eq!(Colour::choose(Some(OsStr::new("")), None, true), Colour::Ansi);
        assert_eq!(Colour::choose(Some(OsStr::new("1")), term, true), Colour::Plain);
        assert_eq!(Colour::choose(None, term, false), Colour::Plain);
    }

    #[test]
    fn a_dumb_terminal_gets_no_codes() {
        assert_eq!(Colour::choose(None, Some(OsStr::new("dumb")), true), Colour::Plain);
    }
}
