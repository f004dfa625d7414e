//! `/csrf`, as services ask it about the forms they received.

use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use vestibule_core::csrf::Binding;
use vestibule_core::id::SessionId;
use vestibule_gateway::door::csrf::CsrfDoor;

use crate::app::{App, SESSION};

const FORM: &str = "application/x-www-form-urlencoded";

async fn send(app: &App, method: &str, content_type: Option<&str>, body: String) -> Response<Full<Bytes>> {
    let mut request = Request::builder().method(method).uri("/csrf");
    if let Some(content_type) = content_type {
        request = request.header("content-type", content_type);
    }
    CsrfDoor::new(app.swap.clone(), app.world.clone())
        .answer(request.body(Full::<Bytes>::from(body)).unwrap())
        .await
}

async fn ask(app: &App, body: String) -> (u16, String) {
    let response = send(app, "POST", Some(FORM), body).await;
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let code = serde_json::from_slice::<serde_json::Value>(&body).ok();
    (status, code.and_then(|problem| problem["code"].as_str().map(str::to_owned)).unwrap_or_default())
}

fn code(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

#[tokio::test]
async fn a_token_is_good_for_the_session_whose_page_it_was_given_to_until_it_is_old() {
    let app = App::new();
    // Longer than tokens are good for.
    app.world.remember();
    let (mine, other) = (SESSION.to_string(), SessionId::from_bytes([8; 16]));
    let token = app.csrf();
    let question = |session: &str, token: &str| format!("session={session}&csrf_token={token}");
    assert_eq!(ask(&app, question(&mine, &token)).await, code(204, ""));
    assert_eq!(ask(&app, question(&mine, &token)).await, code(204, ""), "the back button");

    let others = app.decider.csrf.issue(Binding::Session(&other), app.decider.clock.now());
    let before_login = app.decider.csrf.issue(Binding::PreSession(&[7; 32]), app.decider.clock.now());
    let altered = format!("{}{}", if token.starts_with('A') { "B" } else { "A" }, &token[1..]);
    for (session, token) in [
        (mine.as_str(), others.as_str()),
        (&other.to_string(), &token),
        (&mine, &before_login),
        (&mine, &altered),
        (&mine, &token[1..]),
        (&mine, ""),
        (&mine, &mine),
        ("", &token),
        ("%00", &token),
        ("me", &token),
    ] {
        assert_eq!(ask(&app, question(session, token)).await, code(403, "csrf"), "{session} {token}");
    }
    app.clock.advance(Duration::from_secs(12 * 60 * 60 - 1));
    assert_eq!(ask(&app, question(&mine, &token)).await, code(204, ""));
    app.clock.advance(Duration::from_secs(1));
    assert_eq!(ask(&app, question(&mine, &token)).await, code(403, "csrf"), "old");
}

#[tokio::test]
async fn a_question_is_a_short_form_with_each_field_once() {
    let app = App::new();
    let (session, token) = (SESSION.to_string(), app.csrf());
    let good = format!("session={session}&csrf_token={token}");
    assert_eq!(ask(&app, format!("{good}&more=1")).await, code(204, ""));
    for bad in [
        String::new(),
        format!("csrf_token={token}"),
        format!("session={session}"),
        format!("{good}&csrf_token={token}"),
        format!("{good}&session={session}"),
        format!("SESSION={session}&CSRF_TOKEN={token}"),
        format!("session={session};csrf_token={token}"),
        format!("session=%zz&csrf_token={token}"),
        format!("{good}&more={}", "x".repeat(4096)),
    ] {
        assert_eq!(ask(&app, bad.clone()).await, code(400, "malformed"), "{bad}");
    }
    for no_form in
        [None, Some("application/json"), Some("text/plain"), Some("multipart/form-data; boundary=x")]
    {
        assert_eq!(send(&app, "POST", no_form, good.clone()).await.status().as_u16(), 415, "{no_form:?}");
    }
    let asked = send(&app, "GET", Some(FORM), good).await;
    assert_eq!((asked.status().as_u16(), asked.headers()["allow"].to_str().unwrap()), (405, "POST"));
}

/// CS-02: the contract's word: a token dies with its session.
#[tokio::test]
async fn a_token_dies_with_its_session_and_is_not_believed_while_nobody_can_tell() {
    let app = App::new();
    let question = format!("session={SESSION}&csrf_token={}", app.csrf());
    assert_eq!(ask(&app, question.clone()).await, code(204, ""));
    app.world.is_down.store(true, Ordering::SeqCst);
    assert_eq!(ask(&app, question.clone()).await.0, 503);
    app.world.is_down.store(false, Ordering::SeqCst);
    app.clock.advance(Duration::from_secs(1800));
    assert_eq!(ask(&app, question).await, code(403, "csrf"), "unused for too long");

    let app = App::new();
    let question = format!("session={SESSION}&csrf_token={}", app.csrf());
    app.world.end_all();
    assert_eq!(ask(&app, question).await, code(403, "csrf"), "ended");
}
