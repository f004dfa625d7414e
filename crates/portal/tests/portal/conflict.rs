//! CK-04: cookies that contradict each other. Nobody is signed in with them, no session is left behind, and there is a way out.

use http::{Method, StatusCode, header};

use crate::app::{ADA, App, PASSWORD};
use crate::personas::{Answer, Browser, with_form};

const SESSION: &str = "__Host-Http-vestibule";

/// Sends a form with exactly these cookies.
async fn post(app: &App, path: &str, lines: &[String], fields: &[(&str, &str)]) -> Answer {
    let mut request = Browser::of(app).request(Method::POST, path).header("sec-fetch-site", "same-origin");
    for line in lines {
        request = request.header(header::COOKIE, line);
    }
    Browser::of(app).take(with_form(request, fields)).await
}

/// In either order, split over lines, and as a look-alike.
fn conflicts(good: &str, other: &str) -> Vec<Vec<String>> {
    vec![
        vec![format!("{SESSION}={good}; {SESSION}={other}")],
        vec![format!("{SESSION}={other}; {SESSION}={good}")],
        vec![format!("{SESSION}={good}"), format!("{SESSION}={good}")],
        vec![format!("__host-http-vestibule={other}; {SESSION}={good}")],
        vec![format!("{SESSION}={good}; =__Host-Http-vestibule={other}")],
        vec![format!("..Host-Http-vestibule={other}; {SESSION}={good}")],
    ]
}

#[tokio::test]
async fn conflicting_cookies_lead_to_a_page_with_a_way_out() {
    let app = App::new();
    let mut browser = Browser::of(&app);
    browser.sign_in(ADA, PASSWORD).await;
    let good = browser.jar[SESSION].clone();
    let other = "B".repeat(42) + "A";
    for lines in conflicts(&good, &other) {
        for page in
            ["/auth/login?return_to=/orders%23x", "/auth/account", "/auth/logout?return_to=/orders%23x"]
        {
            let mut request = Browser::of(&app).request(Method::GET, page);
            for line in &lines {
                request = request.header(header::COOKIE, line);
            }
            let answer = Browser::of(&app).take(request.body(axum::body::Body::empty()).unwrap()).await;
            // A GET changes nothing, and what is taken back without being ended is never ended.
            assert!(answer.set_cookies().is_empty(), "{page} {lines:?}");
            if page != "/auth/account" {
                assert_eq!(answer.status, StatusCode::FORBIDDEN, "{lines:?}");
                assert!(answer.body.contains("conflicting cookies"), "{}", answer.body);
                assert!(answer.body.contains("action=\"/auth/cookies/delete\""));
                assert_eq!(answer.input("return_to").as_deref(), Some("/orders#x"));
            }
        }
        assert_eq!(app.world.sessions_held().len(), 1);
    }
}

/// "You are signed out" would be no true word of a session that cannot be told from another; the cookie would go, and the session stay.
#[tokio::test]
async fn signing_out_of_conflicting_cookies_is_left_to_the_way_out() {
    let app = App::new();
    let mut browser = Browser::of(&app);
    browser.sign_in(ADA, PASSWORD).await;
    let good = browser.jar[SESSION].clone();
    let token = browser.get("/auth/account").await.input("csrf_token").unwrap();
    for lines in conflicts(&good, &("B".repeat(42) + "A")) {
        let answer =
            post(&app, "/auth/logout", &lines, &[("csrf_token", &token), ("return_to", "/orders#x")]).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{lines:?}");
        assert!(answer.body.contains("action=\"/auth/cookies/delete\""), "{}", answer.body);
        assert_eq!(answer.input("return_to").as_deref(), Some("/orders#x"));
        assert!(answer.set_cookies().is_empty(), "{lines:?}");
        assert_eq!(app.world.sessions_held().len(), 1);
    }
}

/// What binds a form to its browser can be tossed as well: who typed a password into a form that cannot be sent would type it twice.
#[tokio::test]
async fn a_form_that_could_not_be_sent_is_not_shown() {
    let app = App::new();
    for tossed in ["..Host-Http-vestibule_pre=1", "__Host-Http-vestibule_pre=1; __Host-Http-vestibule_pre=2"]
    {
        for page in ["/auth/login?return_to=/orders", "/auth/register?return_to=/orders"] {
            let request = Browser::of(&app).request(Method::GET, page).header(header::COOKIE, tossed);
            let answer = Browser::of(&app).take(request.body(axum::body::Body::empty()).unwrap()).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{page} {tossed}");
            assert_eq!(answer.input("return_to").as_deref(), Some("/orders"));
            assert!(!answer.body.contains("type=\"password\""), "{page} {tossed}");
        }
    }
    // It is no matter to who is signed in.
    let mut browser = Browser::of(&app);
    browser.sign_in(ADA, PASSWORD).await;
    browser.jar.insert("..Host-Http-vestibule_pre".to_owned(), "1".to_owned());
    assert_eq!(browser.get("/auth/login").await.status, StatusCode::OK);
}

/// A browser that comes back with them could not use its session, and nobody would end it.
#[tokio::test]
async fn no_session_is_opened_for_a_browser_that_could_not_use_it() {
    let app = App::new();
    let mut browser = Browser::of(&app);
    let token = browser.get("/auth/login").await.input("csrf_token").unwrap();
    let pre = format!("__Host-Http-vestibule_pre={}", browser.jar["__Host-Http-vestibule_pre"]);
    let fields = [("csrf_token", &*token), ("identifier", ADA), ("password", PASSWORD)];
    for tossed in [
        "__host-http-vestibule=1",
        "__Host-Http-vestibule[]=1",
        "__Host-Http-vestibule=1; __Host-Http-vestibule=2",
    ] {
        let answer = post(&app, "/auth/login", &[format!("{pre}; {tossed}")], &fields).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{tossed}");
        assert!(answer.body.contains("/auth/cookies/delete"), "{}", answer.body);
        let body = format!(r#"{{"identifier":"{ADA}","password":"{PASSWORD}"}}"#);
        let request = Browser::of(&app)
            .request(Method::POST, "/auth/api/v1/login")
            .header(header::COOKIE, tossed)
            .header(header::CONTENT_TYPE, "application/json");
        let answer = Browser::of(&app).take(request.body(body.into()).unwrap()).await;
        assert_eq!((answer.status, &*answer.code()), (StatusCode::UNAUTHORIZED, "cookie-ambiguous"));
    }
    assert!(app.world.sessions_held().is_empty());
    // What is not to be mistaken for ours is no reason.
    let ordinary = format!("{pre}; hosthttpvestibule=1");
    assert_eq!(post(&app, "/auth/login", &[ordinary], &fields).await.status, StatusCode::SEE_OTHER);
    assert_eq!(app.world.sessions_held().len(), 1);
}

#[tokio::test]
async fn the_way_out_ends_all_sessions_and_deletes_all_cookies() {
    let app = App::new();
    let signed_in = async |identifier| {
        let mut browser = Browser::of(&app);
        browser.sign_in(identifier, PASSWORD).await;
        browser.jar[SESSION].clone()
    };
    let fields = [("return_to", "/orders?a=1#b")];
    for index in 0..conflicts("", "").len() {
        let (ada, bob) = (signed_in(ADA).await, signed_in("bob@example.com").await);
        let lines = conflicts(&ada, &bob).remove(index);
        let answer = post(&app, "/auth/cookies/delete", &lines, &fields).await;
        let location = "/auth/login?return_to=/orders%3Fa%3D1%23b&done=cookies-deleted";
        assert_eq!(
            (answer.status, answer.header("location")),
            (StatusCode::SEE_OTHER, location),
            "{lines:?}"
        );
        assert_eq!(answer.header("clear-site-data"), "\"cookies\"");
        let gone = format!("{SESSION}=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0");
        assert!(answer.set_cookies().contains(&&*gone));
        // All that stood under our own name has ended; a look-alike is no credential, and names no session.
        let mut thief = Browser::of(&app);
        thief.jar.insert(SESSION.to_owned(), ada);
        assert_eq!(thief.get("/auth/account").await.status, StatusCode::SEE_OTHER, "{lines:?}");
        thief.jar.insert(SESSION.to_owned(), bob);
        let is_exact = lines.join("; ").matches(&format!("{SESSION}=")).count() == 2 && index < 2;
        let status = thief.get("/auth/account").await.status;
        assert_eq!(status == StatusCode::SEE_OTHER, is_exact, "{lines:?}");
    }
}

/// It would sign the browser out of the whole domain.
#[tokio::test]
async fn another_site_deletes_no_cookies() {
    let app = App::new();
    let mut browser = Browser::of(&app);
    browser.sign_in(ADA, PASSWORD).await;
    for headers in [
        &[][..],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
        &[("origin", "https://evil.test")],
        &[("origin", "null")],
    ] {
        let mut request = browser.request(Method::POST, "/auth/cookies/delete");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = Browser::of(&app).take(with_form(request, &[])).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{headers:?}");
        assert!(!answer.headers.contains_key("clear-site-data") && answer.set_cookies().is_empty());
    }
    assert_eq!(app.world.sessions_held().len(), 1);
    assert_eq!(browser.get("/auth/cookies/delete").await.status, StatusCode::METHOD_NOT_ALLOWED);
}
