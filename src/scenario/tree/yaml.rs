//! YAML, and JSON as the YAML that it is, from a parser's events.

use std::collections::BTreeMap;

use granit_parser::{Event, Options, Parser, ScalarStyle, Span as Range, Tag};

use super::align::{self, Notation};
use super::{Entry, Node, Style, Value, duplicate};
use crate::scenario::diagnostic::{Diagnostic, Diagnostics};
use crate::scenario::limits::{DEPTH_MAX, NODE_BYTES, NODES_MAX};
use crate::scenario::place::{Span, Spanned};

/// The one document of a YAML file.
pub(super) fn parse(text: &str, problems: &mut Diagnostics) -> Option<Node> {
    let mut options = Options::default();
    // Deeper than we allow, so that the message is ours.
    options.flow_nesting_limit = DEPTH_MAX * 2;
    options.block_nesting_limit = DEPTH_MAX * 2;
    let parser = Parser::new_from_str_with_options(text, options);
    let builder =
        Builder { text, parser, problems, anchors: BTreeMap::new(), nodes: 0, deepest: 0 };
    builder.document()
}

/// JSON: first held to JSON's own rules, then read for its places.
pub(super) fn parse_json(text: &str, problems: &mut Diagnostics) -> Option<Node> {
    if let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(text) {
        let line_start: usize =
            text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
        let at = text.floor_char_boundary(line_start + error.column().saturating_sub(1));
        let what = error.to_string();
        let what = what.split(" at line ").next().unwrap_or_default();
        let diagnostic = Diagnostic::new(Span::new(at, at), format!("no JSON: {what}"), "here");
        problems
            .add(diagnostic.help("JSON has neither comments nor commas before a closing bracket"));
        return None;
    }
    parse(text, problems)
}

struct Builder<'t, 'p> {
    text: &'t str,
    parser: Parser<'t, granit_parser::StrInput<'t>>,
    problems: &'p mut Diagnostics,
    anchors: BTreeMap<usize, Anchored>,
    nodes: usize,
    /// The deepest level of what is being read.
    deepest: usize,
}

/// A finished value with an anchor.
#[derive(Clone)]
struct Anchored {
    node: Node,
    /// How many nodes it counts.
    weight: usize,
    /// How many levels are below it.
    height: usize,
}

/// The file cannot be read any further; why has been said.
struct Stop;

impl<'t> Builder<'t, '_> {
    fn document(mut self) -> Option<Node> {
        let mut document = None;
        loop {
            let Ok((event, range)) = self.next() else { return None };
            let span = place(&range);
            match event {
                Event::StreamEnd => break,
                Event::DocumentStart(..) if document.is_some() => {
                    let what = "the file has a second document";
                    let help = "one file is one scenario; put the other one into a file of its own";
                    self.problems
                        .add(Diagnostic::new(span, what, "the end of the file").help(help));
                    return None;
                }
                Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd => {}
                event => document = Some(self.node(event, span, 0).ok()?),
            }
        }
        if document.as_ref().is_none_or(Node::is_null) {
            let what = "the file is empty";
            let expected = "a scenario: name, target, workloads";
            let help = "see 'onslaught check --schema' for all keys";
            self.problems.add(Diagnostic::new(Span::default(), what, expected).help(help));
            return None;
        }
        document
    }

    fn next(&mut self) -> Result<(Event<'t>, Range), Stop> {
        match self.parser.next_event() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => {
                let at = error.marker().byte_offset().unwrap_or(0).min(self.text.len());
                self.problems.add(syntax(self.text, at, &error.info()));
                Err(Stop)
            }
            None => Ok((Event::StreamEnd, Range::default())),
        }
    }

    /// The value that begins with the event.
    fn node(&mut self, event: Event<'t>, span: Span, depth: usize) -> Result<Node, Stop> {
        self.count(1, span)?;
        self.reach(depth, span)?;
        if let Event::Alias(id) = event {
            return self.alias(id, span, depth);
        }
        let (before, outer) = (self.nodes, std::mem::replace(&mut self.deepest, depth));
        let anchor = event.anchor_id();
        let node = self.value(event, span, depth)?;
        if let Some(anchor) = anchor {
            let weight = self.nodes - before + 1;
            let height = self.deepest - depth;
            self.anchors.insert(anchor, Anchored { node: node.clone(), weight, height });
        }
        self.deepest = self.deepest.max(outer);
        Ok(node)
    }

    fn value(&mut self, event: Event<'t>, span: Span, depth: usize) -> Result<Node, Stop> {
        match event {
            Event::Scalar(text, style, _, tag) => {
                self.count(text.len() / NODE_BYTES, span)?;
                let raw = self.text.get(span.at()..span.to()).unwrap_or_default();
                let mut scalar = align::scalar(text.into_owned(), notation(style), raw, span.at());
                if tag.is_some_and(|tag| self.tagged(&tag, span)) {
                    scalar.style = Style::Quoted;
                }
                Ok(Node { span: trimmed(self.text, span), value: Value::Scalar(scalar) })
            }
            Event::SequenceStart(_, _, tag) => {
                self.untagged(tag.as_deref(), span);
                self.sequence(span, depth)
            }
            Event::MappingStart(_, _, tag) => {
                self.untagged(tag.as_deref(), span);
                self.mapping(span, depth)
            }
            _ => self.stop(Diagnostic::new(span, "no value here", "a value")),
        }
    }

    /// Notes a level, if it is not too deep.
    fn reach(&mut self, depth: usize, span: Span) -> Result<(), Stop> {
        self.deepest = self.deepest.max(depth);
        if depth <= DEPTH_MAX {
            return Ok(());
        }
        let what = format!("nested deeper than {DEPTH_MAX} levels");
        let help = "say it with fewer levels; what an alias repeats counts where it stands";
        self.stop(Diagnostic::new(span, what, "fewer levels").help(help))
    }

    fn sequence(&mut self, open: Span, depth: usize) -> Result<Node, Stop> {
        let mut items = Vec::new();
        loop {
            let (event, range) = self.next()?;
            if event == Event::SequenceEnd {
                let span = self.whole(open, place(&range));
                return Ok(Node { span, value: Value::Sequence(items) });
            }
            items.push(self.node(event, place(&range), depth + 1)?);
        }
    }

    fn mapping(&mut self, open: Span, depth: usize) -> Result<Node, Stop> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut seen = BTreeMap::new();
        loop {
            let (event, range) = self.next()?;
            if event == Event::MappingEnd {
                let span = self.whole(open, place(&range));
                return Ok(Node { span, value: Value::Mapping(entries) });
            }
            let key = self.node(event, place(&range), depth + 1)?;
            let (event, range) = self.next()?;
            let value = self.node(event, place(&range), depth + 1)?;
            let Some(key) = self.key(key) else { continue };
            match seen.get(&key.value) {
                Some(first) => self.problems.add(duplicate(&key, *first)),
                None => {
                    seen.insert(key.value.clone(), key.span);
                    entries.push(Entry { key, value });
                }
            }
        }
    }

    /// A key is a text; the merge key of YAML 1.1 is none of ours.
    fn key(&mut self, node: Node) -> Option<Spanned<String>> {
        let Value::Scalar(scalar) = node.value else {
            let what = format!("{} as a key", node.described());
            self.problems.add(
                Diagnostic::new(node.span, what, "a word")
                    .help("a text that begins with { or [ stands in quotes"),
            );
            return None;
        };
        if scalar.text == "<<" && scalar.style == Style::Plain {
            let what = "merge keys are not read";
            let help = "repeat the keys, or use an alias for the whole value: 'key: *name'";
            self.problems.add(Diagnostic::new(node.span, what, "a key of its own").help(help));
            return None;
        }
        Some(Spanned::new(scalar.text, node.span))
    }

    /// What an alias repeats; its own place is where it stands.
    fn alias(&mut self, id: usize, span: Span, depth: usize) -> Result<Node, Stop> {
        let Some(Anchored { node, weight, height }) = self.anchors.get(&id).cloned() else {
            let what = "an alias inside of what it repeats";
            return self.stop(Diagnostic::new(span, what, "an alias of a value before"));
        };
        self.count(weight, span)?;
        self.reach(depth + height, span)?;
        Ok(node)
    }

    fn count(&mut self, more: usize, span: Span) -> Result<(), Stop> {
        self.nodes = self.nodes.saturating_add(more);
        if self.nodes <= NODES_MAX {
            return Ok(());
        }
        let what = format!("more than {NODES_MAX} values");
        let help = "aliases count as often as they repeat";
        self.stop(Diagnostic::new(span, what, "fewer values").help(help))
    }

    fn stop<T>(&mut self, diagnostic: Diagnostic) -> Result<T, Stop> {
        self.problems.add(diagnostic);
        Err(Stop)
    }

    /// Whether a tag says that a scalar is text.
    fn tagged(&mut self, tag: &Tag, span: Span) -> bool {
        self.untagged(Some(tag), span);
        tag.core_suffix() == Some("str")
    }

    /// Other tags than YAML's own are refused.
    fn untagged(&mut self, tag: Option<&Tag>, span: Span) {
        if let Some(tag) = tag.filter(|tag| tag.core_suffix().is_none()) {
            let what = format!("the tag '{}' means nothing here", tag.original());
            let help = "remove the tag, or put the text in quotes";
            self.problems.add(Diagnostic::new(span, what, "a value without a tag").help(help));
        }
    }

    /// From where a collection begins to where it ends; a block ends with its last line.
    fn whole(&self, open: Span, close: Span) -> Span {
        trimmed(self.text, Span { start: open.start, end: close.end.max(open.end) })
    }
}

fn place(range: &Range) -> Span {
    let (start, end) = (range.start.byte_offset(), range.end.byte_offset());
    Span::new(start.unwrap_or(0), end.or(start).unwrap_or(0))
}

/// Without blanks at the end.
fn trimmed(text: &str, span: Span) -> Span {
    let raw = text.get(span.at()..span.to()).unwrap_or_default();
    Span::new(span.at(), span.at() + raw.trim_end().len())
}

fn notation(style: ScalarStyle) -> Notation {
    match style {
        ScalarStyle::Plain => Notation::Plain,
        ScalarStyle::SingleQuoted => Notation::Single,
        ScalarStyle::DoubleQuoted => Notation::Double,
        ScalarStyle::Literal | ScalarStyle::Folded => Notation::Block,
    }
}

/// A syntax error, with the usual cause where one can be guessed.
fn syntax(text: &str, at: usize, info: &str) -> Diagnostic {
    let start = text.get(..at).and_then(|it| it.rfind('\n')).map_or(0, |end| end + 1);
    let line = text.get(start..).unwrap_or_default().lines().next().unwrap_or_default();
    let indent = line.get(..line.len() - line.trim_start().len()).unwrap_or_default();
    let flow = line.contains('{');
    let help = if indent.contains('\t') {
        "indent with blanks: YAML does not allow tabs"
    } else if flow && line.contains("$.") {
        "inside of { } put paths with [ ] in quotes: {id: \"$.items[0].id\"}"
    } else if flow && line.contains("${") {
        "inside of { } put texts with ${…} in quotes: {email: \"${user.email}\"}"
    } else if info.contains("alias") || info.contains("anchor") {
        "an alias '*name' repeats a value marked '&name' before it"
    } else {
        "check the indentation, the quotes and the brackets of this line and the one before"
    };
    Diagnostic::new(Span::new(at, at), format!("no YAML: {info}"), "here").help(help)
}
