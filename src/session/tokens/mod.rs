//! The life of tokens: who needs which call, one at a time for each user. A state machine.
//!
//! Takes: what operations need, how calls ended, `now`. Gives: the next call, and what its end
//! means for those who wait. Sends nothing and keeps no timer: a user that wants to be looked at
//! again says when.
//!
//! A user has a token or none, and one piece of work or none:
//!
//! | work    | need, token good      | need, no token                 | call ends        |
//! |---------|-----------------------|--------------------------------|------------------|
//! | idle    | ready; when it is     | queued, wait; barred while it  | –                |
//! |         | time, queued as well  | backs off                      |                  |
//! | queued  | ready                 | wait, before those with tokens | –                |
//! | calling | ready                 | wait                           | well: idle, good |
//!
//! A renewal that fails is queued for a login; a login that fails makes the user back off. Who is
//! not registered ahead is registered when it is needed first, and then logged in.
//!
//! Why so: no two calls for one user are ever under way, so a target that is slow gets no
//! stampede; a target that refuses everybody gets one call for each user and back-off.

mod life;
mod rules;

#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use super::Draw;
use super::limits::{BACK_OFF_FIRST, BACK_OFF_MOST, REFUSED_AT_ONCE};
use super::share::Share;
use crate::metrics::Counter;
use crate::plan::Auth;
use crate::protocol::Failure;
use crate::stdx::Nanos;
use life::{Lane, Life, Work};
use rules::{Rules, Took};

/// The requests in the life of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum CallKind {
    /// Creates the user.
    Register,
    /// Gives the tokens.
    Login,
    /// Renews the token.
    Refresh,
    /// Gives it back.
    Logout,
}

/// What an operation that needs a token has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Go on: [`Tokens::token`] is good.
    Ready {
        /// Which token that is, for [`Tokens::refused`].
        generation: u32,
    },
    /// Wait until [`Ended::news`] says that there is a token, or that there is none to come.
    Wait,
    /// Do not wait: there is no token, and none is asked for before this moment.
    Barred {
        /// The user asks again then, if it needs one.
        until: Nanos,
    },
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallOutcome<'a> {
    /// With a reply.
    Reply {
        /// Its status.
        status: u16,
        /// Its body, without transfer coding.
        body: &'a [u8],
    },
    /// Without one.
    Failed(Failure),
}

/// What the end of a call means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// What is to be counted.
    pub count: Option<Counter>,
    /// What those hear who wait for a token of the user.
    pub news: News,
    /// When [`Tokens::due`] is to be called for the user; instead of any earlier such moment.
    pub next_look: Option<Nanos>,
}

/// What those hear who wait for a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// Nothing yet.
    None,
    /// It is there.
    Token,
    /// None comes before this moment; they need not wait.
    Barred {
        /// The user asks again then, if it needs one.
        until: Nanos,
    },
}

/// What becomes of a request that was refused with status 401.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It is sent once more: [`Tokens::need`] says whether at once or with a token to come.
    Retry,
    /// It has failed: new tokens of this user are refused, too.
    Fail,
}

/// The tokens of one shard's users.
#[derive(Clone, Debug)]
pub struct Tokens {
    share: Share,
    seed: u64,
    rules: Rules,
    lives: Vec<Life>,
    /// Users for whom an operation waits.
    urgent: VecDeque<u32>,
    /// Users whose token is still good.
    calm: VecDeque<u32>,
    /// The next to be registered, to be logged in ahead and to be logged out, by place.
    cursors: Cursors,
    /// Calls under way, by kind.
    under_way: [u32; 4],
    /// Whether the load is over: no further logins.
    is_ending: bool,
}

#[derive(Clone, Copy, Debug)]
struct Cursors {
    register: u32,
    login: u32,
    logout: u32,
}

impl Tokens {
    /// Users without tokens.
    pub(super) fn new(auth: &Auth, share: Share, seed: u64) -> Self {
        let rules = Rules::new(auth, share);
        let life = |place| Life::of(place >= rules.register_ahead);
        let lives = (0..share.count).map(life).collect();
        let cursors = Cursors { register: share.count, login: rules.ahead, logout: share.count };
        let (urgent, calm) = (VecDeque::new(), VecDeque::new());
        let (under_way, is_ending) = ([0; 4], false);
        Self { share, seed, rules, lives, urgent, calm, cursors, under_way, is_ending }
    }

    /// The token of a user, as long as it was not refused; [`Tokens::need`] says whether it is
    /// good.
    #[must_use]
    pub fn token(&self, user: u32) -> Option<&str> {
        self.life(user).map(|life| &*life.access).filter(|token| !token.is_empty())
    }

    /// The refresh token of a user.
    #[must_use]
    pub fn refresh_token(&self, user: u32) -> Option<&str> {
        self.life(user).map(|life| &*life.refresh).filter(|token| !token.is_empty())
    }

    /// What an operation that needs a token of the user has to do.
    pub fn need(&mut self, user: u32, now: Nanos) -> Need {
        let Some((place, life)) = self.life_mut(user) else {
            return Need::Barred { until: Nanos::MAX };
        };
        if life.is_good(now) {
            let generation = life.generation;
            if life.wants_renewal(now) {
                self.queue(place, now);
            }
            return Need::Ready { generation };
        }
        if self.is_ending {
            return Need::Barred { until: Nanos::MAX };
        }
        let is_registered = self.cursors.register > place || place >= self.rules.register_ahead;
        let Some(life) = self.lives.get_mut(place as usize) else { return Need::Wait };
        match life.work {
            Work::Idle if now < life.barred_until => {
                return Need::Barred { until: life.barred_until };
            }
            Work::Idle if is_registered => self.queue(place, now),
            Work::Queued => self.hurry(place),
            Work::Idle | Work::Calling => {}
        }
        if let Some(life) = self.lives.get_mut(place as usize) {
            life.is_awaited = true;
        }
        Need::Wait
    }

    /// The call to be made next, which is under way from now on: those that operations wait for
    /// first, then renewals, then what belongs to the set-up or to the end. None if there is none
    /// at present.
    pub fn next_call(&mut self, now: Nanos) -> Option<(u32, CallKind)> {
        let (place, kind) = self.next_queued(now).or_else(|| self.next_of_cursors(now))?;
        self.lives.get_mut(place as usize)?.work = Work::Calling;
        self.under_way[kind as usize] += 1;
        Some((self.share.user(place), kind))
    }

    /// A call that [`Tokens::next_call`] gave has ended, at `now`, which is `wall_ms` since 1970.
    pub fn ended(
        &mut self,
        user: u32,
        kind: CallKind,
        outcome: CallOutcome<'_>,
        now: Nanos,
        wall_ms: u64,
    ) -> Ended {
        let nothing = Ended { count: None, news: News::None, next_look: None };
        let Some(place) = self.share.place(user) else { return nothing };
        self.under_way[kind as usize] = self.under_way[kind as usize].saturating_sub(1);
        let Some(life) = self.lives.get_mut(place as usize) else { return nothing };
        life.work = Work::Idle;
        let took = self.rules.take(life, kind, outcome, now, wall_ms);
        if kind == CallKind::Register {
            // Asked again would be told the same; whoever is not heard is asked again.
            life.is_new &= took == Took::Nothing && !is_refusal(outcome);
        }
        match (kind, took) {
            (CallKind::Register, Took::Nothing) if life.is_new => {
                Ended { count: Some(Counter::RegistrationsFailed), ..self.bar(place, now) }
            }
            (CallKind::Register, Took::Accepted { status }) => {
                let created = (200..300).contains(&status).then_some(Counter::UsersCreated);
                Ended { count: created, ..self.registered(place, now) }
            }
            (CallKind::Register, Took::Token) => {
                Ended { count: Some(Counter::UsersCreated), ..self.has_token(place) }
            }
            (CallKind::Register, Took::Nothing) => {
                Ended { count: Some(Counter::RegistrationsFailed), ..self.registered(place, now) }
            }
            (CallKind::Login, Took::Token) => {
                Ended { count: Some(Counter::Logins), ..self.has_token(place) }
            }
            (CallKind::Login, Took::Accepted { .. } | Took::Nothing) => {
                Ended { count: Some(Counter::AuthFailures), ..self.bar(place, now) }
            }
            (CallKind::Refresh, Took::Token) => {
                Ended { count: Some(Counter::TokenRefreshes), ..self.has_token(place) }
            }
            (CallKind::Refresh, Took::Accepted { .. } | Took::Nothing) => {
                life.refresh = Box::default();
                life.must_log_in = true;
                let count = Some(Counter::TokenRefreshesFailed);
                if self.is_ending {
                    return Ended { count, ..self.bar(place, now) };
                }
                self.queue(place, now);
                Ended { count, ..nothing }
            }
            (CallKind::Logout, took) => {
                life.forget();
                let count = (took != Took::Nothing).then_some(Counter::Logouts);
                Ended { count, ..nothing }
            }
        }
    }

    /// The moment has come that [`Ended::next_look`] named: renews the token if it is time. Gives
    /// the moment of the next look, if it was too early.
    pub fn due(&mut self, user: u32, now: Nanos) -> Option<Nanos> {
        let (place, life) = self.life_mut(user)?;
        if life.work != Work::Idle || life.access.is_empty() {
            return None;
        }
        let at = life.renew_at.max(life.barred_until);
        if now < at {
            return Some(at);
        }
        self.queue(place, now);
        None
    }

    /// A request that was sent with the token of this generation was refused with status 401.
    pub fn refused(&mut self, user: u32, generation: u32, now: Nanos) -> Refused {
        let is_ending = self.is_ending;
        let seed = self.seed;
        let Some((place, life)) = self.life_mut(user) else { return Refused::Fail };
        if generation != life.generation {
            return Refused::Retry;
        }
        if life.access.is_empty() {
            // Another request has told it already.
            let is_barred = life.work == Work::Idle && now < life.barred_until;
            return if is_barred { Refused::Fail } else { Refused::Retry };
        }
        let at_once = life.is_after_refusal && now.since(life.since) < REFUSED_AT_ONCE;
        life.access = Box::default();
        life.was_refused = true;
        if is_ending {
            return Refused::Fail;
        }
        if at_once {
            let turn = u64::from(life.generation);
            life.strikes = life.strikes.saturating_add(1);
            life.must_log_in = true;
            if life.work == Work::Queued {
                // Its token was good until now, so nobody waits for another.
                life.work = Work::Idle;
            }
            life.barred_until = now + back_off(life.strikes, seed, user, turn);
            return Refused::Fail;
        }
        life.strikes = 0;
        if life.work == Work::Idle && now >= life.barred_until {
            self.queue(place, now);
        }
        Refused::Retry
    }

    /// Begins the set-up: registers the users that the plan registers ahead, then logs in those
    /// who are logged in ahead, each once.
    pub fn start_setup(&mut self) {
        if self.rules.call(CallKind::Register).is_some() {
            self.cursors.register = 0;
        }
        self.cursors.login = 0;
    }

    /// Whether nothing of the set-up is left, nor under way.
    #[must_use]
    pub fn setup_done(&self) -> bool {
        let begun = self.cursors.register >= self.rules.register_ahead;
        let ahead = self.cursors.login >= self.rules.ahead;
        begun && ahead && self.under_way == [0; 4]
    }

    /// The load is over: gives back all tokens if the plan says so, and asks for none any more.
    /// Nobody may wait for a token any longer.
    pub fn start_logout(&mut self) {
        self.is_ending = true;
        self.cursors = Cursors {
            register: self.share.count,
            login: self.rules.ahead,
            logout: if self.rules.call(CallKind::Logout).is_some() { 0 } else { self.share.count },
        };
        for queue in [&mut self.urgent, &mut self.calm] {
            for place in queue.drain(..) {
                if let Some(life) = self.lives.get_mut(place as usize) {
                    life.leave_queues();
                }
            }
        }
    }

    /// Whether all tokens were given back, as far as that was possible, and no call is under way.
    #[must_use]
    pub fn logouts_done(&self) -> bool {
        self.cursors.logout >= self.share.count && self.under_way == [0; 4] && self.calm.is_empty()
    }

    /// Calls under way.
    #[must_use]
    pub fn calls_under_way(&self) -> u32 {
        self.under_way.iter().sum()
    }

    /// Memory that one user takes on average, in bytes.
    pub(super) fn bytes_per_user(&self) -> u64 {
        let texts: usize = self.lives.iter().map(|it| it.access.len() + it.refresh.len()).sum();
        let lives = self.lives.capacity() * size_of::<Life>();
        let queues = (self.urgent.capacity() + self.calm.capacity()) * size_of::<u32>();
        let sum = texts + lives + queues;
        (sum as u64).checked_div(self.lives.len() as u64).unwrap_or(0)
    }

    fn life(&self, user: u32) -> Option<&Life> {
        self.lives.get(self.share.place(user)? as usize)
    }

    fn life_mut(&mut self, user: u32) -> Option<(u32, &mut Life)> {
        let place = self.share.place(user)?;
        Some((place, self.lives.get_mut(place as usize)?))
    }

    /// Queues an idle user for the call that it needs.
    fn queue(&mut self, place: u32, now: Nanos) {
        let Some(life) = self.lives.get_mut(place as usize) else { return };
        if self.is_ending {
            return;
        }
        life.work = Work::Queued;
        if !life.is_good(now) {
            self.hurry(place);
        } else if life.enter(Lane::Calm) {
            self.calm.push_back(place);
        }
    }

    /// Puts a queued user among those for whom operations wait.
    fn hurry(&mut self, place: u32) {
        if self.lives.get_mut(place as usize).is_some_and(|life| life.enter(Lane::Urgent)) {
            self.urgent.push_back(place);
        }
    }

    /// The first in the queues who still waits there: who has hurried is in both.
    fn next_queued(&mut self, now: Nanos) -> Option<(u32, CallKind)> {
        loop {
            let (lane, place) = match self.urgent.pop_front() {
                Some(place) => (Lane::Urgent, place),
                None => (Lane::Calm, self.calm.pop_front()?),
            };
            let Some(life) = self.lives.get_mut(place as usize) else { continue };
            life.leave(lane);
            if life.work == Work::Queued {
                let kind =
                    if self.is_ending { CallKind::Logout } else { self.rules.kind(life, now) };
                return Some((place, kind));
            }
        }
    }

    /// The next user of the set-up or of the end.
    fn next_of_cursors(&mut self, now: Nanos) -> Option<(u32, CallKind)> {
        let Cursors { register, login, logout } = &mut self.cursors;
        let lives = &self.lives;
        let next = |cursor: &mut u32, end: u32, takes: &dyn Fn(&Life) -> bool| {
            while *cursor < end {
                let place = *cursor;
                *cursor += 1;
                let life = lives.get(place as usize);
                if life.is_some_and(|life| life.work == Work::Idle && takes(life)) {
                    return Some(place);
                }
            }
            None
        };
        if let Some(place) = next(register, self.rules.register_ahead, &|_| true) {
            return Some((place, CallKind::Register));
        }
        if let Some(place) = next(logout, self.share.count, &|life| life.is_good(now)) {
            return Some((place, CallKind::Logout));
        }
        if self.under_way[CallKind::Register as usize] > 0 {
            return None;
        }
        let needs = |life: &Life| !life.is_good(now) && now >= life.barred_until;
        let place = next(login, self.rules.ahead, &needs)?;
        Some((place, CallKind::Login))
    }

    /// A registration has ended; whoever waits needs a login now.
    fn registered(&mut self, place: u32, now: Nanos) -> Ended {
        if self.lives.get(place as usize).is_some_and(|life| life.is_awaited) {
            self.queue(place, now);
        }
        Ended { count: None, news: News::None, next_look: None }
    }

    /// A token has come.
    fn has_token(&mut self, place: u32) -> Ended {
        let logs_out = self.is_ending && self.rules.call(CallKind::Logout).is_some();
        let mut ended = Ended { count: None, news: News::Token, next_look: None };
        let Some(life) = self.lives.get_mut(place as usize) else { return ended };
        life.is_awaited = false;
        if logs_out {
            life.work = Work::Queued;
            if life.enter(Lane::Calm) {
                self.calm.push_back(place);
            }
        } else if !self.is_ending {
            ended.next_look = Some(life.renew_at);
        }
        ended
    }

    /// No token has come: the user backs off.
    fn bar(&mut self, place: u32, now: Nanos) -> Ended {
        let user = self.share.user(place);
        let mut ended = Ended { count: None, news: News::None, next_look: None };
        let Some(life) = self.lives.get_mut(place as usize) else { return ended };
        life.failures = life.failures.saturating_add(1);
        let until = now + back_off(life.failures, self.seed, user, u64::from(life.generation));
        life.barred_until = until;
        if life.is_good(now) {
            ended.next_look = Some(until);
        } else {
            life.is_awaited = false;
            ended.news = News::Barred { until };
        }
        ended
    }
}

/// Whether the target has understood, and does not want to: the user may be there already.
const fn is_refusal(outcome: CallOutcome<'_>) -> bool {
    matches!(outcome, CallOutcome::Reply { status: 400..=407 | 409..=428 | 430..=499, .. })
}

/// How long a user waits after so many failures in a row: doubling, and 3/4 to 5/4 of it, so that
/// users whom the target refused together do not come back together.
fn back_off(failures: u8, seed: u64, user: u32, turn: u64) -> Nanos {
    let doublings = u32::from(failures.saturating_sub(1)).min(MOST_DOUBLINGS);
    let whole = (BACK_OFF_FIRST.0 << doublings).min(BACK_OFF_MOST.0);
    let mut draw = Draw::new(seed, u64::from(user), (turn << 8) | u64::from(failures));
    Nanos(whole / 4 * 3 + draw.below(whole / 2))
}

/// Enough to get from the first to the last: 1 s to 30 s. More would overflow at some time.
const MOST_DOUBLINGS: u32 = 8;
