//! The ids that replies gave: for each pool and user the newest few, and another user's where one
//! has none.

use std::collections::VecDeque;

use super::Draw;
use super::kept::{Kept, Kind};
use super::limits::{ID_BYTES_MAX, LOOKED_AT_MAX, MEASURES_MAX};
use super::share::Share;
use crate::plan::Plan;
use crate::plan::text::Choice;
use crate::stdx::Nanos;

/// The pools of one shard. A user without ids costs four bytes in each pool that any user has
/// ids in; a plan without users has one owner of all.
#[derive(Clone, Debug)]
pub struct Pools {
    share: Share,
    pools: Vec<Pool>,
    /// Ids that were too long to be kept.
    refused: u64,
    /// Messages whose id was not looked for among all ids.
    cut_short: u64,
}

/// One pool.
#[derive(Clone, Debug)]
struct Pool {
    keep: usize,
    /// For each owner where its ring is, as an index + 1; as long as the last owner needs it.
    homes: Vec<u32>,
    /// The ids of each owner who has any.
    rings: Vec<Ring>,
}

/// The ids of one owner, oldest first; never empty.
#[derive(Clone, Debug)]
struct Ring {
    entries: VecDeque<Entry>,
}

#[derive(Clone, Debug, Default)]
struct Entry {
    id: String,
    made_at: Nanos,
    /// One bit for each measure that was taken.
    measured: u64,
    /// Index of the request.
    made_by: u16,
    kind: Kind,
}

const _: () = assert!(size_of::<Entry>() <= 56, "a pool keeps some hundred for each user");

impl Pools {
    /// The pools of one shard's users.
    #[must_use]
    pub fn new(plan: &Plan, shard: u32) -> Self {
        let users = plan.people.as_ref().map_or(0, |people| people.count());
        let pool = |pool: &crate::plan::Pool| Pool::new(pool.keep);
        Self {
            share: Share::new(users, shard, plan.shards),
            pools: plan.pools.iter().map(pool).collect(),
            refused: 0,
            cut_short: 0,
        }
    }

    /// Keeps an id that request `made_by` has made; the user's oldest leaves if there are too
    /// many. False if it is empty or longer than [`ID_BYTES_MAX`]: then it is counted, and not
    /// kept.
    pub fn put(
        &mut self,
        pool: u16,
        user: Option<u32>,
        id: Kept<'_>,
        now: Nanos,
        made_by: u16,
    ) -> bool {
        let owner = self.owner(user);
        let fits = (1..=ID_BYTES_MAX).contains(&id.text.len());
        match self.pools.get_mut(usize::from(pool)) {
            Some(pool) if fits => {
                pool.put(owner, id, now, made_by);
                true
            }
            _ => {
                self.refused += 1;
                false
            }
        }
    }

    /// An id for a user. `Any` is its own if it has one, else another's of this shard; `Last` and
    /// `First` are its own; `Foreign` never is. Another's is drawn by owner first, so that one who
    /// has many is not met more often.
    #[must_use]
    pub fn get(
        &self,
        pool: u16,
        user: Option<u32>,
        choice: Choice,
        draw: &mut Draw,
    ) -> Option<Kept<'_>> {
        let pool = self.pools.get(usize::from(pool))?;
        let entry = pool.get(self.owner(user), choice, draw)?;
        Some(Kept { text: &entry.id, kind: entry.kind })
    }

    /// When the id was made by one of the requests `from`, once for each id and measure. The
    /// user's own are looked at first, newest first, then those of others; all in all no more
    /// than [`LOOKED_AT_MAX`], and what may be among the rest is counted.
    pub fn measure(
        &mut self,
        pool: u16,
        user: Option<u32>,
        id: &str,
        measure: u16,
        from: &[u16],
    ) -> Option<Nanos> {
        let owner = self.owner(user);
        let bit = 1_u64.checked_shl(u32::from(measure))?;
        let pool = self.pools.get_mut(usize::from(pool))?;
        match pool.made(owner, id, from) {
            Looked::Found(entry) if entry.measured & bit == 0 => {
                entry.measured |= bit;
                Some(entry.made_at)
            }
            Looked::Found(_) | Looked::Nowhere => None,
            Looked::CutShort => {
                self.cut_short += 1;
                None
            }
        }
    }

    /// Ids that were not kept because they were empty or longer than [`ID_BYTES_MAX`].
    #[must_use]
    pub const fn refused(&self) -> u64 {
        self.refused
    }

    /// Messages whose id may be one that was not looked at, for there are too many.
    #[must_use]
    pub const fn cut_short(&self) -> u64 {
        self.cut_short
    }

    /// The owner that a user is: its place on this shard. Sessions without a user are one more.
    fn owner(&self, user: Option<u32>) -> u32 {
        user.and_then(|user| self.share.place(user)).unwrap_or(self.share.count)
    }
}

const _: () = assert!(MEASURES_MAX == u64::BITS as usize, "one bit of `measured` for each");

/// What came of looking for an id.
enum Looked<'a> {
    Found(&'a mut Entry),
    Nowhere,
    CutShort,
}

impl Pool {
    fn new(keep: u32) -> Self {
        let keep = usize::try_from(keep.max(1)).unwrap_or(usize::MAX);
        Self { keep, homes: Vec::new(), rings: Vec::new() }
    }

    fn put(&mut self, owner: u32, id: Kept<'_>, now: Nanos, made_by: u16) {
        let at = self.home_of(owner);
        let Some(ring) = self.rings.get_mut(at) else { return };
        let full = ring.entries.len() >= self.keep;
        let mut entry = if full { ring.entries.pop_front() } else { None }.unwrap_or_default();
        entry.id.clear();
        entry.id.push_str(id.text);
        entry = Entry { made_at: now, measured: 0, made_by, kind: id.kind, ..entry };
        ring.entries.push_back(entry);
    }

    /// Where the owner's ring is, made if there is none.
    fn home_of(&mut self, owner: u32) -> usize {
        let owner_at = usize::try_from(owner).unwrap_or(usize::MAX);
        if self.homes.len() <= owner_at {
            self.homes.resize(owner_at + 1, 0);
        }
        if self.homes[owner_at] == 0 {
            self.rings.push(Ring { entries: VecDeque::new() });
            self.homes[owner_at] = u32::try_from(self.rings.len()).unwrap_or(u32::MAX);
        }
        self.homes[owner_at] as usize - 1
    }

    fn own(&self, owner: u32) -> Option<usize> {
        let home = *self.homes.get(usize::try_from(owner).ok()?)?;
        usize::try_from(home).ok()?.checked_sub(1)
    }

    fn get(&self, owner: u32, choice: Choice, draw: &mut Draw) -> Option<&Entry> {
        let own = self.own(owner);
        if let (Some(ring), false) =
            (own.and_then(|at| self.rings.get(at)), choice == Choice::Foreign)
        {
            return match choice {
                Choice::Any | Choice::Foreign => ring.any(draw),
                Choice::Last => ring.entries.back(),
                Choice::First => ring.entries.front(),
            };
        }
        match choice {
            Choice::Any | Choice::Foreign => {
                let others = self.rings.len() - usize::from(own.is_some());
                if others == 0 {
                    return None;
                }
                let at = draw.index(others);
                let behind_own = own.is_some_and(|own| at >= own);
                self.rings.get(at + usize::from(behind_own))?.any(draw)
            }
            Choice::Last | Choice::First => None,
        }
    }

    fn made(&mut self, owner: u32, id: &str, from: &[u16]) -> Looked<'_> {
        let own = self.own(owner);
        let others = (0..self.rings.len()).filter(|at| Some(*at) != own);
        let mut left = LOOKED_AT_MAX;
        let mut found = None;
        for at in own.into_iter().chain(others) {
            let Some(ring) = self.rings.get(at) else { continue };
            let newest = ring.entries.iter().enumerate().rev().take(left);
            let mut is_it = newest.filter(|(_, it)| it.id == id && from.contains(&it.made_by));
            if let Some((place, _)) = is_it.next() {
                found = Some((at, place));
                break;
            }
            if ring.entries.len() > left {
                return Looked::CutShort;
            }
            left -= ring.entries.len();
        }
        let entry = found.and_then(|(at, place)| self.rings.get_mut(at)?.entries.get_mut(place));
        entry.map_or(Looked::Nowhere, Looked::Found)
    }
}

impl Ring {
    fn any(&self, draw: &mut Draw) -> Option<&Entry> {
        self.entries.get(draw.index(self.entries.len()))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::kit::{CHOICES, plan};
    use super::super::limits::{ID_BYTES_MAX, LOOKED_AT_MAX};
    use super::super::{Draw, Kept};
    use super::Pools;
    use crate::plan::text::Choice;
    use crate::stdx::Nanos;
    use crate::stdx::rng::Rng;

    /// Every id that a choice can give.
    fn all(pools: &Pools, user: Option<u32>, choice: Choice) -> Vec<String> {
        let ids: BTreeSet<String> = (0..300)
            .filter_map(|turn| pools.get(0, user, choice, &mut Draw::new(1, 1, turn)))
            .map(|id| id.text.to_owned())
            .collect();
        ids.into_iter().collect()
    }

    fn put(pools: &mut Pools, user: u32, id: &str) {
        assert!(pools.put(0, Some(user), Kept::text(id), Nanos(u64::from(user)), 7));
    }

    #[test]
    fn own_first_else_shared() {
        let mut pools = Pools::new(&plan(1), 0);
        for choice in CHOICES {
            assert_eq!(pools.get(0, Some(1), choice, &mut Draw::new(1, 1, 1)), None, "empty");
        }
        for (user, id) in [(1, "a"), (1, "b"), (2, "c"), (1, "d"), (3, "e"), (2, "f")] {
            put(&mut pools, user, id);
        }
        assert_eq!(all(&pools, Some(1), Choice::Any), ["a", "b", "d"]);
        assert_eq!(all(&pools, Some(1), Choice::Last), ["d"]);
        assert_eq!(all(&pools, Some(1), Choice::First), ["a"]);
        assert_eq!(all(&pools, Some(1), Choice::Foreign), ["c", "e", "f"]);
        for nobody in [Some(4), Some(999), None] {
            assert_eq!(all(&pools, nobody, Choice::Any), ["a", "b", "c", "d", "e", "f"]);
            assert_eq!(all(&pools, nobody, Choice::Last), [""; 0], "others' have no order for it");
            assert_eq!(all(&pools, nobody, Choice::First), [""; 0]);
            assert_eq!(all(&pools, nobody, Choice::Foreign), ["a", "b", "c", "d", "e", "f"]);
        }
        assert_eq!(pools.get(1, Some(1), Choice::Any, &mut Draw::new(1, 1, 1)), None, "other pool");
    }

    #[test]
    fn only_own_is_not_foreign() {
        let mut pools = Pools::new(&plan(1), 0);
        put(&mut pools, 1, "a");
        assert_eq!(all(&pools, Some(1), Choice::Foreign), [""; 0]);
        assert_eq!(all(&pools, Some(2), Choice::Foreign), ["a"]);
    }

    #[test]
    fn a_plan_without_users_has_one_owner() {
        let mut plan = plan(2);
        plan.people = None;
        let mut pools = Pools::new(&plan, 1);
        assert!(pools.put(0, None, Kept::text("a"), Nanos::ZERO, 0));
        assert_eq!(all(&pools, None, Choice::Any), ["a"]);
        assert_eq!(all(&pools, None, Choice::Foreign), [""; 0]);
    }

    #[test]
    fn oldest_out_as_in_a_plain_list() {
        // The plain list: every id in the order of its making, the oldest found by search.
        let mut rng = Rng::stream(5, 0);
        for seed in 0..50 {
            let mut pools = Pools::new(&plan(1), 0);
            let mut list: Vec<(u32, String)> = Vec::new();
            for number in 0..200 {
                let user = u32::try_from(rng.below(6)).unwrap();
                let id = format!("{seed}-{number}");
                put(&mut pools, user, &id);
                list.push((user, id));
                if list.iter().filter(|(owner, _)| *owner == user).count() > 3 {
                    let oldest = list.iter().position(|(owner, _)| *owner == user).unwrap();
                    list.remove(oldest);
                }
                for asks in 0..8 {
                    let own: Vec<_> = list.iter().filter(|(owner, _)| *owner == asks).collect();
                    let draw = &mut Draw::new(seed, u64::from(asks), number);
                    let mut get = |choice| {
                        let got = pools.get(0, Some(asks), choice, draw);
                        got.map(|it| it.text.to_owned())
                    };
                    let id = |entry: Option<&&(u32, String)>| entry.map(|(_, id)| id.clone());
                    assert_eq!(get(Choice::First), id(own.first()));
                    assert_eq!(get(Choice::Last), id(own.last()));
                    let from: Vec<_> = if own.is_empty() { list.iter().collect() } else { own };
                    let any = get(Choice::Any).unwrap();
                    assert!(from.iter().any(|(_, id)| *id == any));
                    let foreign = pools.get(0, Some(asks), Choice::Foreign, draw);
                    let others = || list.iter().filter(|(owner, _)| *owner != asks);
                    assert_eq!(foreign.is_some(), others().count() > 0);
                    assert!(foreign.is_none_or(|id| others().any(|(_, it)| it == id.text)));
                }
            }
        }
    }

    #[test]
    fn ids_that_are_no_ids() {
        let mut pools = Pools::new(&plan(1), 0);
        let long = "x".repeat(ID_BYTES_MAX + 1);
        assert!(pools.put(0, Some(1), Kept::text(&long[1..]), Nanos::ZERO, 0));
        assert!(!pools.put(0, Some(1), Kept::text(&long), Nanos::ZERO, 0));
        assert!(!pools.put(0, Some(1), Kept::text(""), Nanos::ZERO, 0));
        assert_eq!(pools.refused(), 2);
        assert_eq!(all(&pools, Some(1), Choice::Any), [&long[1..]]);
    }

    #[test]
    fn measured_once_for_each_measure() {
        let mut pools = Pools::new(&plan(1), 0);
        put(&mut pools, 1, "a");
        put(&mut pools, 2, "b");
        assert_eq!(pools.measure(0, Some(1), "a", 0, &[3]), None, "another request made it");
        assert_eq!(pools.measure(0, Some(1), "a", 0, &[3, 7]), Some(Nanos(1)));
        assert_eq!(pools.measure(0, Some(1), "a", 0, &[7]), None, "once");
        assert_eq!(pools.measure(0, Some(1), "a", 63, &[7]), Some(Nanos(1)), "another measure");
        assert_eq!(pools.measure(0, Some(1), "a", 64, &[7]), None, "there are no more");
        assert_eq!(pools.measure(0, Some(1), "b", 0, &[7]), Some(Nanos(2)), "another's");
        assert_eq!(pools.measure(0, Some(2), "b", 0, &[7]), None, "which that has been, too");
        assert_eq!(pools.measure(0, Some(1), "c", 0, &[7]), None);
        // A new id in the same place is measured anew, the newest of two first.
        for id in ["x", "y", "a", "a"] {
            assert!(pools.put(0, Some(1), Kept::text(id), Nanos(100), 7));
        }
        assert_eq!(pools.measure(0, Some(1), "a", 0, &[7]), Some(Nanos(100)));
        assert_eq!(pools.cut_short(), 0);
    }

    #[test]
    fn looking_for_an_id_is_bounded_and_that_is_seen() {
        let mut plan = plan(1);
        plan.pools[0].keep = 5_000;
        let mut pools = Pools::new(&plan, 0);
        for number in 0..2_000 {
            put(&mut pools, 1, &number.to_string());
        }
        let within = 2_000 - LOOKED_AT_MAX;
        assert!(pools.measure(0, Some(1), &within.to_string(), 0, &[7]).is_some());
        assert_eq!(pools.measure(0, Some(1), &(within - 1).to_string(), 0, &[7]), None);
        assert_eq!(pools.cut_short(), 1);
    }

    #[test]
    fn a_million_users_without_ids_cost_little() {
        let mut plan = plan(1);
        plan.people.as_mut().unwrap().groups[0].count = 1_000_000;
        let mut pools = Pools::new(&plan, 0);
        assert_eq!(pools.pools[0].homes.capacity(), 0);
        put(&mut pools, 999_999, "a");
        let homes = pools.pools[0].homes.capacity() * size_of::<u32>();
        assert!(homes <= 8_000_000 && pools.pools[0].rings.len() == 1);
        assert_eq!(pools.pools[1].homes.capacity(), 0, "pools without ids cost nothing");
    }

    #[test]
    fn no_memory_is_asked_for_once_a_pool_is_full() {
        let mut pools = Pools::new(&plan(1), 0);
        let fill = |pools: &mut Pools| {
            for number in 0..100 {
                put(pools, number % 4, &format!("id-{number:04}"));
            }
        };
        fill(&mut pools);
        let buffers = |pools: &Pools| -> BTreeSet<*const u8> {
            let rings = pools.pools[0].rings.iter();
            rings.flat_map(|ring| &ring.entries).map(|entry| entry.id.as_ptr()).collect()
        };
        let before = buffers(&pools);
        fill(&mut pools);
        assert_eq!(buffers(&pools), before);
    }
}
