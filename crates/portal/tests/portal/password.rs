//! Changing one's password, by the page and by the API.

use std::sync::atomic::Ordering::SeqCst;

use http::{Method, StatusCode};
use vestibule_core::throttle::FREE_ATTEMPTS;

use crate::app::{ADA, App, PASSWORD};
use crate::personas::{Answer, ApiClient, Browser, fetch, signed_in, token_of};

const PATH: &str = "/auth/account/password";
const API: &str = "/auth/api/v1/password";
const NEW: &str = "nine umbrellas argue quietly";
const SESSION: &str = "__Host-Http-vestibule";
const MARK: &str = "__Host-Http-vestibule_device";

async fn change(browser: &mut Browser, current: &str, new: &str, repeated: &str) -> Answer {
    let token = token_of(browser, PATH).await;
    let fields = [
        ("csrf_token", &*token),
        ("current_password", current),
        ("new_password", new),
        ("repeated_password", repeated),
    ];
    browser.post(PATH, &fields).await
}

/// SS-07: the new one is in force, every other session is dead, and this one has a new session token.
#[tokio::test]
async fn a_changed_password_leaves_one_session_under_a_new_token() {
    let app = App::new();
    let mut other = signed_in(&app, ADA, PASSWORD).await;
    let mut bob = signed_in(&app, "bob@example.com", PASSWORD).await;
    let mut browser = signed_in(&app, ADA, PASSWORD).await;
    let old = browser.jar[SESSION].clone();
    let answer = change(&mut browser, PASSWORD, NEW, NEW).await;
    let location = "/auth/account?done=password-changed";
    assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, location));
    assert!(browser.get(location).await.body.contains("Your password is changed."));
    assert_ne!(browser.jar[SESSION], old);
    let mut thief = Browser::of(&app);
    thief.jar.insert(SESSION.to_owned(), old);
    for dead in [&mut other, &mut thief] {
        assert_eq!(dead.get("/auth/account").await.status, StatusCode::SEE_OTHER);
    }
    assert_eq!(bob.get("/auth/account").await.status, StatusCode::OK, "nobody else's is touched");
    assert_eq!(Browser::of(&app).sign_in(ADA, PASSWORD).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(Browser::of(&app).sign_in(ADA, NEW).await.status, StatusCode::SEE_OTHER);
}

/// AU-05: the device on which the password was changed stays known, by the page and by the API; a copy of its mark from before does not.
#[tokio::test]
async fn who_changes_the_password_stays_known_and_marks_of_before_do_not() {
    let app = App::new();
    let mut browser = signed_in(&app, ADA, PASSWORD).await;
    let mut copy = Browser::of(&app);
    copy.jar.insert(MARK.to_owned(), browser.jar[MARK].clone());
    assert_eq!(change(&mut browser, PASSWORD, NEW, NEW).await.status, StatusCode::SEE_OTHER);
    for _ in 0..=FREE_ATTEMPTS {
        Browser::of(&app).sign_in(ADA, "not the password").await;
    }
    browser.jar.remove(SESSION);
    assert_eq!(copy.sign_in(ADA, NEW).await.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(browser.sign_in(ADA, NEW).await.status, StatusCode::SEE_OTHER);

    let before = browser.jar[MARK].clone();
    let body = format!(r#"{{"current_password":"{NEW}","new_password":"{PASSWORD}"}}"#);
    let token = token_of(&mut browser, PATH).await;
    let answer = fetch(&mut browser, Method::PUT, API, Some(&token), Some(&body)).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_ne!(browser.jar[MARK], before);
    browser.jar.remove(SESSION);
    assert_eq!(browser.sign_in(ADA, PASSWORD).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn each_refusal_names_its_field_and_changes_nothing() {
    let app = App::new();
    let mut browser = signed_in(&app, ADA, PASSWORD).await;
    let long = "a long way round ".repeat(20);
    let cases = [
        ("wrong", NEW, NEW, 403, "current_password", "The current password is not right"),
        ("", NEW, NEW, 403, "current_password", "The current password is not right"),
        (PASSWORD, "too short", "too short", 422, "new_password", "Use 15 characters or more"),
        (PASSWORD, "", "", 422, "new_password", "Use 15 characters or more"),
        (PASSWORD, &long, &long, 422, "new_password", "256 characters at most"),
        (PASSWORD, "passwordpassword1", "passwordpassword1", 422, "new_password", "others would try first"),
        (PASSWORD, "ada@example.com!!!", "ada@example.com!!!", 422, "new_password", "your own name"),
        (PASSWORD, NEW, "nine umbrellas", 422, "repeated_password", "two different ones"),
    ];
    for (current, new, repeated, status, field, says) in cases {
        let answer = change(&mut browser, current, new, repeated).await;
        assert_eq!(answer.status.as_u16(), status, "{new}");
        assert!(answer.body.contains(says), "{new}: {}", answer.body);
        let from = answer.body.find(&format!("name=\"{field}\"")).unwrap();
        let tag = &answer.body[from..from + answer.body[from..].find('>').unwrap()];
        assert!(tag.contains("aria-invalid=\"true\"") && tag.contains("alert"), "{tag}");
        assert_eq!(answer.body.matches("aria-invalid").count(), 1, "{new}");
        for typed in [current, new, repeated].into_iter().filter(|typed| typed.len() > 5) {
            assert!(typed == ADA || !answer.body.contains(&format!("value=\"{typed}")), "not sent back");
        }
    }
    assert_eq!(Browser::of(&app).sign_in(ADA, PASSWORD).await.status, StatusCode::SEE_OTHER);
}

/// AU-05: a stolen session is no way around the throttle, and a bad choice is no attempt.
#[tokio::test]
async fn guesses_at_the_current_password_are_counted_as_logins_are() {
    let app = App::new();
    let mut browser = signed_in(&app, ADA, PASSWORD).await;
    let before = app.world.hashed.load(SeqCst);
    for _ in 0..10 {
        assert_eq!(change(&mut browser, "wrong", "too short", "too short").await.status.as_u16(), 422);
    }
    assert_eq!(app.world.hashed.load(SeqCst), before, "nothing was looked at");
    for _ in 0..5 {
        assert_eq!(change(&mut browser, "wrong", NEW, NEW).await.status, StatusCode::FORBIDDEN);
    }
    let answer = change(&mut browser, PASSWORD, NEW, NEW).await;
    assert_eq!((answer.status, answer.header("retry-after")), (StatusCode::TOO_MANY_REQUESTS, "1"));
    assert_eq!(app.world.hashed.load(SeqCst), before + 5);
    let confirm = token_of(&mut browser, "/auth/confirm").await;
    let answer = browser.post("/auth/confirm", &[("csrf_token", &confirm), ("password", PASSWORD)]).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS, "the other door counts the same");
}

#[tokio::test]
async fn nothing_changes_without_a_proven_page_of_ours() {
    let app = App::new();
    let mut browser = signed_in(&app, ADA, PASSWORD).await;
    let mut bob = signed_in(&app, "bob@example.com", PASSWORD).await;
    let bobs = token_of(&mut bob, PATH).await;
    for (path, extra) in [(PATH, "current_password"), ("/auth/confirm", "password")] {
        for token in ["", "x", &bobs] {
            let fields =
                [("csrf_token", token), (extra, PASSWORD), ("new_password", NEW), ("repeated_password", NEW)];
            let answer = browser.post(path, &fields).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}");
            assert!(answer.body.contains("open too long"));
        }
        let stranger = Browser::of(&app).post(path, &[("csrf_token", "x")]).await;
        assert_eq!(stranger.header("location"), format!("/auth/login?return_to={path}&done=not-sent"));
    }
    let body = format!(r#"{{"current_password":"{PASSWORD}","new_password":"{NEW}"}}"#);
    for token in [None, Some(&*bobs)] {
        let answer = fetch(&mut browser, Method::PUT, API, token, Some(&body)).await;
        assert_eq!((answer.status, &*answer.code()), (StatusCode::FORBIDDEN, "csrf"));
    }
    let stranger = ApiClient::of(&app).put(API, &body).await;
    assert_eq!((stranger.status, &*stranger.code()), (StatusCode::UNAUTHORIZED, "no-credential"));
    assert_eq!(Browser::of(&app).sign_in(ADA, PASSWORD).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn over_the_api_each_refusal_has_a_code_and_success_a_new_session_token() {
    let app = App::new();
    let mut browser = signed_in(&app, ADA, PASSWORD).await;
    let old = browser.jar[SESSION].clone();
    let token = token_of(&mut browser, "/auth/account").await;
    let body =
        |current: &str, new: &str| format!(r#"{{"current_password":"{current}","new_password":"{new}"}}"#);
    for (current, new, status, code) in [
        ("wrong", NEW, 403, "current-password-refused"),
        (PASSWORD, "short", 422, "password-too-short"),
        (PASSWORD, &"x1y2z3 ".repeat(50), 422, "password-too-long"),
        (PASSWORD, "passwordpassword1", 422, "password-common"),
        (PASSWORD, "ada@example.com!!!", 422, "password-contextual"),
    ] {
        let answer = fetch(&mut browser, Method::PUT, API, Some(&token), Some(&body(current, new))).await;
        assert_eq!((answer.status.as_u16(), &*answer.code()), (status, code));
    }
    for malformed in
        ["{}", "[]", r#"{"current_password":"a","new_password":"b","x":1}"#, r#"{"new_password":"b"}"#]
    {
        let answer = fetch(&mut browser, Method::PUT, API, Some(&token), Some(malformed)).await;
        assert_eq!((answer.status, &*answer.code()), (StatusCode::BAD_REQUEST, "malformed"), "{malformed}");
    }
    let answer = fetch(&mut browser, Method::PUT, API, Some(&token), Some(&body(PASSWORD, NEW))).await;
    assert_eq!(answer.status, StatusCode::OK);
    let json = answer.json();
    assert!(json["csrf_token"].is_string() && json.get("session_token").is_none(), "{json}");
    assert_ne!(browser.jar[SESSION], old);
    assert_eq!(browser.get("/auth/account").await.status, StatusCode::OK);
}

#[tokio::test]
async fn password_managers_find_the_way() {
    let app = App::new();
    let answer = Browser::of(&app).get("/.well-known/change-password").await;
    assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, PATH));
    let answer = Browser::of(&app).get(PATH).await;
    assert_eq!(answer.header("location"), "/auth/login?return_to=/auth/account/password");
}

#[tokio::test]
async fn a_store_that_is_down_changes_nothing_and_signs_nobody_out() {
    let app = App::new();
    let mut browser = signed_in(&app, ADA, PASSWORD).await;
    let token = token_of(&mut browser, PATH).await;
    app.world.is_down.store(true, SeqCst);
    let fields = [
        ("csrf_token", &*token),
        ("current_password", PASSWORD),
        ("new_password", NEW),
        ("repeated_password", NEW),
    ];
    let answer = browser.post(PATH, &fields).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.set_cookies().is_empty());
    app.world.is_down.store(false, SeqCst);
    assert_eq!(browser.get("/auth/account").await.status, StatusCode::OK);
    assert_eq!(Browser::of(&app).sign_in(ADA, PASSWORD).await.status, StatusCode::SEE_OTHER);
}
