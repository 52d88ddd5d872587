//! Wire formats and how an exchange over them ends; no sockets, no clock.
//!
//! Gives:      [`http`] and [`ws`], the state machines of HTTP/1.1 and WebSocket; [`jwt`], access
//!             tokens; [`Timing`] and [`Failure`], the words in which every protocol says how an
//!             operation went.
//! Neighbours: stdx.
//! Why so:     the same code runs under the ring, under the simulator and under the fuzzer.

#![deny(clippy::indexing_slicing, clippy::wildcard_enum_match_arm)]

pub mod http;
pub mod jwt;
pub mod outcome;
pub mod ws;

pub use outcome::{Failure, Side, Timing};
