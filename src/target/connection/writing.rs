//! Replies go out: queued, sent one at a time, and finished where the kernel took only a part.

use std::mem;

use super::super::common::Common;
use super::super::counters::NONE;
use super::super::exchange::{Exchange, write_refusal};
use super::super::exposition::exposition;
use super::super::misbehave::Lie;
use super::super::payloads::Canned;
use super::super::reply::Progress;
use super::super::routes::Route;
use super::pending::{Flight, Pending};
use super::{Connection, Phase, Turn};
use crate::net::{Errno, Payload, Submissions};
use crate::stdx::Nanos;

impl Connection {
    /// Queues a reply.
    pub(super) fn reply<S: Submissions>(&mut self, exchange: Exchange, turn: &mut Turn<'_, S>) {
        turn.common.note(&exchange, turn.now);
        if exchange.lie == Some(Lie::Close) {
            turn.common.counters.own().reply(exchange.path, NONE);
            self.phase = Phase::Ending;
            return;
        }
        if exchange.is_plain_health() {
            let Common { payloads, spare, counters, .. } = &mut *turn.common;
            counters.own().reply(exchange.path, 200);
            self.pending.push(Canned::Health, payloads, spare);
            return;
        }
        if exchange.route.is_socket() && !exchange.lie.is_some_and(Lie::refuses) {
            return self.upgrade(exchange, turn);
        }
        let asked = match exchange.route.takes_body() {
            true => self.slow.as_mut().map(|slow| mem::take(&mut slow.body)),
            false => None,
        };
        let asked = asked.unwrap_or_default();
        let is_true = !exchange.lie.is_some_and(Lie::refuses);
        match exchange.route {
            route if is_true && route.is_for_desk() => self.answer_at_desk(exchange, &asked, turn),
            Route::Count if is_true => {
                let counts = turn.common.counters.totals().to_json();
                self.write(exchange, counts.as_bytes(), turn);
            }
            Route::Metrics if is_true => {
                let page = exposition(&turn.common.counters.totals());
                self.write(exchange, page.as_bytes(), turn);
            }
            _ => self.write(exchange, &asked, turn),
        }
        turn.common.spare.give(asked);
    }

    /// Carries out what is asked of accounts and tasks, and queues the answer.
    pub(super) fn answer_at_desk<S>(
        &mut self,
        mut exchange: Exchange,
        body: &[u8],
        turn: &mut Turn<'_, S>,
    ) {
        let admission = self.slow.as_ref().map(|slow| slow.admission).unwrap_or_default();
        let mut text = mem::take(&mut turn.common.text);
        text.clear();
        let (desk, around) = turn.common.desk(turn.now);
        exchange.given = desk.answer(exchange.route, &admission, body, &around, &mut text);
        self.write(exchange, text.as_bytes(), turn);
        turn.common.text = text;
    }

    /// Queues a reply whose content is known.
    fn write<S>(&mut self, exchange: Exchange, body: &[u8], turn: &mut Turn<'_, S>) {
        let Common { payloads, spare, counters, .. } = &mut *turn.common;
        let garbage = exchange.lie == Some(Lie::Corrupt);
        let status = if garbage { NONE } else { exchange.status() };
        counters.own().reply(exchange.path, status);
        let stream = exchange.write(body, payloads, self.pending.owned(payloads, spare));
        self.phase = match stream {
            Some(stream) => {
                self.slow().stream = stream;
                Phase::Streaming
            }
            None if exchange.is_last() => Phase::Ending,
            None => Phase::Free,
        };
    }

    /// Refuses a request that is malformed or too large.
    pub(super) fn refuse<S>(&mut self, status: u16, turn: &mut Turn<'_, S>) {
        turn.common.counters.own().refused();
        self.end_with(status, turn);
    }

    /// Queues the reply that ends the connection for the client's fault.
    pub(super) fn end_with<S>(&mut self, status: u16, turn: &mut Turn<'_, S>) {
        let Common { payloads, spare, .. } = &mut *turn.common;
        write_refusal(status, self.pending.owned(payloads, spare));
        self.head_since = Nanos::MAX;
        self.phase = Phase::Ending;
    }

    /// Sends what is queued, if nothing is in flight.
    pub(super) fn flush<S: Submissions>(&mut self, turn: &mut Turn<'_, S>) {
        if self.link.is_sending() || self.link.is_closing() || self.haunted {
            return;
        }
        if self.phase == Phase::Streaming && self.pending.is_empty() {
            self.next_piece(turn);
        }
        match mem::take(&mut self.pending) {
            Pending::Nothing => {}
            Pending::Canned(which) => {
                let shared = turn.common.payloads.shared(which);
                self.send(Payload::Shared(shared), Flight::Canned(which), turn);
            }
            Pending::Owned(bytes) => self.send(Payload::Owned(bytes), Flight::Owned, turn),
        }
    }

    fn next_piece<S>(&mut self, turn: &mut Turn<'_, S>) {
        let Some(slow) = self.slow.as_mut() else { return };
        if let Some(which) = slow.stream.canned() {
            self.pending = Pending::Canned(which);
            return;
        }
        let mut piece = turn.common.spare.take();
        if slow.stream.fill(&turn.common.payloads, &mut piece) == Progress::Done {
            self.phase = if slow.stream.last { Phase::Ending } else { Phase::Free };
        }
        self.pending = Pending::Owned(piece);
    }

    fn send<S: Submissions>(&mut self, payload: Payload, flight: Flight, turn: &mut Turn<'_, S>) {
        self.flight = flight;
        self.link.sending();
        turn.submissions.send(self.link.handle(turn.slot), payload);
    }

    /// A send ended: sends what the kernel did not take.
    pub(super) fn sent<S: Submissions>(
        &mut self,
        result: Result<u32, Errno>,
        buffer: Option<Vec<u8>>,
        turn: &mut Turn<'_, S>,
    ) {
        self.link.sent();
        let flight = mem::take(&mut self.flight);
        let taken = result.map_or(0, |taken| usize::try_from(taken).unwrap_or(usize::MAX));
        if self.link.is_closing() || taken == 0 {
            // Nothing taken is an error, too: trying again could go on for ever.
            turn.common.spare.give(buffer.unwrap_or_default());
            return self.close(turn);
        }
        let rest = match (flight, buffer) {
            (Flight::Owned, Some(mut bytes)) => {
                bytes.drain(..taken.min(bytes.len()));
                bytes
            }
            (Flight::Canned(which), _) => {
                let Common { payloads, spare, .. } = &mut *turn.common;
                match payloads.bytes(which).get(taken..) {
                    None | Some([]) => return,
                    Some(left) => {
                        let mut rest = spare.take();
                        rest.extend_from_slice(left);
                        rest
                    }
                }
            }
            // A ring that loses an owned buffer breaks the contract; there is nothing to resend.
            (Flight::Owned | Flight::Nothing, _) => return,
        };
        if rest.is_empty() {
            turn.common.spare.give(rest);
        } else {
            self.send(Payload::Owned(rest), Flight::Owned, turn);
        }
    }
}
