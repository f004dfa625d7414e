//! OA-02: what this installation says of itself works, and it says nothing else.

use axum::body::Body;
use http::{Method, StatusCode, header};
use serde_json::{Value, json};

use crate::app::{App, ORIGIN};
use crate::personas::ApiClient;

const PATH: &str = "/.well-known/oauth-authorization-server";

async fn metadata(client: &ApiClient) -> Value {
    let answer = client.get(PATH).await;
    assert_eq!((answer.status, answer.header("content-type")), (StatusCode::OK, "application/json"));
    assert_eq!(answer.header("cache-control"), "public, max-age=300");
    answer.json()
}

#[tokio::test]
async fn the_issuer_is_the_one_of_the_jwts() {
    let app = App::new();
    let metadata = metadata(&ApiClient::of(&app)).await;
    assert_eq!(metadata["issuer"], ORIGIN);
    assert_eq!(metadata["jwks_uri"], format!("{ORIGIN}/.well-known/jwks.json"));
    assert_eq!(
        metadata["grant_types_supported"],
        serde_json::json!([
            "client_credentials",
            "refresh_token",
            "urn:ietf:params:oauth:grant-type:token-exchange"
        ])
    );
    assert_eq!(
        metadata["token_endpoint_auth_methods_supported"],
        serde_json::json!(["client_secret_basic", "none", "private_key_jwt"])
    );
    for endpoint in ["introspection", "revocation", "token"] {
        let methods = metadata[format!("{endpoint}_endpoint_auth_methods_supported")].as_array().unwrap();
        assert_eq!(methods.contains(&"none".into()), endpoint != "introspection");
        assert!(["client_secret_basic", "private_key_jwt"].iter().all(|&it| methods.contains(&it.into())));
        assert!(metadata[format!("{endpoint}_endpoint_auth_signing_alg_values_supported")].is_array());
    }
    assert_eq!(
        metadata["introspection_signing_alg_values_supported"],
        json!(["ES256"]),
        "what there are keys for"
    );
    assert!(metadata["response_types_supported"].is_array(), "{metadata}");
}

#[tokio::test]
async fn every_address_that_is_told_is_answered() {
    let app = App::new();
    let client = ApiClient::of(&app);
    let metadata = metadata(&client).await;
    let told = metadata.as_object().unwrap();
    let mut found = 0;
    for (name, url) in told.iter().filter(|(name, _)| name.ends_with("_uri") || name.ends_with("_endpoint")) {
        let path = url.as_str().unwrap().strip_prefix(ORIGIN).unwrap();
        let status = client.get(path).await.status;
        assert!(status == StatusCode::OK || status == StatusCode::METHOD_NOT_ALLOWED, "{name}: {status}");
        found += 1;
    }
    assert!(found > 0, "{metadata}");
}

/// A list that is told goes with the endpoint that it is about, and one without the other is told by nobody.
#[tokio::test]
async fn nothing_is_told_of_endpoints_that_are_not_there() {
    let app = App::new();
    let metadata = metadata(&ApiClient::of(&app)).await;
    for endpoint in
        ["token_endpoint", "revocation_endpoint", "introspection_endpoint", "authorization_endpoint"]
    {
        let is_there = metadata.get(endpoint).is_some();
        let told =
            metadata.as_object().unwrap().keys().filter(|name| name.starts_with(&format!("{endpoint}_")));
        assert!(is_there || told.count() == 0, "{endpoint}: {metadata}");
    }
    if metadata.get("token_endpoint").is_none() {
        assert_eq!(metadata["grant_types_supported"], json!([]));
    }
    if metadata.get("authorization_endpoint").is_none() {
        assert_eq!(metadata["response_types_supported"], json!([]));
    }
}

#[tokio::test]
async fn who_has_it_is_not_sent_it_again() {
    let app = App::new();
    let client = ApiClient::of(&app);
    let etag = client.get(PATH).await.header("etag").to_owned();
    assert!(etag.starts_with('"') && etag.ends_with('"') && etag.len() > 20, "{etag} is not a strong tag");
    let request = client.request(Method::GET, PATH).header(header::IF_NONE_MATCH, &etag);
    let answer = client.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!((answer.status, &*answer.body), (StatusCode::NOT_MODIFIED, ""));
    assert_eq!(answer.header("etag"), etag);
}
