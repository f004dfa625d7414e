//! Twenty rotations while services in three languages are asked without a pause, with the key sets that their libraries keep, as they keep
//! them: time passes for everybody alike, by a clock that the story sets. Nobody refuses anything.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use data_encoding::BASE64URL_NOPAD;
use serde_json::json;

use crate::personas::{
    ADA, Application, Ask, Example, ExampleService, PASSWORD, Place, Vestibule, fake_time,
};
use crate::story_clock::{rule, set};

const ROTATIONS: usize = 20;
/// The least that `keys.publish_ahead` may be, in seconds.
const AHEAD: i64 = 600;
/// So much passes at a time, in seconds. A JWT lives for 120, and is replaced after 96: whatever is presented is still good after one step.
const STEP: i64 = 20;
const LIVES: i64 = 120;
/// Everybody is asked so often before time goes on.
const ASKED: usize = 3;
const TRAFFIC: usize = 2;
const URL: &str = "http://127.0.0.1/public/";

/// KM-02: the new key is published before it signs, the old one after it did: whoever keeps a key set as long as it is said to be good
/// has the key of every JWT that comes.
#[test]
fn twenty_rotations_under_traffic_and_no_service_refuses_anything() {
    let clock = Place::new();
    let vestibule = installed(&clock);
    let issuer = format!("http://{}", vestibule.public);
    let alike = |command: &mut Command| keep(command, &clock);
    let application = Application::start_with(&issuer, alike);
    let express = ExampleService::start_with(Example::Express, &issuer, alike);
    let starlette = ExampleService::start_with(Example::Starlette, &issuer, alike);
    let services = [application.address, express.address, starlette.address];
    let session = sign_in(&vestibule);
    wait_for_keys(&vestibule, &session, &services);

    let street = Street::default();
    std::thread::scope(|scope| {
        for _ in 0..TRAFFIC {
            scope.spawn(|| street.come_and_go(&vestibule, &session, &services));
        }
        let mut ahead = street.time.load(Ordering::SeqCst);
        for _ in 0..ROTATIONS {
            vestibule.operator.ok(&["key", "rotate"], "");
            street.rotated.store(ahead + AHEAD, Ordering::SeqCst);
            // Beyond that moment until the last JWT by the key before is replaced.
            let end = ahead + AHEAD + LIVES;
            while ahead < end && street.is_open() {
                ahead += STEP;
                street.time.store(ahead, Ordering::SeqCst);
                set(&clock, ahead);
                street.wait();
            }
        }
        street.closed.store(true, Ordering::SeqCst);
    });
    let refusals = street.refusals.into_inner().unwrap();
    assert_eq!(refusals, Vec::<String>::new(), "after {} rounds", street.rounds.into_inner());
    assert!(street.late.into_inner() >= ROTATIONS, "also what the key before had signed");
    assert_eq!(street.signers.into_inner().unwrap().len(), ROTATIONS + 1, "each key has signed");
}

#[derive(Default)]
struct Street {
    closed: AtomicBool,
    /// The seconds that have passed.
    time: AtomicI64,
    rounds: AtomicUsize,
    /// From when on the newest key signs.
    rotated: AtomicI64,
    /// How often a JWT was presented whose key signed no more.
    late: AtomicUsize,
    /// Which keys signed what was presented.
    signers: Mutex<BTreeSet<String>>,
    refusals: Mutex<Vec<String>>,
}

impl Street {
    /// Gets a JWT and presents it to every service.
    fn come_and_go(&self, vestibule: &Vestibule, session: &str, services: &[SocketAddr]) {
        let (mut key, mut signs_since) = (String::new(), 0);
        let mut patient = Patient::default();
        while self.is_open() {
            let (now, rotated) = (self.time.load(Ordering::SeqCst), self.rotated.load(Ordering::SeqCst));
            let answer = vestibule.check(|ask| ask.bearer(session), URL);
            // Who waits for a JWT while the clock goes on by a step has waited too long.
            if answer.status == 503 && self.time.load(Ordering::SeqCst) != now {
                continue;
            }
            let Some(bearer) = answer.header("authorization") else {
                self.refused(&format!("the door: {answer:?}"));
                return;
            };
            if key_of(bearer) != key {
                (key, signs_since) = (key_of(bearer).to_owned(), now);
                self.signers.lock().unwrap().insert(key.clone());
            }
            let is_late = signs_since < rotated && rotated < now;
            self.late.fetch_add(usize::from(is_late), Ordering::SeqCst);
            if !patient.knows(bearer, now, vestibule) {
                self.refused(&format!("whoever keeps the key set for its max-age, at {now}: {bearer}"));
                return;
            }
            for service in services {
                let answer = Ask::get("/public/").header("Authorization", bearer).send(*service);
                if answer.status != 200 || answer.text() == "Hello, stranger" {
                    self.refused(&format!("{service}: {answer:?}"));
                    return;
                }
            }
            self.rounds.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn refused(&self, what: &str) {
        self.refusals.lock().unwrap().push(what.to_owned());
        self.closed.store(true, Ordering::SeqCst);
    }

    fn is_open(&self) -> bool {
        !self.closed.load(Ordering::SeqCst)
    }

    /// Until everybody was asked some more.
    fn wait(&self) {
        let (before, began) = (self.rounds.load(Ordering::SeqCst), Instant::now());
        while self.is_open() && self.rounds.load(Ordering::SeqCst) < before + ASKED {
            assert!(began.elapsed() < Duration::from_secs(20), "nobody comes any more");
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

/// A verifier that keeps the key set for as long as it may be kept, and asks for no key that it does not know: libraries that do would
/// hide a key that was published too late, or withdrawn too soon.
#[derive(Default)]
struct Patient {
    keys: Vec<String>,
    asks_at: i64,
}

impl Patient {
    fn knows(&mut self, bearer: &str, now: i64, vestibule: &Vestibule) -> bool {
        if self.keys.is_empty() || now >= self.asks_at {
            let set = Ask::get("/.well-known/jwks.json").send(vestibule.public);
            let max_age = set.header("cache-control").unwrap().strip_prefix("public, max-age=").unwrap();
            self.asks_at = now + max_age.parse::<i64>().unwrap();
            let keys = set.json()["keys"].as_array().unwrap().clone();
            self.keys = keys.iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect();
        }
        let header = BASE64URL_NOPAD.decode(key_of(bearer).trim_start_matches("Bearer ").as_bytes()).unwrap();
        let header: serde_json::Value = serde_json::from_slice(&header).unwrap();
        self.keys.iter().any(|key| header["kid"] == key.as_str())
    }
}

/// The header of a JWT, which names its key.
fn key_of(bearer: &str) -> &str {
    bearer.split('.').next().unwrap()
}

fn installed(clock: &Place) -> Vestibule {
    let mut vestibule = Vestibule::installed();
    let top = format!("public_url = \"http://{}\"", vestibule.public);
    let sections = "[keys]\npublish_ahead = \"10m\"\n\
        [[audience]]\nname = \"orders\"\n[[route]]\npath = \"/\"\naudience = \"orders\"\n";
    vestibule.configure(&top, sections);
    set(clock, 0);
    vestibule.start_with(|command| rule(command, clock));
    vestibule.operator.add_account(ADA);
    vestibule
}

/// Everything that passes, passes by this clock: also what a library measures how long it has kept something by.
fn keep(command: &mut Command, clock: &Place) {
    command
        .env("LD_PRELOAD", fake_time())
        .env("FAKETIME_TIMESTAMP_FILE", clock.join("time"))
        .env("FAKETIME_NO_CACHE", "1");
}

fn sign_in(vestibule: &Vestibule) -> String {
    let login = json!({ "identifier": ADA, "password": PASSWORD, "deliver": "body" });
    let answer = Ask::post("/auth/api/v1/login").json(&login).send(vestibule.public);
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["session_token"].as_str().unwrap().to_owned()
}

/// A service that was started a moment ago may have none yet.
fn wait_for_keys(vestibule: &Vestibule, session: &str, services: &[SocketAddr]) {
    let began = Instant::now();
    let check = vestibule.check(|ask| ask.bearer(session), URL);
    let bearer = check.header("authorization").unwrap();
    for service in services {
        while Ask::get("/public/").header("Authorization", bearer).send(*service).status == 503 {
            assert!(began.elapsed() < Duration::from_secs(20), "{service} finds no keys");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}
