//! The users of one shard: who they are is made from the plan when it is asked for, not stored.

use std::io::Write;

use super::share::Share;
use super::tokens::Tokens;
use crate::plan::{Group, Plan};

/// The users of one shard, by their index over all shards.
#[derive(Clone, Debug)]
pub struct Users {
    share: Share,
    tokens: Option<Tokens>,
}

/// Who a user is.
#[derive(Clone, Copy, Debug)]
pub struct Identity<'a> {
    /// The group that it belongs to.
    pub group: &'a Group,
    /// Its number within the group, counted from [`Group::first`].
    pub number: u64,
}

impl Users {
    /// The users of a shard, without tokens yet.
    #[must_use]
    pub fn new(plan: &Plan, shard: u32) -> Self {
        let people = plan.people.as_ref();
        let share = Share::new(people.map_or(0, |it| it.count()), shard, plan.shards);
        let auth = people.and_then(|people| people.auth.as_ref());
        Self { share, tokens: auth.map(|auth| Tokens::new(auth, share, plan.seed)) }
    }

    /// How many users live on this shard.
    #[must_use]
    pub const fn count(&self) -> u32 {
        self.share.count
    }

    /// The user at a place from 0 among those of this shard, by its index over all shards. None
    /// if there are not so many.
    #[must_use]
    pub const fn at(&self, place: u32) -> Option<u32> {
        if place < self.share.count { Some(self.share.user(place)) } else { None }
    }

    /// Whether the user lives on this shard.
    #[must_use]
    pub const fn is_here(&self, user: u32) -> bool {
        self.share.place(user).is_some()
    }

    /// The life of their tokens, if the plan has any.
    #[must_use]
    pub const fn tokens(&self) -> Option<&Tokens> {
        self.tokens.as_ref()
    }

    /// The life of their tokens, if the plan has any.
    pub const fn tokens_mut(&mut self) -> Option<&mut Tokens> {
        self.tokens.as_mut()
    }

    /// Memory that one user takes on average, in bytes, its tokens' texts included.
    #[must_use]
    pub fn bytes_per_user(&self) -> u64 {
        self.tokens.as_ref().map_or(0, Tokens::bytes_per_user)
    }
}

impl<'a> Identity<'a> {
    /// Who a user of the plan is. None if there are not so many.
    #[must_use]
    pub fn of(plan: &'a Plan, user: u32) -> Option<Self> {
        let (group, place) = plan.people.as_ref()?.group(user)?;
        Some(Self { group, number: group.first.saturating_add(u64::from(place)) })
    }

    /// Appends its address.
    pub fn email(self, out: &mut Vec<u8>) {
        let (before, behind) = &self.group.email;
        out.extend_from_slice(before.as_bytes());
        number(self.number, out);
        out.extend_from_slice(behind.as_bytes());
    }

    /// Appends its id, `user-N` with its number within the group.
    pub fn id(self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"user-");
        number(self.number, out);
    }
}

/// Appends a number in digits.
fn number(number: u64, out: &mut Vec<u8>) {
    // Writing to memory cannot fail.
    let _ = write!(out, "{number}");
}

#[cfg(test)]
mod tests {
    use super::super::kit;
    use super::{Identity, Users};

    #[test]
    fn who_they_are() {
        let plan = kit::plan(1);
        let who = |user| {
            let mut out = Vec::new();
            let identity = Identity::of(&plan, user)?;
            identity.email(&mut out);
            out.push(b' ');
            identity.id(&mut out);
            String::from_utf8(out).ok()
        };
        assert_eq!(who(0).as_deref(), Some("loadtest1@example.com user-1"));
        assert_eq!(who(19).as_deref(), Some("loadtest20@example.com user-20"));
        assert_eq!(who(20).as_deref(), Some("staff+100@example.com user-100"));
        assert_eq!(who(24).as_deref(), Some("staff+104@example.com user-104"));
        assert_eq!(who(25), None);
    }

    #[test]
    fn each_lives_on_one_shard() {
        let plan = kit::plan(3);
        let shards: Vec<Users> = (0..3).map(|shard| Users::new(&plan, shard)).collect();
        assert_eq!(shards.iter().map(Users::count).collect::<Vec<_>>(), [9, 8, 8]);
        for user in 0..25 {
            let homes = shards.iter().filter(|users| users.is_here(user)).count();
            assert_eq!(homes, 1, "{user}");
        }
        assert_eq!(
            [0, 1, 7, 8].map(|place| shards[1].at(place)),
            [Some(1), Some(4), Some(22), None]
        );
        assert!(shards.iter().all(|users| !users.is_here(25)));
    }

    #[test]
    fn without_tokens_they_cost_nothing() {
        let mut plan = kit::plan(1);
        let people = plan.people.as_mut().unwrap();
        people.auth = None;
        people.groups[0].count = 10_000_000;
        assert_eq!(Users::new(&plan, 0).bytes_per_user(), 0);
        assert!(Users::new(&plan, 0).tokens().is_none());
        plan.people = None;
        assert_eq!(Users::new(&plan, 0).count(), 0);
        assert!(Users::new(&kit::plan(1), 0).bytes_per_user() >= 64, "those with tokens do");
    }
}
