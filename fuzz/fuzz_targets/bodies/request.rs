//! One round of fuzzing what a proxy and a browser say about a request: forwarded headers, hosts, origins, forms and paths. For libFuzzer,
//! and for the bounded run on stable. In: any bytes. Out: nothing; what must never happen is an assertion.
//!
//! Each part is read a second time in another way: by the URL standard (crate `url`), by `percent-encoding`, or by the rule as a sentence.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::LazyLock;

use http::{HeaderMap, HeaderName, HeaderValue};
use url::{Host, Url};
use vestibule_core::csrf::origin::{Origin, Origins};
use vestibule_core::route::canonical_path;
use vestibule_core::wire::form;
use vestibule_core::wire::forwarded::{self, TrustedProxies};

const PROXY: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 1));
const STRANGER: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 9));

static PROXIES: LazyLock<TrustedProxies> = LazyLock::new(|| {
    TrustedProxies::new(vec!["127.0.0.0/8".parse().unwrap(), "10.0.0.0/8".parse().unwrap()])
});
static OURS: LazyLock<Origins> =
    LazyLock::new(|| Origins::new(vec![Origin::parse("https://app.test").unwrap()]));

/// The first byte chooses the part, the rest is its input.
pub(crate) fn run(bytes: &[u8]) {
    let Some((part, rest)) = bytes.split_first() else { return };
    match part % 6 {
        0 => address(rest),
        1 => target(rest),
        2 => origin(rest),
        3 => judged(rest),
        4 => form_value(rest),
        _ => path(rest),
    }
}

/// Lines of `X-Forwarded-For`.
fn address(bytes: &[u8]) {
    let mut headers = HeaderMap::new();
    for line in bytes.split(|byte| *byte == b'\n') {
        if let Ok(line) = HeaderValue::from_bytes(line) {
            headers.append("x-forwarded-for", line);
        }
    }
    assert_eq!(PROXIES.client(STRANGER, &headers), STRANGER, "a stranger says nothing about itself");
    let client = PROXIES.client(PROXY, &headers);
    assert_eq!(client, client.to_canonical(), "one spelling of an address");
    if client == PROXY {
        return;
    }
    // It is a hop of the list, and every hop to the right of it is a trusted proxy.
    let lines = headers.get_all("x-forwarded-for").iter().map(|line| line.to_str().unwrap_or("?").to_owned());
    let joined = lines.collect::<Vec<_>>().join(",");
    let hops: Vec<&str> = joined.split(',').map(str::trim).collect();
    let at = hops.iter().rposition(|hop| named(hop) == Some(client));
    let at = at.unwrap_or_else(|| panic!("{client} is not in {joined:?}"));
    for proxy in &hops[at + 1..] {
        assert!(named(proxy).is_some_and(|proxy| PROXIES.trusts(proxy)), "{proxy:?} in {joined:?}");
    }
}

/// An address as proxies write one: with or without port, brackets, quotes, zone and the `for=` of RFC 7239.
fn named(hop: &str) -> Option<IpAddr> {
    let key = hop.get(..4).filter(|key| key.eq_ignore_ascii_case("for="));
    let hop = key.map_or(hop, |_| &hop[4..]);
    let hop = hop.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(hop);
    let zoneless = match (hop.find('%'), hop.find(']')) {
        (Some(zone), Some(end)) if zone < end => format!("{}{}", &hop[..zone], &hop[end..]),
        (Some(zone), None) => hop[..zone].to_owned(),
        _ => hop.to_owned(),
    };
    let bare = zoneless.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).map(str::to_owned);
    let address = match (zoneless.parse::<IpAddr>(), zoneless.parse::<SocketAddr>()) {
        (Ok(address), _) => address,
        (_, Ok(socket)) => socket.ip(),
        _ => IpAddr::V6(bare?.parse().ok()?),
    };
    Some(address.to_canonical())
}

/// Lines `name: value` of what proxies say about a request.
fn target(bytes: &[u8]) {
    let mut headers = HeaderMap::new();
    for line in bytes.split(|byte| *byte == b'\n') {
        let mut halves = line.splitn(2, |byte| *byte == b':');
        let (Some(name), Some(value)) = (halves.next(), halves.next()) else { continue };
        if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(name), HeaderValue::from_bytes(value.trim_ascii()))
        {
            headers.append(name, value);
        }
    }
    assert!(forwarded::target(&headers, STRANGER, &PROXIES).is_err(), "from a stranger");
    let Ok(target) = forwarded::target(&headers, PROXY, &PROXIES) else { return };
    let said = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    for (method, authority, path) in [
        (said("x-forwarded-method"), said("x-forwarded-host").map(str::to_owned), said("x-forwarded-uri")),
        match said("x-original-url").and_then(|url| url.split_once("://")).map(|(_, rest)| rest) {
            Some(rest) => {
                let slash = rest.find('/').unwrap();
                (said("x-original-method"), Some(rest[..slash].to_owned()), Some(&rest[slash..]))
            }
            None => (None, None, None),
        },
    ] {
        // Each dialect that is there says exactly what was taken.
        if path.is_some() {
            assert_eq!(method, Some(target.method.as_str()));
            assert_eq!(path, Some(target.path_and_query));
            let authority = authority.unwrap();
            assert!(authority.starts_with(target.host), "{authority}");
            let port = &authority[target.host.len()..];
            assert!(port.is_empty() || port[1..].bytes().all(|byte| byte.is_ascii_digit()), "{authority}");
            same_host(&authority, target.host);
        }
    }
    assert!(!target.method.as_str().is_empty());
}

/// The URL standard reads the same host. It takes `1.2` and `0x7f.1` for IPv4 addresses; those are names to us and equal no route.
fn same_host(authority: &str, host: &str) {
    let last = host.rsplit('.').next().unwrap_or_default();
    let is_number = last.starts_with(|first: char| first.is_ascii_digit());
    let port = authority[host.len()..].strip_prefix(':').unwrap_or("1");
    if is_number || host.to_ascii_lowercase().contains("xn--") || port.parse::<u16>().is_err() {
        return;
    }
    let url =
        Url::parse(&format!("https://{authority}/")).unwrap_or_else(|error| panic!("{authority}: {error}"));
    let read = match url.host().unwrap() {
        Host::Domain(name) => name.to_owned(),
        Host::Ipv4(address) => address.to_string(),
        Host::Ipv6(address) => format!("[{address}]"),
    };
    assert_eq!(read, host.to_ascii_lowercase(), "{authority}");
}

/// What is taken for an origin is one, and is written as browsers write it: an ASCII host in lower case, no default port.
fn origin(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(origin) = Origin::parse(text) else { return };
    assert_eq!(Origin::parse(origin.as_str()).as_ref(), Ok(&origin), "read as it is written");
    let url = Url::parse(text).unwrap_or_else(|error| panic!("{text:?}: {error}"));
    assert_eq!(url.origin().ascii_serialization(), origin.as_str(), "{text:?}");
    assert!(url.username().is_empty() && url.query().is_none() && url.fragment().is_none(), "{text:?}");
    let (scheme, authority) = origin.as_str().split_once("://").unwrap();
    assert_eq!(scheme, if origin.is_https() { "https" } else { "http" });
    let host = origin.host();
    let port = authority.strip_prefix(host).unwrap();
    let port = port.strip_prefix(':').map(|port| port.parse::<u16>().unwrap());
    assert!(port != Some(0) && port != Some(if origin.is_https() { 443 } else { 80 }), "{text:?}");
    match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(literal) => assert_eq!(literal.parse::<Ipv6Addr>().unwrap().to_string(), literal),
        None => assert!(
            host.bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-._".contains(&byte)),
            "{text:?}"
        ),
    }
}

/// `Sec-Fetch-Site` and `Origin`, one line each: the rule of [`Origins::judge`] as a table.
fn judged(bytes: &[u8]) {
    let mut headers = HeaderMap::new();
    let (mut sites, mut origins, mut readable) = (Vec::new(), Vec::new(), true);
    for line in bytes.split(|byte| *byte == b'\n') {
        let Some((kind, value)) = line.split_first() else { continue };
        let Ok(value) = HeaderValue::from_bytes(value) else { continue };
        readable &= value.to_str().is_ok();
        let (name, list) = match kind {
            b's' => ("sec-fetch-site", &mut sites),
            _ => ("origin", &mut origins),
        };
        list.push(value.as_bytes().to_vec());
        headers.append(name, value);
    }
    let own_page = sites == [b"same-origin".to_vec()] || sites == [b"none".to_vec()];
    let listed = origins == [b"https://app.test".to_vec()];
    let expected = readable && sites.len() < 2 && origins.len() < 2 && (own_page || listed);
    assert_eq!(OURS.judge(&headers).is_ok(), expected, "{headers:?}");
}

/// One name or value of a form: what is decoded is what `percent-encoding` decodes, and a broken escape is refused.
fn form_value(bytes: &[u8]) {
    let broken = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'%').any(|(at, _)| {
        bytes.get(at + 1..at + 3).is_none_or(|digits| !digits.iter().all(u8::is_ascii_hexdigit))
    });
    let spaced: Vec<u8> = bytes.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    let expected: Vec<u8> = percent_encoding::percent_decode(&spaced).collect();
    assert_eq!(form::decode(bytes), (!broken).then_some(expected), "{}", bytes.escape_ascii());
    if let Ok(text) = std::str::from_utf8(bytes) {
        let encoded = form::encode(text);
        assert_eq!(form::decode(encoded.as_bytes()).as_deref(), Some(bytes), "read as it is written");
        assert!(encoded.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~/%".contains(&byte)));
    }
}

/// A path that is taken leads nowhere else: the URL standard resolves it to itself, and no layer of decoding finds `..` in it.
fn path(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if canonical_path(text).is_err() {
        return;
    }
    assert!(text.starts_with('/'), "{text:?}");
    let mut layer = text.as_bytes().to_vec();
    for _ in 0..3 {
        let segments = layer.split(|byte| b"/\\;".contains(byte));
        assert!(segments.clone().all(|segment| segment != b"." && segment != b".."), "{text:?}");
        assert!(!layer.iter().any(|byte| *byte < 0x20 || *byte == 0x7F || *byte == b'\\'), "{text:?}");
        layer = percent_encoding::percent_decode(&layer).collect();
    }
    let url =
        Url::parse(&format!("https://app.test{text}")).unwrap_or_else(|error| panic!("{text:?}: {error}"));
    let decoded = |text: &str| percent_encoding::percent_decode_str(text).collect::<Vec<u8>>();
    assert_eq!(decoded(url.path()), decoded(text), "{text:?}");
}
