//! The life of a shard's operations: due, begun, sent, answered, ended exactly once.

use super::super::connection::{Operation, State};
use super::super::limits::{BEGINS_A_TURN, DROPS_A_TURN};
use super::super::pacer::Arrival;
use super::{OwnRequest, Shard, Source, Stage};
use crate::metrics::LeafId;
use crate::metrics::recorder::End;
use crate::net::error::Cause;
use crate::net::{Errno, Payload, Submissions};
use crate::protocol::http::{AwaitingPhase, ExchangeError, Progress, Reply, Reuse};
use crate::protocol::{Failure, Timing};
use crate::stdx::Nanos;

/// The lowest status that counts as a failure, as in k6.
const FAILING_STATUS: u16 = 400;

impl Shard {
    /// The slot can take an operation: its session's next one, or it waits for an arrival. It
    /// begins at the end of the turn, when all that is known of the connection has been seen.
    pub(super) fn offer(&mut self, slot: u32) {
        if !matches!(self.stage, Stage::Running | Stage::Draining) {
            return;
        }
        match &self.source {
            Source::Closed { .. } => self.offered.push_back(slot),
            Source::Open(_) if self.connections[slot as usize].state == State::Idle => {
                self.idle.push_back(slot);
            }
            Source::Open(_) => self.vacant.push_back(slot),
        }
    }

    /// Begins what is due, a bounded number of operations.
    pub(super) fn begin_due(&mut self, now: Nanos, submissions: &mut impl Submissions) {
        match &self.source {
            Source::Closed { .. } => self.go_on(now, submissions),
            Source::Open(_) => self.pace(now, submissions),
        }
    }

    /// Closed model: sessions whose slots are free go on.
    fn go_on(&mut self, now: Nanos, submissions: &mut impl Submissions) {
        for _ in 0..self.offered.len().min(BEGINS_A_TURN) {
            let Some(slot) = self.offered.pop_front() else { return };
            let connection = &self.connections[slot as usize];
            if !connection.is_available() {
                continue;
            }
            let due = connection.due;
            let since = due.since(self.start);
            if let Some(phase) = self.source.take_closed(&self.plan, since) {
                let request = self.sessions[slot as usize].next(mix(&self.plan), self.plan.seed);
                self.recorder.scheduled(self.plan.leaf(phase, request));
                self.begin_operation(slot, request, due, now, submissions);
            }
        }
    }

    /// Open model: begins what is due on what is free, and drops what has waited too long for it.
    fn pace(&mut self, now: Nanos, submissions: &mut impl Submissions) {
        let since = now.since(self.start);
        let (mut begins, mut drops) = (0, 0);
        while begins < BEGINS_A_TURN && drops < DROPS_A_TURN {
            let Source::Open(pacer) = &mut self.source else { return };
            let Some(arrival) = pacer.upcoming().filter(|arrival| arrival.due <= since) else {
                return;
            };
            let slot = self.peek_available();
            // Lateness of our own is no reason to drop: what counts is when a slot became free.
            let free = slot.map_or(now, |slot| self.connections[slot as usize].available);
            let Source::Open(pacer) = &mut self.source else { return };
            let gone = pacer.is_impatient(&arrival, free.since(self.start));
            if gone || slot.is_none() && pacer.too_many_wait(since) {
                pacer.take(since);
                self.drop_arrival(arrival);
                drops += 1;
            } else if let Some(slot) = slot {
                pacer.take(since);
                self.take_available();
                let (leaf, request) = self.arrival_leaf(arrival.index, arrival.due);
                self.recorder.scheduled(leaf);
                self.begin_operation(slot, request, self.start + arrival.due, now, submissions);
                begins += 1;
            } else {
                self.starved = true;
                return;
            }
        }
    }

    fn drop_arrival(&mut self, arrival: Arrival) {
        self.starved = true;
        let (leaf, _) = self.arrival_leaf(arrival.index, arrival.due);
        self.recorder.scheduled(leaf);
        self.recorder.dropped(leaf);
    }

    /// Drops all arrivals that wait.
    pub(super) fn drop_waiting(&mut self, now: Nanos) {
        while let Source::Open(pacer) = &mut self.source
            && let Some(arrival) = pacer.take(now.since(self.start))
        {
            self.drop_arrival(arrival);
        }
    }

    /// When [`Shard::begin_due`] has something to do again, if no completion comes before.
    pub(super) fn next_arrival(&mut self) -> Option<Nanos> {
        let available = self.peek_available().is_some();
        let Source::Open(pacer) = &self.source else { return None };
        let at = if available {
            pacer.upcoming().map(|arrival| arrival.due)
        } else {
            pacer.patience_ends()
        };
        at.map(|at| self.start + at)
    }

    /// Whether nothing will fall due any more.
    pub(super) fn is_exhausted(&self, now: Nanos) -> bool {
        match &self.source {
            Source::Open(pacer) => pacer.upcoming().is_none(),
            Source::Closed { left, until } => *left == 0 || now.since(self.start) >= *until,
        }
    }

    /// Which request an arrival is, a function of the seed and its number alone.
    fn arrival_leaf(&self, index: u64, due: Nanos) -> (LeafId, u16) {
        let request = mix(&self.plan).choose(self.plan.seed, index, 0);
        (self.plan.leaf(self.plan.phase(due), request), request)
    }

    fn take_available(&mut self) -> Option<u32> {
        let slot = self.peek_available()?;
        if self.idle.front() == Some(&slot) {
            self.idle.pop_front()
        } else {
            self.vacant.pop_front()
        }
    }

    /// The slot that has been free longest, an open one first. Slots that were lost since they
    /// were queued are taken out on the way.
    fn peek_available(&mut self) -> Option<u32> {
        let connections = &self.connections;
        let state = |slot: &u32| connections[*slot as usize].state;
        while self.idle.front().is_some_and(|slot| state(slot) != State::Idle) {
            self.idle.pop_front();
        }
        while self.vacant.front().is_some_and(|slot| state(slot) != State::Vacant) {
            self.vacant.pop_front();
        }
        self.idle.front().or_else(|| self.vacant.front()).copied()
    }

    fn begin_operation(
        &mut self,
        slot: u32,
        request: u16,
        intended: Nanos,
        now: Nanos,
        submissions: &mut impl Submissions,
    ) {
        let leaf = self.plan.leaf(self.plan.phase(intended.since(self.start)), request);
        let connection = &mut self.connections[slot as usize];
        let free = intended.max(connection.available);
        let timing = Timing { intended, free, ..Timing::default() };
        connection.operation =
            Some(Operation { leaf, request, timing, begun: now, ..Operation::default() });
        self.in_flight += 1;
        self.recorder.begun(leaf);
        if connection.state == State::Idle {
            self.dispatch(slot, now, submissions);
        } else {
            self.open(slot, now, submissions);
        }
    }

    /// Sends the operation's request on its open connection.
    pub(super) fn dispatch(&mut self, slot: u32, now: Nanos, submissions: &mut impl Submissions) {
        let connection = &mut self.connections[slot as usize];
        let Some(operation) = &mut connection.operation else { return };
        let OwnRequest { bytes, reply_to, .. } = &self.requests[usize::from(operation.request)];
        operation.timing.sent = now;
        connection.state = State::Busy;
        connection.exchange.start(*reply_to);
        connection.unsent = bytes.len();
        connection.link.sending();
        submissions.send(connection.link.handle(slot), Payload::Shared(bytes.clone()));
        self.recorder.bytes_sent(operation.leaf, bytes.len() as u64);
        let deadline = operation.begun + self.plan.timeout;
        self.arm(slot, deadline, now);
    }

    pub(super) fn progress(
        &mut self,
        slot: u32,
        progress: Result<Progress, ExchangeError>,
        now: Nanos,
        submissions: &mut impl Submissions,
    ) {
        match progress {
            Ok(Progress::More) => {}
            Ok(Progress::Done(reply)) => self.answered(slot, &reply, now, submissions),
            Err(error) => {
                self.fail(slot, error.failure(), now, submissions, || error.to_string());
            }
        }
    }

    /// The reply is complete: the operation ends, and the connection takes the next.
    fn answered(
        &mut self,
        slot: u32,
        reply: &Reply,
        now: Nanos,
        submissions: &mut impl Submissions,
    ) {
        let connection = &mut self.connections[slot as usize];
        let Some(operation) = connection.operation.take() else { return };
        let timing = Timing { done: now, ..operation.timing };
        self.in_flight -= 1;
        self.recorder.reply(operation.leaf, &timing, reply.status, operation.received);
        let end = if reply.status < FAILING_STATUS {
            End::Ok
        } else {
            let name = &self.plan.requests[usize::from(operation.request)].name;
            self.recorder.sample(Failure::Status, || format!("{name}: status {}", reply.status));
            End::Failed(Failure::Status)
        };
        self.recorder.ended(operation.leaf, end, now);
        connection.failures = 0;
        connection.due = now;
        connection.listening.replied();
        let asked = self.requests[usize::from(operation.request)].reuse;
        if reply.reuse == Reuse::Close || asked == Reuse::Close {
            self.close(slot, submissions);
        } else if connection.link.is_sending() {
            connection.state = State::Settling;
        } else {
            self.settled(slot, now, submissions);
        }
    }

    /// The reply is complete and nothing is being sent: the connection takes the next operation,
    /// unless the peer would read that as the rest of a request that broke off.
    fn settled(&mut self, slot: u32, now: Nanos, submissions: &mut impl Submissions) {
        let connection = &mut self.connections[slot as usize];
        if connection.unsent > 0 {
            return self.close(slot, submissions);
        }
        connection.state = State::Idle;
        connection.available = now;
        self.offer(slot);
    }

    /// A send has ended; a peer that is gone shows in the receive, which alone knows what came
    /// before.
    pub(super) fn sent(
        &mut self,
        slot: u32,
        result: Result<u32, Errno>,
        now: Nanos,
        submissions: &mut impl Submissions,
    ) {
        let connection = &mut self.connections[slot as usize];
        connection.unsent -= result.map_or(0, |count| connection.unsent.min(count as usize));
        match (connection.state, result.map_err(|errno| (errno, errno.cause()))) {
            (State::Busy, Ok(_)) => self.send_rest(slot, submissions),
            (State::Busy, Err((errno, Cause::LocalMemory | Cause::NoBuffers))) => {
                self.fail(slot, Failure::LocalMemory, now, submissions, || errno.to_string());
            }
            (State::Settling, _) => self.settled(slot, now, submissions),
            (
                State::Busy
                | State::Vacant
                | State::Opening
                | State::Idle
                | State::Closing
                | State::BackingOff,
                _,
            ) => {}
        }
    }

    /// A deadline has passed.
    pub(super) fn overdue(&mut self, slot: u32, now: Nanos, submissions: &mut impl Submissions) {
        let connection = &self.connections[slot as usize];
        let timeout = self.plan.timeout;
        match connection.state {
            State::BackingOff => self.pause_over(slot, now),
            State::Opening => {
                let text = || format!("not connected within {timeout}");
                self.fail(slot, Failure::TimeoutConnect, now, submissions, text);
            }
            State::Busy => {
                let phase = connection.exchange.phase().unwrap_or(AwaitingPhase::FirstByte);
                let failure = phase.timeout();
                let received = connection.operation.map_or(0, |operation| operation.received);
                let text =
                    || format!("no end of the reply within {timeout}, {received} bytes came");
                self.fail(slot, failure, now, submissions, text);
            }
            State::Settling => self.close(slot, submissions),
            State::Vacant | State::Idle | State::Closing => {}
        }
    }

    /// Ends everything at once: what is in flight is aborted, what waits is dropped.
    pub fn abort(&mut self, now: Nanos, submissions: &mut impl Submissions) {
        self.stop(now);
        for slot in 0..u32::try_from(self.connections.len()).unwrap_or(u32::MAX) {
            if let Some(operation) = self.connections[slot as usize].operation.take() {
                self.in_flight -= 1;
                self.recorder.bytes_lost(operation.leaf, operation.received);
                self.recorder.ended(operation.leaf, End::Aborted, now);
                self.close(slot, submissions);
            }
        }
    }

    /// Sends what the kernel has not taken yet, if that is anything, in a buffer of its own.
    fn send_rest(&mut self, slot: u32, submissions: &mut impl Submissions) {
        let connection = &mut self.connections[slot as usize];
        let Some(operation) = &connection.operation else { return };
        let OwnRequest { bytes, .. } = &self.requests[usize::from(operation.request)];
        if connection.unsent > 0 {
            let rest = bytes[bytes.len() - connection.unsent..].to_vec();
            connection.link.sending();
            submissions.send(connection.link.handle(slot), Payload::Owned(rest));
        }
    }
}

fn mix(plan: &crate::plan::Plan) -> &crate::plan::Mix {
    match &plan.only().program.instructions[0] {
        crate::plan::Instruction::Choose { mix, .. } => mix,
        _ => unreachable!(),
    }
}
