//! The immutable program that every shard executes; nothing in it can be wrong.
//!
//! Gives:      [`compile`], from a scenario to a [`Plan`]; [`Schedule`], when the n-th arrival is
//!             due.
//! Neighbours: stdx, scenario, protocol, metrics(leaf ids).
//! Why so:     compiled once before the run, so that no shard can fail because of what a user
//!             wrote.

use std::net::SocketAddr;

use crate::metrics::LeafId;
use crate::stdx::Nanos;

pub mod budget;
pub mod compile;
pub mod curve;
pub mod expect;
pub mod expected;
pub mod explain;
pub mod mix;
pub mod people;
pub mod probe;
pub mod program;
pub mod request;
pub mod schedule;
pub mod single;
pub mod socket;
pub mod steer;
pub mod text;
pub mod think;
pub mod weights;
pub mod workload;

pub use budget::Budget;
pub use compile::{Compiled, Options, compile};
pub use curve::Curve;
pub use expect::{Expect, Expected, JsonCheck, Place, Save, Saved, TimeCheck};
pub use expected::Pass;
pub use explain::{Host, explain};
pub use mix::Mix;
pub use people::{Auth, Call, Group, People};
pub use probe::{Ask, Probe};
pub use program::{Instruction, Program};
pub use request::{Content, Request};
pub use schedule::Schedule;
pub use single::NamedRequest;
pub use socket::{Answer, Fleet, Measure, Message, Sent, Socket};
pub use text::{Encoding, Function, List, Piece, Pool, Text, Value};
pub use think::{Think, Times};
pub use workload::{Load, Opening, Pacing, Spacing, Stage, Strategy, Until, Workload};

pub use crate::scenario::{Aggregate, Bound, Quantity, Segment, Statuses, Threshold};

/// What to do to whom, how much of it and for how long. Read this type to know the product.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The name in reports.
    pub name: String,
    /// The systems under test, at least one.
    pub targets: Vec<Target>,
    /// What is done, at least one; each has a load of its own.
    pub workloads: Vec<Workload>,
    /// The requests of all workloads. Those of [`Auth`] are not among them.
    pub requests: Vec<Request>,
    /// The WebSockets that are opened.
    pub sockets: Vec<Socket>,
    /// The messages that are sent or awaited on them.
    pub messages: Vec<Message>,
    /// What operations are recorded under; requests, sockets and messages index it.
    pub leaves: Vec<LeafName>,
    /// Names of groups of steps.
    pub groups: Vec<String>,
    /// Names of parts of the load: of stages and levels. Fewer than 256.
    pub named: Vec<String>,
    /// The levels of a sequence; none without one.
    pub levels: Vec<Level>,
    /// Names of checks.
    pub checks: Vec<String>,
    /// Times between a step and a message.
    pub measures: Vec<Measure>,
    /// As whom, if the scenario has users.
    pub people: Option<People>,
    /// Ids that replies gave.
    pub pools: Vec<Pool>,
    /// Lists of values.
    pub lists: Vec<List>,
    /// Names of what sessions save for themselves.
    pub variables: Vec<String>,
    /// What must hold.
    pub thresholds: Vec<Threshold>,
    /// Services behind the targets, asked before the load and after it.
    pub probes: Vec<Probe>,
    /// Words for results.
    pub tags: Vec<(String, String)>,
    /// Operations due before this moment are in the phase `warmup`, not in the results' totals.
    /// While [`Self::warmup_bound`] is open, its bound.
    pub warmup: Nanos,
    /// Where the warm-up ends as soon as the load is steady: at the latest after so long. None
    /// where its length is fixed.
    pub warmup_bound: Option<Nanos>,
    /// From the beginning of an attempt until its reply has ended, unless a step says otherwise.
    pub timeout: Nanos,
    /// What all choices are a function of.
    pub seed: u64,
    /// The number of shards.
    pub shards: u32,
    /// What counts were multiplied with before this plan was made; 1 is what was written.
    pub scale_load: f64,
    /// What spans of time were multiplied with; 1 is what was written.
    pub scale_time: f64,
}

/// A system under test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// How results call it.
    pub name: String,
    /// As the user wrote it.
    pub url: String,
    /// The host of the URL: to be resolved.
    pub host: String,
    /// The port of the URL, or its scheme's.
    pub port: u16,
    /// Where it is: resolved, allowed; at least one before the plan is executed.
    pub addresses: Vec<SocketAddr>,
}

/// What operations of one step are recorded under, in each phase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeafName {
    /// Its key under `by.request`.
    pub name: String,
    /// What kind of operation it is.
    pub kind: Kind,
    /// Which workload it belongs to.
    pub workload: u16,
    /// Which group of steps it belongs to, the innermost.
    pub group: Option<u16>,
}

/// The kinds of operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// A request.
    Http,
    /// Opening a WebSocket.
    WsOpen,
    /// A message and its answer.
    WsMessage,
}

impl Kind {
    /// All, in the order of reports.
    pub const ALL: [Self; 3] = [Self::Http, Self::WsOpen, Self::WsMessage];

    /// The key under `accounting.by_kind`.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::WsOpen => "ws_open",
            Self::WsMessage => "ws_message",
        }
    }
}

/// A window of the run, told apart by when an operation was due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Not in the totals.
    Warmup,
    /// What the totals are made of: all that is measured, named stages and levels among it.
    Load,
    /// A part of the load that has a name, as an index into [`Plan::named`].
    Named(u8),
}

impl Phase {
    /// Those that every plan has, in the order of time.
    pub const ALWAYS: [Self; 2] = [Self::Warmup, Self::Load];

    /// Whether it is among the totals.
    #[must_use]
    pub const fn is_measured(self) -> bool {
        !matches!(self, Self::Warmup)
    }

    /// Its place among the phases that operations are recorded in.
    const fn place(self) -> u16 {
        match self {
            Self::Warmup => 0,
            Self::Load => 1,
            Self::Named(index) => 2 + index as u16,
        }
    }
}

/// A level of a sequence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Level {
    /// Its phase, whose name it has.
    pub phase: Phase,
    /// What was asked for, in words: `500/s` or `100 connections`.
    pub asked: String,
    /// Its beginning, since the start of the load.
    pub from: Nanos,
    /// Its end.
    pub to: Nanos,
    /// How long nothing is done behind it.
    pub cooldown: Nanos,
    /// Its own thresholds, as indices into those of the plan.
    pub thresholds: Vec<u16>,
}

impl Plan {
    /// The id of `leaf` (an index into `leaves`) for an operation that is due in `phase`.
    #[must_use]
    pub fn leaf(&self, phase: Phase, leaf: u16) -> LeafId {
        let leaves = u16::try_from(self.leaves.len()).unwrap_or(u16::MAX);
        LeafId(phase.place() * leaves + leaf)
    }

    /// The ids that operations of `leaf` have which belong to a phase: those of the load are in
    /// it whichever of its parts they were due in.
    pub fn ids(&self, phase: Phase, leaf: u16) -> impl Iterator<Item = LeafId> + '_ {
        let places = match phase {
            Phase::Load => 1..2 + self.named.len(),
            other => usize::from(other.place())..usize::from(other.place()) + 1,
        };
        let leaves = self.leaves.len();
        places.filter_map(move |place| {
            u16::try_from(place * leaves + usize::from(leaf)).ok().map(LeafId)
        })
    }

    /// All phases, in the order of reports.
    pub fn phases(&self) -> impl Iterator<Item = Phase> + '_ {
        Phase::ALWAYS
            .into_iter()
            .chain((0..).zip(&self.named).map(|(index, _)| Phase::Named(index)))
    }

    /// The name of a phase in reports.
    #[must_use]
    pub fn phase_name(&self, phase: Phase) -> &str {
        match phase {
            Phase::Warmup => "warmup",
            Phase::Load => "load",
            Phase::Named(index) => {
                self.named.get(usize::from(index)).map_or("", |named| named.as_str())
            }
        }
    }

    /// The name of what a leaf is about, in whatever phase; empty if the plan has no such leaf.
    #[must_use]
    pub fn name_of(&self, leaf: LeafId) -> &str {
        let place = usize::from(leaf.0) % self.leaves.len().max(1);
        self.leaves.get(place).map_or("", |leaf| leaf.name.as_str())
    }

    /// All leaves of a phase, in the order of `leaves`, each with all of its ids there.
    pub fn leaves(&self, phase: Phase) -> impl Iterator<Item = (&LeafName, LeafId)> + '_ {
        (0..)
            .zip(&self.leaves)
            .flat_map(move |(leaf, name)| self.ids(phase, leaf).map(move |id| (name, id)))
    }

    /// The phase of an operation of a workload that is due at `at`, counted from the start of the
    /// load.
    #[must_use]
    pub fn phase(&self, workload: usize, at: Nanos) -> Phase {
        if at < self.warmup {
            return Phase::Warmup;
        }
        self.workloads.get(workload).map_or(Phase::Load, |workload| workload.phase(at))
    }

    /// The phase of the run at `at`: that of the first workload that has a name for it.
    #[must_use]
    pub fn phase_of_all(&self, at: Nanos) -> Phase {
        let mut phases = (0..self.workloads.len()).map(|workload| self.phase(workload, at));
        let named = phases.find(|phase| matches!(phase, Phase::Named(_)));
        named.unwrap_or(if at < self.warmup { Phase::Warmup } else { Phase::Load })
    }

    /// When a phase begins and ends as planned, since the start of the load: from the first of
    /// its operations to the last. None if no workload is ever in it.
    #[must_use]
    pub fn window(&self, phase: Phase) -> Option<(Nanos, Nanos)> {
        let windows = self.workloads.iter().flat_map(|workload| workload.windows(phase));
        windows.reduce(|all, one| (all.0.min(one.0), all.1.max(one.1)))
    }

    /// From the start of the load until nothing falls due any more, as far as that is known.
    #[must_use]
    pub fn span(&self) -> Nanos {
        let ends = self.workloads.iter().map(|workload| workload.end(self.warmup));
        ends.max().unwrap_or(Nanos::ZERO)
    }

    /// Connections that sessions hold at once at most, over all shards.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.workloads.iter().map(Workload::connections).sum()
    }

    /// Sockets that one shard needs at most: connections of its sessions and for tokens.
    #[must_use]
    pub fn sockets_of(&self, shard: u32) -> u64 {
        let sessions = |workload: &Workload| {
            let share = u64::from(workload.share(shard, self.shards));
            share * workload.channels.len() as u64
        };
        let tokens = self.people.as_ref().map_or(0, |people| people.calls_at_once(self.shards));
        self.workloads.iter().map(sessions).sum::<u64>() + u64::from(tokens)
    }

    /// What is timed beside operations: the indices of [`crate::metrics::Delta::timed`].
    #[must_use]
    pub fn timed(&self) -> Timed {
        Timed { groups: self.groups.len(), measures: self.measures.len() }
    }
}

/// What is timed beside operations, by index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timed {
    groups: usize,
    measures: usize,
}

impl Timed {
    /// A request for a token.
    pub const AUTH: usize = 0;
    /// One pass of a journey.
    pub const ITERATION: usize = 1;
    /// A WebSocket, from open to closed.
    pub const WS_SESSION: usize = 2;

    const FIRST: usize = 3;

    /// A group of steps.
    #[must_use]
    pub const fn group(self, group: usize) -> usize {
        Self::FIRST + group
    }

    /// A measured span.
    #[must_use]
    pub const fn measure(self, measure: usize) -> usize {
        Self::FIRST + self.groups + measure
    }

    /// How many there are.
    #[must_use]
    pub const fn count(self) -> usize {
        Self::FIRST + self.groups + self.measures
    }
}
