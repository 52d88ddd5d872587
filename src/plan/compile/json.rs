//! JSON with expressions in it.

use serde_json::Value as Constant;

use super::Compiler;
use crate::plan::{Encoding, Expected, Text};
use crate::scenario::{Diagnostic, Json, Part, Template};

impl Compiler<'_> {
    /// JSON as a text.
    pub(super) fn json(&mut self, json: &Json) -> Option<Text> {
        let mut text = Text::default();
        self.write(json, &mut text).then_some(text)
    }

    /// A value that is expected.
    pub(super) fn expected(&mut self, json: &Json) -> Option<Expected> {
        match fixed(json) {
            Some(value) => Some(Expected::Fixed(value)),
            None => self.json(json).map(Expected::Made),
        }
    }

    /// A value that must be known before the run.
    pub(super) fn constant(&mut self, json: &Json) -> Option<Constant> {
        let value = fixed(json);
        if let (None, Some(place)) = (&value, first_expression(json)) {
            let what = "an expression in data, which must be known before the run";
            let help = "${NAME} in capitals is a variable of the environment";
            self.add(Diagnostic::new(place, what, "a fixed value").help(help));
        }
        value
    }

    /// Appends; false when something in it is wrong.
    fn write(&mut self, json: &Json, out: &mut Text) -> bool {
        match json {
            Json::Null => out.push(b"null"),
            Json::Truth(truth) => out.push(if *truth { b"true" } else { b"false" }),
            Json::Number(number) => out.push(number.to_string().as_bytes()),
            Json::Text(template) => return self.write_text(template, out),
            Json::List(items) => {
                let mut well = true;
                for (at, item) in items.iter().enumerate() {
                    out.push(if at == 0 { b"[" } else { b"," });
                    well &= self.write(item, out);
                }
                out.push(if items.is_empty() { b"[]" } else { b"]" });
                return well;
            }
            Json::Object(entries) => {
                let mut well = true;
                for (at, (key, value)) in entries.iter().enumerate() {
                    out.push(if at == 0 { b"{" } else { b"," });
                    out.push(quoted(&key.value).as_bytes());
                    out.push(b":");
                    well &= self.write(value, out);
                }
                out.push(if entries.is_empty() { b"{}" } else { b"}" });
                return well;
            }
        }
        true
    }

    /// An expression alone and without quotes is a value; all else is a text.
    fn write_text(&mut self, template: &Template, out: &mut Text) -> bool {
        if let ([Part::Expr(expr)], false) = (template.parts.as_slice(), template.text) {
            let value = self.value(expr);
            return value.map(|value| out.push_value(value, Encoding::Json)).is_some();
        }
        out.push(b"\"");
        let text = self.encoded(template, Encoding::JsonText, &|text, out| {
            let quoted = quoted(text);
            out.push(quoted.get(1..quoted.len() - 1).unwrap_or_default().as_bytes());
        });
        let well = text.map(|text| out.append(text)).is_some();
        out.push(b"\"");
        well
    }
}

fn quoted(text: &str) -> String {
    Constant::from(text).to_string()
}

/// The value, if there are no expressions in it.
pub(super) fn fixed(json: &Json) -> Option<Constant> {
    Some(match json {
        Json::Null => Constant::Null,
        Json::Truth(truth) => Constant::Bool(*truth),
        Json::Number(number) => Constant::Number(number.clone()),
        Json::Text(template) => Constant::String(whole(template)?),
        Json::List(items) => Constant::Array(items.iter().map(fixed).collect::<Option<_>>()?),
        Json::Object(entries) => {
            let entries = entries.iter().map(|(key, value)| {
                let value = fixed(value)?;
                Some((key.value.clone(), value))
            });
            Constant::Object(entries.collect::<Option<_>>()?)
        }
    })
}

fn whole(template: &Template) -> Option<String> {
    let parts = template.parts.iter().map(|part| match part {
        Part::Text(text) => Some(text.as_str()),
        Part::Secret(secret) => Some(secret.expose()),
        Part::Expr(_) => None,
    });
    parts.collect()
}

fn first_expression(json: &Json) -> Option<crate::scenario::Span> {
    match json {
        Json::Null | Json::Truth(_) | Json::Number(_) => None,
        Json::Text(template) => template.parts.iter().find_map(|part| match part {
            Part::Expr(expr) => Some(expr.span),
            Part::Text(_) | Part::Secret(_) => None,
        }),
        Json::List(items) => items.iter().find_map(first_expression),
        Json::Object(entries) => entries.iter().find_map(|(_, value)| first_expression(value)),
    }
}
