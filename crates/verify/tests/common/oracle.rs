//! Other people's JOSE libraries, each a child process that answers one JSON line for each it is asked.

use std::{
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use serde_json::{Map, Value};

/// `jose` in node; PyJWT and joserfc in Python.
pub(crate) struct Oracles {
    node: Oracle,
    python: Oracle,
}

impl Oracles {
    /// Starts both, to judge JWTs. They end when this value does.
    pub(crate) fn start() -> Self {
        Self::of("oracle")
    }

    /// Starts both, to encrypt and decrypt.
    pub(crate) fn of_encryption() -> Self {
        Self::of("jwe")
    }

    fn of(script: &str) -> Self {
        let scripts = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/oracles"));
        let home = home();
        let mut node = Command::new("node");
        node.arg(scripts.join(format!("{script}.mjs"))).arg(home.join("node"));
        let mut python = Command::new(home.join("python/bin/python"));
        python.arg(scripts.join(format!("{script}.py")));
        Self { node: Oracle::start(node), python: Oracle::start(python) }
    }

    /// What each library says: null when it accepts, or why it refuses. Both work at the same time.
    pub(crate) fn ask(&mut self, question: &Value) -> Map<String, Value> {
        self.node.put(question);
        self.python.put(question);
        let mut answers = self.node.answer();
        answers.extend(self.python.answer());
        assert!(["jose", "joserfc"].into_iter().all(|library| answers.contains_key(library)), "{answers:?}");
        answers
    }
}

struct Oracle {
    child: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Oracle {
    fn start(mut command: Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let questions = child.stdin.take().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap());
        Self { child, questions, answers }
    }

    fn put(&mut self, question: &Value) {
        writeln!(self.questions, "{question}").unwrap();
        self.questions.flush().unwrap();
    }

    fn answer(&mut self) -> Map<String, Value> {
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("an oracle died; its words are above"))
    }
}

impl Drop for Oracle {
    fn drop(&mut self) {
        // It may have ended by itself already; either way nothing stays behind.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where `tests/oracles/prepare.sh` installs them: `oracles` in the build's target folder.
fn home() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let target = test.ancestors().find(|folder| folder.join("oracles/installed").is_file());
    let target =
        target.unwrap_or_else(|| panic!("the oracles are not installed: run tests/oracles/prepare.sh"));
    target.join("oracles")
}
