//! Commands whose server goes away under them, and steps that fail between two others.

use std::io::{BufRead, BufReader};
use std::os::unix::net::UnixListener;
use std::process::Command;

use crate::place::*;

/// Whether a change was made cannot be told: that is 3, and not the operator's mistake.
#[test]
fn a_server_that_vanishes_before_it_answers_is_a_fault() {
    for command in [&["account", "list"][..], &["account", "disable", "ada@example.com"], &["key", "rotate"]]
    {
        for is_read in [true, false] {
            let place = Place::new();
            let folder = place.folder.path().join("vestibule-data");
            std::fs::create_dir_all(&folder).unwrap();
            let listener = UnixListener::bind(folder.join("control.sock")).unwrap();
            let path = folder.join("control.sock");
            let vanishing = std::thread::spawn(move || {
                // The first connection only looks whether a server is there.
                drop(listener.accept().unwrap());
                if is_read {
                    let (stream, _) = listener.accept().unwrap();
                    let mut question = String::new();
                    BufReader::new(stream).read_line(&mut question).unwrap();
                }
                std::fs::remove_file(&path).unwrap();
            });
            place.fails(3, command, "", "the running server");
            vanishing.join().unwrap();
        }
    }
}

/// What was done is said beside what was not.
#[test]
fn a_password_that_cannot_be_set_after_the_traits_were_says_both() {
    let place = Place::new();
    place.write_config("");
    place.ok(&["account", "add", "ada@example.com"], "");
    let script = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).executescript(sys.argv[2])";
    let trigger = "CREATE TRIGGER fails BEFORE UPDATE OF password ON accounts \
                   BEGIN SELECT RAISE(ABORT, 'a disk that fails'); END;";
    let database = place.folder.path().join("vestibule-data/vestibule.db");
    let changed = Command::new("python3").args(["-c", script, database.to_str().unwrap(), trigger]).status();
    assert!(changed.unwrap().success());
    let set =
        ["account", "set", "ada@example.com", "--traits", r#"{"department":"R&D"}"#, "--password-stdin"];
    place.fails(3, &set, PASSWORD, "changed: the traits; the rest is not: ");
    assert_eq!(place.json(&["account", "show", "ada@example.com"])["traits"]["department"], "R&D");
}
