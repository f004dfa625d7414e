//! The document itself: it is served, it can be kept, and every address in it is answered by the methods that it names and by no other.

use axum::body::Body;
use http::{Method, StatusCode, header};

use crate::app::App;
use crate::contract;
use crate::personas::ApiClient;

const PATH: &str = "/auth/api/v1/openapi.json";

#[tokio::test]
async fn it_is_served_and_not_sent_again_to_who_has_it() {
    let app = App::new();
    let client = ApiClient::of(&app);
    let answer = client.get(PATH).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.body, include_str!("../../src/openapi/document.json"));
    let etag = answer.header("etag").to_owned();
    let request = client.request(Method::GET, PATH).header(header::IF_NONE_MATCH, &etag);
    let again = client.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!((again.status, &*again.body), (StatusCode::NOT_MODIFIED, ""));
}

/// By whatever method: what is documented is there, and what is not is refused with the methods that are.
#[tokio::test]
async fn every_documented_address_is_answered_by_its_methods_and_no_other() {
    let app = App::new();
    let client = ApiClient::of(&app);
    let addresses = contract::addresses();
    assert!(addresses.len() > 12, "{addresses:?}");
    for (template, documented) in addresses {
        let path = template.replace("{id}", "x");
        for method in ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "QUERY"] {
            let request = client.request(method.parse().unwrap(), &path).body(Body::empty()).unwrap();
            // What is said of it is held to the document on the way.
            let answer = client.send(request).await;
            let is_taken = answer.status != StatusCode::METHOD_NOT_ALLOWED;
            assert_eq!(is_taken, documented.split(',').any(|it| it == method), "{method} {template}");
        }
    }
}

/// An unknown member, a missing one and a wrong type are refused wherever JSON is taken.
#[tokio::test]
async fn bodies_that_are_not_documented_are_not_taken() {
    let app = App::new();
    let client = ApiClient::of(&app);
    let whole = r#"{"identifier":"ada@example.com","password":"correct horse battery staple""#;
    for body in [
        format!(r#"{whole},"more":1}}"#),
        format!(r#"{whole},"password":"twice"}}"#),
        r#"{"identifier":"ada@example.com"}"#.to_owned(),
        r#"{"identifier":1,"password":"x"}"#.to_owned(),
        "[]".to_owned(),
        "null".to_owned(),
    ] {
        for path in ["/auth/api/v1/login", "/auth/api/v1/register", "/auth/api/v1/confirm"] {
            assert_eq!(client.post(path, &body).await.code(), "malformed", "{path} {body}");
        }
        for path in ["/auth/api/v1/password", "/auth/api/v1/identifier"] {
            assert_eq!(client.put(path, &body).await.code(), "malformed", "{path} {body}");
        }
    }
}
