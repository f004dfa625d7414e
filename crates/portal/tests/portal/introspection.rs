//! Resource servers ask about tokens that were presented to them: each kind of token in each kind of answer, and nobody learns more than
//! a JWT of its own would say.

use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use axum::body::Body;
use data_encoding::BASE64URL_NOPAD;
use http::{Method, StatusCode, header};
use serde_json::{Value, json};
use vestibule_core::verify::Verifier;

use crate::app::{ADA, App, ORIGIN, PASSWORD};
use crate::personas::{Answer, request, send};
use crate::world::START;

const INTROSPECT: &str = "/auth/oauth/introspect";
const FORM: &str = "application/x-www-form-urlencoded";
const JWT: &str = "application/jwt";
const SIGNED: &str = "application/token-introspection+jwt";

async fn log_in(app: &App, more: &str) -> Value {
    let body = format!(r#"{{"identifier":"{ADA}","password":"{PASSWORD}",{more}}}"#);
    let asked = request(Method::POST, "/auth/api/v1/login").header(header::CONTENT_TYPE, "application/json");
    let answer = send(&app.router, asked.body(Body::from(body)).unwrap()).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    answer.json()
}

async fn post(app: &App, path: &str, proof: Option<&str>, accept: &str, form: &str) -> Answer {
    let mut asked = request(Method::POST, path).header(header::CONTENT_TYPE, FORM);
    asked = asked.header(header::ACCEPT, accept);
    if let Some(proof) = proof {
        asked = asked.header(header::AUTHORIZATION, proof);
    }
    send(&app.router, asked.body(Body::from(form.to_owned())).unwrap()).await
}

/// A resource server, as it asks.
struct Server<'a> {
    app: &'a App,
    proof: String,
    id: String,
}

impl<'a> Server<'a> {
    fn of(app: &'a App, number: u8, audience: &str) -> Self {
        let (id, proof) = app.shelf.add_client(number, |client| {
            client.audiences.clear();
            client.serves = Some(audience.to_owned());
        });
        Self { app, proof, id: id.to_string() }
    }

    async fn ask(&self, accept: &str, token: &str) -> Answer {
        post(self.app, INTROSPECT, Some(&self.proof), accept, &format!("token={token}")).await
    }

    async fn is_active(&self, token: &str) -> bool {
        let told = self.ask("application/json", token).await;
        assert_eq!((told.status, told.header("cache-control")), (StatusCode::OK, "no-store"));
        let signed = payload(&self.ask(SIGNED, token).await.body);
        assert_eq!(signed["token_introspection"]["active"], told.json()["active"]);
        let phantom = self.ask(JWT, token).await;
        assert_eq!(phantom.status == StatusCode::OK, told.json()["active"] == true);
        if told.json()["active"] == false {
            assert_eq!(told.json(), json!({"active": false}), "and not why");
            assert_eq!(signed["token_introspection"], json!({"active": false}));
            assert_eq!(
                (phantom.status, phantom.json()),
                (StatusCode::UNAUTHORIZED, json!({"active": false}))
            );
            assert_eq!(phantom.header("cache-control"), "no-store");
            assert!(phantom.header("www-authenticate").contains("error=\"invalid_token\""));
            assert!(!phantom.headers.contains_key(header::AUTHORIZATION));
        }
        told.json()["active"] == true
    }
}

fn text(json: &Value, name: &str) -> String {
    json[name].as_str().unwrap_or_else(|| panic!("no {name}: {json}")).to_owned()
}

fn payload(jwt: &str) -> Value {
    let part = jwt.split('.').nth(1).unwrap();
    serde_json::from_slice(&BASE64URL_NOPAD.decode(part.as_bytes()).unwrap()).unwrap()
}

#[tokio::test]
async fn a_token_is_a_phantom_of_the_jwt_that_a_door_would_hand_on() {
    let app = App::new();
    let orders = Server::of(&app, 1, "orders");
    let session = text(&log_in(&app, r#""deliver":"body""#).await, "session_token");
    let access = text(&log_in(&app, r#""mode":"token""#).await, "access_token");
    for presented in [&session, &access] {
        let answer = orders.ask(JWT, presented).await;
        assert_eq!((answer.status, answer.header("content-type")), (StatusCode::OK, JWT), "{}", answer.body);
        assert_eq!((answer.header("cache-control"), answer.header("vary")), ("max-age=30", "accept"));
        assert_eq!(answer.header("authorization"), format!("Bearer {}", answer.body), "for proxies");
        let verifier = Verifier::new(ORIGIN, "orders", app.published());
        let claims = verifier.verify_at(&answer.body, START.unix_seconds()).unwrap();
        assert_eq!((claims.aud(), claims.exp()), ("orders", START.unix_seconds() + 120));
        assert_ne!(&answer.body, presented);

        // Warm: the same JWT, and nothing is signed.
        let signed = app.minter.counters().signed.load(SeqCst);
        assert_eq!(orders.ask(JWT, presented).await.body, answer.body);
        assert_eq!(app.minter.counters().signed.load(SeqCst), signed);

        // What it was swapped for is good for who asks, and stays what it is.
        let own = orders.ask(JWT, &answer.body).await;
        assert_eq!((own.body.as_str(), own.header("cache-control")), (answer.body.as_str(), "max-age=30"));
    }
}

#[tokio::test]
async fn what_is_told_is_what_a_jwt_would_say_and_when_the_token_ends() {
    let app = App::new();
    let orders = Server::of(&app, 1, "orders");
    let opened = log_in(&app, r#""mode":"token""#).await;
    let access = text(&opened, "access_token");
    let told = orders.ask("application/json", &access).await.json();
    let mut members: Vec<_> = told.as_object().unwrap().keys().map(String::as_str).collect();
    members.sort_unstable();
    assert_eq!(
        members,
        ["acr", "active", "amr", "aud", "auth_time", "client_id", "exp", "iss", "sid", "sub", "token_type"]
    );
    assert_eq!((&told["aud"], &told["iss"]), (&"orders".into(), &ORIGIN.into()));
    assert_eq!(told["exp"], START.unix_seconds() + 600, "the access token's own end");
    let jwt = orders.ask(JWT, &access).await.body;
    let said = payload(&jwt);
    for member in members.iter().filter(|name| !["active", "token_type", "exp"].contains(*name)) {
        assert_eq!(told[*member], said[*member], "{member}");
    }
    // Nothing is signed for a question that is answered in plain words.
    let signed = app.minter.counters().signed.load(SeqCst);
    orders.ask("application/json", &access).await;
    assert_eq!(app.minter.counters().signed.load(SeqCst), signed);
    // A JWT of its own is told whole.
    let own = orders.ask("application/json", &jwt).await.json();
    assert_eq!((&own["jti"], &own["exp"]), (&said["jti"], &said["exp"]));
}

/// RFC 9701 section 5.
#[tokio::test]
async fn a_signed_answer_is_for_who_asked_and_is_no_credential() {
    let app = App::new();
    let orders = Server::of(&app, 1, "orders");
    let session = text(&log_in(&app, r#""deliver":"body""#).await, "session_token");
    let answer = orders.ask(SIGNED, &session).await;
    assert_eq!((answer.status, answer.header("content-type")), (StatusCode::OK, SIGNED));
    assert_eq!(answer.header("cache-control"), "no-store");
    let verifier = |typ: &str| Verifier::new(ORIGIN, &orders.id, app.published()).with_typ(typ);
    let header = BASE64URL_NOPAD.decode(answer.body.split('.').next().unwrap().as_bytes()).unwrap();
    let header: Value = serde_json::from_slice(&header).unwrap();
    assert_eq!(header["typ"], "token-introspection+jwt");
    let said = payload(&answer.body);
    let mut members: Vec<_> = said.as_object().unwrap().keys().cloned().collect();
    members.sort();
    assert_eq!(members, ["aud", "iat", "iss", "token_introspection"], "no exp: it is an answer");
    assert_eq!((&said["aud"], &said["iss"]), (&orders.id.as_str().into(), &ORIGIN.into()));
    assert_eq!(said["token_introspection"]["active"], true);
    assert!(verifier("at+jwt").verify_at(&answer.body, START.unix_seconds()).is_err());
    for audience in ["orders", ORIGIN] {
        let taken = Verifier::new(ORIGIN, audience, app.published());
        assert!(taken.verify_at(&answer.body, START.unix_seconds()).is_err(), "{audience}");
    }
    assert!(!orders.is_active(&answer.body).await);
}

#[tokio::test]
async fn a_token_is_good_for_nothing_when_it_is_over_or_for_others() {
    let app = App::new();
    let (orders, parts) = (Server::of(&app, 1, "orders"), Server::of(&app, 2, "parts"));
    let session = log_in(&app, r#""deliver":"body""#).await;
    let session_token = text(&session, "session_token");
    let tokens = log_in(&app, r#""mode":"token""#).await;
    let (access, refresh) = (text(&tokens, "access_token"), text(&tokens, "refresh_token"));
    let for_orders = orders.ask(JWT, &session_token).await.body;
    let (_, proof) = app.shelf.add_client(9, |_| {});
    let own = post(&app, "/auth/oauth/token", Some(&proof), "", "grant_type=client_credentials").await;
    let clients = text(&own.json(), "access_token");
    for good in [&session_token, &access, &for_orders, &clients] {
        assert!(orders.is_active(good).await, "{good}");
    }
    for bad in [
        refresh.as_str(),
        "vst_x",
        "x",
        "a.b.c",
        &orders.id,
        &format!("{for_orders}x"),
        &access[..access.len() - 4],
        &format!("{session_token}x"),
        &session_token[4..],
    ] {
        assert!(!orders.is_active(bad).await, "{bad}");
    }
    // HX-04: what is for orders is nobody's business elsewhere.
    assert!(!parts.is_active(&for_orders).await && !parts.is_active(&clients).await);
    assert!(parts.is_active(&session_token).await && parts.is_active(&access).await);

    // RV-01: ended, everything that is of it is.
    let gone = request(Method::POST, "/auth/api/v1/logout")
        .header(header::AUTHORIZATION, format!("Bearer {session_token}"));
    assert_eq!(send(&app.router, gone.body(Body::empty()).unwrap()).await.status, StatusCode::NO_CONTENT);
    assert!(!orders.is_active(&session_token).await && !orders.is_active(&for_orders).await);
    assert!(orders.is_active(&access).await, "another session");
    post(&app, "/auth/oauth/revoke", None, "", &format!("token={refresh}")).await;
    assert!(!orders.is_active(&access).await);
    app.world.advance(Duration::from_secs(121));
    assert!(!orders.is_active(&clients).await);
}

/// A phantom is kept no longer than what was presented, and asking for one is use of the session; asking what it is, is none.
#[tokio::test]
async fn asking_for_the_jwt_is_use_and_it_is_kept_no_longer_than_the_token() {
    let app = App::new();
    let orders = Server::of(&app, 1, "orders");
    let access = text(&log_in(&app, r#""mode":"token""#).await, "access_token");
    app.world.advance(Duration::from_secs(588));
    let answer = orders.ask(JWT, &access).await;
    assert_eq!(answer.header("cache-control"), "max-age=12");
    app.world.advance(Duration::from_secs(10));
    assert_eq!(orders.ask(JWT, &access).await.header("cache-control"), "max-age=2");
    app.world.advance(Duration::from_secs(2));
    assert!(!orders.is_active(&access).await, "to the second");

    let session = text(&log_in(&app, r#""deliver":"body""#).await, "session_token");
    for _ in 0..4 {
        app.world.advance(Duration::from_secs(20 * 60));
        assert_eq!(orders.ask(JWT, &session).await.status, StatusCode::OK, "it is used");
    }
    app.world.advance(Duration::from_secs(20 * 60));
    assert_eq!(orders.ask("application/json", &session).await.json()["active"], true);
    app.world.advance(Duration::from_secs(11 * 60));
    assert_eq!(
        orders.ask("application/json", &session).await.json()["active"],
        false,
        "unused for half an hour"
    );
}

#[tokio::test]
async fn who_may_not_ask_is_told_so_and_nothing_of_the_token() {
    let app = App::new();
    let orders = Server::of(&app, 1, "orders");
    let session = text(&log_in(&app, r#""deliver":"body""#).await, "session_token");
    let (_, other) = app.shelf.add_client(2, |_| {});
    let (_, gone) = app.shelf.add_client(3, |client| client.serves = Some("gone".to_owned()));
    let wrong = crate::shelf::basic(&orders.id, "vcs_x");
    let bearer = format!("Bearer {session}");
    let form = format!("token={session}");
    for (proof, form, expected) in [
        (None, form.as_str(), (401, "invalid_client")),
        (Some(&wrong), &form, (401, "invalid_client")),
        (Some(&bearer), &form, (401, "invalid_client")),
        (Some(&other), &form, (400, "unauthorized_client")),
        (Some(&gone), &form, (400, "unauthorized_client")),
        (Some(&orders.proof), "", (400, "invalid_request")),
        (Some(&orders.proof), "token=", (400, "invalid_request")),
        (Some(&orders.proof), "token=a&token=b", (400, "invalid_request")),
        (Some(&orders.proof), "token=a&token=a", (400, "invalid_request")),
    ] {
        for accept in ["application/json", JWT, SIGNED] {
            let answer = post(&app, INTROSPECT, proof.map(String::as_str), accept, form).await;
            let said = (answer.status.as_u16(), answer.json()["error"].clone());
            assert_eq!(said, (expected.0, expected.1.into()), "{form}: {}", answer.body);
            assert_eq!(answer.header("cache-control"), "no-store");
        }
    }
    let by_get = request(Method::GET, &format!("{INTROSPECT}?token=x")).body(Body::empty()).unwrap();
    assert_eq!(send(&app.router, by_get).await.status, StatusCode::METHOD_NOT_ALLOWED);
}

/// One client that asks without end takes nothing from the next.
#[tokio::test]
async fn whoever_asks_too_fast_waits_and_nobody_else_does() {
    let app = App::new();
    let (orders, parts) = (Server::of(&app, 1, "orders"), Server::of(&app, 2, "parts"));
    let session = text(&log_in(&app, r#""deliver":"body""#).await, "session_token");
    let access = text(&log_in(&app, r#""mode":"token""#).await, "access_token");
    for asked in 0..1000 {
        let made_up = format!("a.b.{asked}");
        assert_eq!(orders.ask(JWT, &made_up).await.status, StatusCode::UNAUTHORIZED, "{asked}");
    }
    // What is found in memory is told all the same: no stranger's made-up JWTs come before a session.
    assert_eq!(orders.ask(JWT, &session).await.status, StatusCode::OK);
    assert_eq!(orders.ask(JWT, "vst_x").await.status, StatusCode::UNAUTHORIZED);
    let refresh = format!("vrt_{}", "A".repeat(91));
    for (accept, token) in [("application/json", "vst_x"), (JWT, "x.y.z"), (SIGNED, &refresh)] {
        let waits = orders.ask(accept, token).await;
        assert_eq!((waits.status, waits.header("retry-after")), (StatusCode::TOO_MANY_REQUESTS, "1"));
        assert_eq!(
            (waits.header("cache-control"), &waits.json()["error"]),
            ("no-store", &"temporarily_unavailable".into())
        );
    }
    // RV-03: tokens that were never asked about before are answered if they prove themselves.
    assert!(orders.is_active(&session).await);
    for accept in ["application/json", JWT, SIGNED] {
        let new = text(&log_in(&app, r#""mode":"token""#).await, "access_token");
        assert_eq!(orders.ask(accept, &new).await.status, StatusCode::OK, "{accept}");
    }
    assert!(parts.is_active(&session).await);
    // What fails to prove that it is the client uses up nothing of its own.
    app.world.advance(Duration::from_millis(2));
    let wrong = crate::shelf::basic(&orders.id, "vcs_x");
    for _ in 0..3 {
        let refused = post(&app, INTROSPECT, Some(&wrong), JWT, "token=x").await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(orders.ask(JWT, &access).await.status, StatusCode::OK);
    // RV-03: made-up tokens use nothing up of what there is for proven ones; of these a thousand are told, too.
    app.world.advance(Duration::from_secs(1));
    while orders.ask(JWT, "a.b.c").await.status == StatusCode::UNAUTHORIZED {}
    for asked in 0..1000 {
        assert_eq!(orders.ask(JWT, &access).await.status, StatusCode::OK, "{asked}");
    }
    assert_eq!(orders.ask(JWT, &access).await.status, StatusCode::TOO_MANY_REQUESTS);
}

/// *Could not tell* is neither active nor inactive.
#[tokio::test]
async fn where_it_cannot_be_told_nothing_is_said_of_the_token() {
    let app = App::new();
    let orders = Server::of(&app, 1, "orders");
    let session = text(&log_in(&app, r#""deliver":"body""#).await, "session_token");
    app.world.is_down.store(true, SeqCst);
    for accept in ["application/json", JWT, SIGNED] {
        let answer = orders.ask(accept, &session).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{}", answer.body);
        assert_eq!(answer.json()["error"], "temporarily_unavailable");
    }
}
