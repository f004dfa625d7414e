//! Tokens that a browser holds in cookies, where the operator allows it: no script reads them, no service receives them, no other site
//! uses them, and they go with the session.

use serde_json::json;

use crate::personas::{ADA, Answer, Ask, Browser, Door, PASSWORD, Scene, Vestibule};

const ACCESS: &str = "vestibule_access";
const REFRESH: &str = "vestibule_refresh";

#[test]
fn through_nginx_a_browser_holds_tokens_that_nobody_else_gets() {
    a_page_works_with_tokens_in_cookies(Door::Nginx);
}

#[test]
fn through_caddy_a_browser_holds_tokens_that_nobody_else_gets() {
    a_page_works_with_tokens_in_cookies(Door::Caddy);
}

#[test]
fn through_haproxy_a_browser_holds_tokens_that_nobody_else_gets() {
    a_page_works_with_tokens_in_cookies(Door::HaProxy);
}

#[test]
fn through_the_built_in_door_a_browser_holds_tokens_that_nobody_else_gets() {
    a_page_works_with_tokens_in_cookies(Door::BuiltIn);
}

fn a_page_works_with_tokens_in_cookies(door: Door) {
    let mut scene = Scene::with(door, Vestibule::installed(), "", "[tokens]\ncookies = true");
    let mut browser = scene.browser();
    let token = sign_in(&mut browser);
    browser.plant("theme", "dark");
    assert_eq!(browser.script_sees(), "theme=dark", "nothing for scripts");
    let kept = |browser: &Browser, name: &str| browser.cookie(name).unwrap().clone();
    let (access, refresh) = (kept(&browser, ACCESS), kept(&browser, REFRESH));
    assert_eq!((access.same_site.as_str(), refresh.same_site.as_str()), ("Lax", "Strict"));

    // A route that does not say that it takes them does not.
    let refused = browser.fetch(Ask::get("/orders/7"));
    assert_eq!(refused.status, 401, "{refused:?}");
    take_token_cookies(&mut scene);
    let answer = browser.fetch(Ask::get("/orders/7"));
    assert_eq!(answer.status, 200, "{answer:?}");
    let received = scene.service.one();
    assert_eq!(received.claims.as_ref().unwrap()["sub"], scene.subject.as_str());
    assert_eq!(received.all("cookie"), ["theme=dark"], "ours go no further");
    assert!(!received.whole().contains(&access.value) && !received.whole().contains(&refresh.value));

    // They are sent by themselves, so what changes something needs a proof that our page asks.
    let form = Ask::post("/orders/new").form(&[("item", "tea")]);
    assert_eq!(browser.fetch(form.clone()).status, 403);
    let taken = browser.fetch(form.header("X-CSRF-Token", &token));
    assert_eq!(taken.status, 200, "{taken:?}");
    assert_eq!(scene.service.take().len(), 1);

    // One credential, not two.
    let two = browser.fetch(Ask::get("/orders/7").bearer(&access.value));
    assert_eq!(two.status, 403, "{two:?}");

    // The page asks for new ones, and nobody but the page can. The address for programs knows no cookies.
    let ask = Ask::post("/auth/api/v1/refresh");
    assert_eq!(
        (browser.fetch(ask.clone()).status, browser.fetch(ask.clone()).code().as_str()),
        (403, "csrf")
    );
    let programs = Ask::post("/auth/oauth/token").form(&[("grant_type", "refresh_token")]);
    assert_eq!(browser.fetch(programs).status, 400);
    assert_eq!(kept(&browser, REFRESH).value, refresh.value, "nothing was used up");
    let renewed = browser.fetch(ask.header("X-CSRF-Token", &token));
    assert_eq!(renewed.status, 200, "{renewed:?}");
    assert!(kept(&browser, ACCESS).value != access.value && kept(&browser, REFRESH).value != refresh.value);
    assert!(!renewed.text().contains("vrt_") && !renewed.text().contains("eyJ"), "{renewed:?}");
    assert_eq!(browser.fetch(Ask::get("/orders/7")).status, 200);
    assert_eq!(scene.service.take().len(), 1);

    // Signing out takes both back and ends the session: the JWT in the cookie opens nothing, though it has not expired.
    let out = browser.fetch(Ask::post("/auth/api/v1/logout").header("X-CSRF-Token", &token));
    assert_eq!(out.status, 204, "{out:?}");
    assert!(browser.cookie(ACCESS).is_none() && browser.cookie(REFRESH).is_none());
    let mut thief = scene.browser();
    thief.plant(ACCESS, &access.value);
    assert_eq!(thief.fetch(Ask::get("/orders/7")).status, 401);
    assert!(scene.service.take().is_empty());
}

/// What a browser was given before the operator changed their mind is nobody's here, and no service's either.
#[test]
fn where_browsers_are_given_none_what_they_still_hold_reaches_no_service() {
    for door in Door::ALL {
        let scene = Scene::behind(door);
        let mut browser = scene.signed_in();
        for (name, value) in [("theme", "dark"), (ACCESS, "a.b.c"), (REFRESH, "vrt_secret"), ("lang", "en")] {
            browser.plant(name, value);
        }
        for path in ["/orders/7", "/public/"] {
            assert_eq!(browser.fetch(Ask::get(path)).status, 200, "{door:?}");
            let received = scene.service.one();
            assert_eq!(received.all("cookie"), ["theme=dark; lang=en"], "{door:?}: {received:#?}");
        }
    }
}

/// What the API answers when the page has signed in: its CSRF token.
#[track_caller]
fn sign_in(browser: &mut Browser) -> String {
    let body = json!({"identifier": ADA, "password": PASSWORD, "mode": "token", "deliver": "cookie"});
    let answer: Answer = browser.fetch(Ask::post("/auth/api/v1/login").json(&body));
    assert_eq!(answer.status, 200, "{answer:?}");
    let text = answer.text();
    assert!(!text.contains("eyJ") && !text.contains("vrt_"), "in cookies alone: {text}");
    answer.json()["csrf_token"].as_str().unwrap().to_owned()
}

/// Has the routes take them, from a reload on.
pub(crate) fn take_token_cookies(scene: &mut Scene) {
    let file = &scene.vestibule.operator.config;
    let accept =
        "accept = [\"session-cookie\", \"session-header\", \"token-header\", \"token-cookie\"]\npath =";
    let routes = std::fs::read_to_string(file).unwrap().replace("path =", accept);
    std::fs::write(file, routes).unwrap();
    scene.vestibule.reload("were read anew");
}
