//! How far a quantile of a run may be off: an interval by order statistics, over blocks of time.
//!
//! Of n independent times the rank of the true p-quantile lies, in 95 of 100 runs, between
//! np − h and np + h, where h = 1.96 · sqrt(np(1−p)) (Conover, "Practical Nonparametric
//! Statistics", 3rd ed., section 3.2). Times of a run are not independent: who waits behind a
//! long queue waits as long as his neighbour, so n of them say less than n. How much less shows in
//! how the number of times beyond the quantile varies from block to block: its variance is φ times
//! what independent times would give. With B blocks h = t(B−1) · sqrt(φ · np(1−p)), t the 97.5 %
//! point of Student's distribution, for φ is estimated from those blocks (the method of batch
//! means on the indicator "is beyond": Heidelberger and Lewis, "Quantile estimation in dependent
//! sequences", 1984). φ below 1 is taken for 1.
//!
//! Blocks are whole seconds, at first one each. When there are too many, neighbours are joined, so
//! that memory is bounded, and blocks stay long beside any queue's memory.

use super::histogram::Histogram;

/// Blocks at most; joined to half as many when there would be more.
const BLOCKS_MAX: usize = 64;

/// Fewer blocks say nothing of how they vary.
const BLOCKS_MIN: usize = 10;

/// An interval needs so many times beyond the quantile: n(1 − p).
const BEYOND_MIN: f64 = 100.0;

/// The 97.5 % point of the normal distribution.
const Z: f64 = 1.959_963_985;

/// Times by blocks of seconds. They add up: in any order, by any shards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocks {
    /// Seconds in a block, a power of two.
    width: u64,
    blocks: Vec<Block>,
}

/// The buckets that were hit, by their time in microseconds, each with its count; ascending.
type Block = Vec<(u64, u64)>;

impl Default for Blocks {
    fn default() -> Self {
        Self { width: 1, blocks: Vec::new() }
    }
}

impl Blocks {
    /// Adds the times of one second, counted from the start of the load.
    pub fn add(&mut self, second: u64, times: &Histogram) {
        if times.count() == 0 {
            return;
        }
        let most = BLOCKS_MAX as u64;
        while second / self.width >= most {
            self.join();
        }
        let index = usize::try_from(second / self.width).unwrap_or(0);
        if self.blocks.len() <= index {
            self.blocks.resize_with(index + 1, Block::new);
        }
        let hits = times.hdr().iter_recorded();
        let hits = hits.map(|hit| (hit.value_iterated_to(), hit.count_at_value()));
        self.blocks[index] = merged(&self.blocks[index], &hits.collect::<Block>());
    }

    /// Blocks of twice the width.
    fn join(&mut self) {
        self.width *= 2;
        let join = |pair: &[Block]| match pair {
            [one, other] => merged(one, other),
            _ => pair.concat(),
        };
        self.blocks = self.blocks.chunks(2).map(join).collect();
    }

    /// Between which times, in microseconds, the `p`-quantile lies in 95 of 100 runs like this
    /// one. None where too few times lie beyond it, or there are too few blocks: runs of ten
    /// seconds at least.
    #[must_use]
    pub fn interval(&self, p: f64) -> Option<(u64, u64)> {
        let blocks: Vec<&Block> = self.blocks.iter().filter(|block| !block.is_empty()).collect();
        let all = blocks.iter().fold(Block::new(), |all, block| merged(&all, block));
        let n = total(&all);
        if blocks.len() < BLOCKS_MIN || n * (1.0 - p) < BEYOND_MIN {
            return None;
        }
        let quantile = at_rank(&all, (n * p).ceil())?;
        let phi = dispersion(&blocks, quantile, n * p * (1.0 - p));
        between(&all, p, phi, float(blocks.len() as u64) - 1.0)
    }
}

/// φ: how much more the number of times beyond the quantile varies from block to block than
/// independent times would, which have this variance over all blocks.
fn dispersion(blocks: &[&Block], quantile: u64, variance: f64) -> f64 {
    let beyond = |block: &&Block| {
        let from = block.partition_point(|(time, _)| *time <= quantile);
        (total(block.get(from..).unwrap_or_default()), total(block))
    };
    let counts: Vec<(f64, f64)> = blocks.iter().map(beyond).collect();
    let (above, all) = counts.iter().fold((0.0, 0.0), |sum, each| (sum.0 + each.0, sum.1 + each.1));
    let squares = counts.iter().map(|(each, of)| (each - above / all * of).powi(2)).sum::<f64>();
    let number = float(blocks.len() as u64);
    (squares * number / (number - 1.0) / variance).max(1.0)
}

/// The times at both ends of the interval.
fn between(all: &[(u64, u64)], p: f64, phi: f64, degrees: f64) -> Option<(u64, u64)> {
    let n = total(all);
    let half = student(degrees) * (phi * n * p * (1.0 - p)).sqrt();
    let low = at_rank(all, (n * p - half).floor())?;
    let high = at_rank(all, (n * p + half).ceil() + 1.0)?;
    Some((low, high))
}

/// How many times there are.
fn total(hits: &[(u64, u64)]) -> f64 {
    float(hits.iter().map(|(_, count)| count).sum())
}

/// The time of this rank, counted from 1, if there is one.
fn at_rank(hits: &[(u64, u64)], rank: f64) -> Option<u64> {
    let mut seen = 0;
    hits.iter()
        .find(|(_, count)| {
            seen += count;
            float(seen) >= rank
        })
        .filter(|_| rank >= 1.0)
        .map(|(time, _)| *time)
}

/// Both together.
fn merged(one: &[(u64, u64)], other: &[(u64, u64)]) -> Block {
    let mut both = Vec::with_capacity(one.len() + other.len());
    let (mut one, mut other) = (one.iter().peekable(), other.iter().peekable());
    loop {
        let (left, right) = (one.peek().map(|hit| hit.0), other.peek().map(|hit| hit.0));
        let time = match (left, right) {
            (Some(left), Some(right)) => left.min(right),
            (Some(time), None) | (None, Some(time)) => time,
            (None, None) => return both,
        };
        let count = |next: Option<&(u64, u64)>| next.map_or(0, |hit| hit.1);
        let left = count(one.next_if(|hit| hit.0 == time));
        both.push((time, left + count(other.next_if(|hit| hit.0 == time))));
    }
}

/// The 97.5 % point of Student's distribution, within 0.1 % from 9 degrees of freedom up
/// (Abramowitz and Stegun, "Handbook of Mathematical Functions", 26.7.5).
fn student(degrees: f64) -> f64 {
    let (z3, z5, z7) = (Z.powi(3), Z.powi(5), Z.powi(7));
    let first = (z3 + Z) / 4.0 / degrees;
    let second = (5.0 * z5 + 16.0 * z3 + 3.0 * Z) / 96.0 / degrees.powi(2);
    let third = (3.0 * z7 + 19.0 * z5 + 17.0 * z3 - 15.0 * Z) / 384.0 / degrees.powi(3);
    Z + first + second + third
}

#[expect(clippy::cast_precision_loss, reason = "2^53 times are more than any run has")]
const fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::{BLOCKS_MAX, Blocks, Histogram, between, merged, student};
    use crate::stdx::Nanos;
    use crate::stdx::rng::Rng;

    /// Blocks of so many seconds, with `next` called for each time of a second.
    fn blocks(seconds: u64, each: u64, mut next: impl FnMut(u64) -> Nanos) -> Blocks {
        let mut blocks = Blocks::default();
        for second in 0..seconds {
            let mut times = Histogram::new();
            (0..each).for_each(|_| times.record(next(second)));
            blocks.add(second, &times);
        }
        blocks
    }

    /// In how many of 200 runs the interval of the p99 holds `truth`, in microseconds; and in how
    /// many the one for independent times would.
    fn covered(truth: f64, run: impl Fn(u64) -> Blocks) -> (usize, usize) {
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        // A bucket is 0.1 % wide, and a time stands for the microsecond that it begins.
        let holds =
            |(low, high): (u64, u64)| low as f64 * 0.999 <= truth && truth <= (high + 1) as f64;
        let runs = (0..200).map(|seed| {
            let blocks = run(seed);
            let all = blocks.blocks.iter().fold(Vec::new(), |all, block| merged(&all, block));
            let naive = between(&all, 0.99, 1.0, 1e9).expect("enough times");
            (holds(blocks.interval(0.99).expect("enough times and blocks")), holds(naive))
        });
        let runs: Vec<(bool, bool)> = runs.collect();
        let count = |which: fn(&&(bool, bool)) -> bool| runs.iter().filter(which).count();
        (count(|run| run.0), count(|run| run.1))
    }

    /// From tables: t(0.975) of 9, 30 and 63 degrees of freedom.
    #[test]
    fn points_of_students_distribution() {
        for (degrees, point) in [(9.0, 2.262_2), (30.0, 2.042_3), (63.0, 1.998_3)] {
            assert!((student(degrees) - point).abs() < 0.002, "{degrees}: {}", student(degrees));
        }
    }

    #[test]
    fn independent_times_are_covered_as_often_as_promised() {
        let (covered, naive) = covered(100.0_f64.ln() * 5_000.0, |seed| {
            let mut rng = Rng::stream(seed, 1);
            blocks(30, 1_000, |_| Nanos(rng.exponential(5_000_000)))
        });
        assert!((180..=198).contains(&covered), "{covered} of 200");
        assert!((180..=198).contains(&naive), "{naive} of 200");
    }

    /// M/M/1 by Lindley's recursion: arrivals of 1000/s, service of 2000/s. The time in the system
    /// is exponential of rate 1000/s, and strongly dependent. For the ranks of independent times
    /// that is too much: they hold the truth far less often.
    #[test]
    fn dependent_times_are_covered_too() {
        let run = |seed| {
            let (mut now, mut free) = (0_u64, 0_u64);
            let mut rng = Rng::stream(seed, 2);
            let mut next = move |_| {
                now += rng.exponential(1_000_000);
                free = free.max(now) + rng.exponential(500_000);
                Nanos(free - now)
            };
            (0..5_000).for_each(|_| _ = next(0));
            blocks(30, 1_000, next)
        };
        let (covered, naive) = covered(100.0_f64.ln() * 1_000.0, run);
        assert!((180..=198).contains(&covered), "{covered} of 200");
        assert!(naive < 150, "{naive} of 200: the blocks would not be needed");
    }

    #[test]
    fn memory_is_bounded_and_order_does_not_matter() {
        let mut rng = Rng::stream(7, 7);
        let mut seconds: Vec<(u64, Histogram)> = (0..1_000)
            .map(|second| {
                let mut times = Histogram::new();
                (0..50).for_each(|_| times.record(Nanos(rng.exponential(3_000_000))));
                (second, times)
            })
            .collect();
        let sum = |seconds: &[(u64, Histogram)]| {
            let mut blocks = Blocks::default();
            seconds.iter().for_each(|(second, times)| blocks.add(*second, times));
            blocks
        };
        let forward = sum(&seconds);
        assert!(forward.blocks.len() <= BLOCKS_MAX, "{}", forward.blocks.len());
        assert_eq!(forward.width, 16);
        seconds.reverse();
        assert_eq!(sum(&seconds), forward);
    }

    #[test]
    fn too_few_give_none() {
        let mut rng = Rng::stream(1, 1);
        let mut next = |_| Nanos(rng.exponential(1_000_000));
        assert_eq!(Blocks::default().interval(0.5), None);
        assert_eq!(blocks(9, 10_000, &mut next).interval(0.99), None, "nine blocks");
        assert_eq!(blocks(10, 999, &mut next).interval(0.99), None, "99 beyond");
        assert!(blocks(10, 1_000, &mut next).interval(0.99).is_some());
    }
}
