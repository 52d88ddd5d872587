//! How a session's WebSocket is opened, lost, and closed (RFC 6455 sections 4 and 7).

use super::super::connection::{Errand, Operation, State, pause};
use super::super::limits::{BACK_OFF_LONGEST, FAREWELL};
use super::super::seat::{NONE, Waits};
use super::super::socket::Side;
use super::Shard;
use crate::metrics::Counter;
use crate::metrics::recorder::End;
use crate::net::{Payload, Submissions};
use crate::plan::Timed;
use crate::protocol::ws::limits::MESSAGE_BYTES_MAX;
use crate::protocol::ws::{CloseCode, Keep, Key, Opened, Opening, Role, Settings};
use crate::protocol::{Failure, Timing};
use crate::session::{Refused, Speaker, render};
use crate::stdx::Nanos;

/// The status of an upgrade (RFC 9110 section 15.2.2), and of a token that is not taken.
const SWITCHING: u16 = 101;
const UNAUTHORIZED: u16 = 401;

impl Shard {
    /// Sends the request for a WebSocket on an open connection.
    pub(super) fn upgrade(
        &mut self,
        slot: u32,
        socket: u16,
        now: Nanos,
        submissions: &mut impl Submissions,
    ) {
        let Some(index) = self.seat_of(slot) else { return };
        let mut out = self.spare.pop().unwrap_or_default();
        out.clear();
        let asked = &self.plan.sockets[usize::from(socket)];
        let mut draw = self.seats[index as usize].mind.draw(self.plan.seed);
        let operation = self.connections[slot as usize].operation;
        let sequence = operation.map(|operation| self.number_of(operation.serial));
        let speaker = Speaker { sequence, ..self.speaker(index, now) };
        render(&asked.head, &speaker, &mut draw, &mut out);
        let timeout = asked.timeout;
        let nonce = [self.keys.next_u64().to_le_bytes(), self.keys.next_u64().to_le_bytes()];
        let mut key = [0; 16];
        key.iter_mut().zip(nonce.as_flattened()).for_each(|(to, from)| *to = *from);
        let opening = Opening::begin(key, &mut out);
        let lane = self.lane(index);
        let keep = if lane.reads_messages { Keep::Bytes } else { Keep::Count };
        let settings = Settings { role: Role::Client, keep, message_bytes_max: MESSAGE_BYTES_MAX };
        let keeps = lane.keeps_messages;
        let connection = &mut self.connections[slot as usize];
        connection.sends(out.len());
        let Some(operation) = &mut connection.operation else { return };
        if !operation.retried {
            operation.timing.sent = now;
        }
        let deadline = operation.begun + timeout;
        connection.side = Some(Box::new(Side::new(opening, settings, operation.leaf, keeps)));
        self.sockets += 1;
        connection.state = State::Upgrading;
        self.recorder.bytes_sent(operation.leaf, out.len() as u64);
        connection.link.sending();
        submissions.send(connection.link.handle(slot), Payload::Owned(out));
        self.arm(slot, deadline, now);
    }

    /// Bytes that come before the WebSocket is open.
    pub(super) fn upgrading(
        &mut self,
        slot: u32,
        bytes: &[u8],
        now: Nanos,
        submissions: &mut impl Submissions,
    ) {
        let connection = &mut self.connections[slot as usize];
        let (Some(operation), Some(side)) = (&mut connection.operation, &mut connection.side)
        else {
            return;
        };
        let Some(opening) = side.opening.take() else { return };
        if bytes.is_empty() {
            let error = opening.end_of_stream();
            return self.fail(slot, error.failure(), now, submissions, || error.to_string());
        }
        if operation.received == 0 {
            operation.timing.first_byte = now;
        }
        operation.received += bytes.len() as u64;
        let mut input = bytes;
        match opening.receive_offered(&[], &mut input) {
            Ok(Opened::More(opening)) => side.opening = Some(opening),
            Ok(Opened::Accepted { .. }) => {
                operation.received -= input.len() as u64;
                self.opened(slot, now, submissions);
                if !input.is_empty() {
                    self.frames(slot, input, now, submissions);
                }
            }
            Ok(Opened::Refused { status }) => self.not_upgraded(slot, status, now, submissions),
            Err(error) => {
                self.fail(slot, error.failure(), now, submissions, || error.to_string());
            }
        }
    }

    /// The server answered with an ordinary reply; after a 401 it is asked once more.
    fn not_upgraded(
        &mut self,
        slot: u32,
        status: u16,
        now: Nanos,
        submissions: &mut impl Submissions,
    ) {
        let operation = self.connections[slot as usize].operation;
        if let (Some(operation), Some(index)) = (operation, self.seat_of(slot)) {
            self.user_refused(index, operation.leaf, status);
        }
        if let (Some(operation), Some(index)) = (operation, self.seat_of(slot))
            && status == UNAUTHORIZED
            && self.asks_again(index, &operation, now)
        {
            self.connections[slot as usize].operation = None;
            self.recorder.retry(operation.leaf, status, operation.received);
            self.recorder.count(Counter::RetriesUnauthorized);
            let again = Operation { retried: true, received: 0, ..operation };
            let seat = &mut self.seats[index as usize];
            (seat.parked, seat.waits, seat.awaits) = (Some(Box::new(again)), Waits::Ready, slot);
            return self.close(slot, submissions);
        }
        self.fail(slot, Failure::Status, now, submissions, || {
            format!("status {status} instead of 101")
        });
    }

    fn asks_again(&mut self, index: u32, operation: &Operation, now: Nanos) -> bool {
        let Errand::Open(socket) = operation.errand else { return false };
        if !self.plan.sockets[usize::from(socket)].needs_token() {
            return false;
        }
        let user = self.seats[index as usize].user;
        // Told whether or not it is asked again: nobody else is to use that token.
        let refused = self.refused(user, operation.generation, now);
        refused == Refused::Retry && !operation.retried
    }

    /// The WebSocket is open.
    fn opened(&mut self, slot: u32, now: Nanos, submissions: &mut impl Submissions) {
        let connection = &mut self.connections[slot as usize];
        let (Some(operation), Some(side)) = (connection.operation.take(), &mut connection.side)
        else {
            return;
        };
        side.opened_at = now;
        connection.state = State::Live;
        connection.deadline = Nanos::MAX;
        let timing = Timing { done: now, ..operation.timing };
        self.recorder.landed(now);
        self.recorder.reply(operation.leaf, &timing, SWITCHING, operation.received);
        self.recorder.ended(operation.leaf, End::Ok, now);
        self.record(&operation, Some(slot), End::Ok, SWITCHING, now);
        self.recorder.count(Counter::WsSessions);
        let Some(index) = self.seat_of(slot) else { return };
        let answer = (SWITCHING, timing.response());
        self.user_ended(index, operation.leaf, End::Ok, Some(answer));
        let seat = &mut self.seats[index as usize];
        if std::mem::replace(&mut seat.was_open, true) && self.workload(index).fleet.is_some() {
            self.recorder.count(Counter::WsReconnects);
        }
        self.seats[index as usize].due = now;
        if self.workload(index).fleet.is_some() {
            self.goes_live(index, now, submissions);
        } else {
            self.make_ready(index);
        }
    }

    /// A WebSocket could not be opened. Of a fleet, a session that never was open stays away: the
    /// run goes on with fewer. In a journey the next steps find none.
    pub(super) fn not_opened(&mut self, index: u32) {
        self.recorder.count(Counter::WsErrors);
        let is_fleet = self.workload(index).fleet.is_some();
        let seat = &mut self.seats[index as usize];
        if is_fleet && !seat.was_open {
            (seat.waits, seat.awaits, seat.pending) = (Waits::Over, NONE, None);
        }
    }

    /// An open WebSocket has broken: what was awaited on it has failed. A fleet's session opens
    /// another one after a pause.
    pub(super) fn socket_broke(&mut self, slot: u32, failure: Failure, now: Nanos, text: &str) {
        let state = self.state(slot);
        self.fail_awaited(slot, failure, now, text);
        let Some(index) = self.seat_of(slot) else { return };
        if state == State::Live {
            self.recorder.count(Counter::WsErrors);
            self.recorder.sample(failure, || format!("an open WebSocket: {text}"));
            self.session_ended(slot, now);
        }
        self.lost(index, slot, now);
    }

    /// The session has lost its WebSocket. A fleet's opens another one after a pause, which grows
    /// as long as none of them lives for a second; a journey's step has its answer, or none.
    fn lost(&mut self, index: u32, slot: u32, now: Nanos) {
        let connection = &mut self.connections[slot as usize];
        let opened = connection.side.as_ref().map_or(now, |side| side.opened_at);
        if now.since(opened) >= BACK_OFF_LONGEST {
            connection.failures = 0;
        }
        connection.failures = connection.failures.saturating_add(1);
        let failures = connection.failures;
        connection.not_before = now + pause(failures, true, self.plan.seed, slot, now);
        let seat = &mut self.seats[index as usize];
        match seat.waits {
            Waits::Live => {
                (seat.waits, seat.awaits, seat.pending) = (Waits::Ready, slot, None);
                (seat.due, seat.timer) = (now, Nanos::MAX);
            }
            Waits::Answer => {
                seat.due = now;
                self.make_ready(index);
            }
            _ => {}
        }
    }

    fn session_ended(&mut self, slot: u32, now: Nanos) {
        if let Some(side) = &self.connections[slot as usize].side {
            let span = now.since(side.opened_at);
            self.recorder.timed(Timed::WS_SESSION, span);
        }
    }

    /// The peer's close frame: it is answered, and the end of the stream awaited.
    pub(super) fn peer_closes(
        &mut self,
        slot: u32,
        code: Option<CloseCode>,
        now: Nanos,
        submissions: &mut impl Submissions,
    ) {
        if self.state(slot) != State::Live {
            return;
        }
        let number = code.map(CloseCode::number);
        let clean = matches!(number, Some(NORMAL | GOING_AWAY) | None);
        let text = match number {
            Some(number) => format!("closed by the peer with code {number}"),
            None => "closed by the peer without a code".to_owned(),
        };
        self.fail_awaited(slot, Failure::WsClose, now, &text);
        self.session_ended(slot, now);
        if !clean {
            self.recorder.count(Counter::WsErrors);
            self.recorder.sample(Failure::WsClose, || format!("an open WebSocket: {text}"));
        }
        self.send_close(slot, code, now, submissions);
        if let Some(index) = self.seat_of(slot) {
            self.lost(index, slot, now);
        }
    }

    /// Closes our side, and awaits the peer's.
    fn send_close(
        &mut self,
        slot: u32,
        code: Option<CloseCode>,
        now: Nanos,
        submissions: &mut impl Submissions,
    ) {
        let key = self.mask();
        let connection = &mut self.connections[slot as usize];
        let Some(side) = &mut connection.side else { return };
        side.frames.close(code, "", Some(key), &mut side.out);
        connection.state = State::Farewell;
        self.arm(slot, now + FAREWELL, now);
        self.flush(slot, now, submissions);
    }

    /// A session's WebSockets are closed, as soon as nothing is awaited on them.
    pub(super) fn say_farewell(
        &mut self,
        index: u32,
        now: Nanos,
        submissions: &mut impl Submissions,
    ) {
        for slot in self.slots_of(index) {
            self.part(slot, NORMAL, now, submissions);
        }
    }

    /// Closes an open WebSocket on which nothing is awaited.
    pub(super) fn part(
        &mut self,
        slot: u32,
        code: u16,
        now: Nanos,
        submissions: &mut impl Submissions,
    ) {
        let connection = &self.connections[slot as usize];
        let idle = connection.side.as_ref().is_some_and(|side| side.awaited.is_empty());
        if connection.state == State::Live && idle {
            self.session_ended(slot, now);
            self.send_close(slot, CloseCode::new(code), now, submissions);
        }
    }

    /// A step that closes the WebSocket: whether the session waits for that.
    pub(super) fn hang_up(
        &mut self,
        index: u32,
        code: u16,
        now: Nanos,
        submissions: &mut impl Submissions,
    ) -> bool {
        let Some(slot) = self.live_slot(index) else { return false };
        self.part(slot, code, now, submissions);
        let seat = &mut self.seats[index as usize];
        (seat.waits, seat.awaits, seat.due) = (Waits::Ready, slot, now);
        true
    }

    /// The slots of a seat.
    pub(super) fn slots_of(&self, index: u32) -> std::ops::Range<u32> {
        let channels = super::len(&self.workload(index).channels);
        let first = self.seats[index as usize].first_slot;
        first..first + channels
    }

    /// The slot of the seat's open WebSocket.
    pub(super) fn live_slot(&self, index: u32) -> Option<u32> {
        self.slots_of(index).find(|slot| self.state(*slot) == State::Live)
    }

    /// A fresh key for a frame (RFC 6455 section 5.3).
    pub(super) const fn mask(&mut self) -> Key {
        let bits = self.keys.next_u64().to_le_bytes();
        Key([bits[0], bits[1], bits[2], bits[3]])
    }
}

/// Codes of a normal end (RFC 6455 section 7.4.1).
const NORMAL: u16 = 1_000;
const GOING_AWAY: u16 = 1_001;
