//! The life of a session as its holder sees it: it is new at every sign-in, follows what is known of its account, and ends when its
//! holder says so. How it ages is told in `story_ageing`.

use crate::personas::{ADA, Ask, Browser, Door, PASSWORD, Scene};

fn session(browser: &Browser) -> String {
    browser.cookie("vestibule").unwrap().value.clone()
}

/// With a cookie that somebody holds, as that somebody.
fn replayed(scene: &Scene, session: &str) -> u16 {
    Ask::get("/orders/").header("Cookie", format!("vestibule={session}")).send(scene.front).status
}

/// SS-03: who plants a cookie in a browser does not hold the session that is opened there.
#[test]
fn a_session_planted_by_somebody_else_is_not_the_one_that_signing_in_opens() {
    let scene = Scene::behind(Door::Nginx);
    let mallory = "mallory@example.com";
    scene.vestibule.operator.add_account(mallory);
    let mut attacker = scene.browser();
    attacker.sign_in("/auth/login", mallory, PASSWORD);

    // One that we never issued, and one that is the attacker's own.
    for planted in ["A".repeat(43), session(&attacker)] {
        let mut victim = scene.browser();
        victim.plant("vestibule", &planted);
        let login = victim.open("/auth/login");
        // The attacker's own session is shown as theirs; the victim signs out of it first, as anyone would.
        let login = if login.text().contains(mallory) {
            let page = victim.sign_out();
            assert_eq!(page.answer.status, 200, "{:?}", page.answer);
            victim.open("/auth/login")
        } else {
            login
        };
        victim.submit(&login, "/auth/login", &[("identifier", ADA), ("password", PASSWORD)]);
        assert_eq!(victim.look("/orders/").text(), format!("hello {}", scene.subject));
        assert_ne!(session(&victim), planted);
        assert_eq!(replayed(&scene, &planted), 401, "what was planted opens nothing");
    }
}

/// SS-03: signing in where somebody is signed in replaces that session, also when the page was loaded before.
#[test]
fn signing_in_again_ends_the_session_it_replaces() {
    let scene = Scene::behind(Door::BuiltIn);
    let mut browser = scene.browser();
    let body = serde_json::json!({"identifier": ADA, "password": PASSWORD});
    let mut sign_in = || {
        assert_eq!(browser.fetch(Ask::post("/auth/api/v1/login").json(&body)).status, 200);
        session(&browser)
    };
    let (first, second) = (sign_in(), sign_in());
    assert_ne!(first, second);
    assert_eq!((replayed(&scene, &first), replayed(&scene, &second)), (401, 200));
    assert_eq!(scene.vestibule.operator.json(&["session", "list"]).as_array().unwrap().len(), 1);
}

/// HX-05: the JWT that was kept says what is true now, from the next request on.
#[test]
fn what_changes_about_an_account_is_in_the_next_jwt() {
    let scene = Scene::behind(Door::Caddy);
    let mut browser = scene.signed_in();
    let mut department = || {
        assert_eq!(browser.look("/orders/").status, 200);
        let received = scene.service.one();
        let plain = received.all("x-auth-department").join(",");
        (received.claims.unwrap()["department"].as_str().map(str::to_owned), plain)
    };
    assert_eq!(department(), (Some("R&D".into()), "R&D".into()));
    let set = |traits: &str| scene.vestibule.operator.ok(&["account", "set", ADA, "--traits", traits], "");
    set(r#"{"department":"Ops"}"#);
    assert_eq!(department(), (Some("Ops".into()), "Ops".into()));
    // Nothing known is nothing told: not the old value, and not the client's.
    set("{}");
    let (claim, plain) = department();
    assert_eq!((claim, plain.as_str()), (None, ""));
}

/// SS-06: signing out twice is signing out; and a page that was left open is asked to sign in again, kindly.
#[test]
fn signing_out_twice_or_from_another_tab_is_signing_out() {
    let scene = Scene::behind(Door::Nginx);
    let mut browser = scene.signed_in();
    let (one_tab, another) = (browser.open("/auth/account"), browser.open("/auth/logout"));
    for tab in [one_tab, another] {
        let page = browser.submit(&tab, "/auth/logout", &[]);
        assert_eq!(page.answer.status, 200, "{:?}", page.answer);
        assert!(browser.cookie("vestibule").is_none());
    }
    let client = scene.api_client();
    assert_eq!((client.sign_out().status, client.sign_out().status), (204, 204));
    assert_eq!(browser.open("/auth/account").path.split('?').next(), Some("/auth/login"));
}
