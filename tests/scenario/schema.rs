//! The published schema is what the reader is held to.

use std::collections::BTreeSet;

use onslaught::scenario::{examples, schema};
use serde_json::Value;

#[test]
fn each_key_is_described_and_each_reference_leads_somewhere() {
    let schema: Value = serde_json::from_str(&schema()).expect("JSON");
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    let definitions = schema["$defs"].as_object().expect("definitions");
    walk(&schema, &mut |object| {
        if let Some(Value::String(to)) = object.get("$ref") {
            let name = to.strip_prefix("#/$defs/").expect("a local reference");
            assert!(definitions.contains_key(name), "{to} leads nowhere");
        }
        if let Some(Value::Object(properties)) = object.get("properties") {
            for (name, property) in properties {
                let about = property["description"].as_str().unwrap_or_default();
                assert!(!about.is_empty() && !about.contains('\n'), "{name} is not described");
            }
        }
    });
}

#[test]
fn all_keys_of_the_examples_are_in_it() {
    let schema: Value = serde_json::from_str(&schema()).expect("JSON");
    let mut known = BTreeSet::new();
    walk(&schema, &mut |object| {
        if let Some(Value::Object(properties)) = object.get("properties") {
            known.extend(properties.keys().cloned());
        }
    });
    for (_, text) in examples::ALL {
        for line in text.lines().filter(|line| !line.starts_with(' ')) {
            if let Some((key, _)) = line.split_once(':').filter(|_| !line.starts_with('#')) {
                assert!(known.contains(key), "{key} is not in the schema");
            }
        }
    }
}

fn walk(value: &Value, see: &mut impl FnMut(&serde_json::Map<String, Value>)) {
    match value {
        Value::Object(object) => {
            see(object);
            object.values().for_each(|value| walk(value, see));
        }
        Value::Array(items) => items.iter().for_each(|value| walk(value, see)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
