//! What a plan needs of this host: sockets, file slots, ports, memory.
//!
//! Bytes are ceilings that the types themselves are held to by assertions at compile time.

use super::Plan;
use crate::protocol::{http, ws};

/// Bytes of one session: its place in the program, what it waits for, its place in a queue.
pub const SESSION: u64 = 136;
/// Bytes of one connection without a WebSocket: its protocol and the operation it carries.
pub const CONNECTION: u64 = 200;
/// Bytes that a WebSocket adds to its connection.
pub const WEB_SOCKET: u64 = 320;
/// Bytes of one user without ids: the life of its token.
pub const USER: u64 = 96;
/// Bytes of one user's response times, and how it fared.
pub const TAIL: u64 = 404;
/// Users of one shard who have [`TAIL`] bytes each at most, the first of them to be active: 26 MB,
/// less than the connections of so many cost. The others are counted together.
pub const USERS_APART: u32 = 65_536;
/// Bytes of a user's token and refresh token, as most servers make them.
pub const TOKENS: u64 = 600;
/// Bytes of one id in a pool, UUIDs being 36 of them.
pub const POOLED: u64 = 96;
/// Bytes of kernel memory for one end of an idle TCP connection: socket, file, entries in tables
/// (measured as growth of slab and RSS over 10,000 of them).
pub const KERNEL: u64 = 3_994;
/// Descriptors of one shard beside its sockets.
pub const OWN_FILES: u64 = 64;

const _: () = assert!(size_of::<http::Exchange>() as u64 <= CONNECTION / 2);
const _: () = assert!(size_of::<ws::Connection>() as u64 <= WEB_SOCKET / 2);
/// An idle user of a session with a WebSocket, without tokens and ids: below 1 KiB of ours.
const _: () = assert!(SESSION + CONNECTION + WEB_SOCKET + USER <= 1_024);

/// What is needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Sockets of all shards at once at most, those for tokens included.
    pub sockets: u64,
    /// Those of one shard.
    pub sockets_of_shard: u64,
    /// Connections at once to each target, in the plan's order: a port of this host for each.
    pub ports: Vec<u64>,
    /// Memory, part by part.
    pub memory: Vec<Part>,
}

/// A part of the memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// What it is for.
    pub what: &'static str,
    /// How many of them.
    pub count: u64,
    /// Bytes of each.
    pub each: u64,
}

impl Budget {
    /// The needs of a plan on its number of shards.
    #[must_use]
    pub fn of(plan: &Plan) -> Self {
        let people = plan.people.as_ref();
        let users = people.map_or(0, |people| u64::from(people.count()));
        let shards = u64::from(plan.shards.max(1));
        let calls = people.map_or(0, |people| u64::from(people.calls_at_once(plan.shards)));
        let sessions: u64 = plan.workloads.iter().map(|each| u64::from(each.sessions)).sum();
        let mut ports = vec![0_u64; plan.targets.len()];
        for workload in &plan.workloads {
            for channel in &workload.channels {
                if let Some(port) = ports.get_mut(usize::from(*channel)) {
                    *port += u64::from(workload.sessions);
                }
            }
        }
        if let Some(first) = ports.first_mut() {
            *first += calls * shards;
        }
        let sockets = ports.iter().sum();
        let of_shard = (0..plan.shards.max(1)).map(|shard| plan.sockets_of(shard)).max();
        let tokens = if people.is_some_and(|it| it.auth.is_some()) { users } else { 0 };
        let kept: u64 = plan.pools.iter().map(|pool| u64::from(pool.keep)).sum();
        let part = |what, count, each| Part { what, count, each };
        let memory = [
            part("sessions", sessions, SESSION),
            part("connections", sockets, CONNECTION),
            part("WebSockets", web_sockets(plan), WEB_SOCKET),
            part("users", users, USER),
            part("tokens of users", tokens, TOKENS),
            part("tails of users", users.min(shards * u64::from(USERS_APART)), TAIL),
            part("ids in pools, when full", users.max(1) * kept, POOLED),
            part("sockets, in the kernel", sockets, KERNEL),
        ];
        let memory = memory.into_iter().filter(|part| part.count > 0).collect();
        Self { sockets, sockets_of_shard: of_shard.unwrap_or(0), ports, memory }
    }

    /// All of the memory.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.memory.iter().map(|part| part.count.saturating_mul(part.each)).sum()
    }

    /// Open files that the limit must allow: direct descriptors are bound by it, too.
    #[must_use]
    pub const fn files(&self) -> u64 {
        self.sockets_of_shard.saturating_add(OWN_FILES)
    }
}

fn web_sockets(plan: &Plan) -> u64 {
    let opens = |workload: &&super::Workload| {
        let opens = |each: &super::Instruction| matches!(each, super::Instruction::Open(_));
        workload.fleet.is_some() || workload.program.instructions.iter().any(opens)
    };
    plan.workloads.iter().filter(opens).map(|workload| u64::from(workload.sessions)).sum()
}
