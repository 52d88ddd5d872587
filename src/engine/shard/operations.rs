//! The life of a shard's operations: begun, sent, timed out, cut off.

use std::rc::Rc;

use super::super::connection::{Errand, Operation, State};
use super::super::limits::{BUFFER_KEPT_BYTES, BUFFERS_KEPT};
use super::super::seat::{NONE, Waits};
use super::{OwnRequest, Shard};
use crate::metrics::LeafId;
use crate::metrics::recorder::End;
use crate::net::error::Cause;
use crate::net::{Errno, Payload, Submissions};
use crate::plan::{Content, Text};
use crate::protocol::http::AwaitingPhase;
use crate::protocol::{Failure, Timing};
use crate::session::{Act, Need, Speaker, render};
use crate::stdx::Nanos;

impl Shard {
    #[expect(clippy::too_many_arguments, reason = "what an operation is")]
    pub(super) fn begin_operation(
        &mut self,
        index: u32,
        slot: u32,
        act: Act,
        leaf: LeafId,
        generation: u32,
        now: Nanos,
        submissions: &mut impl Submissions,
    ) {
        let errand = match act {
            Act::Open(socket) => Errand::Open(socket),
            Act::Http(request) => Errand::Http(request),
            _ => return,
        };
        let seat = &mut self.seats[index as usize];
        (seat.waits, seat.awaits) = (Waits::Busy, NONE);
        let intended = seat.due;
        let free = intended.max(seat.free).max(self.connections[slot as usize].available);
        let timing = Timing { intended, free, ..Timing::default() };
        let serial = self.serial();
        let operation = Operation {
            leaf,
            errand,
            generation,
            timing,
            begun: now,
            serial,
            ..Operation::default()
        };
        self.recorder.took_off(free, now);
        self.recorder.begun(leaf);
        self.carry(slot, operation, now, submissions);
    }

    /// Gives the operation to a connection that can take one.
    pub(super) fn carry(
        &mut self,
        slot: u32,
        operation: Operation,
        now: Nanos,
        submissions: &mut impl Submissions,
    ) {
        let connection = &mut self.connections[slot as usize];
        connection.operation = Some(operation);
        if connection.state == State::Idle {
            self.dispatch(slot, now, submissions);
        } else {
            self.open(slot, now, submissions);
        }
    }

    /// Sends the operation's request on its open connection.
    pub(super) fn dispatch(&mut self, slot: u32, now: Nanos, submissions: &mut impl Submissions) {
        let Some(operation) = self.connections[slot as usize].operation else { return };
        let request = match operation.errand {
            Errand::Open(socket) => return self.upgrade(slot, socket, now, submissions),
            Errand::Http(request) => usize::from(request),
            Errand::Call(kind) => self.request_of_call(kind),
        };
        let OwnRequest { fixed, reply_to, .. } = &self.requests[request];
        let (reply_to, fixed) = (*reply_to, fixed.as_ref().map(Rc::clone));
        let payload = match fixed {
            Some(bytes) => Payload::Shared(bytes),
            None => Payload::Owned(self.made(slot, request, operation.serial, now)),
        };
        let length = payload.bytes().len();
        let deadline = operation.begun + self.timeout_of(&operation);
        let connection = &mut self.connections[slot as usize];
        connection.sends(length);
        let Some(operation) = &mut connection.operation else { return };
        if !operation.retried {
            operation.timing.sent = now;
        }
        connection.state = State::Busy;
        connection.exchange.start(reply_to);
        connection.link.sending();
        submissions.send(connection.link.handle(slot), payload);
        if !matches!(operation.errand, Errand::Call(_)) {
            self.recorder.bytes_sent(operation.leaf, length as u64);
        }
        self.arm(slot, deadline, now);
    }

    /// The bytes of a request that is made anew each time.
    fn made(&mut self, slot: u32, request: usize, serial: u32, now: Nanos) -> Vec<u8> {
        let mut out = self.spare.pop().unwrap_or_default();
        out.clear();
        let plan = &self.plan;
        let Content::Made { head, body } = &self.plan_request(request).content else { return out };
        let (speaker, mut draw) = match self.seat_of(slot) {
            Some(seat) => {
                let sequence = Some(self.number_of(serial));
                let speaker = Speaker { sequence, ..self.speaker(seat, now) };
                (speaker, self.seats[seat as usize].mind.draw(plan.seed))
            }
            None => self.speaker_of_call(slot, now),
        };
        render(head, &speaker, &mut draw, &mut out);
        if let Some(body) = body {
            append_body(body, &speaker, &mut draw, &mut out);
        } else {
            out.extend_from_slice(b"\r\n");
        }
        out
    }

    /// How long an operation may take from the beginning of its attempt.
    pub(super) fn timeout_of(&self, operation: &Operation) -> Nanos {
        match operation.errand {
            Errand::Http(request) => self.plan.requests[usize::from(request)].timeout,
            Errand::Open(socket) => self.plan.sockets[usize::from(socket)].timeout,
            Errand::Call(kind) => self.plan_request(self.request_of_call(kind)).timeout,
        }
    }

    /// A send buffer has come back.
    pub(super) fn give_back(&mut self, buffer: Vec<u8>) {
        if self.spare.len() < BUFFERS_KEPT && buffer.capacity() <= BUFFER_KEPT_BYTES {
            self.spare.push(buffer);
        }
    }

    /// A send has ended; a peer that is gone shows in the receive, which alone knows what came
    /// before.
    pub(super) fn sent(
        &mut self,
        slot: u32,
        result: Result<u32, Errno>,
        buffer: Option<Vec<u8>>,
        now: Nanos,
        submissions: &mut impl Submissions,
    ) {
        let connection = &mut self.connections[slot as usize];
        connection.unsent -= result.map_or(0, |count| connection.unsent.min(count));
        let (state, unsent) = (connection.state, connection.unsent);
        match (state, result.map_err(|errno| (errno, errno.cause()))) {
            (State::Busy | State::Upgrading | State::Live | State::Farewell, Ok(_))
                if unsent > 0 =>
            {
                return self.send_rest(slot, buffer, submissions);
            }
            (
                State::Busy | State::Upgrading | State::Live,
                Err((errno, Cause::LocalMemory | Cause::NoBuffers)),
            ) => {
                self.fail(slot, Failure::LocalMemory, now, submissions, || errno.to_string());
            }
            (State::Settling, _) => self.settled(slot, now, submissions),
            (State::Live | State::Farewell, Ok(_)) => {
                connection.available = now;
                self.flush(slot, now, submissions);
            }
            (
                State::Busy
                | State::Upgrading
                | State::Live
                | State::Farewell
                | State::Vacant
                | State::Opening
                | State::Idle
                | State::Closing
                | State::BackingOff,
                _,
            ) => {}
        }
        if let Some(buffer) = buffer {
            self.give_back(buffer);
        }
    }

    /// Sends what the kernel has not taken yet, in a buffer of its own.
    fn send_rest(
        &mut self,
        slot: u32,
        buffer: Option<Vec<u8>>,
        submissions: &mut impl Submissions,
    ) {
        let connection = &mut self.connections[slot as usize];
        let unsent = connection.unsent as usize;
        let rest = match (buffer, connection.operation) {
            (Some(mut buffer), _) => {
                buffer.drain(..buffer.len().saturating_sub(unsent));
                buffer
            }
            (None, Some(operation)) => {
                let request = match operation.errand {
                    Errand::Http(request) => usize::from(request),
                    Errand::Call(kind) => self.request_of_call(kind),
                    Errand::Open(_) => return,
                };
                let fixed = self.requests[request].fixed.as_deref().unwrap_or_default();
                fixed[fixed.len().saturating_sub(unsent)..].to_vec()
            }
            (None, None) => return,
        };
        let connection = &mut self.connections[slot as usize];
        connection.link.sending();
        submissions.send(connection.link.handle(slot), Payload::Owned(rest));
    }

    /// A deadline has passed.
    pub(super) fn overdue(&mut self, slot: u32, now: Nanos, submissions: &mut impl Submissions) {
        let connection = &self.connections[slot as usize];
        let timeout =
            connection.operation.map_or(self.plan.timeout, |operation| self.timeout_of(&operation));
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
            State::Upgrading => {
                let received = connection.operation.map_or(0, |operation| operation.received);
                let text = || format!("not open within {timeout}, {received} bytes came");
                // A peer that takes the connection and never upgrades it was not connected to.
                let failure = match received {
                    0 => Failure::TimeoutFirstByte,
                    _ => Failure::TimeoutBody,
                };
                self.fail(slot, failure, now, submissions, text);
            }
            State::Live => self.answers_overdue(slot, now, submissions),
            State::Settling | State::Farewell => self.close(slot, submissions),
            State::Vacant | State::Idle | State::Closing => {}
        }
    }

    /// The session goes on with an operation whose token was refused, now that there is another.
    pub(super) fn send_again(
        &mut self,
        index: u32,
        now: Nanos,
        submissions: &mut impl Submissions,
    ) {
        let Some(parked) = self.seats[index as usize].parked.take() else { return };
        let mut operation = *parked;
        let channel = match operation.errand {
            Errand::Http(request) => self.plan.requests[usize::from(request)].channel,
            Errand::Open(socket) => self.plan.sockets[usize::from(socket)].channel,
            Errand::Call(_) => return,
        };
        let slot = self.seats[index as usize].first_slot + u32::from(channel);
        if now >= operation.begun + self.timeout_of(&operation) {
            return self.give_up(index, operation, now);
        }
        if !self.connections[slot as usize].is_available() {
            let seat = &mut self.seats[index as usize];
            (seat.parked, seat.awaits) = (Some(Box::new(operation)), slot);
            return;
        }
        let user = self.seats[index as usize].user;
        match self.token_of(user, now) {
            Need::Ready { generation } => operation.generation = generation,
            Need::Wait => {
                let until = operation.begun + self.timeout_of(&operation);
                let seat = &mut self.seats[index as usize];
                seat.parked = Some(Box::new(operation));
                return self.await_again(index, user, until, now);
            }
            Need::Barred { .. } => return self.give_up(index, operation, now),
        }
        if !operation.retried {
            // What it waited for was the token: not the target's time, nor our lateness.
            let stands = self.connections[slot as usize].state == State::Idle;
            let Timing { free, connect, .. } = &mut operation.timing;
            let before = *free;
            *free = before.max(if stands { now.since(*connect) } else { now });
            self.recorder.waited(free.since(before));
        }
        let seat = &mut self.seats[index as usize];
        (seat.waits, seat.awaits) = (Waits::Busy, NONE);
        self.carry(slot, operation, now, submissions);
    }

    /// A token may have run out while the operation's connection was being opened: then the
    /// operation, of which nothing was sent, waits beside its open connection for the next one.
    pub(super) fn awaits_newer_token(&mut self, slot: u32, now: Nanos) -> bool {
        let Some(operation) = self.connections[slot as usize].operation else { return false };
        let needs = match operation.errand {
            Errand::Http(request) => self.requests[usize::from(request)].needs_token,
            Errand::Open(socket) => self.plan.sockets[usize::from(socket)].needs_token(),
            Errand::Call(_) => false,
        };
        let Some(index) = self.seat_of(slot).filter(|_| needs) else { return false };
        let user = self.seats[index as usize].user;
        match self.token_of(user, now) {
            Need::Ready { generation } => {
                if let Some(operation) = &mut self.connections[slot as usize].operation {
                    operation.generation = generation;
                }
                false
            }
            need => {
                self.connections[slot as usize].operation = None;
                self.connections[slot as usize].available = now;
                if matches!(need, Need::Barred { .. }) {
                    self.give_up(index, operation, now);
                } else {
                    let until = operation.begun + self.timeout_of(&operation);
                    self.seats[index as usize].parked = Some(Box::new(operation));
                    self.await_again(index, user, until, now);
                }
                true
            }
        }
    }

    /// No token came for an operation that waited for it: its 401 stands, if it had one.
    pub(super) fn give_up(&mut self, index: u32, operation: Operation, now: Nanos) {
        let (failure, what) = match operation.retried {
            true => (Failure::Status, "status 401, and no new token"),
            false => (Failure::TimeoutFirstByte, "nothing was sent, for want of a token"),
        };
        self.recorder.was_lost(operation.timing.free, now);
        let Self { plan, recorder, .. } = self;
        recorder.sample(failure, || format!("{}: {what}", plan.name_of(operation.leaf)));
        let end = End::Failed(failure);
        self.recorder.ended(operation.leaf, end, now);
        let status = if operation.retried { super::answers::UNAUTHORIZED } else { 0 };
        self.record(&operation, None, end, status, now);
        self.user_ended(index, operation.leaf, end, None);
        self.seats[index as usize].due = now;
        self.make_ready(index);
        if matches!(operation.errand, Errand::Open(_)) {
            self.not_opened(index);
        }
    }

    /// Ends everything at once: what is in flight is aborted, what waits is dropped.
    pub fn abort(&mut self, now: Nanos, submissions: &mut impl Submissions) {
        self.forget_tokens();
        self.stop(now, submissions);
        for slot in 0..super::len(&self.connections) {
            if let Some(operation) = self.connections[slot as usize].operation.take() {
                if !matches!(operation.errand, Errand::Call(_)) {
                    self.recorder.was_lost(operation.timing.free, now);
                    self.recorder.bytes_lost(operation.leaf, operation.received);
                    self.recorder.ended(operation.leaf, End::Aborted, now);
                    self.record(&operation, Some(slot), End::Aborted, 0, now);
                }
                self.close(slot, submissions);
            }
            self.abort_messages(slot, now, submissions);
        }
        for seat in 0..self.seats.len() {
            if let Some(parked) = self.seats[seat].parked.take() {
                self.recorder.was_lost(parked.timing.free, now);
                self.recorder.ended(parked.leaf, End::Aborted, now);
                self.record(&parked, None, End::Aborted, 0, now);
            }
            // Nobody goes on when its slot is free again, nor is counted once more.
            self.retire(u32::try_from(seat).unwrap_or(u32::MAX), now, submissions);
        }
        self.lanes.iter_mut().for_each(|lane| lane.ended = lane.begun);
    }
}

/// The length of the body, the end of the head, and the body: it is made first, behind a gap that
/// is as wide as the longest length, and the head is closed up to it.
fn append_body(
    body: &Text,
    speaker: &Speaker<'_>,
    draw: &mut crate::session::Draw,
    out: &mut Vec<u8>,
) {
    const NAME: &[u8] = b"Content-Length: ";
    const END: &[u8] = b"\r\n\r\n";
    out.extend_from_slice(NAME);
    let digits_at = out.len();
    // Zeros in front are digits too (RFC 9110 section 8.6), but some servers refuse them.
    out.extend_from_slice(&[b'0'; DIGITS]);
    out.extend_from_slice(END);
    let body_at = out.len();
    render(body, speaker, draw, out);
    let mut length = out.len() - body_at;
    let mut digits = [0; DIGITS];
    let mut count = 0;
    loop {
        count += 1;
        digits[DIGITS - count] = b'0' + u8::try_from(length % 10).unwrap_or(0);
        length /= 10;
        if length == 0 || count == DIGITS {
            break;
        }
    }
    out[digits_at..digits_at + count].copy_from_slice(&digits[DIGITS - count..]);
    out.drain(digits_at + count..digits_at + DIGITS);
}

/// Digits of the longest body: far beyond what a plan may hold.
const DIGITS: usize = 10;
