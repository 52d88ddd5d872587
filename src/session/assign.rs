//! Which user a session is: the one seam where ways to choose are added.

use super::Session;
use crate::plan::{Strategy, Workload};

/// How the sessions of one workload on one shard get their users. A user lives on the shard that
/// is its index modulo their number; each session has one to choose from on its own shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Assignment {
    strategy: Strategy,
    /// The workload's first user.
    start: u32,
    /// How many users the workload has.
    count: u32,
    /// The first of them on this shard, then every so many.
    first: u32,
    shards: u32,
    /// How many of them live on this shard.
    here: u32,
    seed: u64,
}

impl Assignment {
    /// The users of a workload, as a shard sees them.
    #[must_use]
    pub fn new(workload: &Workload, seed: u64, shard: u32, shards: u32) -> Self {
        let shards = shards.max(1);
        let (start, end) = (workload.users.start, workload.users.end);
        let first = start + (shard + shards - start % shards) % shards;
        let here = end.saturating_sub(first).div_ceil(shards);
        let count = end.saturating_sub(start);
        Self { strategy: workload.strategy, start, count, first, shards, here, seed }
    }

    /// The user that a session begins with; none if the workload has none.
    #[must_use]
    pub fn begin(&self, session: &Session) -> Option<u32> {
        let turn = session.index().checked_rem(u64::from(self.count))?;
        match self.strategy {
            Strategy::RoundRobin | Strategy::Unique => Some(self.start + u32::try_from(turn).ok()?),
            Strategy::Random | Strategy::Sticky => self.any(session, 0),
        }
    }

    /// The user of a session's next iteration, or of an arrival that takes the place of `user`.
    #[must_use]
    pub fn go_on(&self, session: &Session, user: Option<u32>) -> Option<u32> {
        match self.strategy {
            Strategy::Random => self.any(session, 0),
            Strategy::RoundRobin | Strategy::Sticky | Strategy::Unique => user,
        }
    }

    /// Another user for a session whose own can get no token, drawn for the `again`-th time; the
    /// same one where the strategy allows no other.
    #[must_use]
    pub fn instead(&self, session: &Session, user: Option<u32>, again: u32) -> Option<u32> {
        match self.strategy {
            Strategy::Random | Strategy::Sticky => self.any(session, again),
            Strategy::RoundRobin | Strategy::Unique => user,
        }
    }

    /// Any of the users on this shard.
    fn any(&self, session: &Session, again: u32) -> Option<u32> {
        let chosen = session.choose_user(self.seed, again, u64::from(self.here));
        let place = u32::try_from(chosen).ok()?;
        (self.here > 0).then(|| self.first + place * self.shards)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::Assignment;
    use crate::plan::{Strategy, Workload};
    use crate::session::{Session, kit};

    /// A workload of users 3 to 22.
    fn workload(strategy: Strategy, sessions: u32) -> Workload {
        let mut workload = kit::workload();
        (workload.strategy, workload.sessions, workload.users) = (strategy, sessions, 3..23);
        workload
    }

    /// Sessions over all shards, each with the user that it begins with.
    fn users(strategy: Strategy, shards: u32) -> Vec<(u32, u32)> {
        let workload = workload(strategy, 50);
        let mut all = Vec::new();
        for shard in 0..shards {
            let assignment = Assignment::new(&workload, 7, shard, shards);
            for index in workload.sessions_on(shard, shards) {
                let user = assignment.begin(&Session::new(u64::from(index))).unwrap();
                assert_eq!(user % shards, shard, "a user lives on its sessions' shard");
                assert!((3..23).contains(&user));
                all.push((index, user));
            }
        }
        all.sort_unstable();
        all
    }

    #[test]
    fn in_turn_on_any_number_of_shards() {
        let expected: Vec<_> = (0..50).map(|index| (index, 3 + index % 20)).collect();
        for shards in 1..=7 {
            assert_eq!(users(Strategy::RoundRobin, shards), expected, "{shards} shards");
        }
    }

    #[test]
    fn at_random_each_is_as_likely() {
        let workload = workload(Strategy::Random, 20_000);
        for shards in 1..=3 {
            let mut seen = BTreeMap::new();
            for shard in 0..shards {
                let assignment = Assignment::new(&workload, 7, shard, shards);
                for index in workload.sessions_on(shard, shards) {
                    let session = Session::new(u64::from(index));
                    *seen.entry(assignment.begin(&session).unwrap()).or_insert(0) += 1;
                }
            }
            // Chi-square with 19 degrees of freedom: 43.8 is the 0.1 % point.
            let chi: f64 = seen.values().map(|&n| (f64::from(n) - 1e3).powi(2) / 1e3).sum();
            assert_eq!(seen.len(), 20, "{shards} shards");
            assert!(chi < 43.8, "{shards} shards: {seen:?}");
        }
    }

    #[test]
    fn who_may_be_exchanged() {
        let session = Session::new(4);
        for (strategy, stays) in [
            (Strategy::Random, false),
            (Strategy::Sticky, false),
            (Strategy::RoundRobin, true),
            (Strategy::Unique, true),
        ] {
            let assignment = Assignment::new(&workload(strategy, 50), 7, 0, 1);
            let user = assignment.begin(&session);
            let others = (1..20).map(|again| assignment.instead(&session, user, again));
            assert_eq!(others.into_iter().all(|other| other == user), stays, "{strategy:?}");
            let next = assignment.go_on(&session, Some(9));
            assert_eq!(next == Some(9), strategy != Strategy::Random, "{strategy:?}");
        }
    }

    #[test]
    fn nobody_where_there_is_nobody() {
        let mut workload = workload(Strategy::Random, 5);
        workload.users = 0..0;
        assert_eq!(Assignment::new(&workload, 7, 0, 1).begin(&Session::new(0)), None);
    }
}
