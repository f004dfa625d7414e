//! Finds an issuer's keys over HTTP and keeps them fresh, so that verifying still does no I/O.
//! In: an issuer's URL, or that of its key set. Out: a [`Verifier`] whose keys a task in the background renews,
//! and that trusts none any more when the issuer has been silent for too long.
//!
//! ```no_run
//! # async fn example(jwt: &str) -> Result<(), Box<dyn std::error::Error>> {
//! use vestibule_verify::Verifier;
//!
//! let verifier = Verifier::discover("https://app.example.com", "orders").await?;
//! let claims = verifier.verify_asking(jwt).await?;
//! # Ok(())
//! # }
//! ```
//!
//! | when | then |
//! |---|---|
//! | most of the set's `max-age` has passed | it is asked for again, with `If-None-Match` |
//! | a JWT names an unknown key | the same at once, but at most every 30 seconds, however many names are made up |
//! | the issuer does not answer, or nonsense | the last good set stays, for an hour; the issuer is asked again with longer and longer pauses, up to 30 seconds, or 5 while there are no keys |
//! | it publishes a set without any key for us | none is trusted: it has withdrawn them |
//! | the last good set is older than that | [`Verifier::has_keys`] says no, and so does every verification: nobody can tell, answer 503 |
//!
//! Only `https` is spoken, and `http` with this machine itself. The machine's own root certificates are trusted (on Linux,
//! `SSL_CERT_FILE` and `SSL_CERT_DIR` name others). Redirects are not followed, answers are bounded in size and time, and proxies from
//! the environment are not used.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;

use crate::key_set::KeySet;
use crate::trust::Trust;
use crate::verifier::{DEFAULT_CACHE_CAPACITY, Verifier};

mod fault;
mod fetch;
mod location;
mod metadata;
mod refresher;
mod source;

pub use fault::DiscoveryFault;
use fetch::Fetcher;
use location::Location;
use refresher::{Origin, Refresher};
pub(crate) use source::KeySource;
use source::Shared;

/// How an issuer's keys are found and kept. [`Verifier::discover`] is this with nothing changed.
pub struct Discovery {
    issuer: String,
    audience: String,
    origin: Origin,
    pace: Pace,
    patience: Duration,
}

/// When the issuer is asked.
#[derive(Clone, Copy)]
struct Pace {
    /// The least and most time that an answer counts as fresh, whatever its `max-age` says.
    fresh: (Duration, Duration),
    /// The first pause after an answer that was none; it doubles until it is as long as the least freshness.
    retry: Duration,
    unknown_key: Duration,
    staleness: Duration,
}

impl Verifier {
    /// A verifier for tokens of this issuer, whose keys are found by the issuer's metadata (RFC 8414) and kept fresh by a task on
    /// the present tokio runtime for as long as the verifier lives. The other settings are made as ever:
    /// `Verifier::discover(…).await?.with_skew(5)`.
    ///
    /// `issuer` is the `iss` asked for, byte for byte; the metadata must name the same (RFC 8414 section 3.3).
    ///
    /// # Errors
    /// Why there are no keys. An application that may start before its issuer uses [`Discovery::start`].
    pub async fn discover(issuer: &str, audience: &str) -> Result<Self, DiscoveryFault> {
        Discovery::new(issuer, audience)?.ready().await
    }

    /// What went wrong when the issuer was asked last; `None` after an answer that was good. For logs and readiness: keys that are
    /// there stay trusted for a while.
    #[must_use]
    pub fn discovery_fault(&self) -> Option<Arc<DiscoveryFault>> {
        self.source()?.fault()
    }
}

impl Discovery {
    /// By the metadata of this issuer.
    ///
    /// # Errors
    /// [`DiscoveryFault::Url`] unless it is an `https` URL without query, fragment and credentials, or the same with `http` for
    /// this machine itself.
    pub fn new(issuer: &str, audience: &str) -> Result<Self, DiscoveryFault> {
        let metadata = Location::of_metadata(issuer)?;
        Ok(Self {
            issuer: issuer.to_owned(),
            audience: audience.to_owned(),
            origin: Origin::Metadata { at: metadata, issuer: issuer.to_owned() },
            pace: Pace {
                fresh: (Duration::from_secs(30), Duration::from_secs(3600)),
                retry: Duration::from_secs(1),
                unknown_key: Duration::from_secs(30),
                staleness: Duration::from_secs(3600),
            },
            patience: Duration::from_secs(5),
        })
    }

    /// Asks for the key set at this URL and for no metadata: where services reach the issuer by another name than browsers do.
    ///
    /// # Errors
    /// [`DiscoveryFault::Url`], like [`Discovery::new`].
    pub fn with_key_set_at(self, url: &str) -> Result<Self, DiscoveryFault> {
        Ok(Self { origin: Origin::KeySet(Location::parse(url)?), ..self })
    }

    /// For how long an answer counts as fresh, at least and at most, whatever its `Cache-Control` says; 30 seconds and an hour.
    #[must_use]
    pub fn with_freshness(mut self, least: Duration, most: Duration) -> Self {
        self.pace.fresh = (least, most.max(least));
        self.pace.retry = self.pace.retry.min(least);
        self
    }

    /// How often unknown keys are a reason to ask, at most; 30 seconds.
    #[must_use]
    pub fn with_unknown_key_interval(mut self, interval: Duration) -> Self {
        self.pace.unknown_key = interval;
        self
    }

    /// For how long the last good set is trusted while the issuer does not confirm it; an hour. Nothing shorter than the longest
    /// freshness holds, since a set is not looked after more often.
    #[must_use]
    pub fn with_max_staleness(mut self, bound: Duration) -> Self {
        self.pace.staleness = bound;
        self
    }

    /// How long the issuer has for one answer, connecting included; five seconds.
    #[must_use]
    pub fn with_timeout(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// A verifier at once. Until the keys come, [`Verifier::has_keys`] says no.
    ///
    /// # Errors
    /// [`DiscoveryFault::NoRuntime`] outside of a tokio runtime.
    pub fn start(self) -> Result<Verifier, DiscoveryFault> {
        let runtime = Handle::try_current().map_err(|_| DiscoveryFault::NoRuntime)?;
        let refresher = self.refresher()?;
        Ok(self.employ(refresher, &runtime))
    }

    /// A verifier that has its first keys.
    ///
    /// # Errors
    /// Why they could not be had.
    pub async fn ready(self) -> Result<Verifier, DiscoveryFault> {
        let runtime = Handle::try_current().map_err(|_| DiscoveryFault::NoRuntime)?;
        let mut refresher = self.refresher()?;
        refresher.first().await?;
        Ok(self.employ(refresher, &runtime))
    }

    fn refresher(&self) -> Result<Refresher, DiscoveryFault> {
        let trust = Arc::new(Trust::new(KeySet::default(), DEFAULT_CACHE_CAPACITY));
        let shared = Arc::new(Shared::new(trust, self.pace.unknown_key, self.patience));
        Ok(Refresher::new(shared, Fetcher::new(self.patience)?, self.origin.clone(), self.pace))
    }

    fn employ(self, refresher: Refresher, runtime: &Handle) -> Verifier {
        let shared = refresher.shared();
        let trust = shared.trust();
        let task = runtime.spawn(refresher.keep()).abort_handle();
        Verifier::fed(self.issuer, self.audience, trust, KeySource::new(shared, task))
    }
}
