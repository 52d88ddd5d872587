//! What sessions do: each goes through its program until it has to wait.

use super::super::limits::{BEGINS_A_TURN, DROPS_A_TURN, IDLE, STEPS_A_TURN, USERS_TRIED};
use super::super::pacer::Arrival;
use super::super::seat::{NONE, Waits};
use super::answers::user as user_at;
use super::lane::{LaneState, Source};
use super::stages::Stage;
use super::{Shard, State};
use crate::metrics::{Counter, LeafId};
use crate::net::Submissions;
use crate::plan::{Load, Opening, Phase, Timed, Value};
use crate::session::{Act, Need, Session, holds};
use crate::stdx::{Nanos, rng};

/// Whether a session's user has a token for what it does next.
pub(super) enum Leave {
    /// It has, or none is needed; the token's generation.
    Granted(u32),
    /// It waits for one.
    Wait,
}

impl Shard {
    /// The seat of a workload is free to go on from `start`.
    pub(super) fn start_seat(&mut self, index: u32, start: Nanos, is_open: bool, now: Nanos) {
        let seat = &mut self.seats[index as usize];
        (seat.due, seat.iteration) = (start, start);
        let slot = seat.first_slot;
        if let Some(connection) = self.connections.get_mut(slot as usize) {
            connection.available = connection.available.min(start);
        }
        if is_open {
            return self.offer(slot);
        }
        let seat = &mut self.seats[index as usize];
        (seat.waits, seat.awaits) = (Waits::Ready, slot);
        if start > now {
            seat.awaits = NONE;
            self.wake_seat(index, start, now);
        } else if self.is_available(slot) {
            self.offer(slot);
        }
    }

    /// How long after the level has risen a session begins, where `before` were at work already.
    pub(super) fn pace_of(&self, seat: u32, before: u32) -> Nanos {
        let Opening::Paced { count, every } = self.workload(seat).opening else {
            return Nanos::ZERO;
        };
        let index = self.seats[seat as usize].mind.index().saturating_sub(before.into());
        Nanos(every.0.saturating_mul(index / u64::from(count.max(1))))
    }

    /// The slot can take an operation: its session's next one, or it waits for an arrival. It
    /// begins at the end of the turn, when all that is known of the connection has been seen.
    pub(super) fn offer(&mut self, slot: u32) {
        let Some(index) = self.seat_of(slot) else { return };
        if !matches!(self.stage, Stage::Running | Stage::Draining) {
            return;
        }
        let state = self.state(slot);
        let seat = &self.seats[index as usize];
        let lane = &mut self.lanes[usize::from(seat.lane)];
        if lane.state == LaneState::Waiting {
            return;
        }
        if lane.is_open() && seat.waits == Waits::Free {
            if slot != seat.first_slot {
                return;
            }
            match state {
                State::Idle => lane.idle.push_back(index),
                _ => lane.vacant.push_back(index),
            }
        } else if seat.awaits == slot {
            self.seats[index as usize].free = self.connections[slot as usize].available;
            self.make_ready(index);
        }
    }

    /// The seat goes on at the end of the turn.
    pub(super) fn make_ready(&mut self, index: u32) {
        let seat = &mut self.seats[index as usize];
        (seat.waits, seat.awaits) = (Waits::Ready, NONE);
        self.lane(index).offered.push_back(index);
    }

    /// An operation of the session has ended at `now`: it goes on when the slot can take another
    /// one. In the open model an iteration whose last operation that was is over at once.
    pub(super) fn operation_ended(&mut self, index: u32, slot: u32, now: Nanos) {
        let seat = &mut self.seats[index as usize];
        (seat.due, seat.waits, seat.awaits) = (now, Waits::Ready, slot);
        let lane = &self.lanes[usize::from(seat.lane)];
        let is_open = lane.is_open();
        if lane.mix.is_some() {
            self.end_iteration(index);
            if is_open {
                self.free(index, slot);
            }
            return;
        }
        if !is_open {
            return;
        }
        let act = self.decide(index);
        if act == Act::End && self.live_slot(index).is_none() {
            self.end_iteration(index);
            self.free(index, slot);
        } else {
            self.seats[index as usize].pending = Some(act);
        }
    }

    /// Open model: the seat may take the next arrival, as soon as its first slot is available,
    /// which is told by `settling` if that is the one.
    pub(super) fn free(&mut self, index: u32, settling: u32) {
        let seat = &mut self.seats[index as usize];
        (seat.waits, seat.awaits, seat.free) = (Waits::Free, NONE, seat.due);
        let slot = seat.first_slot;
        self.lane(index).ended += 1;
        if slot != settling && self.is_available(slot) {
            self.offer(slot);
        }
    }

    fn decide(&mut self, index: u32) -> Act {
        let seat = &mut self.seats[index as usize];
        if let Some((mix, requests)) = &self.lanes[usize::from(seat.lane)].mix {
            return Act::Http(seat.mind.next_of_mix(mix, requests, self.plan.seed));
        }
        let workload = self.workload(index);
        if let Some(fleet) = &workload.fleet {
            return Act::Open(fleet.socket);
        }
        let mut mind = self.seats[index as usize].mind;
        let holds = &mut |value: &Value| self.holds(index, value);
        let act = mind.next(&workload.program, self.plan.seed, holds);
        self.seats[index as usize].mind = mind;
        act
    }

    /// Whether a condition is true of the session now.
    fn holds(&self, index: u32, value: &Value) -> bool {
        let mut draw = self.seats[index as usize].mind.draw(self.plan.seed);
        holds(value, &self.speaker(index, self.now), &mut draw, &mut Vec::new())
    }

    /// Begins what is due, a bounded number of operations.
    pub(super) fn begin_due(&mut self, now: Nanos, submissions: &mut impl Submissions) {
        for lane in 0..self.lanes.len() {
            self.go_on(lane, now, submissions);
            // Before its start no arrival waits, not even the one that is due with it.
            if self.lanes[lane].is_open() && self.lanes[lane].state != LaneState::Waiting {
                self.pace(lane, now, submissions);
            }
        }
    }

    /// Sessions that can go on do so.
    fn go_on(&mut self, lane: usize, now: Nanos, submissions: &mut impl Submissions) {
        for _ in 0..self.lanes[lane].offered.len().min(BEGINS_A_TURN) {
            let Some(seat) = self.lanes[lane].offered.pop_front() else { return };
            if self.seats[seat as usize].waits == Waits::Ready {
                self.advance(seat, now, submissions);
            }
        }
    }

    /// Goes through the session's program until it has to wait.
    fn advance(&mut self, index: u32, now: Nanos, submissions: &mut impl Submissions) {
        if self.seats[index as usize].parked.is_some() {
            return self.send_again(index, now, submissions);
        }
        let mut asked = false;
        for _ in 0..STEPS_A_TURN {
            let pending = self.seats[index as usize].pending.take();
            let act = pending.unwrap_or_else(|| self.decide(index));
            match act {
                // A program that opens its socket twice goes on with it.
                Act::Open(socket) if self.has_open(index, socket) => {}
                Act::Http(_) | Act::Open(_) => return self.go_out(index, act, now, submissions),
                Act::Send(message) | Act::Receive(message) => {
                    asked |= self.live_slot(index).is_some();
                    if self.converse(index, act, message, now, submissions) {
                        continue;
                    }
                    return;
                }
                Act::Close(code) => {
                    if self.hang_up(index, code, now, submissions) {
                        return;
                    }
                }
                // After its lane's end nothing is due behind the pause.
                Act::Think(_) if self.lane(index).state == LaneState::Ended => {
                    return self.retire(index, now, submissions);
                }
                Act::Think(_) if self.is_off(index) => return self.rest(index, now, submissions),
                Act::Think(span) => return self.think(index, span, now),
                Act::Enter(group) => self.enter(index, group),
                Act::Leave(group) => self.left(index, group),
                Act::End => {
                    self.end_iteration(index);
                    if self.lane(index).is_open() {
                        // Who sits here next is another visitor, with WebSockets of its own.
                        self.say_farewell(index, now, submissions);
                        return self.free(index, NONE);
                    }
                }
            }
        }
        if asked {
            return self.make_ready(index);
        }
        // It asks nothing of any target now, and may do so for ever: that costs no core.
        if self.lane(index).state == LaneState::Ended {
            return self.retire(index, now, submissions);
        }
        self.think(index, IDLE, now);
    }

    /// Whether the session's socket stands.
    fn has_open(&self, index: u32, socket: u16) -> bool {
        let channel = self.plan.sockets[usize::from(socket)].channel;
        self.state(self.seats[index as usize].first_slot + u32::from(channel)) == State::Live
    }

    /// Begins an operation that needs a connection of its own.
    fn go_out(&mut self, index: u32, act: Act, now: Nanos, submissions: &mut impl Submissions) {
        let (channel, leaf) = match act {
            Act::Open(socket) => {
                let socket = &self.plan.sockets[usize::from(socket)];
                (socket.channel, socket.leaf)
            }
            Act::Http(request) => {
                let request = &self.plan.requests[usize::from(request)];
                (request.channel, request.leaf)
            }
            _ => return,
        };
        let seat = &mut self.seats[index as usize];
        let (slot, due) = (seat.first_slot + u32::from(channel), seat.due);
        let since = due.since(self.start);
        if !seat.scheduled && self.lane(index).is_over(since) {
            return self.retire(index, now, submissions);
        }
        if self.is_off(index) {
            return self.rest(index, now, submissions);
        }
        let seat = &mut self.seats[index as usize];
        if !self.connections[slot as usize].is_available() {
            (seat.pending, seat.awaits, seat.waits) = (Some(act), slot, Waits::Ready);
            return;
        }
        let is_open = self.lane(index).is_open();
        if is_open && !self.seats[index as usize].scheduled {
            self.seats[index as usize].scheduled = true;
            let phase = self.phase(index, since);
            self.recorder.scheduled(self.plan.leaf(phase, leaf));
        }
        let Leave::Granted(generation) = self.ask_token(index, act, now) else { return };
        let Some(phase) = self.permit(index, is_open, due) else {
            return self.retire(index, now, submissions);
        };
        let leaf = self.plan.leaf(phase, leaf);
        if !std::mem::take(&mut self.seats[index as usize].scheduled) {
            self.recorder.scheduled(leaf);
        }
        self.begin_operation(index, slot, act, leaf, generation, now, submissions);
    }

    /// The phase of a session's operation that is due so long after the start of the load.
    pub(super) fn phase(&self, index: u32, since: Nanos) -> Phase {
        let lane = usize::from(self.seats[index as usize].lane);
        self.plan.phase(self.lanes[lane].workload, since)
    }

    /// Leave to begin an operation that is due at `due`.
    fn permit(&mut self, index: u32, is_open: bool, due: Nanos) -> Option<Phase> {
        let since = due.since(self.start);
        if is_open {
            return Some(self.phase(index, since));
        }
        let lane = usize::from(self.seats[index as usize].lane);
        self.lanes[lane].take(&self.plan, since)
    }

    /// Whether the session's user has a token, if the act needs one; else it waits for it.
    pub(super) fn ask_token(&mut self, index: u32, act: Act, now: Nanos) -> Leave {
        let needs = match act {
            Act::Http(request) => self.requests[usize::from(request)].needs_token,
            Act::Open(socket) => self.plan.sockets[usize::from(socket)].needs_token(),
            _ => false,
        };
        if !needs {
            return Leave::Granted(0);
        }
        for again in 1..=USERS_TRIED {
            let user = self.seats[index as usize].user;
            match self.token_of(user, now) {
                Need::Ready { generation } => return Leave::Granted(generation),
                Need::Wait => {
                    self.await_token(index, act, user, now);
                    return Leave::Wait;
                }
                Need::Barred { until } => {
                    let seat = &self.seats[index as usize];
                    let users = &self.lanes[usize::from(seat.lane)].users;
                    let other = users.instead(&seat.mind, user_at(user), again);
                    let other = other.unwrap_or(NONE);
                    if other == user || again == USERS_TRIED {
                        self.await_until(index, act, until, now);
                        return Leave::Wait;
                    }
                    self.seats[index as usize].user = other;
                }
            }
        }
        Leave::Wait
    }

    /// A pause, which counts from when the session was due.
    fn think(&mut self, index: u32, span: Nanos, now: Nanos) {
        let seat = &mut self.seats[index as usize];
        seat.due += span;
        let due = seat.due;
        if due <= now {
            return self.make_ready(index);
        }
        (seat.waits, seat.awaits) = (Waits::Thinking, NONE);
        self.wake_seat(index, due, now);
    }

    fn enter(&mut self, index: u32, group: u16) {
        let seat = &mut self.seats[index as usize];
        let due = seat.due;
        if let Some(memory) = &mut seat.memory {
            memory.groups.push((group, due));
        }
    }

    fn left(&mut self, index: u32, group: u16) {
        let seat = &mut self.seats[index as usize];
        let due = seat.due;
        let Some(memory) = &mut seat.memory else { return };
        if let Some(at) = memory.groups.iter().rposition(|(other, _)| *other == group) {
            let (_, entered) = memory.groups.remove(at);
            if self.phase(index, entered.since(self.start)).is_measured() {
                let index = self.plan.timed().group(usize::from(group));
                self.recorder.timed(index, due.since(entered));
            }
        }
    }

    /// The session came to the end of its program.
    fn end_iteration(&mut self, index: u32) {
        let seat = &mut self.seats[index as usize];
        let (begun, due) = (seat.iteration, seat.due);
        seat.iteration = due;
        seat.forget();
        if self.phase(index, begun.since(self.start)).is_measured() {
            self.recorder.count(Counter::Iterations);
            if self.lane(index).mix.is_none() {
                self.recorder.timed(Timed::ITERATION, due.since(begun));
            }
        }
        let seat = &mut self.seats[index as usize];
        // Without users there is nothing to draw.
        if seat.user != NONE {
            let users = &self.lanes[usize::from(seat.lane)].users;
            seat.user = users.go_on(&seat.mind, user_at(seat.user)).unwrap_or(NONE);
        }
    }

    /// The session does nothing more: its workload is over.
    pub(super) fn retire(&mut self, index: u32, now: Nanos, submissions: &mut impl Submissions) {
        let is_open = self.lane(index).is_open();
        let seat = &mut self.seats[index as usize];
        if seat.waits == Waits::Over {
            return;
        }
        if seat.scheduled {
            self.drop_pending(index);
        }
        let seat = &mut self.seats[index as usize];
        let busy = seat.waits != Waits::Free;
        (seat.waits, seat.awaits, seat.timer) = (Waits::Over, NONE, Nanos::MAX);
        if is_open && busy {
            self.lane(index).ended += 1;
        }
        self.say_farewell(index, now, submissions);
    }

    /// Open model: begins what is due on what is free, and drops what has waited too long for it.
    fn pace(&mut self, lane: usize, now: Nanos, submissions: &mut impl Submissions) {
        let begin = self.start + self.lanes[lane].start;
        let since = now.since(begin);
        let (mut begins, mut drops) = (0, 0);
        while begins < BEGINS_A_TURN && drops < DROPS_A_TURN {
            let Source::Open(pacer) = &mut self.lanes[lane].source else { return };
            let Some(arrival) = pacer.upcoming().filter(|arrival| arrival.due <= since) else {
                return;
            };
            let free_seat = self.peek_available(lane);
            // Lateness of our own is no reason to drop: what counts is when a seat became free,
            // and its slot.
            let free = free_seat.map_or(now, |seat| {
                let seat = &self.seats[seat as usize];
                seat.free.max(self.connections[seat.first_slot as usize].available)
            });
            let Source::Open(pacer) = &mut self.lanes[lane].source else { return };
            let gone = pacer.is_impatient(&arrival, free.since(begin));
            if gone || free_seat.is_none() && pacer.too_many_wait(since) {
                pacer.take(since);
                self.note_order(lane, arrival);
                self.drop_arrival(lane, arrival);
                drops += 1;
            } else if let Some(seat) = free_seat {
                pacer.take(since);
                self.note_order(lane, arrival);
                self.take_available(lane);
                self.arrive(seat, arrival, begin + arrival.due, now, submissions);
                begins += 1;
            } else {
                self.starved = true;
                return;
            }
        }
    }

    /// An arrival gets a seat, and with it a user.
    fn arrive(
        &mut self,
        index: u32,
        arrival: Arrival,
        due: Nanos,
        now: Nanos,
        submissions: &mut impl Submissions,
    ) {
        self.lane(index).begun += 1;
        let mind = Session::new(arrival.index);
        let seat = &self.seats[index as usize];
        let lane = &self.lanes[usize::from(seat.lane)];
        let user = match &lane.everyone {
            Some(everyone) => everyone.of_arrival(arrival.index),
            _ => lane.users.go_on(&mind, user_at(seat.user)),
        };
        let user = user.unwrap_or(NONE);
        let seat = &mut self.seats[index as usize];
        (seat.mind, seat.user, seat.waits) = (mind, user, Waits::Ready);
        (seat.due, seat.iteration, seat.pending) = (due, due, None);
        self.advance(index, now, submissions);
    }

    /// Adds an arrival to the order hash: its number, when it was due, whose it is, and in a mix
    /// what it asks for. A sum, so that it does not matter which shard did what first.
    fn note_order(&mut self, lane: usize, arrival: Arrival) {
        let lane = &self.lanes[lane];
        let user = lane.everyone.as_ref().and_then(|users| users.of_arrival(arrival.index));
        let request = lane.mix.as_ref().map(|(mix, requests)| {
            Session::new(arrival.index).next_of_mix(mix, requests, self.plan.seed)
        });
        let what = u64::from(user.unwrap_or(NONE)) << 32
            | u64::from(request.unwrap_or(u16::MAX)) << 16
            | lane.workload as u64;
        let hash = rng::choice(arrival.due.0, arrival.index, what, u64::MAX);
        let order = &mut self.recorder.counts().order;
        *order = order.wrapping_add(hash);
    }

    fn drop_arrival(&mut self, lane: usize, arrival: Arrival) {
        self.starved = true;
        let Some(leaf) = self.arrival_leaf(lane, arrival) else { return };
        self.recorder.scheduled(leaf);
        self.recorder.dropped(leaf);
    }

    /// Drops all arrivals that wait.
    pub(super) fn drop_waiting(&mut self, now: Nanos) {
        for lane in 0..self.lanes.len() {
            let since = now.since(self.start + self.lanes[lane].start);
            while let Source::Open(pacer) = &mut self.lanes[lane].source
                && let Some(arrival) = pacer.take(since)
            {
                self.note_order(lane, arrival);
                self.drop_arrival(lane, arrival);
            }
        }
    }

    /// When [`Shard::begin_due`] has something to do again, if no completion comes before.
    pub(super) fn next_arrival(&mut self, lane: usize) -> Option<Nanos> {
        let available = self.peek_available(lane).is_some();
        let begin = self.start + self.lanes[lane].start;
        let Source::Open(pacer) = &self.lanes[lane].source else { return None };
        let at = if available {
            pacer.upcoming().map(|arrival| arrival.due)
        } else {
            pacer.patience_ends()
        };
        at.map(|at| begin + at)
    }

    /// What an arrival's first operation is recorded under: a function of the seed and its number
    /// alone, for conditions are taken as false.
    fn arrival_leaf(&self, lane: usize, arrival: Arrival) -> Option<LeafId> {
        let workload = &self.plan.workloads[self.lanes[lane].workload];
        let mut mind = Session::new(arrival.index);
        let phase =
            self.plan.phase(self.lanes[lane].workload, self.lanes[lane].start + arrival.due);
        for _ in 0..STEPS_A_TURN {
            let leaf = match mind.next(&workload.program, self.plan.seed, &mut |_| false) {
                Act::Http(request) => self.plan.requests[usize::from(request)].leaf,
                Act::Open(socket) => self.plan.sockets[usize::from(socket)].leaf,
                Act::Send(message) | Act::Receive(message) => {
                    self.plan.messages[usize::from(message)].leaf
                }
                Act::Think(_) | Act::Enter(_) | Act::Leave(_) | Act::Close(_) => continue,
                Act::End => break,
            };
            return Some(self.plan.leaf(phase, leaf));
        }
        None
    }

    fn take_available(&mut self, lane: usize) -> Option<u32> {
        let seat = self.peek_available(lane)?;
        let lane = &mut self.lanes[lane];
        if lane.idle.front() == Some(&seat) {
            lane.idle.pop_front()
        } else {
            lane.vacant.pop_front()
        }
    }

    /// The seat that has been free longest, one with an open connection first. Those that were
    /// lost since they were queued are taken out on the way.
    fn peek_available(&mut self, lane: usize) -> Option<u32> {
        let Self { connections, seats, lanes, .. } = self;
        let lane = &mut lanes[lane];
        let is = |seat: &u32, state: State| {
            let seat = &seats[*seat as usize];
            seat.waits == Waits::Free && connections[seat.first_slot as usize].state == state
        };
        while lane.idle.front().is_some_and(|seat| !is(seat, State::Idle)) {
            lane.idle.pop_front();
        }
        while lane.vacant.front().is_some_and(|seat| !is(seat, State::Vacant)) {
            lane.vacant.pop_front();
        }
        lane.idle.front().or_else(|| lane.vacant.front()).copied()
    }

    /// How long an arrival of the lane waits.
    pub(super) fn patience(&self, lane: u16) -> Nanos {
        let workload = &self.plan.workloads[self.lanes[usize::from(lane)].workload];
        match workload.load {
            Load::Open { patience, .. } => patience,
            Load::Closed => Nanos::MAX,
        }
    }
}
