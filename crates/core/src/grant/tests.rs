use std::sync::atomic::Ordering;

use vestibule_verify::{Algorithm, RevocationView, Verifier};

use super::*;
use crate::key::{KeyPurpose, KeyRecord, KeyRing, SealKey};
use crate::mint::{Audience, AudienceTable};
use crate::principal::{Amr, Assurance};
use crate::refresh_token::session_digest;
use crate::session::{Cap, Device, Session, SessionKind};
use crate::testing::{CountingEntropy, START, SetClock, World, account, pepper, run};

const ISSUER: &str = "https://app.test";
const WINDOW: Duration = Duration::from_secs(10);
const ACCESS: Duration = Duration::from_secs(600);

struct Fixture {
    world: Arc<World>,
    clock: Arc<SetClock>,
    revocations: Arc<RevocationView>,
    granter: Granter,
    verifier: Verifier,
}

fn session_id() -> SessionId {
    SessionId::from_bytes([3; 16])
}

fn ring() -> KeyRing {
    let seal = SealKey::new(&[5; 32]).unwrap();
    let record = |purpose| KeyRecord::generate(purpose, Algorithm::Es256, &seal, [1; 12], START).unwrap();
    KeyRing::unseal(&KeyPurpose::ALL.map(record), &seal, 1, START).unwrap()
}

fn fixture() -> Fixture {
    let (world, clock) = (Arc::new(World::default()), SetClock::at_start());
    let ada = account(1, "ada@example.com", "new");
    let session = Session {
        digest: session_digest(session_id(), &pepper()),
        id: session_id(),
        subject: ada.subject,
        version: 1,
        epoch: 1,
        kind: SessionKind::Client,
        opened_at: START,
        proven_at: START,
        seen_at: START,
        issued_at: START,
        idle: Duration::from_secs(14 * 86_400),
        ends_at: START.after(Duration::from_secs(30 * 86_400)),
        assurance: Assurance::Aal1,
        amr: Amr::PASSWORD,
        device: Device::new(None, "test"),
    };
    world.accounts.lock().insert(ada.subject, ada);
    run(world.open(session, None, Cap::NONE)).unwrap();
    let ring = ring();
    let verifier = Verifier::new(ISSUER, ISSUER, ring.edge(START).unwrap());
    let entropy = Arc::new(CountingEntropy::default());
    let minter = Minter::new(
        ISSUER.to_owned(),
        ring,
        AudienceTable::new(vec![Audience::edge(ISSUER, ACCESS).unwrap()]),
        world.clone(),
        clock.clone(),
        entropy.clone(),
    );
    let revocations = Arc::new(RevocationView::new());
    let granter = Granter {
        sessions: world.clone(),
        grants: world.clone(),
        logout: Arc::new(Logout {
            sessions: world.clone(),
            pepper: pepper(),
            revocations: Arc::clone(&revocations),
            clock: clock.clone(),
            longest_jwt: ACCESS,
        }),
        minter: Arc::new(minter),
        pepper: pepper(),
        entropy,
        clock: clock.clone(),
        window: WINDOW,
    };
    Fixture { world, clock, revocations, granter, verifier }
}

impl Fixture {
    fn begin(&self) -> Tokens {
        run(self.granter.begin(session_id())).unwrap().unwrap()
    }

    fn refresh(&self, presented: &str) -> Refreshed {
        run(self.granter.refresh(presented)).unwrap()
    }

    fn tokens(&self, presented: &str) -> Tokens {
        match self.refresh(presented) {
            Refreshed::Tokens(tokens) => *tokens,
            Refreshed::Refused(reject) => panic!("refused: {}", reject.code()),
            Refreshed::Replayed(_) => panic!("taken for a replay"),
        }
    }

    fn refusal(&self, presented: &str) -> Reject {
        match self.refresh(presented) {
            Refreshed::Refused(reject) => reject,
            _ => panic!("not refused"),
        }
    }
}

#[test]
fn a_session_gets_both_tokens_and_each_refresh_token_the_next_ones() {
    let fixture = fixture();
    let first = fixture.begin();
    fixture.clock.advance(Duration::from_secs(300));
    let second = fixture.tokens(&first.refresh);
    assert!(first.refresh != second.refresh && first.access.jwt() != second.access.jwt());
    let now = START.after(Duration::from_secs(300));
    let claims = fixture.verifier.verify_at(second.access.jwt(), now.unix_seconds()).unwrap();
    assert_eq!(claims.sid(), Some(session_id().to_string().as_str()));
    assert_eq!(claims.exp(), now.after(ACCESS).unix_seconds());
    assert_eq!(second.session.seen_at(), now, "a refresh is a use");
    assert_eq!(fixture.world.noted.load(Ordering::SeqCst), 1);
    fixture.tokens(&second.refresh);
}

/// RT-02: the answer was lost on its way, or two requests went out at once.
#[test]
fn a_lost_answer_is_given_again() {
    let fixture = fixture();
    let first = fixture.begin();
    let second = fixture.tokens(&first.refresh);
    fixture.clock.advance(WINDOW - Duration::from_millis(1));
    assert!(fixture.tokens(&first.refresh).refresh == second.refresh);
    fixture.tokens(&second.refresh);
    assert_eq!(fixture.refusal(&first.refresh), Reject::RefreshTokenUsed);
    fixture.tokens(&second.refresh);
}

/// RT-01: the access tokens of the family are refused with it.
#[test]
fn a_replay_ends_the_session_and_tells_verifiers() {
    let fixture = fixture();
    let first = fixture.begin();
    let second = fixture.tokens(&first.refresh);
    fixture.clock.advance(WINDOW);
    assert!(
        matches!(fixture.refresh(&first.refresh), Refreshed::Replayed(session) if session == session_id())
    );
    assert_eq!(fixture.refusal(&second.refresh), Reject::UnknownSession);
    let revoked = Verifier::new(ISSUER, ISSUER, fixture.granter.minter.ring().edge(START).unwrap())
        .with_revocation(Arc::clone(&fixture.revocations));
    assert!(revoked.verify_at(second.access.jwt(), START.unix_seconds()).is_err());
}

/// RT-03: sliding never passes the absolute limit, and an access token never outlives it.
#[test]
fn a_family_has_the_limits_of_its_session() {
    let day = Duration::from_secs(86_400);
    let fixture = fixture();
    let mut token = fixture.begin().refresh;
    for _ in 0..29 {
        fixture.clock.advance(day);
        token = fixture.tokens(&token).refresh;
    }
    fixture.clock.set(START.after(30 * day).before(Duration::from_secs(60)));
    let last = fixture.tokens(&token);
    assert_eq!(last.access.expires_at, START.after(30 * day));
    fixture.clock.set(START.after(30 * day));
    assert_eq!(fixture.refusal(&last.refresh), Reject::SessionEnded);

    let fixture = self::fixture();
    let unused = fixture.begin().refresh;
    fixture.clock.advance(14 * day);
    assert_eq!(fixture.refusal(&unused), Reject::SessionIdle);
}

#[test]
fn what_is_no_refresh_token_of_ours_asks_the_store_nothing() {
    let fixture = fixture();
    let access = fixture.begin().access.jwt().to_owned();
    let before = fixture.world.store_reads.load(Ordering::SeqCst);
    for presented in ["", "vrt_", "vst_x", &access, &format!("vrt_{}", "A".repeat(91))] {
        assert_eq!(fixture.refusal(presented), Reject::MalformedCredential, "{presented}");
    }
    assert_eq!(fixture.world.store_reads.load(Ordering::SeqCst), before);
}

#[test]
fn a_store_that_does_not_answer_is_a_fault_and_costs_nobody_the_family() {
    let fixture = fixture();
    let first = fixture.begin().refresh;
    fixture.world.is_down.store(true, Ordering::SeqCst);
    assert!(run(fixture.granter.refresh(&first)).is_err());
    fixture.world.is_down.store(false, Ordering::SeqCst);
    fixture.tokens(&first);
}

#[test]
fn an_access_token_lives_a_second_to_an_hour() {
    for (seconds, is_good) in [(0, false), (1, true), (3600, true), (3601, false)] {
        assert_eq!(Audience::edge(ISSUER, Duration::from_secs(seconds)).is_ok(), is_good, "{seconds}");
    }
}
