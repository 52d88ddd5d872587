//! Think times: which distribution pauses come closest to.

use std::time::Duration;

use super::limits::{FEW, SESSION};
use crate::plan::think::{QUANTILES_MAX, Think, Times};
use crate::stdx::Nanos;
use crate::stdx::stats::{chance, distance};

/// A distribution of few numbers is taken while it is this close: what differs by less is told
/// apart by no user, and a hundred quantiles are always closer.
const CLOSE: f64 = 0.03;

/// A distribution, and how close to it the pauses are.
#[derive(Clone, Debug, PartialEq)]
pub struct Thinking {
    /// The one that is taken.
    pub think: Think,
    /// Its Kolmogorov–Smirnov distance, from 0 to 1.
    pub distance: f64,
    /// How likely so great a distance is by chance; too great by some, as the parameters were
    /// fitted to the same pauses.
    pub chance: f64,
    /// Pauses that were looked at.
    pub pauses: u64,
    /// The distance of the exponential distribution of largest likelihood.
    pub exponential: f64,
    /// The distance of the lognormal distribution of largest likelihood.
    pub lognormal: f64,
    /// The distance of the quantiles.
    pub quantiles: f64,
}

impl Thinking {
    /// Fits pauses in seconds, more than 0 and in ascending order; `seen` of them there were.
    #[must_use]
    pub fn fit(sorted: &[f64], seen: u64) -> Option<Self> {
        if sorted.len() < FEW {
            return None;
        }
        let exponential = candidate(exponential(sorted)?);
        let lognormal = candidate(lognormal(sorted)?);
        let quantiles = candidate(quantiles(sorted));
        let all = [exponential, lognormal, quantiles].map(|think| {
            let far = distance(sorted, |secs| think.share(nanos(secs)));
            (think, far)
        });
        let [exponential, lognormal, quantiles] = &all;
        let likely = |far: f64| chance(float(sorted.len()), far);
        let simple = if exponential.1 < lognormal.1 { exponential } else { lognormal };
        let close = simple.1 <= CLOSE || likely(simple.1) > 0.01 || simple.1 <= quantiles.1;
        let (think, far) = if close { simple } else { quantiles };
        Some(Self {
            think: think.clone(),
            distance: *far,
            chance: likely(*far),
            pauses: seen,
            exponential: exponential.1,
            lognormal: lognormal.1,
            quantiles: quantiles.1,
        })
    }
}

/// Pauses within a session are no longer than it takes to begin another one.
const fn candidate(times: Times) -> Think {
    Think { times, most: SESSION }
}

/// The mean is the estimate of largest likelihood.
fn exponential(sorted: &[f64]) -> Option<Times> {
    let mean = sorted.iter().sum::<f64>() / float(sorted.len());
    (mean > 0.0).then(|| Times::Exponential { mean: nanos(mean) })
}

/// The mean and the deviation of the logarithms are the estimates of largest likelihood.
fn lognormal(sorted: &[f64]) -> Option<Times> {
    // Pauses that are all alike have none: a deviation that no user notices.
    const SIGMA_LEAST: f64 = 0.001;
    if sorted.iter().any(|secs| *secs <= 0.0) {
        return None;
    }
    let len = float(sorted.len());
    let mean = sorted.iter().map(|secs| secs.ln()).sum::<f64>() / len;
    let square = sorted.iter().map(|secs| (secs.ln() - mean).powi(2)).sum::<f64>() / len;
    let sigma = square.sqrt().max(SIGMA_LEAST);
    Some(Times::Lognormal { median: nanos(mean.exp()).max(Nanos(1)), sigma })
}

/// At even steps; of few pauses fewer quantiles.
fn quantiles(sorted: &[f64]) -> Times {
    let steps = QUANTILES_MAX.min(sorted.len() / 2) - 1;
    let last = sorted.len() - 1;
    let point = |step: usize| nanos(sorted.get(step * last / steps).copied().unwrap_or_default());
    Times::Quantiles((0..=steps).map(point).collect())
}

fn nanos(secs: f64) -> Nanos {
    Nanos::from(Duration::try_from_secs_f64(secs).unwrap_or_default())
}

#[expect(clippy::cast_precision_loss, reason = "samples have far less than 2^53 values")]
const fn float(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::{Nanos, Think, Thinking, Times, candidate};
    use crate::stdx::rng::choice;

    fn pauses(think: &Think, count: u64) -> Vec<f64> {
        let draw = |turn| think.draw(|bound| choice(11, 3, turn, bound)).as_secs_f64();
        let mut pauses: Vec<f64> = (0..count).map(draw).collect();
        pauses.sort_by(f64::total_cmp);
        pauses
    }

    #[test]
    fn the_distribution_is_found_again() {
        let exponential = candidate(Times::Exponential { mean: Nanos::from_secs(3) });
        let fit = Thinking::fit(&pauses(&exponential, 5_000), 5_000).unwrap();
        let Times::Exponential { mean } = fit.think.times else { panic!("{fit:?}") };
        // The mean of 5000 has a deviation of 3 s / sqrt(5000) = 42 ms.
        assert!((mean.as_secs_f64() - 3.0).abs() < 4.0 * 0.043, "{mean}");
        assert!(fit.chance > 0.01 && fit.lognormal > fit.exponential, "{fit:?}");

        let lognormal = Times::Lognormal { median: Nanos::from_secs(2), sigma: 0.8 };
        let fit = Thinking::fit(&pauses(&candidate(lognormal), 5_000), 5_000).unwrap();
        let Times::Lognormal { median, sigma } = fit.think.times else { panic!("{fit:?}") };
        // Deviations: of the logarithms' mean 0.8 / sqrt(5000), of sigma that / sqrt(2).
        assert!((median.as_secs_f64().ln() - f64::ln(2.0)).abs() < 4.0 * 0.0114, "{median}");
        assert!((sigma - 0.8).abs() < 4.0 * 0.008, "{sigma}");
    }

    #[test]
    fn what_is_neither_is_told_by_quantiles() {
        let two: Vec<f64> = (0..2_000_u32)
            .map(|at| if at < 1_000 { 0.5 + f64::from(at) / 1e4 } else { f64::from(at) / 100.0 })
            .collect();
        let fit = Thinking::fit(&two, 2_000).unwrap();
        assert!(matches!(fit.think.times, Times::Quantiles(_)), "{fit:?}");
        assert!(fit.distance < 0.02 && fit.lognormal > 0.1, "{fit:?}");
    }

    #[test]
    fn little_and_odd_is_no_trouble() {
        assert_eq!(Thinking::fit(&[1.0; 29], 29), None);
        let same = Thinking::fit(&[2.0; 100], 100).unwrap();
        assert!((same.think.mean().as_secs_f64() - 2.0).abs() < 0.01, "{same:?}");
    }
}
