//! Heads with values in them, by the encoder of fixed requests: each value is a mark in the text
//! that the encoder is given, and the marks are cut out of what it wrote.

use crate::plan::{Encoding, Text, Value};

/// Values, and the marks that stand for them.
pub(super) struct Holes {
    mark: String,
    values: Vec<(Value, Encoding)>,
}

/// What marks begin and end with; both may stand in paths and in headers.
const MARK: &str = "~";

impl Holes {
    /// Marks that none of the texts holds.
    pub(super) fn beside<'t>(texts: impl Iterator<Item = &'t str> + Clone) -> Self {
        let mut mark = format!("{MARK}hole");
        while texts.clone().any(|text| text.contains(&mark)) {
            mark.push('-');
        }
        Self { mark, values: Vec::new() }
    }

    /// Whether there are none.
    pub(super) const fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The mark of one more value.
    pub(super) fn hold(&mut self, value: Value, encoding: Encoding) -> String {
        self.values.push((value, encoding));
        format!("{}{}{MARK}", self.mark, self.values.len() - 1)
    }

    /// A text as the encoder is to see it.
    pub(super) fn marked(&mut self, text: Text) -> Vec<u8> {
        let mut out = Vec::new();
        for piece in text.pieces {
            match piece {
                crate::plan::Piece::Fixed(bytes) => out.extend_from_slice(&bytes),
                crate::plan::Piece::Made(value, encoding) => {
                    out.extend_from_slice(self.hold(value, encoding).as_bytes());
                }
            }
        }
        out
    }

    /// What the encoder wrote, with the values in the places of their marks.
    pub(super) fn cut(&self, mut bytes: &[u8]) -> Text {
        let mut text = Text::default();
        while let Some(at) = find(bytes, self.mark.as_bytes()) {
            let (before, rest) = bytes.split_at(at);
            let rest = rest.get(self.mark.len()..).unwrap_or_default();
            let end = rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len());
            let digits = rest.get(..end).and_then(|digits| std::str::from_utf8(digits).ok());
            let index = digits.and_then(|digits| digits.parse::<usize>().ok());
            text.push(before);
            if let Some((value, encoding)) = index.and_then(|index| self.values.get(index)) {
                text.push_value(value.clone(), *encoding);
            }
            bytes = rest.get(end + MARK.len()..).unwrap_or_default();
        }
        text.push(bytes);
        text
    }
}

/// Where one text stands in another.
pub(super) fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|found| found == wanted)
}

#[cfg(test)]
mod tests {
    use super::{Encoding, Holes, Text, Value};

    #[test]
    fn marks_are_cut_out_again() {
        let mut holes = Holes::beside(["a~hole0~b", "~hole-"].into_iter());
        let mut text = Text::fixed("a~hole0~b");
        for number in 0..12 {
            text.push_value(Value::Number(f64::from(number)), Encoding::Percent);
            text.push(b"7~");
        }
        let marked = holes.marked(text.clone());
        assert_eq!(holes.cut(&marked), text);
    }
}
