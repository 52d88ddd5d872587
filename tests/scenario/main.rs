//! The scenario room, tested from outside: files that are fine, and every message about others.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "tests: the helpers fail too")]

mod compile;
mod courses;
mod examples;
mod explain;
mod files;
mod fuzz;
mod golden;
mod limits;
mod mutations;
mod numbers;
mod schema;
mod secrets;
mod values;
