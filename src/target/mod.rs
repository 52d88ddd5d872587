//! The embedded target: an HTTP/1.1 server that is fast, holds very many connections, and lies
//! when it is told to, in ways that are known exactly.
//!
//! Does:       answers the paths of [`routes`]; tells the lies of [`Misbehaviour`]; counts both.
//! Takes:      [`Completions`](crate::net::Completions) and `now`, one [`Server`] per core.
//! Gives:      [`Submissions`](crate::net::Submissions), and when it wants to be woken.
//! Neighbours: stdx, net, protocol.
//! Why so:     the server is as pure as the generator's shard, so the same scripted queue tests
//!             both, and a test of the generator knows to the request what it was served.

mod common;
mod connection;
mod counters;
mod driver;
mod exchange;
mod limits;
mod misbehave;
mod payloads;
mod reply;
mod routes;
mod run;
mod server;
mod spare;

pub use counters::{Counters, Share, Totals};
pub use driver::drive;
pub use misbehave::{Lie, Misbehaviour, MisbehaviourError, Problem};
pub use routes::Path;
pub use run::{Options, ServeError, Shard, bind, serve};
pub use server::{Next, Server};
