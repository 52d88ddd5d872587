//! The lies the target tells, and exactly when.
//!
//! Each server (so each core) numbers three things for itself, from 1: **requests** as they become
//! whole, `/count` left out (what is refused as malformed or too large has no number); **messages**
//! of WebSockets, text and binary, as they are about to be sent; and **access tokens** as they are
//! made. A lie of period K is due at every number that K divides. When several are due at the same
//! request, or at the same message, the first of its row is told and counted, and the others are
//! left out (not put off): whatever destroys more goes first.
//!
//! - requests: **close, corrupt, truncate, 5xx, delay**
//! - messages: **ws-drop, ws-corrupt, ws-duplicate, ws-swap**
//! - access tokens: **token-early**
//!
//! Two lies are about one account, by its address: **deny-user** and **slow-user**, in that order,
//! are due at every request that carries a good access token of it where the target looks at
//! tokens (`/tasks`, `/tasks/{id}`, `/auth/logout`, the upgrade on `/ws`) and that is told no other
//! lie.
//!
//! | lie          | what the client gets                                                      |
//! |--------------|---------------------------------------------------------------------------|
//! | close        | no reply; the connection is closed behind the replies of earlier requests |
//! | corrupt      | the reply with a status line that no version of HTTP has; it stays open   |
//! | truncate     | a length of at least 1 is announced, half of it (rounded down) sent, then |
//! |              | the close; a chunked body ends after half of it, without the last chunk;  |
//! |              | a reply that can have no body ends within its head                        |
//! | 5xx          | 503, well-formed; the connection lives on                                 |
//! | delay        | the reply, so much later (on top of what `/delay` holds it back)          |
//! | ws-drop      | nothing                                                                   |
//! | ws-corrupt   | the message with the lowest bit of its last byte turned: text stays UTF-8 |
//! |              | and the frame valid, but JSON does not parse any more, and no echo is     |
//! |              | what was sent; one without any byte is let through, and not counted       |
//! | ws-duplicate | the message twice                                                         |
//! | ws-swap      | the message behind the next one of its connection that is sent, however   |
//! |              | long that takes; counted when it is overtaken. While one waits, no other  |
//! |              | does. If the server closes before, it goes out in time, and uncounted     |
//! | deny-user    | 403, well-formed; what was asked for is not carried out                   |
//! | slow-user    | the reply, so much later                                                  |
//! | token-early  | a token that is rejected with 401 after a tenth of the life that it has   |
//! |              | according to `exp` and `expiresIn`; counted when it is made               |
//!
//! An upgrade to WebSocket is a request: held back by `delay`, refused by `5xx`, spoiled by
//! `corrupt` (the connection stays one of HTTP), cut by `truncate`.

use std::fmt;

use super::limits::DELAY_MAX;
use crate::stdx::{Nanos, units};

/// One kind of lie, in order of precedence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lie {
    /// The connection is closed instead of a reply.
    Close,
    /// The status line is garbage.
    Corrupt,
    /// Less is sent than was announced.
    Truncate,
    /// 503 instead of the reply.
    Fail,
    /// The reply is held back.
    Delay,
    /// A message is not sent.
    WsDrop,
    /// A message's last byte is another.
    WsCorrupt,
    /// A message is sent twice.
    WsDuplicate,
    /// A message is sent after the next one.
    WsSwap,
    /// An access token expires before its time.
    TokenEarly,
    /// 403 instead of the reply, for one account.
    DenyUser,
    /// The reply is held back, for one account.
    SlowUser,
}

impl Lie {
    /// All, in order of precedence.
    pub const ALL: [Self; 12] = [
        Self::Close,
        Self::Corrupt,
        Self::Truncate,
        Self::Fail,
        Self::Delay,
        Self::WsDrop,
        Self::WsCorrupt,
        Self::WsDuplicate,
        Self::WsSwap,
        Self::TokenEarly,
        Self::DenyUser,
        Self::SlowUser,
    ];
    const OF_REQUESTS: [Self; 5] =
        [Self::Close, Self::Corrupt, Self::Truncate, Self::Fail, Self::Delay];
    const OF_MESSAGES: [Self; 4] = [Self::WsDrop, Self::WsCorrupt, Self::WsDuplicate, Self::WsSwap];
    const OF_TOKENS: [Self; 1] = [Self::TokenEarly];
    const OF_USERS: [Self; 2] = [Self::DenyUser, Self::SlowUser];

    /// Whether nothing of what was asked for is carried out.
    pub(super) const fn refuses(self) -> bool {
        matches!(self, Self::Fail | Self::DenyUser)
    }

    /// Whether the reply is a true one, which only comes later.
    pub(super) const fn delays(self) -> bool {
        matches!(self, Self::Delay | Self::SlowUser)
    }

    /// As it is written and counted.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Close => "close",
            Self::Corrupt => "corrupt",
            Self::Truncate => "truncate",
            Self::Fail => "5xx",
            Self::Delay => "delay",
            Self::WsDrop => "ws-drop",
            Self::WsCorrupt => "ws-corrupt",
            Self::WsDuplicate => "ws-duplicate",
            Self::WsSwap => "ws-swap",
            Self::TokenEarly => "token-early",
            Self::DenyUser => "deny-user",
            Self::SlowUser => "slow-user",
        }
    }
}

/// Which lies are told, each how often. The default is honest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Misbehaviour {
    /// Period of each lie, in the order of [`Lie::ALL`]; 0 is never, or not by number.
    periods: [u64; Lie::ALL.len()],
    hold: Nanos,
    /// The accounts of [`Lie::OF_USERS`], by address; empty is nobody.
    users: [String; Lie::OF_USERS.len()],
    hold_of_user: Nanos,
}

impl Misbehaviour {
    /// Reads a list such as `delay:100:5ms,5xx:50,close:1000,truncate:500,corrupt:500`.
    ///
    /// # Errors
    /// Names everything that is wrong in the list, not only the first.
    pub fn parse(text: &str) -> Result<Self, MisbehaviourError> {
        let mut lies = Self::default();
        let mut problems = Vec::new();
        for item in text.split(',') {
            if let Err(problem) = lies.add(item.trim()) {
                problems.push(problem);
            }
        }
        if problems.is_empty() { Ok(lies) } else { Err(MisbehaviourError { problems }) }
    }

    /// The lie that is due at the request of this number, counted from 1.
    #[must_use]
    pub fn due(&self, number: u64) -> Option<Lie> {
        self.first(&Lie::OF_REQUESTS, number)
    }

    /// The lie that is due at the message of this number, counted from 1.
    #[must_use]
    pub fn due_at_message(&self, number: u64) -> Option<Lie> {
        self.first(&Lie::OF_MESSAGES, number)
    }

    /// The lie that is due at the access token of this number, counted from 1.
    #[must_use]
    pub fn due_at_token(&self, number: u64) -> Option<Lie> {
        self.first(&Lie::OF_TOKENS, number)
    }

    fn first(&self, lies: &[Lie], number: u64) -> Option<Lie> {
        let is_due = |lie: &Lie| {
            let period = self.periods[*lie as usize];
            period != 0 && number.is_multiple_of(period)
        };
        lies.iter().copied().find(is_due)
    }

    /// The lie that is due at a request of the account with this address.
    #[must_use]
    pub fn due_for(&self, email: &str) -> Option<Lie> {
        let told = Lie::OF_USERS.into_iter().zip(&self.users);
        let is_due = |(_, user): &(Lie, &String)| !user.is_empty() && *user == email;
        told.into_iter().find(is_due).map(|(lie, _)| lie)
    }

    /// Whether any lie is about an account.
    #[must_use]
    pub fn is_about_users(&self) -> bool {
        self.users.iter().any(|user| !user.is_empty())
    }

    /// How long a lie holds a reply back.
    #[must_use]
    pub const fn hold(&self, lie: Lie) -> Nanos {
        match lie {
            Lie::Delay => self.hold,
            Lie::SlowUser => self.hold_of_user,
            _ => Nanos::ZERO,
        }
    }

    fn add(&mut self, item: &str) -> Result<(), Problem> {
        let mut parts = item.split(':');
        let name = parts.next().unwrap_or_default();
        let found = || item.to_owned();
        let Some(lie) = Lie::ALL.into_iter().find(|lie| lie.name() == name) else {
            return Err(Problem::UnknownLie(found()));
        };
        if let Some(place) = Lie::OF_USERS.iter().position(|each| *each == lie) {
            return self.add_user(lie, place, item, parts);
        }
        let period = parts.next().unwrap_or_default();
        let Some(period) = period.parse().ok().filter(|&period: &u64| period > 0) else {
            return Err(Problem::Period(found(), period.to_owned(), example(lie)));
        };
        if lie == Lie::Delay {
            self.hold = hold(lie, item, parts.next())?;
        }
        if parts.next().is_some() {
            return Err(Problem::TooMuch(found(), example(lie)));
        }
        if self.periods[lie as usize] != 0 {
            return Err(Problem::Twice(found(), name.to_owned()));
        }
        self.periods[lie as usize] = period;
        Ok(())
    }

    /// A lie about an account: its address, and how long its replies are held back.
    fn add_user<'a>(
        &mut self,
        lie: Lie,
        place: usize,
        item: &str,
        mut parts: impl Iterator<Item = &'a str>,
    ) -> Result<(), Problem> {
        let email = parts.next().unwrap_or_default();
        if email.is_empty() {
            return Err(Problem::User(item.to_owned(), example(lie)));
        }
        let held = if lie == Lie::SlowUser { Some(hold(lie, item, parts.next())?) } else { None };
        if parts.next().is_some() {
            return Err(Problem::TooMuch(item.to_owned(), example(lie)));
        }
        if !self.users[place].is_empty() {
            return Err(Problem::Twice(item.to_owned(), lie.name().to_owned()));
        }
        email.clone_into(&mut self.users[place]);
        self.hold_of_user = held.unwrap_or(self.hold_of_user);
        Ok(())
    }
}

/// The duration of a lie that holds a reply back.
fn hold(lie: Lie, item: &str, written: Option<&str>) -> Result<Nanos, Problem> {
    let written = written.unwrap_or_default();
    let found = units::duration(written).ok().filter(|&hold| hold <= DELAY_MAX);
    found.ok_or_else(|| Problem::Hold(item.to_owned(), written.to_owned(), example(lie)))
}

const fn example(lie: Lie) -> &'static str {
    match lie {
        Lie::Close => "close:1000",
        Lie::Corrupt => "corrupt:500",
        Lie::Truncate => "truncate:500",
        Lie::Fail => "5xx:50",
        Lie::Delay => "delay:100:5ms",
        Lie::WsDrop => "ws-drop:100",
        Lie::WsCorrupt => "ws-corrupt:100",
        Lie::WsDuplicate => "ws-duplicate:100",
        Lie::WsSwap => "ws-swap:100",
        Lie::TokenEarly => "token-early:10",
        Lie::DenyUser => "deny-user:user7@example.com",
        Lie::SlowUser => "slow-user:user7@example.com:50ms",
    }
}

/// Everything that is wrong with a list of lies.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct MisbehaviourError {
    /// In the order of the list; never empty.
    pub problems: Vec<Problem>,
}

impl fmt::Display for MisbehaviourError {
    /// One line for each problem.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            let gap = if index == 0 { "" } else { "\n" };
            write!(out, "{gap}{problem}")?;
        }
        Ok(())
    }
}

/// One thing that is wrong with a list of lies.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// No lie of this name.
    #[error(
        "'{0}': unknown lie; expected delay, 5xx, close, truncate, corrupt, ws-drop, ws-corrupt, \
         ws-duplicate, ws-swap, token-early, deny-user or slow-user, for example 5xx:50"
    )]
    UnknownLie(String),
    /// The period is missing, 0 or no number.
    #[error("'{0}': the period is '{1}'; expected a whole number, at least 1, for example {2}")]
    Period(String, String, &'static str),
    /// The duration of a delay is missing, too long or no duration.
    #[error(
        "'{0}': the delay is '{1}'; expected a duration of at most 60s, \
         for example {2}"
    )]
    Hold(String, String, &'static str),
    /// The address of an account is missing.
    #[error("'{0}': whose? expected the address of an account, for example {1}")]
    User(String, &'static str),
    /// More parts than the lie has.
    #[error("'{0}': more than this lie takes; for example {1}")]
    TooMuch(String, &'static str),
    /// The same lie again.
    #[error("'{0}': {1} was given before; each lie is given once")]
    Twice(String, String),
}
