//! KM-05, TK-07: the published keys: those that services verify by, and no others.

use axum::body::Body;
use http::{Method, StatusCode, header};
use vestibule_core::verify::KeySet;

use crate::app::App;
use crate::personas::ApiClient;

const PATH: &str = "/.well-known/jwks.json";

#[tokio::test]
async fn public_members_alone_and_kept_for_five_minutes() {
    let app = App::new();
    let answer = ApiClient::of(&app).get(PATH).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("content-type"), "application/jwk-set+json");
    assert_eq!(answer.header("cache-control"), "public, max-age=300");
    let json = answer.json();
    let key = json["keys"][0].as_object().unwrap();
    let mut members: Vec<&str> = key.keys().map(String::as_str).collect();
    members.sort_unstable();
    assert_eq!(members, ["alg", "crv", "kid", "kty", "use", "x", "y"]);
    let published = KeySet::from_jwks(&answer.body).unwrap();
    assert_eq!(published.len(), 1);
    assert!(app.edge().iter().all(|key| published.get(key.key_id().as_str()).is_none()));
}

#[tokio::test]
async fn who_has_it_is_not_sent_it_again() {
    let app = App::new();
    let client = ApiClient::of(&app);
    let etag = client.get(PATH).await.header("etag").to_owned();
    let ask = async |known: &str| {
        let request = client.request(Method::GET, PATH).header(header::IF_NONE_MATCH, known);
        client.send(request.body(Body::empty()).unwrap()).await
    };
    for known in [&etag, &format!("W/{etag}"), &format!("\"x\", {etag}"), "*"] {
        let answer = ask(known).await;
        assert_eq!((answer.status, &*answer.body), (StatusCode::NOT_MODIFIED, ""), "{known}");
        assert_eq!(answer.header("etag"), etag);
    }
    assert_eq!(ask("\"x\"").await.status, StatusCode::OK);
    let other = ApiClient::of(&App::new()).get(PATH).await;
    assert_ne!(other.header("etag"), etag, "other keys, other tag");
}
