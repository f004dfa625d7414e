use std::sync::atomic::Ordering;

use vestibule_verify::RevocationView;

use super::*;
use crate::testing::{CountingEntropy, PASSWORD, SetClock, World, account, pepper, run};

struct Bench {
    world: Arc<World>,
    clock: Arc<SetClock>,
    login: Login,
    revocations: Arc<RevocationView>,
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn bench() -> Bench {
    let world = Arc::new(World::default());
    let clock = SetClock::at_start();
    for (byte, name, age) in
        [(1, "ada@example.com", "new"), (2, "bob@example.com", "old"), (3, "eve@example.com", "new")]
    {
        world.accounts.lock().insert(crate::id::Subject::from_bytes([byte; 16]), account(byte, name, age));
    }
    world.accounts.lock().get_mut(&crate::id::Subject::from_bytes([3; 16])).unwrap().status =
        Status::Disabled;
    let revocations = Arc::new(RevocationView::new());
    let login = Login {
        accounts: world.clone(),
        sessions: world.clone(),
        throttle: world.clone(),
        hasher: world.clone(),
        clock: clock.clone(),
        entropy: Arc::new(CountingEntropy::default()),
        pepper: pepper(),
        limits: SessionLimits { idle: Duration::from_secs(1800), absolute: Duration::from_secs(43_200) },
        remember: Some(SessionLimits { idle: DAY * 7, absolute: DAY * 30 }),
        cap: Cap::NONE,
        step_up: Duration::from_secs(600),
        logout: Arc::new(Logout {
            sessions: world.clone(),
            pepper: pepper(),
            revocations: Arc::clone(&revocations),
            clock: clock.clone(),
            longest_jwt: Duration::from_secs(120),
        }),
    };
    Bench { world, clock, login, revocations }
}

fn request<'a>(identifier: &'a str, password: &'a str) -> LoginRequest<'a> {
    let source = Some("192.0.2.1".parse().unwrap());
    LoginRequest {
        identifier,
        password,
        source,
        user_agent: "test",
        kind: SessionKind::Browser,
        replaces: None,
    }
}

#[test]
fn the_right_password_opens_a_session_with_a_fresh_token() {
    let bench = bench();
    let outcome = run(bench.login.attempt(request(" ADA@example.com", PASSWORD))).unwrap();
    let LoginOutcome::Opened { token, session, .. } = outcome else { panic!("refused") };
    assert_eq!(token.digest(&pepper()), session.digest);
    assert!(bench.world.live.lock().contains_key(&session.digest));
    assert_eq!(session.ends_at.since(session.opened_at), Duration::from_secs(43_200));
    let LoginOutcome::Opened { session: second, .. } =
        run(bench.login.attempt(request("ada@example.com", PASSWORD))).unwrap()
    else {
        panic!()
    };
    assert_ne!((second.digest, second.id), (session.digest, session.id));
}

/// SS-03: the session the browser had before dies in the step that opens the new one.
#[test]
fn the_session_before_is_replaced() {
    let bench = bench();
    let LoginOutcome::Opened { session: before, .. } =
        run(bench.login.attempt(request("ada@example.com", PASSWORD))).unwrap()
    else {
        panic!()
    };
    let again = LoginRequest { replaces: Some(before.digest), ..request("bob@example.com", PASSWORD) };
    let LoginOutcome::Opened { session: after, .. } = run(bench.login.attempt(again)).unwrap() else {
        panic!()
    };
    let live = bench.world.live.lock();
    assert!(!live.contains_key(&before.digest) && live.contains_key(&after.digest));
}

/// AU-04: whoever is refused is refused alike, and costs one hash.
#[test]
fn unknown_wrong_disabled_and_malformed_are_one_answer_at_one_price() {
    let bench = bench();
    for (at, (identifier, password)) in [
        ("nobody@example.com", PASSWORD),
        ("ada@example.com", "wrong password, wrong"),
        ("eve@example.com", PASSWORD),
        ("a\0b", PASSWORD),
        ("", PASSWORD),
    ]
    .into_iter()
    .enumerate()
    {
        assert!(
            matches!(run(bench.login.attempt(request(identifier, password))), Ok(LoginOutcome::Refused)),
            "{identifier:?}"
        );
        assert_eq!(bench.world.hashed.load(Ordering::SeqCst), at as u64 + 1);
    }
    // Far too long is not hashed at all, whoever it is for.
    let long = "x".repeat(2000);
    assert!(matches!(run(bench.login.attempt(request("ada@example.com", &long))), Ok(LoginOutcome::Refused)));
    assert_eq!(bench.world.hashed.load(Ordering::SeqCst), 5);
}

#[test]
fn an_outdated_hash_is_made_anew_at_login() {
    let bench = bench();
    assert!(matches!(
        run(bench.login.attempt(request("bob@example.com", PASSWORD))),
        Ok(LoginOutcome::Opened { .. })
    ));
    let stored =
        bench.world.accounts.lock()[&crate::id::Subject::from_bytes([2; 16])].password.clone().unwrap();
    assert!(stored.reveal().starts_with("new:"));
}

/// AU-05: after five wrong guesses the sixth is not looked at, right or wrong, known or unknown; success starts afresh.
#[test]
fn guesses_are_limited_alike_for_known_and_unknown_accounts() {
    let bench = bench();
    for name in ["ada@example.com", "nobody@example.com"] {
        for _ in 0..5 {
            assert!(matches!(
                run(bench.login.attempt(request(name, "wrong password, wrong"))),
                Ok(LoginOutcome::Refused)
            ));
        }
        let hashed = bench.world.hashed.load(Ordering::SeqCst);
        let sixth = run(bench.login.attempt(request(name, PASSWORD))).unwrap();
        assert!(matches!(sixth, LoginOutcome::Wait(wait) if wait == Duration::from_secs(1)), "{name}");
        assert_eq!(bench.world.hashed.load(Ordering::SeqCst), hashed);
    }
    bench.clock.advance(Duration::from_secs(1));
    assert!(matches!(
        run(bench.login.attempt(request("ada@example.com", PASSWORD))),
        Ok(LoginOutcome::Opened { .. })
    ));
    for _ in 0..5 {
        assert!(matches!(
            run(bench.login.attempt(request("ada@example.com", "wrong password, wrong"))),
            Ok(LoginOutcome::Refused)
        ));
    }
}

#[test]
fn a_full_hasher_is_a_fault_that_costs_no_attempt() {
    let bench = bench();
    bench.world.hasher_is_full.store(true, Ordering::SeqCst);
    for _ in 0..20 {
        assert!(matches!(
            run(bench.login.attempt(request("ada@example.com", PASSWORD))),
            Err(Fault::Overloaded { .. })
        ));
    }
    bench.world.hasher_is_full.store(false, Ordering::SeqCst);
    assert!(matches!(
        run(bench.login.attempt(request("ada@example.com", PASSWORD))),
        Ok(LoginOutcome::Opened { .. })
    ));
}

#[test]
fn a_store_that_is_down_is_never_a_yes_and_never_a_no() {
    let bench = bench();
    bench.world.is_down.store(true, Ordering::SeqCst);
    assert!(run(bench.login.attempt(request("ada@example.com", PASSWORD))).is_err());
    assert!(run(bench.login.attempt(request("nobody@example.com", PASSWORD))).is_err());
}

#[test]
fn sources_are_counted_by_prefix() {
    let prefix = |text: &str| prefix_of(text.parse().unwrap());
    assert_eq!(prefix("192.0.2.1"), prefix("192.0.2.254"));
    assert_eq!(prefix("192.0.2.1"), prefix("::ffff:192.0.2.9"));
    assert_ne!(prefix("192.0.2.1"), prefix("192.0.3.1"));
    assert_eq!(prefix("2001:db8:1:2::1"), prefix("2001:db8:1:2:ffff::9"));
    assert_ne!(prefix("2001:db8:1:2::1"), prefix("2001:db8:1:3::1"));
}
