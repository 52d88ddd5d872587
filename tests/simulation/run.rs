//! Drives the shards of one run through virtual time, as their drivers and the collector would.

use std::cell::RefCell;
use std::rc::Rc;

use onslaught::engine::Shard;
use onslaught::engine::shard::Next;
use onslaught::metrics::Delta;
use onslaught::plan::{Load, Plan, Until};
use onslaught::stdx::Nanos;

use super::dice::Dice;
use super::queue::{Inbox, Outbox};
use super::scenario::Scenario;
use super::truth::Truth;
use super::world::{Log, Words, World};

/// A run that has ended.
pub(crate) struct Finished {
    pub(crate) plan: std::sync::Arc<Plan>,
    /// What the shards recorded, together.
    pub(crate) total: Delta,
    /// What the world saw.
    pub(crate) truth: Truth,
    pub(crate) log: Log,
    pub(crate) ended_at: Nanos,
}

struct Simulation {
    scenario: Rc<Scenario>,
    world: RefCell<World>,
    drivers: Vec<Driver>,
    dice: Dice,
    begun: bool,
    drained: bool,
    aborted: bool,
    total: Delta,
    spare: Option<Box<Delta>>,
}

/// What drives one shard.
struct Driver {
    shard: Shard,
    turn_at: Nanos,
    /// Whether the next turn was set for what lies in the inbox.
    noticed: bool,
    ready: bool,
    finished: bool,
    hand_over_at: Nanos,
    turns: u64,
    /// Turns in a row that asked for another one at once.
    more: u32,
}

/// Operations that one turn begins at most.
const BEGINS_A_TURN: u32 = 64;

/// From the order to begin to the beginning.
const LEAD: Nanos = Nanos::from_millis(2);

/// Beyond what the plan explains: pauses, late completions, late turns.
const SLACK: Nanos = Nanos::from_secs(3);

/// Runs a scenario to its end. What happens is told in words if they are wanted.
pub(crate) fn run(scenario: Scenario, words: Words) -> Finished {
    let scenario = Rc::new(scenario);
    let mut world = World::new(scenario.clone());
    world.log.words = words;
    let driver = |id| Driver {
        shard: Shard::new(scenario.plan.clone(), id, Nanos::ZERO),
        turn_at: Nanos::ZERO,
        noticed: false,
        ready: false,
        finished: false,
        hand_over_at: scenario.course.hand_over_every,
        turns: 0,
        more: 0,
    };
    let drivers = (0..scenario.plan.shards).map(driver).collect();
    let simulation = Simulation {
        world: RefCell::new(world),
        drivers,
        dice: Dice::new(scenario.seed, 2),
        begun: false,
        drained: false,
        aborted: false,
        total: Delta::default(),
        spare: None,
        scenario,
    };
    simulation.run()
}

impl Simulation {
    fn run(mut self) -> Finished {
        let bound = self.bound();
        while self.drivers.iter().any(|driver| !driver.finished) {
            let now = self.next_at();
            assert!(now <= bound, "not at its end at {now}");
            self.world.get_mut().agenda.now = now;
            self.world.get_mut().act();
            self.obey(now);
            for shard in 0..self.drivers.len() {
                self.notice(shard, now);
                if self.drivers[shard].turn_at <= now && !self.drivers[shard].finished {
                    self.turn(shard, now);
                }
            }
        }
        let World { truth, log, agenda, .. } = self.world.into_inner();
        let plan = self.scenario.plan.clone();
        Finished { plan, total: self.total, truth, log, ended_at: agenda.now }
    }

    /// When it must be over at the latest.
    fn bound(&self) -> Nanos {
        let Scenario { plan, course, .. } = &*self.scenario;
        let (Until::Elapsed(span) | Until::Operations(_, span)) = plan.only().until;
        let patience = match plan.only().load {
            Load::Closed => Nanos::ZERO,
            Load::Open { patience, .. } => patience,
        };
        let stopped = course.stopped.iter().map(|(from, to)| to.since(*from));
        let stopped = stopped.fold(SLACK, |sum, span| sum + span);
        // Opening ahead may take a timeout; so may a request that was answered early and is not
        // read to its end, and so may the operation that is due behind it.
        let timeouts = Nanos(3 * plan.timeout.0);
        timeouts + plan.warmup + span + patience + stopped
    }

    fn next_at(&self) -> Nanos {
        let Scenario { course, .. } = &*self.scenario;
        let turn = self.drivers.iter().filter(|driver| !driver.finished);
        let turn = turn.map(|driver| driver.turn_at).min();
        let drain = course.drain_at.filter(|_| !self.drained);
        let abort = course.abort_at.filter(|_| !self.aborted);
        let agenda = self.world.borrow().agenda.next_at();
        let begin = (!self.begun && self.is_ready()).then(|| self.world.borrow().agenda.now);
        let next = [begin, turn, drain, abort, agenda].into_iter().flatten().min();
        let next = next.filter(|at| *at < Nanos::MAX);
        next.unwrap_or_else(|| panic!("hangs: nothing is due, and it has not finished"))
    }

    fn is_ready(&self) -> bool {
        self.drivers.iter().all(|driver| driver.ready)
    }

    /// What the collector orders.
    fn obey(&mut self, now: Nanos) {
        let course = &self.scenario.course;
        let abort = !self.aborted && course.abort_at.is_some_and(|at| at <= now);
        let drain = !self.drained && course.drain_at.is_some_and(|at| at <= now);
        if !self.begun && (self.is_ready() || drain || abort) {
            self.begun = true;
            self.world.get_mut().truth.start = Some(now + LEAD);
            self.drivers.iter_mut().for_each(|driver| driver.shard.begin(now + LEAD));
            self.wake(now);
        }
        if drain || abort {
            self.world.get_mut().truth.stop(now);
            self.wake(now);
        }
        if drain {
            self.drained = true;
            for (id, driver) in self.drivers.iter_mut().enumerate() {
                if !driver.finished {
                    driver.shard.stop(now, &mut Outbox::new(&self.world, id));
                }
            }
        }
        if abort {
            (self.aborted, self.drained) = (true, true);
            for (id, driver) in self.drivers.iter_mut().enumerate() {
                if !driver.finished {
                    self.world.borrow_mut().abort(id);
                    driver.shard.abort(now, &mut Outbox::new(&self.world, id));
                }
            }
        }
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

    fn turn(&mut self, shard: usize, now: Nanos) {
        self.world.borrow_mut().turns(shard);
        let driver = &mut self.drivers[shard];
        let mut inbox = Inbox::new(&self.world, shard);
        let mut outbox = Outbox::new(&self.world, shard);
        let Next { wake_at, ready, finished, .. } = driver.shard.turn(now, &mut inbox, &mut outbox);
        driver.turns += 1;
        driver.noticed = false;
        driver.ready |= ready;
        let wake_at = wake_at.unwrap_or(Nanos::MAX);
        // A turn begins a bounded number of operations, and asks for the next one at once.
        let more = wake_at <= now;
        driver.more = if more { driver.more + 1 } else { 0 };
        let bound = 2 + self.scenario.plan.only().sessions / BEGINS_A_TURN;
        assert!(driver.more <= bound, "asks at {now} for a turn at {wake_at}, again and again");
        let line = format_args!("{shard} turned, next at {}", wake_at.0);
        self.world.borrow_mut().log.note(now, line);
        let late = late(&mut self.dice, &self.scenario, wake_at);
        let hands_over = now >= driver.hand_over_at;
        if hands_over {
            driver.hand_over_at = now + self.scenario.course.hand_over_every;
        }
        driver.turn_at = late.min(driver.hand_over_at);
        self.world.borrow_mut().turned(shard, !self.aborted && !more);
        if finished {
            driver.finished = true;
            self.finish(shard, now);
        } else if hands_over {
            self.hand_over(shard, now);
        }
    }

    fn hand_over(&mut self, shard: usize, now: Nanos) {
        let (recorder, gauges) = self.drivers[shard].shard.recorder();
        let spare = self.spare.take().unwrap_or_default();
        let mut delta = recorder.hand_over(spare, now, gauges);
        let seen = self.world.borrow().gauges(shard);
        assert_eq!((gauges.in_flight, gauges.connections), seen, "gauges");
        self.total.add(&delta);
        delta.clear();
        self.spare = Some(delta);
    }

    fn finish(&mut self, shard: usize, now: Nanos) {
        self.hand_over(shard, now);
        let world = self.world.borrow();
        let (in_flight, _) = world.gauges(shard);
        assert_eq!(in_flight, 0, "finished with operations in flight");
        assert!(self.aborted || world.truth.is_exhausted(shard, now), "finished before its end");
        let (submitted, told) = world.traffic(shard);
        // Each turn has a completion, a timer, an arrival, a hand-over or an order as its reason;
        // timers are set by submissions and for pauses.
        let handed_over = now.0 / self.scenario.course.hand_over_every.0;
        let reasons = told + 2 * submitted + 2 * world.truth.arrived(shard) + handed_over + 10;
        let turns = self.drivers[shard].turns;
        assert!(turns <= reasons, "{turns} turns for {reasons} reasons");
    }
}

/// The moment at which a turn that is due at `at` really begins.
pub(crate) fn late(dice: &mut Dice, scenario: &Scenario, at: Nanos) -> Nanos {
    let (often, longest) = scenario.course.late;
    let at = if dice.chance(often) { at + dice.up_to(longest) } else { at };
    let stop = scenario.course.stopped.iter().find(|(from, to)| (*from..*to).contains(&at));
    stop.map_or(at, |(_, to)| *to)
}
