//! A text with expressions in it, and secrets that no rendering shows.

use std::fmt;

use super::{Expr, parse};
use crate::scenario::diagnostic::Diagnostics;
use crate::scenario::interpolate::braced;
use crate::scenario::place::Spanned;
use crate::scenario::tree::{Fixed, Scalar, Style};

/// A text of the environment that is not to be seen.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The text itself: for the wire, never for people.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// The last four characters only where many more stay hidden.
impl fmt::Display for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.0.chars().count();
        let last: String = self.0.chars().skip(count.saturating_sub(4)).collect();
        if count >= 16 { write!(out, "***{last}") } else { write!(out, "***") }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{self}")
    }
}

/// A piece of a template.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    /// As it is.
    Text(String),
    /// As it is, and hidden.
    Secret(Secret),
    /// Made anew each time.
    Expr(Spanned<Expr>),
}

/// A text with expressions in it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Template {
    /// Its pieces, in order.
    pub parts: Vec<Part>,
    /// Whether it stood in quotes: then it is a text, whatever it is made of.
    pub text: bool,
}

impl Template {
    /// The whole, if it is one text without expressions and secrets.
    #[must_use]
    pub fn fixed(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [] => Some(""),
            [Part::Text(text)] => Some(text),
            [_] | [_, _, ..] => None,
        }
    }

    /// Reads the expressions of a scalar; each that is wrong is said.
    pub(in crate::scenario) fn read(scalar: &Scalar, problems: &mut Diagnostics) -> Option<Self> {
        let mut template = Self::default();
        let (mut at, mut whole) = (0, true);
        while let Some(next) = boundary(scalar, at) {
            template.push(scalar.text.get(at..next).unwrap_or_default());
            if let Some(fixed) = fixed_from(scalar, next).filter(|it| it.range.start == next) {
                let text = scalar.text.get(fixed.range.clone()).unwrap_or_default();
                match fixed.secret {
                    true => template.parts.push(Part::Secret(Secret(text.to_owned()))),
                    false => template.push(text),
                }
                at = fixed.range.end;
                continue;
            }
            let rest = scalar.text.get(next..).unwrap_or_default();
            let length = braced(rest).unwrap_or(rest.len());
            let inner = rest.get(2..length - 1).unwrap_or_default();
            let place = |range: std::ops::Range<usize>| {
                scalar.place(next + 2 + range.start..next + 2 + range.end)
            };
            match parse(inner, &place) {
                Ok(expr) => template.parts.push(Part::Expr(expr)),
                Err(diagnostic) => {
                    problems.add(diagnostic);
                    whole = false;
                }
            }
            at = next + length;
        }
        template.push(scalar.text.get(at..).unwrap_or_default());
        let alone = matches!(template.parts.as_slice(), [Part::Expr(_)]);
        template.text = alone && scalar.style == Style::Quoted;
        whole.then_some(template)
    }

    fn push(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        match self.parts.last_mut() {
            Some(Part::Text(before)) => before.push_str(text),
            Some(_) | None => self.parts.push(Part::Text(text.to_owned())),
        }
    }
}

/// Where the next expression or part of the environment begins.
fn boundary(scalar: &Scalar, at: usize) -> Option<usize> {
    let fixed = fixed_from(scalar, at).map(|fixed| fixed.range.start);
    // Not beyond the next part of the environment: there may be many of them.
    let rest = scalar.text.get(at..fixed.unwrap_or(scalar.text.len()))?;
    rest.find("${").map(|next| at + next).or(fixed)
}

/// The first part of the environment that begins there or later: they are in order.
fn fixed_from(scalar: &Scalar, at: usize) -> Option<&Fixed> {
    scalar.fixed.get(scalar.fixed.partition_point(|fixed| fixed.range.start < at))
}
