//! Requests for tokens: on connections of their own, off the measured path, with their own
//! metrics.

use std::collections::BTreeMap;

use super::super::connection::{Connection, Errand, Operation};
use super::super::seat::{NONE, Waits};
use super::answers::user;
use super::stages::Stage;
use super::{OwnRequest, Shard};
use crate::metrics::Counter;
use crate::net::Submissions;
use crate::plan::{Auth, Plan, Request, Timed};
use crate::protocol::{Failure, Timing};
use crate::session::tokens::Ended;
use crate::session::{
    Act, CallKind, CallOutcome, Draw, Need, News, Refused, Speaker, Tokens, Variables,
};
use crate::stdx::Nanos;

/// The connections for tokens, and who waits for one.
pub(super) struct Keeper {
    /// The first of its slots.
    pub(super) first_slot: u32,
    /// What each of its connections is at.
    calls: Vec<Option<(u32, CallKind)>>,
    /// Which target each of them is open to.
    targets: Vec<u16>,
    /// Connections that are at nothing.
    free: Vec<u32>,
    /// Connections that were given a call and could not begin it yet.
    held: Vec<u32>,
    /// Seats that wait, by user.
    waiters: BTreeMap<u32, Vec<u32>>,
    /// Where the requests for tokens are among the shard's, by kind.
    requests_at: usize,
    /// Whether the set-up has begun.
    begun: bool,
    /// Whether tokens are not given back: all is to end at once.
    forgets: bool,
    /// What the first call that failed was told.
    first_failure: Option<String>,
    logins: u64,
    ended: u64,
}

impl Keeper {
    /// The connections for tokens of a shard, if its plan has any.
    pub(super) fn of(shard: &mut Shard) -> Option<Self> {
        let plan = shard.plan.clone();
        let people = plan.people.as_ref()?;
        let auth = people.auth.as_ref()?;
        let first_slot = super::len(&shard.connections);
        let count = people.calls_at_once(plan.shards);
        shard.connections.extend((0..count).map(Connection::of));
        let requests_at = shard.requests.len();
        let requests = KINDS.map(|kind| OwnRequest::of(request(auth, kind)));
        shard.requests.extend(requests);
        Some(Self {
            first_slot,
            calls: vec![None; count as usize],
            targets: vec![u16::MAX; count as usize],
            free: (0..count).rev().collect(),
            held: Vec::new(),
            waiters: BTreeMap::new(),
            requests_at,
            begun: false,
            forgets: false,
            first_failure: None,
            logins: 0,
            ended: 0,
        })
    }
}

/// In the order of their discriminants.
const KINDS: [CallKind; 4] =
    [CallKind::Register, CallKind::Login, CallKind::Refresh, CallKind::Logout];

/// The request of a call; of one that the plan does not have, which is never made, the login's.
fn request(auth: &Auth, kind: CallKind) -> &Request {
    let call = match kind {
        CallKind::Register => auth.register.as_ref(),
        CallKind::Login => None,
        CallKind::Refresh => auth.refresh.as_ref(),
        CallKind::Logout => auth.logout.as_ref(),
    };
    &call.unwrap_or(&auth.login).request
}

fn auth(plan: &Plan) -> Option<&Auth> {
    plan.people.as_ref()?.auth.as_ref()
}

impl Shard {
    /// A request of the shard's: of the load, or for tokens.
    pub(super) fn plan_request(&self, index: usize) -> &Request {
        let Some(kind) = index.checked_sub(self.plan.requests.len()) else {
            return &self.plan.requests[index];
        };
        match (auth(&self.plan), KINDS.get(kind)) {
            (Some(auth), Some(kind)) => request(auth, *kind),
            _ => unreachable!("requests for tokens come with a plan that has them"),
        }
    }

    pub(super) fn request_of_call(&self, kind: CallKind) -> usize {
        self.keeper.as_ref().map_or(0, |keeper| keeper.requests_at) + kind as usize
    }

    pub(super) fn target_of_call(&self, slot: u32) -> u16 {
        let Some(keeper) = &self.keeper else { return 0 };
        let place = (slot - keeper.first_slot) as usize;
        match keeper.calls.get(place) {
            Some(Some((_, kind))) => self.plan_request(self.request_of_call(*kind)).target,
            Some(None) | None => 0,
        }
    }

    /// Whoever speaks in a call.
    pub(super) fn speaker_of_call(&self, slot: u32, now: Nanos) -> (Speaker<'_>, Draw) {
        let keeper = self.keeper.as_ref();
        let call = keeper.and_then(|keeper| keeper.calls[(slot - keeper.first_slot) as usize]);
        let index = call.map_or(NONE, |(user, _)| user);
        let nothing: &Variables = &self.nothing;
        let speaker = Speaker {
            plan: &self.plan,
            user: user(index),
            users: &self.users,
            variables: nothing,
            pools: &self.pools,
            wall_ms: self.wall(now),
            sequence: None,
        };
        (speaker, Draw::new(self.plan.seed, u64::from(index), now.0))
    }

    /// Registers and logs in, until that is done.
    pub(super) fn set_up(&mut self, now: Nanos, submissions: &mut impl Submissions) {
        let (Some(keeper), Some(tokens)) = (&mut self.keeper, self.users.tokens_mut()) else {
            self.stage = self.stage_ahead();
            return;
        };
        if !std::mem::replace(&mut keeper.begun, true) {
            tokens.start_setup();
        }
        if tokens.setup_done() {
            self.stage = self.stage_ahead();
            if matches!(self.stage, Stage::Ahead { .. }) {
                self.open_ahead(now, submissions);
            }
        }
    }

    /// Calls of the set-up that have ended, and how many there are at least; none without users.
    #[must_use]
    pub fn set_up_progress(&self) -> Option<(u64, u64)> {
        let (keeper, auth) = (self.keeper.as_ref()?, auth(&self.plan)?);
        let shards = self.plan.shards.max(1);
        let ahead = auth.ahead.saturating_sub(self.id).div_ceil(shards).min(self.users.count());
        let first = auth.register_ahead.saturating_sub(self.id).div_ceil(shards);
        let registrations = if auth.register.is_some() { first.min(self.users.count()) } else { 0 };
        let all = u64::from(registrations) + u64::from(ahead);
        let done = if self.stage == Stage::SetUp { keeper.ended.min(all) } else { all };
        Some((done, all))
    }

    /// Why no user could log in, if some were to before the load.
    #[must_use]
    pub fn unable(&self) -> Option<String> {
        let keeper = self.keeper.as_ref()?;
        let ahead = auth(&self.plan)?.ahead;
        (ahead > 0 && keeper.logins == 0).then(|| keeper.first_failure.clone()).flatten()
    }

    /// Begins calls for tokens on connections that are free for them.
    pub(super) fn make_calls(&mut self, now: Nanos, submissions: &mut impl Submissions) {
        let Some(keeper) = &mut self.keeper else { return };
        let held = std::mem::take(&mut keeper.held);
        for place in held {
            self.try_call(place, now, submissions);
        }
        while let Some(keeper) = &mut self.keeper
            && let Some(tokens) = self.users.tokens_mut()
            && let Some(place) = keeper.free.pop()
        {
            let Some(call) = tokens.next_call(now) else {
                keeper.free.push(place);
                return;
            };
            keeper.calls[place as usize] = Some(call);
            self.try_call(place, now, submissions);
        }
    }

    /// Begins the call of a connection, if it can take it; else that is tried again.
    fn try_call(&mut self, place: u32, now: Nanos, submissions: &mut impl Submissions) {
        let Some(keeper) = &mut self.keeper else { return };
        let Some((_, kind)) = keeper.calls[place as usize] else { return };
        let slot = keeper.first_slot + place;
        let open_to = keeper.targets[place as usize];
        let target = self.target_of_call(slot);
        let connection = &self.connections[slot as usize];
        let is_idle = connection.state == super::State::Idle;
        if is_idle && open_to != target {
            self.close(slot, submissions);
        }
        if !self.is_available(slot) {
            if let Some(keeper) = &mut self.keeper {
                keeper.held.push(place);
            }
            return;
        }
        if let Some(keeper) = &mut self.keeper {
            keeper.targets[place as usize] = target;
        }
        let timing = Timing { intended: now, free: now, ..Timing::default() };
        let errand = Errand::Call(kind);
        let operation = Operation { errand, timing, begun: now, ..Operation::default() };
        self.carry(slot, operation, now, submissions);
    }

    /// A call has its reply.
    pub(super) fn call_answered(
        &mut self,
        slot: u32,
        kind: CallKind,
        begun: Nanos,
        status: u16,
        body: &[u8],
        now: Nanos,
    ) {
        self.recorder.timed(Timed::AUTH, now.since(begun));
        let request = self.plan_request(self.request_of_call(kind)).name.clone();
        let text = || format!("{} ({request}): status {status}", name(kind));
        self.call_ended(slot, kind, CallOutcome::Reply { status, body }, now, text);
    }

    /// A call ended without a reply.
    pub(super) fn call_failed(
        &mut self,
        slot: u32,
        kind: CallKind,
        failure: Failure,
        now: Nanos,
        text: &str,
    ) {
        let request = self.plan_request(self.request_of_call(kind)).name.clone();
        let text = || format!("{} ({request}): {text}", name(kind));
        self.call_ended(slot, kind, CallOutcome::Failed(failure), now, text);
    }

    fn call_ended(
        &mut self,
        slot: u32,
        kind: CallKind,
        outcome: CallOutcome<'_>,
        now: Nanos,
        text: impl FnOnce() -> String,
    ) {
        let wall = self.wall(now);
        let (Some(keeper), Some(tokens)) = (&mut self.keeper, self.users.tokens_mut()) else {
            return;
        };
        let place = slot - keeper.first_slot;
        let Some((user, _)) = keeper.calls[place as usize].take() else { return };
        keeper.free.push(place);
        keeper.ended += 1;
        let Ended { count, news, next_look } = tokens.ended(user, kind, outcome, now, wall);
        match count {
            Some(Counter::Logins) => keeper.logins += 1,
            Some(
                Counter::AuthFailures
                | Counter::RegistrationsFailed
                | Counter::TokenRefreshesFailed,
            ) if keeper.first_failure.is_none() => keeper.first_failure = Some(text()),
            _ => {}
        }
        if let Some(count) = count {
            self.recorder.count(count);
        }
        if let Some(at) = next_look.filter(|at| *at < Nanos::MAX) {
            self.wheel.insert(at, self.user_key(user));
        }
        if news != News::None {
            self.wake_waiters(user, now);
        }
    }

    /// It may be time to renew a user's token.
    pub(super) fn look_at_token(&mut self, user: u32, now: Nanos) {
        let Some(tokens) = self.users.tokens_mut() else { return };
        if let Some(at) = tokens.due(user, now) {
            self.wheel.insert(at, self.user_key(user));
        }
    }

    /// Those who wait for a user's token go on; if there is none, they find that out.
    fn wake_waiters(&mut self, user: u32, now: Nanos) {
        let Some(keeper) = &mut self.keeper else { return };
        for index in keeper.waiters.remove(&user).unwrap_or_default() {
            // One that gave up may sit here for another user meanwhile.
            let seat = &self.seats[index as usize];
            if seat.waits == Waits::Token && seat.user == user {
                self.go_on_with_token(index, now);
            }
        }
    }

    /// A session need not wait any longer. What a closed loop does next is due now: the token is
    /// no part of it.
    fn go_on_with_token(&mut self, index: u32, now: Nanos) {
        let is_open = self.lane(index).is_open();
        let seat = &mut self.seats[index as usize];
        (seat.timer, seat.free) = (Nanos::MAX, now);
        if !is_open && seat.parked.is_none() {
            seat.due = now;
        }
        self.make_ready(index);
    }

    /// What a user needs to be given a token.
    pub(super) fn token_of(&mut self, user: u32, now: Nanos) -> Need {
        match self.users.tokens_mut() {
            Some(tokens) => tokens.need(user, now),
            None => Need::Ready { generation: 0 },
        }
    }

    pub(super) fn refused(&mut self, user: u32, generation: u32, now: Nanos) -> Refused {
        let tokens = self.users.tokens_mut();
        tokens.map_or(Refused::Fail, |tokens| tokens.refused(user, generation, now))
    }

    /// The session waits for its user's token before it does `act`.
    pub(super) fn await_token(&mut self, index: u32, act: Act, user: u32, now: Nanos) {
        self.recorder.count(Counter::TokenWaits);
        let seat = &mut self.seats[index as usize];
        seat.pending = Some(act);
        let (due, lane) = (seat.due, seat.lane);
        let patience = self.patience(lane);
        let until = if patience < Nanos::MAX { due + patience + Nanos(1) } else { Nanos::MAX };
        self.await_again(index, user, until, now);
    }

    /// The session waits for its user's token, until then at most.
    pub(super) fn await_again(&mut self, index: u32, user: u32, until: Nanos, now: Nanos) {
        let seat = &mut self.seats[index as usize];
        (seat.waits, seat.awaits) = (Waits::Token, NONE);
        if let Some(keeper) = &mut self.keeper {
            keeper.waiters.entry(user).or_default().push(index);
        }
        if until < Nanos::MAX {
            self.wake_seat(index, until, now);
        }
    }

    /// No token comes before that moment: the session asks again then.
    pub(super) fn await_until(&mut self, index: u32, act: Act, until: Nanos, now: Nanos) {
        let seat = &mut self.seats[index as usize];
        (seat.waits, seat.awaits, seat.pending) = (Waits::Token, NONE, Some(act));
        let (due, lane) = (seat.due, seat.lane);
        let patience = self.patience(lane);
        let last = if patience < Nanos::MAX { due + patience + Nanos(1) } else { Nanos::MAX };
        let at = until.min(last);
        if at < Nanos::MAX {
            self.wake_seat(index, at, now);
        }
    }

    /// A session that waits for a token has waited long enough: it asks again, or, in the open
    /// model and out of patience, drops what it was to do.
    pub(super) fn tired_of_waiting(
        &mut self,
        index: u32,
        now: Nanos,
        submissions: &mut impl Submissions,
    ) {
        let seat = &self.seats[index as usize];
        let (due, lane, parked) = (seat.due, seat.lane, seat.parked.is_some());
        if !parked && seat.scheduled && now.since(due) > self.patience(lane) {
            self.drop_pending(index);
            self.seats[index as usize].forget();
            self.say_farewell(index, now, submissions);
            return self.free(index, NONE);
        }
        self.go_on_with_token(index, now);
    }

    /// What a session was to do, and waited for a token for, is dropped.
    pub(super) fn drop_pending(&mut self, index: u32) {
        let seat = &mut self.seats[index as usize];
        let due = seat.due;
        let leaf = match seat.pending.take() {
            Some(Act::Http(request)) => self.plan.requests[usize::from(request)].leaf,
            Some(Act::Open(socket)) => self.plan.sockets[usize::from(socket)].leaf,
            _ => return,
        };
        if std::mem::take(&mut self.seats[index as usize].scheduled) {
            let phase = self.phase(index, due.since(self.start));
            self.recorder.dropped(self.plan.leaf(phase, leaf));
        }
    }

    /// Begins to give tokens back: whether there is anything to wait for.
    pub(super) fn start_logout(&mut self) -> bool {
        let (Some(keeper), Some(tokens)) = (&self.keeper, self.users.tokens_mut()) else {
            return false;
        };
        if keeper.forgets || !keeper.begun {
            return false;
        }
        tokens.start_logout();
        !tokens.logouts_done()
    }

    pub(super) fn logouts_done(&self) -> bool {
        self.users.tokens().is_none_or(Tokens::logouts_done)
    }

    /// Tokens are not given back: all is to end at once.
    pub(super) fn forget_tokens(&mut self) {
        if let Some(keeper) = &mut self.keeper {
            keeper.forgets = true;
        }
        if matches!(self.stage, Stage::Leaving { .. }) {
            self.stage = Stage::Done;
        }
    }
}

/// As people call a call.
const fn name(kind: CallKind) -> &'static str {
    match kind {
        CallKind::Register => "registration",
        CallKind::Login => "login",
        CallKind::Refresh => "renewal of a token",
        CallKind::Logout => "logout",
    }
}
