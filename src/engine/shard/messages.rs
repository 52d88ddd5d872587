//! Messages on a session's WebSocket: sent, answered, overdue.

use std::collections::VecDeque;

use super::super::connection::{Operation, State};
use super::super::limits::{IDLE, OUT_BYTES};
use super::super::seat::{NONE, Waits};
use super::super::socket::{Awaited, Side};
use super::Shard;
use super::answers::{Asked, save};
use crate::metrics::recorder::End;
use crate::metrics::{Counter, LeafId};
use crate::net::{Payload, Submissions};
use crate::plan::socket::Sent;
use crate::plan::{Answer, Message, Place};
use crate::protocol::ws::{CloseCode, Control, Event, Kind, encode};
use crate::protocol::{Failure, Timing};
use crate::session::judge::{Reply as Seen, matches};
use crate::session::{Act, Judgement, Speaker, extract, render};
use crate::stdx::{Fnv, Nanos};

impl Shard {
    /// A step that sends or awaits a message: whether the session goes on at once.
    pub(super) fn converse(
        &mut self,
        index: u32,
        act: Act,
        message: u16,
        now: Nanos,
        submissions: &mut impl Submissions,
    ) -> bool {
        if self.is_off(index) {
            self.rest(index, now, submissions);
            return false;
        }
        if matches!(act, Act::Send(_)) && self.is_choked(index) {
            let seat = &mut self.seats[index as usize];
            (seat.pending, seat.waits, seat.awaits) = (Some(act), Waits::Thinking, NONE);
            self.wake_seat(index, now + IDLE, now);
            return false;
        }
        let due = self.seats[index as usize].due;
        let lane = usize::from(self.seats[index as usize].lane);
        if self.lanes[lane].take(&self.plan, due.since(self.start)).is_none() {
            self.retire(index, now, submissions);
            return false;
        }
        let awaits = match act {
            Act::Receive(_) => self.expect_message(index, message, due, now),
            _ => self.send_message(index, message, due, true, now, submissions),
        };
        let seat = &mut self.seats[index as usize];
        if awaits {
            seat.waits = Waits::Answer;
        } else {
            seat.due = now;
        }
        !awaits
    }

    /// Whether the peer has not taken what was sent to it: a step waits for that, as a program with
    /// a socket of its own would.
    fn is_choked(&self, index: u32) -> bool {
        let slot = self.live_slot(index);
        let side = slot.and_then(|slot| self.connections[slot as usize].side.as_ref());
        side.is_some_and(|side| side.out.len() >= OUT_BYTES)
    }

    /// Sends a message that was due at `due`: whether an answer is awaited now.
    pub(super) fn send_message(
        &mut self,
        index: u32,
        message: u16,
        due: Nanos,
        step: bool,
        now: Nanos,
        submissions: &mut impl Submissions,
    ) -> bool {
        let Some(slot) = self.live_slot(index) else {
            self.recorder.count(Counter::WsMsgsSkipped);
            return false;
        };
        let asked = &self.plan.messages[usize::from(message)];
        let leaf = self.plan.leaf(self.phase(index, due.since(self.start)), asked.leaf);
        self.recorder.scheduled(leaf);
        let awaits = !matches!(asked.answer, Answer::None);
        let side = self.connections[slot as usize].side.as_ref();
        let has_room =
            side.is_some_and(|side| (!awaits || side.has_room()) && side.out.len() < OUT_BYTES);
        if !has_room {
            self.recorder.dropped(leaf);
            return false;
        }
        self.recorder.begun(leaf);
        let serial = self.serial();
        let key = self.write_message(index, slot, message, serial, now);
        if !matches!(self.plan.messages[usize::from(message)].content, Some(Sent::Ping)) {
            self.recorder.count(Counter::WsMsgsSent);
        }
        if self.plan.messages[usize::from(message)].subscribes {
            self.recorder.count(Counter::Subscriptions);
        }
        if awaits {
            let timing = Timing { intended: due, free: due, ..Timing::default() };
            self.await_answer(slot, message, leaf, timing, serial, key, step, now);
        } else {
            self.recorder.ended(leaf, End::Ok, now);
            let timing = Timing { intended: due, free: due, sent: now, ..Timing::default() };
            self.record_message(leaf, timing, serial, End::Ok, None, now);
            self.user_ended(index, leaf, End::Ok, None);
        }
        self.flush(slot, now, submissions);
        awaits
    }

    #[expect(clippy::too_many_arguments, reason = "what is awaited")]
    fn await_answer(
        &mut self,
        slot: u32,
        message: u16,
        leaf: LeafId,
        timing: Timing,
        serial: u32,
        key: u64,
        step: bool,
        now: Nanos,
    ) {
        let deadline = now + self.plan.messages[usize::from(message)].timeout;
        let Some(side) = &mut self.connections[slot as usize].side else { return };
        let free = timing.free;
        side.awaited.push_back(Awaited { message, leaf, timing, serial, key, deadline, step });
        let deadline = side.deadline();
        self.recorder.took_off(free, now);
        self.arm(slot, deadline, now);
    }

    /// Appends the message's frame to what is to be sent; gives what tells its answer.
    fn write_message(
        &mut self,
        index: u32,
        slot: u32,
        message: u16,
        serial: u32,
        now: Nanos,
    ) -> u64 {
        let mask = self.mask();
        let mut bytes = std::mem::take(&mut self.judging.bytes);
        bytes.clear();
        let asked = &self.plan.messages[usize::from(message)];
        let key = match &asked.content {
            Some(Sent::Text(text)) => {
                let mut draw = self.seats[index as usize].mind.draw(self.plan.seed ^ now.0);
                let speaker =
                    Speaker { sequence: Some(self.number_of(serial)), ..self.speaker(index, now) };
                render(text, &speaker, &mut draw, &mut bytes);
                match &asked.answer {
                    Answer::Same(place) => key_at(&bytes, place).unwrap_or(0),
                    _ => 0,
                }
            }
            Some(Sent::Ping) => {
                let key = self.keys.next_u64();
                bytes.extend_from_slice(&key.to_le_bytes());
                key
            }
            None => 0,
        };
        let is_ping = matches!(asked.content, Some(Sent::Ping));
        self.begin_measures(index, slot, &bytes);
        if let Some(side) = &mut self.connections[slot as usize].side {
            if side.out.capacity() == 0 {
                side.out = self.spare.pop().unwrap_or_default();
                side.out.clear();
            }
            if is_ping {
                if let Some(payload) = Control::new(&bytes) {
                    encode::ping(&mut side.out, payload, Some(mask));
                }
            } else {
                encode::message(&mut side.out, Kind::Text, &bytes, Some(mask));
            }
        }
        self.judging.bytes = bytes;
        key
    }

    /// A step that awaits a message which is not asked for: whether it has not come yet.
    fn expect_message(&mut self, index: u32, message: u16, due: Nanos, now: Nanos) -> bool {
        let Some(slot) = self.live_slot(index) else {
            self.recorder.count(Counter::WsMsgsSkipped);
            return false;
        };
        let leaf = self.plan.messages[usize::from(message)].leaf;
        let leaf = self.plan.leaf(self.phase(index, due.since(self.start)), leaf);
        self.recorder.scheduled(leaf);
        self.recorder.begun(leaf);
        let timing = Timing { intended: due, free: due, sent: now, ..Timing::default() };
        let serial = self.serial();
        self.await_answer(slot, message, leaf, timing, serial, 0, true, now);
        let inbox = self.connections[slot as usize].side.as_mut();
        let inbox = inbox.map(|side| std::mem::take(&mut side.inbox)).unwrap_or_default();
        let mut rest = VecDeque::new();
        let mut found = false;
        for bytes in inbox {
            let fits = !found && self.fits(index, message, &bytes, now);
            if fits {
                let last = self.awaited(slot).saturating_sub(1);
                self.answer(slot, last, Some(&bytes), false, now);
                found = true;
            } else {
                rest.push_back(bytes);
            }
        }
        if let Some(side) = &mut self.connections[slot as usize].side {
            side.inbox = rest;
        }
        !found
    }

    fn awaited(&self, slot: u32) -> usize {
        self.connections[slot as usize].side.as_ref().map_or(0, |side| side.awaited.len())
    }

    fn fits(&mut self, index: u32, message: u16, bytes: &[u8], now: Nanos) -> bool {
        let mut judging = std::mem::take(&mut self.judging);
        let checks = &self.plan.messages[usize::from(message)].expect.json;
        let mut draw = self.seats[index as usize].mind.draw(self.plan.seed);
        let speaker = self.speaker(index, now);
        let fits = matches(checks, bytes, &speaker, &mut draw, &mut judging.scratch);
        self.judging = judging;
        fits
    }

    /// Sends what waits, unless a send is under way.
    pub(super) fn flush(&mut self, slot: u32, now: Nanos, submissions: &mut impl Submissions) {
        let connection = &mut self.connections[slot as usize];
        let Some(side) = &mut connection.side else { return };
        if connection.link.is_sending() || side.out.is_empty() || connection.link.is_closing() {
            return;
        }
        // An idle WebSocket holds no buffer: it gets one of those that have come back.
        let out = std::mem::take(&mut side.out);
        for awaited in &mut side.awaited {
            if awaited.timing.sent == Nanos::ZERO {
                // What waited for the send before it was blocked, not late.
                awaited.timing.free = awaited.timing.intended.max(connection.available);
                awaited.timing.sent = now;
                self.recorder.waited(awaited.timing.blocked());
            }
        }
        let leaf = side.leaf;
        connection.sends(out.len());
        self.recorder.bytes_sent(leaf, out.len() as u64);
        connection.link.sending();
        submissions.send(connection.link.handle(slot), Payload::Owned(out));
    }

    /// Bytes on an open WebSocket, or on one that is being closed.
    pub(super) fn frames(
        &mut self,
        slot: u32,
        bytes: &[u8],
        now: Nanos,
        submissions: &mut impl Submissions,
    ) {
        if bytes.is_empty() {
            return self.stream_ended(slot, now, submissions);
        }
        if let Some(side) = &self.connections[slot as usize].side {
            // Recorded first: what is heard may close the WebSocket.
            self.recorder.bytes_lost(side.leaf, bytes.len() as u64);
        }
        let mut scratch = std::mem::take(&mut self.scratch);
        let mut input = bytes;
        while let Some(side) = &mut self.connections[slot as usize].side {
            match side.frames.receive(&mut input, &mut scratch) {
                Ok(None) => break,
                Ok(Some(event)) => self.heard(slot, event, now, submissions),
                Err(error) => {
                    let code = error.close_code();
                    let failure = error.failure();
                    self.close_at_fault(slot, code, submissions);
                    self.fail(slot, failure, now, submissions, || error.to_string());
                    break;
                }
            }
        }
        self.scratch = scratch;
        self.flush(slot, now, submissions);
    }

    /// Tells a peer at fault why it is dropped, if nothing else is being sent.
    fn close_at_fault(
        &mut self,
        slot: u32,
        code: Option<CloseCode>,
        submissions: &mut impl Submissions,
    ) {
        let mask = self.mask();
        let connection = &mut self.connections[slot as usize];
        let Some(side) = &mut connection.side else { return };
        if connection.link.is_sending() {
            return;
        }
        let mut out = Vec::new();
        side.frames.close(code, "", Some(mask), &mut out);
        if !out.is_empty() {
            connection.sends(out.len());
            connection.link.sending();
            submissions.send(connection.link.handle(slot), Payload::Owned(out));
        }
    }

    fn stream_ended(&mut self, slot: u32, now: Nanos, submissions: &mut impl Submissions) {
        let Some(side) = &mut self.connections[slot as usize].side else { return };
        match side.frames.end_of_stream() {
            Ok(()) => self.close(slot, submissions),
            Err(error) if self.state(slot) == State::Live => {
                self.fail(slot, error.failure(), now, submissions, || error.to_string());
            }
            // We wanted it to end.
            Err(_) => self.close(slot, submissions),
        }
    }

    fn heard(
        &mut self,
        slot: u32,
        event: Event<'_>,
        now: Nanos,
        submissions: &mut impl Submissions,
    ) {
        match event {
            Event::Message { bytes, .. } => {
                self.recorder.count(Counter::WsMsgsReceived);
                self.end_measures(slot, bytes, now);
                self.message(slot, Some(bytes), now);
            }
            Event::Counted { .. } => {
                self.recorder.count(Counter::WsMsgsReceived);
                self.message(slot, None, now);
            }
            Event::Ping(payload) => {
                let mask = self.mask();
                if let Some(side) = &mut self.connections[slot as usize].side
                    && side.out.len() < OUT_BYTES
                {
                    encode::pong(&mut side.out, payload, Some(mask));
                }
            }
            Event::Pong(payload) => self.ponged(slot, payload.bytes(), now),
            Event::Close(close) => return self.peer_closes(slot, close.code, now, submissions),
        }
        self.part_if_over(slot, now, submissions);
    }

    /// A message: the answer to what was awaited, or to nothing.
    fn message(&mut self, slot: u32, bytes: Option<&[u8]>, now: Nanos) {
        let Some(index) = self.seat_of(slot) else { return };
        match self.answered_by(index, slot, bytes, now) {
            Some(place) => self.answer(slot, place, bytes, true, now),
            None => {
                self.recorder.count(Counter::WsMsgsUnasked);
                if let (Some(side), Some(bytes)) =
                    (&mut self.connections[slot as usize].side, bytes)
                {
                    side.keep(bytes);
                }
            }
        }
    }

    /// Which of the awaited answers a message is: the oldest that it fits.
    fn answered_by(
        &mut self,
        index: u32,
        slot: u32,
        bytes: Option<&[u8]>,
        now: Nanos,
    ) -> Option<usize> {
        // The last place looked at, with the key that stands there.
        let mut seen: Option<(u16, Option<u64>)> = None;
        for at in 0..self.awaited(slot) {
            let side = self.connections[slot as usize].side.as_ref()?;
            let Awaited { message, key, timing, .. } = *side.awaited.get(at)?;
            if timing.sent == Nanos::ZERO {
                // It waits for the send before it: nothing can be an answer to it yet.
                continue;
            }
            let asked: &Message = &self.plan.messages[usize::from(message)];
            let fits = match (&asked.answer, bytes) {
                (Answer::Next, _) => !matches!(asked.content, Some(Sent::Ping)),
                (Answer::Same(place), Some(bytes)) => {
                    let found = match seen {
                        Some((other, found)) if other == message => found,
                        _ => key_at(bytes, place),
                    };
                    seen = Some((message, found));
                    found == Some(key)
                }
                (Answer::Matching, Some(bytes)) => self.fits(index, message, bytes, now),
                (Answer::None | Answer::Same(_) | Answer::Matching, _) => false,
            };
            if fits {
                return Some(at);
            }
        }
        None
    }

    fn ponged(&mut self, slot: u32, payload: &[u8], now: Nanos) {
        let Some(side) = &self.connections[slot as usize].side else { return };
        let Ok(key) = payload.try_into().map(u64::from_le_bytes) else { return };
        let is_it = |awaited: &Awaited| {
            let content = &self.plan.messages[usize::from(awaited.message)].content;
            awaited.key == key && matches!(content, Some(Sent::Ping))
        };
        if let Some(place) = side.awaited.iter().position(is_it) {
            self.answer(slot, place, None, true, now);
        }
    }

    /// The answer at a place among the awaited is there; `goes_on` tells the session.
    fn answer(&mut self, slot: u32, place: usize, bytes: Option<&[u8]>, goes_on: bool, now: Nanos) {
        let Some(side) = &mut self.connections[slot as usize].side else { return };
        let Some(awaited) = side.awaited.remove(place) else { return };
        let deadline = side.deadline();
        self.connections[slot as usize].deadline = deadline;
        if deadline < Nanos::MAX {
            self.arm(slot, deadline, now);
        }
        let Some(index) = self.seat_of(slot) else { return };
        let timing = Timing { first_byte: now, done: now, ..awaited.timing };
        self.recorder.landed(now);
        self.recorder.answer(awaited.leaf, &timing);
        let seen = Seen { status: None, body: bytes.unwrap_or_default(), took: timing.response() };
        let judgement = self.judge(index, Asked::Message(awaited.message), seen, now);
        if let (Some(bytes), Judgement::Ok) = (bytes, judgement) {
            let Self { plan, seats, pools, judging, .. } = self;
            let saves = &plan.messages[usize::from(awaited.message)].saves;
            save(saves, bytes, &mut seats[index as usize], pools, &mut judging.text, now, u16::MAX);
        }
        let end = self.end_of(judgement, awaited.leaf, 0);
        self.recorder.ended(awaited.leaf, end, now);
        self.record_message(awaited.leaf, timing, awaited.serial, end, bytes, now);
        self.user_ended(index, awaited.leaf, end, Some((0, timing.response())));
        if awaited.step && goes_on {
            self.seats[index as usize].due = now;
            self.make_ready(index);
        }
    }

    /// A message has ended: kept if that is wanted. What it weighed on the wire is not known.
    fn record_message(
        &mut self,
        leaf: LeafId,
        timing: Timing,
        serial: u32,
        end: End,
        answer: Option<&[u8]>,
        now: Nanos,
    ) {
        let received = answer.map_or(0, <[u8]>::len) as u64;
        let operation = Operation { leaf, timing, serial, received, ..Operation::default() };
        self.record(&operation, None, end, 0, now);
    }

    /// Messages whose answers are overdue have failed.
    pub(super) fn answers_overdue(
        &mut self,
        slot: u32,
        now: Nanos,
        submissions: &mut impl Submissions,
    ) {
        while let Some(place) = self.overdue_message(slot, now) {
            self.fail_message(slot, place, Failure::TimeoutFirstByte, now, "no answer in time");
        }
        let deadline = self.connections[slot as usize].side.as_ref().map(|side| side.deadline());
        if let Some(deadline) = deadline.filter(|at| *at < Nanos::MAX) {
            self.arm(slot, deadline, now);
        }
        self.part_if_over(slot, now, submissions);
    }

    fn overdue_message(&self, slot: u32, now: Nanos) -> Option<usize> {
        let side = self.connections[slot as usize].side.as_ref()?;
        side.awaited.iter().position(|awaited| awaited.deadline <= now)
    }

    fn fail_message(&mut self, slot: u32, place: usize, failure: Failure, now: Nanos, text: &str) {
        let side: Option<&mut Box<Side>> = self.connections[slot as usize].side.as_mut();
        let Some(awaited) = side.and_then(|side| side.awaited.remove(place)) else { return };
        self.recorder.was_lost(awaited.timing.free, now);
        self.recorder.ended(awaited.leaf, End::Failed(failure), now);
        let Awaited { leaf, timing, serial, .. } = awaited;
        self.record_message(leaf, timing, serial, End::Failed(failure), None, now);
        let Self { plan, recorder, .. } = self;
        recorder.sample(failure, || format!("{}: {text}", plan.name_of(awaited.leaf)));
        let Some(index) = self.seat_of(slot) else { return };
        self.user_ended(index, awaited.leaf, End::Failed(failure), None);
        if awaited.step {
            self.seats[index as usize].due = now;
            self.make_ready(index);
        }
    }

    /// All that was awaited on a WebSocket has failed.
    pub(super) fn fail_awaited(&mut self, slot: u32, failure: Failure, now: Nanos, text: &str) {
        while self.awaited(slot) > 0 {
            self.fail_message(slot, 0, failure, now, text);
        }
    }

    /// All that was awaited is cut off, and the WebSocket closed at once.
    pub(super) fn abort_messages(
        &mut self,
        slot: u32,
        now: Nanos,
        submissions: &mut impl Submissions,
    ) {
        let Some(side) = &mut self.connections[slot as usize].side else { return };
        for awaited in std::mem::take(&mut side.awaited) {
            self.recorder.was_lost(awaited.timing.free, now);
            self.recorder.ended(awaited.leaf, End::Aborted, now);
            let Awaited { leaf, timing, serial, .. } = awaited;
            self.record_message(leaf, timing, serial, End::Aborted, None, now);
        }
        self.close(slot, submissions);
    }

    /// A session that is over parts when the last answer has come.
    fn part_if_over(&mut self, slot: u32, now: Nanos, submissions: &mut impl Submissions) {
        if self.seat_of(slot).is_some_and(|seat| self.seats[seat as usize].waits == Waits::Over) {
            self.part(slot, 1_000, now, submissions);
        }
    }
}

/// What tells an answer from others: the value at a place, hashed.
fn key_at(json: &[u8], place: &Place) -> Option<u64> {
    let found = extract::find(json, place)?;
    let mut hash = Fnv::new();
    hash.part(found.raw().as_bytes());
    Some(hash.value())
}
