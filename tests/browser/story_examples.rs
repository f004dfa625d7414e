//! The examples of `examples/`, as they are, in a real browser: a service with plain HTML forms and a single-page app, behind every
//! door. Their own pages may act, whatever tab they are in; a page without its token may not.

use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::personas::{
    ADA, Answer, Ask, Browser, Caddy, Chromium, Door, HaProxy, Nginx, PASSWORD, Place, Running, Vestibule,
    example_path, exchange_texts, free_address, oracles, program,
};

const FORMS: &str = include_str!("../../examples/forms/vestibule.toml");
const FORMS_BEHIND_A_PROXY: &str = include_str!("../../examples/forms/behind-a-proxy.toml");
const SPA: &str = include_str!("../../examples/spa/vestibule.toml");

/// An example behind a door.
struct Stage {
    // In the order in which they must go.
    _proxy: Option<Box<dyn std::any::Any>>,
    _service: Running,
    vestibule: Vestibule,
    front: SocketAddr,
    behind: SocketAddr,
    origin: String,
    subject: String,
    _place: Place,
}

impl Stage {
    /// `start` is given the folder, the origin, and where service, keys and internal listener are.
    fn set(
        door: Door,
        example: &str,
        start: impl FnOnce(&Place, &str, SocketAddr, &Vestibule) -> Running,
    ) -> Self {
        let (place, mut vestibule, behind) = (Place::new(), Vestibule::installed(), free_address());
        let front = if door == Door::BuiltIn { vestibule.public } else { free_address() };
        let origin = format!("http://{front}");
        let says = if example.contains("127.0.0.1:8000") { "8000" } else { "8080" };
        let text = exchange_texts(
            example,
            &[
                (&format!("public_url = \"http://127.0.0.1:{says}\""), &format!("public_url = \"{origin}\"")),
                ("public = \"127.0.0.1:8080\"", &format!("public = \"{}\"", vestibule.public)),
                ("internal = \"127.0.0.1:8081\"", &format!("internal = \"{}\"", vestibule.internal)),
            ],
        );
        let text = text.replace("http://127.0.0.1:9000", &format!("http://{behind}"));
        let secrets =
            "[secrets]\nseal_key_file = \"secrets/seal.key\"\npepper_file = \"secrets/pepper.key\"\n";
        vestibule.place.write("vestibule.toml", &format!("{text}\n{secrets}"));
        vestibule.start();
        let subject = vestibule.operator.add_account(ADA);
        let service = start(&place, &origin, behind, &vestibule);
        let (public, internal) = (vestibule.public, vestibule.internal);
        let proxy: Option<Box<dyn std::any::Any>> = match door {
            Door::Caddy => Some(Box::new(Caddy::start(front, public, internal, behind))),
            Door::Nginx => Some(Box::new(Nginx::start(front, public, internal, behind))),
            Door::HaProxy => Some(Box::new(HaProxy::start(front, public, internal, behind))),
            Door::BuiltIn => None,
        };
        Self { _proxy: proxy, _service: service, vestibule, front, behind, origin, subject, _place: place }
    }

    fn notebook(door: Door) -> Self {
        let example = if door == Door::BuiltIn { FORMS } else { FORMS_BEHIND_A_PROXY };
        Self::set(door, example, |place, origin, behind, vestibule| {
            let mut command = std::process::Command::new(oracles("python").join("bin/python"));
            command.arg("-u").arg(example_path("forms/service.py")).arg(origin);
            command.args(["--port", &behind.port().to_string()]);
            command.args(["--keys", &format!("http://{}/.well-known/jwks.json", vestibule.public)]);
            if door == Door::BuiltIn {
                command.arg("--proxy-checks-forms");
            } else {
                command.args(["--ask", &format!("http://{}/csrf", vestibule.internal)]);
            }
            let mut running = Running::start("the notebook", command, place.join("service.log"));
            running.wait_for("listening");
            running
        })
    }

    fn tasks(door: Door) -> Self {
        Self::set(door, SPA, |place, origin, behind, vestibule| {
            // Beside its libraries, as `npm install` would put them.
            for name in ["service.mjs", "index.html", "app.js"] {
                std::fs::copy(example_path(&format!("spa/{name}")), place.join(name)).unwrap();
            }
            std::os::unix::fs::symlink(oracles("node").join("node_modules"), place.join("node_modules"))
                .unwrap();
            let mut command = program("node", "nodejs");
            command.arg(place.join("service.mjs")).arg(origin).arg(behind.port().to_string());
            command.arg(format!("http://{}/.well-known/jwks.json", vestibule.public));
            let mut running = Running::start("the tasks", command, place.join("service.log"));
            running.wait_for("listening");
            running
        })
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }
}

#[test]
fn plain_html_forms_work_through_the_built_in_door() {
    plain_html_forms_work(Door::BuiltIn);
}

#[test]
fn plain_html_forms_work_through_haproxy() {
    plain_html_forms_work(Door::HaProxy);
}

#[test]
fn plain_html_forms_work_through_nginx() {
    plain_html_forms_work(Door::Nginx);
}

#[test]
fn plain_html_forms_work_through_caddy() {
    plain_html_forms_work(Door::Caddy);
}

/// In a browser that runs no scripts, from signing in to signing out.
fn plain_html_forms_work(door: Door) {
    let stage = Stage::notebook(door);
    let chromium = Chromium::without_scripts();
    let notes = || chromium.text_of("ul").lines().map(str::to_owned).collect::<Vec<_>>();
    let write = |note: &str| {
        chromium.fill_in("input[name=note]", note);
        chromium.click("button");
    };
    chromium.open(&stage.url("/notes/"));
    chromium.sign_in(ADA, PASSWORD);
    chromium.wait_until("the notebook", |page| page.text_of("h1") == format!("Notes of {}", stage.subject));
    write("tea");
    chromium.wait_until("the first note", |_| notes() == ["tea"]);

    // Two tabs, each with a token of its own; the older page comes last.
    let first = chromium.tab();
    chromium.new_tab();
    chromium.open(&stage.url("/notes/"));
    write("milk");
    chromium.wait_until("the other tab's note", |_| notes() == ["tea", "milk"]);
    chromium.switch_to(&first);
    write("sugar");
    chromium.wait_until("the older tab's note", |_| notes() == ["tea", "milk", "sugar"]);

    // A mistake, mended in the form that was shown again; and a page behind the back button.
    write(" ");
    chromium.wait_until("the complaint", |page| page.text().contains("Write something first."));
    write("lemon");
    chromium.wait_until("the mended note", |_| notes() == ["tea", "milk", "sugar", "lemon"]);
    chromium.back();
    chromium.back();
    write("honey");
    chromium.wait_until("the note from behind the back button", |_| {
        notes() == ["tea", "milk", "sugar", "lemon", "honey"]
    });

    chromium.open(&stage.url("/auth/logout"));
    chromium.click("button.primary");
    chromium.wait_until("that she is signed out", |page| page.text().contains("You are signed out"));
    chromium.open(&stage.url("/notes/"));
    assert!(chromium.url().starts_with(&stage.url("/auth/login")), "{}", chromium.url());
    only_tokens_of_its_own_pages_are_good(&stage);
}

/// CS-02: what comes from the right place, but not from a page that was given this token, writes nothing.
fn only_tokens_of_its_own_pages_are_good(stage: &Stage) {
    let signed_in = || {
        let mut browser = Browser::at(&stage.origin);
        browser.sign_in("/notes/", ADA, PASSWORD);
        browser
    };
    let (mut mine, mut other) = (signed_in(), signed_in());
    let token_of = |browser: &mut Browser| browser.open("/notes/").hidden("csrf_token");
    let (good, others) = (token_of(&mut mine), token_of(&mut other));
    assert_eq!(good.len(), 48);
    let count = |browser: &mut Browser| browser.open("/notes/").text().matches("<li>").count();
    let before = count(&mut mine);
    let mut post = |path: &str, fields: &[(&str, &str)]| -> Answer {
        mine.fetch(Ask::post(path).form(&[fields, &[("note", "forged")]].concat()))
    };
    let changed = format!("{}{}", if good.starts_with('A') { "B" } else { "A" }, &good[1..]);
    for fields in [
        &[][..],
        &[("csrf_token", "")],
        &[("csrf_token", &others)],
        &[("csrf_token", &changed)],
        &[("CSRF_TOKEN", &good)],
    ] {
        assert_eq!(post("/notes/", fields).status, 403, "{fields:?}");
    }
    // Where it could leak it does not count.
    assert_eq!(post(&format!("/notes/?csrf_token={good}"), &[]).status, 403);
    assert_eq!(post("/notes/", &[("csrf_token", &good)]).status, 303, "the control");
    let after = count(&mut mine);
    assert_eq!(after, before + 1, "one note, that of the control");

    // The token of a session that is over, with a session that is not.
    let body = json!({});
    let gone = other.fetch(Ask::post("/auth/api/v1/logout").header("X-CSRF-Token", &others).json(&body));
    assert_eq!(gone.status, 204, "{gone:?}");
    let form = Ask::post("/notes/").form(&[("csrf_token", &others), ("note", "forged")]);
    assert_eq!(mine.fetch(form.clone()).status, 403);
    let stranger = Browser::at(&stage.origin).fetch(form);
    assert!(matches!(stranger.status, 401 | 403), "{stranger:?}");
    assert_eq!(count(&mut mine), after);
    assert!(stage.vestibule.logged().contains("\"ready\""));
    let outside = Ask::post("/csrf").form(&[("session", "x"), ("csrf_token", &good)]).send(stage.front);
    assert!(matches!(outside.status, 401 | 403 | 404), "nobody outside may ask: {outside:?}");
}

/// HD-01: who starts from the examples starts with pages that nobody frames and that show nothing of a stranger's as markup.
#[test]
fn the_pages_of_the_examples_are_guarded() {
    let (notebook, tasks) = (Stage::notebook(Door::BuiltIn), Stage::tasks(Door::BuiltIn));
    let mut browser = Browser::at(&notebook.origin);
    let page = browser.sign_in("/notes/", ADA, PASSWORD).answer;
    for shown in [page, Browser::at(&tasks.origin).look("/")] {
        let policy = shown.header("content-security-policy").unwrap_or_default().to_owned();
        assert!(shown.status == 200 && policy.contains("default-src"), "{shown:?}");
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    }

    // A JWT whose key is called `<script>`: the library names it in what it says.
    let forged = "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJFUzI1NiIsImtpZCI6IjxzY3JpcHQ-In0.e30.AA";
    let refused = Ask::get("/notes/").bearer(forged).send(notebook.behind);
    assert_eq!(refused.status, 401, "{refused:?}");
    assert!(refused.text().contains("&lt;script&gt;") && !refused.text().contains("<script>"), "{refused:?}");
}

#[test]
fn a_single_page_app_works_through_the_built_in_door() {
    a_single_page_app_works(Door::BuiltIn);
}

#[test]
fn a_single_page_app_works_through_haproxy() {
    a_single_page_app_works(Door::HaProxy);
}

#[test]
fn a_single_page_app_works_through_nginx() {
    a_single_page_app_works(Door::Nginx);
}

#[test]
fn a_single_page_app_works_through_caddy() {
    a_single_page_app_works(Door::Caddy);
}

fn a_single_page_app_works(door: Door) {
    let stage = Stage::tasks(door);
    let chromium = Chromium::start();
    let tasks = || chromium.text_of("#tasks").lines().map(str::to_owned).collect::<Vec<_>>();
    let add = |title: &str| {
        chromium.fill_in("#title", title);
        chromium.click("#save");
    };
    let sign_in = || {
        chromium.click("#sign-in");
        chromium.sign_in(ADA, PASSWORD);
        chromium
            .wait_until("the app, signed in", |page| page.text().contains(&format!("Signed in as {ADA}")));
    };
    chromium.open(&stage.url("/"));
    chromium.wait_until("that the app says so", |page| page.text().contains("You are signed out."));
    sign_in();
    add("tea");
    chromium.wait_until("the first task", |_| tasks() == ["tea"]);
    assert_eq!(chromium.script("return document.cookie + Object.keys(localStorage)"), "");

    // Another tab signs out and in again: the token that this one keeps is of a session that is over, and it gets over that.
    let first = chromium.tab();
    chromium.new_tab();
    chromium.open(&stage.url("/"));
    chromium.wait_until("the app in another tab", |_| tasks() == ["tea"]);
    chromium.click("#sign-out");
    chromium.wait_until("that it is signed out", |page| page.text().contains("You are signed out."));
    sign_in();
    chromium.switch_to(&first);
    add("milk");
    chromium.wait_until("a task by way of a new token", |_| tasks() == ["tea", "milk"]);

    // The same requests without the token, or with one of nobody's, change nothing.
    let refused = chromium.awaited(
        "const ask = (method, headers) => fetch('/api/tasks', { method, headers, body: '{\"title\":\"forged\"}' });\
         const answers = [await ask('POST', {}), await ask('DELETE', {}), await ask('POST', { 'X-CSRF-Token': 'guess' })];\
         return answers.map(answer => answer.status)",
    );
    assert_eq!(refused, json!([403, 403, 403]));
    chromium.script("location.reload()");
    chromium.wait_until("what was there before", |_| tasks() == ["tea", "milk"]);
    chromium.click("#clear");
    chromium.wait_until("an empty list", |_| tasks().is_empty());
    let sign_out: Value = chromium.awaited("return (await fetch('/auth/api/v1/csrf')).status");
    assert_eq!(sign_out, 200);
    chromium.click("#sign-out");
    chromium.wait_until("that it is signed out", |page| page.text().contains("You are signed out."));
    assert_eq!(chromium.awaited("return (await fetch('/api/tasks')).status"), 401);
}
