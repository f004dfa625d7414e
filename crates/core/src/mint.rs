//! From a permit to a JWT for the service behind its route. Minted once, kept with the session, minted anew ahead of its end;
//! the hot path takes what is kept and neither signs, writes nor reads a store.
//! In: a permit. Out: the JWT, or nothing where the route or the caller has no identity to tell.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use async_lock::Mutex;
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Map, Value};

use crate::account::{Account, Status};
use crate::decide::Permit;
use crate::fault::Fault;
use crate::id::Subject;
use crate::key::KeyRing;
use crate::live::LiveSession;
use crate::port::{Accounts, Clock, DropLog, Entropy};
use crate::principal::Principal;
use crate::time::Timestamp;
use crate::token::{AccessToken, JwtCacheKey, Minted};

mod audience;
mod claims;
mod for_client;
mod on_behalf;
mod told;

pub use audience::{
    Audience, AudienceTable, ClaimSource, LONGEST_ACCESS, LONGEST_LIFETIME, NotAnAudience, STANDARD_CLAIMS,
    is_standard_claim,
};
pub use claims::{LARGEST_COPIES, LARGEST_JWT};
pub use for_client::ClientJwt;
pub use on_behalf::OnBehalf;

use claims::{Budget, Signed};

#[cfg(test)]
pub(crate) mod tests;

/// `iat` lies this far back (the skew that verifiers allow), so that a service whose clock is
/// late does not refuse a fresh JWT.
pub const BACKDATED: Duration = Duration::from_secs(30);

/// How long a permit may wait for its JWT: what was decided longer ago is decided anew.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// Concurrent first requests of one session wait for one signature; sessions share a few hundred places to wait.
const PLACES: usize = 256;

/// Mints.
pub struct Minter {
    issuer: String,
    ring: ArcSwap<KeyRing>,
    audiences: ArcSwap<AudienceTable>,
    accounts: Arc<dyn Accounts>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    places: Vec<Mutex<()>>,
    budget: Budget,
    counters: Counters,
}

/// What the minter has done since start.
#[derive(Default)]
pub struct Counters {
    /// Claims that were dropped because a JWT could not carry them.
    pub dropped: AtomicU64,
    /// JWTs signed.
    pub signed: AtomicU64,
    /// JWTs handed out from memory.
    pub reused: AtomicU64,
}

impl Minter {
    /// `issuer` is the `iss` of every JWT: the public origin.
    pub fn new(
        issuer: String,
        ring: KeyRing,
        audiences: AudienceTable,
        accounts: Arc<dyn Accounts>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        Self {
            issuer,
            ring: ArcSwap::from_pointee(ring),
            audiences: ArcSwap::from_pointee(audiences),
            accounts,
            clock,
            entropy,
            places: (0..PLACES).map(|_| Mutex::new(())).collect(),
            budget: Budget::default(),
            counters: Counters::default(),
        }
    }

    /// Signs no JWT of more than so many bytes, [`LARGEST_JWT`] otherwise: claims that do not fit are dropped, and the log is told.
    #[must_use]
    pub fn with_budget(self, largest: usize, log: Arc<dyn DropLog>) -> Self {
        Self { budget: Budget { largest, log: Some(log) }, ..self }
    }

    /// The `iss` of every JWT.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The key ring now.
    pub fn ring(&self) -> Arc<KeyRing> {
        self.ring.load_full()
    }

    /// Takes a new key ring; JWTs kept from the old one are not handed out again.
    pub fn replace_ring(&self, ring: KeyRing) {
        self.ring.store(Arc::new(ring));
    }

    /// The audiences now.
    pub fn audiences(&self) -> Arc<AudienceTable> {
        self.audiences.load_full()
    }

    /// Takes new audiences; JWTs kept for the old ones are not handed out again.
    pub fn replace_audiences(&self, audiences: AudienceTable) {
        self.audiences.store(Arc::new(audiences));
    }

    /// What was done since start.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// The JWT for the service behind a permitted route; `None` when nobody passes (public routes), or no audience is named.
    ///
    /// `exp` is never beyond the end of the session. To be called right after the decision: what
    /// is kept is handed out by the time of that, without looking at the clock again.
    pub async fn mint(&self, permit: &Permit) -> Result<Option<Arc<AccessToken>>, Fault> {
        let (Some(bearer), Some(name)) = (permit.bearer(), permit.route().audience.as_deref()) else {
            return Ok(None);
        };
        let audiences = self.audiences.load();
        let audience =
            audiences.get(name).ok_or(Fault::Bug("a route names an audience that is not configured"))?;
        let stamp = JwtCacheKey { audience: audience.stamp, ring: self.ring.load().stamp() };
        self.for_session(&bearer.live, bearer.judged_at, audience, stamp).await.map(Some)
    }

    /// An access token of a session for the doors of this gateway: its audience is the issuer itself. Signed anew each time, for whoever
    /// asks for one has none that is good for long; not kept.
    pub async fn access(&self, live: &LiveSession) -> Result<AccessToken, Fault> {
        let audiences = self.audiences.load();
        let edge = audiences.get(&self.issuer).ok_or(Fault::Bug("no lifetime is set for access tokens"))?;
        self.sign(&live.principal(), live.ends_at(), edge).await
    }

    /// The same for whoever was judged otherwise than at a door: a session that was live at `judged_at`, and an audience by its name;
    /// `None` where no audience has it.
    pub(crate) async fn for_audience(
        &self,
        live: &Arc<LiveSession>,
        judged_at: Timestamp,
        audience: &str,
    ) -> Result<Option<Arc<AccessToken>>, Fault> {
        let audiences = self.audiences.load();
        let Some(audience) = audiences.get(audience).filter(|audience| audience.name != self.issuer) else {
            return Ok(None);
        };
        let stamp = JwtCacheKey { audience: audience.stamp, ring: self.ring.load().stamp() };
        self.for_session(live, judged_at, audience, stamp).await.map(Some)
    }

    async fn for_session(
        &self,
        live: &Arc<LiveSession>,
        asked_at: Timestamp,
        audience: &Audience,
        stamp: JwtCacheKey,
    ) -> Result<Arc<AccessToken>, Fault> {
        let good = |now| move |token: &Arc<AccessToken>| token.minted_at <= now && now < token.expires_at;
        let kept = live.minted(stamp).filter(good(asked_at));
        let kept = match kept {
            Some(token) if asked_at < token.renew_at => return Ok(self.reuse(token)),
            kept => kept,
        };
        let place = self
            .places
            .get(usize::from(live.digest().bytes()[0]))
            .ok_or(Fault::Bug("a digest byte exceeds 255"))?;
        let _turn = match kept {
            // Ahead of its end one caller mints anew, and the others go on with what there is.
            Some(token) => match place.try_lock() {
                Some(turn) => turn,
                None => return Ok(self.reuse(token)),
            },
            None => place.lock().await,
        };
        // We may have waited long: someone may have minted meanwhile, or what was decided may hold no longer.
        let now = self.clock.now();
        if now.since(asked_at) > LONGEST_WAIT || live.judge(now).is_err() {
            return Err(Fault::Overloaded { what: "minting", retry_after: Duration::from_secs(1) });
        }
        if let Some(token) = live.minted(stamp).filter(good(now)).filter(|token| now < token.renew_at) {
            return Ok(self.reuse(token));
        }
        let token = Arc::new(self.sign(&live.principal(), live.ends_at(), audience).await?);
        live.keep(Arc::clone(&token), now);
        Ok(token)
    }

    fn reuse(&self, token: Arc<AccessToken>) -> Arc<AccessToken> {
        self.counters.reused.fetch_add(1, Ordering::Relaxed);
        token
    }

    async fn sign(
        &self,
        principal: &Principal,
        latest: Timestamp,
        audience: &Audience,
    ) -> Result<AccessToken, Fault> {
        let account = self.account_for(audience, principal.subject).await?;
        let now = self.clock.now();
        let expires_at = now.after(audience.lifetime).min(latest);
        let mut jti = [0; 16];
        self.entropy.fill(&mut jti)?;
        let mut claims = self.standard_claims(principal, audience, expires_at);
        claims.insert("iat".to_owned(), now.before(BACKDATED).unix_seconds().into());
        claims.insert("jti".to_owned(), BASE64URL_NOPAD.encode(&jti).into());
        let Signed { jwt, ring, copies } =
            self.signed(Value::Object(claims), audience, account.as_ref(), now)?;
        let life = expires_at.since(now);
        AccessToken::new(Minted {
            jwt: &jwt,
            subject: principal.subject,
            session: principal.session,
            claims: Arc::clone(&audience.copies),
            copies,
            minted_at: now,
            expires_at,
            renew_at: now.after(life * 4 / 5),
            stamp: JwtCacheKey { audience: audience.stamp, ring },
        })
    }

    /// The account, for an audience that is told of it.
    async fn account_for(&self, audience: &Audience, subject: Subject) -> Result<Option<Account>, Fault> {
        if !audience.asks_the_account() {
            return Ok(None);
        }
        let found = self.accounts.find(subject).await?;
        // Its sessions are ending at this moment; what is asked next will be told so.
        let enabled = found.filter(|account| account.status == Status::Enabled);
        enabled.map(Some).ok_or(Fault::Overloaded { what: "minting", retry_after: Duration::from_secs(1) })
    }

    /// What every audience is told of whoever is signed in.
    fn standard_claims(
        &self,
        principal: &Principal,
        audience: &Audience,
        expires_at: Timestamp,
    ) -> Map<String, Value> {
        let claims = [
            ("iss", self.issuer.as_str().into()),
            ("sub", principal.subject.to_string().into()),
            ("aud", audience.name.as_str().into()),
            ("exp", expires_at.unix_seconds().into()),
            ("sid", principal.session.to_string().into()),
            ("client_id", CLIENT_ID.into()),
            ("auth_time", principal.proven_at.unix_seconds().into()),
            ("amr", principal.amr.names().collect::<Vec<_>>().into()),
            ("acr", principal.assurance.acr().into()),
        ];
        claims.into_iter().map(|(name, value): (&str, Value)| (name.to_owned(), value)).collect()
    }
}

/// The `client_id` of JWTs that stand for a browser's or client's session with this gateway (RFC 9068 section 2.2).
const CLIENT_ID: &str = "vestibule";
