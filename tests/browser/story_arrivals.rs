//! How people come to the login page, and where they go from there: by links from other sites, and by links with all that real links have
//! in them.

use crate::personas::{ADA, Chromium, PASSWORD};
use crate::world::{Attacker, MALLORY, Victim};

/// A link of another site to a page of ours, followed as a person follows it.
fn arrive_from_elsewhere(victim: &Victim, attacker: &Attacker, path: &str, chromium: &Chromium) {
    let link = format!("<a id=go href='{}'>orders</a>", victim.url(path));
    chromium.open(&attacker.page("evil.test", "/link", &link));
    chromium.click("#go");
    chromium.wait_until("the login page", |page| page.url().starts_with(&victim.url("/auth/login")));
}

/// CS-04: what is Lax goes along with links. Nothing that another site sends goes with it, nor with a form of Mallory's own.
#[test]
fn a_login_form_open_in_a_tab_lets_no_other_site_sign_the_browser_in() {
    let victim = Victim::over_https();
    let attacker = Attacker::over_https(&victim.origin, &[]);
    let chromium = Chromium::start();
    arrive_from_elsewhere(&victim, &attacker, "/orders/1", &chromium);
    let login = chromium.tab();
    // Mallory's own form, in a browser of Mallory's.
    let mallorys = Chromium::start();
    mallorys.open(&victim.url("/auth/login"));
    let token = mallorys.script("return document.querySelector('[name=csrf_token]').value");
    let token = token.as_str().unwrap();
    drop(mallorys);
    for host in ["evil.test", "sub.app.test"] {
        for action in [
            victim.url("/auth/login"),
            victim.url("/auth/login?return_to=/orders/1"),
            "/bounce/auth/login".into(),
        ] {
            let form = format!(
                "<form method=post action='{action}'><input name=csrf_token value='{token}'>\
                 <input name=identifier value='{MALLORY}'><input name=password value='{PASSWORD}'></form>\
                 <script>document.forms[0].submit()</script>"
            );
            chromium.new_tab();
            let before = victim.refusals();
            chromium.open(&attacker.page(host, "/login", &form));
            victim.wait_until("a refusal of the form", |victim| victim.refusals() > before);
            assert!(chromium.session_cookie().is_none(), "{action} from {host}");
        }
    }
    assert_eq!(victim.sessions_of(MALLORY), 0);
    chromium.switch_to(&login);
    chromium.sign_in(ADA, PASSWORD);
    chromium.wait_until("her own form was good all the time", |page| page.url() == victim.url("/orders/1"));
}

#[test]
fn through_nginx_every_link_leads_to_the_login_page_and_back() {
    every_link_leads_to_the_login_page_and_back(&Victim::over_https());
}

#[test]
fn through_the_built_in_door_every_link_leads_to_the_login_page_and_back() {
    every_link_leads_to_the_login_page_and_back(&Victim::on_localhost());
}

fn every_link_leads_to_the_login_page_and_back(victim: &Victim) {
    let chromium = Chromium::start();
    let commas = |count: usize| format!("/orders/?ids={}", "1,".repeat(count));
    let way_back = |target: &str| format!("/auth/login?return_to={target}");
    let absolute = victim.url("/orders/7?a=1").replace(':', "%3A").replace('?', "%3F");
    let account = "/auth/account".to_owned();
    for (link, arrives) in [
        // Too long to be carried along: what is lost is the way back.
        (commas(1150), account.clone()),
        (format!("/orders/{}", ",".repeat(1150)), account.clone()),
        (commas(400), commas(400)),
        ("/orders/?q=`x`".into(), "/orders/?q=%60x%60".into()),
        ("/orders/?path=C:\\dir\\file".into(), "/orders/?path=C:%5Cdir%5Cfile".into()),
        ("/orders/a|b?c|d".into(), "/orders/a%7Cb?c%7Cd".into()),
        // The browser keeps the fragment to itself, and the empty action of our form keeps it in the browser.
        ("/orders/7?a=1#part-2".into(), "/orders/7?a=1#part-2".into()),
        ("/orders/7#!/view?id=1".into(), "/orders/7#!/view?id=1".into()),
        // As an application that knows where its visitors are says it.
        (way_back("/orders/7%23part-2"), "/orders/7#part-2".into()),
        (way_back(&format!("{absolute}%23part-2")), "/orders/7?a=1#part-2".into()),
        (way_back("/orders/7%23a%20b"), "/orders/7".into()),
        (way_back("https://evil.test/"), account.clone()),
        (way_back("//evil.test/%23/orders/"), account.clone()),
        (way_back("/%5Cevil.test/"), account),
    ] {
        chromium.devtools("Network.clearBrowserCookies", serde_json::json!({}));
        chromium.open(&victim.url(&link));
        assert!(chromium.url().starts_with(&victim.url("/auth/login")), "{link}: {}", chromium.url());
        assert_eq!(chromium.text_of("label[for=password]"), "Password", "{link}");
        // A form that comes back for a mistake loses nothing of it.
        chromium.sign_in(ADA, "not her password");
        chromium.wait_until("that it is wrong", |page| !page.text_of("[role=alert]").is_empty());
        chromium.sign_in(ADA, PASSWORD);
        chromium
            .wait_until("that it is signed in", |page| !page.url().starts_with(&victim.url("/auth/login")));
        assert_eq!(chromium.url(), victim.url(&arrives), "{link}");
    }
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
