//! Whether a reply, or a message, is as expected.

use serde_json::Value;

use super::Draw;
use super::extract::{self, Found};
use super::render::{Speaker, render};
use crate::plan::{Expect, Expected, JsonCheck};
use crate::stdx::Nanos;

/// What is judged.
#[derive(Clone, Copy, Debug)]
pub struct Reply<'a> {
    /// The status; a message has none.
    pub status: Option<u16>,
    /// The body, without transfer coding.
    pub body: &'a [u8],
    /// The response time.
    pub took: Nanos,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// It is as expected.
    Ok,
    /// The status is not, whatever else.
    Status,
    /// A check failed.
    Check {
        /// The first one: an index into the plan's.
        first: u16,
    },
}

/// Memory that judging reuses; one for a shard.
#[derive(Clone, Debug, Default)]
pub struct Scratch {
    bytes: Vec<u8>,
    text: String,
}

/// Judges a reply. Each check that was asked for is told to `verdicts` once, with whether it
/// held, even if others failed before it. A value that is not there is not `null`: its check
/// fails.
pub fn judge<'a>(
    expect: &'a Expect,
    reply: Reply<'_>,
    speaker: &Speaker<'a>,
    draw: &mut Draw,
    scratch: &mut Scratch,
    mut verdicts: impl FnMut(u16, bool),
) -> Judgement {
    let mut first = None;
    let mut tell = |check: u16, held: bool| {
        verdicts(check, held);
        if !held && first.is_none() {
            first = Some(check);
        }
    };
    let mut is_status_fine = reply.status.is_none_or(|status| expect.takes(status));
    if let Some(check) = expect.status_check {
        is_status_fine &= reply.status.is_some();
        tell(check, is_status_fine);
    }
    for json in &expect.json {
        if let Some(check) = json.check {
            tell(check, stands(json, reply.body, speaker, draw, scratch));
        }
    }
    if let Some(time) = &expect.time {
        tell(time.check, reply.took <= time.most);
    }
    match first {
        _ if !is_status_fine => Judgement::Status,
        Some(first) => Judgement::Check { first },
        None => Judgement::Ok,
    }
}

/// Whether all of this stands in a message: what tells it from others.
#[must_use]
pub fn matches<'a>(
    checks: &'a [JsonCheck],
    body: &[u8],
    speaker: &Speaker<'a>,
    draw: &mut Draw,
    scratch: &mut Scratch,
) -> bool {
    checks.iter().all(|check| stands(check, body, speaker, draw, scratch))
}

/// Whether two values are the same: 1 is 1.0, and the order of keys means nothing.
#[must_use]
pub fn same(one: Found<'_>, other: Found<'_>, scratch: &mut Scratch) -> bool {
    one.raw() == other.raw()
        || serde_json::from_str(other.raw()).is_ok_and(|other| is(one, &other, &mut scratch.text))
}

/// Whether what is expected stands where it is expected.
fn stands<'a>(
    check: &'a JsonCheck,
    body: &[u8],
    speaker: &Speaker<'a>,
    draw: &mut Draw,
    scratch: &mut Scratch,
) -> bool {
    let found = extract::find(body, &check.place);
    match &check.expected {
        Expected::Fixed(value) => found.is_some_and(|found| is(found, value, &mut scratch.text)),
        Expected::Made(text) => {
            // Rendered even if nothing was found: what is drawn later depends on it.
            scratch.bytes.clear();
            render(text, speaker, draw, &mut scratch.bytes);
            let Some(found) = found else { return false };
            let value = |bytes| serde_json::from_slice(bytes);
            found.raw().as_bytes() == scratch.bytes
                || value(&scratch.bytes).is_ok_and(|value| is(found, &value, &mut scratch.text))
        }
    }
}

/// Whether a value in JSON is this one. `text` is used only for texts with escapes.
fn is(found: Found<'_>, value: &Value, text: &mut String) -> bool {
    let raw = found.raw();
    match value {
        Value::Null => found.is_null(),
        Value::Bool(truth) => raw == if *truth { "true" } else { "false" },
        Value::Number(number) => {
            serde_json::from_str(raw).is_ok_and(|found| same_number(&found, number))
        }
        Value::String(expected) => raw.starts_with('"') && found.text(text) == Some(expected),
        Value::Array(_) | Value::Object(_) => {
            serde_json::from_str(raw).is_ok_and(|found| same_value(&found, value))
        }
    }
}

fn same_value(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => same_number(one, other),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(a, b)| same_value(a, b))
        }
        (Value::Object(one), Value::Object(other)) => {
            let has = |(key, value)| other.get(key).is_some_and(|other| same_value(value, other));
            one.len() == other.len() && one.iter().all(has)
        }
        _ => one == other,
    }
}

/// Whole numbers exactly, others as the floats that JSON numbers are to most.
fn same_number(one: &serde_json::Number, other: &serde_json::Number) -> bool {
    one == other || (one.is_f64() || other.is_f64()) && one.as_f64() == other.as_f64()
}
