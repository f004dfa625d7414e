//! Every page in each of its states, as somebody sees it who reads by ear, in the dark, on a narrow screen or with everything
//! twice as large. axe-core judges what a program can judge; that nothing needs scrolling sideways is measured here.

use std::fmt::Write;
use std::fs;

use serde_json::{Value, json};

use crate::personas::{ADA, ApiClient, Ask, Chromium, PASSWORD, Vestibule, oracles};

const NEW: &str = "nine umbrellas argue quietly";
const SUBMIT: &str = "main form button.primary";

/// An installation that shows all that pages can show.
fn installed(look: &str) -> (Vestibule, String) {
    let mut vestibule = Vestibule::installed();
    let origin = format!("http://{}", vestibule.public);
    vestibule.place.write("logo.svg", LOGO);
    vestibule.configure(
        &format!("public_url = \"{origin}\"\nregistration = \"open\""),
        &format!("[sessions]\nremember = {{ enabled = true }}\n{look}"),
    );
    vestibule.start();
    vestibule.operator.add_account(ADA);
    (vestibule, origin)
}

const LOGO: &str = r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 90 30"><style>rect { fill: #f4d000 }</style><rect width="90" height="30"/></svg>"#;

/// AU-12: WCAG 2.2 as far as axe-core can tell.
#[test]
fn every_page_is_accessible_in_every_state_in_light_and_dark_and_when_narrow() {
    let (_vestibule, origin) = installed("");
    let chromium = Chromium::start();
    let eye = Eye::new(&chromium);
    let open = |path: &str| chromium.open(&format!("{origin}{path}"));

    open("/auth/login");
    eye.judges("login, empty", "Sign in");
    open("/auth/register");
    eye.judges("register, empty", "Create an account");
    register(&chromium, ADA, "passwordpassword1", "passwordpassword1");
    eye.judges("register, password refused", "Error: Create an account");
    register(&chromium, ADA, NEW, "something else entirely");
    eye.judges("register, not repeated", "Error: Create an account");
    register(&chromium, "new@example.com", NEW, NEW);
    chromium.wait_until("registered", |page| page.url().contains("done=registered"));
    eye.judges("login, registered", "Sign in");
    answered(&chromium, || chromium.sign_in(ADA, "not her password"));
    eye.judges("login, refused", "Error: Sign in");
    chromium.click("#remember");
    chromium.sign_in(ADA, PASSWORD);
    chromium.wait_until("the account page", |page| page.url().ends_with("/auth/account"));
    eye.judges("account, one session", "Your account");
    open("/auth/login?return_to=/orders");
    eye.judges("signed in", "Signed in");

    other_session(&origin);
    other_session(&origin);
    open("/auth/account");
    eye.judges("account, three sessions", "Your account");
    chromium.click(".session-head button");
    chromium.wait_until("one less", |page| page.url().ends_with("done=session-ended"));
    assert!(chromium.text().contains("That device is signed out."));
    eye.judges("account, with a notice", "Your account");
    chromium.click("form.actions button");
    chromium.wait_until("none but this", |page| page.url().ends_with("done=others-ended"));
    assert_eq!(chromium.script("return document.querySelectorAll('.sessions li').length"), json!(1));

    open("/auth/account/password");
    eye.judges("password, empty", "Change password");
    change(&chromium, "not her password", NEW);
    eye.judges("password, current refused", "Error: Change password");
    change(&chromium, PASSWORD, "passwordpassword1");
    eye.judges("password, new refused", "Error: Change password");
    change(&chromium, PASSWORD, NEW);
    chromium.wait_until("it is changed", |page| page.url().ends_with("done=password-changed"));

    open("/auth/confirm?return_to=/auth/account");
    eye.judges("confirm, empty", "Confirm your password");
    chromium.fill_in("#password", "not her password");
    chromium.click(SUBMIT);
    eye.judges("confirm, refused", "Error: Confirm your password");
    chromium.fill_in("#password", NEW);
    chromium.click(SUBMIT);
    chromium.wait_until("the way back", |page| page.url().ends_with("/auth/account"));

    open("/auth/nothing");
    eye.judges("a problem", "There is nothing here");
    open("/auth/logout");
    eye.judges("logout", "Sign out");
    chromium.click(SUBMIT);
    chromium.wait_until("signed out", |page| page.title().starts_with("Signed out"));
    eye.judges("signed out", "Signed out");
    open("/auth/login");
    // Each wait is twice as long as the one before: however slow the machine is, one of these comes too early.
    let is_throttled = (0..12).any(|_| {
        answered(&chromium, || chromium.sign_in("nobody@example.com", "guessed wrong again"));
        chromium.text().contains("Too many attempts")
    });
    assert!(is_throttled);
    eye.judges("login, throttled", "Error: Sign in");
}

/// The judge does judge: a page that is spoiled by hand is found out.
#[test]
fn what_is_wrong_is_found() {
    let (_vestibule, origin) = installed("");
    let chromium = Chromium::start();
    let eye = Eye::new(&chromium);
    chromium.open(&format!("{origin}/auth/login"));
    chromium.script(
        "document.querySelector('label[for=password]').remove();\
         document.querySelector('h1').style.color = '#bbbbbb';\
         document.documentElement.lang = ''",
    );
    eye.emulate("light", 1200);
    let (violations, _) = eye.looks();
    let found: Vec<&str> = violations.iter().filter_map(|violation| violation["id"].as_str()).collect();
    for expected in ["label", "color-contrast", "html-has-lang"] {
        assert!(found.contains(&expected), "{expected} is not among {found:?}");
    }
}

/// AU-03: what a password manager or the clipboard puts into a field stays there, whole, and is what is sent.
#[test]
fn passwords_may_be_pasted() {
    let (_vestibule, origin) = installed("");
    let chromium = Chromium::start();
    let long = format!("{NEW} {}", "🦀".repeat(128));
    chromium.open(&format!("{origin}/auth/register"));
    for (css, text) in [("#identifier", "paste@example.com"), ("#new", &*long), ("#repeated", &*long)] {
        chromium.script(&format!("document.querySelector('{css}').focus()"));
        chromium.devtools("Input.insertText", json!({ "text": text }));
        let value = chromium.script(&format!("return document.querySelector('{css}').value"));
        assert_eq!(value, json!(text), "{css}");
    }
    answered(&chromium, || chromium.click(SUBMIT));
    assert!(chromium.url().contains("done=registered"), "{}", chromium.text());
    let address = origin.strip_prefix("http://").unwrap().parse().unwrap();
    assert_eq!(ApiClient::attempt(address, "paste@example.com", &long).status, 200);
}

/// The colour is one that nobody could read as it is, in light.
#[test]
fn a_theme_is_shown_and_stays_readable() {
    let look = "[theme]\nname = \"Orchard & Sons\"\naccent = \"#f4d000\"\nlogo_file = \"logo.svg\"\n";
    let (_vestibule, origin) = installed(look);
    let chromium = Chromium::start();
    let eye = Eye::new(&chromium);
    chromium.open(&format!("{origin}/auth/register"));
    register(&chromium, ADA, NEW, "something else entirely");
    eye.judges("register, themed", "Error: Create an account · Orchard & Sons");
    let logo =
        "const logo = document.querySelector('img.logo'); return logo.naturalWidth > 0 && logo.complete";
    assert_eq!(chromium.script(logo), json!(true), "the logo is shown");
    chromium.open(&format!("{origin}/auth/login"));
    chromium.sign_in(ADA, PASSWORD);
    chromium.wait_until("the account page", |page| page.url().ends_with("/auth/account"));
    eye.judges("account, themed", "Your account · Orchard & Sons");
    let colour = "return getComputedStyle(document.querySelector('.badge')).color";
    assert_ne!(chromium.script(colour), json!("rgb(44, 58, 143)"), "not ours");
}

fn register(chromium: &Chromium, identifier: &str, new: &str, repeated: &str) {
    answered(chromium, || {
        chromium.fill_in("#identifier", identifier);
        chromium.fill_in("#new", new);
        chromium.fill_in("#repeated", repeated);
        chromium.click(SUBMIT);
    });
}

fn change(chromium: &Chromium, current: &str, new: &str) {
    answered(chromium, || {
        chromium.fill_in("#current", current);
        chromium.fill_in("#new", new);
        chromium.fill_in("#repeated", new);
        chromium.click(SUBMIT);
    });
}

/// Waits for the page that answers what is done: its title may be the one before.
fn answered(chromium: &Chromium, act: impl FnOnce()) {
    let before = chromium.script("return performance.timeOrigin");
    act();
    chromium.wait_until("the answer", |page| {
        let origin = page.script("return document.readyState === 'complete' ? performance.timeOrigin : 0");
        origin != before && origin != json!(0)
    });
}

fn other_session(origin: &str) {
    let address = origin.strip_prefix("http://").unwrap().parse().unwrap();
    let body = json!({ "identifier": ADA, "password": PASSWORD, "deliver": "body" });
    let answer = Ask::post("/auth/api/v1/login").json(&body).send(address);
    assert_eq!(answer.status, 200);
}

/// Looks at the page that is shown.
struct Eye<'a> {
    chromium: &'a Chromium,
    axe: String,
}

impl<'a> Eye<'a> {
    fn new(chromium: &'a Chromium) -> Self {
        let file = oracles("node").join("node_modules/axe-core/axe.min.js");
        let axe = fs::read_to_string(&file)
            .unwrap_or_else(|_| panic!("{} is missing: run tests/oracles/prepare.sh", file.display()));
        Self { chromium, axe }
    }

    #[track_caller]
    fn judges(&self, what: &str, title: &str) {
        self.chromium.wait_until(what, |page| page.title().starts_with(title));
        assert_eq!(self.chromium.script("return document.documentElement.lang"), json!("en"), "{what}");
        let others =
            "return [...document.scripts].filter(it => !it.src.includes('/auth/static/portal-')).length";
        assert_eq!(self.chromium.script(others), json!(0), "{what}");
        for scheme in ["light", "dark"] {
            self.emulate(scheme, 1200);
            self.finds_nothing(&format!("{what}, {scheme}"));
        }
        // 640 is a window of 1280 at 200 %, 320 one at 400 % (WCAG 2.2, success criteria 1.4.4 and 1.4.10).
        for width in [640, 320] {
            self.emulate("light", width);
            let wide = self.chromium.script("return document.documentElement.scrollWidth").as_u64().unwrap();
            assert!(wide <= width, "{what}: {wide} wide on a screen of {width}");
        }
        self.finds_nothing(&format!("{what}, narrow"));
        self.emulate("light", 1200);
    }

    fn emulate(&self, scheme: &str, width: u64) {
        let feature = json!({ "name": "prefers-color-scheme", "value": scheme });
        self.chromium.devtools("Emulation.setEmulatedMedia", json!({ "features": [feature] }));
        let size = json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false });
        self.chromium.devtools("Emulation.setDeviceMetricsOverride", size);
        let is_so =
            format!("return matchMedia('(prefers-color-scheme: {scheme}) and (width: {width}px)').matches");
        self.chromium.wait_until("the page follows", |page| page.script(&is_so) == json!(true));
    }

    #[track_caller]
    fn finds_nothing(&self, what: &str) {
        let (violations, passes) = self.looks();
        assert!(violations.is_empty(), "{what}:{}", in_words(&violations));
        assert!(passes > 10, "{what}: axe looked at nothing");
    }

    /// What axe finds wrong, or cannot tell the contrast of; and by how many rules all is well.
    #[track_caller]
    fn looks(&self) -> (Vec<Value>, u64) {
        self.chromium.script(&self.axe);
        let found = self.chromium.awaited(
            "const found = await axe.run(document, { rules: { 'target-size': { enabled: true } } });\
             const unsure = found.incomplete.filter(it => it.id === 'color-contrast');\
             return { violations: found.violations.concat(unsure), passes: found.passes.length }",
        );
        match found["violations"].as_array() {
            Some(violations) => (violations.clone(), found["passes"].as_u64().unwrap()),
            None => panic!("axe did not run: {found}"),
        }
    }
}

fn in_words(violations: &[Value]) -> String {
    let mut text = String::new();
    for violation in violations {
        write!(text, "\n  {}: {}", violation["id"], violation["help"]).unwrap();
        for node in violation["nodes"].as_array().unwrap() {
            write!(text, "\n    {} {}", node["html"], node["failureSummary"]).unwrap();
        }
    }
    text
}
