//! What is wrong with a file: every problem with its place, what was expected and how to mend it.

use super::limits::COLLECTED_MAX;
use super::place::Span;

/// Whether a file can be used with the problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It cannot.
    Error,
    /// It can, but not quite as it was written.
    Warning,
}

/// One problem.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Diagnostic {
    /// Where.
    pub place: Span,
    /// What is wrong, with the value found.
    pub what: String,
    /// What should stand there: written under the caret.
    pub expected: String,
    /// How to mend it.
    pub help: Option<String>,
    /// The known word that is nearest to what was written.
    pub did_you_mean: Option<String>,
    /// Another place that the problem is about, and what is there.
    pub also: Option<Box<(Span, String)>>,
    /// Whether the file can be used nevertheless.
    pub severity: Severity,
}

impl Diagnostic {
    /// A problem at a place.
    pub(crate) fn new(place: Span, what: impl Into<String>, expected: impl Into<String>) -> Self {
        Self {
            place,
            what: what.into(),
            expected: expected.into(),
            help: None,
            did_you_mean: None,
            also: None,
            severity: Severity::Error,
        }
    }

    /// The same, of a file that can be used nevertheless.
    pub(crate) fn warning(mut self) -> Self {
        self.severity = Severity::Warning;
        self
    }

    /// With how to mend it.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// With the word that may have been meant.
    pub(crate) fn did_you_mean(mut self, word: Option<&str>) -> Self {
        self.did_you_mean = word.map(str::to_owned);
        self
    }

    /// With another place.
    pub(crate) fn also(mut self, place: Span, what: impl Into<String>) -> Self {
        self.also = Some(Box::new((place, what.into())));
        self
    }
}

/// All problems of a file, sorted by place and each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnostics {
    found: Vec<Diagnostic>,
}

impl Diagnostics {
    /// Notes a problem.
    pub(crate) fn add(&mut self, diagnostic: Diagnostic) {
        if self.found.len() < COLLECTED_MAX {
            self.found.push(diagnostic);
        }
    }

    /// Sorted, each once.
    pub(crate) fn sorted(mut self) -> Self {
        self.found.sort();
        self.found.dedup();
        self
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// Each problem.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Diagnostic> {
        self.found.iter()
    }
}
