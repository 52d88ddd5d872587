use onslaught::stdx::Nanos;
use onslaught::stdx::rng::Rng;

use super::kit::{World, get};

const MEAN: u64 = 1_000_000;

/// The work of the first server's first requests.
fn works(count: usize) -> Vec<u64> {
    let mut rng = Rng::stream(1, 0);
    (0..count).map(|_| rng.exponential(MEAN)).collect()
}

#[test]
fn each_request_is_answered_after_those_before_it() {
    let mut world = World::new();
    (0..20).for_each(|slot| world.connect(slot));
    let start = world.now;
    // Half of the mean apart: the clerk falls behind, and catches up where the works are short.
    let arrivals: Vec<u64> = (0..20).map(|index| start.0 + index * MEAN / 2).collect();
    let mut free = start.0;
    let works = works(20);
    let answers = arrivals.iter().zip(&works).map(|(&arrived, work)| {
        free = free.max(arrived) + work;
        free
    });
    let answers: Vec<u64> = answers.collect();
    assert!(answers.windows(2).all(|pair| pair[0] < pair[1]), "one after the other");
    let mut moments: Vec<u64> = arrivals.iter().chain(&answers).copied().collect();
    moments.extend(answers.iter().map(|answer| answer - 1));
    moments.sort_unstable();
    for moment in moments {
        world.pass(Nanos(moment - world.now.0));
        for slot in 0..20 {
            let index = slot as usize;
            if arrivals[index] == moment {
                world.feed(slot, get("/queue/1ms"));
            }
            let answered = !world.text(slot).is_empty();
            assert_eq!(answered, answers[index] == moment, "request {slot} at {moment}");
        }
    }
}

#[test]
fn a_clerk_who_is_booked_for_minutes_takes_nobody() {
    let mut world = World::new();
    let most = 400;
    (0..most).for_each(|slot| {
        world.connect(slot);
        world.feed(slot, get("/queue/1s"));
    });
    let closed = (0..most).filter(|&slot| world.is_closed(slot)).count();
    // The work of 400 is 400 s ± 5 · 20 s: more than the 300 s that may be booked.
    assert!(closed > 0, "all were taken");
    assert!((0..200).all(|slot| !world.is_closed(slot)), "of 200 s ± 5 · 14 s all are taken");
    let totals = world.totals();
    assert_eq!(totals.overruns, closed as u64, "counted");
}
