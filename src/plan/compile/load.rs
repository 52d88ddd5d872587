//! Loads: sessions, arrivals, how long, how connections are opened.

use super::Compiler;
use super::course::Course;
use crate::plan::curve::SESSION;
use crate::plan::steer::Steer;
use crate::plan::{Curve, Load, Opening, Pacing, Spacing, Stage, Until};
use crate::scenario::{self, Amount, Arrivals, Diagnostic, Shape, Span, Spanned};
use crate::stdx::Nanos;
use crate::stdx::units::Rate;

/// Sessions of an open load that says nothing of them, at most: more must be asked for.
const SESSIONS_MAX: u64 = 10_000;

/// A load as the plan has it.
pub(super) struct Compiled {
    pub(super) load: Load,
    pub(super) sessions: u32,
    pub(super) levels: Option<Curve>,
    pub(super) spacing: Spacing,
    pub(super) pacing: Pacing,
    pub(super) stages: Vec<Stage>,
    pub(super) steer: Option<Steer>,
    pub(super) until: Until,
    pub(super) opening: Option<Opening>,
    /// Where the number of sessions stands.
    pub(super) place: Span,
}

impl Compiler<'_> {
    pub(super) fn load(&mut self, load: &scenario::Load) -> Option<Compiled> {
        match &load.shape {
            Shape::Constant(span) => Some(self.steady(load, span)),
            Shape::Stages(_) => {
                let mut course = Course::new();
                self.run_along(load, None, &mut course);
                Some(self.along(&course.finished(), &[load]))
            }
            Shape::Search(search) => Some(self.search(load, search)),
            Shape::Adapt(adapt) => Some(self.adapt(load, adapt)),
        }
    }

    /// A level that stays.
    fn steady(&mut self, load: &scenario::Load, span: &Spanned<Nanos>) -> Compiled {
        let until = Until::Elapsed(self.phase(span.value, span.span));
        let opening = self.opening(load);
        let max = load.max.as_ref();
        let (kind, sessions) = match load.level.value {
            Amount::Connections(count) => {
                let wanted = Spanned::new(count, load.level.span);
                (Load::Closed, self.cut(&wanted, max))
            }
            Amount::Rate(rate) => {
                let rate = self.rate(&Spanned::new(rate, load.level.span));
                self.open(rate, load)
            }
        };
        Compiled { until, opening, ..self.at_level(load, kind, sessions) }
    }

    /// How fast connections are opened, if that is said.
    pub(super) fn opening(&mut self, load: &scenario::Load) -> Option<Opening> {
        load.open.map(|pace| Opening::Paced {
            count: self.count(pace.count),
            every: self.interval(pace.every, load.level.span),
        })
    }

    /// A load that stays at its level for no time yet.
    pub(super) fn at_level(&self, load: &scenario::Load, kind: Load, sessions: u32) -> Compiled {
        Compiled {
            load: kind,
            sessions,
            levels: None,
            spacing: spacing(load),
            pacing: load.pacing,
            stages: Vec::new(),
            steer: None,
            until: Until::Elapsed(Nanos::ZERO),
            opening: None,
            place: load.max.as_ref().map_or(load.level.span, |max| max.span),
        }
    }

    /// So many sessions, each of which does the next when one ends.
    pub(super) fn closed(&self, sessions: u64) -> (Load, u32) {
        (Load::Closed, u32::try_from(sessions).unwrap_or(u32::MAX))
    }

    /// A level that changes as `course` says, made of these loads, of which there is at least one.
    pub(super) fn along(&mut self, course: &Course, loads: &[&scenario::Load]) -> Compiled {
        let Course { curve, stages } = course;
        let highest = curve.highest();
        // What is said once is meant for all.
        let said = |has: fn(&scenario::Load) -> bool| loads.iter().copied().find(|load| has(load));
        let first = loads[0];
        let (kind, sessions) = match first.level.value {
            Amount::Connections(_) => {
                (Load::Closed, u32::try_from(highest / SESSION).unwrap_or(u32::MAX))
            }
            Amount::Rate(_) => {
                let patient = said(|load| load.patience.is_some()).unwrap_or(first);
                let limited = said(|load| load.max.is_some()).unwrap_or(patient);
                let (kind, _) = self.open(Rate { milli_per_s: highest }, patient);
                (kind, self.open(Rate { milli_per_s: highest }, limited).1)
            }
        };
        let paced = said(|load| load.open.is_some()).filter(|_| kind != Load::Closed);
        let spaced = said(|load| load.arrivals.value != Arrivals::Even);
        let place = said(|load| load.max.is_some()).and_then(|load| load.max.as_ref());
        Compiled {
            load: kind,
            sessions,
            levels: Some(curve.clone()),
            spacing: spacing(spaced.unwrap_or(first)),
            pacing: said(|load| load.pacing != Pacing::Timed).unwrap_or(first).pacing,
            stages: stages.clone(),
            steer: None,
            until: Until::Elapsed(curve.end()),
            // A closed load's pace is in its curve.
            opening: paced.and_then(|load| self.opening(load)),
            place: place.map_or(first.level.span, |max| max.span),
        }
    }

    /// Connections, cut to the most that the file allows.
    pub(super) fn cut(&mut self, wanted: &Spanned<u64>, max: Option<&Spanned<u64>>) -> u32 {
        let Some(max) = max.filter(|max| wanted.value > max.value) else {
            return self.count(wanted.value);
        };
        let what = format!("{} connections are cut to {}", wanted.value, max.value);
        let expected = format!("at most {} by 'max'", max.value);
        let help = format!("raise it to have them all: max: {}", wanted.value);
        let warning = Diagnostic::new(wanted.span, what, expected).also(max.span, "the limit");
        self.warnings.add(warning.help(help).warning());
        self.count(max.value)
    }

    /// Arrivals, and the sessions that carry them out: by Little's law there are rate × timeout
    /// of them at once at most, when each takes as long as it may.
    pub(super) fn open(&mut self, rate: Rate, load: &scenario::Load) -> (Load, u32) {
        let patience = load.patience.as_ref().map(|it| self.within_timeouts(it));
        let patience = self.options.patience.or(patience).unwrap_or(self.plan.timeout);
        let sessions = match &load.max {
            Some(max) => self.count(max.value),
            None => little(rate, self.plan.timeout),
        };
        (Load::Open { rate, patience }, sessions)
    }
}

fn spacing(load: &scenario::Load) -> Spacing {
    match load.arrivals.value {
        Arrivals::Even => Spacing::Even,
        Arrivals::Poisson => Spacing::Poisson,
    }
}

fn little(rate: Rate, time: Nanos) -> u32 {
    let at_once = u128::from(rate.milli_per_s) * u128::from(time.0) / 1_000_000_000_000;
    u32::try_from(at_once.clamp(1, u128::from(SESSIONS_MAX))).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::{Nanos, Rate, little};

    #[test]
    fn sessions_by_littles_law() {
        let thirty = Nanos::from_secs(30);
        assert_eq!(little(Rate { milli_per_s: 10_000 }, thirty), 300);
        assert_eq!(little(Rate { milli_per_s: 1 }, thirty), 1);
        assert_eq!(little(Rate { milli_per_s: 5_000_000 }, thirty), 10_000);
    }
}
