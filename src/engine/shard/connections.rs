//! The life of a shard's connections: opened, lost, closed, opened again.

use std::net::{IpAddr, SocketAddr};

use super::super::connection::{Errand, Listening, Operation, State, pause};
use super::super::limits::CONNECTS_IN_FLIGHT;
use super::Shard;
use super::stages::Stage;
use crate::metrics::recorder::End;
use crate::net::error::Cause;
use crate::net::{Errno, Submissions};
use crate::plan::{Instruction, Opening};
use crate::protocol::Failure;
use crate::protocol::http::Exchange;
use crate::stdx::Nanos;

impl Shard {
    /// Opens connections ahead of the run, a bounded number at a time.
    pub(super) fn open_ahead(&mut self, now: Nanos, submissions: &mut impl Submissions) {
        let Stage::Ahead { mut next, mut pending } = self.stage else { return };
        let slots = super::len(&self.connections);
        while next < slots && pending < CONNECTS_IN_FLIGHT {
            if self.opens_ahead(next) {
                self.open(next, now, submissions);
                pending += 1;
            }
            next += 1;
        }
        let done = next == slots && pending == 0;
        self.stage = if done { Stage::Ready } else { Stage::Ahead { next, pending } };
    }

    /// Whether the slot's connection is opened before the load: not a WebSocket, which is an
    /// operation to open, nor one for tokens.
    fn opens_ahead(&self, slot: u32) -> bool {
        let Some(seat) = self.seat_of(slot) else { return false };
        let workload = self.workload(seat);
        let channel = slot - self.seats[seat as usize].first_slot;
        let is_socket = |instruction: &Instruction| match instruction {
            Instruction::Open(socket) => {
                u32::from(self.plan.sockets[usize::from(*socket)].channel) == channel
            }
            _ => false,
        };
        workload.opening == Opening::Ahead
            && workload.fleet.is_none()
            && self.seats[seat as usize].mind.index() < u64::from(workload.first_sessions())
            && self.connections[slot as usize].state == State::Vacant
            && !workload.program.instructions.iter().any(is_socket)
    }

    /// The address of this host that a slot's connection comes from, if its user's group has one.
    fn source_of(&self, slot: u32, to: SocketAddr) -> Option<IpAddr> {
        let people = self.plan.people.as_ref()?;
        let seat = &self.seats[self.seat_of(slot)? as usize];
        let sources = &people.group(seat.user)?.0.sources;
        let like = || sources.iter().filter(|source| source.is_ipv4() == to.is_ipv4());
        let turn = u64::from(slot) % (like().count() as u64).max(1);
        like().nth(usize::try_from(turn).unwrap_or(0)).copied()
    }

    /// The target that a slot's connection goes to.
    fn target_of(&self, slot: u32) -> usize {
        let target = match self.seat_of(slot) {
            Some(seat) => {
                let channel = slot - self.seats[seat as usize].first_slot;
                self.workload(seat).channels.get(channel as usize).copied().unwrap_or(0)
            }
            None => self.target_of_call(slot),
        };
        usize::from(target)
    }

    /// An attempt to open ahead has ended, well or not: failures show when the load needs them.
    pub(super) const fn opened_ahead(&mut self) {
        if let Stage::Ahead { pending, .. } = &mut self.stage {
            *pending = pending.saturating_sub(1);
        }
    }

    pub(super) fn open(&mut self, slot: u32, now: Nanos, submissions: &mut impl Submissions) {
        let target = self.target_of(slot);
        let addresses = &self.plan.targets[target].addresses;
        let turn = &mut self.next_address[target];
        let Some(address) = addresses.get(*turn % addresses.len().max(1)) else { return };
        *turn = turn.wrapping_add(1);
        let timeout = self.connections[slot as usize].operation;
        let timeout = timeout.map_or(self.plan.timeout, |operation| self.timeout_of(&operation));
        let connection = &mut self.connections[slot as usize];
        connection.state = State::Opening;
        connection.available = now;
        connection.link.connecting();
        let handle = connection.link.handle(slot);
        submissions.connect(handle, *address, self.source_of(slot, *address));
        self.arm(slot, now + timeout, now);
    }

    pub(super) fn connected(
        &mut self,
        slot: u32,
        result: Result<(), Errno>,
        now: Nanos,
        submissions: &mut impl Submissions,
    ) {
        let connection = &mut self.connections[slot as usize];
        if connection.state != State::Opening {
            // Given up in the meantime; the close is on its way.
            return;
        }
        if let Err(errno) = result {
            self.recorder.counts().connect_failures += 1;
            self.fail(slot, connect_failure(errno), now, submissions, || errno.to_string());
            return;
        }
        self.connected += 1;
        self.recorder.counts().connects += 1;
        let handle = connection.link.handle(slot);
        connection.state = State::Idle;
        connection.deadline = Nanos::MAX;
        let opened = now.since(connection.available);
        connection.exchange = Exchange::default();
        connection.listening = Listening::Multishot;
        self.listen(handle, submissions);
        let connection = &mut self.connections[slot as usize];
        if let Some(operation) = &mut connection.operation {
            // What a second attempt takes is behind `sent`, so it is service time.
            if !operation.retried {
                operation.timing.connect = opened;
            }
            if !self.awaits_newer_token(slot, now) {
                self.dispatch(slot, now, submissions);
            }
        } else {
            connection.available = now;
            self.opened_ahead();
            self.offer(slot);
        }
    }

    /// The connection broke while receiving.
    pub(super) fn broken(
        &mut self,
        slot: u32,
        errno: Errno,
        now: Nanos,
        submissions: &mut impl Submissions,
    ) {
        let failure = match errno.cause() {
            Cause::LocalMemory => Failure::LocalMemory,
            _ => Failure::Reset,
        };
        self.fail(slot, failure, now, submissions, || errno.to_string());
    }

    /// Ends the slot's operation, if there is one, as failed, and closes the connection.
    pub(super) fn fail(
        &mut self,
        slot: u32,
        failure: Failure,
        now: Nanos,
        submissions: &mut impl Submissions,
        text: impl FnOnce() -> String,
    ) {
        let connection = &mut self.connections[slot as usize];
        let connecting = connection.state == State::Opening;
        if let Some(operation) = connection.operation.take() {
            connection.failures = connection.failures.saturating_add(1);
            let (seed, failures) = (self.plan.seed, connection.failures);
            connection.not_before = now + pause(failures, connecting, seed, slot, now);
            self.end_failed(slot, operation, failure, now, text);
        } else if connecting {
            self.opened_ahead();
        } else if self.connections[slot as usize].side.is_some() {
            self.socket_broke(slot, failure, now, &text());
        }
        self.close(slot, submissions);
    }

    /// An operation has failed: it ends, and its session waits for the slot.
    fn end_failed(
        &mut self,
        slot: u32,
        operation: Operation,
        failure: Failure,
        now: Nanos,
        text: impl FnOnce() -> String,
    ) {
        if let Some(body) = self.bodies.get_mut(slot as usize) {
            body.clear();
        }
        if let Errand::Call(kind) = operation.errand {
            return self.call_failed(slot, kind, failure, now, &text());
        }
        self.recorder.was_lost(operation.timing.free, now);
        self.recorder.bytes_lost(operation.leaf, operation.received);
        self.recorder.ended(operation.leaf, End::Failed(failure), now);
        self.record(&operation, Some(slot), End::Failed(failure), 0, now);
        let Self { plan, recorder, .. } = self;
        recorder.sample(failure, || format!("{}: {}", plan.name_of(operation.leaf), text()));
        let Some(index) = self.seat_of(slot) else { return };
        self.user_ended(index, operation.leaf, End::Failed(failure), None);
        self.operation_ended(index, slot, now);
        if matches!(operation.errand, Errand::Open(_)) {
            self.not_opened(index);
        }
    }

    /// Closes the connection; the slot is free when nothing of it is outstanding.
    pub(super) fn close(&mut self, slot: u32, submissions: &mut impl Submissions) {
        let connection = &mut self.connections[slot as usize];
        if connection.link.is_closing() {
            return;
        }
        if !matches!(connection.state, State::Opening | State::Vacant) {
            self.connected -= 1;
        }
        if connection.side.take().is_some() {
            self.sockets -= 1;
        }
        connection.state = State::Closing;
        connection.deadline = Nanos::MAX;
        connection.link.closing();
        submissions.close(connection.link.handle(slot));
    }

    /// Frees the slot, if it was closed and nothing of it is outstanding any more.
    pub(super) fn vacate(&mut self, slot: u32, now: Nanos) {
        let connection = &mut self.connections[slot as usize];
        if connection.state != State::Closing || !connection.link.finish() {
            return;
        }
        if connection.not_before > now {
            connection.state = State::BackingOff;
            let until = connection.not_before;
            self.arm(slot, until, now);
        } else {
            connection.state = State::Vacant;
            connection.available = now;
            self.offer(slot);
        }
    }

    /// The pause after failures is over. In the closed model it was the session's think time.
    pub(super) fn pause_over(&mut self, slot: u32, now: Nanos) {
        let connection = &mut self.connections[slot as usize];
        connection.state = State::Vacant;
        connection.available = now;
        if let Some(seat) = self.seat_of(slot)
            && self.seats[seat as usize].awaits == slot
            && !self.lane(seat).is_open()
        {
            self.seats[seat as usize].due = now;
        }
        self.offer(slot);
    }
}

/// What a failed connect is called.
const fn connect_failure(errno: Errno) -> Failure {
    match errno.cause() {
        Cause::Refused => Failure::Refused,
        Cause::Reset => Failure::Reset,
        Cause::TimedOut => Failure::TimeoutConnect,
        Cause::LocalPorts => Failure::LocalPorts,
        Cause::LocalFds => Failure::LocalFds,
        Cause::LocalMemory | Cause::NoBuffers => Failure::LocalMemory,
        Cause::Unreachable | Cause::Canceled | Cause::Other => Failure::Connect,
    }
}
