//! The stages of a shard, and its turn.
//!
//! ```text
//!  SetUp ──► Ahead ──► Ready ──► Running ──► Draining ──► Leaving ──► Done
//!  users     connections  start    load       stop        tokens
//! ```
//! Without users there is neither `SetUp` nor `Leaving`.

use super::super::limits::LOGOUTS;
use super::Shard;
use super::lane::{Lane, LaneState};
use crate::net::{Completions, Submissions};
use crate::plan::{Instruction, Opening};
use crate::stdx::Nanos;

/// How far the shard is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Users are registered and logged in.
    SetUp,
    /// Opening connections ahead of the run: the next slot to open, and connects in flight.
    Ahead { next: u32, pending: u32 },
    /// Waiting for the start.
    Ready,
    /// Under load.
    Running,
    /// Nothing new falls due.
    Draining,
    /// Tokens are given back, until then at most.
    Leaving { until: Nanos },
    /// All is over.
    Done,
}

/// What a turn says to its driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Next {
    /// Turn again at the latest then.
    pub wake_at: Option<Nanos>,
    /// Connections are open; the load may begin.
    pub ready: bool,
    /// Every due operation has ended.
    pub finished: bool,
    /// Worth spinning for, shortly before `wake_at`.
    pub precise: bool,
}

impl Shard {
    pub(super) fn first_stage(&self) -> Stage {
        if self.keeper.is_some() { Stage::SetUp } else { self.stage_ahead() }
    }

    /// The stage that opens connections, if any are to be opened ahead.
    pub(super) fn stage_ahead(&self) -> Stage {
        let ahead = |workload: &crate::plan::Workload| {
            workload.opening == Opening::Ahead && workload.fleet.is_none()
        };
        if self.plan.workloads.iter().any(ahead) {
            Stage::Ahead { next: 0, pending: 0 }
        } else {
            Stage::Ready
        }
    }

    /// Begins the load at `start`, which may lie ahead.
    pub fn begin(&mut self, start: Nanos) {
        self.start = start;
        self.stage = Stage::Ready;
    }

    /// Lets nothing new fall due after `now`, and drops what waits.
    pub fn stop(&mut self, now: Nanos, submissions: &mut impl Submissions) {
        let since = (now >= self.start).then(|| now.since(self.start));
        for lane in &mut self.lanes {
            lane.stop(since);
        }
        self.drop_waiting(now);
        if !matches!(self.stage, Stage::Leaving { .. } | Stage::Done) {
            self.stage = Stage::Draining;
        }
        for lane in 0..self.lanes.len() {
            self.end_lane(lane, now, submissions);
        }
    }

    /// One turn: settles all completions, then fires timers, then begins what is due.
    pub fn turn(
        &mut self,
        now: Nanos,
        completions: &mut impl Completions,
        submissions: &mut impl Submissions,
    ) -> Next {
        self.now = now;
        while let Some(completion) = completions.next() {
            self.complete(completion, now, submissions);
        }
        self.fire(now, submissions);
        match self.stage {
            Stage::SetUp => self.set_up(now, submissions),
            Stage::Ahead { .. } => self.open_ahead(now, submissions),
            Stage::Ready if now >= self.start => self.start_load(now, submissions),
            Stage::Ready | Stage::Leaving { .. } | Stage::Done => {}
            Stage::Running | Stage::Draining => self.begin_due(now, submissions),
        }
        self.make_calls(now, submissions);
        self.leave(now);
        self.recorder.counts().turns += 1;
        self.next(now)
    }

    fn start_load(&mut self, now: Nanos, submissions: &mut impl Submissions) {
        self.stage = Stage::Running;
        for lane in 0..self.lanes.len() {
            let at = self.start + self.lanes[lane].start;
            if at <= now {
                self.start_lane(lane, now, submissions);
            } else {
                self.wheel.insert(at, self.lane_key(lane));
            }
        }
        self.begin_due(now, submissions);
    }

    /// A lane's sessions are free to go on.
    pub(super) fn start_lane(
        &mut self,
        index: usize,
        now: Nanos,
        submissions: &mut impl Submissions,
    ) {
        let lane = &mut self.lanes[index];
        if lane.state != LaneState::Waiting {
            return;
        }
        lane.state = LaneState::Running;
        let start = self.start + lane.start;
        let (seats, is_open, end) = (lane.seats.clone(), lane.is_open(), self.start + lane.until);
        if self.lingers(index) && end < Nanos::MAX {
            self.wheel.insert(end, self.lane_key(index));
        }
        self.start_levels(index, now, submissions);
        for seat in seats.filter(|_| is_open) {
            let start = start + self.pace_of(seat, 0);
            self.start_seat(seat, start, is_open, now);
        }
        self.start_ticks(index, start);
    }

    /// Whether sessions of it may have something under way beside operations.
    fn lingers(&self, lane: usize) -> bool {
        let workload = &self.plan.workloads[self.lanes[lane].workload];
        let pauses = |instruction: &Instruction| {
            matches!(instruction, Instruction::Think { .. } | Instruction::Open(_))
        };
        self.keeper.is_some()
            || workload.fleet.is_some()
            || workload.levels.is_some()
            || workload.program.instructions.iter().any(pauses)
    }

    /// When everything has ended: gives tokens back, then it is done.
    fn leave(&mut self, now: Nanos) {
        match self.stage {
            Stage::Running | Stage::Draining if self.is_drained(now) => {
                self.stage = if self.start_logout() {
                    Stage::Leaving { until: now + LOGOUTS }
                } else {
                    Stage::Done
                };
            }
            Stage::Leaving { until } if now >= until || self.logouts_done() => {
                self.stage = Stage::Done;
            }
            _ => {}
        }
    }

    fn is_drained(&self, now: Nanos) -> bool {
        let since = now.since(self.start);
        self.recorder.in_flight() == 0
            && self.sockets == 0
            && self.lanes.iter().all(|lane| lane.is_exhausted(since) && lane.begun == lane.ended)
    }

    fn next(&mut self, now: Nanos) -> Next {
        let timer = self.wheel.next_due();
        let work = match self.stage {
            Stage::SetUp | Stage::Ahead { .. } | Stage::Done => None,
            Stage::Ready => Some(self.start).filter(|start| *start < Nanos::MAX),
            Stage::Leaving { until } => Some(until),
            Stage::Running | Stage::Draining => {
                let lanes = 0..self.lanes.len();
                lanes.filter_map(|lane| self.next_of_lane(lane, now)).min()
            }
        };
        Next {
            wake_at: [timer, work].into_iter().flatten().min(),
            ready: !matches!(self.stage, Stage::SetUp | Stage::Ahead { .. }),
            finished: self.stage == Stage::Done,
            precise: self.lanes.iter().any(Lane::spins),
        }
    }

    fn next_of_lane(&mut self, index: usize, now: Nanos) -> Option<Nanos> {
        let lane = &self.lanes[index];
        if lane.state == LaneState::Waiting {
            return None;
        }
        if !lane.offered.is_empty() {
            return Some(now);
        }
        self.next_arrival(index).map(|at| at.max(now))
    }
}
