//! The real binary from the operator's side: its commands with and without a running server, its exit codes, its one-line errors.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use place::*;

mod clients;
mod containers;
mod drain;
mod import;
mod log;
mod lost;
mod place;
mod printed;
mod sessions;
mod terminal;
mod traits;

#[test]
fn init_writes_a_configuration_that_is_right_and_never_twice() {
    let place = Place::new();
    assert!(place.ok(&["config", "check"], "").contains("is right"));
    for secret in ["secrets/seal.key", "secrets/pepper.key"] {
        let mode = fs::metadata(place.folder.path().join(secret)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let pepper = fs::read(place.folder.path().join("secrets/pepper.key")).unwrap();
    place.fails(1, &["init", "."], "", "is there already; nothing was written");
    assert_eq!(fs::read(place.folder.path().join("secrets/pepper.key")).unwrap(), pepper);
}

/// AU-01: what this machine can bear is written down, and a server below the floor does not start.
#[test]
fn the_cost_of_hashing_is_measured_by_init_and_never_below_the_floor() {
    let memory = |place: &Place| {
        place.json(&["config", "show"])["settings"]["passwords"]["memory_kib"].as_u64().unwrap()
    };
    assert_eq!(memory(&Place::new()), 19_456, "no time, no more than the floor");
    let place = Place { folder: tempfile::tempdir().unwrap() };
    let said = place.ok(&["init", "."], "");
    assert!(said.contains("Hashing a password takes"), "{said}");
    assert!(memory(&place) >= 19_456);
    for low in ["memory_kib = 19455", "iterations = 1", "lanes = 0"] {
        place.write_config(&format!("[passwords]\n{low}"));
        place.fails(2, &["serve"], "", "19456 KiB of memory, 2 iterations and 1 lane");
    }
}

#[test]
fn a_wrong_configuration_is_refused_in_one_line_that_says_where() {
    let place = Place::new();
    place.write_config("[sessions]\nidle = \"soon\"");
    for command in [&["config", "check"][..], &["serve"], &["account", "list"]] {
        place.fails(2, command, "", "vestibule.toml:2:8: sessions.idle: \"soon\" is not a length of time");
    }
    place.fails(2, &["config", "check", "--config", "nowhere.toml"], "", "nowhere.toml: cannot be read");
}

/// Whoever sets a log filter is looking for something: a slip in it must not look like silence.
#[test]
fn a_log_filter_that_cannot_be_read_is_refused() {
    let place = Place::new();
    let mut command = Command::new(BINARY);
    command.args(["account", "list"]).env("VESTIBULE_CONFIG", place.config());
    let ended = command.env("RUST_LOG", "vestibule=lowd").output().unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(2), "{said}");
    assert!(said.starts_with("vestibule: RUST_LOG cannot be read"), "{said}");
}

#[test]
fn config_show_and_schema_tell_settings_and_no_secret() {
    let place = Place::new();
    let pepper = fs::read_to_string(place.folder.path().join("secrets/pepper.key")).unwrap();
    let shown = place.ok(&["config", "show"], "");
    assert!(shown.contains("idle = \"30m\"") && !shown.contains(pepper.trim()), "{shown}");
    let shown = place.json(&["config", "show"]);
    assert_eq!(shown["settings"]["sessions"]["absolute"], "12h");
    let schema: Value = serde_json::from_str(&place.ok(&["config", "schema"], "")).unwrap();
    assert_eq!(schema["additionalProperties"], false);
    assert!(schema["properties"]["route"].is_object(), "{schema}");
}

#[test]
fn accounts_are_kept_without_a_running_server() {
    let place = Place::new();
    let add =
        ["account", "add", "Ada@Example.com", "--traits", r#"{"department":"R&D"}"#, "--password-stdin"];
    assert!(place.ok(&add, &format!("{PASSWORD}\n")).starts_with("ada@example.com is added"));
    place.fails(1, &add, PASSWORD, "has an account already");
    place.fails(
        1,
        &["account", "add", "bob@example.com", "--password-stdin"],
        "short\n",
        "Use 15 characters",
    );
    place.fails(2, &["account", "add", "bob@example.com", "--password-stdin"], "", "there was nothing");
    for (account, typed, says) in [
        ("bob@example.com", "Password1234567!".to_owned(), "others would try first"),
        ("bob@example.com", "bob@example.com".to_owned(), "your own name or address"),
        ("bob@example.com", "x".repeat(257), "256 characters at most"),
    ] {
        place.fails(1, &["account", "add", account, "--password-stdin"], &typed, says);
    }
    place.fails(1, &["account", "add", "bob@example.com", "--traits", "[]"], "", "must be a JSON object");
    for (typed, says) in [
        ("a\u{AD}da@example.com", "U+00AD"),
        ("ada\u{2800}@example.com", "U+2800"),
        ("ada\u{E0100}@example.com", "U+E0100"),
        ("ada  lovelace", "two spaces"),
        ("i\u{307}da", "U+0307"),
    ] {
        place.fails(1, &["account", "add", typed], "", says);
    }

    let accounts = place.json(&["account", "list"]);
    assert_eq!(accounts.as_array().unwrap().len(), 1);
    assert_eq!(accounts[0]["identifier"], "ada@example.com");
    assert!(!accounts.to_string().contains("argon2"), "{accounts}");
    let subject = accounts[0]["subject"].as_str().unwrap();
    for who in ["ada@example.com", " ADA@example.com", subject] {
        assert_eq!(place.json(&["account", "show", who])["traits"]["department"], "R&D");
    }
    place.ok(&["account", "set", "ada@example.com", "--traits", r#"{"department":"Ops"}"#], "");
    for who in ["ada@example.com", subject] {
        let set = ["account", "set", who, "--password-stdin"];
        place.fails(1, &set, "ada-ada-ada-ada@example.com", "your own name or address");
        place.fails(1, &set, "fourteen chars", "Use 15 characters");
        place.fails(1, &set, "qwertyuiop12345", "others would try first");
        place.ok(&set, "a bicycle made of green glass");
    }
    place.ok(&["account", "disable", subject], "");
    let account = place.json(&["account", "show", subject]);
    assert_eq!((&account["status"], &account["traits"]["department"]), (&"disabled".into(), &"Ops".into()));
    place.ok(&["account", "enable", subject], "");
    place.ok(&["account", "remove", subject], "");
    place.fails(1, &["account", "show", subject], "", "there is no account");
    place.fails(2, &["account", "list", "--config", "nowhere.toml"], "", "cannot be read");
    assert_eq!(place.run(&["account", "set", subject], "").code, 2, "nothing to set is bad usage");
}

#[test]
fn keys_rotate_and_retire_without_a_running_server() {
    let place = Place::new();
    assert_eq!(place.json(&["key", "list"]), Value::Array(Vec::new()));
    let first = place.json(&["key", "rotate", "--now"])["key_id"].as_str().unwrap().to_owned();
    let second = place.json(&["key", "rotate"]);
    assert_eq!(second["state"], "waiting");
    let third = place.json(&["key", "rotate", "--now"])["key_id"].as_str().unwrap().to_owned();
    let state = |id: &str| {
        let keys = place.json(&["key", "list"]);
        let found = keys.as_array().unwrap().iter().find(|key| key["key_id"] == id).cloned();
        found.unwrap()["state"].as_str().unwrap().to_owned()
    };
    assert_eq!((state(&first).as_str(), state(&third).as_str()), ("retiring", "active"));
    assert_eq!(state(second["key_id"].as_str().unwrap()), "retired");
    place.ok(&["key", "retire", &first], "");
    assert_eq!(state(&first), "retired");
    place.fails(1, &["key", "retire", &first], "", "is retired already");
    place.fails(1, &["key", "retire", "nonsense"], "", "there is no key");
    // A thumbprint may begin with a hyphen, and is no option then.
    let hyphen = format!("-{}", &first[1..]);
    place.fails(1, &["key", "retire", &hyphen], "", "there is no key");
    // Those that sign access tokens come and go by themselves.
    let edge = place.json(&["key", "rotate", "--edge", "--now"]);
    assert_eq!((&edge["purpose"], &edge["state"]), (&"edge".into(), &"active".into()));
    assert_eq!(state(&third), "active");
    place.json(&["key", "rotate", "--edge", "--now"]);
    assert_eq!(
        (state(edge["key_id"].as_str().unwrap()).as_str(), state(&third).as_str()),
        ("retiring", "active")
    );
}

#[test]
fn commands_reach_the_running_server_and_it_knows_at_once() {
    let place = Place::new();
    let server = Server::start(&place);
    place.ok(
        &["account", "add", "ada@example.com", "--traits", r#"{"department":"R&D"}"#, "--password-stdin"],
        PASSWORD,
    );
    let session_token = server.sign_in("ada@example.com");
    let answer = server.check(&session_token, "/orders/7");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let jwt = answer.lines().find_map(|line| line.strip_prefix("authorization: Bearer ")).unwrap();

    let sessions = place.json(&["session", "list"]);
    let session = sessions[0]["session"].as_str().unwrap();
    assert_eq!(place.json(&["session", "show", session])["kind"], "client");
    assert!(place.ok(&["session", "list", "--subject", "ada@example.com"], "").contains(session));
    assert!(!sessions.to_string().contains(&session_token[4..20]));

    let verify = ["token", "verify", "--audience", "orders"];
    assert!(place.ok(&verify, &format!("Bearer {jwt}\n")).contains("R&D"));
    place.fails(1, &["token", "verify", "--audience", "billing"], jwt, "refused");
    place.fails(1, &verify, &format!("{jwt}x"), "refused");
    assert!(place.ok(&["token", "inspect"], jwt).contains("at+jwt"));

    let explain = |path: &str| ["explain", "--bearer-stdin", "--url", path, "--json"].map(str::to_owned);
    let explain = |path: &str| {
        let arguments = explain(path);
        let ended = place.run(&arguments.each_ref().map(String::as_str), &session_token);
        (ended.code, serde_json::from_str::<Value>(&ended.out).unwrap())
    };
    let (code, explanation) = explain("http://app.test/orders/7");
    assert_eq!((code, &explanation["outcome"]), (0, &"permit".into()), "{explanation}");
    assert_eq!(explanation["jwt"]["reused"], true, "{explanation}");
    assert_eq!(explanation["jwt"]["claims"]["department"], "R&D");
    let (code, explanation) = explain("http://app.test/elsewhere");
    assert_eq!((code, &explanation["code"]), (1, &"no-route".into()), "{explanation}");

    // New traits are in the next JWT; an ended session is refused at the next request; a signing key goes at once.
    place.ok(&["account", "set", "ada@example.com", "--traits", r#"{"department":"Ops"}"#], "");
    let (_, explanation) = explain("http://app.test/orders/7");
    assert_eq!(explanation["jwt"]["claims"]["department"], "Ops", "{explanation}");
    place.ok(&["key", "rotate", "--now"], "");
    let old = serde_json::from_str::<Value>(&place.ok(&["token", "inspect", "--json"], jwt)).unwrap();
    place.ok(&verify, jwt);
    place.ok(&["key", "retire", old["header"]["kid"].as_str().unwrap()], "");
    place.fails(1, &verify, jwt, "refused");
    assert!(place.ok(&["session", "end", session], "").contains("1 session ended"));
    server.wait_for_line(&["session.ended", session]);
    assert!(server.check(&session_token, "/orders/7").starts_with("HTTP/1.1 401"));
    place.fails(1, &["session", "end", session], "", "there is no live session");

    let again = server.sign_in("ada@example.com");
    place.ok(&["account", "disable", "ada@example.com"], "");
    assert!(server.check(&again, "/orders/7").starts_with("HTTP/1.1 401"));
    assert_eq!(server.end(), 0);
    assert!(!place.folder.path().join("vestibule-data/control.sock").exists());
}

#[test]
fn routes_are_read_anew_and_a_wrong_file_changes_nothing() {
    let place = Place::new();
    let server = Server::start(&place);
    let check = |path: &str| server.check("vst_x", path).lines().next().unwrap_or_default().to_owned();
    assert!(check("/orders/").contains("401") && check("/bills/").contains("403"));
    place.write_config(&routes(server.public, server.internal, "/bills/"));
    server.signal("HUP");
    server.wait_for("read anew");
    assert!(check("/orders/").contains("403") && check("/bills/").contains("401"));
    place.write_config("[[route]]\npath = 7");
    server.signal("HUP");
    server.wait_for("stays as it was");
    assert!(check("/orders/").contains("403") && check("/bills/").contains("401"));
    assert_eq!(server.end(), 0);
}

#[test]
fn a_port_in_use_is_one_clear_line() {
    let place = Place::new();
    // `init` has made the store; a start that gets no port must not make another.
    let store = place.folder.path().join("vestibule-data/vestibule.db");
    fs::remove_file(&store).unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let [free, _] = free_addresses();
    let address = taken.local_addr().unwrap();
    place.write_config(&routes(address, free, "/orders/"));
    place.fails(2, &["serve"], "", &format!("listen.public: {address} is in use by another program"));
    place.write_config(&routes(free, address, "/orders/"));
    place.fails(2, &["serve"], "", "listen.internal");
    assert!(!store.exists(), "nothing was begun");
}

#[test]
fn secrets_that_others_can_read_and_secrets_that_were_lost_stop_the_start() {
    let place = Place::new();
    place.ok(&["account", "list"], "");
    let pepper = place.folder.path().join("secrets/pepper.key");
    fs::set_permissions(&pepper, fs::Permissions::from_mode(0o644)).unwrap();
    place.fails(2, &["account", "list"], "", "chmod 600");
    let seal = place.folder.path().join("secrets/seal.key");
    fs::set_permissions(&pepper, fs::Permissions::from_mode(0o600)).unwrap();
    fs::rename(&seal, seal.with_extension("away")).unwrap();
    place.fails(2, &["account", "list"], "", "restore it from your backup");
    assert!(!seal.exists(), "a lost secret is not silently replaced");
    fs::rename(seal.with_extension("away"), &seal).unwrap();
    fs::set_permissions(place.folder.path().join("vestibule-data"), fs::Permissions::from_mode(0o757))
        .unwrap();
    place.fails(2, &["account", "list"], "", "chmod 700");
}

#[test]
fn secrets_of_another_store_stop_the_start_and_are_named() {
    let place = Place::new();
    let other = Place::new();
    for (name, what) in [("seal.key", "the seal key"), ("pepper.key", "the pepper")] {
        let file = place.folder.path().join("secrets").join(name);
        let right = fs::read(&file).unwrap();
        fs::copy(other.folder.path().join("secrets").join(name), &file).unwrap();
        let [public, internal] = free_addresses();
        place.write_config(&routes(public, internal, "/orders/"));
        let says = format!("{what} {} is another one", file.canonicalize().unwrap().display());
        // By `serve`, and by what changes the store without a server. Neither signs, nor writes anything under the wrong secret.
        place.fails(2, &["serve"], "", &says);
        place.fails(2, &["key", "rotate", "--now"], "", &says);
        place.fails(2, &["account", "list"], "", &says);
        fs::write(&file, right).unwrap();
        place.ok(&["key", "rotate", "--now"], "");
    }
}

#[test]
fn a_store_in_use_without_a_control_socket_is_could_not_tell() {
    let place = Place::new();
    let server = Server::start(&place);
    fs::remove_file(place.folder.path().join("vestibule-data/control.sock")).unwrap();
    place.fails(3, &["account", "list"], "", "another process has it open");
    assert_eq!(server.end(), 0);
}

#[test]
fn bad_usage_is_two_and_help_is_nought() {
    let place = Place::new();
    for usage in [
        &["frobnicate"][..],
        &["session", "end"],
        &["session", "end", "x", "--everyone"],
        &["explain", "--url", "http://a/"],
        &["account", "add", "a@example.com", "--password", "x"],
        // docs/decisions/0029: no JWT without a session or a client behind it.
        &["token", "mint", "--audience", "orders"],
    ] {
        assert_eq!(place.run(usage, "").code, 2, "{usage:?}");
    }
    assert_eq!(place.run(&["--help"], "").code, 0);
    assert_eq!(place.run(&["--version"], "").code, 0);
    place.fails(1, &["token", "inspect"], "not.a.jwt", "this is not a JWT");
}

/// A dead server's socket file is no server: commands go on by themselves.
#[test]
fn a_killed_server_leaves_nothing_in_the_way() {
    let place = Place::new();
    let mut server = Server::start(&place);
    server.child.kill().unwrap();
    server.child.wait().unwrap();
    assert!(Path::new(&place.folder.path().join("vestibule-data/control.sock")).exists());
    assert_eq!(place.json(&["account", "list"]), Value::Array(Vec::new()));
    assert_eq!(place.json(&["key", "list"]).as_array().unwrap().len(), 2, "one key for each purpose");
}
