//! The ids that replies gave: for each pool and user the newest few, and another user's where one
//! has none.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

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
    /// The ring that got the newest id.
    newest: usize,
    /// Each ring by the number of its oldest id. Numbers may be out of date, which is too low;
    /// the first one never is.
    oldest: BinaryHeap<Reverse<(u64, u32)>>,
    /// The number of the next id.
    next: u64,
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
    /// Counts all ids of the pool.
    number: u64,
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

    /// An id for a user: its own if it has any, else another's of this shard; `Foreign` never its
    /// own. Another's is drawn by owner first, so that one who has many is not met more often.
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
        let (homes, rings, oldest) = (Vec::new(), Vec::new(), BinaryHeap::new());
        Self { keep, homes, rings, newest: 0, oldest, next: 0 }
    }

    fn put(&mut self, owner: u32, id: Kept<'_>, now: Nanos, made_by: u16) {
        let at = self.home_of(owner);
        let Some(ring) = self.rings.get_mut(at) else { return };
        let full = ring.entries.len() >= self.keep;
        let mut entry = if full { ring.entries.pop_front() } else { None }.unwrap_or_default();
        entry.id.clear();
        entry.id.push_str(id.text);
        entry = Entry { made_at: now, number: self.next, measured: 0, made_by, ..entry };
        entry.kind = id.kind;
        if ring.entries.is_empty() && !full {
            self.oldest.push(Reverse((self.next, u32::try_from(at).unwrap_or(u32::MAX))));
        }
        ring.entries.push_back(entry);
        self.newest = at;
        self.next += 1;
        self.settle();
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

    /// Brings the first of `oldest` up to date. Each put makes at most one of them out of date, so
    /// that this costs no more than one step for each put in the long run.
    fn settle(&mut self) {
        while let Some(mut first) = self.oldest.peek_mut() {
            let Reverse((number, at)) = *first;
            let Some(actual) = self.rings.get(at as usize).and_then(|it| it.entries.front()) else {
                return;
            };
            if actual.number == number {
                return;
            }
            *first = Reverse((actual.number, at));
        }
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
            Choice::Last => self.rings.get(self.newest)?.entries.back(),
            Choice::First => {
                let Reverse((_, at)) = *self.oldest.peek()?;
                self.rings.get(at as usize)?.entries.front()
            }
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
