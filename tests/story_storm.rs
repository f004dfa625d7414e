//! Five hundred people sign in at the same moment. Each of them is answered, the program takes no more memory for it than its bounds
//! on hashing say, and who is signed in already does not notice.

use std::collections::BTreeMap;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::personas::{Answer, Ask, Door, PASSWORD, Scene, Vestibule};

const AT_ONCE: usize = 500;
const ROUNDS: usize = 3;
/// Some have an account and know its password.
const PEOPLE: [&str; 4] = ["bea@example.com", "cy@example.com", "dora@example.com", "emil@example.com"];

/// What a hash takes (m=19456, the floor, which is what is configured where nothing is said), in KiB.
const HASH_KIB: u64 = 19_456;
/// What a connection, its request and its answer may take, in KiB.
const CONNECTION_KIB: u64 = 64;
/// All else, in KiB: the program at rest takes two thirds of it.
const FIXED_KIB: u64 = 64 * 1024;

/// AU-07: hashing is bounded, so memory is; what is too much is told to come back; and no decision waits for it.
#[test]
fn five_hundred_logins_at_once_are_answered_within_memory_and_no_check_fails() {
    let trust = "[trusted_proxies]\npublic = [\"127.0.0.1/32\"]";
    let mut scene = Scene::with(Door::BuiltIn, Vestibule::installed(), "", trust);
    for identifier in PEOPLE {
        scene.vestibule.operator.add_account(identifier);
    }
    let client = scene.api_client();
    let id = scene.vestibule.running().id();
    let at_rest = peak_kib(id);
    let url = format!("{}/orders/", scene.origin);
    let check = || scene.vestibule.check(|ask| ask.bearer(&client.session_token), &url);

    let (start, is_over) = (Barrier::new(AT_ONCE), AtomicBool::new(false));
    let (answers, checks) = std::thread::scope(|scope| {
        let (start, front) = (&start, scene.front);
        let people: Vec<_> = (0..AT_ONCE)
            .map(|number| {
                scope.spawn(move || {
                    start.wait();
                    (0..ROUNDS).map(|round| attempt(number, round).send(front)).collect::<Vec<_>>()
                })
            })
            .collect();
        let checking = scope.spawn(|| {
            let mut took = Vec::new();
            while !is_over.load(Ordering::Relaxed) {
                let began = Instant::now();
                let answer = check();
                assert_eq!(answer.status, 200, "{answer:?}");
                took.push(began.elapsed());
            }
            took
        });
        let answers: Vec<Answer> = people.into_iter().flat_map(|it| it.join().unwrap()).collect();
        is_over.store(true, Ordering::Relaxed);
        (answers, checking.join().unwrap())
    });

    let mut counted: BTreeMap<u16, usize> = BTreeMap::new();
    for answer in &answers {
        *counted.entry(answer.status).or_default() += 1;
        let may_wait = matches!(answer.status, 429 | 503);
        assert!(may_wait || matches!(answer.status, 200 | 401), "{answer:?}");
        let told = answer.header("retry-after").and_then(|when| when.parse::<u64>().ok());
        assert_eq!(told.is_some_and(|when| when > 0), may_wait, "{answer:?}");
    }
    let slowest = checks.iter().max().unwrap();
    let threads = std::thread::available_parallelism().unwrap().get() as u64;
    let budget = FIXED_KIB + threads * HASH_KIB + AT_ONCE as u64 * CONNECTION_KIB;
    let peak = peak_kib(id);
    eprintln!(
        "{counted:?}; {} checks, the slowest took {slowest:?}; {at_rest} KiB at rest, {peak} KiB at most, of {budget}",
        checks.len()
    );
    assert_eq!(counted.values().sum::<usize>(), AT_ONCE * ROUNDS);
    for status in [401, 503] {
        assert!(counted.contains_key(&status), "no storm: {counted:?}");
    }
    assert!(peak <= budget, "{peak} KiB, more than {budget}");
    assert!(checks.len() >= 20, "{} checks are none", checks.len());
    assert!(*slowest < Duration::from_secs(2), "a check took {slowest:?}");
    assert_eq!(check().status, 200);
    assert!(scene.vestibule.is_ready());
}

/// From a network of its own each time, as a crowd's attempts come.
fn attempt(number: usize, round: usize) -> Ask {
    let identifier = match PEOPLE.get(number) {
        Some(identifier) => (*identifier).to_owned(),
        None => format!("stranger{number}.{round}@example.com"),
    };
    let body = json!({"identifier": identifier, "password": PASSWORD, "deliver": "body"});
    let source = format!("10.{}.{}.7", number / 250 + 2 * round, number % 250);
    Ask::post("/auth/api/v1/login").header("X-Forwarded-For", source).json(&body)
}

/// The most memory that a process ever had in use.
fn peak_kib(id: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse().unwrap()
}
