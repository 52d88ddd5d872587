//! A value out of the JSON of a reply, without a tree of the rest.
//!
//! The whole document must be JSON: of a reply that was cut off, or that is followed by something
//! else, nothing is taken, even if the value stood before the mistake. Of a key that occurs twice
//! the last one counts, as in most parsers. `null` is found; it is no text.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::kept::Kept;
use crate::plan::{Place, Segment};

/// The value that stands at `place`. None if there is none, or if `json` is none.
#[must_use]
pub fn find<'a>(json: &'a [u8], place: &Place) -> Option<Found<'a>> {
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let found = Walk(&place.0).deserialize(&mut deserializer).ok()?;
    deserializer.end().ok()?;
    found.map(|raw| Found { raw: raw.get() })
}

/// The value that stands at the first of several places that lead somewhere; `null` is nowhere.
#[must_use]
pub fn first<'a>(json: &'a [u8], places: &[Place]) -> Option<Found<'a>> {
    places.iter().find_map(|place| find(json, place).filter(|found| !found.is_null()))
}

/// A value in JSON, as it is written there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found<'a> {
    raw: &'a str,
}

impl<'a> Found<'a> {
    /// The JSON of it.
    #[must_use]
    pub const fn raw(self) -> &'a str {
        self.raw
    }

    /// Whether it is `null`.
    #[must_use]
    pub fn is_null(self) -> bool {
        self.raw == "null"
    }

    /// What it says: of a text what it means, of anything else its JSON. None for `null`, and for
    /// a text that is none in Unicode (half of a surrogate pair). `buffer` is used only for a text
    /// with escapes.
    #[must_use]
    pub fn text<'b>(self, buffer: &'b mut String) -> Option<&'b str>
    where
        'a: 'b,
    {
        self.kept(buffer).map(|kept| kept.text)
    }

    /// As [`Found::text`], with how it is written as JSON again.
    #[must_use]
    pub fn kept<'b>(self, buffer: &'b mut String) -> Option<Kept<'b>>
    where
        'a: 'b,
    {
        if self.is_null() {
            return None;
        }
        let Some(inner) = self.raw.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
            return Some(Kept::json(self.raw));
        };
        if !inner.contains('\\') {
            return Some(Kept::text(inner));
        }
        let mut deserializer = serde_json::Deserializer::from_str(self.raw);
        deserializer.deserialize_str(Into(buffer)).ok()?;
        Some(Kept::text(buffer))
    }
}

/// The rest of the way to a value.
#[derive(Clone, Copy)]
struct Walk<'p>(&'p [Segment]);

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = Option<&'de RawValue>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        if self.0.is_empty() {
            return serde::Deserialize::deserialize(from).map(Some);
        }
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = Option<&'de RawValue>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (key, rest) = match self.0 {
            [Segment::Key(key), rest @ ..] => (Some(key.as_str()), rest),
            rest => (None, rest),
        };
        let mut found = None;
        while let Some(is_it) = map.next_key_seed(Is(key))? {
            if is_it {
                found = map.next_value_seed(Walk(rest))?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        if let [Segment::Index(index), rest @ ..] = self.0 {
            for _ in 0..*index {
                if list.next_element::<IgnoredAny>()?.is_none() {
                    return Ok(None);
                }
            }
            found = list.next_element_seed(Walk(rest))?.flatten();
        }
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(found)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
}

/// Whether a key is the one that is looked for.
#[derive(Clone, Copy)]
struct Is<'p>(Option<&'p str>);

impl<'de> DeserializeSeed<'de> for Is<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<bool, D::Error> {
        from.deserialize_str(self)
    }
}

impl Visitor<'_> for Is<'_> {
    type Value = bool;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<bool, E> {
        Ok(self.0 == Some(key))
    }
}

/// Puts a text into a buffer.
struct Into<'b>(&'b mut String);

impl Visitor<'_> for Into<'_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a text")
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.0.clear();
        self.0.push_str(text);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::kept::Kept;
    use super::super::kit::place;
    use super::{find, first};
    use crate::plan::Place;

    fn raw<'a>(json: &'a str, path: &[&str]) -> Option<&'a str> {
        find(json.as_bytes(), &place(path)).map(|found| found.raw())
    }

    #[test]
    fn along_keys_and_places() {
        let json = r#" {"a": {"b": [10, {"c": "x"}, null]}, "d": true, "": 7} "#;
        assert_eq!(raw(json, &["a", "b", "0"]), Some("10"));
        assert_eq!(raw(json, &["a", "b", "1", "c"]), Some("\"x\""));
        assert_eq!(raw(json, &["a", "b", "2"]), Some("null"));
        assert_eq!(raw(json, &["a", "b", "1"]), Some(r#"{"c": "x"}"#));
        assert_eq!(raw(json, &["d"]), Some("true"));
        assert_eq!(raw(json, &[""]), Some("7"));
        assert_eq!(raw(json, &[]), Some(json.trim()));
        assert_eq!(raw("17", &[]), Some("17"));
        for path in [&["x"][..], &["0"], &["a", "b", "3"], &["a", "b", "c"], &["d", "e"]] {
            assert_eq!(raw(json, path), None, "{path:?}");
        }
        assert_eq!(raw("[1, 2]", &["2"]), None, "one behind the last");
        assert_eq!(raw("[1, 2]", &["9"]), None);
        assert_eq!(raw("[]", &["0"]), None);
        for scalar in ["1", "-1", "1.5", "1e5", "null", "true", "\"x\\n\""] {
            assert_eq!(raw(scalar, &["a"]), None);
            assert_eq!(raw(scalar, &["0"]), None);
        }
    }

    #[test]
    fn the_last_of_two_counts() {
        assert_eq!(raw(r#"{"a":1,"a":2}"#, &["a"]), Some("2"));
        assert_eq!(raw(r#"{"a":{"b":1},"a":2}"#, &["a", "b"]), None, "as in a tree of it");
        assert_eq!(raw(r#"{"\u0061":3}"#, &["a"]), Some("3"), "escapes in keys");
    }

    #[test]
    fn nothing_is_taken_of_what_is_no_json() {
        let whole = r#"{"a": "token", "b": [1, {"c": 2}], "d": "x"}"#;
        assert_eq!(raw(whole, &["a"]), Some("\"token\""));
        for end in 0..whole.len() {
            assert_eq!(raw(&whole[..end], &["a"]), None, "cut at {end}");
        }
        let broken =
            ["{'a':1}", r#"{"a":1}x"#, r#"{"a":1}{}"#, r#"{"a":1,}"#, r#"{"a":01}"#, "[1,]", "nul"];
        for json in broken {
            assert_eq!(raw(json, &["a"]), None, "{json}");
            assert_eq!(raw(json, &[]), None, "{json}");
        }
        assert_eq!(find(b"{\"a\":\"\xff\"}", &place(&["a"])), None, "no UTF-8");
    }

    #[test]
    fn depth_is_bounded() {
        let deep = |levels: usize| ["[".repeat(levels), "]".repeat(levels)].concat();
        let path = |levels| Place(vec![crate::plan::Segment::Index(0); levels]);
        assert!(find(deep(100).as_bytes(), &path(99)).is_some());
        assert!(find(deep(100_000).as_bytes(), &path(99_999)).is_none(), "and no stack overflow");
        let beside = format!(r#"{{"a":{},"b":1}}"#, deep(100_000));
        assert_eq!(raw(&beside, &["b"]), Some("1"));
    }

    #[test]
    fn texts() {
        let said = |json: &str| {
            let mut buffer = "old".to_owned();
            find(json.as_bytes(), &place(&[])).unwrap().text(&mut buffer).map(str::to_owned)
        };
        assert_eq!(said(r#""plain ü""#).as_deref(), Some("plain ü"));
        assert_eq!(said(r#""\"\\\/\b\n\u00fc""#).as_deref(), Some("\"\\/\u{8}\nü"));
        assert_eq!(said(r#""\ud83d\ude00!""#).as_deref(), Some("😀!"));
        assert_eq!(said(r#""\ud83d""#), None, "half of a pair is no text");
        assert_eq!(said("12.50").as_deref(), Some("12.50"));
        assert_eq!(said("false").as_deref(), Some("false"));
        assert_eq!(said(r#"{"a": 1}"#).as_deref(), Some(r#"{"a": 1}"#));
        assert_eq!(said("null"), None);
        let kept = |json: &'static str| {
            let found = find(json.as_bytes(), &place(&[])).unwrap();
            found.kept(&mut String::new()).map(|kept| (kept.text.to_owned(), kept.kind))
        };
        let pair = |kept: Kept<'_>| Some((kept.text.to_owned(), kept.kind));
        assert_eq!(kept("\"17\""), pair(Kept::text("17")));
        assert_eq!(kept("17"), pair(Kept::json("17")));
    }

    #[test]
    fn the_first_that_leads_somewhere() {
        let places = [place(&["taskId"]), place(&["id"])];
        let of = |json: &'static str| first(json.as_bytes(), &places).map(|found| found.raw());
        assert_eq!(of(r#"{"id":1,"taskId":2}"#), Some("2"));
        assert_eq!(of(r#"{"id":1}"#), Some("1"));
        assert_eq!(of(r#"{"id":1,"taskId":null}"#), Some("1"));
        assert_eq!(of(r#"{"ID":1}"#), None);
    }
}
