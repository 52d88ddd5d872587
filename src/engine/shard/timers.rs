//! Timers of a shard: deadlines of connections, pauses of sessions, tokens, starts of lanes.
//!
//! The wheel's keys are slots, then seats, then lanes, then users.

use super::super::seat::Waits;
use super::Shard;
use super::lane::LaneState;
use crate::net::Submissions;
use crate::stdx::Nanos;

impl Shard {
    fn seat_key(&self, seat: u32) -> u32 {
        super::len(&self.connections) + seat
    }

    pub(super) fn lane_key(&self, lane: usize) -> u32 {
        let lane = u32::try_from(lane).unwrap_or(u32::MAX);
        self.seat_key(super::len(&self.seats)).saturating_add(lane)
    }

    pub(super) fn user_key(&self, user: u32) -> u32 {
        self.lane_key(self.lanes.len()).saturating_add(user)
    }

    /// Fires the timers that are due.
    pub(super) fn fire(&mut self, now: Nanos, submissions: &mut impl Submissions) {
        let mut expired = std::mem::take(&mut self.expired);
        self.wheel.advance(now, |key, at| expired.push((key, at)));
        let (seats, lanes, users) = (self.seat_key(0), self.lane_key(0), self.user_key(0));
        for (key, at) in expired.drain(..) {
            match key {
                _ if key < seats => self.fire_slot(key, at, now, submissions),
                _ if key < lanes => self.fire_seat(key - seats, at, now, submissions),
                _ if key < users => self.fire_lane((key - lanes) as usize, now, submissions),
                _ => self.look_at_token(key - users, now),
            }
        }
        self.expired = expired;
    }

    fn fire_slot(&mut self, slot: u32, at: Nanos, now: Nanos, submissions: &mut impl Submissions) {
        let connection = &mut self.connections[slot as usize];
        if connection.wheel_at != at {
            // Of one slot of the wheel the later entry may come first; it stands no more.
            if connection.wheel_later == at {
                connection.wheel_later = Nanos::MAX;
            }
            return;
        }
        connection.wheel_at = std::mem::replace(&mut connection.wheel_later, Nanos::MAX);
        let deadline = connection.deadline;
        if deadline <= now {
            connection.deadline = Nanos::MAX;
            self.overdue(slot, now, submissions);
        } else if deadline < Nanos::MAX {
            self.arm(slot, deadline, now);
        }
    }

    /// Sets the moment at which the connection's present state is over. Costs the wheel nothing
    /// as long as an earlier entry stands.
    pub(super) fn arm(&mut self, slot: u32, deadline: Nanos, now: Nanos) {
        let connection = &mut self.connections[slot as usize];
        connection.deadline = deadline;
        if deadline < connection.wheel_at {
            connection.wheel_later = connection.wheel_later.min(connection.wheel_at);
            connection.wheel_at = deadline.max(now);
            self.wheel.insert(connection.wheel_at, slot);
        }
    }

    /// Wakes a session at `at`; an earlier timer of its own stands no more.
    pub(super) fn wake_seat(&mut self, seat: u32, at: Nanos, now: Nanos) {
        let at = at.max(now);
        self.seats[seat as usize].timer = at;
        let key = self.seat_key(seat);
        self.wheel.insert(at, key);
    }

    fn fire_seat(&mut self, index: u32, at: Nanos, now: Nanos, submissions: &mut impl Submissions) {
        let seat = &mut self.seats[index as usize];
        if seat.timer != at {
            return;
        }
        seat.timer = Nanos::MAX;
        match seat.waits {
            Waits::Ready | Waits::Thinking => self.make_ready(index),
            Waits::Token => self.tired_of_waiting(index, now, submissions),
            Waits::Live => self.speak(index, now, submissions),
            Waits::Free | Waits::Busy | Waits::Answer | Waits::Over => {}
        }
    }

    fn fire_lane(&mut self, lane: usize, now: Nanos, submissions: &mut impl Submissions) {
        let Some(at) = self.lanes.get(lane) else { return };
        let since = now.since(self.start);
        match at.state {
            LaneState::Waiting if since >= at.start => self.start_lane(lane, now, submissions),
            LaneState::Running if since >= at.until => self.end_lane(lane, now, submissions),
            LaneState::Running => {
                self.follow_levels(lane, now, submissions);
                self.tick(lane, now, submissions);
            }
            LaneState::Waiting | LaneState::Ended => {}
        }
    }
}
