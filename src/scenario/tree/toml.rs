//! TOML, from its spanned tables, with all syntax errors at once.

use std::ops::Range;

use toml::Spanned as At;
use toml::de::{DeString, DeTable, DeValue};

use super::align::{self, Notation};
use super::{Entry, Node, Scalar, Style, Value};
use crate::scenario::diagnostic::{Diagnostic, Diagnostics};
use crate::scenario::limits::NODES_MAX;
use crate::scenario::place::{Span, Spanned};

/// The tables of a TOML file.
pub(super) fn parse(text: &str, problems: &mut Diagnostics) -> Option<Node> {
    let (table, errors) = DeTable::parse_recoverable(text);
    let failed = !errors.is_empty();
    for error in errors {
        let range = error.span().unwrap_or_default();
        let span = Span::new(range.start.min(text.len()), range.end.min(text.len()));
        let what = format!("no TOML: {}", error.message());
        let help = "check quotes and brackets; texts need quotes, and each table is opened once";
        problems.add(Diagnostic::new(span, what, "here").help(help));
    }
    if failed {
        return None;
    }
    let mut builder = Builder { text, nodes: 0 };
    let node = builder.table(table.get_ref(), table.span());
    if builder.nodes > NODES_MAX {
        let what = format!("more than {NODES_MAX} values");
        problems.add(Diagnostic::new(Span::default(), what, "fewer values"));
        return None;
    }
    Some(node)
}

struct Builder<'t> {
    text: &'t str,
    nodes: usize,
}

impl Builder<'_> {
    /// The parser sorts keys by name; the file's order is the order of their places.
    fn table(&mut self, table: &DeTable<'_>, range: Range<usize>) -> Node {
        let mut entries: Vec<Entry> = Vec::new();
        for (key, value) in table {
            let key = self.key(key);
            entries.push(Entry { key, value: self.value(value) });
        }
        entries.sort_by_key(|entry| entry.key.span);
        Node { span: self.span(range), value: Value::Mapping(entries) }
    }

    fn key(&self, key: &At<DeString<'_>>) -> Spanned<String> {
        Spanned::new(key.get_ref().clone().into_owned(), self.span(key.span()))
    }

    fn value(&mut self, value: &At<DeValue<'_>>) -> Node {
        self.nodes += 1;
        let range = value.span();
        let span = self.span(range.clone());
        let value = match value.get_ref() {
            DeValue::Table(table) => return self.table(table, range),
            DeValue::Array(items) => {
                Value::Sequence(items.iter().map(|item| self.value(item)).collect())
            }
            DeValue::String(text) => Value::Scalar(self.text(text, span)),
            DeValue::Integer(number) => Value::Scalar(integer(number, span)),
            DeValue::Float(number) => plain(number.as_str(), span),
            DeValue::Boolean(truth) => plain(&truth.to_string(), span),
            DeValue::Datetime(moment) => {
                let text = moment.to_string();
                Value::Scalar(Scalar::direct(text, Style::Quoted, span.at()))
            }
        };
        Node { span, value }
    }

    /// The quotes of TOML are those of YAML but for the threefold ones.
    fn text(&self, text: &str, span: Span) -> Scalar {
        let raw = self.text.get(span.at()..span.to()).unwrap_or_default();
        let (notation, skip) = match raw {
            raw if raw.starts_with("\"\"\"") => (Notation::Double, 2),
            raw if raw.starts_with("'''") => (Notation::Block, 3),
            raw if raw.starts_with('\'') => (Notation::Block, 1),
            _ => (Notation::Double, 0),
        };
        let raw = raw.get(skip..).unwrap_or_default();
        align::scalar(text.to_owned(), notation, raw, span.at() + skip)
    }

    fn span(&self, range: Range<usize>) -> Span {
        Span::new(range.start.min(self.text.len()), range.end.min(self.text.len()))
    }
}

fn plain(text: &str, span: Span) -> Value {
    Value::Scalar(Scalar::direct(text.to_owned(), Style::Plain, span.at()))
}

/// In base ten, whatever base it is written in.
fn integer(number: &toml::de::DeInteger<'_>, span: Span) -> Scalar {
    let text = match i64::from_str_radix(number.as_str(), number.radix()) {
        Ok(number) => number.to_string(),
        Err(_) => number.as_str().to_owned(),
    };
    Scalar::direct(text, Style::Plain, span.at())
}
