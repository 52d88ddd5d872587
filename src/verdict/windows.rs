//! Thresholds that are judged while the run is on: over windows, for a while, or to end it.

use std::borrow::Cow;
use std::collections::VecDeque;

use super::measured::Recorded;
use super::threshold::{Judged, Samples, judge};
use crate::metrics::Delta;
use crate::plan::{Plan, Threshold};
use crate::scenario::{Bound, Comparison, Measured};
use crate::stdx::Nanos;

/// Steps of a window, at most: it moves on by one of them, and memory is bounded.
const STEPS: u64 = 30;

/// A second more or less makes no window another.
const SLACK: Nanos = Nanos::from_millis(500);

/// Judges the thresholds of a plan, second by second.
#[derive(Debug, Default)]
pub struct Windows {
    watches: Vec<Option<Watch>>,
}

/// What is kept of one threshold.
#[derive(Debug)]
struct Watch {
    threshold: Threshold,
    /// Newest last. Without a window all of the run is in one.
    steps: VecDeque<Step>,
    /// Since when each window has missed.
    failing_since: Option<Nanos>,
    /// The end of the window that made it missed.
    missed_at: Option<Nanos>,
    worst: Option<Judged>,
    /// Of the last window, for what has no value.
    last: Option<Judged>,
}

/// A part of a window.
#[derive(Debug, Default)]
struct Step {
    span: Nanos,
    /// Of the measured number, then of the one that it is compared with.
    samples: Vec<Result<Samples<'static>, String>>,
}

impl Windows {
    /// Those of a plan that cannot be judged at its end alone.
    #[must_use]
    pub fn new(plan: &Plan) -> Self {
        let watch = |threshold: &Threshold| {
            let Threshold { over, lasting, abort, .. } = threshold;
            (over.is_some() || lasting.is_some() || *abort).then(|| Watch::new(threshold.clone()))
        };
        Self { watches: plan.thresholds.iter().map(watch).collect() }
    }

    /// Takes what all shards recorded in the second that ended at `at`, since the start of the
    /// load; none of the warm-up.
    pub fn second(&mut self, plan: &Plan, delta: &Delta, at: Nanos, span: Nanos) {
        let recorded = Recorded { plan, delta, span };
        self.watches.iter_mut().flatten().for_each(|watch| watch.take(&recorded, at));
    }

    /// A threshold that is to end the run, and when and why; the first in the plan's order.
    #[must_use]
    pub fn abort(&self) -> Option<(Nanos, String)> {
        let missed = self.watches.iter().flatten().filter(|watch| watch.threshold.abort);
        missed.filter_map(|watch| Some((watch.missed_at?, watch.sentence()))).next()
    }

    /// One for each threshold of the plan; none where the whole run is to be judged.
    #[must_use]
    pub fn judged(&self) -> Vec<Option<Judged>> {
        self.watches.iter().map(|watch| watch.as_ref().and_then(Watch::judged)).collect()
    }
}

impl Watch {
    const fn new(threshold: Threshold) -> Self {
        Self {
            threshold,
            steps: VecDeque::new(),
            failing_since: None,
            missed_at: None,
            worst: None,
            last: None,
        }
    }

    fn take(&mut self, recorded: &Recorded<'_>, at: Nanos) {
        self.keep(recorded);
        let covered = self.steps.iter().fold(Nanos::ZERO, |sum, step| sum + step.span);
        if self.threshold.over.is_some_and(|over| covered + SLACK < over) {
            return;
        }
        let judged = judge(&self.threshold, &|measured| self.sum(measured));
        if judged.value.is_some() && judged.reason.is_none() {
            self.heed(&judged, at);
        } else {
            // Without data nothing is known to be wrong.
            self.failing_since = None;
        }
        self.last = Some(judged);
    }

    /// Puts a second into the newest step, or begins another, and drops what is too old.
    fn keep(&mut self, recorded: &Recorded<'_>) {
        let longest = self.threshold.over.map_or(Nanos::MAX, |over| Nanos(over.0 / STEPS));
        let full = self.steps.back().is_none_or(|step| step.span + SLACK > longest);
        if full {
            self.steps.push_back(Step::default());
        }
        let wanted = wanted(&self.threshold);
        if let Some(step) = self.steps.back_mut() {
            step.span += recorded.span;
            let found = wanted.map(|measured| recorded.samples(measured).map(owned));
            step.samples = match std::mem::take(&mut step.samples) {
                none if none.is_empty() => found.collect(),
                some => some.into_iter().zip(found).map(|(sum, more)| both(sum, more)).collect(),
            };
        }
        let Some(over) = self.threshold.over else { return };
        let mut covered = self.steps.iter().fold(Nanos::ZERO, |sum, step| sum + step.span);
        while let Some(oldest) = self.steps.front()
            && covered.since(oldest.span) + SLACK >= over
        {
            covered = covered.since(oldest.span);
            self.steps.pop_front();
        }
    }

    /// All of the window.
    fn sum(&self, measured: &Measured) -> Result<Samples<'static>, String> {
        let index = wanted(&self.threshold).position(|wanted| wanted == measured).unwrap_or(0);
        let parts = self.steps.iter().filter_map(|step| step.samples.get(index).cloned());
        parts.reduce(both).unwrap_or_else(|| Err("nothing was measured".to_owned()))
    }

    fn heed(&mut self, judged: &Judged, at: Nanos) {
        if judged.passed {
            self.failing_since = None;
        } else {
            let since = *self.failing_since.get_or_insert(at);
            let lasting = self.threshold.lasting.unwrap_or(Nanos::ZERO);
            if at.since(since) + SLACK >= lasting {
                self.missed_at.get_or_insert(at);
            }
        }
        let worse = self.worst.as_ref().is_none_or(|worst| {
            let (value, worst) = (judged.value.unwrap_or(0.0), worst.value.unwrap_or(0.0));
            match self.threshold.comparison {
                Comparison::Less | Comparison::AtMost => value > worst,
                Comparison::More | Comparison::AtLeast => value < worst,
                Comparison::Equal | Comparison::NotEqual => !judged.passed,
            }
        });
        if worse {
            self.worst = Some(judged.clone());
        }
    }

    fn judged(&self) -> Option<Judged> {
        let missed = self.missed_at.is_some();
        if self.threshold.over.is_none() && self.threshold.lasting.is_none() && !missed {
            return None;
        }
        let Some(worst) = &self.worst else {
            return Some(self.last.clone().unwrap_or_else(|| self.not_judged()));
        };
        let reason = match (missed, self.threshold.lasting) {
            (false, Some(lasting)) if !worst.passed => {
                Some(format!("missed at times, but not for {lasting}"))
            }
            _ => None,
        };
        Some(Judged { passed: !missed, reason, ..worst.clone() })
    }

    /// A trial that is shorter than a window says nothing about it.
    fn not_judged(&self) -> Judged {
        let over = self.threshold.over.unwrap_or(Nanos::ZERO);
        let reason = Some(format!("not judged: the run was shorter than its window of {over}"));
        Judged { passed: true, value: None, unit: "", limit: None, samples: 0, reason }
    }

    fn sentence(&self) -> String {
        let value = self.worst.as_ref().and_then(|worst| worst.value).unwrap_or(0.0);
        let worst = match self.worst.as_ref().map_or("", |worst| worst.unit) {
            "ms" => format!("{value:.3} ms"),
            "share" => format!("{:.2} %", value * 100.0),
            "/s" => format!("{value:.1}/s"),
            _ => format!("{value}"),
        };
        format!("a threshold ended the run: {} (worst {worst})", self.threshold.text)
    }
}

/// What a threshold is made of.
fn wanted(threshold: &Threshold) -> impl Iterator<Item = &Measured> {
    let other = match &threshold.bound {
        Bound::Relative { measured, .. } => Some(measured),
        Bound::Fixed(_) => None,
    };
    std::iter::once(&threshold.measured).chain(other)
}

fn owned(samples: Samples<'_>) -> Samples<'static> {
    match samples {
        Samples::Times(times) => Samples::Times(Cow::Owned(times.into_owned())),
        Samples::Count(count, span) => Samples::Count(count, span),
        Samples::Share(so, not) => Samples::Share(so, not),
        Samples::Level(level) => Samples::Level(level),
    }
}

type Found = Result<Samples<'static>, String>;

/// The sum of two of the same kind.
fn both(sum: Found, more: Found) -> Found {
    Ok(match (sum?, more?) {
        (Samples::Times(mut sum), Samples::Times(more)) => {
            sum.to_mut().add(&more);
            Samples::Times(sum)
        }
        (Samples::Count(sum, span), Samples::Count(more, longer)) => {
            Samples::Count(sum + more, span + longer)
        }
        (Samples::Share(so, not), Samples::Share(more_so, more_not)) => {
            Samples::Share(so + more_so, not + more_not)
        }
        // Of one metric both are of one kind; a level is what it was last.
        (_, last) => last,
    })
}
