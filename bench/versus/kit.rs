//! The parts of the tests' kit that start and end processes.

#![expect(dead_code, reason = "the tests use the rest")]

#[path = "../../tests/kit/counts.rs"]
mod counts;
#[path = "../../tests/kit/http.rs"]
mod http;
#[path = "../../tests/kit/machine.rs"]
pub(crate) mod machine;
#[path = "../../tests/kit/nginx.rs"]
pub(crate) mod nginx;
#[path = "../../tests/kit/ports.rs"]
mod ports;
#[path = "../../tests/kit/process.rs"]
pub(crate) mod process;
#[path = "../../tests/kit/report.rs"]
mod report;
#[path = "../../tests/kit/target.rs"]
pub(crate) mod target;
#[path = "../../tests/kit/tempdir.rs"]
pub(crate) mod tempdir;
#[path = "../../tests/kit/wait.rs"]
pub(crate) mod wait;
