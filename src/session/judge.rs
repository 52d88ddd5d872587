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

#[cfg(test)]
mod tests {
    use super::super::kit::{World, place};
    use super::super::{Draw, Kept, extract};
    use super::{Judgement, Reply, Scratch, judge, matches, same};
    use crate::plan::{Encoding, Expect, Expected, JsonCheck, Statuses, Text, TimeCheck, Value};
    use crate::stdx::Nanos;

    fn fixed(check: u16, path: &[&str], json: &str) -> JsonCheck {
        let expected = Expected::Fixed(serde_json::from_str(json).unwrap());
        JsonCheck { check: Some(check), place: place(path), expected }
    }

    /// Status 201 is check 0, `$.a` is 1 check 1, `$.b` is the variable 0 check 2, 500 ms check 3.
    fn expect() -> Expect {
        let mut made = Text::default();
        made.push_value(Value::Variable(0), Encoding::Json);
        let place = place(&["b"]);
        Expect {
            statuses: vec![Statuses { from: 201, to: 201 }],
            status_check: Some(0),
            json: vec![
                fixed(1, &["a"], "1"),
                JsonCheck { check: Some(2), place, expected: Expected::Made(made) },
            ],
            time: Some(TimeCheck { check: 3, most: Nanos::from_millis(500) }),
        }
    }

    fn judged(expect: &Expect, status: Option<u16>, body: &str, ms: u64) -> (Judgement, String) {
        let mut world = World::new();
        world.variables.set(0, Kept::text("x"));
        let reply = Reply { status, body: body.as_bytes(), took: Nanos::from_millis(ms) };
        let mut told = String::new();
        let tell = |check: u16, held: bool| {
            told.push_str(&format!("{check}{} ", if held { '+' } else { '-' }));
        };
        let (mut draw, mut scratch) = (Draw::new(1, 1, 1), Scratch::default());
        let judgement = judge(expect, reply, &world.speaker(), &mut draw, &mut scratch, tell);
        (judgement, told.trim_end().to_owned())
    }

    #[test]
    fn each_check_is_told_once_and_the_status_weighs_most() {
        let good = r#"{"a":1.0,"b":"\u0078"}"#;
        let cases = [
            (201, good, 500, Judgement::Ok, "0+ 1+ 2+ 3+"),
            (201, good, 501, Judgement::Check { first: 3 }, "0+ 1+ 2+ 3-"),
            (200, good, 501, Judgement::Status, "0- 1+ 2+ 3-"),
            (201, r#"{"a":2,"b":"y"}"#, 1, Judgement::Check { first: 1 }, "0+ 1- 2- 3+"),
            (201, r#"{"a":1,"b":null}"#, 1, Judgement::Check { first: 2 }, "0+ 1+ 2- 3+"),
            (201, "no json", 1, Judgement::Check { first: 1 }, "0+ 1- 2- 3+"),
            (500, "", 1, Judgement::Status, "0- 1- 2- 3+"),
        ];
        for (status, body, ms, judgement, told) in cases {
            let got = judged(&expect(), Some(status), body, ms);
            assert_eq!(got, (judgement, told.to_owned()), "{status} {body} {ms}");
        }
    }

    #[test]
    fn where_nothing_is_asked() {
        let nothing = Expect::default();
        assert_eq!(judged(&nothing, Some(399), "", 1), (Judgement::Ok, String::new()));
        assert_eq!(judged(&nothing, Some(400), "", 1), (Judgement::Status, String::new()));
        assert_eq!(judged(&nothing, None, "", 1), (Judgement::Ok, String::new()), "a message");
        let told = judged(&expect(), None, r#"{"a":1,"b":"x"}"#, 1);
        assert_eq!(told, (Judgement::Status, "0- 1+ 2+ 3+".to_owned()), "it has no status");
    }

    #[test]
    fn what_tells_messages_apart_is_no_check() {
        let mut check = fixed(0, &["type"], "\"done\"");
        check.check = None;
        let expect = Expect { json: vec![check], ..Expect::default() };
        assert_eq!(judged(&expect, None, "{}", 1), (Judgement::Ok, String::new()));
        let world = World::new();
        for (body, holds) in [(r#"{"type":"done"}"#, true), (r#"{"type":"other"}"#, false)] {
            let (mut draw, mut scratch) = (Draw::new(1, 1, 1), Scratch::default());
            let speaker = world.speaker();
            let got = matches(&expect.json, body.as_bytes(), &speaker, &mut draw, &mut scratch);
            assert_eq!(got, holds, "{body}");
        }
    }

    #[test]
    fn json_is_compared_by_what_it_means() {
        let alike = [
            ("1", "1.0"),
            ("10", "1e1"),
            ("-0", "0"),
            ("\"\\u0061\"", "\"a\""),
            (r#"{"a":1,"b":[1,2.0]}"#, r#"{ "b": [1.0, 2], "a": 1 }"#),
            ("null", "null"),
            ("true", "true"),
            ("18446744073709551615", "18446744073709551615"),
        ];
        let unlike = [
            ("1", "\"1\""),
            ("1", "2"),
            ("1", "true"),
            ("null", "false"),
            ("[1,2]", "[2,1]"),
            ("[1]", "[1,1]"),
            (r#"{"a":1}"#, r#"{"a":1,"b":1}"#),
            (r#"{"a":null}"#, r#"{"b":null}"#),
            ("9007199254740993", "9007199254740992"),
            ("\"a\"", "\"b\""),
        ];
        let pairs = alike.map(|pair| (pair, true)).into_iter();
        for ((one, other), expected) in pairs.chain(unlike.map(|pair| (pair, false))) {
            for (one, other) in [(one, other), (other, one)] {
                let found =
                    |json: &'static str| extract::find(json.as_bytes(), &place(&[])).unwrap();
                let got = same(found(one), found(other), &mut Scratch::default());
                assert_eq!(got, expected, "{one} {other}");
                let check = fixed(0, &[], other);
                let expect = Expect { json: vec![check], ..Expect::default() };
                let held = judged(&expect, None, one, 1).0 == Judgement::Ok;
                assert_eq!(held, expected, "{one} {other}");
            }
        }
    }
}
