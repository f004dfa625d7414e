//! People who sign in and out, and what was acknowledged to them. In: an installation. Out: sessions that must live,
//! sessions that must be over, and sessions whose logout was under way when the answer failed to come.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use crate::personas::{Answer, Ask, PASSWORD, Vestibule};

/// Who signs in and out: one from each side, for what one account may attempt at once is limited.
pub(crate) const PEOPLE: [&str; 4] =
    ["ada@example.com", "bea@example.com", "cy@example.com", "dora@example.com"];

/// A page that only a session opens.
pub(crate) const URL: &str = "http://127.0.0.1/orders/";

/// What the server has acknowledged.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    /// Opened, and nothing said to end them.
    pub(crate) alive: Vec<String>,
    /// Ended, and the server said so.
    pub(crate) over: Vec<String>,
    /// Asked to be ended, without an answer.
    pub(crate) open_question: Vec<String>,
}

impl Ledger {
    /// Holds the server to what it said: sessions that live pass, those that are over do not; about the rest it may say either, but
    /// must say something, and is held to that from now on.
    #[track_caller]
    pub(crate) fn holds(&mut self, vestibule: &Vestibule) {
        for token in &self.alive {
            assert_eq!(check(vestibule, token).status, 200, "an acknowledged login is lost");
        }
        for token in &self.over {
            assert_eq!(check(vestibule, token).status, 401, "an acknowledged logout is undone");
        }
        for token in std::mem::take(&mut self.open_question) {
            match check(vestibule, &token).status {
                200 => self.alive.push(token),
                401 => self.over.push(token),
                other => panic!("neither yes nor no: {other}"),
            }
        }
    }
}

/// A request with this session at the door.
pub(crate) fn check(vestibule: &Vestibule, token: &str) -> Answer {
    vestibule.check(|ask| ask.bearer(token), URL)
}

/// An attempt to sign in, as from one of many addresses.
pub(crate) fn sign_in(vestibule: &Vestibule, identifier: &str) -> Option<Answer> {
    static ATTEMPT: AtomicUsize = AtomicUsize::new(0);
    let attempt = ATTEMPT.fetch_add(1, Ordering::Relaxed);
    let source = format!("10.{}.{}.7", attempt / 250 % 250, attempt % 250);
    let login = json!({"identifier": identifier, "password": PASSWORD, "deliver": "body"});
    let ask = Ask::post("/auth/api/v1/login").header("X-Forwarded-For", source).json(&login);
    ask.try_send(vestibule.public)
}

/// The session token in the answer to a login that succeeded.
pub(crate) fn session_token(answer: &Answer) -> String {
    answer.json()["session_token"].as_str().unwrap().to_owned()
}

/// An attempt to sign out.
pub(crate) fn sign_out(vestibule: &Vestibule, token: &str) -> Option<Answer> {
    Ask::post("/auth/api/v1/logout").bearer(token).try_send(vestibule.public)
}
