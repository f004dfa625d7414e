//! Somebody guesses passwords while the server is killed and started again: what was counted before is counted after, for one account and
//! for all strangers together. And no second server counts beside the first.

use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use crate::personas::{ADA, Answer, Ask, Door, Operator, PASSWORD, Running, Scene, Vestibule, free_address};

const GUESSERS: usize = 8;
/// "correct horse battery staple", by PBKDF2 at a cost that takes no time: unknown names then take none either, as they cost what some
/// account costs.
const CHEAP: &str =
    "$pbkdf2-sha256$i=1000,l=32$c29tZXNhbHRzb21lc2FsdA$SCjY7SSTd+1t0YRKbVoolytKt+BeFjwwXJESGnfk9yY";

fn scene() -> Scene {
    let trust = "[trusted_proxies]\npublic = [\"127.0.0.1/32\"]";
    Scene::with(Door::BuiltIn, Vestibule::installed(), "", trust)
}

/// Guessers at once, and what came of their guesses.
struct Guessing<'a> {
    scene: &'a Scene,
    /// Whose password is guessed, by the guess's number.
    at: fn(u32) -> String,
    /// From how many networks, in turn.
    networks: u32,
    guesses: AtomicU32,
    /// The password was looked at, and the answer received.
    evaluated: AtomicU32,
    waited: AtomicU32,
}

impl<'a> Guessing<'a> {
    fn new(scene: &'a Scene, at: fn(u32) -> String, networks: u32) -> Self {
        Self {
            scene,
            at,
            networks,
            guesses: AtomicU32::new(0),
            evaluated: AtomicU32::new(0),
            waited: AtomicU32::new(0),
        }
    }

    /// Guesses until `enough`; then kills the server, guesses being under way, where that is asked.
    fn until(&self, enough: impl Fn(&Self) -> bool + Sync, kill: Option<Pid>) {
        std::thread::scope(|scope| {
            for _ in 0..GUESSERS {
                scope.spawn(|| while !enough(self) && self.guess() {});
            }
            let began = Instant::now();
            while !enough(self) {
                assert!(began.elapsed() < Duration::from_secs(120), "no end of guessing");
                std::thread::sleep(Duration::from_millis(1));
            }
            if let Some(id) = kill {
                kill_process(id, Signal::KILL).unwrap();
            }
        });
    }

    /// One guess; whether somebody answered.
    fn guess(&self) -> bool {
        let number = self.guesses.fetch_add(1, Ordering::Relaxed);
        let Some(answer) =
            attempt(self.scene, &(self.at)(number), "not the password", number % self.networks)
        else {
            return false;
        };
        match answer.status {
            401 => self.evaluated.fetch_add(1, Ordering::Relaxed),
            429 => self.waited.fetch_add(1, Ordering::Relaxed),
            // Too many at once to hash: nobody's guess.
            503 => 0,
            _ => panic!("{answer:?}"),
        };
        true
    }

    fn evaluated(&self) -> u32 {
        self.evaluated.load(Ordering::Relaxed)
    }

    fn waited(&self) -> u32 {
        self.waited.load(Ordering::Relaxed)
    }
}

fn attempt(scene: &Scene, identifier: &str, password: &str, network: u32) -> Option<Answer> {
    let body = json!({"identifier": identifier, "password": password});
    let source = format!("10.{}.{}.7", network / 250 % 250, network % 250);
    Ask::post("/auth/api/v1/login").header("X-Forwarded-For", source).json(&body).try_send(scene.front)
}

fn kill_and_start_again(scene: &mut Scene) {
    // It is dead already: what is left is to wait for it.
    scene.vestibule.kill();
    scene.vestibule.start();
}

fn id(scene: &mut Scene) -> Option<Pid> {
    Pid::from_raw(i32::try_from(scene.vestibule.running().id()).unwrap())
}

/// AU-05: five are free, then each wait is twice the one before, whatever becomes of the server meanwhile.
#[test]
fn guesses_at_an_account_stay_counted_when_the_server_is_killed_among_them() {
    let mut scene = scene();
    let began = Instant::now();
    let mut evaluated = 0;
    for life in 0..4 {
        let id = id(&mut scene);
        let guessing = Guessing::new(&scene, |_| ADA.to_owned(), u32::MAX);
        let started = Instant::now();
        // First in the midst of the free ones; then so long that as many again would have been looked at.
        let is_enough = |it: &Guessing<'_>| {
            if life == 0 { it.evaluated() >= 3 } else { started.elapsed() > Duration::from_millis(600) }
        };
        guessing.until(is_enough, id);
        evaluated += guessing.evaluated();
        let allowed = 5 + (began.elapsed().as_secs() + 1).ilog2();
        assert!(evaluated <= allowed, "{evaluated} guesses were evaluated in {:?}", began.elapsed());
        kill_and_start_again(&mut scene);
    }
    eprintln!("{evaluated} guesses were evaluated in {:?}", began.elapsed());
}

/// Each may 60 at once: all of them much more than strangers may together.
const NETWORKS: u32 = 40;

/// AU-05: strangers who guess from many networks at everything have one budget, 900 at once and 300 a minute beside one a minute from each
/// network, and a kill fills it no more than it empties it. Neither who has signed in on a device before nor who comes from
/// elsewhere waits for them.
#[test]
fn the_budget_of_all_strangers_outlives_the_server_and_leaves_the_known_alone() {
    let mut scene = scene();
    let cheap = |number| json!({"identifier": format!("cheap{number}@example.com"), "password_hash": CHEAP});
    let lines: Vec<String> = (0..40).map(|number| cheap(number).to_string()).collect();
    scene.vestibule.operator.ok(&["account", "import"], &lines.join("\n"));
    let mut known = scene.signed_in();

    let began = Instant::now();
    let everywhere = |number| format!("nobody{number}@example.com");
    let id = id(&mut scene);
    let before = Guessing::new(&scene, everywhere, NETWORKS);
    before.until(|it| it.evaluated() >= 600, id);
    let (guesses, before) = (before.guesses.into_inner(), before.evaluated.into_inner());
    kill_and_start_again(&mut scene);
    let after = Guessing::new(&scene, everywhere, NETWORKS);
    after.guesses.store(guesses, Ordering::Relaxed);
    after.until(|it| it.waited() >= 20, None);

    let evaluated = before + after.evaluated();
    let seconds = u32::try_from(began.elapsed().as_secs()).unwrap();
    let (gained, own) = (seconds * 5 + 5, NETWORKS * (seconds / 60 + 1));
    eprintln!("{before} guesses before the kill, {evaluated} in all, {:?}", began.elapsed());
    assert!(evaluated <= 900 + own + gained, "{evaluated} guesses were evaluated in {:?}", began.elapsed());
    // Those whose answers were under way when it was killed are counted, too.
    assert!(evaluated >= 900 + NETWORKS - GUESSERS as u32, "{evaluated} guesses used the budget up");

    // With the right password, too, a stranger waits. The budget gains one in 200 ms, so guessers are at it again.
    let spent = || {
        let again = Guessing::new(&scene, everywhere, NETWORKS);
        again.guesses.store(guesses + 10_000, Ordering::Relaxed);
        again.until(|it| it.waited() >= GUESSERS as u32, None);
    };
    let waits = (0..20).find_map(|number| {
        spent();
        attempt(&scene, ADA, PASSWORD, number).filter(|answer| answer.status == 429)
    });
    assert_eq!(waits.expect("a stranger never waits").code(), "throttled");
    spent();
    let elsewhere = attempt(&scene, ADA, PASSWORD, NETWORKS).unwrap();
    assert_eq!(elsewhere.status, 200, "who comes from elsewhere does not wait: {elsewhere:?}");
    let typed = json!({"identifier": ADA, "password": PASSWORD});
    let answer = known.fetch(Ask::post("/auth/api/v1/login").json(&typed));
    assert_eq!(answer.status, 200, "who is known does not wait: {answer:?}");
}

/// AU-05: two that count by themselves would allow twice as much. The second is told why, and the first goes on.
#[test]
fn a_second_server_on_the_same_store_is_refused_with_the_reason() {
    let scene = scene();
    let place = &scene.vestibule.place;
    let text = std::fs::read_to_string(place.join("vestibule.toml")).unwrap();
    let mut other = text.clone();
    for address in [scene.vestibule.public, scene.vestibule.internal] {
        other = other.replacen(&format!("= \"{address}\""), &format!("= \"{}\"", free_address()), 1);
    }
    assert_ne!(other, text);
    let second = Operator { config: place.write("second.toml", &other) };
    let mut command = Command::new(env!("CARGO_BIN_EXE_vestibule"));
    command
        .arg("serve")
        .env("VESTIBULE_CONFIG", &second.config)
        .env_remove("RUST_LOG")
        .current_dir(place.path());
    let mut running = Running::start("a second vestibule", command, place.join("second.log"));
    let ended = running.ended().expect("it runs beside the first");
    assert_eq!(ended.code(), Some(3), "{}", running.logged());
    let said = running.logged();
    let lines: Vec<&str> = said.lines().filter(|line| line.starts_with("vestibule: ")).collect();
    assert!(lines.len() == 1 && lines[0].contains("another process has it open"), "{said}");

    let client = scene.api_client();
    assert_eq!(client.get("/orders/").text(), format!("hello {}", scene.subject));
}

/// AU-05: whoever keeps guessing keeps the owner waiting on a new device, until the operator has the running server forget it.
#[test]
fn an_operator_lets_an_owner_in_whom_somebodys_guessing_keeps_waiting() {
    let scene = scene();
    let operator = &scene.vestibule.operator;
    // Until the wait is one of 8 seconds, which is longer than what follows.
    for number in 0.. {
        let answer = attempt(&scene, ADA, "not the password", number).unwrap();
        let wait: u64 = answer.header("retry-after").map_or(0, |seconds| seconds.parse().unwrap());
        if wait > 4 {
            break;
        }
        std::thread::sleep(Duration::from_secs(wait));
    }
    assert_eq!(attempt(&scene, ADA, PASSWORD, 9000).unwrap().status, 429);
    operator.fails(1, &["account", "unthrottle", "nobody@example.com"], "", "there is no account");
    assert_eq!(attempt(&scene, ADA, PASSWORD, 9001).unwrap().status, 429);
    let said = operator.ok(&["account", "unthrottle", ADA], "");
    assert!(said.contains("forgotten"), "{said}");
    assert_eq!(attempt(&scene, ADA, PASSWORD, 9002).unwrap().status, 200);
    assert!(scene.vestibule.logged().contains("account.unthrottled"));
}
