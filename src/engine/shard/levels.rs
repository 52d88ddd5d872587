//! Sessions of the closed model that come and go with the level, and orders that change it.
//!
//! A lane's seats are in the order of their sessions' numbers, and those with the lowest are at
//! work: so any number of shards has the same ones at work at the same moment. A session whose
//! level is gone ends the operation that it is at, closes its connections, and rests; when the
//! level comes back it begins its program anew.

use std::sync::Arc;

use super::super::control::Level;
use super::super::seat::Waits;
use super::Shard;
use super::State;
use super::lane::{LaneState, Source};
use crate::net::Submissions;
use crate::plan::Plan;
use crate::stdx::Nanos;

impl Shard {
    /// As many of a lane's sessions go to work as its level says at its start.
    pub(super) fn start_levels(
        &mut self,
        index: usize,
        now: Nanos,
        submissions: &mut impl Submissions,
    ) {
        let lane = &mut self.lanes[index];
        if lane.is_open() {
            lane.at_work = lane.seats.end - lane.seats.start;
            return;
        }
        if lane.seats.is_empty() {
            // Nobody here comes or goes, and of an open load the level is a rate.
            return;
        }
        lane.changes_at = lane.levels.next_change(Nanos::ZERO);
        let first = lane.levels.sessions_at(Nanos::ZERO);
        self.set_level(index, first, Nanos::ZERO, now, submissions);
        self.follow_levels(index, now, submissions);
    }

    /// Lets sessions come and go as the level has changed until now.
    pub(super) fn follow_levels(
        &mut self,
        index: usize,
        now: Nanos,
        submissions: &mut impl Submissions,
    ) {
        let begin = self.start + self.lanes[index].start;
        let since = now.since(begin);
        while let Some(at) = self.lanes[index].changes_at.filter(|at| *at <= since) {
            let lane = &mut self.lanes[index];
            lane.changes_at = lane.levels.next_change(at);
            let level = lane.levels.sessions_at(at);
            self.set_level(index, level, at, now, submissions);
        }
        let lane = &mut self.lanes[index];
        // Other timers of the lane come here too: one entry for a change is enough.
        if let Some(at) = lane.changes_at.filter(|at| *at != lane.wakes_at) {
            lane.wakes_at = at;
            self.wheel.insert(begin + at, self.lane_key(index));
        }
    }

    /// From `at` on, since the lane's start, so many sessions are at work over all shards.
    fn set_level(
        &mut self,
        index: usize,
        level: u32,
        at: Nanos,
        now: Nanos,
        submissions: &mut impl Submissions,
    ) {
        let most = self.plan.workloads[self.lanes[index].workload].sessions;
        let lane = &mut self.lanes[index];
        // An order may ask for more sessions than there are.
        let level = level.min(most);
        let level_before = std::mem::replace(&mut lane.level, level);
        let (first, before) = (lane.seats.start, lane.at_work);
        let seats = lane.seats.start as usize..lane.seats.end as usize;
        let begin = self.start + lane.start + at;
        let here = self.seats.get(seats).unwrap_or_default();
        let after = here.partition_point(|seat| seat.mind.index() < u64::from(level));
        let after = u32::try_from(after).unwrap_or(u32::MAX);
        self.lanes[index].at_work = after;
        for seat in before..after {
            let start = begin + self.pace_of(first + seat, level_before);
            self.goes_to_work(first + seat, start, now, submissions);
        }
        for seat in after..before {
            self.goes_to_rest(first + seat, now, submissions);
        }
    }

    fn goes_to_work(
        &mut self,
        index: u32,
        start: Nanos,
        now: Nanos,
        submissions: &mut impl Submissions,
    ) {
        let is_fleet = self.workload(index).fleet.is_some();
        let stands = is_fleet && self.live_slot(index).is_some();
        let seat = &mut self.seats[index as usize];
        if seat.parked.is_some() || !matches!(seat.waits, Waits::Free | Waits::Over) {
            // It has not noticed that it was to rest.
            return;
        }
        if stands {
            // It stays open for an answer that is still awaited: then it need not be closed.
            return self.goes_live(index, now, submissions);
        }
        if seat.waits == Waits::Over {
            seat.mind.begin_again();
            seat.forget();
            (seat.pending, seat.was_open) = (None, false);
        }
        self.start_seat(index, start, false, now);
    }

    fn goes_to_rest(&mut self, index: u32, now: Nanos, submissions: &mut impl Submissions) {
        let seat = &self.seats[index as usize];
        let is_fleet = self.workload(index).fleet.is_some();
        match seat.waits {
            _ if seat.parked.is_some() => {}
            Waits::Thinking | Waits::Token | Waits::Live => self.rest(index, now, submissions),
            Waits::Ready if is_fleet => self.rest(index, now, submissions),
            // Who is at work finds out when that is done.
            Waits::Free | Waits::Ready | Waits::Busy | Waits::Answer | Waits::Over => {}
        }
    }

    /// Whether the level of the session is gone.
    pub(super) fn is_off(&self, index: u32) -> bool {
        let lane = &self.lanes[usize::from(self.seats[index as usize].lane)];
        index - lane.seats.start >= lane.at_work
    }

    /// The session does nothing until its level comes back, and has no connection meanwhile.
    pub(super) fn rest(&mut self, index: u32, now: Nanos, submissions: &mut impl Submissions) {
        self.retire(index, now, submissions);
        for slot in self.slots_of(index) {
            if self.state(slot) == State::Idle {
                self.close(slot, submissions);
            }
        }
    }

    /// The level is another from a moment on that all shards are told alike.
    pub fn change_level(&mut self, order: &Level, now: Nanos, submissions: &mut impl Submissions) {
        for index in 0..self.lanes.len() {
            let lane = &mut self.lanes[index];
            let wanted = order.workload.is_none_or(|workload| workload == lane.workload);
            if !wanted || lane.state == LaneState::Ended {
                continue;
            }
            let planned = self.plan.workloads[lane.workload].curve();
            let at = order.at.since(self.start + lane.start);
            lane.is_changed = true;
            // During a pause nothing else wakes the shard at the lane's end.
            let end = self.start + lane.until;
            if end < Nanos::MAX {
                self.wheel.insert(end.max(now), self.lane_key(index));
            }
            let lane = &mut self.lanes[index];
            match &mut lane.source {
                Source::Open(pacer) => pacer.change(|rate| order.apply(rate, at, &planned)),
                Source::Closed { .. } => order.apply(&mut lane.levels, at, &planned),
            }
            if lane.state == LaneState::Running && !lane.is_open() && !lane.seats.is_empty() {
                self.levels_changed(index, now, submissions);
            }
        }
    }

    /// The warm-up ends before its bound, at a moment that all shards are told alike: `plan` is the
    /// shard's own but for its `warmup`. Loads end so much earlier.
    pub fn end_warmup(&mut self, plan: Arc<Plan>, now: Nanos) {
        self.plan = plan;
        for index in 0..self.lanes.len() {
            let lane = &mut self.lanes[index];
            if lane.state == LaneState::Ended {
                continue;
            }
            let until = self.plan.workloads[lane.workload].end(self.plan.warmup);
            lane.until = lane.until.min(until);
            let (until, start) = (lane.until, lane.start);
            if let Source::Open(pacer) = &mut lane.source {
                pacer.stop(until.since(start));
            }
            // What lingers is woken at the end that was planned, which is too late now.
            let end = self.start + until;
            if lane.state == LaneState::Running && end < Nanos::MAX {
                self.wheel.insert(end.max(now), self.lane_key(index));
            }
        }
    }

    fn levels_changed(&mut self, index: usize, now: Nanos, submissions: &mut impl Submissions) {
        let lane = &mut self.lanes[index];
        let since = now.since(self.start + lane.start);
        lane.changes_at = lane.levels.next_change(since);
        let level = lane.levels.sessions_at(since);
        if level != lane.level {
            self.set_level(index, level, since, now, submissions);
        }
        self.follow_levels(index, now, submissions);
    }
}
