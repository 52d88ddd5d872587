//! What must be true of a reply, and what is kept of it.

use super::Compiler;
use crate::plan::{Expect, JsonCheck, Place, Save, Saved, TimeCheck};
use crate::scenario::{self, Expectation, Json, JsonPath, Span};

impl Compiler<'_> {
    /// Checks of a reply; each has the name of its request in front.
    pub(super) fn expect(
        &mut self,
        name: &str,
        expectation: Option<&Expectation>,
        place: Span,
    ) -> Option<Expect> {
        let Some(expectation) = expectation else { return Some(Expect::default()) };
        let asked = !expectation.status.is_empty();
        let status_check = asked.then(|| self.check(format!("{name}: status"), place));
        let json = self.matches(&expectation.json, Some(name), place);
        let time = expectation.time.as_ref().map(|time| TimeCheck {
            check: self.check(format!("{name}: time < {}", time.value), place),
            most: time.value,
        });
        Some(Expect { statuses: expectation.status.clone(), status_check, json: json?, time })
    }

    /// Places in JSON, each with the value there; with a name they are checks.
    pub(super) fn matches(
        &mut self,
        matches: &[(JsonPath, Json)],
        name: Option<&str>,
        place: Span,
    ) -> Option<Vec<JsonCheck>> {
        let checks = matches.iter().map(|(path, json)| {
            let expected = self.expected(json);
            let check = name.map(|name| self.check(format!("{name}: {path}"), place));
            Some(JsonCheck { check, place: self::place(path), expected: expected? })
        });
        checks.collect::<Vec<_>>().into_iter().collect()
    }

    /// What is kept of a reply or of a message.
    pub(super) fn saves(&mut self, saves: &[scenario::Save]) -> Vec<Save> {
        let save = |save: &scenario::Save| Save {
            into: match self.pool(&save.name.value) {
                Some(pool) => Saved::Pool(pool),
                None => Saved::Variable(self.variable(&save.name.value, save.name.span)),
            },
            places: save.paths.iter().map(place).collect(),
        };
        saves.iter().map(save).collect()
    }
}

/// A place in JSON.
pub(super) fn place(path: &JsonPath) -> Place {
    Place(path.segments.clone())
}
