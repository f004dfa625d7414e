//! People who do all that one can do to one's own sessions, without pause, until the server is killed under them: what was
//! acknowledged to each, and what was under way. In: an installation. Out: what it must hold after the next start.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::load::check;
use crate::personas::{Answer, Ask, PASSWORD, Vestibule};

/// A session that somebody was told they have.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    token: String,
    id: String,
}

/// Something asked for and not answered. It was done, or it was not; never half.
#[derive(Debug)]
struct Doubt {
    /// The sessions that end by it, all or none.
    ending: Vec<Held>,
    /// The password that it sets, and the session that asked: who renews its token may die just before that.
    password: Option<(String, Held)>,
}

/// One person with an account.
#[derive(Debug)]
pub(crate) struct Person {
    identifier: &'static str,
    password: String,
    alive: Vec<Held>,
    over: Vec<Held>,
    doubt: Option<Doubt>,
    turn: usize,
    pub(crate) tally: Tally,
}

/// What was acknowledged, and how what was not turned out.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) logins: usize,
    pub(crate) logouts: usize,
    pub(crate) ends: usize,
    pub(crate) password_changes: usize,
    pub(crate) done_unanswered: usize,
    pub(crate) undone_unanswered: usize,
}

impl Person {
    pub(crate) fn new(identifier: &'static str) -> Self {
        let (alive, over) = (Vec::new(), Vec::new());
        let (password, tally) = (PASSWORD.to_owned(), Tally::default());
        Self { identifier, password, alive, over, doubt: None, turn: 0, tally }
    }

    /// Holds the server to what it said, and to all or nothing where it said nothing.
    #[track_caller]
    pub(crate) fn holds(&mut self, vestibule: &Vestibule) {
        let lives = |held: &Held| match check(vestibule, &held.token).status {
            200 => true,
            401 => false,
            other => panic!("neither yes nor no: {other}"),
        };
        if let Some(doubt) = self.doubt.take() {
            let left = doubt.ending.iter().filter(|held| lives(held)).count();
            let is_done = match &doubt.password {
                None => left == 0,
                Some((new, _)) => {
                    let answer = sign_in(vestibule, self.identifier, new).unwrap();
                    assert!(matches!(answer.status, 200 | 401), "{answer:?}");
                    answer.status == 200
                }
            };
            assert_eq!(left, if is_done { 0 } else { doubt.ending.len() }, "half done: {doubt:?}");
            if let Some((new, asked_by)) = doubt.password {
                match lives(&asked_by) {
                    true => self.alive.push(asked_by),
                    false if is_done => self.over.push(asked_by),
                    false => panic!("a session ended, and the password is the old one"),
                }
                if is_done {
                    self.password = new;
                }
            }
            if is_done {
                self.tally.done_unanswered += 1;
                self.over.extend(doubt.ending);
            } else {
                self.tally.undone_unanswered += 1;
                self.alive.extend(doubt.ending);
            }
        }
        for held in &self.alive {
            assert!(lives(held), "{}: an acknowledged login is lost: {held:?}", self.identifier);
        }
        for held in &self.over {
            assert!(!lives(held), "{}: an acknowledged end is undone: {held:?}", self.identifier);
        }
    }

    /// Signs in and does one more thing; whether there was an answer to all of it.
    fn live(&mut self, vestibule: &Vestibule, acknowledged: &AtomicUsize) -> bool {
        let count = || acknowledged.fetch_add(1, Ordering::Relaxed);
        let Some(answer) = sign_in(vestibule, self.identifier, &self.password) else { return false };
        if answer.status == 503 {
            return true;
        }
        assert_eq!(answer.status, 200, "{answer:?}");
        let me = held(&answer);
        self.tally.logins += 1;
        count();
        let ask = |method: &str, path: &str| Ask::new(method, path).bearer(&me.token);
        self.turn += 1;
        let (ending, password, answer) = match self.turn % 6 {
            0 | 1 => {
                self.alive.push(me);
                return true;
            }
            2 => (vec![me.clone()], None, ask("POST", "/auth/api/v1/logout").try_send(vestibule.public)),
            3 => {
                let Some(other) = self.alive.pop() else {
                    self.alive.push(me);
                    return true;
                };
                let path = format!("/auth/api/v1/sessions/{}", other.id);
                (vec![other], None, ask("DELETE", &path).try_send(vestibule.public))
            }
            4 => {
                let others = std::mem::take(&mut self.alive);
                (others, None, ask("DELETE", "/auth/api/v1/sessions").try_send(vestibule.public))
            }
            _ => {
                let new = format!("violet kettle mountain {}", self.turn);
                let change = json!({"current_password": self.password, "new_password": new});
                let answer = from_anywhere(ask("PUT", "/auth/api/v1/password")).json(&change);
                let others = std::mem::take(&mut self.alive);
                (others, Some((new, me.clone())), answer.try_send(vestibule.public))
            }
        };
        let Some(answer) = answer.filter(|answer| answer.status != 503) else {
            // Who asked is alive, unless it asked for its own end or its token is being renewed.
            if password.is_none() && !ending.iter().any(|held| held.id == me.id) {
                self.alive.push(me);
            }
            self.doubt = Some(Doubt { ending, password });
            return false;
        };
        assert!(matches!(answer.status, 200 | 204), "{answer:?}");
        count();
        match password {
            Some((new, _)) => {
                self.tally.password_changes += 1;
                self.password = new;
                self.alive.push(held(&answer));
                self.over.push(me);
            }
            None if ending.iter().any(|held| held.id == me.id) => self.tally.logouts += 1,
            None => {
                self.tally.ends += 1;
                self.alive.push(me);
            }
        }
        self.over.extend(ending);
        true
    }
}

impl std::ops::Add for Tally {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            logins: self.logins + other.logins,
            logouts: self.logouts + other.logouts,
            ends: self.ends + other.ends,
            password_changes: self.password_changes + other.password_changes,
            done_unanswered: self.done_unanswered + other.done_unanswered,
            undone_unanswered: self.undone_unanswered + other.undone_unanswered,
        }
    }
}

/// All live at once until `stop`, who is told how much was acknowledged, has killed the server.
pub(crate) fn until(vestibule: &Vestibule, people: &mut [Person], stop: impl FnOnce(&AtomicUsize)) {
    let (acknowledged, is_over) = (AtomicUsize::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        for person in people {
            let (acknowledged, is_over) = (&acknowledged, &is_over);
            scope.spawn(
                move || {
                    while !is_over.load(Ordering::Relaxed) && person.live(vestibule, acknowledged) {}
                },
            );
        }
        stop(&acknowledged);
        is_over.store(true, Ordering::Relaxed);
    });
}

fn held(answer: &Answer) -> Held {
    let answer: Value = answer.json();
    let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("{answer}")).to_owned();
    Held { token: text(&answer["session_token"]), id: text(&answer["session"]["id"]) }
}

fn sign_in(vestibule: &Vestibule, identifier: &str, password: &str) -> Option<Answer> {
    let login = json!({"identifier": identifier, "password": password, "deliver": "body"});
    from_anywhere(Ask::post("/auth/api/v1/login")).json(&login).try_send(vestibule.public)
}

/// As from one of many addresses: what one of them may attempt is limited.
fn from_anywhere(ask: Ask) -> Ask {
    static ATTEMPT: AtomicUsize = AtomicUsize::new(0);
    let attempt = ATTEMPT.fetch_add(1, Ordering::Relaxed);
    ask.header("X-Forwarded-For", format!("10.{}.{}.7", attempt / 250 % 250, attempt % 250))
}
