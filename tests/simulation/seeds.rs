//! Runs drawn from seeds, each held to what its world saw.

use std::any::Any;
use std::env;
use std::panic::{self, AssertUnwindSafe};
use std::thread;

use onslaught::metrics::{ShardCounts, Tally};
use onslaught::protocol::Failure;

use super::run::run;
use super::scenario::Scenario;
use super::world::{Words, show};

/// Seeds of a plain test run.
pub(crate) const SEEDS: u64 = 1_000;

/// What happened in all runs together.
#[derive(Default)]
struct Seen {
    tally: Tally,
    counts: ShardCounts,
    discards: u64,
}

/// What no run with HTTP by addresses alone can lead to.
const UNSEEN: [Failure; 5] =
    [Failure::Dns, Failure::Tls, Failure::TimeoutTls, Failure::Check, Failure::WsClose];

/// `SEEDS=100000` runs more; `SEED=123` runs one and prints what happened in it.
#[test]
fn every_seed_ends_as_its_world_saw_it() {
    if let Some(seed) = number("SEED") {
        return repeat(seed);
    }
    let seeds = number("SEEDS").unwrap_or(SEEDS);
    let workers = thread::available_parallelism().map_or(1, |cores| cores.get() as u64);
    let ended = thread::scope(|scope| {
        let start = |worker| scope.spawn(move || work((worker..seeds).step_by(steps(workers))));
        let workers: Vec<_> = (0..workers).map(start).collect();
        workers.into_iter().map(|worker| worker.join().expect("a worker")).collect::<Vec<_>>()
    });
    if let Some((seed, why)) = ended.iter().filter_map(|seen| seen.as_ref().err()).min() {
        panic!(
            "seed {seed}: {why}\nto repeat it: SEED={seed} cargo test --release --test simulation"
        );
    }
    let mut all = Seen::default();
    ended.iter().flatten().for_each(|seen| all.add(seen));
    if seeds >= SEEDS {
        all.is_everything();
    }
}

impl Seen {
    fn add(&mut self, other: &Self) {
        self.tally.add(&other.tally);
        self.counts.add(&other.counts);
        self.discards += other.discards;
    }

    /// A simulation in which something never happens proves nothing about it.
    fn is_everything(&self) {
        for failure in Failure::ALL.into_iter().filter(|failure| !UNSEEN.contains(failure)) {
            let often = self.tally.failed_by(failure);
            assert!(often >= 10, "{}: seen {often} times", failure.key());
        }
        let Tally { ok, aborted, dropped, .. } = self.tally;
        let ShardCounts { rearmed, no_buffers, unasked, connect_failures, .. } = self.counts;
        let discards = self.discards;
        let all = [ok, aborted, dropped, rearmed, no_buffers, unasked, connect_failures, discards];
        assert!(all.iter().all(|often| *often >= 10), "something is never seen: {all:?}");
    }
}

/// Runs seeds until one fails.
fn work(mut seeds: impl Iterator<Item = u64>) -> Result<Seen, (u64, String)> {
    seeds.try_fold(Seen::default(), |mut seen, seed| {
        seen.add(&try_seed(seed).map_err(|why| (seed, why))?);
        Ok(seen)
    })
}

fn steps(workers: u64) -> usize {
    usize::try_from(workers).expect("a few")
}

#[test]
fn the_same_seed_gives_the_same_submissions() {
    for seed in 0..25 {
        let [first, second] =
            [(); 2].map(|()| run(Scenario::draw(seed), Words::Kept(Vec::new())).log);
        assert_eq!(first.words, second.words, "seed {seed}");
        assert_eq!(first.hash(), second.hash(), "seed {seed}");
    }
}

pub(crate) fn number(name: &str) -> Option<u64> {
    let text = env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}={text} is not a number")))
}

/// Runs one seed; if it fails, why.
fn try_seed(seed: u64) -> Result<Seen, String> {
    let ended = panic::catch_unwind(AssertUnwindSafe(|| {
        let finished = run(Scenario::draw(seed), Words::None);
        finished.check();
        let (counts, discards) = (finished.total.counts, finished.truth.discards);
        Seen { tally: finished.tally(), counts, discards }
    }));
    ended.map_err(|cause| why(&*cause))
}

/// What a panic said.
pub(crate) fn why(cause: &(dyn Any + Send)) -> String {
    match cause.downcast_ref::<String>() {
        Some(text) => text.clone(),
        None => cause.downcast_ref::<&str>().map_or_else(String::new, ToString::to_string),
    }
}

/// Runs one seed and prints its log, up to where it fails if it does.
fn repeat(seed: u64) {
    let scenario = Scenario::draw(seed);
    show(format_args!("{scenario:#?}"));
    let finished = run(scenario, Words::Printed);
    show(format_args!("{:?}", finished.tally()));
    finished.check();
}
