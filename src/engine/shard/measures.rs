//! Times from a step that made something to the message that tells of it.
//!
//! What was made is remembered in a pool, and leaves that soon under load. So when a message
//! speaks of it, the moment at which it was made is kept beside the WebSocket.

use super::super::socket::Watched;
use super::Shard;
use super::answers::user;
use crate::session::extract;
use crate::session::judge::matches;
use crate::stdx::{Fnv, Nanos};

impl Shard {
    /// A message that is sent may speak of something that a step has made.
    pub(super) fn begin_measures(&mut self, index: u32, slot: u32, bytes: &[u8]) {
        let workload = self.lane(index).workload;
        let owner = user(self.seats[index as usize].user);
        let Self { plan, pools, judging, connections, .. } = self;
        for (number, measure) in (0..).zip(&plan.measures) {
            if usize::from(measure.workload) != workload {
                continue;
            }
            let found = extract::first(bytes, &measure.by);
            let Some(id) = found.as_ref().and_then(|found| found.text(&mut judging.text)) else {
                continue;
            };
            let made = pools.measure(measure.pool, owner, id, number, &measure.from);
            if let (Some(made), Some(side)) = (made, &mut connections[slot as usize].side) {
                side.watch(Watched { measure: number, key: hash(id), made });
            }
        }
    }

    /// A message may tell of something that a step has made.
    pub(super) fn end_measures(&mut self, slot: u32, bytes: &[u8], now: Nanos) {
        let Some(index) = self.seat_of(slot) else { return };
        let workload = self.lane(index).workload;
        let mut judging = std::mem::take(&mut self.judging);
        for number in 0..self.plan.measures.len() {
            let measure = &self.plan.measures[number];
            if usize::from(measure.workload) != workload {
                continue;
            }
            let mut draw = self.seats[index as usize].mind.draw(self.plan.seed);
            let speaker = self.speaker(index, now);
            if !matches(&measure.until, bytes, &speaker, &mut draw, &mut judging.scratch) {
                continue;
            }
            let found = extract::first(bytes, &measure.by);
            let Some(id) = found.as_ref().and_then(|found| found.text(&mut judging.text)) else {
                continue;
            };
            let which = u16::try_from(number).unwrap_or(u16::MAX);
            let owner = user(self.seats[index as usize].user);
            let Self { plan, pools, connections, .. } = self;
            let measure = &plan.measures[number];
            let side = connections[slot as usize].side.as_mut();
            let made = side.and_then(|side| side.seen(which, hash(id)));
            let made =
                made.or_else(|| pools.measure(measure.pool, owner, id, which, &measure.from));
            if let Some(made) = made {
                let timed = self.plan.timed().measure(number);
                self.recorder.timed(timed, now.since(made));
            }
        }
        self.judging = judging;
    }
}

fn hash(id: &str) -> u64 {
    let mut hash = Fnv::new();
    hash.part(id.as_bytes());
    hash.value()
}
