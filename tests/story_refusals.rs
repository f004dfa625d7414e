//! Everything that says no, from the outside: each refusal carries what browsers must be told, has one type of problem, and gives
//! nothing away.

use crate::personas::{Answer, Ask, Scene, Vestibule};

const ORIGIN: &str = "https://app.test";

/// What no outsider should read in an error: files, code, SQL, addresses of what is behind.
const LEAKS: [&str; 9] =
    [".rs:", "panicked", "SELECT ", "sqlite", "/tmp/", "vestibule.db", "127.0.0.1", "stack", "os error"];

/// HD-02.
#[track_caller]
fn is_guarded(answer: &Answer, what: &str) {
    for (name, value) in [
        ("strict-transport-security", "max-age=31536000"),
        ("x-content-type-options", "nosniff"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "same-origin"),
    ] {
        assert_eq!(answer.header(name), Some(value), "{what}: {name} in {answer:?}");
    }
    for (name, part) in
        [("permissions-policy", "camera=()"), ("content-security-policy", "default-src 'none'")]
    {
        assert!(
            answer.header(name).is_some_and(|value| value.contains(part)),
            "{what}: {name} in {answer:?}"
        );
    }
}

/// HD-04.
#[track_caller]
fn is_a_problem(answer: &Answer, code: &str) {
    assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{answer:?}");
    let problem = answer.json();
    assert_eq!(problem["code"], code, "{problem}");
    assert_eq!(problem["type"], format!("urn:vestibule:problem:{code}"), "{problem}");
    assert_eq!(problem["status"], answer.status, "{problem}");
    let text = problem.to_string();
    assert!(LEAKS.iter().all(|leak| !text.contains(leak)), "{text}");
}

#[test]
fn every_no_is_guarded_named_and_tells_nothing() {
    let mut scene = Scene::at(ORIGIN, Vestibule::installed().with_log_filter("info,vestibule_gateway=debug"));
    let client = scene.api_client();
    let ask = |method: &str, path: &str| Ask::new(method, path).header("Host", "app.test");
    let mine = |ask: Ask| ask.bearer(&client.session_token);
    let cases = [
        (ask("GET", "/orders/"), 401, "no-credential"),
        (ask("GET", "/orders/").bearer("a.b.c"), 401, "jwt"),
        (
            mine(ask("GET", "/orders/"))
                .header("Cookie", format!("__Host-Http-vestibule={}", "A".repeat(43))),
            403,
            "two-credentials",
        ),
        (mine(ask("GET", "/orders/../x")), 400, "path-ambiguous"),
        (ask("TRACE", "/orders/"), 501, "not-offered"),
        (
            ask("GET", "/orders/").header("Upgrade", "websocket").header("Connection", "upgrade"),
            501,
            "not-offered",
        ),
        (ask("GET", &format!("/{}", "a".repeat(9000))), 414, "uri-too-long"),
        (ask("GET", "/auth/nothing"), 404, "not-found"),
        (ask("GET", "/auth/api/v1/session"), 401, "no-credential"),
        (ask("DELETE", "/auth/login"), 405, "method-not-allowed"),
        (
            ask("POST", "/auth/api/v1/login").body("{}").header("Content-Type", "text/plain"),
            415,
            "media-type",
        ),
        (ask("POST", "/auth/login").form(&[("identifier", "ada")]), 403, "csrf"),
    ];
    for (ask, status, code) in cases {
        let answer = ask.send(scene.front);
        assert_eq!(answer.status, status, "{code}: {answer:?}");
        is_guarded(&answer, code);
        is_a_problem(&answer, code);
        // What is told has its line in the log.
        if let Some(incident) = answer.json()["incident"].as_str() {
            scene.vestibule.running().wait_for(incident);
        }
    }
    let to_login = ask("GET", "/orders/").header("Sec-Fetch-Mode", "navigate").send(scene.front);
    assert_eq!(to_login.status, 302);
    is_guarded(&to_login, "the way to the login page");
    let page = mine(ask("GET", "/orders/../x")).header("Sec-Fetch-Mode", "navigate").send(scene.front);
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    is_guarded(&page, "a page for a person");

    // Forward-auth's refusals are handed through to browsers.
    let refused = scene.vestibule.check(|ask| ask, &format!("{ORIGIN}/orders/"));
    assert_eq!(refused.status, 401);
    is_guarded(&refused, "/check");
    is_a_problem(&refused, "no-credential");
    let passed = scene.vestibule.check(mine, &format!("{ORIGIN}/orders/"));
    assert_eq!(
        (passed.status, passed.header("x-frame-options")),
        (200, None),
        "a yes is as small as it can be"
    );
}

#[test]
fn a_service_that_is_gone_is_told_with_an_incident_and_without_its_address() {
    let mut vestibule = Vestibule::installed();
    let gone = crate::personas::free_address();
    vestibule.configure(
        &format!("public_url = \"{ORIGIN}\""),
        &format!("[[route]]\npath = \"/\"\nrequire = \"public\"\nupstream = \"http://{gone}\"\n"),
    );
    vestibule.start();
    let answer = Ask::get("/").header("Host", "app.test").send(vestibule.public);
    assert_eq!(answer.status, 502, "{answer:?}");
    is_guarded(&answer, "502");
    is_a_problem(&answer, "upstream-unreachable");
    let incident = answer.json()["incident"].as_str().unwrap().to_owned();
    let line = vestibule.running().wait_for(&incident);
    assert!(line.contains(&gone.to_string()) && line.contains("upstream-unreachable"), "{line}");
}
