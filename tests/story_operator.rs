//! An operator's days: the first one, with everything that can be wrong; changes while people are signed in; the end that finishes
//! what was begun.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;

use crate::personas::{ADA, Ask, Browser, Door, Operator, Place, Scene, Vestibule, free_address};

#[test]
fn the_first_day_each_mistake_is_one_line_that_says_what_to_do() {
    let place = Place::new();
    let operator = Operator { config: place.join("vestibule.toml") };
    operator.fails(2, &["serve"], "", "cannot be read");
    operator.ok(&["init", place.path().to_str().unwrap()], "");
    assert!(operator.ok(&["config", "check"], "").contains("is right"));
    operator.fails(1, &["init", place.path().to_str().unwrap()], "", "there already");

    let written = fs::read_to_string(&operator.config).unwrap();
    let with = |line: &str| fs::write(&operator.config, format!("{line}\n{written}")).unwrap();
    with("colour = \"green\"");
    operator.fails(2, &["serve"], "", "colour");
    with("public_url = \"http://app.example.com\"");
    operator.fails(2, &["serve"], "", "public_url");

    let (taken, free) = (TcpListener::bind("127.0.0.1:0").unwrap(), free_address());
    let at = |public: &str, internal: &str| {
        let text = written.replace("127.0.0.1:8080", public).replace("127.0.0.1:8081", internal);
        fs::write(&operator.config, text).unwrap();
    };
    at(&taken.local_addr().unwrap().to_string(), &free.to_string());
    operator.fails(2, &["serve"], "", "is in use by another program");
    at(&free.to_string(), &free_address().to_string());
    let pepper = place.join("secrets/pepper.key");
    fs::set_permissions(&pepper, fs::Permissions::from_mode(0o644)).unwrap();
    operator.fails(2, &["serve"], "", "chmod 600");
    fs::set_permissions(&pepper, fs::Permissions::from_mode(0o600)).unwrap();
    assert!(operator.ok(&["config", "check"], "").contains("is right"));
}

/// RV-01, SS-07: an ending holds at the next request.
#[test]
fn session_end_refuses_the_next_request_through_every_door_at_once() {
    for door in Door::ALL {
        let scene = Scene::behind(door);
        let operator = &scene.vestibule.operator;
        let (mut first, mut second) = (scene.signed_in(), scene.signed_in());
        let client = scene.api_client();
        let passes = |browser: &mut Browser| browser.look("/orders/").status == 200;
        assert!(passes(&mut first) && passes(&mut second) && client.get("/orders/").status == 200);
        assert_eq!(operator.json(&["session", "list"]).as_array().unwrap().len(), 3);

        let session = first.fetch(Ask::get("/auth/api/v1/session")).json()["session"]["id"].clone();
        operator.ok(&["session", "end", session.as_str().unwrap()], "");
        assert!(!passes(&mut first), "{door:?}");
        assert!(passes(&mut second) && client.get("/orders/").status == 200, "{door:?}: the others go on");

        operator.ok(&["session", "end", "--subject", ADA], "");
        assert!(!passes(&mut second) && client.get("/orders/").status == 401, "{door:?}");

        let mut third = scene.signed_in();
        assert!(passes(&mut third));
        operator.ok(&["account", "disable", ADA], "");
        assert!(!passes(&mut third), "{door:?}: a disabled account is out at once");
        operator.ok(&["account", "enable", ADA], "");
        assert!(!passes(&mut third), "{door:?}: and its old sessions stay out");
        let mut fourth = scene.signed_in();
        operator.ok(&["session", "end", "--everyone"], "");
        assert!(!passes(&mut fourth), "{door:?}");
        scene.service.take();
    }
}

#[test]
fn explain_tells_what_the_door_does_and_token_verify_what_the_service_finds() {
    let scene = Scene::behind(Door::Nginx);
    let operator = &scene.vestibule.operator;
    let mut browser = scene.signed_in();
    let cookie = browser.cookie("vestibule").unwrap().value.clone();
    assert_eq!(browser.look("/orders/").status, 200);
    let received = scene.service.one();
    let jwt = received.jwt().unwrap().to_owned();

    let url = format!("{}/orders/", scene.origin);
    let explain = |method: &str, credential: &str| {
        let arguments = ["explain", "--cookie-stdin", "--url", &url, "--method", method, "--json"];
        let ended = operator.run(&arguments, credential);
        (ended.code, serde_json::from_str::<serde_json::Value>(&ended.out).unwrap())
    };
    let (code, yes) = explain("GET", &cookie);
    assert_eq!((code, &yes["outcome"], &yes["jwt"]["reused"]), (0, &"permit".into(), &true.into()), "{yes}");
    assert_eq!(yes["jwt"]["claims"]["sub"], scene.subject.as_str(), "{yes}");
    assert_eq!(
        yes["jwt"]["claims"]["jti"],
        operator_inspects(operator, &jwt)["claims"]["jti"],
        "the very same JWT"
    );
    let (code, no) = explain("POST", &cookie);
    assert_eq!((code, &no["outcome"]), (1, &"deny".into()), "a POST without a CSRF token: {no}");
    // With what the page's form would send, it is what the door says; with what another site can send, too.
    let csrf = received.all("x-csrf-token")[0].to_owned();
    for (origin, outcome, step) in
        [(&*scene.origin, "permit", "permitted"), ("https://evil.test", "deny", "csrf-origin")]
    {
        let (origin, token) = (format!("Origin: {origin}"), format!("x-csrf-token:{csrf}"));
        let post = ["explain", "--cookie-stdin", "--url", &url, "--method", "POST", "--json"];
        let told = operator.run(&[&post[..], &["--header", &origin, "--header", &token]].concat(), &cookie);
        let told: serde_json::Value = serde_json::from_str(&told.out).unwrap();
        assert_eq!(told["outcome"], outcome, "{told}");
        assert!(told.to_string().contains(step) && !told.to_string().contains(&csrf), "{told}");
    }
    for (wrong, says) in [
        ("Cookie: vestibule=x", "read from stdin"),
        ("authorization: Bearer x", "read from stdin"),
        ("no colon", "Name: value"),
        ("na me: x", "no header's name"),
        ("x: \u{1}", "no header's value"),
    ] {
        let ended = operator.run(&["explain", "--cookie-stdin", "--url", &url, "--header", wrong], &cookie);
        assert!(ended.code == 2 && ended.err.contains(says), "{wrong}: {ended:?}");
    }
    let (code, no) = explain("GET", &"A".repeat(43));
    assert_eq!((code, &no["outcome"]), (1, &"challenge".into()), "{no}");
    let told = operator.ok(&["explain", "--cookie-stdin", "--url", &url], &cookie);
    assert!(told.contains("=> permit") && !told.contains(&cookie) && !told.contains(&jwt), "{told}");

    let verify = ["token", "verify", "--audience", "orders"];
    assert!(operator.ok(&verify, &jwt).contains(&scene.subject));
    operator.fails(1, &["token", "verify", "--audience", "billing"], &jwt, "refused");
    operator.fails(1, &verify, &format!("{}AAAA", &jwt[..jwt.len() - 4]), "refused");
    operator.ok(&["session", "end", "--everyone"], "");
    // A JWT that is out lives on until it expires, at who has no feed of revocations; the operator's check has one.
    operator.fails(1, &verify, &jwt, "refused");
}

fn operator_inspects(operator: &Operator, jwt: &str) -> serde_json::Value {
    serde_json::from_str(&operator.ok(&["token", "inspect", "--json"], jwt)).unwrap()
}

#[test]
fn a_reload_changes_routes_and_audiences_and_a_wrong_file_changes_nothing() {
    let mut scene = Scene::behind(Door::Nginx);
    let mut browser = scene.signed_in();
    let file = scene.vestibule.operator.config.clone();
    let before = fs::read_to_string(&file).unwrap();
    assert_eq!(browser.look("/bills/1").status, 200);
    fs::write(&file, before.replace("path = \"/\"", "path = \"/bills/\"").replace("R&D", "Ops")).unwrap();
    assert_eq!(browser.look("/orders/").status, 200, "nothing changes before it is said");
    scene.vestibule.reload("were read anew");
    assert_eq!(browser.look("/orders/").status, 403, "no route covers it now");
    assert_eq!(browser.look("/bills/1").status, 200, "and nobody was signed out");
    fs::write(&file, "public_url = 7").unwrap();
    scene.vestibule.reload("stays as it was");
    assert_eq!((browser.look("/orders/").status, browser.look("/bills/1").status), (403, 200));
}

/// GW-08: while nobody can be asked, nobody gets in.
#[test]
fn a_drain_finishes_what_was_begun_and_loses_nobody() {
    for door in Door::ALL {
        let mut scene = Scene::behind(door);
        let mut browser = scene.signed_in();
        let cookies = browser.cookies();
        let front = scene.front;
        // Behind a proxy the decision is over before the service begins; through our own door the answer comes through us.
        let slow =
            std::thread::spawn(move || Ask::get("/orders/slow").header("Cookie", cookies).try_send(front));
        scene.service.wait_for_one();
        let ended = scene.vestibule.end();
        assert_eq!(ended.code(), Some(0), "{door:?}");
        let answer = slow.join().unwrap().expect("an answer to what was begun");
        assert_eq!((answer.status, answer.text()), (200, format!("hello {}", scene.subject)), "{door:?}");

        // Nobody gets in without Vestibule ...
        if door != Door::BuiltIn {
            let closed = browser.look("/orders/");
            assert!(closed.status >= 500, "{door:?}: {closed:?}");
            assert_eq!(scene.service.take().len(), 1, "{door:?}: only the slow one arrived");
        }
        // ... and who was signed in still is, afterwards.
        scene.vestibule.start();
        assert_eq!(browser.look("/orders/").status, 200, "{door:?}");
    }
}

#[test]
fn health_readiness_and_metrics_are_on_the_internal_listener_alone() {
    let scene = Scene::behind(Door::BuiltIn);
    let mut browser = scene.signed_in();
    assert_eq!(browser.look("/orders/").status, 200);
    let internal = |path: &str| Ask::get(path).send(scene.vestibule.internal);
    assert_eq!(internal("/healthz").text(), "ok\n");
    assert_eq!(internal("/readyz").json()["ready"], true);
    for (name, label, count) in [
        ("vestibule_logins_total", "succeeded", 1.0),
        ("vestibule_swaps_total", "proxy", 1.0),
        ("vestibule_jwt_signed_total", "", 1.0),
        ("vestibule_sessions_live", "", 1.0),
    ] {
        let counted = scene.vestibule.metric(name, label);
        assert!((counted - count).abs() < f64::EPSILON, "{name} is {counted}");
    }
    for path in ["/check", "/metrics", "/readyz"] {
        let answer = Ask::get(path).send(scene.front);
        assert_ne!(answer.status, 200, "{path} shows itself outside: {answer:?}");
    }
}

/// Behind a proxy that nobody named, all visitors count as one: said at the start where there must be a proxy, and once where one shows
/// itself; in the readiness answer, and when the configuration is checked.
#[test]
fn a_proxy_that_nobody_named_is_told_of() {
    let mut vestibule = Vestibule::installed();
    vestibule.configure("public_url = \"https://app.example.com\"", "");
    let said = vestibule.operator.ok(&["config", "check"], "");
    assert!(said.contains("warning: trusted_proxies.public: no proxy is named"), "{said}");
    vestibule.start();
    vestibule.running().wait_for("no proxy is named");
    let warnings = |vestibule: &Vestibule| {
        let ready = Ask::get("/readyz").send(vestibule.internal).json();
        assert_eq!(ready["ready"], true);
        ready["warnings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it.as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(warnings(&vestibule).len(), 1);
    for _ in 0..3 {
        Ask::get("/auth/login").header("X-Forwarded-For", "203.0.113.9").send(vestibule.public);
    }
    let told = warnings(&vestibule);
    assert!(told.len() == 2 && told[1].contains("127.0.0.1"), "{told:?}");
    vestibule.running().wait_for("X-Forwarded-For came from");
    assert_eq!(vestibule.logged().matches("X-Forwarded-For came from").count(), 1);
    vestibule.end();

    let trust = "[trusted_proxies]\npublic = [\"127.0.0.1/32\"]";
    vestibule.configure("public_url = \"https://app.example.com\"", trust);
    assert!(!vestibule.operator.ok(&["config", "check"], "").contains("warning: trusted_proxies"));
    vestibule.start();
    Ask::get("/auth/login").header("X-Forwarded-For", "203.0.113.9").send(vestibule.public);
    assert!(warnings(&vestibule).is_empty());
    // Over http, on this machine alone, no proxy is needed, so none is missed.
    vestibule.end();
    vestibule.configure("", "");
    assert!(!vestibule.operator.ok(&["config", "check"], "").contains("warning: trusted_proxies"));
}

/// SC-02: whatever weakens a gate is said at the start, in the readiness answer and in `config show`.
#[test]
fn a_weakened_gate_is_told_of_everywhere() {
    let mut vestibule = Vestibule::installed();
    let routes =
        "[[audience]]\nname = \"orders\"\n[[route]]\npath = \"/\"\naudience = \"orders\"\ncsrf = \"off\"\n";
    vestibule.configure("", routes);
    vestibule.start();
    let ready = Ask::get("/readyz").send(vestibule.internal).json();
    assert!(ready["dangers"][0].as_str().unwrap().contains("csrf"), "{ready}");
    assert!(vestibule.logged().contains("danger"));
    let shown = vestibule.operator.json(&["config", "show"]);
    assert!(shown.to_string().contains("csrf"), "{shown}");
}
