//! Being remembered: a weaker session with limits of its own, a cookie that outlives the browser, and a new session token a day.

use std::time::Duration;

use http::{Method, StatusCode};

use crate::app::{ADA, App, PASSWORD};
use crate::personas::{Answer, ApiClient, Browser, fetch, signed_in, token_of};

const SESSION: &str = "__Host-Http-vestibule";
const DAY: Duration = Duration::from_secs(24 * 3600);

async fn remembered(app: &App) -> (Browser, Answer) {
    let mut browser = Browser::of(app);
    let form = browser.get("/auth/login").await;
    assert!(
        form.body.contains("Stay signed in") && form.body.contains("7 days without a visit, 30 days at most")
    );
    let token = form.input("csrf_token").unwrap();
    let fields = [("csrf_token", &*token), ("identifier", ADA), ("password", PASSWORD), ("remember", "yes")];
    let answer = browser.post("/auth/login", &fields).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    (browser, answer)
}

/// The Max-Age of the session cookie that an answer sets.
fn max_age(answer: &Answer) -> Option<u64> {
    let lines = answer.set_cookies();
    let line = lines.iter().find(|line| line.starts_with(&format!("{SESSION}="))).unwrap();
    Some(line.split_once("; Max-Age=")?.1.parse().unwrap())
}

/// CK-07, K.
#[tokio::test]
async fn its_cookie_lasts_as_long_as_the_session_may_and_others_end_with_the_browser() {
    let app = App::new();
    let (_, answer) = remembered(&app).await;
    assert_eq!(max_age(&answer), Some(30 * 24 * 3600));
    let session = app.world.sessions_held().pop().unwrap();
    assert_eq!((session.kind.name(), session.idle), ("remembered", 7 * DAY));
    let body = format!(r#"{{"identifier":"{ADA}","password":"{PASSWORD}","remember":true}}"#);
    let answer = ApiClient::of(&app).post("/auth/api/v1/login", &body).await;
    assert_eq!(
        (max_age(&answer), &answer.json()["session"]["kind"]),
        (Some(30 * 24 * 3600), &"remembered".into())
    );
    let body = body.replace("true", "false");
    assert_eq!(max_age(&ApiClient::of(&app).post("/auth/api/v1/login", &body).await), None);
    let body = body.replace("false", "true,\"deliver\":\"body\"");
    let answer = ApiClient::of(&app).post("/auth/api/v1/login", &body).await;
    assert_eq!(answer.json()["session"]["kind"], "client", "a program remembers by itself");
    let mut plain = Browser::of(&app);
    assert_eq!(max_age(&plain.sign_in(ADA, PASSWORD).await), None);
}

#[tokio::test]
async fn a_wish_that_was_typed_beside_a_wrong_password_is_kept() {
    let app = App::new();
    let mut browser = Browser::of(&app);
    let token = token_of(&mut browser, "/auth/login").await;
    for (wish, is_kept) in [("yes", true), ("no", false), ("", false)] {
        let fields =
            [("csrf_token", &*token), ("identifier", ADA), ("password", "wrong"), ("remember", wish)];
        let page = browser.post("/auth/login", &fields).await;
        assert_eq!(page.status, StatusCode::UNAUTHORIZED);
        assert_eq!(page.body.contains("checked"), is_kept, "{wish}");
    }
}

#[tokio::test]
async fn once_a_day_a_page_brings_a_new_session_token_and_the_old_one_is_dead() {
    let app = App::new();
    let (mut browser, _) = remembered(&app).await;
    let first = browser.jar[SESSION].clone();
    app.world.advance(DAY - Duration::from_secs(1));
    assert_eq!(browser.get("/auth/login?return_to=/orders").await.status, StatusCode::OK);
    assert_eq!(browser.jar[SESSION], first);
    app.world.advance(Duration::from_secs(1));
    let session = app.world.sessions_held().pop().unwrap();
    let answer = browser.get("/auth/login?return_to=/orders").await;
    assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, "/orders"));
    assert_eq!(max_age(&answer), Some(29 * 24 * 3600), "what is left");
    let second = browser.jar[SESSION].clone();
    assert_ne!(second, first);
    let renewed = app.world.sessions_held().pop().unwrap();
    assert_eq!(
        (renewed.id, renewed.proven_at),
        (session.id, session.proven_at),
        "the same, no better proven"
    );
    let mut thief = Browser::of(&app);
    thief.jar.insert(SESSION.to_owned(), first);
    assert_eq!(thief.get("/auth/account").await.header("location"), "/auth/login?return_to=/auth/account");

    app.world.advance(DAY);
    let answer = browser.get("/auth/account").await;
    assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, "/auth/account"));
    assert_ne!(browser.jar[SESSION], second);
    assert_eq!(browser.get("/auth/account").await.status, StatusCode::OK);
}

/// SS-10: remembered is not proven. What changes the account asks for the password, and a password given is not remembered as more.
#[tokio::test]
async fn it_ends_no_sessions_without_a_fresh_password_and_never_rises() {
    let app = App::new();
    signed_in(&app, ADA, PASSWORD).await;
    let (mut browser, _) = remembered(&app).await;
    app.world.advance(Duration::from_secs(601));
    let token = token_of(&mut browser, "/auth/account").await;
    let path = "/auth/api/v1/sessions";
    let refused = fetch(&mut browser, Method::DELETE, path, Some(&token), None).await;
    assert_eq!(refused.code(), "insufficient_user_authentication");
    let body = format!(r#"{{"password":"{PASSWORD}"}}"#);
    let confirmed =
        fetch(&mut browser, Method::POST, "/auth/api/v1/confirm", Some(&token), Some(&body)).await;
    assert_eq!(max_age(&confirmed), Some(30 * 24 * 3600));
    let session = &confirmed.json()["session"];
    assert_eq!((&session["kind"], &session["acr"]), (&"remembered".into(), &"aal1".into()));
    let token = confirmed.json()["csrf_token"].as_str().unwrap().to_owned();
    let done = fetch(&mut browser, Method::DELETE, path, Some(&token), None).await;
    assert_eq!(done.status, StatusCode::NO_CONTENT);
    let held = app.world.sessions_held();
    assert_eq!(held.len(), 1);
    assert_eq!(held[0].assurance, vestibule_core::principal::Assurance::Aal1);
}
