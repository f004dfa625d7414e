//! Signing out by the page.

use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use axum::body::Body;
use http::{Method, StatusCode};

use crate::app::{ADA, App, PASSWORD};
use crate::personas::{Browser, fetch, with_form};

const SESSION: &str = "__Host-Http-vestibule";

/// HD-03: where the operator wants it, what pages stored goes, too; never other hosts' cookies, and never the cache, which takes seconds.
#[tokio::test]
async fn storage_is_emptied_where_the_operator_wants_that() {
    let app = App::that_clears_storage();
    let mut browser = Browser::of(&app);
    browser.sign_in(ADA, PASSWORD).await;
    let token = browser.get("/auth/logout").await.input("csrf_token").unwrap();
    let answer = browser.post("/auth/logout", &[("csrf_token", &token)]).await;
    assert_eq!(answer.header("clear-site-data"), "\"storage\"");
    browser.sign_in(ADA, PASSWORD).await;
    let token = fetch(&mut browser, Method::GET, "/auth/api/v1/csrf", None, None).await.json();
    let token = token["csrf_token"].as_str().unwrap();
    let answer = fetch(&mut browser, Method::POST, "/auth/api/v1/logout", Some(token), None).await;
    assert_eq!(answer.header("clear-site-data"), "\"storage\"");
}

/// SS-06: on the server first; the cookie is only cosmetics.
#[tokio::test]
async fn the_session_ends_on_the_server_and_the_browser_forgets() {
    let app = App::new();
    let mut browser = Browser::of(&app);
    browser.sign_in(ADA, PASSWORD).await;
    let cookie = browser.jar[SESSION].clone();
    let asked = browser.get("/auth/logout?return_to=/orders").await;
    assert_eq!(asked.status, StatusCode::OK);
    assert!(asked.body.contains("Sign out?") && asked.body.contains(ADA));
    assert_eq!(app.world.sessions_held().len(), 1, "asking is not doing");
    let token = asked.input("csrf_token").unwrap();
    let return_to = asked.input("return_to").unwrap();
    let answer = browser.post("/auth/logout", &[("csrf_token", &token), ("return_to", &return_to)]).await;
    assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, "/orders"));
    assert!(!answer.headers.contains_key("clear-site-data"), "the storage is the application's");
    assert!(!browser.jar.contains_key(SESSION));
    assert!(app.world.sessions_held().is_empty());

    let mut thief = Browser::of(&app);
    thief.jar.insert(SESSION.to_owned(), cookie);
    let refused = thief.get("/auth/account").await;
    assert_eq!(refused.header("location"), "/auth/login?return_to=/auth/account");
}

/// SS-03, SS-06: another tab, or whoever has a copy of the cookie, may have the session token replaced in the very moment in which its
/// holder signs out or signs in anew. The session ends all the same: it is the session that is ended, not the token.
#[tokio::test]
async fn a_token_that_is_replaced_meanwhile_saves_no_session() {
    let app = App::new();
    let mut browser = Browser::of(&app);
    browser.sign_in(ADA, PASSWORD).await;
    let token = browser.get("/auth/logout").await.input("csrf_token").unwrap();
    app.world.is_outrun.store(true, SeqCst);
    let answer = browser.post("/auth/logout", &[("csrf_token", &token)]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert!(app.world.sessions_held().is_empty(), "signed out is signed out");

    app.world.is_outrun.store(false, SeqCst);
    browser.sign_in(ADA, PASSWORD).await;
    let first = app.world.sessions_held()[0].id;
    app.world.is_outrun.store(true, SeqCst);
    let bob = format!(r#"{{"identifier":"bob@example.com","password":"{PASSWORD}"}}"#);
    let answer = fetch(&mut browser, Method::POST, "/auth/api/v1/login", None, Some(&bob)).await;
    assert_eq!(answer.status, StatusCode::OK);
    let held: Vec<_> = app.world.sessions_held().into_iter().map(|session| session.id).collect();
    assert!(held.len() == 1 && held[0] != first, "{held:?}");
}

#[tokio::test]
async fn signing_out_twice_or_without_a_session_is_no_error() {
    let app = App::new();
    let mut browser = Browser::of(&app);
    browser.sign_in(ADA, PASSWORD).await;
    let token = browser.get("/auth/logout").await.input("csrf_token").unwrap();
    let cookie = browser.jar[SESSION].clone();
    for _ in 0..2 {
        browser.jar.insert(SESSION.to_owned(), cookie.clone());
        let answer = browser.post("/auth/logout", &[("csrf_token", &token)]).await;
        assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, "/auth/logout"));
        assert!(!browser.jar.contains_key(SESSION));
    }
    assert!(
        browser.get("/auth/logout?return_to=/orders").await.body.contains("/auth/login?return_to=/orders")
    );
    assert_eq!(Browser::of(&app).post("/auth/logout", &[]).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn another_site_signs_nobody_out() {
    let app = App::new();
    let mut browser = Browser::of(&app);
    browser.sign_in(ADA, PASSWORD).await;
    let token = browser.get("/auth/logout").await.input("csrf_token").unwrap();
    for (name, value) in
        [("sec-fetch-site", "cross-site"), ("origin", "https://evil.test"), ("origin", "null")]
    {
        let request = browser.request(Method::POST, "/auth/logout").header(name, value);
        let answer = browser.take(with_form(request, &[("csrf_token", &token)])).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
    }
    // From our origin, but without this session's token: asked again, still signed in.
    let foreign = {
        let mut other = Browser::of(&app);
        other.sign_in("bob@example.com", PASSWORD).await;
        other.get("/auth/logout").await.input("csrf_token").unwrap()
    };
    let of_the_form = Browser::of(&app).get("/auth/login").await.input("csrf_token").unwrap();
    for bad in ["", "x", &*foreign, &*of_the_form] {
        let answer = browser.post("/auth/logout", &[("csrf_token", bad)]).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        assert!(answer.body.contains("still signed in"));
    }
    app.world.advance(Duration::from_secs(60));
    let in_query = format!("/auth/logout?csrf_token={token}");
    assert_eq!(browser.post(&in_query, &[]).await.status, StatusCode::FORBIDDEN);
    assert_eq!(browser.get("/auth/logout").await.status, StatusCode::OK, "GET never signs out");
    assert_eq!(app.world.sessions_held().len(), 2);
    assert!(browser.jar.contains_key(SESSION));
}

/// SameSite keeps the session cookie from what another site posts: such a request looks like a stranger's, and must not be
/// answered with what makes the browser forget its session.
#[tokio::test]
async fn another_site_makes_no_browser_forget() {
    let app = App::new();
    for path in ["/auth/logout", "/auth/api/v1/logout"] {
        for (name, value) in [("sec-fetch-site", "cross-site"), ("origin", "https://evil.test")] {
            let request = Browser::of(&app).request(Method::POST, path).header(name, value);
            let request = match path {
                "/auth/logout" => with_form(request, &[]),
                _ => request.body(Body::empty()).unwrap(),
            };
            let answer = Browser::of(&app).take(request).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path} {name}");
            assert!(answer.set_cookies().is_empty() && !answer.headers.contains_key("clear-site-data"));
        }
    }
}

#[tokio::test]
async fn what_could_not_be_ended_is_not_called_ended() {
    let app = App::new();
    let mut browser = Browser::of(&app);
    browser.sign_in(ADA, PASSWORD).await;
    let token = browser.get("/auth/logout").await.input("csrf_token").unwrap();
    app.world.is_down.store(true, SeqCst);
    let answer = browser.post("/auth/logout", &[("csrf_token", &token)]).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(browser.jar.contains_key(SESSION), "the browser may try again");
    app.world.is_down.store(false, SeqCst);
    assert_eq!(browser.post("/auth/logout", &[("csrf_token", &token)]).await.status, StatusCode::SEE_OTHER);
    assert!(app.world.sessions_held().is_empty());
}
