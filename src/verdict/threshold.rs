//! Whether a threshold holds: pass, fail, or no data, which is no pass.
//!
//! Values and bounds are in the metric's unit: milliseconds for times, 0 to 1 for shares, a second
//! for rates of counters.

use std::borrow::Cow;

use crate::metrics::Histogram;
use crate::plan::Threshold;
use crate::scenario::{Aggregate, Bound, Comparison, Measured, Quantity};
use crate::stdx::Nanos;

/// What became of a threshold.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// Whether it held.
    pub passed: bool,
    /// What was measured, in the metric's unit; none without data.
    pub value: Option<f64>,
    /// Its unit: `ms`, `share`, `/s`, or nothing for a count.
    pub unit: &'static str,
    /// What it was compared with, where that was measured, too; in the same unit.
    pub limit: Option<f64>,
    /// On how many samples.
    pub samples: u64,
    /// Why there is no value, or why the value does not count.
    pub reason: Option<String>,
}

/// What was measured of a metric.
#[derive(Clone, Debug)]
pub enum Samples<'a> {
    /// Times.
    Times(Cow<'a, Histogram>),
    /// So many, in so long.
    Count(u64, Nanos),
    /// So many were so, and so many were not.
    Share(u64, u64),
    /// A level: its lowest, its highest, and the one at the end.
    Level([u64; 3]),
}

/// Why there is no number.
#[derive(Clone, Debug, PartialEq, Eq)]
enum NoData {
    /// Not one sample.
    Empty,
    /// Samples, but too few.
    Few(u64, String),
    /// The question has no answer.
    Senseless(String),
}

/// A number, its unit, and how many samples it rests on.
type Number = Result<(f64, &'static str, u64), NoData>;

/// Finds what was measured of a metric; an error is a sentence.
pub type Find<'a> = dyn Fn(&'a Measured) -> Result<Samples<'a>, String> + 'a;

/// Slower times that a percentile must leave above it.
const BEYOND: f64 = 10.0;

/// Judges a threshold on what `find` gives. Its windows are none of this function's business.
#[must_use]
pub fn judge<'a>(threshold: &'a Threshold, find: &Find<'a>) -> Judged {
    let Threshold { measured, comparison, bound, min_samples, .. } = threshold;
    let number = |measured: &'a Measured| {
        find(measured).map_err(NoData::Senseless)?.number(measured.aggregate, *min_samples)
    };
    let (value, unit, samples) = match number(measured) {
        Ok(found) => found,
        Err(why) => return without(threshold, &measured.metric.value, why),
    };
    let limit = match bound {
        Bound::Fixed(quantity) => Ok(fixed(*quantity)),
        Bound::Relative { factor, measured } => match number(measured) {
            Ok((other, ..)) => Ok(other * factor),
            Err(why) => Err(why.sentence(&measured.metric.value)),
        },
    };
    match limit {
        Ok(limit) => {
            let passed = holds(*comparison, value, limit);
            let limit = matches!(bound, Bound::Relative { .. }).then_some(limit);
            Judged { passed, value: Some(value), unit, limit, samples, reason: None }
        }
        Err(why) => {
            let reason = Some(format!("nothing to compare with: {why}"));
            Judged { passed: false, value: Some(value), unit, limit: None, samples, reason }
        }
    }
}

/// No data is no pass, unless the user says that nothing at all is fine.
fn without(threshold: &Threshold, metric: &str, why: NoData) -> Judged {
    let passed = threshold.allow_empty && why == NoData::Empty;
    let samples = if let NoData::Few(samples, _) = why { samples } else { 0 };
    let reason = Some(why.sentence(metric));
    Judged { passed, value: None, unit: "", limit: None, samples, reason }
}

impl NoData {
    fn sentence(&self, metric: &str) -> String {
        match self {
            Self::Empty => format!("no data: {metric} has no samples"),
            Self::Few(_, why) => format!("no data: {why}"),
            Self::Senseless(why) => why.clone(),
        }
    }
}

/// A bound in the metric's unit.
fn fixed(quantity: Quantity) -> f64 {
    match quantity {
        Quantity::Time(time) => time.as_secs_f64() * 1e3,
        Quantity::Rate(rate) => rate.per_second(),
        Quantity::Share(number) | Quantity::Number(number) => number,
    }
}

#[expect(clippy::float_cmp, reason = "what is compared exactly are counts and zero")]
fn holds(comparison: Comparison, value: f64, bound: f64) -> bool {
    match comparison {
        Comparison::Less => value < bound,
        Comparison::AtMost => value <= bound,
        Comparison::More => value > bound,
        Comparison::AtLeast => value >= bound,
        Comparison::Equal => value == bound,
        Comparison::NotEqual => value != bound,
    }
}

impl Samples<'_> {
    fn number(&self, aggregate: Aggregate, min_samples: Option<u64>) -> Number {
        let samples = self.count();
        if let Some(least) = min_samples.filter(|least| samples < *least && samples > 0) {
            let why = format!("{samples} of the {least} samples that were asked for");
            return Err(NoData::Few(samples, why));
        }
        let senseless = |kind: &str| {
            let what = word(aggregate);
            Err(NoData::Senseless(format!("{kind} has no {what}")))
        };
        match (self, aggregate) {
            (Self::Times(times), _) => times_number(times, aggregate, min_samples.is_some()),
            (Self::Count(count, _), Aggregate::Count) => Ok((exact(*count), "", samples)),
            (Self::Count(..), Aggregate::Rate) => Ok((self.per_second(), "/s", samples)),
            (Self::Share(0, 0), _) => Err(NoData::Empty),
            (Self::Share(so, not), Aggregate::Rate) => Ok((share(*so, *not), "share", samples)),
            // As k6 has it: how many were so.
            (Self::Share(so, _), Aggregate::Count) => Ok((exact(*so), "", samples)),
            (Self::Level([least, ..]), Aggregate::Min) => Ok((exact(*least), "", samples)),
            (Self::Level([_, most, _]), Aggregate::Max) => Ok((exact(*most), "", samples)),
            (Self::Count(..), _) => senseless("a counter"),
            (Self::Share(..), _) => senseless("a share"),
            (Self::Level(_), _) => senseless("a level"),
        }
    }

    /// How many samples there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        match self {
            Self::Times(times) => times.count(),
            Self::Count(count, _) => *count,
            Self::Share(so, not) => so + not,
            Self::Level(_) => 1,
        }
    }

    /// Of a counter: a second.
    fn per_second(&self) -> f64 {
        match self {
            Self::Count(count, span) if *span > Nanos::ZERO => exact(*count) / span.as_secs_f64(),
            _ => 0.0,
        }
    }
}

/// A number of times, in milliseconds; a percentile with too few above it is none, unless the user
/// says how many samples suffice.
fn times_number(times: &Histogram, aggregate: Aggregate, enough: bool) -> Number {
    let samples = times.count();
    if samples == 0 {
        return Err(NoData::Empty);
    }
    let (min, mean, max) = times.min_mean_max();
    let ms = |micros: u64| exact(micros) / 1e3;
    let percentile = |share: f64| {
        // Half a sample of tolerance for what 1 - p is not in binary.
        let beyond = exact(samples) * (1.0 - share) + 1e-6;
        if beyond < BEYOND && !enough {
            let least = (BEYOND / (1.0 - share) - 1e-6).ceil();
            let why = format!("{samples} samples, {} needs {least}", word(aggregate));
            return Err(NoData::Few(samples, why));
        }
        Ok((ms(times.micros_at(share)), "ms", samples))
    };
    match aggregate {
        Aggregate::Avg => Ok((mean / 1e3, "ms", samples)),
        Aggregate::Min => Ok((ms(min), "ms", samples)),
        Aggregate::Max => Ok((ms(max), "ms", samples)),
        Aggregate::Count => Ok((exact(samples), "", samples)),
        Aggregate::Med => percentile(0.5),
        Aggregate::Percentile(percent) if percent >= 100.0 => Ok((ms(max), "ms", samples)),
        Aggregate::Percentile(percent) => percentile(percent / 100.0),
        Aggregate::Rate => Err(NoData::Senseless("times have no rate".to_owned())),
    }
}

/// As thresholds write it.
fn word(aggregate: Aggregate) -> String {
    let word = match aggregate {
        Aggregate::Rate => "rate",
        Aggregate::Count => "count",
        Aggregate::Avg => "avg",
        Aggregate::Min => "min",
        Aggregate::Med => "med",
        Aggregate::Max => "max",
        Aggregate::Percentile(percent) => return format!("p({percent})"),
    };
    word.to_owned()
}

fn share(so: u64, not: u64) -> f64 {
    exact(so) / exact(so + not)
}

#[expect(clippy::cast_precision_loss, reason = "counts beyond 2^53 are not compared exactly")]
fn exact(count: u64) -> f64 {
    count as f64
}
