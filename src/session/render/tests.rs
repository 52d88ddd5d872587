//! What values say, in every encoding.

use super::{holds, number};
use crate::plan::text::{Choice, Operator, UserField};
use crate::plan::{Encoding, Function, Text, Value};
use crate::session::kept::Kept;
use crate::session::kit::World;
use crate::session::limits::RANDOM_STRING_MAX;
use crate::session::{Draw, Pools};
use crate::stdx::Nanos;

const ALL: [Encoding; 5] =
    [Encoding::Raw, Encoding::Json, Encoding::JsonText, Encoding::Percent, Encoding::Header];

fn text(text: &str) -> Value {
    Value::Text(text.into())
}

fn binary(left: Value, operator: Operator, right: Value) -> Value {
    Value::Binary(operator, Box::new((left, right)))
}

fn or(left: Value, right: Value) -> Value {
    Value::Or(Box::new((left, right)))
}

fn in_all(world: &World, value: &Value) -> [String; 5] {
    ALL.map(|encoding| world.say(value.clone(), encoding))
}

#[test]
fn texts_in_each_encoding() {
    let world = World::new();
    let hard = "a\"\\/\u{8}\u{c}\n\r\t\u{1}\u{7f}ü😀 ~";
    assert_eq!(
        in_all(&world, &text(hard)),
        [
            hard,
            "\"a\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\u{7f}ü😀 ~\"",
            "a\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\u{7f}ü😀 ~",
            "a%22%5C%2F%08%0C%0A%0D%09%01%7F%C3%BC%F0%9F%98%80%20~",
            "a\"\\/ü😀 ~",
        ]
    );
    assert_eq!(in_all(&world, &text("plain")), ["plain", "\"plain\"", "plain", "plain", "plain"]);
    assert_eq!(in_all(&world, &text("")), ["", "\"\"", "", "", ""]);
}

#[test]
fn made_texts_are_encoded_as_given_ones() {
    // A password goes through the scratch; the same text as a constant does not.
    let mut world = World::new();
    for byte in 0..=0x7f_u8 {
        let hard = format!("ä{}{0}z", char::from(byte));
        let groups = &mut world.plan.people.as_mut().unwrap().groups;
        groups[0].password = Text::fixed(hard.clone());
        let made = in_all(&world, &Value::User(UserField::Password));
        assert_eq!(made, in_all(&world, &text(&hard)), "{byte}");
        let parsed: String = serde_json::from_str(&made[1]).unwrap();
        assert_eq!(parsed, hard, "JSON says what was meant");
        assert_eq!(percent_decoded(&made[3]), hard.as_bytes(), "{}", made[3]);
        assert!(!made[4].bytes().any(|byte| byte.is_ascii_control()), "{:?}", made[4]);
    }
}

fn percent_decoded(text: &str) -> Vec<u8> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::new();
    while let Some(byte) = bytes.next() {
        assert!(byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte), "{text}");
        decoded.push(if byte == b'%' {
            let digits = [bytes.next().unwrap(), bytes.next().unwrap()];
            u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
        } else {
            byte
        });
    }
    decoded
}

#[test]
fn no_value_begins_another_header() {
    let mut world = World::new();
    world.variables.set(0, Kept::text("x\r\nSet-Cookie: a=b\r\n\r\nGET / HTTP/1.1\n\0"));
    let said = world.say(Value::Variable(0), Encoding::Header);
    assert_eq!(said, "xSet-Cookie: a=bGET / HTTP/1.1");
}

#[test]
fn numbers_without_needless_digits() {
    let world = World::new();
    let cases = [
        (5.0, "5"),
        (-0.0, "0"),
        (0.1, "0.1"),
        (-2.5, "-2.5"),
        (1e15, "1000000000000000"),
        (1_700_000_000_123.0, "1700000000123"),
        (1.0 / 3.0, "0.3333333333333333"),
    ];
    for (number, said) in cases {
        assert_eq!(in_all(&world, &Value::Number(number)), [said; 5]);
    }
}

#[test]
fn users() {
    let mut world = World::new();
    let fields = |world: &World| {
        UserField::WORDS
            .iter()
            .map(|(word, field)| {
                format!("{word}={}", world.say(Value::User(*field), Encoding::Raw))
            })
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(
        fields(&world),
        "n=3 index=2 id=user-3 email=loadtest3@example.com password=pw-3 role= group= token= \
         refresh_token="
    );
    assert_eq!(world.say(Value::User(UserField::Group), Encoding::Json), "null");
    assert_eq!(world.say(Value::User(UserField::Number), Encoding::Json), "3");
    world.user = Some(24);
    assert_eq!(
        fields(&world),
        "n=104 index=24 id=user-104 email=staff+104@example.com password=pw-104 role=admin \
         group=staff token= refresh_token="
    );
    let email = world.say(Value::User(UserField::Email), Encoding::Percent);
    assert_eq!(email, "staff%2B104%40example.com");
    for nobody in [None, Some(25)] {
        world.user = nobody;
        for (word, field) in UserField::WORDS {
            assert_eq!(world.say(Value::User(*field), Encoding::Json), "null", "{word}");
        }
    }
}

#[test]
fn a_password_that_speaks_of_itself_is_empty() {
    let mut world = World::new();
    let mut endless = Text::default();
    endless.push_value(Value::User(UserField::Password), Encoding::Raw);
    world.plan.people.as_mut().unwrap().groups[0].password = endless;
    assert_eq!(world.say(Value::User(UserField::Password), Encoding::Json), "\"\"");
}

#[test]
fn what_is_not_there() {
    let mut world = World::new();
    let missing = Value::Variable(0);
    assert_eq!(in_all(&world, &missing), ["", "null", "", "", ""]);
    let empty_pool = Value::Pool(0, Choice::Any);
    assert_eq!(world.say(or(empty_pool.clone(), text("b")), Encoding::Json), "\"b\"");
    assert_eq!(world.say(or(missing.clone(), empty_pool.clone()), Encoding::Json), "null");
    assert!(world.pools.put(0, Some(2), Kept::text("id 1"), Nanos::ZERO, 0));
    assert_eq!(world.say(or(empty_pool, text("b")), Encoding::Percent), "id%201");
    // An empty text is there.
    assert_eq!(world.say(or(text(""), text("b")), Encoding::Json), "\"\"");
    world.variables.set(0, Kept::text("x"));
    assert_eq!(world.say(or(missing, text("b")), Encoding::Json), "\"x\"");
    // Indices that the plan does not have are nothing, too.
    for value in [Value::Variable(9), Value::Pool(9, Choice::Last)] {
        assert_eq!(world.say(value, Encoding::Json), "null");
    }
    world.pools = Pools::new(&world.plan, 0);
}

#[test]
fn what_replies_gave_keeps_its_kind() {
    let mut world = World::new();
    for (json, raw) in [("17", "17"), ("true", "true"), (r#"{"a":["x y"]}"#, r#"{"a":["x y"]}"#)] {
        world.variables.set(0, Kept::json(json));
        assert_eq!(world.say(Value::Variable(0), Encoding::Json), json);
        assert_eq!(world.say(Value::Variable(0), Encoding::Raw), raw);
    }
    assert_eq!(world.say(Value::Variable(0), Encoding::JsonText), r#"{\"a\":[\"x y\"]}"#);
    world.variables.set(0, Kept::text("17"));
    assert_eq!(world.say(Value::Variable(0), Encoding::Json), "\"17\"");
    assert!(world.pools.put(0, Some(2), Kept::json("12345678901234567890"), Nanos::ZERO, 0));
    let id = world.say(Value::Pool(0, Choice::Last), Encoding::Json);
    assert_eq!(id, "12345678901234567890", "every digit of a large number");
}

#[test]
fn lists() {
    let world = World::new();
    let pick = |list| Value::Call(Function::Pick(list));
    assert_eq!(
        in_all(&world, &pick(0)),
        ["a \"b\" ü", r#""a \"b\" ü""#, r#"a \"b\" ü"#, "a%20%22b%22%20%C3%BC", "a \"b\" ü"]
    );
    assert_eq!(
        in_all(&world, &pick(1)),
        [
            r#"{"k":[1,"x y"]}"#,
            r#"{"k":[1,"x y"]}"#,
            r#"{\"k\":[1,\"x y\"]}"#,
            "%7B%22k%22%3A%5B1%2C%22x%20y%22%5D%7D",
            r#"{"k":[1,"x y"]}"#
        ]
    );
    assert_eq!(world.say(pick(7), Encoding::Json), "null");
}

#[test]
fn functions() {
    let mut world = World::new();
    let of = |number| Box::new(Value::Number(number));
    let base36 = |number| Value::Call(Function::Base36(of(number)));
    for (number, said) in [(0.0, "0"), (35.0, "z"), (36.0, "10"), (-1295.5, "-zz")] {
        assert_eq!(world.say(base36(number), Encoding::Raw), said);
    }
    let now = Value::Call(Function::Now);
    assert_eq!(world.say(now.clone(), Encoding::Json), "1700000000123");
    let nested = Value::Call(Function::Base36(Box::new(now)));
    let said = world.say(nested, Encoding::Json);
    assert_eq!(i64::from_str_radix(said.trim_matches('"'), 36), Ok(1_700_000_000_123));
    let letters = |len| Value::Call(Function::RandomString(of(len)));
    let said = world.say(letters(1_000.0), Encoding::Raw);
    assert_eq!(said.len(), 1_000);
    assert!(said.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{said}");
    assert_eq!(world.say(letters(0.0), Encoding::Json), "\"\"");
    for len in [-1.0, RANDOM_STRING_MAX as f64 + 1.0, 1e300] {
        assert_eq!(world.say(letters(len), Encoding::Json), "null");
    }
    world.variables.set(0, Kept::text("7"));
    let length = Value::Call(Function::RandomString(Box::new(Value::Variable(0))));
    assert_eq!(world.say(length, Encoding::Raw).len(), 7);
}

#[test]
fn uuids() {
    let world = World::new();
    let mut seen = std::collections::BTreeSet::new();
    let value = Value::Call(Function::Uuid);
    let mut text = Text::default();
    text.push_value(value, Encoding::Raw);
    for turn in 0..1_000 {
        let mut out = Vec::new();
        super::render(&text, &world.speaker(), &mut Draw::new(1, 2, turn), &mut out);
        let uuid = String::from_utf8(out).unwrap();
        let shape: String =
            uuid.chars().map(|it| if it.is_ascii_hexdigit() { 'x' } else { it }).collect();
        assert_eq!(shape, "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx");
        assert_eq!(uuid.as_bytes()[14], b'4', "version: {uuid}");
        assert!(b"89ab".contains(&uuid.as_bytes()[19]), "variant: {uuid}");
        assert_eq!(uuid, uuid.to_lowercase());
        assert!(seen.insert(uuid));
    }
}

#[test]
fn random_int_reaches_both_ends() {
    let world = World::new();
    let mut seen = [0_u32; 6];
    let mut scratch = Vec::new();
    let dice = Value::Call(Function::RandomInt(Box::new((Value::Number(1.0), Value::Number(6.0)))));
    for turn in 0..6_000 {
        let drawn = number(&dice, &world.speaker(), &mut Draw::new(1, 1, turn), &mut scratch);
        let at = (1..=6).position(|it| drawn == Some(f64::from(it))).unwrap();
        seen[at] += 1;
    }
    assert!(seen.iter().all(|count| (800..1_200).contains(count)), "{seen:?}");
    let of = |least, most| {
        let pair = (Value::Number(least), Value::Number(most));
        world.say(Value::Call(Function::RandomInt(Box::new(pair))), Encoding::Json)
    };
    assert_eq!(of(5.0, 5.0), "5");
    assert_eq!(of(-3.5, -3.0), "-3");
    assert_eq!(of(5.0, 4.0), "null");
    assert_eq!(of(0.2, 0.8), "null", "no whole number between");
}

#[test]
fn conditions() {
    let mut world = World::new();
    world.variables.set(0, Kept::json("10"));
    world.variables.set(1, Kept::text("9"));
    let (ten, nine) = (Value::Variable(0), Value::Variable(1));
    let nothing = || Value::Variable(7);
    let n = Value::Number;
    let cases = [
        (binary(n(2.0), Operator::Less, n(10.0)), true),
        (binary(text("2"), Operator::Less, text("10")), false),
        (binary(ten.clone(), Operator::More, nine.clone()), true),
        (binary(nine.clone(), Operator::Equal, n(9.0)), true),
        (binary(nine, Operator::Equal, text("9.0")), false),
        (binary(ten, Operator::Equal, text("1e1")), true),
        (binary(n(1.0), Operator::Equal, text("inf")), false),
        (binary(text("b"), Operator::AtLeast, text("a")), true),
        (binary(text("a"), Operator::AtMost, text("a")), true),
        (binary(text("a"), Operator::NotEqual, text("a")), false),
        (binary(nothing(), Operator::Equal, nothing()), true),
        (binary(nothing(), Operator::Equal, text("")), false),
        (binary(nothing(), Operator::NotEqual, text("")), true),
        (binary(nothing(), Operator::Less, n(1.0)), false),
        (
            binary(Value::User(UserField::Email), Operator::Equal, text("loadtest3@example.com")),
            true,
        ),
        (binary(Value::User(UserField::Id), Operator::Less, Value::User(UserField::Email)), false),
        (binary(Value::User(UserField::Number), Operator::AtMost, n(3.0)), true),
        (binary(binary(n(7.0), Operator::Modulo, n(4.0)), Operator::Equal, n(3.0)), true),
        (text(""), false),
        (text("false"), true),
        (n(0.0), false),
        (n(-1.0), true),
        (nothing(), false),
        (Value::User(UserField::Email), true),
    ];
    for (value, expected) in cases {
        let mut scratch = b"kept".to_vec();
        let held = holds(&value, &world.speaker(), &mut Draw::new(1, 1, 1), &mut scratch);
        assert_eq!(held, expected, "{value:?}");
        assert_eq!(scratch, b"kept", "{value:?} leaves the scratch as it was");
    }
    for (json, held) in
        [("true", true), ("false", false), ("0", false), ("0.0", false), ("[]", true)]
    {
        world.variables.set(0, Kept::json(json));
        let speaker = world.speaker();
        let variable = Value::Variable(0);
        assert_eq!(holds(&variable, &speaker, &mut Draw::new(1, 1, 1), &mut Vec::new()), held);
    }
}

#[test]
fn sums() {
    let mut world = World::new();
    world.variables.set(0, Kept::text("20"));
    let n = Value::Number;
    let said = |left: Value, operator, right: Value| {
        world.say(binary(left, operator, right), Encoding::Json)
    };
    assert_eq!(said(n(1.0), Operator::Plus, n(2.0)), "3");
    assert_eq!(said(Value::Variable(0), Operator::Minus, n(0.5)), "19.5");
    assert_eq!(said(n(3.0), Operator::Times, n(4.0)), "12");
    assert_eq!(said(n(1.0), Operator::Over, n(4.0)), "0.25");
    assert_eq!(said(n(1.0), Operator::Over, n(0.0)), "null", "there is no such number");
    assert_eq!(said(n(1.0), Operator::Modulo, n(0.0)), "null");
    assert_eq!(said(text("a"), Operator::Plus, n(1.0)), "null");
    assert_eq!(said(Value::User(UserField::Email), Operator::Plus, n(1.0)), "null");
    assert_eq!(said(n(1.0), Operator::Less, n(2.0)), "true");
}

#[test]
fn rendering_needs_no_memory_but_the_buffer() {
    let world = World::new();
    let mut everything = Text::fixed("{");
    for encoding in ALL {
        everything.push_value(Value::User(UserField::Password), encoding);
        everything.push_value(Value::Call(Function::Uuid), encoding);
        everything.push_value(Value::Call(Function::Pick(1)), encoding);
    }
    let mut out = Vec::with_capacity(4_096);
    let before = (out.as_ptr(), out.capacity());
    for turn in 0..100 {
        out.clear();
        super::render(&everything, &world.speaker(), &mut Draw::new(1, 1, turn), &mut out);
    }
    assert_eq!((out.as_ptr(), out.capacity()), before);
}
