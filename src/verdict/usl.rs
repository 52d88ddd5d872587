//! The Universal Scalability Law: what throughput does as concurrency grows, and where it peaks.
//!
//! X(N) = gN / (1 + a(N − 1) + bN(N − 1)) with a, b ≥ 0 (N. J. Gunther, "Guerrilla Capacity
//! Planning", 2007, chapter 4): g is the throughput of one, a the share that is serial, b the cost
//! of keeping two consistent. It peaks at N* = √((1 − a) / b).

use crate::stdx::rng::Rng;

/// A level that was measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// How many at once, such as connections: at least 1.
    pub level: u64,
    /// What they achieved together, a second: above 0.
    pub throughput: f64,
}

/// The three numbers of the law.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Law {
    /// g: the throughput of one alone, a second.
    pub gain: f64,
    /// a: the serial share.
    pub contention: f64,
    /// b: the cost of keeping two consistent.
    pub coherency: f64,
}

/// A 95 % interval; no upper end where there is none to see.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// Its lower end.
    pub low: f64,
    /// Its upper end, unless it is beyond all bounds.
    pub high: Option<f64>,
}

/// A law that was fitted.
#[derive(Clone, Debug, PartialEq)]
pub struct Fit {
    /// The law.
    pub law: Law,
    /// The level of the highest throughput; none when throughput grows without end.
    pub peak: Option<f64>,
    /// Where that lies in 95 of 100 experiments like this one; none when it has no lower end.
    pub peak_range: Option<Range>,
    /// The throughput at the peak, a second.
    pub best: Option<f64>,
    /// Whether the peak lies beyond twice the highest level that was measured.
    pub extrapolated: bool,
    /// The share of the variance that the law explains, at most 1.
    pub explained: f64,
}

/// Levels that a fit needs: three numbers, and something left to tell how well they do.
pub const LEVELS_MIN: usize = 6;
/// Points of a fit, at most: each costs time in every resampling.
pub const POINTS_MAX: usize = 10_000;

/// Resamplings of the interval.
const RESAMPLINGS: usize = 1_000;
/// Steps of a fit, at most; it takes about ten.
const STEPS_MAX: usize = 500;
/// A coherency below this puts the peak beyond anything that can be counted.
const NOTHING: f64 = 1e-15;

impl Law {
    /// The throughput at a level, a second.
    #[must_use]
    pub fn at(&self, level: f64) -> f64 {
        let (one, two) = (level - 1.0, level * (level - 1.0));
        self.gain * level / (1.0 + self.contention * one + self.coherency * two)
    }

    /// The level of the highest throughput; none when it grows without end.
    #[must_use]
    pub fn peak(&self) -> Option<f64> {
        if self.contention >= 1.0 {
            return Some(1.0);
        }
        let peak = ((1.0 - self.contention) / self.coherency).sqrt();
        (self.coherency > NOTHING).then_some(peak.max(1.0))
    }
}

/// Fits the law by least squares, and gives the peak an interval by a bootstrap of the residuals
/// (Efron, Tibshirani: "An Introduction to the Bootstrap", section 9.5), seeded.
///
/// # Errors
/// A sentence, when there are fewer than six different levels, or points that are none.
pub fn fit(points: &[Point], seed: u64) -> Result<Fit, String> {
    let mut levels: Vec<u64> = points.iter().map(|point| point.level).collect();
    levels.sort_unstable();
    levels.dedup();
    if levels.len() < LEVELS_MIN {
        return Err(format!(
            "{} levels are too few to say how throughput scales: it takes {LEVELS_MIN}",
            levels.len()
        ));
    }
    if points.len() > POINTS_MAX {
        return Err(format!("{} points are more than {POINTS_MAX}", points.len()));
    }
    let fine = |point: &Point| point.throughput.is_finite() && point.throughput > 0.0;
    if let Some(point) = points.iter().find(|point| point.level == 0 || !fine(point)) {
        return Err(format!("{} at a level of {} is no throughput", point.throughput, point.level));
    }
    let at: Vec<f64> = points.iter().map(|point| exact(point.level)).collect();
    let seen: Vec<f64> = points.iter().map(|point| point.throughput).collect();
    let law = least_squares(&at, &seen);
    let peak = law.peak();
    let highest = levels.last().map_or(0.0, |level| exact(*level));
    Ok(Fit {
        law,
        peak,
        peak_range: bootstrap(&law, &at, &seen, seed),
        best: peak.map(|peak| law.at(peak)),
        extrapolated: peak.is_none_or(|peak| peak > 2.0 * highest),
        explained: explained(&law, &at, &seen),
    })
}

fn explained(law: &Law, at: &[f64], seen: &[f64]) -> f64 {
    let mean = seen.iter().sum::<f64>() / exact(seen.len() as u64);
    let total: f64 = seen.iter().map(|each| (each - mean).powi(2)).sum();
    if total > 0.0 { 1.0 - error(law, at, seen) / total } else { 1.0 }
}

fn error(law: &Law, at: &[f64], seen: &[f64]) -> f64 {
    at.iter().zip(seen).map(|(at, seen)| (seen - law.at(*at)).powi(2)).sum()
}

/// The best law with numbers that are not negative: of the four ways to hold a or b at 0, the best
/// whose other numbers are allowed. With two bounds this is exact.
fn least_squares(at: &[f64], seen: &[f64]) -> Law {
    const WAYS: [[bool; 3]; 4] =
        [[true, true, true], [true, true, false], [true, false, true], [true, false, false]];
    let mut best: Option<(f64, Law)> = None;
    for free in WAYS {
        for start in starts(at, seen) {
            let law = marquardt(at, seen, start, free);
            let allowed = law.gain > 0.0 && law.contention >= 0.0 && law.coherency >= 0.0;
            let error = error(&law, at, seen);
            let better = best.is_none_or(|(least, _)| error < least);
            if allowed && error.is_finite() && better {
                best = Some((error, law));
            }
        }
        // What is best without bounds and within them is best.
        if best.is_some() && free == WAYS[0] {
            break;
        }
    }
    best.map_or_else(|| starts(at, seen)[0], |(_, law)| law)
}

/// Where to begin: the throughput of one as the best point has it, with little and with much loss.
fn starts(at: &[f64], seen: &[f64]) -> [Law; 2] {
    let each = at.iter().zip(seen).map(|(at, seen)| seen / at);
    let gain = each.fold(f64::MIN_POSITIVE, f64::max);
    [
        Law { gain, contention: 0.01, coherency: 1e-5 },
        Law { gain, contention: 0.2, coherency: 1e-3 },
    ]
}

/// Levenberg–Marquardt (D. W. Marquardt, SIAM J. 11, 1963) on those numbers that are free; the
/// others are 0. Numbers may become negative on the way.
fn marquardt(at: &[f64], seen: &[f64], start: Law, free: [bool; 3]) -> Law {
    let mut law = Law {
        gain: start.gain,
        contention: if free[1] { start.contention } else { 0.0 },
        coherency: if free[2] { start.coherency } else { 0.0 },
    };
    let mut least = error(&law, at, seen);
    let mut damping = 1e-3;
    for _ in 0..STEPS_MAX {
        let (matrix, right) = normal(&law, at, seen, free);
        let Some(step) = solve(matrix, right, damping) else { break };
        let next = Law {
            gain: law.gain + step[0],
            contention: law.contention + step[1],
            coherency: law.coherency + step[2],
        };
        let error = error(&next, at, seen);
        // Beyond a pole the law is another curve.
        let tame = at.iter().all(|at| next.at(*at) > 0.0);
        if tame && error <= least {
            let gained = least - error;
            law = next;
            least = error;
            damping = (damping * 0.2).max(1e-12);
            if gained <= 1e-15 * least {
                break;
            }
        } else {
            damping *= 5.0;
            if damping > 1e12 {
                break;
            }
        }
    }
    law
}

/// The normal equations of a step: JᵀJ and Jᵀr, with 1 on the diagonal of what is not free.
fn normal(law: &Law, at: &[f64], seen: &[f64], free: [bool; 3]) -> ([[f64; 3]; 3], [f64; 3]) {
    let mut matrix = [[0.0; 3]; 3];
    let mut right = [0.0; 3];
    for (at, seen) in at.iter().zip(seen) {
        let (one, two) = (at - 1.0, at * (at - 1.0));
        let below = 1.0 + law.contention * one + law.coherency * two;
        let value = law.gain * at / below;
        let slopes = [at / below, -value * one / below, -value * two / below];
        let slopes = std::array::from_fn::<f64, 3, _>(|i| if free[i] { slopes[i] } else { 0.0 });
        for i in 0..3 {
            right[i] += slopes[i] * (seen - value);
            for j in 0..3 {
                matrix[i][j] += slopes[i] * slopes[j];
            }
        }
    }
    (0..3).filter(|i| !free[*i]).for_each(|i| matrix[i][i] = 1.0);
    (matrix, right)
}

/// Solves three equations by Cramer's rule, each scaled by its diagonal and damped.
fn solve(matrix: [[f64; 3]; 3], right: [f64; 3], damping: f64) -> Option<[f64; 3]> {
    let scale = std::array::from_fn::<f64, 3, _>(|i| matrix[i][i].sqrt());
    if scale.iter().any(|each| !each.is_normal()) {
        return None;
    }
    let mut scaled = [[0.0; 3]; 3];
    for i in 0..3 {
        for j in 0..3 {
            scaled[i][j] = matrix[i][j] / (scale[i] * scale[j]);
        }
        scaled[i][i] += damping;
    }
    let whole = determinant(&scaled);
    let step = std::array::from_fn::<f64, 3, _>(|column| {
        let mut other = scaled;
        (0..3).for_each(|row| other[row][column] = right[row] / scale[row]);
        determinant(&other) / whole / scale[column]
    });
    step.iter().all(|each| each.is_finite()).then_some(step)
}

fn determinant(m: &[[f64; 3]; 3]) -> f64 {
    m[0][0] * (m[1][1] * m[2][2] - m[1][2] * m[2][1])
        - m[0][1] * (m[1][0] * m[2][2] - m[1][2] * m[2][0])
        + m[0][2] * (m[1][0] * m[2][1] - m[1][1] * m[2][0])
}

/// The interval of the peak: the law, with its own residuals drawn anew, is fitted again and again.
/// Residuals are made a little larger, because three numbers were fitted to them.
fn bootstrap(law: &Law, at: &[f64], seen: &[f64], seed: u64) -> Option<Range> {
    let count = at.len() as u64;
    let widened = (exact(count) / (exact(count) - 3.0)).sqrt();
    // Relative: the throughput of many is farther off than that of one.
    let off: Vec<f64> = at.iter().zip(seen).map(|(at, seen)| seen / law.at(*at) - 1.0).collect();
    let mean = off.iter().sum::<f64>() / exact(count);
    let mut rng = Rng::stream(seed, 0);
    let mut draw = || {
        let index = usize::try_from(rng.below(count)).unwrap_or(0);
        off.get(index).map_or(0.0, |off| (off - mean) * widened)
    };
    let mut peaks: Vec<f64> = (0..RESAMPLINGS)
        .map(|_| {
            let again: Vec<f64> = at.iter().map(|at| law.at(*at) * (1.0 + draw())).collect();
            least_squares(at, &again).peak().unwrap_or(f64::INFINITY)
        })
        .collect();
    peaks.sort_by(f64::total_cmp);
    let at = |thousandth: usize| peaks.get(thousandth * RESAMPLINGS / 1_000).copied();
    let (low, high) = (at(25)?, at(975)?);
    low.is_finite().then_some(Range { low, high: Some(high).filter(|high| high.is_finite()) })
}

#[expect(clippy::cast_precision_loss, reason = "levels beyond 2^53 are not compared exactly")]
fn exact(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::{Law, Point, exact, fit};
    use crate::stdx::rng::Rng;

    const LEVELS: [u64; 8] = [1, 2, 4, 8, 16, 24, 32, 48];

    fn points(law: &Law, levels: &[u64], noise: f64, seed: u64) -> Vec<Point> {
        let mut rng = Rng::stream(seed, 1);
        let mut unit = || exact(rng.below(1 << 32)) / exact(1 << 32);
        let point = |level: &u64| {
            // Twelve of them, less six: near enough to normal.
            let error: f64 = (0..12).map(|_| unit()).sum::<f64>() - 6.0;
            Point { level: *level, throughput: law.at(exact(*level)) * (1.0 + noise * error) }
        };
        levels.iter().map(point).collect()
    }

    /// `tests/kit/usl.py` says how they were made.
    #[test]
    fn as_scipy_fits_it() {
        let golden = include_str!("../../tests/golden/verdict/usl.json");
        let cases: Vec<serde_json::Value> = serde_json::from_str(golden).unwrap();
        assert_eq!(cases.len(), 40);
        for case in cases {
            let numbers = |key: &str| case[key].as_array().unwrap().clone();
            let points: Vec<Point> = numbers("n")
                .iter()
                .zip(numbers("x"))
                .map(|(level, throughput)| Point {
                    level: level.as_u64().unwrap(),
                    throughput: throughput.as_f64().unwrap(),
                })
                .collect();
            let law = fit(&points, 1).unwrap().law;
            let at: Vec<f64> = points.iter().map(|point| exact(point.level)).collect();
            let seen: Vec<f64> = points.iter().map(|point| point.throughput).collect();
            let sse = super::error(&law, &at, &seen);
            let theirs = |key: &str| case[key].as_f64().unwrap();
            let scale = seen.iter().map(|it| it * it).sum::<f64>();
            assert!(sse <= theirs("sse") + 1e-12 * scale, "{sse}, {law:?}, {case}");
            let near = |ours: f64, key: &str, floor: f64| {
                let gap = (ours - theirs(key)).abs();
                assert!(gap <= 1e-4 * theirs(key) + floor, "{key}: {ours}, {case}");
            };
            near(law.gain, "g", 0.0);
            near(law.contention, "a", 1e-5);
            near(law.coherency, "b", 1e-7);
        }
    }

    #[test]
    fn the_interval_holds_the_peak_as_often_as_it_says() {
        let law = Law { gain: 900.0, contention: 0.03, coherency: 0.001 };
        let peak = law.peak().unwrap();
        let mut holds = 0;
        for seed in 0..200 {
            let range = fit(&points(&law, &LEVELS, 0.02, seed), seed).unwrap().peak_range.unwrap();
            holds += u32::from(range.low <= peak && range.high.is_none_or(|high| peak <= high));
        }
        // 95 %, less what eight points can give.
        assert!((170..=199).contains(&holds), "{holds} of 200");
    }

    #[test]
    fn a_peak_far_beyond_what_was_tried_is_marked() {
        let far = Law { gain: 100.0, contention: 0.01, coherency: 1e-6 };
        let found = fit(&points(&far, &LEVELS, 0.0, 1), 1).unwrap();
        assert!(found.extrapolated && found.peak.is_some_and(|peak| peak > 900.0), "{found:?}");
        let near = Law { gain: 100.0, contention: 0.05, coherency: 0.002 };
        let found = fit(&points(&near, &LEVELS, 0.0, 1), 1).unwrap();
        assert!(!found.extrapolated && found.explained > 0.999_999, "{found:?}");
        assert!((found.best.unwrap() - near.at(near.peak().unwrap())).abs() < 1e-3);
        let endless = Law { gain: 100.0, contention: 0.05, coherency: 0.0 };
        let found = fit(&points(&endless, &LEVELS, 0.0, 1), 1).unwrap();
        assert!(found.extrapolated, "{found:?}");
    }

    #[test]
    fn the_same_seed_gives_the_same_interval() {
        let law = Law { gain: 900.0, contention: 0.03, coherency: 0.001 };
        let points = points(&law, &LEVELS, 0.03, 3);
        assert_eq!(fit(&points, 7), fit(&points, 7));
        assert_ne!(fit(&points, 7).unwrap().peak_range, fit(&points, 8).unwrap().peak_range);
    }

    #[test]
    fn too_little_is_refused() {
        let law = Law { gain: 900.0, contention: 0.03, coherency: 0.001 };
        let few = points(&law, &[1, 2, 2, 2, 4, 8, 16], 0.0, 1);
        let why = "5 levels are too few to say how throughput scales: it takes 6";
        assert_eq!(fit(&few, 1), Err(why.to_owned()));
        let mut wrong = points(&law, &LEVELS, 0.0, 1);
        wrong[3].throughput = f64::NAN;
        assert!(fit(&wrong, 1).is_err());
        wrong[3] = Point { level: 0, throughput: 1.0 };
        assert!(fit(&wrong, 1).is_err());
    }
}
