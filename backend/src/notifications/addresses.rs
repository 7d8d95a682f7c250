//! Addresses that a webhook may go to. A URL that somebody could make us call must not reach hosts open to us
//! alone.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Tells whether an address is somebody's on the public internet, by the special-purpose registries of RFC
/// 6890.
pub(crate) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

#[expect(clippy::match_same_arms, reason = "one arm a kind of address, each with its source")]
fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    match (a, b, c) {
        // This network, private, loopback, multicast, reserved and broadcast.
        (0 | 10 | 127 | 224.., _, _) => false,
        // Carrier-grade NAT (RFC 6598).
        (100, 64..=127, _) => false,
        // Link-local: where clouds keep the credentials of machines.
        (169, 254, _) => false,
        (172, 16..=31, _) | (192, 168, _) => false,
        // Protocol assignments, documentation, 6to4 relays, AS112, AMT, benchmarks.
        (192, 0, 0 | 2) | (192, 88, 99) | (192, 31, 196) | (192, 52, 193) | (192, 175, 48) => false,
        (198, 18 | 19, _) | (198, 51, 100) | (203, 0, 113) => false,
        _ => true,
    }
}

#[expect(clippy::match_same_arms, reason = "one arm a kind of address, each with its source")]
fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    let v4_at = |index: usize| {
        let [a, b] = segments[index].to_be_bytes();
        let [c, d] = segments[index + 1].to_be_bytes();
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match segments {
        // NAT64 (RFC 6052) leads to the IPv4 address at its end.
        [0x64, 0xff9b, 0, 0, 0, 0, ..] => v4_at(6),
        // 6to4 (RFC 3056) leads to the IPv4 address in it.
        [0x2002, ..] => v4_at(1),
        // Protocol assignments (Teredo and ORCHID among them) and documentation.
        [0x2001, 0..=0x1ff, ..] | [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => false,
        // AS112.
        [0x2620, 0x4f, 0x8000, ..] => false,
        // Only this eighth is given out. Not in it: unspecified, loopback, IPv4-mapped, IPv4-compatible, local NAT64,
        // discard-only, unique-local, link-local, site-local and multicast.
        [0x2000..=0x3fff, ..] => true,
        _ => false,
    }
}

/// Looks names up and gives the addresses that are public. The connection goes to one of these, so that no second look-up
/// can say something else than the one that was checked.
#[derive(Clone, Copy, Debug)]
pub(super) struct PublicAddresses;

impl Resolve for PublicAddresses {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            // Port 0 stands for the URL's own.
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public = public_of(found)?;
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

fn public_of(found: impl Iterator<Item = SocketAddr>) -> io::Result<Vec<SocketAddr>> {
    let public: Vec<_> = found.filter(|address| is_public(address.ip())).collect();
    if public.is_empty() {
        let why = "it has no public address (see OUTBOUND_WEBHOOK_ALLOW_PRIVATE)";
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, why));
    }
    Ok(public)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_on_the_public_internet_is_refused() {
        for address in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::8.8.8.8",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:8.8.8.8",
            "::ffff:0:127.0.0.1",
            "64:ff9b::10.0.0.1",
            "64:ff9b::169.254.169.254",
            "64:ff9b:1::8.8.8.8",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2001:10::1",
            "2002:7f00:1::",
            "2002:a00:1::1",
            "2002:c0a8:101::1",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd12:3456::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
        for address in [
            "1.1.1.1",
            "8.8.8.8",
            "100.63.255.255",
            "100.128.0.1",
            "172.15.255.255",
            "172.32.0.1",
            "192.0.1.1",
            "198.17.255.255",
            "223.255.255.255",
            "64:ff9b::8.8.8.8",
            "2002:808:808::1",
            "2001:4860:4860::8888",
            "2606:4700:4700::1111",
            "2a00:1450:4001::1",
        ] {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn of_several_addresses_only_public_ones_are_used() {
        let mixed = ["10.0.0.1:0", "8.8.8.8:0", "[::1]:0"].map(|address| address.parse().unwrap());
        assert_eq!(public_of(mixed.into_iter()).unwrap(), ["8.8.8.8:0".parse().unwrap()]);
        assert!(public_of(std::iter::empty()).is_err());
    }

    #[actix_web::test]
    async fn a_name_of_this_machine_has_no_public_address() {
        let refused = PublicAddresses.resolve("localhost".parse().unwrap()).await.err().unwrap();
        assert!(refused.to_string().contains("OUTBOUND_WEBHOOK_ALLOW_PRIVATE"), "{refused}");
    }
}
