//! Drives the shards of one run against the system.

use std::cell::RefCell;
use std::rc::Rc;

use onslaught::engine::shard::Next;
use onslaught::engine::{Level, Shard, To};
use onslaught::metrics::{Delta, Tails, Tally};
use onslaught::plan::{Load, Plan};
use onslaught::stdx::Nanos;

use super::super::dice::Dice;
use super::super::run::late;
use super::super::scenario::Scenario;
use super::super::world::Words;
use super::manners::{Manners, WALL};
use super::world::{Inbox, Outbox, World};

/// A run that has ended.
pub(super) struct Finished {
    pub(super) plan: std::sync::Arc<Plan>,
    pub(super) total: Delta,
    /// How its users fared, shard by shard.
    pub(super) tails: Vec<Tails>,
    pub(super) world: World,
    /// It was told to end at once.
    pub(super) aborted: bool,
    pub(super) ended_at: Nanos,
}

struct Simulation {
    scenario: Rc<Scenario>,
    world: RefCell<World>,
    drivers: Vec<Driver>,
    dice: Dice,
    /// When the load was told to begin.
    begun: Option<Nanos>,
    /// A stop that comes during the set-up is heard before the beginning.
    stops_first: bool,
    drained: Option<Nanos>,
    /// Changes of the level to come, since the beginning.
    changes: Vec<(Nanos, To)>,
    total: Delta,
}

struct Driver {
    shard: Shard,
    turn_at: Nanos,
    noticed: bool,
    ready: bool,
    finished: bool,
    hand_over_at: Nanos,
    /// Turns in a row that did nothing and asked for another one at once.
    idle: u64,
    /// What it recorded so far.
    total: Delta,
}

/// From the order to begin to the beginning.
const LEAD: Nanos = Nanos::from_millis(2);

/// Turns that may record nothing and go on at once: a session whose connection settled late makes
/// up for its pauses, one a turn. What spins does so for ever.
const IDLE: u64 = 64;

/// Samples of up to three fleets, of which the fastest draws one each 20 ms.
const TICK: Nanos = Nanos::from_millis(6);

/// The set-up takes so long at most, whatever fails.
const SET_UP: Nanos = Nanos::from_secs(60);

/// Beyond what the plan explains: farewells, logouts, pauses, and what comes late.
const SLACK: Nanos = Nanos::from_secs(10);

/// Pauses, and other levels, while the load is on.
fn changes(scenario: &Scenario) -> Vec<(Nanos, To)> {
    let mut dice = Dice::new(scenario.seed, 13);
    let count = if dice.chance(300) { dice.between(1, 4) } else { 0 };
    let mut changes: Vec<(Nanos, To)> = (0..count)
        .map(|_| {
            let share = dice.pick(&[0, 300, 1_000, 1_000, 2_500]);
            (dice.up_to(scenario.plan.span()), To::Share(share))
        })
        .collect();
    changes.sort_by_key(|(at, _)| *at);
    changes
}

pub(super) fn run(scenario: Scenario, manners: Manners, words: Words) -> Finished {
    let scenario = Rc::new(scenario);
    let mut world = World::new(scenario.clone(), manners);
    world.log.words = words;
    let driver = |id| {
        let mut shard = Shard::new(scenario.plan.clone(), id, Nanos::ZERO);
        shard.set_wall_clock(WALL);
        Driver {
            shard,
            turn_at: Nanos::ZERO,
            noticed: false,
            ready: false,
            finished: false,
            hand_over_at: scenario.course.hand_over_every,
            idle: 0,
            total: Delta::default(),
        }
    };
    let mut dice = Dice::new(scenario.seed, 12);
    let simulation = Simulation {
        world: RefCell::new(world),
        drivers: (0..scenario.plan.shards).map(driver).collect(),
        begun: None,
        stops_first: dice.chance(500),
        dice,
        drained: None,
        changes: changes(&scenario),
        total: Delta::default(),
        scenario,
    };
    simulation.run()
}

impl Simulation {
    fn run(mut self) -> Finished {
        let spare = self.spare();
        while self.drivers.iter().any(|driver| !driver.finished) {
            let now = self.next_at();
            let end = match (self.begun, self.drained) {
                (_, Some(at)) => at + spare,
                (Some(at), None) => at + self.scenario.plan.span() + spare,
                (None, None) => SET_UP,
            };
            assert!(now <= end, "not at its end at {now}, which should be at {end}");
            self.world.get_mut().agenda.now = now;
            self.world.get_mut().act();
            self.obey(now);
            self.change(now);
            for shard in 0..self.drivers.len() {
                self.notice(shard, now);
                if self.drivers[shard].turn_at <= now && !self.drivers[shard].finished {
                    self.turn(shard, now);
                }
            }
        }
        let plan = self.scenario.plan.clone();
        let world = self.world.into_inner();
        let (aborted, ended_at) = (world.aborted, world.agenda.now);
        let tails = self.drivers.iter_mut().map(|driver| driver.shard.take_tails()).collect();
        Finished { plan, total: self.total, tails, world, aborted, ended_at }
    }

    /// How long a run may take behind its last due moment.
    fn spare(&self) -> Nanos {
        let Scenario { plan, course, .. } = &*self.scenario;
        let patience = plan.workloads.iter().map(|workload| match workload.load {
            Load::Open { patience, .. } => patience,
            Load::Closed => Nanos::ZERO,
        });
        let stopped = course.stopped.iter().map(|(from, to)| to.since(*from));
        let messages = plan.messages.iter().map(|message| message.timeout).max();
        let longest = messages.unwrap_or_default().max(plan.timeout);
        let all = patience.max().unwrap_or_default() + Nanos(4 * longest.0);
        stopped.fold(all + SLACK, |sum, span| sum + span)
    }

    fn next_at(&self) -> Nanos {
        let Scenario { course, .. } = &*self.scenario;
        let turn = self.drivers.iter().filter(|driver| !driver.finished);
        let turn = turn.map(|driver| driver.turn_at).min();
        let world = self.world.borrow();
        let now = world.agenda.now;
        let drain = course.drain_at.filter(|_| self.drained.is_none());
        let abort = course.abort_at.filter(|_| !world.aborted);
        let begin = (self.begun.is_none() && self.is_ready()).then_some(now);
        let change = self.change_at();
        let next = [begin, turn, drain, abort, change, world.next_at()].into_iter().flatten().min();
        let next = next.filter(|at| *at < Nanos::MAX);
        next.unwrap_or_else(|| panic!("hangs at {now}: nothing is due, and it has not finished"))
    }

    /// When the level changes next.
    fn change_at(&self) -> Option<Nanos> {
        let (at, _) = self.changes.first().filter(|_| self.drained.is_none())?;
        Some(self.begun? + *at)
    }

    /// The level changes, for all shards at one moment, which may have come for some already.
    fn change(&mut self, now: Nanos) {
        if self.change_at().is_none_or(|at| at > now) {
            return;
        }
        let (_, to) = self.changes.remove(0);
        let at = now + self.dice.up_to(Nanos::from_millis(2));
        let workload = self.dice.chance(300).then_some(0);
        let level = Level { workload, at, to };
        for (id, driver) in self.drivers.iter_mut().enumerate() {
            let outbox = &mut Outbox { world: &self.world, shard: id };
            if !driver.finished {
                driver.shard.change_level(&level, now, outbox);
            }
        }
        self.wake(now);
    }

    fn is_ready(&self) -> bool {
        self.drivers.iter().all(|driver| driver.ready)
    }

    /// What the collector orders.
    fn obey(&mut self, now: Nanos) {
        let course = &self.scenario.course;
        let abort = !self.world.get_mut().aborted && course.abort_at.is_some_and(|at| at <= now);
        let drain = self.drained.is_none() && course.drain_at.is_some_and(|at| at <= now);
        let begins = self.begun.is_none() && (self.is_ready() || drain || abort);
        if begins && !self.stops_first {
            self.begin(now);
        }
        if drain || abort {
            self.drained.get_or_insert(now);
            self.wake(now);
        }
        for (id, driver) in self.drivers.iter_mut().enumerate() {
            let outbox = &mut Outbox { world: &self.world, shard: id };
            if drain && !driver.finished {
                driver.shard.stop(now, outbox);
            }
        }
        if abort {
            self.world.get_mut().aborted = true;
            for (id, driver) in self.drivers.iter_mut().enumerate() {
                let outbox = &mut Outbox { world: &self.world, shard: id };
                if !driver.finished {
                    driver.shard.abort(now, outbox);
                }
            }
        }
        if begins && self.stops_first {
            self.begin(now);
        }
    }

    fn begin(&mut self, now: Nanos) {
        self.begun = Some(now + LEAD);
        self.drivers.iter_mut().for_each(|driver| driver.shard.begin(now + LEAD));
        self.wake(now);
    }

    fn wake(&mut self, now: Nanos) {
        for driver in &mut self.drivers {
            driver.turn_at = driver.turn_at.min(late(&mut self.dice, &self.scenario, now));
        }
    }

    /// Sets the next turn if something new lies in the inbox.
    fn notice(&mut self, shard: usize, now: Nanos) {
        let driver = &mut self.drivers[shard];
        if !driver.noticed && self.world.borrow().has_news(shard) {
            driver.noticed = true;
            driver.turn_at = driver.turn_at.min(late(&mut self.dice, &self.scenario, now));
        }
    }

    fn traffic(&self, shard: usize) -> u64 {
        let world = self.world.borrow();
        world.sides[shard].submitted + world.sides[shard].told
    }

    fn turn(&mut self, shard: usize, now: Nanos) {
        let before = self.traffic(shard);
        let driver = &mut self.drivers[shard];
        let mut inbox = Inbox { world: &self.world, shard, lent: Vec::new() };
        let mut outbox = Outbox { world: &self.world, shard };
        let Next { wake_at, ready, finished, .. } = driver.shard.turn(now, &mut inbox, &mut outbox);
        driver.noticed = false;
        driver.ready |= ready;
        let wake_at = wake_at.unwrap_or(Nanos::MAX);
        let line = format_args!("{shard} turned, next at {}", wake_at.0);
        self.world.borrow_mut().log.note(now, line);
        let still = wake_at <= now && before == self.traffic(shard) && !finished;
        let idle = still && !self.hand_over(shard, now);
        let driver = &mut self.drivers[shard];
        driver.idle = if idle { driver.idle + 1 } else { 0 };
        // After a standstill a fleet's samples are made up for one a turn, others' among them.
        let missed = self.scenario.course.stopped.iter().map(|(from, to)| to.since(*from).0);
        let most = IDLE + missed.sum::<u64>() / TICK.0;
        assert!(driver.idle <= most, "{shard} asks at {now} for a turn at {wake_at}, and idles");
        let next = late(&mut self.dice, &self.scenario, wake_at);
        let hands_over = now >= driver.hand_over_at;
        if hands_over {
            driver.hand_over_at = now + self.scenario.course.hand_over_every;
        }
        driver.turn_at = next.min(driver.hand_over_at);
        self.world.borrow().turned(shard);
        driver.finished = finished;
        if finished || hands_over {
            self.hand_over(shard, now);
        }
    }

    /// Takes what the shard has recorded: whether that is anything.
    fn hand_over(&mut self, shard: usize, now: Nanos) -> bool {
        let driver = &mut self.drivers[shard];
        let (recorder, gauges) = driver.shard.recorder();
        let delta = recorder.hand_over(Box::default(), now, gauges);
        let standing = self.world.borrow().standing(shard);
        assert_eq!(gauges.connections, standing, "connections that stand");
        self.total.add(&delta);
        driver.total.add(&delta);
        let begun = driver.total.leaves().map(|(_, leaf)| {
            let tally = &leaf.tally;
            tally.sent - tally.ok - tally.failures() - tally.aborted
        });
        assert_eq!(begun.sum::<u64>(), gauges.in_flight, "begun, and not ended, at {now}");
        if driver.finished {
            assert_eq!(gauges.in_flight, 0, "finished with operations in flight");
        }
        delta.counters.iter().any(|count| *count > 0)
            || delta.leaves().any(|(_, leaf)| leaf.tally != Tally::default())
    }
}
