//! Tokens that a browser holds: they come and go as cookies, and whatever the browser sends by itself needs a CSRF token.

use std::time::Duration;

use axum::body::Body;
use http::{Method, StatusCode, header};
use serde_json::json;

use crate::app::{ACCESS, ADA, App, PASSWORD};
use crate::personas::{Answer, Browser, request, send, signed_in};

const LOGIN: &str = "/auth/api/v1/login";
const REFRESH: &str = "/auth/api/v1/refresh";
const ACCESS_COOKIE: &str = "__Host-Http-vestibule_access";
const REFRESH_COOKIE: &str = "__Host-Http-vestibule_refresh";

async fn sign_in(browser: &mut Browser, mode: &str) -> Answer {
    let body = json!({"identifier": ADA, "password": PASSWORD, "mode": mode, "deliver": "cookie"});
    call(browser, Method::POST, LOGIN, None, &body.to_string()).await
}

async fn call(
    browser: &mut Browser,
    method: Method,
    path: &str,
    csrf_token: Option<&str>,
    body: &str,
) -> Answer {
    let mut asked = browser.request(method, path).header("sec-fetch-site", "same-origin");
    if let Some(token) = csrf_token {
        asked = asked.header("x-csrf-token", token);
    }
    if !body.is_empty() {
        asked = asked.header(header::CONTENT_TYPE, "application/json");
    }
    browser.take(asked.body(Body::from(body.to_owned())).unwrap()).await
}

async fn look(browser: &mut Browser, path: &str) -> Answer {
    call(browser, Method::GET, path, None, "").await
}

fn csrf_token(answer: &Answer) -> String {
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    answer.json()["csrf_token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_browser_gets_both_as_cookies_and_its_scripts_neither() {
    let app = App::whose_browsers_may_hold_tokens();
    let mut browser = Browser::of(&app);
    let answer = sign_in(&mut browser, "token").await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    let json = answer.json();
    let mut members: Vec<_> = json.as_object().unwrap().keys().collect();
    members.sort();
    assert_eq!(members, ["csrf_token", "expires_in", "session"]);
    assert_eq!((&json["session"]["kind"], &json["expires_in"]), (&json!("tokens"), &json!(600)));
    let cookies = answer.set_cookies();
    for (name, attributes) in [
        (ACCESS_COOKIE, "; Path=/; Secure; HttpOnly; SameSite=Lax"),
        (REFRESH_COOKIE, "; Path=/; Secure; HttpOnly; SameSite=Strict"),
    ] {
        let value = &browser.jar[name];
        assert!(cookies.contains(&&*format!("{name}={value}{attributes}")), "{cookies:?}");
        assert!(!answer.body.contains(value));
    }
    let me = look(&mut browser, "/auth/api/v1/session").await;
    assert_eq!((me.status, &me.json()["account"]["identifier"]), (StatusCode::OK, &json!(ADA)));
}

/// CS-02: what the browser sends by itself is not the page's word.
#[tokio::test]
async fn whatever_changes_something_needs_a_csrf_token() {
    let app = App::whose_browsers_may_hold_tokens();
    let mut browser = Browser::of(&app);
    let token = csrf_token(&sign_in(&mut browser, "token").await);
    let before = browser.jar.clone();
    for (method, path) in [
        (Method::POST, REFRESH),
        (Method::POST, "/auth/api/v1/logout"),
        (Method::DELETE, "/auth/api/v1/sessions"),
    ] {
        for wrong in [None, Some("x"), Some(&*format!("{token}x"))] {
            let refused = call(&mut browser, method.clone(), path, wrong, "").await;
            assert_eq!((refused.status, &*refused.code()), (StatusCode::FORBIDDEN, "csrf"), "{path}");
        }
        let foreign = browser.request(method.clone(), path).header("sec-fetch-site", "same-site");
        let foreign = foreign.header("x-csrf-token", &token).body(Body::empty()).unwrap();
        let refused = browser.take(foreign).await;
        assert_eq!((refused.status, &*refused.code()), (StatusCode::FORBIDDEN, "csrf"), "{path}");
    }
    assert_eq!((&browser.jar, app.world.sessions_held().len()), (&before, 1), "and nothing has happened");

    // As a header the same token is the program's own word.
    let asked = request(Method::DELETE, "/auth/api/v1/sessions")
        .header(header::AUTHORIZATION, format!("Bearer {}", before[ACCESS_COOKIE]));
    let answer = send(&app.router, asked.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.body);
}

#[tokio::test]
async fn a_page_goes_on_when_the_access_token_has_run_out_and_after_signing_out_nothing_does() {
    let app = App::whose_browsers_may_hold_tokens();
    let mut browser = Browser::of(&app);
    sign_in(&mut browser, "token").await;
    let first = browser.jar.clone();
    app.world.advance(ACCESS + Duration::from_secs(31));
    assert_eq!(look(&mut browser, "/auth/api/v1/session").await.status, StatusCode::UNAUTHORIZED);
    // The browser has dropped it by now. A page that is loaded anew has no CSRF token either.
    browser.jar.remove(ACCESS_COOKIE);
    let token = csrf_token(&look(&mut browser, "/auth/api/v1/csrf").await);
    let refreshed = call(&mut browser, Method::POST, REFRESH, Some(&token), "").await;
    let token = csrf_token(&refreshed);
    assert!(browser.jar[REFRESH_COOKIE] != first[REFRESH_COOKIE]);
    assert!(browser.jar[ACCESS_COOKIE] != first[ACCESS_COOKIE]);
    assert_eq!(look(&mut browser, "/auth/api/v1/session").await.status, StatusCode::OK);

    let second = browser.jar.clone();
    let left = call(&mut browser, Method::POST, "/auth/api/v1/logout", Some(&token), "").await;
    assert_eq!(left.status, StatusCode::NO_CONTENT, "{}", left.body);
    assert!(!browser.jar.contains_key(ACCESS_COOKIE) && !browser.jar.contains_key(REFRESH_COOKIE));
    assert!(app.world.sessions_held().is_empty());
    for kept in [first, second] {
        browser.jar = kept;
        assert_eq!(look(&mut browser, "/auth/api/v1/session").await.status, StatusCode::UNAUTHORIZED);
        assert_eq!(look(&mut browser, "/auth/api/v1/csrf").await.status, StatusCode::UNAUTHORIZED);
        let refused = call(&mut browser, Method::POST, REFRESH, Some(&token), "").await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "{}", refused.body);
        assert!(!browser.jar.contains_key(REFRESH_COOKIE), "and it is told to forget");
    }
}

/// SS-06: ended is the session, not only what the browser remembers of it, also when the refresh token is all that it still has.
#[tokio::test]
async fn signing_out_ends_the_session_when_the_refresh_token_alone_is_left() {
    for by_page in [false, true] {
        let app = App::whose_browsers_may_hold_tokens();
        let mut browser = Browser::of(&app);
        sign_in(&mut browser, "token").await;
        let kept = browser.jar.clone();
        app.world.advance(ACCESS + Duration::from_secs(31));
        browser.jar.remove(ACCESS_COOKIE);
        // Another site's page, or none of ours, ends nothing, and nothing is forgotten.
        let forged = call(&mut browser, Method::POST, "/auth/api/v1/logout", None, "").await;
        assert_eq!((forged.status, browser.jar.contains_key(REFRESH_COOKIE)), (StatusCode::FORBIDDEN, true));
        let forged = browser.post("/auth/logout", &[]).await;
        assert_eq!((forged.status, browser.jar.contains_key(REFRESH_COOKIE)), (StatusCode::FORBIDDEN, true));
        assert_eq!(app.world.sessions_held().len(), 1);

        if by_page {
            let token =
                browser.get("/auth/logout").await.input("csrf_token").expect("something to sign out of");
            let left = browser.post("/auth/logout", &[("csrf_token", &token)]).await;
            assert_eq!(left.status, StatusCode::SEE_OTHER, "{}", left.body);
        } else {
            let token = csrf_token(&look(&mut browser, "/auth/api/v1/csrf").await);
            let left = call(&mut browser, Method::POST, "/auth/api/v1/logout", Some(&token), "").await;
            assert_eq!(left.status, StatusCode::NO_CONTENT, "{}", left.body);
        }
        assert!(app.world.sessions_held().is_empty());
        assert!(!browser.jar.contains_key(REFRESH_COOKIE));
        browser.jar = kept;
        let refused = call(&mut browser, Method::POST, REFRESH, None, "").await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    }
}

/// Two tabs that signed in each its own way: signing out ends both, by the CSRF token of either.
#[tokio::test]
async fn signing_out_ends_all_that_a_browser_came_to_hold() {
    for which in ["session", "tokens"] {
        let app = App::whose_browsers_may_hold_tokens();
        let mut tokens = Browser::of(&app);
        let of_tokens = csrf_token(&sign_in(&mut tokens, "token").await);
        let mut browser = signed_in(&app, ADA, PASSWORD).await;
        let of_session = csrf_token(&look(&mut browser, "/auth/api/v1/csrf").await);
        browser.jar.extend(tokens.jar.clone());
        let token = if which == "session" { of_session } else { of_tokens };
        let left = call(&mut browser, Method::POST, "/auth/api/v1/logout", Some(&token), "").await;
        assert_eq!(left.status, StatusCode::NO_CONTENT, "{which}: {}", left.body);
        assert!(app.world.sessions_held().is_empty(), "{which}");
        assert!(
            [ACCESS_COOKIE, REFRESH_COOKIE, "__Host-Http-vestibule"]
                .iter()
                .all(|name| !browser.jar.contains_key(*name))
        );
    }
}

/// What a page asks to be able to refresh is no use of the session: a used-up token would keep it alive, and nobody would notice.
#[tokio::test]
async fn a_used_up_refresh_cookie_keeps_no_session_alive() {
    let app = App::whose_browsers_may_hold_tokens();
    let mut browser = Browser::of(&app);
    let token = csrf_token(&sign_in(&mut browser, "token").await);
    let mut thief = Browser::of(&app);
    thief.jar = browser.jar.clone();
    thief.jar.remove(ACCESS_COOKIE);
    csrf_token(&call(&mut browser, Method::POST, REFRESH, Some(&token), "").await);
    let idle = Duration::from_secs(14 * 24 * 3600);
    app.world.advance(idle / 2);
    assert_eq!(look(&mut thief, "/auth/api/v1/csrf").await.status, StatusCode::OK);
    app.world.advance(idle / 2);
    assert_eq!(look(&mut browser, "/auth/api/v1/csrf").await.status, StatusCode::UNAUTHORIZED);
}

/// A browser keeps what it was given before the operator changed their mind: it is told to forget it when it next signs in or out.
#[tokio::test]
async fn where_browsers_are_given_none_any_more_they_are_told_to_forget_theirs() {
    let app = App::new();
    let mut browser = signed_in(&app, ADA, PASSWORD).await;
    let unsaid = browser.get("/auth/account").await;
    assert!(unsaid.set_cookies().is_empty());
    let mut held = browser.jar.clone();
    held.insert(ACCESS_COOKIE.to_owned(), "a.b.c".to_owned());
    held.insert(REFRESH_COOKIE.to_owned(), "vrt_x".to_owned());
    browser.jar = held.clone();
    assert_eq!(
        look(&mut browser, "/auth/api/v1/session").await.status,
        StatusCode::OK,
        "they are nobody's here"
    );
    browser.get("/auth/login").await;
    assert!(!browser.jar.contains_key(ACCESS_COOKIE) && !browser.jar.contains_key(REFRESH_COOKIE));
    browser.jar = held;
    let token = csrf_token(&look(&mut browser, "/auth/api/v1/csrf").await);
    let left = call(&mut browser, Method::POST, "/auth/api/v1/logout", Some(&token), "").await;
    assert_eq!(left.status, StatusCode::NO_CONTENT);
    assert!(!browser.jar.contains_key(ACCESS_COOKIE) && !browser.jar.contains_key(REFRESH_COOKIE));

    // Their session ends as well, although nobody can use it in a browser any more.
    let body = json!({"identifier": ADA, "password": PASSWORD, "mode": "token"});
    let asked = request(Method::POST, "/auth/api/v1/login").header(header::CONTENT_TYPE, "application/json");
    let held = send(&app.router, asked.body(Body::from(body.to_string())).unwrap()).await.json();
    let mut browser = signed_in(&app, ADA, PASSWORD).await;
    browser.jar.insert(REFRESH_COOKIE.to_owned(), held["refresh_token"].as_str().unwrap().to_owned());
    assert_eq!(app.world.sessions_held().len(), 2);
    let token = csrf_token(&look(&mut browser, "/auth/api/v1/csrf").await);
    call(&mut browser, Method::POST, "/auth/api/v1/logout", Some(&token), "").await;
    assert!(app.world.sessions_held().is_empty());
}

/// However a browser came to hold two: signing in anew replaces one and ends the other, which it cannot reach any more.
#[tokio::test]
async fn signing_in_ends_all_that_a_browser_came_to_hold() {
    for mode in ["session", "token"] {
        let app = App::whose_browsers_may_hold_tokens();
        let mut tokens = Browser::of(&app);
        sign_in(&mut tokens, "token").await;
        let mut browser = signed_in(&app, ADA, PASSWORD).await;
        browser.jar.extend(tokens.jar);
        assert_eq!(app.world.sessions_held().len(), 2);
        assert_eq!(sign_in(&mut browser, mode).await.status, StatusCode::OK);
        assert_eq!(app.world.sessions_held().len(), 1, "{mode}");
        assert_eq!(look(&mut browser, "/auth/api/v1/session").await.status, StatusCode::OK);
    }
}

/// CK-04: who cannot be named is not told that they are signed out.
#[tokio::test]
async fn signing_out_with_cookies_that_contradict_each_other_is_no_success() {
    let app = App::whose_browsers_may_hold_tokens();
    let browser = signed_in(&app, ADA, PASSWORD).await;
    let value = &browser.jar["__Host-Http-vestibule"];
    for path in ["/auth/api/v1/logout", "/auth/logout"] {
        let asked = request(Method::POST, path)
            .header(header::COOKIE, format!("__Host-Http-vestibule={value}; __host-http-vestibule=x"))
            .header(
                header::CONTENT_TYPE,
                if path.contains("api") { "application/json" } else { "application/x-www-form-urlencoded" },
            )
            .header("sec-fetch-site", "same-origin");
        let body = if path.contains("api") { "{}" } else { "" };
        let answer = send(&app.router, asked.body(Body::from(body)).unwrap()).await;
        // A program is refused; a person is shown the page with the way out.
        let refused = if path.contains("api") { StatusCode::UNAUTHORIZED } else { StatusCode::FORBIDDEN };
        assert_eq!(answer.status, refused, "{path}: {}", answer.body);
        assert_eq!(answer.body.contains("/auth/cookies/delete"), !path.contains("api"), "{path}");
        assert!(answer.set_cookies().is_empty(), "what is not ended is not taken back");
    }
    assert_eq!(app.world.sessions_held().len(), 1);
}

/// RT-01.
#[tokio::test]
async fn a_stolen_refresh_cookie_ends_the_session_when_either_side_uses_an_old_one() {
    let app = App::whose_browsers_may_hold_tokens();
    let mut browser = Browser::of(&app);
    let token = csrf_token(&sign_in(&mut browser, "token").await);
    let stolen = browser.jar.clone();
    assert_eq!(
        call(&mut browser, Method::POST, REFRESH, Some(&token), "").await.status,
        StatusCode::OK,
        "the owner is first"
    );
    app.world.advance(Duration::from_secs(10));
    let mut thief = Browser::of(&app);
    thief.jar = stolen;
    let refused = call(&mut thief, Method::POST, REFRESH, Some(&token), "").await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "{}", refused.body);
    assert!(app.world.sessions_held().is_empty());
    assert_eq!(look(&mut browser, "/auth/api/v1/session").await.status, StatusCode::UNAUTHORIZED);
}

/// HX-06: with both a session and tokens every request would carry two credentials.
#[tokio::test]
async fn signing_in_the_other_way_takes_the_place_of_what_the_browser_held() {
    let app = App::whose_browsers_may_hold_tokens();
    let mut browser = signed_in(&app, ADA, PASSWORD).await;
    assert_eq!(sign_in(&mut browser, "token").await.status, StatusCode::OK);
    assert!(browser.jar.keys().all(|name| name != "__Host-Http-vestibule"), "{:?}", browser.jar.keys());
    assert_eq!(app.world.sessions_held().len(), 1, "the session before has ended");
    assert_eq!(look(&mut browser, "/auth/api/v1/session").await.status, StatusCode::OK);

    let tokens = browser.jar.clone();
    assert_eq!(sign_in(&mut browser, "session").await.status, StatusCode::OK);
    assert!(!browser.jar.contains_key(ACCESS_COOKIE) && !browser.jar.contains_key(REFRESH_COOKIE));
    assert_eq!(app.world.sessions_held().len(), 1);
    assert_eq!(look(&mut browser, "/auth/api/v1/session").await.status, StatusCode::OK);

    // However both got there: every way of signing in, and the login page alone, leads out of it.
    for way in ["page", "session", "token"] {
        let mut browser = signed_in(&app, ADA, PASSWORD).await;
        browser.jar.extend(tokens.clone());
        let both = look(&mut browser, "/auth/api/v1/session").await;
        assert_eq!((both.status, &*both.code()), (StatusCode::FORBIDDEN, "two-credentials"));
        let answer = match way {
            "page" => browser.get("/auth/login").await,
            mode => sign_in(&mut browser, mode).await,
        };
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(look(&mut browser, "/auth/api/v1/session").await.status, StatusCode::OK, "{way}");
    }
}

#[tokio::test]
async fn a_password_is_given_and_changed_in_a_session_alone() {
    let app = App::whose_browsers_may_hold_tokens();
    let mut browser = Browser::of(&app);
    let token = csrf_token(&sign_in(&mut browser, "token").await);
    let new = json!({"current_password": PASSWORD, "new_password": "another horse battery staple"});
    for (method, path, body) in [
        (Method::PUT, "/auth/api/v1/password", new),
        (Method::PUT, "/auth/api/v1/identifier", json!({"current_password": PASSWORD, "identifier": "n"})),
        (Method::POST, "/auth/api/v1/confirm", json!({"password": PASSWORD})),
    ] {
        let refused = call(&mut browser, method, path, Some(&token), &body.to_string()).await;
        assert_eq!((refused.status, &*refused.code()), (StatusCode::BAD_REQUEST, "session-required"));
    }
    assert_eq!(look(&mut browser, "/auth/api/v1/session").await.status, StatusCode::OK);
}

/// CK-03: what reads like our cookie is never chosen from.
#[tokio::test]
async fn look_alikes_of_both_cookies_open_nothing() {
    let app = App::whose_browsers_may_hold_tokens();
    let mut browser = Browser::of(&app);
    let token = csrf_token(&sign_in(&mut browser, "token").await);
    let (access, refresh) = (browser.jar[ACCESS_COOKIE].clone(), browser.jar[REFRESH_COOKIE].clone());
    for (name, value, method, path) in [
        (ACCESS_COOKIE, &access, Method::GET, "/auth/api/v1/session"),
        (REFRESH_COOKIE, &refresh, Method::POST, REFRESH),
    ] {
        for cookies in [
            format!("{name}={value}; {name}={value}"),
            format!("{name}=x; {name}={value}"),
            format!("{}={value}", name.to_lowercase()),
            format!("  {name}={value}"),
            format!("\u{a0}{name}={value}"),
            format!("{name} ={value}"),
            format!("{name}=\"{value}\""),
            format!("{name}={value}.x"),
            format!("{name}={}", "a".repeat(9000)),
            format!("{name}="),
            name.to_owned(),
        ] {
            let asked = request(method.clone(), path)
                .header(header::COOKIE, &cookies)
                .header("x-csrf-token", &token)
                .header("sec-fetch-site", "same-origin");
            let answer = send(&app.router, asked.body(Body::empty()).unwrap()).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{cookies}: {}", answer.body);
        }
    }
    assert_eq!(app.world.sessions_held().len(), 1);
}

#[tokio::test]
async fn where_browsers_may_hold_none_there_is_no_such_address() {
    let app = App::new();
    let mut browser = Browser::of(&app);
    let refused = sign_in(&mut browser, "token").await;
    assert_eq!((refused.status, &*refused.code()), (StatusCode::BAD_REQUEST, "deliver-unsupported"));
    assert_eq!(
        call(&mut browser, Method::POST, REFRESH, None, "").await.status,
        StatusCode::NOT_FOUND,
        "as if it were not there"
    );
}
