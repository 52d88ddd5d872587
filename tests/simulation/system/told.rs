//! What the shards were told, and what they may therefore do.

use std::collections::{BTreeMap, VecDeque};

use onslaught::protocol::jwt;
use onslaught::stdx::Nanos;

use super::super::agenda::Id;
use super::heard::Heard;
use super::manners::{Manners, Tells, WALL};
use super::service::{Answer, Given, Service, What};

/// The shards' knowledge, as far as the world gave it to them.
#[derive(Default)]
pub(super) struct Told {
    users: BTreeMap<String, Known>,
    /// Calls under way, by user.
    calls: BTreeMap<String, Id>,
    /// When each user's last calls were made.
    recent: BTreeMap<String, VecDeque<Nanos>>,
    pub(super) seen: Seen,
}

/// A user's token, as the client must know it.
#[derive(Clone, Debug, Default)]
struct Known {
    token: String,
    refresh: String,
    until: Nanos,
    refused: bool,
    /// It was asked to be taken back.
    given_back: bool,
}

/// What came to the shards in whole, and what they sent.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    pub(super) users_created: u64,
    pub(super) logins: u64,
    pub(super) refreshes: u64,
    pub(super) logouts: u64,
    pub(super) tasks: u64,
    /// Replies to requests that are no calls.
    pub(super) replies: u64,
    /// Replies with status 401 among them, and such to upgrades.
    pub(super) refused: u64,
    pub(super) opened: u64,
    pub(super) messages: u64,
    pub(super) pongs: u64,
    pub(super) connects: u64,
    pub(super) connect_failures: u64,
    /// Of the system: messages and subscriptions that it was sent.
    pub(super) heard: u64,
    pub(super) subscribed: u64,
    /// Calls whose connection was closed before they were answered.
    pub(super) broken_calls: u64,
    /// Close frames that the system was sent.
    pub(super) closes: u64,
}

/// Calls for one user within a second: a registration, a login, a renewal that fails, the login
/// behind it, and as much again for a token that is refused at once.
const CALLS_A_SECOND: usize = 8;
const SECOND: Nanos = Nanos::from_secs(1);

/// Tokens with a calendar date end in whole milliseconds.
const ROUNDED: Nanos = Nanos::from_millis(1);

impl Told {
    /// A shard sends a request.
    pub(super) fn asks(
        &mut self,
        id: Id,
        heard: &Heard,
        now: Nanos,
        service: &Service,
    ) -> Option<String> {
        let user = match heard.path.as_str() {
            "/auth/register" | "/auth/login" => heard.text("email").to_owned(),
            "/auth/refresh" => {
                let refresh = heard.text("refreshToken");
                let known = self.users.iter().find(|(_, known)| known.refresh == refresh);
                let Some((user, _)) = known else {
                    let whose = service.refreshes_for(refresh);
                    panic!("{id:?} at {now}: refreshes with {refresh:?} of {whose:?}")
                };
                user.clone()
            }
            "/auth/logout" => {
                let token = heard.token.as_deref().unwrap_or_default();
                let whose = service.owner(token);
                let user = whose.unwrap_or_else(|| panic!("{id:?} at {now}: gives nothing back"));
                if let Some(known) = self.users.get_mut(user) {
                    known.given_back |= known.token == token;
                }
                user.to_owned()
            }
            _ => {
                self.holds(id, heard, now, service);
                return None;
            }
        };
        let before = self.calls.insert(user.clone(), id);
        assert!(before.is_none(), "{id:?} at {now}: a second call for {user} beside {before:?}");
        let recent = self.recent.entry(user.clone()).or_default();
        recent.retain(|at| now.since(*at) < SECOND);
        recent.push_back(now);
        assert!(recent.len() <= CALLS_A_SECOND, "at {now}: {} calls for {user}", recent.len());
        Some(user)
    }

    /// A request of a user's has that user's token, and it is good.
    fn holds(&mut self, id: Id, heard: &Heard, now: Nanos, service: &Service) {
        let (Some(token), Some(user)) = (&heard.token, &heard.user) else {
            assert!(heard.token.is_none(), "{id:?}: a token for nobody: {heard:?}");
            return;
        };
        let whose = service.owner(token);
        let Some(known) = self.users.get(user) else {
            panic!("{id:?} at {now}: {user} has no token, and sends {token:?}")
        };
        assert!(token.is_empty() || whose == Some(user), "{id:?}: {user} with that of {whose:?}");
        let ends = known.until + ROUNDED;
        let good = *token == known.token && !known.refused && !known.given_back;
        if good && now < ends {
            return;
        }
        panic!("{id:?} at {now}: {user} sends {token:?}, and has {known:?}");
    }

    /// A call has ended, well or not.
    pub(super) fn call_ended(&mut self, user: &str) {
        self.calls.remove(user);
    }

    /// A reply came to a shard in whole.
    pub(super) fn replied(&mut self, answer: &Answer, manners: &Manners, now: Nanos) {
        let good = (200..300).contains(&answer.status);
        match &answer.what {
            What::Register => self.seen.users_created += u64::from(answer.status == 201),
            What::Login(given) => {
                self.seen.logins += u64::from(given.is_some());
                self.gives(given.as_ref(), manners, now);
            }
            What::Refresh(given) => {
                self.seen.refreshes += u64::from(given.is_some());
                self.gives(given.as_ref(), manners, now);
            }
            What::Logout => self.seen.logouts += u64::from(good),
            What::Task => {
                self.seen.replies += 1;
                self.seen.tasks += u64::from(good);
            }
            What::Plain => self.seen.replies += 1,
            What::Refused(token) => {
                self.seen.replies += 1;
                self.refuses(token);
            }
        }
    }

    /// A shard was told that a token is not taken.
    pub(super) fn refuses(&mut self, token: &str) {
        self.seen.refused += 1;
        for known in self.users.values_mut().filter(|known| known.token == token) {
            known.refused = true;
        }
    }

    fn gives(&mut self, given: Option<&Given>, manners: &Manners, now: Nanos) {
        let Some(Given { user, token, refresh }) = given else { return };
        let wall = WALL + now.0 / 1_000_000;
        let left = match manners.tells {
            Tells::Reply | Tells::Nobody => manners.life(),
            Tells::Token => {
                let end = jwt::expiry(token).expect("an end in the token") * 1_000;
                match end.checked_sub(wall).filter(|left| *left > 0) {
                    Some(left) => Nanos::from_millis(left),
                    None => manners.life(),
                }
            }
        };
        let known = Known {
            token: token.clone(),
            refresh: refresh.clone(),
            until: now + left,
            refused: false,
            given_back: false,
        };
        self.users.insert(user.clone(), known);
    }

    /// Users whose token is good and was not given back.
    pub(super) fn logged_in(&self, now: Nanos) -> Vec<&str> {
        let good = |known: &Known| !known.refused && !known.given_back && now < known.until;
        let users = self.users.iter().filter(|(_, known)| good(known));
        users.map(|(user, _)| &**user).collect()
    }

    pub(super) fn calls_under_way(&self) -> usize {
        self.calls.len()
    }
}
