use std::sync::atomic::Ordering;

use http::header::{AUTHORIZATION, COOKIE};
use http::{HeaderMap, Method};
use serde_json::json;
use vestibule_verify::{Algorithm, Verified, Verifier};

use super::*;
use crate::account::Traits;
use crate::csrf::CsrfTokens;
use crate::csrf::origin::Origins;
use crate::decide::{Decider, Decision, Inquiry};
use crate::id::{SessionId, Subject};
use crate::key::{KeyPurpose, KeyRecord, SealKey};
use crate::port::Sessions;
use crate::principal::{Amr, Assurance};
use crate::route::{
    Accept, Activity, AmbiguousPath, Case, CsrfPolicy, Elsewhere, PathPattern, Requirement, Route, RouteTable,
};
use crate::session::{Device, Session, SessionDigest, SessionKind, SessionToken};
use crate::testing::trade::Trade;
use crate::testing::{CountingEntropy, START, SetClock, World, account, pepper, run};
use crate::token::HeaderEncoding;
use crate::wire::CookieName;
use crate::wire::cookie::Https;

mod encrypted;

const ISSUER: &str = "https://app.test";

pub(crate) struct Fixture {
    pub(super) world: Arc<World>,
    clock: Arc<SetClock>,
    decider: Decider,
    pub(super) minter: Minter,
    headers: HeaderMap,
    digest: SessionDigest,
}

pub(super) fn ring(stamp: u32) -> KeyRing {
    let seal = SealKey::new(&[5; 32]).unwrap();
    let record = |purpose| KeyRecord::generate(purpose, Algorithm::Es256, &seal, [1; 12], START).unwrap();
    KeyRing::unseal(&KeyPurpose::ALL.map(record), &seal, stamp, START).unwrap()
}

fn audiences() -> AudienceTable {
    let claims = [
        ("department", "account.traits.department"),
        ("city", "account.traits.city"),
        ("level", "account.traits.level"),
        ("email", "account.identifier"),
        ("none", "account.traits.none"),
    ];
    AudienceTable::new(vec![
        Audience::new("orders", Duration::from_secs(100), claims).unwrap(),
        Audience::new("plain", Duration::from_secs(100), []).unwrap(),
    ])
}

fn route(path: &str, audience: Option<&str>) -> Route {
    Route {
        host: None,
        path: PathPattern::parse(path).unwrap(),
        case: Case::Fold,
        ambiguous_path: AmbiguousPath::Refuse,
        methods: Vec::new(),
        requirement: if audience.is_some() {
            Requirement::SignedIn(Assurance::Aal1)
        } else {
            Requirement::Public
        },
        accept: Accept::DEFAULT,
        audience: audience.map(Into::into),
        csrf: CsrfPolicy::Token,
        activity: Activity::Person,
        assertion_header: AUTHORIZATION,
        elsewhere: Elsewhere::default(),
        headers: Vec::new(),
        headers_encoding: HeaderEncoding::Drop,
        pass_headers: Vec::new(),
        upstream: None,
    }
}

fn session(digest: SessionDigest) -> Session {
    Session {
        digest,
        id: SessionId::from_bytes([7; 16]),
        subject: Subject::from_bytes([1; 16]),
        version: 1,
        epoch: 1,
        kind: SessionKind::Browser,
        opened_at: START,
        proven_at: START,
        seen_at: START,
        issued_at: START,
        idle: Duration::from_secs(1800),
        ends_at: START.after(Duration::from_secs(1000)),
        assurance: Assurance::Aal1,
        amr: Amr::PASSWORD,
        device: Device::new(None, ""),
    }
}

pub(crate) fn fixture() -> Fixture {
    let (world, clock) = (Arc::new(World::default()), SetClock::at_start());
    let token = SessionToken::from_random([9; 32]);
    let session = session(token.digest(&pepper()));
    world.accounts.lock().insert(session.subject, account(1, "ada@example.com", "new"));
    world.live.lock().insert(session.digest, Arc::new(LiveSession::new(&session)));
    let ring = ring(1);
    let edge = Verifier::new(ISSUER, ISSUER, ring.edge(START).unwrap());
    let decider = Decider {
        routes: ArcSwap::from_pointee(RouteTable::new(vec![
            route("/", Some("orders")),
            route("/plain", Some("plain")),
            route("/public", None),
        ])),
        origins: ArcSwap::from_pointee(Origins::default()),
        sessions: world.clone(),
        pepper: pepper(),
        csrf: Arc::new(CsrfTokens::new(pepper(), [0; 16]).unwrap()),
        cookie: CookieName::session("vestibule", Https::Yes).unwrap(),
        access_cookie: None,
        edge: Arc::new(edge),
        clock: clock.clone(),
    };
    let minter = Minter::new(
        ISSUER.into(),
        ring,
        audiences(),
        world.clone(),
        clock.clone(),
        Arc::new(CountingEntropy::default()),
    );
    let mut headers = HeaderMap::new();
    headers.insert(COOKIE, format!("__Host-Http-vestibule={}", token.reveal_cookie_value()).parse().unwrap());
    Fixture { world, clock, decider, minter, headers, digest: session.digest }
}

/// Ada's session with what exchanges its tokens and answers questions about them.
pub(crate) fn trade() -> Trade {
    let Fixture { world, clock, decider, minter, digest, .. } = fixture();
    Trade::new(world, clock, decider, minter, session(digest))
}

impl Fixture {
    fn swap(&self, path: &str) -> Result<Option<Arc<AccessToken>>, Fault> {
        run(self.minter.mint(&self.permit(path)?))
    }

    fn permit(&self, path: &str) -> Result<Permit, Fault> {
        let inquiry = Inquiry {
            method: &Method::GET,
            host: "app.test",
            path,
            headers: &self.headers,
            csrf_field: None,
        };
        match run(self.decider.decide(&inquiry))? {
            Decision::Permit(permit) => Ok(permit),
            _ => panic!("not permitted"),
        }
    }

    pub(super) fn jwt(&self) -> Arc<AccessToken> {
        self.swap("/orders").unwrap().unwrap()
    }

    /// Sets Ada's traits, as an operator does.
    pub(super) fn set_traits(&self, traits: &str) {
        let subject = Subject::from_bytes([1; 16]);
        self.world.accounts.lock().get_mut(&subject).unwrap().traits = Traits::parse(traits).unwrap();
        self.world.renew(&self.digest);
    }

    pub(super) fn verified(&self, audience: &str, token: &AccessToken) -> Verified<vestibule_verify::Claims> {
        let keys = self.minter.ring().published(self.clock.now()).unwrap();
        Verifier::new(ISSUER, audience, keys).verify_at(token.jwt(), self.clock.now().unix_seconds()).unwrap()
    }

    fn signed(&self) -> u64 {
        self.minter.counters().signed.load(Ordering::SeqCst)
    }
}

#[test]
fn a_service_is_told_what_the_contract_says() {
    let fixture = fixture();
    let token = fixture.jwt();
    let claims = fixture.verified("orders", &token);
    assert_eq!((claims.iss(), claims.aud()), (ISSUER, "orders"));
    assert_eq!(claims.sub(), Subject::from_bytes([1; 16]).to_string());
    assert_eq!(claims.sid(), Some(&*SessionId::from_bytes([7; 16]).to_string()));
    assert_eq!(claims.exp(), START.unix_seconds() + 100);
    assert_eq!(claims.iat(), Some(START.unix_seconds() - 30));
    assert_eq!((claims.client_id(), claims.acr()), (Some("vestibule"), Some("aal1")));
    assert_eq!(claims.amr().collect::<Vec<_>>(), ["pwd"]);
    assert_eq!(claims.jti().unwrap().len(), 22);
    assert_eq!(claims.get("department"), Some(&json!("R&D")));
    assert_eq!(claims.get("email"), Some(&json!("ada@example.com")));
    assert_eq!(claims.get("city"), Some(&json!("Zürich")));
    assert_eq!(claims.get("none"), None);
    // Plain headers only where every server reads the same bytes.
    assert_eq!(token.copy_of("department", HeaderEncoding::Drop).unwrap(), "R&D");
    assert_eq!(token.copy_of("level", HeaderEncoding::Drop).unwrap(), "3");
    assert!(token.copy_of("city", HeaderEncoding::Drop).is_none());
    assert_eq!(token.subject(), claims.sub());
    assert_eq!(token.session(), claims.sid().unwrap());
}

#[test]
fn the_warm_path_neither_signs_nor_reads_nor_writes() {
    let fixture = fixture();
    let first = fixture.jwt();
    let reads = fixture.world.store_reads.load(Ordering::SeqCst);
    for _ in 0..1000 {
        assert!(Arc::ptr_eq(&first, &fixture.jwt()));
    }
    assert_eq!(
        (
            fixture.signed(),
            fixture.world.store_reads.load(Ordering::SeqCst),
            fixture.world.noted.load(Ordering::SeqCst)
        ),
        (1, reads, 0)
    );
}

#[test]
fn each_audience_has_its_own_jwt_and_public_routes_none() {
    let fixture = fixture();
    let (orders, plain) = (fixture.jwt(), fixture.swap("/plain").unwrap().unwrap());
    assert_ne!(orders.jwt(), plain.jwt());
    fixture.verified("plain", &plain);
    assert!(fixture.swap("/public").unwrap().is_none());
    fixture.jwt();
    assert_eq!(fixture.signed(), 2);
}

#[test]
fn a_jwt_is_minted_anew_in_its_last_fifth_and_never_outlives_the_session() {
    let fixture = fixture();
    fixture.jwt();
    fixture.clock.advance(Duration::from_secs(79));
    fixture.jwt();
    assert_eq!(fixture.signed(), 1);
    fixture.clock.advance(Duration::from_secs(1));
    fixture.jwt();
    assert_eq!(fixture.signed(), 2);
    // Renewed at 80 s; the next one is due at 160 s and first asked for somewhat later.
    fixture.clock.advance(Duration::from_secs(85));
    fixture.jwt();
    assert_eq!(fixture.signed(), 3);
    fixture.clock.set(START.after(Duration::from_secs(950)));
    let last = fixture.jwt();
    assert_eq!(fixture.verified("orders", &last).exp(), START.unix_seconds() + 1000);
}

/// HX-05: what changed about the account or the session is told by the very next JWT.
#[test]
fn a_new_version_of_the_session_gets_a_new_jwt() {
    let fixture = fixture();
    fixture.jwt();
    fixture.set_traits(r#"{"department":"Sales"}"#);
    assert_eq!(fixture.verified("orders", &fixture.jwt()).get("department"), Some(&json!("Sales")));
}

/// The shape of a published defect elsewhere: a rotated key must not live on in a cache.
#[test]
fn a_new_ring_or_new_audiences_hand_out_nothing_from_before() {
    let fixture = fixture();
    let first = fixture.jwt();
    fixture.minter.replace_ring(ring(2));
    let second = fixture.jwt();
    assert_ne!(first.jwt(), second.jwt());
    fixture.verified("orders", &second);
    fixture.minter.replace_audiences(audiences());
    assert_ne!(second.jwt(), fixture.jwt().jwt());
    assert_eq!(fixture.signed(), 3);
}

#[test]
fn without_the_account_there_is_no_jwt_only_a_fault() {
    let fixture = fixture();
    fixture.world.is_down.store(true, Ordering::SeqCst);
    assert!(fixture.swap("/orders").is_err());
    assert_eq!(fixture.signed(), 0);
}

/// HX-02: between permit and JWT the account was disabled or removed; its sessions are about to go.
#[test]
fn a_disabled_or_removed_account_gets_no_jwt() {
    let fixture = fixture();
    let subject = Subject::from_bytes([1; 16]);
    fixture.world.accounts.lock().get_mut(&subject).unwrap().status = crate::account::Status::Disabled;
    assert!(matches!(fixture.swap("/orders"), Err(Fault::Overloaded { .. })));
    fixture.world.accounts.lock().clear();
    assert!(matches!(fixture.swap("/orders"), Err(Fault::Overloaded { .. })));
    assert_eq!(fixture.signed(), 0);
}

#[test]
fn a_jwt_from_the_future_of_a_clock_that_stepped_back_is_not_handed_out() {
    let fixture = fixture();
    fixture.clock.advance(Duration::from_secs(600));
    let late = fixture.jwt();
    fixture.clock.set(START);
    let now = fixture.jwt();
    assert_ne!(late.jwt(), now.jwt());
    fixture.verified("orders", &now);
}

/// A request that waited for its turn is decided anew rather than served on what was true before it waited.
#[test]
fn who_waited_too_long_for_a_turn_gets_no_jwt() {
    let fixture = fixture();
    let turn = run(fixture.minter.places[usize::from(fixture.digest.bytes()[0])].lock());
    let permit = fixture.permit("/orders").unwrap();
    let mut waiting = std::pin::pin!(fixture.minter.mint(&permit));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(waiting.as_mut().poll(&mut context).is_pending());
    fixture.clock.advance(LONGEST_WAIT + Duration::from_secs(1));
    drop(turn);
    assert!(matches!(run(waiting), Err(Fault::Overloaded { .. })));
    fixture.jwt();
}

/// HX-03: whoever asks, in whatever order and at once with whomever, gets a JWT that speaks for nobody else.
#[test]
fn no_session_ever_gets_the_jwt_of_another() {
    let fixture = fixture();
    let sessions: Vec<_> = (0..200_u8)
        .map(|byte| {
            let (token, subject) = (SessionToken::from_random([byte; 32]), Subject::from_bytes([byte; 16]));
            fixture
                .world
                .accounts
                .lock()
                .insert(subject, account(byte, &format!("{byte}@example.com"), "new"));
            let session =
                Session { digest: token.digest(&pepper()), subject, ..session(token.digest(&pepper())) };
            fixture.world.live.lock().insert(session.digest, Arc::new(LiveSession::new(&session)));
            let mut headers = HeaderMap::new();
            let cookie = format!("__Host-Http-vestibule={}", token.reveal_cookie_value());
            headers.insert(COOKIE, cookie.parse().unwrap());
            (subject.to_string(), headers)
        })
        .collect();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let (fixture, sessions) = (&fixture, &sessions);
            scope.spawn(move || {
                for at in 0..4000 {
                    let (subject, headers) = &sessions[(at * 7 + thread * 31) % sessions.len()];
                    let inquiry = Inquiry {
                        method: &Method::GET,
                        host: "app.test",
                        path: "/orders",
                        headers,
                        csrf_field: None,
                    };
                    let Decision::Permit(permit) = run(fixture.decider.decide(&inquiry)).unwrap() else {
                        panic!()
                    };
                    let token = run(fixture.minter.mint(&permit)).unwrap().unwrap();
                    assert_eq!(token.subject(), subject.as_str());
                    let told = vestibule_verify::inspect(token.jwt(), 0).unwrap().claims.unwrap();
                    assert_eq!(told["sub"], subject.as_str());
                }
            });
        }
    });
}

/// A fill that was under way while the session changed is kept nowhere that the changed session would look.
#[test]
fn a_fill_never_outlives_an_invalidation() {
    let fixture = fixture();
    let inquiry = Inquiry {
        method: &Method::GET,
        host: "app.test",
        path: "/orders",
        headers: &fixture.headers,
        csrf_field: None,
    };
    let Decision::Permit(before) = run(fixture.decider.decide(&inquiry)).unwrap() else { panic!() };
    fixture.world.renew(&fixture.digest);
    let late = run(fixture.minter.mint(&before)).unwrap().unwrap();
    assert_ne!(late.jwt(), fixture.jwt().jwt());
    let crate::port::Recall::Known(live) = fixture.world.recall(&fixture.digest) else { panic!() };
    assert!(!Arc::ptr_eq(&live.minted(late.stamp).unwrap(), &late));
}

#[test]
fn many_first_requests_at_once_wait_for_one_signature() {
    let fixture = fixture();
    let barrier = std::sync::Barrier::new(16);
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                barrier.wait();
                fixture.jwt()
            });
        }
    });
    assert_eq!(fixture.signed(), 1);
}

/// The same without luck: all of them wait for the lock before the first one signs.
#[test]
fn requests_that_wait_together_share_one_signature() {
    let fixture = fixture();
    let permits: Vec<_> = (0..16).map(|_| fixture.permit("/orders").unwrap()).collect();
    let turn = run(fixture.minter.places[usize::from(fixture.digest.bytes()[0])].lock());
    let mut waiting: Vec<_> = permits.iter().map(|permit| Box::pin(fixture.minter.mint(permit))).collect();
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    for mint in &mut waiting {
        assert!(mint.as_mut().poll(&mut context).is_pending());
    }
    drop(turn);
    let tokens: Vec<_> = waiting.into_iter().map(|mint| run(mint).unwrap().unwrap()).collect();
    assert!(tokens.iter().all(|token| Arc::ptr_eq(token, &tokens[0])));
    assert_eq!(fixture.signed(), 1);
}

/// While one request renews, the others go on with the JWT that is still good, and wait when there is none.
#[test]
fn during_a_renewal_others_use_the_jwt_that_is_good() {
    let fixture = fixture();
    let first = fixture.jwt();
    let turn = run(fixture.minter.places[usize::from(fixture.digest.bytes()[0])].lock());
    fixture.clock.advance(Duration::from_secs(90));
    assert!(Arc::ptr_eq(&first, &fixture.jwt()));
    fixture.clock.advance(Duration::from_secs(10));
    let permit = fixture.permit("/orders").unwrap();
    let mut waiting = std::pin::pin!(fixture.minter.mint(&permit));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(waiting.as_mut().poll(&mut context).is_pending(), "the kept JWT has expired");
    drop(turn);
    assert!(!Arc::ptr_eq(&first, &run(waiting).unwrap().unwrap()));
    assert_eq!(fixture.signed(), 2);
}

#[test]
fn templates_cannot_set_standard_claims_and_say_what_is_wrong() {
    let hundred = Duration::from_secs(100);
    for claim in STANDARD_CLAIMS {
        assert_eq!(
            Audience::new("a", hundred, [(claim, "account.identifier")]).unwrap_err(),
            NotAnAudience::StandardClaim(claim.into())
        );
    }
    for source in [
        "",
        "account",
        "account.password",
        "account.traits",
        "account.traits.",
        "account.traits.a..b",
        "env.HOME",
    ] {
        assert!(
            matches!(Audience::new("a", hundred, [("x", source)]), Err(NotAnAudience::ClaimSource { .. })),
            "{source:?}"
        );
    }
    assert_eq!(Audience::new("", hundred, []).unwrap_err(), NotAnAudience::Name);
    assert_eq!(Audience::new("a", Duration::from_secs(301), []).unwrap_err(), NotAnAudience::Lifetime);
    assert_eq!(Audience::new("a", Duration::ZERO, []).unwrap_err(), NotAnAudience::Lifetime);
}
