//! The report: golden files of each format, laws of its numbers, files that are whole or absent.
//!
//! `UPDATE_GOLDEN=1 cargo test --test report` rewrites `tests/golden/report`; read the diff.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod codes;
mod ends;
mod files;
mod fixture;
mod forge;
mod golden;
mod jtl;
mod kinds;
mod laws;
mod search;
mod users;
mod verdicts;
