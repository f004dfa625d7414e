//! Somebody with one account and its right password, at one address or at many, tries to keep everybody else from signing in. Everybody
//! else gets in.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::personas::{ADA, Answer, Ask, Door, PASSWORD, Scene, Vestibule};

/// More than the hasher has places.
const AT_ONCE: usize = 160;
const MARKS: usize = 40;
const OWNERS: usize = 36;
static ALONE: Mutex<()> = Mutex::new(());
/// Networks of the one who has many.
const NETWORKS: usize = 100;
/// "correct horse battery staple", by PBKDF2 at a cost that takes no time; the first sign-in hashes it anew.
const CHEAP: &str =
    "$pbkdf2-sha256$i=1000,l=32$c29tZXNhbHRzb21lc2FsdA$SCjY7SSTd+1t0YRKbVoolytKt+BeFjwwXJESGnfk9yY";

/// AU-05, AU-07: each sign-in gives a mark of a known device, and none of them is a budget of its own; what the full hasher refuses is paid for;
/// and in the hasher's queue each address has its turn.
#[test]
fn one_account_from_one_address_keeps_no_owner_out() {
    let scene = scene();
    // Ada's marks: as many as her address may have sign-ins at once, nearly.
    let marks: Vec<String> = (0..MARKS).map(|_| mark(&sign_in(&scene, ADA, "10.66.0.7", None))).collect();
    keeps_no_owner_out(&scene, |number| sign_in(&scene, ADA, "10.66.0.7", Some(&marks[number % MARKS])));
}

/// AU-07: nor are many addresses: the account's sign-ins without a known device are counted over all of them, and it has a few places in the
/// hasher's queue.
#[test]
fn one_account_from_many_addresses_keeps_no_owner_out() {
    let scene = scene();
    keeps_no_owner_out(&scene, |number| {
        sign_in(&scene, ADA, &format!("10.66.{}.7", number % NETWORKS), None)
    });
}

fn scene() -> Scene {
    let trust = "[trusted_proxies]\npublic = [\"127.0.0.1/32\"]";
    let scene = Scene::with(Door::BuiltIn, Vestibule::installed(), "", trust);
    let owner =
        |number: usize| json!({"identifier": format!("owner{number}@example.com"), "password_hash": CHEAP});
    let lines: Vec<String> = (0..OWNERS).map(|number| owner(number).to_string()).collect();
    scene.vestibule.operator.ok(&["account", "import"], &lines.join("\n"));
    scene
}

/// Each owner gets in at the first attempt, from an address of their own, while `attack` goes on.
#[track_caller]
fn keeps_no_owner_out(scene: &Scene, attack: impl Fn(usize) -> Answer + Sync) {
    // Each takes all processors.
    let _alone = ALONE.lock();
    let (is_over, asked, next) = (AtomicBool::new(false), AtomicUsize::new(0), AtomicUsize::new(0));
    let told = Mutex::new(BTreeMap::<u16, usize>::new());
    let began = Instant::now();
    let (refused, slowest) = std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    let number = asked.fetch_add(1, Ordering::Relaxed);
                    let answer = attack(number);
                    *told.lock().unwrap().entry(answer.status).or_default() += 1;
                    // As a client does that is told to wait, and does not mean to.
                    std::thread::sleep(Duration::from_millis(250));
                }
            });
        }
        std::thread::sleep(Duration::from_millis(500));
        let signing_in: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let mut answers = Vec::new();
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        if number >= OWNERS {
                            return answers;
                        }
                        let (name, address) =
                            (format!("owner{number}@example.com"), format!("10.1.{number}.7"));
                        let began = Instant::now();
                        let answer = sign_in(scene, &name, &address, None);
                        answers.push((answer, began.elapsed()));
                    }
                })
            })
            .collect();
        let answers: Vec<_> = signing_in.into_iter().flat_map(|it| it.join().unwrap()).collect();
        is_over.store(true, Ordering::Relaxed);
        let slowest = answers.iter().map(|(_, took)| *took).max().unwrap();
        let refused: Vec<_> = answers.iter().filter(|(answer, _)| answer.status != 200).collect();
        (
            refused
                .iter()
                .map(|(answer, took)| format!("{} after {took:?}: {}", answer.status, answer.text()))
                .collect::<Vec<_>>(),
            slowest,
        )
    });
    let told = told.into_inner().unwrap();
    eprintln!(
        "{} of {OWNERS} owners were refused, the slowest in {slowest:?}; ada was told {told:?} in {:?}",
        refused.len(),
        began.elapsed()
    );
    assert!(refused.is_empty(), "owners did not get in: {refused:?}; ada was told {told:?}");
    // Sixty of the account at once, and one in three seconds.
    let allowed = 60 + began.elapsed().as_secs() / 3 + 1;
    let evaluated = told.get(&200).copied().unwrap_or_default() as u64;
    assert!(evaluated <= allowed, "{evaluated} were hashed, {allowed} may be");
    assert!(asked.into_inner() > 200, "no attack: {told:?}");
}

fn sign_in(scene: &Scene, identifier: &str, from: &str, mark: Option<&str>) -> Answer {
    let body = json!({"identifier": identifier, "password": PASSWORD});
    let ask = Ask::post("/auth/api/v1/login").header("X-Forwarded-For", from).json(&body);
    let ask = match mark {
        Some(mark) => ask.header("Cookie", format!("vestibule_device={mark}")),
        None => ask,
    };
    ask.send(scene.front)
}

#[track_caller]
fn mark(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{answer:?}");
    let cookies = answer.all("set-cookie");
    let device = cookies.iter().find_map(|cookie| cookie.strip_prefix("vestibule_device=")).unwrap();
    device.split(';').next().unwrap().to_owned()
}
