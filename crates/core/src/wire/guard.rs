//! What every answer of our own to a browser carries, pages and refusals alike: nothing is sniffed, framed, embedded by other
//! sites or sent to them as a referrer. Answers of the services behind are theirs, and not touched.

use http::{HeaderMap, HeaderName, HeaderValue, header};

use super::cookie::Https;

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

/// Two years (ASVS 3.4.1 asks for one).
const HSTS: HeaderValue = HeaderValue::from_static("max-age=63072000; includeSubDomains");

/// Sets them, in place of whatever stood there, but for two: a page has said before what it may load, and what may be kept (a
/// stylesheet, the published keys) for how long.
pub fn set(headers: &mut HeaderMap, https: Https) {
    for (name, value) in ALWAYS {
        headers.insert(name, value);
    }
    if https == Https::Yes {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HSTS);
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
        for (https, expected) in [(Https::Yes, true), (Https::No, false)] {
            let mut headers = HeaderMap::new();
            set(&mut headers, https);
            assert_eq!(headers.contains_key(header::STRICT_TRANSPORT_SECURITY), expected);
            assert_eq!(headers.len(), ALWAYS.len() + 2 + usize::from(expected));
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
        set(&mut headers, Https::No);
        let of = |name| headers.get(name).and_then(|value| value.to_str().ok());
        assert_eq!(of(header::CACHE_CONTROL), Some("max-age=60"));
        assert_eq!(of(header::CONTENT_SECURITY_POLICY), Some("default-src 'self'"));
        assert_eq!(of(header::X_FRAME_OPTIONS), Some("DENY"));
    }
}
