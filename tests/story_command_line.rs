//! The command line as shells, containers and terminals use it: outputs that cannot be written, folders that are the wrong ones, secrets
//! that are typed, and files as other systems' editors save them.

use std::fs::{self, File};
use std::io::{Write, pipe};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::personas::{ADA, ApiClient, Ended, Operator, PASSWORD, Place, Running, Signal, Vestibule, routes};

const BINARY: &str = env!("CARGO_BIN_EXE_vestibule");
const MARK: &str = "\u{feff}";

/// Where a command's stdout goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Out {
    /// A disk without room.
    Full,
    /// A reader that went away.
    Gone,
    /// Kept nowhere.
    Null,
    /// A descriptor that cannot be written.
    ReadOnly,
}

impl Out {
    fn stdio(self) -> Stdio {
        match self {
            Self::Full => File::options().write(true).open("/dev/full").unwrap().into(),
            Self::Gone => pipe().unwrap().1.into(),
            Self::Null => Stdio::null(),
            Self::ReadOnly => File::open("/dev/zero").unwrap().into(),
        }
    }
}

fn run_into(operator: &Operator, out: Out, arguments: &[&str]) -> Ended {
    let mut command = Command::new(BINARY);
    command.args(arguments).env("VESTIBULE_CONFIG", &operator.config).stdin(Stdio::null());
    let output = command.stdout(out.stdio()).stderr(Stdio::piped()).output().unwrap();
    Ended {
        code: output.status.code().unwrap_or(-1),
        out: String::new(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// An installation with an audience, not running.
fn installed() -> Vestibule {
    let vestibule = Vestibule::installed();
    let nowhere = "127.0.0.1:9".parse().unwrap();
    vestibule.configure(&format!("public_url = \"http://{}\"", vestibule.public), &routes(nowhere));
    vestibule
}

/// A secret that was shown to nobody is worth nothing, and what it belongs to does not stay behind.
#[test]
fn a_secret_that_cannot_be_shown_is_undone() {
    let mut vestibule = installed();
    for is_running in [false, true] {
        if is_running {
            vestibule.start();
        }
        let operator = &vestibule.operator;
        let clients = || operator.json(&["client", "list"]).as_array().unwrap().len();
        for json in [&[][..], &["--json"]] {
            let add = [&["client", "add", "reports", "--audience", "orders"], json].concat();
            for out in [Out::Full, Out::Gone, Out::ReadOnly] {
                let ended = run_into(operator, out, &add);
                assert_eq!((ended.code, clients()), (3, 0), "{is_running} {out:?} {ended:?}");
                assert!(ended.err.contains("removed again"), "{out:?} {ended:?}");
            }
            let ended = run_into(operator, Out::Null, &add);
            assert_eq!((ended.code, clients()), (2, 0), "{ended:?}");
        }
        let shown = operator.json(&["client", "add", "reports", "--audience", "orders"]);
        assert_eq!(clients(), 1);
        operator.ok(&["client", "remove", shown["client_id"].as_str().unwrap()], "");
    }
    let private = vestibule.place.join("service.jwk");
    let encryption = ["key", "encryption", private.to_str().unwrap()];
    for (out, code) in [(Out::Full, 3), (Out::Gone, 3), (Out::ReadOnly, 3), (Out::Null, 2)] {
        let ended = run_into(&vestibule.operator, out, &encryption);
        assert!(ended.code == code && !private.exists(), "{out:?} {ended:?}");
    }
    vestibule.operator.ok(&encryption, "");
    assert!(private.exists());
    // The password of `dev` is shown once as well.
    let temporary = Place::new();
    let mut dev = Command::new(BINARY);
    dev.args(["dev", "--port", "0"]).env("TMPDIR", temporary.path()).env_remove("VESTIBULE_CONFIG");
    let ended = dev.stdin(Stdio::null()).stdout(Out::Full.stdio()).output().unwrap();
    assert_eq!(ended.status.code(), Some(3), "{ended:?}");
    assert_eq!(fs::read_dir(temporary.path()).unwrap().count(), 0);
}

#[test]
fn no_command_succeeds_whose_output_is_lost() {
    let vestibule = installed();
    let operator = &vestibule.operator;
    operator.ok(&["account", "add", ADA], "");
    let commands: &[&[&str]] = &[
        &["--help"],
        &["--version"],
        &["account", "add", "grace@example.com"],
        &["account", "add", "joan@example.com", "--json"],
        &["account", "disable", ADA],
        &["account", "enable", ADA],
        &["account", "list"],
        &["account", "list", "--json"],
        &["account", "set", ADA, "--traits", "{}"],
        &["account", "show", ADA],
        &["account", "unthrottle", ADA],
        &["client", "list"],
        &["config", "check"],
        &["config", "schema"],
        &["config", "show"],
        &["key", "list"],
        &["key", "rotate"],
        &["session", "end", "--everyone"],
        &["session", "list"],
    ];
    for command in commands {
        let ended = run_into(operator, Out::Full, command);
        assert_eq!(ended.code, 3, "{command:?} {ended:?}");
    }
    // Nobody is harmed by a reader that has seen enough, nor by one that was never there.
    for out in [Out::Gone, Out::Null] {
        for command in commands.iter().filter(|it| !it.contains(&"add")) {
            let ended = run_into(operator, out, command);
            assert_eq!(ended.code, 0, "{out:?} {command:?} {ended:?}");
        }
    }
    let identifiers = operator.json(&["account", "list"]).to_string();
    assert!(identifiers.contains("grace") && identifiers.contains("joan"), "these can be shown: they stay");
}

#[test]
fn only_init_and_servers_make_a_store() {
    let place = Place::new();
    let run = |arguments: &[&str]| {
        let mut command = Command::new(BINARY);
        command.args(arguments).env_remove("VESTIBULE_CONFIG").current_dir(place.path());
        command.stdin(Stdio::null()).output().unwrap()
    };
    let commands: &[&[&str]] = &[
        &["account", "add", ADA],
        &["account", "import", "/dev/null"],
        &["account", "list"],
        &["account", "remove", ADA],
        &["client", "add", "reports", "--audience", "orders"],
        &["client", "list", "--json"],
        &["key", "list"],
        &["key", "rotate", "--now"],
        &["session", "end", "--everyone"],
        &["session", "list"],
    ];
    let refused = |says: &[&str], there: usize| {
        for command in commands {
            let output = run(command);
            let said = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(2), "{command:?} {said}");
            assert!(
                said.lines().count() == 1 && says.iter().all(|it| said.contains(it)),
                "{command:?} {said}"
            );
            assert_eq!(fs::read_dir(place.path()).unwrap().count(), there, "{command:?} left something");
        }
    };
    let database = place.join("vestibule-data/vestibule.db");
    let database = database.to_str().unwrap();
    refused(&[database, "no configuration was named", "vestibule init"], 0);
    place.write("vestibule.toml", "");
    refused(&[database, "vestibule.toml leads to"], 1);
    fs::remove_file(place.join("vestibule.toml")).unwrap();

    let output = run(&["init", "--hash-time", "0"]);
    assert!(output.status.success(), "{output:?}");
    let output = run(&["account", "add", ADA]);
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains(database) && said.contains("no server runs"), "it names its store: {said}");
    // A store whose secrets are elsewhere is not made useless by new ones.
    for name in ["vestibule.toml", "secrets/seal.key", "secrets/pepper.key"] {
        fs::remove_file(place.join(name)).unwrap();
    }
    let output = run(&["init", "--hash-time", "0"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(!place.join("secrets/seal.key").exists());
}

#[test]
fn commands_name_their_store_where_no_server_answers() {
    let mut vestibule = installed();
    let list = ["account", "list", "--json"];
    let alone = vestibule.operator.run(&list, "");
    assert!(alone.err.contains("vestibule-data/vestibule.db"), "{alone:?}");
    vestibule.start();
    let asked = vestibule.operator.run(&list, "");
    assert_eq!((asked.code, asked.err.as_str()), (0, ""), "{asked:?}");
}

/// What is typed at a terminal is not shown there, and is typed twice where a slip would cost the account.
#[test]
fn passwords_typed_at_a_terminal_are_not_shown() {
    let mut vestibule = installed();
    vestibule.start();
    let operator = &vestibule.operator;
    let line = format!("{PASSWORD}\n");
    let add = ["account", "add", ADA, "--password-stdin"];
    let twice = [("New password", line.as_str()), ("again", line.as_str())];
    let session = operator.at_terminal(80, &add, &twice);
    assert_eq!((session.code, session.echoes), (0, true), "{session:?}");
    assert!(!session.shown.contains(PASSWORD), "{session:?}");
    ApiClient::sign_in(vestibule.public, ADA, PASSWORD);

    let set = ["account", "set", ADA, "--password-stdin"];
    let slip = [("New password", "seven lanterns walk home\n"), ("again", "seven lanterns walk hone\n")];
    let session = operator.at_terminal(80, &set, &slip);
    assert!(session.code == 2 && session.shown.contains("not the same") && session.echoes, "{session:?}");
    assert!(!session.shown.contains("lanterns"), "{session:?}");
    ApiClient::sign_in(vestibule.public, ADA, PASSWORD);

    // Who gives up leaves the terminal as it was.
    let session = operator.at_terminal(80, &set, &[("New password", "seven\u{3}")]);
    assert!(session.code != 0 && session.echoes && !session.shown.contains("seven"), "{session:?}");
    // Credentials are secrets, too, and a long one is no longer than a terminal's line.
    let cookie = format!("{}\n", "A".repeat(5000));
    let explain = ["explain", "--cookie-stdin", "--url", "http://127.0.0.1/orders/"];
    let session = operator.at_terminal(80, &explain, &[("cookie", &cookie)]);
    assert!(!session.shown.contains("AAAA") && session.shown.contains("=>"), "{session:?}");
    let session = operator.at_terminal(80, &["token", "inspect"], &[("JWT", "not.a.jwt\n")]);
    assert!(session.code == 1 && !session.shown.contains("not.a.jwt"), "{session:?}");
}

#[test]
fn tables_break_no_id_on_a_narrow_terminal() {
    let mut vestibule = installed();
    vestibule.start();
    let operator = &vestibule.operator;
    let identifier = "somebody.with.a.long.name@department.example.com";
    let subject = operator.add_account(identifier);
    ApiClient::sign_in(vestibule.public, identifier, PASSWORD);
    let session = operator.only_session();
    let client = operator.json(&["client", "add", "reports", "--audience", "orders"]);
    let keys = operator.json(&["key", "list"]);
    let text = |it: &Value| it.as_str().unwrap().to_owned();
    for (list, ids) in [
        ("account", vec![identifier.to_owned(), subject.clone()]),
        ("client", vec![text(&client["client_id"])]),
        ("key", keys.as_array().unwrap().iter().map(|key| text(&key["key_id"])).collect()),
        ("session", vec![session, subject]),
    ] {
        let seen = operator.at_terminal(40, &[list, "list"], &[]);
        for id in ids {
            assert!(seen.shown.contains(&id), "{list}: {id} is cut: {}", seen.shown);
        }
    }
}

/// Editors and shells of other systems begin a text with a mark, or write UTF-16.
#[test]
fn texts_with_a_byte_order_mark_are_read_and_utf_16_is_named() {
    let mut vestibule = installed();
    let place = &vestibule.place;
    let mark = |file: &str| {
        let text = fs::read_to_string(place.join(file)).unwrap();
        fs::write(place.join(file), format!("{MARK}{text}")).unwrap();
    };
    let operator = &vestibule.operator;
    let public = operator.ok(&["key", "encryption", place.join("service.jwk").to_str().unwrap()], "");
    place.write("orders.jwk", &public);
    place.write("traits.json", r#"{"type":"object"}"#);
    let written = fs::read_to_string(&operator.config).unwrap();
    let sections = "[accounts]\ntraits_schema_file = \"traits.json\"\n";
    let audience = "name = \"orders\"\nencrypt_to_file = \"orders.jwk\"\n";
    let written = written.replace("name = \"orders\"\n", audience) + sections;
    place.write("vestibule.toml", &written);
    for file in ["vestibule.toml", "orders.jwk", "traits.json", "secrets/seal.key", "secrets/pepper.key"] {
        mark(file);
    }
    vestibule.start();
    let (operator, place) = (&vestibule.operator, &vestibule.place);
    operator.ok(&["account", "add", ADA, "--password-stdin"], &format!("{MARK}{PASSWORD}\r\n"));
    ApiClient::sign_in(vestibule.public, ADA, PASSWORD);
    let imported =
        place.write("accounts.jsonl", &format!("{MARK}{{\"identifier\":\"grace@example.com\"}}\r\n"));
    operator.ok(&["account", "import", imported.to_str().unwrap()], "");
    let keys = place.write("client.jwks", &format!("{MARK}{{\"keys\":[{public}]}}"));
    let add = ["client", "add", "reports", "--audience", "orders", "--jwks-file", keys.to_str().unwrap()];
    let ended = operator.run(&add, "");
    assert!(!ended.err.contains("JSON"), "the mark is not what is wrong with these: {ended:?}");

    // What PowerShell's `>` writes.
    let utf_16 = |text: &str| -> Vec<u8> {
        format!("{MARK}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect()
    };
    fs::write(&imported, utf_16("{\"identifier\":\"joan@example.com\"}\r\n")).unwrap();
    operator.fails(2, &["account", "import", imported.to_str().unwrap()], "", "UTF-16");
    fs::write(&keys, utf_16("{\"keys\":[]}")).unwrap();
    operator.fails(2, &add, "", "UTF-16");
    let mut child = Command::new(BINARY);
    child.args(["account", "set", ADA, "--password-stdin"]).env("VESTIBULE_CONFIG", &operator.config);
    let mut child = child.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(&utf_16(PASSWORD)).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.code() == Some(2) && String::from_utf8_lossy(&output.stderr).contains("UTF-16"));
    for (file, named) in
        [("traits.json", "traits.json"), ("orders.jwk", "orders.jwk"), ("vestibule.toml", "vestibule.toml")]
    {
        let before = fs::read(place.join(file)).unwrap();
        fs::write(place.join(file), utf_16(&String::from_utf8_lossy(&before))).unwrap();
        let ended = operator.run(&["config", "check"], "");
        assert!(ended.code == 2 && ended.err.contains("UTF-16") && ended.err.contains(named), "{ended:?}");
        fs::write(place.join(file), before).unwrap();
    }
    operator.ok(&["config", "check"], "");
}

/// A terminal that closes says so with SIGHUP, which for a server under a supervisor means to read its configuration.
#[test]
fn dev_ends_when_its_terminal_closes() {
    let temporary = Place::new();
    let mut command = Command::new(BINARY);
    command.args(["dev", "--port", "0"]).env("TMPDIR", temporary.path()).env_remove("VESTIBULE_CONFIG");
    let log = Place::new();
    let mut dev = Running::start("vestibule dev", command, log.join("log"));
    dev.wait_for("A line for each session");
    dev.signal(Signal::HUP);
    assert_eq!(dev.ended().and_then(|it| it.code()), Some(0));
    assert_eq!(fs::read_dir(temporary.path()).unwrap().count(), 0, "and leaves nothing behind");
}
