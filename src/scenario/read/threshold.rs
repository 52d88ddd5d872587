//! Thresholds in k6's words: `http_req_duration{name:login} p(95) < 500ms over 10s for 30s abort`.

use std::ops::Range;

use super::Reader;
use super::scalars::share;
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::keys::Shape;
use crate::scenario::model::{Aggregate, Bound, Comparison, Measured, Quantity, Threshold};
use crate::scenario::place::{Span, Spanned};
use crate::scenario::suggest::nearest;
use crate::scenario::tree::{Node, Scalar};
use crate::stdx::{Nanos, units};

const AGGREGATES: [&str; 7] = ["rate", "count", "avg", "min", "med", "max", "p(N)"];
const COMPARISONS: [(&str, Comparison); 6] = [
    ("<=", Comparison::AtMost),
    (">=", Comparison::AtLeast),
    ("==", Comparison::Equal),
    ("!=", Comparison::NotEqual),
    ("<", Comparison::Less),
    (">", Comparison::More),
];
const CLAUSES: [&str; 5] = ["over", "for", "abort", "min_samples", "allow_empty"];
const HELP: &str = "METRIC{label:value} AGGREGATE < BOUND, then any of: over TIME, for TIME, \
                    abort, min_samples N, allow_empty";

impl Reader<'_> {
    pub(super) fn threshold(&mut self, node: &Node) -> Option<Spanned<Threshold>> {
        let scalar = self.scalar(node, &Shape::Threshold)?;
        if scalar.is_secret() {
            let what = "a secret in a threshold, which results show";
            self.add(Diagnostic::new(node.span, what, Shape::Threshold.expected()));
            return None;
        }
        let mut words = Words { scalar, at: 0 };
        let threshold = words.threshold().map_err(|problem| self.add(problem)).ok()?;
        Some(Spanned::new(threshold, node.span))
    }
}

/// The text, and how much of it is read.
struct Words<'s> {
    scalar: &'s Scalar,
    at: usize,
}

type Parsed<T> = Result<T, Diagnostic>;

impl<'s> Words<'s> {
    fn threshold(&mut self) -> Parsed<Threshold> {
        let measured = self.measured()?;
        let comparison = self.comparison()?;
        let bound = self.bound()?;
        let mut threshold = Threshold {
            text: self.scalar.text.split_whitespace().collect::<Vec<_>>().join(" "),
            measured,
            comparison,
            bound,
            over: None,
            lasting: None,
            abort: false,
            min_samples: None,
            allow_empty: false,
        };
        while let Some((word, range)) = self.peek() {
            self.at = range.end;
            match word {
                "over" => threshold.over = Some(self.time()?),
                "for" => threshold.lasting = Some(self.time()?),
                "abort" => threshold.abort = true,
                "allow_empty" => threshold.allow_empty = true,
                "min_samples" => {
                    let (number, range) = self.word("a number of samples")?;
                    let count = units::count(number);
                    let wrong = |_| self.wrong(range, format!("'{number}' is no count"), "as 100");
                    threshold.min_samples = Some(count.map_err(wrong)?);
                }
                other => {
                    let what = format!("'{other}' behind the bound");
                    let expected = format!("one of {}, or the end", CLAUSES.join(", "));
                    let near = nearest(other, CLAUSES);
                    return Err(self.wrong(range, what, &expected).did_you_mean(near));
                }
            }
        }
        Ok(threshold)
    }

    /// `http_req_duration{name:login} p(95)`.
    fn measured(&mut self) -> Parsed<Measured> {
        let metric = self.name("a metric such as http_req_duration")?;
        let labels = if self.rest().starts_with('{') { self.labels()? } else { Vec::new() };
        let (word, range) = self.word("what is made of the samples")?;
        let aggregate = match word {
            "rate" => Aggregate::Rate,
            "count" => Aggregate::Count,
            "avg" => Aggregate::Avg,
            "min" => Aggregate::Min,
            "med" => Aggregate::Med,
            "max" => Aggregate::Max,
            other => self.percentile(other, range)?,
        };
        Ok(Measured { metric, labels, aggregate })
    }

    fn percentile(&self, word: &str, range: Range<usize>) -> Parsed<Aggregate> {
        let number = word.strip_prefix("p(").and_then(|rest| rest.strip_suffix(')'));
        let Some(number) = number else {
            let what = format!("'{word}' is nothing that samples become");
            let digits = word.strip_prefix('p').filter(|rest| rest.parse::<f64>().is_ok());
            let percentile = digits.map(|digits| format!("p({digits})"));
            let near = percentile.as_deref().or_else(|| nearest(word, AGGREGATES));
            let expected = format!("one of {}", AGGREGATES.join(", "));
            return Err(self.wrong(range, what, &expected).did_you_mean(near));
        };
        let number = number.parse().ok().filter(|it: &f64| (0.0..=100.0).contains(it));
        number.map(Aggregate::Percentile).ok_or_else(|| {
            self.wrong(range, format!("'{word}' is no percentile"), "p(0) to p(100)")
        })
    }

    /// `{name:login, phase:peak}`.
    fn labels(&mut self) -> Parsed<Vec<(Spanned<String>, Spanned<String>)>> {
        let open = self.at;
        let Some(end) = self.rest().find('}') else {
            return Err(self.wrong(open..open + 1, "'{' is not closed".to_owned(), "a '}'"));
        };
        let inside = self.rest().get(1..end).unwrap_or_default();
        let mut labels = Vec::new();
        let mut start = open + 1;
        for part in inside.split(',') {
            let range = start..start + part.len();
            start = range.end + 1;
            let Some((key, value)) = part.split_once(':').filter(|(key, _)| !key.trim().is_empty())
            else {
                let what = format!("'{}' is no label", part.trim());
                return Err(self.wrong(range, what, "label:value, such as name:login"));
            };
            let middle = range.start + key.len();
            labels.push((
                Spanned::new(key.trim().to_owned(), self.place(range.start..middle)),
                Spanned::new(value.trim().to_owned(), self.place(middle + 1..range.end)),
            ));
        }
        self.at = open + end + 1;
        Ok(labels)
    }

    /// Stands with or without blanks around it.
    fn comparison(&mut self) -> Parsed<Comparison> {
        self.skip();
        let rest = self.rest();
        let found = COMPARISONS.iter().find(|(sign, _)| rest.starts_with(sign));
        let Some((sign, comparison)) = found else {
            let range = self.peek().map_or(self.at..self.at, |(_, range)| range);
            return Err(self.wrong(range, "no comparison".to_owned(), "one of < <= > >= == !="));
        };
        self.at += sign.len();
        Ok(*comparison)
    }

    /// A quantity, or `2 * METRIC AGGREGATE`.
    fn bound(&mut self) -> Parsed<Bound> {
        let (word, range) = self.word("a bound such as 500ms, 1% or 0.5")?;
        if word.starts_with(|first: char| first.is_ascii_alphabetic()) {
            self.at = range.start;
            return match self.measured() {
                Ok(measured) => Ok(Bound::Relative { factor: 1.0, measured }),
                Err(_) => Err(self.no_bound(word, range)),
            };
        }
        let factor = word.parse().ok().filter(|it: &f64| it.is_finite());
        if let (Some(("*", star)), Some(factor)) = (self.peek(), factor) {
            self.at = star.end;
            return Ok(Bound::Relative { factor, measured: self.measured()? });
        }
        let quantity = quantity(word).ok_or_else(|| self.no_bound(word, range));
        quantity.map(Bound::Fixed)
    }

    fn no_bound(&self, word: &str, range: Range<usize>) -> Diagnostic {
        let expected = "a time such as 500ms, a share such as 1%, a number, or METRIC AGGREGATE";
        self.wrong(range, format!("'{word}' is no bound"), expected)
    }

    fn time(&mut self) -> Parsed<Nanos> {
        let (word, range) = self.word("a duration such as 10s")?;
        let time = units::duration(word).ok().filter(|time| *time > Nanos::ZERO);
        time.ok_or_else(|| {
            self.wrong(range, format!("'{word}' is no duration"), "a duration such as 10s")
        })
    }

    /// A metric's name: it ends where labels or a blank begin.
    fn name(&mut self, wanted: &str) -> Parsed<Spanned<String>> {
        let (word, range) = self.word(wanted)?;
        let end = word.find('{').unwrap_or(word.len());
        let name = word.get(..end).unwrap_or_default();
        let range = range.start..range.start + end;
        let begins = name.starts_with(|first: char| first.is_ascii_alphabetic());
        if !begins || !name.chars().all(|each| each.is_ascii_alphanumeric() || each == '_') {
            return Err(self.wrong(range, format!("'{name}' is no metric"), wanted));
        }
        self.at = range.end;
        Ok(Spanned::new(name.to_owned(), self.place(range)))
    }

    fn word(&mut self, wanted: &str) -> Parsed<(&'s str, Range<usize>)> {
        let Some((word, range)) = self.peek() else {
            return Err(self.wrong(self.at..self.at, "the threshold ends here".to_owned(), wanted));
        };
        self.at = range.end;
        Ok((word, range))
    }

    /// The next word: up to a blank, or to a comparison.
    fn peek(&mut self) -> Option<(&'s str, Range<usize>)> {
        self.skip();
        let rest = self.rest();
        let ends = |each: char| each.is_whitespace() || "<>=!".contains(each);
        let len = match rest.find(ends) {
            Some(0) => rest.chars().next().map_or(0, char::len_utf8),
            Some(len) => len,
            None => rest.len(),
        };
        let word = rest.get(..len).filter(|word| !word.is_empty())?;
        Some((word, self.at..self.at + len))
    }

    fn skip(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    fn rest(&self) -> &'s str {
        self.scalar.text.get(self.at..).unwrap_or_default()
    }

    fn place(&self, range: Range<usize>) -> Span {
        self.scalar.place(range)
    }

    fn wrong(&self, range: Range<usize>, what: String, expected: &str) -> Diagnostic {
        Diagnostic::new(self.place(range), what, expected).help(HELP)
    }
}

/// A bare number has no unit; shares, rates and times say theirs.
fn quantity(word: &str) -> Option<Quantity> {
    if let Some(number) = word.parse().ok().filter(|number: &f64| number.is_finite()) {
        return Some(Quantity::Number(number));
    }
    if word.ends_with('%') {
        return share(word).map(Quantity::Share);
    }
    if word.contains('/') {
        return units::rate(word).ok().map(Quantity::Rate);
    }
    let time = units::duration(word).ok().map(Quantity::Time);
    #[expect(clippy::cast_precision_loss, reason = "counts beyond 2^53 are not compared exactly")]
    let count = || units::count(word).ok().map(|count| Quantity::Number(count as f64));
    time.or_else(count)
}
