//! The published keys, `GET /.well-known/jwks.json` (RFC 7517 section 5). In: the key ring now. Out: public members only, with
//! an ETag and five minutes of cache, so that a verifier asks rarely and learns of a new key well before it signs.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use data_encoding::HEXLOWER;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use http::{HeaderMap, StatusCode};
use sha2::{Digest, Sha256};

use crate::Portal;
use crate::problem::Problem;

const CACHE: &str = "public, max-age=300";

/// Serves the key set.
pub(crate) async fn serve(
    State(portal): State<Arc<Portal>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let published = portal.minter.ring().published(portal.clock.now())?;
    let body = published.to_jwks().to_string();
    let mut digest = HEXLOWER.encode(&Sha256::digest(&body));
    digest.truncate(32);
    let etag = format!("\"{digest}\"");
    let is_known = headers
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == etag);
    let head = [(ETAG, etag), (CACHE_CONTROL, CACHE.to_owned())];
    if is_known {
        return Ok((StatusCode::NOT_MODIFIED, head).into_response());
    }
    Ok((head, [(CONTENT_TYPE, "application/jwk-set+json")], body).into_response())
}
