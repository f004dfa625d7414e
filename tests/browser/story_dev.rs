//! `vestibule dev` in a real Chromium: what its first visitor sees, tries, and leaves behind.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use thirtyfour::SameSite;

use crate::personas::{ADA, Ask, Chromium, Place, Running};

const WRITE: &str = "form.line button";
const FORGE: &str = "form:not(.line) > input[name=line] + button";
const END: &str = "section.end button";

/// A running `vestibule dev`, whose temporary files go to a folder of its own.
struct Dev {
    running: Running,
    temporary: Place,
    /// Where it is open, without the final slash.
    origin: String,
    password: String,
    _log: Place,
}

impl Dev {
    fn start() -> Self {
        let (temporary, log) = (Place::new(), Place::new());
        let mut command = Command::new(env!("CARGO_BIN_EXE_vestibule"));
        command.args(["dev", "--port", "0"]).env("TMPDIR", temporary.path()).env_remove("RUST_LOG");
        command.current_dir(temporary.path());
        let mut running = Running::start("vestibule dev", command, log.join("log"));
        running.wait_for("A line for each session");
        let said = running.logged();
        let after = |name: &str| {
            let line = said.lines().find_map(|line| line.trim().strip_prefix(name));
            line.unwrap_or_else(|| panic!("no {name} in {said}")).trim().to_owned()
        };
        let origin = after("Open").trim_end_matches('/').to_owned();
        Self { origin, password: after("Password"), running, temporary, _log: log }
    }

    fn sign_in(&self, chromium: &Chromium) {
        chromium.open(&self.origin);
        self.fill_in_login(chromium);
        self.shows_demo(chromium);
    }

    fn fill_in_login(&self, chromium: &Chromium) {
        chromium.wait_until("the login page", |page| page.url().starts_with(&self.login()));
        chromium.sign_in(ADA, &self.password);
    }

    fn login(&self) -> String {
        format!("{}/auth/login", self.origin)
    }

    fn shows_demo(&self, chromium: &Chromium) {
        chromium.wait_until("the demo page", |page| page.text().contains("A session came in"));
    }

    fn shows_login(&self, chromium: &Chromium) {
        chromium.wait_until("the login page", |page| page.url().starts_with(&self.login()));
    }

    /// Presses Ctrl-C and waits for the end.
    fn interrupt(&mut self) {
        let began = Instant::now();
        self.running.signal(Signal::INT);
        let status = self.running.ended().unwrap();
        assert!(status.success(), "Ctrl-C is the way to end it, and no error: {status}");
        assert!(began.elapsed() < Duration::from_secs(20), "it took {:?} to end", began.elapsed());
    }
}

#[test]
fn the_demo_shows_what_the_browser_holds_and_what_the_service_received() {
    let dev = Dev::start();
    let chromium = Chromium::start();
    chromium.open(&format!("{}/", dev.origin));
    assert_eq!(chromium.url(), format!("{}?return_to=/", dev.login()));
    assert!(!chromium.text().contains("Error"), "nobody tried anything yet");
    dev.fill_in_login(&chromium);
    dev.shows_demo(&chromium);
    assert_eq!(chromium.url(), format!("{}/", dev.origin), "back where the visitor wanted to go");

    // Scripts see nothing; the engine holds the session's cookie, as the contract has it for plain http on loopback.
    assert_eq!(chromium.script("return document.cookie"), "");
    assert_eq!(chromium.text_of("#script-sees"), "\"\" (nothing)");
    let cookie = chromium.session_cookie().unwrap();
    assert_eq!((cookie.name.as_str(), cookie.value.len()), ("vestibule", 43));
    assert_eq!((cookie.http_only, &cookie.path), (Some(true), &Some("/".to_owned())));
    assert_eq!(cookie.same_site, Some(SameSite::Lax));
    assert_eq!(cookie.domain.as_deref(), Some("127.0.0.1"), "this host alone");
    assert_eq!(cookie.expiry, None, "gone with the browser");
    let page = chromium.script("return document.documentElement.outerHTML");
    assert!(!page.as_str().unwrap().contains(&cookie.value), "the session token is on the page");

    // The JWT, decoded; its life goes down while one looks.
    let text = chromium.text();
    for shown in
        ["\"typ\": \"at+jwt\"", "\"alg\": \"ES256\"", "\"aud\": \"demo\"", ADA, "\"city\": \"London\"", "R&D"]
    {
        assert!(text.contains(shown), "{shown} is not on the page: {text}");
    }
    let life = || chromium.text_of("#life").trim_end_matches(" s").parse::<u64>().unwrap();
    let before = life();
    assert!((1..=150).contains(&before), "{before}");
    chromium.wait_until("the JWT grows older", |_| life() < before);

    // Asked again, the same JWT comes from memory.
    let jti = chromium.text_of("#jti");
    chromium.click("#ask");
    chromium.wait_until("an answer", |page| page.text_of("#asked") == "The same JWT, from memory.");
    assert_eq!(chromium.text_of("#jti"), jti);

    // A forged identity header arrives as ours.
    chromium.click("#forge");
    chromium.wait_until("an answer", |page| !page.text_of("#forged").is_empty());
    let received = chromium.text_of("#forged").trim_start_matches("The service received: ").to_owned();
    assert!(chromium.text().contains(&format!("\"sub\": \"{received}\"")), "ours, not {received:?}");

    // Not even the page's own script can get hold of the JWT or the cookie by asking for its own request.
    let told = chromium.awaited("const r = await fetch('/demo/received'); return await r.text()");
    let told = told.as_str().unwrap();
    assert!(told.contains("authorization") && told.contains("…"), "{told}");
    assert!(!told.contains(&cookie.value), "{told}");
}

#[test]
fn the_form_works_with_its_token_and_is_refused_without() {
    let dev = Dev::start();
    let chromium = Chromium::start();
    dev.sign_in(&chromium);
    chromium.fill_in("#line", "<b>tea</b> & milk");
    chromium.click(WRITE);
    chromium.wait_until("what was written", |page| page.text_of(".lines").contains("<b>tea</b> & milk"));

    chromium.click(FORGE);
    chromium.wait_until("a refusal", |page| page.text().contains("You cannot open this page"));
    let status = "return performance.getEntriesByType('navigation')[0].responseStatus";
    assert_eq!(chromium.script(status), 403);

    chromium.back();
    dev.shows_demo(&chromium);
    assert!(!chromium.text_of(".lines").contains("forged"), "the service never heard of it");
    chromium.fill_in("#line", "after the back button");
    chromium.click(WRITE);
    chromium.wait_until("what was written", |page| page.text_of(".lines").contains("after the back button"));
}

#[test]
fn the_back_button_and_two_tabs_keep_working_until_one_of_them_signs_out() {
    let dev = Dev::start();
    let chromium = Chromium::start();
    // Two login pages; the second one signs in, the first one is sent after it.
    let first = chromium.tab();
    chromium.open(&dev.origin);
    dev.shows_login(&chromium);
    let second = chromium.new_tab();
    dev.sign_in(&chromium);
    chromium.switch_to(&first);
    chromium.sign_in(ADA, &dev.password);
    chromium.wait_until("that it is signed in", |page| page.title().contains("Signed in"));
    chromium.click("a.primary");
    dev.shows_demo(&chromium);

    // The second tab is the older one now, and newer pages have been given newer tokens: its form still works.
    chromium.switch_to(&second);
    chromium.fill_in("#line", "from the older tab");
    chromium.click(WRITE);
    chromium.wait_until("what was written", |page| page.text_of(".lines").contains("from the older tab"));
    chromium.back();
    dev.shows_demo(&chromium);
    chromium.fill_in("#line", "from behind the back button");
    chromium.click(WRITE);
    chromium.wait_until("what was written", |page| page.text_of(".lines").contains("from behind"));

    // One signs out: the other's form is refused, its script is told, and no page comes back from anybody's memory.
    chromium.click(END);
    dev.shows_login(&chromium);
    assert_eq!(chromium.cookies().iter().filter(|cookie| cookie.name == "vestibule").count(), 0);
    chromium.back();
    dev.shows_login(&chromium);
    chromium.switch_to(&first);
    chromium.click("#ask");
    chromium.wait_until("a refusal", |page| page.text_of("#asked").contains("refused"));
    chromium.fill_in("#line", "too late");
    chromium.click(WRITE);
    dev.shows_login(&chromium);
    // An action cannot be gone back to: a new login leads to the page with the form, and says before that the form was not carried out.
    assert!(chromium.text_of(".notice").contains("was not carried out"), "{}", chromium.text());
    dev.fill_in_login(&chromium);
    dev.shows_demo(&chromium);
    assert_eq!(chromium.url(), format!("{}/", dev.origin));
    let lines = chromium.text_of(".lines");
    assert!(lines.contains("from behind") && !lines.contains("too late"), "{lines}");
}

#[test]
fn a_session_that_was_ended_elsewhere_leads_to_the_login_page_at_the_next_request() {
    let dev = Dev::start();
    let chromium = Chromium::start();
    dev.sign_in(&chromium);
    let secret = chromium.session_cookie().unwrap().value;
    chromium.click(END);
    dev.shows_login(&chromium);

    // The same cookie put back by hand is nobody's.
    chromium.script(&format!("document.cookie = 'vestibule={secret}; path=/'"));
    assert!(chromium.cookies().iter().any(|cookie| cookie.value == secret), "it was put back");
    chromium.open(&dev.origin);
    dev.shows_login(&chromium);
    let address = dev.origin.trim_start_matches("http://").parse().unwrap();
    let replayed = Ask::get("/").header("Cookie", format!("vestibule={secret}")).send(address);
    assert_eq!((replayed.status, replayed.code().as_str()), (401, "session-unknown"));
}

#[test]
fn ctrl_c_ends_it_soon_and_leaves_no_file_behind() {
    let mut dev = Dev::start();
    let chromium = Chromium::start();
    dev.sign_in(&chromium);
    let made = fs::read_dir(dev.temporary.path()).unwrap().count();
    assert_eq!(made, 1, "it keeps one folder while it runs");
    // The browser still holds its connections.
    dev.interrupt();
    let left: Vec<_> =
        fs::read_dir(dev.temporary.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(left.is_empty(), "{left:?}");
}
