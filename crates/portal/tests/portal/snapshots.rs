//! The pages and answers as they leave, heads included, in checked-in files: a change of any byte is seen and reviewed.

use std::fmt::Write;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use crate::app::{ADA, App, PASSWORD};
use crate::personas::{Answer, ApiClient, Browser};

/// An answer as text: what is random is named instead, and the names of stylesheet and script do not make every page change.
fn shown(answer: &Answer) -> String {
    let mut text = format!("{}\n", answer.status);
    let mut lines: Vec<String> =
        answer.headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
    lines.sort();
    for line in lines {
        writeln!(text, "{line}").unwrap();
    }
    write!(text, "\n{}", answer.body).unwrap();
    if let Some(secret) = answer.input("csrf_token") {
        text = text.replace(&secret, "[csrf token]");
    }
    for line in answer.set_cookies() {
        let value = &line[line.find('=').unwrap() + 1..line.find(';').unwrap()];
        if !value.is_empty() {
            text = text.replace(value, "[secret]");
        }
    }
    let mut parts = text.split("/auth/static/portal-");
    let before = parts.next().unwrap().to_owned();
    parts.fold(before, |text, after| format!("{text}/auth/static/portal-[hash]{}", &after[16..]))
}

#[tokio::test]
async fn pages() {
    let app = App::new();
    let mut browser = Browser::of(&app);
    insta::assert_snapshot!("login", shown(&browser.get("/auth/login?return_to=/orders").await));
    insta::assert_snapshot!("login_refused", shown(&browser.sign_in(ADA, "wrong").await));
    let expired = browser.post("/auth/login", &[("identifier", ADA)]).await;
    insta::assert_snapshot!("login_expired", shown(&expired));
    insta::assert_snapshot!("login_done", shown(&browser.sign_in(ADA, PASSWORD).await));
    app.world.advance(Duration::from_secs(90 * 60 / 4));
    let mut other = Browser::of(&app);
    other.user_agent = "OurApp/1.0";
    other.sign_in(ADA, PASSWORD).await;
    insta::assert_snapshot!("account", shown(&browser.get("/auth/account").await));
    insta::assert_snapshot!("signed_in", shown(&browser.get("/auth/login?return_to=/orders").await));
    let asked = browser.get("/auth/logout?return_to=/orders").await;
    insta::assert_snapshot!("logout", shown(&asked));
    let token = asked.input("csrf_token").unwrap();
    insta::assert_snapshot!(
        "logout_done",
        shown(&browser.post("/auth/logout", &[("csrf_token", &token)]).await)
    );
    insta::assert_snapshot!("signed_out", shown(&browser.get("/auth/logout").await));
    insta::assert_snapshot!("not_found", shown(&browser.get("/auth/nothing").await));
    insta::assert_snapshot!("register", shown(&browser.get("/auth/register?return_to=/orders").await));
    browser.sign_in(ADA, PASSWORD).await;
    insta::assert_snapshot!("account_told", shown(&browser.get("/auth/account?done=session-ended").await));
    insta::assert_snapshot!("identifier", shown(&browser.get("/auth/account/identifier").await));
    insta::assert_snapshot!("password", shown(&browser.get("/auth/account/password").await));
    insta::assert_snapshot!("confirm", shown(&browser.get("/auth/confirm?return_to=/orders").await));
    app.world.advance(Duration::from_secs(601));
    let token = browser.get("/auth/account").await.input("csrf_token").unwrap();
    let asked = browser.post("/auth/account/sessions/end-others", &[("csrf_token", &token)]).await;
    insta::assert_snapshot!("confirm_first", shown(&asked));
    browser.jar.clear();
    app.world.hasher_is_full.store(true, SeqCst);
    insta::assert_snapshot!("login_overloaded", shown(&browser.sign_in(ADA, PASSWORD).await));
}

#[tokio::test]
async fn api() {
    let app = App::new();
    let mut client = ApiClient::of(&app);
    let refused = client.post("/auth/api/v1/login", r#"{"identifier":"a","password":"b"}"#).await;
    insta::assert_snapshot!("api_login_refused", shown(&refused));
    let body = format!(r#"{{"identifier":"{ADA}","password":"{PASSWORD}","deliver":"body"}}"#);
    let opened = client.post("/auth/api/v1/login", &body).await;
    let token = opened.json()["session_token"].as_str().unwrap().to_owned();
    insta::assert_snapshot!("api_login", shown(&opened).replace(&token, "[session token]"));
    client.bearer = Some(token);
    insta::assert_snapshot!("api_session", shown(&client.get("/auth/api/v1/session").await));
    insta::assert_snapshot!("api_sessions", shown(&client.get("/auth/api/v1/sessions").await));
    insta::assert_snapshot!("api_logout", shown(&client.post("/auth/api/v1/logout", "{}").await));
    app.world.is_down.store(true, SeqCst);
    insta::assert_snapshot!("api_unavailable", shown(&client.get("/auth/api/v1/session").await));
}
