//! Proxies that are not configured as such. In: settings, and requests on the public listener. Out: what to say of it: when the
//! configuration is checked, in the log once for each peer, and in `/readyz`.
//!
//! Behind a proxy that is not in `trusted_proxies.public` all visitors have one address: the guesses of one keep the others waiting, and
//! sessions show the proxy's address.

use std::net::IpAddr;

use http::HeaderMap;
use parking_lot::Mutex;
use vestibule_core::wire::forwarded::TrustedProxies;

use crate::config::Settings;

const KEY: &str = "trusted_proxies.public";

/// The most peers that are listed: strangers can write the header, too.
const MOST: usize = 8;

/// What is to be said where browsers are served over https, which some proxy in front must speak, and no proxy is named.
pub(crate) fn none_named(settings: &Settings) -> Option<String> {
    let is_missing = settings.public_url.is_https() && settings.public_proxies.is_empty();
    is_missing.then(|| {
        format!(
            "{KEY}: no proxy is named, and public_url is https, which a proxy in front speaks. Name its address, for example [\"127.0.0.1/32\"]: until then all visitors count as one source, and one who guesses passwords keeps all others waiting."
        )
    })
}

/// Peers that say for whom they ask, and are not believed.
pub(crate) struct UntrustedProxies {
    trusted: TrustedProxies,
    seen: Mutex<Vec<IpAddr>>,
}

impl UntrustedProxies {
    pub(crate) fn new(trusted: TrustedProxies) -> Self {
        Self { trusted, seen: Mutex::default() }
    }

    /// Looks at a request on the public listener; the first of each peer is logged.
    pub(crate) fn note(&self, peer: IpAddr, headers: &HeaderMap) {
        if !headers.contains_key("x-forwarded-for") || self.trusted.trusts(peer) {
            return;
        }
        let peer = peer.to_canonical();
        let mut seen = self.seen.lock();
        if seen.len() >= MOST || seen.contains(&peer) {
            return;
        }
        seen.push(peer);
        drop(seen);
        tracing::warn!(
            peer = %peer,
            "X-Forwarded-For came from a peer that is not in trusted_proxies.public, and is not used: if it is your proxy, add its address, or all its visitors count as one source"
        );
    }

    /// What `/readyz` says of them.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let said = |peer: &IpAddr| {
            format!("{KEY}: X-Forwarded-For from {peer} is not used; if it is your proxy, add its address")
        };
        self.seen.lock().iter().map(said).collect()
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_peer_that_forwards_and_is_not_trusted_is_named_once() {
        let proxies = UntrustedProxies::new(TrustedProxies::new(vec!["192.0.2.1/32".parse().unwrap()]));
        let plain = HeaderMap::new();
        let mut forwarded = HeaderMap::new();
        forwarded.insert("x-forwarded-for", HeaderValue::from_static("203.0.113.9"));
        let peer = |text: &str| text.parse::<IpAddr>().unwrap();
        proxies.note(peer("192.0.2.1"), &forwarded);
        proxies.note(peer("198.51.100.1"), &plain);
        assert!(proxies.warnings().is_empty());
        for _ in 0..3 {
            proxies.note(peer("198.51.100.1"), &forwarded);
            proxies.note(peer("::ffff:198.51.100.1"), &forwarded);
        }
        let expected = "trusted_proxies.public: X-Forwarded-For from 198.51.100.1 is not used; if it is your proxy, add its address";
        assert_eq!(proxies.warnings(), [expected]);
        for last in 2..100 {
            proxies.note(peer(&format!("198.51.100.{last}")), &forwarded);
        }
        assert_eq!(proxies.warnings().len(), MOST);
    }
}
