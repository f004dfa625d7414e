//! The verifier: one policy, its keys, and what it has seen before.
//! In: the text of a JWT and the time. Out: [`Verified`] claims, or why not.
//! It does no I/O: keys and revocations are brought to it.

use std::{borrow::Cow, sync::Arc, time::SystemTime};

use aws_lc_rs::digest::{SHA256, digest};

#[cfg(feature = "client")]
use crate::client::KeySource;
#[cfg(feature = "jwe")]
use crate::jwe::{self, DecryptionKeys};
use crate::{
    claims::Claims,
    jws::{Jws, MAX_JWT_BYTES},
    key_set::KeySet,
    reject::{MemberFault, Reject},
    revocation::RevocationView,
    trust::{Seen, Trust, Trusted},
    verified::Verified,
};

/// The most that clocks may differ, in seconds; also the default.
pub const MAX_SKEW: u64 = 30;
/// The longest life of a token unless asked otherwise, in seconds: a day.
pub const DEFAULT_MAX_LIFETIME: u64 = 86_400;
/// How many signatures are remembered unless asked otherwise.
pub const DEFAULT_CACHE_CAPACITY: usize = 10_000;

/// Verifies JWTs of one issuer, for one audience, of one kind.
///
/// Which algorithms are taken is the key set's to say: a key has one, and a token that names another is refused. So the list of
/// algorithms is as long as the keys' and cannot be widened here.
///
/// `verify` takes `&self`, from any number of threads.
pub struct Verifier {
    issuer: String,
    audience: String,
    typ: String,
    skew: u64,
    max_lifetime: u64,
    revocation: Option<Arc<RevocationView>>,
    trust: Arc<Trust>,
    #[cfg(feature = "jwe")]
    nested: Option<DecryptionKeys>,
    #[cfg(feature = "client")]
    source: Option<KeySource>,
}

impl Verifier {
    /// A verifier for access tokens (`typ` is `at+jwt`, RFC 9068 §2.1), with 30 seconds of skew, a
    /// day as the longest life, and 10 000 remembered signatures.
    #[must_use]
    pub fn new(issuer: impl Into<String>, audience: impl Into<String>, keys: KeySet) -> Self {
        Self {
            issuer: issuer.into(),
            audience: audience.into(),
            typ: "at+jwt".to_owned(),
            skew: MAX_SKEW,
            max_lifetime: DEFAULT_MAX_LIFETIME,
            revocation: None,
            trust: Arc::new(Trust::new(keys, DEFAULT_CACHE_CAPACITY)),
            #[cfg(feature = "jwe")]
            nested: None,
            #[cfg(feature = "client")]
            source: None,
        }
    }

    /// Asks for another kind of token. Kinds exclude each other: a verifier takes exactly one.
    #[must_use]
    pub fn with_typ(self, typ: impl Into<String>) -> Self {
        Self { typ: typ.into(), ..self }
    }

    /// How far clocks may differ, in seconds. More than [`MAX_SKEW`] counts as [`MAX_SKEW`].
    #[must_use]
    pub fn with_skew(self, seconds: u64) -> Self {
        Self { skew: seconds.min(MAX_SKEW), ..self }
    }

    /// The longest time from `iat` (without it: from now) to `exp`, in seconds.
    #[must_use]
    pub fn with_max_lifetime(self, seconds: u64) -> Self {
        Self { max_lifetime: seconds, ..self }
    }

    /// Refuses what this view knows to be revoked.
    #[must_use]
    pub fn with_revocation(self, view: Arc<RevocationView>) -> Self {
        Self { revocation: Some(view), ..self }
    }

    /// How many verified signatures to remember; 0 remembers none.
    #[must_use]
    pub fn with_cache_capacity(self, capacity: usize) -> Self {
        self.trust.remember_at_most(capacity);
        self
    }

    /// Demands that every token is a signed one inside of one that is encrypted to one of these keys (RFC 7519 section 5.2): both
    /// layers are judged, by keys that are chosen here. A signed token that is not encrypted is refused from now on, as an encrypted one
    /// is without this.
    #[cfg(feature = "jwe")]
    #[must_use]
    pub fn nested(self, keys: DecryptionKeys) -> Self {
        // What was found good by other rules is not remembered.
        self.trust.forget();
        Self { nested: Some(keys), ..self }
    }

    /// Trusts these keys from now on, and no others. What was remembered under the old ones is
    /// forgotten, unless they are the same.
    pub fn replace_keys(&self, keys: KeySet) {
        self.trust.replace(keys);
    }

    /// The keys trusted at the moment; [`KeySet::left_out`] names those of the set that broke a rule.
    #[must_use]
    pub fn keys(&self) -> KeySet {
        if self.is_stale() { KeySet::default() } else { self.trust.now().keys.clone() }
    }

    /// Whether there is any key to verify with. Without one every JWT is refused, good ones included: whoever asks for them later
    /// (an application that starts before its issuer) asks this first, and answers that it cannot tell.
    #[must_use]
    pub fn has_keys(&self) -> bool {
        !self.is_stale() && !self.trust.now().keys.is_empty()
    }

    /// Whose tokens are verified: the `iss` asked for.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Verifies at the present time of the system clock: the only place in this crate that reads it.
    ///
    /// # Errors
    /// Why the token is refused. A clock before 1970 refuses everything as expired.
    pub fn verify(&self, jwt: &str) -> Result<Verified<Claims>, Reject> {
        #[expect(
            clippy::disallowed_methods,
            reason = "services that use this crate alone have no clock port"
        )]
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        self.verify_at(jwt, now.map_err(|_| Reject::Expired)?.as_secs())
    }

    /// Verifies at the given time, in Unix seconds.
    ///
    /// # Errors
    /// Why the token is refused.
    pub fn verify_at(&self, jwt: &str, now: u64) -> Result<Verified<Claims>, Reject> {
        let verdict = self.verdict(jwt, now);
        #[cfg(feature = "client")]
        if let (Err(Reject::KeyUnknown), Some(source)) = (&verdict, &self.source) {
            source.wish();
        }
        verdict
    }

    fn verdict(&self, jwt: &str, now: u64) -> Result<Verified<Claims>, Reject> {
        // Asked here too, so that nothing long is even hashed.
        if jwt.len() > self.longest() {
            return Err(Reject::TooLarge);
        }
        if self.is_stale() {
            return Err(Reject::KeyUnknown);
        }
        let trusted = self.trust.now();
        let Some(cache) = &trusted.seen else {
            let seen = Self::check_signature(&trusted, &self.opened(jwt)?)?;
            return self.judge(&seen, now);
        };
        let name = fingerprint(jwt);
        if let Some(seen) = cache.get(&name) {
            let verdict = self.judge(&seen, now);
            if matches!(verdict, Err(Reject::Expired)) {
                cache.remove(&name);
            }
            return verdict;
        }
        let seen = Self::check_signature(&trusted, &self.opened(jwt)?)?;
        let verified = self.judge(&seen, now)?;
        cache.insert(name, seen);
        Ok(verified)
    }

    #[cfg(feature = "jwe")]
    fn longest(&self) -> usize {
        if self.nested.is_some() { jwe::MAX_JWE_BYTES } else { MAX_JWT_BYTES }
    }

    #[cfg(not(feature = "jwe"))]
    fn longest(&self) -> usize {
        MAX_JWT_BYTES
    }

    /// The signed token: what was shown, or what is inside of it.
    #[cfg(feature = "jwe")]
    fn opened<'a>(&self, token: &'a str) -> Result<Cow<'a, str>, Reject> {
        match &self.nested {
            Some(keys) => jwe::open_nested(token, keys, &self.typ).map(Cow::Owned),
            None => Ok(Cow::Borrowed(token)),
        }
    }

    #[cfg(not(feature = "jwe"))]
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "with the feature it has reasons to")]
    fn opened<'a>(&self, token: &'a str) -> Result<Cow<'a, str>, Reject> {
        Ok(Cow::Borrowed(token))
    }

    /// Everything that can be remembered: syntax, key, algorithm, signature, types of claims.
    fn check_signature(trusted: &Trusted, jwt: &str) -> Result<Seen, Reject> {
        let Jws { header, payload, signature, signing_input } = Jws::parse(jwt, &trusted.last_header)?;
        let key = trusted.keys.get(&header.key_id).ok_or(Reject::KeyUnknown)?;
        if header.algorithm != key.algorithm() {
            return Err(Reject::AlgorithmMismatch);
        }
        key.check(signing_input, &signature)?;
        trusted.last_header.remember(&header);
        Ok(Seen { header, claims: Arc::new(Claims::parse(&payload)?) })
    }

    /// Whether the keys are so old that they count as none. Keys that were brought do not age; those that are asked for do.
    fn is_stale(&self) -> bool {
        #[cfg(feature = "client")]
        return self.source.as_ref().is_some_and(KeySource::is_stale);
        #[cfg(not(feature = "client"))]
        false
    }

    /// Everything that is judged on every sight: kind, issuer, audience, time, revocation.
    fn judge(&self, seen: &Seen, now: u64) -> Result<Verified<Claims>, Reject> {
        self.judge_typ(&seen.header.typ)?;
        let claims = &seen.claims;
        if claims.iss() != self.issuer {
            return Err(Reject::Claim { claim: "iss", reason: MemberFault::Mismatch });
        }
        if claims.aud() != self.audience {
            return Err(Reject::Claim { claim: "aud", reason: MemberFault::Mismatch });
        }
        self.judge_time(claims, now)?;
        if self.revocation.as_ref().is_some_and(|view| view.is_revoked(claims)) {
            return Err(Reject::Revoked);
        }
        Ok(Verified::assertion(Arc::clone(claims)))
    }

    fn judge_time(&self, claims: &Claims, now: u64) -> Result<(), Reject> {
        let latest = now.saturating_add(self.skew);
        if claims.exp().saturating_add(self.skew) <= now {
            return Err(Reject::Expired);
        }
        if claims.nbf().is_some_and(|nbf| nbf > latest) {
            return Err(Reject::NotYetValid);
        }
        if claims.iat().is_some_and(|iat| iat > latest) {
            return Err(Reject::IssuedInFuture);
        }
        if claims.exp().saturating_sub(claims.iat().unwrap_or(now)) > self.max_lifetime {
            return Err(Reject::LifetimeTooLong);
        }
        Ok(())
    }

    fn judge_typ(&self, typ: &str) -> Result<(), Reject> {
        if media_type(typ).eq_ignore_ascii_case(media_type(&self.typ)) {
            Ok(())
        } else {
            Err(Reject::Header { member: "typ", reason: MemberFault::Mismatch })
        }
    }
}

#[cfg(feature = "client")]
impl Verifier {
    /// A verifier whose keys are brought by `source`, which writes where this verifier reads.
    pub(crate) fn fed(issuer: String, audience: String, trust: Arc<Trust>, source: KeySource) -> Self {
        Self { trust, source: Some(source), ..Self::new(issuer, audience, KeySet::default()) }
    }

    /// Where the keys come from; `None` when they are brought.
    pub(crate) fn source(&self) -> Option<&KeySource> {
        self.source.as_ref()
    }

    /// Verifies like [`Verifier::verify`], and where the key is unknown waits for the issuer to be asked before it says no.
    ///
    /// The issuer is asked for unknown keys at most once per interval ([`Discovery::with_unknown_key_interval`]), whoever makes
    /// names up; in between this answers at once. Without a source of keys it is `verify`.
    ///
    /// [`Discovery::with_unknown_key_interval`]: crate::client::Discovery::with_unknown_key_interval
    ///
    /// # Errors
    /// Why the token is refused. [`Reject::KeyUnknown`] while [`Verifier::has_keys`] is false means that it could not be told.
    pub async fn verify_asking(&self, jwt: &str) -> Result<Verified<Claims>, Reject> {
        let verdict = self.verify(jwt);
        match (&verdict, &self.source) {
            (Err(Reject::KeyUnknown), Some(source)) => {
                source.settled().await;
                self.verify(jwt)
            }
            _ => verdict,
        }
    }
}

/// A media type, of which RFC 7515 §4.1.9 lets the `application/` be left out.
pub(crate) fn media_type(typ: &str) -> &str {
    const PREFIX: &str = "application/";
    match typ.split_at_checked(PREFIX.len()) {
        Some((prefix, rest)) if prefix.eq_ignore_ascii_case(PREFIX) && !rest.contains('/') => rest,
        _ => typ,
    }
}

fn fingerprint(jwt: &str) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest(&SHA256, jwt.as_bytes()).as_ref());
    bytes
}

#[cfg(test)]
mod tests;
