//! The protocol room, tested from outside: whole conversations, limits, faults, oracles.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "tests: the helpers fail too")]

mod discard;
mod faults;
mod feed;
mod fuzz;
mod generate;
mod limits;
mod oracle;
mod reader;
mod request;
mod table;
mod wire;
mod ws;
