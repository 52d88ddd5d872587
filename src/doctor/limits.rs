//! The limit of open files. Sockets are direct descriptors and use none of them, but the kernel
//! caps a ring's table of direct descriptors by the soft limit.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors beside the sockets: standard streams, rings, eventfds, result files, libraries.
const OWN: u64 = 64;

/// The limit does not suffice.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the limit of open files is {limit} and {needed} are needed ({sockets} sockets a shard and \
     {OWN} of our own): raise it with `ulimit -n {needed}` (LimitNOFILE= in systemd, nofile in \
     limits.conf), use more shards (-t), or fewer connections (-c)"
)]
pub struct LimitError {
    /// The hard limit.
    pub limit: u64,
    /// What is needed.
    pub needed: u64,
    /// Sockets in one ring.
    pub sockets: u64,
}

/// Raises the soft limit of open files to the hard one, and says whether `sockets` in one ring
/// fit below it.
///
/// # Errors
/// When they do not.
pub fn raise_open_files(sockets: u64) -> Result<(), LimitError> {
    let now = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: now.maximum, maximum: now.maximum };
    // Raising to the hard limit needs no privilege; where it fails, the old limit is judged.
    let limit = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => now.maximum,
        Err(_) => now.current,
    };
    suffices(limit, sockets)
}

fn suffices(limit: Option<u64>, sockets: u64) -> Result<(), LimitError> {
    let needed = sockets.saturating_add(OWN);
    match limit {
        Some(limit) if limit < needed => Err(LimitError { limit, needed, sockets }),
        Some(_) | None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::suffices;

    #[test]
    fn judged_exactly() {
        assert!(suffices(Some(164), 100).is_ok());
        let error = suffices(Some(163), 100).unwrap_err();
        assert_eq!((error.limit, error.needed, error.sockets), (163, 164, 100));
        assert!(suffices(None, u64::MAX).is_ok(), "unlimited");
    }
}
