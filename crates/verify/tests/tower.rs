//! Any tower service behind the layer: what it is told of who asks, what never reaches it, and what callers are told instead.

#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "a failure here is a failed test")]

mod common;
#[path = "common/issuer.rs"]
mod issuer;

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use axum::http::{Request, Response, StatusCode};
use common::{AUDIENCE, Forge};
use issuer::{Answer, Issuer, METADATA};
use serde_json::{Value, json};
use tower::{Layer, Service, ServiceExt};
use vestibule_verify::client::Discovery;
use vestibule_verify::tower::{Cause, InnerDoor, NotSignedIn, VerifyLayer};
use vestibule_verify::{Claims, KeySet, Reject, Verified, Verifier};

const ISSUER: &str = "https://app.example.com";

/// Tells who asks, and insists on being ready before it is called, as tower's contract has it.
#[derive(Default)]
struct Orders {
    called: Arc<AtomicUsize>,
    is_ready: bool,
}

impl Clone for Orders {
    fn clone(&self) -> Self {
        Self { called: Arc::clone(&self.called), is_ready: false }
    }
}

impl Service<Request<()>> for Orders {
    type Response = Response<String>;
    type Error = Infallible;
    type Future = Ready<Result<Response<String>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.is_ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<()>) -> Self::Future {
        assert!(std::mem::take(&mut self.is_ready), "called without being ready");
        self.called.fetch_add(1, Ordering::Relaxed);
        let claims = request.extensions().get::<Verified<Claims>>();
        ready(Ok(Response::new(claims.map_or("nobody".to_owned(), |claims| claims.sub().to_owned()))))
    }
}

fn forge() -> Forge {
    issuer::current(ISSUER, common::forge("ES256"))
}

fn door(forge: &Forge) -> InnerDoor {
    let keys = KeySet::from_jwks(&common::jwks(&[forge]).to_string()).unwrap();
    InnerDoor::new(Arc::new(Verifier::new(ISSUER, AUDIENCE, keys)))
}

fn with(jwt: &str) -> Request<()> {
    Request::builder().header("authorization", format!("Bearer {jwt}")).body(()).unwrap()
}

async fn ask(layer: &VerifyLayer, request: Request<()>) -> (Response<String>, usize) {
    let orders = Orders::default();
    let called = Arc::clone(&orders.called);
    let answer = layer.layer(orders).oneshot(request).await.unwrap();
    (answer, called.load(Ordering::Relaxed))
}

fn header<'a>(answer: &'a Response<String>, name: &str) -> &'a str {
    answer.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

fn problem(answer: &Response<String>) -> Value {
    assert_eq!(header(answer, "content-type"), "application/problem+json");
    assert_eq!(header(answer, "cache-control"), "no-store");
    let problem: Value = serde_json::from_str(answer.body()).unwrap();
    assert_eq!(problem["status"], answer.status().as_u16());
    problem
}

#[tokio::test]
async fn whoever_is_let_in_is_known_to_the_service() {
    let forge = forge();
    let layer = VerifyLayer::new(door(&forge));
    for _ in 0..2 {
        let (answer, called) = ask(&layer, with(&forge.control())).await;
        assert_eq!((answer.status(), called), (StatusCode::OK, 1));
        assert_eq!(answer.body(), forge.claims["sub"].as_str().unwrap());
    }
}

/// RFC 6750 section 3: without a credential a challenge and no error; with a bad one `invalid_token`, and nothing of why.
#[tokio::test]
async fn whoever_is_not_let_in_never_reaches_the_service() {
    let forge = forge();
    let mut expired = forge.claims.clone();
    expired.insert("exp".to_owned(), json!(forge.now - 31));
    let expired = forge.sign(&forge.header(), &expired);
    let good = forge.control();
    let mut twice = with(&good);
    twice.headers_mut().append("authorization", format!("Bearer {good}").parse().unwrap());
    for layer in [VerifyLayer::new(door(&forge)), VerifyLayer::for_everybody(door(&forge))] {
        let mut told = Vec::new();
        for (request, code) in [
            (with(&expired), "expired"),
            (with("a.b.c"), "encoding"),
            (with(""), "segments"),
            (twice.clone(), "jwt"),
        ] {
            let (answer, called) = ask(&layer, request).await;
            assert_eq!((answer.status(), called), (StatusCode::UNAUTHORIZED, 0), "{code}");
            assert!(header(&answer, "www-authenticate").contains("error=\"invalid_token\""), "{answer:?}");
            assert_eq!(answer.extensions().get::<NotSignedIn>().unwrap().code(), code);
            told.push((header(&answer, "www-authenticate").to_owned(), problem(&answer)));
        }
        assert!(told.iter().all(|it| Some(it) == told.first()), "{told:?}");
    }
    let (answer, called) = ask(&VerifyLayer::new(door(&forge)), Request::new(())).await;
    assert_eq!((answer.status(), called), (StatusCode::UNAUTHORIZED, 0));
    assert_eq!(header(&answer, "www-authenticate"), format!("Bearer realm=\"{ISSUER}\""));
    assert_eq!(problem(&answer)["code"], "no-credential");
    let (answer, called) = ask(&VerifyLayer::for_everybody(door(&forge)), Request::new(())).await;
    assert_eq!((answer.body().as_str(), called), ("nobody", 1));
}

#[tokio::test]
async fn a_scope_is_asked_for_by_its_whole_name() {
    let mut forge = forge();
    let layer = VerifyLayer::new(door(&forge)).with_scope("orders:write");
    for scope in [None, Some("orders"), Some("orders:writer orders:read"), Some("ORDERS:WRITE")] {
        if let Some(scope) = scope {
            forge.claims.insert("scope".to_owned(), json!(scope));
        }
        let (answer, called) = ask(&layer, with(&forge.control())).await;
        assert_eq!((answer.status(), called), (StatusCode::FORBIDDEN, 0), "{scope:?}");
        let challenge = header(&answer, "www-authenticate");
        assert!(challenge.ends_with(", error=\"insufficient_scope\", scope=\"orders:write\""), "{challenge}");
        assert_eq!(problem(&answer)["code"], "scope");
    }
    forge.claims.insert("scope".to_owned(), json!("orders:read orders:write"));
    assert_eq!(ask(&layer, with(&forge.control())).await.1, 1);
}

/// What another layer found further out was for its audience, not for this one.
#[tokio::test]
async fn claims_from_further_out_are_not_taken_for_ours() {
    let forge = forge();
    let mut request = Request::new(());
    let claims = door(&forge).judge(with(&forge.control()).headers()).unwrap().unwrap();
    request.extensions_mut().insert(claims);
    let (answer, called) = ask(&VerifyLayer::for_everybody(door(&forge)), request).await;
    assert_eq!((answer.body().as_str(), called), ("nobody", 1));
}

#[tokio::test]
async fn without_keys_nobody_can_tell() {
    let forge = forge();
    let door = InnerDoor::new(Arc::new(Verifier::new(ISSUER, AUDIENCE, KeySet::default())));
    let (answer, called) = ask(&VerifyLayer::new(door.clone()), with(&forge.control())).await;
    assert_eq!((answer.status(), called), (StatusCode::SERVICE_UNAVAILABLE, 0));
    assert_eq!((header(&answer, "retry-after"), header(&answer, "www-authenticate")), ("5", ""));
    assert_eq!(problem(&answer)["code"], "unavailable");
    // What is no JWT is none, whatever the keys.
    assert_eq!(ask(&VerifyLayer::new(door), with("a.b.c")).await.0.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_request_with_a_new_key_waits_until_the_issuer_has_been_asked() {
    let issuer = Issuer::silent();
    let (forge, sudden, made_up) = (issuer.forge("ES256"), issuer.forge("ES256"), issuer.forge("ES256"));
    issuer.answer(METADATA, Answer::json(&issuer.metadata()));
    issuer.publish(&[&forge]);
    let verifier = Discovery::new(&issuer.url, AUDIENCE).unwrap().ready().await.unwrap();
    let layer = VerifyLayer::new(InnerDoor::new(Arc::new(verifier)));
    issuer.publish(&[&forge, &sudden]);
    let (answer, called) = ask(&layer, with(&sudden.control())).await;
    assert_eq!((answer.status(), called), (StatusCode::OK, 1));
    // Once in half a minute: this one is refused without a question.
    let before = issuer.asked().len();
    let (answer, called) = ask(&layer, with(&made_up.control())).await;
    assert_eq!((answer.status(), called), (StatusCode::UNAUTHORIZED, 0));
    let refusal = answer.extensions().get::<NotSignedIn>().unwrap();
    assert_eq!(refusal.cause(), &Cause::Jwt(Reject::KeyUnknown));
    assert_eq!(issuer.asked().len(), before);
}

#[tokio::test]
async fn a_service_that_lost_its_issuer_for_too_long_answers_503() {
    let issuer = Issuer::silent();
    let forge = issuer.forge("ES256");
    issuer.answer(METADATA, Answer::json(&issuer.metadata()));
    issuer.publish(&[&forge]);
    let millis = std::time::Duration::from_millis;
    let discovery = Discovery::new(&issuer.url, AUDIENCE).unwrap().with_freshness(millis(50), millis(50));
    let verifier = discovery.with_max_staleness(millis(1000)).ready().await.unwrap();
    let layer = VerifyLayer::new(InnerDoor::new(Arc::new(verifier)));
    assert_eq!(ask(&layer, with(&forge.control())).await.1, 1);
    issuer.set_down(true);
    let began = std::time::Instant::now();
    let (answer, called) = loop {
        let told = ask(&layer, with(&forge.control())).await;
        if told.0.status() != StatusCode::OK {
            break told;
        }
        assert!(began.elapsed().as_secs() < 20, "it is still trusted");
        tokio::time::sleep(millis(20)).await;
    };
    assert_eq!((answer.status(), called), (StatusCode::SERVICE_UNAVAILABLE, 0));
}
