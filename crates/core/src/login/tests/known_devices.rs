//! Known devices: guessing keeps strangers waiting, not the owner.

use super::*;

const ADA: Subject = Subject::from_bytes([1; 16]);

fn marked<'a>(identifier: &'a str, password: &'a str, mark: Option<&DeviceMark>) -> LoginRequest<'a> {
    LoginRequest { mark: mark.cloned(), ..request(identifier, password) }
}

impl Bench {
    fn mark_of(&self, identifier: &str) -> DeviceMark {
        match run(self.login.attempt(request(identifier, PASSWORD))).unwrap() {
            LoginOutcome::Opened { mark, .. } => mark,
            LoginOutcome::Refused | LoginOutcome::Wait(_) => panic!("not signed in"),
        }
    }

    fn tries(&self, identifier: &str, password: &str, mark: Option<&DeviceMark>) -> LoginOutcome {
        run(self.login.attempt(marked(identifier, password, mark))).unwrap()
    }

    fn guess_until_waiting(&self, identifier: &str, mark: Option<&DeviceMark>) -> usize {
        (0..200)
            .take_while(|_| {
                !matches!(self.tries(identifier, "wrong password, wrong", mark), LoginOutcome::Wait(_))
            })
            .count()
    }
}

/// AU-05: the real owner on a known device still gets in, from the very network that the guesser is on.
#[test]
fn whoever_guesses_does_not_keep_the_owner_waiting_on_a_known_device() {
    let bench = bench();
    let mark = bench.mark_of("ada@example.com");
    bench.guess_until_waiting("ada@example.com", None);
    for neighbour in 0..100 {
        bench.tries(&format!("someone{neighbour}@example.com"), "wrong password, wrong", None);
    }
    assert!(matches!(bench.tries("ada@example.com", PASSWORD, None), LoginOutcome::Wait(_)));
    assert!(
        matches!(bench.tries("bob@example.com", PASSWORD, None), LoginOutcome::Wait(_)),
        "its source is full"
    );
    let LoginOutcome::Opened { mark: kept, .. } = bench.tries("ada@example.com", PASSWORD, Some(&mark))
    else {
        panic!("the owner waits");
    };
    assert_eq!(kept.reveal_cookie_value(), mark.reveal_cookie_value(), "one device, one tally");
    assert!(
        matches!(bench.tries("ada@example.com", PASSWORD, None), LoginOutcome::Wait(_)),
        "strangers still wait"
    );
}

#[test]
fn a_device_has_a_budget_of_its_own_and_no_more() {
    let bench = bench();
    let mark = bench.mark_of("ada@example.com");
    assert_eq!(bench.guess_until_waiting("ada@example.com", Some(&mark)), 5);
    assert!(matches!(bench.tries("ada@example.com", PASSWORD, Some(&mark)), LoginOutcome::Wait(_)));
    assert!(matches!(bench.tries("ada@example.com", PASSWORD, None), LoginOutcome::Opened { .. }));
}

/// AU-05: however many marks somebody drew, all of them together stop at a hundred failures in a row; who has none is not concerned,
/// and a success on any of them starts afresh.
#[test]
fn all_known_devices_of_an_account_stop_at_a_hundred_together() {
    let bench = bench();
    let marks: Vec<_> = (0..30).map(|_| bench.mark_of("ada@example.com")).collect();
    // Each at its own time: the devices are one source together as well.
    let guesses = |marks: &[DeviceMark]| -> usize {
        let guess = |mark| {
            bench.clock.advance(Duration::from_secs(15));
            bench.guess_until_waiting("ada@example.com", Some(mark))
        };
        marks.iter().map(guess).sum()
    };
    assert_eq!(guesses(&marks[..10]), 50);
    let LoginOutcome::Opened { .. } = bench.tries("ada@example.com", PASSWORD, Some(&marks[29])) else {
        panic!("fifty failures elsewhere make no device wait")
    };
    assert_eq!(guesses(&marks[10..]), 100);
    let LoginOutcome::Wait(wait) = bench.tries("ada@example.com", PASSWORD, Some(&marks[29])) else {
        panic!("the stop is for all of them")
    };
    assert_eq!(wait, Duration::from_secs(86_400));
    assert!(matches!(bench.tries("ada@example.com", PASSWORD, None), LoginOutcome::Opened { .. }));
}

/// A new password, disabling the account, and another account of the same name end all marks.
#[test]
fn a_mark_is_of_one_account_in_one_epoch() {
    let bench = bench();
    let mark = bench.mark_of("ada@example.com");
    bench.guess_until_waiting("ada@example.com", None);
    let known = |bench: &Bench| {
        !matches!(bench.tries("ada@example.com", "wrong password, wrong", Some(&mark)), LoginOutcome::Wait(_))
    };
    assert!(known(&bench));
    bench.world.accounts.lock().get_mut(&ADA).unwrap().epoch = 2;
    assert!(!known(&bench), "the account has changed");
    let mut again = bench.world.accounts.lock().remove(&ADA).unwrap();
    assert!(!known(&bench), "the account is gone");
    again.subject = Subject::from_bytes([11; 16]);
    again.epoch = 1;
    bench.world.accounts.lock().insert(again.subject, again);
    assert!(!known(&bench), "somebody else has the name");
}

/// AU-04: who brings a mark learns nothing of names: known or not, each costs as many looks at the store.
#[test]
fn a_mark_costs_every_name_the_same() {
    let bench = bench();
    let bobs = bench.mark_of("bob@example.com");
    let looks = |name: &str| {
        let before = bench.world.store_reads.load(Ordering::SeqCst);
        assert!(matches!(bench.tries(name, "wrong password, wrong", Some(&bobs)), LoginOutcome::Refused));
        bench.world.store_reads.load(Ordering::SeqCst) - before
    };
    assert_eq!(looks("ada@example.com"), looks("nobody@example.com"));
}

/// What an operator has forgotten is what keeps an owner waiting on any device.
#[test]
fn forgiving_an_account_lets_its_owner_in_at_once() {
    let bench = bench();
    let ada = bench.world.accounts.lock()[&ADA].clone();
    let marks: Vec<_> = (0..21).map(|_| bench.mark_of("ada@example.com")).collect();
    for mark in &marks {
        bench.clock.advance(Duration::from_secs(15));
        bench.guess_until_waiting("ada@example.com", Some(mark));
    }
    let fresh = bench.mark_of("bob@example.com");
    bench.guess_until_waiting("ada@example.com", Some(&fresh));
    for mark in [None, Some(&marks[20])] {
        assert!(matches!(bench.tries("ada@example.com", PASSWORD, mark), LoginOutcome::Wait(_)));
    }
    run(bench.world.forgive(&tallies_of(&pepper(), &ada))).unwrap();
    for mark in [None, Some(&marks[20])] {
        assert!(matches!(bench.tries("ada@example.com", PASSWORD, mark), LoginOutcome::Opened { .. }));
    }
}

/// A mark of somebody else's account, or one that nobody here made, is as good as none.
#[test]
fn a_foreign_or_forged_mark_counts_as_a_stranger() {
    let bench = bench();
    let bobs = bench.mark_of("bob@example.com");
    let mut forged = bench.mark_of("ada@example.com").0;
    forged[31] ^= 1;
    let forged = DeviceMark(forged);
    let stranger = bench.guess_until_waiting("ada@example.com", None);
    assert_eq!(stranger, 5);
    for mark in [&bobs, &forged] {
        assert!(matches!(bench.tries("ada@example.com", PASSWORD, Some(mark)), LoginOutcome::Wait(_)));
    }
    // Another installation's, under another pepper.
    let elsewhere = DeviceMark::draw(&Pepper::new(&[9; 32]), ADA, 1, &*bench.login.entropy);
    assert!(matches!(
        bench.tries("ada@example.com", PASSWORD, elsewhere.ok().as_ref()),
        LoginOutcome::Wait(_)
    ));
}

#[test]
fn a_cookie_value_is_a_mark_or_none() {
    let bench = bench();
    let mark = bench.mark_of("ada@example.com");
    let value = mark.reveal_cookie_value();
    let read = DeviceMark::from_cookie_value(value.as_bytes()).unwrap();
    assert!(read.is_of(&pepper(), ADA, 1));
    assert!(!read.is_of(&pepper(), ADA, 2));
    assert!(!read.is_of(&pepper(), Subject::from_bytes([2; 16]), 1));
    for bad in
        ["", "a", &value[1..], &format!("{value}A"), &value.replace(&value[..1], "+"), &format!(" {value}")]
    {
        assert!(DeviceMark::from_cookie_value(bad.as_bytes()).is_none(), "{bad:?}");
    }
}

/// AU-07: each sign-in gives a mark and a session, and none of them is a budget of its own. Whoever has one account and one address, and the
/// right password, is hashed for a few times a minute, and no more when the hasher is full.
#[test]
fn who_collects_marks_and_sessions_is_hashed_for_no_more_often() {
    let bench = bench();
    let marks: Vec<_> = (0..40).map(|_| bench.mark_of("ada@example.com")).collect();
    let sessions: Vec<_> = bench.world.live.lock().values().map(Arc::clone).collect();
    let hashed = || bench.world.hashed.load(Ordering::SeqCst);
    let everything = || {
        for mark in &marks {
            for _ in 0..10 {
                run(bench.login.attempt(marked("ada@example.com", PASSWORD, Some(mark)))).ok();
            }
        }
        for session in &sessions {
            for _ in 0..10 {
                run(bench.login.confirm(session, PASSWORD, Some("192.0.2.1".parse().unwrap()))).ok();
            }
        }
    };
    bench.world.hasher_is_full.store(true, Ordering::SeqCst);
    let before = hashed();
    everything();
    bench.world.hasher_is_full.store(false, Ordering::SeqCst);
    everything();
    // What the full hasher refused has used the budget up.
    assert_eq!(hashed() - before, 0);
    bench.clock.advance(Duration::from_secs(60));
    let before = hashed();
    everything();
    // Twenty a minute of the account's devices, the first of which asks nobody else; and two within its sessions, for the same reason and as the address has one left.
    assert_eq!(hashed() - before, 22);
    // A neighbour on a known device is concerned by none of it.
    let bobs = bench.world.accounts.lock()[&Subject::from_bytes([2; 16])].clone();
    let mark = DeviceMark::draw(&pepper(), bobs.subject, bobs.epoch, &*bench.login.entropy).unwrap();
    assert!(matches!(bench.tries("bob@example.com", PASSWORD, Some(&mark)), LoginOutcome::Opened { .. }));
}
