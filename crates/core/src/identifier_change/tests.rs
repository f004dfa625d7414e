use std::sync::atomic::Ordering::SeqCst;

use super::*;
use crate::account::policy::Policy;
use crate::registration::{Registration, RegistrationOutcome, RegistrationRequest};
use crate::testing::{Desk, PASSWORD, account, run};
use crate::throttle::{FREE_ATTEMPTS, NEWCOMERS, SOURCE};

const ADA: &str = "ada@example.com";
const BOB: &str = "bob@example.com";

fn desk() -> Desk {
    let desk = Desk::new();
    let bob = account(2, BOB, "new");
    desk.world.accounts.lock().insert(bob.subject, bob);
    desk
}

fn from(source: &str, desk: &Desk, session: &LiveSession, new: &str, password: &str) -> IdentifierChanged {
    let change = IdentifierChange { login: Arc::clone(&desk.login) };
    let typed = NewIdentifier { current_password: password, identifier: new };
    run(change.attempt(session, typed, Some(source.parse().unwrap()))).unwrap()
}

fn attempt(desk: &Desk, session: &LiveSession, new: &str, password: &str) -> IdentifierChanged {
    from("192.0.2.1", desk, session, new, password)
}

fn named(text: &str) -> Identifier {
    Identifier::parse(text).unwrap()
}

#[test]
fn the_account_has_the_new_identifier_and_the_old_one_is_free() {
    let desk = desk();
    let session = desk.open(ADA);
    let changed = attempt(&desk, &session, " Lovelace@Example.com ", PASSWORD);
    assert_eq!(changed, IdentifierChanged::Changed(named("lovelace@example.com")));
    assert!(desk.signs_in("lovelace@example.com", PASSWORD) && !desk.signs_in(ADA, PASSWORD));
    assert!(desk.world.live.lock().contains_key(session.digest()), "the session stays");
    let bobs = desk.open(BOB);
    assert_eq!(attempt(&desk, &bobs, ADA, PASSWORD), IdentifierChanged::Changed(named(ADA)));
}

#[test]
fn each_no_changes_nothing_and_says_why() {
    let desk = desk();
    let session = desk.open(ADA);
    assert_eq!(attempt(&desk, &session, "BOB@example.com", PASSWORD), IdentifierChanged::Taken);
    assert_eq!(attempt(&desk, &session, "new", "wrong"), IdentifierChanged::Refused);
    assert_eq!(attempt(&desk, &session, BOB, "wrong"), IdentifierChanged::Refused, "nothing about bob");
    assert_eq!(
        attempt(&desk, &session, "ADA@example.com", PASSWORD),
        IdentifierChanged::Unchanged(named(ADA))
    );
    for impossible in ["", "  ", "a\u{202e}b", &"x".repeat(255)] {
        let outcome = attempt(&desk, &session, impossible, PASSWORD);
        assert!(matches!(outcome, IdentifierChanged::NewRefused(_)), "{impossible:?}: {outcome:?}");
    }
    assert!(desk.signs_in(ADA, PASSWORD) && desk.signs_in(BOB, PASSWORD));
    desk.world.accounts.lock().retain(|_, it| it.identifier == named(BOB));
    assert_eq!(
        attempt(&desk, &session, "new", PASSWORD),
        IdentifierChanged::Refused,
        "no account, no password"
    );
}

/// AU-05: a stolen session is no way around the throttle, and what is no identifier is no attempt.
#[test]
fn guesses_at_the_password_are_counted_and_bad_choices_are_not() {
    let desk = desk();
    let session = desk.open(ADA);
    let hashed = desk.world.hashed.load(SeqCst);
    for _ in 0..2 * FREE_ATTEMPTS {
        assert!(matches!(attempt(&desk, &session, "", "wrong"), IdentifierChanged::NewRefused(_)));
    }
    assert_eq!(desk.world.hashed.load(SeqCst), hashed);
    for _ in 0..FREE_ATTEMPTS {
        assert_eq!(attempt(&desk, &session, "new", "wrong"), IdentifierChanged::Refused);
    }
    assert!(matches!(attempt(&desk, &session, "new", PASSWORD), IdentifierChanged::Wait(_)));
}

/// AU-04: an account that knows its password finds out who else is there no faster than by registering.
#[test]
fn names_are_tried_on_the_budget_of_the_account() {
    let desk = desk();
    let session = desk.open(ADA);
    for at in 0..FREE_ATTEMPTS {
        // From wherever, and whatever came of it.
        let source = format!("198.51.{at}.7");
        let new = if at % 2 == 0 { BOB.to_owned() } else { format!("lovelace {at}") };
        let outcome = from(&source, &desk, &session, &new, PASSWORD);
        assert_eq!(outcome == IdentifierChanged::Taken, at % 2 == 0, "{at}: {outcome:?}");
    }
    for source in ["198.51.200.7", "203.0.113.200"] {
        let outcome = from(source, &desk, &session, BOB, PASSWORD);
        assert_eq!(outcome, IdentifierChanged::Wait(Duration::from_secs(1)), "{source}");
    }
    let other = desk.open("lovelace 3");
    assert!(matches!(attempt(&desk, &other, BOB, PASSWORD), IdentifierChanged::Wait(_)), "by any session");
    let bobs = desk.open(BOB);
    assert_eq!(attempt(&desk, &bobs, "robert", PASSWORD), IdentifierChanged::Changed(named("robert")));
}

/// AU-04, AU-05: those who rename accounts and those who make them have one budget together, and signing in has another.
#[test]
fn names_are_tried_on_the_budget_of_the_newcomers() {
    let desk = desk();
    let registration = Registration {
        login: Arc::clone(&desk.login),
        policy: Arc::new(Policy::new(15, &["app.test"]).unwrap()),
    };
    let session = desk.open(ADA);
    let register = |number: u32, source: &str| {
        let identifier = format!("newcomer {number}");
        let source = Some(source.parse().unwrap());
        let password = "nine umbrellas argue quietly";
        run(registration.attempt(RegistrationRequest { identifier: &identifier, password, source })).unwrap()
    };
    for number in 0..SOURCE.burst() {
        assert!(matches!(register(number, "192.0.2.1"), RegistrationOutcome::Registered { .. }), "{number}");
    }
    assert!(matches!(attempt(&desk, &session, "new", PASSWORD), IdentifierChanged::Wait(_)), "of one source");
    let elsewhere = from("198.51.100.1", &desk, &session, "lovelace", PASSWORD);
    assert_eq!(elsewhere, IdentifierChanged::Changed(named("lovelace")));

    for number in SOURCE.burst()..NEWCOMERS.burst() + 2 * SOURCE.burst() {
        register(number, &format!("10.0.{}.1", number % 32));
    }
    let source = "198.51.101.1";
    let own = from(source, &desk, &session, BOB, PASSWORD);
    assert_eq!(own, IdentifierChanged::Taken, "each source has an attempt a minute of its own");
    assert!(matches!(from(source, &desk, &session, BOB, PASSWORD), IdentifierChanged::Wait(_)));
    assert!(desk.signs_in(BOB, PASSWORD));
}

/// Who was shut out by a new password after theirs was looked at renames nothing.
#[test]
fn a_password_that_was_replaced_meanwhile_renames_nothing() {
    let desk = desk();
    let session = desk.open(ADA);
    *desk.world.before_renaming.lock() = Some(|account| {
        account.epoch += 1;
        Ok(())
    });
    assert_eq!(attempt(&desk, &session, "new", PASSWORD), IdentifierChanged::Gone);
    assert!(desk.signs_in(ADA, PASSWORD));
}

#[test]
fn a_store_that_fails_changes_nothing_and_costs_no_attempt() {
    let desk = desk();
    let session = desk.open(ADA);
    *desk.world.before_renaming.lock() = Some(|_| Err(Fault::unavailable("the store", "it is down")));
    for _ in 0..2 * FREE_ATTEMPTS {
        let change = IdentifierChange { login: Arc::clone(&desk.login) };
        let typed = NewIdentifier { current_password: PASSWORD, identifier: "new" };
        assert!(run(change.attempt(&session, typed, None)).is_err());
    }
    *desk.world.before_renaming.lock() = None;
    assert!(desk.signs_in(ADA, PASSWORD));
    assert_eq!(attempt(&desk, &session, "new", PASSWORD), IdentifierChanged::Changed(named("new")));
}
