//! What Ada does about her sessions, in a real browser: without any script of a page, from signing in to signing out; and being
//! remembered, as the engine keeps the cookie.

use std::time::Duration;

use crate::personas::{ADA, ApiClient, Chromium, Decoy, Door, PASSWORD, Scene};
use crate::world::Victim;

const NEW_PASSWORD: &str = "violet kettle mountain 12";

/// AU-12, SS-08: pages need no script, and that includes ending sessions.
#[test]
fn without_scripts_all_that_an_account_needs_can_be_done() {
    let scene = Scene::behind(Door::BuiltIn);
    let chromium = Chromium::without_scripts();
    // The control: a script that would say so does not run.
    let decoy = Decoy::start();
    decoy.serve(
        "/",
        "<title>still</title><script>document.title = 'ran'</script><noscript>no scripts</noscript>",
    );
    chromium.open(&format!("http://{}/", decoy.address));
    assert_eq!((chromium.title().as_str(), chromium.text().as_str()), ("still", "no scripts"));

    let url = |path: &str| format!("{}{path}", scene.origin);
    let sessions = || scene.vestibule.operator.json(&["session", "list"]).as_array().unwrap().len();
    let others: Vec<ApiClient> = (0..3).map(|_| scene.api_client()).collect();
    let open = || others.iter().filter(|client| client.get("/orders/").status == 200).count();
    chromium.open(&url("/auth/account"));
    chromium.sign_in(ADA, PASSWORD);
    chromium.wait_until("the account page", |page| page.title().starts_with("Your account"));
    assert_eq!((sessions(), open()), (4, 3));

    chromium.click("form[action='/auth/account/sessions/end'] button");
    chromium.wait_until("that one is signed out", |page| page.text().contains("That device is signed out."));
    assert_eq!((sessions(), open()), (3, 2), "the next request of it is refused");

    chromium.click("form[action='/auth/account/sessions/end-others'] button");
    chromium.wait_until("that all others are", |page| page.text().contains("This is the only one left."));
    assert_eq!((sessions(), open()), (1, 0));

    // A page of another tab that signs in meanwhile, and a password that changes.
    let late = scene.api_client();
    chromium.click("a[href='/auth/account/password']");
    chromium.wait_until("the page for it", |page| page.text().contains("Change password"));
    for (css, text) in [("#current", PASSWORD), ("#new", NEW_PASSWORD), ("#repeated", NEW_PASSWORD)] {
        chromium.fill_in(css, text);
    }
    chromium.click("button.primary");
    chromium.wait_until("that it is changed", |page| page.text().contains("Your password is changed."));
    assert_eq!(late.get("/orders/").status, 401, "all others end with the old password");
    assert_eq!(ApiClient::attempt(scene.front, ADA, PASSWORD).status, 401);
    chromium.open(&url("/orders/"));
    assert_eq!(chromium.text(), format!("hello {}", scene.subject), "and this one goes on");

    chromium.open(&url("/auth/account"));
    chromium.click("form[action='/auth/logout'] button");
    chromium.wait_until("that she is signed out", |page| page.text().contains("You are signed out"));
    assert_eq!(sessions(), 0);
    chromium.back();
    assert!(!chromium.text().contains("Where you are signed in"), "{}", chromium.text());
    chromium.open(&url("/orders/"));
    chromium.sign_in(ADA, NEW_PASSWORD);
    chromium.wait_until("her page", |page| page.text() == format!("hello {}", scene.subject));
}

/// CK-07: a remembered browser's cookie has an end, that of its session; any other has none. Both with all that keeps them safe.
#[test]
fn a_remembered_browser_keeps_its_cookie_for_as_long_as_the_session_may_live() {
    let victim = Victim::over_https();
    let chromium = Chromium::start();
    for is_remembered in [false, true] {
        chromium.open(&victim.url("/orders/"));
        if is_remembered {
            chromium.click("#remember");
        }
        chromium.sign_in(ADA, PASSWORD);
        chromium.wait_until("her page", |page| page.url() == victim.url("/orders/"));
        let cookies = chromium.cookies();
        let cookie = cookies.iter().find(|cookie| cookie.name == "__Host-Http-vestibule").unwrap();
        assert_eq!(
            (cookie.secure, cookie.http_only, cookie.path.as_deref()),
            (Some(true), Some(true), Some("/"))
        );
        assert_eq!(cookie.same_site, Some(thirtyfour::SameSite::Lax));
        let left = cookie.expiry.map(|expiry| {
            let now = chromium.script("return Math.floor(Date.now() / 1000)").as_u64().unwrap();
            Duration::from_secs(u64::try_from(expiry).unwrap() - now)
        });
        let day = Duration::from_secs(24 * 60 * 60);
        match left {
            None => assert!(!is_remembered, "{cookie:?}"),
            Some(left) => assert!(is_remembered && left > 29 * day && left <= 30 * day, "{left:?}"),
        }
        chromium.open(&victim.url("/auth/account"));
        assert_eq!(chromium.text().contains("remembered"), is_remembered, "{}", chromium.text());
        chromium.click("form[action='/auth/logout'] button");
        chromium.wait_until("that she is signed out", |page| page.text().contains("You are signed out"));
        let left = chromium.cookies();
        assert!(!left.iter().any(|cookie| cookie.name == "__Host-Http-vestibule"), "{left:?}");
    }
}
