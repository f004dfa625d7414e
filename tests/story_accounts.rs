//! Accounts in an operator's hands: another identifier, who is kept waiting, and whom the log means.

use serde_json::{Value, json};

use crate::personas::{ADA, ApiClient, Ask, Door, PASSWORD, Scene, Vestibule};

const LOVELACE: &str = "lovelace@example.com";

#[test]
fn an_operator_changes_an_identifier_and_sessions_go_on() {
    let scene = Scene::behind(Door::BuiltIn);
    let operator = &scene.vestibule.operator;
    let mut browser = scene.signed_in();
    assert_eq!(browser.look("/orders/").status, 200);
    let email = || -> Value {
        let received = scene.service.one();
        let inspected = operator.ok(&["token", "inspect", "--json"], received.jwt().unwrap());
        serde_json::from_str::<Value>(&inspected).unwrap()["claims"]["email"].clone()
    };
    assert_eq!(email(), ADA);

    operator.add_account("bob@example.com");
    operator.fails(1, &["account", "set", ADA, "--identifier", "BOB@example.com"], "", "another account");
    operator.fails(1, &["account", "set", ADA, "--identifier", " "], "", "identifier");
    operator.ok(&["account", "set", ADA, "--identifier", LOVELACE], "");

    assert_eq!(browser.look("/orders/").status, 200, "nobody is signed out by it");
    assert_eq!(email(), LOVELACE, "the next JWT says so");
    assert_eq!(operator.json(&["account", "show", LOVELACE])["subject"], scene.subject.as_str());
    operator.fails(1, &["account", "show", ADA], "", "no account");
    ApiClient::sign_in(scene.front, LOVELACE, PASSWORD);
    assert_eq!(ApiClient::attempt(scene.front, ADA, PASSWORD).status, 401);
    let said = scene.vestibule.logged();
    assert!(said.contains("account.identifier-set") && !said.contains(LOVELACE), "{said}");
}

/// The way of an owner: by the page, then by the API, while services are told the new name at the next request.
#[test]
fn an_owner_changes_the_identifier_where_that_is_allowed() {
    let path = "/auth/account/identifier";
    let closed = Scene::behind(Door::BuiltIn);
    let mut browser = closed.signed_in();
    assert_eq!(browser.look(path).status, 404, "operators gave the identifiers, so owners keep them");
    assert!(!browser.open("/auth/account").text().contains(path));
    drop(closed);

    let sections = "[accounts]\nidentifier_change = true";
    let scene = Scene::with(Door::BuiltIn, Vestibule::installed(), "", sections);
    scene.vestibule.operator.add_account("bob@example.com");
    let mut browser = scene.signed_in();
    assert!(browser.open("/auth/account").text().contains(path));
    let page = browser.open(path);
    let fields = [("new_identifier", "BOB@example.com"), ("current_password", PASSWORD)];
    let page = browser.submit(&page, path, &fields);
    assert!(page.answer.status == 409 && page.text().contains("That name is taken"), "{}", page.text());
    let fields = [("new_identifier", " Lovelace@example.com"), ("current_password", PASSWORD)];
    let page = browser.submit(&page, path, &fields);
    assert!(page.text().contains("Your email or username is changed.") && page.text().contains(LOVELACE));

    assert_eq!(browser.look("/orders/").status, 200, "the session goes on");
    let received = scene.service.one();
    let operator = &scene.vestibule.operator;
    let inspected = operator.ok(&["token", "inspect", "--json"], received.jwt().unwrap());
    let inspected: Value = serde_json::from_str(&inspected).unwrap();
    assert_eq!(inspected["claims"]["email"], LOVELACE);
    assert_eq!(inspected["claims"]["sub"], scene.subject.as_str(), "the subject stays");
    assert_eq!(ApiClient::attempt(scene.front, ADA, PASSWORD).status, 401);

    let program = ApiClient::sign_in(scene.front, LOVELACE, PASSWORD);
    let change = |new: &str| {
        let body = json!({ "current_password": PASSWORD, "identifier": new });
        program.send(Ask::new("PUT", "/auth/api/v1/identifier").json(&body))
    };
    let taken = change("bob@example.com");
    assert_eq!((taken.status, &taken.json()["code"]), (409, &json!("identifier-taken")));
    let back = change(ADA);
    assert_eq!((back.status, &back.json()["identifier"]), (200, &json!(ADA)));
    assert_eq!(operator.json(&["account", "show", ADA])["subject"], scene.subject.as_str());

    let said = scene.vestibule.logged();
    for event in ["account.identifier-changed", "account.identifier-taken"] {
        assert!(said.contains(event), "{event}");
    }
    assert!(!said.contains("@example.com") && !said.contains(PASSWORD), "{said}");
}

/// The log says whom an attempt was about, and never what was typed: it may be a password.
#[test]
fn the_log_names_the_account_and_never_what_was_typed() {
    let mut vestibule = Vestibule::installed();
    vestibule.configure(&format!("public_url = \"http://{}\"", vestibule.public), "");
    vestibule.start();
    let subject = vestibule.operator.add_account(ADA);
    let nobody = "my password in the wrong field";
    for identifier in [ADA, nobody, "My Password in the wrong field"] {
        for _ in 0..6 {
            ApiClient::attempt(vestibule.public, identifier, "wrong");
        }
    }
    let said = vestibule.logged();
    assert!(!said.to_lowercase().contains("wrong field") && !said.contains(ADA), "{said}");
    let lines = |event: &str| -> Vec<Value> {
        let lines = said.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.filter(|line| line["event"] == event).collect()
    };
    for (event, of_ada) in [("login.refused", 5), ("login.throttled", 1)] {
        let lines = lines(event);
        let ours = lines.iter().filter(|line| line["subject"] == subject.as_str()).count();
        assert_eq!(ours, of_ada, "{event}: {lines:?}");
    }
    let digests: Vec<String> = ["login.refused", "login.throttled"]
        .iter()
        .flat_map(|event| lines(event))
        .filter_map(|line| line["name.digest"].as_str().map(str::to_owned))
        .collect();
    assert_eq!(digests.len(), 12, "{said}");
    assert!(digests.iter().all(|it| *it == digests[0] && it.len() == 16), "one name: {digests:?}");
}

#[test]
fn show_and_list_say_who_is_kept_waiting() {
    let mut vestibule = Vestibule::installed();
    vestibule.configure(&format!("public_url = \"http://{}\"", vestibule.public), "");
    vestibule.start();
    let operator = &vestibule.operator;
    for name in ["ada", "bob", "carol", "dan"] {
        operator.add_account(&format!("{name}@example.com"));
    }
    let standing = |who: &str| operator.json(&["account", "show", who])["standing"].clone();
    assert_eq!(standing(ADA)["last_sign_in_at"], Value::Null);
    ApiClient::sign_in(vestibule.public, ADA, PASSWORD);
    ApiClient::sign_in(vestibule.public, ADA, PASSWORD);
    for _ in 0..6 {
        ApiClient::attempt(vestibule.public, "carol@example.com", "wrong");
    }
    let ada = standing(ADA);
    assert!(ada["last_sign_in_at"].is_string() && ada["sessions"] == 2, "{ada}");
    assert_eq!(ada["throttle"]["strangers"]["failures"], 0, "{ada}");
    let carol = standing("carol@example.com");
    assert_eq!(
        (&carol["throttle"]["strangers"]["failures"], &carol["sessions"]),
        (&5.into(), &0.into()),
        "{carol}"
    );
    operator.ok(&["session", "end", "--everyone"], "");
    assert!(standing(ADA)["last_sign_in_at"].is_string(), "it is known when the sessions are gone");

    let listed = |more: &[&str]| -> Vec<String> {
        let listed = operator.json(&[&["account", "list"], more].concat());
        listed.as_array().unwrap().iter().map(|it| it["identifier"].as_str().unwrap().to_owned()).collect()
    };
    let names = |names: &[&str]| names.iter().map(|it| format!("{it}@example.com")).collect::<Vec<_>>();
    assert_eq!(listed(&[]), names(&["ada", "bob", "carol", "dan"]));
    assert_eq!(listed(&["--limit", "2"]), names(&["ada", "bob"]));
    assert_eq!(listed(&["--limit", "2", "--after", "bob@example.com"]), names(&["carol", "dan"]));
    // No account may have this name today. One of an earlier version may, and a part of the listing may end with it.
    assert_eq!(listed(&["--after", "b\u{AD}ob@example.com"]), names(&["carol", "dan"]));
    assert_eq!(listed(&["--filter", "A"]), names(&["ada", "bob", "carol", "dan"]), "example has one");
    assert_eq!(listed(&["--filter", "ar"]), names(&["carol"]));
    assert_eq!(listed(&["--filter", "%"]), names(&[]));
    let ended = operator.run(&["account", "list", "--limit", "3", "--json"], "");
    assert!(ended.err.contains("--after carol@example.com"), "{ended:?}");

    // The sixth wrong one of each makes the next wait for a second; more of them, for longer.
    let began = std::time::Instant::now();
    while listed(&["--throttled"]).is_empty() {
        assert!(began.elapsed().as_secs() < 60);
        ApiClient::attempt(vestibule.public, "carol@example.com", "wrong");
    }
    assert_eq!(listed(&["--throttled", "--after", "carol@example.com"]), names(&[]));
    operator.ok(&["account", "unthrottle", "carol@example.com"], "");
    assert_eq!(listed(&["--throttled"]), names(&[]));
}

#[test]
fn session_list_says_what_accounts_are_called() {
    let mut vestibule = Vestibule::installed();
    vestibule.configure(&format!("public_url = \"http://{}\"", vestibule.public), "");
    vestibule.start();
    let operator = &vestibule.operator;
    operator.add_account(ADA);
    ApiClient::sign_in(vestibule.public, ADA, PASSWORD);
    assert!(operator.ok(&["session", "list"], "").contains(ADA));
    let listed = operator.json(&["session", "list"]);
    assert_eq!(listed[0]["identifier"], ADA, "{listed}");
}
