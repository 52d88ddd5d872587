//! WebSocket sessions that stay open, and speak by the clock.

use super::super::seat::Waits;
use super::Shard;
use super::lane::LaneState;
use crate::metrics::Counter;
use crate::net::Submissions;
use crate::stdx::{Nanos, rng};

/// Keeps the choices of phases and samples apart from others.
const PHASE: u64 = 0x7068_6173;
const SAMPLE: u64 = 0x7361_6d70;

impl Shard {
    /// A fleet's session is open: it speaks first after a part of the period that is its own, so
    /// that the fleet does not speak in waves.
    pub(super) fn goes_live(&mut self, index: u32, now: Nanos, submissions: &mut impl Submissions) {
        self.seats[index as usize].waits = Waits::Live;
        if self.lane(index).state == LaneState::Ended {
            return self.retire(index, now, submissions);
        }
        if self.is_off(index) {
            return self.rest(index, now, submissions);
        }
        let seed = self.plan.seed ^ PHASE;
        let number = self.seats[index as usize].mind.index();
        let Some(fleet) = &self.workload(index).fleet else { return };
        if fleet.message.is_none() || fleet.sample.is_some() {
            return;
        }
        let due = now + Nanos(rng::choice(seed, number, 0, fleet.every.0));
        self.speak_at(index, due, now);
    }

    fn speak_at(&mut self, index: u32, due: Nanos, now: Nanos) {
        self.seats[index as usize].due = due;
        let until = self.lane(index).until;
        if due.since(self.start) < until {
            self.wake_seat(index, due, now);
        }
    }

    /// It is the session's turn to speak.
    pub(super) fn speak(&mut self, index: u32, now: Nanos, submissions: &mut impl Submissions) {
        let Some(fleet) = &self.workload(index).fleet else { return };
        let (Some(message), every) = (fleet.message, fleet.every) else { return };
        let due = self.seats[index as usize].due;
        self.send_message(index, message, due, false, now, submissions);
        self.speak_at(index, due + every, now);
    }

    /// From when on samples of the fleet speak.
    pub(super) fn start_ticks(&mut self, lane: usize, start: Nanos) {
        let Some(fleet) = &self.plan.workloads[self.lanes[lane].workload].fleet else { return };
        if fleet.message.is_some() && fleet.sample.is_some() {
            let at = start + fleet.every;
            self.lanes[lane].tick_at = at;
            self.wheel.insert(at, self.lane_key(lane));
        }
    }

    /// A sample of the fleet speaks: drawn over all shards, each of which finds its own in it.
    pub(super) fn tick(&mut self, lane: usize, now: Nanos, submissions: &mut impl Submissions) {
        let due = self.lanes[lane].tick_at;
        let workload = &self.plan.workloads[self.lanes[lane].workload];
        let Some(fleet) = &workload.fleet else { return };
        let (Some(sample), Some(message), every) = (fleet.sample, fleet.message, fleet.every)
        else {
            return;
        };
        if now < due {
            return;
        }
        let (sessions, tick) = (u64::from(self.lanes[lane].level), self.lanes[lane].ticks);
        let seed = self.plan.seed ^ SAMPLE;
        for place in 0..u64::from(sample).min(sessions) {
            let chosen = rng::choice(seed, tick, place, sessions);
            let Some(seat) = self.seat_numbered(lane, chosen) else { continue };
            if self.seats[seat as usize].waits == Waits::Live {
                self.send_message(seat, message, due, false, now, submissions);
            } else {
                self.recorder.count(Counter::WsMsgsSkipped);
            }
        }
        self.lanes[lane].ticks += 1;
        let next = due + every;
        self.lanes[lane].tick_at = next;
        if next.since(self.start) < self.lanes[lane].until {
            self.wheel.insert(next, self.lane_key(lane));
        }
    }

    /// The seat of a session, by its index over all shards, if it is here.
    fn seat_numbered(&self, lane: usize, index: u64) -> Option<u32> {
        let seats = self.lanes[lane].seats.clone();
        let here = self.seats.get(seats.start as usize..seats.end as usize)?;
        let place = here.binary_search_by_key(&index, |seat| seat.mind.index()).ok()?;
        Some(seats.start + u32::try_from(place).ok()?)
    }

    /// Nothing of a lane falls due any more: who only waits is over, who is at work ends that.
    pub(super) fn end_lane(
        &mut self,
        index: usize,
        now: Nanos,
        submissions: &mut impl Submissions,
    ) {
        self.lanes[index].state = LaneState::Ended;
        for seat in self.lanes[index].seats.clone() {
            if self.seats[seat as usize].parked.is_some() {
                // At work: its operation is sent once more, or has failed when its time is up.
                continue;
            }
            match self.seats[seat as usize].waits {
                Waits::Thinking | Waits::Token | Waits::Live => {
                    self.retire(seat, now, submissions);
                }
                Waits::Ready if self.workload(seat).fleet.is_some() => {
                    self.retire(seat, now, submissions);
                }
                Waits::Free | Waits::Ready | Waits::Busy | Waits::Answer | Waits::Over => {}
            }
        }
    }
}
