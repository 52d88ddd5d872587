//! What a server has done, counted where other cores can read it.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::misbehave::Lie;
use super::routes::Path;

/// What happens besides requests and connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Did {
    /// An account was made.
    UsersCreated,
    /// An account was asked for that is there already.
    UsersExisting,
    /// Tokens were given for a password.
    Logins,
    /// A password or an address was wrong.
    LoginFailures,
    /// Tokens were given for a refresh token.
    Refreshes,
    /// A refresh token was unknown or void.
    RefreshFailures,
    /// The tokens of an account were voided.
    Logouts,
    /// A request or an upgrade came without a good access token.
    Unauthorized,
    /// An access token was rejected before its time: what [`Lie::TokenEarly`] brings about.
    TokensRejectedEarly,
    /// A task was made.
    TasksCreated,
    /// A WebSocket was opened.
    WsOpened,
    /// An upgrade to WebSocket was refused: for its token, or for its head.
    WsRefused,
    /// A WebSocket has ended, by whichever side.
    WsClosed,
    /// A text or binary message came.
    WsMessagesIn,
    /// A text or binary message was sent, duplicates among them.
    WsMessagesOut,
    /// A client asked to be told about a task.
    Subscriptions,
    /// A subscription gave way to a newer one of its connection.
    SubscriptionsDropped,
}

impl Did {
    /// All, in order.
    pub const ALL: [Self; 17] = [
        Self::UsersCreated,
        Self::UsersExisting,
        Self::Logins,
        Self::LoginFailures,
        Self::Refreshes,
        Self::RefreshFailures,
        Self::Logouts,
        Self::Unauthorized,
        Self::TokensRejectedEarly,
        Self::TasksCreated,
        Self::WsOpened,
        Self::WsRefused,
        Self::WsClosed,
        Self::WsMessagesIn,
        Self::WsMessagesOut,
        Self::Subscriptions,
        Self::SubscriptionsDropped,
    ];

    /// As it is called in the counts.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::UsersCreated => "users_created",
            Self::UsersExisting => "users_existing",
            Self::Logins => "logins",
            Self::LoginFailures => "login_failures",
            Self::Refreshes => "refreshes",
            Self::RefreshFailures => "refresh_failures",
            Self::Logouts => "logouts",
            Self::Unauthorized => "unauthorized",
            Self::TokensRejectedEarly => "tokens_rejected_early",
            Self::TasksCreated => "tasks_created",
            Self::WsOpened => "ws_opened",
            Self::WsRefused => "ws_refused",
            Self::WsClosed => "ws_closed",
            Self::WsMessagesIn => "ws_messages_in",
            Self::WsMessagesOut => "ws_messages_out",
            Self::Subscriptions => "subscriptions",
            Self::SubscriptionsDropped => "subscriptions_dropped",
        }
    }
}

/// Under which status a reply is counted: its own, or one of two words.
pub(super) const STATUSES: [(u16, &str); 16] = [
    (101, "101"),
    (200, "200"),
    (201, "201"),
    (204, "204"),
    (400, "400"),
    (401, "401"),
    (403, "403"),
    (404, "404"),
    (405, "405"),
    (409, "409"),
    (413, "413"),
    (426, "426"),
    (503, "503"),
    (507, "507"),
    (OTHER, "other"),
    (NONE, "none"),
];
/// Any status that has no place of its own: those of `/status/CODE`.
const OTHER: u16 = 1;
/// The reply was withheld, or its status line is garbage.
pub(super) const NONE: u16 = 0;

fn status_place(status: u16) -> usize {
    let others = STATUSES.len() - 2;
    STATUSES.iter().position(|(known, _)| *known == status).unwrap_or(others)
}

/// One server's counters. Only that server writes them; any may read.
///
/// Aligned to two cache lines, because prefetching takes lines in pairs: servers never share one.
#[derive(Debug, Default)]
#[repr(align(128))]
pub struct Counters {
    by_path: [AtomicU64; Path::COUNTED.len()],
    replies: [[AtomicU64; STATUSES.len()]; Path::COUNTED.len()],
    lies: [AtomicU64; Lie::ALL.len()],
    did: [AtomicU64; Did::ALL.len()],
    accepted: AtomicU64,
    ended: AtomicU64,
    refused: AtomicU64,
    slow_heads: AtomicU64,
    overruns: AtomicU64,
    accept_errors: AtomicU64,
}

impl Counters {
    pub(super) fn request(&self, path: Path) {
        if let Some(counter) = self.by_path.get(path as usize) {
            add_one(counter);
        }
    }

    /// A reply is about to be sent. Replies of `/count` are never counted.
    pub(super) fn reply(&self, path: Path, status: u16) {
        if let Some(counters) = self.replies.get(path as usize) {
            add_one(&counters[status_place(status)]);
        }
    }

    pub(super) fn did(&self, what: Did) {
        add_one(&self.did[what as usize]);
    }

    pub(super) fn lie(&self, lie: Lie) {
        add_one(&self.lies[lie as usize]);
    }

    pub(super) fn accepted(&self) {
        add_one(&self.accepted);
    }

    pub(super) fn ended(&self) {
        add_one(&self.ended);
    }

    pub(super) fn refused(&self) {
        add_one(&self.refused);
    }

    pub(super) fn slow_head(&self) {
        add_one(&self.slow_heads);
    }

    pub(super) fn overrun(&self) {
        add_one(&self.overruns);
    }

    pub(super) fn accept_error(&self) {
        add_one(&self.accept_errors);
    }
}

/// There is one writer, so adding needs no locked instruction.
fn add_one(counter: &AtomicU64) {
    counter.store(counter.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
}

/// One server's own counters, and the sight of all.
#[derive(Clone, Debug)]
pub struct Share {
    /// Which of the servers, from 0.
    number: u16,
    own: Arc<Counters>,
    all: Arc<[Arc<Counters>]>,
}

impl Share {
    /// One share for each of so many servers.
    #[must_use]
    pub fn among(servers: usize) -> Vec<Self> {
        let all: Arc<[Arc<Counters>]> = (0..servers).map(|_| Arc::default()).collect();
        let share = |(number, own)| Self { number, own: Arc::clone(own), all: Arc::clone(&all) };
        (0..).zip(all.iter()).map(share).collect()
    }

    /// What all servers together have done.
    #[must_use]
    pub fn totals(&self) -> Totals {
        Totals::of(&self.all)
    }

    pub(super) fn own(&self) -> &Counters {
        &self.own
    }

    pub(super) const fn number(&self) -> u16 {
        self.number
    }
}

/// The counters of several servers, added up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Requests served on each path of [`Path::COUNTED`], lies among them.
    pub by_path: [u64; Path::COUNTED.len()],
    /// Replies by path and status; as [`Totals::replies`] looks them up.
    pub replies: [[u64; STATUSES.len()]; Path::COUNTED.len()],
    /// Lies told, in the order of [`Lie::ALL`].
    pub lies: [u64; Lie::ALL.len()],
    /// What else was done, in the order of [`Did::ALL`].
    pub did: [u64; Did::ALL.len()],
    /// Connections accepted.
    pub accepted: u64,
    /// Connections that have ended, by whichever side.
    pub ended: u64,
    /// Requests refused as malformed or too large; they are in no other count.
    pub refused: u64,
    /// Connections closed because a head took too long.
    pub slow_heads: u64,
    /// Connections closed because a limit was reached.
    pub overruns: u64,
    /// Times that accepting failed.
    pub accept_errors: u64,
}

impl Totals {
    /// Adds up what the servers have counted so far. Exact once they are at rest; a server that is
    /// busy meanwhile may be read a few requests behind.
    #[must_use]
    pub fn of(servers: &[Arc<Counters>]) -> Self {
        let mut sum = Self::default();
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        for server in servers {
            for (sum, counter) in sum.by_path.iter_mut().zip(&server.by_path) {
                *sum += read(counter);
            }
            for (sum, counter) in sum.lies.iter_mut().zip(&server.lies) {
                *sum += read(counter);
            }
            for (sum, counter) in sum.did.iter_mut().zip(&server.did) {
                *sum += read(counter);
            }
            let pairs = sum.replies.iter_mut().flatten().zip(server.replies.iter().flatten());
            pairs.for_each(|(sum, counter)| *sum += read(counter));
            sum.accepted += read(&server.accepted);
            sum.ended += read(&server.ended);
            sum.refused += read(&server.refused);
            sum.slow_heads += read(&server.slow_heads);
            sum.overruns += read(&server.overruns);
            sum.accept_errors += read(&server.accept_errors);
        }
        sum
    }

    /// All requests served, `/count` left out.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.by_path.iter().sum()
    }

    /// How often a lie was told.
    #[must_use]
    pub const fn lies(&self, lie: Lie) -> u64 {
        self.lies[lie as usize]
    }

    /// How often something was done.
    #[must_use]
    pub const fn did(&self, what: Did) -> u64 {
        self.did[what as usize]
    }

    /// How many replies of a path had a status; 0 stands for none that could be read.
    #[must_use]
    pub fn replies(&self, path: Path, status: u16) -> u64 {
        self.replies.get(path as usize).map_or(0, |replies| replies[status_place(status)])
    }

    /// The body of `/count`.
    #[must_use]
    pub fn to_json(&self) -> String {
        let by_path = Path::COUNTED.iter().map(|path| path.name()).zip(self.by_path);
        let lies = Lie::ALL.iter().map(|lie| lie.name()).zip(self.lies);
        let did = Did::ALL.map(|what| format!(",\"{}\":{}", what.name(), self.did(what)));
        // The open ones are read from two counters, of which one may be behind.
        let open = self.accepted.saturating_sub(self.ended);
        format!(
            "{{\"requests\":{},\"by_path\":{},\"lies\":{},\
             \"connections\":{{\"accepted\":{},\"open\":{open}}},\
             \"refused\":{},\"slow_heads\":{},\"overruns\":{},\"accept_errors\":{}{}}}",
            self.requests(),
            object(by_path),
            object(lies),
            self.accepted,
            self.refused,
            self.slow_heads,
            self.overruns,
            self.accept_errors,
            did.iter().map(String::as_str).collect::<String>(),
        )
    }
}

fn object<'a>(members: impl Iterator<Item = (&'a str, u64)>) -> String {
    let mut text = String::from("{");
    for (name, value) in members {
        let gap = if text.len() > 1 { "," } else { "" };
        let _ = write!(text, "{gap}\"{name}\":{value}");
    }
    text.push('}');
    text
}
