//! Limits of the process: open files and locked memory, raised as far as they may be.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors beside the sockets: standard streams, rings, eventfds, result files, libraries.
const OWN: u64 = 64;

/// Locked memory that an executor insists on, in KiB, whatever it then uses.
const LOCKED_KIB: u64 = 512;

/// A limit does not suffice.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LimitError {
    /// Open files. Sockets are direct descriptors and use none of them, but the kernel caps a
    /// ring's table of direct descriptors by this limit.
    #[error(
        "the hard limit of open files is {limit} and {needed} are needed ({sockets} sockets a \
         shard and {OWN} of our own): raise it (ulimit -Hn {needed} as root, LimitNOFILE= in \
         systemd, nofile in limits.conf), use more shards (-t), or fewer connections (-c)"
    )]
    OpenFiles {
        /// The hard limit.
        limit: u64,
        /// What is needed.
        needed: u64,
        /// Sockets in one ring.
        sockets: u64,
    },
    /// Locked memory, to which rings are charged.
    #[error(
        "the hard limit of locked memory is {limit} KiB and {LOCKED_KIB} KiB are needed: raise it \
         with `ulimit -l unlimited` (LimitMEMLOCK= in systemd, memlock in limits.conf)"
    )]
    LockedMemory {
        /// The hard limit, in KiB.
        limit: u64,
    },
}

/// Raises the soft limit of open files to the hard one, and says whether `sockets` in one ring
/// fit below it.
///
/// # Errors
/// When they do not.
pub fn raise_open_files(sockets: u64) -> Result<(), LimitError> {
    open_files_suffice(raise(Resource::Nofile), sockets)
}

/// Raises the soft limit of locked memory to the hard one, and says whether it suffices.
///
/// # Errors
/// When it does not.
pub fn raise_locked_memory() -> Result<(), LimitError> {
    locked_memory_suffices(raise(Resource::Memlock))
}

/// The limit after raising it; `None` is unlimited.
fn raise(resource: Resource) -> Option<u64> {
    let now = getrlimit(resource);
    let raised = Rlimit { current: now.maximum, maximum: now.maximum };
    // Raising to the hard limit needs no privilege; where it fails, the old limit is judged.
    match setrlimit(resource, raised) {
        Ok(()) => now.maximum,
        Err(_) => now.current,
    }
}

/// The hard limit of open files; nothing, if there is none.
#[must_use]
pub fn open_files_limit() -> Option<u64> {
    getrlimit(Resource::Nofile).maximum
}

fn open_files_suffice(limit: Option<u64>, sockets: u64) -> Result<(), LimitError> {
    let needed = sockets.saturating_add(OWN);
    match limit {
        Some(limit) if limit < needed => Err(LimitError::OpenFiles { limit, needed, sockets }),
        Some(_) | None => Ok(()),
    }
}

fn locked_memory_suffices(limit: Option<u64>) -> Result<(), LimitError> {
    match limit.map(|bytes| bytes / 1_024) {
        Some(limit) if limit < LOCKED_KIB => Err(LimitError::LockedMemory { limit }),
        Some(_) | None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::{LimitError, locked_memory_suffices, open_files_suffice};

    #[test]
    fn judged_exactly() {
        assert!(open_files_suffice(Some(164), 100).is_ok());
        let short = LimitError::OpenFiles { limit: 163, needed: 164, sockets: 100 };
        assert_eq!(open_files_suffice(Some(163), 100), Err(short));
        assert!(open_files_suffice(None, u64::MAX).is_ok(), "unlimited");
        assert!(locked_memory_suffices(Some(512 << 10)).is_ok());
        let short = LimitError::LockedMemory { limit: 511 };
        assert_eq!(locked_memory_suffices(Some((512 << 10) - 1)), Err(short));
    }
}
