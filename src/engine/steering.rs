//! Loads whose level is found out while the run is on: asks what to do next, second by second.
//!
//! What to do is decided by pure objects ([`crate::verdict::search`],
//! [`crate::verdict::controller`]); here they are given what was measured, and their answers become
//! levels for the shards.

use super::limits::LEVEL_LEAD;
use super::outcome::{Searched, TrialRow};
use crate::metrics::{Delta, Trend};
use crate::plan::curve::SESSION;
use crate::plan::steer::{Goal, Steer};
use crate::plan::{Load, Phase, Plan, Threshold};
use crate::stdx::Nanos;
use crate::verdict::controller::{Decision, Keep, KeepSpec, Observation, Ramp, RampSpec};
use crate::verdict::interval::{self, Outcome as Held};
use crate::verdict::measured::Recorded;
use crate::verdict::search::{self, Search, Spec, Step, Unit};
use crate::verdict::threshold::judge;
use crate::verdict::trust::{self, Totals, Verdict, Window};
use crate::verdict::usl::{self, Point};

/// Neighbouring response times are correlated, which makes their intervals too narrow: the search
/// repeats both ends before it believes them, and that is what guards against it.
const THIN: u64 = 1;

/// A second more or less makes no trial another.
const SLACK: Nanos = Nanos::from_millis(500);

/// Seconds end a little late; what is asked for is asked in whole ones.
const SECOND: u64 = 1_000_000_000;

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Action {
    /// The level of a workload is to be another, in thousandths of a session or an arrival a
    /// second.
    Level {
        /// The workload, by index.
        workload: usize,
        /// The level.
        level: u64,
        /// What to note on the timeline.
        what: String,
    },
    /// The load is over, for this reason.
    End(String),
}

/// Steers one workload.
#[derive(Debug)]
pub(super) struct Steering {
    workload: usize,
    unit: Unit,
    /// The level now, in `unit`.
    level: u64,
    pilot: Pilot,
    /// What was measured at this level so far, and for how long.
    seen: Delta,
    span: Nanos,
    windows: Vec<Window>,
    /// Connections at the end of the last second.
    connections: u64,
    /// Seconds that begin before are not of this level.
    from: Nanos,
    /// Whether it has said that the load is over.
    over: bool,
}

#[derive(Debug)]
enum Pilot {
    Search { search: Box<Search>, slo: Vec<Threshold>, rows: Vec<TrialRow>, length: Nanos },
    Keep { keep: Box<Keep>, threshold: Box<Threshold> },
    Ramp(Box<Ramp>),
}

impl Steering {
    /// Of the first workload of a plan whose level moves.
    ///
    /// # Errors
    /// A sentence, when there is nothing to search between its bounds.
    pub(super) fn of(plan: &Plan) -> Result<Option<Self>, String> {
        let steered = plan.workloads.iter().enumerate();
        let mut steered = steered.filter_map(|(index, it)| Some((index, it, it.steer.as_ref()?)));
        let Some((workload, named, steer)) = steered.next() else { return Ok(None) };
        let unit = match named.load {
            Load::Closed => Unit::Connections,
            Load::Open { .. } => Unit::MilliPerSecond,
        };
        let (pilot, settle) = pilot(steer, unit)?;
        let level = steer.from;
        Ok(Some(Self {
            workload,
            unit,
            level,
            pilot,
            seen: Delta::default(),
            span: Nanos::ZERO,
            windows: Vec::new(),
            connections: 0,
            from: named.start + settle,
            over: false,
        }))
    }

    /// Takes a second that all shards have delivered; it ended at `at`, since the start of the
    /// load.
    pub(super) fn second(
        &mut self,
        plan: &Plan,
        delta: &Delta,
        window: Window,
        (at, span): (Nanos, Nanos),
    ) -> Option<Action> {
        if self.over || at.since(span) + SLACK < self.from {
            return None;
        }
        self.seen.add(delta);
        self.span += span;
        self.windows.push(window);
        self.connections = delta.connections;
        let at = Nanos((at.0 + SLACK.0) / SECOND * SECOND);
        let action = match &self.pilot {
            Pilot::Search { length, .. } if self.span + SLACK < *length => None,
            Pilot::Search { .. } => Some(self.tried(plan, at)),
            Pilot::Keep { .. } | Pilot::Ramp(_) => self.piloted(plan, at),
        };
        self.over = matches!(action, Some(Action::End(_)));
        action
    }

    /// A trial is over: what it says, and what comes next.
    fn tried(&mut self, plan: &Plan, at: Nanos) -> Action {
        let row = self.row(plan);
        let (level, unit) = (self.level, self.unit);
        let Pilot::Search { search, rows, length, .. } = &mut self.pilot else {
            return Action::End("nothing is searched".to_owned());
        };
        search.observe(search::Observation {
            level,
            achieved: match unit {
                Unit::Connections => row.connections,
                Unit::MilliPerSecond => milli(row.throughput),
            },
            verdict: row.held,
            saturated_generator: row.saturated,
            samples: row.samples,
        });
        let said = row.sentence(unit);
        rows.push(row);
        match search.propose() {
            Step::Try { level, settle, length: next } => {
                *length = next;
                self.begin(level, at + LEVEL_LEAD + settle);
                let what = format!("{said}; next {}", unit.show(level));
                Action::Level { workload: self.workload, level: self.in_curve(level), what }
            }
            Step::Converged(found) => {
                Action::End(format!("{said}; the search is over: {} hold", unit.show(found.holds)))
            }
            Step::Doomed(why) => Action::End(format!("{said}; the search is over: {why}")),
        }
    }

    /// What was measured at the level.
    fn row(&self, plan: &Plan) -> TrialRow {
        let Pilot::Search { slo, .. } = &self.pilot else { unreachable!("only trials have rows") };
        let recorded = Recorded { plan, delta: &self.seen, span: self.span };
        let held = interval::trial(slo, &|measured| recorded.samples(measured), THIN);
        let judged = slo.iter().map(|it| judge(it, &|measured| recorded.samples(measured)));
        let judged: Vec<_> = judged.collect();
        let totals = Totals::default();
        let trust = trust::judge(&trust::load_of(plan), &self.windows, &totals);
        let seconds = self.span.as_secs_f64().max(1e-9);
        let ended: u64 = self.leaves(plan).map(|leaf| leaf.tally.ok).sum();
        TrialRow {
            level: self.level,
            from: self.from,
            span: self.span,
            throughput: ended as f64 / seconds,
            concurrency: self.seen.in_flight_ns as f64 / self.span.0.max(1) as f64,
            connections: self.connections,
            held,
            saturated: trust.verdict == Verdict::GeneratorSaturated,
            samples: judged.iter().map(|judged| judged.samples).min().unwrap_or(0),
            values: judged.iter().map(|judged| (judged.value, judged.unit)).collect(),
        }
    }

    fn leaves<'a>(&'a self, plan: &'a Plan) -> impl Iterator<Item = &'a crate::metrics::Leaf> {
        let workload = self.workload;
        let mine = plan.leaves(Phase::Load);
        let mine = mine.filter(move |(leaf, _)| usize::from(leaf.workload) == workload);
        mine.filter_map(|(_, id)| self.seen.get(id))
    }

    /// A controller is asked with what was measured since it was asked last.
    fn piloted(&mut self, plan: &Plan, at: Nanos) -> Option<Action> {
        let due = match &self.pilot {
            Pilot::Keep { keep, .. } => keep.is_due(at),
            Pilot::Ramp(ramp) => ramp.is_due(at),
            Pilot::Search { .. } => false,
        };
        if !due {
            return None;
        }
        let recorded = Recorded { plan, delta: &self.seen, span: self.span };
        let latency = match &self.pilot {
            Pilot::Keep { threshold, .. } => {
                let judged = judge(threshold, &|measured| recorded.samples(measured));
                judged.value.map(|ms| Nanos::from_micros(whole(ms * 1e3)))
            }
            _ => self.mean_response(plan),
        };
        let (ended, errors) = self.leaves(plan).fold((0, 0), |(ended, errors), leaf| {
            let failures = leaf.tally.failures();
            (ended + leaf.tally.ok + failures, errors + failures)
        });
        let seen = Observation { latency, operations: ended, errors, level: self.level };
        let decision = match &mut self.pilot {
            Pilot::Keep { keep, .. } => keep.next(at, &seen),
            Pilot::Ramp(ramp) => ramp.next(at, &seen),
            Pilot::Search { .. } => return None,
        };
        let before = self.level;
        match decision {
            Decision::Stop(why) => Some(Action::End(why)),
            Decision::Go(level) | Decision::Slow(level) | Decision::Hold(level) => {
                self.begin(level, at);
                let shown = latency.map_or_else(String::new, |it| format!(" (at {it})"));
                (level != before).then(|| Action::Level {
                    workload: self.workload,
                    level: self.in_curve(level),
                    what: format!("the level goes to {}{shown}", self.unit.show(level)),
                })
            }
        }
    }

    fn mean_response(&self, plan: &Plan) -> Option<Nanos> {
        let times = self.leaves(plan).map(|leaf| leaf.trend(Trend::Duration));
        let (sum, count) =
            times.fold((0, 0), |(sum, count), times| (sum + times.sum_ns(), count + times.count()));
        let mean = sum.checked_div(u128::from(count))?;
        u64::try_from(mean).ok().map(Nanos)
    }

    /// What is measured from `from` on is about `level`.
    fn begin(&mut self, level: u64, from: Nanos) {
        (self.level, self.from) = (level, from);
        (self.seen, self.span) = (Delta::default(), Nanos::ZERO);
        self.windows.clear();
    }

    const fn in_curve(&self, level: u64) -> u64 {
        match self.unit {
            Unit::Connections => level.saturating_mul(SESSION),
            Unit::MilliPerSecond => level,
        }
    }

    /// What a search has come to.
    pub(super) fn searched(self, seed: u64) -> Option<Searched> {
        let Pilot::Search { search, rows, .. } = self.pilot else { return None };
        let points = rows.iter().filter(|row| row.concurrency >= 1.0 && row.throughput > 0.0);
        let points: Vec<Point> = points
            .map(|row| Point { level: whole(row.concurrency), throughput: row.throughput })
            .collect();
        let step = search.propose();
        Some(Searched { unit: self.unit, step, rows, law: usl::fit(&points, seed) })
    }
}

fn pilot(steer: &Steer, unit: Unit) -> Result<(Pilot, Nanos), String> {
    let Steer { goal, from, to } = steer.clone();
    Ok(match goal {
        Goal::Search { slo, trial, settle, resolution, max_trials } => {
            let spec = Spec { unit, from, to, resolution, trial, settle, max_trials };
            let search = Box::new(Search::new(spec)?);
            (Pilot::Search { search, slo, rows: Vec::new(), length: trial }, settle)
        }
        Goal::Keep { threshold, target, step, every } => {
            let keep = Keep::new(KeepSpec { from, to, step, every, target }, Nanos::ZERO);
            (Pilot::Keep { keep: Box::new(keep), threshold }, Nanos::ZERO)
        }
        Goal::Ramp { slow_above, stop_above, step, every } => {
            let spec = RampSpec { from, to, step, every, slow_above, stop_above };
            (Pilot::Ramp(Box::new(Ramp::new(spec, Nanos::ZERO))), Nanos::ZERO)
        }
    })
}

impl TrialRow {
    fn sentence(&self, unit: Unit) -> String {
        let values = self.values.iter().map(|(value, unit)| match (value, *unit) {
            (None, _) => "no data".to_owned(),
            (Some(value), "ms") => format!("{value:.1} ms"),
            (Some(value), "share") => format!("{:.2} %", value * 100.0),
            (Some(value), unit) => format!("{value:.1}{unit}"),
        });
        let values = values.collect::<Vec<_>>().join(", ");
        let held = match (self.saturated, self.held) {
            (true, _) => "this generator was at its limit",
            (false, Held::Holds) => "holds",
            (false, Held::Broken) => "does not hold",
            (false, Held::Unclear) => "unclear",
        };
        format!("{}: {values}: {held}", unit.show(self.level))
    }
}

fn milli(number: f64) -> u64 {
    whole(number * 1e3)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "not negative; the cast saturates"
)]
fn whole(number: f64) -> u64 {
    number.round() as u64
}
