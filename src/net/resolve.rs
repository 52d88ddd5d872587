//! Where a name leads, and whether load may go there.
//!
//! Resolving blocks, so it is done before the run, never on a shard.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};

use crate::stdx::Cidr;

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
         --allow-remote or where the scenario's 'allow' names it, and only if the host is yours to \
         load"
    )]
    Remote {
        /// The name or address as written.
        name: String,
        /// What it resolved to.
        address: IpAddr,
    },
    /// Addresses that no load may go to.
    #[error(
        "{address} ({name}) is {kind}: with or without --allow-remote load goes there only where \
         the scenario's 'allow' names the address; name a host by a unicast address"
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

/// Where load may go: as far as the flag says, and what the scenario lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permit {
    /// What needs no list.
    pub reach: Reach,
    /// Names, in lower case, whose public addresses may be loaded.
    pub hosts: Vec<String>,
    /// Addresses that may be loaded, whatever they are.
    pub networks: Vec<Cidr>,
}

impl From<Reach> for Permit {
    fn from(reach: Reach) -> Self {
        Self { reach, hosts: Vec::new(), networks: Vec::new() }
    }
}

/// The addresses of `host`, all of them allowed.
///
/// # Errors
/// When the name does not resolve, or any of its addresses is not allowed: one that is could be
/// exchanged for one that is not between two connections.
pub fn resolve(host: &str, port: u16, permit: &Permit) -> Result<Vec<SocketAddr>, ResolveError> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let name = || host.to_owned();
    let found = (bare, port).to_socket_addrs();
    let found = found.map_err(|cause| ResolveError::NoSuchName { name: name(), cause })?;
    permitted(host, found, permit)
}

/// Each of a name's addresses once, if load may go to all of them.
fn permitted(
    host: &str,
    found: impl Iterator<Item = SocketAddr>,
    permit: &Permit,
) -> Result<Vec<SocketAddr>, ResolveError> {
    let mut addresses: Vec<SocketAddr> = Vec::new();
    for address in found {
        allow(host, address.ip(), permit)?;
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    if addresses.is_empty() {
        return Err(ResolveError::Empty { name: host.to_owned() });
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

/// Whether load may go to `address`. A name on the list stands for its public addresses only: what
/// is link-local, multicast or unspecified has to be listed as an address, so that no answer of a
/// resolver leads there.
///
/// # Errors
/// When it may not, saying what kind of address it is.
pub fn allow(name: &str, address: IpAddr, permit: &Permit) -> Result<(), ResolveError> {
    // ::ffff:a.b.c.d reaches a.b.c.d.
    let address = address.to_canonical();
    let kind = match address {
        IpAddr::V4(v4) => kind_v4(v4),
        IpAddr::V6(v6) => kind_v6(v6),
    };
    if permit.networks.iter().any(|network| network.contains(address)) {
        return Ok(());
    }
    let listed = permit.hosts.iter().any(|host| host.eq_ignore_ascii_case(name));
    let name = || name.to_owned();
    match kind {
        Kind::Loopback | Kind::Private => Ok(()),
        Kind::Public if permit.reach == Reach::Remote || listed => Ok(()),
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
    use super::{
        Permit, Reach, ResolveError, SocketAddr, allow, other_loopback, permitted, resolve,
    };

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
        let near = |ip: &str| allow("x", ip.parse().unwrap(), &Reach::Local.into()).is_ok();
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
            let refused = allow("x", ip.parse().unwrap(), &Reach::Remote.into());
            assert!(matches!(refused, Err(ResolveError::Never { .. })), "{ip}");
        }
        assert!(allow("x", "8.8.8.8".parse().unwrap(), &Reach::Remote.into()).is_ok());
    }

    #[test]
    fn odd_spellings_are_judged_by_where_they_lead() {
        // The resolver reads 0x8080808 as 8.8.8.8; what counts is the address.
        if let Err(error) = resolve("0x08080808", 80, &Reach::Local.into()) {
            let refused =
                matches!(error, ResolveError::Remote { .. } | ResolveError::NoSuchName { .. });
            assert!(refused, "{error}");
        } else {
            panic!("must not be allowed");
        }
        assert_eq!(resolve("[::1]", 80, &Reach::Local.into()).unwrap().len(), 1);
    }

    fn listing(hosts: &[&str], networks: &[&str]) -> Permit {
        Permit {
            reach: Reach::Local,
            hosts: hosts.iter().map(|&host| host.to_owned()).collect(),
            networks: networks.iter().map(|network| network.parse().unwrap()).collect(),
        }
    }

    #[test]
    fn a_list_allows_what_it_names_and_nothing_beside_it() {
        let may = |name: &str, ip: &str, permit: &Permit| {
            allow(name, ip.parse().unwrap(), permit).is_ok()
        };
        let permit = listing(&["staging.example"], &["203.0.113.0/24", "2001:db8::/32"]);
        assert!(may("x", "203.0.113.9", &permit) && may("x", "::ffff:203.0.113.9", &permit));
        assert!(may("x", "2001:db8::7", &permit) && !may("x", "2001:db9::7", &permit));
        assert!(may("Staging.Example", "8.8.8.8", &permit), "what a name on the list leads to");
        assert!(!may("other.example", "8.8.8.8", &permit));
        assert!(may("x", "127.0.0.1", &permit), "near ones need no list");
    }

    /// Whoever answers for a name decides where it leads, but not to the cloud's credentials.
    #[test]
    fn special_addresses_are_listed_as_addresses() {
        let ip = |text: &str| text.parse().unwrap();
        let by_name = listing(&["rebound.example"], &[]);
        for special in ["169.254.169.254", "fe80::1", "224.0.0.1", "0.0.0.0", "::"] {
            let refused = allow("rebound.example", ip(special), &by_name);
            assert!(matches!(refused, Err(ResolveError::Never { .. })), "{special}");
            assert!(allow("x", ip(special), &listing(&[], &[special])).is_ok(), "{special}");
        }
    }

    #[test]
    fn one_public_address_among_several_refuses_them_all() {
        let addresses = |ips: &[&str]| -> Vec<SocketAddr> {
            ips.iter().map(|ip| SocketAddr::new(ip.parse().unwrap(), 80)).collect()
        };
        let judged = |ips: &[&str]| {
            let found = addresses(ips).into_iter();
            permitted("several.example", found, &Reach::Local.into()).map(|found| found.len()).ok()
        };
        assert_eq!(judged(&["127.0.0.1", "10.0.0.1", "127.0.0.1"]), Some(2));
        assert_eq!(judged(&["127.0.0.1", "8.8.8.8"]), None);
        assert_eq!(judged(&["8.8.8.8", "127.0.0.1"]), None);
        assert_eq!(judged(&["::1", "::ffff:8.8.8.8"]), None);
        assert_eq!(judged(&[]), None);
    }
}
