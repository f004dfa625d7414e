//! Ways back that only a real browser shows: fragments that never reach a server, login forms in several tabs, a form that outlived its
//! session, and what an application stored.

use crate::personas::{ADA, Chromium, PASSWORD};
use crate::world::{Attacker, Victim};

#[test]
fn a_deep_link_with_a_fragment_survives_signing_in() {
    let victim = Victim::over_https();
    let chromium = Chromium::start();
    chromium.open(&victim.url("/orders/7?q=a|b`c\\d#part-2"));
    assert!(chromium.url().contains("/auth/login?return_to="), "{}", chromium.url());
    // Also past an attempt that fails.
    chromium.sign_in(ADA, "not the password of Ada");
    chromium.wait_until("the refusal", |page| page.text().contains("That did not work"));
    chromium.sign_in(ADA, PASSWORD);
    chromium.wait_until("the page that was asked for", |page| page.url().contains("/orders/7"));
    assert_eq!(chromium.url(), victim.url("/orders/7?q=a%7Cb%60c%5Cd#part-2"));
}

/// Each link from another site opened a login form, and only the newest was good.
#[test]
fn login_forms_in_several_tabs_are_all_good() {
    let victim = Victim::over_https();
    let attacker = Attacker::over_https(&victim.origin, &[]);
    let chromium = Chromium::start();
    let arrive = |path: &str| {
        let link = format!("<a href='{}'>a link from elsewhere</a>", victim.url(path));
        chromium.open(&attacker.page("evil.test", path, &link));
        chromium.click("a");
        chromium.wait_until("the login form", |page| page.text().contains("Email or username"));
    };
    let first = chromium.tab();
    arrive("/orders/1");
    let second = chromium.new_tab();
    chromium.switch_to(&second);
    arrive("/orders/2");
    chromium.switch_to(&first);
    chromium.sign_in(ADA, PASSWORD);
    chromium.wait_until("what the first asked for", |page| page.url() == victim.url("/orders/1"));
    chromium.switch_to(&second);
    chromium.sign_in(ADA, PASSWORD);
    chromium.wait_until("that she is signed in", |page| page.text().contains("You are signed in"));
    chromium.click("a.primary");
    chromium.wait_until("what the second asked for", |page| page.url() == victim.url("/orders/2"));
    assert_eq!(victim.sessions_of(ADA), 1);
}

#[test]
fn a_form_sent_after_the_session_ended_says_so_and_leads_back() {
    let victim = Victim::over_https();
    let chromium = Chromium::start();
    victim.sign_in(&chromium);
    chromium.open(&victim.url("/orders/7?tab=2"));
    chromium.script(
        "document.body.innerHTML = '<form method=post action=/orders/send><button>send</button></form>'",
    );
    let session = victim.vestibule.operator.json(&["session", "list"]);
    let id = session[0]["session"].as_str().unwrap();
    victim.vestibule.operator.ok(&["session", "end", id], "");
    victim.service.take();
    chromium.click("form button");
    chromium.wait_until("the login form", |page| page.text().contains("Email or username"));
    assert!(chromium.text().contains("was not carried out"), "{}", chromium.text());
    let received = victim.service.take();
    assert!(!received.iter().any(|received| received.line.starts_with("POST ")), "{received:?}");
    chromium.sign_in(ADA, PASSWORD);
    chromium.wait_until("the page of the form", |page| page.url() == victim.url("/orders/7?tab=2"));
}

/// HD-03: what an application stores in the browser is the application's.
#[test]
fn signing_out_leaves_the_applications_storage_alone() {
    let victim = Victim::over_https();
    let chromium = Chromium::start();
    victim.sign_in(&chromium);
    chromium.script("localStorage.setItem('draft', 'half a letter')");
    chromium.open(&victim.url("/auth/logout"));
    chromium.click("button.primary");
    chromium.wait_until("that she is signed out", |page| page.text().contains("You are signed out"));
    assert_eq!(chromium.script("return localStorage.getItem('draft')"), "half a letter");
    assert_eq!(victim.sessions_of(ADA), 0);
}
