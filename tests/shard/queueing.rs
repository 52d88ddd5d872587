//! Queues of which theory knows the quantiles: is what we report right, and as sure as we say?
//!
//! A server with one clerk and exponential service of rate mu, arrivals of rate lambda. The time in
//! the system is exponential (Kleinrock, "Queueing Systems", vol. I, 1975): of rate mu − lambda
//! where arrivals are a Poisson process (M/M/1, section 3.2), and of rate mu(1 − s) where they come
//! evenly (D/M/1, section 6.4), s the root of s = exp(−mu(1 − s)/lambda) between 0 and 1.

use onslaught::metrics::{Blocks, Histogram, Trend};
use onslaught::plan::Phase;
use onslaught::stdx::Nanos;
use onslaught::stdx::rng::Rng;

use crate::kernel::{Serve, World};
use crate::{PLAIN, plan, reply};

/// How requests come.
#[derive(Clone, Copy)]
enum Arrivals {
    Poisson,
    Even,
}

/// Arrivals and services a second; the clerk is busy half of the time.
const LAMBDA: f64 = 1_000.0;
const MU: f64 = 2_000.0;
const MEAN_NS: u64 = 500_000;

const SECONDS: u64 = 16;

impl Arrivals {
    /// The rate of the exponential distribution of the time in the system.
    fn rate(self) -> f64 {
        match self {
            Self::Poisson => MU - LAMBDA,
            Self::Even => {
                let again = |s: f64, _| (-MU * (1.0 - s) / LAMBDA).exp();
                MU * (1.0 - (0..200).fold(0.5, again))
            }
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Poisson => "poisson",
            Self::Even => "even",
        }
    }

    /// A run: response times, all and by the second.
    fn run(self, seed: u64) -> (Histogram, Blocks) {
        let load = format!(
            "  a:\n    load: {{rate: 1000/s, for: {SECONDS}s, max: 256, arrivals: {}}}\n    \
             mix:\n      - get: /\n",
            self.word()
        );
        let mut plan = plan(PLAIN, &load);
        plan.seed = seed;
        let ids: Vec<_> = plan.leaves(Phase::Load).map(|(_, id)| id).collect();
        let mut world = World::begin(plan, Nanos::ZERO, clerk(seed));
        let mut total = Histogram::new();
        let mut blocks = Blocks::default();
        let start = world.now;
        for second in 0..SECONDS + 1 {
            world.run(start + Nanos::from_secs(second + 1));
            let delta = world.hand_over();
            let mut times = Histogram::new();
            for leaf in ids.iter().filter_map(|id| delta.get(*id)) {
                times.add(leaf.trend(Trend::Duration));
            }
            blocks.add(second, &times);
            total.add(&times);
        }
        world.finished();
        (total, blocks)
    }
}

/// D(i) = max(A(i), D(i−1)) + S(i) (Lindley, 1952).
fn clerk(seed: u64) -> Serve {
    let mut rng = Rng::stream(seed, 99);
    let mut free = Nanos::ZERO;
    Box::new(move |now, _| {
        free = free.max(now) + Nanos(rng.exponential(MEAN_NS));
        Some((free.since(now), reply("200 OK", "")))
    })
}

/// In 90 to 99 of 100 runs the true p99 lies inside of the reported interval; and the p99 of all
/// runs together is the true one within 2 %: of 3.2 million times the standard error is 1 %, for
/// they are as good as 100,000 independent ones.
#[expect(clippy::cast_precision_loss, reason = "small numbers")]
fn theory_lies_in_the_interval(arrivals: Arrivals, runs: u64) {
    let truth = 100.0_f64.ln() / arrivals.rate() * 1e6;
    let mut all = Histogram::new();
    let mut inside = 0;
    for seed in 0..runs {
        let (times, blocks) = arrivals.run(seed);
        let (low, high) = blocks.interval(0.99).expect("160 times lie beyond it, in 16 blocks");
        assert!(low <= times.micros_at(0.99) && times.micros_at(0.99) <= high, "it is in its own");
        // A time stands for the microsecond that it begins, in a bucket of 0.1 %.
        inside += u64::from(low as f64 * 0.999 <= truth && truth <= (high + 1) as f64);
        all.add(&times);
    }
    let found = all.micros_at(0.99) as f64;
    eprintln!("{}: {inside} of {runs}; p99 {found} us, {truth} by theory", arrivals.word());
    assert!((found / truth - 1.0).abs() < 0.02, "p99 is {found} us, by theory {truth} us");
    let (least, most) = (runs * 90 / 100, runs * 99 / 100);
    assert!((least..=most).contains(&inside), "{inside} of {runs}");
}

#[test]
fn a_queue_of_independent_users() {
    theory_lies_in_the_interval(Arrivals::Poisson, 200);
}

#[test]
fn a_queue_of_even_arrivals() {
    theory_lies_in_the_interval(Arrivals::Even, 200);
}
