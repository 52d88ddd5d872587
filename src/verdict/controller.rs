//! Loads that follow what the target bears: a ramp that slows and stops, and a level that keeps a
//! response time.
//!
//! Both are pure and are asked once in a while with what was measured since; both need two answers
//! of the same kind before they change their mind, so that noise does not make them swing.

use super::interval::wilson;
use crate::stdx::Nanos;

/// What was measured since the controller was asked last.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Observation {
    /// The response time that it is about (an average, a percentile); none without data.
    pub latency: Option<Nanos>,
    /// Operations that ended.
    pub operations: u64,
    /// How many of them failed.
    pub errors: u64,
    /// The level that there was: connections, or thousandths of an arrival a second.
    pub level: u64,
}

/// What to do until asked again. Levels are in the load's unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Go up (or down) to this level.
    Go(u64),
    /// Go up by half a step, because response times are long.
    Slow(u64),
    /// Stay.
    Hold(u64),
    /// End the load, for this reason.
    Stop(String),
}

/// Observations in a row without a single operation after which nothing more is expected.
const SILENT_MAX: u32 = 5;

/// A latency that has to be so far below a limit (as a share of it) to count as below again.
const CALM: f64 = 0.8;

/// A ramp: what the level does, and what slows and stops it.
#[derive(Clone, Debug, PartialEq)]
pub struct RampSpec {
    /// The first level.
    pub from: u64,
    /// The highest.
    pub to: u64,
    /// What is added at a time, more than 0.
    pub step: u64,
    /// The time between two steps.
    pub every: Nanos,
    /// The average response time above which steps are half as large.
    pub slow_above: Nanos,
    /// The share of errors, 0 to 1, above which it ends.
    pub stop_above: f64,
}

/// A ramp under way.
#[derive(Clone, Debug)]
pub struct Ramp {
    spec: RampSpec,
    level: u64,
    due: Nanos,
    slow: bool,
    /// Observations in a row that speak for the other pace.
    turning: u32,
    silent: u32,
}

impl Ramp {
    /// A ramp that begins at `now`.
    #[must_use]
    pub fn new(spec: RampSpec, now: Nanos) -> Self {
        let level = spec.from.min(spec.to);
        let due = now + spec.every;
        Self { spec, level, due, slow: false, turning: 0, silent: 0 }
    }

    /// The time between two changes.
    #[must_use]
    pub const fn every(&self) -> Nanos {
        self.spec.every
    }

    /// Whether it is time to ask it.
    #[must_use]
    pub fn is_due(&self, now: Nanos) -> bool {
        now >= self.due
    }

    /// What to do. Before the next step is due it holds, and what was observed does not count: ask
    /// with all that was measured since the last step.
    ///
    /// It stops when the errors' whole 95 % interval (Wilson) lies above the limit, so a few
    /// failures among few operations do not end it; while their share alone is above, it holds.
    pub fn next(&mut self, now: Nanos, seen: &Observation) -> Decision {
        if now < self.due {
            return Decision::Hold(self.level);
        }
        self.due = now + self.spec.every;
        if let Some(decision) = silence(&mut self.silent, seen, self.level) {
            return decision;
        }
        let share = share(seen);
        let low = wilson(seen.errors, seen.operations).map_or(0.0, |interval| interval.low);
        if low > self.spec.stop_above {
            return Decision::Stop(format!(
                "{:.1} % of {} operations failed, more than {:.1} %",
                share * 100.0,
                seen.operations,
                self.spec.stop_above * 100.0
            ));
        }
        self.pace(seen.latency);
        if share > self.spec.stop_above {
            return Decision::Hold(self.level);
        }
        if self.level >= self.spec.to {
            return Decision::Hold(self.level);
        }
        let step = if self.slow { (self.spec.step / 2).max(1) } else { self.spec.step };
        self.level = self.level.saturating_add(step).min(self.spec.to);
        if self.slow { Decision::Slow(self.level) } else { Decision::Go(self.level) }
    }

    /// Slow at once when response times are long; fast again when they were clearly short twice.
    fn pace(&mut self, latency: Option<Nanos>) {
        let Some(latency) = latency else { return };
        let limit = self.spec.slow_above;
        if latency > limit {
            self.slow = true;
            self.turning = 0;
        } else if self.slow && latency.as_secs_f64() < limit.as_secs_f64() * CALM {
            self.turning += 1;
            if self.turning >= 2 {
                self.slow = false;
                self.turning = 0;
            }
        } else {
            self.turning = 0;
        }
    }
}

/// A level that keeps a response time.
#[derive(Clone, Debug, PartialEq)]
pub struct KeepSpec {
    /// The first level, and the lowest, more than 0.
    pub from: u64,
    /// The highest.
    pub to: u64,
    /// What is added at a time, more than 0.
    pub step: u64,
    /// The time between two changes.
    pub every: Nanos,
    /// The response time to keep below.
    pub target: Nanos,
}

/// A controller that keeps a response time by additive increase and multiplicative decrease
/// (D.-M. Chiu, R. Jain, Computer Networks 17, 1989).
///
/// Between [`CALM`] of the target and the target lies the dead band, in which it holds.
#[derive(Clone, Debug)]
pub struct Keep {
    spec: KeepSpec,
    level: u64,
    due: Nanos,
    /// The last latencies, the newest last.
    recent: [Option<Nanos>; WINDOW],
    /// Whether the last change was a decrease, and the target is still missed.
    falling: bool,
    silent: u32,
}

/// Latencies whose median is believed: one bad answer does not move it.
const WINDOW: usize = 3;
/// What remains of a level that is too high, in thousandths.
const BACK: u64 = 900;
/// The same where less did not help: the response time is still more than twice the target.
const FAR_BACK: u64 = 700;

impl Keep {
    /// A controller that begins at `now`.
    #[must_use]
    pub fn new(spec: KeepSpec, now: Nanos) -> Self {
        let level = spec.from.min(spec.to);
        let due = now + spec.every;
        Self { spec, level, due, recent: [None; WINDOW], falling: false, silent: 0 }
    }

    /// The time between two changes.
    #[must_use]
    pub const fn every(&self) -> Nanos {
        self.spec.every
    }

    /// Whether it is time to ask it.
    #[must_use]
    pub fn is_due(&self, now: Nanos) -> bool {
        now >= self.due
    }

    /// What to do. Before the next change is due it holds, and what was observed does not count.
    /// It decides on the median of the last three latencies at about one level: after a decrease
    /// they are forgotten.
    pub fn next(&mut self, now: Nanos, seen: &Observation) -> Decision {
        if now < self.due {
            return Decision::Hold(self.level);
        }
        self.due = now + self.spec.every;
        if let Some(decision) = silence(&mut self.silent, seen, self.level) {
            return decision;
        }
        self.recent.rotate_left(1);
        self.recent[WINDOW - 1] = seen.latency;
        let Some(median) = self.median() else { return Decision::Hold(self.level) };
        let ratio = median.as_secs_f64() / self.spec.target.as_secs_f64().max(1e-9);
        let wanted = if ratio > 1.0 {
            let left = if self.falling && ratio > 2.0 { FAR_BACK } else { BACK };
            let less = u128::from(self.level) * u128::from(left) / 1_000;
            u64::try_from(less).unwrap_or(u64::MAX)
        } else if ratio < CALM {
            self.level.saturating_add(self.spec.step)
        } else {
            self.level
        };
        self.falling = ratio > 1.0;
        let wanted = wanted.clamp(self.spec.from.min(self.spec.to), self.spec.to);
        if wanted == self.level {
            return Decision::Hold(self.level);
        }
        if wanted < self.level {
            self.recent = [None; WINDOW];
        }
        self.level = wanted;
        Decision::Go(wanted)
    }

    /// The median of the last latencies; none until there are two of them.
    fn median(&self) -> Option<Nanos> {
        let mut known = [Nanos::ZERO; WINDOW];
        let mut count = 0;
        for latency in self.recent.iter().flatten() {
            known[count] = *latency;
            count += 1;
        }
        let known = known.get_mut(..count)?;
        known.sort_unstable();
        // Of two, the smaller: both have to be too long.
        (count >= 2).then(|| known[(count - 1) / 2])
    }
}

/// Holds while nothing at all comes back, and stops when that goes on.
fn silence(silent: &mut u32, seen: &Observation, level: u64) -> Option<Decision> {
    if seen.operations > 0 {
        *silent = 0;
        return None;
    }
    *silent += 1;
    Some(if *silent >= SILENT_MAX {
        Decision::Stop(format!("nothing came back in {silent} intervals"))
    } else {
        Decision::Hold(level)
    })
}

#[expect(clippy::cast_precision_loss, reason = "counts beyond 2^53 are not compared exactly")]
fn share(seen: &Observation) -> f64 {
    seen.errors as f64 / seen.operations.max(1) as f64
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Decision, Keep, KeepSpec, Observation, Ramp, RampSpec};
    use crate::stdx::Nanos;
    use crate::stdx::rng::Rng;

    const SECOND: u64 = 1_000_000_000;
    const SEEDS: u64 = 300;

    fn seen(level: u64, ms: u64, errors: u64, operations: u64) -> Observation {
        Observation { latency: Some(Nanos::from_millis(ms)), operations, errors, level }
    }

    fn ramp() -> Ramp {
        let spec = RampSpec {
            from: 10,
            to: 100,
            step: 10,
            every: Nanos::from_secs(1),
            slow_above: Nanos::from_millis(100),
            stop_above: 0.02,
        };
        Ramp::new(spec, Nanos::ZERO)
    }

    fn decisions(ramp: &mut Ramp, all: &[Observation]) -> Vec<Decision> {
        let times = (1..).map(Nanos::from_secs);
        times.zip(all).map(|(now, seen)| ramp.next(now, seen)).collect()
    }

    #[test]
    fn a_ramp_slows_above_a_latency_and_recovers_only_when_it_is_calm() {
        use Decision::{Go, Slow};
        let all = [50, 101, 90, 79, 90, 79, 79, 100].map(|ms| seen(0, ms, 0, 1_000));
        let expected = [Go(20), Slow(25), Slow(30), Slow(35), Slow(40), Slow(45), Go(55), Go(65)];
        assert_eq!(decisions(&mut ramp(), &all), expected);
    }

    #[test]
    fn a_ramp_stops_at_errors_that_are_no_accident() {
        let all = [(1, 10), (30, 1_000), (1, 1_000), (40, 1_000)];
        let all = all.map(|(errors, operations)| seen(0, 10, errors, operations));
        let found = decisions(&mut ramp(), &all);
        // 1 of 10 and 30 of 1000 (interval from 2.1 %) differ: only the second is beyond doubt.
        assert_eq!(found[0], Decision::Hold(10));
        let why = "3.0 % of 1000 operations failed, more than 2.0 %";
        assert_eq!(found[1], Decision::Stop(why.to_owned()));
        let below = decisions(&mut ramp(), &[seen(0, 10, 19, 1_000)]);
        assert_eq!(below, [Decision::Go(20)], "below 2 % it goes on");
    }

    #[test]
    fn a_ramp_holds_at_its_end_between_steps_and_in_silence() {
        let mut early = ramp();
        assert_eq!(early.next(Nanos(SECOND - 1), &seen(0, 1, 999, 999)), Decision::Hold(10));
        let fine = [seen(0, 1, 0, 1_000); 11];
        let last = decisions(&mut ramp(), &fine);
        assert_eq!(last[8..], [Decision::Go(100), Decision::Hold(100), Decision::Hold(100)]);
        let silent = Observation { latency: None, operations: 0, errors: 0, level: 10 };
        let found = decisions(&mut ramp(), &[silent; 5]);
        assert_eq!(found[..4], vec![Decision::Hold(10); 4]);
        assert_eq!(found[4], Decision::Stop("nothing came back in 5 intervals".to_owned()));
    }

    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    fn float(number: u64) -> f64 {
        number as f64
    }

    /// A queue whose p95 is ln 20 / (mu - level), measured with an error of up to a tenth.
    fn queue(mu: f64, level: u64, rng: &mut Rng) -> Nanos {
        let free = (mu - float(level)).max(1.0);
        let error = 0.9 + float(rng.below(1_000)) / 5_000.0;
        Duration::from_secs_f64(20_f64.ln() / free * error).into()
    }

    /// The levels that a controller asks for in so many intervals.
    fn kept(seed: u64, mu: u64, intervals: u64) -> Vec<u64> {
        let mut rng = Rng::stream(seed, 0);
        let target = Nanos::from_millis(100);
        let (step, every) = (mu / 100, Nanos::from_secs(5));
        let spec = KeepSpec { from: mu / 20, to: mu * 2, step, every, target };
        let mut level = spec.from;
        let mut keep = Keep::new(spec, Nanos::ZERO);
        (1..=intervals)
            .map(|turn| {
                let latency = Some(queue(float(mu), level, &mut rng));
                let seen = Observation { latency, operations: 1_000, errors: 0, level };
                match keep.next(Nanos::from_secs(5 * turn), &seen) {
                    Decision::Go(next) => level = next,
                    Decision::Hold(same) => assert_eq!(same, level),
                    other => panic!("{other:?}"),
                }
                level
            })
            .collect()
    }

    #[test]
    fn a_response_time_is_kept() {
        for seed in 0..SEEDS {
            let mu = 500 + 37 * seed;
            // Where the p95 is 100 ms.
            let capacity = float(mu) - 20_f64.ln() / 0.1;
            let levels = kept(seed, mu, 300);
            let late = &levels[150..];
            let mean = late.iter().map(|it| float(*it)).sum::<f64>() / float(late.len() as u64);
            assert!(mean > 0.88 * capacity && mean < capacity, "{seed}: {mean} of {capacity}");
            let worst = late.iter().max().copied().map_or(0.0, float);
            assert!(worst < 1.05 * capacity, "{seed}: {worst} of {capacity}");
            let least = late.iter().min().copied().map_or(0.0, float);
            assert!(least > 0.75 * capacity, "{seed}: {least} of {capacity}");
        }
    }

    #[test]
    fn a_response_time_in_the_dead_band_moves_nothing() {
        let spec = KeepSpec {
            from: 100,
            to: 1_000,
            step: 50,
            every: Nanos::from_secs(1),
            target: Nanos::from_millis(100),
        };
        let mut keep = Keep::new(spec, Nanos::ZERO);
        for second in 1..200 {
            // One bad answer now and then is no reason either.
            let ms = if second % 5 == 4 { 500 } else { 80 + second % 20 };
            let found = keep.next(Nanos::from_secs(second), &seen(100, ms, 0, 10));
            assert_eq!(found, Decision::Hold(100), "second {second}");
        }
    }

    #[test]
    fn bounds_are_kept_and_a_long_time_is_left_fast() {
        use Decision::{Go, Hold};
        let spec = KeepSpec {
            from: 100,
            to: 240,
            step: 50,
            every: Nanos::from_secs(1),
            target: Nanos::from_millis(100),
        };
        let mut keep = Keep::new(spec, Nanos::ZERO);
        let ms = [10, 10, 10, 10, 10, 300, 300, 300, 300, 110, 110, 300, 300, 300, 300];
        let found: Vec<Decision> = (1..)
            .zip(ms)
            .map(|(second, ms)| keep.next(Nanos::from_secs(second), &seen(0, ms, 0, 10)))
            .collect();
        let up = [Hold(100), Go(150), Go(200), Go(240), Hold(240)];
        assert_eq!(found[..5], up);
        // A decrease needs two answers, and two more for the next.
        let down = [Hold(240), Go(216), Hold(216), Go(151), Hold(151), Go(135), Hold(135)];
        assert_eq!(found[5..12], down);
        assert_eq!(found[12..], [Go(100), Hold(100), Hold(100)]);
    }
}
