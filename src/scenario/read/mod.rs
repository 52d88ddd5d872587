//! From the tree to the types: walks all of it, never stops at the first problem.
//!
//! A function that gives `None` has said why, or there is nothing to read. What it needs it reads
//! before it gives up, so that every problem of a mapping is told at once.

mod fields;
mod json;
mod load;
mod names;
mod scalars;
mod steps;
mod threshold;
mod top;
mod warmup;

use super::diagnostic::{Diagnostic, Diagnostics};
use super::expr::Template;
use super::keys::{Section, Shape, Variants};
use super::place::Spanned;
use super::suggest::nearest;
use super::tree::{Entry, Node, Scalar, Value};
pub(super) use fields::Fields;
use names::Names;

/// Reads a tree and collects what is wrong with it.
pub(super) struct Reader<'p> {
    problems: &'p mut Diagnostics,
    names: Names,
    /// The key whose value is read, where a message about the value alone would not say it.
    key: Option<String>,
    /// Loops around the step that is read.
    loops: usize,
}

impl<'p> Reader<'p> {
    pub(super) fn new(problems: &'p mut Diagnostics) -> Self {
        Self { problems, names: Names::default(), key: None, loops: 0 }
    }

    fn add(&mut self, mut diagnostic: Diagnostic) {
        if let Some(key) = &self.key {
            diagnostic.what = format!("{key}: {}", diagnostic.what);
        }
        self.problems.add(diagnostic);
    }

    /// Reads the value of a key; messages about it begin with the key.
    fn keyed<'n, T>(
        &mut self,
        fields: &Fields<'n>,
        name: &str,
        read: impl FnOnce(&mut Self, &'n Node, &'static Shape) -> Option<T>,
    ) -> Option<T> {
        let node = fields.get(name)?;
        let outer = self.key.replace(name.to_owned());
        let value = read(self, node, fields.shape(name));
        self.key = outer;
        value
    }

    /// Says that a value is not what its shape asks for.
    fn wrong(&mut self, node: &Node, shape: &Shape) {
        let what = format!("{} is no {}", node.described(), shape.noun());
        self.add(Diagnostic::new(node.span, what, shape.expected()));
    }

    /// The scalar of a node, unless something is wrong with it already.
    fn scalar<'n>(&mut self, node: &'n Node, shape: &Shape) -> Option<&'n Scalar> {
        match &node.value {
            Value::Scalar(scalar) if scalar.broken => None,
            Value::Scalar(scalar) if !scalar.is_null() => Some(scalar),
            Value::Scalar(_) | Value::Sequence(_) | Value::Mapping(_) => {
                self.wrong(node, shape);
                None
            }
        }
    }

    /// The entries of a mapping.
    fn entries<'n>(&mut self, node: &'n Node, shape: &Shape) -> Option<&'n [Entry]> {
        match &node.value {
            Value::Mapping(entries) => Some(entries),
            Value::Scalar(scalar) if scalar.broken => None,
            Value::Scalar(_) | Value::Sequence(_) => {
                self.wrong(node, shape);
                None
            }
        }
    }

    /// Each item of a list that must have some; all of them, or nothing if one is wrong.
    fn items<T>(
        &mut self,
        node: &Node,
        shape: &Shape,
        mut read: impl FnMut(&mut Self, &Node) -> Option<T>,
    ) -> Option<Vec<T>> {
        let items = match &node.value {
            Value::Sequence(items) => items,
            Value::Scalar(scalar) if scalar.broken => return None,
            Value::Scalar(_) | Value::Mapping(_) => {
                self.wrong(node, shape);
                return None;
            }
        };
        if items.is_empty() {
            let each = match shape {
                Shape::List(each) | Shape::OneOrMany(each) => each,
                other => other,
            };
            let expected = format!("at least one, each {}", each.expected());
            self.add(Diagnostic::new(node.span, "an empty list", expected));
            return None;
        }
        let read: Vec<Option<T>> = items.iter().map(|item| read(self, item)).collect();
        read.into_iter().collect()
    }

    /// A list, or one value alone.
    fn one_or_many<T>(
        &mut self,
        node: &Node,
        shape: &Shape,
        mut read: impl FnMut(&mut Self, &Node) -> Option<T>,
    ) -> Option<Vec<T>> {
        if matches!(node.value, Value::Sequence(_)) {
            return self.items(node, shape, read);
        }
        Some(vec![read(self, node)?])
    }

    /// Each name of a mapping with its value.
    fn map<T>(
        &mut self,
        node: &Node,
        shape: &Shape,
        mut read: impl FnMut(&mut Self, &Node) -> Option<T>,
    ) -> Option<Vec<(Spanned<String>, T)>> {
        let entries = self.entries(node, shape)?;
        let read: Vec<_> =
            entries.iter().map(|each| Some((each.key.clone(), read(self, &each.value)?))).collect();
        read.into_iter().collect()
    }

    /// Which of several kinds a mapping is, by the keys that it has.
    fn variant<'n>(
        &mut self,
        node: &'n Node,
        variants: &'static Variants,
    ) -> Option<(&'static str, Fields<'n>)> {
        let entries = self.entries(node, &Shape::Variant(variants))?;
        let has = |mark: &str| entries.iter().any(|entry| entry.key.value == mark);
        for (marks, section) in variants.kinds {
            if let Some(mark) = marks.iter().find(|mark| has(mark)) {
                return Some((mark, self.fields(node, section)?));
            }
        }
        let near = |entry: &'n Entry| Some((entry, nearest(&entry.key.value, variants.all())?));
        let what = format!("a {} that does nothing", variants.name);
        let expected = format!("one of the keys {}", variants.marks());
        match entries.iter().find_map(near) {
            Some((entry, word)) => {
                let what = format!("unknown key '{}' in a {}", entry.key.value, variants.name);
                let diagnostic = Diagnostic::new(entry.key.span, what, expected);
                self.add(diagnostic.did_you_mean(Some(word)));
            }
            None => self.add(Diagnostic::new(node.span, what, expected)),
        }
        None
    }

    /// The fields of a mapping with known keys: what is unknown, missing or excluded is said.
    fn fields<'n>(&mut self, node: &'n Node, section: &'static Section) -> Option<Fields<'n>> {
        let entries = self.entries(node, &Shape::Section(section))?;
        Some(Fields::new(self, node, entries, section))
    }

    /// A text with expressions.
    fn template(&mut self, node: &Node) -> Option<Template> {
        let scalar = self.scalar(node, &Shape::Template)?;
        self.template_of(scalar)
    }

    /// The same of a scalar, with the names that it uses noted.
    fn template_of(&mut self, scalar: &Scalar) -> Option<Template> {
        let template = Template::read(scalar, self.problems)?;
        self.names.note_all(&template);
        Some(template)
    }
}
