//! One core's share of the run: sessions, connections, timers, protocols. Pure.
//!
//! Does:       turns completions into what the protocols make of them, ends and begins operations,
//!             and asks the queue for what follows.
//! Takes:      `now`, the completions since the last turn, where to submit.
//! Gives:      submissions, and when it wants to be turned again ([`Next`]).
//! Why so:     the ring and the simulator drive this very code; it owns no socket and no clock.

use std::collections::VecDeque;
use std::num::NonZeroU64;
use std::rc::Rc;
use std::sync::Arc;

use super::connection::Connection;
use super::pacer::Pacer;
use crate::metrics::Recorder;
use crate::metrics::recorder::Gauges;
use crate::net::{Completion, Completions, Event, More, Submissions, Wheel};
use crate::plan::{Content, Load, Opening, Phase, Plan, Request, Until};
use crate::protocol::http::{ReplyTo, Reuse};
use crate::session::Session;
use crate::stdx::Nanos;

mod connections;
mod operations;
mod receiving;

/// A shard. Slots of connections and of sessions have the same numbers.
pub struct Shard {
    plan: Arc<Plan>,
    id: u32,
    /// This shard's own copy of the requests.
    requests: Vec<OwnRequest>,
    connections: Vec<Connection>,
    sessions: Vec<Session>,
    source: Source,
    /// Slots that could take an operation when they were put here. Closed model: for their
    /// sessions; open model: those with a connection, those without.
    offered: VecDeque<u32>,
    idle: VecDeque<u32>,
    vacant: VecDeque<u32>,
    /// Whether a due arrival had to wait for a connection since the last hand-over.
    starved: bool,
    wheel: Wheel,
    expired: Vec<(u32, Nanos)>,
    recorder: Recorder,
    stage: Stage,
    /// When the load begins; what the plan counts from.
    start: Nanos,
    in_flight: u64,
    /// Connections that stand.
    connected: u64,
    /// Which of the target's addresses the next connection goes to.
    next_address: usize,
}

/// A request of the plan, copied so that no shard counts references in another's cache line.
struct OwnRequest {
    bytes: Rc<[u8]>,
    reply_to: ReplyTo,
    reuse: Reuse,
}

impl OwnRequest {
    fn of(request: &Request) -> Self {
        let Content::Fixed(bytes) = &request.content else { unreachable!() };
        Self { bytes: Rc::from(&bytes[..]), reply_to: request.reply_to, reuse: request.reuse }
    }
}

/// Where operations come from.
enum Source {
    /// From sessions whose last has ended, so many more in the measured phase.
    Closed { left: u64, until: Nanos },
    /// From the clock.
    Open(Pacer),
}

/// How far the shard is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Opening connections ahead of the run: the next slot to open, and connects in flight.
    Ahead { next: u32, pending: u32 },
    /// Waiting for the start.
    Ready,
    /// Under load.
    Running,
    /// Nothing new falls due.
    Draining,
}

/// What a turn says to its driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Next {
    /// Turn again at the latest then.
    pub wake_at: Option<Nanos>,
    /// Connections are open; the load may begin.
    pub ready: bool,
    /// Every due operation has ended.
    pub finished: bool,
}

impl Shard {
    /// The shard `id` of the plan's.
    #[must_use]
    pub fn new(plan: Arc<Plan>, id: u32, now: Nanos) -> Self {
        let share = plan.only().share(id, plan.shards);
        let slots = usize::try_from(share).unwrap_or(usize::MAX);
        let shards = u64::from(plan.shards.max(1));
        let requests = plan.requests.iter().map(OwnRequest::of);
        let index = |slot: u64| u64::from(id) + slot * shards;
        Self {
            id,
            requests: requests.collect(),
            connections: std::iter::repeat_with(Connection::new).take(slots).collect(),
            sessions: (0..u64::from(share)).map(|slot| Session::new(index(slot))).collect(),
            source: Source::new(&plan, id),
            offered: VecDeque::with_capacity(slots),
            idle: VecDeque::with_capacity(slots),
            starved: false,
            vacant: VecDeque::with_capacity(slots),
            wheel: Wheel::new(now),
            expired: Vec::new(),
            recorder: Recorder::default(),
            stage: if plan.only().opening == Opening::Cold {
                Stage::Ready
            } else {
                Stage::Ahead { next: 0, pending: 0 }
            },
            start: Nanos::MAX,
            in_flight: 0,
            connected: 0,
            next_address: 0,
            plan,
        }
    }

    /// Begins the load at `start`, which may lie ahead.
    pub fn begin(&mut self, start: Nanos) {
        self.start = start;
        self.stage = Stage::Ready;
    }

    /// Lets nothing new fall due after `now`, and drops what waits.
    pub fn stop(&mut self, now: Nanos) {
        match &mut self.source {
            Source::Closed { left, until } => (*left, *until) = (0, Nanos::ZERO),
            Source::Open(pacer) if now < self.start => pacer.stop(Nanos::ZERO),
            Source::Open(pacer) => pacer.stop(now.since(self.start) + Nanos(1)),
        }
        self.drop_waiting(now);
        self.stage = Stage::Draining;
    }

    /// One turn: settles all completions, then fires timers, then begins what is due.
    pub fn turn(
        &mut self,
        now: Nanos,
        completions: &mut impl Completions,
        submissions: &mut impl Submissions,
    ) -> Next {
        while let Some(completion) = completions.next() {
            self.complete(completion, now, submissions);
        }
        self.fire(now, submissions);
        match self.stage {
            Stage::Ahead { .. } => self.open_ahead(now, submissions),
            Stage::Ready if now >= self.start => self.start_load(now, submissions),
            Stage::Ready => {}
            Stage::Running | Stage::Draining => self.begin_due(now, submissions),
        }
        self.recorder.counts().turns += 1;
        self.next(now)
    }

    /// What happened to one connection.
    fn complete(
        &mut self,
        completion: Completion<'_>,
        now: Nanos,
        submissions: &mut impl Submissions,
    ) {
        let Completion { handle, event } = completion;
        let slot = handle.slot;
        let Some(connection) = self.connections.get_mut(slot as usize) else { return };
        if !connection.link.is_current(handle) {
            // Of an earlier life of the slot: nothing here waits for it.
            return;
        }
        match event {
            Event::Received(bytes, more) => {
                connection.link.received(more);
                self.received(handle, bytes, now, submissions);
                self.listen_again(handle, more, submissions);
            }
            Event::Sent(result, buffer) => {
                connection.link.sent();
                drop(buffer);
                self.sent(slot, result, now, submissions);
            }
            Event::Connected(result) => {
                connection.link.connected();
                self.connected(slot, result, now, submissions);
            }
            Event::ReceiveFailed(errno, more) => {
                connection.link.received(more);
                self.receive_failed(handle, errno, more, now, submissions);
            }
            Event::Discarded(result) => {
                connection.link.received(More::Ended);
                self.discarded(slot, result, now, submissions);
                self.listen_again(handle, More::Ended, submissions);
            }
            Event::Closed => connection.link.closed(),
            Event::Accepted(..) => {}
        }
        self.vacate(slot, now);
    }

    /// Fires the timers that are due.
    fn fire(&mut self, now: Nanos, submissions: &mut impl Submissions) {
        let mut expired = std::mem::take(&mut self.expired);
        self.wheel.advance(now, |slot, at| expired.push((slot, at)));
        for (slot, at) in expired.drain(..) {
            let connection = &mut self.connections[slot as usize];
            if connection.wheel_at != at {
                // Of one slot of the wheel the later entry may come first; it stands no more.
                if connection.wheel_later == at {
                    connection.wheel_later = Nanos::MAX;
                }
                continue;
            }
            connection.wheel_at = std::mem::replace(&mut connection.wheel_later, Nanos::MAX);
            let deadline = connection.deadline;
            if deadline <= now {
                connection.deadline = Nanos::MAX;
                self.overdue(slot, now, submissions);
            } else if deadline < Nanos::MAX {
                self.arm(slot, deadline, now);
            }
        }
        self.expired = expired;
    }

    /// Sets the moment at which the connection's present state is over. Costs the wheel nothing
    /// as long as an earlier entry stands.
    fn arm(&mut self, slot: u32, deadline: Nanos, now: Nanos) {
        let connection = &mut self.connections[slot as usize];
        connection.deadline = deadline;
        if deadline < connection.wheel_at {
            connection.wheel_later = connection.wheel_later.min(connection.wheel_at);
            connection.wheel_at = deadline.max(now);
            self.wheel.insert(connection.wheel_at, slot);
        }
    }

    fn start_load(&mut self, now: Nanos, submissions: &mut impl Submissions) {
        self.stage = Stage::Running;
        for slot in 0..u32::try_from(self.connections.len()).unwrap_or(u32::MAX) {
            let connection = &mut self.connections[slot as usize];
            connection.due = self.start;
            if connection.is_available() {
                connection.available = connection.available.min(self.start);
                self.offer(slot);
            }
        }
        self.begin_due(now, submissions);
    }

    fn next(&mut self, now: Nanos) -> Next {
        let timer = self.wheel.next_due();
        let work = match self.stage {
            Stage::Ahead { .. } => None,
            Stage::Ready => Some(self.start).filter(|start| *start < Nanos::MAX),
            Stage::Running | Stage::Draining if !self.offered.is_empty() => Some(now),
            Stage::Running | Stage::Draining => self.next_arrival().map(|at| at.max(now)),
        };
        let wake_at = [timer, work].into_iter().flatten().min();
        let running = matches!(self.stage, Stage::Running | Stage::Draining);
        Next {
            wake_at,
            ready: !matches!(self.stage, Stage::Ahead { .. }),
            finished: running && self.in_flight == 0 && self.is_exhausted(now),
        }
    }

    /// What was recorded, and the gauges of this moment.
    pub fn recorder(&mut self) -> (&mut Recorder, Gauges) {
        let gauges = Gauges {
            in_flight: self.in_flight,
            connections: self.connected,
            starved: std::mem::take(&mut self.starved),
        };
        (&mut self.recorder, gauges)
    }

    /// The shard was neither at work nor meant to wait for so long.
    pub fn stood_still(&mut self, span: Nanos) {
        let counts = self.recorder.counts();
        counts.longest_stall = counts.longest_stall.max(span);
    }

    /// This shard's number.
    #[must_use]
    pub const fn id(&self) -> u32 {
        self.id
    }
}

impl Source {
    fn new(plan: &Plan, id: u32) -> Self {
        let shards = NonZeroU64::new(u64::from(plan.shards)).unwrap_or(NonZeroU64::MIN);
        if let (Load::Open { patience, .. }, Some((schedule, total))) =
            (plan.only().load, plan.only().arrivals(plan.warmup))
        {
            return Self::Open(Pacer::new(schedule, (id, shards), total, patience));
        }
        let (left, span) = match plan.only().until {
            Until::Elapsed(span) => (u64::MAX, span),
            Until::Operations(count, span) => {
                (count.get().saturating_sub(u64::from(id)).div_ceil(shards.get()), span)
            }
        };
        Self::Closed { left, until: plan.warmup + span }
    }

    /// Takes leave for one operation of a session, due at `due` from the start.
    fn take_closed(&mut self, plan: &Plan, due: Nanos) -> Option<Phase> {
        let Self::Closed { left, until } = self else { return None };
        if due >= *until || *left == 0 {
            return None;
        }
        let phase = plan.phase(due);
        if phase == Phase::Load {
            *left -= 1;
        }
        Some(phase)
    }
}
