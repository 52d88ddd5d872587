//! The program: an allocator, and everything else in the library.

use std::process::ExitCode;

/// A shard allocates nothing per request, but the rest of a run does (deltas, reports, partial
/// replies), and mimalloc keeps those from a lock that all threads would share. It also returns
/// the memory of a peak to the system, which matters at a million connections.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    onslaught::cli::run().into()
}
