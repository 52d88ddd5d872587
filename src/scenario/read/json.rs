//! JSON of the file, with expressions in its texts.

use super::Reader;
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::keys::Shape;
use crate::scenario::model::{Json, JsonPath};
use crate::scenario::place::Span;
use crate::scenario::tree::{Node, Scalar, Style, Value};

impl Reader<'_> {
    /// Any value.
    pub(super) fn json(&mut self, node: &Node) -> Option<Json> {
        match &node.value {
            Value::Scalar(scalar) if scalar.broken => None,
            Value::Scalar(scalar) => self.json_scalar(node, scalar),
            Value::Sequence(items) => {
                let read: Vec<_> = items.iter().map(|item| self.json(item)).collect();
                Some(Json::List(read.into_iter().collect::<Option<_>>()?))
            }
            Value::Mapping(entries) => {
                let read: Vec<_> = entries
                    .iter()
                    .map(|entry| Some((entry.key.clone(), self.json(&entry.value)?)))
                    .collect();
                Some(Json::Object(read.into_iter().collect::<Option<_>>()?))
            }
        }
    }

    fn json_scalar(&mut self, node: &Node, scalar: &Scalar) -> Option<Json> {
        if scalar.style == Style::Quoted || scalar.is_secret() {
            return self.text_json(scalar);
        }
        match scalar.text.as_str() {
            _ if scalar.is_null() => Some(Json::Null),
            "true" | "True" | "TRUE" => Some(Json::Truth(true)),
            "false" | "False" | "FALSE" => Some(Json::Truth(false)),
            ".nan" | ".inf" | "-.inf" | "nan" | "inf" | "-inf" => {
                let what = format!("JSON has no {}", scalar.text);
                let help = "put it in quotes if a text is meant";
                self.add(Diagnostic::new(node.span, what, "a number").help(help));
                None
            }
            text => match number(text) {
                Some(number) => Some(Json::Number(number)),
                None => self.text_json(scalar),
            },
        }
    }

    fn text_json(&mut self, scalar: &Scalar) -> Option<Json> {
        self.template_of(scalar).map(Json::Text)
    }

    /// Where must be what: `{$.status: done}`.
    pub(super) fn matches(&mut self, node: &Node) -> Option<Vec<(JsonPath, Json)>> {
        let entries = self.entries(node, &Shape::Map(&Shape::Json))?;
        let read: Vec<_> = entries
            .iter()
            .map(|entry| {
                let (key, value) = (&entry.key, self.json(&entry.value));
                let place = |at: usize| {
                    let quote = key.span.to() - key.span.at() > key.value.len();
                    Span::new(key.span.at() + usize::from(quote) + at, key.span.to())
                };
                Some((self.parse_path(&key.value, &place)?, value?))
            })
            .collect();
        read.into_iter().collect()
    }
}

/// A number of JSON, and those that YAML and TOML write otherwise.
fn number(text: &str) -> Option<serde_json::Number> {
    let text = text.strip_prefix('+').unwrap_or(text);
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let text: String = text.chars().filter(|each| *each != '_').collect();
    if !unsigned.starts_with(|first: char| first.is_ascii_digit() || first == '.') {
        return None;
    }
    // A leading zero makes a text: an id, a postcode.
    let mut digits = unsigned.chars();
    let padded = digits.next() == Some('0') && digits.next().is_some_and(|it| it.is_ascii_digit());
    if padded || text.chars().any(|each| !matches!(each, '0'..='9' | '-' | '+' | '.' | 'e' | 'E')) {
        return None;
    }
    text.parse::<u64>()
        .map(Into::into)
        .or_else(|_| text.parse::<i64>().map(Into::into))
        .ok()
        .or_else(|| serde_json::Number::from_f64(text.parse().ok()?))
}
