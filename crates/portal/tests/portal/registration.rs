//! Making an account where an operator opened that; AU-04: without telling anybody who has one.

use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use http::{Method, StatusCode, header};

use crate::app::{ADA, App, ORIGIN, PASSWORD};
use crate::personas::{Answer, ApiClient, Browser, signed_in, with_form};

const PATH: &str = "/auth/register";
const API: &str = "/auth/api/v1/register";
const NEW: &str = "nine umbrellas argue quietly";

async fn register(browser: &mut Browser, identifier: &str, password: &str, repeated: &str) -> Answer {
    let form = browser.get(PATH).await;
    let token = form.input("csrf_token").unwrap();
    let fields = [
        ("csrf_token", &*token),
        ("identifier", identifier),
        ("new_password", password),
        ("repeated_password", repeated),
    ];
    browser.post(PATH, &fields).await
}

/// An answer with what is random in every answer hidden, and its length as it was.
fn bytes(answer: &Answer) -> (u16, Vec<(String, String)>, String) {
    let headers = answer.headers.iter().map(|(name, value)| {
        let value = value.to_str().unwrap();
        let value =
            if name == header::SET_COOKIE { format!("{} bytes", value.len()) } else { value.to_owned() };
        (name.to_string(), value)
    });
    (answer.status.as_u16(), headers.collect(), answer.body.clone())
}

#[tokio::test]
async fn a_new_account_is_there_and_its_owner_signs_in() {
    let app = App::new();
    let mut browser = Browser::of(&app);
    let link = browser.get("/auth/login?return_to=/orders").await.body;
    assert!(link.contains("href=\"/auth/register?return_to=/orders\""));
    let form = browser.get("/auth/register?return_to=/orders").await;
    let (token, return_to) = (form.input("csrf_token").unwrap(), form.input("return_to").unwrap());
    let fields = [
        ("csrf_token", &*token),
        ("return_to", &*return_to),
        ("identifier", " New@Example.com"),
        ("new_password", NEW),
        ("repeated_password", NEW),
    ];
    let answer = browser.post(PATH, &fields).await;
    let location = "/auth/login?return_to=/orders&done=registered";
    assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, location));
    let [cookie] = answer.set_cookies()[..] else { panic!("{:?}", answer.set_cookies()) };
    assert!(cookie.starts_with("__Host-Http-vestibule_pre="), "nobody is signed in by it: {cookie}");
    assert!(browser.get(location).await.body.contains("You can sign in now."));
    let answer = browser.sign_in("new@example.com", NEW).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
}

/// The name is carried in a cookie that scripts cannot read, for one page: never in an address, which is logged and remembered.
#[tokio::test]
async fn the_login_form_that_follows_shows_what_was_registered_once() {
    let app = App::new();
    let mut browser = Browser::of(&app);
    let other_tab = browser.get("/auth/login").await.input("csrf_token").unwrap();
    // Taken or free, the same is shown.
    for (typed, shown) in [(" Zo\u{eb}+x@Example.com", "zo\u{eb}+x@example.com"), (ADA, ADA)] {
        let answer = register(&mut browser, typed, NEW, NEW).await;
        let location = answer.header("location").to_owned();
        assert_eq!(location, "/auth/login?done=registered");
        assert!(answer.headers.iter().all(|(name, value)| name == header::SET_COOKIE
            || !String::from_utf8_lossy(value.as_bytes()).contains("example")));
        let page = browser.get(&location).await;
        assert_eq!(page.input("identifier").unwrap(), shown);
        let focused = page.body.split("autofocus").next().unwrap().rsplit("<input id=\"").next().unwrap();
        assert!(focused.starts_with("password\""), "{focused}");
        assert_eq!(browser.get(&location).await.input("identifier").unwrap(), "", "once");
    }
    let fields = [("csrf_token", &*other_tab), ("identifier", ADA), ("password", PASSWORD)];
    let answer = browser.post("/auth/login", &fields).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "forms in other tabs stay good");
}

/// It is shown where the browser was sent, and nowhere else.
#[tokio::test]
async fn a_name_is_shown_to_who_comes_from_the_form_alone() {
    let app = App::new();
    for path in ["/auth/login", "/auth/login?done=session-ended"] {
        let mut browser = Browser::of(&app);
        register(&mut browser, "new@example.com", NEW, NEW).await;
        assert_eq!(browser.get(path).await.input("identifier").unwrap(), "", "{path}");
    }
    let mut browser = Browser::of(&app);
    register(&mut browser, "new@example.com", NEW, NEW).await;
    let link =
        browser.request(Method::GET, "/auth/login?done=registered").header("sec-fetch-site", "cross-site");
    let page = browser.take(link.body(axum::body::Body::empty()).unwrap()).await;
    assert_eq!(page.input("identifier").unwrap(), "", "another site's link");
    let mut browser = Browser::of(&app);
    let bound =
        register(&mut browser, "n", NEW, NEW).await.set_cookies()[0].split_once('.').unwrap().0.to_owned();
    browser
        .jar
        .insert("__Host-Http-vestibule_pre".to_owned(), bound.split_once('=').unwrap().1.to_owned() + ".A");
    let page = browser.get("/auth/login?done=registered").await;
    assert_eq!((page.status, &*page.input("identifier").unwrap()), (StatusCode::OK, ""), "spoiled");
    let offers = |page: &str| page.contains("New here?");
    assert!(
        !offers(&page.body) && offers(&browser.get("/auth/login").await.body),
        "an account was just made"
    );
}

/// AU-04: status, head, body and length, and the work done.
#[tokio::test]
async fn a_name_that_is_taken_is_answered_as_one_that_is_free() {
    let app = App::new();
    let client = ApiClient::of(&app);
    let mut seen = Vec::new();
    for identifier in [ADA, "nob@example.com", "eve@example.com"] {
        let before = app.world.hashed.load(SeqCst);
        let page = register(&mut Browser::of(&app), identifier, NEW, NEW).await;
        let json = format!(r#"{{"identifier":"{identifier}","password":"{NEW}"}}"#);
        let api = client.post(API, &json).await;
        assert_eq!((page.status, api.status), (StatusCode::SEE_OTHER, StatusCode::ACCEPTED));
        assert_eq!(app.world.hashed.load(SeqCst), before + 2, "the same work for {identifier}");
        seen.push((bytes(&page), bytes(&api)));
    }
    assert_eq!((&seen[0], &seen[2]), (&seen[1], &seen[1]));
    assert_eq!(Browser::of(&app).sign_in(ADA, PASSWORD).await.status, StatusCode::SEE_OTHER, "as it was");
    assert_eq!(Browser::of(&app).sign_in(ADA, NEW).await.status, StatusCode::UNAUTHORIZED);
    let disabled = Browser::of(&app).sign_in("eve@example.com", NEW).await;
    assert_eq!(disabled.status, StatusCode::UNAUTHORIZED, "nobody enables themselves");
}

/// AU-04: the log says whose name was taken. The account is looked up for it before the answer is due, not right before it leaves.
#[tokio::test]
async fn the_log_delays_no_answer_about_a_taken_name() {
    let app = App::new();
    let client = ApiClient::of(&app);
    let json = format!(r#"{{"identifier":"{ADA}","password":"{NEW}"}}"#);
    // A busy machine spoils some attempts; a lookup after the wait spoils all.
    let is_early = async || {
        assert_eq!(client.post(API, &json).await.status, StatusCode::ACCEPTED);
        app.world.looked_up_at.lock().unwrap().elapsed() > Duration::from_millis(100)
    };
    assert!(is_early().await || is_early().await || is_early().await);
}

#[tokio::test]
async fn what_is_refused_is_refused_whoever_has_an_account() {
    let app = App::new();
    let client = ApiClient::of(&app);
    for identifier in [ADA, "nob@example.com"] {
        for (password, code, says) in [
            ("short", "password-too-short", "Use 15 characters or more"),
            ("", "password-too-short", "Use 15 characters or more"),
            ("passwordpassword1", "password-common", "others would try first"),
            (&*format!("{identifier}!"), "password-contextual", "your own name"),
        ] {
            let page = register(&mut Browser::of(&app), identifier, password, password).await;
            assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
            assert!(page.body.contains(says), "{}", page.body);
            assert_eq!(page.input("identifier").unwrap(), identifier, "it is not lost");
            let json = format!(r#"{{"identifier":"{identifier}","password":"{password}"}}"#);
            let api = client.post(API, &json).await;
            assert_eq!((api.status.as_u16(), &*api.code()), (422, code));
        }
        let page = register(&mut Browser::of(&app), identifier, NEW, "nine").await;
        assert!(page.status == StatusCode::UNPROCESSABLE_ENTITY && page.body.contains("two different ones"));
    }
    for impossible in ["", "   ", "a\u{202e}b", &"x".repeat(255)] {
        let page = register(&mut Browser::of(&app), impossible, NEW, NEW).await;
        assert!(page.status == StatusCode::UNPROCESSABLE_ENTITY && page.body.contains("name cannot be used"));
    }
    let api = client.post(API, &format!(r#"{{"identifier":"","password":"{NEW}"}}"#)).await;
    assert_eq!((api.status.as_u16(), &*api.code()), (422, "identifier-refused"));
    for malformed in ["", "{}", "[]", r#"{"identifier":"a","password":"b","remember":true}"#] {
        assert_eq!(client.post(API, malformed).await.code(), "malformed", "{malformed}");
    }
    assert_eq!(app.world.hashed.load(SeqCst), 0, "nothing of it was worth hashing");
}

/// CS-04: another site makes nobody an account here.
#[tokio::test]
async fn the_form_is_taken_from_our_own_page_alone() {
    let app = App::new();
    let mut browser = Browser::of(&app);
    let token = browser.get(PATH).await.input("csrf_token").unwrap();
    let fields =
        [("csrf_token", &*token), ("identifier", "n"), ("new_password", NEW), ("repeated_password", NEW)];
    for site in ["cross-site", "same-site"] {
        let request = browser.request(Method::POST, PATH).header("sec-fetch-site", site);
        let answer = browser.take(with_form(request, &fields)).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{site}");
    }
    let mut stranger = Browser::of(&app);
    stranger.get(PATH).await;
    for browser in [&mut stranger, &mut Browser::of(&app)] {
        let answer = browser.post(PATH, &fields).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "somebody else's token");
        assert!(answer.body.contains("open too long"));
    }
    let client = ApiClient::of(&app);
    let request = client.request(Method::POST, API).header(header::ORIGIN, "https://evil.test");
    let request = request.header(header::CONTENT_TYPE, "application/json");
    let json = format!(r#"{{"identifier":"n","password":"{NEW}"}}"#);
    let answer = client.send(request.body(json.into()).unwrap()).await;
    assert_eq!((answer.status, &*answer.code()), (StatusCode::FORBIDDEN, "csrf"));
    assert_eq!(app.world.changes.load(SeqCst), 0);
    assert_ne!(ORIGIN, "https://evil.test");
}

/// Registering and signing in are counted in one tally of the source.
#[tokio::test]
async fn a_source_is_throttled() {
    let app = App::new();
    let client = ApiClient::of(&app);
    for at in 0..60 {
        let json = format!(r#"{{"identifier":"guess-{at}","password":"wrong"}}"#);
        assert_eq!(client.post("/auth/api/v1/login", &json).await.status, StatusCode::UNAUTHORIZED);
    }
    let json = format!(r#"{{"identifier":"n","password":"{NEW}"}}"#);
    let answer = client.post(API, &json).await;
    assert_eq!((answer.status, answer.header("retry-after")), (StatusCode::TOO_MANY_REQUESTS, "3"));
    let page = register(&mut Browser::of(&app), "n", NEW, NEW).await;
    assert_eq!((page.status, page.header("retry-after")), (StatusCode::TOO_MANY_REQUESTS, "3"));
    assert!(page.body.contains("Please wait 3 seconds"));
}

#[tokio::test]
async fn where_it_is_closed_there_is_nothing() {
    let app = App::where_registration_is_closed();
    let mut browser = Browser::of(&app);
    assert!(!browser.get("/auth/login").await.body.contains("register"));
    assert_eq!(browser.get(PATH).await.status, StatusCode::NOT_FOUND);
    assert_eq!(browser.post(PATH, &[("identifier", "n")]).await.status, StatusCode::NOT_FOUND);
    assert_eq!(ApiClient::of(&app).post(API, "{}").await.code(), "not-found");
}

#[tokio::test]
async fn who_is_signed_in_is_told_so() {
    let app = App::new();
    let mut browser = signed_in(&app, ADA, PASSWORD).await;
    let answer = browser.get("/auth/register?return_to=/orders").await;
    assert_eq!(answer.header("location"), "/auth/login?return_to=/orders");
}

#[tokio::test]
async fn a_store_that_is_down_is_no_answer_about_anybody() {
    let app = App::new();
    let mut browser = Browser::of(&app);
    let token = browser.get(PATH).await.input("csrf_token").unwrap();
    app.world.is_down.store(true, SeqCst);
    for identifier in [ADA, "nob@example.com"] {
        let fields = [
            ("csrf_token", &*token),
            ("identifier", identifier),
            ("new_password", NEW),
            ("repeated_password", NEW),
        ];
        let answer = browser.post(PATH, &fields).await;
        assert_eq!((answer.status, answer.header("retry-after")), (StatusCode::SERVICE_UNAVAILABLE, "5"));
        assert!(answer.body.contains("We cannot make accounts right now"));
    }
}
