//! A client's assertion: the JWT by which a program proves to its authorization server that it holds its key (RFC 7523 section 3).
//! In: the text, and then the keys that were registered for whom it names. Out: what must be remembered of it, or why not.
//! For authorization servers; services have no use for it.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::{
    algorithm::Algorithm,
    claims::Claims,
    jws::{self, decode, split},
    key::{KeyId, VerifyingKey},
    key_set::KeySet,
    reject::{MemberFault, Reject},
    verified::Verified,
    verifier::{MAX_SKEW, media_type},
};

/// How far ahead of now an assertion may expire, in seconds.
pub const MAX_ASSERTION_SECONDS: u64 = 300;
/// The longest `jti`, in bytes.
const MAX_JTI_BYTES: usize = 256;
/// What the kind is called where it is said. Before there was a name for it, assertions were plain `JWT`s, or had no `typ` at all.
const KINDS: [&str; 2] = ["client-authentication+jwt", "JWT"];

/// An assertion as it was shown. Nothing of it is proven.
pub struct Assertion<'a> {
    algorithm: Algorithm,
    key_id: Option<String>,
    claims: Claims,
    signature: Vec<u8>,
    signing_input: &'a [u8],
}

impl<'a> Assertion<'a> {
    /// Takes an assertion apart: one of another kind, or without a member that it must have, is refused.
    ///
    /// # Errors
    /// What is wrong with it, whoever signed it.
    pub fn read(jwt: &'a str) -> Result<Self, Reject> {
        let [header, payload, signature] = split(jwt)?;
        let signing_input = jwt.as_bytes().get(..header.len() + 1 + payload.len()).ok_or(Reject::Segments)?;
        let mut header = jws::plain_members(header)?;
        let algorithm = jws::algorithm(&mut header)?;
        if let Some(typ) = header.get("typ") {
            let typ = typ.as_str().ok_or(header_fault("typ", MemberFault::WrongType))?;
            if !KINDS.iter().any(|kind| media_type(typ).eq_ignore_ascii_case(kind)) {
                return Err(header_fault("typ", MemberFault::Mismatch));
            }
        }
        let key_id = key_id(&header)?;
        let claims = Claims::parse(&decode(payload)?)?;
        if claims.iss() != claims.sub() {
            return Err(claim_fault("sub", MemberFault::Mismatch));
        }
        match claims.jti() {
            Some(jti) if jti.len() <= MAX_JTI_BYTES => {}
            Some(_) => return Err(claim_fault("jti", MemberFault::OutOfRange)),
            None => return Err(claim_fault("jti", MemberFault::Missing)),
        }
        Ok(Self { algorithm, key_id, claims, signature: decode(signature)?, signing_input })
    }

    /// LoginTarget it claims to be of: to look their keys up by, and for nothing else.
    #[must_use]
    pub fn client_id(&self) -> &str {
        self.claims.sub()
    }

    /// Verifies it with the keys that were registered for [`Self::client_id`], at `now` in Unix seconds. It must be meant for `issuer`
    /// alone, as a plain text: not for the address of an endpoint, which another server could have as well. Without a `kid` the one key
    /// that there is counts, where there is one.
    ///
    /// Whether it was shown before is for the caller to know, by its [`Claims::jti`].
    ///
    /// # Errors
    /// Why it proves nothing.
    pub fn verify(self, keys: &KeySet, issuer: &str, now: u64) -> Result<Verified<Claims>, Reject> {
        let key = self.key(keys)?;
        if self.algorithm != key.algorithm() {
            return Err(Reject::AlgorithmMismatch);
        }
        key.check(self.signing_input, &self.signature)?;
        match self.claims.get("aud") {
            Some(Value::String(audience)) if audience == issuer => {}
            Some(Value::String(_)) => return Err(claim_fault("aud", MemberFault::Mismatch)),
            _ => return Err(claim_fault("aud", MemberFault::WrongType)),
        }
        let latest = now.saturating_add(MAX_SKEW);
        if self.claims.exp().saturating_add(MAX_SKEW) <= now {
            return Err(Reject::Expired);
        }
        if self.claims.exp() > latest.saturating_add(MAX_ASSERTION_SECONDS) {
            return Err(Reject::LifetimeTooLong);
        }
        if self.claims.nbf().is_some_and(|nbf| nbf > latest) {
            return Err(Reject::NotYetValid);
        }
        if self.claims.iat().is_some_and(|iat| iat > latest) {
            return Err(Reject::IssuedInFuture);
        }
        Ok(Verified::assertion(Arc::new(self.claims)))
    }

    fn key<'k>(&self, keys: &'k KeySet) -> Result<&'k VerifyingKey, Reject> {
        match &self.key_id {
            Some(key_id) => keys.get(key_id),
            None if keys.len() == 1 => keys.iter().next(),
            None => None,
        }
        .ok_or(Reject::KeyUnknown)
    }
}

fn key_id(header: &Map<String, Value>) -> Result<Option<String>, Reject> {
    match header.get("kid") {
        None => Ok(None),
        Some(Value::String(name)) if (1..=KeyId::MAX_CHARS).contains(&name.len()) => Ok(Some(name.clone())),
        Some(Value::String(_)) => Err(header_fault("kid", MemberFault::OutOfRange)),
        Some(_) => Err(header_fault("kid", MemberFault::WrongType)),
    }
}

fn header_fault(member: &'static str, reason: MemberFault) -> Reject {
    Reject::Header { member, reason }
}

fn claim_fault(claim: &'static str, reason: MemberFault) -> Reject {
    Reject::Claim { claim, reason }
}
