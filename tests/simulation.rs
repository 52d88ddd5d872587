//! Whole shards in virtual time, against a scripted kernel and scripted servers.
//!
//! Does:   runs the very shards of the product through thousands of seconds that never pass, with
//!         every fault that a kernel or a server can have, drawn from a seed. The world knows what
//!         it did and told, so that each count that was recorded has one right value; and it holds
//!         each submission to the contract of the completion queue.
//! Usage:  `cargo sim`; `SEEDS=100000 cargo sim` for a long run; a failure names its seed, and
//!         `SEED=123 cargo sim` repeats that one and prints what happened.
//! Why so: slot reuse, late completions and partial sends happen to a user once a day; here they
//!         happen in every run, and a failure is its seed.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod simulation {
    /// What a shard was told of a connection, and must therefore do.
    mod account;
    /// What will happen, in the order of time.
    mod agenda;
    /// Recorded against true.
    mod check;
    /// Chance, from a seed alone.
    mod dice;
    /// One thing happens, and exact figures follow.
    mod directed;
    /// The two ends of the completion queue.
    mod queue;
    /// Replies as bytes, and what a client must make of them.
    mod reply;
    /// Drives the shards through virtual time.
    mod run;
    /// What is run, against whom, and what happens meanwhile.
    mod scenario;
    /// Runs drawn from seeds.
    mod seeds;
    /// The target's half of a connection.
    mod server;
    /// A slot of a shard, held to the contract.
    mod slot;
    /// The kernel's half of a connection.
    mod socket;
    /// Another world: users, tokens, journeys and WebSockets, held to laws.
    mod system;
    /// What really happened.
    mod truth;
    /// All kernels and servers of a run.
    mod world;
}
