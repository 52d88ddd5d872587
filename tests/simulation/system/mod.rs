//! A second world: a system with accounts, tokens, tasks and WebSockets, behind the same kernel.
//!
//! Does:   draws plans with users, journeys and fleets, and runs the shards of the product against
//!         a system that understands them, with faults of its own.
//! Why so: the first world predicts every number of plain requests. Here a second engine would be
//!         needed to do that; instead laws are held that no run may break, and the counts that the
//!         system can know by itself.

/// One thing happens, and exact figures follow.
mod directed;
/// What the client says in HTTP.
mod heard;
/// What must be true of every run that has ended.
mod laws;
/// One socket, with the contract of its shard and the system's end of it.
mod line;
/// What the system does that it should not.
mod manners;
/// Scenario files, drawn.
mod plan;
/// Drives the shards.
mod run;
/// Runs drawn from seeds.
mod seeds;
/// Accounts, tokens and tasks.
mod service;
/// What the shards were told, and what they may therefore do.
mod told;
/// All sockets and the system behind them.
mod world;
