//! The server's clock is stepped under its feet, as a wrong time source would: by libfaketime, from a file that the running program
//! looks at. Limits are held by that clock alone, to the second, in both directions.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::personas::{ADA, Ask, PASSWORD, Place, Vestibule, fake_time};

const URL: &str = "http://127.0.0.1/orders/";
const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;

/// An installation whose time of day the story says, with the default limits: 30 minutes unused, 12 hours at most.
struct World {
    vestibule: Vestibule,
    clock: Place,
    /// How much true time has passed beside.
    began: Instant,
}

impl World {
    fn new(sections: &str) -> Self {
        let (mut vestibule, clock) = (Vestibule::installed(), Place::new());
        let top = format!("public_url = \"http://{}\"", vestibule.public);
        let routes = "[[audience]]\nname = \"orders\"\n\
             [[route]]\npath = \"/\"\naudience = \"orders\"\n\
             [[route]]\npath = \"/public/\"\nrequire = \"public\"\naudience = \"orders\"\n";
        vestibule.configure(&top, &format!("{sections}\n{routes}"));
        // Its signing key is a week old: before a key's own time nothing is signed with it.
        set(&clock, -7 * 24 * HOUR);
        vestibule.start_with(|command| rule(command, &clock));
        assert!(vestibule.end().success());
        set(&clock, 0);
        vestibule.start_with(|command| rule(command, &clock));
        vestibule.operator.add_account(ADA);
        Self { vestibule, clock, began: Instant::now() }
    }

    /// It is so many seconds after the beginning, or before.
    fn at(&self, seconds: i64) -> &Self {
        let passed = i64::try_from(self.began.elapsed().as_secs()).unwrap();
        set(&self.clock, seconds - passed);
        self
    }

    fn sign_in(&self) -> String {
        let login = serde_json::json!({"identifier": ADA, "password": PASSWORD, "deliver": "body"});
        let answer = Ask::post("/auth/api/v1/login").json(&login).send(self.vestibule.public);
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()["session_token"].as_str().unwrap().to_owned()
    }

    /// A use of the session.
    fn is_open(&self, session: &str) -> bool {
        let answer = self.vestibule.check(|ask| ask.bearer(session), URL);
        assert!(matches!(answer.status, 200 | 401), "neither yes nor no: {answer:?}");
        answer.status == 200
    }
}

/// So many seconds ahead of the true time, or behind; in one step, so that nobody reads half of it.
pub(crate) fn set(clock: &Place, ahead: i64) {
    let next = clock.write("next", &format!("{ahead:+}\n"));
    std::fs::rename(next, clock.join("time")).unwrap();
}

/// The program under this clock. What is measured as it passes stays true: only the time of day is wrong.
pub(crate) fn rule(command: &mut Command, clock: &Place) {
    command
        .env("LD_PRELOAD", fake_time())
        .env("FAKETIME_TIMESTAMP_FILE", clock.join("time"))
        .env("FAKETIME_NO_CACHE", "1")
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
        .env("DONT_FAKE_MONOTONIC", "1");
}

/// SS-04: both limits to within seconds, whatever the holder sends.
#[test]
fn a_session_ends_half_an_hour_after_its_last_use_and_twelve_hours_after_its_beginning() {
    let world = World::new("");
    let (early, late, busy) = (world.sign_in(), world.sign_in(), world.sign_in());
    assert!(world.at(30 * MINUTE - 10).is_open(&early), "unused for less than half an hour");
    assert!(!world.at(30 * MINUTE + 1).is_open(&late), "unused for half an hour and a second");
    assert!(world.is_open(&early), "used ten seconds ago");

    // Two days of use, a look every ten minutes: half a day is all there is.
    let refreshed = world.at(0).is_open(&busy);
    assert!(refreshed);
    let mut last_open = 0;
    for ten_minutes in 1..48 * 6 {
        let now = ten_minutes * 10 * MINUTE - 20;
        if world.at(now).is_open(&busy) {
            last_open = now;
        }
    }
    assert_eq!(last_open, 12 * HOUR - 20, "the last look before twelve hours");
    assert!(!world.at(12 * HOUR + 1).is_open(&busy), "used, and over all the same");
}

/// A clock that goes back gives nobody a longer life, and one that went ahead for a while ends nobody's for good.
#[test]
fn a_clock_that_steps_back_lengthens_no_session_and_one_that_jumped_ahead_ends_none_for_good() {
    let world = World::new("");
    let session = world.sign_in();
    for wrong in [-10 * MINUTE, -2 * HOUR, -30 * HOUR] {
        assert!(world.at(wrong).is_open(&session), "back by {wrong} s: it was open a moment ago");
    }
    assert!(world.at(20 * MINUTE).is_open(&session));
    // The uses above, an hour or a day ago by the clock of then, do not push the end away.
    assert!(!world.at(50 * MINUTE + 30).is_open(&session), "half an hour after the last use");

    let other = { world.at(0).sign_in() };
    assert!(!world.at(3 * HOUR).is_open(&other));
    assert!(!world.at(300 * HOUR).is_open(&other));
    // Two of the rounds in which what has expired is deleted.
    std::thread::sleep(Duration::from_secs(65));
    assert!(world.at(80).is_open(&other), "the clock is right again, and the session is there");
    assert!(!world.at(12 * HOUR + 1).is_open(&other), "and ends when it should");

    // JWTs made while the clock was wrong end with their session, by the clock they were made by.
    let answer = world.at(10 * MINUTE).vestibule.check(|ask| ask.bearer(&world.sign_in()), URL);
    assert_eq!(answer.status, 200, "a session opened at a new time: {answer:?}");
    assert!(world.vestibule.is_ready());
}

/// A clock that is set back to before every key's time leaves none that may sign. A new one is made within seconds, not at the next round.
#[test]
fn a_clock_before_every_key_stops_signing_for_seconds_only() {
    let world = World::new("");
    let session = world.sign_in();
    assert!(world.at(0).is_open(&session));
    let set_back = Instant::now();
    world.at(-30 * 24 * HOUR);
    let ask = || world.vestibule.check(|ask| ask.bearer(&session), URL).status;
    while ask() != 200 {
        assert!(set_back.elapsed() < Duration::from_secs(15), "nothing is signed: the next round is later");
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!(world.vestibule.is_ready());
}

/// SS-05: a page that asks for news all the time keeps nobody signed in who has gone; a look at anything else does.
#[test]
fn polling_keeps_no_session_alive() {
    let route =
        |path: &str, more: &str| format!("[[route]]\npath = \"{path}\"\naudience = \"orders\"\n{more}\n");
    let world = World::new(&[route("/news/", "background = true"), route("/news/read/", "")].concat());
    let ask = |session: &str, path: &str| {
        let url = format!("http://127.0.0.1{path}");
        world.vestibule.check(|ask| ask.bearer(session), &url).status
    };
    let (left_open, in_use) = (world.sign_in(), world.sign_in());
    for minute in 1..30 {
        world.at(minute * MINUTE);
        assert_eq!((ask(&left_open, "/news/7"), ask(&in_use, "/news/7")), (200, 200), "minute {minute}");
    }
    assert_eq!(ask(&in_use, "/news/read/7"), 200);
    world.at(30 * MINUTE + 2);
    assert_eq!((ask(&left_open, "/news/7"), ask(&in_use, "/news/7")), (401, 200));
}
