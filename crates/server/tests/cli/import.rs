//! `vestibule account import` from the outside: which lines are taken, what is said of the others, and that people then sign in with the
//! passwords they had.

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Instant;

use serde_json::{Value, json};

use crate::place::*;

/// "correct horse battery staple" by libxcrypt, CPython's hashlib and the reference argon2.
const HASHES: [(&str, &str); 5] = [
    ("bcrypt", "$2y$06$abcdefghijklmnopqrstuu10cNU3mXRamSUZYs8I8M/Szu..qXq5K"),
    ("scrypt", "$scrypt$ln=10,r=8,p=2$c29tZXNhbHRzb21lc2FsdA$EyBkFLQkmOFLYlClaR7RHGlPJB6WBu3c4BT83PQ8KJw"),
    (
        "pbkdf2",
        "$pbkdf2-sha256$i=1000,l=32$c29tZXNhbHRzb21lc2FsdA$SCjY7SSTd+1t0YRKbVoolytKt+BeFjwwXJESGnfk9yY",
    ),
    ("django", "pbkdf2_sha256$1000$somesaltsomesalt$SCjY7SSTd+1t0YRKbVoolytKt+BeFjwwXJESGnfk9yY="),
    (
        "argon2",
        "$argon2i$v=19$m=256,t=2,p=2$c29tZXNhbHRzb21lc2FsdA$y9n46w2Q+g5QoCAnqRHGXEdjU1FFzwex6vXzahgvdr0",
    ),
];

fn line(name: &str, hash: &str) -> String {
    json!({ "identifier": format!("{name}@example.com"), "password_hash": hash }).to_string()
}

fn identifiers(place: &Place) -> Vec<String> {
    let accounts = place.json(&["account", "list"]);
    let names = accounts.as_array().unwrap().iter().map(|it| it["identifier"].as_str().unwrap().to_owned());
    names.collect()
}

/// AU-01: whatever hash they come with, their owners sign in with the password they had, again and again.
#[test]
fn imported_accounts_sign_in_at_a_running_server() {
    let place = Place::new();
    let server = Server::start(&place);
    let mut lines: Vec<String> = HASHES.iter().map(|(name, hash)| line(name, hash)).collect();
    // 72 times x: all that bcrypt ever saw of a longer password.
    lines.push(line("truncated", "$2b$05$abcdefghijklmnopqrstuujf8SX2ahXLwp9w/B.Y5XdysS6yR576q"));
    let said = place.ok(&["account", "import"], &lines.join("\n"));
    assert_eq!(said, "6 accounts added\n");
    for (name, _) in HASHES {
        let identifier = format!("{name}@example.com");
        for _ in 0..2 {
            assert!(!server.sign_in(&identifier).is_empty());
        }
        let answer = server.try_to_sign_in(&identifier, "correct horse battery stable");
        assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    }
    // The first sign-in is bcrypt's to judge, by 72 bytes; it is made Argon2id of the whole password, which judges from then on.
    let [whole, shorter] = [80, 72].map(|length| "x".repeat(length));
    let statuses = [&whole, &shorter, &whole].map(|typed| {
        let answer = server.try_to_sign_in("truncated@example.com", typed);
        answer.split(' ').nth(1).unwrap().to_owned()
    });
    assert_eq!(statuses, ["200", "401", "200"]);
    assert!(!server.logged().contains("$2"), "{}", server.logged());
    assert_eq!(server.end(), 0);
}

/// AU-04: where every account came with a dear hash, a name that nobody has costs as much. Rough on purpose, and far from what either
/// costs without: the dear hash takes several times as long as one of ours.
#[test]
fn an_unknown_name_takes_as_long_as_an_imported_account() {
    let place = Place::new();
    let server = Server::start(&place);
    let dear = "$2b$11$abcdefghijklmnopqrstuu10cNU3mXRamSUZYs8I8M/Szu..qXq5K";
    let lines: Vec<String> = (0..8).map(|number| line(&format!("known{number}"), dear)).collect();
    place.ok(&["account", "import"], &lines.join("\n"));
    let took = |kind: &str, number: usize| {
        let began = Instant::now();
        let answer = server.try_to_sign_in(&format!("{kind}{number}@example.com"), "not what it was");
        assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
        began.elapsed().as_secs_f64()
    };
    // In turns, so that whatever else the machine does falls on both; and the quickest, which it troubled least.
    let (mut known, mut unknown) = (f64::MAX, f64::MAX);
    for number in 0..8 {
        known = known.min(took("known", number));
        unknown = unknown.min(took("unknown", number));
    }
    assert!((0.6..1.7).contains(&(unknown / known)), "known {known} s, unknown {unknown} s");
}

#[test]
fn lines_that_are_wrong_are_named_with_their_field_and_the_others_are_added() {
    let place = Place::new();
    let (_, hash) = HASHES[0];
    let long = "x".repeat(70_000);
    let lines = [
        line("ada", hash),
        "not json".to_owned(),
        String::new(),
        r#"["an", "array"]"#.to_owned(),
        r#"{"password_hash": null}"#.to_owned(),
        r#"{"identifier": "dup@example.com", "identifier": "dup@example.com"}"#.to_owned(),
        r#"{"identifier": "typo@example.com", "pasword_hash": "x"}"#.to_owned(),
        r#"{"identifier": ""}"#.to_owned(),
        line("costly", "$2b$31$abcdefghijklmnopqrstuu10cNU3mXRamSUZYs8I8M/Szu..qXq5K"),
        line("clear", "hunter2 in clear"),
        line("ADA", hash),
        format!(r#"{{"identifier": "long@example.com", "traits": {{"a": "{long}"}}}}"#),
        r#"{"identifier": "traits@example.com", "traits": [1]}"#.to_owned(),
        format!(r#"{{"identifier": "big@example.com", "traits": {{"a": "{}"}}}}"#, &long[..17_000]),
        r#"{"identifier": "status@example.com", "status": "locked"}"#.to_owned(),
        r#"{"identifier": "off@example.com", "status": "disabled", "traits": {"department": "R&D"}}"#
            .to_owned(),
        r#"{"identifier": "a\u00adda@example.com"}"#.to_owned(),
    ];
    let file = place.folder.path().join("accounts.jsonl");
    fs::write(&file, lines.join("\n")).unwrap();
    let ended = place.run(&["account", "import", "accounts.jsonl"], "");
    assert_eq!(ended.code, 1, "{ended:?}");
    assert_eq!(ended.out, "2 accounts added, 14 lines refused\n", "{ended:?}");
    for (number, says) in [
        (2, "is not well-formed JSON"),
        (4, "is not a JSON object"),
        (5, "identifier: must be a string"),
        (6, "is not well-formed JSON"),
        (7, "pasword_hash"),
        (8, "identifier: an identifier is"),
        (9, "password_hash: the password hash costs too much"),
        (10, "password_hash: the password hash is of no known kind"),
        (11, "identifier: is the one of line 1"),
        (12, "is longer than 65536 bytes"),
        (13, "traits: must be an object"),
        (14, "traits: traits may take"),
        (15, "status: \"locked\" is no status"),
        (17, "identifier: an identifier has no characters that cannot be seen (U+00AD)"),
    ] {
        let start = format!("vestibule: line {number}: ");
        let found = ended.err.lines().find(|line| line.starts_with(&start)).unwrap_or_default();
        assert!(found.contains(says), "{number} should say {says:?}: {ended:?}");
    }
    assert!(!ended.err.contains("hunter2") && !ended.err.contains("abcdefghij"), "{ended:?}");
    assert_eq!(identifiers(&place), ["ada@example.com", "off@example.com"]);
    let off = place.json(&["account", "show", "off@example.com"]);
    assert_eq!((&off["status"], &off["has_password"]), (&"disabled".into(), &false.into()));
    assert_eq!(off["traits"]["department"], "R&D");
}

#[test]
fn a_dry_run_adds_nothing_and_an_import_can_be_run_again() {
    let place = Place::new();
    let (_, hash) = HASHES[0];
    let lines: Vec<String> = (0..300).map(|number| line(&format!("number{number:03}"), hash)).collect();
    let text = lines.join("\r\n") + "\r\n";
    assert_eq!(place.ok(&["account", "import", "--dry-run"], &text), "300 accounts can be added\n");
    assert!(identifiers(&place).is_empty());
    assert_eq!(place.ok(&["account", "import", "-"], &lines[..200].join("\n")), "200 accounts added\n");
    let ended = place.run(&["account", "import", "--dry-run"], &text);
    assert_eq!((ended.code, ended.out.as_str()), (1, "100 accounts can be added, 200 lines refused\n"));
    assert!(ended.err.contains("line 200: identifier: has an account already"), "{}", ended.err);
    let ended = place.run(&["account", "import", "--skip-existing", "--json"], &text);
    let told: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(told, json!({ "added": 100, "skipped": 200, "refused": [] }));
    assert_eq!(ended.code, 0);
    assert_eq!(identifiers(&place).len(), 300);
    place.fails(2, &["account", "import", "nowhere.jsonl"], "", "cannot read nowhere.jsonl");
    assert_eq!(place.ok(&["account", "import"], ""), "0 accounts added\n");
}

/// What was added is there, what was not can be told from it, and running the import again completes it.
#[test]
fn an_import_that_loses_its_server_says_so_and_can_be_completed() {
    let place = Place::new();
    let mut server = Server::start(&place);
    let (_, hash) = HASHES[0];
    let lines: Vec<String> =
        (0..300).map(|number| line(&format!("number{number:03}"), hash) + "\n").collect();
    let mut import = Command::new(BINARY)
        .args(["account", "import"])
        .env("VESTIBULE_CONFIG", place.config())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = import.stdin.take().unwrap();
    stdin.write_all(lines[..200].concat().as_bytes()).unwrap();
    server.wait_for("account.imported");
    server.kill();
    stdin.write_all(lines[200..].concat().as_bytes()).ok();
    drop(stdin);
    let ended = import.wait_with_output().unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(3), "{said}");
    assert!(said.contains("run it again with --skip-existing"), "{said}");
    let said = place.ok(&["account", "import", "--skip-existing"], &lines.concat());
    assert!(said.contains("there already"), "{said}");
    assert_eq!(identifiers(&place).len(), 300);
}
