//! Changing what one signs in by, by the page and by the API, where an operator allows it.

use std::sync::atomic::Ordering::SeqCst;

use http::{Method, StatusCode, header};

use crate::app::{ADA, App, PASSWORD};
use crate::personas::{Answer, ApiClient, Browser, fetch, signed_in, token_of, with_form};

const PATH: &str = "/auth/account/identifier";
const API: &str = "/auth/api/v1/identifier";
const BOB: &str = "bob@example.com";
const NEW: &str = "lovelace@example.com";

async fn change(browser: &mut Browser, current: &str, new: &str) -> Answer {
    let token = token_of(browser, PATH).await;
    let fields = [("csrf_token", &*token), ("current_password", current), ("new_identifier", new)];
    browser.post(PATH, &fields).await
}

fn json(current: &str, new: &str) -> String {
    serde_json::json!({ "current_password": current, "identifier": new }).to_string()
}

#[tokio::test]
async fn the_owner_signs_in_by_the_new_one_and_stays_signed_in() {
    let app = App::new();
    let mut other = signed_in(&app, ADA, PASSWORD).await;
    let mut browser = signed_in(&app, ADA, PASSWORD).await;
    let account = browser.get("/auth/account").await.body;
    assert!(account.contains(r#"href="/auth/account/identifier""#), "{account}");
    let answer = change(&mut browser, PASSWORD, " Lovelace@Example.com").await;
    let location = "/auth/account?done=identifier-changed";
    assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, location));
    let page = browser.get(location).await.body;
    assert!(page.contains("Your email or username is changed.") && page.contains(NEW), "{page}");
    assert!(other.get("/auth/account").await.body.contains(NEW), "the other session goes on");
    assert_eq!(Browser::of(&app).sign_in(ADA, PASSWORD).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(Browser::of(&app).sign_in(NEW, PASSWORD).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn each_refusal_names_its_field_and_changes_nothing() {
    let app = App::new();
    let mut browser = signed_in(&app, ADA, PASSWORD).await;
    for (current, new, status, field, says) in [
        ("wrong", NEW, 403, "current_password", "The current password is not right"),
        ("", NEW, 403, "current_password", "The current password is not right"),
        ("wrong", BOB, 403, "current_password", "The current password is not right"),
        (PASSWORD, "Bob@example.com", 409, "new_identifier", "That name is taken"),
        (PASSWORD, "a\u{202e}b", 422, "new_identifier", "name cannot be used"),
        (PASSWORD, "  ", 422, "new_identifier", "name cannot be used"),
        (PASSWORD, &"x".repeat(255), 422, "new_identifier", "name cannot be used"),
    ] {
        let answer = change(&mut browser, current, new).await;
        assert_eq!(answer.status.as_u16(), status, "{new}");
        assert!(answer.body.contains(says), "{new}: {}", answer.body);
        let from = answer.body.find(&format!("name=\"{field}\"")).unwrap();
        let tag = &answer.body[from..from + answer.body[from..].find('>').unwrap()];
        assert!(tag.contains("aria-invalid=\"true\"") && tag.contains("autofocus"), "{tag}");
        for once in ["aria-invalid", "autofocus"] {
            assert_eq!(answer.body.matches(once).count(), 1, "{once} {new}");
        }
        assert_eq!(answer.input("new_identifier").unwrap(), new, "it is not lost");
        assert!(!answer.body.contains(PASSWORD), "not sent back");
    }
    let same = change(&mut browser, PASSWORD, ADA).await;
    assert_eq!((same.status, same.header("location")), (StatusCode::SEE_OTHER, "/auth/account"));
    assert_eq!(app.world.renamed.load(SeqCst), 0);
    assert_eq!(Browser::of(&app).sign_in(ADA, PASSWORD).await.status, StatusCode::SEE_OTHER);
}

/// AU-04, AU-05: passwords and names are tried at the pace of sign-in and registration.
#[tokio::test]
async fn guesses_at_passwords_and_names_have_to_wait() {
    let app = App::new();
    let mut browser = signed_in(&app, ADA, PASSWORD).await;
    for _ in 0..5 {
        assert_eq!(change(&mut browser, PASSWORD, BOB).await.status, StatusCode::CONFLICT);
    }
    let answer = change(&mut browser, PASSWORD, "eve@example.com").await;
    assert_eq!((answer.status, answer.header("retry-after")), (StatusCode::TOO_MANY_REQUESTS, "1"));
    let token = token_of(&mut browser, PATH).await;
    let answer = fetch(&mut browser, Method::PUT, API, Some(&token), Some(&json(PASSWORD, NEW))).await;
    assert_eq!((answer.status.as_u16(), &*answer.code()), (429, "throttled"), "the API counts the same");

    let mut bob = signed_in(&app, BOB, PASSWORD).await;
    let hashed = app.world.hashed.load(SeqCst);
    for _ in 0..5 {
        assert_eq!(change(&mut bob, "wrong", NEW).await.status, StatusCode::FORBIDDEN);
    }
    assert_eq!(change(&mut bob, PASSWORD, NEW).await.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(app.world.hashed.load(SeqCst), hashed + 5);
    let confirm = token_of(&mut bob, "/auth/confirm").await;
    let answer = bob.post("/auth/confirm", &[("csrf_token", &confirm), ("password", PASSWORD)]).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS, "the other form counts the same");
}

/// CS-01, CS-02: no other site, no other session's token, no request without a session.
#[tokio::test]
async fn nothing_changes_without_a_proven_page_of_ours() {
    let app = App::new();
    let mut browser = signed_in(&app, ADA, PASSWORD).await;
    let mut bob = signed_in(&app, BOB, PASSWORD).await;
    let (own, bobs) = (token_of(&mut browser, PATH).await, token_of(&mut bob, PATH).await);
    for token in ["", "x", &bobs] {
        let fields = [("csrf_token", token), ("current_password", PASSWORD), ("new_identifier", NEW)];
        let answer = browser.post(PATH, &fields).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        assert!(answer.body.contains("open too long") && answer.input("new_identifier").unwrap() == NEW);
    }
    for site in ["cross-site", "same-site"] {
        let fields = [("csrf_token", &*own), ("current_password", PASSWORD), ("new_identifier", NEW)];
        let request = browser.request(Method::POST, PATH).header("sec-fetch-site", site);
        let answer = browser.take(with_form(request, &fields)).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{site}");
        assert!(!answer.body.contains("new_identifier"), "{site} fills in no form of ours");
    }
    let stranger = Browser::of(&app).post(PATH, &[("csrf_token", "x")]).await;
    assert_eq!(stranger.header("location"), format!("/auth/login?return_to={PATH}&done=not-sent"));
    let stranger = Browser::of(&app).get(PATH).await;
    assert_eq!(stranger.header("location"), format!("/auth/login?return_to={PATH}"));
    let body = json(PASSWORD, NEW);
    for token in [None, Some(&*bobs)] {
        let answer = fetch(&mut browser, Method::PUT, API, token, Some(&body)).await;
        assert_eq!((answer.status, &*answer.code()), (StatusCode::FORBIDDEN, "csrf"));
    }
    let client = ApiClient::of(&app);
    let stranger = client.put(API, &body).await;
    assert_eq!((stranger.status, &*stranger.code()), (StatusCode::UNAUTHORIZED, "no-credential"));
    let foreign = client.request(Method::PUT, API).header(header::ORIGIN, "https://evil.test");
    let foreign = foreign.header(header::CONTENT_TYPE, "application/json").body(body.into()).unwrap();
    assert_eq!(client.send(foreign).await.code(), "csrf");
    assert_eq!(app.world.renamed.load(SeqCst), 0);
}

#[tokio::test]
async fn over_the_api_each_refusal_has_a_code_and_success_the_identifier() {
    let app = App::new();
    let mut browser = signed_in(&app, ADA, PASSWORD).await;
    let token = token_of(&mut browser, "/auth/account").await;
    for (current, new, status, code) in [
        ("wrong", NEW, 403, "current-password-refused"),
        (PASSWORD, BOB, 409, "identifier-taken"),
        (PASSWORD, "", 422, "identifier-refused"),
    ] {
        let answer = fetch(&mut browser, Method::PUT, API, Some(&token), Some(&json(current, new))).await;
        assert_eq!((answer.status.as_u16(), &*answer.code()), (status, code));
    }
    for malformed in
        ["{}", "[]", r#"{"identifier":"a"}"#, r#"{"current_password":"a","identifier":"b","x":1}"#]
    {
        let answer = fetch(&mut browser, Method::PUT, API, Some(&token), Some(malformed)).await;
        assert_eq!((answer.status.as_u16(), &*answer.code()), (400, "malformed"), "{malformed}");
    }
    for again in [" Lovelace@Example.com", NEW] {
        let answer = fetch(&mut browser, Method::PUT, API, Some(&token), Some(&json(PASSWORD, again))).await;
        assert_eq!((answer.status, answer.json()["identifier"].as_str()), (StatusCode::OK, Some(NEW)));
    }
    let who = browser.get("/auth/api/v1/session").await.json();
    assert_eq!(who["account"]["identifier"], NEW);
}

/// Where operators gave identifiers, owners keep them.
#[tokio::test]
async fn where_it_is_closed_there_is_nothing() {
    let app = App::where_registration_is_closed();
    let mut browser = signed_in(&app, ADA, PASSWORD).await;
    let account = browser.get("/auth/account").await;
    assert!(account.status == StatusCode::OK && !account.body.contains("identifier\""), "{}", account.body);
    assert_eq!(browser.get(PATH).await.status, StatusCode::NOT_FOUND);
    let token = token_of(&mut browser, "/auth/account").await;
    let fields = [("csrf_token", &*token), ("current_password", PASSWORD), ("new_identifier", NEW)];
    assert_eq!(browser.post(PATH, &fields).await.status, StatusCode::NOT_FOUND);
    let answer = fetch(&mut browser, Method::PUT, API, Some(&token), Some(&json(PASSWORD, NEW))).await;
    assert_eq!(answer.code(), "not-found");
    assert_eq!(Browser::of(&app).sign_in(ADA, PASSWORD).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_store_that_is_down_changes_nothing_and_ends_no_session() {
    let app = App::new();
    let mut browser = signed_in(&app, ADA, PASSWORD).await;
    let token = token_of(&mut browser, PATH).await;
    app.world.is_down.store(true, SeqCst);
    let fields = [("csrf_token", &*token), ("current_password", PASSWORD), ("new_identifier", NEW)];
    let answer = browser.post(PATH, &fields).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.set_cookies().is_empty());
    app.world.is_down.store(false, SeqCst);
    assert!(browser.get("/auth/account").await.body.contains(ADA));
}
