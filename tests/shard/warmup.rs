//! A warm-up that ends before its bound: what is due from then on is measured, and for as long as
//! was asked for.

use onslaught::metrics::Delta;
use onslaught::plan::Phase;
use onslaught::stdx::Nanos;

use crate::kernel::World;
use crate::{SECOND, all_is_well, plan};

const HEAD: &str = "name: x\ntarget: http://127.0.0.1\nwarmup: {auto: 20s}\nworkloads:\n";

/// Operations of the warm-up and of the load, and when the shard was done.
fn run(workload: &str, found: Option<Nanos>) -> ([u64; 2], Nanos) {
    let plan = plan(HEAD, workload);
    let leaves = [Phase::Warmup, Phase::Load].map(|phase| plan.leaf(phase, 0));
    let mut world = World::begin(plan, Nanos::ZERO, all_is_well());
    if let Some(at) = found {
        world.run(at.since(Nanos::from_millis(500)));
        world.end_warmup(at);
    }
    world.run(Nanos::from_secs(60));
    let delta: Box<Delta> = world.finished();
    let counts = leaves.map(|leaf| delta.get(leaf).map_or(0, |leaf| leaf.tally.scheduled));
    (counts, world.now)
}

#[test]
fn arrivals_are_measured_from_the_moment_that_was_found() {
    let load = "  a:\n    load: {rate: 10/s, for: 5s}\n    mix: [{get: /}]\n";
    for arrivals in ["", ", pacing: efficient"] {
        let load = load.replace(", for", &format!("{arrivals}, for"));
        for (found, warm, end) in [(Some(3 * SECOND.0), 30, 8), (None, 200, 25)] {
            let (counts, done) = run(&load, found.map(Nanos));
            assert_eq!(counts, [warm, 50], "{load}");
            assert!(done < Nanos::from_secs(end), "{done}");
        }
    }
}

/// The lane's end is what wakes a session that thinks for longer than that.
#[test]
fn sessions_that_think_end_with_the_load() {
    let load = "  a:\n    load: {connections: 2, for: 5s}\n    steps: [{get: /}, {think: 900ms}]\n";
    let (counts, done) = run(load, Some(Nanos::from_secs(3)));
    // Due each 900 ms: four times before 3 s, five times before 8 s.
    assert_eq!(counts, [8, 10]);
    assert!(done <= Nanos::from_millis(8_001), "{done}");
    let (counts, done) = run(load, None);
    assert_eq!(counts, [46, 10]);
    assert!(done > Nanos::from_secs(24), "{done}");
}

#[test]
fn a_workload_that_starts_behind_the_warmup_is_measured_from_its_start() {
    let load = "  a:\n    start: 4s\n    load: {rate: 10/s, for: 5s}\n    mix: [{get: /}]\n";
    let (counts, done) = run(load, Some(Nanos::from_secs(3)));
    assert_eq!(counts, [0, 50]);
    assert!(done < Nanos::from_secs(9), "{done}");
}
