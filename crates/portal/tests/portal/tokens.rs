//! Token mode: signing in for an access token and a refresh token, trading the latter, and giving both up.

use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use axum::body::Body;
use http::{Method, StatusCode, header};
use vestibule_core::verify::Verifier;

use crate::app::{ACCESS, ADA, App, ORIGIN, PASSWORD};
use crate::personas::{Answer, request, send};
use crate::world::START;

const LOGIN: &str = "/auth/api/v1/login";
const TOKEN: &str = "/auth/oauth/token";
const REVOKE: &str = "/auth/oauth/revoke";
const FORM: &str = "application/x-www-form-urlencoded";

async fn login(app: &App, extra: &str) -> Answer {
    let body = format!(r#"{{"identifier":"{ADA}","password":"{PASSWORD}","mode":"token"{extra}}}"#);
    let asked = request(Method::POST, LOGIN).header(header::CONTENT_TYPE, "application/json");
    send(&app.router, asked.body(Body::from(body)).unwrap()).await
}

async fn post(app: &App, path: &str, form: &str) -> Answer {
    let asked = request(Method::POST, path).header(header::CONTENT_TYPE, FORM);
    send(&app.router, asked.body(Body::from(form.to_owned())).unwrap()).await
}

async fn refresh(app: &App, token: &str) -> Answer {
    post(app, TOKEN, &format!("grant_type=refresh_token&refresh_token={token}")).await
}

/// Both tokens, after all that RFC 6749 section 5.1 says of the answer was found to be so.
fn tokens(answer: &Answer) -> (String, String) {
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("pragma"), "no-cache");
    assert!(answer.set_cookies().is_empty(), "tokens and cookies do not mix");
    let json = answer.json();
    let mut members: Vec<_> = json.as_object().unwrap().keys().cloned().collect();
    members.sort();
    assert_eq!(members, ["access_token", "expires_in", "refresh_token", "token_type"]);
    assert_eq!((&json["token_type"], &json["expires_in"]), (&"Bearer".into(), &ACCESS.as_secs().into()));
    let text = |name: &str| json[name].as_str().unwrap().to_owned();
    (text("access_token"), text("refresh_token"))
}

/// RFC 6749 section 5.2.
fn error(answer: &Answer) -> (u16, String) {
    assert_eq!(answer.header("content-type"), "application/json", "{}", answer.body);
    assert_eq!(answer.header("cache-control"), "no-store");
    let json = answer.json();
    assert!(!json["error_description"].as_str().unwrap().is_empty());
    (answer.status.as_u16(), json["error"].as_str().unwrap().to_owned())
}

fn invalid_grant() -> (u16, String) {
    (400, "invalid_grant".to_owned())
}

#[tokio::test]
async fn a_client_signs_in_refreshes_and_gives_up_its_tokens() {
    let app = App::new();
    let (access, first) = tokens(&login(&app, "").await);
    let edge = Verifier::new(ORIGIN, ORIGIN, app.edge());
    let claims = edge.verify_at(&access, START.unix_seconds()).unwrap();
    let session = &app.world.sessions_held()[0];
    assert_eq!(session.kind.name(), "tokens");
    assert_eq!(session.ends_at, session.opened_at.after(Duration::from_secs(30 * 86_400)));
    assert_eq!(claims.sid(), Some(session.id.to_string().as_str()));
    assert_eq!((claims.aud(), claims.client_id()), (ORIGIN, Some("vestibule")));

    app.world.advance(Duration::from_secs(300));
    let (access, second) = tokens(&refresh(&app, &first).await);
    assert!(first != second);
    // The answer was lost on its way.
    assert_eq!(tokens(&refresh(&app, &first).await).1, second);
    let (_, third) = tokens(&refresh(&app, &second).await);
    assert_eq!(error(&refresh(&app, &first).await), invalid_grant());

    let asked = post(&app, REVOKE, &format!("token={access}&token_type_hint=access_token")).await;
    assert_eq!(asked.status, StatusCode::OK);
    assert!(app.world.sessions_held().is_empty(), "ending one token ends everything of the session");
    assert_eq!(error(&refresh(&app, &third).await), invalid_grant());
}

/// RT-01.
#[tokio::test]
async fn a_replay_ends_the_session() {
    let app = App::new();
    let (_, first) = tokens(&login(&app, "").await);
    let (_, second) = tokens(&refresh(&app, &first).await);
    app.world.advance(Duration::from_secs(10));
    assert_eq!(error(&refresh(&app, &first).await), invalid_grant());
    assert!(app.world.sessions_held().is_empty());
    assert_eq!(error(&refresh(&app, &second).await), invalid_grant());
    assert!(crate::logging::heard().iter().any(|line| line.contains("refresh.replayed")));
}

/// OA-08, RFC 6749 section 3.2: parameters once, in a form, by POST; every error in its form.
#[tokio::test]
async fn what_is_not_asked_as_it_must_be_is_an_error_by_name() {
    let app = App::new();
    let (_, token) = tokens(&login(&app, "").await);
    let good = format!("grant_type=refresh_token&refresh_token={token}");
    for (form, expected) in [
        (String::new(), (400, "invalid_request")),
        ("grant_type=".to_owned(), (400, "invalid_request")),
        ("grant_type=refresh_token".to_owned(), (400, "invalid_request")),
        ("grant_type=refresh_token&refresh_token=".to_owned(), (400, "invalid_request")),
        (format!("{good}&refresh_token={token}"), (400, "invalid_request")),
        (format!("{good}&grant_type=refresh_token"), (400, "invalid_request")),
        (format!("{good}&x=%zz"), (400, "invalid_request")),
        ("grant_type=password&username=ada&password=x".to_owned(), (400, "unsupported_grant_type")),
        ("grant_type=Refresh_Token".to_owned(), (400, "unsupported_grant_type")),
        (format!("{good}&scope=everything"), (400, "invalid_scope")),
        (format!("{good}&client_id=someone-else"), (401, "invalid_client")),
        (format!("{good}&client_secret=x"), (401, "invalid_client")),
        ("grant_type=refresh_token&refresh_token=vrt_x".to_owned(), (400, "invalid_grant")),
        (
            format!("grant_type=refresh_token&refresh_token={}", token.replace("vrt_", "vst_")),
            (400, "invalid_grant"),
        ),
    ] {
        assert_eq!(error(&post(&app, TOKEN, &form).await), (expected.0, expected.1.to_owned()), "{form}");
    }
    for content_type in ["application/json", "text/plain", "multipart/form-data; boundary=x", ""] {
        let asked = request(Method::POST, TOKEN).header(header::CONTENT_TYPE, content_type);
        let answer = send(&app.router, asked.body(Body::from(good.clone())).unwrap()).await;
        assert_eq!(error(&answer), (400, "invalid_request".to_owned()), "{content_type}");
    }
    let asked = request(Method::POST, TOKEN)
        .header(header::CONTENT_TYPE, FORM)
        .header(header::AUTHORIZATION, "Basic YTpi")
        .body(Body::from(good.clone()))
        .unwrap();
    let answer = send(&app.router, asked).await;
    assert_eq!(error(&answer), (401, "invalid_client".to_owned()));
    assert_eq!(answer.header("www-authenticate"), "Basic realm=\"vestibule\"");
    let in_the_query = request(Method::POST, &format!("{TOKEN}?{good}")).header(header::CONTENT_TYPE, FORM);
    let answer = send(&app.router, in_the_query.body(Body::empty()).unwrap()).await;
    assert_eq!(error(&answer), (400, "invalid_request".to_owned()));
    let answer = send(&app.router, request(Method::GET, TOKEN).body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
    // None of all that used the token up.
    tokens(&post(&app, TOKEN, &format!("{good}&client_id=vestibule&scope=")).await);
}

/// RFC 7009 section 2.2: what is unknown is as good as revoked.
#[tokio::test]
async fn revoking_what_is_not_ours_changes_nothing_and_succeeds() {
    let app = App::new();
    let (access, token) = tokens(&login(&app, "").await);
    app.world.advance(ACCESS + Duration::from_secs(60));
    let before = app.world.changes.load(SeqCst);
    for other in ["x", "vrt_x", &format!("{access}x"), &access] {
        assert_eq!(post(&app, REVOKE, &format!("token={other}")).await.status, StatusCode::OK, "{other}");
    }
    assert_eq!(error(&post(&app, REVOKE, "").await), (400, "invalid_request".to_owned()));
    assert_eq!(app.world.changes.load(SeqCst), before);
    let (_, newest) = tokens(&refresh(&app, &token).await);
    // One that was used up still tells whose it is.
    assert_eq!(post(&app, REVOKE, &format!("token={token}")).await.status, StatusCode::OK);
    assert_eq!(error(&refresh(&app, &newest).await), invalid_grant());
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_told_as_such_and_costs_nobody_the_family() {
    let app = App::new();
    let (_, token) = tokens(&login(&app, "").await);
    app.world.is_down.store(true, SeqCst);
    for (path, form) in [
        (TOKEN, format!("grant_type=refresh_token&refresh_token={token}")),
        (REVOKE, format!("token={token}")),
    ] {
        let answer = post(&app, path, &form).await;
        assert_eq!(error(&answer), (503, "temporarily_unavailable".to_owned()), "{path}");
        assert!(!answer.header("retry-after").is_empty() && answer.json()["incident"].is_string());
    }
    app.world.is_down.store(false, SeqCst);
    tokens(&refresh(&app, &token).await);
}

#[tokio::test]
async fn a_browser_is_told_to_take_a_session() {
    let answer = login(&App::new(), r#","deliver":"cookie""#).await;
    assert_eq!((answer.status, &*answer.code()), (StatusCode::BAD_REQUEST, "deliver-unsupported"));
    tokens(&login(&App::new(), r#","deliver":"body","remember":true"#).await);
}
