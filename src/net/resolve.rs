//! Where a name leads, and whether load may go there.
//!
//! Resolving blocks, so it is done before the run, never on a shard.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};

/// Why a target's addresses are not to be had.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    /// The name does not resolve.
    #[error("the name '{name}' does not resolve ({cause}): check the spelling, /etc/hosts and DNS")]
    NoSuchName {
        /// The name.
        name: String,
        /// What the resolver said.
        cause: io::Error,
    },
    /// The name resolves to nothing.
    #[error("the name '{name}' resolves to no address: check its DNS records")]
    Empty {
        /// The name.
        name: String,
    },
    /// The address is neither loopback nor private.
    #[error(
        "{address} ({name}) is not a loopback or private address: load goes there only with \
         --allow-remote, and only if the host is yours to load"
    )]
    Remote {
        /// The name or address as written.
        name: String,
        /// What it resolved to.
        address: IpAddr,
    },
    /// Addresses that no load may go to.
    #[error(
        "{address} ({name}) is {kind}: no load goes there, with or without --allow-remote; name a \
         host by a unicast address"
    )]
    Never {
        /// The name or address as written.
        name: String,
        /// What it resolved to.
        address: IpAddr,
        /// Which kind of address.
        kind: &'static str,
    },
}

/// Which addresses load may go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Loopback and private ones.
    Local,
    /// Others too: the user has said so.
    Remote,
}

/// The addresses of `host`, all of them allowed.
///
/// # Errors
/// When the name does not resolve, or any of its addresses is not allowed: one that is could be
/// exchanged for one that is not between two connections.
pub fn resolve(host: &str, port: u16, reach: Reach) -> Result<Vec<SocketAddr>, ResolveError> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let name = || host.to_owned();
    let found = (bare, port).to_socket_addrs();
    let found = found.map_err(|cause| ResolveError::NoSuchName { name: name(), cause })?;
    let mut addresses: Vec<SocketAddr> = Vec::new();
    for address in found {
        allow(host, address.ip(), reach)?;
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    if addresses.is_empty() {
        return Err(ResolveError::Empty { name: name() });
    }
    Ok(addresses)
}

/// The loopback address that `localhost` also stands for (RFC 6761, section 6.3) where the resolver
/// names only that of the other family; nothing for any other name.
#[must_use]
pub fn other_loopback(host: &str, addresses: &[SocketAddr]) -> Option<SocketAddr> {
    if !host.trim_end_matches('.').eq_ignore_ascii_case("localhost") {
        return None;
    }
    let port = addresses.first()?.port();
    let [v4, v6] = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]
        .map(|ip: IpAddr| SocketAddr::new(ip, port));
    match (addresses.iter().any(SocketAddr::is_ipv4), addresses.iter().any(SocketAddr::is_ipv6)) {
        (true, false) => Some(v6),
        (false, true) => Some(v4),
        _ => None,
    }
}

/// Whether load may go to `address`.
///
/// # Errors
/// When it may not, saying what kind of address it is.
pub fn allow(name: &str, address: IpAddr, reach: Reach) -> Result<(), ResolveError> {
    // ::ffff:a.b.c.d reaches a.b.c.d.
    let address = address.to_canonical();
    let kind = match address {
        IpAddr::V4(v4) => kind_v4(v4),
        IpAddr::V6(v6) => kind_v6(v6),
    };
    let name = || name.to_owned();
    match kind {
        Kind::Loopback | Kind::Private => Ok(()),
        Kind::Public if reach == Reach::Remote => Ok(()),
        Kind::Public => Err(ResolveError::Remote { name: name(), address }),
        Kind::Never(kind) => Err(ResolveError::Never { name: name(), address, kind }),
    }
}

/// Kinds of address, as far as load is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Loopback,
    /// RFC 1918, RFC 4193.
    Private,
    Public,
    Never(&'static str),
}

const fn kind_v4(ip: Ipv4Addr) -> Kind {
    if ip.is_loopback() {
        Kind::Loopback
    } else if ip.is_private() {
        Kind::Private
    } else if ip.is_link_local() {
        // Clouds keep their credentials at 169.254.169.254.
        Kind::Never("link-local")
    } else if ip.is_multicast() {
        Kind::Never("multicast")
    } else if ip.is_broadcast() {
        Kind::Never("broadcast")
    } else if ip.octets()[0] == 0 {
        // 0.0.0.0/8 reaches this host in disguise.
        Kind::Never("unspecified")
    } else {
        Kind::Public
    }
}

const fn kind_v6(ip: Ipv6Addr) -> Kind {
    if ip.is_loopback() {
        Kind::Loopback
    } else if ip.is_unique_local() {
        Kind::Private
    } else if ip.is_unicast_link_local() {
        Kind::Never("link-local")
    } else if ip.is_multicast() {
        Kind::Never("multicast")
    } else if ip.is_unspecified() {
        Kind::Never("unspecified")
    } else {
        Kind::Public
    }
}

#[cfg(test)]
mod tests {
    use super::{Reach, ResolveError, allow, other_loopback, resolve};

    #[test]
    fn localhost_is_both() {
        let of = |ip: &str| format!("{ip}:80").parse().unwrap();
        let (v4, v6) = (of("127.0.0.1"), of("[::1]"));
        assert_eq!(other_loopback("localhost", &[v4]), Some(v6));
        assert_eq!(other_loopback("LOCALHOST.", &[v6]), Some(v4));
        assert_eq!(other_loopback("localhost", &[v4, v6]), None);
        assert_eq!(other_loopback("127.0.0.1", &[v4]), None);
        assert_eq!(other_loopback("localhost", &[]), None);
    }

    #[test]
    fn only_what_is_near() {
        let near = |ip: &str| allow("x", ip.parse().unwrap(), Reach::Local).is_ok();
        for ip in
            ["127.0.0.1", "127.9.9.9", "10.1.2.3", "172.31.0.1", "192.168.7.7", "::1", "fd00::1"]
        {
            assert!(near(ip), "{ip}");
        }
        for ip in ["8.8.8.8", "172.32.0.1", "::ffff:8.8.8.8", "2001:4860::1", "0.0.0.0", "::"] {
            assert!(!near(ip), "{ip}");
        }
        assert!(near("::ffff:127.0.0.1"), "mapped loopback is loopback");
    }

    #[test]
    fn some_addresses_are_never_loaded() {
        for ip in
            ["169.254.169.254", "fe80::1", "224.0.0.1", "ff02::1", "0.0.0.0", "255.255.255.255"]
        {
            let refused = allow("x", ip.parse().unwrap(), Reach::Remote);
            assert!(matches!(refused, Err(ResolveError::Never { .. })), "{ip}");
        }
        assert!(allow("x", "8.8.8.8".parse().unwrap(), Reach::Remote).is_ok());
    }

    #[test]
    fn odd_spellings_are_judged_by_where_they_lead() {
        // The resolver reads 0x8080808 as 8.8.8.8; what counts is the address.
        if let Err(error) = resolve("0x08080808", 80, Reach::Local) {
            let refused =
                matches!(error, ResolveError::Remote { .. } | ResolveError::NoSuchName { .. });
            assert!(refused, "{error}");
        } else {
            panic!("must not be allowed");
        }
        assert_eq!(resolve("[::1]", 80, Reach::Local).unwrap().len(), 1);
    }
}
