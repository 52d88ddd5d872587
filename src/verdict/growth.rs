//! Whether the response time grows over a run although the asked rate does not: a queue in the
//! target that is never emptied.

use super::trust::Window;
use crate::stdx::Nanos;

/// Response times at the beginning and at the end of a run: medians of medians.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Growth {
    /// Of the first quarter.
    pub(super) from: Nanos,
    /// Of the last quarter.
    pub(super) to: Nanos,
}

/// A trend needs this many seconds: four quarters of two.
const ENOUGH: usize = 8;
/// Growth below this is a target that warms up or cools down.
const TIMES: u64 = 2;
/// What nobody would call a queue.
const FLOOR: Nanos = Nanos::from_millis(10);
/// Kendall's tau (Kendall 1938) from here on is a trend that no noise of neighbours makes.
const TAU: f64 = 0.8;
/// How far asked rates of seconds may lie apart and still be one rate.
const CONSTANT: f64 = 0.02;

/// Growth that only a queue explains: at a constant rate the median has at least doubled from the
/// first quarter of the seconds to the last, by 10 ms or more, and of nearly all pairs of seconds
/// the later one is the slower. Conservative on purpose: a step, a stall or noise is none.
#[expect(clippy::cast_precision_loss, reason = "pairs of seconds of one run")]
pub(super) fn growth(windows: &[Window]) -> Option<Growth> {
    // A run of a day is looked at in as many steps as a run of some minutes.
    const STEPS: usize = 512;
    if windows.len() < ENOUGH || !constant(windows) {
        return None;
    }
    let medians: Vec<Nanos> = windows.iter().map(|window| window.response_p50).collect();
    let medians: Vec<Nanos> =
        medians.chunks(windows.len().div_ceil(STEPS)).filter_map(median).collect();
    let pairs = medians.len() * (medians.len() - 1) / 2;
    let (mut later_slower, mut later_faster) = (0_u64, 0_u64);
    for (place, early) in medians.iter().enumerate() {
        for late in medians.iter().skip(place + 1) {
            later_slower += u64::from(late > early);
            later_faster += u64::from(late < early);
        }
    }
    let tau = (later_slower as f64 - later_faster as f64) / pairs.max(1) as f64;
    let quarter = medians.len() / 4;
    let from = median(medians.get(..quarter)?)?;
    let to = median(medians.get(medians.len() - quarter..)?)?;
    let grew = to.0 >= from.0.saturating_mul(TIMES) && to.since(from) >= FLOOR;
    (grew && tau >= TAU).then_some(Growth { from, to })
}

/// Whether all seconds were asked for the same, give or take the arrival at their edge.
fn constant(windows: &[Window]) -> bool {
    let Some(asked) = windows.iter().map(|window| window.asked).collect::<Option<Vec<f64>>>()
    else {
        return false;
    };
    let most = asked.iter().copied().fold(0.0, f64::max);
    let least = asked.iter().copied().fold(f64::INFINITY, f64::min);
    most - least <= (most * CONSTANT).max(2.0)
}

fn median(times: &[Nanos]) -> Option<Nanos> {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::{Growth, Nanos, Window, growth};

    fn run(medians: &[u64], asked: impl Fn(usize) -> Option<f64>) -> Option<Growth> {
        let window = |(second, ms): (usize, &u64)| Window {
            response_p50: Nanos::from_millis(*ms),
            asked: asked(second),
            ..Window::default()
        };
        growth(&medians.iter().enumerate().map(window).collect::<Vec<_>>())
    }

    const QUEUE: [u64; 12] = [5, 9, 14, 21, 19, 30, 36, 41, 44, 52, 58, 61];

    #[test]
    fn a_queue_grows() {
        let expected = Growth { from: Nanos::from_millis(9), to: Nanos::from_millis(58) };
        assert_eq!(run(&QUEUE, |_| Some(100.0)), Some(expected));
        assert_eq!(run(&QUEUE, |second| Some(100.0 + (second % 2) as f64)), Some(expected));
    }

    #[test]
    fn a_rate_that_grows_explains_it() {
        assert_eq!(run(&QUEUE, |second| Some(100.0 + 10.0 * second as f64)), None);
        assert_eq!(run(&QUEUE, |second| (second > 0).then_some(100.0)), None);
    }

    #[test]
    fn neither_noise_nor_a_stall_nor_little_of_it_grows() {
        let at_100 = |medians: &[u64]| run(medians, |_| Some(100.0));
        assert_eq!(at_100(&QUEUE[..7]), None, "too short");
        assert_eq!(at_100(&[5, 9, 4, 7, 90, 80, 6, 5, 8, 4, 7, 9]), None, "a stall");
        assert_eq!(at_100(&[1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6]), None, "below 10 ms");
        assert_eq!(at_100(&[50, 52, 55, 56, 58, 60, 62, 63, 65, 66, 70, 71]), None, "not doubled");
        let long: Vec<u64> = (0..5_000).collect();
        assert!(at_100(&long).is_some(), "in steps");
    }
}
