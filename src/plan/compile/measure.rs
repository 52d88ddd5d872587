//! Times from the end of a step to a message that tells of what the step made.

use std::collections::BTreeSet;

use super::Compiler;
use super::expect::place;
use super::names::is_metric;
use super::threshold::known;
use crate::plan::{Measure, Request, Saved};
use crate::scenario::{self, Diagnostic, Spanned};

impl Compiler<'_> {
    /// All of them; the steps that they name are compiled already.
    pub(super) fn measures(&mut self) {
        for (workload, named) in (0_u16..).zip(&self.scenario.workloads) {
            if let Some(measure) = &named.value.measure {
                let compiled = self.measure(workload, measure);
                self.plan.measures.extend(compiled);
            }
        }
    }

    fn measure(&mut self, workload: u16, measure: &scenario::Measure) -> Option<Measure> {
        self.measured_name(&measure.name);
        self.listens(workload, &measure.name);
        let until = self.matches(&measure.until, None, measure.name.span);
        let mut from = BTreeSet::new();
        for step in &measure.from {
            from.extend(self.steps_that_save(step));
        }
        let from: Vec<u16> = from.into_iter().collect();
        let pool = self.common_pool(&from, measure)?;
        let mut by: Vec<_> = measure.by.iter().map(place).collect();
        if by.is_empty() {
            for save in from.iter().filter_map(|index| self.saving(*index, pool)) {
                by.extend(save.places.iter().cloned());
            }
            by.dedup();
        }
        Some(Measure { name: measure.name.value.clone(), pool, from, workload, by, until: until? })
    }

    fn measured_name(&mut self, name: &Spanned<String>) {
        let taken = self.plan.measures.iter().any(|each| each.name == name.value);
        let problem = if !is_metric(&name.value) {
            Some((format!("'{}' is no name of a metric", name.value), "letters, digits and '_'"))
        } else if known(&name.value).is_some() {
            Some((format!("'{}' is a metric already", name.value), "a name of its own"))
        } else if taken {
            Some((format!("'{}' is measured twice", name.value), "a name of its own"))
        } else {
            None
        };
        if let Some((what, expected)) = problem {
            self.add(Diagnostic::new(name.span, what, expected));
        }
    }

    /// Only a workload that has WebSockets hears messages.
    fn listens(&mut self, workload: u16, name: &Spanned<String>) {
        let scenario = self.scenario.workloads.get(usize::from(workload));
        let opens = scenario.is_some_and(|each| match &each.value.work {
            scenario::Work::Sessions(_) => true,
            scenario::Work::Mix(steps) | scenario::Work::Journey(steps) => any_socket(steps),
        });
        if !opens {
            let what = "a measurement in a workload that opens no WebSocket";
            let help = "move it to the workload whose messages end the time";
            let expected = "a workload with 'websocket'";
            self.add(Diagnostic::new(name.span, what, expected).help(help));
        }
    }

    /// The requests that a step of that name has become, if they save into a pool.
    fn steps_that_save(&mut self, step: &Spanned<String>) -> Vec<u16> {
        let named = (0_u16..).zip(&self.plan.requests);
        let named = named.filter(|(_, request)| request.name == step.value);
        let (saving, idle): (Vec<_>, Vec<_>) =
            named.partition(|(_, request)| pools(request).next().is_some());
        let saving = saving.into_iter().map(|(index, _)| index).collect::<Vec<_>>();
        if saving.is_empty() {
            let what = match idle.is_empty() {
                true => format!("'{}' is no request", step.value),
                false => format!("'{}' saves nothing into a pool", step.value),
            };
            let help = "the id that it saves tells which message belongs to it: \
                        save: {tasks: $.id}";
            let expected = "the name of a request that saves an id";
            self.add(Diagnostic::new(step.span, what, expected).help(help));
        }
        saving
    }

    /// The pool into which all of them save.
    fn common_pool(&mut self, from: &[u16], measure: &scenario::Measure) -> Option<u16> {
        let first = self.plan.requests.get(usize::from(*from.first()?))?;
        let common =
            pools(first).find(|pool| from.iter().all(|index| self.saving(*index, *pool).is_some()));
        if let (None, Some(last)) = (common, measure.from.last()) {
            let what = "steps that save into different pools";
            let help = "measure them one by one, or let them save into one pool";
            self.add(Diagnostic::new(last.span, what, "steps with one pool").help(help));
        }
        common
    }

    fn saving(&self, request: u16, pool: u16) -> Option<&crate::plan::Save> {
        let request = self.plan.requests.get(usize::from(request))?;
        request.saves.iter().find(|save| save.into == Saved::Pool(pool))
    }
}

fn pools(request: &Request) -> impl Iterator<Item = u16> + '_ {
    request.saves.iter().filter_map(|save| match save.into {
        Saved::Pool(pool) => Some(pool),
        Saved::Variable(_) => None,
    })
}

fn any_socket(steps: &[scenario::Step]) -> bool {
    use scenario::Action;
    steps.iter().any(|step| match &step.action.value {
        Action::Open(_) => true,
        Action::OneOf(steps)
        | Action::Block(steps)
        | Action::Group { steps, .. }
        | Action::Repeat { steps, .. } => any_socket(steps),
        Action::Request(_)
        | Action::Think(_)
        | Action::Send(_)
        | Action::Receive { .. }
        | Action::Close(_) => false,
    })
}
