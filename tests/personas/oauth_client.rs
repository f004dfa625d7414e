//! OAuth clients that others wrote, as their users use them: npm `openid-client` and `oauth4webapi`, PyPI Authlib. In: what they are to
//! do. Out: what came of it, as the library tells it.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use super::installed::{node, python};

/// Which library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OAuthLibrary {
    Authlib,
    Oauth4webapi,
    OpenidClient,
}

impl OAuthLibrary {
    pub(crate) const ALL: [Self; 3] = [Self::Authlib, Self::Oauth4webapi, Self::OpenidClient];

    fn command(self) -> Command {
        let of_node = |name: &str| {
            let mut command = node("oauth_client.mjs");
            command.arg(name);
            command
        };
        match self {
            Self::Authlib => python("oauth_client.py"),
            Self::Oauth4webapi => of_node("oauth4webapi"),
            Self::OpenidClient => of_node("openid-client"),
        }
    }
}

pub(crate) struct OAuthClient {
    library: OAuthLibrary,
    child: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
    /// What it found out about the server.
    pub(crate) metadata: Value,
}

impl OAuthClient {
    /// Starts one that finds out about the issuer first. `credentials` has `client_id`, and `secret`, or `key` and `alg`, or neither.
    #[track_caller]
    pub(crate) fn of(library: OAuthLibrary, issuer: &str, credentials: &Value) -> Self {
        let mut child = library
            .command()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let (questions, answers) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let answers = BufReader::new(answers);
        let mut client = Self { library, child, questions, answers, metadata: Value::Null };
        let mut question = credentials.clone();
        question["issuer"] = issuer.into();
        client.metadata = client.ok("discover", question);
        client
    }

    /// What the server gave.
    #[track_caller]
    pub(crate) fn ok(&mut self, ask: &str, question: Value) -> Value {
        let answer = self.ask(ask, question);
        assert!(answer.get("ok").is_some(), "{:?} {ask}: {answer}", self.library);
        answer["ok"].clone()
    }

    /// Why the server gave nothing, in the words of RFC 6749.
    #[track_caller]
    pub(crate) fn refused(&mut self, ask: &str, question: Value) -> String {
        let answer = self.ask(ask, question);
        assert!(answer.get("ok").is_none(), "{:?} {ask}: {answer}", self.library);
        answer["error"].as_str().unwrap().to_owned()
    }

    fn ask(&mut self, ask: &str, mut question: Value) -> Value {
        question["ask"] = json!(ask);
        writeln!(self.questions, "{question}").unwrap();
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("{:?} {ask}: no answer", self.library))
    }
}

impl Drop for OAuthClient {
    fn drop(&mut self) {
        // By its own process id.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
