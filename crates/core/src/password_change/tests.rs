use std::sync::atomic::Ordering::SeqCst;

use super::*;
use crate::testing::{Desk, PASSWORD, run};
use crate::throttle::FREE_ATTEMPTS;

const NEW: &str = "nine umbrellas argue quietly";
const ADA: &str = "ada@example.com";

fn change_of(desk: &Desk) -> PasswordChange {
    PasswordChange {
        login: Arc::clone(&desk.login),
        policy: Arc::new(Policy::new(15, &["app.test"]).unwrap()),
    }
}

fn attempt(desk: &Desk, session: &LiveSession, current: &str, new: &str) -> PasswordChanged {
    run(change_of(desk).attempt(session, NewPassword { current, new }, None)).unwrap()
}

#[test]
fn the_new_one_is_in_force_and_one_session_is_left_under_a_new_token() {
    let desk = Desk::new();
    let (other, session) = (desk.open(ADA), desk.open(ADA));
    let PasswordChanged::Changed { ended, renewed, .. } = attempt(&desk, &session, PASSWORD, NEW) else {
        panic!("refused")
    };
    assert_eq!(ended, [other.id()]);
    let renewed = renewed.unwrap();
    assert_eq!(renewed.session.id, session.id());
    assert_ne!(renewed.session.digest, *session.digest());
    assert_eq!(desk.world.live.lock().keys().collect::<Vec<_>>(), [&renewed.session.digest]);
    assert!(desk.signs_in(ADA, NEW) && !desk.signs_in(ADA, PASSWORD));
}

#[test]
fn a_bad_choice_is_no_attempt_and_a_wrong_password_is_one() {
    let desk = Desk::new();
    let session = desk.open(ADA);
    let hashed = desk.world.hashed.load(SeqCst);
    for _ in 0..2 * FREE_ATTEMPTS {
        let outcome = attempt(&desk, &session, "wrong", "short");
        assert!(matches!(outcome, PasswordChanged::NewRefused(PasswordReject::TooShort { .. })));
    }
    assert_eq!(desk.world.hashed.load(SeqCst), hashed);
    for _ in 0..FREE_ATTEMPTS {
        assert!(matches!(attempt(&desk, &session, "wrong", NEW), PasswordChanged::Refused));
    }
    assert!(matches!(attempt(&desk, &session, PASSWORD, NEW), PasswordChanged::Wait(_)));
    assert!(desk.signs_in(ADA, PASSWORD), "nothing was changed");
}

#[test]
fn a_fault_leaves_the_old_one_in_force_and_the_session_as_it_is() {
    let desk = Desk::new();
    let session = desk.open(ADA);
    desk.world.hasher_is_full.store(true, SeqCst);
    let typed = NewPassword { current: PASSWORD, new: NEW };
    assert!(run(change_of(&desk).attempt(&session, typed, None)).is_err());
    desk.world.hasher_is_full.store(false, SeqCst);
    assert!(desk.world.live.lock().contains_key(session.digest()));
    assert!(desk.signs_in(ADA, PASSWORD));
    desk.world.accounts.lock().clear();
    assert!(matches!(attempt(&desk, &session, PASSWORD, NEW), PasswordChanged::Gone));
}
