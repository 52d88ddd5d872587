//! What a trial's samples say about a limit: it holds, it is broken, or there are too few of them.
//!
//! A trial decides only when its whole 95 % interval lies on one side of the limit.

use super::threshold::{Find, Samples, judge};
use crate::metrics::Histogram;
use crate::plan::Threshold;
use crate::scenario::{Aggregate, Bound, Comparison, Quantity};

/// What a trial says about what was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It holds, by the whole interval.
    Holds,
    /// It does not, by the whole interval.
    Broken,
    /// The interval contains the limit, or there are too few samples for one.
    Unclear,
}

/// A 95 % interval, in the unit of what was measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// Its lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

/// The normal quantile of a two-sided 95 % interval.
const Z: f64 = 1.96;
/// Samples that a quantile must leave above it before order statistics give an interval.
const BEYOND: f64 = 100.0;

/// The interval of a quantile (above 0, below 1) of times, in milliseconds, by order statistics:
/// ranks ⌊np − z√(np(1−p))⌋ and ⌈np + z√(np(1−p))⌉ + 1 (David, Nagaraja: "Order Statistics",
/// section 7.1).
///
/// Neighbouring times are correlated: `thin` of them count as one (1: all are independent). None
/// when fewer than 100 of those that count lie on either side of the quantile.
#[must_use]
pub fn quantile(times: &Histogram, quantile: f64, thin: u64) -> Option<Interval> {
    let count = exact(times.count() / thin.max(1));
    let mean = count * quantile;
    // Half a sample of tolerance for what 1 - p is not in binary.
    let beyond = (count * (1.0 - quantile)).min(mean) + 1e-6;
    if beyond < BEYOND {
        return None;
    }
    let spread = Z * (mean * (1.0 - quantile)).sqrt();
    let at = |rank: f64| exact(times.micros_at((rank / count).clamp(0.0, 1.0))) / 1e3;
    Some(Interval { low: at((mean - spread).floor()), high: at((mean + spread).ceil() + 1.0) })
}

/// The interval of a share, by Wilson's score (E. B. Wilson, JASA 22, 1927); `so` of `of` samples
/// were so. None without samples.
#[must_use]
pub fn wilson(so: u64, of: u64) -> Option<Interval> {
    if of == 0 {
        return None;
    }
    let (so, of) = (exact(so.min(of)), exact(of));
    let (share, square) = (so / of, Z * Z);
    let middle = share + square / (2.0 * of);
    let spread = Z * (share * (1.0 - share) / of + square / (4.0 * of * of)).sqrt();
    let scale = 1.0 + square / of;
    let end = |value: f64| (value / scale).clamp(0.0, 1.0);
    Some(Interval { low: end(middle - spread), high: end(middle + spread) })
}

/// What an interval says about "below `limit`", in the interval's unit.
#[must_use]
pub fn below(interval: Option<Interval>, limit: f64) -> Outcome {
    match interval {
        Some(Interval { high, .. }) if high < limit => Outcome::Holds,
        Some(Interval { low, .. }) if low > limit => Outcome::Broken,
        Some(_) | None => Outcome::Unclear,
    }
}

/// The same of "above `limit`".
#[must_use]
pub fn above(interval: Option<Interval>, limit: f64) -> Outcome {
    match below(interval, limit) {
        Outcome::Holds => Outcome::Broken,
        Outcome::Broken => Outcome::Holds,
        Outcome::Unclear => Outcome::Unclear,
    }
}

/// What one trial says about all that was asked for: one threshold that is broken breaks it, one
/// that is unclear leaves it unclear.
///
/// Percentiles of times and shares are judged by their intervals. What has none (means, counts,
/// rates of counters, comparisons between measurements, a share that must be exactly 0 or 1) is
/// judged by its value; without data it is unclear. `thin` is as in [`quantile`].
#[must_use]
pub fn trial<'a>(slo: &'a [Threshold], find: &Find<'a>, thin: u64) -> Outcome {
    let mut all = Outcome::Holds;
    for threshold in slo {
        match one(threshold, find, thin) {
            Outcome::Broken => return Outcome::Broken,
            Outcome::Unclear => all = Outcome::Unclear,
            Outcome::Holds => {}
        }
    }
    all
}

fn one<'a>(threshold: &'a Threshold, find: &Find<'a>, thin: u64) -> Outcome {
    if let (Ok(samples), Some(limit)) = (find(&threshold.measured), fixed(threshold))
        && let Some(interval) = interval(&samples, threshold.measured.aggregate, limit, thin)
    {
        match threshold.comparison {
            Comparison::Less | Comparison::AtMost => return below(interval, limit),
            Comparison::More | Comparison::AtLeast => return above(interval, limit),
            Comparison::Equal | Comparison::NotEqual => {}
        }
    }
    let judged = judge(threshold, find);
    match (judged.value, judged.passed) {
        (_, true) => Outcome::Holds,
        (Some(_), false) => Outcome::Broken,
        (None, false) => Outcome::Unclear,
    }
}

/// The interval, if the number is of a kind that has one; it may still be missing for now.
fn interval(
    samples: &Samples<'_>,
    aggregate: Aggregate,
    limit: f64,
    thin: u64,
) -> Option<Option<Interval>> {
    match (samples, aggregate) {
        (Samples::Times(times), Aggregate::Med) => Some(quantile(times, 0.5, thin)),
        (Samples::Times(times), Aggregate::Percentile(percent))
            if percent > 0.0 && percent < 100.0 =>
        {
            Some(quantile(times, percent / 100.0, thin))
        }
        // No interval of a share excludes 0 or 1: there the count itself is the answer.
        (Samples::Share(so, not), Aggregate::Rate) if limit > 0.0 && limit < 1.0 => {
            Some(wilson(*so, so + not))
        }
        _ => None,
    }
}

/// A bound of the user's, in the metric's unit.
fn fixed(threshold: &Threshold) -> Option<f64> {
    match &threshold.bound {
        Bound::Fixed(Quantity::Time(time)) => Some(time.as_secs_f64() * 1e3),
        Bound::Fixed(Quantity::Rate(rate)) => Some(rate.per_second()),
        Bound::Fixed(Quantity::Share(number) | Quantity::Number(number)) => Some(*number),
        Bound::Relative { .. } => None,
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts beyond 2^53 are not compared exactly")]
fn exact(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::{Histogram, Interval, Outcome, Samples, below, quantile, trial, wilson};
    use crate::scenario::{Aggregate, Bound, Comparison, Measured, Quantity};
    use crate::scenario::{Span, Spanned};
    use crate::stdx::Nanos;

    fn ramp(count: u64) -> Histogram {
        let mut times = Histogram::new();
        (1..=count).for_each(|each| times.record(Nanos::from_micros(each)));
        times
    }

    #[test]
    fn ranks_of_order_statistics() {
        // n = 2000, p = 0.95: np = 1900, 1.96 √95 = 19.1; ranks 1880 and 1921.
        let found = quantile(&ramp(2_000), 0.95, 1).unwrap();
        assert!((found.low - 1.880).abs() < 0.002, "{found:?}");
        assert!((found.high - 1.921).abs() < 0.002, "{found:?}");
        assert_eq!(quantile(&ramp(1_999), 0.95, 1), None, "99.95 samples above it");
        assert_eq!(quantile(&ramp(2_000), 0.95, 2), None, "half of them count");
        let thinned = quantile(&ramp(20_000), 0.95, 10).unwrap();
        let all = quantile(&ramp(20_000), 0.95, 1).unwrap();
        assert!(thinned.high - thinned.low > 3.0 * (all.high - all.low), "{thinned:?} {all:?}");
    }

    #[test]
    fn wilson_as_published() {
        // R: prop.test(x, n, correct = FALSE)$conf.int for 1 of 20, 0 of 10, 10 of 10.
        for (so, of, low, high) in
            [(1, 20, 0.008_88, 0.236_1), (0, 10, 0.0, 0.277_5), (10, 10, 0.722_5, 1.0)]
        {
            let found = wilson(so, of).unwrap();
            assert!((found.low - low).abs() < 1e-4, "{so} of {of}: {found:?}");
            assert!((found.high - high).abs() < 1e-4, "{so} of {of}: {found:?}");
        }
        assert_eq!(wilson(0, 0), None);
    }

    #[test]
    fn the_whole_interval_decides() {
        use Outcome::{Broken, Holds, Unclear};
        let interval = Some(Interval { low: 1.0, high: 2.0 });
        let all = [2.5, 2.0, 1.5, 1.0, 0.5].map(|limit| below(interval, limit));
        assert_eq!(all, [Holds, Unclear, Unclear, Unclear, Broken]);
        assert_eq!(below(None, 1.0), Unclear);
    }

    fn threshold(metric: &str, aggregate: Aggregate, bound: Quantity) -> crate::plan::Threshold {
        crate::plan::Threshold {
            text: String::new(),
            measured: Measured {
                metric: Spanned::new(metric.to_owned(), Span::default()),
                labels: Vec::new(),
                aggregate,
            },
            comparison: Comparison::Less,
            bound: Bound::Fixed(bound),
            over: None,
            lasting: None,
            abort: false,
            min_samples: None,
            allow_empty: false,
        }
    }

    #[test]
    fn a_trial_is_as_good_as_its_worst_threshold() {
        let times = ramp(20_000);
        let slow = |ms| threshold("times", Aggregate::Percentile(95.0), time(ms));
        let share = |part| threshold("share", Aggregate::Rate, Quantity::Share(part));
        fn judged_on(slo: &[crate::plan::Threshold], times: &Histogram) -> Outcome {
            let find = |measured: &Measured| match measured.metric.value.as_str() {
                "times" => Ok(Samples::Times(Cow::Owned(times.clone()))),
                _ => Ok(Samples::Share(10, 990)),
            };
            trial(slo, &find, 1)
        }
        let judged = |slo: &[_]| judged_on(slo, &times);
        assert_eq!(judged(&[slow(25), share(0.05)]), Outcome::Holds);
        assert_eq!(judged(&[slow(19), share(0.05)]), Outcome::Unclear);
        assert_eq!(judged(&[slow(19), share(0.001)]), Outcome::Broken);
        assert_eq!(judged(&[share(0.0)]), Outcome::Broken, "nothing is below nothing");
        assert_eq!(judged(&[threshold("times", Aggregate::Avg, time(11))]), Outcome::Holds);
        let none = judged_on(&[slow(25)], &Histogram::new());
        assert_eq!(none, Outcome::Unclear, "no data is no pass");
    }

    fn time(ms: u64) -> Quantity {
        Quantity::Time(Nanos::from_millis(ms))
    }
}
