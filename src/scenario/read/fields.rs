//! The fields of one mapping, held to the table of its keys.

use super::Reader;
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::keys::{Rule, Section, Shape};
use crate::scenario::limits::COLLECTED_MAX;
use crate::scenario::place::Span;
use crate::scenario::suggest::nearest;
use crate::scenario::tree::{Entry, Node};

/// A mapping whose keys are known.
pub(in crate::scenario) struct Fields<'n> {
    /// Where it stands.
    pub(super) span: Span,
    entries: &'n [Entry],
    section: &'static Section,
}

impl<'n> Fields<'n> {
    /// Says what is unknown, missing or excluded.
    pub(super) fn new(
        reader: &mut Reader<'_>,
        node: &'n Node,
        entries: &'n [Entry],
        section: &'static Section,
    ) -> Self {
        let fields = Self { span: node.span, entries, section };
        let unknown = entries.iter().filter(|entry| section.key(&entry.key.value).is_none());
        for entry in unknown.take(COLLECTED_MAX) {
            let key = &entry.key;
            let what = format!("unknown key '{}' in {}", key.value, section.name);
            let near = nearest(&key.value, section.all().map(|key| key.name));
            let expected = format!("one of {}", section.names());
            reader.add(Diagnostic::new(key.span, what, expected).did_you_mean(near));
        }
        for key in section.all().filter(|key| key.required && fields.get(key.name).is_none()) {
            let what = format!("{} without '{}'", section.name, key.name);
            let expected = format!("'{}': {}", key.name, key.shape.expected());
            let place = fields.place_of(key.name);
            reader.add(
                Diagnostic::new(place, what, expected).help(format!("{}: {}", key.name, key.about)),
            );
        }
        section.rules.iter().for_each(|rule| fields.hold(reader, rule));
        fields
    }

    /// The value at a key; nothing, if it is null.
    pub(super) fn get(&self, name: &str) -> Option<&'n Node> {
        debug_assert!(self.section.key(name).is_some(), "{name} is in no table");
        Some(&self.entry(name)?.value).filter(|node| !node.is_null())
    }

    fn entry(&self, name: &str) -> Option<&'n Entry> {
        self.entries.iter().find(|entry| entry.key.value == name)
    }

    /// The shape that the table gives a key.
    pub(super) fn shape(&self, name: &str) -> &'static Shape {
        self.section.key(name).map_or(&Shape::Json, |key| &key.shape)
    }

    /// A key, or the first line of the mapping if it is not there.
    pub(super) fn place_of(&self, name: &str) -> Span {
        let first = self.entries.first().map(|entry| entry.key.span);
        self.entry(name).map(|entry| entry.key.span).or(first).unwrap_or(self.span)
    }

    fn hold(&self, reader: &mut Reader<'_>, rule: &Rule) {
        let present = |names: &[&'static str]| -> Vec<&'static str> {
            names.iter().copied().filter(|name| self.get(name).is_some()).collect()
        };
        match rule {
            Rule::Exactly(names) | Rule::AtMost(names) => match present(names).as_slice() {
                [first, second, ..] => {
                    let what = format!("'{first}' and '{second}' exclude each other");
                    let place = self.place_of(second);
                    let diagnostic = Diagnostic::new(place, what, "or this one")
                        .also(self.place_of(first), "either this one")
                        .help(format!("{} has one of {}", self.section.name, names.join(", ")));
                    reader.add(diagnostic);
                }
                [] if matches!(rule, Rule::Exactly(_)) => self.none_of(reader, names),
                [_] | [] => {}
            },
            Rule::Beside(name, others) => {
                if self.get(name).is_some() && present(others).is_empty() {
                    let others = others.join("' or '");
                    let what = format!("'{name}' without '{others}'");
                    let expected = format!("only beside '{others}'");
                    let help = format!("remove '{name}', or add '{others}'");
                    reader.add(Diagnostic::new(self.place_of(name), what, expected).help(help));
                }
            }
        }
    }

    /// None of several is there; a key with no value beside it is the likely cause.
    fn none_of(&self, reader: &mut Reader<'_>, names: &[&'static str]) {
        // A misspelt one has been said, with the word that was meant.
        let misspelt = self.entries.iter().any(|entry| {
            let key = &entry.key.value;
            let near = nearest(key, names.iter().copied()).is_some();
            near && self.section.key(key).is_none()
        });
        if misspelt {
            return;
        }
        let abouts = names.iter().filter_map(|name| self.section.key(name));
        let help: Vec<String> =
            abouts.take(3).map(|key| format!("{}: {}", key.name, key.about)).collect();
        let what = format!("{} with none of '{}'", self.section.name, names.join("', '"));
        let place = self.entries.first().map_or(self.span, |entry| entry.key.span);
        let diagnostic = Diagnostic::new(place, what, "one of them here, too");
        reader.add(diagnostic.help(help.join("; ")));
    }
}
