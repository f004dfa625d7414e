//! For whom JWTs are minted and what they are told: audiences with their lifetimes and claims templates, from configuration.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use http::HeaderName;
use serde_json::Value;

use super::claims::{DEEPEST, LARGEST_COPIES, has_shape, header_text};
use crate::account::Account;
use crate::encrypt::EncryptionKey;
use crate::key::KeyPurpose;
use crate::token::{CopyName, HeaderEncoding};

/// Claims that no template may set, in whatever case: what has a meaning of its own in a JWT or an access token is ours to say.
pub const STANDARD_CLAIMS: [&str; 24] = [
    "acr",
    "act",
    "amr",
    "aud",
    "auth_time",
    "authorization_details",
    "azp",
    "client_id",
    "cnf",
    "events",
    "exp",
    "iat",
    "iss",
    "jti",
    "may_act",
    "nbf",
    "nonce",
    "scope",
    "sid",
    "sub",
    "sub_id",
    "token_introspection",
    "txn",
    "typ",
];

/// The most claims of its own that an audience may have: with ours they are fewer than verifiers take.
const MOST_CLAIMS: usize = 40;

/// The most bytes of JSON that the constants of an audience take together: they are never dropped, so they must always fit.
const LARGEST_CONSTANTS: usize = 1024;

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
    /// Which keys sign for it.
    pub(super) purpose: KeyPurpose,
    pub(super) stamp: u32,
    /// The names of its claims, which every JWT for it refers to.
    pub(super) claims: Arc<[String]>,
    sources: Vec<ClaimSource>,
    /// What its JWTs are encrypted to, if they are.
    pub(super) encryption: Option<Arc<EncryptionKey>>,
    /// The copies that every JWT for it has beside it: of each claim one in [`HeaderEncoding::Drop`], and then what routes ask for
    /// beyond that.
    pub(super) copies: Arc<[CopyName]>,
    /// For each of its routes the claims that are sent as plain headers, too.
    copied: Vec<Vec<Copied>>,
}

/// A claim that a route sends as a plain header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Copied {
    /// The claim's place among the audience's own.
    pub(super) claim: usize,
    /// The copy's place among the audience's copies.
    pub(super) copy: usize,
    /// The bytes of the header line without its value.
    line: usize,
}

/// Where a claim comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClaimSource {
    /// The same for everybody.
    Constant(Value),
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
    /// A claim whose name is no name, or is another's but for its case.
    #[error(
        "claim \"{0}\" is no name for a claim: use 1 to 100 visible ASCII characters without \" and \\, \
         not __proto__, and no two names that differ by case alone"
    )]
    ClaimName(String),
    /// A constant that cannot be told.
    #[error("claim \"{0}\": {what}", what = NO_CONSTANT)]
    Constant(String),
    /// More than they may take together.
    #[error("the constants take more than {LARGEST_CONSTANTS} bytes of JSON together")]
    LargeConstants,
    /// A route's plain headers take too much even without the claims that can be dropped.
    #[error(
        "the names of these headers, and the constants that they copy, take {0} bytes; {LARGEST_COPIES} is the most"
    )]
    LargeCopies(usize),
    /// More than an audience has.
    #[error("an audience has at most {MOST_CLAIMS} claims of its own")]
    ManyClaims,
    /// An empty or unprintable name.
    #[error("an audience's name is 1 to 200 visible ASCII characters")]
    Name,
    /// A claim that only we set.
    #[error("claim \"{0}\" is a standard claim and cannot be set")]
    StandardClaim(String),
}

const NO_CONSTANT: &str =
    "a constant is a text, a number, a truth value, or a list or table of these, nested no deeper than 7";

/// Whether a claim of this name is ours to say. JWTs tell `Sub` from `sub`, and some programs that read them do not.
pub fn is_standard_claim(name: &str) -> bool {
    STANDARD_CLAIMS.iter().any(|standard| standard.eq_ignore_ascii_case(name))
}

impl ClaimSource {
    fn parse(text: &str) -> Option<Self> {
        if text == "account.identifier" {
            return Some(Self::Identifier);
        }
        let path: Vec<String> = text.strip_prefix("account.traits.")?.split('.').map(str::to_owned).collect();
        if path.iter().any(String::is_empty) { None } else { Some(Self::Trait(path)) }
    }

    /// What there is to say, if there is anything.
    pub(super) fn value(&self, account: Option<&Account>) -> Option<Value> {
        match self {
            Self::Constant(value) => Some(value.clone()),
            Self::Identifier => Some(Value::from(account?.identifier.as_str())),
            Self::Trait(path) => account?.traits.at(path).cloned(),
        }
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
        Self::unbounded(name, KeyPurpose::Services, lifetime, claims)
    }

    /// The gateway itself, for the access tokens that clients present at its doors: no claims but the standard ones, and a life of up to
    /// [`LONGEST_ACCESS`].
    pub fn edge(issuer: &str, lifetime: Duration) -> Result<Self, NotAnAudience> {
        if lifetime < Duration::from_secs(1) || lifetime > LONGEST_ACCESS {
            return Err(NotAnAudience::AccessLifetime);
        }
        Self::unbounded(issuer, KeyPurpose::Edge, lifetime, [])
    }

    fn unbounded<'a>(
        name: &str,
        purpose: KeyPurpose,
        lifetime: Duration,
        claims: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, NotAnAudience> {
        let mut sources = Vec::new();
        for (claim, source) in claims {
            let source = ClaimSource::parse(source).ok_or_else(|| NotAnAudience::ClaimSource {
                claim: claim.to_owned(),
                source_text: source.to_owned(),
            })?;
            sources.push((claim.to_owned(), source));
        }
        // Each configured audience of this process has its own stamp, so that a reload never meets a JWT of before.
        static STAMPS: AtomicU32 = AtomicU32::new(0);
        let stamp = STAMPS.fetch_add(1, Ordering::Relaxed);
        let (name, claims) = (name.to_owned(), Arc::default());
        let none = Self {
            name,
            lifetime,
            purpose,
            stamp,
            claims,
            sources: Vec::new(),
            encryption: None,
            copies: Arc::default(),
            copied: Vec::new(),
        };
        none.with_claims(sources)
    }

    /// The same audience with claims beside those it has that are the same for everybody.
    pub fn with_constants(
        self,
        constants: impl IntoIterator<Item = (String, Value)>,
    ) -> Result<Self, NotAnAudience> {
        let mut sources = Vec::new();
        let mut bytes = 0;
        for (claim, value) in constants {
            if value.is_null() || !has_shape(&value, DEEPEST) {
                return Err(NotAnAudience::Constant(claim));
            }
            bytes += claim.len() + value.to_string().len();
            sources.push((claim, ClaimSource::Constant(value)));
        }
        if bytes > LARGEST_CONSTANTS {
            return Err(NotAnAudience::LargeConstants);
        }
        self.with_claims(sources)
    }

    /// The same audience, whose JWTs it alone can read: signed, and then encrypted to this key.
    #[must_use]
    pub fn encrypted_to(self, key: EncryptionKey) -> Self {
        Self { encryption: Some(Arc::new(key)), ..self }
    }

    /// What its JWTs are encrypted to, if they are.
    pub fn encryption(&self) -> Option<&EncryptionKey> {
        self.encryption.as_deref()
    }

    fn with_claims(mut self, more: Vec<(String, ClaimSource)>) -> Result<Self, NotAnAudience> {
        let mut names = self.claims.to_vec();
        for (claim, source) in more {
            if is_standard_claim(&claim) {
                return Err(NotAnAudience::StandardClaim(claim));
            }
            if !is_claim_name(&claim) || names.iter().any(|other| other.eq_ignore_ascii_case(&claim)) {
                return Err(NotAnAudience::ClaimName(claim));
            }
            names.push(claim);
            self.sources.push(source);
        }
        if names.len() > MOST_CLAIMS {
            return Err(NotAnAudience::ManyClaims);
        }
        let plain = |claim: &String| CopyName { claim: claim.clone(), encoding: HeaderEncoding::Drop };
        Ok(Self { copies: names.iter().map(plain).collect(), claims: names.into(), ..self })
    }

    /// The same audience with a route that sends these of its claims as plain headers, too: header name, claim name. They count in what
    /// a JWT and its copies take together ([`LARGEST_COPIES`]).
    pub fn copied_by(
        self,
        headers: &[(HeaderName, String)],
        encoding: HeaderEncoding,
    ) -> Result<Self, NotAnAudience> {
        let mut copies = self.copies.to_vec();
        let copied: Vec<Copied> = headers
            .iter()
            .filter_map(|(name, claim)| {
                let place = self.claims.iter().position(|own| own == claim)?;
                let copy = CopyName { claim: claim.clone(), encoding };
                let copy = copies.iter().position(|other| *other == copy).unwrap_or_else(|| {
                    copies.push(copy);
                    copies.len() - 1
                });
                // `name: value` and the end of the line.
                Some(Copied { claim: place, copy, line: name.as_str().len() + 4 })
            })
            .collect();
        let constant = |claim: usize| match self.sources.get(claim) {
            Some(ClaimSource::Constant(value)) => header_text(value, encoding).map_or(0, |text| text.len()),
            _ => 0,
        };
        let least = copied.iter().map(|it| it.line + constant(it.claim)).sum();
        if least > LARGEST_COPIES {
            return Err(NotAnAudience::LargeCopies(least));
        }
        let mut all = self.copied;
        if !copied.is_empty() && !all.contains(&copied) {
            all.push(copied);
        }
        Ok(Self { copies: copies.into(), copied: all, ..self })
    }

    /// The most bytes that the plain headers of one route take; `length_of` says how long a copy is.
    pub(super) fn copied_bytes(&self, length_of: impl Fn(&Copied) -> usize) -> usize {
        let of = |route: &Vec<Copied>| route.iter().map(|it| it.line + length_of(it)).sum();
        self.copied.iter().map(of).max().unwrap_or_default()
    }

    /// The most bytes that the copies of the claim at this place take on one route.
    pub(super) fn copied_bytes_of(&self, claim: usize, length_of: impl Fn(&Copied) -> usize) -> usize {
        let of = |route: &Vec<Copied>| route.iter().filter(|it| it.claim == claim).map(&length_of).sum();
        self.copied.iter().map(of).max().unwrap_or_default()
    }

    /// Whether a route makes a plain header of the copy at this place.
    pub(super) fn is_copied(&self, copy: usize) -> bool {
        self.copied.iter().flatten().any(|it| it.copy == copy)
    }

    /// Names of the claims it is told beside the standard ones.
    pub fn claim_names(&self) -> impl Iterator<Item = &str> {
        self.claims.iter().map(String::as_str)
    }

    pub(super) fn asks_the_account(&self) -> bool {
        self.sources.iter().any(|source| !matches!(source, ClaimSource::Constant(_)))
    }

    /// Each claim with where it comes from.
    pub(super) fn sources(&self) -> impl Iterator<Item = (&str, &ClaimSource)> {
        self.claims.iter().map(String::as_str).zip(&self.sources)
    }
}

/// Whether JSON, headers and whoever reads them take it as it is. `__proto__` is a trap for programs that copy members one by one.
fn is_claim_name(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
    (1..=100).contains(&name.len()) && name.bytes().all(is_plain) && name != "__proto__"
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
