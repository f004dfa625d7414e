//! The OpenAPI document against the real program: schemathesis makes requests of it, good ones and bad ones, by every method and in
//! every form that it can think of, follows what answers lead to, and finds no answer that the document does not describe.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::personas::{Ask, CHEAP_HASH, Place, Running, Vestibule, oracles, python_of, script_path};

const ORIGIN: &str = "https://app.example.com";
const PATH: &str = "/auth/api/v1/openapi.json";
/// Who can sign in; each of them but a few times, so that nobody has to wait for what others did.
const ACCOUNTS: usize = 400;

#[test]
fn schemathesis_finds_no_answer_that_the_document_does_not_describe() {
    let (place, (vestibule, client)) = (Place::new(), with_everything_on());
    for name in ["hooks.py", "schemathesis.toml"] {
        std::fs::copy(script_path(&format!("schemathesis/{name}")), place.join(name)).unwrap();
    }
    let url = format!("http://{}", vestibule.public);
    let mut command = python_of(&oracles("python").join("bin/schemathesis"));
    command.current_dir(place.path()).env("NO_COLOR", "1").env("PYTHONDONTWRITEBYTECODE", "1");
    command.env("VESTIBULE_ORIGIN", ORIGIN).env("VESTIBULE_ACCOUNTS", ACCOUNTS.to_string());
    command.env("VESTIBULE_CLIENT", client);
    // From a file: where a document was fetched from, nothing is asked again.
    let document = Ask::get(PATH).send(vestibule.public);
    place.write("openapi.json", &document.text());
    // A seed of its own, so that a run that fails can be repeated.
    command.args(["run", "openapi.json", "--url", &url, "--seed", "2026", "--request-timeout", "20"]);
    let began = Instant::now();
    let mut running = Running::start("schemathesis", command, place.join("schemathesis.log"));
    let ended = running.ended_within(Duration::from_secs(180)).unwrap();
    let said = running.logged();
    assert!(ended.success(), "after {:?}: {said}", began.elapsed());
    // It looked at everything: no operation was left out, and no phase.
    let count: usize = document.json()["paths"]
        .as_object()
        .unwrap()
        .values()
        .map(|item| item.as_object().unwrap().len())
        .sum();
    assert!(said.contains(&format!("Selected: {count}/{count}")), "{said}");
    assert!(said.contains(&format!("Tested: {count}")), "{said}");
    for phase in ["Examples", "Coverage", "Fuzzing", "Stateful"] {
        assert!(said.contains(&format!("✅ {phase}")), "{phase}: {said}");
    }
    assert!(!vestibule.logged().contains("panicked"), "{}", vestibule.logged());
}

/// Registration is open, browsers may hold tokens, four hundred can sign in, and whoever asks says which network it comes from; and the
/// name and secret of a client that may do whatever clients may.
fn with_everything_on() -> (Vestibule, String) {
    let mut vestibule = Vestibule::installed();
    vestibule.configure(
        &format!("public_url = \"{ORIGIN}\"\nregistration = \"open\""),
        "[tokens]\ncookies = true\n[trusted_proxies]\npublic = [\"127.0.0.0/8\"]\n[passwords]\nguesses_per_minute = 60000\n\
         [[audience]]\nname = \"orders\"",
    );
    vestibule.start();
    let account = |number: usize| -> Value {
        json!({ "identifier": format!("tester-{number}@example.com"), "password_hash": CHEAP_HASH })
    };
    let others = (0..ACCOUNTS).map(account);
    // LoginTarget the document's examples sign in.
    let ada = json!({ "identifier": "ada@example.com", "password_hash": CHEAP_HASH });
    let lines: Vec<String> = others.chain([ada]).map(|line| line.to_string()).collect();
    vestibule.operator.ok(&["account", "import"], &lines.join("\n"));
    let may = ["--audience", "orders", "--scope", "orders:read", "--exchange", "--serves", "orders"];
    let client = vestibule.operator.json(&[&["client", "add", "all that a client may"], &may[..]].concat());
    let text = |name: &str| client[name].as_str().unwrap();
    let both = format!("{}:{}", text("client_id"), text("client_secret"));
    (vestibule, both)
}
