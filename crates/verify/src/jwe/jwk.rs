//! JWKs that encrypt and decrypt (RFC 7517, RFC 7518 section 6, RFC 8037).
//! In: the members of a JWK. Out: its algorithm, its name, its halves, or the rule it broke. One key has one algorithm and one purpose.

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Map, Value};

use super::{ContentEncryption, KeyManagement, PublicHalf, curve::Point};
use crate::{
    hygiene,
    jwk::{bytes, required, text, wrong_type},
    key::KeyId,
    key_reject::KeyReject,
};

/// Which half of a key a JWK is about.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Half {
    Private,
    Public,
}

/// What every JWK says.
pub(super) struct Common {
    pub(super) key_id: Option<KeyId>,
    pub(super) management: KeyManagement,
    /// For a key that encrypts the content itself.
    pub(super) encryption: Option<ContentEncryption>,
}

impl Common {
    pub(super) fn read(members: &Map<String, Value>, half: Half) -> Result<Self, KeyReject> {
        let key_id = text(members, "kid")?.map(KeyId::parse).transpose()?;
        let kty = required(members, "kty")?;
        let name = text(members, "alg")?.ok_or(KeyReject::AlgorithmMissing)?;
        // A shared key that encrypts content may be named by that (RFC 7517 section 4.4, RFC 7520 section 5.6).
        let encryption = ContentEncryption::parse(name);
        let management = match encryption {
            Some(_) => KeyManagement::Dir,
            None => KeyManagement::parse(name).ok_or(KeyReject::AlgorithmUnsupported)?,
        };
        let fits = match management {
            KeyManagement::EcdhEs | KeyManagement::EcdhEsA256Kw => kty == "EC" || kty == "OKP",
            KeyManagement::RsaOaep256 => kty == "RSA",
            KeyManagement::A256Kw | KeyManagement::Dir => kty == "oct",
        };
        if !fits {
            let is_known = ["EC", "OKP", "RSA", "oct"].contains(&kty);
            return Err(if is_known { KeyReject::AlgorithmMismatch } else { KeyReject::KeyTypeUnsupported });
        }
        for_encryption(members, management, half)?;
        Ok(Self { key_id, management, encryption })
    }
}

/// `use` and `key_ops`, where present, must both mean encryption by this algorithm, and nothing else.
fn for_encryption(
    members: &Map<String, Value>,
    management: KeyManagement,
    half: Half,
) -> Result<(), KeyReject> {
    if text(members, "use")?.is_some_and(|purpose| purpose != "enc") {
        return Err(KeyReject::NotForEncryption);
    }
    let operations = match members.get("key_ops") {
        None => return Ok(()),
        Some(Value::Array(operations)) => operations,
        Some(_) => return Err(wrong_type("key_ops")),
    };
    // Libraries differ in which of two names they write, and a public half that is only agreed with does nothing itself.
    let proper: &[&str] = match (management, half) {
        (KeyManagement::EcdhEs | KeyManagement::EcdhEsA256Kw, Half::Private) => &["deriveBits", "deriveKey"],
        (KeyManagement::EcdhEs | KeyManagement::EcdhEsA256Kw, Half::Public) => &[],
        (KeyManagement::RsaOaep256, Half::Private) => &["decrypt", "unwrapKey"],
        (KeyManagement::RsaOaep256, Half::Public) => &["encrypt", "wrapKey"],
        (KeyManagement::A256Kw, _) => &["unwrapKey", "wrapKey"],
        (KeyManagement::Dir, _) => &["decrypt", "encrypt"],
    };
    let mut seen = Vec::new();
    for operation in operations {
        let operation = operation.as_str().ok_or(wrong_type("key_ops"))?;
        if !proper.contains(&operation) {
            return Err(KeyReject::NotForEncryption);
        }
        if seen.contains(&operation) {
            return Err(KeyReject::OperationsMismatch);
        }
        seen.push(operation);
    }
    if seen.is_empty() && !proper.is_empty() { Err(KeyReject::NotForEncryption) } else { Ok(()) }
}

/// The public half of a key that is no shared one.
pub(super) fn public_half(members: &Map<String, Value>) -> Result<PublicHalf, KeyReject> {
    match required(members, "kty")? {
        "oct" => Err(KeyReject::Symmetric),
        "RSA" => {
            let (n, e) = (bytes(members, "n")?, bytes(members, "e")?);
            hygiene::rsa(&n, &e)?;
            Ok(PublicHalf::Rsa { n, e })
        }
        _ => {
            let point = Point::read(members)?;
            point.check()?;
            Ok(PublicHalf::Agreement { curve: point.curve, point: point.bytes })
        }
    }
}

/// The RFC 7638 thumbprint of a public half.
pub(super) fn thumbprint(public: &PublicHalf) -> Result<KeyId, KeyReject> {
    let jwk = public.to_jwk();
    let member = |name: &str| jwk.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    // In the order of their names, over one exact text (RFC 7638 section 3.3).
    let body: Vec<String> = ["crv", "e", "kty", "n", "x", "y"]
        .into_iter()
        .filter(|name| jwk.get(name).is_some())
        .map(|name| format!("\"{name}\":\"{}\"", member(name)))
        .collect();
    let canonical = format!("{{{}}}", body.join(","));
    KeyId::parse(&BASE64URL_NOPAD.encode(digest(&SHA256, canonical.as_bytes()).as_ref()))
}
