//! What a page's Referrer-Policy does to the forms on it, in a real Chromium: it decides what the browser says of where a form comes
//! from, and so whether the form is believed where the browser, or somebody in between, does not send Fetch Metadata.

use std::net::SocketAddr;

use serde_json::json;

use crate::personas::{ADA, Chromium, Nginx, PASSWORD, Service, Vestibule, free_address};

const PAGES: &str = "proxy_pass http://vestibule_pages;";

/// CS-08. With `no-referrer` a browser says `Origin: null` of a form on our own page, which is what it says of a sandboxed stranger's as
/// well: without Fetch Metadata nobody can tell the two apart. That is why our pages do not ask for it.
#[test]
fn our_forms_work_under_every_policy_that_lets_a_browser_say_where_they_come_from() {
    let front = free_address();
    let origin = format!("http://{front}");
    let (mut vestibule, service) = (Vestibule::installed(), Service::start());
    vestibule.configure(&format!("public_url = \"{origin}\""), "");
    vestibule.start();
    vestibule.operator.add_account(ADA);
    let chromium = Chromium::start();
    let works = |meddling: &str| {
        let _nginx = meddler(front, &vestibule, service.address, meddling);
        chromium.devtools("Network.clearBrowserCookies", json!({}));
        chromium.open(&format!("{origin}/auth/login"));
        chromium.fill_in("input[name=identifier]", ADA);
        chromium.fill_in("input[name=password]", PASSWORD);
        chromium.click("button.primary");
        chromium.wait_until("an answer to the form", |page| {
            page.url().ends_with("/auth/account") || page.text().contains("came from elsewhere")
        });
        chromium.session_cookie().is_some()
    };

    let stripped = "proxy_set_header Sec-Fetch-Site \"\"; proxy_set_header Sec-Fetch-Mode \"\"; \
                    proxy_set_header Sec-Fetch-Dest \"\"; proxy_set_header Sec-Fetch-User \"\";";
    assert!(works(""), "as our pages say it");
    assert!(works(stripped), "our own policy makes the browser say its origin");
    for policy in ["strict-origin-when-cross-origin", "origin", "unsafe-url"] {
        let policy = other_policy(policy);
        assert!(works(&policy), "{policy}");
        assert!(works(&format!("{policy} {stripped}")), "{policy}, without Fetch Metadata");
    }
    let silent = other_policy("no-referrer");
    assert!(works(&silent), "the browser says null, and by Fetch Metadata that it is the same origin");
    assert!(!works(&format!("{silent} {stripped}")), "null alone is nobody's origin");
}

/// Exchanges the policy of our pages.
fn other_policy(policy: &str) -> String {
    format!("proxy_hide_header Referrer-Policy; add_header Referrer-Policy {policy} always;")
}

/// nginx as its example has it, with more in the location of our pages.
fn meddler(front: SocketAddr, vestibule: &Vestibule, service: SocketAddr, meddling: &str) -> Nginx {
    let pages = format!("{PAGES} {meddling}");
    Nginx::start_extended(front, vestibule.public, vestibule.internal, service, &[(PAGES, &pages)])
}
