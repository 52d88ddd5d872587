//! Names that one place of the file uses and another declares.
//!
//! Uses are noted while the file is read and looked up at its end, so that an unknown name is told
//! together with everything else that is wrong.

use std::collections::BTreeSet;

use super::{Fields, Reader};
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::expr::{Expr, Function, Part, Template, UserField};
use crate::scenario::limits::{COLLECTED_MAX, NAMES_SHOWN_MAX};
use crate::scenario::place::Spanned;
use crate::scenario::suggest::nearest;
use crate::scenario::tree::Value;

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Data,
    Group,
    Pool,
    Saved,
    Step,
    Target,
    Token,
    User,
    Workload,
}

/// The names of a file.
#[derive(Debug, Default)]
pub(super) struct Names {
    declared: BTreeSet<(Kind, String)>,
    used: Vec<(Kind, Spanned<String>)>,
}

impl Names {
    pub(super) fn declare(&mut self, kind: Kind, name: &str) {
        self.declared.insert((kind, name.to_owned()));
    }

    /// Notes a use; nothing is none.
    pub(super) fn note(&mut self, kind: Kind, name: Option<&Spanned<String>>) {
        self.used.extend(name.map(|name| (kind, name.clone())));
    }

    /// Notes what the expressions of a text use.
    pub(super) fn note_all(&mut self, template: &Template) {
        for part in &template.parts {
            if let Part::Expr(expr) = part {
                self.note_expr(expr);
            }
        }
    }

    pub(super) fn note_expr(&mut self, expr: &Spanned<Expr>) {
        match &expr.value {
            Expr::Text(_) | Expr::Number(_) => {}
            Expr::User(field) => {
                let given = matches!(field, UserField::Token | UserField::RefreshToken);
                let kind = if given { Kind::Token } else { Kind::User };
                let word = UserField::WORDS.iter().find(|(_, each)| each == field);
                let name = format!("user.{}", word.map_or("", |(word, _)| word));
                self.used.push((kind, Spanned::new(name, expr.span)));
            }
            Expr::Name(name) => self.note(Kind::Saved, Some(name)),
            Expr::Pool { name, .. } => self.note(Kind::Pool, Some(name)),
            Expr::Call { function, arguments } => match arguments.as_slice() {
                [Spanned { value: Expr::Name(name), .. }] if *function == Function::Pick => {
                    self.note(Kind::Data, Some(name));
                }
                arguments => arguments.iter().for_each(|each| self.note_expr(each)),
            },
            Expr::Or(left, right) | Expr::Binary(_, left, right) => {
                self.note_expr(left);
                self.note_expr(right);
            }
        }
    }
}

impl Reader<'_> {
    /// Declares the names of the scenario's own mappings, then says which uses lead nowhere.
    pub(super) fn resolve(&mut self, fields: &Fields<'_>) {
        let sections = [
            ("data", Kind::Data),
            ("pools", Kind::Pool),
            ("targets", Kind::Target),
            ("workloads", Kind::Workload),
        ];
        for (key, kind) in sections {
            if let Some(Value::Mapping(entries)) = fields.get(key).map(|node| &node.value) {
                entries.iter().for_each(|entry| self.names.declare(kind, &entry.key.value));
            }
        }
        for (key, kind) in [("users", Kind::User), ("auth", Kind::Token)] {
            // One of them is enough for all uses, and missing it is told once.
            let first = self.names.used.iter().position(|(each, _)| *each == kind);
            let first = first.map(|at| self.names.used.swap_remove(at).1);
            self.names.used.retain(|(each, _)| *each != kind);
            if let (Some(name), None) = (first, fields.get(key)) {
                let what = format!("'{}' without '{key}'", name.value);
                let expected = format!("only in a scenario that has '{key}'");
                let help = format!("add '{key}:' at the top of the file");
                self.add(Diagnostic::new(name.span, what, expected).help(help));
            }
        }
        let Names { declared, used } = std::mem::take(&mut self.names);
        let lost = used.into_iter().filter(|(kind, name)| {
            // The set is asked for pairs, so the pair is made.
            !declared.contains(&(*kind, name.value.clone()))
        });
        for (kind, name) in lost.take(COLLECTED_MAX) {
            let known = declared.iter().filter(|(each, _)| *each == kind);
            let known = known.map(|(_, name)| name.as_str()).take(NAMES_SHOWN_MAX);
            self.add(unknown(kind, &name, &known.collect::<Vec<_>>()));
        }
    }
}

fn unknown(kind: Kind, name: &Spanned<String>, known: &[&str]) -> Diagnostic {
    let word = &name.value;
    let (what, help) = match kind {
        Kind::Data => ("there is no data", format!("declare it at the top: data: {{{word}: […]}}")),
        Kind::Pool => {
            ("there is no pool", format!("declare it at the top: pools: {{{word}: {{}}}}"))
        }
        Kind::Saved => (
            "nothing is saved as",
            format!(
                "let a step save it: save: {{{word}: $.id}}; a text stands in quotes: '{word}'"
            ),
        ),
        Kind::Group => ("there is no group of users", "name one of 'users'".to_owned()),
        Kind::Step => ("there is no step", format!("give the step that is meant a name: {word}")),
        Kind::Target => ("there is no target", "declare it under 'targets'".to_owned()),
        Kind::Workload => ("there is no workload", "name one of the workloads".to_owned()),
        Kind::Token | Kind::User => ("there is no user", "declare 'users'".to_owned()),
    };
    let expected = match known {
        [] => "a name that is declared; none is".to_owned(),
        known => format!("one of {}", known.join(", ")),
    };
    Diagnostic::new(name.span, format!("{what} '{word}'"), expected)
        .did_you_mean(nearest(word, known.iter().copied()))
        .help(help)
}
