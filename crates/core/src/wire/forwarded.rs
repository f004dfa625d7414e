//! What a reverse proxy says about the request it asks for. In: its headers, and whether we trust it. Out: one target, or a
//! reject when the proxy is not ours, says nothing, or says two different things.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use http::{HeaderMap, HeaderName, Method};
use ipnet::IpNet;

use crate::reject::Reject;

const ORIGINAL_METHOD: HeaderName = HeaderName::from_static("x-original-method");
const ORIGINAL_URL: HeaderName = HeaderName::from_static("x-original-url");
const FORWARDED_METHOD: HeaderName = HeaderName::from_static("x-forwarded-method");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const FORWARDED_URI: HeaderName = HeaderName::from_static("x-forwarded-uri");

/// The peers whose forwarding headers count. Nobody by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// The configured networks.
    pub fn new(networks: Vec<IpNet>) -> Self {
        Self(networks)
    }

    /// Whether a peer is one of them.
    pub fn trusts(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        self.0.iter().any(|network| network.contains(&peer))
    }

    /// The client's address: the nearest hop in `X-Forwarded-For`, read from the right, that is not a trusted proxy itself.
    /// From an untrusted peer the header does not count.
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer.to_canonical();
        let lines: Vec<_> = headers.get_all("x-forwarded-for").iter().collect();
        // A line that cannot be read is a hop that cannot be read: what stands before it was written by who knows whom.
        let hops = lines.iter().rev().flat_map(|line| line.to_str().unwrap_or_default().rsplit(','));
        for hop in hops {
            if !self.trusts(client) {
                break;
            }
            match hop_address(hop) {
                Some(address) => client = address.to_canonical(),
                None => break,
            }
        }
        client
    }
}

/// The request that a proxy asks about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target<'a> {
    /// Its method.
    pub method: Method,
    /// Its host, without port.
    pub host: &'a str,
    /// Its path and query, exactly as the client sent them.
    pub path_and_query: &'a str,
}

/// Reads the target from `X-Original-Method` and `X-Original-URL` (nginx) or `X-Forwarded-Method`, `-Host` and `-Uri` (Caddy,
/// Traefik, HAProxy). When both dialects are there they must agree.
pub fn target<'a>(
    headers: &'a HeaderMap,
    peer: IpAddr,
    proxies: &TrustedProxies,
) -> Result<Target<'a>, Reject> {
    if !proxies.trusts(peer) {
        return Err(Reject::UntrustedPeer);
    }
    match (original(headers)?, forwarded(headers)?) {
        (Some(original), Some(forwarded)) if original != forwarded => Err(Reject::AmbiguousTarget),
        (Some(target), _) | (None, Some(target)) => Ok(target),
        (None, None) => Err(Reject::AmbiguousTarget),
    }
}

/// The host of a `host[:port]`, without port; refuses everything that is not plainly one, and every second spelling of one: a
/// trailing dot, or an IPv6 address not in its canonical text (RFC 5952), would lead past a host's own routes.
pub fn host_of(authority: &str) -> Result<&str, Reject> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let end = rest.find(']').ok_or(Reject::AmbiguousTarget)?;
            authority.split_at(end + 2)
        }
        None => authority.find(':').map_or((authority, ""), |colon| authority.split_at(colon)),
    };
    let host_is_plain = match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(literal) => literal.parse::<Ipv6Addr>().is_ok_and(|address| address.to_string() == literal),
        None => {
            !host.is_empty()
                && host.len() <= 253
                && !host.ends_with('.')
                && host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b))
        }
    };
    let port_is_plain = port.is_empty()
        || (port.len() <= 6
            && port.len() > 1
            && port.starts_with(':')
            && port.bytes().skip(1).all(|b| b.is_ascii_digit()));
    if host_is_plain && port_is_plain { Ok(host) } else { Err(Reject::AmbiguousTarget) }
}

/// The address of a hop, as proxies write it: with or without a port, an IPv6 address in brackets or not, in quotes, with `for=` before it
/// (RFC 7239 section 6), with a zone (RFC 4007 section 11), which means something to the proxy alone.
fn hop_address(hop: &str) -> Option<IpAddr> {
    let hop = hop.trim();
    let hop = match hop.get(..4) {
        Some(key) if key.eq_ignore_ascii_case("for=") => hop.get(4..)?,
        _ => hop,
    };
    let hop = hop.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(hop);
    if let Some(rest) = hop.strip_prefix('[') {
        let (address, port) = rest.split_once(']')?;
        let is_port =
            port.is_empty() || port.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok());
        return if is_port { without_zone(address).parse::<Ipv6Addr>().ok().map(IpAddr::V6) } else { None };
    }
    let address = hop.parse::<IpAddr>().or_else(|_| hop.parse::<SocketAddr>().map(|hop| hop.ip()));
    address.ok().or_else(|| without_zone(hop).parse::<Ipv6Addr>().ok().map(IpAddr::V6))
}

fn without_zone(address: &str) -> &str {
    address.split_once('%').map_or(address, |(address, _)| address)
}

fn original(headers: &HeaderMap) -> Result<Option<Target<'_>>, Reject> {
    match (once(headers, &ORIGINAL_METHOD)?, once(headers, &ORIGINAL_URL)?) {
        (None, None) => Ok(None),
        (Some(method), Some(url)) => {
            let (scheme, rest) = url.split_once("://").ok_or(Reject::AmbiguousTarget)?;
            if scheme != "http" && scheme != "https" {
                return Err(Reject::AmbiguousTarget);
            }
            let slash = rest.find('/').ok_or(Reject::AmbiguousTarget)?;
            let (authority, path_and_query) = rest.split_at(slash);
            Ok(Some(Target { method: parse_method(method)?, host: host_of(authority)?, path_and_query }))
        }
        _ => Err(Reject::AmbiguousTarget),
    }
}

fn forwarded(headers: &HeaderMap) -> Result<Option<Target<'_>>, Reject> {
    let method = once(headers, &FORWARDED_METHOD)?;
    match (method, once(headers, &FORWARDED_HOST)?, once(headers, &FORWARDED_URI)?) {
        (None, _, None) => Ok(None),
        (Some(method), Some(host), Some(uri)) => {
            Ok(Some(Target { method: parse_method(method)?, host: host_of(host)?, path_and_query: uri }))
        }
        _ => Err(Reject::AmbiguousTarget),
    }
}

fn parse_method(text: &str) -> Result<Method, Reject> {
    Method::from_bytes(text.as_bytes()).map_err(|_| Reject::AmbiguousTarget)
}

fn once<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Reject> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| Reject::AmbiguousTarget),
        (Some(_), Some(_)) => Err(Reject::AmbiguousTarget),
    }
}
