//! How one operation went: its five instants, and the closed list of ways to fail.

use crate::stdx::Nanos;

/// The five instants of an operation, and the connecting that fell between two of them.
///
/// ```text
///  intended        free            sent     first_byte        done
///     ├── blocked ──┼─ connect+lag ──┼── waiting ──┼── receiving ─┤
///     │             │                ├────────── service ─────────┤
///     ├──────────────────────── response ─────────────────────────┤
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timing {
    /// When the plan, or the end of think time, made it due.
    pub intended: Nanos,
    /// The later of `intended` and the moment a connection, or leave to open one, was there.
    pub free: Nanos,
    /// What opening a connection took, when one had to be opened (a span).
    pub connect: Nanos,
    /// The first byte was handed to the kernel.
    pub sent: Nanos,
    /// The first byte of the reply was there.
    pub first_byte: Nanos,
    /// The reply was complete.
    pub done: Nanos,
}

impl Timing {
    /// done − intended: what a user waits.
    #[must_use]
    pub const fn response(&self) -> Nanos {
        self.done.since(self.intended)
    }

    /// free − intended: the target was slow, or connections too few.
    #[must_use]
    pub const fn blocked(&self) -> Nanos {
        self.free.since(self.intended)
    }

    /// sent − free − connect: ours alone.
    #[must_use]
    pub const fn lag(&self) -> Nanos {
        Nanos(self.sent.since(self.free).0.saturating_sub(self.connect.0))
    }

    /// done − sent: what the target took.
    #[must_use]
    pub const fn service(&self) -> Nanos {
        self.done.since(self.sent)
    }

    /// first_byte − sent: the target's time to first byte.
    #[must_use]
    pub const fn waiting(&self) -> Nanos {
        self.first_byte.since(self.sent)
    }

    /// Whether the instants are in order and response = blocked + connect + lag + service.
    #[must_use]
    pub fn adds_up(&self) -> bool {
        let parts = self.blocked() + self.connect + self.lag() + self.service();
        self.intended <= self.free
            && self.free <= self.sent
            && self.sent <= self.first_byte
            && self.first_byte <= self.done
            && parts == self.response()
    }
}

/// Why an operation failed. The list is closed: its keys are part of the results' schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Failure {
    /// The name did not resolve.
    Dns,
    /// The connection was refused.
    Refused,
    /// Connecting failed in another way.
    Connect,
    /// The TLS handshake failed.
    Tls,
    /// Not connected within the timeout.
    TimeoutConnect,
    /// The TLS handshake did not end within the timeout.
    TimeoutTls,
    /// Nothing of the reply within the timeout.
    TimeoutFirstByte,
    /// The reply did not end within the timeout.
    TimeoutBody,
    /// The peer reset the connection.
    Reset,
    /// The connection ended before the reply did.
    Truncated,
    /// The reply breaks the protocol.
    Protocol,
    /// Bytes came that belong to no request.
    Desync,
    /// A limit of ours on the size of a reply was exceeded.
    Limit,
    /// The status says failure (400 and above, unless other ones are expected).
    Status,
    /// A check on the reply failed.
    Check,
    /// The WebSocket was closed with an error.
    WsClose,
    /// This host ran out of ports.
    LocalPorts,
    /// This process ran out of file descriptors.
    LocalFds,
    /// This host ran out of memory.
    LocalMemory,
}

/// Whose fault a failure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The target answered wrongly, or not at all.
    Target,
    /// What lies between.
    Network,
    /// A check that the user asked for.
    Check,
    /// This host: never charged to the target.
    Local,
}

impl Failure {
    /// All of them, in the order of the schema.
    pub const ALL: [Self; 19] = [
        Self::Dns,
        Self::Refused,
        Self::Connect,
        Self::Tls,
        Self::TimeoutConnect,
        Self::TimeoutTls,
        Self::TimeoutFirstByte,
        Self::TimeoutBody,
        Self::Reset,
        Self::Truncated,
        Self::Protocol,
        Self::Desync,
        Self::Limit,
        Self::Status,
        Self::Check,
        Self::WsClose,
        Self::LocalPorts,
        Self::LocalFds,
        Self::LocalMemory,
    ];

    /// The key under `accounting.failed`.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Refused => "refused",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::TimeoutConnect => "timeout_connect",
            Self::TimeoutTls => "timeout_tls",
            Self::TimeoutFirstByte => "timeout_first_byte",
            Self::TimeoutBody => "timeout_body",
            Self::Reset => "reset",
            Self::Truncated => "truncated",
            Self::Protocol => "protocol",
            Self::Desync => "desync",
            Self::Limit => "limit",
            Self::Status => "status",
            Self::Check => "check",
            Self::WsClose => "ws_close",
            Self::LocalPorts => "local_ports",
            Self::LocalFds => "local_fds",
            Self::LocalMemory => "local_memory",
        }
    }

    /// Whose fault it is.
    #[must_use]
    pub const fn side(self) -> Side {
        match self {
            Self::LocalPorts | Self::LocalFds | Self::LocalMemory => Side::Local,
            Self::Check => Side::Check,
            Self::Dns | Self::Connect | Self::TimeoutConnect | Self::Reset => Side::Network,
            Self::Refused
            | Self::Tls
            | Self::TimeoutTls
            | Self::TimeoutFirstByte
            | Self::TimeoutBody
            | Self::Truncated
            | Self::Protocol
            | Self::Desync
            | Self::Limit
            | Self::Status
            | Self::WsClose => Side::Target,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Failure, Nanos, Timing};

    #[test]
    fn parts_add_up_to_the_response_time() {
        let timing = Timing {
            intended: Nanos(100),
            free: Nanos(150),
            connect: Nanos(30),
            sent: Nanos(187),
            first_byte: Nanos(300),
            done: Nanos(310),
        };
        assert!(timing.adds_up());
        assert_eq!(timing.blocked(), Nanos(50));
        assert_eq!(timing.lag(), Nanos(7));
        assert_eq!(timing.service(), Nanos(123));
        assert!(!Timing { sent: Nanos(120), ..timing }.adds_up(), "sent before free");
    }

    #[test]
    fn discriminants_index_the_list() {
        for (index, failure) in Failure::ALL.iter().enumerate() {
            assert_eq!(*failure as usize, index, "{}", failure.key());
        }
    }
}
