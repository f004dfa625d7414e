//! What the doors' tests stand on: the real decider and minter over a store in memory that can be made to fail, and a clock
//! that is set.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arc_swap::ArcSwap;
use async_trait::async_trait;
use http::header::AUTHORIZATION;
use http::{HeaderName, Method};
use vestibule_core::account::{Account, Identifier, PasswordHash, Status, Traits};
use vestibule_core::csrf::origin::{Origin, Origins};
use vestibule_core::csrf::{Binding, CsrfTokens};
use vestibule_core::decide::Decider;
use vestibule_core::id::{SessionId, Subject};
use vestibule_core::key::{KeyPurpose, KeyRecord, KeyRing, SealKey, SigningKey};
use vestibule_core::live::LiveSession;
use vestibule_core::mint::{Audience, AudienceTable, Minter};
use vestibule_core::port::*;
use vestibule_core::principal::{Amr, Assurance};
use vestibule_core::refresh_token::session_digest;
use vestibule_core::route::{
    Accept, Activity, AmbiguousPath, Case, CsrfPolicy, Elsewhere, PathPattern, Requirement, Route, RouteTable,
};
use vestibule_core::secret::Pepper;
use vestibule_core::session::{Cap, Device, Reissue, Session, SessionDigest, SessionKind, SessionToken};
use vestibule_core::token::HeaderEncoding;
use vestibule_core::verify::{Algorithm, Verifier};
use vestibule_core::wire::cookie::Https;
use vestibule_core::wire::forwarded::TrustedProxies;
use vestibule_core::wire::guard::{Hosts, Hsts};
use vestibule_core::wire::{CookieName, CredentialKind, Paths, Transport};
use vestibule_core::{Fault, Timestamp};
use vestibule_gateway::Swap;
use vestibule_gateway::door::forward_auth::ForwardAuth;

pub(crate) const START: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);
pub(crate) const ORIGIN: &str = "https://app.test";
pub(crate) const SESSION: SessionId = SessionId::from_bytes([7; 16]);
pub(crate) const SUBJECT: Subject = Subject::from_bytes([1; 16]);

pub(crate) struct App {
    pub(crate) world: Arc<World>,
    pub(crate) clock: Arc<SetClock>,
    pub(crate) swap: Arc<Swap>,
    pub(crate) forward_auth: ForwardAuth,
    pub(crate) decider: Arc<Decider>,
    pub(crate) services: Verifier,
    token: SessionToken,
    signer: Arc<SigningKey>,
}

/// The routes that the tests ask for; `upstream` is where the proxy door finds the service behind all of them.
fn routes(upstream: Option<&http::Uri>) -> Vec<Route> {
    let route = |path: &str| Route {
        host: Some("app.test".to_owned()),
        path: PathPattern::parse(path).unwrap(),
        case: Case::Fold,
        ambiguous_path: AmbiguousPath::Refuse,
        methods: Vec::new(),
        requirement: Requirement::SignedIn(Assurance::Aal1),
        accept: Accept::DEFAULT,
        audience: Some("orders".into()),
        csrf: CsrfPolicy::Token,
        activity: Activity::Person,
        assertion_header: AUTHORIZATION,
        elsewhere: Elsewhere::default(),
        headers: vec![
            (HeaderName::from_static("x-auth-department"), "department".to_owned()),
            (HeaderName::from_static("shoe-size"), "shoe_size".to_owned()),
            (HeaderName::from_static("cost_centre"), "cost_centre".to_owned()),
        ],
        headers_encoding: HeaderEncoding::Drop,
        pass_headers: Vec::new(),
        upstream: upstream.cloned(),
    };
    let public = || Requirement::Public;
    vec![
        route("/orders/"),
        Route { requirement: public(), ..route("/public/") },
        Route { requirement: public(), audience: None, ..route("/plain/") },
        Route { csrf: CsrfPolicy::Origin, ..route("/own-csrf/") },
        Route { csrf: CsrfPolicy::Off, ..route("/no-csrf/") },
        Route { assertion_header: HeaderName::from_static("x-assertion"), ..route("/elsewhere/") },
        Route { requirement: public(), headers: Vec::new(), ..route("/bare/") },
        Route { methods: vec![Method::GET], ..route("/read-only/") },
        Route {
            accept: Accept::NONE.with(CredentialKind::Reference, Transport::Cookie),
            csrf: CsrfPolicy::Origin,
            assertion_header: HeaderName::from_static("x-assertion"),
            pass_headers: vec![
                HeaderName::from_static("x-ms-version"),
                HeaderName::from_static("x-user-agent"),
            ],
            ..route("/own-all/")
        },
        Route { audience: Some("nobody-configured-this".into()), ..route("/broken/") },
    ]
}

impl App {
    pub(crate) fn new() -> Self {
        Self::before(None)
    }

    pub(crate) fn before(upstream: Option<&http::Uri>) -> Self {
        let (world, clock, pepper) =
            (Arc::new(World::default()), Arc::new(SetClock::default()), Pepper::new(&[42; 32]));
        let token = SessionToken::from_random([9; 32]);
        world.open(&token, &pepper);
        let seal = SealKey::new(&[5; 32]).unwrap();
        let record = |purpose| KeyRecord::generate(purpose, Algorithm::Es256, &seal, [1; 12], START).unwrap();
        let ring = KeyRing::unseal(&KeyPurpose::ALL.map(record), &seal, 1, START).unwrap();
        let signer = Arc::clone(ring.signer(KeyPurpose::Edge, START).unwrap());
        let services = Verifier::new(ORIGIN, "orders", ring.published(START).unwrap());
        let decider = Arc::new(Decider {
            routes: ArcSwap::from_pointee(RouteTable::new(routes(upstream))),
            origins: ArcSwap::from_pointee(Origins::new(vec![Origin::parse(ORIGIN).unwrap()])),
            sessions: world.clone(),
            pepper: pepper.clone(),
            csrf: Arc::new(CsrfTokens::new(pepper, [0; 16]).unwrap()),
            cookie: CookieName::session("vestibule", Https::Yes).unwrap(),
            edge: Arc::new(Verifier::new(ORIGIN, ORIGIN, ring.edge(START).unwrap())),
            access_cookie: None,
            clock: clock.clone(),
        });
        let claims = [("department", "account.traits.department"), ("shoe_size", "account.traits.shoe_size")];
        let orders = Audience::new("orders", Duration::from_secs(120), claims).unwrap();
        let minter = Arc::new(Minter::new(
            ORIGIN.to_owned(),
            ring,
            AudienceTable::new(vec![orders]),
            world.clone(),
            clock.clone(),
            Arc::new(CountingEntropy::default()),
        ));
        let entropy = Arc::new(CountingEntropy::default());
        let hsts = Hsts::lasting(Duration::from_secs(31_536_000), Hosts::This);
        let (origin, paths) = (Origin::parse(ORIGIN).unwrap(), Paths::default());
        let swap = Arc::new(Swap::new(decider.clone(), minter, &origin, &paths, hsts, entropy));
        let proxies = TrustedProxies::new(vec!["127.0.0.1/32".parse().unwrap()]);
        let forward_auth = ForwardAuth::new(swap.clone(), proxies);
        Self { world, clock, swap, forward_auth, decider, services, token, signer }
    }

    /// `name=value` as a browser sends it.
    pub(crate) fn cookie(&self) -> String {
        format!("__Host-Http-vestibule={}", self.token.reveal_cookie_value())
    }

    pub(crate) fn session_bearer(&self) -> String {
        format!("Bearer {}", self.token.reveal_bearer())
    }

    pub(crate) fn csrf(&self) -> String {
        self.decider.csrf.issue(Binding::Session(&SESSION), self.clock.now())
    }

    /// A JWT signed with the app's own key, for any audience.
    pub(crate) fn jwt(&self, audience: &str) -> String {
        self.jwt_at(audience, self.clock.now().unix_seconds())
    }

    /// The same as it was signed at another time, in Unix seconds.
    pub(crate) fn jwt_at(&self, audience: &str, now: u64) -> String {
        let claims = serde_json::json!({
            "iss": ORIGIN, "aud": audience, "sub": SUBJECT, "sid": SESSION, "client_id": "test", "jti": "1",
            "iat": now, "exp": now + 60, "auth_time": now, "acr": "aal1", "amr": ["pwd"],
        });
        self.signer.sign_jwt(&claims).unwrap()
    }
}

pub(crate) struct SetClock(AtomicU64);

impl Default for SetClock {
    fn default() -> Self {
        Self(AtomicU64::new(START.millis()))
    }
}

impl SetClock {
    pub(crate) fn advance(&self, span: Duration) {
        self.0.fetch_add(span.as_millis() as u64, Ordering::SeqCst);
    }
}

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

#[derive(Default)]
struct CountingEntropy(AtomicU64);

impl Entropy for CountingEntropy {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), Fault> {
        let count = self.0.fetch_add(1, Ordering::SeqCst) as u8;
        buffer.fill(count);
        Ok(())
    }
}

/// One account and its sessions, in memory.
#[derive(Default)]
pub(crate) struct World {
    live: Mutex<HashMap<SessionDigest, Arc<LiveSession>>>,
    /// Memory knows nothing, and the store does not answer.
    pub(crate) is_down: AtomicBool,
}

impl World {
    /// The same session for whoever holds its token and for whoever holds an access token: these doors tell them apart by nothing else.
    fn open(&self, token: &SessionToken, pepper: &Pepper) {
        self.hold(&Self::session(token.digest(pepper)));
        self.hold(&Self::session(session_digest(SESSION, pepper)));
    }

    /// The session is a remembered one from now on.
    pub(crate) fn remember(&self) {
        let digests: Vec<_> = self.live.lock().unwrap().keys().copied().collect();
        let month = Duration::from_secs(30 * 24 * 60 * 60);
        let kind = SessionKind::Remembered;
        for digest in digests {
            self.hold(&Session { kind, idle: month, ends_at: START.after(month), ..Self::session(digest) });
        }
    }

    fn hold(&self, session: &Session) {
        self.live.lock().unwrap().insert(session.digest, Arc::new(LiveSession::new(session)));
    }

    fn session(digest: SessionDigest) -> Session {
        Session {
            digest,
            id: SESSION,
            subject: SUBJECT,
            version: 1,
            epoch: 1,
            kind: SessionKind::Browser,
            opened_at: START,
            proven_at: START,
            seen_at: START,
            issued_at: START,
            idle: Duration::from_secs(1800),
            ends_at: START.after(Duration::from_secs(43_200)),
            assurance: Assurance::Aal1,
            amr: Amr::PASSWORD,
            device: Device::new(None, ""),
        }
    }

    pub(crate) fn end_all(&self) {
        self.live.lock().unwrap().clear();
    }

    fn answer(&self) -> Result<(), Fault> {
        if self.is_down.load(Ordering::SeqCst) {
            Err(Fault::unavailable("the store", "it is down"))
        } else {
            Ok(())
        }
    }
}

const NOT_ASKED: Fault = Fault::Bug("the doors do not ask this");

#[async_trait]
impl Sessions for World {
    fn recall(&self, digest: &SessionDigest) -> Recall {
        if self.is_down.load(Ordering::SeqCst) {
            return Recall::Cold;
        }
        self.live.lock().unwrap().get(digest).map_or(Recall::Unknown, |live| Recall::Known(Arc::clone(live)))
    }

    async fn find(&self, digest: &SessionDigest) -> Result<Option<Arc<LiveSession>>, Fault> {
        self.answer()?;
        Ok(self.live.lock().unwrap().get(digest).map(Arc::clone))
    }

    async fn open(&self, _: Session, _: Option<SessionId>, _: Cap) -> Result<Opened, Fault> {
        Err(NOT_ASKED)
    }

    async fn reissue(&self, _: &SessionDigest, _: Reissue) -> Result<Reissued, Fault> {
        Err(NOT_ASKED)
    }

    fn note_use(&self, _: &SessionDigest, _: Timestamp) {}

    async fn end(&self, _: Ending) -> Result<Vec<SessionId>, Fault> {
        Err(NOT_ASKED)
    }

    async fn forget_expired(&self, _: Timestamp) -> Result<u64, Fault> {
        Err(NOT_ASKED)
    }
}

#[async_trait]
impl Directory for World {
    async fn sessions(&self, _: Option<Subject>, _: Page, _: Timestamp) -> Result<Vec<Session>, Fault> {
        Err(NOT_ASKED)
    }

    async fn session(&self, id: SessionId, now: Timestamp) -> Result<Option<Session>, Fault> {
        self.answer()?;
        let live = self.live.lock().unwrap();
        let found = live.iter().find(|(_, live)| live.id() == id && live.judge(now).is_ok());
        Ok(found.map(|(digest, _)| Self::session(*digest)))
    }

    async fn accounts(&self, _: AccountsPage<'_>) -> Result<Vec<Account>, Fault> {
        Err(NOT_ASKED)
    }

    async fn identifiers(&self, _: &[Subject]) -> Result<Vec<(Subject, Identifier)>, Fault> {
        Err(NOT_ASKED)
    }

    async fn last_sign_in(&self, _: Subject) -> Result<Option<Timestamp>, Fault> {
        Err(NOT_ASKED)
    }
}

#[async_trait]
impl Accounts for World {
    async fn add(&self, _: Account) -> Result<Added, Fault> {
        Err(NOT_ASKED)
    }

    async fn find_by_identifier(&self, _: &Identifier) -> Result<Option<Account>, Fault> {
        Err(NOT_ASKED)
    }

    async fn find(&self, subject: Subject) -> Result<Option<Account>, Fault> {
        self.answer()?;
        Ok((subject == SUBJECT).then(|| Account {
            subject,
            identifier: Identifier::parse("ada@example.test").unwrap(),
            password: None,
            traits: Traits::parse(r#"{"department":"R&D"}"#).unwrap(),
            status: Status::Enabled,
            epoch: 1,
            created_at: START,
        }))
    }

    async fn find_to_sign_in(&self, _: Option<&Identifier>, _: Subject) -> Result<PasswordLookup, Fault> {
        Err(NOT_ASKED)
    }

    async fn upgrade_password(&self, _: Subject, _: &PasswordHash, _: PasswordHash) -> Result<(), Fault> {
        Err(NOT_ASKED)
    }

    async fn set_password(
        &self,
        _: Subject,
        _: PasswordHash,
        _: PasswordAuthority,
    ) -> Result<Changed, Fault> {
        Err(NOT_ASKED)
    }

    async fn set_identifier(&self, _: Subject, _: Identifier, _: Option<u64>) -> Result<Renamed, Fault> {
        Err(NOT_ASKED)
    }

    async fn set_traits(&self, _: Subject, _: Traits) -> Result<Changed, Fault> {
        Err(NOT_ASKED)
    }

    async fn set_status(&self, _: Subject, _: Status) -> Result<Changed, Fault> {
        Err(NOT_ASKED)
    }

    async fn remove(&self, _: Subject) -> Result<Changed, Fault> {
        Err(NOT_ASKED)
    }
}
