//! CK-01 to CK-08: every Set-Cookie of every route, read by a strict parser.

use http::{Method, StatusCode};
use vestibule_core::wire::cookie::Https;

use crate::app::{ADA, App, PASSWORD};
use crate::personas::{Answer, Browser, fetch};

/// One Set-Cookie line. Refuses attributes that it does not know, twice the same, and a Domain or Expires at all.
#[derive(Debug, PartialEq)]
struct SetCookie {
    name: String,
    value: String,
    secure: bool,
    same_site: String,
    max_age: Option<u32>,
}

fn parse(line: &str) -> SetCookie {
    let mut parts = line.split("; ");
    let (name, value) = parts.next().unwrap().split_once('=').unwrap();
    let mut attributes: Vec<(&str, &str)> =
        parts.map(|part| part.split_once('=').unwrap_or((part, ""))).collect();
    let mut take = |name: &str| {
        let at = attributes.iter().position(|(other, _)| *other == name)?;
        Some(attributes.remove(at).1.to_owned())
    };
    assert_eq!(take("Path").as_deref(), Some("/"), "{line}");
    assert_eq!(take("HttpOnly").as_deref(), Some(""), "{line}");
    let cookie = SetCookie {
        name: name.to_owned(),
        value: value.to_owned(),
        secure: take("Secure").is_some(),
        same_site: take("SameSite").unwrap_or_else(|| panic!("no SameSite: {line}")),
        max_age: take("Max-Age").map(|seconds| seconds.parse().unwrap()),
    };
    assert!(attributes.is_empty(), "{line}: {attributes:?}");
    assert!(line.len() <= 512, "{line}");
    cookie
}

/// Signs in and out in all ways, and collects what every answer says.
async fn walk(app: &App) -> Vec<Answer> {
    let mut answers = Vec::new();
    let mut browser = Browser::of(app);
    answers.push(browser.get("/auth/login").await);
    answers.push(browser.sign_in(ADA, "wrong").await);
    answers.push(browser.post("/auth/login", &[("csrf_token", "x")]).await);
    answers.push(browser.sign_in(ADA, PASSWORD).await);
    for page in ["/auth/account", "/auth/login", "/auth/logout", "/auth/api/v1/session"] {
        answers.push(browser.get(page).await);
    }
    let token = browser.get("/auth/account").await.input("csrf_token").unwrap();
    answers.push(browser.post("/auth/logout", &[("csrf_token", &token)]).await);
    let body = format!(r#"{{"identifier":"{ADA}","password":"{PASSWORD}"}}"#);
    answers.push(fetch(&mut browser, Method::POST, "/auth/api/v1/login", None, Some(&body)).await);
    let token = fetch(&mut browser, Method::GET, "/auth/api/v1/csrf", None, None).await.json();
    let token = token["csrf_token"].as_str().unwrap();
    answers.push(fetch(&mut browser, Method::POST, "/auth/api/v1/logout", Some(token), None).await);
    let token = browser.get("/auth/register").await.input("csrf_token").unwrap();
    let longest = "x".repeat(254);
    let fields = [
        ("csrf_token", &*token),
        ("identifier", &*longest),
        ("new_password", "nine umbrellas argue quietly"),
        ("repeated_password", "nine umbrellas argue quietly"),
    ];
    answers.push(browser.post("/auth/register", &fields).await);
    answers.push(browser.get("/auth/login?done=registered").await);
    let token = browser.sign_in(ADA, PASSWORD).await;
    answers.push(token);
    for page in ["/auth/register", "/auth/confirm", "/auth/account/password", "/.well-known/change-password"]
    {
        answers.push(browser.get(page).await);
    }
    let token = browser.get("/auth/confirm").await.input("csrf_token").unwrap();
    for path in ["/auth/confirm", "/auth/account/password", "/auth/account/sessions/end-others"] {
        let fields = [
            ("csrf_token", &*token),
            ("password", PASSWORD),
            ("current_password", PASSWORD),
            ("new_password", "nine umbrellas argue quietly"),
            ("repeated_password", "nine umbrellas argue quietly"),
        ];
        answers.push(browser.post(path, &fields).await);
    }
    answers.push(browser.get("/.well-known/jwks.json").await);
    answers.push(browser.get("/auth/nothing").await);
    answers
}

/// CK-01, CK-02, CK-06: prefix, SameSite written out, and 512 bytes at most.
#[tokio::test]
async fn every_cookie_has_exactly_its_attributes() {
    for (origin, https, prefix) in
        [("https://app.test", Https::Yes, "__Host-Http-"), ("http://127.0.0.1:8080", Https::No, "")]
    {
        let app = App::at(origin, https);
        let secure = https == Https::Yes;
        let [session, pre, device] = ["", "_pre", "_device"].map(|of| format!("{prefix}vestibule{of}"));
        let mut kinds = [0; 6];
        for answer in walk(&app).await {
            for line in answer.set_cookies() {
                let cookie = parse(line);
                assert_eq!(cookie.secure, secure, "{line}");
                let kind = match (&*cookie.name, &*cookie.same_site, cookie.max_age, cookie.value.len()) {
                    (name, "Lax", None, 43) if name == session => 0,
                    (name, "Lax", Some(0), 0) if name == session => 1,
                    (name, "Lax", Some(900), 43) if name == pre => 2,
                    (name, "Lax", Some(0), 0) if name == pre => 3,
                    (name, "Strict", Some(31_536_000), 43) if name == device => 4,
                    // With the name that was registered.
                    (name, "Lax", Some(900), 383) if name == pre => 5,
                    _ => panic!("not a cookie of ours: {line}"),
                };
                kinds[kind] += 1;
                // CK-08: what is in a cookie is nowhere else in the answer.
                if !cookie.value.is_empty() {
                    assert!(!answer.body.contains(&cookie.value), "{line}");
                }
            }
        }
        assert!(kinds.iter().all(|count| *count > 0), "all six kinds were seen: {kinds:?}");
    }
}

#[tokio::test]
async fn over_plain_http_on_loopback_the_pages_work_without_prefix() {
    let app = App::at("http://127.0.0.1:8080", Https::No);
    let mut browser = Browser::of(&app);
    assert_eq!(browser.sign_in(ADA, PASSWORD).await.status, StatusCode::SEE_OTHER);
    assert_eq!(browser.jar.keys().collect::<Vec<_>>(), ["vestibule", "vestibule_device"]);
    assert_eq!(browser.get("/auth/account").await.status, StatusCode::OK);
}
