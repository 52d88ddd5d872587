//! The JSON Schema of the file, out of the tables that the reader is held to.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::keys::{Rule, SCENARIO, Section, Shape, Variants};

/// The schema, draft 2020-12, as a document.
#[must_use]
pub fn schema() -> String {
    let mut sections = BTreeMap::new();
    let mut root = Builder { sections: &mut sections }.section(&SCENARIO);
    let definitions: Map<String, Value> =
        sections.into_iter().map(|(name, value)| (name, value.unwrap_or(Value::Null))).collect();
    root.insert("$schema".into(), json!("https://json-schema.org/draft/2020-12/schema"));
    root.insert("title".into(), json!("onslaught scenario"));
    root.insert("$defs".into(), Value::Object(definitions));
    format!("{:#}\n", Value::Object(root))
}

/// Writes sections that are met; a section that is being written is `None`.
struct Builder<'s> {
    sections: &'s mut BTreeMap<String, Option<Value>>,
}

impl Builder<'_> {
    fn section(&mut self, section: &'static Section) -> Map<String, Value> {
        let mut properties = Map::new();
        for key in section.all() {
            let mut value = self.shape(&key.shape);
            if let Value::Object(value) = &mut value {
                value.insert("description".into(), json!(key.about));
            }
            properties.insert(key.name.into(), value);
        }
        let required: Vec<_> =
            section.all().filter(|key| key.required).map(|key| key.name).collect();
        let mut schema = Map::new();
        schema.insert("type".into(), json!("object"));
        schema.insert("description".into(), json!(section.about));
        schema.insert("properties".into(), Value::Object(properties));
        schema.insert("additionalProperties".into(), json!(false));
        if !required.is_empty() {
            schema.insert("required".into(), json!(required));
        }
        let rules: Vec<Value> = section.rules.iter().map(rule).collect();
        if !rules.is_empty() {
            schema.insert("allOf".into(), Value::Array(rules));
        }
        schema
    }

    /// A reference to a section, which is written once.
    fn reference(&mut self, section: &'static Section) -> Value {
        let name = name_of(section);
        if !self.sections.contains_key(&name) {
            self.sections.insert(name.clone(), None);
            let schema = self.section(section);
            self.sections.insert(name.clone(), Some(Value::Object(schema)));
        }
        json!({ "$ref": format!("#/$defs/{name}") })
    }

    fn shape(&mut self, shape: &'static Shape) -> Value {
        let scalar = json!(["string", "number", "boolean"]);
        match shape {
            Shape::Text | Shape::Hidden | Shape::Template | Shape::Condition => {
                json!({ "type": scalar })
            }
            Shape::Count(least, most) => {
                let mut number = json!({ "type": "integer", "minimum": least });
                if let (Value::Object(number), true) = (&mut number, *most < u64::MAX) {
                    number.insert("maximum".into(), json!(most));
                }
                json!({ "anyOf": [number, quantity(COUNT), VARIABLE.clone()] })
            }
            Shape::Duration => json!({ "anyOf": [number(), quantity(DURATION), VARIABLE.clone()] }),
            Shape::Pause(section) => {
                let drawn = self.reference(section);
                json!({ "anyOf": [number(), quantity(SPAN), VARIABLE.clone(), drawn] })
            }
            Shape::Warmup(section) => {
                let bounded = self.reference(section);
                let auto = json!({ "const": "auto" });
                json!({ "anyOf": [number(), quantity(DURATION), auto, VARIABLE.clone(), bounded] })
            }
            Shape::Number => json!({ "anyOf": [
                { "type": "number", "exclusiveMinimum": 0 }, quantity(NUMBER), VARIABLE.clone()
            ] }),
            Shape::Rate | Shape::Amount => {
                json!({ "anyOf": [number(), quantity(RATE), VARIABLE.clone()] })
            }
            Shape::Share => json!({ "anyOf": [
                { "type": "number", "minimum": 0, "maximum": 1 }, quantity(SHARE), VARIABLE.clone()
            ] }),
            Shape::Pace => json!({ "anyOf": [quantity(PACE), VARIABLE.clone()] }),
            Shape::Status => json!({ "anyOf": [
                { "type": "integer", "minimum": 100, "maximum": 599 }, quantity(STATUS),
                VARIABLE.clone()
            ] }),
            Shape::Path => quantity(PATH),
            Shape::Answer => quantity(ANSWER),
            Shape::Port => quantity(PORT),
            Shape::Truth => json!({ "anyOf": [{ "type": "boolean" }, VARIABLE.clone()] }),
            Shape::Address | Shape::Threshold => json!({ "type": "string" }),
            Shape::Word(words) => json!({ "anyOf": [{ "enum": words }, VARIABLE.clone()] }),
            // A boolean schema would have no room for a description.
            Shape::Json => json!({}),
            Shape::List(each) => {
                json!({ "type": "array", "minItems": 1, "items": self.shape(each) })
            }
            Shape::OneOrMany(each) => {
                let one = self.shape(each);
                json!({ "anyOf": [one, { "type": "array", "minItems": 1, "items": one }] })
            }
            Shape::Map(each) => {
                json!({ "type": "object", "additionalProperties": self.shape(each) })
            }
            Shape::Section(section) => self.reference(section),
            Shape::Variant(variants) => self.variants(variants),
            Shape::Overlay => json!({ "type": "object", "additionalProperties": true }),
        }
    }

    /// The kinds, each with one of its marks.
    fn variants(&mut self, variants: &'static Variants) -> Value {
        let name = variants.name.to_owned();
        if !self.sections.contains_key(&name) {
            self.sections.insert(name.clone(), None);
            let kinds = variants.kinds.iter().map(|(_, section)| self.reference(section));
            let kinds: Vec<Value> = kinds.collect();
            let schema = json!({ "type": "object", "anyOf": kinds });
            self.sections.insert(name.clone(), Some(schema));
        }
        json!({ "$ref": format!("#/$defs/{name}") })
    }
}

/// A variable of the environment may stand for any quantity.
static VARIABLE: std::sync::LazyLock<Value> =
    std::sync::LazyLock::new(|| json!({ "type": "string", "pattern": "\\$\\{" }));

const COUNT: &str = r"^[0-9.]+ ?[kKMG]?$";
const DURATION: &str = r"^[0-9.]+ ?(ns|us|µs|ms|s|m|h|d)?$";
const SPAN: &str = r"^[0-9.]+ ?(ns|us|µs|ms|s|m|h|d)?(\.\.[0-9.]+ ?(ns|us|µs|ms|s|m|h|d)?)?$";
const NUMBER: &str = r"^[0-9.]+$";
const RATE: &str = r"^[0-9.]+ ?[kKM]?(/s|/m)?$";
const SHARE: &str = r"^[0-9.]+ ?%$";
const PACE: &str = r"^[0-9.]+[kKMG]? per [0-9.]+ ?(ns|us|µs|ms|s|m|h|d)?$";
const STATUS: &str = r"^[1-5](xx|[0-9][0-9])$";
const PATH: &str = r"^\$";
const ANSWER: &str = r"^(next$|\$)";
const PORT: &str = r":";

fn number() -> Value {
    json!({ "type": "number", "minimum": 0 })
}

fn quantity(pattern: &str) -> Value {
    json!({ "type": "string", "pattern": pattern })
}

fn rule(rule: &Rule) -> Value {
    let required = |name: &&str| json!({ "required": [name] });
    match rule {
        Rule::Exactly(names) => json!({ "oneOf": names.iter().map(required).collect::<Vec<_>>() }),
        Rule::AtMost(names) => {
            let mut choices: Vec<Value> = names.iter().map(required).collect();
            let none = json!({ "not": { "anyOf": choices } });
            choices.push(none);
            json!({ "oneOf": choices })
        }
        Rule::Beside(name, others) => json!({
            "if": { "required": [name] },
            "then": { "anyOf": others.iter().map(required).collect::<Vec<_>>() }
        }),
    }
}

/// The section's name without its article; two sections of one name differ by what they are about.
fn name_of(section: &Section) -> String {
    let name = section.name.trim_start_matches("a ").trim_start_matches("an ");
    let name = if name == "expect" { section.about } else { name };
    name.replace(' ', "-")
}
