//! Why a ring could not be made: one line with cause and remedy.

use std::io;

use super::RingOptions;

/// Why a ring could not be made.
#[derive(Debug, thiserror::Error)]
pub enum RingError {
    /// The kernel, a container's seccomp filter or a sysctl forbids io_uring.
    #[error(
        "io_uring is forbidden here ({0}): allow it with \
         `sysctl -w kernel.io_uring_disabled=0`, or in a container with a seccomp profile that \
         permits io_uring_setup, io_uring_enter and io_uring_register"
    )]
    Forbidden(io::Error),
    /// The kernel has no io_uring, or lacks what this program needs of it.
    #[error("this kernel's io_uring lacks {what} ({cause}): Linux 6.7 or newer is needed")]
    TooOld {
        /// The feature.
        what: &'static str,
        /// What the kernel said.
        cause: io::Error,
    },
    /// The limit of locked memory is too small.
    #[error(
        "the limit of locked memory is too small for a ring of {kib} KiB ({cause}): raise it with \
         `ulimit -l unlimited` (LimitMEMLOCK= in systemd, memlock in limits.conf)"
    )]
    LockedMemory {
        /// What one ring takes.
        kib: u32,
        /// What the kernel said.
        cause: io::Error,
    },
    /// The limit of open files is too small.
    #[error(
        "the limit of open files is too small for {slots} sockets in one ring ({cause}): raise it \
         with `ulimit -n {slots}` (LimitNOFILE= in systemd, nofile in limits.conf), or ask for \
         fewer connections"
    )]
    OpenFiles {
        /// Sockets asked for.
        slots: u32,
        /// What the kernel said.
        cause: io::Error,
    },
    /// Anything else.
    #[error("{what} failed: {cause}")]
    Other {
        /// What was tried.
        what: &'static str,
        /// What the kernel said.
        cause: io::Error,
    },
}

impl RingError {
    pub(super) fn setup(error: &io::Error, options: RingOptions) -> Self {
        // 64 bytes a submission, 4 its index, 16 a completion.
        let kib = (options.submissions * 68 + options.completions * 16).div_ceil(1_024);
        let cause = copy(error);
        match error.raw_os_error() {
            Some(libc::EPERM | libc::EACCES) => Self::Forbidden(cause),
            Some(libc::ENOSYS) => Self::TooOld { what: "everything", cause },
            Some(libc::EINVAL) => Self::TooOld { what: "SINGLE_ISSUER and DEFER_TASKRUN", cause },
            Some(libc::ENOMEM) => Self::LockedMemory { kib, cause },
            _ => Self::Other { what: "making an io_uring", cause },
        }
    }

    pub(super) fn files(error: &io::Error, slots: u32) -> Self {
        let cause = copy(error);
        match error.raw_os_error() {
            Some(libc::EMFILE) => Self::OpenFiles { slots, cause },
            Some(libc::EINVAL) => Self::TooOld { what: "sparse direct descriptors", cause },
            _ => Self::Other { what: "registering direct descriptors", cause },
        }
    }

    pub(super) fn buffers(error: &io::Error) -> Self {
        let cause = copy(error);
        match error.raw_os_error() {
            Some(libc::EINVAL) => Self::TooOld { what: "provided-buffer rings", cause },
            Some(libc::ENOMEM) => Self::LockedMemory { kib: 16, cause },
            _ => Self::Other { what: "registering receive buffers", cause },
        }
    }
}

/// The same error once more: what the kernel says is a number.
fn copy(error: &io::Error) -> io::Error {
    error.raw_os_error().map_or_else(|| error.kind().into(), io::Error::from_raw_os_error)
}
