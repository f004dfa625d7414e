//! JWK import (RFC 7517, RFC 7518 §6, RFC 8037).
//! In: a JSON object that claims to be a public key. Out: a [`VerifyingKey`], or the rule it broke.
//! Its members must agree with each other; what it leaves open is not guessed.

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Map, Value};

use crate::{
    algorithm::Algorithm,
    key::{KeyId, VerifyingKey},
    key_reject::KeyReject,
    reject::MemberFault,
    strict_json::{self, Limits},
};

/// A JWK may carry a certificate chain, which is not looked at.
pub(crate) const MAX_JWK_BYTES: usize = 32 * 1024;
/// Members only a private or secret key has (RFC 7518 §6.2.2, §6.3.2, §6.4; RFC 9964 for `priv`).
pub(crate) const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "priv"];

impl VerifyingKey {
    /// Imports a public JWK. Without `kid` the key is named by its RFC 7638 thumbprint.
    ///
    /// # Errors
    /// The first rule the JWK breaks.
    pub fn from_jwk(jwk: &Value) -> Result<Self, KeyReject> {
        match jwk {
            Value::Object(members) => from_members(members),
            _ => Err(KeyReject::Member { member: "kty", reason: MemberFault::Missing }),
        }
    }

    /// Imports a public JWK from its text, by strict JSON rules.
    ///
    /// # Errors
    /// The first rule the JWK breaks.
    pub fn from_jwk_text(jwk: &str) -> Result<Self, KeyReject> {
        let limits = Limits { bytes: MAX_JWK_BYTES, ..Limits::JOSE };
        Self::from_jwk(&strict_json::parse(jwk.as_bytes(), limits).map_err(KeyReject::KeyJson)?)
    }
}

fn from_members(members: &Map<String, Value>) -> Result<VerifyingKey, KeyReject> {
    let kty = required(members, "kty")?;
    if kty == "oct" {
        return Err(KeyReject::Symmetric);
    }
    // Asked before anything that makes a key merely foreign: a lost key is an alarm in any case.
    if PRIVATE_MEMBERS.iter().any(|member| members.contains_key(*member)) {
        return Err(KeyReject::PrivateMaterial);
    }
    let key_id = text(members, "kid")?.map(KeyId::parse).transpose()?;
    for_verifying(members)?;
    let algorithm = match text(members, "alg")? {
        Some(name) => Some(Algorithm::parse(name).ok_or(KeyReject::AlgorithmUnsupported)?),
        None => None,
    };
    let key = match kty {
        "EC" => ec(members, algorithm),
        "OKP" => okp(members, algorithm),
        "RSA" => rsa(members, algorithm),
        _ => Err(KeyReject::KeyTypeUnsupported),
    }?;
    Ok(match key_id {
        Some(key_id) => key.with_key_id(key_id),
        None => key,
    })
}

/// `use` and `key_ops`, where present, must both mean: verifies signatures, and nothing else.
fn for_verifying(members: &Map<String, Value>) -> Result<(), KeyReject> {
    let signs = match text(members, "use")? {
        None => None,
        Some("sig") => Some(true),
        Some(_) => Some(false),
    };
    let verifies = match members.get("key_ops") {
        None => None,
        Some(Value::Array(operations)) => match operations.as_slice() {
            [one] if one == "verify" => Some(true),
            many if many.iter().any(|operation| operation == "verify") => {
                return Err(KeyReject::OperationsMismatch);
            }
            _ => Some(false),
        },
        Some(_) => return Err(wrong_type("key_ops")),
    };
    match (signs, verifies) {
        (Some(signs), Some(verifies)) if signs != verifies => Err(KeyReject::OperationsMismatch),
        (Some(false), _) | (_, Some(false)) => Err(KeyReject::NotForVerifying),
        _ => Ok(()),
    }
}

fn ec(members: &Map<String, Value>, algorithm: Option<Algorithm>) -> Result<VerifyingKey, KeyReject> {
    if required(members, "crv")? != "P-256" {
        return Err(KeyReject::CurveUnsupported);
    }
    expect(algorithm, Algorithm::Es256)?;
    let (x, y) = (coordinate(members, "x")?, coordinate(members, "y")?);
    let mut point = [4; 65];
    for (target, byte) in point.iter_mut().skip(1).zip(x.into_iter().chain(y)) {
        *target = byte;
    }
    VerifyingKey::es256(&point)
}

fn okp(members: &Map<String, Value>, algorithm: Option<Algorithm>) -> Result<VerifyingKey, KeyReject> {
    if required(members, "crv")? != "Ed25519" {
        return Err(KeyReject::CurveUnsupported);
    }
    expect(algorithm, Algorithm::EdDsa)?;
    VerifyingKey::ed25519(&coordinate(members, "x")?)
}

fn rsa(members: &Map<String, Value>, algorithm: Option<Algorithm>) -> Result<VerifyingKey, KeyReject> {
    let (n, e) = (bytes(members, "n")?, bytes(members, "e")?);
    match algorithm {
        Some(Algorithm::Ps256) => VerifyingKey::ps256(&n, &e),
        Some(Algorithm::Rs256) => VerifyingKey::rs256(&n, &e),
        Some(_) => Err(KeyReject::AlgorithmMismatch),
        None => Err(KeyReject::AlgorithmMissing),
    }
}

fn expect(algorithm: Option<Algorithm>, own: Algorithm) -> Result<(), KeyReject> {
    match algorithm {
        Some(other) if other != own => Err(KeyReject::AlgorithmMismatch),
        _ => Ok(()),
    }
}

/// A coordinate of full length, leading zeros included (RFC 7518 §6.2.1.2).
fn coordinate(members: &Map<String, Value>, member: &'static str) -> Result<[u8; 32], KeyReject> {
    bytes(members, member)?.try_into().map_err(|_| KeyReject::Length(member))
}

pub(crate) fn bytes(members: &Map<String, Value>, member: &'static str) -> Result<Vec<u8>, KeyReject> {
    BASE64URL_NOPAD.decode(required(members, member)?.as_bytes()).map_err(|_| KeyReject::Encoding(member))
}

pub(crate) fn required<'a>(
    members: &'a Map<String, Value>,
    member: &'static str,
) -> Result<&'a str, KeyReject> {
    text(members, member)?.ok_or(KeyReject::Member { member, reason: MemberFault::Missing })
}

pub(crate) fn text<'a>(
    members: &'a Map<String, Value>,
    member: &'static str,
) -> Result<Option<&'a str>, KeyReject> {
    match members.get(member) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(wrong_type(member)),
    }
}

pub(crate) fn wrong_type(member: &'static str) -> KeyReject {
    KeyReject::Member { member, reason: MemberFault::WrongType }
}

#[cfg(test)]
mod tests;
