//! Passwords that are typed at a terminal: a real one, by a process that has it as its own.

use std::process::Command;

use serde_json::{Value, json};

use crate::place::*;

/// Runs a command at a terminal. Its steps are a JSON list: `["wait", TEXT]`, `["type", [BYTES]]`, `["signal", NAME]`.
const AT_A_TERMINAL: &str = r#"
import fcntl, json, os, pty, select, signal, subprocess, sys, termios, time
steps, command = json.loads(sys.argv[1]), sys.argv[2:]
master, slave = pty.openpty()
def own_terminal():
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
child = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, preexec_fn=own_terminal)
seen, begun = b"", time.monotonic()
def read(seconds):
    global seen
    if select.select([master], [], [], seconds)[0]:
        seen += os.read(master, 65536)
def shows():
    return bool(termios.tcgetattr(slave)[3] & termios.ECHO)
at, hidden = 0, False
for kind, what in steps:
    if kind == "wait":
        while what.encode() not in seen[at:] or (what.endswith(": ") and shows()):
            assert time.monotonic() < begun + 60, seen
            read(0.05)
        at = seen.index(what.encode(), at) + len(what)
        hidden = not shows()
    elif kind == "type":
        os.write(master, bytes(what))
    else:
        child.send_signal(getattr(signal, "SIG" + what))
while child.poll() is None:
    assert time.monotonic() < begun + 60, seen
    read(0.05)
read(0.1)
print(json.dumps({"code": child.returncode, "out": seen.decode("utf-8", "replace"), "hidden": hidden, "shows": shows()}))
"#;

fn at_a_terminal(place: &Place, arguments: &[&str], steps: &Value) -> Value {
    let output = Command::new("python3")
        .args(["-c", AT_A_TERMINAL, &steps.to_string(), BINARY])
        .args(arguments)
        .env("VESTIBULE_CONFIG", place.config())
        .env_remove("RUST_LOG")
        .current_dir(place.folder.path())
        .output()
        .unwrap();
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"))
}

const ADD: [&str; 4] = ["account", "add", "ada@example.com", "--password-stdin"];
const FIRST: &str = "not shown: ";
const AGAIN: &str = "The same again: ";

fn line(text: &str) -> Value {
    json!(["type", format!("{text}\r").as_bytes()])
}

#[test]
fn a_password_is_typed_twice_and_not_shown() {
    let place = Place::new();
    let typed = format!("wrong\u{15}{PASSWORD}\u{e9}\u{7f}");
    let steps = json!([["wait", FIRST], line(&typed), ["wait", AGAIN], line(PASSWORD)]);
    let ended = at_a_terminal(&place, &ADD, &steps);
    assert!(ended["code"] == 0 && ended["hidden"] == true && ended["shows"] == true, "{ended}");
    assert!(!ended["out"].as_str().unwrap().contains("battery"), "{ended}");
    let server = Server::start(&place);
    server.sign_in("ada@example.com");
}

/// It would be replaced by U+FFFD, and its owner could never sign in.
#[test]
fn what_is_not_utf8_is_refused_at_a_terminal_too() {
    let place = Place::new();
    let odd = b"correct horse batter\xe9 staple\r";
    let steps = json!([["wait", FIRST], ["type", odd], ["wait", "is not UTF-8"]]);
    let ended = at_a_terminal(&place, &ADD, &steps);
    assert!(ended["code"] == 2 && ended["shows"] == true, "{ended}");
    assert_eq!(place.json(&["account", "list"]), json!([]));
}

#[test]
fn a_signal_at_the_prompt_leaves_a_terminal_that_shows_what_is_typed() {
    let place = Place::new();
    for name in ["INT", "TERM", "HUP", "QUIT"] {
        let steps = json!([["wait", FIRST], ["signal", name], ["wait", "nothing was done"]]);
        let ended = at_a_terminal(&place, &ADD, &steps);
        assert!(ended["code"] == 1 && ended["shows"] == true, "{name}: {ended}");
        assert!(ended["out"].as_str().unwrap().contains(&format!("SIG{name}")), "{ended}");
    }
    for key in [[0x03], [0x1c]] {
        let steps = json!([["wait", FIRST], ["type", key], ["wait", "nothing was done"]]);
        let ended = at_a_terminal(&place, &ADD, &steps);
        assert!(ended["code"] == 1 && ended["hidden"] == false && ended["shows"] == true, "{ended}");
    }
    assert_eq!(place.json(&["account", "list"]), json!([]));
}

#[test]
fn the_end_of_input_at_the_prompt_is_no_password() {
    let place = Place::new();
    for keys in [&[0x04][..], b"\r"] {
        let steps = json!([["wait", FIRST], ["type", keys], ["wait", "there was nothing"]]);
        let ended = at_a_terminal(&place, &ADD, &steps);
        assert!(ended["code"] == 2 && ended["shows"] == true, "{ended}");
    }
}
