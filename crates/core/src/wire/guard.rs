//! What every answer of our own to a browser carries, pages and refusals alike: nothing is sniffed, framed, embedded by other
//! sites or sent to them as a referrer. Answers of the services behind are theirs, and not touched.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, header};

/// For what shows nothing.
const NOTHING: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'",
);

const ALWAYS: [(HeaderName, HeaderValue); 6] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    // Not `no-referrer`: with it browsers send `Origin: null` from our own forms (Fetch Standard, "append a request Origin header").
    (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
    (
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static(
            "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), magnetometer=(), \
             microphone=(), midi=(), payment=(), usb=()",
        ),
    ),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
];

/// The `Strict-Transport-Security` header of our answers, if there is one (RFC 6797).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hsts(Option<HeaderValue>);

/// Which hosts it binds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hosts {
    /// The host that answers.
    This,
    /// Every host below it, too: also those that are run by others and have no certificate.
    AndSubdomains,
}

impl Hsts {
    /// No header: it has no meaning over plain http, and an operator may set it elsewhere.
    pub const fn unsaid() -> Self {
        Self(None)
    }

    /// In force for `max_age` after each answer, in whole seconds. No header where that is zero.
    pub fn lasting(max_age: Duration, hosts: Hosts) -> Self {
        let seconds = max_age.as_secs();
        let below = match hosts {
            Hosts::This => "",
            Hosts::AndSubdomains => "; includeSubDomains",
        };
        Self((seconds > 0).then(|| HeaderValue::try_from(format!("max-age={seconds}{below}")).ok()).flatten())
    }
}

/// Sets them, in place of whatever stood there, but for two: a page has said before what it may load, and what may be kept (a
/// stylesheet, the published keys) for how long.
pub fn set(headers: &mut HeaderMap, hsts: &Hsts) {
    for (name, value) in ALWAYS {
        headers.insert(name, value);
    }
    if let Hsts(Some(value)) = hsts {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, value.clone());
    }
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(NOTHING);
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// HD-02.
    #[test]
    fn over_https_browsers_are_told_to_stay_there_and_on_loopback_not() {
        let lasting = |seconds, hosts| Hsts::lasting(Duration::from_secs(seconds), hosts);
        for (hsts, expected) in [
            (lasting(31_536_000, Hosts::This), Some("max-age=31536000")),
            (lasting(31_536_000, Hosts::AndSubdomains), Some("max-age=31536000; includeSubDomains")),
            (lasting(0, Hosts::AndSubdomains), None),
            (Hsts::unsaid(), None),
        ] {
            let mut headers = HeaderMap::new();
            set(&mut headers, &hsts);
            let said = headers.get(header::STRICT_TRANSPORT_SECURITY);
            assert_eq!(said.map(|value| value.to_str().unwrap()), expected);
            assert_eq!(headers.len(), ALWAYS.len() + 2 + usize::from(expected.is_some()));
        }
    }

    #[test]
    fn what_a_page_says_of_itself_stands() {
        let mut headers = HeaderMap::new();
        for (name, said) in [
            (header::CACHE_CONTROL, "max-age=60"),
            (header::CONTENT_SECURITY_POLICY, "default-src 'self'"),
            (header::X_FRAME_OPTIONS, "ALLOWALL"),
        ] {
            headers.insert(name, HeaderValue::from_static(said));
        }
        set(&mut headers, &Hsts::unsaid());
        let of = |name| headers.get(name).and_then(|value| value.to_str().ok());
        assert_eq!(of(header::CACHE_CONTROL), Some("max-age=60"));
        assert_eq!(of(header::CONTENT_SECURITY_POLICY), Some("default-src 'self'"));
        assert_eq!(of(header::X_FRAME_OPTIONS), Some("DENY"));
    }
}
