//! One core's share of the run: sessions, connections, timers, protocols. Pure.
//!
//! Does:       turns completions into what the protocols make of them, ends and begins operations,
//!             and asks the queue for what follows.
//! Takes:      `now`, the completions since the last turn, where to submit.
//! Gives:      submissions, and when it wants to be turned again ([`Next`]).
//! Why so:     the ring and the simulator drive this very code; it owns no socket and no clock.

use std::rc::Rc;
use std::sync::Arc;

use super::connection::{Connection, Operation, State};
use super::seat::{Memory, NONE, Seat};
use crate::metrics::recorder::{End, Gauges};
use crate::metrics::{Record, Recorder};
use crate::net::{Completion, Event, More, Submissions, Wheel};
use crate::plan::{Content, Instruction, Plan, Request, Workload};
use crate::protocol::Timing;
use crate::protocol::http::{ReplyTo, Reuse};
use crate::protocol::ws::Scratch;
use crate::session::{Pools, Users, Variables};
use crate::stdx::Nanos;
use crate::stdx::rng::Rng;

mod acts;
mod answers;
mod connections;
mod fleet;
mod lane;
mod levels;
mod measures;
mod messages;
mod operations;
mod receiving;
mod stages;
mod tails;
mod timers;
mod tokens;
mod upgrade;

use answers::Judging;
use lane::Lane;
pub use stages::Next;
use stages::Stage;
use tails::ByUser;
use tokens::Keeper;

/// A shard. Its slots are those of its sessions, lane by lane, then those for tokens.
pub struct Shard {
    plan: Arc<Plan>,
    id: u32,
    /// This shard's own copy of the requests; behind them those for tokens.
    requests: Vec<OwnRequest>,
    connections: Vec<Connection>,
    seats: Vec<Seat>,
    lanes: Vec<Lane>,
    keeper: Option<Keeper>,
    pools: Pools,
    /// Whether a due arrival had to wait for a connection since the last hand-over.
    starved: bool,
    wheel: Wheel,
    expired: Vec<(u32, Nanos)>,
    recorder: Recorder,
    stage: Stage,
    /// The moment of the present turn.
    now: Nanos,
    /// When the load begins; what the plan counts from.
    start: Nanos,
    /// Operations begun so far.
    begun: u64,
    /// Connections that stand.
    connected: u64,
    /// WebSockets that are open or about to be, or say farewell.
    sockets: u64,
    /// Which of a target's addresses the next connection to it goes to.
    next_address: Vec<usize>,
    scratch: Scratch,
    /// Send buffers to be used again.
    spare: Vec<Vec<u8>>,
    /// Bodies of replies that something reads, by slot; empty ones have no memory.
    bodies: Vec<Vec<u8>>,
    /// Memory that judging reuses.
    judging: Judging,
    users: Users,
    by_user: ByUser,
    /// What sessions without a memory have saved.
    nothing: Variables,
    /// Keys of frames and handshakes.
    keys: Rng,
    /// Milliseconds since 1970 when the shard's clock stood at nothing.
    wall_at_zero: u64,
}

/// A request of the plan, copied so that no shard counts references in another's cache line.
struct OwnRequest {
    /// None: made each time.
    fixed: Option<Rc<[u8]>>,
    reply_to: ReplyTo,
    reuse: Reuse,
    /// Whether something reads the body of its reply.
    reads_body: bool,
    needs_token: bool,
    /// Whether nothing but a status below 400 is asked of its reply, and nothing kept of it.
    plain: bool,
}

impl OwnRequest {
    fn of(request: &Request) -> Self {
        let fixed = match &request.content {
            Content::Fixed(bytes) => Some(Rc::from(&bytes[..])),
            Content::Made { .. } => None,
        };
        let expect = &request.expect;
        let plain = request.saves.is_empty()
            && !request.creates
            && expect.statuses.is_empty()
            && expect.json.is_empty()
            && expect.time.is_none();
        Self {
            fixed,
            reply_to: request.reply_to,
            reuse: request.reuse,
            reads_body: request.reads_body(),
            needs_token: request.needs_token(),
            plain,
        }
    }
}

impl Shard {
    /// The shard `id` of the plan's.
    #[must_use]
    pub fn new(plan: Arc<Plan>, id: u32, now: Nanos) -> Self {
        let mut shard = Self {
            id,
            requests: plan.requests.iter().map(OwnRequest::of).collect(),
            connections: Vec::new(),
            seats: Vec::new(),
            lanes: Vec::new(),
            keeper: None,
            pools: Pools::new(&plan, id),
            starved: false,
            wheel: Wheel::new(now),
            expired: Vec::new(),
            recorder: Recorder::default(),
            stage: Stage::Ready,
            now,
            start: Nanos::MAX,
            begun: 0,
            connected: 0,
            sockets: 0,
            next_address: vec![0; plan.targets.len()],
            scratch: Scratch::default(),
            spare: Vec::new(),
            bodies: Vec::new(),
            judging: Judging::default(),
            users: Users::new(&plan, id),
            by_user: ByUser::default(),
            nothing: Variables::default(),
            keys: Rng::stream(plan.seed, u64::from(id) ^ now.0),
            wall_at_zero: 0,
            plan: plan.clone(),
        };
        for workload in 0..plan.workloads.len() {
            shard.add_lane(&plan, workload);
        }
        shard.keeper = Keeper::of(&mut shard);
        shard.by_user = ByUser::of(&plan, &shard.users);
        let reads = shard.lanes.iter().any(|lane| shard.reads_bodies(lane));
        if reads || shard.keeper.is_some() {
            shard.bodies = vec![Vec::new(); shard.connections.len()];
        }
        shard.stage = shard.first_stage();
        shard
    }

    /// Tells what the calendar says when the shard's clock stands at nothing, in milliseconds
    /// since 1970: tokens carry such times.
    pub const fn set_wall_clock(&mut self, at_zero: u64) {
        self.wall_at_zero = at_zero;
    }

    fn add_lane(&mut self, plan: &Plan, workload: usize) {
        let named = &plan.workloads[workload];
        let number = u16::try_from(self.lanes.len()).unwrap_or(u16::MAX);
        let first = len(&self.seats);
        let remembers = remembers(plan, named);
        let share = named.share(self.id, plan.shards) as usize;
        let mut lane = Lane::new(plan, workload, share, self.id);
        self.seats.reserve_exact(share);
        self.connections.reserve_exact(share * named.channels.len());
        for index in named.sessions_on(self.id, plan.shards) {
            let mut seat = Seat::new(u64::from(index), number, len(&self.connections));
            seat.user = lane.users.begin(&seat.mind).unwrap_or(NONE);
            if remembers {
                seat.memory = Some(Box::<Memory>::default());
            }
            let owner = len(&self.seats);
            let channels = named.channels.iter().map(|_| Connection::of(owner));
            self.connections.extend(channels);
            self.seats.push(seat);
        }
        lane.seats = first..len(&self.seats);
        self.lanes.push(lane);
    }

    /// The workload of a seat.
    fn workload(&self, seat: u32) -> &Workload {
        let lane = &self.lanes[usize::from(self.seats[seat as usize].lane)];
        &self.plan.workloads[lane.workload]
    }

    fn lane(&mut self, seat: u32) -> &mut Lane {
        &mut self.lanes[usize::from(self.seats[seat as usize].lane)]
    }

    fn reads_bodies(&self, lane: &Lane) -> bool {
        let workload = &self.plan.workloads[lane.workload];
        workload.program.instructions.iter().any(|instruction| match instruction {
            Instruction::Http(request) => self.requests[usize::from(*request)].reads_body,
            _ => false,
        })
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
            if let Event::Sent(_, Some(buffer)) = event {
                self.give_back(buffer);
            }
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
                self.sent(slot, result, buffer, now, submissions);
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

    /// What was recorded, and the gauges of this moment.
    pub fn recorder(&mut self) -> (&mut Recorder, Gauges) {
        let gauges = Gauges {
            in_flight: self.recorder.in_flight(),
            connections: self.connected,
            starved: std::mem::take(&mut self.starved),
        };
        (&mut self.recorder, gauges)
    }

    /// Keeps a record of every operation from now on: see [`crate::metrics::Records`].
    pub fn keep_records(&mut self) {
        self.recorder.keep_records();
    }

    /// An operation begins: the low bits of its number on this shard.
    #[expect(clippy::cast_possible_truncation, reason = "the low bits")]
    const fn serial(&mut self) -> u32 {
        self.begun += 1;
        (self.begun - 1) as u32
    }

    /// The number of an operation in the run, from 0: no two are alike on any shards. Far fewer
    /// than 2^32 have begun since, so that the low bits tell which it is.
    #[expect(clippy::cast_possible_truncation, reason = "the low bits")]
    fn number_of(&self, serial: u32) -> u64 {
        let since = (self.begun as u32).wrapping_sub(serial);
        let number = self.begun - u64::from(since);
        number * u64::from(self.plan.shards) + u64::from(self.id)
    }

    /// An operation has ended on a slot, if it had one: kept if that is wanted.
    fn record(
        &mut self,
        operation: &Operation,
        slot: Option<u32>,
        end: End,
        status: u16,
        now: Nanos,
    ) {
        let slot = slot.filter(|_| operation.timing.sent > Nanos::ZERO);
        let bytes_sent = slot.map_or(0, |slot| self.connections[slot as usize].asked);
        let number = self.number_of(operation.serial);
        self.recorder.record(|| Record {
            number,
            leaf: operation.leaf,
            end,
            status,
            timing: Timing { done: now, ..operation.timing },
            bytes_sent,
            bytes_received: operation.received,
        });
    }

    /// The shard has spun for so long, to be on time.
    pub fn spun(&mut self, span: Nanos) {
        let spun = &mut self.recorder.counts().spun;
        *spun += span;
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

    /// Milliseconds since 1970.
    const fn wall(&self, now: Nanos) -> u64 {
        self.wall_at_zero + now.0 / 1_000_000
    }

    /// The seat that a slot belongs to; none for those of tokens.
    fn seat_of(&self, slot: u32) -> Option<u32> {
        let is_keepers = self.keeper.as_ref().is_some_and(|keeper| slot >= keeper.first_slot);
        (!is_keepers).then(|| self.connections[slot as usize].owner)
    }

    /// Whether nothing of the slot's is under way, so that it can take an operation.
    fn is_available(&self, slot: u32) -> bool {
        self.connections[slot as usize].is_available()
    }

    fn state(&self, slot: u32) -> State {
        self.connections[slot as usize].state
    }
}

fn len<T>(list: &[T]) -> u32 {
    u32::try_from(list.len()).unwrap_or(u32::MAX)
}

/// Whether sessions of the workload save anything for themselves, or are in groups.
fn remembers(plan: &Plan, workload: &Workload) -> bool {
    !plan.variables.is_empty()
        || workload
            .program
            .instructions
            .iter()
            .any(|instruction| matches!(instruction, Instruction::Enter(_)))
}
