//! What steps, checks and groups are called, and their indices.

use super::{Compiler, next};
use crate::plan::{Kind, LeafName};
use crate::scenario::{Part, Span, Template};

impl Compiler<'_> {
    /// A new leaf.
    pub(super) fn leaf(&mut self, leaf: LeafName, place: Span) -> u16 {
        self.room(self.plan.leaves.len(), "requests, WebSockets and messages", place);
        self.plan.leaves.push(leaf);
        next(&self.plan.leaves).saturating_sub(1)
    }

    /// The check of that name.
    pub(super) fn check(&mut self, name: String, place: Span) -> u16 {
        self.room(self.plan.checks.len(), "checks", place);
        interned(&mut self.plan.checks, name)
    }

    /// The group of that name.
    pub(super) fn group(&mut self, name: &str, place: Span) -> u16 {
        self.room(self.plan.groups.len(), "groups", place);
        interned(&mut self.plan.groups, name.to_owned())
    }

    /// The variable of that name.
    pub(super) fn variable(&mut self, name: &str, place: Span) -> u16 {
        self.room(self.plan.variables.len(), "names that are saved", place);
        interned(&mut self.plan.variables, name.to_owned())
    }

    /// The pool of that name, if there is one.
    pub(super) fn pool(&self, name: &str) -> Option<u16> {
        let at = self.plan.pools.iter().position(|pool| pool.name == name)?;
        u16::try_from(at).ok()
    }
}

/// A new leaf's name.
pub(super) const fn leaf(name: String, kind: Kind, workload: u16, group: Option<u16>) -> LeafName {
    LeafName { name, kind, workload, group }
}

fn interned(names: &mut Vec<String>, name: String) -> u16 {
    let at = names.iter().position(|each| *each == name).unwrap_or_else(|| {
        names.push(name);
        names.len() - 1
    });
    u16::try_from(at).unwrap_or(u16::MAX)
}

/// A text as results show it: expressions as they were written, secrets hidden.
pub(super) fn shown(template: &Template) -> String {
    let parts = template.parts.iter().map(|part| match part {
        Part::Text(text) => text.clone(),
        Part::Secret(secret) => secret.to_string(),
        Part::Expr(expr) => format!("${{{}}}", expr.value),
    });
    parts.collect()
}

/// Whether thresholds can name a metric so.
pub(super) fn is_metric(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.chars().all(|each| each.is_ascii_alphanumeric() || each == '_')
}
