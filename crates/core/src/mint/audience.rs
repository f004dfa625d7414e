//! For whom JWTs are minted and what they are told: audiences with their lifetimes and claims templates, from configuration.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde_json::Value;

use crate::account::Account;

/// Claims that no template may set.
pub const STANDARD_CLAIMS: [&str; 17] = [
    "acr",
    "act",
    "amr",
    "aud",
    "auth_time",
    "azp",
    "client_id",
    "cnf",
    "exp",
    "iat",
    "iss",
    "jti",
    "nbf",
    "scope",
    "sid",
    "sub",
    "typ",
];

/// The longest life that an audience's JWTs may have. Whoever waits for the last JWT of a key or a session to expire waits this long.
pub const LONGEST_LIFETIME: Duration = Duration::from_secs(300);

/// The longest life of an access token for the doors of this gateway, where each is looked up with its session.
pub const LONGEST_ACCESS: Duration = Duration::from_secs(3600);

/// One audience.
#[derive(Clone, Debug)]
pub struct Audience {
    /// The `aud` claim.
    pub name: String,
    /// How long its JWTs live, if their session lives that long.
    pub lifetime: Duration,
    pub(super) stamp: u32,
    /// The names of its claims, which every JWT for it refers to.
    pub(super) claims: Arc<[String]>,
    sources: Vec<ClaimSource>,
}

/// Where a claim comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClaimSource {
    /// The account's identifier.
    Identifier,
    /// A path into the account's traits; left out when the account has no such trait.
    Trait(Vec<String>),
}

/// Why an audience cannot be as configured.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAnAudience {
    /// A life of less than a second or more than [`LONGEST_ACCESS`].
    #[error("an access token lives 1s to {}s", LONGEST_ACCESS.as_secs())]
    AccessLifetime,
    /// A claim's source is none we know.
    #[error(
        "claim \"{claim}\": \"{source_text}\" is no source; use account.identifier or account.traits.NAME"
    )]
    ClaimSource {
        /// Which claim.
        claim: String,
        /// What was written.
        source_text: String,
    },
    /// A life of less than a second or more than [`LONGEST_LIFETIME`].
    #[error(
        "a lifetime is 1s to {}s: what a JWT says can be out of date for that long",
        LONGEST_LIFETIME.as_secs()
    )]
    Lifetime,
    /// An empty or unprintable name.
    #[error("an audience's name is 1 to 200 visible ASCII characters")]
    Name,
    /// A claim that only we set.
    #[error("claim \"{0}\" is a standard claim and cannot be set")]
    StandardClaim(String),
}

impl ClaimSource {
    fn parse(text: &str) -> Option<Self> {
        if text == "account.identifier" {
            return Some(Self::Identifier);
        }
        let path: Vec<String> = text.strip_prefix("account.traits.")?.split('.').map(str::to_owned).collect();
        if path.iter().any(String::is_empty) { None } else { Some(Self::Trait(path)) }
    }
}

impl Audience {
    /// An audience as configured; `claims` maps a claim's name to the text of its source.
    pub fn new<'a>(
        name: &str,
        lifetime: Duration,
        claims: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, NotAnAudience> {
        if name.is_empty() || name.len() > 200 || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(NotAnAudience::Name);
        }
        if lifetime < Duration::from_secs(1) || lifetime > LONGEST_LIFETIME {
            return Err(NotAnAudience::Lifetime);
        }
        Self::unbounded(name, lifetime, claims)
    }

    /// The gateway itself, for the access tokens that clients present at its doors: no claims but the standard ones, and a life of up to
    /// [`LONGEST_ACCESS`].
    pub fn edge(issuer: &str, lifetime: Duration) -> Result<Self, NotAnAudience> {
        if lifetime < Duration::from_secs(1) || lifetime > LONGEST_ACCESS {
            return Err(NotAnAudience::AccessLifetime);
        }
        Self::unbounded(issuer, lifetime, [])
    }

    fn unbounded<'a>(
        name: &str,
        lifetime: Duration,
        claims: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, NotAnAudience> {
        let (mut names, mut sources) = (Vec::new(), Vec::new());
        for (claim, source) in claims {
            if STANDARD_CLAIMS.contains(&claim) {
                return Err(NotAnAudience::StandardClaim(claim.to_owned()));
            }
            let source = ClaimSource::parse(source).ok_or_else(|| NotAnAudience::ClaimSource {
                claim: claim.to_owned(),
                source_text: source.to_owned(),
            })?;
            names.push(claim.to_owned());
            sources.push(source);
        }
        // Each configured audience of this process has its own stamp, so that a reload never meets a JWT of before.
        static STAMPS: AtomicU32 = AtomicU32::new(0);
        let stamp = STAMPS.fetch_add(1, Ordering::Relaxed);
        Ok(Self { name: name.to_owned(), lifetime, stamp, claims: names.into(), sources })
    }

    /// Names of the claims it is told beside the standard ones.
    pub fn claim_names(&self) -> impl Iterator<Item = &str> {
        self.claims.iter().map(String::as_str)
    }

    pub(super) fn asks_the_account(&self) -> bool {
        !self.claims.is_empty()
    }

    /// Each claim with what the account has for it.
    pub(super) fn claims_of(&self, account: &Account) -> impl Iterator<Item = (&str, Option<Value>)> {
        self.claims.iter().zip(&self.sources).map(|(name, source)| {
            let value = match source {
                ClaimSource::Identifier => Some(Value::from(account.identifier.as_str())),
                ClaimSource::Trait(path) => account.traits.at(path).cloned(),
            };
            (name.as_str(), value)
        })
    }
}

/// All audiences by name.
#[derive(Default)]
pub struct AudienceTable(HashMap<String, Audience>);

impl AudienceTable {
    /// Takes the configured audiences.
    pub fn new(audiences: Vec<Audience>) -> Self {
        Self(audiences.into_iter().map(|audience| (audience.name.clone(), audience)).collect())
    }

    /// The audience of this name.
    pub fn get(&self, name: &str) -> Option<&Audience> {
        self.0.get(name)
    }
}
