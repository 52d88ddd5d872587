//! The scripted world: every kernel and every server that the shards of one run meet.

use std::collections::VecDeque;
use std::fmt::Arguments;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::rc::Rc;

use onslaught::net::{Errno, Handle, Payload};
use onslaught::plan::Load;
use onslaught::stdx::{Fnv, Nanos};

use super::agenda::{Agenda, Due, Happened, Id, Scene};
use super::dice::Dice;
use super::scenario::Scenario;
use super::server::Habit;
use super::slot::Slot;
use super::socket::Armed;
use super::truth::Truth;

/// Connects in flight while connections are opened ahead of the load, on one shard.
const AHEAD: usize = 64;

/// All but the shards.
pub(crate) struct World {
    pub(crate) scenario: Rc<Scenario>,
    pub(crate) agenda: Agenda,
    pub(crate) truth: Truth,
    pub(crate) log: Log,
    dice: Dice,
    sides: Vec<Side>,
}

/// What belongs to one shard.
struct Side {
    slots: Vec<Slot>,
    inbox: VecDeque<(Id, Happened)>,
    /// Submissions so far.
    submitted: u64,
    told: u64,
}

/// What the shards submitted: always a hash, and as text on demand.
#[derive(Default)]
pub(crate) struct Log {
    hash: Fnv,
    pub(crate) words: Words,
}

/// What becomes of the log in words.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) enum Words {
    #[default]
    None,
    Kept(Vec<String>),
    /// At once, so that a run that fails has shown what led there.
    Printed,
}

impl Log {
    pub(crate) const fn hash(&self) -> u64 {
        self.hash.value()
    }

    pub(crate) fn write(&mut self, now: Nanos, id: Id, what: &str, bytes: &[u8]) {
        let Handle { slot, generation } = id.handle;
        let part = [now.0, id.shard as u64, u64::from(slot), u64::from(generation)];
        part.iter().for_each(|number| self.hash.bytes(&number.to_le_bytes()));
        self.hash.part(what.as_bytes());
        self.hash.part(bytes);
        let len = bytes.len();
        self.note(now, format_args!("{}/{slot}.{generation} -> {what} {len}", id.shard));
    }

    /// A line for people.
    pub(crate) fn note(&mut self, now: Nanos, line: Arguments<'_>) {
        match &mut self.words {
            Words::None => {}
            Words::Kept(lines) => lines.push(format!("{:>14} {line}", now.0)),
            Words::Printed => show(format_args!("{:>14} {line}", now.0)),
        }
    }
}

/// Prints a line past the test runner, which would keep it to itself.
pub(crate) fn show(line: Arguments<'_>) {
    writeln!(io::stdout(), "{line}").expect("standard output");
}

impl World {
    pub(crate) fn new(scenario: Rc<Scenario>) -> Self {
        let plan = &scenario.plan;
        let side = |shard: u32| {
            let slots = plan.only().share(shard, plan.shards);
            Side {
                slots: (0..slots).map(|_| Slot::default()).collect(),
                inbox: VecDeque::new(),
                submitted: 0,
                told: 0,
            }
        };
        let mut agenda = Agenda::default();
        for (from, _) in &scenario.target.outages {
            agenda.at(*from, Due::Outage);
        }
        Self {
            sides: (0..plan.shards).map(side).collect(),
            truth: Truth::new(plan.clone()),
            dice: Dice::new(scenario.seed, 1),
            log: Log::default(),
            agenda,
            scenario,
        }
    }

    /// Does what is due now.
    pub(crate) fn act(&mut self) {
        while let Some(due) = self.agenda.take() {
            match due {
                Due::Connects(id) => self.connects(id),
                Due::Takes(id) => self.with(id, |slot, scene| {
                    slot.meant(id.handle).into_iter().for_each(|life| life.takes(scene));
                }),
                Due::Reaches(id, count) => self.with(id, |slot, scene| {
                    slot.meant(id.handle).into_iter().for_each(|life| life.reaches(count, scene));
                }),
                Due::Arrives(id, what) => self.with(id, |slot, scene| {
                    if let Some(life) = slot.meant(id.handle) {
                        life.arrives(what, scene);
                    }
                }),
                Due::LetsGo(id) => self.with(id, |slot, scene| {
                    slot.meant(id.handle).into_iter().for_each(|life| life.socket.let_go(scene));
                }),
                Due::Posts(id, happened) => self.sides[id.shard].inbox.push_back((id, happened)),
                Due::Outage => self.outage(),
            }
        }
    }

    fn with(&mut self, id: Id, act: impl FnOnce(&mut Slot, &mut Scene<'_>)) {
        let Self { agenda, dice, scenario, sides, .. } = self;
        let slot = &mut sides[id.shard].slots[id.handle.slot as usize];
        act(slot, &mut Scene { agenda, dice, scenario });
    }

    fn connects(&mut self, id: Id) {
        let out = self.scenario.target.is_out(self.agenda.now);
        self.with(id, |slot, scene| {
            let life = slot.meant(id.handle).filter(|life| life.socket.is_connecting());
            if let Some(life) = life {
                let result = if out { Err(Errno::REFUSED) } else { Ok(()) };
                life.socket.connects(result, scene);
            }
        });
    }

    fn outage(&mut self) {
        let Self { agenda, dice, scenario, sides, .. } = self;
        let scene = &mut Scene { agenda, dice, scenario };
        let slots = sides.iter_mut().flat_map(|side| &mut side.slots);
        for life in slots.filter_map(|slot| slot.life.as_mut()) {
            life.killed(scene);
        }
    }

    /// Whether the shard has something to look at.
    pub(crate) fn has_news(&self, shard: usize) -> bool {
        !self.sides[shard].inbox.is_empty()
    }

    /// Submissions and completions of a shard so far.
    pub(crate) fn traffic(&self, shard: usize) -> (u64, u64) {
        (self.sides[shard].submitted, self.sides[shard].told)
    }

    /// The next completion, told to the account as the shard is told.
    pub(crate) fn tell(&mut self, shard: usize) -> Option<(Handle, Happened)> {
        let now = self.agenda.now;
        let side = &mut self.sides[shard];
        let (id, happened) = side.inbox.pop_front()?;
        side.told += 1;
        let Handle { slot, generation } = id.handle;
        self.log.note(now, format_args!("{shard}/{slot}.{generation} <- {happened:?}"));
        let slot = &mut side.slots[id.handle.slot as usize];
        slot.tell(id.handle, &happened, now, &mut self.truth);
        Some((id.handle, happened))
    }

    pub(crate) fn connect(&mut self, id: Id, to: SocketAddr) {
        self.submitted(id, "connect", to.to_string().as_bytes());
        assert!(self.scenario.plan.targets[0].addresses.contains(&to), "{id:?}: connects to {to}");
        self.stale(id);
        let Self { agenda, dice, scenario, sides, truth, .. } = self;
        let (now, target) = (agenda.now, &scenario.target);
        let side = &mut sides[id.shard];
        let habit =
            if dice.chance(target.worse) { dice.pick(&target.habits) } else { Habit::Honest };
        let scene = &mut Scene { agenda, dice, scenario };
        let life = side.slots[id.handle.slot as usize].connect(id, habit, scene, truth);
        if scene.dice.chance(scenario.kernel.short_of) {
            let short_of = [libc::EMFILE, libc::ENFILE, libc::EADDRNOTAVAIL, libc::ENOMEM];
            life.socket.connects(Err(Errno(scene.dice.pick(&short_of))), scene);
        } else if scene.dice.chance(target.turned_away) && !target.is_out(now) {
            let reasons = [libc::ECONNREFUSED, libc::ECONNRESET, libc::EHOSTUNREACH];
            match scene.dice.between(0, 3) {
                0 => {}
                1 => life.socket.connects(Err(Errno(libc::ETIMEDOUT)), scene),
                _ => life.socket.connects(Err(Errno(scene.dice.pick(&reasons))), scene),
            }
        } else {
            let there_and_back = scene.way() + scene.way();
            scene.agenda.after(there_and_back, Due::Connects(id));
        }
        let opening = side.slots.iter().filter_map(|slot| slot.life.as_ref());
        let opening = opening.filter(|life| !life.connected && !life.is_closing()).count();
        assert!(truth.start.is_some() || opening <= AHEAD, "{opening} connects at once");
    }

    /// Completions of the slot's earlier life come in this one's time.
    fn stale(&mut self, id: Id) {
        let Handle { slot, generation } = id.handle;
        if generation == 0 || !self.dice.chance(self.scenario.kernel.stale) {
            return;
        }
        let earlier = Handle { slot, generation: generation - 1 };
        for _ in 0..self.dice.between(1, 3) {
            let happened = Happened::stale(&mut self.dice);
            let delay = self.dice.up_to(Nanos::from_millis(20));
            self.agenda.after(delay, Due::Posts(Id { handle: earlier, ..id }, happened));
        }
    }

    pub(crate) fn receive(&mut self, id: Id, armed: Armed) {
        self.submitted(id, &format!("{armed:?}"), &[]);
        self.with(id, |slot, scene| slot.submitted(id.handle).receive(armed, scene));
    }

    pub(crate) fn stop_receiving(&mut self, id: Id) {
        self.submitted(id, "stop", &[]);
        self.with(id, |slot, scene| slot.submitted(id.handle).stop_receiving(scene));
    }

    pub(crate) fn send(&mut self, id: Id, payload: Payload) {
        self.submitted(id, "send", payload.bytes());
        let Self { agenda, dice, scenario, sides, truth, .. } = self;
        let slot = &mut sides[id.shard].slots[id.handle.slot as usize];
        slot.send(id.handle, payload, &mut Scene { agenda, dice, scenario }, truth);
    }

    pub(crate) fn close(&mut self, id: Id) {
        self.submitted(id, "close", &[]);
        let Self { agenda, dice, scenario, sides, truth, .. } = self;
        let slot = &mut sides[id.shard].slots[id.handle.slot as usize];
        slot.closes(id.handle, &mut Scene { agenda, dice, scenario }, truth);
    }

    fn submitted(&mut self, id: Id, what: &str, bytes: &[u8]) {
        self.sides[id.shard].submitted += 1;
        self.log.write(self.agenda.now, id, what, bytes);
    }

    /// The shard is about to be told to end at once.
    pub(crate) fn abort(&mut self, shard: usize) {
        let now = self.agenda.now;
        for slot in &mut self.sides[shard].slots {
            if let Some(life) = &mut slot.life {
                life.abort(now, &mut self.truth);
            }
        }
    }

    /// A turn begins.
    pub(crate) fn turns(&mut self, shard: usize) {
        let now = self.agenda.now;
        if self.truth.is_under_way(now) {
            self.truth.first_turns[shard].get_or_insert(now);
        }
        self.sides[shard].slots.iter_mut().for_each(|slot| slot.turns(now));
    }

    /// A turn has ended: nothing that had to be done may be left; nor may operations that could
    /// have begun, if there was room in the turn for all of them.
    pub(crate) fn turned(&mut self, shard: usize, room: bool) {
        let now = self.agenda.now;
        let slots = &self.sides[shard].slots;
        for life in slots.iter().filter_map(|slot| slot.life.as_ref()) {
            if let Some(neglected) = life.neglected(now) {
                panic!("at {now}: {neglected}");
            }
        }
        if !room || !self.truth.is_under_way(now) {
            return;
        }
        let idle = slots.iter().filter_map(Slot::idle_since).min();
        let free = idle.or_else(|| slots.iter().filter_map(Slot::vacant_since).min());
        self.truth.drop_impatient(shard, now, free.unwrap_or(now));
        if free.is_some() {
            let waiting = self.truth.is_waiting(shard, now);
            assert!(!waiting, "at {now}: an arrival waits beside a free slot");
            let exhausted = self.truth.is_exhausted(shard, now);
            let closed = matches!(self.scenario.plan.only().load, Load::Closed);
            assert!(!closed || exhausted, "at {now}: a session does not go on");
        }
    }

    /// Operations in flight, and connections that stand.
    pub(crate) fn gauges(&self, shard: usize) -> (u64, u64) {
        let lives = || self.sides[shard].slots.iter().filter_map(|slot| slot.life.as_ref());
        let in_flight = lives().filter(|life| life.is_awaiting()).count() as u64;
        let standing = lives().filter(|life| life.connected && !life.is_closing()).count() as u64;
        (in_flight, standing)
    }
}
