//! The person who runs an installation, by its command line.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::scene::PASSWORD;

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_vestibule");

pub(crate) struct Operator {
    pub(crate) config: PathBuf,
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Operator {
    /// Runs a command to its end. One that does not end within two minutes is ended, with code 124.
    pub(crate) fn run(&self, arguments: &[&str], stdin: &str) -> Ended {
        let mut child = Command::new("timeout")
            .args(["--kill-after=5", "120", BINARY])
            .args(arguments)
            .env("VESTIBULE_CONFIG", &self.config)
            .env_remove("RUST_LOG")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A command that wants no input may be gone already.
        let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
        let output = child.wait_with_output().unwrap();
        Ended {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// A command that succeeds; what it prints.
    #[track_caller]
    pub(crate) fn ok(&self, arguments: &[&str], stdin: &str) -> String {
        let ended = self.run(arguments, stdin);
        assert_eq!(ended.code, 0, "{arguments:?}: {ended:?}");
        ended.out
    }

    /// A command that succeeds, with `--json`.
    #[track_caller]
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.ok(&[arguments, &["--json"]].concat(), "")).unwrap()
    }

    /// A command that fails, in one line that says what to do.
    #[track_caller]
    pub(crate) fn fails(&self, code: i32, arguments: &[&str], stdin: &str, says: &str) {
        let ended = self.run(arguments, stdin);
        assert_eq!(ended.code, code, "{arguments:?}: {ended:?}");
        let lines: Vec<&str> = ended.err.lines().filter(|line| line.starts_with("vestibule: ")).collect();
        assert!(lines.len() == 1 && lines[0].contains(says), "{arguments:?} should say {says:?}: {ended:?}");
    }

    /// Gives somebody an account with the password of all stories; their subject.
    pub(crate) fn add_account(&self, identifier: &str) -> String {
        let traits = r#"{"department":"R&D"}"#;
        self.ok(&["account", "add", identifier, "--traits", traits, "--password-stdin"], PASSWORD);
        self.json(&["account", "show", identifier])["subject"].as_str().unwrap().to_owned()
    }

    /// The only live session.
    #[track_caller]
    pub(crate) fn only_session(&self) -> String {
        let sessions = self.json(&["session", "list"]);
        assert_eq!(sessions.as_array().unwrap().len(), 1, "{sessions}");
        sessions[0]["session"].as_str().unwrap().to_owned()
    }
}
