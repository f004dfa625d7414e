//! LG-01 and LG-03: everything is logged at TRACE, and no secret and no line of a visitor's making is in it.

use std::cell::RefCell;
use std::io::Write;
use std::sync::Once;
use std::sync::atomic::Ordering::SeqCst;

use http::{Method, StatusCode, header};

use crate::app::{ADA, App, PASSWORD};
use crate::personas::{ApiClient, Browser, fetch, with_form};

thread_local! {
    /// What was logged on this thread: each test runs on its own.
    static HEARD: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

struct Ear;

impl Write for Ear {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        HEARD.with_borrow_mut(|heard| heard.extend_from_slice(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Listens on all threads. Every app is built after this: what is not listened to when it first speaks may never be heard,
/// as tracing remembers for each line of code whether anybody cares.
pub(crate) fn listen() {
    static LISTENING: Once = Once::new();
    LISTENING.call_once(|| {
        tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .with_writer(|| Ear)
            .init();
    });
}

pub(crate) fn heard() -> Vec<String> {
    let heard = HEARD.with_borrow(Vec::clone);
    String::from_utf8(heard).unwrap().lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn a_whole_visit_leaves_events_and_no_secrets() {
    let app = App::new();
    let mut secrets = vec![PASSWORD.to_owned(), "wrong-password-canary".to_owned(), ADA.to_owned()];
    let mut browser = Browser::of(&app);
    browser.user_agent = "agent-canary";
    let form = browser.get("/auth/login?return_to=/return-canary").await;
    secrets.extend([form.input("csrf_token").unwrap(), browser.jar["__Host-Http-vestibule_pre"].clone()]);
    browser.sign_in(ADA, "wrong-password-canary").await;
    // A password in the wrong field.
    browser.sign_in("wrong-password-canary", "x").await;
    browser.sign_in(ADA, PASSWORD).await;
    secrets.push(browser.jar["__Host-Http-vestibule"].clone());
    let account = browser.get("/auth/account").await;
    secrets.push(account.input("csrf_token").unwrap());
    let request =
        browser.request(Method::POST, "/auth/logout").header("origin", "https://origin-canary.test");
    browser.take(with_form(request, &[("csrf_token", &account.input("csrf_token").unwrap())])).await;
    browser.post("/auth/logout", &[("csrf_token", "csrf-canary")]).await;
    let twice = format!("__Host-Http-vestibule={0}; __Host-Http-vestibule={0}", secrets.last().unwrap());
    let request = Browser::of(&app).request(Method::GET, "/auth/account").header(header::COOKIE, twice);
    Browser::of(&app).take(request.body(axum::body::Body::empty()).unwrap()).await;
    browser.post("/auth/logout", &[("csrf_token", &account.input("csrf_token").unwrap())]).await;

    let mut client = ApiClient::of(&app);
    let body = format!(r#"{{"identifier":"{ADA}","password":"{PASSWORD}","deliver":"body"}}"#);
    let token = client.post("/auth/api/v1/login", &body).await.json()["session_token"].clone();
    client.bearer = Some(token.as_str().unwrap().to_owned());
    secrets.extend(client.bearer.clone());
    client.get("/auth/api/v1/session").await;
    client.post("/auth/api/v1/login", r#"{"identifier":"json-canary""#).await;
    for _ in 0..6 {
        let body = r#"{"identifier":"throttle-canary","password":"wrong-password-canary"}"#;
        fetch(&mut browser, Method::POST, "/auth/api/v1/login", None, Some(body)).await;
    }
    app.world.is_down.store(true, SeqCst);
    client.get("/auth/api/v1/session").await;
    browser.sign_in(ADA, PASSWORD).await;

    let lines = heard();
    let text = lines.join("\n");
    for event in
        ["login.succeeded", "login.refused", "login.throttled", "logout", "csrf.refused", "cookie.ambiguous"]
    {
        assert!(text.contains(&format!("event=\"{event}\"")), "{event} is missing in\n{text}");
    }
    assert!(text.contains("csrf-origin") && text.contains("csrf-token"));
    assert!(text.contains("the session store is unavailable: disk /var/lib/x is full"), "{text}");
    assert!(text.contains("source.address=203.0.113.7"));
    let canaries = ["canary", "Bearer", "Cookie", "cookie="].map(str::to_owned);
    for secret in secrets.iter().chain(&canaries) {
        let in_hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
        for form in [secret.clone(), secret.replace(' ', "+"), secret.replace(' ', "%20"), in_hex] {
            assert!(!text.contains(&form), "{form:?} is in\n{text}");
        }
        // The cookie's characters without the frame of the bearer form, and the other way round.
        if let Some(inner) = secret.strip_prefix("vst_") {
            assert!(!text.contains(&inner[..43]));
        }
    }
    let ours = lines.iter().filter(|line| line.contains(" vestibule::")).count();
    assert_eq!(lines.len(), ours, "one event, one line, and nothing from anywhere else:\n{text}");
}

#[tokio::test]
async fn the_address_is_the_clients_only_where_a_trusted_proxy_says_so() {
    let app = App::new();
    let client = ApiClient::of(&app);
    for (peer, forwarded) in [("203.0.113.7", "198.51.100.1"), ("10.0.0.1", "evil, 198.51.100.2")] {
        let mut request = client
            .request(Method::POST, "/auth/api/v1/login")
            .header(header::CONTENT_TYPE, "application/json")
            .header("x-forwarded-for", forwarded);
        request = request.extension(vestibule_portal::Peer(peer.parse().unwrap()));
        client.send(request.body(r#"{"identifier":"a","password":"b"}"#.into()).unwrap()).await;
    }
    let lines = heard();
    assert_eq!(lines.len(), 2);
    assert!(lines[0].ends_with("source.address=203.0.113.7"), "{}", lines[0]);
    assert!(lines[1].ends_with("source.address=198.51.100.2"), "{}", lines[1]);
}

/// What fails beside a login is told to the operator, and to nobody else.
#[tokio::test]
async fn what_fails_beside_a_login_is_a_line_and_no_answer() {
    let app = App::new();
    app.world.fails_beside.store(true, SeqCst);
    assert_eq!(Browser::of(&app).sign_in(ADA, PASSWORD).await.status, StatusCode::SEE_OTHER);
    let text = heard().join("\n");
    assert!(text.contains("ERROR vestibule::fault") && text.contains("it fails beside a login"), "{text}");
}
