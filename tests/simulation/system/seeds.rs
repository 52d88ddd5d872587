//! Runs drawn from seeds, each held to the laws.

use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::thread;

use onslaught::metrics::{Counter, Tally};
use onslaught::stdx::Nanos;

use super::super::dice::Dice;
use super::super::scenario::{Course, Kernel, Scenario, Target};
use super::super::seeds::{SEEDS, number, why};
use super::super::world::{Words, show};
use super::manners::Manners;
use super::plan::draw;
use super::run::{Finished, run};

/// Seeds far out that have found a mistake: a token that ran out while a connection was opened.
const ONCE_BROKEN: [u64; 3] = [4_659, 5_033, 5_154];

/// The run of a seed.
pub(super) fn scenario(seed: u64) -> (Scenario, Manners, String) {
    let dice = &mut Dice::new(seed, 10);
    let manners = Manners::draw(dice);
    let drawn = draw(seed, &manners, dice);
    let work = Nanos::from_millis(dice.pick(&[2, 10, 40]));
    let latency = Nanos::from_micros(dice.pick(&[10, 1_000]));
    let target = Target { latency, work: (Nanos(work.0 / 2), work), ..Target::honest(work) };
    let (kernel, mut course) = (Kernel::draw(dice), Course::draw(dice));
    if dice.chance(200) {
        course.drain_at = Some(dice.up_to(Nanos::from_secs(5)));
    }
    let plan = Arc::new(drawn.plan);
    (Scenario { seed, plan, kernel, target, course }, manners, drawn.text)
}

/// What happened in all runs together.
#[derive(Default)]
struct Seen {
    tally: Tally,
    counters: [u64; Counter::ALL.len()],
    failures: Vec<(u64, String)>,
}

impl Seen {
    fn of(finished: &Finished) -> Self {
        let mut tally = Tally::default();
        finished.total.leaves().for_each(|(_, leaf)| tally.add(&leaf.tally));
        let counters = finished.total.counters;
        Self { tally, counters, failures: Vec::new() }
    }

    fn add(&mut self, other: &Self) {
        self.tally.add(&other.tally);
        self.failures.extend(other.failures.iter().cloned());
        for (mine, theirs) in self.counters.iter_mut().zip(other.counters) {
            *mine += theirs;
        }
    }
}

#[test]
fn every_system_is_met_by_the_laws() {
    if let Some(seed) = number("SEED") {
        let (scenario, manners, text) = scenario(seed);
        show(format_args!("{text}\n{manners:#?}\n{scenario:#?}"));
        return run(scenario, manners, Words::Printed).check();
    }
    let seeds = number("SEEDS").unwrap_or(SEEDS);
    let from = number("FROM").unwrap_or(0);
    let workers = thread::available_parallelism().map_or(1, |cores| cores.get());
    let ended = thread::scope(|scope| {
        let start = |worker| {
            let mine = (from..from + seeds).chain(ONCE_BROKEN).skip(worker).step_by(workers);
            scope.spawn(move || work(mine))
        };
        let workers: Vec<_> = (0..workers).map(start).collect();
        workers.into_iter().map(|worker| worker.join().expect("a worker")).collect::<Vec<_>>()
    });
    let mut all = Seen::default();
    ended.iter().for_each(|seen| all.add(seen));
    all.failures.sort_unstable();
    if let Some((seed, _)) = all.failures.first() {
        let lines = all.failures.iter().map(|(seed, why)| format!("seed {seed}: {why}\n"));
        let (first, often) = (lines.take(FAILURES).collect::<String>(), all.failures.len());
        panic!("{often} failed\n{first}to repeat it: SEED={seed} cargo sim every_system");
    }
    if seeds >= SEEDS {
        for counter in Counter::ALL {
            let often = all.counters[counter as usize];
            assert!(often >= 10, "{}: seen {often} times", counter.name());
        }
        let Tally { ok, aborted, dropped, .. } = all.tally;
        assert!([ok, aborted, dropped].iter().all(|often| *often >= 10), "{:?}", all.tally);
    }
}

/// Failures that are shown.
const FAILURES: usize = 20;

fn work(seeds: impl Iterator<Item = u64>) -> Seen {
    let mut seen = Seen::default();
    for seed in seeds {
        let ended = panic::catch_unwind(AssertUnwindSafe(|| {
            let (scenario, manners, _) = scenario(seed);
            let finished = run(scenario, manners, Words::None);
            finished.check();
            Seen::of(&finished)
        }));
        match ended {
            Ok(more) => seen.add(&more),
            Err(cause) => seen.failures.push((seed, why(&*cause))),
        }
    }
    seen
}

#[test]
fn the_same_system_gives_the_same_submissions() {
    for seed in 0..25 {
        let hash = || {
            let (scenario, manners, _) = scenario(seed);
            run(scenario, manners, Words::None).world.log.hash()
        };
        assert_eq!(hash(), hash(), "seed {seed}");
    }
}
