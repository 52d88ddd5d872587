//! How long a user thinks: a distribution, and the pause that belongs to a share of it.

use std::time::Duration;

use crate::stdx::Nanos;
use crate::stdx::stats::{normal_cdf, normal_quantile};

/// The longest pause that is drawn: who is away for a day comes back as somebody else.
pub const THINK_MAX: Nanos = Nanos::from_secs(86_400);

/// Quantiles of a measured distribution, at most: one for each hundredth.
pub const QUANTILES_MAX: usize = 101;

/// Shares are drawn out of so many: all that a float between 0 and 1 holds.
const SHARES: u64 = 1 << 53;

/// How long a pause is.
#[derive(Clone, Debug, PartialEq)]
pub struct Think {
    /// How it is drawn.
    pub times: Times,
    /// What is longer is cut to it.
    pub most: Nanos,
}

/// How pauses are distributed.
#[derive(Clone, Debug, PartialEq)]
pub enum Times {
    /// Evenly between two lengths, which may be one.
    Even {
        /// At least.
        least: Nanos,
        /// At most.
        most: Nanos,
    },
    /// Exponentially.
    Exponential {
        /// Their mean before any is cut.
        mean: Nanos,
    },
    /// Log-normally.
    Lognormal {
        /// Half of them are shorter.
        median: Nanos,
        /// The standard deviation of their natural logarithms, more than 0.
        sigma: f64,
    },
    /// Linear between quantiles that stand at even steps, from the shortest to the longest: two at
    /// least, in ascending order.
    Quantiles(Box<[Nanos]>),
}

impl Think {
    /// Evenly between two lengths.
    #[must_use]
    pub const fn even(least: Nanos, most: Nanos) -> Self {
        Self { times: Times::Even { least, most }, most }
    }

    /// A pause; `below` gives a random number below its argument, and is asked once.
    pub fn draw(&self, below: impl FnOnce(u64) -> u64) -> Nanos {
        if let Times::Even { least, most } = self.times {
            return least + Nanos(below(most.since(least).0.saturating_add(1)));
        }
        // In the middle of its step: a logarithm of 0 is nothing to draw.
        self.at((float(below(SHARES)) + 0.5) / float(SHARES))
    }

    /// The pause that so great a share of all is shorter than; the share lies between 0 and 1.
    #[must_use]
    pub fn at(&self, share: f64) -> Nanos {
        let ns = match &self.times {
            Times::Even { least, most } => {
                share.mul_add(float(most.since(*least).0), float(least.0))
            }
            Times::Exponential { mean } => -float(mean.0) * (-share).ln_1p(),
            Times::Lognormal { median, sigma } => {
                float(median.0) * (sigma * normal_quantile(share)).exp()
            }
            Times::Quantiles(points) => between(points, share),
        };
        nanos(ns).min(self.most)
    }

    /// The share of pauses, before any is cut, that are not longer than `span`; where quantiles
    /// are equal, the share of the last of them.
    #[must_use]
    pub fn share(&self, span: Nanos) -> f64 {
        let ns = float(span.0);
        match &self.times {
            Times::Even { least, most } if most > least => {
                (float(span.since(*least).0) / float(most.since(*least).0)).min(1.0)
            }
            Times::Even { least, .. } => f64::from(u8::from(span >= *least)),
            Times::Exponential { mean } => -(-ns / float(mean.0)).exp_m1(),
            Times::Lognormal { .. } if span == Nanos::ZERO => 0.0,
            Times::Lognormal { median, sigma } => {
                normal_cdf((ns.ln() - float(median.0).ln()) / sigma)
            }
            Times::Quantiles(points) => share_between(points, span),
        }
    }

    /// Their mean, with those that are cut.
    #[must_use]
    pub fn mean(&self) -> Nanos {
        let most = float(self.most.0);
        let ns = match &self.times {
            Times::Even { least, most } => f64::midpoint(float(least.0), float(most.0)),
            Times::Exponential { mean } => -float(mean.0) * (-most / float(mean.0)).exp_m1(),
            Times::Lognormal { median, sigma } => {
                // E[min(X, m)]: the part below m, and m itself for the rest.
                let at = (most.ln() - float(median.0).ln()) / sigma;
                let below = float(median.0) * (sigma * sigma / 2.0).exp() * normal_cdf(at - sigma);
                most.mul_add(1.0 - normal_cdf(at), below)
            }
            Times::Quantiles(points) => {
                let each = points.windows(2).map(|pair| mean_below(pair, self.most));
                each.sum::<f64>() / float(points.len().saturating_sub(1).max(1) as u64)
            }
        };
        nanos(ns).min(self.most)
    }
}

fn between(points: &[Nanos], share: f64) -> f64 {
    let [first, .., last] = points else { return points.first().map_or(0.0, |it| float(it.0)) };
    let at = share.clamp(0.0, 1.0) * float((points.len() - 1) as u64);
    let below = points.iter().zip(&points[1..]).zip(0_u32..);
    let mut steps = below.filter(|(_, step)| at < f64::from(step + 1));
    steps.next().map_or_else(
        || float(last.0.max(first.0)),
        |((from, to), step)| (at - f64::from(step)).mul_add(float(to.0 - from.0), float(from.0)),
    )
}

fn share_between(points: &[Nanos], span: Nanos) -> f64 {
    let behind = points.partition_point(|point| *point <= span);
    let Some(from) = behind.checked_sub(1).and_then(|at| points.get(at)) else { return 0.0 };
    let Some(to) = points.get(behind) else { return 1.0 };
    let part = float(span.since(*from).0) / float(to.since(*from).0);
    (float(behind as u64 - 1) + part) / float(points.len() as u64 - 1)
}

/// The mean of what lies evenly between two lengths and is cut at `most`.
fn mean_below(pair: &[Nanos], most: Nanos) -> f64 {
    let (from, to) = (float(pair[0].min(most).0), float(pair[1].min(most).0));
    let whole = float(pair[1].since(pair[0]).0);
    if whole <= 0.0 {
        return from;
    }
    let part = (to - from) / whole;
    part.mul_add(f64::midpoint(from, to), (1.0 - part) * to)
}

/// Rounded; what no span holds is the longest pause.
fn nanos(ns: f64) -> Nanos {
    // No-number is none.
    let secs = (ns / 1e9).max(0.0).min(THINK_MAX.as_secs_f64());
    Nanos::from(Duration::from_secs_f64(secs))
}

#[expect(clippy::cast_precision_loss, reason = "pauses are drawn, to far more than a microsecond")]
const fn float(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::{Nanos, THINK_MAX, Think, Times};
    use crate::stdx::rng::choice;
    use crate::stdx::stats::{chance, distance};

    fn shapes() -> Vec<Think> {
        let points = [100, 1_000, 2_000, 9_000].map(Nanos::from_millis);
        let times = [
            Times::Even { least: Nanos::from_secs(2), most: Nanos::from_secs(5) },
            Times::Exponential { mean: Nanos::from_secs(3) },
            Times::Lognormal { median: Nanos::from_secs(2), sigma: 0.8 },
            Times::Quantiles(Box::new(points)),
        ];
        times.map(|times| Think { times, most: THINK_MAX }).into()
    }

    fn drawn(think: &Think, seed: u64, count: u64) -> Vec<f64> {
        let draw = |turn| think.draw(|bound| choice(seed, 7, turn, bound));
        let mut drawn: Vec<f64> = (0..count).map(|turn| draw(turn).as_secs_f64()).collect();
        drawn.sort_by(f64::total_cmp);
        drawn
    }

    #[test]
    fn what_is_drawn_is_distributed_so() {
        for (think, seed) in shapes().iter().zip(1..) {
            let drawn = drawn(think, seed, 20_000);
            let far = distance(&drawn, |secs| {
                think.share(Nanos::from(std::time::Duration::from_secs_f64(secs)))
            });
            assert!(chance(20_000.0, far) > 0.01, "{think:?}: {far}");
            // And another distribution is told from it.
            let other =
                Think { times: Times::Exponential { mean: Nanos(3_200_000_000) }, ..*think };
            let far = distance(&drawn, |secs| {
                other.share(Nanos::from(std::time::Duration::from_secs_f64(secs)))
            });
            assert!(chance(20_000.0, far) < 0.001, "{think:?}: {far}");
        }
    }

    #[test]
    fn means_are_the_closed_forms() {
        let secs = [3.5, 3.0, 2.0 * f64::exp(0.32), (0.55 + 1.5 + 5.5) / 3.0];
        for (think, secs) in shapes().iter().zip(secs) {
            assert!((think.mean().as_secs_f64() - secs).abs() < 1e-6, "{think:?}");
        }
    }

    #[test]
    fn what_is_cut_has_the_mean_of_what_is_drawn() {
        for mut think in shapes().into_iter().skip(1) {
            think.most = Nanos::from_millis(2_500);
            let drawn = drawn(&think, 5, 40_000);
            let mean = drawn.iter().sum::<f64>() / 40_000.0;
            // The deviation of each is below 1 s, so four of the mean's are 0.02 s.
            assert!((mean - think.mean().as_secs_f64()).abs() < 0.02, "{think:?}: {mean}");
            assert!(drawn.last().is_some_and(|longest| *longest <= 2.5));
        }
    }

    #[test]
    fn quantiles_are_met_and_inverse() {
        let shapes = shapes();
        for (share, secs) in [(0.0, 0.1), (1.0 / 3.0, 1.0), (0.5, 1.5), (1.0, 9.0)] {
            assert!((shapes[3].at(share).as_secs_f64() - secs).abs() < 1e-6, "{share}");
        }
        assert_eq!(shapes[2].at(0.5), Nanos::from_secs(2));
        for think in &shapes {
            for share in [0.01, 0.2, 0.5, 0.77, 0.999] {
                assert!((think.share(think.at(share)) - share).abs() < 1e-6, "{think:?}");
            }
        }
    }

    #[test]
    fn extremes_are_bounded() {
        let wild = Times::Lognormal { median: THINK_MAX, sigma: 10.0 };
        let wild = Think { times: wild, most: THINK_MAX };
        assert_eq!(wild.draw(|bound| bound - 1), THINK_MAX);
        assert_eq!(wild.draw(|_| 0), wild.at(0.0));
        let none = Think { times: Times::Exponential { mean: Nanos::ZERO }, most: THINK_MAX };
        assert_eq!(none.draw(|bound| bound - 1), Nanos::ZERO);
        let equal = Times::Quantiles(Box::new([Nanos(5), Nanos(5), Nanos(5)]));
        let equal = Think { times: equal, most: THINK_MAX };
        assert_eq!((equal.draw(|bound| bound / 2), equal.mean()), (Nanos(5), Nanos(5)));
    }
}
