//! OAuth clients by the command line: with a running server and without, and every refusal in one line.

use std::fs;

use data_encoding::BASE64;
use serde_json::Value;

use crate::place::*;

/// RFC 7515 appendix A.3.
const KEYS: &str = r#"{"keys":[{"kty":"EC","crv":"P-256","alg":"ES256","kid":"night",
    "x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}"#;

fn add(place: &Place, more: &[&str]) -> (String, Value) {
    let added = place.json(&[&["client", "add", "Billing at night"], more].concat());
    (added["client_id"].as_str().unwrap().to_owned(), added)
}

/// Asks for a JWT with a secret; status and body.
fn ask(server: &Server, id: &str, secret: &str) -> (u16, Value) {
    let form = "grant_type=client_credentials";
    let proof = BASE64.encode(format!("{id}:{secret}").as_bytes());
    let answer = exchange(
        server.public,
        &format!(
            "POST /auth/oauth/token HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nAuthorization: Basic {proof}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
            server.public,
            form.len()
        ),
    );
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head[9..12].parse().unwrap(), serde_json::from_str(body).unwrap())
}

#[test]
fn a_client_is_added_listed_used_and_removed() {
    let place = Place::new();
    let server = Server::start(&place);
    let (id, added) = add(&place, &["--audience", "orders", "--scope", "orders:read", "--scope", "b"]);
    let secret = added["client_secret"].as_str().unwrap();
    assert!(secret.starts_with("vcs_") && id.starts_with("vc_"), "{added}");
    assert_eq!((&added["auth_method"], &added["scopes"][1]), (&"client_secret_basic".into(), &"b".into()));

    // At once, by the running server, and until it is removed.
    let (status, body) = ask(&server, &id, secret);
    assert_eq!((status, &body["scope"]), (200, &"orders:read b".into()), "{body}");
    let jwt = body["access_token"].as_str().unwrap();
    place.ok(&["token", "verify", "--audience", "orders"], jwt);
    let listed = place.json(&["client", "list"]);
    assert_eq!((listed.as_array().unwrap().len(), &listed[0]["client_id"]), (1, &id.as_str().into()));
    assert!(!listed.to_string().contains(secret) && listed[0].get("client_secret").is_none());
    assert!(place.ok(&["client", "list"], "").contains("Billing at night"));
    assert_eq!(place.ok(&["client", "remove", &id], ""), format!("{id} is removed\n"));
    assert_eq!(ask(&server, &id, secret).0, 401);
    place.fails(1, &["token", "verify", "--audience", "orders"], jwt, "revoked");
    place.fails(1, &["client", "remove", &id], "", "see `vestibule client list`");
    assert_eq!(place.json(&["client", "list"]), Value::Array(vec![]));

    let logged = server.logged();
    for event in ["client.added", "client.jwt-issued", "client.removed", "client.refused"] {
        assert!(logged.contains(event), "{event}: {logged}");
    }
    assert!(!logged.contains(secret));
    assert_eq!(server.end(), 0);
}

#[test]
fn what_is_added_without_a_server_is_there_when_one_starts() {
    let place = Place::new();
    assert_eq!(Server::start(&place).end(), 0);
    assert!(place.ok(&["client", "list"], "").contains("client add NAME"));
    let told = place.ok(&["client", "add", "Billing", "--audience", "orders"], "");
    let word = |name: &str| {
        let line = told.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().last().unwrap().to_owned()
    };
    let (id, secret) = (word("client_id"), word("client_secret"));
    assert!(told.contains("not shown again"), "{told}");
    let (serving, _) = add(&place, &["--serves", "orders", "--exchange"]);

    let server = Server::start(&place);
    assert_eq!(ask(&server, &id, &secret).0, 200);
    let listed = place.json(&["client", "list"]);
    assert_eq!(listed[1]["client_id"], serving.as_str());
    assert_eq!((&listed[1]["serves"], &listed[1]["exchanges"]), (&"orders".into(), &true.into()));
    assert_eq!(server.end(), 0);
}

#[test]
fn a_client_with_keys_has_no_secret() {
    let place = Place::new();
    assert_eq!(Server::start(&place).end(), 0);
    let file = place.folder.path().join("keys.json");
    fs::write(&file, KEYS).unwrap();
    let file = file.to_str().unwrap();
    let (id, added) = add(&place, &["--audience", "orders", "--jwks-file", file]);
    assert_eq!(added.get("client_secret"), None);
    assert_eq!((&added["auth_method"], &added["key_ids"][0]), (&"private_key_jwt".into(), &"night".into()));
    let told = place.ok(&["client", "add", "B", "--audience", "orders", "--jwks-file", file], "");
    assert!(told.lines().count() == 1 && told.starts_with("client_id"), "{told}");
    let server = Server::start(&place);
    assert_eq!(ask(&server, &id, "vcs_any").0, 401, "it proves itself by its keys alone");
    assert_eq!(server.end(), 0);
}

#[test]
fn what_cannot_be_a_client_is_refused_in_one_line() {
    let place = Place::new();
    let server = Server::start(&place);
    let file = |name: &str, text: &str| {
        let file = place.folder.path().join(name);
        fs::write(&file, text).unwrap();
        file.to_str().unwrap().to_owned()
    };
    let private = file("private.json", &KEYS.replace("\"crv\"", "\"d\":\"AA\",\"crv\""));
    let empty = file("empty.json", r#"{"keys":[]}"#);
    let shown = place.json(&["config", "show"]);
    let origin = shown["settings"]["public_url"].as_str().unwrap();
    for (arguments, says) in [
        (vec!["A"], "needs an audience"),
        (vec!["A", "--scope", "x"], "needs an audience"),
        (vec!["A", "--audience", "ordres"], "there is no audience \"ordres\""),
        (vec!["A", "--serves", "ordres"], "there is no audience \"ordres\""),
        (vec!["A", "--audience", "orders", "--audience", "orders"], "\"orders\" is named twice"),
        (vec!["A", "--audience", "orders", "--scope", "a b"], "is no scope"),
        (vec!["A", "--audience", "orders", "--scope", ""], "is no scope"),
        (vec!["", "--audience", "orders"], "a client's name"),
        (vec!["A\u{202E}B", "--audience", "orders"], "a client's name"),
        (vec!["A", "--audience", "orders", "--jwks-file", &private], "private"),
        (vec!["A", "--audience", "orders", "--jwks-file", &empty], "a JWK set of its public keys is wanted"),
    ] {
        place.fails(1, &[&["client", "add"], &arguments[..]].concat(), "", says);
    }
    place.fails(1, &["client", "add", "A", "--audience", origin], "", "is this gateway itself");
    let missing = ["client", "add", "A", "--audience", "orders", "--jwks-file", "nowhere.json"];
    place.fails(2, &missing, "", "nowhere.json cannot be read");
    for id in ["vestibule", "x", "vc_", "vc_00000000000000000000000000"] {
        place.fails(1, &["client", "remove", id], "", "there is no client");
    }
    assert_eq!(place.json(&["client", "list"]), Value::Array(vec![]));
    assert_eq!(server.end(), 0);
}
