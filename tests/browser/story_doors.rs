//! The usual arrangement in a real Chromium, through each door: a service's page is private, and stays so after signing out, in every
//! tab and behind the back button.

use crate::personas::{ADA, Chromium, Door, PASSWORD, Scene};

#[test]
fn through_nginx_a_private_page_is_gone_with_the_session_in_every_tab_and_behind_the_back_button() {
    a_private_page_is_gone_with_the_session(Door::Nginx);
}

#[test]
fn through_caddy_a_private_page_is_gone_with_the_session_in_every_tab_and_behind_the_back_button() {
    a_private_page_is_gone_with_the_session(Door::Caddy);
}

#[test]
fn through_the_built_in_door_a_private_page_is_gone_with_the_session_in_every_tab_and_behind_the_back_button()
{
    a_private_page_is_gone_with_the_session(Door::BuiltIn);
}

fn a_private_page_is_gone_with_the_session(door: Door) {
    let scene = Scene::behind(door);
    let chromium = Chromium::start();
    let url = |path: &str| format!("{}{path}", scene.origin);
    let hello = format!("hello {}", scene.subject);
    let shows_login = |page: &Chromium| page.url().starts_with(&url("/auth/login"));

    // Sent to sign in, and back to where they wanted to go, query and all.
    chromium.open(&url("/orders/7?page=2&q=a+b%26c"));
    assert!(shows_login(&chromium), "{}", chromium.url());
    chromium.sign_in(ADA, PASSWORD);
    chromium.wait_until("the page that was asked for", |page| page.text() == hello);
    assert_eq!(chromium.url(), url("/orders/7?page=2&q=a+b%26c"));
    assert_eq!(chromium.script("return document.cookie"), "");

    // The service says nothing about caching. It is a page of Ada's all the same, and no cache may keep it.
    let first = chromium.tab();
    chromium.new_tab();
    chromium.open(&url("/orders/8"));
    assert_eq!(chromium.text(), hello);
    chromium.open(&url("/auth/logout"));
    chromium.click("button.primary");
    chromium.wait_until("that she is signed out", |page| page.text().contains("You are signed out"));
    scene.service.take();
    chromium.back();
    if !shows_login(&chromium) {
        // The page that asked, before the one that says so.
        assert!(chromium.url().starts_with(&url("/auth/logout")), "{}", chromium.url());
        chromium.back();
    }
    chromium.wait_until("the login page", shows_login);

    chromium.switch_to(&first);
    let asked = chromium.awaited("return (await fetch('/orders/9')).status");
    assert_eq!(asked, 401, "a script of the other tab's page");
    chromium.script("location.reload()");
    chromium.wait_until("the login page", shows_login);
    assert!(scene.service.take().is_empty(), "the service hears of none of it");
}

/// Caddy leaves an empty `Set-Cookie` where a service tried to set a cookie of ours: it changes nothing in a real browser.
#[test]
fn behind_caddy_a_service_sets_its_own_cookies_alone() {
    let scene = Scene::behind(Door::Caddy);
    let chromium = Chromium::start();
    let url = |path: &str| format!("{}{path}", scene.origin);
    chromium.open(&url("/orders/7"));
    chromium.sign_in(ADA, PASSWORD);
    let hello = format!("hello {}", scene.subject);
    chromium.wait_until("the page that was asked for", |page| page.text() == hello);
    let session = chromium.session_cookie().unwrap().value;
    scene.service.answer_with(&[
        ("Set-Cookie", "first=1; Path=/"),
        ("Set-Cookie", "vestibule=tossed; Path=/; HttpOnly"),
        ("Set-Cookie", "=vestibule=tossed; Path=/"),
        ("Set-Cookie", "vestibule=; Path=/; Max-Age=0"),
        ("Set-Cookie", "last=1; Path=/"),
    ]);
    let before = chromium.cookies().len();
    chromium.open(&url("/orders/8"));
    assert_eq!(chromium.script("return document.cookie"), "first=1; last=1");
    assert_eq!(chromium.cookies().len(), before + 2, "{:?}", chromium.cookies());
    assert_eq!(chromium.session_cookie().unwrap().value, session);
    chromium.open(&url("/orders/9"));
    assert_eq!(chromium.text(), hello);
}
