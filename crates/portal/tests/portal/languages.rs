//! Pages in the reader's language, programs in English, and an operator's texts as text.

use std::sync::Arc;

use axum::body::Body;
use http::{Method, header};
use vestibule_portal::texts::{TextFile, Texts};

use crate::app::{ADA, App, PASSWORD};
use crate::personas::{Answer, ApiClient, Browser, signed_in};

async fn asked(browser: &mut Browser, path: &str, accept_language: &str) -> Answer {
    let request = browser.request(Method::GET, path).header(header::ACCEPT_LANGUAGE, accept_language);
    browser.take(request.body(Body::empty()).unwrap()).await
}

/// Words between tags, for what a visitor reads.
fn read(page: &Answer) -> String {
    let body = page.body.split_once("<title>").unwrap().1;
    body.split('<').map(|piece| piece.split_once('>').map_or(piece, |(_, text)| text)).collect()
}

/// The whole way of a visitor: no page falls out of the language, errors and spans of time included.
#[tokio::test]
async fn every_page_is_in_the_readers_language() {
    let app = App::new();
    let mut stranger = Browser::of(&app);
    let mut ada = signed_in(&app, ADA, PASSWORD).await;
    let strangers =
        ["/auth/login", "/auth/login?done=registered", "/auth/register", "/auth/logout", "/auth/nothing"];
    let hers = [
        "/auth/account",
        "/auth/account?done=session-ended",
        "/auth/account?done=identifier-changed",
        "/auth/account/identifier",
        "/auth/account/password",
        "/auth/confirm?return_to=/orders",
        "/auth/logout",
        "/auth/login",
    ];
    for path in strangers.into_iter().chain(hers) {
        let browser = if hers.contains(&path) { &mut ada } else { &mut stranger };
        if path == "/auth/login" && browser.jar.is_empty() {
            continue;
        }
        let page = asked(browser, path, "de-DE,de;q=0.9,en;q=0.5").await;
        assert!(page.body.contains("<html lang=\"de\">"), "{path}");
        assert_eq!(page.header("content-language"), "de", "{path}");
        assert!(page.header("vary").contains("Accept-Language"), "{path}");
        let text = read(&page);
        for english in ["Sign", " you ", "You ", "password", "account", "ago", "seconds", " the "] {
            assert!(!text.contains(english), "{english} on {path}: {text}");
        }
        let page = asked(browser, path, "en").await;
        assert!(page.body.contains("<html lang=\"en\">"), "{path}");
        assert_eq!(page.header("content-language"), "en", "{path}");
    }
}

#[tokio::test]
async fn a_refused_form_answers_in_the_readers_language() {
    let app = App::new();
    let mut browser = Browser::of(&app);
    let token = browser.get("/auth/register").await.input("csrf_token").unwrap();
    let fields = format!("csrf_token={token}&identifier=n&new_password=x&repeated_password=x");
    let request = browser
        .request(Method::POST, "/auth/register")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header("sec-fetch-site", "same-origin")
        .header(header::ACCEPT_LANGUAGE, "de");
    let page = browser.take(request.body(Body::from(fields)).unwrap()).await;
    assert_eq!(page.status, 422);
    for german in
        ["Fehler: Konto erstellen", "Bitte wählen Sie ein anderes Passwort", "mindestens 15 Zeichen"]
    {
        assert!(page.body.contains(german), "{german}: {}", page.body);
    }
}

/// Programs match on codes, and people who debug them on English.
#[tokio::test]
async fn the_api_answers_in_english_whatever_is_asked() {
    let app = App::new();
    let client = ApiClient::of(&app);
    for path in ["/auth/api/v1/session", "/auth/nothing"] {
        let request = client.request(Method::GET, path).header(header::ACCEPT_LANGUAGE, "de");
        let answer = client.send(request.body(Body::empty()).unwrap()).await;
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.starts_with("This needs a session.") || detail.starts_with("The address"), "{detail}");
        assert!(!answer.headers.contains_key(header::CONTENT_LANGUAGE), "{path}");
    }
}

#[tokio::test]
async fn an_operators_text_is_text_wherever_it_stands() {
    let markup = "<script>alert(1)</script>\" autofocus onfocus=\"alert(2)";
    let files = ["login-title", "login-remember-hint", "logout-who", "problem-not-found-text"]
        .map(|id| format!("{id} = {markup}\n"))
        .concat();
    let file = TextFile { name: "en.ftl".to_owned(), language: "en".to_owned(), text: files };
    let app = App::saying(Arc::new(Texts::with(&[file], "en").unwrap()));
    let mut ada = signed_in(&app, ADA, PASSWORD).await;
    for (browser, path) in [
        (&mut Browser::of(&app), "/auth/login"),
        (&mut ada, "/auth/logout"),
        (&mut Browser::of(&app), "/auth/nothing"),
    ] {
        let page = browser.get(path).await;
        assert!(
            !page.body.contains("<script>") && !page.body.contains("onfocus=\""),
            "{path}: {}",
            page.body
        );
        assert!(page.body.contains("&#60;script&#62;"), "{path}");
    }
    assert!(ada.get("/auth/logout").await.body.contains(&format!("<strong class=\"who\">{ADA}</strong>")));
}
