//! The embedded target: a server of HTTP/1.1 and WebSocket that is fast, holds very many
//! connections, knows accounts and tasks, and lies when it is told to, in ways known exactly.
//!
//! Does:       answers the paths of [`routes`]; tells the lies of [`Misbehaviour`]; counts both.
//!             Cores share nothing but their [`Realm`]: who is known, without locks.
//! Takes:      [`Completions`](crate::net::Completions) and `now`, one [`Server`] per core.
//! Gives:      [`Submissions`](crate::net::Submissions), and when it wants to be woken; if asked,
//!             a journal of what it did to each request.
//! Neighbours: stdx, net, protocol.
//! Why so:     the server is as pure as the generator's shard, so the same scripted queue tests
//!             both, and a test of the generator knows to the request what it was served.

mod accounts;
mod common;
mod connection;
mod counters;
mod desk;
mod driver;
mod exchange;
mod exposition;
mod journal;
mod kinds;
mod limits;
mod misbehave;
mod payloads;
mod realm;
mod reply;
mod routes;
mod run;
mod server;
mod spare;
mod tasks;
mod tokens;

pub use counters::{Counters, Did, Share, Totals};
pub use driver::drive;
pub use journal::{Entry, Outlet};
pub use misbehave::{Lie, Misbehaviour, MisbehaviourError, Problem};
pub use realm::{Realm, Terms};
pub use routes::Path;
pub use run::{Options, ServeError, Shard, bind, serve};
pub use server::{Next, Server};
