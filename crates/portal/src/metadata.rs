//! What this installation says of itself to OAuth clients and verifiers, `GET /.well-known/oauth-authorization-server` (RFC 8414).
//! In: the issuer, and the key ring now. Out: a JSON document that names what works, and nothing else.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use serde_json::{Map, Value};
use vestibule_core::wire::Paths;

use crate::{Portal, document, key_set, oauth};

/// Where it is; a `public_url` has no path that would go behind it.
pub(crate) const PATH: &str = "/.well-known/oauth-authorization-server";

/// Members that are URLs, with the address of each below the prefix. One that is routed gets its line here in the same change.
const ENDPOINTS: &[(&str, &str)] = &[
    ("introspection_endpoint", oauth::introspect::PATH),
    ("revocation_endpoint", oauth::revoke::PATH),
    ("token_endpoint", oauth::token::PATH),
];

/// Members that are lists. The empty one is there because it is required (RFC 8414 section 2); where the authentication of clients is
/// absent, it means a secret, and our own client has none.
const LISTS: &[(&str, &[&str])] = &[
    (
        "grant_types_supported",
        &["client_credentials", "refresh_token", "urn:ietf:params:oauth:grant-type:token-exchange"],
    ),
    ("introspection_endpoint_auth_methods_supported", &["client_secret_basic", "private_key_jwt"]),
    ("introspection_endpoint_auth_signing_alg_values_supported", ASSERTIONS),
    ("response_types_supported", &[]),
    ("revocation_endpoint_auth_methods_supported", &["client_secret_basic", "none", "private_key_jwt"]),
    ("revocation_endpoint_auth_signing_alg_values_supported", ASSERTIONS),
    ("token_endpoint_auth_methods_supported", &["client_secret_basic", "none", "private_key_jwt"]),
    ("token_endpoint_auth_signing_alg_values_supported", ASSERTIONS),
];

/// What a client's assertion may be signed with.
const ASSERTIONS: &[&str] = &["ES256", "Ed25519", "EdDSA", "PS256", "RS256"];

/// Serves the metadata.
pub(crate) async fn serve(State(portal): State<Arc<Portal>>, asked: HeaderMap) -> Response {
    let mut metadata = of(portal.minter.issuer(), &portal.paths);
    // What answers are signed with (RFC 9701 section 7), and will be: who keeps this must take what the next key signs.
    if let Ok(published) = portal.minter.ring().published(portal.clock.now()) {
        let algorithms: BTreeSet<_> = published.iter().map(|key| key.algorithm().name()).collect();
        let algorithms: Vec<_> = algorithms.into_iter().collect();
        metadata.insert("introspection_signing_alg_values_supported".to_owned(), algorithms.into());
    }
    let body = Value::Object(metadata).to_string();
    document::answer(&asked, "application/json", body, key_set::max_age(portal.publish_ahead))
}

fn of(issuer: &str, paths: &Paths) -> Map<String, Value> {
    let key_set = format!("{issuer}{}", key_set::PATH);
    let mut metadata = Map::from_iter([
        ("issuer".to_owned(), Value::from(issuer)),
        ("jwks_uri".to_owned(), Value::from(key_set)),
    ]);
    let endpoints = ENDPOINTS
        .iter()
        .map(|(name, address)| ((*name).to_owned(), format!("{issuer}{}", paths.to(address)).into()));
    metadata.extend(endpoints);
    metadata.extend(LISTS.iter().map(|(name, values)| ((*name).to_owned(), values.to_vec().into())));
    metadata
}
