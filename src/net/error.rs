//! The kernel's error numbers, and whose fault they are.

use std::fmt;
use std::io;

/// An error number of the kernel (`errno(3)`), positive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Errno(pub i32);

/// What an error number means for a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Nobody listens, or the listener turned us away.
    Refused,
    /// The peer tore the connection down.
    Reset,
    /// No answer within the kernel's own patience.
    TimedOut,
    /// No way to the address.
    Unreachable,
    /// This host has no port left for this source and destination.
    LocalPorts,
    /// This process, or this host, has no file descriptor left.
    LocalFds,
    /// This host has no memory left.
    LocalMemory,
    /// No buffer was free just now: transient, ask again.
    NoBuffers,
    /// We asked for it to end.
    Canceled,
    /// Anything else.
    Other,
}

impl Errno {
    /// The operation was cancelled, or an earlier link of its chain failed.
    pub const CANCELED: Self = Self(libc::ECANCELED);
    /// No provided buffer was free.
    pub const NO_BUFFERS: Self = Self(libc::ENOBUFS);
    /// The peer reset the connection.
    pub const RESET: Self = Self(libc::ECONNRESET);
    /// Nobody listens.
    pub const REFUSED: Self = Self(libc::ECONNREFUSED);

    /// What it means for a connection.
    #[must_use]
    pub const fn cause(self) -> Cause {
        match self.0 {
            libc::ECONNREFUSED => Cause::Refused,
            libc::ECONNRESET | libc::EPIPE | libc::ECONNABORTED => Cause::Reset,
            libc::ETIMEDOUT => Cause::TimedOut,
            libc::ENETUNREACH | libc::EHOSTUNREACH | libc::ENETDOWN => Cause::Unreachable,
            libc::EADDRNOTAVAIL | libc::EADDRINUSE => Cause::LocalPorts,
            libc::EMFILE | libc::ENFILE => Cause::LocalFds,
            libc::ENOMEM => Cause::LocalMemory,
            libc::ENOBUFS => Cause::NoBuffers,
            libc::ECANCELED => Cause::Canceled,
            _ => Cause::Other,
        }
    }
}

impl fmt::Display for Errno {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        io::Error::from_raw_os_error(self.0).fmt(out)
    }
}
