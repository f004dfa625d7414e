use std::sync::atomic::Ordering;

use vestibule_verify::RevocationView;

use super::*;
use crate::testing::{CountingEntropy, PASSWORD, START, SetClock, World, account, pepper, run};
use crate::throttle::STRANGERS;

mod known_devices;

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
        guesses: STRANGERS,
        fault_log: world.clone(),
        hasher: world.clone(),
        clock: clock.clone(),
        entropy: Arc::new(CountingEntropy::default()),
        pepper: pepper(),
        limits: SessionLimits { idle: Duration::from_secs(1800), absolute: Duration::from_secs(43_200) },
        remember: Some(SessionLimits { idle: DAY * 7, absolute: DAY * 30 }),
        refresh: SessionLimits { idle: DAY * 14, absolute: DAY * 30 },
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
        mark: None,
        kind: SessionKind::Browser,
        replaces: None,
    }
}

/// An account of an earlier version keeps its name, and its owner keeps the way in.
#[test]
fn an_owner_of_an_old_name_still_signs_in() {
    let bench = bench();
    let mut old = account(9, "old", "new");
    old.identifier = Identifier::known("o\u{AD}ld@example.com").unwrap();
    let subject = old.subject;
    bench.world.accounts.lock().insert(subject, old);
    let attempt = |typed| run(bench.login.attempt(request(typed, PASSWORD))).unwrap();
    assert!(matches!(attempt("O\u{AD}LD@example.com"), LoginOutcome::Opened { .. }));
    assert!(matches!(attempt("old@example.com"), LoginOutcome::Refused));
    // What a log says of a failed attempt is the account as well.
    assert_eq!(run(bench.login.whom("O\u{AD}LD@example.com")), LoginTarget::Account(subject));
    let digest = |typed| NameDigest::of(&pepper(), typed);
    assert_eq!(digest("O\u{AD}LD@example.com"), digest("o\u{AD}ld@example.com"));
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
    let again = LoginRequest { replaces: Some(before.id), ..request("bob@example.com", PASSWORD) };
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

/// AU-04: what fails beside a login must not tell a right password from a wrong one: it is logged, and the login goes on.
#[test]
fn what_fails_beside_a_login_is_noted_and_changes_no_answer() {
    let bench = bench();
    bench.world.fails_beside.store(true, Ordering::SeqCst);
    // An outdated hash, and a success to note.
    let LoginOutcome::Opened { session, .. } =
        run(bench.login.attempt(request("bob@example.com", PASSWORD))).unwrap()
    else {
        panic!("refused")
    };
    assert_eq!(bench.world.undone.lock().len(), 2);
    assert!(matches!(bench.reprove(&session, PASSWORD), Reauthentication::Proven(_)));
    assert_eq!(bench.world.undone.lock().len(), 4);
    let wrong = run(bench.login.attempt(request("bob@example.com", "wrong password, wrong")));
    assert!(matches!(wrong, Ok(LoginOutcome::Refused)));
    assert_eq!(bench.world.undone.lock().len(), 4);
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
    let prefix = |text: &str| crate::throttle::prefix_of(text.parse().unwrap());
    assert_eq!(prefix("192.0.2.1"), prefix("192.0.2.254"));
    assert_eq!(prefix("192.0.2.1"), prefix("::ffff:192.0.2.9"));
    assert_ne!(prefix("192.0.2.1"), prefix("192.0.3.1"));
    assert_eq!(prefix("2001:db8:1:2::1"), prefix("2001:db8:1:2:ffff::9"));
    assert_eq!(prefix("2001:db8:1:2::1"), prefix("2001:db8:1:ffff::1"), "one line may have all of a /48");
    assert_ne!(prefix("2001:db8:1:2::1"), prefix("2001:db8:2:2::1"));
}

fn opened(outcome: LoginOutcome) -> (SessionToken, Box<Session>, Vec<SessionId>) {
    match outcome {
        LoginOutcome::Opened { token, session, ended, .. } => (token, session, ended),
        LoginOutcome::Refused => panic!("refused"),
        LoginOutcome::Wait(wait) => panic!("wait {wait:?}"),
    }
}

fn live_of(bench: &Bench, session: &Session) -> Arc<crate::live::LiveSession> {
    Arc::clone(&bench.world.live.lock()[&session.digest])
}

impl Bench {
    fn sign_in(&self, kind: SessionKind) -> Box<Session> {
        let request = LoginRequest { kind, ..request("ada@example.com", PASSWORD) };
        opened(run(self.login.attempt(request)).unwrap()).1
    }

    fn reprove(&self, session: &Session, password: &str) -> Reauthentication {
        run(self.login.reprove(&live_of(self, session), password, None)).unwrap()
    }
}

#[test]
fn who_asks_to_be_remembered_is_with_limits_of_its_own_where_that_is_configured() {
    let mut bench = bench();
    let remembered = bench.sign_in(SessionKind::Remembered);
    assert_eq!((remembered.kind, remembered.idle), (SessionKind::Remembered, DAY * 7));
    assert_eq!(remembered.ends_at.since(remembered.opened_at), DAY * 30);
    assert_eq!((remembered.assurance, remembered.issued_at), (Assurance::Aal1, remembered.opened_at));
    for kind in [SessionKind::Browser, SessionKind::Client] {
        let other = bench.sign_in(kind);
        assert_eq!((other.kind, other.idle), (kind, Duration::from_secs(1800)));
    }
    bench.login.remember = None;
    let not = bench.sign_in(SessionKind::Remembered);
    assert_eq!((not.kind, not.idle), (SessionKind::Browser, Duration::from_secs(1800)));
    assert_eq!(not.ends_at.since(not.opened_at), Duration::from_secs(43_200));
}

/// What ends because another session opens is told to verifiers as what is signed out is, and to the caller.
#[test]
fn what_a_login_ends_is_revoked_and_named() {
    let mut bench = bench();
    let cap = Cap::at(3.try_into().unwrap());
    bench.login.cap = cap;
    let before = bench.sign_in(SessionKind::Browser);
    assert!(bench.revocations.is_empty());
    let again = LoginRequest { replaces: Some(before.id), ..request("ada@example.com", PASSWORD) };
    let (_, after, ended) = opened(run(bench.login.attempt(again)).unwrap());
    assert_eq!(ended, [before.id]);
    assert_eq!(bench.world.opened.lock()[&after.digest].1, cap);
    assert_eq!(bench.revocations.len(), 1);
}

/// SS-03, SS-04: proving oneself again kills the old session token and starts both limits afresh.
#[test]
fn who_proves_itself_again_gets_a_new_token_and_both_limits_afresh() {
    for (kind, lasts) in
        [(SessionKind::Browser, Duration::from_secs(43_200)), (SessionKind::Remembered, DAY * 30)]
    {
        let bench = bench();
        let before = bench.sign_in(kind);
        bench.clock.advance(Duration::from_secs(1000));
        let now = bench.login.clock.now();
        let Reauthentication::Proven(proven) = bench.reprove(&before, PASSWORD) else { panic!("refused") };
        assert_eq!(proven.token.digest(&pepper()), proven.session.digest);
        assert_eq!((proven.session.id, proven.session.kind), (before.id, kind));
        assert_eq!((proven.session.proven_at, proven.session.seen_at), (now, now));
        assert_eq!(proven.session.ends_at, now.after(lasts));
        let live = bench.world.live.lock();
        assert!(!live.contains_key(&before.digest) && live.contains_key(&proven.session.digest));
    }
}

/// A stolen session is no way around the throttle, and no wrong password costs its holder the session.
#[test]
fn showing_the_password_again_is_throttled_as_signing_in_is() {
    let bench = bench();
    let session = bench.sign_in(SessionKind::Browser);
    for _ in 0..5 {
        assert!(matches!(bench.reprove(&session, "wrong password, wrong"), Reauthentication::Refused));
    }
    let hashed = bench.world.hashed.load(Ordering::SeqCst);
    assert!(matches!(bench.reprove(&session, PASSWORD), Reauthentication::Wait(_)));
    assert_eq!(bench.world.hashed.load(Ordering::SeqCst), hashed);
    let other = bench.sign_in(SessionKind::Browser);
    assert!(
        matches!(bench.reprove(&other, PASSWORD), Reauthentication::Proven(_)),
        "who has not guessed does not wait"
    );
    assert!(bench.world.live.lock().contains_key(&session.digest));
    bench.clock.advance(Duration::from_secs(1));
    assert!(matches!(bench.reprove(&session, PASSWORD), Reauthentication::Proven(_)));
}

#[test]
fn a_session_that_ended_while_its_owner_typed_is_gone() {
    let bench = bench();
    let session = bench.sign_in(SessionKind::Browser);
    let held = live_of(&bench, &session);
    bench.world.live.lock().clear();
    let proof = run(bench.login.reprove(&held, PASSWORD, None)).unwrap();
    assert!(matches!(proof, Reauthentication::Gone));
    assert!(run(bench.login.rotate(&held)).unwrap().is_none());
    assert!(bench.world.live.lock().is_empty());
}

#[test]
fn a_disabled_account_confirms_nothing() {
    let bench = bench();
    let session = bench.sign_in(SessionKind::Browser);
    bench.world.accounts.lock().get_mut(&session.subject).unwrap().status = Status::Disabled;
    assert!(matches!(bench.reprove(&session, PASSWORD), Reauthentication::Refused));
    bench.world.accounts.lock().clear();
    let hashed = bench.world.hashed.load(Ordering::SeqCst);
    assert!(matches!(bench.reprove(&session, PASSWORD), Reauthentication::Refused));
    assert_eq!(bench.world.hashed.load(Ordering::SeqCst), hashed + 1, "who is gone costs what anybody does");
}

#[test]
fn rotating_changes_the_token_and_proves_nothing() {
    let bench = bench();
    let before = bench.sign_in(SessionKind::Remembered);
    bench.clock.advance(DAY);
    let live = live_of(&bench, &before);
    assert!(live.rotation_due(bench.login.clock.now()));
    let rotated = run(bench.login.rotate(&live)).unwrap().unwrap();
    assert_eq!((rotated.session.id, rotated.session.proven_at), (before.id, before.proven_at));
    assert_eq!((rotated.session.ends_at, rotated.session.version), (before.ends_at, before.version));
    assert!(!live_of(&bench, &rotated.session).rotation_due(bench.login.clock.now()));
    assert!(run(bench.login.rotate(&live)).unwrap().is_none(), "the old token is dead");
}

/// SS-11: to the second; a proof from the future is from before the clock was set back, and not fresh.
#[test]
fn a_proof_is_fresh_for_ten_minutes() {
    let bench = bench();
    let session = bench.sign_in(SessionKind::Browser);
    let live = live_of(&bench, &session);
    for (moved, is_fresh) in [(0, true), (600, true), (601, false), (100_000, false)] {
        bench.clock.set(START.after(Duration::from_secs(moved)));
        assert_eq!(bench.login.is_freshly_proven(&live), is_fresh, "{moved}");
    }
    bench.clock.set(START.before(Duration::from_secs(1)));
    assert!(!bench.login.is_freshly_proven(&live));
}

/// AU-04: a name that nobody has costs what some account costs, imported hashes included, and always the same one.
#[test]
fn an_unknown_name_is_compared_with_a_stand_in_for_somebodys_hash() {
    let bench = bench();
    let imported = "$2b$06$abcdefghijklmnopqrstuu10cNU3mXRamSUZYs8I8M/Szu..qXq5K";
    let ada = Subject::from_bytes([1; 16]);
    let change = |password: &str| {
        let hash = PasswordHash::from_phc(password.to_owned());
        bench.world.accounts.lock().get_mut(&ada).unwrap().password = Some(hash);
    };
    let compared_with = |name| {
        let outcome = run(bench.login.attempt(request(name, "correct horse battery staple"))).unwrap();
        assert!(matches!(outcome, LoginOutcome::Refused));
        bench.world.compared_with.lock().as_ref().map(|it| it.reveal().to_owned())
    };
    change(imported);
    let stand_in = "$2b$06$abcdefghijklmnopqrstuu...............................";
    for unknown in ["nobody@example.com", "eve@example.com", "\0 no identifier"] {
        assert_eq!(compared_with(unknown).as_deref(), Some(stand_in), "{unknown:?}");
    }
    assert_eq!(compared_with("ada@example.com").as_deref(), Some(imported), "her own, and no other");
    // What is no hash stands in for nothing: the hasher's own decoy does.
    change("plain");
    assert_eq!(compared_with("nobody@example.com"), None);
}
