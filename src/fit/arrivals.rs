//! When requests come: the rate over the log, and how they lie within a minute.

use super::limits::{ARRIVALS_A_MINUTE, FEW, MINUTES, PIECES, STAGES};
use super::sample::Sample;
use crate::stdx::Nanos;
use crate::stdx::stats::{chance, distance};

/// A stretch of the rate curve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stage {
    /// Arrivals a second.
    pub rate: f64,
    /// How long.
    pub span: Nanos,
}

/// How distances between arrivals within a minute compare with those of independent users, which
/// are distributed exponentially.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Poisson {
    /// Distances that were seen, each in units of its minute's mean.
    pub gaps: u64,
    /// Their Kolmogorov–Smirnov distance from the exponential distribution of mean 1.
    pub distance: f64,
    /// How likely so great a distance is by chance.
    pub chance: f64,
    /// Their deviation in units of their mean: 1 for independent users, 0 at equal distances.
    pub variation: f64,
}

const MINUTE: Nanos = Nanos::from_secs(60);

/// Arrivals of a log.
#[derive(Clone, Debug, Default)]
pub struct Arrivals {
    first: Option<Nanos>,
    last: Nanos,
    count: u64,
    /// Arrivals by the minute from the first on.
    minutes: Vec<u64>,
    /// The minute that is being read, and its arrivals in seconds.
    minute: usize,
    moments: Vec<f64>,
    gaps: Sample,
}

impl Arrivals {
    /// A request that began at that moment; `is_fine` says whether it is more exact than a second.
    pub fn add(&mut self, at: Nanos, is_fine: bool) {
        let first = *self.first.get_or_insert(at);
        self.last = self.last.max(at);
        self.count += 1;
        let since = at.since(first);
        let minute = usize::try_from(since.0 / MINUTE.0).unwrap_or(usize::MAX);
        if minute >= MINUTES {
            return;
        }
        if minute >= self.minutes.len() {
            self.minutes.resize(minute + 1, 0);
        }
        self.minutes[minute] += 1;
        if minute > self.minute {
            self.end_minute();
            self.minute = minute;
        }
        if is_fine && minute == self.minute && self.moments.len() < ARRIVALS_A_MINUTE {
            // What is rounded to a millisecond lies anywhere within it.
            let within = self.gaps.unit() / 1e3;
            self.moments.push(since.as_secs_f64() + within);
        }
    }

    fn end_minute(&mut self) {
        take_gaps(&mut self.moments, &mut self.gaps);
        self.moments.clear();
    }

    /// From the first arrival to the last; at least a second.
    #[must_use]
    pub fn span(&self) -> Nanos {
        self.last.since(self.first.unwrap_or(self.last)).max(Nanos::from_secs(1))
    }

    /// Arrivals a second, over all of it.
    #[must_use]
    pub fn rate(&self) -> f64 {
        float(self.count) / self.span().as_secs_f64()
    }

    /// The rate by the minute, with neighbours that are alike joined; a few stages at most.
    #[must_use]
    pub fn stages(&self) -> Vec<Stage> {
        let minutes = self.minutes.len();
        let each = minutes.div_ceil(PIECES).max(1);
        let whole = self.span().min(Nanos(MINUTE.0.saturating_mul(minutes as u64)));
        let piece = |(at, counts): (usize, &[u64])| {
            let begins = Nanos(MINUTE.0 * (at * each) as u64);
            let ends = begins + Nanos(MINUTE.0 * counts.len() as u64);
            // The last minute of a log is seldom a whole one.
            let secs = ends.min(whole).since(begins).as_secs_f64().max(1.0);
            (float(counts.iter().sum()), secs)
        };
        let mut pieces: Vec<(f64, f64)> =
            self.minutes.chunks(each).enumerate().map(piece).collect();
        while let Some((at, far)) = closest(&pieces)
            && (pieces.len() > STAGES || far < ALIKE)
        {
            let (count, secs) = pieces.remove(at + 1);
            pieces[at] = (pieces[at].0 + count, pieces[at].1 + secs);
        }
        let span = |secs| Nanos::from(std::time::Duration::from_secs_f64(secs));
        pieces.iter().map(|(count, secs)| Stage { rate: count / secs, span: span(*secs) }).collect()
    }

    /// How arrivals lie within minutes; none if too few of them have fine times.
    #[must_use]
    pub fn poisson(&mut self) -> Option<Poisson> {
        self.end_minute();
        let gaps = self.gaps.sorted();
        if gaps.len() < FEW {
            return None;
        }
        let len = float(gaps.len() as u64);
        let mean = gaps.iter().sum::<f64>() / len;
        let square = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / len;
        let far = distance(&gaps, |gap| -(-gap).exp_m1());
        Some(Poisson {
            gaps: self.gaps.seen(),
            distance: far,
            chance: chance(len, far),
            variation: square.sqrt() / mean.max(f64::MIN_POSITIVE),
        })
    }
}

/// Neighbours whose counts differ by less than so many deviations of a Poisson count are joined.
const ALIKE: f64 = 3.0;

/// The neighbours that are most alike, and how many deviations they differ by.
fn closest(pieces: &[(f64, f64)]) -> Option<(usize, f64)> {
    let far = |pair: &[(f64, f64)]| {
        let [(one, secs), (other, more)] = pair else { return f64::MAX };
        let mean = (one + other) / (secs + more);
        let variance = (mean / secs + mean / more).max(f64::MIN_POSITIVE);
        (one / secs - other / more).abs() / variance.sqrt()
    };
    let pairs = pieces.windows(2).map(far).enumerate();
    pairs.min_by(|(_, one), (_, other)| one.total_cmp(other))
}

/// The distances between arrivals of one minute, in units of their mean.
fn take_gaps(moments: &mut [f64], gaps: &mut Sample) {
    moments.sort_by(f64::total_cmp);
    let [first, .., last] = moments else { return };
    let mean = (*last - *first) / float(moments.len() as u64 - 1);
    if moments.len() < FEW || mean <= 0.0 {
        return;
    }
    moments.windows(2).for_each(|pair| gaps.add((pair[1] - pair[0]) / mean));
}

#[expect(clippy::cast_precision_loss, reason = "a log has far less than 2^53 lines")]
const fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::{Arrivals, Nanos};
    use crate::stdx::rng::Rng;

    /// Arrivals at a rate for so long, at random or evenly, rounded to milliseconds.
    fn arrive(arrivals: &mut Arrivals, from: f64, rate: f64, secs: f64, random: bool, seed: u64) {
        let mut rng = Rng::stream(seed, 1);
        let mut at = from;
        while at < from + secs {
            let moment = std::time::Duration::from_secs_f64(at).as_millis();
            arrivals.add(Nanos::from_millis(u64::try_from(moment).unwrap()), true);
            let unit = (rng.below(1 << 53) as f64 + 0.5) / (1_u64 << 53) as f64;
            at += if random { -unit.ln() / rate } else { 1.0 / rate };
        }
    }

    #[test]
    fn independent_users_are_told_from_a_clock() {
        let mut random = Arrivals::default();
        arrive(&mut random, 1e6, 40.0, 600.0, true, 3);
        let found = random.poisson().unwrap();
        assert!(found.chance > 0.01 && (found.variation - 1.0).abs() < 0.03, "{found:?}");
        assert!((random.rate() - 40.0).abs() < 4.0 * (40.0_f64 / 600.0).sqrt());

        let mut even = Arrivals::default();
        arrive(&mut even, 1e6, 40.0, 600.0, false, 3);
        let found = even.poisson().unwrap();
        assert!(found.chance < 1e-6 && found.variation < 0.1, "{found:?}");
    }

    #[test]
    fn the_curve_has_the_steps_that_there_were() {
        let mut arrivals = Arrivals::default();
        for (from, rate) in [(0.0, 10.0), (300.0, 50.0), (600.0, 20.0)] {
            arrive(&mut arrivals, 1e6 + from, rate, 300.0, true, 5);
        }
        let stages = arrivals.stages();
        assert_eq!(stages.len(), 3, "{stages:?}");
        for (stage, rate) in stages.iter().zip([10.0, 50.0, 20.0]) {
            // A count of rate times 300 s.
            assert!((stage.rate - rate).abs() < 4.0 * f64::sqrt(rate / 300.0), "{stages:?}");
            assert!(stage.span.0.abs_diff(300_000_000_000) < 1_000_000_000, "{stages:?}");
        }
    }

    #[test]
    fn little_and_long_is_bounded() {
        let mut arrivals = Arrivals::default();
        assert!(arrivals.stages().is_empty() && arrivals.poisson().is_none());
        arrivals.add(Nanos::from_secs(5), true);
        arrivals.add(Nanos::from_secs(2), true);
        assert_eq!(arrivals.stages().len(), 1);
        for day in 0..400 {
            arrivals.add(Nanos::from_secs(day * 86_400), false);
        }
        assert!(arrivals.stages().len() <= super::STAGES);
        assert!(arrivals.minutes.len() <= super::MINUTES);
    }
}
