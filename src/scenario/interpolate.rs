//! `${NAME}`, `${NAME:-default}`, `${secret:NAME}` and `$$` in scalars, before anything is typed.
//!
//! What is in capitals, has a default or is a secret comes from the environment, now. All else in
//! `${…}` is an expression of the run and stays for [`super::expr`].

use std::ops::Range;

use super::diagnostic::{Diagnostic, Diagnostics};
use super::tree::{Fixed, Node, Scalar, Value};

/// Gives the value of a variable: the process's environment, or what `-e` says instead.
pub type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Replaces what comes from the environment in all scalars of a tree.
pub(super) fn interpolate(node: &mut Node, lookup: Lookup<'_>, problems: &mut Diagnostics) {
    match &mut node.value {
        Value::Scalar(scalar) if scalar.text.contains('$') => {
            *scalar = Pass::over(scalar, lookup, problems);
        }
        Value::Scalar(_) => {}
        Value::Sequence(items) => {
            items.iter_mut().for_each(|item| interpolate(item, lookup, problems));
        }
        Value::Mapping(entries) => {
            entries.iter_mut().for_each(|entry| interpolate(&mut entry.value, lookup, problems));
        }
    }
}

/// The length of `${…}` at the beginning, braces included; texts in quotes may hold braces.
pub(super) fn braced(text: &str) -> Option<usize> {
    let mut quote = None;
    for (at, each) in text.char_indices().skip(2) {
        match (quote, each) {
            (None, '}') => return Some(at + 1),
            (None, '\'' | '"') => quote = Some(each),
            (Some(open), each) if open == each => quote = None,
            (_, _) => {}
        }
    }
    None
}

/// What stands between `${` and `}`.
enum Reference<'t> {
    Variable { name: &'t str, default: Option<&'t str>, secret: bool },
    Expression,
}

fn reference(body: &str) -> Reference<'_> {
    let (rest, secret) = match body.strip_prefix("secret:") {
        Some(rest) => (rest, true),
        None => (body, false),
    };
    let (name, default) = match rest.split_once(":-") {
        Some((name, default)) => (name, Some(default)),
        None => (rest, None),
    };
    let word = |name: &str| name.chars().all(|each| each.is_ascii_alphanumeric() || each == '_');
    let capitals = !name.chars().any(|each| each.is_ascii_lowercase());
    let begins = name.starts_with(|each: char| each.is_ascii_alphabetic() || each == '_');
    match secret || (begins && word(name) && (default.is_some() || capitals)) {
        true => Reference::Variable { name, default, secret },
        false => Reference::Expression,
    }
}

/// One pass over a scalar: text in, text out, with places kept.
struct Pass<'s, 'p> {
    from: &'s Scalar,
    to: Scalar,
    problems: &'p mut Diagnostics,
}

impl<'s, 'p> Pass<'s, 'p> {
    fn over(from: &'s Scalar, lookup: Lookup<'_>, problems: &'p mut Diagnostics) -> Scalar {
        let to = Scalar { text: String::new(), offsets: Vec::new(), ..from.clone() };
        let mut pass = Self { from, to, problems };
        let mut at = 0;
        while let Some(next) = pass.from.text.get(at..).and_then(|rest| rest.find('$')) {
            pass.copy(at..at + next);
            at = pass.dollar(at + next, lookup);
        }
        pass.copy(at..pass.from.text.len());
        pass.to.offsets.push(pass.from.place(pass.from.text.len()..pass.from.text.len()).start);
        pass.to
    }

    /// What the dollar sign there begins; gives where to go on.
    fn dollar(&mut self, at: usize, lookup: Lookup<'_>) -> usize {
        let rest = self.from.text.get(at..).unwrap_or_default();
        if rest.starts_with("$$") {
            self.put("$", at..at + 2, false);
            return at + 2;
        }
        if !rest.starts_with("${") {
            self.copy(at..at + 1);
            return at + 1;
        }
        let plain = rest.find('}').map(|end| end + 1);
        let body = rest.get(2..plain.unwrap_or(rest.len()).saturating_sub(1)).unwrap_or_default();
        let (reference, end) = match (reference(body), plain) {
            (reference @ Reference::Variable { .. }, Some(end)) => (reference, Some(end)),
            (_, _) => (Reference::Expression, braced(rest)),
        };
        let Some(end) = end else {
            let diagnostic =
                Diagnostic::new(self.from.place(at..at + 2), "'${' is not closed", "here");
            self.fail(diagnostic.help("close it with '}', or write '$${' for the text itself"));
            return self.from.text.len();
        };
        let whole = at..at + end;
        match reference {
            Reference::Variable { name, default, secret } => {
                self.variable(whole.clone(), name, default, secret, lookup);
            }
            Reference::Expression => self.copy(whole.clone()),
        }
        whole.end
    }

    fn variable(
        &mut self,
        whole: Range<usize>,
        name: &str,
        default: Option<&str>,
        secret: bool,
        lookup: Lookup<'_>,
    ) {
        let place = self.from.place(whole.clone());
        let word = |each: char| each.is_ascii_alphanumeric() || each == '_';
        if name.is_empty() || !name.chars().all(word) {
            let expected = "${secret:NAME}, or with a default behind ':-'";
            let what = "no name of a variable";
            self.fail(
                Diagnostic::new(place, what, expected).help("names are letters, digits and '_'"),
            );
        } else if default.is_some_and(|default| default.contains("${")) {
            let what = "a default with another '${' in it";
            let help = "write the default as plain text";
            self.fail(Diagnostic::new(place, what, "a plain default").help(help));
        } else if let Some(value) = lookup(name).or_else(|| default.map(str::to_owned)) {
            self.put(&value, whole, secret);
        } else {
            let kind = if secret { "the secret" } else { "the variable" };
            let what = format!("{kind} {name} is not set");
            let help = format!(
                "set it in the environment, or with -e {name}=…, or give it a default behind ':-'"
            );
            self.fail(Diagnostic::new(place, what, "a variable that is set").help(help));
        }
    }

    fn fail(&mut self, diagnostic: Diagnostic) {
        self.problems.add(diagnostic);
        self.to.broken = true;
    }

    fn copy(&mut self, range: Range<usize>) {
        self.to.text.push_str(self.from.text.get(range.clone()).unwrap_or_default());
        self.to.offsets.extend(self.from.offsets.get(range).unwrap_or_default());
    }

    /// A text that is no longer looked into, in the place of what it stands for.
    fn put(&mut self, text: &str, place: Range<usize>, secret: bool) {
        let start = self.to.text.len();
        self.to.text.push_str(text);
        let span = self.from.place(place);
        self.to.offsets.extend(std::iter::repeat_n(span.start, text.len()));
        if !text.is_empty() {
            self.to.fixed.push(Fixed { range: start..self.to.text.len(), secret });
        }
    }
}
