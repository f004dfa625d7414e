//! The app as the program builds it, over a filled store: decider, minter, the forward-auth door. In: a home. Out: what answers a
//! request, in this process, and counts of what answering took.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use anyhow::{Result, bail};
use arc_swap::ArcSwap;
use async_trait::async_trait;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, Method};
use parking_lot::Mutex;
use vestibule_core::account::{Account, Identifier, PasswordHash, Status, Traits};
use vestibule_core::csrf::CsrfTokens;
use vestibule_core::csrf::origin::{Origin, Origins};
use vestibule_core::decide::{Decider, Decision, Inquiry};
use vestibule_core::id::Subject;
use vestibule_core::key::{KeyPurpose, KeyRecord, KeyRing, SealKey};
use vestibule_core::mint::{Audience, AudienceTable, Minter};
use vestibule_core::port::{Accounts, Added, Changed, Clock, PasswordAuthority, PasswordLookup, Renamed};
use vestibule_core::principal::Assurance;
use vestibule_core::route::{
    Accept, Activity, AmbiguousPath, Case, CsrfPolicy, Elsewhere, PathPattern, Requirement, Route, RouteTable,
};
use vestibule_core::token::AccessToken;
use vestibule_core::token::HeaderEncoding;
use vestibule_core::wire::cookie::Https;
use vestibule_core::wire::forwarded::TrustedProxies;
use vestibule_core::wire::guard::Hsts;
use vestibule_core::wire::{CookieName, Paths};
use vestibule_core::{Fault, Timestamp};
use vestibule_gateway::Swap;
use vestibule_gateway::door::forward_auth::ForwardAuth;
use vestibule_store::Stores;
use vestibule_verify::{Algorithm, Verifier};

use crate::home::{self, Home};
use crate::host::{HeldClock, SystemEntropy};

/// The origin that browsers see.
pub(crate) const ORIGIN: &str = "https://app.example.com";
const HOST: &str = "app.example.com";
/// The longest that an audience may ask for, so that a JWT outlives the measurement; its length does not depend on it.
pub(crate) const LIFETIME: Duration = Duration::from_secs(300);

/// The peer that asks, in this process.
pub(crate) const PROXY: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A app over a filled store.
pub(crate) struct App {
    pub(crate) stores: Stores,
    pub(crate) decider: Arc<Decider>,
    pub(crate) minter: Arc<Minter>,
    pub(crate) forward_auth: ForwardAuth,
    pub(crate) clock: Arc<HeldClock>,
    accounts: Arc<RememberedAccounts>,
    sessions: u64,
}

/// What answering took, since the app was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) reads: u64,
    pub(crate) writes: u64,
    pub(crate) signed: u64,
    pub(crate) reused: u64,
}

impl App {
    pub(crate) async fn open(home: &Home) -> Result<Self> {
        let stores = home.open().await?;
        let clock = Arc::new(HeldClock::new());
        let accounts = Arc::new(RememberedAccounts::before(Arc::clone(&stores.accounts)));
        let ring = ring(Algorithm::Es256, clock.now())?;
        let edge = Verifier::new(ORIGIN, ORIGIN, ring.edge(clock.now())?);
        let origin = Origin::parse(ORIGIN)?;
        let decider = Arc::new(Decider {
            routes: ArcSwap::from_pointee(RouteTable::new(vec![route("/orders/")?, route("/reports/")?])),
            origins: ArcSwap::from_pointee(Origins::new(vec![origin.clone()])),
            sessions: Arc::clone(&stores.sessions),
            pepper: home::pepper(),
            csrf: Arc::new(CsrfTokens::new(home::pepper(), [0; 16])?),
            cookie: CookieName::session("vestibule", Https::Yes)?,
            access_cookie: None,
            edge: Arc::new(edge),
            clock: clock.clone(),
        });
        let claims = [("department", "account.traits.department"), ("email", "account.identifier")];
        let minter = Arc::new(Minter::new(
            ORIGIN.to_owned(),
            ring,
            AudienceTable::new(vec![Audience::new("orders", LIFETIME, claims)?]),
            accounts.clone(),
            clock.clone(),
            Arc::new(SystemEntropy),
        ));
        let swap = Arc::new(Swap::new(
            decider.clone(),
            minter.clone(),
            &origin,
            &Paths::default(),
            Hsts::unsaid(),
            Arc::new(SystemEntropy),
        ));
        let forward_auth = ForwardAuth::new(swap, TrustedProxies::new(vec!["127.0.0.1/32".parse()?]));
        Ok(Self { stores, decider, minter, forward_auth, clock, accounts, sessions: home.sessions() })
    }

    /// Headers to permit to JWT.
    pub(crate) async fn swap(&self, headers: &HeaderMap) -> Result<Arc<AccessToken>> {
        let inquiry =
            Inquiry { method: &Method::GET, host: HOST, path: crate::load::PATH, headers, csrf_field: None };
        let Decision::Permit(permit) = self.decider.decide(&inquiry).await? else {
            bail!("a live session was refused")
        };
        match self.minter.mint(&permit).await? {
            Some(token) => Ok(token),
            None => bail!("no JWT was minted"),
        }
    }

    /// Brings every session to the state of one that is in use: its JWT minted, its use noted.
    pub(crate) async fn warm_all(&self) -> Result<()> {
        let progress = crate::report::Progress::of("minting", self.sessions);
        for number in 0..self.sessions {
            self.swap(&crate::load::headers(number)).await?;
            progress.step(1);
        }
        Ok(())
    }

    pub(crate) fn counts(&self) -> Counts {
        let (store, minter) = (self.stores.upkeep.statistics(), self.minter.counters());
        Counts {
            reads: store.reads + self.accounts.asked.load(Ordering::Relaxed),
            writes: store.writes,
            signed: minter.signed.load(Ordering::Relaxed),
            reused: minter.reused.load(Ordering::Relaxed),
        }
    }
}

/// What a warm request's future gives at once; waiting for anything is an error.
pub(crate) fn at_once<T>(future: impl Future<Output = T>) -> Result<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Ok(output),
        Poll::Pending => bail!("a warm request had to wait"),
    }
}

/// A ring of two new keys, one for each purpose.
pub(crate) fn ring(algorithm: Algorithm, now: Timestamp) -> Result<KeyRing> {
    let seal = SealKey::new(&home::seal_bytes())?;
    let record = |purpose| KeyRecord::generate(purpose, algorithm, &seal, [1; 12], now);
    let records = [record(KeyPurpose::Edge)?, record(KeyPurpose::Services)?];
    Ok(KeyRing::unseal(&records, &seal, 1, now)?)
}

fn route(path: &str) -> Result<Route> {
    let path = PathPattern::parse(path).map_err(|reject| anyhow::anyhow!("{}", reject.code()))?;
    Ok(Route {
        host: Some(HOST.to_owned()),
        path,
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
        headers: vec![(HeaderName::from_static("x-auth-department"), "department".to_owned())],
        headers_encoding: HeaderEncoding::Drop,
        pass_headers: Vec::new(),
        upstream: None,
    })
}

/// Accounts of the store, each read once: a million first JWTs would else be a million reads of a thousand accounts, and
/// the first JWTs are not what is measured. Every question counts, whoever answers it.
struct RememberedAccounts {
    store: Arc<dyn Accounts>,
    known: Mutex<HashMap<Subject, Account>>,
    asked: AtomicU64,
}

impl RememberedAccounts {
    fn before(store: Arc<dyn Accounts>) -> Self {
        Self { store, known: Mutex::default(), asked: AtomicU64::new(0) }
    }
}

#[async_trait]
impl Accounts for RememberedAccounts {
    async fn add(&self, account: Account) -> Result<Added, Fault> {
        self.store.add(account).await
    }

    async fn find_by_identifier(&self, identifier: &Identifier) -> Result<Option<Account>, Fault> {
        self.store.find_by_identifier(identifier).await
    }

    async fn find(&self, subject: Subject) -> Result<Option<Account>, Fault> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        if let Some(account) = self.known.lock().get(&subject) {
            return Ok(Some(account.clone()));
        }
        let found = self.store.find(subject).await?;
        if let Some(account) = &found {
            self.known.lock().insert(subject, account.clone());
        }
        Ok(found)
    }

    async fn find_to_sign_in(
        &self,
        identifier: Option<&Identifier>,
        near: Subject,
    ) -> Result<PasswordLookup, Fault> {
        self.store.find_to_sign_in(identifier, near).await
    }

    async fn upgrade_password(
        &self,
        subject: Subject,
        old: &PasswordHash,
        new: PasswordHash,
    ) -> Result<(), Fault> {
        self.store.upgrade_password(subject, old, new).await
    }

    async fn set_password(
        &self,
        subject: Subject,
        new: PasswordHash,
        warrant: PasswordAuthority,
    ) -> Result<Changed, Fault> {
        self.store.set_password(subject, new, warrant).await
    }

    async fn set_identifier(
        &self,
        subject: Subject,
        new: Identifier,
        epoch: Option<u64>,
    ) -> Result<Renamed, Fault> {
        self.store.set_identifier(subject, new, epoch).await
    }

    async fn set_traits(&self, subject: Subject, traits: Traits) -> Result<Changed, Fault> {
        self.store.set_traits(subject, traits).await
    }

    async fn set_status(&self, subject: Subject, status: Status) -> Result<Changed, Fault> {
        self.store.set_status(subject, status).await
    }

    async fn remove(&self, subject: Subject) -> Result<Changed, Fault> {
        self.store.remove(subject).await
    }
}
