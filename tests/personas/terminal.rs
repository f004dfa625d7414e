//! A person who types at a terminal, which is a real pseudo-terminal.

use std::io::Write;
use std::process::Stdio;

use serde_json::{Value, json};

use super::installed::{program, script_path};
use super::operator::{BINARY, Operator};

/// What a terminal showed of a command.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) shown: String,
    /// Negative: the signal that ended it.
    pub(crate) code: i64,
    /// Whether the terminal echoes again.
    pub(crate) echoes: bool,
}

impl Operator {
    /// Runs a command at a terminal so many columns wide, and types each text once its prompt is there.
    #[track_caller]
    pub(crate) fn at_terminal(&self, columns: u16, arguments: &[&str], typed: &[(&str, &str)]) -> Session {
        let command = [&[BINARY], arguments].concat();
        let asked = json!({ "command": command, "typed": typed, "columns": columns });
        let mut python = program("python3", "python3");
        python.arg(script_path("terminal.py")).env("VESTIBULE_CONFIG", &self.config).env_remove("RUST_LOG");
        let mut child = python.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(asked.to_string().as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let told: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(told["untyped"], 0, "a prompt never came: {told}");
        Session {
            shown: told["shown"].as_str().unwrap().to_owned(),
            code: told["code"].as_i64().unwrap_or_else(|| panic!("it never ended: {told}")),
            echoes: told["echoes"].as_bool().unwrap(),
        }
    }
}
