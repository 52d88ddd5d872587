//! Levels that fall and rise again: who rests, who comes back, and that all ends.

use std::num::NonZeroU64;

use onslaught::engine::To;
use onslaught::metrics::{Counter, Delta};
use onslaught::plan::{Opening, Until};
use onslaught::stdx::Nanos;

use super::kernel::World;
use super::{PLAIN, SECOND, all_is_well, plan};

const fn held(sessions: u64) -> To {
    To::Held(sessions * 1_000)
}

fn ok(delta: &Delta) -> u64 {
    delta.leaves().map(|(_, leaf)| leaf.tally.ok).sum()
}

/// Its WebSocket stays open over iterations, and it never thinks: nothing but its messages could
/// tell it that its level is gone.
#[test]
fn a_journey_that_only_speaks_rests_and_comes_back() {
    let steps = "  a:\n    load: {connections: 2, for: 9s}\n    steps:\n      \
                 - websocket: {url: /ws}\n      - send: {text: '{\"a\": 1}'}\n      \
                 - expect: {json: {$.a: 1}}\n";
    let mut world = World::begin(plan(PLAIN, steps), Nanos::ZERO, all_is_well());
    world.echo(Nanos::from_millis(10));
    world.run(SECOND);
    assert_eq!(world.connections(), 2);
    world.order(SECOND, held(1));
    world.run(SECOND + SECOND);
    assert_eq!(world.connections(), 1, "one rests");
    world.order(SECOND + SECOND, held(0));
    world.run(Nanos::from_secs(3));
    assert_eq!(world.connections(), 0, "both rest");
    world.hand_over();
    world.order(Nanos::from_secs(3), held(2));
    world.run(Nanos::from_secs(5));
    assert_eq!(world.connections(), 2, "both are back");
    let delta = world.hand_over();
    assert_eq!(delta.counter(Counter::WsSessions), 2);
    assert!((380..=401).contains(&delta.counter(Counter::WsMsgsSent)));
    world.run(Nanos::from_secs(60));
    world.finished();
    assert!(world.now < Nanos::from_secs(10), "{}", world.now);
}

/// The level is back before the answer that keeps a WebSocket from being closed.
#[test]
fn a_fleet_whose_level_is_soon_back_speaks_on() {
    let fleet = "  a:\n    load: {connections: 2, for: 20s}\n    websocket: {url: /ws}\n    \
                 every: 1s\n    send: {text: '{\"a\": 1}'}\n    answer: next\n    \
                 expect: {time: 5s}\n";
    let mut world = World::begin(plan(PLAIN, fleet), Nanos::ZERO, all_is_well());
    world.echo(Nanos::from_secs(3));
    world.run(Nanos::from_secs(5));
    world.order(Nanos::from_secs(5), held(0));
    world.run(Nanos::from_millis(5_500));
    world.order(Nanos::from_millis(5_500), held(2));
    world.run(Nanos::from_secs(10));
    world.hand_over();
    world.run(Nanos::from_secs(15));
    let delta = world.hand_over();
    assert_eq!(delta.counter(Counter::WsMsgsSent), 10, "two sessions, once a second");
    assert_eq!(delta.counter(Counter::WsSessions), 0, "their WebSockets were never closed");
    world.run(Nanos::from_secs(60));
    world.finished();
    assert!(world.now < Nanos::from_secs(25), "{}", world.now);
}

/// Of a count that is reached, no order can bring more, however late the load would end.
#[test]
fn arrivals_that_are_counted_end_after_an_order() {
    let load = "  a:\n    load: {rate: 100/s, for: 9s, max: 5}\n    mix: [{get: /}]\n";
    let mut plan = plan(PLAIN, load);
    plan.only_mut().until = Until::Operations(NonZeroU64::new(50).unwrap(), Nanos::MAX);
    let mut world = World::begin(plan, Nanos::ZERO, all_is_well());
    world.run(Nanos::from_millis(100));
    world.order(Nanos::from_millis(100), To::Share(2_000));
    world.run(Nanos::from_secs(3_600));
    assert_eq!(ok(&world.finished()), 50);
    assert!(world.now < SECOND, "{}", world.now);
}

/// Who comes when a level rises is let in at the pace asked for, counted from the rise.
#[test]
fn a_rise_is_paced_from_itself_on() {
    let load = "  a:\n    load: {connections: 100, for: 60s}\n    steps:\n      \
                - get: /\n      - think: 1s\n";
    let mut plan = plan(PLAIN, load);
    plan.only_mut().opening = Opening::Paced { count: 10, every: SECOND };
    let mut world = World::begin(plan, Nanos::ZERO, all_is_well());
    world.run(Nanos::from_millis(4_500));
    assert_eq!(world.connections(), 50);
    world.run(Nanos::from_secs(12));
    world.order(Nanos::from_secs(12), held(80));
    world.run(Nanos::from_secs(15));
    assert_eq!(world.connections(), 80);
    world.order(Nanos::from_secs(15), held(100));
    world.run(Nanos::from_millis(15_500));
    assert_eq!(world.connections(), 90, "ten at once");
    world.run(Nanos::from_millis(16_500));
    assert_eq!(world.connections(), 100, "ten more a second later");
    world.run(Nanos::from_secs(90));
    world.finished();
}

/// What an order asks for beyond the sessions that there are is not there to be drawn from.
#[test]
fn samples_are_drawn_from_sessions_that_there_are() {
    let fleet = "  a:\n    load: {connections: 4, for: 20s}\n    websocket: {url: /ws}\n    \
                 every: 100ms\n    sample: 2\n    send: {text: hello}\n";
    let mut world = World::begin(plan(PLAIN, fleet), Nanos::ZERO, all_is_well());
    world.run(SECOND);
    world.order(SECOND, To::Share(5_000));
    world.run(Nanos::from_secs(2));
    world.hand_over();
    world.run(Nanos::from_secs(12));
    assert_eq!(world.hand_over().counter(Counter::WsMsgsSent), 200);
}
