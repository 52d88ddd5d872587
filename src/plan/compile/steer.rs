//! Loads whose level is found out while the run is on: searches and adaptive ones.

use super::Compiler;
use super::load::Compiled;
use crate::plan::curve::SESSION;
use crate::plan::steer::{Goal, Steer};
use crate::plan::{Curve, Until};
use crate::scenario::{self, Adapt, Amount, Bound, Diagnostic, Quantity, Search, Shape, Spanned};
use crate::stdx::Nanos;
use crate::stdx::units::Rate;

/// What is measured while the run is on is measured second by second.
const SECOND: Nanos = Nanos::from_secs(1);

/// A trial that decides nothing is repeated, at most so many times as long.
const LONGER: u64 = 4;

/// How long a search may last, when each trial has to be repeated until it is as long as it may be.
/// Trials begin and end with the seconds of the run, and settle through one of them at least; one
/// more is for a target or a host that is late.
fn longest(trial: Nanos, settle: Nanos, max_trials: u32) -> Nanos {
    let whole = |time: Nanos| Nanos(time.0.div_ceil(SECOND.0).max(1).saturating_mul(SECOND.0));
    let trial = whole(trial).0.saturating_mul(LONGER);
    let each = whole(settle).0.saturating_add(trial).saturating_add(SECOND.0);
    Nanos(each.saturating_mul(u64::from(max_trials)))
}

impl Compiler<'_> {
    pub(super) fn search(&mut self, load: &scenario::Load, search: &Search) -> Compiled {
        let place = load.level.span;
        let trial = self.interval(search.trial, place).max(SECOND);
        let settle = self.interval(search.settle, place);
        let slo = search.slo.iter().map(|threshold| threshold.value.clone()).collect();
        let max_trials = u32::try_from(search.max_trials).unwrap_or(u32::MAX);
        let longest = longest(trial, settle, max_trials);
        let resolution = search.resolution;
        let goal = Goal::Search { slo, trial, settle, resolution, max_trials };
        self.steered(load, &search.to, goal, longest)
    }

    /// What levels are steered by is checked when all that it may name is there.
    pub(super) fn steering_thresholds(&mut self) {
        let loads = self.scenario.workloads.iter().filter_map(|it| it.value.load.as_ref());
        for load in loads {
            match &load.shape {
                Shape::Search(search) => {
                    search.slo.iter().for_each(|threshold| self.check_threshold(threshold));
                }
                Shape::Adapt(adapt) => {
                    if let scenario::Goal::Keep(threshold) = &adapt.goal {
                        self.check_threshold(threshold);
                    }
                }
                Shape::Constant(_) | Shape::Stages(_) => {}
            }
        }
    }

    pub(super) fn adapt(&mut self, load: &scenario::Load, adapt: &Adapt) -> Compiled {
        let place = adapt.length.span;
        let longest = self.phase(adapt.length.value, place);
        let every = self.interval(adapt.every, place).max(SECOND);
        let step = self.in_units(&adapt.step, None).max(1);
        let goal = match &adapt.goal {
            scenario::Goal::Keep(threshold) => {
                let target = self.target_time(threshold);
                Goal::Keep { threshold: Box::new(threshold.value.clone()), target, step, every }
            }
            scenario::Goal::Ramp { slow_above, stop_above } => {
                Goal::Ramp { slow_above: slow_above.value, stop_above: *stop_above, step, every }
            }
        };
        self.steered(load, &adapt.to, goal, longest)
    }

    /// The response time that is to be kept.
    fn target_time(&mut self, threshold: &Spanned<scenario::Threshold>) -> Nanos {
        if let Bound::Fixed(Quantity::Time(time)) = threshold.value.bound {
            return time;
        }
        let expected = "a time below a fixed one, such as http_req_duration p(95) < 200ms";
        self.add(Diagnostic::new(threshold.span, "a level cannot keep this", expected));
        SECOND
    }

    /// A level in sessions, or in thousandths of an arrival a second.
    fn in_units(&mut self, amount: &Spanned<Amount>, max: Option<&Spanned<u64>>) -> u64 {
        let level = self.level(amount, max);
        match amount.value {
            Amount::Connections(_) => level / SESSION,
            Amount::Rate(_) => level,
        }
    }

    fn steered(
        &mut self,
        load: &scenario::Load,
        to: &Spanned<Amount>,
        goal: Goal,
        longest: Nanos,
    ) -> Compiled {
        let max = load.max.as_ref();
        let (from, most) = (self.in_units(&load.level, None), self.in_units(to, max));
        let first = self.level(&load.level, None);
        let (kind, sessions) = match load.level.value {
            Amount::Connections(_) => self.closed(most),
            Amount::Rate(_) => self.open(Rate { milli_per_s: most }, load),
        };
        let constant = self.at_level(load, kind, sessions);
        Compiled {
            levels: Some(Curve::constant(first)),
            until: Until::Elapsed(longest),
            steer: Some(Steer { goal, from, to: most }),
            opening: self.opening(load),
            ..constant
        }
    }
}
