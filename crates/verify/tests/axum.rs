//! An application with the extractors, asked over tower: who is let in, who is nobody, who is refused, and what they are told.

#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "a failure here is a failed test")]

mod common;

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{FromRef, FromRequestParts};
use axum::http::{HeaderName, Request, StatusCode};
use axum::middleware::from_extractor_with_state;
use axum::response::Response;
use axum::routing::get;
use common::{AUDIENCE, Forge, ISSUER};
use serde::Deserialize;
use serde_json::{Value, json};
use tower::ServiceExt;
use vestibule_verify::axum::{Cause, InnerDoor, NotSignedIn, SignedIn};
use vestibule_verify::{Claims, KeySet, Verified, Verifier};

#[derive(Deserialize)]
struct Orders {
    email: String,
    department: Option<String>,
}

#[derive(Deserialize)]
struct Robot {
    #[expect(dead_code, reason = "there is none to read")]
    serial: u64,
}

/// What an application may have beside the door.
#[derive(Clone)]
struct App {
    door: InnerDoor,
}

impl FromRef<App> for InnerDoor {
    fn from_ref(app: &App) -> Self {
        app.door.clone()
    }
}

async fn orders(me: SignedIn<Orders>) -> String {
    let own = me.own();
    format!(
        "{} {} {} {}",
        me.sub(),
        me.sid().unwrap(),
        own.email,
        own.department.as_deref().unwrap_or("none")
    )
}

async fn anybody(visitor: Option<SignedIn>) -> String {
    visitor.map_or("nobody".to_owned(), |me| proven(me.claims()).to_owned())
}

/// Functions that ask for the proof take it from the extractor.
fn proven(claims: &Verified<Claims>) -> &str {
    claims.sub()
}

fn router(door: InnerDoor) -> Router {
    Router::new()
        .route("/orders", get(orders))
        .route("/anybody", get(anybody))
        .route("/robot", get(async |_: SignedIn<Robot>| "a robot"))
        .route(
            "/robot-or-nobody",
            get(async |robot: Option<SignedIn<Robot>>| robot.map_or("nobody", |_| "a robot")),
        )
        .with_state(App { door })
}

#[expect(clippy::disallowed_methods, reason = "the extractors read the clock of this machine")]
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// A forge whose token is valid by the clock of this machine, and the door that trusts it.
fn present() -> (Forge, Arc<Verifier>) {
    let mut forge = common::forge("ES256");
    let now = now();
    forge.now = now;
    for (claim, value) in [("iat", now - 30), ("exp", now + 90), ("auth_time", now - 600)] {
        forge.claims.insert(claim.to_owned(), json!(value));
    }
    let verifier = Arc::new(common::verifier(&[&forge]));
    (forge, verifier)
}

async fn ask(app: &Router, path: &str, headers: &[(&str, &str)]) -> Response {
    let mut request = Request::get(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
}

async fn text(response: Response) -> String {
    String::from_utf8(to_bytes(response.into_body(), 10_000).await.unwrap().to_vec()).unwrap()
}

async fn problem(response: Response) -> Value {
    assert_eq!(header(&response, "content-type"), "application/problem+json");
    assert_eq!(header(&response, "cache-control"), "no-store");
    assert_eq!(header(&response, "x-content-type-options"), "nosniff");
    let status = response.status().as_u16();
    let problem: Value = serde_json::from_str(&text(response).await).unwrap();
    assert_eq!(problem["status"], status);
    let code = problem["code"].as_str().unwrap();
    assert_eq!(problem["type"], format!("urn:vestibule:problem:{code}"));
    problem
}

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

#[tokio::test]
async fn who_signed_in_is_known_with_the_audiences_own_claims() {
    let (forge, verifier) = present();
    let app = router(InnerDoor::new(verifier));
    for scheme in ["Bearer ", "bearer ", "BEARER  "] {
        let value = format!("{scheme}{}", forge.control());
        let known = ask(&app, "/orders", &[("authorization", &value)]).await;
        assert_eq!(known.status(), StatusCode::OK, "{scheme:?}");
        let (sub, sid) = (forge.claims["sub"].as_str().unwrap(), forge.claims["sid"].as_str().unwrap());
        assert_eq!(text(known).await, format!("{sub} {sid} ada@example.com R&D"));
        let known = ask(&app, "/anybody", &[("authorization", &value)]).await;
        assert_eq!(text(known).await, sub);
    }
}

/// A public route behind forward-auth comes with the header there and empty.
#[tokio::test]
async fn without_a_jwt_there_is_a_challenge_or_nobody() {
    let (_, verifier) = present();
    let app = router(InnerDoor::new(verifier));
    for headers in [&[][..], &[("authorization", "")][..]] {
        let refused = ask(&app, "/orders", headers).await;
        assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(header(&refused, "www-authenticate"), format!("Bearer realm=\"{ISSUER}\""));
        assert_eq!(problem(refused).await["code"], "no-credential");
        let nobody = ask(&app, "/anybody", headers).await;
        assert_eq!((nobody.status(), text(nobody).await.as_str()), (StatusCode::OK, "nobody"));
    }
}

/// A credential that is no good is never nobody; the caller learns nothing of why, the log everything.
#[tokio::test]
async fn a_bad_jwt_is_refused_by_both_with_one_answer_for_every_cause() {
    let (forge, verifier) = present();
    let other = common::forge("ES256");
    let mut claims = forge.claims.clone();
    claims.insert("exp".to_owned(), json!(forge.now - 31));
    let expired = forge.sign(&forge.header(), &claims);
    let good = format!("Bearer {}", forge.control());
    let cases: [(Vec<(&str, String)>, &str); 7] = [
        (vec![("authorization", format!("Bearer {expired}"))], "expired"),
        (vec![("authorization", format!("Bearer {}", other.control()))], "key-unknown"),
        (vec![("authorization", "Bearer not.a.jwt".into())], "encoding"),
        (vec![("authorization", "Bearer ".into())], "segments"),
        (vec![("authorization", "Bearer".into())], "jwt"),
        (vec![("authorization", "Basic YWRhOnB3".into())], "jwt"),
        (vec![("authorization", good.clone()), ("authorization", good)], "jwt"),
    ];
    let app = router(InnerDoor::new(verifier));
    for (headers, code) in &cases {
        let headers: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let mut told = Vec::new();
        for path in ["/orders", "/anybody"] {
            let refused = ask(&app, path, &headers).await;
            assert_eq!(refused.status(), StatusCode::UNAUTHORIZED, "{path} {headers:?}");
            let challenge = header(&refused, "www-authenticate").to_owned();
            assert!(challenge.contains("error=\"invalid_token\""), "{challenge}");
            assert_eq!(refused.extensions().get::<NotSignedIn>().unwrap().code(), *code, "{headers:?}");
            told.push((challenge, problem(refused).await));
        }
        assert_eq!(told[0].1["code"], "jwt");
        assert!(told.iter().all(|it| *it == told[0]));
        assert!(!told[0].1.to_string().contains("expired"), "{}", told[0].1);
    }
}

#[tokio::test]
async fn without_keys_nobody_can_tell_until_they_come() {
    let (forge, trusted) = present();
    let verifier = Arc::new(Verifier::new(ISSUER, AUDIENCE, KeySet::default()));
    let app = router(InnerDoor::new(Arc::clone(&verifier)));
    let value = format!("Bearer {}", forge.control());
    for path in ["/orders", "/anybody"] {
        let unknown = ask(&app, path, &[("authorization", &value)]).await;
        assert_eq!(unknown.status(), StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert_eq!(header(&unknown, "retry-after"), "5");
        assert_eq!(header(&unknown, "www-authenticate"), "");
        assert_eq!(problem(unknown).await["code"], "unavailable");
    }
    // For who brings nothing there is nothing to tell.
    assert_eq!(ask(&app, "/orders", &[]).await.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(ask(&app, "/anybody", &[]).await.status(), StatusCode::OK);

    verifier.replace_keys(trusted.keys());
    assert_eq!(ask(&app, "/orders", &[("authorization", &value)]).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn claims_that_do_not_fit_are_forbidden_and_never_nobody() {
    let (forge, verifier) = present();
    let app = router(InnerDoor::new(verifier));
    let value = format!("Bearer {}", forge.control());
    for path in ["/robot", "/robot-or-nobody"] {
        let refused = ask(&app, path, &[("authorization", &value)]).await;
        assert_eq!(refused.status(), StatusCode::FORBIDDEN, "{path}");
        let cause = refused.extensions().get::<NotSignedIn>().unwrap().cause().clone();
        assert!(matches!(&cause, Cause::Claims(why) if why.contains("serial")), "{cause:?}");
        let problem = problem(refused).await;
        assert_eq!(problem["code"], "claims");
        assert!(!problem.to_string().contains("serial"), "{problem}");
    }
    assert_eq!(text(ask(&app, "/robot-or-nobody", &[]).await).await, "nobody");
}

#[tokio::test]
async fn the_jwt_may_come_in_another_header_and_then_nowhere_else() {
    let (forge, verifier) = present();
    let app = router(InnerDoor::new(verifier).with_header(HeaderName::from_static("x-assertion")));
    let value = format!("Bearer {}", forge.control());
    assert_eq!(ask(&app, "/orders", &[("x-assertion", &value)]).await.status(), StatusCode::OK);
    let elsewhere = ask(&app, "/orders", &[("authorization", &value)]).await;
    assert_eq!(elsewhere.status(), StatusCode::UNAUTHORIZED);
    let both = [("x-assertion", value.as_str()), ("authorization", "Basic YWRhOnB3")];
    assert_eq!(ask(&app, "/orders", &both).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_whole_router_is_closed_by_axums_own_layer() {
    let (forge, verifier) = present();
    let door = InnerDoor::new(verifier);
    let closed = Router::new()
        .route("/", get(async || "inside"))
        .layer(from_extractor_with_state::<SignedIn, _>(door));
    assert_eq!(ask(&closed, "/", &[]).await.status(), StatusCode::UNAUTHORIZED);
    let value = format!("Bearer {}", forge.control());
    assert_eq!(text(ask(&closed, "/", &[("authorization", &value)]).await).await, "inside");
}

#[tokio::test]
async fn a_log_line_names_who_and_tells_nothing_else_of_them() {
    let (forge, verifier) = present();
    let door = InnerDoor::new(verifier);
    let request = Request::get("/").header("authorization", format!("Bearer {}", forge.control()));
    let (mut parts, ()) = request.body(()).unwrap().into_parts();
    let me = <SignedIn as FromRequestParts<_>>::from_request_parts(&mut parts, &door).await.unwrap();
    let line = format!("{me:?}");
    assert!(line.contains(me.sub()) && !line.contains("ada@example.com"), "{line}");
}

/// Without the feature the README's example could not be compiled, so it is held to the module's, which is.
#[test]
fn the_readme_shows_what_the_documentation_of_the_module_runs() {
    let (readme, module) = (include_str!("../README.md"), include_str!("../src/axum.rs"));
    let mut examples =
        readme.split("```rust,ignore\n").skip(1).filter_map(|from| Some(from.split_once("```")?.0));
    let shown = examples.find(|shown| shown.contains("SignedIn<Orders>")).unwrap();
    for line in shown.lines().filter(|line| !line.is_empty()) {
        assert!(module.contains(&format!("//! {line}\n")), "{line}");
    }
}
