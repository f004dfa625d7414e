//! What pages do better where a browser runs scripts, and that the one script of ours is all that it may run.

use serde_json::json;

use crate::personas::{ADA, Chromium, Door, PASSWORD, Scene, Vestibule};

const NEW: &str = "nine umbrellas argue quietly";

fn installed() -> (Vestibule, String) {
    let mut vestibule = Vestibule::installed();
    let origin = format!("http://{}", vestibule.public);
    vestibule.configure(&format!("public_url = \"{origin}\"\nregistration = \"open\""), "");
    vestibule.start();
    vestibule.operator.add_account(ADA);
    (vestibule, origin)
}

/// How a field shows what stands in it, and whether its button is pressed.
fn seen(chromium: &Chromium, field: &str) -> [String; 2] {
    let ask = |script: String| chromium.script(&script).as_str().unwrap().to_owned();
    let button = format!("document.querySelector('[aria-controls~={field}]')");
    [
        ask(format!("return document.getElementById('{field}').type")),
        ask(format!("return {button}.getAttribute('aria-pressed')")),
    ]
}

#[test]
fn a_password_is_shown_and_hidden_by_a_button() {
    let (_vestibule, origin) = installed();
    let chromium = Chromium::start();
    chromium.open(&format!("{origin}/auth/login"));
    let [hidden, shown] = [["password", "false"], ["text", "true"]];
    assert_eq!(seen(&chromium, "password"), hidden);
    chromium.fill_in("#password", "what she typed");
    chromium.click("#show-password");
    assert_eq!(seen(&chromium, "password"), shown);
    chromium.click("#show-password");
    assert_eq!(seen(&chromium, "password"), hidden);
    // By the keyboard: the button comes after its field, and does not send the form.
    chromium.script("document.querySelector('#password').focus()");
    press(&chromium, "Tab", 9);
    assert_eq!(chromium.script("return document.activeElement.id"), json!("show-password"));
    press(&chromium, "Enter", 13);
    assert_eq!(seen(&chromium, "password"), shown);
    let value = chromium.script("return document.querySelector('#password').value");
    assert_eq!(value, json!("what she typed"), "nothing is lost, and nothing was sent");

    // It is hidden before it is sent: browsers remember what was sent as text.
    chromium.script(
        "document.querySelector('main form').addEventListener('submit', () => \
         sessionStorage.setItem('sent-as', document.querySelector('#password').type))",
    );
    chromium.sign_in(ADA, PASSWORD);
    chromium.wait_until("the account page", |page| page.url().ends_with("/auth/account"));
    assert_eq!(chromium.script("return sessionStorage.getItem('sent-as')"), json!("password"));

    // One button for a new password and its repetition, one for the current password.
    chromium.open(&format!("{origin}/auth/account/password"));
    chromium.click("#show-new");
    let of = |field| seen(&chromium, field);
    assert_eq!([of("current"), of("new"), of("repeated")], [hidden, shown, shown]);
    chromium.click("#show-current");
    chromium.click("#show-new");
    assert_eq!([of("current"), of("new"), of("repeated")], [shown, hidden, hidden]);
    for (page, field) in [("/auth/confirm", "password"), ("/auth/register", "new")] {
        if page == "/auth/register" {
            chromium.click("form[action='/auth/logout'] button");
            chromium.wait_until("that she is signed out", |page| page.text().contains("You are signed out"));
        }
        chromium.open(&format!("{origin}{page}"));
        chromium.click(&format!("#show-{field}"));
        assert_eq!(of(field), shown, "{page}");
        chromium.open(&format!("{origin}/auth/account"));
    }
}

fn press(chromium: &Chromium, key: &str, code: u32) {
    let text = if key == "Enter" { "\r" } else { "" };
    for kind in ["keyDown", "keyUp"] {
        let event =
            json!({ "type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code, "text": text });
        chromium.devtools("Input.dispatchKeyEvent", event);
    }
}

/// Times are the reader's, in the page's language; the server's are still there to be compared.
#[test]
fn times_are_in_the_zone_of_the_reader() {
    let (_vestibule, origin) = installed();
    let chromium = Chromium::start();
    chromium.open(&format!("{origin}/auth/login"));
    chromium.sign_in(ADA, PASSWORD);
    chromium.wait_until("the account page", |page| page.url().ends_with("/auth/account"));
    // Half hours, a whole day's difference, and none.
    for (languages, zone, minutes, zone_named) in [
        ("en-GB", "Asia/Kolkata", 330, "GMT+5:30"),
        ("de-DE", "Pacific/Kiritimati", 840, "GMT+14"),
        ("en-US", "UTC", 0, "UTC"),
    ] {
        let agent = chromium.script("return navigator.userAgent");
        let override_with = json!({ "userAgent": agent, "acceptLanguage": languages });
        chromium.devtools("Emulation.setUserAgentOverride", override_with);
        chromium.devtools("Emulation.setTimezoneOverride", json!({ "timezoneId": zone }));
        chromium.open(&format!("{origin}/auth/account"));
        let times = chromium.script(
            "return [...document.querySelectorAll('time')].map(it => [it.dateTime, it.textContent, it.title])",
        );
        let times: Vec<[String; 3]> = serde_json::from_value(times).unwrap();
        assert_eq!(times.len(), 3, "seen, opened, ends");
        for (at, [machine, text, title]) in times.iter().enumerate() {
            let moment: jiff::Timestamp = machine.parse().unwrap();
            let local = moment + jiff::SignedDuration::from_mins(minutes);
            let local = local.to_zoned(jiff::tz::TimeZone::UTC);
            let is_american = languages == "en-US";
            let hour = if is_american { (local.hour() + 11) % 12 + 1 } else { local.hour() };
            let clock = format!("{hour:02}:{:02}", local.minute());
            // The first says how long ago it was; when, is its title.
            let (said, other) = if at == 0 { (title, text) } else { (text, title) };
            for part in [&*clock, &*local.day().to_string(), &*local.year().to_string(), zone_named] {
                assert!(said.contains(part), "{zone}: {part} in {said}");
            }
            assert_eq!(said.contains("AM") || said.contains("PM"), is_american, "{said}");
            if at > 0 {
                let utc = moment.to_zoned(jiff::tz::TimeZone::UTC);
                let utc = format!("{:02}:{:02} UTC", utc.hour(), utc.minute());
                assert!(other.ends_with(&utc), "the server's: {other}");
            }
        }
        assert!(["now", "jetzt"].contains(&&*times[0][1]), "{times:?}");
    }
}

/// HD-01: not even a file of our own origin runs beside the one that the page names.
#[test]
fn nothing_but_our_one_script_may_run() {
    let (_vestibule, origin) = installed();
    let chromium = Chromium::start();
    chromium.open(&format!("{origin}/auth/login"));
    let ours = chromium.script("return document.scripts[0].src");
    let ours = ours.as_str().unwrap();
    assert!(ours.starts_with(&format!("{origin}/auth/static/portal-")), "{ours}");
    let added = |script: &str| {
        chromium.awaited(&format!(
            "return await new Promise(done => {{\
               document.addEventListener('securitypolicyviolation', it => done('refused: ' + it.effectiveDirective));\
               const script = document.createElement('script');\
               script.onload = () => done('ran'); script.onerror = () => setTimeout(() => done('failed'), 500);\
               {script}; document.head.append(script); setTimeout(() => done('nothing'), 2000) }})"
        ))
    };
    // The control.
    assert_eq!(added(&format!("script.src = '{ours}'")), json!("ran"));
    let refused = json!("refused: script-src-elem");
    for other in [
        format!("script.src = '{origin}/auth/api/v1/openapi.json'"),
        format!("script.src = '{origin}/auth/static/'"),
        format!("script.src = '{ours}.js'"),
        "script.src = 'data:text/javascript,1'".to_owned(),
        "script.textContent = 'document.title = 1'".to_owned(),
    ] {
        assert_eq!(added(&other), refused, "{other}");
    }
}

/// Without scripts nothing is shown that would do nothing, and times say which zone they are in.
#[test]
fn where_no_script_runs_pages_are_whole() {
    let scene = Scene::behind(Door::BuiltIn);
    let chromium = Chromium::without_scripts();
    let url = |path: &str| format!("{}{path}", scene.origin);
    chromium.open(&url("/auth/login"));
    assert!(!chromium.text().contains("Show"), "{}", chromium.text());
    chromium.sign_in(ADA, PASSWORD);
    chromium.wait_until("the account page", |page| page.title().starts_with("Your account"));
    assert_eq!(chromium.text().matches(" UTC").count(), 2, "{}", chromium.text());
    for path in ["/auth/account/password", "/auth/confirm"] {
        chromium.open(&url(path));
        assert!(!chromium.text().contains("Show"), "{}", chromium.text());
    }
}

/// The name that was registered stands in the form that follows, and the password comes next.
#[test]
fn who_has_registered_types_the_name_once() {
    let (_vestibule, origin) = installed();
    let chromium = Chromium::start();
    chromium.open(&format!("{origin}/auth/register?return_to=/auth/account"));
    for (css, text) in [("#identifier", "new@example.com"), ("#new", NEW), ("#repeated", NEW)] {
        chromium.fill_in(css, text);
    }
    chromium.click("main form button.primary");
    chromium.wait_until("the login page", |page| page.url().contains("done=registered"));
    assert!(!chromium.url().contains("new"), "{}", chromium.url());
    let value = chromium.script("return document.querySelector('#identifier').value");
    assert_eq!(value, json!("new@example.com"));
    assert_eq!(chromium.script("return document.activeElement.id"), json!("password"));
    chromium.fill_in("#password", NEW);
    chromium.click("main form button.primary");
    chromium.wait_until("the account page", |page| page.url().ends_with("/auth/account"));
    assert!(chromium.text().contains("new@example.com"));
}
