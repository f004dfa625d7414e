//! Clients that act on behalf of subjects: what can be traded, for what, and that nothing grows by it.

use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use axum::body::Body;
use data_encoding::BASE64URL_NOPAD;
use http::{Method, StatusCode, header};
use serde_json::{Value, json};
use vestibule_core::port::Clients;
use vestibule_core::verify::{Claims, Verified, Verifier};

use crate::app::{ADA, App, ORIGIN, PASSWORD};
use crate::personas::{Answer, request, send};
use crate::world::START;

const TOKEN: &str = "/auth/oauth/token";
const GRANT: &str = "grant_type=urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS: &str = "&subject_token_type=urn:ietf:params:oauth:token-type:access_token";
const SESSION: &str = "&subject_token_type=urn:vestibule:token-type:session";

async fn log_in(app: &App, more: &str) -> Value {
    let body = format!(r#"{{"identifier":"{ADA}","password":"{PASSWORD}",{more}}}"#);
    let asked = request(Method::POST, "/auth/api/v1/login").header(header::CONTENT_TYPE, "application/json");
    send(&app.router, asked.body(Body::from(body)).unwrap()).await.json()
}

async fn post(app: &App, path: &str, proof: &str, form: &str) -> Answer {
    let asked = request(Method::POST, path)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::AUTHORIZATION, proof);
    send(&app.router, asked.body(Body::from(form.to_owned())).unwrap()).await
}

/// By who signed in, and has no proof.
async fn post_without_proof(app: &App, path: &str, form: &str) -> Answer {
    let asked = request(Method::POST, path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    send(&app.router, asked.body(Body::from(form.to_owned())).unwrap()).await
}

/// A service that calls others on behalf of whoever called it.
struct Service {
    id: String,
    proof: String,
}

impl Service {
    /// One that serves an audience, and may trade for others.
    fn of(app: &App, number: u8, serves: &str, audiences: &[&str], scopes: &[&str]) -> Self {
        let (id, proof) = app.shelf.add_client(number, |client| {
            client.exchanges = true;
            client.serves = Some(serves.to_owned());
            client.audiences = audiences.iter().map(|&it| it.to_owned()).collect();
            client.scopes = scopes.iter().map(|&it| it.to_owned()).collect();
        });
        Self { id: id.to_string(), proof }
    }

    async fn trade(&self, app: &App, kind: &str, token: &str, more: &str) -> Answer {
        post(app, TOKEN, &self.proof, &format!("{GRANT}{kind}&subject_token={token}{more}")).await
    }

    async fn jwt(&self, app: &App, kind: &str, token: &str, more: &str) -> String {
        let answer = self.trade(app, kind, token, more).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        text(&answer.json(), "access_token")
    }
}

fn text(json: &Value, name: &str) -> String {
    json[name].as_str().unwrap_or_else(|| panic!("no {name}: {json}")).to_owned()
}

#[track_caller]
fn claims(app: &App, audience: &str, jwt: &str) -> Verified<Claims> {
    Verifier::new(ORIGIN, audience, app.published()).verify_at(jwt, START.unix_seconds()).unwrap()
}

fn error(answer: &Answer) -> (u16, String) {
    assert_eq!(answer.header("cache-control"), "no-store", "{}", answer.body);
    let json = answer.json();
    assert!(!json["error_description"].as_str().unwrap().is_empty());
    (answer.status.as_u16(), text(&json, "error"))
}

fn failed(error: &str) -> (u16, String) {
    (400, error.to_owned())
}

#[tokio::test]
async fn a_session_or_an_access_token_is_traded_for_a_jwt_that_names_both() {
    let app = App::new();
    let service = Service::of(&app, 1, "front", &["orders", "parts"], &["orders:read"]);
    let opened = log_in(&app, r#""deliver":"body""#).await;
    let session = text(&opened, "session_token");
    let tokens = log_in(&app, r#""mode":"token""#).await;
    let access = text(&tokens, "access_token");
    for (kind, token) in [(SESSION, &session), (ACCESS, &access)] {
        let answer = service.trade(&app, kind, token, "&audience=orders").await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        assert_eq!((answer.header("cache-control"), answer.header("pragma")), ("no-store", "no-cache"));
        let json = answer.json();
        let mut members: Vec<_> = json.as_object().unwrap().keys().map(String::as_str).collect();
        members.sort_unstable();
        assert_eq!(
            members,
            ["access_token", "expires_in", "issued_token_type", "scope", "token_type"],
            "and no refresh token"
        );
        assert_eq!(json["issued_token_type"], "urn:ietf:params:oauth:token-type:access_token");
        assert_eq!((&json["token_type"], &json["expires_in"]), (&"Bearer".into(), &120.into()));
        let told = claims(&app, "orders", &text(&json, "access_token"));
        assert_eq!(told.get("act"), Some(&json!({ "sub": service.id })));
        assert_eq!((told.client_id(), told.acr()), (Some(service.id.as_str()), Some("aal1")));
        assert_eq!(told.scope().collect::<Vec<_>>(), ["orders:read"]);
        assert_eq!((told.exp(), told.aud()), (START.unix_seconds() + 120, "orders"));
        assert!(told.sid().is_some() && told.auth_time().is_some());
        assert_ne!(told.sub(), service.id, "the subject stays whom it is about");
    }
    let sid = text(&opened["session"], "id");
    let jwt = service
        .jwt(
            &app,
            SESSION,
            &session,
            "&audience=parts&requested_token_type=urn:ietf:params:oauth:token-type:jwt",
        )
        .await;
    assert_eq!(claims(&app, "parts", &jwt).sid(), Some(sid.as_str()));
    let heard = crate::logging::heard();
    let is_told = |line: &String| line.contains("token.exchanged") && line.contains(&sid);
    assert!(heard.iter().any(is_told), "{heard:?}");
    assert!(heard.iter().all(|line| !line.contains(&session) && !line.contains(&jwt)));
}

/// RFC 8693 section 4.1: from hand to hand, and not through more than four.
#[tokio::test]
async fn who_acts_is_told_from_hand_to_hand() {
    let app = App::new();
    let front = Service::of(&app, 1, "front", &["orders"], &["a", "b", "c"]);
    let orders = Service::of(&app, 2, "orders", &["parts"], &["a", "b", "d"]);
    let parts = Service::of(&app, 3, "parts", &["orders"], &["a", "b", "d"]);
    let access = text(&log_in(&app, r#""mode":"token""#).await, "access_token");
    let one = front.jwt(&app, ACCESS, &access, "&scope=a+c").await;
    let two = orders.jwt(&app, ACCESS, &one, "").await;
    let told = claims(&app, "parts", &two);
    let first = json!({ "sub": front.id });
    assert_eq!(told.get("act"), Some(&json!({ "sub": orders.id, "act": first })));
    // What the first was not granted, nobody behind it is.
    assert_eq!(told.scope().collect::<Vec<_>>(), ["a"]);
    for scope in ["b", "d", "a+b"] {
        let more = orders.trade(&app, ACCESS, &one, &format!("&scope={scope}")).await;
        assert_eq!(error(&more), failed("invalid_scope"), "{scope}");
    }
    // A shorter life is kept.
    assert_eq!(told.exp(), START.unix_seconds() + 60);
    let three = parts.jwt(&app, ACCESS, &two, "").await;
    assert_eq!(claims(&app, "orders", &three).exp(), told.exp());
    let four = orders.jwt(&app, ACCESS, &three, "").await;
    assert_eq!(error(&parts.trade(&app, ACCESS, &four, "").await), failed("invalid_request"));

    // A door's JWT for a service is the subject's own word: it bounds no scope.
    let phantom = post_phantom(&app, &orders, &access).await;
    let own = orders.jwt(&app, ACCESS, &phantom, "").await;
    assert_eq!(claims(&app, "parts", &own).scope().collect::<Vec<_>>(), ["a", "b", "d"]);
}

/// The JWT that a door would hand to the service.
async fn post_phantom(app: &App, service: &Service, token: &str) -> String {
    let asked = request(Method::POST, "/auth/oauth/introspect")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::ACCEPT, "application/jwt")
        .header(header::AUTHORIZATION, &service.proof);
    let answer = send(&app.router, asked.body(Body::from(format!("token={token}"))).unwrap()).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    answer.body
}

/// OA-04.
#[tokio::test]
async fn what_may_not_be_traded_is_refused_in_the_words_of_the_rfc() {
    let app = App::new();
    let front = Service::of(&app, 1, "front", &["orders", "parts", "gone"], &["a"]);
    let orders = Service::of(&app, 2, "orders", &["parts"], &[]);
    let (_, plain) = app.shelf.add_client(3, |_| {});
    let session = text(&log_in(&app, r#""deliver":"body""#).await, "session_token");
    let tokens = log_in(&app, r#""mode":"token""#).await;
    let (access, refresh) = (text(&tokens, "access_token"), text(&tokens, "refresh_token"));
    let for_orders = front.jwt(&app, ACCESS, &access, "&audience=orders").await;
    let own = post(&app, TOKEN, &plain, "grant_type=client_credentials").await;
    let own = text(&own.json(), "access_token");

    for (kind, token) in [
        (ACCESS, refresh.as_str()),
        (SESSION, &refresh),
        (ACCESS, &session),
        (SESSION, &access),
        (SESSION, &session[4..]),
        (ACCESS, "a.b.c"),
        (ACCESS, &format!("{access}x")),
        // It was shown to orders, not to the front.
        (ACCESS, &for_orders),
        // A program that acts for itself lends itself to nobody.
        (ACCESS, &own),
    ] {
        let refused = front.trade(&app, kind, token, "&audience=orders").await;
        assert_eq!(error(&refused), failed("invalid_request"), "{kind} {token}");
    }
    assert_eq!(error(&orders.trade(&app, ACCESS, &own, "").await), failed("invalid_request"));
    for (more, expected) in [
        ("", "invalid_target"),
        ("&audience=front", "invalid_target"),
        ("&audience=gone", "invalid_target"),
        ("&audience=https%3A%2F%2Fapp.test", "invalid_target"),
        ("&audience=orders&resource=https%3A%2F%2Fx.test", "invalid_target"),
        ("&audience=orders&audience=parts", "invalid_request"),
        ("&audience=orders&scope=b", "invalid_scope"),
        ("&audience=orders&actor_token=x&actor_token_type=y", "invalid_request"),
        (
            "&audience=orders&requested_token_type=urn:ietf:params:oauth:token-type:refresh_token",
            "invalid_request",
        ),
    ] {
        let refused = front.trade(&app, ACCESS, &access, more).await;
        assert_eq!(error(&refused), failed(expected), "{more}");
    }
    let forms = [
        format!("{GRANT}&audience=orders{ACCESS}"),
        format!("{GRANT}&audience=orders&subject_token={access}"),
        format!(
            "{GRANT}&audience=orders&subject_token={access}&subject_token_type=urn:ietf:params:oauth:token-type:id_token"
        ),
        format!("{GRANT}&audience=orders&subject_token={access}&subject_token={access}{ACCESS}"),
    ];
    for form in forms {
        assert_eq!(error(&post(&app, TOKEN, &front.proof, &form).await), failed("invalid_request"), "{form}");
    }
    let form = format!("{GRANT}&audience=orders&subject_token={access}{ACCESS}");
    assert_eq!(error(&post(&app, TOKEN, &plain, &form).await), failed("unauthorized_client"));
    let asked =
        request(Method::POST, TOKEN).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let nobody = send(&app.router, asked.body(Body::from(form.clone())).unwrap()).await;
    assert_eq!(error(&nobody), (401, "invalid_client".to_owned()));
    // None of which used anything up.
    assert_eq!(post(&app, TOKEN, &front.proof, &form).await.status, StatusCode::OK);
}

#[tokio::test]
async fn what_ends_the_session_ends_what_was_traded_for_it() {
    let app = App::new();
    let front = Service::of(&app, 1, "front", &["orders"], &[]);
    let orders = Service::of(&app, 2, "orders", &["parts"], &[]);
    let tokens = log_in(&app, r#""mode":"token""#).await;
    let (access, refresh) = (text(&tokens, "access_token"), text(&tokens, "refresh_token"));
    let one = front.jwt(&app, ACCESS, &access, "").await;
    assert_eq!(orders.trade(&app, ACCESS, &one, "").await.status, StatusCode::OK);
    let form = Body::from(format!("token={refresh}"));
    let asked = request(Method::POST, "/auth/oauth/revoke")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    assert_eq!(send(&app.router, asked.body(form).unwrap()).await.status, StatusCode::OK);
    assert_eq!(error(&front.trade(&app, ACCESS, &access, "").await), failed("invalid_request"));
    assert_eq!(error(&orders.trade(&app, ACCESS, &one, "").await), failed("invalid_request"));

    // A token about to end is traded for a JWT that ends with it.
    let access = text(&log_in(&app, r#""mode":"token""#).await, "access_token");
    app.world.advance(Duration::from_secs(590));
    let answer = front.trade(&app, ACCESS, &access, "").await;
    assert_eq!(answer.json()["expires_in"], 10, "{}", answer.body);
    app.world.is_down.store(true, SeqCst);
    let untold = front.trade(&app, ACCESS, &access, "").await;
    assert_eq!(error(&untold), (503, "temporarily_unavailable".to_owned()));
}

/// HX-04: what a removed client holds is not its own subject's: it must be found by who acts.
#[tokio::test]
async fn what_a_removed_client_traded_for_is_worth_nothing_and_neither_is_what_was_traded_for_that() {
    let app = App::new();
    let front = Service::of(&app, 1, "front", &["orders"], &[]);
    let orders = Service::of(&app, 2, "orders", &["parts"], &[]);
    let parts = Service::of(&app, 3, "parts", &["orders"], &[]);
    let access = text(&log_in(&app, r#""mode":"token""#).await, "access_token");
    let one = front.jwt(&app, ACCESS, &access, "").await;
    let two = orders.jwt(&app, ACCESS, &one, "").await;
    let is_active = async |service: &Service, token: &str| {
        let answer = post(&app, "/auth/oauth/introspect", &service.proof, &format!("token={token}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        answer.json()["active"] == true
    };
    assert!(is_active(&orders, &one).await && is_active(&parts, &two).await);

    assert!(app.shelf.remove(&front.id.parse().unwrap()).await.unwrap());
    assert!(!is_active(&orders, &one).await && !is_active(&parts, &two).await);
    for (service, token) in [(&orders, &one), (&parts, &two)] {
        assert_eq!(error(&service.trade(&app, ACCESS, token, "").await), failed("invalid_request"));
    }
    let gone = front.trade(&app, ACCESS, &access, "").await;
    assert_eq!(error(&gone), (401, "invalid_client".to_owned()));
    // The subject has lost nothing by it.
    let anew = post_phantom(&app, &orders, &access).await;
    assert!(is_active(&orders, &anew).await);
    let two = orders.jwt(&app, ACCESS, &anew, "").await;
    assert!(is_active(&parts, &two).await);
}

/// OA-04: who acts is told by who proved itself, and by nothing that is sent.
#[tokio::test]
async fn nobody_says_of_itself_who_acts() {
    let app = App::new();
    let front = Service::of(&app, 1, "front", &["orders"], &[]);
    let orders = Service::of(&app, 2, "orders", &["parts"], &[]);
    let access = text(&log_in(&app, r#""mode":"token""#).await, "access_token");
    let claimed = format!("&act=%7B%22sub%22%3A%22{0}%22%7D&actor={0}&sub={0}", orders.id);
    let told = claims(&app, "orders", &front.jwt(&app, ACCESS, &access, &claimed).await);
    assert_eq!(told.get("act"), Some(&json!({ "sub": front.id })));
    let named = front.trade(&app, ACCESS, &access, &format!("&client_id={}", orders.id)).await;
    assert_eq!(error(&named), failed("invalid_request"), "two names, one proof");

    // A JWT of ours whose claims were exchanged, signed by whoever did it; by our key under another audience, and under another `typ`.
    let one = front.jwt(&app, ACCESS, &access, "").await;
    let mut parts: Vec<_> = one.split('.').map(str::to_owned).collect();
    let mut said: Value =
        serde_json::from_slice(&BASE64URL_NOPAD.decode(parts[1].as_bytes()).unwrap()).unwrap();
    said.as_object_mut().unwrap().remove("act");
    parts[1] = BASE64URL_NOPAD.encode(said.to_string().as_bytes());
    let elsewhere = App::new();
    let other = Service::of(&elsewhere, 1, "front", &["orders"], &[]);
    let theirs = text(&log_in(&elsewhere, r#""mode":"token""#).await, "access_token");
    let theirs = other.jwt(&elsewhere, ACCESS, &theirs, "").await;
    let asked = request(Method::POST, "/auth/oauth/introspect")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::ACCEPT, "application/token-introspection+jwt")
        .header(header::AUTHORIZATION, &orders.proof);
    let answer = send(&app.router, asked.body(Body::from(format!("token={one}"))).unwrap()).await.body;
    for forged in [parts.join("."), theirs, answer] {
        let refused = orders.trade(&app, ACCESS, &forged, "").await;
        assert_eq!(error(&refused), failed("invalid_request"), "{forged}");
    }
}

/// RFC 7009 section 2.2.1.
#[tokio::test]
async fn a_client_can_revoke_nothing_that_is_not_its_own_and_is_told_what_cannot_be_revoked() {
    let app = App::new();
    let front = Service::of(&app, 1, "front", &["orders"], &[]);
    let session = text(&log_in(&app, r#""deliver":"body""#).await, "session_token");
    let tokens = log_in(&app, r#""mode":"token""#).await;
    let (access, refresh) = (text(&tokens, "access_token"), text(&tokens, "refresh_token"));
    let jwt = front.jwt(&app, ACCESS, &access, "").await;
    for (token, expected) in [
        (&jwt, "unsupported_token_type"),
        (&access, "unsupported_token_type"),
        (&session, "unsupported_token_type"),
        (&refresh, "invalid_grant"),
    ] {
        let answer = post(&app, "/auth/oauth/revoke", &front.proof, &format!("token={token}")).await;
        assert_eq!(error(&answer), failed(expected), "{}", answer.body);
    }
    let unknown = post(&app, "/auth/oauth/revoke", &front.proof, "token=unknown").await;
    assert_eq!(unknown.status, StatusCode::OK);
    for (kind, token) in [(ACCESS, &access), (SESSION, &session)] {
        assert_eq!(front.trade(&app, kind, token, "").await.status, StatusCode::OK, "nothing happened to it");
    }
    let form = format!("grant_type=refresh_token&refresh_token={refresh}");
    assert_eq!(
        post_without_proof(&app, "/auth/oauth/token", &form).await.status,
        StatusCode::OK,
        "nor to it"
    );
}

/// RFC 7009 section 2.2.1: 200 says that a token is good for nothing any more. What is not revoked here is never answered so.
#[tokio::test]
async fn what_is_not_revoked_is_never_said_to_be() {
    let app = App::new();
    let front = Service::of(&app, 1, "front", &["orders"], &[]);
    let session = text(&log_in(&app, r#""deliver":"body""#).await, "session_token");
    let in_a_cookie = vestibule_core::session::SessionToken::from_bearer(&session).unwrap();
    let in_a_cookie = in_a_cookie.reveal_cookie_value();
    let access = text(&log_in(&app, r#""mode":"token""#).await, "access_token");
    let for_a_service = front.jwt(&app, ACCESS, &access, "").await;
    let encrypted = "a.b.c.d.e".to_owned();
    for token in [&session, &in_a_cookie, &for_a_service, &encrypted] {
        let answer = post_without_proof(&app, "/auth/oauth/revoke", &format!("token={token}")).await;
        assert_eq!(error(&answer), failed("unsupported_token_type"), "{token}");
    }
    assert_eq!(front.trade(&app, SESSION, &session, "").await.status, StatusCode::OK);
    let revoked = post_without_proof(&app, "/auth/oauth/revoke", &format!("token={access}")).await;
    assert_eq!(revoked.status, StatusCode::OK);
    assert_ne!(front.trade(&app, ACCESS, &access, "").await.status, StatusCode::OK);
}
