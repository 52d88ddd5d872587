//! Replies to requests: judged, what they give is kept, and the operation ends.

use super::super::connection::{Errand, Operation, State};
use super::super::limits::BODY_KEPT;
use super::super::seat::{NONE, Seat, Waits};
use super::Shard;
use crate::metrics::recorder::End;
use crate::metrics::{Counter, LeafId};
use crate::net::Submissions;
use crate::plan::{Save, Saved};
use crate::protocol::http::{ExchangeError, Progress, Reply, Reuse};
use crate::protocol::{Failure, Timing};
use crate::session::judge::{Reply as Seen, Scratch};
use crate::session::{Judgement, Pools, Refused, Speaker, extract, judge};
use crate::stdx::Nanos;

/// What a token that is not taken is answered with (RFC 9110 section 15.5.2).
pub(super) const UNAUTHORIZED: u16 = 401;
const CREATED: u16 = 201;

impl Shard {
    /// Bytes of a reply: the exchange counts them, and keeps the body if something reads it.
    pub(super) fn feed(&mut self, slot: u32, bytes: &[u8]) -> Result<Progress, ExchangeError> {
        let connection = &mut self.connections[slot as usize];
        let reads = match connection.operation.map(|operation| operation.errand) {
            Some(Errand::Http(request)) => self.requests[usize::from(request)].reads_body,
            Some(Errand::Call(_)) => true,
            Some(Errand::Open(_)) | None => false,
        };
        let Some(body) = self.bodies.get_mut(slot as usize).filter(|_| reads) else {
            return connection.exchange.receive(bytes);
        };
        connection.exchange.receive_with(bytes, &mut |data| {
            let room = BODY_KEPT - body.len().min(BODY_KEPT);
            body.extend_from_slice(data.get(..room).unwrap_or(data));
        })
    }

    /// Whether the body of the reply may be thrown away in the kernel.
    pub(super) fn discardable(&self, slot: u32) -> u64 {
        let connection = &self.connections[slot as usize];
        match connection.operation.map(|operation| operation.errand) {
            Some(Errand::Http(request)) if self.requests[usize::from(request)].reads_body => 0,
            Some(Errand::Call(_) | Errand::Open(_)) => 0,
            Some(Errand::Http(_)) | None => connection.exchange.discardable(),
        }
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
        connection.failures = 0;
        connection.listening.replied();
        let asked = match operation.errand {
            Errand::Http(request) => {
                self.end_request(slot, usize::from(request), operation, reply, now);
                self.requests[usize::from(request)].reuse
            }
            Errand::Call(kind) => {
                let body = std::mem::take(&mut self.bodies[slot as usize]);
                self.call_answered(slot, kind, operation.begun, reply.status, &body, now);
                self.keep_room(slot, body);
                self.requests[self.request_of_call(kind)].reuse
            }
            Errand::Open(_) => Reuse::Close,
        };
        let connection = &mut self.connections[slot as usize];
        if reply.reuse == Reuse::Close || asked == Reuse::Close {
            self.close(slot, submissions);
        } else if connection.link.is_sending() {
            connection.state = State::Settling;
        } else {
            self.settled(slot, now, submissions);
        }
    }

    fn keep_room(&mut self, slot: u32, mut body: Vec<u8>) {
        body.clear();
        if body.capacity() <= BODY_ROOM {
            self.bodies[slot as usize] = body;
        }
    }

    /// An operation of the load has its reply.
    fn end_request(
        &mut self,
        slot: u32,
        request: usize,
        operation: Operation,
        reply: &Reply,
        now: Nanos,
    ) {
        let Some(index) = self.seat_of(slot) else { return };
        let own = &self.requests[request];
        if reply.status == UNAUTHORIZED
            && own.needs_token
            && !self.plan.requests[request].expect.takes(UNAUTHORIZED)
            && self.try_again(index, slot, operation, reply, now)
        {
            return;
        }
        let timing = Timing { done: now, ..operation.timing };
        self.recorder.landed(now);
        self.recorder.reply(operation.leaf, &timing, reply.status, operation.received);
        let plain = self.requests[request].plain;
        let end = if plain && reply.status < LEAST_FAILING {
            End::Ok
        } else {
            self.judge_reply(index, slot, request, &operation, reply, timing.response(), now)
        };
        self.recorder.ended(operation.leaf, end, now);
        self.record(&operation, Some(slot), end, reply.status, now);
        self.user_ended(index, operation.leaf, end, Some((reply.status, timing.response())));
        self.operation_ended(index, slot, now);
    }

    /// A 401: the request is sent once more, with another token.
    fn try_again(
        &mut self,
        index: u32,
        slot: u32,
        operation: Operation,
        reply: &Reply,
        now: Nanos,
    ) -> bool {
        let user = self.seats[index as usize].user;
        let refused = self.refused(user, operation.generation, now);
        if operation.retried || refused == Refused::Fail {
            return false;
        }
        self.recorder.retry(operation.leaf, reply.status, operation.received);
        self.user_refused(index, operation.leaf, reply.status);
        self.recorder.count(Counter::RetriesUnauthorized);
        let again = Operation { retried: true, received: 0, ..operation };
        if let Some(body) = self.bodies.get_mut(slot as usize) {
            body.clear();
        }
        let seat = &mut self.seats[index as usize];
        (seat.parked, seat.waits, seat.awaits) = (Some(Box::new(again)), Waits::Ready, slot);
        true
    }

    /// What is asked of the reply, and what is kept of it.
    #[expect(clippy::too_many_arguments, reason = "what a reply is")]
    fn judge_reply(
        &mut self,
        index: u32,
        slot: u32,
        request: usize,
        operation: &Operation,
        reply: &Reply,
        took: Nanos,
        now: Nanos,
    ) -> End {
        let mut body = self.bodies.get_mut(slot as usize).map(std::mem::take).unwrap_or_default();
        let seen = Seen { status: Some(reply.status), body: &body, took };
        let judgement = self.judge(index, Asked::Request(request), seen, now);
        if judgement == Judgement::Ok {
            self.keep(index, request, reply.status, &body, now);
        }
        body.clear();
        if let Some(place) = self.bodies.get_mut(slot as usize)
            && body.capacity() <= BODY_ROOM
        {
            *place = body;
        }
        self.end_of(judgement, operation.leaf, reply.status)
    }

    /// Judges a reply or a message, and counts the checks.
    pub(super) fn judge(
        &mut self,
        index: u32,
        asked: Asked,
        seen: Seen<'_>,
        now: Nanos,
    ) -> Judgement {
        let mut judging = std::mem::take(&mut self.judging);
        let expect = match asked {
            Asked::Request(request) => &self.plan.requests[request].expect,
            Asked::Message(message) => &self.plan.messages[usize::from(message)].expect,
        };
        let speaker = self.speaker(index, now);
        let mut draw = self.seats[index as usize].mind.draw(self.plan.seed);
        let Judging { scratch, checks, .. } = &mut judging;
        let judgement = judge(expect, seen, &speaker, &mut draw, scratch, |check, held| {
            checks.push((check, held));
        });
        for (check, held) in checks.drain(..) {
            self.recorder.check(check, held);
        }
        self.judging = judging;
        judgement
    }

    pub(super) fn end_of(&mut self, judgement: Judgement, leaf: LeafId, status: u16) -> End {
        let Self { plan, recorder, .. } = self;
        let failure = match judgement {
            Judgement::Ok => return End::Ok,
            Judgement::Status => {
                let text = || format!("{}: status {status}", plan.name_of(leaf));
                recorder.sample(Failure::Status, text);
                Failure::Status
            }
            Judgement::Check { first } => {
                let name = plan.checks.get(usize::from(first)).map_or("", String::as_str);
                recorder.sample(Failure::Check, || format!("does not hold: {name}"));
                Failure::Check
            }
        };
        End::Failed(failure)
    }

    /// What is saved of a good reply, and what it created.
    fn keep(&mut self, index: u32, request: usize, status: u16, body: &[u8], now: Nanos) {
        let Self { plan, seats, pools, recorder, judging, .. } = self;
        let asked = &plan.requests[request];
        if asked.creates && status == CREATED {
            recorder.count(Counter::TasksCreated);
        }
        let seat = &mut seats[index as usize];
        let made_by = u16::try_from(request).unwrap_or(u16::MAX);
        save(&asked.saves, body, seat, pools, &mut judging.text, now, made_by);
    }

    /// The reply is complete and nothing is being sent: the connection takes the next operation,
    /// unless the peer would read that as the rest of a request that broke off.
    pub(super) fn settled(&mut self, slot: u32, now: Nanos, submissions: &mut impl Submissions) {
        let connection = &mut self.connections[slot as usize];
        if connection.unsent > 0 {
            return self.close(slot, submissions);
        }
        connection.state = State::Idle;
        connection.deadline = Nanos::MAX;
        connection.available = now;
        self.offer(slot);
    }

    /// Whoever speaks for a seat.
    pub(super) fn speaker(&self, seat: u32, now: Nanos) -> Speaker<'_> {
        let seat = &self.seats[seat as usize];
        let variables = seat.memory.as_deref().map(|memory| &memory.variables);
        Speaker {
            plan: &self.plan,
            user: user(seat.user),
            users: &self.users,
            variables: variables.unwrap_or(&self.nothing),
            pools: &self.pools,
            wall_ms: self.wall(now),
            sequence: None,
        }
    }
}

/// What a judgement is about.
#[derive(Clone, Copy, Debug)]
pub(super) enum Asked {
    /// A request, by index.
    Request(usize),
    /// A message, by index.
    Message(u16),
}

/// Memory that judging reuses.
#[derive(Debug, Default)]
pub(super) struct Judging {
    pub(super) scratch: Scratch,
    checks: Vec<(u16, bool)>,
    pub(super) text: String,
    pub(super) bytes: Vec<u8>,
}

/// A user's index, if there is one.
pub(super) fn user(index: u32) -> Option<u32> {
    (index != NONE).then_some(index)
}

/// Keeps what the saves say of a body.
pub(super) fn save(
    saves: &[Save],
    body: &[u8],
    seat: &mut Seat,
    pools: &mut Pools,
    text: &mut String,
    now: Nanos,
    made_by: u16,
) {
    for save in saves {
        let found = extract::first(body, &save.places);
        let Some(kept) = found.as_ref().and_then(|found| found.kept(text)) else { continue };
        match save.into {
            Saved::Pool(pool) => {
                pools.put(pool, user(seat.user), kept, now, made_by);
            }
            Saved::Variable(variable) => {
                if let Some(memory) = &mut seat.memory {
                    memory.variables.set(variable, kept);
                }
            }
        }
    }
}

/// The lowest status that counts as a failure where nothing is said.
const LEAST_FAILING: u16 = 400;

/// A body's buffer of up to so many bytes is kept for the next reply on its connection.
const BODY_ROOM: usize = 4_096;
