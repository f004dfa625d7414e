//! The pages for what a proxy or the gateway could not answer.

use axum::body::Body;
use http::{Method, header};
use vestibule_portal::theme::{Links, Theme};

use crate::app::{ADA, App, PASSWORD};
use crate::personas::{Answer, ApiClient, Browser, signed_in};

const STATUSES: [u16; 14] = [400, 403, 404, 405, 408, 413, 414, 421, 429, 431, 500, 502, 503, 504];

async fn asked(app: &App, status: &str, accept: &str, language: &str) -> Answer {
    let client = ApiClient::of(app);
    let request = client
        .request(Method::GET, &format!("/auth/error/{status}"))
        .header(header::ACCEPT, accept)
        .header(header::ACCEPT_LANGUAGE, language);
    client.send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn every_status_has_a_page_with_human_words_in_both_languages() {
    let app = App::new();
    for status in STATUSES {
        let english = asked(&app, &status.to_string(), "text/html", "en").await;
        let german = asked(&app, &status.to_string(), "text/html", "de").await;
        for (page, language, back) in [(&english, "en", "Back"), (&german, "de", "Zurück")] {
            assert_eq!(page.status, status);
            assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
            assert_eq!(page.header("content-language"), language);
            assert_eq!(page.header("cache-control"), "no-store");
            assert!(
                page.body.contains(&format!("<a class=\"button\" href=\"/\">{back}</a>")),
                "{}",
                page.body
            );
            // Words for operators.
            for word in ["upstream", "gateway", "Gateway", "proxy", "route", "X-CSRF"] {
                assert!(!page.body.contains(word), "{status} says {word}");
            }
        }
        assert_ne!(english.body, german.body);
        let may_help = !matches!(status, 404 | 405 | 413 | 414);
        assert_eq!(english.body.contains("href=\"\">Reload</a>"), may_help, "{status}");
    }
}

/// A program gets the document that it knows; what is no status of a proxy is no page.
#[tokio::test]
async fn programs_get_a_problem_and_other_numbers_nothing() {
    let app = App::new();
    for status in STATUSES {
        let answer = asked(&app, &status.to_string(), "*/*", "de").await;
        assert_eq!((answer.status.as_u16(), &*answer.code()), (status, "proxy"));
    }
    for other in ["200", "302", "401", "418", "999", "0", "503x", "-1", "%3Cb%3E", "70000"] {
        let answer = asked(&app, other, "text/html", "en").await;
        assert_eq!(answer.status, 404, "{other}");
        assert!(!answer.body.contains("<b>"), "{other}: {}", answer.body);
    }
}

/// It is shown to anybody, whatever cookies come: no session is looked at, and nothing of the request is shown.
#[tokio::test]
async fn nobody_is_known_there_and_nothing_is_repeated() {
    let app = App::new();
    let mut ada = signed_in(&app, ADA, PASSWORD).await;
    let plain = asked(&app, "503", "text/html", "en").await;
    app.world.is_down.store(true, std::sync::atomic::Ordering::SeqCst);
    let hers = ada.get("/auth/error/503?return_to=/secret&x=%3Cscript%3E").await;
    assert_eq!((hers.status.as_u16(), &hers.body), (503, &plain.body));
    assert!(hers.set_cookies().is_empty());
}

#[tokio::test]
async fn pages_lead_to_the_application_and_below_to_what_is_configured() {
    let links = Links {
        help: Some("/help?a=1&b=2".to_owned()),
        privacy: Some("https://www.example.com/privacy".to_owned()),
        imprint: None,
    };
    let theme =
        Theme::new("Orchard".to_owned(), None, None).with_links("https://shop.example/".to_owned(), links);
    let app = App::looking_like(theme);
    for path in ["/auth/login", "/auth/nothing", "/auth/error/404"] {
        let page = Browser::of(&app).get(path).await;
        assert!(page.body.contains("<a class=\"brand\" href=\"https://shop.example/\">"), "{}", page.body);
        assert!(page.body.contains("<a href=\"/help?a=1&#38;b=2\">Help</a>"), "{}", page.body);
        assert!(page.body.contains("<a href=\"https://www.example.com/privacy\">Privacy</a>"), "{path}");
        assert!(!page.body.contains("Imprint"), "{path}");
    }
    assert!(!Browser::of(&App::new()).get("/auth/login").await.body.contains("<footer"));
}
