//! What every answer has in common, whatever its status.

use std::sync::atomic::Ordering::SeqCst;

use axum::body::Body;
use http::{Method, StatusCode, header};
use vestibule_core::wire::cookie::Https;

use crate::app::{ADA, App, PASSWORD};
use crate::personas::{Answer, ApiClient, Browser, signed_in};

const SAFE_ADDRESSES: [&str; 31] = [
    "/auth",
    "/auth/",
    "/auth/login",
    "/auth/login?return_to=/x",
    "/auth/logout",
    "/auth/account",
    "/auth/account?done=others-ended",
    "/auth/account/password",
    "/auth/account/sessions/end",
    "/auth/account/sessions/end-others",
    "/auth/confirm",
    "/auth/confirm?return_to=/x&then=end-others",
    "/auth/register",
    "/auth/login?done=registered",
    "/auth/api/v1/session",
    "/auth/api/v1/sessions",
    "/auth/api/v1/csrf",
    "/auth/api/v1/login",
    "/auth/api/v1/logout",
    "/auth/api/v1/sessions/x",
    "/auth/api/v1/confirm",
    "/auth/api/v1/openapi.json",
    "/auth/api/v1/password",
    "/auth/api/v1/register",
    "/auth/oauth/revoke",
    "/auth/oauth/token",
    "/.well-known/change-password",
    "/.well-known/jwks.json",
    "/.well-known/oauth-authorization-server",
    "/auth/nothing",
    "/auth/static/portal.css",
];

const HEADERS: [(&str, &str); 7] = [
    (
        "content-security-policy",
        "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("strict-transport-security", "max-age=31536000"),
    ("x-frame-options", "DENY"),
];

/// One answer of each status that the portal gives.
async fn one_of_each() -> Vec<Answer> {
    let app = App::new();
    let mut browser = Browser::of(&app);
    let client = ApiClient::of(&app);
    let mut answers = vec![
        browser.get("/auth/login").await,
        browser.sign_in(ADA, "wrong").await,
        browser.sign_in(ADA, PASSWORD).await,
        browser.get("/auth/account").await,
        browser.get("/auth/nothing").await,
        browser.post("/auth/account", &[]).await,
        browser.post("/auth/login", &[]).await,
        client.get("/auth/nothing").await,
        client.post("/auth/api/v1/login", "{").await,
        client.post("/auth/api/v1/login", &" ".repeat(20_000)).await,
        client.post("/auth/api/v1/logout", "{}").await,
        client.post("/auth/login", "{}").await,
        client.get("/.well-known/jwks.json").await,
        client.get("/auth/api/v1/session").await,
    ];
    let request = client.request(Method::POST, "/auth/login").header("sec-fetch-site", "same-origin");
    answers.push(client.send(request.body(Body::empty()).unwrap()).await);
    for _ in 0..6 {
        let body = r#"{"identifier":"nobody","password":"x"}"#;
        answers.push(client.post("/auth/api/v1/login", body).await);
    }
    let etag = answers[12].header("etag").to_owned();
    let request = client.request(Method::GET, "/.well-known/jwks.json").header(header::IF_NONE_MATCH, etag);
    answers.push(client.send(request.body(Body::empty()).unwrap()).await);
    app.world.is_down.store(true, SeqCst);
    answers.push(browser.get("/auth/account").await);
    answers.push(client.post("/auth/api/v1/login", r#"{"identifier":"a","password":"b"}"#).await);
    answers
}

/// HD-01, HD-02; CS-08: the referrer policy is one under which our own forms say where they come from.
#[tokio::test]
async fn security_headers_are_on_every_status() {
    let answers = one_of_each().await;
    let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status.as_u16()).collect();
    statuses.sort_unstable();
    statuses.dedup();
    assert_eq!(statuses, [200, 204, 303, 304, 400, 401, 403, 404, 405, 413, 415, 429, 503]);
    for answer in &answers {
        for (name, value) in HEADERS {
            let said = answer.header(name);
            // What a page with our script may run has a test of its own.
            let said = if name == "content-security-policy" {
                said.split("; script-src ").next()
            } else {
                Some(said)
            };
            assert_eq!(said, Some(value), "{}", answer.status);
        }
        assert!(answer.header("permissions-policy").contains("camera=()"));
        let is_key_set = answer.headers.contains_key("etag");
        let cache = if is_key_set { "public, max-age=300" } else { "no-store" };
        assert_eq!(answer.header("cache-control"), cache, "{}", answer.status);
        assert!(answer.headers.keys().all(|name| !name.as_str().starts_with("access-control")));
        assert!(!answer.headers.contains_key("server"));
    }
}

#[tokio::test]
async fn strict_transport_security_is_for_https_alone() {
    let app = App::at("http://127.0.0.1:8080", Https::No);
    let answer = Browser::of(&app).get("/auth/login").await;
    assert!(!answer.headers.contains_key("strict-transport-security"));
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
}

/// HD-04: RFC 9457 members, stable codes, no inner facts.
#[tokio::test]
async fn problems_have_one_shape() {
    let mut seen = 0;
    for answer in one_of_each().await {
        if answer.header("content-type") != "application/problem+json" {
            continue;
        }
        seen += 1;
        let json = answer.json();
        let members: Vec<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
        let expected: &[&str] = match answer.status.as_u16() {
            503 => &["code", "detail", "incident", "status", "title", "type"],
            _ => &["code", "detail", "status", "title", "type"],
        };
        assert_eq!(members, expected);
        assert_eq!(json["status"], answer.status.as_u16());
        let code = json["code"].as_str().unwrap();
        assert_eq!(json["type"], format!("urn:vestibule:problem:{code}"));
        assert!(code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'));
        for inner in ["SELECT", "src/", ".rs", "panicked", "/var/", "store"] {
            assert!(!answer.body.contains(inner), "{}", answer.body);
        }
    }
    assert!(seen >= 10, "{seen}");
}

#[tokio::test]
async fn what_is_not_there_is_told_as_it_was_asked() {
    let app = App::new();
    let client = ApiClient::of(&app);
    let accept = [
        ("text/html", "text/html; charset=utf-8"),
        ("application/xhtml+xml;q=0.9, */*", "text/html; charset=utf-8"),
        ("application/json", "application/problem+json"),
        ("*/*", "application/problem+json"),
    ];
    for (accept, expected) in accept {
        for (method, path, status) in [
            (Method::GET, "/auth/nothing", StatusCode::NOT_FOUND),
            (Method::GET, "/auth/static/other.css", StatusCode::NOT_FOUND),
            (Method::GET, "/auth/static/%2e%2e/portal.css", StatusCode::NOT_FOUND),
            (Method::DELETE, "/auth/login", StatusCode::METHOD_NOT_ALLOWED),
        ] {
            let request = client.request(method, path).header(header::ACCEPT, accept);
            let answer = client.send(request.body(Body::empty()).unwrap()).await;
            assert_eq!((answer.status, answer.header("content-type")), (status, expected), "{path} {accept}");
            if status == StatusCode::METHOD_NOT_ALLOWED {
                assert_eq!(answer.header("allow"), "GET,HEAD,POST");
            }
        }
        let request = client.request(Method::PUT, "/auth/api/v1/login").header(header::ACCEPT, accept);
        let answer = client.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!((answer.code().as_str(), answer.header("allow")), ("method-not-allowed", "POST"));
    }
}

/// CS-03: safe methods change nothing; not even counters of attempts.
#[tokio::test]
async fn safe_methods_change_nothing() {
    let app = App::new();
    let mut browser = Browser::of(&app);
    browser.sign_in(ADA, PASSWORD).await;
    let before = (app.world.changes.load(SeqCst), app.world.sessions_held());
    for path in SAFE_ADDRESSES {
        for method in [Method::GET, Method::HEAD, Method::OPTIONS, Method::TRACE] {
            let request = browser.request(method.clone(), path).body(Body::empty()).unwrap();
            let answer = browser.take(request).await;
            assert!(answer.status.as_u16() < 500);
            if method == Method::HEAD {
                assert_eq!(answer.body, "", "{path}");
            }
        }
    }
    assert_eq!((app.world.changes.load(SeqCst), app.world.sessions_held()), before);
    assert_eq!(browser.get("/auth/account").await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_stylesheet_is_kept_under_the_name_that_pages_give_it() {
    let app = App::new();
    let page = Browser::of(&app).get("/auth/login").await;
    let from = page.body.find("/auth/static/").unwrap();
    let path = &page.body[from..from + page.body[from..].find('"').unwrap()];
    let answer = ApiClient::of(&app).get(path).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("content-type"), "text/css; charset=utf-8");
    assert_eq!(answer.header("cache-control"), "public, max-age=31536000, immutable");
    assert!(!answer.body.contains("url(") && !answer.body.contains("@import"), "nothing from elsewhere");
}

/// The one script of a page, as the page names it.
fn script_of(page: &Answer) -> Option<&str> {
    let mut sources = page.body.split("<script").skip(1).map(|after| {
        let tag = &after[..after.find("</script>").unwrap()];
        tag.strip_prefix(" src=\"").unwrap().strip_suffix("\" defer>").unwrap()
    });
    let source = sources.next();
    assert_eq!(sources.next(), None, "{}", page.body);
    source
}

/// HD-01: a page may run the one file that it names, and a page that names none may run nothing.
#[tokio::test]
async fn a_page_may_run_the_script_that_it_names_and_no_other() {
    let app = App::new();
    let mut stranger = Browser::of(&app);
    let mut ada = signed_in(&app, ADA, PASSWORD).await;
    let with = [
        "/auth/login",
        "/auth/register",
        "/auth/account",
        "/auth/account/identifier",
        "/auth/account/password",
        "/auth/confirm",
    ];
    let without = ["/auth/logout", "/auth/nothing", "/auth/error/503", "/auth/login?return_to=/x"];
    for path in with.into_iter().chain(without) {
        let browser = if matches!(path, "/auth/login" | "/auth/register") { &mut stranger } else { &mut ada };
        let page = browser.get(path).await;
        let policy = page.header("content-security-policy");
        let allowed = policy.split("; ").find_map(|part| part.strip_prefix("script-src "));
        let script = script_of(&page);
        assert_eq!(script.is_some(), with.contains(&path), "{path}: {}", page.body);
        assert_eq!(allowed, script.map(|script| format!("https://app.test{script}")).as_deref(), "{path}");
        let Some(script) = script else { continue };
        let file = ApiClient::of(&app).get(script).await;
        assert_eq!(file.header("content-type"), "text/javascript; charset=utf-8");
        assert_eq!(file.header("cache-control"), "public, max-age=31536000, immutable");
        for able in ["eval", "innerHTML", "fetch", "XMLHttp", "cookie", "http", "import", "Function"] {
            assert!(!file.body.contains(able), "{able}");
        }
    }
    // A policy cannot name such a host: the page has no script, rather than one that is refused.
    let app = App::at("http://[::1]:8080", Https::No);
    let page = Browser::of(&app).get("/auth/login").await;
    assert!(script_of(&page).is_none() && !page.header("content-security-policy").contains("script"));
}

/// AU-12: no third-party assets.
#[tokio::test]
async fn a_page_names_nothing_from_elsewhere_and_has_no_script_inside() {
    for answer in one_of_each().await {
        if !answer.header("content-type").starts_with("text/html") {
            continue;
        }
        let body = answer.body.replace("http://www.w3.org/2000/svg", "").replace("http:&#x2F;", "");
        for outside in ["http:", "https:", "//", "<script>", "style=", "onclick", "javascript:"] {
            assert!(!body.contains(outside), "{outside} in {body}");
        }
        assert!(script_of(&answer).is_none_or(|script| script.starts_with("/auth/static/portal-")));
        assert!(body.contains("<html lang=\"en\">") && body.contains("<title>"));
    }
}
