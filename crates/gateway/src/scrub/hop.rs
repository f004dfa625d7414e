//! Headers that are meant for one hop (RFC 9110 section 7.6.1). In: a message's headers. Out: which of them end here.

use http::HeaderMap;
use http::header::CONNECTION;

use super::names::{alike, begins};

/// Meant for one hop whether or not `Connection` says so. `TE` and `Trailer` are among them because trailers are not passed
/// on: a late header is one that nobody scrubbed, and hyper sends none that `Trailer` does not announce. `Expect` is answered here.
const BY_NATURE: [&[u8]; 8] = [
    b"connection",
    b"expect",
    b"http2-settings",
    b"keep-alive",
    b"te",
    b"trailer",
    b"transfer-encoding",
    b"upgrade",
];

/// Includes `Proxy` itself, which CGI turns into the variable that names an outgoing proxy (CVE-2016-5385).
const PROXYS_OWN: &[u8] = b"proxy";

pub(super) fn is_by_nature(name: &[u8]) -> bool {
    BY_NATURE.iter().any(|hop| alike(hop, name)) || begins(name, PROXYS_OWN)
}

/// What all `Connection` headers name.
pub(super) fn options(headers: &HeaderMap) -> Vec<&[u8]> {
    headers
        .get_all(CONNECTION)
        .iter()
        .flat_map(|line| line.as_bytes().split(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii)
        .filter(|option| !option.is_empty())
        .collect()
}
