//! A form that is sent after its session has ended: nothing is done, the login page says so, and leads back to the page of the form.

use crate::personas::{ADA, Chromium, PASSWORD};
use crate::world::Victim;

const SAYS: &str = "the form that you sent was not carried out";

/// Ends the session under an open page, as its owner does on another device: the browser keeps the cookie.
fn end_elsewhere(victim: &Victim) {
    let id = victim.vestibule.operator.only_session();
    victim.vestibule.operator.ok(&["session", "end", &id], "");
    victim.wait_until("that it has ended", |victim| victim.sessions_of(ADA) == 0);
}

#[test]
fn through_nginx_a_form_sent_too_late_is_said_to_be_lost_and_led_back_to() {
    a_form_sent_too_late_is_led_back_to(&Victim::over_https());
}

#[test]
fn through_the_built_in_door_a_form_sent_too_late_is_said_to_be_lost_and_led_back_to() {
    a_form_sent_too_late_is_led_back_to(&Victim::on_localhost());
}

fn a_form_sent_too_late_is_led_back_to(victim: &Victim) {
    let chromium = Chromium::start();
    victim.sign_in(&chromium);

    // A page of ours.
    chromium.open(&victim.url("/auth/account/password"));
    end_elsewhere(victim);
    for (css, text) in [
        ("#current", PASSWORD),
        ("#new", "violet kettle 12 mountain"),
        ("#repeated", "violet kettle 12 mountain"),
    ] {
        chromium.fill_in(css, text);
    }
    chromium.click("button.primary");
    is_told(victim, &chromium, "/auth/account/password");
    assert!(chromium.text().contains("Change password"), "{}", chromium.text());

    // A page of the service's.
    let page = "/orders/7?tab=2";
    chromium.open(&victim.url(page));
    end_elsewhere(victim);
    chromium.script(
        "document.body.innerHTML = '<form method=post action=/orders/pay><input name=item value=tea><button>pay</button></form>'",
    );
    victim.service.take();
    chromium.click("form button");
    is_told(victim, &chromium, page);
    let lines: Vec<String> = victim.service.take().into_iter().map(|received| received.line).collect();
    assert!(!lines.is_empty() && lines.iter().all(|line| line.starts_with("GET ")), "{lines:?}");

    // Who only follows a link has sent nothing.
    end_elsewhere(victim);
    chromium.open(&victim.url(page));
    assert!(chromium.url().starts_with(&victim.url("/auth/login")), "{}", chromium.url());
    assert!(!chromium.text().contains(SAYS), "{}", chromium.text());
}

#[track_caller]
fn is_told(victim: &Victim, chromium: &Chromium, back: &str) {
    chromium.wait_until("what became of the form", |page| page.text().contains(SAYS));
    assert!(chromium.url().starts_with(&victim.url("/auth/login")), "{}", chromium.url());
    chromium.sign_in(ADA, PASSWORD);
    chromium.wait_until("the page of the form", |page| page.url() == victim.url(back));
    assert!(!chromium.text().contains(SAYS), "{}", chromium.text());
}
