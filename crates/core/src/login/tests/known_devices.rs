//! Known devices: guessing keeps strangers waiting, not the owner.

use super::*;

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
    let elsewhere = DeviceMark::draw(
        &Pepper::new(&[9; 32]),
        &Identifier::parse("ada@example.com").unwrap(),
        &*bench.login.entropy,
    );
    assert!(matches!(
        bench.tries("ada@example.com", PASSWORD, elsewhere.ok().as_ref()),
        LoginOutcome::Wait(_)
    ));
}

#[test]
fn a_cookie_value_is_a_mark_or_none() {
    let identifier = Identifier::parse("ada@example.com").unwrap();
    let bench = bench();
    let mark = bench.mark_of("ada@example.com");
    let value = mark.reveal_cookie_value();
    let read = DeviceMark::from_cookie_value(value.as_bytes()).unwrap();
    assert!(read.is_of(&pepper(), &identifier));
    assert!(!read.is_of(&pepper(), &Identifier::parse("bob@example.com").unwrap()));
    for bad in
        ["", "a", &value[1..], &format!("{value}A"), &value.replace(&value[..1], "+"), &format!(" {value}")]
    {
        assert!(DeviceMark::from_cookie_value(bad.as_bytes()).is_none(), "{bad:?}");
    }
}
