//! Entry for the fuzzer: what must hold of every body that a value is looked for in.

use serde_json::Value;

use super::extract::{self, Found};
use crate::plan::{Place, Segment};

/// Any bytes as a body. The first byte chooses where to look.
pub fn extract(data: &[u8]) {
    let Some((choice, body)) = data.split_first() else { return };
    let place = place(*choice);
    let found = extract::find(body, &place);
    if let Some(found) = found {
        holds_of(found, body);
    }
    // A tree refuses more: great depth, texts that are no Unicode, numbers without end.
    let Ok(tree) = serde_json::from_slice::<Value>(body) else { return };
    let read = found.map(|found| serde_json::from_str::<Value>(found.raw()).ok());
    let expected = walk(&tree, &place.0).map(|value| Some(value.clone()));
    assert_eq!(read, expected, "at {place:?}");
}

/// What is found is JSON by itself, and says something.
fn holds_of(found: Found<'_>, body: &[u8]) {
    let raw = found.raw();
    assert!(body.windows(raw.len()).any(|it| it == raw.as_bytes()), "{raw} is not in the body");
    let again = extract::find(raw.as_bytes(), &Place::default());
    assert_eq!(again.map(Found::raw), Some(raw), "what was found is no JSON");
    let mut buffer = String::new();
    if let (Some(text), Ok(tree)) = (found.text(&mut buffer), serde_json::from_str(raw)) {
        let meant = matches!(&tree, Value::String(meant) if meant == text);
        assert!(meant || text == raw, "{text} of {raw}");
    }
}

/// A place of up to three steps.
fn place(choice: u8) -> Place {
    let step = |bits: u8| match bits & 3 {
        0 => None,
        1 => Some(Segment::Key("a".to_owned())),
        2 => Some(Segment::Key("id".to_owned())),
        _ => Some(Segment::Index(usize::from(choice >> 6))),
    };
    Place([choice, choice >> 2, choice >> 4].into_iter().filter_map(step).collect())
}

fn walk<'t>(tree: &'t Value, place: &[Segment]) -> Option<&'t Value> {
    place.iter().try_fold(tree, |at, segment| match segment {
        Segment::Key(key) => at.as_object()?.get(key),
        Segment::Index(index) => at.as_array()?.get(*index),
    })
}
