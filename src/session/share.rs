//! Which users live on a shard: those whose index over all shards leaves its number.

/// A shard's share of the users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Share {
    shard: u32,
    shards: u32,
    /// How many users live here.
    pub(super) count: u32,
}

impl Share {
    /// Of `users` over all shards.
    pub(super) fn new(users: u32, shard: u32, shards: u32) -> Self {
        let shards = shards.max(1);
        Self { shard, shards, count: users.saturating_sub(shard).div_ceil(shards) }
    }

    /// A user's place among those of the shard, if it lives here.
    pub(super) const fn place(self, user: u32) -> Option<u32> {
        let place = user / self.shards;
        if user % self.shards == self.shard && place < self.count { Some(place) } else { None }
    }

    /// The user at a place.
    pub(super) const fn user(self, place: u32) -> u32 {
        place * self.shards + self.shard
    }

    /// How many of the first `users` over all shards live here.
    pub(super) fn of_first(self, users: u32) -> u32 {
        users.saturating_sub(self.shard).div_ceil(self.shards).min(self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::Share;

    #[test]
    fn each_user_lives_on_one_shard() {
        for (users, shards) in [(0, 1), (1, 3), (10, 3), (12, 4), (7, 7), (3, 8)] {
            let shares: Vec<_> = (0..shards).map(|it| Share::new(users, it, shards)).collect();
            assert_eq!(shares.iter().map(|share| share.count).sum::<u32>(), users);
            for user in 0..users {
                let homes: Vec<_> = shares.iter().filter(|it| it.place(user).is_some()).collect();
                assert_eq!(homes.len(), 1, "user {user} of {users} on {shards}");
                assert_eq!(homes[0].user(homes[0].place(user).unwrap()), user);
            }
            assert!(shares.iter().all(|share| share.place(users).is_none()));
            let first: u32 = shares.iter().map(|share| share.of_first(5)).sum();
            assert_eq!(first, users.min(5));
        }
    }
}
