// Long: the search, and beside it the simulated systems that prove it.

//! The search for a capacity: the highest level at which what was asked for still holds.
//!
//! A pure object: [`Search::propose`] says what to try, [`Search::observe`] takes what came of it.
//! Levels double from the lowest on until one does not hold; then the gap is halved until it is as
//! narrow as asked for. Both ends are repeated before they are believed, from a state in which the
//! target was well: a target that is slow to recover breaks at levels that it can bear.
//!
//! Each answer is a pure function of the trials so far, so the same trials give the same search.

use super::interval::Outcome;
use crate::stdx::Nanos;

/// What levels count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Connections.
    Connections,
    /// Thousandths of an arrival a second.
    MilliPerSecond,
}

impl Unit {
    /// A level as people read it.
    #[must_use]
    pub fn show(self, level: u64) -> String {
        let s = if level == 1 { "" } else { "s" };
        match self {
            Self::Connections => format!("{level} connection{s}"),
            Self::MilliPerSecond if level.is_multiple_of(1_000) => format!("{}/s", level / 1_000),
            Self::MilliPerSecond => format!("{}.{:03}/s", level / 1_000, level % 1_000),
        }
    }
}

/// What to search, and how. Levels are in `unit`.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    /// What levels count.
    pub unit: Unit,
    /// The lowest level, tried first; more than 0.
    pub from: u64,
    /// The highest level that is tried; not below `from`.
    pub to: u64,
    /// How narrow the gap between what holds and what breaks must become, as a share of what holds;
    /// above 0, at most 1. Gaps of one unit are narrow enough in any case.
    pub resolution: f64,
    /// How long a trial lasts, after its settling; what is unclear is tried up to four times as
    /// long.
    pub trial: Nanos,
    /// How long the target settles at a level before it is measured.
    pub settle: Nanos,
    /// Most trials, 1 to [`TRIALS_MAX`].
    pub max_trials: u32,
}

/// Trials of a search, at most: each is kept with its numbers.
pub const TRIALS_MAX: u32 = 1_000;

/// Trials at one level that decide nothing, each twice as long as the one before.
const UNCLEAR_MAX: u32 = 3;
/// Trials that decide, at one level, before a tie stays one.
const REPEATS_MAX: u32 = 7;
/// Trials by which one answer leads before an end of the gap is believed: two that agree, three of
/// four.
const LEAD: u32 = 2;

/// What came of a trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Observation {
    /// The level that was tried.
    pub level: u64,
    /// What was reached, in the same unit.
    pub achieved: u64,
    /// Whether what was asked for held.
    pub verdict: Outcome,
    /// Whether the load generator itself was the bottleneck: then the verdict is none.
    pub saturated_generator: bool,
    /// On how many samples the verdict rests.
    pub samples: u64,
}

/// A trial, as it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trial {
    /// What came of it.
    pub observation: Observation,
    /// How long it was to last, after its settling.
    pub length: Nanos,
    /// Whether the trial before it broke, so that the target may not have been well.
    pub after_break: bool,
}

/// What to do next.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Try a level.
    Try {
        /// The level.
        level: u64,
        /// How long to wait there before measuring.
        settle: Nanos,
        /// How long to measure.
        length: Nanos,
    },
    /// The search is over, with a capacity.
    Converged(Found),
    /// The search is over, without one; a sentence says why.
    Doomed(String),
}

/// What keeps the capacity from being higher.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ceiling {
    /// The level above does not hold what was asked for.
    Broken,
    /// The generator is the bottleneck above: the target may bear more.
    Generator,
    /// The level above is too close to the limit to tell, even in the longest trial.
    Unclear,
    /// Nothing: the highest level that may be tried holds, or the trials ran out before one broke.
    None,
}

/// The capacity that was found. Levels are in the search's unit.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// From below: the highest level that held beneath the first that did not.
    pub holds: u64,
    /// What was reached there, on average over the trials that held, in the same unit.
    pub achieved: u64,
    /// From above: the lowest level above it that did not hold, whatever the reason.
    pub above: Option<u64>,
    /// Why that one did not.
    pub ceiling: Ceiling,
    /// Whether both ends were seen twice.
    pub confirmed: bool,
    /// Whether the trials ran out before the gap was narrow enough.
    pub exhausted: bool,
    /// What else there is to say, each a sentence.
    pub notes: Vec<String>,
    /// All trials, in order.
    pub trials: Vec<Trial>,
}

/// A search under way.
#[derive(Clone, Debug)]
pub struct Search {
    spec: Spec,
    trials: Vec<Trial>,
}

/// What the trials at one level amount to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Votes {
    level: u64,
    holds: u32,
    broken: u32,
    /// Of the broken ones, those that came when the target had been well.
    fresh: u32,
    saturated: u32,
    unclear: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Holds,
    Broken,
    Saturated,
    Unclear,
    /// Another trial is needed to tell.
    Open,
}

impl Search {
    /// A search that has tried nothing.
    ///
    /// # Errors
    /// A sentence, when there is nothing to search between the bounds of `spec`.
    pub fn new(spec: Spec) -> Result<Self, String> {
        let show = |level| spec.unit.show(level);
        if spec.from == 0 {
            return Err("a search begins above nothing: doubling 0 gives 0".to_owned());
        }
        if spec.to < spec.from {
            return Err(format!("from {} to {} is backwards", show(spec.from), show(spec.to)));
        }
        if !(spec.resolution > 0.0 && spec.resolution <= 1.0) {
            return Err(format!(
                "a resolution of {} is not above 0 and at most 1",
                spec.resolution
            ));
        }
        if spec.trial == Nanos::ZERO {
            return Err("a trial of no time measures nothing".to_owned());
        }
        if !(1..=TRIALS_MAX).contains(&spec.max_trials) {
            return Err(format!("{} trials are not 1 to {TRIALS_MAX}", spec.max_trials));
        }
        Ok(Self { spec, trials: Vec::new() })
    }

    /// The trials so far, in order.
    #[must_use]
    pub fn trials(&self) -> &[Trial] {
        &self.trials
    }

    /// Takes what came of a trial. What comes after the last trial that is allowed is ignored.
    pub fn observe(&mut self, observation: Observation) {
        if self.spent() {
            return;
        }
        let length = self.length(observation.level);
        let after_break = self.unwell();
        self.trials.push(Trial { observation, length, after_break });
    }

    /// What to do next. The same until something is observed.
    #[must_use]
    pub fn propose(&self) -> Step {
        let votes = self.votes();
        if votes.is_empty() {
            return self.attempt(self.spec.from);
        }
        if self.spent() {
            return self.conclude(&votes, true);
        }
        if let Some(open) = votes.iter().find(|each| each.standing() == Standing::Open) {
            return self.attempt(self.well_before(open, &votes));
        }
        let (below, above) = ends(&votes);
        if let Some(next) = self.between(below, above) {
            return self.attempt(next);
        }
        // The lower end first: its trial finds the target well, or leaves it well for the upper.
        if let Some(below) = below.filter(|each| !each.believed()) {
            return self.attempt(self.well_before(below, &votes));
        }
        if let Some(above) = above.filter(|each| !each.believed()) {
            let level = below.filter(|_| self.unwell()).map_or(above.level, |below| {
                // A lower end that broke from there as well needs one further down.
                self.well_before(below, &votes)
            });
            return self.attempt(level);
        }
        self.conclude(&votes, false)
    }

    fn attempt(&self, level: u64) -> Step {
        Step::Try { level, settle: self.spec.settle, length: self.length(level) }
    }

    /// How long a level is tried: twice as long for each trial there that did not decide.
    fn length(&self, level: u64) -> Nanos {
        let unclear = self.at(level).unclear.min(UNCLEAR_MAX - 1);
        Nanos(self.spec.trial.0.saturating_mul(1 << unclear))
    }

    fn spent(&self) -> bool {
        self.trials.len() >= self.spec.max_trials as usize
    }

    /// Whether the trial before was one that the target may still suffer from.
    fn unwell(&self) -> bool {
        self.trials.last().is_some_and(|trial| trial.observation.verdict == Outcome::Broken)
    }

    fn at(&self, level: u64) -> Votes {
        let mut votes = Votes { level, ..Votes::default() };
        self.trials
            .iter()
            .filter(|trial| trial.observation.level == level)
            .for_each(|trial| votes.add(trial));
        votes
    }

    /// All levels that were tried, the lowest first.
    fn votes(&self) -> Vec<Votes> {
        let mut levels: Vec<u64> =
            self.trials.iter().map(|trial| trial.observation.level).collect();
        levels.sort_unstable();
        levels.dedup();
        levels.into_iter().map(|level| self.at(level)).collect()
    }

    /// The level itself, or a lower one that lets the target recover: where the same level has held
    /// and has broken right after a break, the order of the trials matters.
    fn well_before(&self, wanted: &Votes, votes: &[Votes]) -> u64 {
        let torn = |each: &Votes| each.holds > 0 && each.broken > each.fresh;
        if !self.unwell() || !torn(wanted) {
            return wanted.level;
        }
        let lower = |each: &&Votes| each.level < wanted.level && each.standing() == Standing::Holds;
        let calm = votes.iter().filter(lower).filter(|each| !torn(each));
        let half = calm.clone().rfind(|each| each.level <= wanted.level / 2);
        let lowest = || votes.iter().find(lower);
        half.or_else(|| calm.clone().next()).or_else(lowest).map_or(wanted.level, |it| it.level)
    }

    /// The next level that was not tried, if the gap is not narrow enough yet.
    fn between(&self, below: Option<&Votes>, above: Option<&Votes>) -> Option<u64> {
        match (below?.level, above.map(|above| above.level)) {
            (below, None) if below >= self.spec.to => None,
            (below, None) => Some(below.saturating_mul(2).min(self.spec.to)),
            (below, Some(above)) => {
                let gap = above - below;
                let narrow = gap <= 1 || exact(gap) <= self.spec.resolution * exact(below);
                (!narrow).then_some(below + gap / 2)
            }
        }
    }

    fn conclude(&self, votes: &[Votes], exhausted: bool) -> Step {
        let (below, above) = ends(votes);
        let Some(below) = below else {
            return Step::Doomed(self.doom(above, exhausted));
        };
        let held: Vec<u64> = self.held_at(below.level);
        let sum: u128 = held.iter().map(|it| u128::from(*it)).sum();
        let mean = sum / (held.len().max(1) as u128);
        let ceiling = above.map_or(Ceiling::None, |above| match above.standing() {
            Standing::Broken | Standing::Holds => Ceiling::Broken,
            Standing::Saturated => Ceiling::Generator,
            Standing::Unclear | Standing::Open => Ceiling::Unclear,
        });
        let confirmed = below.agrees() && above.is_none_or(Votes::agrees);
        Step::Converged(Found {
            holds: below.level,
            achieved: u64::try_from(mean).unwrap_or(u64::MAX),
            above: above.map(|above| above.level),
            ceiling,
            confirmed,
            exhausted: exhausted && (!confirmed || self.between(Some(below), above).is_some()),
            notes: self.notes(votes, below, above, ceiling),
            trials: self.trials.clone(),
        })
    }

    /// What was reached in each trial of a level that held.
    fn held_at(&self, level: u64) -> Vec<u64> {
        let held = |trial: &&Trial| {
            let seen = &trial.observation;
            let holds = seen.verdict == Outcome::Holds && !seen.saturated_generator;
            seen.level == level && holds
        };
        self.trials.iter().filter(held).map(|trial| trial.observation.achieved).collect()
    }

    fn doom(&self, above: Option<&Votes>, exhausted: bool) -> String {
        let lowest = self.spec.unit.show(self.spec.from);
        match above.map(Votes::standing) {
            Some(Standing::Broken) => {
                format!("what was asked for does not hold at the lowest level, {lowest}")
            }
            Some(Standing::Saturated) => format!(
                "the load generator itself is the bottleneck at the lowest level, {lowest}: \
                 nothing is known of the target"
            ),
            Some(Standing::Unclear | Standing::Holds) if !exhausted => format!(
                "whether it holds at the lowest level, {lowest}, cannot be told even in trials of \
                 {}: make them longer, or the limit another one",
                self.length(self.spec.from)
            ),
            _ => format!("{} trials ended before a level held", self.trials.len()),
        }
    }

    fn notes(
        &self,
        votes: &[Votes],
        below: &Votes,
        above: Option<&Votes>,
        ceiling: Ceiling,
    ) -> Vec<String> {
        let show = |level| self.spec.unit.show(level);
        let mut notes = Vec::new();
        match (ceiling, above) {
            (Ceiling::Generator, Some(above)) => notes.push(format!(
                "the load generator was the bottleneck at {}: the target may bear more than {}",
                show(above.level),
                show(below.level)
            )),
            (Ceiling::Unclear, Some(above)) => notes.push(format!(
                "{} is too close to the limit to tell in trials of this length",
                show(above.level)
            )),
            (Ceiling::None, _) => {
                notes.push(format!("nothing broke up to {}: at least that", show(below.level)));
            }
            _ => {}
        }
        let higher = votes
            .iter()
            .rfind(|each| each.standing() == Standing::Holds && each.level > below.level);
        if let (Some(higher), Some(above)) = (higher, above) {
            notes.push(format!(
                "it held at {} although it did not at {}: more load was not always worse, and the \
                 figure is the one below the first break",
                show(higher.level),
                show(above.level)
            ));
        }
        let mut torn = votes.iter().filter(|each| each.holds > 0 && each.broken > 0);
        if let Some(first) = torn.next() {
            let last = torn.next_back().unwrap_or(first);
            let levels = if first.level == last.level {
                show(first.level)
            } else {
                format!("levels from {} to {}", show(first.level), show(last.level))
            };
            let late = votes.iter().any(|each| each.holds > 0 && each.broken > each.fresh);
            let why = if late {
                "after a break the target did not recover at once, or the answers are noisy"
            } else {
                "the answers are noisy there"
            };
            notes.push(format!("{levels} held and broke in different trials: {why}"));
        }
        notes
    }
}

impl Votes {
    fn add(&mut self, trial: &Trial) {
        if trial.observation.saturated_generator {
            self.saturated += 1;
            return;
        }
        match trial.observation.verdict {
            Outcome::Holds => self.holds += 1,
            Outcome::Broken => {
                self.broken += 1;
                self.fresh += u32::from(!trial.after_break);
            }
            Outcome::Unclear => self.unclear += 1,
        }
    }

    /// Breaks that count: those right after a break say nothing against a level that has held.
    const fn breaks(&self) -> u32 {
        if self.holds > 0 { self.fresh } else { self.broken }
    }

    const fn decided(&self) -> u32 {
        self.holds + self.broken + self.saturated
    }

    const fn standing(&self) -> Standing {
        let breaks = self.breaks();
        if self.holds > breaks && self.holds > self.saturated {
            Standing::Holds
        } else if breaks > self.holds && breaks > self.saturated {
            Standing::Broken
        } else if self.saturated > self.holds && self.saturated > breaks {
            Standing::Saturated
        } else if self.unclear >= UNCLEAR_MAX || self.decided() >= REPEATS_MAX {
            Standing::Unclear
        } else {
            Standing::Open
        }
    }

    /// Whether enough trials say the same, for a break one of them from a state that was well.
    const fn agrees(&self) -> bool {
        match self.standing() {
            Standing::Holds => self.holds >= self.breaks() + LEAD,
            Standing::Broken => self.broken >= self.holds + LEAD && self.fresh > 0,
            Standing::Saturated => self.saturated >= LEAD,
            Standing::Unclear => true,
            Standing::Open => false,
        }
    }

    /// Whether no further trial is worth its time.
    const fn believed(&self) -> bool {
        // The lowest level has none below it from which to come, so its breaks suffice.
        self.agrees() || self.unclear >= UNCLEAR_MAX || self.decided() >= REPEATS_MAX
    }
}

/// The first level that does not hold, and the highest that holds beneath it.
fn ends(votes: &[Votes]) -> (Option<&Votes>, Option<&Votes>) {
    let holds = |each: &Votes| each.standing() == Standing::Holds;
    let first = votes.iter().position(|each| !holds(each));
    let below = votes.get(..first.unwrap_or(votes.len())).and_then(<[Votes]>::last);
    (below, first.and_then(|first| votes.get(first)))
}

#[expect(clippy::cast_precision_loss, reason = "levels beyond 2^53 are not compared exactly")]
fn exact(level: u64) -> f64 {
    level as f64
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Ceiling, Found, Observation, Outcome, Search, Spec, Step, Unit};
    use crate::metrics::Histogram;
    use crate::stdx::Nanos;
    use crate::stdx::rng::Rng;
    use crate::verdict::interval::{below, quantile};

    const SEEDS: u64 = 500;

    fn spec() -> Spec {
        Spec {
            unit: Unit::Connections,
            from: 10,
            to: 100_000,
            resolution: 0.05,
            trial: Nanos::from_secs(10),
            settle: Nanos::from_secs(2),
            max_trials: 60,
        }
    }

    /// Runs a search to its end on what `system` answers; every step is bounded by the spec.
    fn run(spec: Spec, mut system: impl FnMut(u64, Nanos) -> (Outcome, bool)) -> (Step, Search) {
        let most = spec.max_trials as usize;
        let mut search = Search::new(spec).unwrap();
        loop {
            let step = search.propose();
            assert_eq!(step, search.propose(), "asking changes nothing");
            let Step::Try { level, length, settle } = step else { return (step, search) };
            assert!(search.trials().len() < most, "more trials than allowed");
            assert!((search.spec.from..=search.spec.to).contains(&level), "{level}");
            assert_eq!(settle, search.spec.settle);
            let (verdict, saturated_generator) = system(level, length);
            let samples = level * 10;
            let achieved = level;
            let seen = Observation { level, achieved, verdict, saturated_generator, samples };
            search.observe(seen);
        }
    }

    fn found(spec: Spec, system: impl FnMut(u64, Nanos) -> (Outcome, bool)) -> Found {
        match run(spec, system) {
            (Step::Converged(found), _) => found,
            (other, search) => panic!("{other:?} after {:?}", search.trials()),
        }
    }

    fn cliff(at: u64) -> impl FnMut(u64, Nanos) -> (Outcome, bool) {
        move |level, _| (if level <= at { Outcome::Holds } else { Outcome::Broken }, false)
    }

    fn unit(rng: &mut Rng) -> f64 {
        super::exact(rng.below(1 << 53)) / super::exact(1 << 53)
    }

    /// How many of the seeds find the capacity within the resolution, and in how many trials.
    fn hits(search: impl Fn(u64, &mut Rng) -> Step) -> (u64, usize) {
        let mut hits = 0;
        let mut trials = 0;
        for seed in 0..SEEDS {
            let mut rng = Rng::stream(seed, 0);
            let capacity = 20 + rng.below(50_000);
            let Step::Converged(found) = search(capacity, &mut rng) else { continue };
            trials += found.trials.len();
            let off = super::exact(found.holds.abs_diff(capacity)) / super::exact(capacity);
            hits += u64::from(off <= 0.05 || found.holds.abs_diff(capacity) <= 1);
        }
        (hits, trials / usize::try_from(SEEDS).unwrap())
    }

    #[test]
    fn a_cliff_is_found_always() {
        let (hits, trials) = hits(|capacity, _| {
            let found = found(spec(), cliff(capacity));
            assert!(found.holds <= capacity && found.above.is_some_and(|it| it > capacity));
            assert!(found.confirmed && !found.exhausted, "{found:?}");
            assert_eq!(found.ceiling, Ceiling::Broken);
            assert_eq!((found.achieved, found.notes.len()), (found.holds, 0));
            Step::Converged(found)
        });
        assert_eq!(hits, SEEDS);
        assert!(trials <= 22, "{trials} trials on average");
    }

    #[test]
    fn the_capacity_of_an_m_m_1_queue() {
        // Sojourn times are exponential with rate mu - lambda, so p95 = ln 20 / (mu - lambda)
        // (Kleinrock, "Queueing Systems" I, 3.2), and the limit lies at mu - ln 20 / limit.
        let (hits, trials) = hits(|capacity, rng| {
            let limit = 30.0;
            let mu = super::exact(capacity) + 20_f64.ln() / (limit / 1e3);
            run(spec(), |level, length| {
                let rate = mu - super::exact(level);
                if rate <= 0.0 {
                    return (Outcome::Broken, false);
                }
                let mut times = Histogram::new();
                for _ in 0..300 * (length.0 / 1_000_000_000) {
                    let seconds = -(1.0 - unit(rng)).ln() / rate;
                    times.record(Duration::from_secs_f64(seconds).into());
                }
                (below(quantile(&times, 0.95, 1), limit), false)
            })
            .0
        });
        assert!(hits * 100 >= SEEDS * 95, "{hits} of {SEEDS}, {trials} trials on average");
        assert!(trials <= 30, "{trials} trials on average");
    }

    #[test]
    fn a_target_that_recovers_late() {
        let (hits, trials) = hits(|capacity, _| {
            let mut ill = false;
            run(spec(), |level, _| {
                ill = if ill { level * 10 > capacity * 6 } else { level > capacity };
                (if ill { Outcome::Broken } else { Outcome::Holds }, false)
            })
            .0
        });
        assert!(hits * 100 >= SEEDS * 95, "{hits} of {SEEDS}, {trials} trials on average");
        assert!(trials <= 45, "{trials} trials on average");
    }

    #[test]
    fn answers_that_are_wrong_one_time_in_forty() {
        // A 95 % interval lies wholly on the wrong side of the limit at most so often.
        let (hits, trials) = hits(|capacity, rng| {
            run(spec(), |level, _| {
                let truth = level <= capacity;
                let verdict = match rng.below(1_000) {
                    0..25 if truth => Outcome::Broken,
                    0..25 => Outcome::Holds,
                    25..150 => Outcome::Unclear,
                    _ if truth => Outcome::Holds,
                    _ => Outcome::Broken,
                };
                (verdict, false)
            })
            .0
        });
        assert!(hits * 100 >= SEEDS * 95, "{hits} of {SEEDS}, {trials} trials on average");
        assert!(trials <= 35, "{trials} trials on average");
    }

    #[test]
    fn our_own_limit_is_a_lower_bound() {
        let limited = |level: u64, _| (Outcome::Broken, level > 700);
        let found = found(spec(), |level, length| match limited(level, length) {
            (_, false) => (Outcome::Holds, false),
            ours => ours,
        });
        assert_eq!(found.ceiling, Ceiling::Generator);
        assert!((665..=700).contains(&found.holds), "{found:?}");
        assert!(found.notes[0].contains("may bear more than"), "{:?}", found.notes);
        let (step, _) = run(spec(), |_, _| (Outcome::Holds, true));
        assert!(matches!(step, Step::Doomed(why) if why.contains("nothing is known")));
    }

    #[test]
    fn nothing_breaks_or_nothing_holds() {
        let found = found(spec(), |_, _| (Outcome::Holds, false));
        assert_eq!((found.holds, found.above, found.confirmed), (100_000, None, true));
        assert_eq!(found.notes, ["nothing broke up to 100000 connections: at least that"]);
        let (step, search) = run(spec(), |_, _| (Outcome::Broken, false));
        let why = "what was asked for does not hold at the lowest level, 10 connections";
        assert_eq!(step, Step::Doomed(why.to_owned()));
        assert_eq!(search.trials().len(), 2, "said once, and once more");
    }

    #[test]
    fn what_is_unclear_is_tried_longer() {
        let mut lengths = Vec::new();
        let found = found(spec(), |level, length| {
            let near = (950..1_050).contains(&level);
            if near {
                lengths.push((level, length.0 / 1_000_000_000));
            }
            let clear = if level < 1_000 { Outcome::Holds } else { Outcome::Broken };
            (if near && length < Nanos::from_secs(40) { Outcome::Unclear } else { clear }, false)
        });
        let first: Vec<u64> =
            lengths.iter().filter(|it| it.0 == lengths[0].0).map(|it| it.1).collect();
        assert_eq!(first[..3], [10, 20, 40], "{lengths:?}");
        assert!((950..1_000).contains(&found.holds), "{found:?}");
        let (step, search) = run(spec(), |_, _| (Outcome::Unclear, false));
        assert!(matches!(step, Step::Doomed(why) if why.contains("in trials of 40s")));
        assert_eq!(search.trials().len(), 3);
    }

    #[test]
    fn trials_that_run_out_say_so() {
        let brief = Spec { max_trials: 6, ..spec() };
        let early = found(brief, cliff(50_000));
        assert!(early.exhausted && !early.confirmed, "{early:?}");
        assert_eq!((early.holds, early.ceiling), (320, Ceiling::None));
        let (step, search) = run(Spec { max_trials: 1, ..spec() }, cliff(1));
        assert!(matches!(step, Step::Doomed(_)), "{step:?}");
        let mut done = search;
        done.observe(done.trials()[0].observation);
        assert_eq!(done.trials().len(), 1, "what comes late is ignored");
    }

    #[test]
    fn more_load_is_not_always_worse() {
        // Also a trial that nobody proposed counts, such as one of an earlier search.
        let mut search = Search::new(spec()).unwrap();
        for (level, holds) in [(10, true), (11, false), (10, true), (11, false), (40, true)] {
            let verdict = if holds { Outcome::Holds } else { Outcome::Broken };
            let (achieved, samples) = (level, 100);
            let saturated_generator = false;
            search.observe(Observation { level, achieved, verdict, saturated_generator, samples });
        }
        let Step::Converged(found) = search.propose() else { panic!("{:?}", search.propose()) };
        assert_eq!((found.holds, found.above, found.confirmed), (10, Some(11), true));
        assert!(found.notes[0].contains("more load was not always worse"), "{:?}", found.notes);
    }

    #[test]
    fn bounds_that_are_none() {
        let wrong = [
            Spec { from: 0, ..spec() },
            Spec { to: 9, ..spec() },
            Spec { resolution: 0.0, ..spec() },
            Spec { resolution: f64::NAN, ..spec() },
            Spec { trial: Nanos::ZERO, ..spec() },
            Spec { max_trials: 0, ..spec() },
        ];
        for spec in wrong {
            assert!(Search::new(spec.clone()).is_err(), "{spec:?}");
        }
        let one = found(Spec { from: 5, to: 5, ..spec() }, cliff(9));
        assert_eq!((one.holds, one.ceiling, one.trials.len()), (5, Ceiling::None, 2));
    }

    #[test]
    fn levels_as_people_read_them() {
        let show = |unit: Unit, level| unit.show(level);
        assert_eq!(show(Unit::Connections, 1), "1 connection");
        assert_eq!(show(Unit::MilliPerSecond, 500_000), "500/s");
        assert_eq!(show(Unit::MilliPerSecond, 1_250), "1.250/s");
    }
}
