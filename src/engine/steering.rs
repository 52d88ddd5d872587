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

/// Seconds begin and end a little late, and a level that is ordered at the end of one is there
/// [`LEVEL_LEAD`] after it: so much of a second may be missing from what was asked for.
const SLACK: Nanos = Nanos::from_millis(100);

/// Without time to settle, the second in which the level changes is still not of the level.
const CHANGING: Nanos = Nanos::from_millis(500);

/// What is thought over so seldom can do without the second in which the level changes.
const SELDOM: Nanos = Nanos::from_secs(2);

/// A controller is asked at the end of a second, which comes a little late: its clock has whole
/// ones.
const SECOND: u64 = 1_000_000_000;

/// The share of the arrivals that were due and had to be begun: less is this generator's doing.
const ACHIEVED: f64 = 0.99;

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
    /// When the first second of this level began, once there is one.
    begun: Option<Nanos>,
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
        let (pilot, settle) = pilot(steer, unit, named.begins(plan.warmup))?;
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
            from: named.begins(plan.warmup) + settle,
            begun: None,
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
        let begins = at.since(span);
        if self.over || begins + SLACK < self.from {
            return None;
        }
        self.begun.get_or_insert(begins);
        self.seen.add(delta);
        self.span += span;
        self.windows.push(window);
        self.connections = delta.connections;
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
                self.begin(level, at + LEVEL_LEAD + settle.max(CHANGING));
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
        let seconds = self.span.as_secs_f64().max(1e-9);
        let ended: u64 = self.leaves(plan).map(|leaf| leaf.tally.ok).sum();
        TrialRow {
            level: self.level,
            from: self.begun.unwrap_or(self.from),
            span: self.span,
            throughput: ended as f64 / seconds,
            concurrency: self.seen.in_flight_ns as f64 / self.span.0.max(1) as f64,
            connections: self.connections.min(self.sessions()),
            held,
            saturated: self.is_ours(plan, held),
            samples: judged.iter().map(|judged| judged.samples).min().unwrap_or(0),
            values: judged.iter().map(|judged| (judged.value, judged.unit)).collect(),
        }
    }

    /// Sessions that are at work at this level; of arrivals, as many as there are.
    const fn sessions(&self) -> u64 {
        match self.unit {
            Unit::Connections => self.level,
            Unit::MilliPerSecond => u64::MAX,
        }
    }

    /// Whether the answer is this generator's doing.
    ///
    /// What holds although we were late holds all the more, as long as all that was due was begun:
    /// response times count from when it was due.
    fn is_ours(&self, plan: &Plan, held: Held) -> bool {
        let trust = trust::judge(&trust::load_of(plan), &self.windows, &Totals::default());
        if trust.verdict != Verdict::GeneratorSaturated || held != Held::Holds {
            return trust.verdict == Verdict::GeneratorSaturated;
        }
        let achieved: f64 = self.windows.iter().map(|window| window.achieved).sum();
        achieved < ACHIEVED * self.windows.len() as f64
    }

    fn leaves<'a>(&'a self, plan: &'a Plan) -> impl Iterator<Item = &'a crate::metrics::Leaf> {
        let workload = self.workload;
        let mine = plan.leaves(Phase::Load);
        let mine = mine.filter(move |(leaf, _)| usize::from(leaf.workload) == workload);
        mine.filter_map(|(_, id)| self.seen.get(id))
    }

    /// A controller is asked with what was measured since it was asked last.
    fn piloted(&mut self, plan: &Plan, ended: Nanos) -> Option<Action> {
        let at = Nanos((ended.0 + SECOND / 2) / SECOND * SECOND);
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
        let (operations, errors) = self.leaves(plan).fold((0, 0), |(operations, errors), leaf| {
            let failures = leaf.tally.failures();
            (operations + leaf.tally.ok + failures, errors + failures)
        });
        let seen = Observation { latency, operations, errors, level: self.level };
        let decision = match &mut self.pilot {
            Pilot::Keep { keep, .. } => keep.next(at, &seen),
            Pilot::Ramp(ramp) => ramp.next(at, &seen),
            Pilot::Search { .. } => return None,
        };
        let before = self.level;
        match decision {
            Decision::Stop(why) => Some(Action::End(why)),
            Decision::Go(level) | Decision::Slow(level) | Decision::Hold(level) => {
                let settle =
                    if level != before && self.is_seldom() { CHANGING } else { Nanos::ZERO };
                self.begin(level, ended + settle);
                let shown = latency.map_or_else(String::new, |it| format!(" (at {it})"));
                (level != before).then(|| Action::Level {
                    workload: self.workload,
                    level: self.in_curve(level),
                    what: format!("the level goes to {}{shown}", self.unit.show(level)),
                })
            }
        }
    }

    /// Whether a controller is asked so seldom that a second without measurement is no loss.
    fn is_seldom(&self) -> bool {
        match &self.pilot {
            Pilot::Search { .. } => true,
            Pilot::Keep { keep, .. } => keep.every() >= SELDOM,
            Pilot::Ramp(ramp) => ramp.every() >= SELDOM,
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
        (self.level, self.from, self.begun) = (level, from, None);
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

fn pilot(steer: &Steer, unit: Unit, start: Nanos) -> Result<(Pilot, Nanos), String> {
    let Steer { goal, from, to } = steer.clone();
    Ok(match goal {
        Goal::Search { slo, trial, settle, resolution, max_trials } => {
            let spec = Spec { unit, from, to, resolution, trial, settle, max_trials };
            let search = Box::new(Search::new(spec)?);
            (Pilot::Search { search, slo, rows: Vec::new(), length: trial }, settle)
        }
        Goal::Keep { threshold, target, step, every } => {
            let keep = Keep::new(KeepSpec { from, to, step, every, target }, start);
            (Pilot::Keep { keep: Box::new(keep), threshold }, Nanos::ZERO)
        }
        Goal::Ramp { slow_above, stop_above, step, every } => {
            let spec = RampSpec { from, to, step, every, slow_above, stop_above };
            (Pilot::Ramp(Box::new(Ramp::new(spec, start))), Nanos::ZERO)
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
