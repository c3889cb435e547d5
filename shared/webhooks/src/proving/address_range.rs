//! Ranges of IP addresses.

use ipnet::{IpNet, Ipv4Net};
use std::net::IpAddr;
use thiserror::Error;

/// A range of IPv4 or IPv6 addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AddressRange(IpNet);

/// A reason why a text can't be an address range. The text is in no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum BadRange {
    /// Not an address and a prefix length.
    #[error(
        "is no address range; write one like 203.0.113.0/24 or 2001:db8::/32, and a single address like 203.0.113.7/32"
    )]
    NotARange,
    /// Bits of the address are set beyond the prefix: one of the two is wrong.
    #[error("has an address that doesn't begin its range: bits beyond the prefix length are set")]
    NotItsBeginning,
    /// A range that everybody is in.
    #[error("allows every address; to allow every address, leave `allowedCidrs` out")]
    Everybody,
}

impl AddressRange {
    /// Reads a range such as `203.0.113.0/24`.
    ///
    /// # Errors
    /// [`BadRange`].
    pub(crate) fn parse(text: &str) -> Result<Self, BadRange> {
        let range = unmapped(text.parse().map_err(|_| BadRange::NotARange)?);
        if range.trunc() != range {
            Err(BadRange::NotItsBeginning)
        } else if range.prefix_len() == 0 {
            Err(BadRange::Everybody)
        } else {
            Ok(Self(range))
        }
    }

    /// Returns whether an address is in the range.
    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address)
    }
}

/// A range of IPv4 addresses that is written as one of IPv6 addresses (`::ffff:203.0.113.0/120`). The address of a
/// sender is read in the same way.
fn unmapped(range: IpNet) -> IpNet {
    let IpNet::V6(mapped) = range else { return range };
    let inner = mapped.addr().to_ipv4_mapped().zip(mapped.prefix_len().checked_sub(96));
    let inner = inner.and_then(|(address, prefix)| Ipv4Net::new(address, prefix).ok());
    inner.map_or(range, IpNet::V4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_an_address_and_the_length_of_its_prefix() {
        for good in ["203.0.113.0/24", "203.0.113.7/32", "2001:db8::/32", "::1/128", "128.0.0.0/1"] {
            assert_eq!(AddressRange::parse(good).unwrap().0.to_string(), good);
        }
        assert_eq!(AddressRange::parse("::ffff:203.0.113.0/120").unwrap().0.to_string(), "203.0.113.0/24");
        for bad in [
            "",
            " ",
            "203.0.113.7",
            "203.0.113.0/33",
            "203.0.113/24",
            "0203.0.113.0/24",
            "203.0.113.0/ 24",
            " 203.0.113.0/24",
            "2001:db8::/129",
            "2001:db8::1%eth0/128",
            "example.com/24",
            "203.0.113.0/-1",
            "203.0.113.0/24,198.51.100.0/24",
            "203.0.113.0/255.255.255.0",
            "*",
        ] {
            assert_eq!(AddressRange::parse(bad), Err(BadRange::NotARange), "{bad:?}");
        }
        for odd in ["203.0.113.7/24", "2001:db8::1/32", "::ffff:203.0.113.7/120"] {
            assert_eq!(AddressRange::parse(odd), Err(BadRange::NotItsBeginning), "{odd:?}");
        }
        for all in ["0.0.0.0/0", "::/0", "::ffff:0.0.0.0/96"] {
            assert_eq!(AddressRange::parse(all), Err(BadRange::Everybody), "{all:?}");
        }
    }
}
