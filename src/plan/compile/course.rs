//! The course of a load: levels that change, piece by piece, and what its parts are called.

use super::{Compiler, next};
use crate::plan::curve::{Form, SESSION};
use crate::plan::{Curve, Phase, Stage};
use crate::scenario::{self, Amount, Diagnostic, Length, Pace, Shape, Span, Spanned};
use crate::stdx::Nanos;

/// Names of parts of a load, at most: phases have numbers of 8 bits.
const NAMES_MAX: usize = 200;

/// Phases that need no name from the user.
const TAKEN: [&str; 2] = ["warmup", "load"];

/// A load over time.
pub(super) struct Course {
    pub(super) curve: Curve,
    pub(super) stages: Vec<Stage>,
}

impl Course {
    pub(super) const fn new() -> Self {
        Self { curve: Curve::constant(0), stages: Vec::new() }
    }

    /// What was pushed since the last stage belongs to a phase.
    pub(super) fn belongs(&mut self, phase: Phase) {
        let until = self.curve.end();
        match self.stages.last_mut() {
            Some(last) if last.phase == phase => last.until = until,
            _ => self.stages.push(Stage { until, phase }),
        }
    }

    /// Nothing is done for so long; the level stays if that is no time at all.
    pub(super) fn rests(&mut self, span: Nanos) {
        if span > Nanos::ZERO {
            self.curve.push(0, 0, span, Form::Straight);
        }
    }

    /// Nothing falls due behind its end, and without a name for any of its parts none is needed.
    pub(super) fn finished(mut self) -> Self {
        if self.stages.iter().all(|stage| stage.phase == Phase::Load) {
            self.stages.clear();
        }
        self
    }
}

impl Compiler<'_> {
    /// Adds a load to a course: all of it in `phase`, or its stages in those of their names.
    pub(super) fn run_along(
        &mut self,
        load: &scenario::Load,
        phase: Option<Phase>,
        course: &mut Course,
    ) {
        let mut level = self.level(&load.level, load.max.as_ref());
        match &load.shape {
            Shape::Constant(span) => {
                let before = course.curve.beyond();
                let span = self.phase(span.value, span.span);
                self.climb(before, level, span, load, course);
            }
            Shape::Search(search) => self.no_level(search.to.span),
            Shape::Adapt(adapt) => self.no_level(adapt.to.span),
            Shape::Stages(stages) => {
                for stage in stages {
                    level = self.stage(level, stage, load, course);
                    let named = stage.name.as_ref().map(|name| self.phase_named(name));
                    if phase.is_none() {
                        course.belongs(named.unwrap_or(Phase::Load));
                    }
                }
            }
        }
        if let Some(phase) = phase {
            course.belongs(phase);
        }
    }

    /// A level of a sequence is known before the run.
    fn no_level(&mut self, place: Span) {
        let what = "a level that is found out while the run is on, in a sequence";
        let help = "give the workload a load of its own: load: {…, search: …}";
        self.add(Diagnostic::new(place, what, "'for' or 'stages'").help(help));
    }

    /// Adds a stage, and gives the level that it ends at.
    fn stage(
        &mut self,
        level: u64,
        stage: &scenario::Stage,
        load: &scenario::Load,
        course: &mut Course,
    ) -> u64 {
        let to = stage.to.as_ref().map_or(level, |to| self.level(to, load.max.as_ref()));
        match &stage.length {
            Length::Linear(time) => {
                let span = self.phase(time.value, time.span);
                course.curve.push(level, to, span, Form::Straight);
            }
            Length::Doubling(time) => {
                let each = self.interval(time.value, time.span);
                let span = self.doublings(level, to, each, stage.to.as_ref(), time.span);
                course.curve.push(level, to, span, Form::Doubling);
            }
            Length::Held(time) => {
                let span = self.phase(time.value, time.span);
                self.climb(level, to, span, load, course);
            }
        }
        to
    }

    /// At once to a level, or as fast as connections may be opened; then held.
    fn climb(
        &mut self,
        before: u64,
        level: u64,
        span: Nanos,
        load: &scenario::Load,
        course: &mut Course,
    ) {
        // Of a rate the connections are opened at that pace, not the arrivals.
        let closed = matches!(load.level.value, Amount::Connections(_));
        let place = load.level.span;
        let ramp = match load.open.filter(|_| closed) {
            Some(Pace { count, every }) if level > before => {
                let every = self.interval(every, place);
                let opens = u128::from((level - before) / SESSION);
                let time = u128::from(every.0) * opens / u128::from(self.count(count).max(1));
                Nanos(u64::try_from(time).unwrap_or(u64::MAX)).min(span)
            }
            _ => Nanos::ZERO,
        };
        if ramp > Nanos::ZERO {
            course.curve.push(before, level, ramp, Form::Straight);
        }
        course.curve.push(level, level, span.since(ramp), Form::Straight);
    }

    /// How long a level takes to another, when it doubles, or halves, in `each`.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "rounded; the cast saturates, and what is too long is told"
    )]
    fn doublings(
        &mut self,
        level: u64,
        to: u64,
        each: Nanos,
        place: Option<&Spanned<Amount>>,
        time: Span,
    ) -> Nanos {
        if level == 0 || to == 0 {
            if let Some(place) = place.filter(|_| to == 0) {
                let help = "end with a 'linear' stage to 0, or with 'step: 0'";
                let what = "nothing is never reached by halving";
                self.add(Diagnostic::new(place.span, what, "a level above 0").help(help));
            }
            return each;
        }
        let doublings = (to as f64 / level as f64).log2().abs();
        let span = Nanos((doublings * each.0 as f64).round() as u64);
        self.bounded_run(span, time);
        span
    }

    /// A level in thousandths, on this scale, and within what the file allows.
    pub(super) fn level(&mut self, amount: &Spanned<Amount>, max: Option<&Spanned<u64>>) -> u64 {
        match amount.value {
            Amount::Connections(count) => {
                let wanted = Spanned::new(count, amount.span);
                u64::from(self.cut(&wanted, max)) * SESSION
            }
            Amount::Rate(rate) if rate.milli_per_s == 0 => 0,
            Amount::Rate(rate) => self.rate(&Spanned::new(rate, amount.span)).milli_per_s,
        }
    }

    /// The phase with this name, which several workloads may share.
    pub(super) fn phase_named(&mut self, name: &Spanned<String>) -> Phase {
        if TAKEN.contains(&name.value.as_str()) {
            let what = format!("'{}' is the name of a phase that every run has", name.value);
            let diagnostic = Diagnostic::new(name.span, what, "a name of its own");
            self.add(diagnostic.help("call it by what is done: ramp-up, peak, recovery"));
            return Phase::Load;
        }
        let known = self.plan.named.iter().position(|named| *named == name.value);
        let index = known.map_or_else(
            || {
                self.plan.named.push(name.value.clone());
                next(&self.plan.named) - 1
            },
            |at| u16::try_from(at).unwrap_or(u16::MAX),
        );
        if self.plan.named.len() == NAMES_MAX + 1 && known.is_none() {
            let what = format!("more than {NAMES_MAX} names of stages and levels");
            let help = "give the same name to stages that belong together, or none";
            self.add(Diagnostic::new(name.span, what, format!("at most {NAMES_MAX}")).help(help));
        }
        Phase::Named(u8::try_from(index).unwrap_or(u8::MAX))
    }
}
