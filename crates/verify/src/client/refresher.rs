//! Keeps the keys fresh: asks ahead of their end, when somebody wishes it, and with longer and longer pauses while there is no good answer.
//! In: an issuer's metadata or key set. Out: keys in the shared trust, and for how long they count.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;

use super::Pace;
use super::fault::DiscoveryFault;
use super::fetch::{Answer, Fetcher, Kind};
use super::location::Location;
use super::metadata::{MAX_METADATA_BYTES, key_set_of};
use super::source::Shared;
use crate::key_reject::KeyReject;
use crate::key_set::{KeySet, MAX_JWKS_BYTES};

/// For how long an answer counts as fresh that does not say so.
const USUALLY_FRESH: Duration = Duration::from_secs(300);

/// The longest pause while there are no keys to verify with.
const WITHOUT_KEYS: Duration = Duration::from_secs(5);

const METADATA: Kind =
    Kind { media_types: &["application/json"], accept: "application/json", max_bytes: MAX_METADATA_BYTES };
const KEY_SET: Kind = Kind {
    media_types: &["application/jwk-set+json", "application/json"],
    accept: "application/jwk-set+json, application/json",
    max_bytes: MAX_JWKS_BYTES,
};

/// Where looking for keys begins.
#[derive(Clone)]
pub(super) enum Origin {
    KeySet(Location),
    Metadata { at: Location, issuer: String },
}

pub(super) struct Refresher {
    shared: Arc<Shared>,
    fetcher: Fetcher,
    origin: Origin,
    pace: Pace,
    /// Where the keys were last time; looked up again when they are not there any more.
    found_at: Option<Location>,
    etag: Option<HeaderValue>,
    pause: Duration,
}

impl Refresher {
    pub(super) fn new(shared: Arc<Shared>, fetcher: Fetcher, origin: Origin, pace: Pace) -> Self {
        Self { shared, fetcher, origin, pace, found_at: None, etag: None, pause: Duration::ZERO }
    }

    pub(super) fn shared(&self) -> Arc<Shared> {
        Arc::clone(&self.shared)
    }

    /// Asks once, and says what went wrong.
    pub(super) async fn first(&mut self) -> Result<(), DiscoveryFault> {
        self.pause = self.round().await?;
        self.shared.end(None);
        if self.shared.trust().now().keys.is_empty() {
            let url = self.found_at.as_ref().map(Location::text).unwrap_or_default();
            return Err(DiscoveryFault::Keys { url, reject: KeyReject::NoUsableKey });
        }
        Ok(())
    }

    /// Asks again and again, until it is ended from outside.
    pub(super) async fn keep(mut self) {
        let mut failures = 0;
        loop {
            tokio::select! {
                () = tokio::time::sleep(self.pause) => {}
                () = self.shared.wished() => {}
            }
            self.shared.begin();
            let outcome = self.round().await;
            self.pause = match &outcome {
                Ok(pause) => {
                    failures = 0;
                    if self.shared.has_keys() { *pause } else { self.longest_pause() }
                }
                Err(_) => {
                    self.found_at = None;
                    let pause = self.pace.retry.saturating_mul(1 << failures).min(self.longest_pause());
                    failures = (failures + 1).min(16);
                    pause
                }
            };
            self.shared.end(outcome.err());
        }
    }

    /// While there are no keys, everybody waits for some.
    fn longest_pause(&self) -> Duration {
        let least = self.pace.fresh.0;
        if self.shared.has_keys() { least } else { least.min(WITHOUT_KEYS) }
    }

    /// One question, two when the way to the keys is not known. Out: how long to wait before the next.
    async fn round(&mut self) -> Result<Duration, DiscoveryFault> {
        let at = match &self.found_at {
            Some(at) => at.clone(),
            None => self.find().await?,
        };
        let known = self.etag.as_ref().filter(|_| self.found_at.as_ref() == Some(&at));
        let fresh_for = match self.fetcher.get(&at, KEY_SET, known).await? {
            Answer::NotModified { fresh_for } => fresh_for,
            Answer::Found { body, etag, fresh_for } => {
                self.shared.trust().replace(read(&body, &at)?);
                self.etag = etag;
                fresh_for
            }
        };
        self.found_at = Some(at);
        let (least, most) = self.pace.fresh;
        let fresh_for = fresh_for.unwrap_or(USUALLY_FRESH).clamp(least, most);
        self.shared.confirm(self.pace.staleness.max(fresh_for));
        Ok(ahead_of(fresh_for))
    }

    async fn find(&self) -> Result<Location, DiscoveryFault> {
        match &self.origin {
            Origin::KeySet(at) => Ok(at.clone()),
            Origin::Metadata { at, issuer } => match self.fetcher.get(at, METADATA, None).await? {
                Answer::Found { body, .. } => key_set_of(issuer, &body, at),
                // Nothing was known, so it is not asked whether that was modified.
                Answer::NotModified { .. } => Err(DiscoveryFault::Status { url: at.text(), status: 304 }),
            },
        }
    }
}

/// An issuer that publishes no key for us has withdrawn those we knew; one that publishes nonsense has said nothing.
fn read(body: &[u8], at: &Location) -> Result<KeySet, DiscoveryFault> {
    let refused = |reject| DiscoveryFault::Keys { url: at.text(), reject };
    let text = std::str::from_utf8(body)
        .map_err(|_| refused(KeyReject::KeyJson(crate::strict_json::JsonReject::Syntax)))?;
    match KeySet::from_jwks(text) {
        Err(KeyReject::NoUsableKey) => Ok(KeySet::default()),
        outcome => outcome.map_err(refused),
    }
}

/// Between three and four fifths of the way, so that services that started together do not ask together.
fn ahead_of(end: Duration) -> Duration {
    let spread = RandomState::new().hash_one(()) % 1000;
    end.mul_f64(0.6 + spread as f64 / 5000.0)
}
