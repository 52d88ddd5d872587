//! Requests come in: read while there is a place for their replies, else kept as they are.

use std::mem;

use super::super::common::Timer;
use super::super::desk::Admission;
use super::super::exchange::Exchange;
use super::super::journal::id_of;
use super::super::limits::{BACKLOG_MAX, BACKLOG_PAUSE, ECHO_MAX, HEAD_PATIENCE, OUT_MAX};
use super::super::payloads::Canned;
use super::super::routes::{Path, Route};
use super::upgrade::Wish;
use super::{Connection, Phase, Turn};
use crate::net::Submissions;
use crate::protocol::http::server::{Event as Read, Framing, Request};
use crate::stdx::Nanos;

impl Connection {
    pub(super) fn received<S: Submissions>(&mut self, bytes: &[u8], turn: &mut Turn<'_, S>) {
        if self.link.is_closing() || self.phase == Phase::Ending {
            return;
        }
        if bytes.is_empty() {
            self.ended = true;
            return;
        }
        let unread = self.backlog_len();
        let taken = if unread == 0 { self.read(bytes, turn) } else { 0 };
        let Some(rest) = bytes.get(taken..).filter(|rest| !rest.is_empty()) else { return };
        if unread + rest.len() > BACKLOG_MAX {
            turn.common.counters.own().overrun();
            return self.close(turn);
        }
        let slow = self.slow();
        if slow.backlog.capacity() == 0 {
            slow.backlog = turn.common.spare.take();
        }
        slow.backlog.extend_from_slice(rest);
        if self.backlog_len() >= BACKLOG_PAUSE && self.link.is_receiving() && !self.stopping {
            self.stopping = true;
            turn.submissions.stop_receiving(self.link.handle(turn.slot));
        }
    }

    /// Reads requests until the input is used up, or one has no place for its reply. Gives the
    /// number of bytes taken.
    fn read<S: Submissions>(&mut self, input: &[u8], turn: &mut Turn<'_, S>) -> usize {
        let mut rest = input;
        while !self.is_busy() {
            if self.socket.is_some() {
                return input.len() - rest.len() + self.hear(rest, turn);
            }
            let step = match self.serving.receive(rest) {
                Ok(step) => step,
                Err(fault) => {
                    self.refuse(fault.status(), turn);
                    return input.len();
                }
            };
            rest = rest.get(step.taken..).unwrap_or_default();
            match step.event {
                None => break,
                Some(Read::Request(request)) => {
                    let mut asked = Asked::of(&request, rest.is_empty(), turn);
                    asked.exchange.arrived = self.head_since.min(turn.now);
                    if turn.common.journal.is_some() {
                        asked.exchange.id = id_of(request.raw);
                    }
                    self.head_since = Nanos::MAX;
                    self.asked(asked, turn);
                }
                Some(Read::Body(piece)) => self.body(piece, turn),
                Some(Read::End) => self.answer(self.exchange(), turn),
            }
        }
        self.watch(turn);
        input.len() - rest.len()
    }

    /// A head is whole.
    fn asked<S: Submissions>(&mut self, asked: Asked, turn: &mut Turn<'_, S>) {
        match asked.more {
            More::Nothing => {}
            More::Admission(admission) => self.slow().admission = admission,
            More::Wish(wish) => self.slow().wish = wish,
        }
        match asked.framing {
            Framing::None => self.answer(asked.exchange, turn),
            Framing::Length(length)
                if asked.exchange.route.takes_body() && length > ECHO_MAX as u64 =>
            {
                self.refuse(413, turn);
            }
            Framing::Length(_) | Framing::Chunked => {
                self.slow().exchange = asked.exchange;
                if asked.waits {
                    let common = &mut *turn.common;
                    self.pending.push(Canned::Continue, &common.payloads, &mut common.spare);
                }
            }
        }
    }

    /// A piece of a body came: kept if it is needed, else counted by the protocol and let go.
    fn body<S: Submissions>(&mut self, piece: &[u8], turn: &mut Turn<'_, S>) {
        let slow = self.slow();
        if !slow.exchange.route.takes_body() {
            return;
        }
        if slow.body.len() + piece.len() > ECHO_MAX {
            return self.refuse(413, turn);
        }
        if slow.body.capacity() == 0 {
            slow.body = turn.common.spare.take();
        }
        slow.body.extend_from_slice(piece);
    }

    /// A request is whole: numbers it, and replies now or later.
    fn answer<S: Submissions>(&mut self, mut exchange: Exchange, turn: &mut Turn<'_, S>) {
        if exchange.path != Path::Count {
            let account = self.account(&exchange);
            exchange.lie = turn.common.number(exchange.path, account);
        }
        let answered = match exchange.route {
            Route::Delay(span) => Some((turn.now + span, span)),
            Route::Queue(mean) => turn.common.enqueue(mean, turn.now),
            _ => Some((turn.now, Nanos::ZERO)),
        };
        let Some((mut until, work)) = answered else {
            turn.common.counters.own().overrun();
            return self.close(turn);
        };
        exchange.work = work;
        until += exchange.lie.map_or(Nanos::ZERO, |lie| turn.common.lies.hold(lie));
        if until <= turn.now {
            return self.reply(exchange, turn);
        }
        if !turn.common.set(until, Timer::Hold(turn.slot)) {
            turn.common.counters.own().overrun();
            return self.close(turn);
        }
        let slow = self.slow();
        slow.exchange = exchange;
        slow.hold_until = until;
        self.phase = Phase::Held;
    }

    /// Whose request it is, where the target looks at tokens.
    fn account(&self, exchange: &Exchange) -> Option<u32> {
        let slow = self.slow.as_ref()?;
        match exchange.route {
            Route::Gateway => slow.wish.account(),
            route if route.needs_admission() => slow.admission.caller.map(|caller| caller.account),
            _ => None,
        }
    }

    /// Takes note of an unfinished head.
    pub(super) fn watch<S: Submissions>(&mut self, turn: &mut Turn<'_, S>) {
        if !self.serving.has_partial_head() || self.phase == Phase::Ending {
            return;
        }
        if self.head_since == Nanos::MAX {
            self.head_since = turn.now;
        }
        if !self.watched {
            self.watched = turn.common.set(self.head_since + HEAD_PATIENCE, Timer::Head(turn.slot));
            if !self.watched {
                turn.common.counters.own().overrun();
                self.close(turn);
            }
        }
    }

    pub(super) fn read_backlog<S: Submissions>(&mut self, turn: &mut Turn<'_, S>) {
        if self.backlog_len() == 0 || self.is_busy() {
            return;
        }
        let mut backlog = mem::take(&mut self.slow().backlog);
        let taken = self.read(&backlog, turn);
        if taken == backlog.len() {
            turn.common.spare.give(backlog);
            return;
        }
        backlog.drain(..taken);
        // After a close nothing will be read any more.
        if !self.link.is_closing() {
            self.slow().backlog = backlog;
        }
    }

    pub(super) fn backlog_len(&self) -> usize {
        self.slow.as_ref().map_or(0, |slow| slow.backlog.len())
    }

    fn exchange(&self) -> Exchange {
        self.slow.as_ref().map(|slow| slow.exchange).unwrap_or_default()
    }

    /// Whether no further request may be read now.
    pub(super) fn is_busy(&self) -> bool {
        self.phase != Phase::Free || self.pending.len() >= OUT_MAX
    }
}

/// A head, without its borrow of the input.
struct Asked {
    exchange: Exchange,
    framing: Framing,
    /// Whether the client sends its body only once it is told to.
    waits: bool,
    more: More,
}

/// What else some heads say.
enum More {
    Nothing,
    Admission(Admission),
    Wish(Wish),
}

impl Asked {
    /// A client whose body has begun to come waits no longer (RFC 9110 section 10.1.1).
    fn of<S>(request: &Request<'_>, body_is_absent: bool, turn: &mut Turn<'_, S>) -> Self {
        let exchange = Exchange::of(request);
        let more = if exchange.route.needs_admission() {
            let (desk, around) = turn.common.desk(turn.now);
            More::Admission(desk.admit(request, &around))
        } else if exchange.route.is_socket() {
            More::Wish(Wish::of(request, exchange.route, turn))
        } else {
            More::Nothing
        };
        let waits = request.expects_continue && body_is_absent;
        Self { exchange, framing: request.framing, waits, more }
    }
}
