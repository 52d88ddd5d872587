//! JSON with expressions in its texts, and where a value stands in JSON.

use std::fmt;

use crate::scenario::expr::Template;
use crate::scenario::place::Spanned;

/// A JSON value of the file.
#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    /// `null`.
    Null,
    /// `true`, `false`.
    Truth(bool),
    /// A number.
    Number(serde_json::Number),
    /// A text; one that is an expression alone, without quotes, becomes what the expression gives.
    Text(Template),
    /// A list.
    List(Vec<Self>),
    /// An object, in the file's order.
    Object(Vec<(Spanned<String>, Self)>),
}

/// Where a value stands in JSON: `$.items[0].id`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JsonPath {
    /// From the outside to the inside.
    pub segments: Vec<Segment>,
}

/// A step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Segment {
    /// A key of an object.
    Key(String),
    /// A place in a list, from 0.
    Index(usize),
}

impl fmt::Display for JsonPath {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "$")?;
        for segment in &self.segments {
            match segment {
                Segment::Key(key) if key.chars().all(|it| it.is_alphanumeric() || it == '_') => {
                    write!(out, ".{key}")?;
                }
                Segment::Key(key) => write!(out, "[{key:?}]")?,
                Segment::Index(index) => write!(out, "[{index}]")?,
            }
        }
        Ok(())
    }
}

impl JsonPath {
    /// Reads a path; what is wrong is told with the byte at which it is.
    pub(crate) fn parse(text: &str) -> Result<Self, (usize, &'static str)> {
        let Some(mut rest) = text.strip_prefix('$') else {
            return Err((0, "a path begins with '$'"));
        };
        let mut segments = Vec::new();
        while let Some(first) = rest.chars().next() {
            let at = text.len() - rest.len();
            let (segment, len) = match first {
                '.' => {
                    let name = rest.get(1..).unwrap_or_default();
                    let end = name.find(|it| !is_word(it)).unwrap_or(name.len());
                    if end == 0 {
                        return Err((at, "no key behind the dot"));
                    }
                    (Segment::Key(name.get(..end).unwrap_or_default().to_owned()), end + 1)
                }
                '[' => {
                    let Some(end) = rest.find(']') else { return Err((at, "'[' is not closed")) };
                    let inner = rest.get(1..end).unwrap_or_default();
                    (bracketed(inner).ok_or((at + 1, "no index and no key in quotes"))?, end + 1)
                }
                _ => return Err((at, "neither '.key' nor '[0]'")),
            };
            segments.push(segment);
            rest = rest.get(len..).unwrap_or_default();
        }
        Ok(Self { segments })
    }
}

fn is_word(each: char) -> bool {
    each.is_alphanumeric() || each == '_' || each == '-'
}

fn bracketed(inner: &str) -> Option<Segment> {
    let quoted = |quote: char| inner.strip_prefix(quote)?.strip_suffix(quote);
    if let Some(key) = quoted('\'').or_else(|| quoted('"')) {
        return Some(Segment::Key(key.to_owned()));
    }
    let digits = !inner.is_empty() && inner.bytes().all(|it| it.is_ascii_digit());
    digits.then(|| inner.parse().ok().map(Segment::Index))?
}

#[cfg(test)]
mod tests {
    use super::JsonPath;

    #[test]
    fn paths() {
        for path in ["$", "$.a", "$.a.b[0]", "$.a-b[\"c d\"]"] {
            let parsed = JsonPath::parse(path).unwrap();
            assert_eq!(JsonPath::parse(&parsed.to_string()), Ok(parsed), "{path}");
        }
        for (path, at) in [("a", 0), ("$a", 1), ("$.", 1), ("$.a[", 3), ("$.a[x]", 4), ("$..a", 1)]
        {
            assert_eq!(JsonPath::parse(path).map_err(|(at, _)| at), Err(at), "{path}");
        }
    }
}
