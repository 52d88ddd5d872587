//! As whom: users, and the life of their tokens.

use std::net::IpAddr;

use super::{Place, Request, Text};
use crate::scenario::Statuses;
use crate::stdx::Nanos;

/// The users of a plan, and how they get their tokens.
#[derive(Clone, Debug)]
pub struct People {
    /// Groups of users; users are numbered through all of them.
    pub groups: Vec<Group>,
    /// The life of a token, if there are any.
    pub auth: Option<Auth>,
}

/// A group of users, who differ by a number.
#[derive(Clone, Debug)]
pub struct Group {
    /// Its name; empty if it has none.
    pub name: String,
    /// For `${user.role}`.
    pub role: String,
    /// How many.
    pub count: u32,
    /// The number of the first.
    pub first: u64,
    /// How often one of it is drawn beside other groups, where users are drawn by weight.
    pub weight: u32,
    /// What stands before and behind the number in an address.
    pub email: (String, String),
    /// The password; it may hold the user's number.
    pub password: Text,
    /// Addresses of this host that its connections come from, in turn; none means any.
    pub sources: Vec<IpAddr>,
}

/// The life of a token.
#[derive(Clone, Debug)]
pub struct Auth {
    /// Creates a user.
    pub register: Option<Call>,
    /// Gives the tokens.
    pub login: Call,
    /// Renews the token.
    pub refresh: Option<Call>,
    /// Gives it back.
    pub logout: Option<Call>,
    /// A token's life, when neither the reply nor the token says it.
    pub expires_in: Nanos,
    /// Users who register or log in at once, over all shards.
    pub parallel: u32,
    /// Users logged in before the load begins; the others when they are needed first.
    pub ahead: u32,
    /// Users registered before the load begins, no fewer than are logged in then; the others when
    /// they are needed first.
    pub register_ahead: u32,
}

/// A request in the life of a token.
#[derive(Clone, Debug)]
pub struct Call {
    /// What is sent; its leaf and channel mean nothing.
    pub request: Request,
    /// Statuses that are fine.
    pub accept: Vec<Statuses>,
    /// Where the token stands.
    pub token: Option<Place>,
    /// Where the refresh token stands.
    pub refresh_token: Option<Place>,
    /// Where the token's life in seconds stands.
    pub expires: Option<Place>,
}

impl People {
    /// How many users there are.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.groups.iter().map(|group| group.count).sum()
    }

    /// Calls for tokens that one shard makes at once: its connections for them.
    #[must_use]
    pub fn calls_at_once(&self, shards: u32) -> u32 {
        let Some(auth) = &self.auth else { return 0 };
        auth.parallel.min(self.count()).div_ceil(shards.max(1)).max(1)
    }

    /// What a user is called: its address, or `user-N` by its number where the group has no
    /// addresses. None if there are not so many users.
    #[must_use]
    pub fn name(&self, user: u32) -> Option<String> {
        let (group, place) = self.group(user)?;
        let number = group.first.saturating_add(u64::from(place));
        let (before, behind) = &group.email;
        Some(match (before.as_str(), behind.as_str()) {
            ("", "") => format!("user-{number}"),
            (before, behind) => format!("{before}{number}{behind}"),
        })
    }

    /// The group of a user, and its place in it from 0.
    #[must_use]
    pub fn group(&self, user: u32) -> Option<(&Group, u32)> {
        let mut at = user;
        for group in &self.groups {
            if at < group.count {
                return Some((group, at));
            }
            at -= group.count;
        }
        None
    }
}

impl Call {
    /// Whether the status is fine.
    #[must_use]
    pub fn takes(&self, status: u16) -> bool {
        self.accept.iter().any(|range| (range.from..=range.to).contains(&status))
    }
}
