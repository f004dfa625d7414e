//! Clients that prove who they are: by a secret in the one place where it belongs, and what each may have.

use std::sync::atomic::Ordering::SeqCst;

use axum::body::Body;
use http::{Method, StatusCode, header};
use vestibule_core::verify::Verifier;

use crate::app::{App, ORIGIN};
use crate::personas::{Answer, request, send};
use crate::shelf::basic;
use crate::world::START;

const TOKEN: &str = "/auth/oauth/token";
const FORM: &str = "application/x-www-form-urlencoded";

async fn post(app: &App, authorization: &[&str], form: &str) -> Answer {
    let mut asked = request(Method::POST, TOKEN).header(header::CONTENT_TYPE, FORM);
    for value in authorization {
        asked = asked.header(header::AUTHORIZATION, *value);
    }
    send(&app.router, asked.body(Body::from(form.to_owned())).unwrap()).await
}

/// RFC 6749 section 5.2.
fn error(answer: &Answer) -> (u16, String) {
    assert_eq!(answer.header("content-type"), "application/json", "{}", answer.body);
    assert_eq!(answer.header("cache-control"), "no-store");
    let json = answer.json();
    assert!(!json["error_description"].as_str().unwrap().is_empty());
    let is_challenge = answer.status == StatusCode::UNAUTHORIZED;
    assert_eq!(answer.header("www-authenticate") == "Basic realm=\"vestibule\"", is_challenge);
    (answer.status.as_u16(), json["error"].as_str().unwrap().to_owned())
}

fn failed(status: u16, error: &str) -> (u16, String) {
    (status, error.to_owned())
}

#[tokio::test]
async fn a_client_gets_a_jwt_for_itself() {
    let app = App::new();
    let (id, proof) = app.shelf.add_client(1, |_| {});
    let answer = post(&app, &[&proof], "grant_type=client_credentials").await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    assert_eq!((answer.header("cache-control"), answer.header("pragma")), ("no-store", "no-cache"));
    let json = answer.json();
    let mut members: Vec<_> = json.as_object().unwrap().keys().cloned().collect();
    members.sort();
    assert_eq!(members, ["access_token", "expires_in", "scope", "token_type"], "and no refresh token");
    assert_eq!((&json["token_type"], &json["expires_in"]), (&"Bearer".into(), &120.into()));
    assert_eq!(json["scope"], "orders:read orders:write");
    let jwt = json["access_token"].as_str().unwrap();
    let claims =
        Verifier::new(ORIGIN, "orders", app.published()).verify_at(jwt, START.unix_seconds()).unwrap();
    let mut told: Vec<_> = claims.members().keys().cloned().collect();
    told.sort();
    // Nobody signed in, so nothing is said of a session or of a sign-in.
    assert_eq!(told, ["aud", "client_id", "exp", "iat", "iss", "jti", "scope", "sub"]);
    let id = id.to_string();
    assert_eq!((claims.sub(), claims.client_id()), (id.as_str(), Some(id.as_str())));
    assert_eq!(claims.exp(), START.unix_seconds() + 120);
    assert_eq!(claims.scope().collect::<Vec<_>>(), ["orders:read", "orders:write"]);
    let heard = crate::logging::heard();
    assert!(heard.iter().any(|line| line.contains("client.jwt-issued") && line.contains(&id)), "{heard:?}");
}

#[tokio::test]
async fn a_client_gets_what_it_was_registered_for_and_nothing_else() {
    let app = App::new();
    let (_, proof) = app.shelf.add_client(1, |_| {});
    let (_, both) = app.shelf.add_client(2, |client| {
        client.audiences = vec!["orders".to_owned(), "parts".to_owned(), "gone".to_owned()];
        client.scopes.clear();
    });
    let (_, edge) = app.shelf.add_client(3, |client| client.audiences = vec![ORIGIN.to_owned()]);
    let (_, served) = app.shelf.add_client(4, |client| {
        client.audiences.clear();
        client.serves = Some("orders".to_owned());
    });
    let ask = async |proof: &str, more: &str| {
        post(&app, &[proof], &format!("grant_type=client_credentials{more}")).await
    };
    for (more, expected) in [
        ("&audience=orders", "orders:read orders:write"),
        ("&scope=orders:read", "orders:read"),
        ("&scope=orders%3Awrite+orders%3Aread", "orders:read orders:write"),
        ("&audience=&scope=", "orders:read orders:write"),
        ("&scope=orders:read&unknown=x", "orders:read"),
    ] {
        let answer = ask(&proof, more).await;
        assert_eq!(answer.json()["scope"], expected, "{more}: {}", answer.body);
    }
    let answer = ask(&both, "&audience=parts").await;
    assert_eq!(answer.json()["expires_in"], 60);
    assert_eq!(answer.json().get("scope"), None, "it has none");
    for (proof, more, expected) in [
        (&proof, "&audience=parts", "invalid_target"),
        (&proof, "&audience=Orders", "invalid_target"),
        (&proof, "&audience=orders+parts", "invalid_target"),
        (&proof, "&audience=https%3A%2F%2Fapp.test", "invalid_target"),
        (&proof, "&scope=orders:delete", "invalid_scope"),
        (&proof, "&scope=orders:read+orders:delete", "invalid_scope"),
        (&proof, "&scope=orders:read++orders:write", "invalid_scope"),
        (&proof, "&scope=ORDERS:READ", "invalid_scope"),
        (&both, "&audience=parts&scope=orders:read", "invalid_scope"),
        // It may ask for more than one, so it must say for which.
        (&both, "", "invalid_target"),
        (&both, "&audience=gone", "invalid_target"),
        (&edge, "", "invalid_target"),
        (&served, "", "invalid_target"),
        (&served, "&audience=orders", "invalid_target"),
    ] {
        assert_eq!(error(&ask(proof, more).await), failed(400, expected), "{more}");
    }
}

/// OA-08.
#[tokio::test]
async fn every_parameter_comes_once() {
    let app = App::new();
    let (id, proof) = app.shelf.add_client(1, |_| {});
    let whole = format!("grant_type=client_credentials&audience=orders&scope=orders:read&client_id={id}");
    assert_eq!(post(&app, &[&proof], &whole).await.status, StatusCode::OK);
    for parameter in whole.split('&') {
        let twice = format!("{whole}&{parameter}");
        assert_eq!(error(&post(&app, &[&proof], &twice).await), failed(400, "invalid_request"), "{twice}");
    }
    for name in ["client_secret", "client_assertion", "client_assertion_type", "unknown"] {
        let twice = format!("{whole}&{name}=x&{name}=x");
        assert_eq!(error(&post(&app, &[&proof], &twice).await), failed(400, "invalid_request"), "{twice}");
    }
    assert_eq!(error(&post(&app, &[&proof, &proof], &whole).await), failed(400, "invalid_request"));
}

#[tokio::test]
async fn a_proof_comes_in_one_way_and_whole() {
    let app = App::new();
    let (id, proof) = app.shelf.add_client(1, |_| {});
    let (other, _) = app.shelf.add_client(2, |_| {});
    let secret = decoded(&proof).split_once(':').unwrap().1.to_owned();
    let id = id.to_string();
    let grant = "grant_type=client_credentials";
    let jwt = "client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";
    let unknown = (401, "invalid_client");
    let unclear = (400, "invalid_request");
    let good = [proof.replace("Basic", "bAsIc"), basic(&id.replace('_', "%5F"), &secret.replace('_', "%5f"))];
    for proof in &good {
        assert_eq!(post(&app, &[proof], grant).await.status, StatusCode::OK, "{proof}");
    }
    for (authorization, more, expected) in [
        (basic(&id, ""), "", unknown),
        (basic(&id, &secret[..46]), "", unknown),
        (basic(&id, &format!("{secret} ")), "", unknown),
        (basic(&other.to_string(), &secret), "", unknown),
        (basic("vestibule", &secret), "", unknown),
        (basic("", &secret), "", unknown),
        (basic(&id.to_uppercase(), &secret), "", unknown),
        (basic(&format!("{id}%"), &secret), "", unknown),
        ("Basic".to_owned(), "", unknown),
        ("Basic !".to_owned(), "", unknown),
        (format!("Basic {}", data_encoding::BASE64.encode(id.as_bytes())), "", unknown),
        (format!("Bearer {secret}"), "", unknown),
        (proof.clone(), &*format!("&client_id={other}"), unclear),
        (proof.clone(), "&client_id=vestibule", unclear),
        (proof.clone(), &format!("&client_secret={secret}"), unknown),
        (proof.clone(), "&client_assertion=x.y.z", unclear),
        (proof.clone(), &format!("&{jwt}"), unclear),
        (String::new(), "", unknown),
        (String::new(), &format!("&client_id={id}"), unknown),
        (String::new(), &format!("&client_id={id}&client_secret={secret}"), unknown),
        (String::new(), &format!("&client_id={id}&{jwt}"), unknown),
        (String::new(), &format!("&{jwt}&client_assertion=x.y.z"), unknown),
        (String::new(), "&client_assertion=x.y.z", unknown),
        (String::new(), "&client_assertion=x.y.z&client_assertion_type=saml2-bearer", unknown),
    ] {
        let authorization: &[&str] = if authorization.is_empty() { &[] } else { &[&authorization] };
        let answer = post(&app, authorization, &format!("{grant}{more}")).await;
        assert_eq!(error(&answer), failed(expected.0, expected.1), "{authorization:?} {more}");
        assert!(!answer.body.contains(&secret), "{}", answer.body);
    }
}

#[tokio::test]
async fn a_grant_is_for_those_that_it_is_for() {
    let app = App::new();
    let (_, proof) = app.shelf.add_client(1, |_| {});
    for (grant, expected) in [
        ("", (400, "invalid_request")),
        ("grant_type=refresh_token&refresh_token=vrt_x", (400, "unauthorized_client")),
        ("grant_type=password&username=ada&password=x", (400, "unsupported_grant_type")),
        ("grant_type=authorization_code&code=x", (400, "unsupported_grant_type")),
        ("grant_type=Client_Credentials", (400, "unsupported_grant_type")),
    ] {
        assert_eq!(error(&post(&app, &[&proof], grant).await), failed(expected.0, expected.1), "{grant}");
    }
}

#[tokio::test]
async fn who_fails_too_often_is_told_to_wait_and_the_client_is_let_in() {
    let app = App::new();
    let (id, proof) = app.shelf.add_client(1, |_| {});
    let wrong = basic(&id.to_string(), "vcs_wrong");
    let mut told_to_wait = 0;
    for _ in 0..200 {
        let answer = post(&app, &[&wrong], "grant_type=client_credentials").await;
        match error(&answer) {
            (401, _) => assert_eq!(told_to_wait, 0),
            (429, error) => {
                assert_eq!((error.as_str(), answer.header("retry-after")), ("invalid_client", "1"));
                told_to_wait += 1;
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(told_to_wait, 20);
    assert_eq!(post(&app, &[&proof], "grant_type=client_credentials").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_told_as_such() {
    let app = App::new();
    let (_, proof) = app.shelf.add_client(1, |_| {});
    app.shelf.is_down.store(true, SeqCst);
    let answer = post(&app, &[&proof], "grant_type=client_credentials").await;
    assert_eq!(error(&answer), failed(503, "temporarily_unavailable"));
    assert!(!answer.header("retry-after").is_empty() && answer.json()["incident"].is_string());
}

fn decoded(authorization: &str) -> String {
    let text = authorization.strip_prefix("Basic ").unwrap();
    String::from_utf8(data_encoding::BASE64.decode(text.as_bytes()).unwrap()).unwrap()
}
