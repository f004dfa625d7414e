//! One refresh token in many hands at once: two processes with 64 threads each present it in the same moment, a thousand times over.
//! Every time it is traded once, and everybody is given the same successor.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Lines, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Barrier;

use serde_json::json;

use crate::personas::{ADA, Ask, Door, PASSWORD, Scene};

const ROUNDS: usize = 1000;
const PROCESSES: usize = 2;
const THREADS: usize = 64;
/// Marks a child's lines among those of the test harness.
const MARK: &str = "given:";

/// RT-02: exactly one rotation each; a second one would make the first one's successor a replay, and end the session.
#[test]
fn of_128_that_refresh_at_once_one_rotates_and_all_are_given_the_same() {
    let scene = Scene::behind(Door::BuiltIn);
    let login = json!({"identifier": ADA, "password": PASSWORD, "mode": "token"});
    let login = Ask::post("/auth/api/v1/login").json(&login).send(scene.vestibule.public).json();
    let mut token = login["refresh_token"].as_str().unwrap().to_owned();
    let mut racers: Vec<Racers> = (0..PROCESSES).map(|_| Racers::start(scene.vestibule.public)).collect();
    let mut ever = BTreeSet::from([token.clone()]);
    for round in 0..ROUNDS {
        for process in &mut racers {
            process.present(&token);
        }
        let given: BTreeSet<String> = racers.iter_mut().flat_map(Racers::given).collect();
        assert_eq!(given.len(), 1, "round {round}: {given:?}");
        token = given.into_iter().next().unwrap();
        assert!(ever.insert(token.clone()), "round {round}: a token that was given before");
    }
    for process in racers {
        process.end();
    }
    let count = |outcome: &str| scene.vestibule.metric("vestibule_refreshes_total", outcome);
    let asked = f64::from(u32::try_from(ROUNDS * PROCESSES * THREADS).unwrap());
    assert_eq!((count("succeeded"), count("refused") + count("replayed") + count("fault")), (asked, 0.0));
}

/// A process of threads.
struct Racers {
    child: Child,
    tokens: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Racers {
    fn start(server: SocketAddr) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "story_refresh_race::racers", "--ignored", "--nocapture", "--test-threads=1"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (mut tokens, lines) =
            (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()).lines());
        writeln!(tokens, "{server}").unwrap();
        Self { child, tokens, lines }
    }

    fn present(&mut self, token: &str) {
        writeln!(self.tokens, "{token}").unwrap();
    }

    /// What its threads were given, and whatever else they were told.
    fn given(&mut self) -> BTreeSet<String> {
        let mut lines = self.lines.by_ref().map(Result::unwrap);
        let line = lines.find_map(|line| line.split_once(MARK).map(|(_, rest)| rest.to_owned()));
        let line = line.unwrap_or_else(|| panic!("the process has ended"));
        serde_json::from_str(&line).unwrap()
    }

    fn end(mut self) {
        drop(self.tokens);
        assert!(self.child.wait().unwrap().success());
    }
}

/// Not a test of its own: what the story above starts twice.
#[test]
#[ignore = "run by the story that starts it"]
fn racers() {
    let mut lines = std::io::stdin().lines().map(Result::unwrap);
    let Some(server) = lines.next().and_then(|line| line.parse::<SocketAddr>().ok()) else { return };
    for token in lines {
        let start = Barrier::new(THREADS);
        let given: BTreeSet<String> = std::thread::scope(|scope| {
            let racer = || {
                start.wait();
                refreshed(server, &token)
            };
            let racing: Vec<_> = (0..THREADS).map(|_| scope.spawn(racer)).collect();
            racing.into_iter().map(|it| it.join().unwrap()).collect()
        });
        println!("{MARK}{}", json!(given));
    }
}

fn refreshed(server: SocketAddr, token: &str) -> String {
    let form = [("grant_type", "refresh_token"), ("refresh_token", token)];
    let answer = Ask::post("/auth/oauth/token").form(&form).send(server);
    match answer.json()["refresh_token"].as_str() {
        Some(next) if answer.status == 200 => next.to_owned(),
        _ => format!("{answer:?}"),
    }
}
