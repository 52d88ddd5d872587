//! A network of addresses, as RFC 4632 (section 3.1) and RFC 4291 (section 2.3) write it.

use std::net::IpAddr;
use std::str::FromStr;

/// All addresses that begin with the same bits; one address alone is a network, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cidr {
    address: IpAddr,
    /// How many bits are the same: at most 32, or 128.
    prefix: u32,
}

/// Why a text is no network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no network of addresses, such as 203.0.113.0/24 or 2001:db8::/32")]
pub struct CidrError;

impl Cidr {
    /// Whether the address is one of them. `::ffff:a.b.c.d` is `a.b.c.d` (RFC 4291, 2.5.5.2).
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let same = |of: u128, other: u128, width: u32| {
            let free = width - self.prefix;
            free == u128::BITS || (of ^ other) >> free == 0
        };
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(of), IpAddr::V4(other)) => {
                same(of.to_bits().into(), other.to_bits().into(), u32::BITS)
            }
            (IpAddr::V6(of), IpAddr::V6(other)) => same(of.to_bits(), other.to_bits(), u128::BITS),
            _ => false,
        }
    }
}

impl FromStr for Cidr {
    type Err = CidrError;

    fn from_str(text: &str) -> Result<Self, CidrError> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let bare = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let address: IpAddr = bare.unwrap_or(address).parse().map_err(|_| CidrError)?;
        let address = if prefix.is_none() { address.to_canonical() } else { address };
        let width = if address.is_ipv4() { u32::BITS } else { u128::BITS };
        let plain = |text: &&str| text.bytes().all(|byte| byte.is_ascii_digit());
        let prefix = match prefix {
            Some(text) => Some(text).filter(plain).and_then(|text| text.parse().ok()),
            None => Some(width),
        };
        let prefix = prefix.filter(|prefix| *prefix <= width).ok_or(CidrError)?;
        Ok(Self { address, prefix })
    }
}

#[cfg(test)]
mod tests {
    use super::{Cidr, CidrError};

    fn contains(network: &str, address: &str) -> bool {
        network.parse::<Cidr>().unwrap().contains(address.parse().unwrap())
    }

    #[test]
    fn the_first_bits_decide() {
        assert!(contains("203.0.113.0/24", "203.0.113.255"));
        assert!(!contains("203.0.113.0/24", "203.0.114.0"));
        assert!(contains("203.0.113.7", "203.0.113.7") && !contains("203.0.113.7", "203.0.113.6"));
        assert!(contains("0.0.0.0/0", "8.8.8.8") && !contains("0.0.0.0/0", "2001:db8::1"));
        assert!(contains("::/0", "2001:db8::1") && !contains("::/0", "8.8.8.8"));
        assert!(contains("2001:db8::/33", "2001:db8:7fff::1"));
        assert!(!contains("2001:db8::/33", "2001:db8:8000::1"));
        assert!(contains("[2001:db8::1]", "2001:db8::1"));
    }

    #[test]
    fn a_mapped_address_is_the_one_it_maps() {
        assert!(contains("8.8.8.0/24", "::ffff:8.8.8.8"));
        assert!(contains("::ffff:8.8.8.8", "8.8.8.8"));
    }

    #[test]
    fn what_is_no_network() {
        for text in ["", "/", "1.2.3", "1.2.3.4/", "1.2.3.4/33", "1.2.3.4/+1", "::/129", "a.b/8"] {
            assert_eq!(text.parse::<Cidr>(), Err(CidrError), "{text}");
        }
    }
}
