//! From where a request comes, as far as it can be known.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use actix_web::http::header::{HeaderMap, HeaderValue};
use ipnet::IpNet;

/// The header in which each proxy adds at the end from where it was asked.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// Bits of an IPv6 address that name a household or a server; who has one of these networks has all addresses in it.
const IPV6_NETWORK: u32 = 64;

/// The address of who asks: the one that is connected, or, where that is a trusted proxy's, the rightmost one of
/// `X-Forwarded-For` that is not. What stands left of it, anybody can have written; so it is where one is no address.
pub(super) fn client_address(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let mut address = peer.to_canonical();
    let is_trusted = |address: &IpAddr| is_in(address, trusted);
    if !is_trusted(&address) {
        return address;
    }
    let lines: Vec<&[u8]> = headers.get_all(FORWARDED_FOR).map(HeaderValue::as_bytes).collect();
    let mut hops = lines.iter().rev().flat_map(|line| line.rsplit(|&byte| byte == b','));
    while is_trusted(&address) {
        match hops.next().and_then(parse) {
            Some(before) => address = before,
            None => break,
        }
    }
    address
}

/// Returns true for a request that names another client and comes from no trusted proxy: a proxy that the
/// configuration does not know, or a client that makes itself out to be one.
pub(super) fn claims_another(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> bool {
    headers.contains_key(FORWARDED_FOR) && !is_in(&peer.to_canonical(), trusted)
}

fn is_in(address: &IpAddr, networks: &[IpNet]) -> bool {
    networks.iter().any(|network| network.contains(address))
}

/// An address; some proxies add the port.
fn parse(hop: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(hop).ok()?.trim();
    let address = text.parse().ok().or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip()));
    address.map(|address| address.to_canonical())
}

/// Returns the address that a client is counted under: an IPv4 address, or a network of IPv6.
pub(super) fn counted_as(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => {
            let network = u128::from(v6) & (u128::MAX << (u128::BITS - IPV6_NETWORK));
            Ipv6Addr::from(network).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderName;

    fn client(peer: &str, lines: &[&str]) -> String {
        let trusted = ["10.0.0.0/8", "fd00::/8"].map(|network| network.parse().unwrap());
        let mut headers = HeaderMap::new();
        for line in lines {
            let name = HeaderName::from_static(FORWARDED_FOR);
            headers.append(name, HeaderValue::from_bytes(line.as_bytes()).unwrap());
        }
        client_address(peer.parse().unwrap(), &headers, &trusted).to_string()
    }

    #[test]
    fn who_is_no_proxy_cannot_say_to_be_another() {
        assert_eq!(client("203.0.113.9", &["198.51.100.1"]), "203.0.113.9");
        assert_eq!(client("203.0.113.9", &["10.0.0.1"]), "203.0.113.9");
    }

    #[test]
    fn what_the_nearest_trusted_proxy_saw_counts() {
        assert_eq!(client("10.0.0.1", &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(client("::ffff:10.0.0.1", &["::ffff:198.51.100.1"]), "198.51.100.1");
        assert_eq!(client("fd00::1", &["2001:db8::7"]), "2001:db8::7");
        // The client wrote the left part itself, on the same line or on one of its own.
        assert_eq!(client("10.0.0.1", &["9.9.9.9, 198.51.100.1"]), "198.51.100.1");
        assert_eq!(client("10.0.0.1", &["9.9.9.9", "198.51.100.1, 10.0.0.2"]), "198.51.100.1");
        assert_eq!(client("10.0.0.1", &["9.9.9.9, 10.9.9.9, 198.51.100.1,10.0.0.3"]), "198.51.100.1");
        assert_eq!(client("10.0.0.1", &["198.51.100.1:4711"]), "198.51.100.1");
        assert_eq!(client("10.0.0.1", &["[2001:db8::7]:4711"]), "2001:db8::7");
    }

    #[test]
    fn nothing_beyond_what_is_malformed_is_believed() {
        for malformed in ["", "unknown", "198.51.100.1, nonsense", "198.51.100.1,", "999.1.1.1", "ä"] {
            assert_eq!(client("10.0.0.1", &[malformed]), "10.0.0.1", "{malformed}");
        }
        assert_eq!(client("10.0.0.1", &["9.9.9.9, rubbish, 10.0.0.2"]), "10.0.0.2");
        assert_eq!(client("10.0.0.1", &[]), "10.0.0.1");
    }

    #[test]
    fn a_household_is_counted_as_one() {
        let counted = |text: &str| counted_as(text.parse().unwrap()).to_string();
        assert_eq!(counted("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(counted("198.51.100.1"), "198.51.100.1");
    }
}
