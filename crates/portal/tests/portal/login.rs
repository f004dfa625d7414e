//! Signing in by the page.

use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use http::{Method, StatusCode};
use vestibule_core::csrf::Binding;

use crate::app::{ADA, App, ORIGIN, PASSWORD};
use crate::personas::{Browser, with_form};

const SESSION: &str = "__Host-Http-vestibule";
const PRE: &str = "__Host-Http-vestibule_pre";

#[tokio::test]
async fn a_password_becomes_a_session_and_the_way_goes_on() {
    let app = App::new();
    let mut browser = Browser::of(&app);
    let form = browser.get("/auth/login?return_to=%2Forders%3Fpage%3D2").await;
    assert_eq!(form.status, StatusCode::OK);
    assert_eq!(form.input("return_to").as_deref(), Some("/orders?page=2"));
    let token = form.input("csrf_token").unwrap();
    let fields = [
        ("csrf_token", &*token),
        ("identifier", ADA),
        ("password", PASSWORD),
        ("return_to", "/orders?page=2"),
    ];
    let answer = browser.post("/auth/login", &fields).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(answer.header("location"), "/orders?page=2");
    assert!(browser.jar.contains_key(SESSION));
    assert!(!browser.jar.contains_key(PRE), "the pre-session is destroyed at login");
    let account = browser.get("/auth/account").await;
    assert_eq!(account.status, StatusCode::OK);
    assert!(account.body.contains(ADA) && account.body.contains("Firefox on Linux"));
    assert!(account.body.contains("203.0.113.7"));
}

#[tokio::test]
async fn without_a_way_to_go_on_to_it_is_the_account_page() {
    for return_to in ["", "//evil.test", "https://evil.test", "/\\evil.test", "/%2fevil.test"] {
        let app = App::new();
        let mut browser = Browser::of(&app);
        let form = browser.get("/auth/login").await;
        let token = form.input("csrf_token").unwrap();
        let fields =
            [("csrf_token", &*token), ("identifier", ADA), ("password", PASSWORD), ("return_to", return_to)];
        let answer = browser.post("/auth/login", &fields).await;
        assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, "/auth/account"));
    }
}

#[tokio::test]
async fn a_wrong_password_keeps_all_but_the_password() {
    let app = App::new();
    let mut browser = Browser::of(&app);
    let form = browser.get("/auth/login").await;
    let token = form.input("csrf_token").unwrap();
    let fields = [
        ("csrf_token", &*token),
        ("identifier", "<ada>\"@example.com"),
        ("password", "not the password"),
        ("return_to", "/orders"),
    ];
    let answer = browser.post("/auth/login", &fields).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert!(answer.header("www-authenticate").starts_with("Bearer realm="));
    assert!(answer.body.contains("role=\"alert\""));
    assert!(!answer.body.contains("not the password"));
    assert!(!answer.body.contains("<ada>"), "what was typed is escaped");
    assert_eq!(answer.input("identifier").unwrap(), "&#60;ada&#62;&#34;@example.com");
    assert_eq!(answer.input("return_to").unwrap(), "/orders");
    // The form that came back works.
    let token = answer.input("csrf_token").unwrap();
    let fields = [("csrf_token", &*token), ("identifier", ADA), ("password", PASSWORD)];
    assert_eq!(browser.post("/auth/login", &fields).await.status, StatusCode::SEE_OTHER);
}

/// CS-04: nobody can sign a visitor in as someone else. Origin and metadata are right in all of these: the token stands alone.
#[tokio::test]
async fn without_the_token_of_this_browsers_form_nothing_is_evaluated() {
    let app = App::new();
    let mut browser = Browser::of(&app);
    let token = browser.get("/auth/login").await.input("csrf_token").unwrap();
    let foreign = Browser::of(&app).get("/auth/login").await.input("csrf_token").unwrap();
    let mut altered = token.clone();
    altered.replace_range(47..48, if token.ends_with('A') { "B" } else { "A" });
    let of_a_session = app.csrf.issue(
        Binding::Session(&vestibule_core::id::SessionId::from_bytes([1; 16])),
        vestibule_core::port::Clock::now(&*app.world),
    );
    let typed = [("identifier", ADA), ("password", PASSWORD)];
    for bad in ["", "x", &foreign, &altered, &of_a_session, &token[..47], &format!("{token} ")] {
        let answer = browser.post("/auth/login", &[typed[0], typed[1], ("csrf_token", bad)]).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{bad:?}");
        assert_eq!(answer.input("identifier").as_deref(), Some(ADA), "nothing is lost");
    }
    assert_eq!(browser.post("/auth/login", &typed).await.status, StatusCode::FORBIDDEN);
    let in_query = format!("/auth/login?csrf_token={token}");
    assert_eq!(browser.post(&in_query, &typed).await.status, StatusCode::FORBIDDEN);
    // The cookie alone, and the token alone.
    let mut without_cookie = Browser::of(&app);
    let with_token = [typed[0], typed[1], ("csrf_token", &*token)];
    assert_eq!(without_cookie.post("/auth/login", &with_token).await.status, StatusCode::FORBIDDEN);
    let mut with_other_cookie = Browser::of(&app);
    with_other_cookie.get("/auth/login").await;
    assert_eq!(with_other_cookie.post("/auth/login", &with_token).await.status, StatusCode::FORBIDDEN);
    let changes = app.world.changes.load(SeqCst);
    assert_eq!((app.world.hashed.load(SeqCst), changes), (0, 0), "no password was looked at");
    assert_eq!(browser.post("/auth/login", &with_token).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_form_of_yesterday_is_shown_again_and_works() {
    let app = App::new();
    let mut browser = Browser::of(&app);
    let token = browser.get("/auth/login?return_to=/orders").await.input("csrf_token").unwrap();
    app.world.advance(Duration::from_secs(12 * 3600));
    let fields =
        [("csrf_token", &*token), ("identifier", ADA), ("password", PASSWORD), ("return_to", "/orders")];
    let again = browser.post("/auth/login", &fields).await;
    assert_eq!(again.status, StatusCode::FORBIDDEN);
    assert!(again.body.contains("open too long"));
    let token = again.input("csrf_token").unwrap();
    let fields = [("csrf_token", &*token), fields[1], fields[2], fields[3]];
    let answer = browser.post("/auth/login", &fields).await;
    assert_eq!(answer.header("location"), "/orders");
}

/// CS-01, for the form: whatever the token says, a foreign page gets nowhere.
#[tokio::test]
async fn another_origin_is_refused_before_the_form_is_read() {
    let app = App::new();
    let mut browser = Browser::of(&app);
    let token = browser.get("/auth/login").await.input("csrf_token").unwrap();
    let fields = [("csrf_token", &*token), ("identifier", ADA), ("password", PASSWORD)];
    let foreign: [&[(&str, &str)]; 9] = [
        &[],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
        &[("sec-fetch-site", "cross-site"), ("origin", "https://evil.test")],
        &[("origin", "null")],
        &[("origin", "https://evil.test")],
        &[("origin", "http://app.test")],
        &[("origin", "https://app.test:8443")],
        &[("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")],
    ];
    for headers in foreign {
        let mut request = browser.request(Method::POST, "/auth/login");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = browser.take(with_form(request, &fields)).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{headers:?}");
        assert!(answer.body.contains("came from elsewhere"), "{headers:?}");
    }
    assert_eq!(app.world.hashed.load(SeqCst), 0);
    // A browser without Fetch Metadata, on our origin.
    let request = browser.request(Method::POST, "/auth/login").header("origin", ORIGIN);
    assert_eq!(browser.take(with_form(request, &fields)).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn tabs_and_the_back_button_keep_working() {
    let app = App::new();
    let mut browser = Browser::of(&app);
    let first = browser.get("/auth/login").await.input("csrf_token").unwrap();
    let pre_session = browser.jar[PRE].clone();
    let second = browser.get("/auth/login").await.input("csrf_token").unwrap();
    assert_ne!(first, second, "every page load carries a fresh token");
    assert_eq!(browser.jar[PRE], pre_session, "and keeps the pre-session that there is");
    let wrong = [("csrf_token", &*second), ("identifier", ADA), ("password", "wrong")];
    assert_eq!(browser.post("/auth/login", &wrong).await.status, StatusCode::UNAUTHORIZED);
    let right = [("csrf_token", &*first), ("identifier", ADA), ("password", PASSWORD)];
    assert_eq!(browser.post("/auth/login", &right).await.status, StatusCode::SEE_OTHER);
    // The other tab still shows its form: it learns that there is a session, and does not change it.
    let session = browser.jar[SESSION].clone();
    let bob = [("csrf_token", &*second), ("identifier", "bob@example.com"), ("password", PASSWORD)];
    let answer = browser.post("/auth/login", &bob).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.body.contains("You are signed in") && answer.body.contains(ADA));
    assert_eq!(browser.jar[SESSION], session);
}

#[tokio::test]
async fn a_malformed_pre_session_is_replaced_and_never_adopted() {
    let app = App::new();
    for planted in ["", "x", &"A".repeat(42), &"A".repeat(44), &format!("{}B", "A".repeat(42)), "a=b"] {
        let mut browser = Browser::of(&app);
        browser.jar.insert(PRE.to_owned(), planted.to_owned());
        assert_eq!(browser.get("/auth/login").await.status, StatusCode::OK);
        assert_ne!(browser.jar[PRE], planted);
        assert_eq!(browser.jar[PRE].len(), 43);
    }
}

/// SS-03: what was known before signing in opens nothing after it.
#[tokio::test]
async fn signing_in_anew_ends_the_session_that_the_browser_had() {
    let app = App::new();
    let mut browser = Browser::of(&app);
    browser.sign_in(ADA, PASSWORD).await;
    let old = browser.jar[SESSION].clone();
    // A form opened before, or by a page that does not look at the session.
    let pre_session = "A".repeat(43);
    browser.jar.insert(PRE.to_owned(), pre_session);
    let now = vestibule_core::port::Clock::now(&*app.world);
    let token = app.csrf.issue(Binding::PreSession(&[0; 32]), now);
    let fields = [("csrf_token", &*token), ("identifier", "bob@example.com"), ("password", PASSWORD)];
    assert_eq!(browser.post("/auth/login", &fields).await.status, StatusCode::SEE_OTHER);
    assert_ne!(browser.jar[SESSION], old);
    assert_eq!(app.world.sessions_held().len(), 1);
    let mut attacker = Browser::of(&app);
    attacker.jar.insert(SESSION.to_owned(), old);
    assert_eq!(attacker.get("/auth/account").await.status, StatusCode::SEE_OTHER);
    // A session token that we never issued is not adopted either.
    let mut fixed = Browser::of(&app);
    fixed.jar.insert(SESSION.to_owned(), "A".repeat(43));
    fixed.sign_in(ADA, PASSWORD).await;
    assert_ne!(fixed.jar[SESSION], "A".repeat(43));
}

#[tokio::test]
async fn who_is_signed_in_is_told_so_and_not_sent_in_circles() {
    let app = App::new();
    let mut browser = Browser::of(&app);
    browser.sign_in(ADA, PASSWORD).await;
    let page = browser.get("/auth/login?return_to=/orders").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains("href=\"/orders\"") && page.body.contains(ADA));
    let page = browser.get("/auth/login?return_to=//evil.test").await;
    assert!(page.body.contains("href=\"/auth/account\"") && !page.body.contains("evil"));
    // An account that is gone has no name to show: the form again.
    app.world.remove_account(1);
    assert!(browser.get("/auth/login").await.input("password").is_none());
    assert!(browser.get("/auth/login").await.body.contains("type=\"password\""));
}

#[tokio::test]
async fn too_many_attempts_wait_and_say_how_long() {
    let app = App::new();
    let mut browser = Browser::of(&app);
    for _ in 0..5 {
        assert_eq!(browser.sign_in(ADA, "wrong").await.status, StatusCode::UNAUTHORIZED);
    }
    app.world.advance(Duration::from_millis(200));
    let hashed = app.world.hashed.load(SeqCst);
    let answer = browser.sign_in(ADA, PASSWORD).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(answer.header("retry-after"), "1");
    assert!(answer.body.contains("wait 1 second before"), "{}", answer.body);
    assert_eq!(app.world.hashed.load(SeqCst), hashed, "the password was not looked at");
    app.world.advance(Duration::from_secs(1));
    assert_eq!(browser.sign_in(ADA, PASSWORD).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn what_could_not_be_told_is_neither_yes_nor_no() {
    let app = App::new();
    let mut browser = Browser::of(&app);
    app.world.hasher_is_full.store(true, SeqCst);
    let answer = browser.sign_in(ADA, PASSWORD).await;
    assert_eq!((answer.status, answer.header("retry-after")), (StatusCode::SERVICE_UNAVAILABLE, "3"));
    assert_eq!(answer.input("identifier").as_deref(), Some(ADA), "the form is there again");
    app.world.hasher_is_full.store(false, SeqCst);

    let token = answer.input("csrf_token").unwrap();
    app.world.is_down.store(true, SeqCst);
    let fields = [("csrf_token", &*token), ("identifier", ADA), ("password", PASSWORD)];
    let answer = browser.post("/auth/login", &fields).await;
    assert_eq!((answer.status, answer.header("retry-after")), (StatusCode::SERVICE_UNAVAILABLE, "5"));
    assert!(answer.body.contains("report incident"));
    assert!(
        !answer.body.contains("disk") && !answer.body.contains("session store"),
        "causes are for the log"
    );
    assert!(!browser.jar.contains_key(SESSION));

    app.world.is_down.store(false, SeqCst);
    assert_eq!(browser.post("/auth/login", &fields).await.status, StatusCode::SEE_OTHER);
    let session = browser.jar[SESSION].clone();
    app.world.is_down.store(true, SeqCst);
    for page in ["/auth/account", "/auth/login", "/auth/logout"] {
        let answer = browser.get(page).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{page}");
    }
    assert_eq!(browser.jar[SESSION], session, "a fault is never a logout");
}

/// Who arrives by links from other sites opens one login form after the other: each is good, whichever is sent first.
#[tokio::test]
async fn every_arrival_from_another_site_keeps_the_forms_in_other_tabs() {
    let app = App::new();
    let mut browser = Browser::of(&app);
    let mut forms = Vec::new();
    for _ in 0..3 {
        let page = browser.get("/auth/login?return_to=/orders").await;
        let set = page.set_cookies();
        // Strict, it would not come along with the next arrival, and that would replace it.
        assert!(set[0].starts_with(PRE) && set[0].contains("; SameSite=Lax"), "{set:?}");
        forms.push(page.input("csrf_token").unwrap());
    }
    let fields = [("csrf_token", &*forms[0]), ("identifier", ADA), ("password", PASSWORD)];
    assert_eq!(browser.post("/auth/login", &fields).await.status, StatusCode::SEE_OTHER);
    // CS-04: what bound the forms is gone with the login.
    assert!(!browser.jar.contains_key(PRE));
}

#[tokio::test]
async fn a_browser_that_keeps_no_cookies_is_told_so() {
    let app = App::new();
    for (page, fields) in [
        ("/auth/login", [("identifier", ADA), ("password", PASSWORD)]),
        ("/auth/register", [("identifier", "new@example.com"), ("new_password", PASSWORD)]),
    ] {
        let mut browser = Browser::of(&app);
        let token = browser.get(page).await.input("csrf_token").unwrap();
        let fields = [&fields[..], &[("csrf_token", &token)]].concat();
        let jar = std::mem::take(&mut browser.jar);
        let answer = browser.post(page, &fields).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        assert!(answer.body.contains("Cookies are needed"), "{page}: {}", answer.body);
        // One that keeps others has them allowed.
        browser.jar = jar;
        browser.jar.remove(PRE);
        browser.jar.insert("theme".to_owned(), "dark".to_owned());
        let answer = browser.post(page, &fields).await;
        assert!(answer.body.contains("open too long") && !answer.body.contains("are needed"), "{page}");
    }
}
