//! Published documents: the same for everybody, kept by whoever asks, and not sent again to who has them.
//! In: a JSON text and what the request says it knows. Out: the document with a strong entity tag (RFC 9110 section 8.8.3), or 304.

use std::time::Duration;

use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use data_encoding::HEXLOWER;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use http::{HeaderMap, StatusCode};
use sha2::{Digest, Sha256};

/// Answers with `body`, or that it is known. `max_age` is for how long whoever asks need not ask again.
pub(crate) fn answer(
    asked: &HeaderMap,
    media_type: &'static str,
    body: impl Into<Bytes>,
    max_age: Duration,
) -> Response {
    let body = body.into();
    let mut digest = HEXLOWER.encode(&Sha256::digest(&body));
    digest.truncate(32);
    let etag = format!("\"{digest}\"");
    // Weak comparison, as for every If-None-Match (RFC 9110 section 13.1.2).
    let is_known = asked
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == etag);
    let head = [(ETAG, etag), (CACHE_CONTROL, format!("public, max-age={}", max_age.as_secs()))];
    if is_known {
        return (StatusCode::NOT_MODIFIED, head).into_response();
    }
    (head, [(CONTENT_TYPE, media_type)], body).into_response()
}
