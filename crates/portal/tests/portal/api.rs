//! The JSON API: from a page of ours with its cookie, and from programs with a session token.

use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use axum::body::Body;
use http::{Method, StatusCode, header};
use vestibule_core::session::SessionToken;

use crate::app::{ADA, App, ORIGIN, PASSWORD};
use crate::personas::{ApiClient, Browser, fetch};

const SESSION: &str = "__Host-Http-vestibule";
const DEVICE: &str = "__Host-Http-vestibule_device";

fn login(extra: &str) -> String {
    format!(r#"{{"identifier":"{ADA}","password":"{PASSWORD}"{extra}}}"#)
}

#[tokio::test]
async fn a_page_signs_in_works_and_signs_out() {
    let app = App::new();
    let mut browser = Browser::of(&app);
    let answer = fetch(&mut browser, Method::POST, "/auth/api/v1/login", None, Some(&login(""))).await;
    assert_eq!(answer.status, StatusCode::OK);
    let json = answer.json();
    assert_eq!(json["session"]["current"], true);
    assert_eq!(json["session"]["kind"], "browser");
    assert_eq!(json["session"]["opened_at"], "2027-01-15T08:00:00Z");
    assert_eq!(json["session"]["ends_at"], "2027-01-15T20:00:00Z");
    assert!(json.get("session_token").is_none());
    assert!(!answer.body.contains(&browser.jar[SESSION]), "a secret is never in cookie and body at once");
    let token = json["csrf_token"].as_str().unwrap().to_owned();

    let session = fetch(&mut browser, Method::GET, "/auth/api/v1/session", None, None).await.json();
    assert_eq!(session["session"]["id"], json["session"]["id"]);
    assert_eq!(session["account"]["identifier"], ADA);
    assert_eq!(session["account"]["subject"].as_str().unwrap().len(), 26);
    let sessions = fetch(&mut browser, Method::GET, "/auth/api/v1/sessions", None, None).await.json();
    assert_eq!((sessions["sessions"].as_array().unwrap().len(), &sessions["more"]), (1, &false.into()));

    let fresh = fetch(&mut browser, Method::GET, "/auth/api/v1/csrf", None, None).await.json();
    let fresh = fresh["csrf_token"].as_str().unwrap().to_owned();
    assert_ne!(fresh, token);
    for bad in [None, Some("x")] {
        let answer = fetch(&mut browser, Method::POST, "/auth/api/v1/logout", bad, None).await;
        assert_eq!((answer.status, &*answer.code()), (StatusCode::FORBIDDEN, "csrf"));
    }
    let answer = fetch(&mut browser, Method::POST, "/auth/api/v1/logout", Some(&fresh), None).await;
    assert_eq!((answer.status, &*answer.body), (StatusCode::NO_CONTENT, ""));
    assert!(!answer.headers.contains_key("clear-site-data"), "the storage is the application's");
    assert!(app.world.sessions_held().is_empty());
    assert_eq!(browser.jar.keys().collect::<Vec<_>>(), [DEVICE], "the device stays known");
    let again = fetch(&mut browser, Method::POST, "/auth/api/v1/logout", None, None).await;
    assert_eq!(again.status, StatusCode::NO_CONTENT);
    let answer = fetch(&mut browser, Method::GET, "/auth/api/v1/session", None, None).await;
    assert_eq!((answer.status, &*answer.code()), (StatusCode::UNAUTHORIZED, "no-credential"));
}

#[tokio::test]
async fn a_program_gets_its_token_in_the_body_and_needs_no_csrf_token() {
    let app = App::new();
    let mut client = ApiClient::of(&app);
    let answer = client.post("/auth/api/v1/login", &login(r#","deliver":"body","mode":"session""#)).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.set_cookies().is_empty());
    let json = answer.json();
    assert!(json.get("csrf_token").is_none());
    let token = json["session_token"].as_str().unwrap().to_owned();
    assert!(SessionToken::from_bearer(&token).is_ok());
    assert_eq!(json["session"]["kind"], "client");
    client.bearer = Some(token.clone());
    assert_eq!(client.get("/auth/api/v1/session").await.json()["session"]["device"]["name"], "curl");
    // The session token is no cookie value and no page's credential.
    assert_eq!(client.get("/auth/account").await.status, StatusCode::SEE_OTHER);
    let logout = client.request(Method::POST, "/auth/api/v1/logout").body(Body::empty()).unwrap();
    assert_eq!(client.send(logout).await.status, StatusCode::NO_CONTENT);
    let answer = client.get("/auth/api/v1/session").await;
    assert_eq!((answer.status, &*answer.code()), (StatusCode::UNAUTHORIZED, "session-unknown"));
}

#[tokio::test]
async fn signing_in_for_an_app_leaves_the_browsers_session_alone() {
    let app = App::new();
    let mut browser = Browser::of(&app);
    browser.sign_in(ADA, PASSWORD).await;
    let kept = browser.jar.clone();
    let body = login(r#","deliver":"body""#);
    let answer = fetch(&mut browser, Method::POST, "/auth/api/v1/login", None, Some(&body)).await;
    assert_eq!((answer.status, browser.jar), (StatusCode::OK, kept));
    assert_eq!(app.world.sessions_held().len(), 2);
}

#[tokio::test]
async fn login_takes_its_members_once_and_nothing_else() {
    let app = App::new();
    let client = ApiClient::of(&app);
    let deep = format!(r#"{{"identifier":{}1{}}}"#, "[".repeat(200), "]".repeat(200));
    let malformed = [
        "",
        "null",
        "[]",
        "\"x\"",
        "{}",
        r#"{"identifier":"a"}"#,
        r#"{"identifier":1,"password":"b"}"#,
        r#"{"identifier":null,"password":"b"}"#,
        r#"{"identifier":"a","password":"b","extra":1}"#,
        r#"{"identifier":"a","password":"b","password":"c"}"#,
        r#"{"identifier":"a","password":"b","p\u0061ssword":"c"}"#,
        r#"{"identifier":"a","password":"b","mode":"Session"}"#,
        r#"{"identifier":"a","password":"b","deliver":"both"}"#,
        r#"{"identifier":"a","password":"b","remember":"yes"}"#,
        r#"{"identifier":"a","password":"b"} {}"#,
        r#"{"identifier":"a","password":"b",}"#,
        r#"{identifier:"a",password:"b"}"#,
        r#"{"identifier":"\ud800","password":"b"}"#,
        "\u{feff}{\"identifier\":\"a\",\"password\":\"b\"}",
        &deep,
    ];
    for body in malformed {
        let answer = client.post("/auth/api/v1/login", body).await;
        assert_eq!((answer.status, &*answer.code()), (StatusCode::BAD_REQUEST, "malformed"), "{body}");
    }
    assert_eq!((app.world.hashed.load(SeqCst), app.world.changes.load(SeqCst)), (0, 0));
    let answer = client.post("/auth/api/v1/login", &login(r#","remember":false"#)).await;
    assert_eq!(answer.status, StatusCode::OK);
}

/// CS-04 for JSON: whoever says where they come from must come from here; whoever cannot say it is no browser.
#[tokio::test]
async fn login_from_another_site_is_refused_and_never_granted_cors() {
    let app = App::new();
    let client = ApiClient::of(&app);
    let foreign: [&[(&str, &str)]; 7] = [
        &[("origin", "https://evil.test")],
        &[("origin", "null")],
        &[("origin", "https://app.test.evil.test")],
        &[("origin", "HTTPS://APP.TEST")],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
        &[("sec-fetch-site", "cross-site"), ("origin", "null")],
    ];
    for headers in foreign {
        for method in [Method::POST, Method::OPTIONS] {
            let mut request = client
                .request(method.clone(), "/auth/api/v1/login")
                .header("access-control-request-method", "POST")
                .header(header::CONTENT_TYPE, "application/json");
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            let answer = client.send(request.body(Body::from(login(""))).unwrap()).await;
            let expected = match method {
                Method::POST => StatusCode::FORBIDDEN,
                _ => StatusCode::METHOD_NOT_ALLOWED,
            };
            assert_eq!(answer.status, expected, "{headers:?}");
            assert!(answer.headers.keys().all(|name| !name.as_str().starts_with("access-control")));
        }
    }
    assert_eq!(app.world.hashed.load(SeqCst), 0);
    let request = client
        .request(Method::POST, "/auth/api/v1/login")
        .header("origin", ORIGIN)
        .header(header::CONTENT_TYPE, "application/json; charset=utf-8");
    assert_eq!(client.send(request.body(Body::from(login(""))).unwrap()).await.status, StatusCode::OK);
}

#[tokio::test]
async fn logout_over_a_cookie_asks_for_origin_and_token() {
    let app = App::new();
    let mut browser = Browser::of(&app);
    browser.sign_in(ADA, PASSWORD).await;
    let fresh = fetch(&mut browser, Method::GET, "/auth/api/v1/csrf", None, None).await.json();
    let token = fresh["csrf_token"].as_str().unwrap();
    for (name, value) in [("x-none", "x"), ("sec-fetch-site", "cross-site"), ("origin", "https://evil.test")]
    {
        let request = browser
            .request(Method::POST, "/auth/api/v1/logout")
            .header("x-csrf-token", token)
            .header(name, value);
        let answer = browser.take(request.body(Body::empty()).unwrap()).await;
        assert_eq!((answer.status, &*answer.code()), (StatusCode::FORBIDDEN, "csrf"), "{name}: {value}");
    }
    assert_eq!(app.world.sessions_held().len(), 1);
}

#[tokio::test]
async fn bad_credentials_are_refused_each_with_its_code() {
    let app = App::new();
    let mut browser = Browser::of(&app);
    browser.sign_in(ADA, PASSWORD).await;
    let cookie = format!("{SESSION}={}", browser.jar[SESSION]);
    let unknown = SessionToken::from_random([1; 32]).reveal_bearer();
    let bearer = format!("Bearer {unknown}");
    let twice = format!("{cookie}; {cookie}");
    let refused = |code, headers: &[(&'static str, &str)]| {
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        (code, headers)
    };
    let table = [
        refused("no-credential", &[]),
        refused("credential-malformed", &[("cookie", "__Host-Http-vestibule=x")]),
        refused("cookie-ambiguous", &[("cookie", &twice)]),
        refused("session-unknown", &[("authorization", &bearer)]),
        refused("jwt", &[("authorization", "Bearer a.b.c")]),
        refused("scheme-unknown", &[("authorization", "Basic YTpi")]),
        refused("credential-malformed", &[("authorization", "Bearer vst_x")]),
        refused("two-credentials", &[("cookie", &cookie), ("authorization", &bearer)]),
    ];
    let client = ApiClient::of(&app);
    for path in ["/auth/api/v1/session", "/auth/api/v1/sessions", "/auth/api/v1/csrf"] {
        for (code, headers) in &table {
            let mut request = client.request(Method::GET, path);
            for (name, value) in headers {
                request = request.header(*name, value);
            }
            let answer = client.send(request.body(Body::empty()).unwrap()).await;
            let status = match *code {
                "two-credentials" => StatusCode::FORBIDDEN,
                _ => StatusCode::UNAUTHORIZED,
            };
            assert_eq!((answer.status, &*answer.code()), (status, *code), "{path}");
            assert_eq!(answer.headers.contains_key("www-authenticate"), status == StatusCode::UNAUTHORIZED);
            // Nothing is taken back: a session whose cookie is gone is one that nobody ends.
            assert!(answer.set_cookies().is_empty());
        }
    }
    // Two credentials sign nobody out.
    let request = client
        .request(Method::POST, "/auth/api/v1/logout")
        .header("cookie", &cookie)
        .header("authorization", &bearer);
    let answer = client.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.code(), "two-credentials");
    assert_eq!(app.world.sessions_held().len(), 1);
}

#[tokio::test]
async fn asking_whether_one_is_signed_in_does_not_keep_one_signed_in() {
    let app = App::new();
    let mut browser = Browser::of(&app);
    browser.sign_in(ADA, PASSWORD).await;
    for _ in 0..29 {
        app.world.advance(Duration::from_secs(60));
        let answer = fetch(&mut browser, Method::GET, "/auth/api/v1/session", None, None).await;
        assert_eq!(answer.status, StatusCode::OK);
    }
    assert_eq!(app.world.noted.load(SeqCst), 0);
    app.world.advance(Duration::from_secs(60));
    let answer = fetch(&mut browser, Method::GET, "/auth/api/v1/session", None, None).await;
    assert_eq!(answer.code(), "session-idle");
}

#[tokio::test]
async fn a_session_whose_account_is_gone_is_nobodys() {
    let app = App::new();
    let mut browser = Browser::of(&app);
    browser.sign_in(ADA, PASSWORD).await;
    app.world.remove_account(1);
    let answer = fetch(&mut browser, Method::GET, "/auth/api/v1/session", None, None).await;
    assert_eq!((answer.status, &*answer.code()), (StatusCode::UNAUTHORIZED, "session-unknown"));
    assert_eq!(browser.get("/auth/account").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn faults_and_waits_say_when_to_come_back() {
    let app = App::new();
    let client = ApiClient::of(&app);
    app.world.hasher_is_full.store(true, SeqCst);
    let answer = client.post("/auth/api/v1/login", &login("")).await;
    assert_eq!((answer.status, &*answer.code()), (StatusCode::SERVICE_UNAVAILABLE, "overloaded"));
    assert_eq!(answer.header("retry-after"), "3");
    app.world.hasher_is_full.store(false, SeqCst);
    app.world.is_down.store(true, SeqCst);
    let answer = client.post("/auth/api/v1/login", &login("")).await;
    assert_eq!((answer.status, &*answer.code()), (StatusCode::SERVICE_UNAVAILABLE, "unavailable"));
    assert_eq!(answer.json()["incident"].as_str().unwrap().len(), 16);
    assert!(!answer.body.contains("disk"));
    app.world.is_down.store(false, SeqCst);
    let wrong = login("").replace("horse", "app");
    for _ in 0..5 {
        assert_eq!(client.post("/auth/api/v1/login", &wrong).await.code(), "login-refused");
    }
    let answer = client.post("/auth/api/v1/login", &login("")).await;
    assert_eq!((answer.status, &*answer.code()), (StatusCode::TOO_MANY_REQUESTS, "throttled"));
    assert_eq!(answer.header("retry-after"), "1");
}
