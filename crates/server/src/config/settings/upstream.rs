//! Where the built-in gateway sends the requests of a route. In: `upstream` of a route, and the listeners. Out: an address that can be
//! connected to, and that is not one of our own.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use http::Uri;
use http::uri::Scheme;
use vestibule_core::csrf::origin::Origin;

use super::Listen;
use crate::config::Wrong;

pub(super) fn upstream(key: &str, text: &str, listen: Listen) -> Result<Uri, Wrong> {
    let wrong =
        |why: &str| Wrong::new(key, format!("{text:?} {why}; write it like \"http://127.0.0.1:9000\""));
    let uri: Uri = text.parse().map_err(|_| wrong("is not a URL"))?;
    if uri.scheme() == Some(&Scheme::HTTPS) {
        return Err(wrong("is https, which is not available yet towards upstreams"));
    }
    let Some(authority) = uri.authority().filter(|_| uri.scheme() == Some(&Scheme::HTTP)) else {
        return Err(wrong("is not an http:// URL"));
    };
    if authority.as_str().contains('@') {
        return Err(Wrong::new(key, "carries a name or password, which upstreams do not get"));
    }
    if !matches!(uri.path(), "" | "/") || uri.query().is_some() {
        return Err(wrong("has a path or query: requests keep the path they came with"));
    }
    // Of what is taken here, each can be resolved; the rest would be a failure at each request.
    let origin = Origin::parse(text.strip_suffix('/').unwrap_or(text)).ok();
    let parsed = origin.and_then(|it| it.as_str().parse().ok().map(|uri| (it, uri)));
    let (origin, uri) = parsed.ok_or_else(|| wrong("names no host or port that can be"))?;
    for (name, listener) in [("listen.internal", listen.internal), ("listen.public", listen.public)] {
        if reaches(&origin, listener) {
            // A request would be answered by ourselves, and on the internal listener as one of a trusted proxy's.
            let what = format!(
                "{text:?} is Vestibule itself: it reaches `{name}` ({listener}); write the address of the service, or move that listener \
                 to another port"
            );
            return Err(Wrong::new(key, what));
        }
    }
    Ok(uri)
}

/// Whether a connection to an origin may arrive at a listener. Names other than `localhost` are not resolved.
fn reaches(origin: &Origin, listener: SocketAddr) -> bool {
    // With port 0 the system chooses one.
    if listener.port() == 0 || origin.port().unwrap_or(80) != listener.port() {
        return false;
    }
    let listens_at = listener.ip().to_canonical();
    let host = origin.host();
    let to = |address: IpAddr| match (address.to_canonical(), listens_at) {
        (IpAddr::V4(to), IpAddr::V4(Ipv4Addr::UNSPECIFIED)) => to.is_loopback(),
        // Such a socket takes IPv4, too, unless the system was told otherwise.
        (to, IpAddr::V6(Ipv6Addr::UNSPECIFIED)) => to.is_loopback(),
        (to, listens_at) => to == listens_at,
    };
    // Each of these is a loopback address of either family, of the system's choice.
    let is_local = host == "localhost"
        || host.ends_with(".localhost")
        || address(host).is_some_and(|to| to.to_canonical().is_unspecified());
    match address(host) {
        _ if is_local => listens_at.is_loopback() || listens_at.is_unspecified(),
        Some(address) => to(address),
        None => false,
    }
}

/// A host that is an address.
fn address(host: &str) -> Option<IpAddr> {
    let v6 = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    v6.unwrap_or(host).parse().ok()
}
