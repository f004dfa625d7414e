//! What a request must be before anything is asked about it: one that every server along the way reads alike (RFC 9112). In: the
//! head as hyper parsed it. Out: the host it is for, or what is wrong with it.

use http::header::{HOST, TRANSFER_ENCODING, UPGRADE};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use vestibule_core::wire::forwarded::host_of;

use crate::answer::Refusal;

/// The host of a request, without port.
pub(super) fn host(parts: &Parts) -> Result<&str, Refusal> {
    if matches!(parts.method, Method::CONNECT | Method::TRACE) {
        // A tunnel has no path to decide about, and a trace would show a client the JWT of its own request.
        return Err(unsupported("The method is not offered here."));
    }
    let mut upgrades = parts.headers.get_all(UPGRADE).iter();
    if upgrades.any(|protocol| !protocol.as_bytes().eq_ignore_ascii_case(b"h2c")) {
        // RFC 9110 section 7.8 would let us ignore it, but a WebSocket's client deserves a plain no.
        return Err(unsupported("Changing the protocol (WebSocket) is not offered here."));
    }
    let authority = once(&parts.headers, HOST)?.ok_or_else(|| malformed("There is no Host header."))?;
    let host = authority
        .to_str()
        .ok()
        .and_then(|authority| host_of(authority).ok())
        .ok_or_else(|| malformed("The Host header is no host."))?;
    // RFC 9112 section 3.2.2: both name the host; two that disagree are for two different readers.
    if parts
        .uri
        .authority()
        .is_some_and(|named| !authority.as_bytes().eq_ignore_ascii_case(named.as_str().as_bytes()))
    {
        return Err(malformed("The request line and the Host header name different hosts."));
    }
    if once(&parts.headers, TRANSFER_ENCODING)?
        .is_some_and(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"chunked"))
    {
        return Err(malformed("The only transfer coding taken is chunked."));
    }
    Ok(host)
}

pub(super) const fn malformed(detail: &'static str) -> Refusal {
    Refusal { status: StatusCode::BAD_REQUEST, code: "request-ambiguous", detail }
}

const fn unsupported(detail: &'static str) -> Refusal {
    Refusal { status: StatusCode::NOT_IMPLEMENTED, code: "not-offered", detail }
}

fn once(headers: &HeaderMap, name: HeaderName) -> Result<Option<&HeaderValue>, Refusal> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (value, None) => Ok(value),
        _ => Err(malformed("A header that decides how the request is read is there twice.")),
    }
}
