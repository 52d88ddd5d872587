//! When a load has warmed up: its throughput and its response times have neither a trend nor
//! halves that differ.
//!
//! Judged on the last ten seconds. A trend is one by the test of Mann (1945) and Kendall (1975),
//! with their correction for ties; since that alone overlooks a step and makes much of a drift of
//! a thousandth, the medians of both halves have to be close as well, and all of it has to hold
//! for three seconds running. Truncation rules such as MSER-5 (White 1997) look back at a series
//! that is complete; this one has to be answered while the load is on.

use std::collections::VecDeque;

use crate::stdx::Nanos;

/// The rule in words, for results.
pub const RULE: &str = "over 10 s neither throughput nor median response time had a trend \
                        (Mann-Kendall), and their halves were within 5 % and 10 %";

/// Seconds that are looked at.
const WINDOW: usize = 10;
/// The rule holds for so many seconds running: each look at noise may be wrong by chance.
const HOLDS: u32 = 3;
/// Beyond it a trend is one in nine of ten series without any.
const Z: f64 = 1.645;
/// How far the halves' medians may lie apart: of the throughput, of response times.
const CLOSE: [f64; 2] = [0.05, 0.10];
/// Differences of response times below are none, in seconds.
const FLOOR_S: f64 = 100e-6;

/// Watches a load that warms up, second by second.
#[derive(Debug, Default)]
pub struct Steady {
    /// Throughput and median response time in seconds, at most [`WINDOW`] of them.
    rates: VecDeque<f64>,
    medians: VecDeque<f64>,
    held: u32,
}

impl Steady {
    /// Takes a second: replies a second, and their median response time. Whether the load is
    /// steady then; never before twelve seconds, nor next to a second without a reply.
    pub fn second(&mut self, per_second: f64, median: Nanos) -> bool {
        for (series, value) in
            [(&mut self.rates, per_second), (&mut self.medians, median.as_secs_f64())]
        {
            if series.len() == WINDOW {
                series.pop_front();
            }
            series.push_back(value);
        }
        let full = self.rates.len() == WINDOW && self.rates.iter().all(|rate| *rate > 0.0);
        let [rate, time] = CLOSE;
        let holds =
            full && stays(&mut self.rates, rate, 0.0) && stays(&mut self.medians, time, FLOOR_S);
        self.held = if holds { self.held + 1 } else { 0 };
        self.held >= HOLDS
    }
}

/// Whether the halves are close, and there is no trend that would not be within that in any case.
fn stays(series: &mut VecDeque<f64>, share: f64, floor: f64) -> bool {
    let series: &[f64] = series.make_contiguous();
    let (early, late) = series.split_at(series.len() / 2);
    let (before, after) = (median(early), median(late));
    let apart = (after - before).abs();
    let spread = series.iter().copied().fold(f64::NEG_INFINITY, f64::max)
        - series.iter().copied().fold(f64::INFINITY, f64::min);
    // What is as even as this may well rise or fall.
    let even = spread <= (before.min(after) * share / 2.0).max(floor);
    apart <= (before.min(after) * share).max(floor) && (even || trend(series).abs() <= Z)
}

/// The Mann–Kendall statistic, standard normal where there is no trend: above 0 where later values
/// are higher.
#[expect(clippy::cast_precision_loss, reason = "ten values, and pairs of them")]
fn trend(series: &[f64]) -> f64 {
    let pairs = (0..series.len()).flat_map(|at| (at + 1..series.len()).map(move |to| (at, to)));
    let sum: i64 = pairs
        .map(|(at, to)| match series[to].total_cmp(&series[at]) {
            std::cmp::Ordering::Less => -1,
            std::cmp::Ordering::Equal => 0,
            std::cmp::Ordering::Greater => 1,
        })
        .sum();
    let term = |count: usize| (count * count.saturating_sub(1) * (2 * count + 5)) as f64;
    let mut sorted = series.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let ties: f64 = sorted.chunk_by(|one, other| one == other).map(|tie| term(tie.len())).sum();
    let variance = (term(series.len()) - ties) / 18.0;
    if variance <= 0.0 {
        return 0.0;
    }
    // The continuity correction.
    (sum - sum.signum()) as f64 / variance.sqrt()
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::{Nanos, Steady, trend};
    use crate::stdx::rng::Rng;

    const RUNS: u64 = 400;
    const SECONDS: u32 = 60;

    /// When each of many noisy runs is found steady, in seconds; none where that is never.
    fn found(noise: f64, series: impl Fn(f64) -> (f64, f64)) -> Vec<Option<u32>> {
        let run = |seed: u64| {
            let mut rng = Rng::stream(7, seed);
            // Nearly normal, of that deviation: a sum of uniform ones (Irwin and Hall).
            let mut noisy = |value: f64| {
                let sum: f64 = (0..12).map(|_| rng.below(1 << 32) as f64 / 2_f64.powi(32)).sum();
                value * (1.0 + noise * (sum - 6.0)).max(0.0)
            };
            let mut steady = Steady::default();
            (1..=SECONDS).find(|second| {
                let (rate, ms) = series(f64::from(*second));
                let ms = noisy(ms);
                let median = std::time::Duration::from_secs_f64(ms / 1e3);
                steady.second(noisy(rate), Nanos::from(median))
            })
        };
        (0..RUNS).map(run).collect()
    }

    fn share(runs: &[Option<u32>], is: impl Fn(Option<u32>) -> bool) -> f64 {
        runs.iter().filter(|run| is(**run)).count() as f64 / RUNS as f64
    }

    #[test]
    fn what_is_steady_is_found_soon() {
        assert_eq!(found(0.0, |_| (1_000.0, 5.0))[0], Some(12));
        let runs = found(0.03, |_| (1_000.0, 5.0));
        assert!(share(&runs, |at| at.is_some_and(|at| at <= 20)) > 0.5, "{runs:?}");
        assert!(share(&runs, |at| at.is_some()) > 0.97, "{runs:?}");
    }

    #[test]
    fn a_target_that_warms_up_is_waited_for() {
        // Ten times as slow at first, and a third of the throughput.
        let warming = |at: f64| {
            let cold = (-at / 6.0).exp();
            (1_000.0 * (1.0 - 0.67 * cold), 5.0 * (1.0 + 9.0 * cold))
        };
        let runs = found(0.02, warming);
        let early = share(&runs, |at| at.is_some_and(|at| warming(at.into()).1 > 5.0 * 1.15));
        assert!(early < 0.02, "{early} were too early: {runs:?}");
        assert!(share(&runs, |at| at.is_some()) > 0.97, "{runs:?}");
    }

    #[test]
    fn a_step_is_waited_for() {
        for (rates, times) in [([500.0, 1_000.0], [5.0, 5.0]), ([900.0, 900.0], [50.0, 5.0])] {
            let runs = found(0.02, |at| {
                let warm = usize::from(at > 9.0);
                (rates[warm], times[warm])
            });
            let early = share(&runs, |at| at.is_some_and(|at| at < 15));
            assert!(early < 0.02, "{early}: {runs:?}");
            assert!(share(&runs, |at| at.is_some()) > 0.97, "{runs:?}");
        }
    }

    #[test]
    fn what_never_becomes_steady_is_not() {
        let ramp = found(0.02, |at| (1_000.0 * 1.03_f64.powf(at), 5.0));
        let slower = found(0.02, |at| (1_000.0, 5.0 * 1.04_f64.powf(at)));
        let waves = found(0.02, |at| (1_000.0 * (1.0 + 0.5 * (at / 3.0).sin()), 5.0));
        let wild = found(0.5, |_| (1_000.0, 5.0));
        for (name, runs, most) in
            [("ramp", ramp, 0.02), ("slower", slower, 0.02), ("waves", waves, 0.02)]
        {
            let wrong = share(&runs, |at| at.is_some());
            assert!(wrong <= most, "{name}: {wrong}");
        }
        assert!(share(&wild, |at| at.is_some_and(|at| at < 30)) < 0.1, "{wild:?}");
        assert!(
            found(0.02, |at| (if at % 8.0 < 1.0 { 0.0 } else { 9.0 }, 5.0))
                .iter()
                .all(Option::is_none)
        );
    }

    /// Values of the definition, worked out by hand: S = 45 and 125 is the variance of ten.
    #[test]
    fn a_trend_is_kendalls() {
        let up: Vec<f64> = (0..10).map(f64::from).collect();
        assert!((trend(&up) - 44.0 / 125_f64.sqrt()).abs() < 1e-12);
        let down: Vec<f64> = up.iter().rev().copied().collect();
        assert!((trend(&down) + 44.0 / 125_f64.sqrt()).abs() < 1e-12);
        assert_eq!(trend(&[3.0; 10]), 0.0);
        // S = 15 - 10, and two ties of five each.
        let ties = trend(&[1.0, 2.0, 1.0, 2.0, 1.0, 2.0, 1.0, 2.0, 1.0, 2.0]);
        assert!((ties - 4.0 / (1_650.0_f64 / 18.0).sqrt()).abs() < 1e-12, "{ties}");
    }
}
