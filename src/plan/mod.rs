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
pub mod text;
pub mod think;
pub mod workload;

pub use budget::Budget;
pub use compile::{Compiled, Options, compile};
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
pub use workload::{Load, Opening, Strategy, Until, Workload};

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
    pub warmup: Nanos,
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

/// A named window of the run, told apart by when an operation was due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Phase {
    /// Not in the totals.
    Warmup,
    /// What the totals are made of.
    Load,
}

impl Phase {
    /// All of them, in the order of time.
    pub const ALL: [Self; 2] = [Self::Warmup, Self::Load];

    /// Its name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Warmup => "warmup",
            Self::Load => "load",
        }
    }
}

impl Plan {
    /// The id of `leaf` (an index into `leaves`) in `phase`.
    #[must_use]
    pub fn leaf(&self, phase: Phase, leaf: u16) -> LeafId {
        let leaves = u16::try_from(self.leaves.len()).unwrap_or(u16::MAX);
        LeafId(phase as u16 * leaves + leaf)
    }

    /// The name of what a leaf is about, in whatever phase; empty if the plan has no such leaf.
    #[must_use]
    pub fn name_of(&self, leaf: LeafId) -> &str {
        let place = usize::from(leaf.0) % self.leaves.len().max(1);
        self.leaves.get(place).map_or("", |leaf| leaf.name.as_str())
    }

    /// All leaves of a phase, in the order of `leaves`.
    pub fn leaves(&self, phase: Phase) -> impl Iterator<Item = LeafId> + '_ {
        (0..u16::try_from(self.leaves.len()).unwrap_or(u16::MAX))
            .map(move |leaf| self.leaf(phase, leaf))
    }

    /// The phase of an operation due at `at`, counted from the start of the load.
    #[must_use]
    pub fn phase(&self, at: Nanos) -> Phase {
        if at < self.warmup { Phase::Warmup } else { Phase::Load }
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
