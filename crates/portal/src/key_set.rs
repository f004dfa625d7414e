//! The published keys, `GET /.well-known/jwks.json` (RFC 7517 section 5). In: the key ring now. Out: public members only, with
//! an ETag and a few minutes of cache, so that a verifier asks rarely and learns of a new key well before it signs.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;

use crate::problem::Problem;
use crate::{Portal, document};

/// Where it is, and where the metadata says it is.
pub(crate) const PATH: &str = "/.well-known/jwks.json";
/// A withdrawn key is believed for no longer than this by whoever asks when it is told to.
pub(crate) const LONGEST: Duration = Duration::from_secs(300);

/// Serves the key set.
pub(crate) async fn serve(State(portal): State<Arc<Portal>>, asked: HeaderMap) -> Result<Response, Problem> {
    let published = portal.minter.ring().published(portal.clock.now())?;
    let body = published.to_jwks().to_string();
    Ok(document::answer(&asked, "application/jwk-set+json", body, max_age(portal.publish_ahead)))
}

/// A verifier asks four times, three of which may fail, between the moment that a key is published and the one that it signs.
pub(crate) fn max_age(publish_ahead: Duration) -> Duration {
    (publish_ahead / 4).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_key_is_seen_before_it_signs_and_a_withdrawn_one_is_gone_in_five_minutes() {
        let minutes = |number: u64| Duration::from_secs(number * 60);
        assert_eq!(max_age(minutes(24 * 60)), minutes(5));
        assert_eq!(max_age(minutes(20)), minutes(5));
        assert_eq!(max_age(minutes(10)), Duration::from_secs(150));
        assert_eq!(max_age(minutes(0)), minutes(0));
    }
}
