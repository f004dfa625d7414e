use std::sync::atomic::Ordering::SeqCst;

use super::*;
use crate::login::LoginRequest;
use crate::session::SessionKind;
use crate::testing::{Desk, PASSWORD, run};
use crate::throttle::{FREE_ATTEMPTS, NEWCOMERS, SOURCE};

const NEW: &str = "nine umbrellas argue quietly";

fn registration(desk: &Desk) -> Registration {
    Registration { login: Arc::clone(&desk.login), policy: Arc::new(Policy::new(15, &["app.test"]).unwrap()) }
}

fn attempt(registration: &Registration, identifier: &str, password: &str) -> RegistrationOutcome {
    let source = Some("192.0.2.1".parse().unwrap());
    run(registration.attempt(RegistrationRequest { identifier, password, source })).unwrap()
}

#[test]
fn a_free_name_gets_an_account_and_a_taken_one_keeps_its_own() {
    let desk = Desk::new();
    let registration = registration(&desk);
    let RegistrationOutcome::Registered { added: Some(subject) } = attempt(&registration, " NEW ", NEW)
    else {
        panic!("it was free")
    };
    assert_eq!(desk.world.accounts.lock()[&subject].identifier.as_str(), "new");
    let before = desk.world.hashed.load(SeqCst);
    for taken in ["new", "ADA@example.com"] {
        let outcome = attempt(&registration, taken, "seven lanterns walk home");
        assert_eq!(outcome, RegistrationOutcome::Registered { added: None });
    }
    assert_eq!(desk.world.hashed.load(SeqCst), before + 2, "the work is done all the same");
    assert!(desk.signs_in("new", NEW) && desk.signs_in("ada@example.com", PASSWORD));
    assert!(!desk.signs_in("ada@example.com", "seven lanterns walk home"));
}

#[test]
fn what_is_no_good_by_itself_is_no_attempt() {
    let desk = Desk::new();
    let registration = registration(&desk);
    for _ in 0..2 * SOURCE.burst() {
        assert!(matches!(attempt(&registration, "", NEW), RegistrationOutcome::IdentifierRefused(_)));
        let short = attempt(&registration, "n", "short");
        assert_eq!(short, RegistrationOutcome::PasswordRefused(PasswordReject::TooShort { min: 15 }));
        let own = attempt(&registration, "grace.hopper@navy", "grace.hopper@navy");
        assert_eq!(own, RegistrationOutcome::PasswordRefused(PasswordReject::Contextual));
    }
    assert_eq!(desk.world.hashed.load(SeqCst), 0);
    assert!(matches!(attempt(&registration, "n", NEW), RegistrationOutcome::Registered { added: Some(_) }));
}

/// A name that would be shown like another's is refused before anything is asked or hashed.
#[test]
fn names_with_invisible_characters_cannot_be_registered() {
    let desk = Desk::new();
    let registration = registration(&desk);
    for typed in ["a\u{AD}da@example.com", "ada\u{E0041}@example.com", "\u{3164}ada@example.com", "a  da"] {
        let outcome = attempt(&registration, typed, NEW);
        assert!(matches!(outcome, RegistrationOutcome::IdentifierRefused(_)), "{typed:?}");
    }
    assert_eq!(desk.world.hashed.load(SeqCst), 0);
}

#[test]
fn attempts_count_against_the_name_and_against_the_source_with_its_logins() {
    let desk = Desk::new();
    let registration = registration(&desk);
    for _ in 0..FREE_ATTEMPTS {
        assert!(matches!(attempt(&registration, "n", NEW), RegistrationOutcome::Registered { .. }));
    }
    assert_eq!(attempt(&registration, "n", NEW), RegistrationOutcome::Wait(Duration::from_secs(1)));
    assert!(desk.signs_in("n", NEW), "whoever asks for somebody's name keeps nobody from signing in");
    for at in 0..SOURCE.burst() - FREE_ATTEMPTS {
        let name = format!("guess {at}");
        run(desk.login.attempt(LoginRequest {
            identifier: &name,
            password: "wrong",
            source: Some("192.0.2.1".parse().unwrap()),
            user_agent: "test",
            mark: None,
            kind: SessionKind::Browser,
            replaces: None,
        }))
        .unwrap();
    }
    assert!(matches!(attempt(&registration, "m", NEW), RegistrationOutcome::Wait(_)));
}

/// AU-05: whoever makes accounts, from however many places, uses up what newcomers may together, and keeps nobody from signing in.
#[test]
fn a_flood_of_registrations_keeps_nobody_from_signing_in() {
    let desk = Desk::new();
    let registration = registration(&desk);
    let from = |source: u32, identifier: &str| {
        let source = Some(std::net::Ipv4Addr::from(0x0a00_0000 + (source << 8)).into());
        run(registration.attempt(RegistrationRequest { identifier, password: NEW, source })).unwrap()
    };
    let sources = 20;
    for number in 0..NEWCOMERS.burst() + sources {
        let outcome = from(number % sources, &format!("flood {number}"));
        assert!(matches!(outcome, RegistrationOutcome::Registered { added: Some(_) }), "{number}");
    }
    let wait = RegistrationOutcome::Wait(Duration::from_millis(200));
    assert_eq!(from(0, "one too many"), wait, "that they succeeded gave nothing back");
    assert!(matches!(from(sources, "from elsewhere"), RegistrationOutcome::Registered { .. }));
    // Nor does signing in from where nobody registered.
    for _ in 0..40 {
        assert!(desk.signs_in("ada@example.com", PASSWORD));
    }
}

#[test]
fn what_could_not_be_done_costs_nothing() {
    let desk = Desk::new();
    let registration = registration(&desk);
    desk.world.hasher_is_full.store(true, SeqCst);
    for _ in 0..2 * FREE_ATTEMPTS {
        let request = RegistrationRequest { identifier: "n", password: NEW, source: None };
        assert!(run(registration.attempt(request)).is_err());
    }
    desk.world.hasher_is_full.store(false, SeqCst);
    assert!(matches!(attempt(&registration, "n", NEW), RegistrationOutcome::Registered { added: Some(_) }));
}
