//! Cookie tossing: a sibling host plants cookies with Mallory's session in Ada's browser, under our cookie's name and all that could
//! pass for it. Whether the browser refuses them or we do: nobody ever acts in Mallory's session without knowing.

use crate::personas::{ADA, Chromium, PASSWORD};
use crate::world::{Attacker, MALLORY, Victim};

const OURS: &str = "__Host-Http-vestibule";

/// Cookies that a sibling host sets for its siblings too, with somebody else's session as their value.
fn tossed(session: &str) -> Vec<String> {
    let lower = OURS.to_lowercase();
    let upper = OURS.to_uppercase();
    let mut all: Vec<String> = [OURS, &lower, &upper, "__Host-vestibule", "__Secure-vestibule", "vestibule"]
        .iter()
        .chain(&["hosthttpvestibule", "__Host-Http-vestibule_pre", "vestibule_pre", "__Http-vestibule"])
        .map(|name| format!("{name}={session}; Domain=app.test; Path=/; Secure; HttpOnly"))
        .collect();
    // A longer path is sent first; a nameless cookie is sent as its bare value.
    all.push(format!("{OURS}={session}; Domain=app.test; Path=/orders; Secure; HttpOnly"));
    all.push(format!("vestibule={session}; Domain=app.test; Path=/orders; Secure"));
    all.push(format!("={OURS}={session}; Domain=app.test; Path=/; Secure"));
    all.push(format!("{OURS}={session}; Domain=app.test; Path=/auth; Secure"));
    all
}

/// Cookies that a browser keeps for all hosts of a domain, and that PHP or Rack would take for ours.
fn look_alikes(session: &str) -> Vec<String> {
    ["%5F_Host-Http-vestibule", "..Host-Http-vestibule"]
        .map(|name| format!("{name}={session}; Domain=app.test; Path=/; Secure; HttpOnly"))
        .to_vec()
}

/// The same by a script.
fn toss_by_script(cookies: &[String]) -> String {
    let assign = |cookie: &String| {
        format!("document.cookie = {};", serde_json::json!(cookie.replace("; HttpOnly", "")))
    };
    format!("<script>{}</script>", cookies.iter().map(assign).collect::<String>())
}

/// A sibling host that has tossed all it could at the browser.
fn toss(victim: &Victim, session: &str, cookies: &[String], chromium: &Chromium) {
    let attacker = Attacker::over_https(&victim.origin, cookies);
    let page = attacker.page("sub.app.test", "/toss", &toss_by_script(cookies));
    chromium.open(&page);
    let arrived = chromium.cookies();
    assert!(arrived.iter().any(|cookie| cookie.value == session), "nothing was tossed at all: {arrived:?}");
}

#[test]
fn tossed_cookies_do_not_move_a_signed_in_browser_to_another_session() {
    let victim = Victim::over_https();
    let chromium = Chromium::start();
    let session = victim.mallorys_cookie();
    victim.sign_in(&chromium);
    toss(&victim, &session, &tossed(&session), &chromium);

    let received = victim.look(&chromium);
    assert!(!received.is_empty());
    for page in received {
        assert!(!page.whole().contains(&session), "the service got what was tossed: {page:?}");
    }
    victim.is_adas(&chromium);
    // What Ada signs out of is her own session.
    chromium.open(&victim.url("/auth/logout"));
    assert!(chromium.text().contains(ADA), "{}", chromium.text());
    chromium.click("button.primary");
    chromium.wait_until("that she is signed out", |page| page.text().contains("You are signed out"));
    assert_eq!((victim.sessions_of(ADA), victim.sessions_of(MALLORY)), (0, 1));
}

#[test]
fn tossed_cookies_do_not_sign_a_stranger_in() {
    let victim = Victim::over_https();
    let chromium = Chromium::start();
    let session = victim.mallorys_cookie();
    toss(&victim, &session, &tossed(&session), &chromium);
    victim.is_a_strangers(&chromium);
    // And they do not keep Ada from signing in.
    victim.sign_in(&chromium);
}

/// CK-04: what some parser takes for ours is refused, and one button deletes it. The session that it got in the way of ends.
#[test]
fn a_look_alike_that_the_browser_keeps_has_a_way_out() {
    let victim = Victim::over_https();
    let chromium = Chromium::start();
    let session = victim.mallorys_cookie();
    for is_signed_in in [true, false] {
        if is_signed_in {
            victim.sign_in(&chromium);
            victim.service.take();
        }
        toss(&victim, &session, &look_alikes(&session), &chromium);
        victim.is_a_strangers(&chromium);
        assert!(chromium.text().contains("conflicting cookies"), "{}", chromium.text());
        let received = victim.service.take();
        // A browser asks for the icon of a page that it has when it likes.
        let got_through = received.iter().any(|received| !received.line.starts_with("GET /favicon.ico "));
        assert!(!got_through, "nobody got through to the service: {received:?}");
        chromium.click("button.primary");
        chromium.wait_until("the login form", |page| page.text().contains("Email or username"));
        assert_eq!(victim.sessions_of(ADA), 0, "what cannot be used has ended");
        chromium.sign_in(ADA, PASSWORD);
        chromium.wait_until("the page that was asked for", |page| page.url() == victim.url("/orders/"));
        victim.is_adas(&chromium);
        assert_eq!((victim.sessions_of(ADA), victim.sessions_of(MALLORY)), (1, 1));
        chromium.open(&victim.url("/auth/logout"));
        chromium.click("button.primary");
        chromium.wait_until("that she is signed out", |page| page.text().contains("You are signed out"));
    }
}

/// The cookie as the browser keeps it over https: bound to this host, out of reach of scripts and of siblings.
#[test]
fn over_https_the_cookie_has_the_prefix_that_browsers_enforce() {
    let victim = Victim::over_https();
    let chromium = Chromium::start();
    victim.sign_in(&chromium);
    let cookie = chromium.session_cookie().unwrap();
    assert_eq!((cookie.name.as_str(), cookie.value.len()), (OURS, 43));
    assert_eq!((cookie.secure, cookie.http_only), (Some(true), Some(true)));
    assert_eq!((cookie.same_site, cookie.path.as_deref()), (Some(thirtyfour::SameSite::Lax), Some("/")));
    assert_eq!((cookie.domain.as_deref(), cookie.expiry), (Some("app.test"), None));
    assert_eq!(chromium.script("return document.cookie"), "");

    let attacker = Attacker::over_https(&victim.origin, &[]);
    chromium.open(&attacker.page("sub.app.test", "/", ""));
    assert!(chromium.cookies().is_empty(), "a sibling host is sent nothing of it");
}

/// A sibling host sets a cookie for all hosts of the domain; it is seen to have arrived.
fn toss_one(victim: &Victim, name: &str, value: &str, chromium: &Chromium) {
    let cookie = format!("{name}={value}; Domain=app.test; Path=/; Secure; Max-Age=86400");
    let attacker = Attacker::over_https(&victim.origin, &[cookie]);
    chromium.open(&attacker.page("sub.app.test", "/toss", ""));
    assert!(chromium.cookies().iter().any(|cookie| cookie.name == name), "{name} was not tossed");
}

/// CK-04. Browsers keep `hosthttpvestibule` as any cookie, for as long as they are told to, and no parser takes it for ours.
#[test]
fn an_ordinary_cookie_of_a_sibling_host_locks_nobody_out() {
    let victim = Victim::over_https();
    let chromium = Chromium::start();
    for ordinary in ["hosthttpvestibule", "__Host_Http_vestibule"] {
        toss_one(&victim, ordinary, "1", &chromium);
    }
    victim.sign_in(&chromium);
    victim.is_adas(&chromium);
    let all = chromium.cookies();
    assert!(all.iter().any(|cookie| cookie.name == "hosthttpvestibule"), "it stays: {all:?}");
    assert_eq!(victim.sessions_of(ADA), 1);
    // Nor when it comes to one who is signed in.
    let chromium = Chromium::start();
    victim.sign_in(&chromium);
    toss_one(&victim, "hosthttpvestibule", "1", &chromium);
    victim.is_adas(&chromium);
}

/// The button would sign Ada out of the whole domain: no other site can press it. And what cannot be told is not said to be signed out.
#[test]
fn no_other_site_has_the_cookies_deleted() {
    let victim = Victim::over_https();
    let attacker = Attacker::over_https(&victim.origin, &[]);
    let chromium = Chromium::start();
    let session = victim.mallorys_cookie();
    // CGI.pm takes it for ours: a comma parts cookies there.
    let look_alike = "theme,__Host-Http-vestibule";
    let names = || chromium.cookies().into_iter().map(|cookie| cookie.name).collect::<Vec<_>>();
    victim.sign_in(&chromium);
    for is_tossed in [false, true] {
        if is_tossed {
            toss_one(&victim, look_alike, &session, &chromium);
        }
        for host in ["sub.app.test", "evil.test"] {
            for html in deletions(&victim) {
                let before = victim.refusals();
                chromium.open(&attacker.page(host, "/delete", &html));
                victim.wait_until("a refusal of what another site asks for", |it| it.refusals() > before);
            }
        }
        if !is_tossed {
            victim.is_adas(&chromium);
        }
    }
    chromium.open(&victim.url("/auth/logout"));
    assert!(chromium.text().contains("conflicting cookies"), "{}", chromium.text());
    assert_eq!(victim.sessions_of(ADA), 1, "that session is open still");
    chromium.open(&victim.url("/orders/7?a=1"));
    assert!(chromium.url().starts_with(&victim.url("/auth/login")), "{}", chromium.url());
    assert!([OURS, look_alike].iter().all(|name| names().iter().any(|it| it == name)), "{:?}", names());
    let lines: Vec<String> = victim.service.take().into_iter().map(|received| received.whole()).collect();
    assert!(!lines.iter().any(|line| line.contains(&session)), "the service got what was tossed: {lines:?}");

    // The control: from our own page it does what it says.
    chromium.click("form[action='/auth/cookies/delete'] button");
    chromium.wait_until("the login form", |page| page.text().contains("Email or username"));
    assert!(chromium.text().contains("The cookies of this site were deleted"), "{}", chromium.text());
    assert_eq!(names(), ["__Host-Http-vestibule_pre"], "all others are gone, the new form's is there");
    assert_eq!(victim.sessions_of(ADA), 0);
    chromium.sign_in(ADA, PASSWORD);
    chromium.wait_until("where she wanted to go", |page| page.url() == victim.url("/orders/7?a=1"));
}

/// The button's form, as another site would have it sent.
fn deletions(victim: &Victim) -> [String; 3] {
    let url = victim.url("/auth/cookies/delete");
    let form = format!("<form method=post action='{url}'></form><script>document.forms[0].submit()</script>");
    let framed = format!("<iframe sandbox='allow-scripts allow-forms' srcdoc=\"{form}\"></iframe>");
    let fetched = format!(
        "<script>fetch('{url}', {{ method: 'POST', mode: 'no-cors', credentials: 'include' }})</script>"
    );
    [form, framed, fetched]
}
