//! The file as it is meant: profile laid over it, environment put into it, secrets masked.

use std::fmt::Write as _;

use super::tree::{Node, Scalar, Style, Value};

/// What stands for a secret.
const MASK: &str = "***";

/// A tree as YAML.
pub(super) fn yaml(node: &Node) -> String {
    let mut out = String::new();
    block(node, 0, &mut out);
    out
}

/// A value in block style, from the beginning of a line on.
fn block(node: &Node, indent: usize, out: &mut String) {
    match &node.value {
        Value::Mapping(entries) if !entries.is_empty() => {
            for entry in entries {
                let key = text(&entry.key.value, false);
                // Writing to a text does not fail.
                let _ = write!(out, "{:indent$}{key}:", "");
                nested(&entry.value, indent, out);
            }
        }
        Value::Sequence(items) if !items.is_empty() => {
            for item in items {
                let _ = write!(out, "{:indent$}-", "");
                nested(item, indent, out);
            }
        }
        Value::Mapping(_) | Value::Sequence(_) | Value::Scalar(_) => {
            let _ = writeln!(out, "{:indent$}{}", "", flow(node));
        }
    }
}

/// A value behind a key or a dash: on the same line if it is short, else below.
fn nested(node: &Node, indent: usize, out: &mut String) {
    let below = match &node.value {
        Value::Mapping(entries) => !entries.is_empty(),
        Value::Sequence(items) => !items.is_empty(),
        Value::Scalar(_) => false,
    };
    if below {
        out.push('\n');
        block(node, indent + 2, out);
    } else {
        let _ = writeln!(out, " {}", flow(node));
    }
}

/// A value without parts.
fn flow(node: &Node) -> String {
    match &node.value {
        Value::Mapping(_) => "{}".to_owned(),
        Value::Sequence(_) => "[]".to_owned(),
        Value::Scalar(scalar) => scalar_text(scalar),
    }
}

/// A scalar that is read again as the same: what came from the environment is no expression.
fn scalar_text(scalar: &Scalar) -> String {
    let mut whole = String::new();
    let mut at = 0;
    for fixed in &scalar.fixed {
        whole += scalar.text.get(at..fixed.range.start).unwrap_or_default();
        match fixed.secret {
            true => whole += MASK,
            false => {
                let known = scalar.text.get(fixed.range.clone()).unwrap_or_default();
                whole += &known.replace('$', "$$");
            }
        }
        at = fixed.range.end;
    }
    whole += scalar.text.get(at..).unwrap_or_default();
    text(&whole, scalar.style == Style::Quoted || scalar.is_secret())
}

/// Without quotes where that means the same.
fn text(text: &str, quoted: bool) -> String {
    const SAFE: &str = "_-./$(){},|=<>+*%@;~ ";
    let plain = |each: char| each.is_ascii_alphanumeric() || SAFE.contains(each);
    let begins =
        text.starts_with(|each: char| each.is_ascii_alphanumeric() || "_./$".contains(each));
    let comments = text.contains(" #") || text.ends_with(' ');
    if !quoted && begins && !comments && text.chars().all(plain) {
        return text.to_owned();
    }
    let mut out = String::from('"');
    for each in text.chars() {
        match each {
            '"' => out += "\\\"",
            '\\' => out += "\\\\",
            '\n' => out += "\\n",
            '\t' => out += "\\t",
            each if each.is_control() || each == '\u{feff}' => {
                let _ = write!(out, "\\U{:08X}", u32::from(each));
            }
            each => out.push(each),
        }
    }
    out.push('"');
    out
}
