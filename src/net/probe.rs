//! Is anybody there? One blocking connect per address, before the run.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use super::Errno;
use super::error::Cause;

/// Why an address did not take a connection.
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

/// Those of `addresses` that take a connection; all of them together are given `patience`.
///
/// # Errors
/// With what each of them answered, when none takes one.
pub fn answering(
    addresses: &[SocketAddr],
    patience: Duration,
) -> Result<Vec<SocketAddr>, Vec<Unreachable>> {
    let each = patience / u32::try_from(addresses.len()).unwrap_or(u32::MAX).max(1);
    let (mut there, mut failures) = (Vec::new(), Vec::new());
    for &address in addresses {
        match TcpStream::connect_timeout(&address, each.max(LEAST)) {
            Ok(_) => there.push(address),
            Err(cause) => failures.push(Unreachable { address, cause }),
        }
    }
    if there.is_empty() { Err(failures) } else { Ok(there) }
}

/// The least that an address is given, however many there are.
const LEAST: Duration = Duration::from_millis(100);
