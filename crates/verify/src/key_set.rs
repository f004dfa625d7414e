//! The keys a verifier trusts, each under its own name.
//! In: keys, or the text of a JWK set. Out: one key for one `kid`.
//! A key that cannot be used is left out and named; what makes the whole set doubtful refuses it.

use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};

use crate::{
    key::VerifyingKey,
    key_reject::KeyReject,
    reject::MemberFault,
    strict_json::{self, JsonReject, Limits},
};

/// The longest JWK set that is looked at.
pub const MAX_JWKS_BYTES: usize = 256 * 1024;
/// The most keys a set may have.
pub const MAX_KEYS: usize = 64;

/// A set of keys with distinct names, all symmetric or all asymmetric.
#[derive(Clone, Debug, Default)]
pub struct KeySet {
    keys: HashMap<String, VerifyingKey>,
    left_out: Vec<LeftOut>,
}

/// A key of a JWK set that broke a rule and was left out.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LeftOut {
    /// Its place in the set, counted from 0.
    pub place: usize,
    /// Its `kid`, where it has one that is text.
    pub key_id: Option<String>,
    /// The rule.
    pub reject: KeyReject,
}

impl KeySet {
    /// Gathers keys. An empty set is a set: it verifies nothing.
    ///
    /// # Errors
    /// [`KeyReject::SetTooLarge`], [`KeyReject::KeyIdDuplicate`], [`KeyReject::MixedSymmetry`].
    pub fn new(keys: impl IntoIterator<Item = VerifyingKey>) -> Result<Self, KeyReject> {
        let mut set = Self::default();
        for key in keys {
            let symmetric = key.algorithm().is_symmetric();
            if set.iter().any(|other| other.algorithm().is_symmetric() != symmetric) {
                return Err(KeyReject::MixedSymmetry);
            }
            if set.keys.insert(key.key_id().as_str().to_owned(), key).is_some() {
                return Err(KeyReject::KeyIdDuplicate);
            }
            if set.len() > MAX_KEYS {
                return Err(KeyReject::SetTooLarge);
            }
        }
        Ok(set)
    }

    /// Reads a JWK set (RFC 7517 §5).
    ///
    /// Keys that are merely not for us are passed over, as the RFC asks: an unknown `kty`, `crv` or
    /// `alg`, or a `use` or `key_ops` other than verifying. Keys that claim to be for us and break a rule are left out as well, and
    /// [`Self::left_out`] names them. Secret or private members anywhere refuse the whole set, and so does a `kid` that appears
    /// twice: an issuer that publishes those needs a person, not a guess.
    ///
    /// # Errors
    /// What refuses the whole set; when nothing is left, the first rule broken, or [`KeyReject::NoUsableKey`] when none was.
    pub fn from_jwks(text: &str) -> Result<Self, KeyReject> {
        let limits = Limits { bytes: MAX_JWKS_BYTES, ..Limits::JOSE };
        let set = strict_json::parse_object(text.as_bytes(), limits).map_err(|reject| match reject {
            JsonReject::TooLarge => KeyReject::SetTooLarge,
            other => KeyReject::KeyJson(other),
        })?;
        let jwks = match set.get("keys") {
            Some(Value::Array(jwks)) if jwks.len() <= MAX_KEYS => jwks,
            Some(Value::Array(_)) => return Err(KeyReject::SetTooLarge),
            Some(_) => return Err(keys_member(MemberFault::WrongType)),
            None => return Err(keys_member(MemberFault::Missing)),
        };
        let mut names = HashSet::new();
        let repeated = |name: &str| !names.insert(name.to_owned());
        if jwks.iter().filter_map(|jwk| jwk.get("kid")?.as_str()).any(repeated) {
            return Err(KeyReject::KeyIdDuplicate);
        }
        let (mut keys, mut left_out) = (Vec::with_capacity(jwks.len()), Vec::new());
        for (place, jwk) in jwks.iter().enumerate() {
            match VerifyingKey::from_jwk(jwk) {
                Ok(key) => keys.push(key),
                Err(reject) if reject.is_foreign() => {}
                Err(reject @ (KeyReject::PrivateMaterial | KeyReject::Symmetric)) => return Err(reject),
                Err(reject) => {
                    let key_id = jwk.get("kid").and_then(Value::as_str).map(str::to_owned);
                    left_out.push(LeftOut { place, key_id, reject });
                }
            }
        }
        if keys.is_empty() {
            return Err(left_out.first().map_or(KeyReject::NoUsableKey, |first| first.reject));
        }
        Ok(Self { left_out, ..Self::new(keys)? })
    }

    /// The keys of the JWK set that broke a rule and were left out, in their order. Their tokens are refused as by an unknown key.
    #[must_use]
    pub fn left_out(&self) -> &[LeftOut] {
        &self.left_out
    }

    /// The key with exactly this name.
    #[must_use]
    pub fn get(&self, key_id: &str) -> Option<&VerifyingKey> {
        self.keys.get(key_id)
    }

    /// The keys, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = &VerifyingKey> {
        self.keys.values()
    }

    /// How many keys there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is no key at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The public JWK set, ordered by `kid`. Shared secrets are left out.
    #[must_use]
    pub fn to_jwks(&self) -> Value {
        let mut keys: Vec<&VerifyingKey> =
            self.iter().filter(|key| !key.algorithm().is_symmetric()).collect();
        keys.sort_by_key(|key| key.key_id());
        json!({ "keys": keys.into_iter().map(VerifyingKey::to_jwk).collect::<Vec<_>>() })
    }

    /// Whether both sets hold the same public keys, under the same names, for the same algorithms.
    /// Sets with a shared secret never count as the same, nor do those that left other keys out.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.len() == other.len()
            && self.left_out == other.left_out
            && self.keys.iter().all(|(name, key)| {
                other.get(name).is_some_and(|twin| {
                    key.algorithm() == twin.algorithm()
                        && key.thumbprint().is_some()
                        && key.thumbprint() == twin.thumbprint()
                })
            })
    }
}

fn keys_member(reason: MemberFault) -> KeyReject {
    KeyReject::Member { member: "keys", reason }
}

#[cfg(test)]
mod tests;
