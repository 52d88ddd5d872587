//! A workload's part of a shard: its sessions, its queues, and where its operations come from.

use std::collections::VecDeque;
use std::num::{NonZeroU32, NonZeroU64};
use std::ops::Range;

use super::super::pacer::{Owner, Pacer};
use crate::plan::{
    Answer, Curve, Instruction, Load, Mix, Pacing, Phase, Plan, Spacing, Strategy, Until, Workload,
};
use crate::session::Assignment;
use crate::stdx::Nanos;

/// A workload's part of a shard.
pub(super) struct Lane {
    /// Index into the plan's workloads.
    pub(super) workload: usize,
    /// Its seats.
    pub(super) seats: Range<u32>,
    /// How they get their users.
    pub(super) users: Assignment,
    /// The requests by weight, where each iteration is one of them and nothing else: then nothing
    /// is interpreted, and an iteration lasts as long as its request.
    pub(super) mix: Option<(Mix, Box<[u16]>)>,
    pub(super) source: Source,
    pub(super) state: LaneState,
    /// When it begins, since the start of the load.
    pub(super) start: Nanos,
    /// No operation is due from then on, since the start of the load.
    pub(super) until: Nanos,
    /// Seats that could go on when they were put here.
    pub(super) offered: VecDeque<u32>,
    /// Open model: seats that are free, with a connection and without.
    pub(super) idle: VecDeque<u32>,
    pub(super) vacant: VecDeque<u32>,
    /// Open model: iterations begun and ended.
    pub(super) begun: u64,
    /// See `begun`.
    pub(super) ended: u64,
    /// Whether something looks at the messages that its WebSockets receive, and whether they are
    /// kept for steps to come.
    pub(super) reads_messages: bool,
    /// See `reads_messages`.
    pub(super) keeps_messages: bool,
    /// When a sample of the fleet speaks next, and how often it has.
    pub(super) tick_at: Nanos,
    pub(super) ticks: u64,
    /// Closed model: the level over time, since the lane's start.
    pub(super) levels: Curve,
    /// Closed model: how many of the seats, from the first on, are at work.
    pub(super) at_work: u32,
    /// When that changes, since the lane's start; nothing if it never does.
    pub(super) changes_at: Option<Nanos>,
    /// For which change the timing wheel has an entry, since the lane's start.
    pub(super) wakes_at: Nanos,
    /// Closed model: sessions at work over all shards.
    pub(super) level: u32,
    /// Whether orders change the level: one has, or will.
    pub(super) is_changed: bool,
    /// See [`Lane::spins`].
    is_precise: bool,
    /// Open model: whose arrivals are, if not the session's that takes them.
    pub(super) everyone: Option<Assignment>,
}

/// How far a lane is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LaneState {
    /// Its start has not come.
    Waiting,
    /// Under load.
    Running,
    /// Nothing new falls due.
    Ended,
}

/// Where operations come from.
pub(super) enum Source {
    /// From sessions whose last has ended, so many more in the measured phase.
    Closed { left: u64 },
    /// From the clock.
    Open(Pacer),
}

impl Lane {
    pub(super) fn new(plan: &Plan, workload: usize, share: usize, shard: u32) -> Self {
        let named = &plan.workloads[workload];
        let mix = named.program.as_mix().map(|(mix, requests)| (mix.clone(), requests));
        Self {
            workload,
            source: Source::new(plan, workload, shard),
            state: LaneState::Waiting,
            start: named.start,
            until: named.end(plan.warmup),
            offered: VecDeque::with_capacity(share),
            idle: VecDeque::new(),
            vacant: VecDeque::new(),
            begun: 0,
            ended: 0,
            reads_messages: reads_messages(plan, workload),
            keeps_messages: keeps_messages(named),
            tick_at: Nanos::MAX,
            ticks: 0,
            levels: named.curve(),
            at_work: 0,
            changes_at: None,
            wakes_at: Nanos::MAX,
            level: 0,
            is_changed: named.steer.is_some(),
            is_precise: named.pacing == Pacing::Precise,
            everyone: everyone(plan, named),
            seats: 0..0,
            mix,
            users: Assignment::new(named, plan.people.as_ref(), plan.seed, shard, plan.shards),
        }
    }

    /// Takes leave for one operation, due at `due` from the start of the load.
    pub(super) fn take(&mut self, plan: &Plan, due: Nanos) -> Option<Phase> {
        if self.is_over(due) {
            return None;
        }
        let phase = plan.phase(self.workload, due);
        if let Source::Closed { left } = &mut self.source
            && phase.is_measured()
        {
            *left -= 1;
        }
        Some(phase)
    }

    /// Whether an operation that is due at `due` would never be begun.
    pub(super) fn is_over(&self, due: Nanos) -> bool {
        due >= self.until || matches!(self.source, Source::Closed { left: 0 })
    }

    /// Whether nothing will fall due any more.
    pub(super) fn is_exhausted(&self, since: Nanos) -> bool {
        match &self.source {
            // A pause may be over before the end is.
            Source::Open(pacer) => {
                let may_rise = self.is_changed && since < self.until && !pacer.is_spent();
                pacer.upcoming().is_none() && !may_rise
            }
            Source::Closed { left } => *left == 0 || since >= self.until,
        }
    }

    /// Lets nothing fall due after `since`, counted from the start of the load as all of the
    /// lane's times are; none is before that.
    pub(super) fn stop(&mut self, since: Option<Nanos>) {
        self.until = Nanos::ZERO;
        // The pacer counts from the start of the lane.
        let since = since.filter(|since| *since >= self.start).map(|since| since.since(self.start));
        match &mut self.source {
            Source::Closed { left } => *left = 0,
            Source::Open(pacer) => pacer.stop(since.map_or(Nanos::ZERO, |since| since + Nanos(1))),
        }
    }

    /// Whether it is to be on time at the cost of a core.
    pub(super) fn spins(&self) -> bool {
        let due = matches!(&self.source, Source::Open(pacer) if pacer.upcoming().is_some());
        self.is_precise && self.state == LaneState::Running && due
    }

    pub(super) const fn is_open(&self) -> bool {
        matches!(self.source, Source::Open(_))
    }
}

impl Source {
    fn new(plan: &Plan, workload_index: usize, shard: u32) -> Self {
        let workload = &plan.workloads[workload_index];
        // Shards without sessions of it take no part.
        let homes: Vec<u32> = workload.homes(plan.shards).collect();
        let shards = NonZeroU64::new(homes.len() as u64).unwrap_or(NonZeroU64::MIN);
        // Where time alone ends it, the level may be changed and there may be more than planned.
        let by_time = matches!(workload.until, Until::Elapsed(_));
        // Where users are drawn, an arrival is done where its user lives.
        let owner = everyone(plan, workload).and_then(|everyone| {
            Some(Owner { everyone, shard, shards: NonZeroU32::new(plan.shards)? })
        });
        let place = homes.iter().position(|home| *home == shard);
        let Some(place) = place.and_then(|place| u32::try_from(place).ok()) else {
            return Self::Closed { left: 0 };
        };
        if let (Load::Open { patience, .. }, Some((schedule, total))) =
            (workload.load, workload.arrivals(plan.warmup))
        {
            let end = workload.end(plan.warmup).since(workload.start);
            let whole = (0, NonZeroU64::MIN);
            let share = if owner.is_some() { whole } else { (place, shards) };
            let owned = |pacer: Pacer| match owner {
                Some(owner) => pacer.owned_by(owner),
                None => pacer,
            };
            if workload.spacing == Spacing::Poisson {
                let seed = plan.seed ^ (workload_index as u64).rotate_left(40);
                return Self::Open(owned(Pacer::poisson(schedule, share, seed, end, patience)));
            }
            let total = if by_time { u64::MAX } else { total };
            let mut pacer = Pacer::new(schedule, share, total, patience);
            pacer.stop(end);
            return Self::Open(owned(pacer));
        }
        let left = match workload.until {
            Until::Elapsed(_) => u64::MAX,
            Until::Operations(count, _) => {
                count.get().saturating_sub(u64::from(place)).div_ceil(shards.get())
            }
        };
        Self::Closed { left }
    }
}

/// How arrivals of an open workload get their users, of all that there are; none where it has no
/// users, or where the session decides.
fn everyone(plan: &Plan, workload: &Workload) -> Option<Assignment> {
    let drawn = !matches!(workload.strategy, Strategy::Sticky | Strategy::Unique);
    let open = matches!(workload.load, Load::Open { .. }) && !workload.users.is_empty();
    // A shard without sessions could do nothing for its users.
    let all = workload.homes(plan.shards).count() == plan.shards as usize;
    (open && drawn && all).then(|| Assignment::new(workload, plan.people.as_ref(), plan.seed, 0, 1))
}

/// Whether anything depends on what messages of a workload say.
fn reads_messages(plan: &Plan, workload: usize) -> bool {
    let named = &plan.workloads[workload];
    let fleet = named.fleet.as_ref().and_then(|fleet| fleet.message);
    let steps = named.program.instructions.iter().filter_map(|step| match step {
        Instruction::Send(message) | Instruction::Receive(message) => Some(*message),
        _ => None,
    });
    let reads = |message: u16| {
        let message = &plan.messages[usize::from(message)];
        matches!(message.answer, Answer::Same(_) | Answer::Matching)
            || !message.expect.json.is_empty()
            || !message.saves.is_empty()
    };
    let measured = plan.measures.iter().any(|it| usize::from(it.workload) == workload);
    measured || steps.chain(fleet).any(reads)
}

/// Whether a journey may ask for a message after it has come.
fn keeps_messages(workload: &Workload) -> bool {
    workload.program.instructions.iter().any(|step| matches!(step, Instruction::Receive(_)))
}
