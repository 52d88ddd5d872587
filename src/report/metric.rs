//! What a metric looks like in the results, made from the leaf that recorded it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::keyed::Keyed;
use crate::metrics::catalog::names;
use crate::metrics::{Blocks, Histogram, Trend};
use crate::stdx::Nanos;

/// All metrics of a view (the run, a phase, a request), by name.
pub type Metrics = Keyed<Metric>;

/// One metric; `type` tells which kind, except for the table of status codes, which has none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Metric {
    /// A count that only grows.
    Counter(CounterFigures),
    /// Times.
    Trend(TrendFigures),
    /// A share.
    Rate(RateFigures),
    /// A level.
    Gauge(GaugeFigures),
    /// Replies by status code.
    #[serde(untagged)]
    Statuses(BTreeMap<String, u64>),
}

/// A count and how fast it grew.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CounterFigures {
    /// Of what.
    pub unit: String,
    /// How many.
    pub count: u64,
    /// `count` a second of the measured duration.
    pub rate: f64,
}

/// Times, in milliseconds. All of them are 0 when `count` is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TrendFigures {
    /// Always `ms`.
    pub unit: String,
    /// How many times were recorded.
    pub count: u64,
    /// Mean.
    pub avg: f64,
    /// Shortest.
    pub min: f64,
    /// Median.
    pub med: f64,
    /// Longest.
    pub max: f64,
    /// 90th percentile.
    pub p90: f64,
    /// 95th percentile.
    pub p95: f64,
    /// 99th percentile.
    pub p99: f64,
    /// 99.9th percentile.
    #[serde(rename = "p99.9")]
    pub p99_9: f64,
    /// Quantiles that rest on fewer than ten slower times: not to be relied on.
    pub thin: Vec<String>,
    /// Between which times each of its quantiles lies in 95 of 100 runs like this one; only where
    /// that can be told: see [`crate::metrics::interval`].
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub ci95: BTreeMap<String, [f64; 2]>,
}

/// A share: `rate` = passes / (passes + fails).
///
/// For `checks` a pass is a check that held. For `http_req_failed`, as in k6, a pass is an
/// operation of which the name is true: one that failed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RateFigures {
    /// How many were so.
    pub passes: u64,
    /// How many were not.
    pub fails: u64,
    /// The share that was, 0 to 1.
    pub rate: f64,
}

/// A level: last, lowest and highest.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GaugeFigures {
    /// Of what.
    pub unit: String,
    /// At the end.
    pub value: u64,
    /// Lowest.
    pub min: u64,
    /// Highest.
    pub max: u64,
}

/// A quantile that is reported, with its distance from 1 in whole ten-thousandths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quantile {
    /// Its key.
    pub name: &'static str,
    /// 10,000 × (1 − p).
    above: u64,
}

impl Quantile {
    /// Those of `summary.json`.
    pub const SUMMARY: [Self; 5] =
        [Self::P50.named("med"), Self::P90, Self::P95, Self::P99, Self::P99_9];

    /// Those of the full spectrum.
    pub const SPECTRUM: [Self; 7] =
        [Self::P50, Self::P75, Self::P90, Self::P95, Self::P99, Self::P99_9, Self::P99_99];

    pub(super) const P50: Self = Self { name: "p50", above: 5_000 };
    const P75: Self = Self { name: "p75", above: 2_500 };
    const P90: Self = Self { name: "p90", above: 1_000 };
    pub(super) const P95: Self = Self { name: "p95", above: 500 };
    pub(super) const P99: Self = Self { name: "p99", above: 100 };
    const P99_9: Self = Self { name: "p99.9", above: 10 };
    const P99_99: Self = Self { name: "p99.99", above: 1 };

    pub(super) const fn named(self, name: &'static str) -> Self {
        Self { name, above: self.above }
    }

    /// p, 0 to 1.
    #[must_use]
    pub fn share(self) -> f64 {
        (10_000 - self.above) as f64 / 10_000.0
    }

    /// Whether `count` times are too few for it: fewer than ten lie above, n(1 − p) < 10.
    #[must_use]
    pub fn thin(self, count: u64) -> bool {
        u128::from(count) * u128::from(self.above) < 10 * 10_000
    }

    /// How many of `count` times lie above it, rounded down.
    #[must_use]
    pub fn beyond(self, count: u64) -> u64 {
        let beyond = u128::from(count) * u128::from(self.above) / 10_000;
        u64::try_from(beyond).unwrap_or(u64::MAX)
    }
}

impl TrendFigures {
    /// Those of a histogram.
    #[must_use]
    pub fn of(histogram: &Histogram) -> Self {
        let (min, mean, max) = histogram.min_mean_max();
        let [med, p90, p95, p99, p99_9] =
            Quantile::SUMMARY.map(|quantile| ms(histogram.micros_at(quantile.share())));
        let count = histogram.count();
        let thin = Quantile::SUMMARY.iter().filter(|quantile| quantile.thin(count));
        Self {
            unit: "ms".into(),
            count,
            avg: round6(mean / 1e3),
            min: ms(min),
            med,
            max: ms(max),
            p90,
            p95,
            p99,
            p99_9,
            thin: thin.map(|quantile| quantile.name.into()).collect(),
            ci95: BTreeMap::new(),
        }
    }

    /// The same with the intervals of its quantiles.
    #[must_use]
    pub fn with_intervals(mut self, blocks: &Blocks) -> Self {
        let interval = |quantile: Quantile| {
            let (low, high) = blocks.interval(quantile.share())?;
            Some((quantile.name.to_owned(), [ms(low), ms(high)]))
        };
        self.ci95 = Quantile::SUMMARY.into_iter().filter_map(interval).collect();
        self
    }
}

impl Metrics {
    /// A counter, zeros if there is none.
    #[must_use]
    pub fn counter(&self, name: &str) -> CounterFigures {
        match self.get(name) {
            Some(Metric::Counter(counter)) => counter.clone(),
            _ => CounterFigures::default(),
        }
    }

    /// A trend, zeros if there is none.
    #[must_use]
    pub fn trend(&self, trend: Trend) -> TrendFigures {
        self.times(trend.name())
    }

    /// A trend by its name, zeros if there is none.
    #[must_use]
    pub fn times(&self, name: &str) -> TrendFigures {
        match self.get(name) {
            Some(Metric::Trend(figures)) => figures.clone(),
            _ => TrendFigures::default(),
        }
    }

    /// A rate, zeros if there is none.
    #[must_use]
    pub fn rate(&self, name: &str) -> RateFigures {
        match self.get(name) {
            Some(Metric::Rate(rate)) => rate.clone(),
            _ => RateFigures::default(),
        }
    }

    /// Replies by status code.
    pub fn statuses(&self) -> impl Iterator<Item = (&str, u64)> {
        let table = match self.get(names::STATUS_CODES) {
            Some(Metric::Statuses(table)) => Some(table),
            _ => None,
        };
        table.into_iter().flatten().map(|(code, count)| (code.as_str(), *count))
    }
}

/// A count over a span, 0 over no time.
#[must_use]
pub fn per_second(count: u64, span: Nanos) -> f64 {
    if span == Nanos::ZERO { 0.0 } else { round6(count as f64 / span.as_secs_f64()) }
}

/// Whole microseconds as milliseconds, exact to the last digit.
#[must_use]
pub fn ms(micros: u64) -> f64 {
    micros as f64 / 1e3
}

/// Seconds, to the microsecond.
#[must_use]
pub fn seconds(span: Nanos) -> f64 {
    round6(span.as_secs_f64())
}

/// Six places are nanoseconds of a millisecond: finer digits are noise in a diff.
#[must_use]
pub fn round6(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}
