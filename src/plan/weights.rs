//! Users by weight: the groups that a workload draws from, shard by shard.

use std::ops::Range;

use super::{Group, People, Plan, Strategy};

/// The first of a range of users on a shard, and how many of them live there: that one, and every
/// so many behind it as there are shards. A user lives on the shard that is its index modulo their
/// number.
#[must_use]
pub fn on_shard(users: &Range<u32>, shard: u32, shards: u32) -> (u32, u32) {
    let shards = shards.max(1);
    let first = users.start + (shard + shards - users.start % shards) % shards;
    (first, users.end.saturating_sub(first).div_ceil(shards))
}

impl People {
    /// The groups with users in a range, each with those users.
    pub fn groups_in(&self, users: &Range<u32>) -> impl Iterator<Item = (&Group, Range<u32>)> {
        let users = users.clone();
        let mut end = 0;
        let ranges = self.groups.iter().map(move |group| {
            let start = end;
            end += group.count;
            (group, start.max(users.start)..end.min(users.end))
        });
        ranges.filter(|(_, users)| !users.is_empty())
    }
}

impl Plan {
    /// The most shards on which users drawn by weight are drawn by just these weights: each then
    /// has a user of each group. None where no workload draws by weight.
    #[must_use]
    pub fn shards_by_weight(&self) -> Option<u32> {
        let people = self.people.as_ref()?;
        let drawing = self.workloads.iter().filter(|it| it.strategy == Strategy::Weighted);
        let groups = drawing.flat_map(|workload| people.groups_in(&workload.users));
        let weighed = groups.filter(|(group, _)| group.weight > 0);
        weighed.map(|(_, users)| users.end - users.start).min()
    }
}

#[cfg(test)]
mod tests {
    use super::on_shard;

    #[test]
    fn each_user_is_on_one_shard() {
        for shards in 1..=7 {
            for (start, end) in [(0, 20), (3, 23), (5, 6), (9, 9)] {
                let mut users = Vec::new();
                for shard in 0..shards {
                    let (first, count) = on_shard(&(start..end), shard, shards);
                    users.extend((0..count).map(|place| first + place * shards));
                    assert!(users.iter().rev().take(count as usize).all(|it| it % shards == shard));
                }
                users.sort_unstable();
                assert_eq!(users, (start..end).collect::<Vec<_>>(), "{shards} shards");
            }
        }
    }
}
