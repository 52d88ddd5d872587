//! A sequence: levels of load one after the other, each with its name and its own thresholds.

use super::course::Course;
use super::load::Compiled;
use super::{Compiler, next};
use crate::plan::curve::SESSION;
use crate::plan::{Level, Phase};
use crate::scenario::{
    self, Amount, Bound, Diagnostic, Measured, Named, Shape, Span, Spanned, Threshold,
};
use crate::stdx::Nanos;
use crate::stdx::units::Rate;

impl Compiler<'_> {
    /// Names the levels before anything is compiled that belongs to one.
    pub(super) fn name_levels(&mut self) {
        let mut seen: Vec<&Spanned<String>> = Vec::new();
        for level in &self.scenario.sequence {
            if let Some(other) = seen.iter().find(|other| other.value == level.name.value) {
                let what = format!("two levels are called '{}'", level.name.value);
                let diagnostic = Diagnostic::new(level.name.span, what, "a name of its own");
                self.add(diagnostic.also(other.span, "the first"));
            }
            seen.push(&level.name);
            self.phase_named(&level.name);
        }
    }

    /// The load of a workload that has none of its own: what the levels say that are about it.
    pub(super) fn sequence_of(&mut self, workload: &Named<scenario::Workload>) -> Option<Compiled> {
        let scenario = self.scenario;
        let name = &workload.name;
        let about = |level: &&scenario::Level| {
            level.workload.as_ref().is_none_or(|it| it.value == name.value)
        };
        let loads: Vec<&scenario::Load> =
            scenario.sequence.iter().filter(about).map(|level| &level.load).collect();
        let Some(first) = loads.first() else {
            let what = format!("nobody says how much '{}' does", name.value);
            let help = "give it a load: load: {connections: 10, for: 30s}, or levels in 'sequence'";
            self.add(Diagnostic::new(name.span, what, "a load").help(help));
            return None;
        };
        let rate = |load: &scenario::Load| matches!(load.level.value, Amount::Rate(_));
        if let Some(other) = loads.iter().find(|load| rate(load) != rate(first)) {
            let what = "one level asks for connections, another for a rate";
            let expected = "the same on all levels";
            let diagnostic = Diagnostic::new(other.level.span, what, expected);
            self.add(diagnostic.also(first.level.span, "another"));
            return None;
        }
        let mut course = Course::new();
        for level in &scenario.sequence {
            let phase = self.phase_named(&level.name);
            if about(&level) {
                self.run_along(&level.load, Some(phase), &mut course);
            } else {
                let span = self.length(&level.load);
                course.rests(span);
                course.belongs(Phase::Load);
            }
            let cooldown = self.cooldown(level);
            course.rests(cooldown);
            course.belongs(Phase::Load);
        }
        Some(self.along(&course, &loads))
    }

    /// How long a load takes.
    fn length(&mut self, load: &scenario::Load) -> Nanos {
        let mut course = Course::new();
        self.run_along(load, None, &mut course);
        course.curve.end()
    }

    fn cooldown(&mut self, level: &scenario::Level) -> Nanos {
        self.pause(level.cooldown, level.name.span)
    }

    /// The levels as results tell of them, and their thresholds behind those of the whole.
    pub(super) fn levels(&mut self) {
        let scenario = self.scenario;
        // As early as the first of those that follow it begins.
        let followers = scenario.workloads.iter().zip(&self.plan.workloads);
        let followers = followers.filter(|(it, _)| it.value.load.is_none());
        let starts = followers.map(|(_, workload)| workload.start);
        let mut from = starts.min().unwrap_or(Nanos::ZERO);
        for level in &scenario.sequence {
            let phase = self.phase_named(&level.name);
            let to = from + self.length(&level.load);
            let cooldown = self.cooldown(level);
            let thresholds = level.thresholds.iter().map(|threshold| {
                let index = next(&self.plan.thresholds);
                let held = Threshold {
                    text: format!("{}: {}", level.name.value, threshold.value.text),
                    measured: self.within(&threshold.value.measured, &level.name),
                    bound: match &threshold.value.bound {
                        Bound::Relative { measured, factor } => {
                            // What is compared may say of which level it is.
                            Bound::Relative { measured: measured.clone(), factor: *factor }
                        }
                        fixed @ Bound::Fixed(_) => fixed.clone(),
                    },
                    ..threshold.value.clone()
                };
                self.take_threshold(&Spanned::new(held, threshold.span));
                index
            });
            let thresholds = thresholds.collect();
            let asked = self.asked(&level.load);
            self.plan.levels.push(Level { phase, asked, from, to, cooldown, thresholds });
            from = to + cooldown;
        }
        let nobody = self.scenario.workloads.iter().all(|it| it.value.load.is_some());
        if let Some(level) = self.scenario.sequence.first().filter(|_| nobody) {
            let what = "every workload has a load of its own: these levels are for nobody";
            let help = "leave out 'load' where the levels are to say it";
            let expected = "a workload without a load";
            self.add(Diagnostic::new(level.name.span, what, expected).help(help));
        }
    }

    /// What was measured on one level.
    fn within(&mut self, measured: &Measured, level: &Spanned<String>) -> Measured {
        let mut measured = measured.clone();
        let of = measured.labels.iter().find(|(key, _)| key.value == "phase");
        if let Some((key, value)) = of {
            if value.value != level.value {
                let what = "a threshold of one level about another";
                let help = "put it among the thresholds of the whole scenario";
                let expected = format!("no phase, or {}", level.value);
                self.add(Diagnostic::new(key.span, what, expected).help(help));
            }
            return measured;
        }
        let span: Span = measured.metric.span;
        let label = (Spanned::new("phase".to_owned(), span), level.clone());
        measured.labels.push(label);
        measured
    }

    /// Each phase has counters of its own for each name: both are bounded together.
    pub(super) fn room_for_phases(&mut self) {
        let (leaves, phases) = (self.plan.leaves.len(), self.plan.phases().count());
        if leaves.saturating_mul(phases) > usize::from(u16::MAX) {
            let what = format!("{leaves} steps and messages in {phases} phases");
            let expected = format!("at most {} of both multiplied", u16::MAX);
            let help = "name fewer stages, or give the same name to steps that are alike";
            let place = self.scenario.name.span;
            self.add(Diagnostic::new(place, what, expected).help(help));
        }
    }

    /// What a load asks for, in words, on this scale.
    fn asked(&mut self, load: &scenario::Load) -> String {
        let mut amounts = vec![&load.level];
        if let Shape::Stages(stages) = &load.shape {
            amounts.extend(stages.iter().filter_map(|stage| stage.to.as_ref()));
        }
        let is_rate = matches!(load.level.value, Amount::Rate(_));
        let said = amounts.into_iter().map(|amount| {
            let milli_per_s = self.level(amount, load.max.as_ref());
            match is_rate {
                true => format!("{}/s", Rate { milli_per_s }.per_second()),
                false => (milli_per_s / SESSION).to_string(),
            }
        });
        let text = said.collect::<Vec<_>>().join(", ");
        if is_rate { text } else { format!("{text} connections") }
    }
}
