//! What a value of the plan is at this moment.

use std::cmp::Ordering;
use std::io::Write;

use super::{Speaker, encode, render};
use crate::plan::text::{Operator, UserField};
use crate::plan::{Encoding, Function, Text, Value};
use crate::session::Draw;
use crate::session::kept::{Kept, Kind};
use crate::session::limits::RANDOM_STRING_MAX;
use crate::session::users::Identity;

/// What a value is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Got<'a> {
    /// There is none.
    Nothing,
    /// Finite.
    Number(f64),
    Truth(bool),
    Text(&'a str),
    /// What a reply gave: a number, a list and the like, as JSON.
    Json(&'a str),
    /// A number, a list or an object of the plan's data.
    Data(&'a serde_json::Value),
    /// A text that stands raw at the end of the scratch, from there.
    Made {
        start: usize,
    },
}

/// What a value is. A text that had to be made is left at the end of `scratch`, and only that.
pub(super) fn evaluate<'a>(
    value: &'a Value,
    speaker: &Speaker<'a>,
    draw: &mut Draw,
    scratch: &mut Vec<u8>,
) -> Got<'a> {
    match value {
        Value::Text(text) => Got::Text(text),
        Value::Number(number) => Got::of_number(*number),
        Value::User(field) => user(*field, speaker, draw, scratch),
        Value::Variable(index) => Got::of_kept(speaker.variables.get(*index)),
        Value::Pool(pool, choice) => {
            Got::of_kept(speaker.pools.get(*pool, speaker.user, *choice, draw))
        }
        Value::Call(function) => call(function, speaker, draw, scratch),
        Value::Or(pair) => match evaluate(&pair.0, speaker, draw, scratch) {
            Got::Nothing => evaluate(&pair.1, speaker, draw, scratch),
            got => got,
        },
        Value::Binary(operator, pair) => {
            let start = scratch.len();
            let got = binary(*operator, pair, speaker, draw, scratch);
            scratch.truncate(start);
            got
        }
    }
}

impl<'a> Got<'a> {
    fn of_number(number: f64) -> Self {
        if number.is_finite() { Self::Number(number) } else { Self::Nothing }
    }

    fn of_kept(kept: Option<Kept<'a>>) -> Self {
        match kept {
            None => Self::Nothing,
            Some(Kept { text: "true", kind: Kind::Json }) => Self::Truth(true),
            Some(Kept { text: "false", kind: Kind::Json }) => Self::Truth(false),
            Some(Kept { text, kind: Kind::Json }) => Self::Json(text),
            Some(Kept { text, kind: Kind::Text }) => Self::Text(text),
        }
    }

    fn of_data(value: &'a serde_json::Value) -> Self {
        match value {
            serde_json::Value::Null => Self::Nothing,
            serde_json::Value::Bool(truth) => Self::Truth(*truth),
            serde_json::Value::String(text) => Self::Text(text),
            other => Self::Data(other),
        }
    }

    /// A text that stands in a plan, or nothing if it is empty there.
    fn of_name(name: &'a str) -> Self {
        if name.is_empty() { Self::Nothing } else { Self::Text(name) }
    }

    /// Whether it holds as a condition.
    pub(super) fn holds(self, scratch: &[u8]) -> bool {
        match self {
            Self::Nothing => false,
            Self::Number(number) => number != 0.0,
            Self::Truth(truth) => truth,
            Self::Text(text) => !text.is_empty(),
            Self::Json(_) | Self::Data(_) => self.number(scratch) != Some(0.0),
            Self::Made { start } => start < scratch.len(),
        }
    }

    /// The number that it is, or can be read as.
    pub(super) fn number(self, scratch: &[u8]) -> Option<f64> {
        match self {
            Self::Nothing | Self::Truth(_) => None,
            Self::Number(number) => Some(number),
            Self::Text(text) | Self::Json(text) => read(text),
            Self::Data(value) => value.as_f64(),
            Self::Made { start } => read(std::str::from_utf8(scratch.get(start..)?).ok()?),
        }
    }

    /// Whether it is a number by itself, not only by how it reads.
    fn is_number(self) -> bool {
        match self {
            Self::Number(_) => true,
            Self::Json(text) => read(text).is_some(),
            Self::Data(value) => value.is_number(),
            Self::Nothing | Self::Truth(_) | Self::Text(_) | Self::Made { .. } => false,
        }
    }

    /// Appends it; what was made stands there already, and is left as it is.
    pub(super) fn write(self, encoding: Encoding, out: &mut Vec<u8>) {
        let is_json = encoding == Encoding::Json;
        match self {
            Self::Nothing if is_json => out.extend_from_slice(b"null"),
            Self::Nothing | Self::Made { .. } => {}
            // Writing to memory cannot fail. Digits, point and sign are plain everywhere.
            Self::Number(number) => drop(write!(out, "{}", number + 0.0)),
            Self::Truth(truth) => drop(write!(out, "{truth}")),
            Self::Json(text) if is_json => out.extend_from_slice(text.as_bytes()),
            Self::Text(text) | Self::Json(text) => encode::text(text, encoding, out),
            Self::Data(value) => {
                let start = out.len();
                drop(serde_json::to_writer(&mut *out, value));
                if !is_json {
                    encode::tail(out, start, encoding);
                }
            }
        }
    }
}

/// A text as a number.
fn read(text: &str) -> Option<f64> {
    // Rust would also take `inf` and `nan`.
    let starts = text.starts_with(|first: char| first.is_ascii_digit() || first == '-');
    let number: f64 = if starts { text.parse().ok()? } else { return None };
    number.is_finite().then_some(number)
}

fn user<'a>(
    field: UserField,
    speaker: &Speaker<'a>,
    draw: &mut Draw,
    scratch: &mut Vec<u8>,
) -> Got<'a> {
    let Some(user) = speaker.user else { return Got::Nothing };
    let Some(who) = Identity::of(speaker.plan, user) else { return Got::Nothing };
    let tokens = speaker.users.tokens();
    let start = scratch.len();
    match field {
        UserField::Number => return Got::of_number(who.number as f64),
        UserField::Index => return Got::of_number(f64::from(user)),
        UserField::Role => return Got::of_name(&who.group.role),
        UserField::Group => return Got::of_name(&who.group.name),
        UserField::Token => {
            return tokens.and_then(|it| it.token(user)).map_or(Got::Nothing, Got::Text);
        }
        UserField::RefreshToken => {
            return tokens.and_then(|it| it.refresh_token(user)).map_or(Got::Nothing, Got::Text);
        }
        UserField::Id => who.id(scratch),
        UserField::Email => who.email(scratch),
        UserField::Password => password(&who.group.password, speaker, draw, scratch),
    }
    Got::Made { start }
}

/// Appends a password, which may speak of anything but passwords.
fn password<'a>(text: &'a Text, speaker: &Speaker<'a>, draw: &mut Draw, out: &mut Vec<u8>) {
    let mut is_password = |value: &Value| *value == Value::User(UserField::Password);
    if !text.values().any(|value| value.any(&mut is_password)) {
        render(text, speaker, draw, out);
    }
}

fn call<'a>(
    function: &'a Function,
    speaker: &Speaker<'a>,
    draw: &mut Draw,
    scratch: &mut Vec<u8>,
) -> Got<'a> {
    let start = scratch.len();
    match function {
        Function::Pick(list) => {
            let values = speaker.plan.lists.get(usize::from(*list)).map(|list| &list.values);
            let value = values.and_then(|values| values.get(draw.index(values.len())));
            value.map_or(Got::Nothing, Got::of_data)
        }
        Function::RandomInt(pair) => {
            let least = super::number(&pair.0, speaker, draw, scratch);
            let most = super::number(&pair.1, speaker, draw, scratch);
            let (Some(least), Some(most)) = (least, most) else { return Got::Nothing };
            random_int(least, most, draw)
        }
        Function::Uuid => {
            uuid(draw, scratch);
            Got::Made { start }
        }
        Function::Now => Got::of_number(speaker.wall_ms as f64),
        Function::Sequence => {
            speaker.sequence.map_or(Got::Nothing, |number| Got::of_number(number as f64))
        }
        Function::RandomString(len) => {
            let len = super::number(len, speaker, draw, scratch).and_then(whole);
            let len = len.and_then(|len| u64::try_from(len).ok());
            let Some(len) = len.filter(|len| *len <= RANDOM_STRING_MAX) else {
                return Got::Nothing;
            };
            for _ in 0..len {
                scratch.push(LETTERS[draw.index(LETTERS.len())]);
            }
            Got::Made { start }
        }
        Function::Base36(inner) => {
            let number = super::number(inner, speaker, draw, scratch).and_then(whole);
            let Some(number) = number else { return Got::Nothing };
            base36(number, scratch);
            Got::Made { start }
        }
    }
}

/// A whole number between two, both included; nothing if there is none.
fn random_int<'a>(least: f64, most: f64, draw: &mut Draw) -> Got<'a> {
    let (Some(least), Some(most)) = (whole(least.ceil()), whole(most.floor())) else {
        return Got::Nothing;
    };
    if least > most {
        return Got::Nothing;
    }
    let count = most.abs_diff(least).saturating_add(1);
    Got::of_number(least.saturating_add_unsigned(draw.below(count)) as f64)
}

/// A number without what stands behind its point. None beyond 2^53, where not every whole number
/// is one of these.
fn whole(number: f64) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    #[expect(clippy::cast_possible_truncation, reason = "within what is exact")]
    (number.abs() <= EXACT).then_some(number as i64)
}

/// Appends a random UUID (RFC 9562 section 5.4).
fn uuid(draw: &mut Draw, out: &mut Vec<u8>) {
    let version = (draw.bits() & !0xf000) | 0x4000;
    let variant = (draw.bits() & !(0b11 << 62)) | (0b10 << 62);
    let bytes = (u128::from(version) << 64 | u128::from(variant)).to_be_bytes();
    for (at, byte) in bytes.into_iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            out.push(b'-');
        }
        encode::hex(byte, b"0123456789abcdef", out);
    }
}

/// Appends a number in base 36.
fn base36(number: i64, out: &mut Vec<u8>) {
    if number < 0 {
        out.push(b'-');
    }
    let start = out.len();
    let mut rest = number.unsigned_abs();
    loop {
        out.push(LETTERS[usize::try_from(rest % 36).unwrap_or(0)]);
        rest /= 36;
        if rest == 0 {
            break;
        }
    }
    out[start..].reverse();
}

/// The first 36 are the digits of base 36.
const LETTERS: &[u8; 62] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

fn binary<'a>(
    operator: Operator,
    pair: &'a (Value, Value),
    speaker: &Speaker<'a>,
    draw: &mut Draw,
    scratch: &mut Vec<u8>,
) -> Got<'a> {
    let start = scratch.len();
    let left = evaluate(&pair.0, speaker, draw, scratch);
    let left_number = left.number(scratch);
    left.write(Encoding::Raw, scratch);
    let middle = scratch.len();
    let right = evaluate(&pair.1, speaker, draw, scratch);
    let numbers = left_number.zip(right.number(scratch));
    let sum = |of: fn(f64, f64) -> f64| {
        numbers.map_or(Got::Nothing, |(left, right)| Got::of_number(of(left, right)))
    };
    let holds = match operator {
        Operator::Plus => return sum(|left, right| left + right),
        Operator::Minus => return sum(|left, right| left - right),
        Operator::Times => return sum(|left, right| left * right),
        Operator::Over => return sum(|left, right| left / right),
        Operator::Modulo => return sum(|left, right| left % right),
        Operator::Equal => Ordering::is_eq,
        Operator::NotEqual => Ordering::is_ne,
        Operator::AtMost => Ordering::is_le,
        Operator::AtLeast => Ordering::is_ge,
        Operator::Less => Ordering::is_lt,
        Operator::More => Ordering::is_gt,
    };
    let order = match (left, right) {
        (Got::Nothing, Got::Nothing) => Some(Ordering::Equal),
        (Got::Nothing, _) | (_, Got::Nothing) => None,
        _ if numbers.is_some() && (left.is_number() || right.is_number()) => {
            numbers.and_then(|(left, right)| left.partial_cmp(&right))
        }
        _ => {
            right.write(Encoding::Raw, scratch);
            let texts = scratch.get(start..middle).zip(scratch.get(middle..));
            texts.map(|(left, right)| left.cmp(right))
        }
    };
    Got::Truth(order.map_or(operator == Operator::NotEqual, holds))
}
