//! Which user a session is: the one seam where ways to choose are added.

use std::ops::Range;

use super::Session;
use crate::plan::weights::on_shard;
use crate::plan::{People, Strategy, Workload};

/// How the sessions of one workload on one shard get their users. A user lives on the shard that
/// is its index modulo their number; each session has one to choose from on its own shard.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    /// Drawn by weight: the groups that have users on this shard.
    groups: Box<[Drawn]>,
    seed: u64,
}

/// A group's users on a shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Drawn {
    /// The sum of the weights up to and with this one.
    end: u64,
    /// Its first user here.
    first: u32,
    /// How many of them live here.
    here: u32,
}

/// Keeps the choice of a group and that of its user apart.
const GROUPS: u64 = 0x6772_6f75;

impl Assignment {
    /// The users of a workload, as a shard sees them.
    #[must_use]
    pub fn new(
        workload: &Workload,
        people: Option<&People>,
        seed: u64,
        shard: u32,
        shards: u32,
    ) -> Self {
        let shards = shards.max(1);
        let (strategy, users) = (workload.strategy, &workload.users);
        let (first, here) = on_shard(users, shard, shards);
        let groups = match people {
            Some(people) if strategy == Strategy::Weighted => drawn(people, users, shard, shards),
            _ => Box::default(),
        };
        let count = users.end.saturating_sub(users.start);
        Self { strategy, start: users.start, count, first, shards, here, groups, seed }
    }

    /// The user that a session begins with; none if the workload has none.
    #[must_use]
    pub fn begin(&self, session: &Session) -> Option<u32> {
        let turn = session.index().checked_rem(u64::from(self.count))?;
        match self.strategy {
            Strategy::RoundRobin | Strategy::Unique => Some(self.start + u32::try_from(turn).ok()?),
            Strategy::Random | Strategy::Sticky => self.any(session, 0),
            Strategy::Weighted => self.weighted(session, 0),
        }
    }

    /// Whose an arrival is, whichever session takes it: a function of the seed and its number
    /// alone. None where the session decides.
    #[must_use]
    pub fn of_arrival(&self, index: u64) -> Option<u32> {
        let session = Session::new(index);
        match self.strategy {
            Strategy::RoundRobin => self.begin(&session),
            Strategy::Random | Strategy::Weighted => self.go_on(&session, None),
            Strategy::Sticky | Strategy::Unique => None,
        }
    }

    /// The user of a session's next iteration, or of an arrival that takes the place of `user`.
    #[must_use]
    pub fn go_on(&self, session: &Session, user: Option<u32>) -> Option<u32> {
        match self.strategy {
            Strategy::Random => self.any(session, 0),
            Strategy::Weighted => self.weighted(session, 0),
            Strategy::RoundRobin | Strategy::Sticky | Strategy::Unique => user,
        }
    }

    /// Another user for a session whose own can get no token, drawn for the `again`-th time; the
    /// same one where the strategy allows no other.
    #[must_use]
    pub fn instead(&self, session: &Session, user: Option<u32>, again: u32) -> Option<u32> {
        match self.strategy {
            Strategy::Random | Strategy::Sticky => self.any(session, again),
            Strategy::Weighted => self.weighted(session, again),
            Strategy::RoundRobin | Strategy::Unique => user,
        }
    }

    /// Any of the users on this shard.
    fn any(&self, session: &Session, again: u32) -> Option<u32> {
        let chosen = session.choose_user(self.seed, again, u64::from(self.here));
        let place = u32::try_from(chosen).ok()?;
        (self.here > 0).then(|| self.first + place * self.shards)
    }

    /// A group by its weight, then any of its users on this shard. None where only groups of
    /// weight nothing live here, which no run has: `Plan::shards_by_weight` bounds its shards.
    fn weighted(&self, session: &Session, again: u32) -> Option<u32> {
        let total = self.groups.last()?.end;
        let point = session.choose_user(self.seed ^ GROUPS, again, total);
        let chosen = self.groups.partition_point(|group| group.end <= point);
        let group = self.groups.get(chosen)?;
        let place = session.choose_user(self.seed, again, u64::from(group.here));
        Some(group.first + u32::try_from(place).ok()? * self.shards)
    }
}

/// The groups that can be drawn on a shard.
fn drawn(people: &People, users: &Range<u32>, shard: u32, shards: u32) -> Box<[Drawn]> {
    let mut end = 0;
    let groups = people.groups_in(users).filter_map(|(group, users)| {
        let (first, here) = on_shard(&users, shard, shards);
        (group.weight > 0 && here > 0).then(|| {
            end += u64::from(group.weight);
            Drawn { end, first, here }
        })
    });
    groups.collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::Assignment;
    use crate::plan::{Group, People, Strategy, Text, Workload};
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
            let assignment = Assignment::new(&workload, None, 7, shard, shards);
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
                let assignment = Assignment::new(&workload, None, 7, shard, shards);
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
            (Strategy::Weighted, false),
            (Strategy::Sticky, false),
            (Strategy::RoundRobin, true),
            (Strategy::Unique, true),
        ] {
            let people = people(&[(3, 9), (4, 3), (16, 1)]);
            let assignment = Assignment::new(&workload(strategy, 50), Some(&people), 7, 0, 1);
            let user = assignment.begin(&session);
            let others = (1..20).map(|again| assignment.instead(&session, user, again));
            assert_eq!(others.into_iter().all(|other| other == user), stays, "{strategy:?}");
            let next = assignment.go_on(&session, Some(9));
            let stays = !matches!(strategy, Strategy::Random | Strategy::Weighted);
            assert_eq!(next == Some(9), stays, "{strategy:?}");
        }
    }

    /// Groups of so many users each with a weight, which begin at user 0.
    fn people(groups: &[(u32, u32)]) -> People {
        let group = |(count, weight): &(u32, u32)| Group {
            name: String::new(),
            role: String::new(),
            count: *count,
            first: 1,
            weight: *weight,
            email: (String::new(), String::new()),
            password: Text::default(),
            sources: Vec::new(),
        };
        People { groups: groups.iter().map(group).collect(), auth: None }
    }

    #[test]
    fn groups_are_drawn_by_weight_and_each_of_a_group_is_as_likely() {
        // Users 0 to 2 are of nobody's workload, 3 to 6, 7 to 18 and 19 to 22 are; the last draw
        // nothing.
        let people = people(&[(3, 9), (4, 3), (12, 1), (4, 0)]);
        let workload = workload(Strategy::Weighted, 40_000);
        for shards in [1, 2, 4] {
            let mut seen = [0_u32; 23];
            for shard in 0..shards {
                let assignment = Assignment::new(&workload, Some(&people), 7, shard, shards);
                for index in workload.sessions_on(shard, shards) {
                    let user = assignment.begin(&Session::new(u64::from(index))).unwrap();
                    assert_eq!(user % shards, shard, "a user lives on its sessions' shard");
                    seen[user as usize] += 1;
                }
            }
            let users =
                (3..19).map(|user| (seen[user], if user < 7 { 7_500.0 } else { 2_500.0 / 3.0 }));
            // Chi-square with 15 degrees of freedom: 37.7 is the 0.1 % point.
            let chi: f64 = users.map(|(n, all)| (f64::from(n) - all).powi(2) / all).sum();
            assert!(chi < 37.7, "{shards} shards, chi-square {chi}: {seen:?}");
            assert_eq!(seen[3..19].iter().sum::<u32>(), 40_000, "{shards} shards: {seen:?}");
        }
    }

    /// Another draw for each iteration, the same again for the same seed.
    #[test]
    fn a_draw_by_weight_repeats_and_goes_on() {
        let people = people(&[(3, 9), (4, 3), (12, 1), (4, 2)]);
        let workload = workload(Strategy::Weighted, 50);
        let draws = |seed| {
            let assignment = Assignment::new(&workload, Some(&people), seed, 0, 1);
            let users = (0..50).map(|index| assignment.go_on(&Session::new(index), Some(3)));
            users.collect::<Vec<_>>()
        };
        assert_eq!(draws(7), draws(7));
        assert_ne!(draws(7), draws(8));
        // Weightless groups alone draw nobody.
        let nobody = self::people(&[(3, 9), (20, 0)]);
        let assignment = Assignment::new(&workload, Some(&nobody), 7, 0, 1);
        assert_eq!(assignment.begin(&Session::new(0)), None);
    }

    #[test]
    fn nobody_where_there_is_nobody() {
        let mut workload = workload(Strategy::Random, 5);
        workload.users = 0..0;
        assert_eq!(Assignment::new(&workload, None, 7, 0, 1).begin(&Session::new(0)), None);
    }
}
