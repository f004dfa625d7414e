//! What commands print: nothing in it steers the terminal, and a command whose output is lost says what it did.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::place::*;

/// Runs a command by a shell that does something before, with its output where `to` says.
fn shell(place: &Place, before: &str, arguments: &[&str], to: &str) -> Ended {
    let output = Command::new("sh")
        .args(["-euc", &format!("{before}\nexec \"$0\" \"$@\" {to}"), BINARY])
        .args(arguments)
        .env("VESTIBULE_CONFIG", place.config())
        .env_remove("RUST_LOG")
        .current_dir(place.folder.path())
        .output()
        .unwrap();
    Ended {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

#[test]
fn what_was_typed_is_repeated_without_its_control_characters() {
    const STEERING: [char; 4] = ['\u{1b}', '\u{202e}', '\u{7f}', '\u{9b}'];
    let place = Place::new();
    let odd = "ada\u{1b}[31m\u{202e}\u{9b}x";
    let named = format!("{odd}.toml");
    fs::write(place.folder.path().join(&named), "odd = 1\n").unwrap();
    let accounts = [&["account", "disable", odd][..], &["account", "set", odd, "--traits", "{}"]];
    let others = [
        &["key", "retire", odd][..],
        &["session", "show", odd],
        &["client", "remove", odd],
        &["client", "add", "x", "--audience", odd, "--json"],
        &["account", "add", "ok@example.com", "--traits", odd],
        &["explain", "--bearer-stdin", odd],
        &["config", "check", "--config", odd],
        &["config", "check", "--config", &named],
        &["token", "verify", "--audience", "x", "--issuer", "x", "--jwks-file", odd],
        &[odd],
        &["account", "list", odd],
    ];
    for arguments in accounts.iter().chain(&others) {
        let ended = place.run(arguments, "x");
        assert!(ended.code != 0 && !ended.err.is_empty(), "{arguments:?}: {ended:?}");
        assert!(!ended.err.contains(STEERING) && !ended.out.contains(STEERING), "{arguments:?}: {ended:?}");
    }
    place.write_config("\"a\\u001b[31m\\u202e\" = 1");
    let ended = place.run(&["config", "check"], "");
    assert!(ended.code == 2 && ended.err.contains("31m") && !ended.err.contains(STEERING), "{ended:?}");
}

/// A JWT says what its sender likes.
#[test]
fn a_jwt_with_steering_characters_is_shown_without_them() {
    let place = Place::new();
    let part = |json: &str| data_encoding::BASE64URL_NOPAD.encode(json.as_bytes());
    let claims = "{\"iss\":\"x\",\"sub\":\"a\u{202e}b\u{ad}\",\"n\u{202e}\":1}";
    let jwt = format!("{}.{}.{}", part(r#"{"alg":"ES256","kid":"k"}"#), part(claims), part("signature"));
    let shown = place.ok(&["token", "inspect"], &jwt);
    assert!(shown.contains(r"a\u{202e}b\u{ad}") && shown.contains(r"n\u{202e}"), "{shown}");
    let told = place.ok(&["token", "inspect", "--json"], &jwt);
    assert!(!told.contains(['\u{202e}', '\u{ad}']), "{told}");
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["claims"]["sub"], "a\u{202e}b\u{ad}");
}

#[test]
fn a_command_whose_output_is_lost_says_what_it_did() {
    let place = Place::new();
    let server = Server::start(&place);
    let before = place.json(&["key", "list"]).as_array().unwrap().len();
    for arguments in [&["key", "rotate"][..], &["key", "rotate", "--json"]] {
        let ended = shell(&place, "", arguments, "> /dev/full");
        assert!(ended.code == 3 && ended.err.contains("is done all the same: "), "{ended:?}");
    }
    let keys = place.json(&["key", "list"]);
    assert_eq!(keys.as_array().unwrap().len(), before + 2);
    for (arguments, says) in [
        (&["account", "add", "ada@example.com"][..], "ada@example.com is added, with the subject"),
        (&["account", "set", "ada@example.com", "--traits", "{}"], "ada@example.com is changed"),
        (&["account", "disable", "ada@example.com"], "ada@example.com is disabled"),
        (&["account", "unthrottle", "ada@example.com"], "are forgotten"),
        (&["session", "end", "--everyone"], "0 sessions ended"),
        (&["account", "remove", "ada@example.com"], "ada@example.com is removed"),
    ] {
        let ended = shell(&place, "", arguments, "> /dev/full");
        assert!(ended.code == 3 && ended.err.contains(says), "{arguments:?}: {ended:?}");
    }
    assert_eq!(server.end(), 0);
}

/// A file that may not grow is an error like a full disk, and no end in the middle.
#[test]
fn a_client_whose_secret_exceeds_a_file_limit_is_removed() {
    let place = Place::new();
    let server = Server::start(&place);
    let add = ["client", "add", "reports", "--audience", "orders"];
    let ended = shell(&place, "ulimit -f 0", &add, "> secret");
    assert!(ended.code == 3 && ended.err.contains("the client is removed again"), "{ended:?}");
    assert_eq!(place.json(&["client", "list"]), serde_json::json!([]));
    assert_eq!(server.end(), 0);
}

/// The configuration names the secrets and the proxies that are trusted.
#[test]
fn a_configuration_that_others_can_write_is_warned_of() {
    let place = Place::new();
    let mode = |of: &std::path::Path, mode| {
        fs::set_permissions(of, fs::Permissions::from_mode(mode)).unwrap();
    };
    let says = "can be written by others on this machine";
    for (file, folder, is_told) in
        [(0o644, 0o755, false), (0o666, 0o755, true), (0o644, 0o777, true), (0o644, 0o1777, false)]
    {
        mode(&place.config(), file);
        mode(place.folder.path(), folder);
        let told = place.ok(&["config", "check"], "");
        assert_eq!(told.contains(says), is_told, "{file:o} {folder:o}: {told}");
    }
    mode(&place.config(), 0o666);
    mode(place.folder.path(), 0o700);
    let server = Server::start(&place);
    server.wait_for(says);
    assert_eq!(server.end(), 0);
    // Others could put another secret there.
    mode(&place.folder.path().join("secrets"), 0o777);
    place.fails(2, &["key", "list"], "", "secrets has mode 777 and can be written by others");
}
