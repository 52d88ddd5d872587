//! Where each byte of a scalar's value stands in the file, through quotes, escapes and folding.

use super::{Scalar, Style};
use crate::scenario::place::Span;

/// How the raw text is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Notation {
    /// As it stands.
    Plain,
    /// Between quotes: two of them inside mean one.
    Single,
    /// Between quotes, with escapes that begin with a backslash.
    Double,
    /// Indented lines below a header.
    Block,
}

/// A scalar with the value `text`, written as `raw` from `start` on.
pub(super) fn scalar(text: String, notation: Notation, raw: &str, start: usize) -> Scalar {
    let style = if notation == Notation::Plain { Style::Plain } else { Style::Quoted };
    let mut position = match notation {
        Notation::Plain => 0,
        Notation::Single | Notation::Double => usize::from(raw.starts_with(['\'', '"'])),
        Notation::Block => header(raw),
    };
    let mut offsets = Vec::with_capacity(text.len() + 1);
    for each in text.chars() {
        position = next(raw, position, each, notation);
        let at = Span::new(start + position, start + position).start;
        offsets.extend(std::iter::repeat_n(at, each.len_utf8()));
        position += length(raw, position, notation);
    }
    let end = Span::new(start + position.min(raw.len()), start + raw.len());
    offsets.push(end.start);
    // Bytes of one character that stands as it is follow each other.
    let mut at = 0;
    for each in text.chars() {
        for byte in 1..each.len_utf8() {
            if let Some(offset) = offsets.get_mut(at + byte) {
                *offset = offset.saturating_add(u32::try_from(byte).unwrap_or(0)).min(end.end);
            }
        }
        at += each.len_utf8();
    }
    Scalar { text, style, offsets, fixed: Vec::new(), broken: false }
}

/// The length of a block's header line, if the raw text has one.
fn header(raw: &str) -> usize {
    if raw.starts_with(['|', '>']) { raw.find('\n').map_or(raw.len(), |at| at + 1) } else { 0 }
}

/// Where the next character of the value stands: blanks that folding took away are passed over.
fn next(raw: &str, from: usize, wanted: char, notation: Notation) -> usize {
    let rest = raw.get(from..).unwrap_or_default();
    for (at, each) in rest.char_indices() {
        let escaped = notation == Notation::Double && each == '\\';
        let line_continued = escaped && rest.get(at + 1..).is_some_and(|it| it.starts_with('\n'));
        if (escaped && !line_continued) || each == wanted || (wanted == ' ' && each == '\n') {
            return from + at;
        }
        if !each.is_whitespace() && !line_continued {
            return from + at;
        }
    }
    raw.len()
}

/// How many bytes of the raw text the character there takes.
fn length(raw: &str, at: usize, notation: Notation) -> usize {
    let mut rest = raw.get(at..).unwrap_or_default().chars();
    let first = rest.next();
    match (notation, first, rest.next()) {
        (Notation::Double, Some('\\'), Some(kind)) => match kind {
            'x' => 4,
            'u' => 6,
            'U' => 10,
            other => 1 + other.len_utf8(),
        },
        (Notation::Single, Some('\''), Some('\'')) => 2,
        (_, Some(first), _) => first.len_utf8(),
        (_, None, _) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::{Notation, scalar};

    fn at(text: &str, notation: Notation, raw: &str, part: &str) -> usize {
        let scalar = scalar(text.to_owned(), notation, raw, 100);
        let from = text.find(part).unwrap();
        scalar.place(from..from + part.len()).at() - 100
    }

    #[test]
    fn plain_and_quoted() {
        assert_eq!(at("a ${x}", Notation::Plain, "a ${x}", "x"), 4);
        assert_eq!(at("a ${x}", Notation::Double, "\"a ${x}\"", "x"), 5);
        assert_eq!(at("a\n${x}", Notation::Double, "\"a\\n${x}\"", "x"), 6);
        assert_eq!(at("é${x}", Notation::Double, "\"\\u00e9${x}\"", "x"), 9);
        assert_eq!(at("it's ${x}", Notation::Single, "'it''s ${x}'", "x"), 9);
        assert_eq!(at("é ${x}", Notation::Plain, "é ${x}", "x"), 5);
    }

    #[test]
    fn blocks_and_folds() {
        assert_eq!(at("a\n${x}\n", Notation::Block, "|\n  a\n  ${x}\n", "x"), 10);
        assert_eq!(at("a ${x}\n", Notation::Block, ">-\n  a\n  ${x}\n", "x"), 11);
        assert_eq!(at("a ${x}", Notation::Plain, "a\n    ${x}", "x"), 8);
    }
}
