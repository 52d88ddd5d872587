//! Is anybody there? One blocking connect per address, before the run.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use super::Errno;
use super::error::Cause;

/// Why none of the addresses answered: the last one's answer.
#[derive(Debug, thiserror::Error)]
#[error("{address}: {cause}")]
pub struct Unreachable {
    /// The address.
    pub address: SocketAddr,
    /// What came of connecting to it.
    pub cause: io::Error,
}

impl Unreachable {
    /// What the error number means; a timeout of ours is [`Cause::TimedOut`].
    #[must_use]
    pub fn kind(&self) -> Cause {
        match self.cause.raw_os_error() {
            Some(number) => Errno(number).cause(),
            None if self.cause.kind() == io::ErrorKind::TimedOut => Cause::TimedOut,
            None => Cause::Other,
        }
    }
}

/// Those of `addresses` that take a connection within `patience`.
///
/// # Errors
/// When none does.
pub fn answering(
    addresses: &[SocketAddr],
    patience: Duration,
) -> Result<Vec<SocketAddr>, Unreachable> {
    let mut there = Vec::new();
    let mut last = None;
    for &address in addresses {
        match TcpStream::connect_timeout(&address, patience) {
            Ok(_) => there.push(address),
            Err(cause) => last = Some(Unreachable { address, cause }),
        }
    }
    match last {
        Some(unreachable) if there.is_empty() => Err(unreachable),
        _ => Ok(there),
    }
}
