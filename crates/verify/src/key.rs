//! One key that verifies, and the one algorithm it verifies with.
//! In: public key bytes, or a secret where issuer and verifier are one. Out: a yes or no per signature.
//! No private key ever enters this crate.

use std::{fmt, sync::Arc};

use aws_lc_rs::{
    digest::{SHA256, digest},
    hmac,
    signature::{
        ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256,
        RSA_PSS_2048_8192_SHA256, RsaParameters, RsaPublicKeyComponents,
    },
};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

use crate::{algorithm::Algorithm, hygiene, key_reject::KeyReject, reject::Reject};

/// The name of a key: opaque, compared exactly, 1 to 128 visible ASCII characters.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct KeyId(String);

impl KeyId {
    /// The longest key id, in characters.
    pub const MAX_CHARS: usize = 128;

    /// Takes a `kid` as it is written.
    ///
    /// # Errors
    /// [`KeyReject::KeyIdMalformed`].
    pub fn parse(text: &str) -> Result<Self, KeyReject> {
        let fits = (1..=Self::MAX_CHARS).contains(&text.len());
        if fits && text.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(KeyReject::KeyIdMalformed)
        }
    }

    /// The text of the `kid`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A key that verifies signatures of one algorithm. Parsed once; cheap to clone.
#[derive(Clone)]
pub struct VerifyingKey {
    key_id: KeyId,
    material: Arc<Material>,
}

enum Material {
    Ed25519 { public: [u8; 32], parsed: ParsedPublicKey },
    Es256 { point: [u8; 65], parsed: ParsedPublicKey },
    Hs256 { secret: Box<hmac::Key> },
    Rsa { algorithm: Algorithm, n: Vec<u8>, e: Vec<u8>, parsed: ParsedPublicKey },
}

impl VerifyingKey {
    /// An Ed25519 public key (RFC 8032 §5.1.5). Its `kid` is its thumbprint.
    ///
    /// # Errors
    /// [`KeyReject::SmallOrder`] or [`KeyReject::NotOnCurve`].
    pub fn ed25519(public: &[u8; 32]) -> Result<Self, KeyReject> {
        hygiene::ed25519(public)?;
        let parsed = ParsedPublicKey::new(&ED25519, public).map_err(|_| KeyReject::NotOnCurve)?;
        Ok(Self::public(Material::Ed25519 { public: *public, parsed }))
    }

    /// A P-256 public key as an uncompressed point: `04`, x, y (SEC 1 §2.3.3). Its `kid` is its thumbprint.
    ///
    /// # Errors
    /// [`KeyReject::NotOnCurve`].
    pub fn es256(point: &[u8; 65]) -> Result<Self, KeyReject> {
        if point.first() != Some(&4) {
            return Err(KeyReject::NotOnCurve);
        }
        let parsed =
            ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).map_err(|_| KeyReject::NotOnCurve)?;
        Ok(Self::public(Material::Es256 { point: *point, parsed }))
    }

    /// An RSA public key for RSASSA-PSS; `n` and `e` big-endian without leading zeros.
    ///
    /// # Errors
    /// The rule of RSA hygiene that was broken.
    pub fn ps256(n: &[u8], e: &[u8]) -> Result<Self, KeyReject> {
        Self::rsa(Algorithm::Ps256, &RSA_PSS_2048_8192_SHA256, n, e)
    }

    /// An RSA public key for RSASSA-PKCS1-v1_5; `n` and `e` big-endian without leading zeros.
    ///
    /// # Errors
    /// The rule of RSA hygiene that was broken.
    pub fn rs256(n: &[u8], e: &[u8]) -> Result<Self, KeyReject> {
        Self::rsa(Algorithm::Rs256, &RSA_PKCS1_2048_8192_SHA256, n, e)
    }

    /// A shared secret, for the one case in which nobody else verifies: whoever can check an HMAC
    /// can also make one. Such a key is never read from a JWK and never written to one.
    ///
    /// # Errors
    /// [`KeyReject::SecretTooShort`], [`KeyReject::SecretGuessable`], [`KeyReject::SecretIsPublicKey`].
    pub fn hs256_where_issuer_is_verifier(key_id: KeyId, secret: &[u8]) -> Result<Self, KeyReject> {
        hygiene::secret(secret)?;
        let secret = Box::new(hmac::Key::new(hmac::HMAC_SHA256, secret));
        Ok(Self { key_id, material: Arc::new(Material::Hs256 { secret }) })
    }

    /// The same key under another name.
    #[must_use]
    pub fn with_key_id(self, key_id: KeyId) -> Self {
        Self { key_id, ..self }
    }

    /// The one algorithm of this key.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        match &*self.material {
            Material::Ed25519 { .. } => Algorithm::EdDsa,
            Material::Es256 { .. } => Algorithm::Es256,
            Material::Hs256 { .. } => Algorithm::Hs256,
            Material::Rsa { algorithm, .. } => *algorithm,
        }
    }

    /// The key's name.
    #[must_use]
    pub fn key_id(&self) -> &KeyId {
        &self.key_id
    }

    /// The RFC 7638 thumbprint (SHA-256, base64url), or `None` for a shared secret, whose digest is
    /// nobody's business.
    #[must_use]
    pub fn thumbprint(&self) -> Option<KeyId> {
        self.material.thumbprint()
    }

    /// The public JWK, with `kid`, `alg` and `use`. Of a shared secret it shows only that it exists.
    #[must_use]
    pub fn to_jwk(&self) -> Value {
        let mut jwk = self.material.public_members();
        if let Value::Object(members) = &mut jwk {
            members.insert("kid".to_owned(), json!(self.key_id.as_str()));
            members.insert("alg".to_owned(), json!(self.algorithm().name()));
            members.insert("use".to_owned(), json!("sig"));
        }
        jwk
    }

    /// Checks one signature over raw bytes (for ECDSA: r and s, 32 bytes each, RFC 7518 §3.4). A yes says nothing about
    /// what was signed: use [`crate::Verifier`] for tokens.
    ///
    /// # Errors
    /// [`Reject::Signature`].
    pub fn check(&self, message: &[u8], signature: &[u8]) -> Result<(), Reject> {
        let checked = match &*self.material {
            Material::Ed25519 { parsed, .. }
            | Material::Es256 { parsed, .. }
            | Material::Rsa { parsed, .. } => parsed.verify_sig(message, signature),
            Material::Hs256 { secret } => hmac::verify(secret, message, signature),
        };
        checked.map_err(|_| Reject::Signature)
    }

    fn rsa(
        algorithm: Algorithm,
        parameters: &'static RsaParameters,
        n: &[u8],
        e: &[u8],
    ) -> Result<Self, KeyReject> {
        hygiene::rsa(n, e)?;
        let parsed = RsaPublicKeyComponents { n, e }
            .to_parsed_public_key(parameters)
            .map_err(|_| KeyReject::RsaModulus)?;
        Ok(Self::public(Material::Rsa { algorithm, n: n.to_vec(), e: e.to_vec(), parsed }))
    }

    fn public(material: Material) -> Self {
        // A thumbprint is 43 characters of base64url, which every public key has.
        let key_id = material.thumbprint().unwrap_or_else(|| KeyId(String::new()));
        Self { key_id, material: Arc::new(material) }
    }
}

impl Material {
    /// The members RFC 7638 §3.2 hashes, which are also all that a public JWK must have.
    fn public_members(&self) -> Value {
        let text = |bytes: &[u8]| BASE64URL_NOPAD.encode(bytes);
        match self {
            Self::Ed25519 { public, .. } => {
                json!({"crv": "Ed25519", "kty": "OKP", "x": text(public)})
            }
            Self::Es256 { point, .. } => {
                let (x, y) = point.split_at(33);
                let x = x.split_at(1).1;
                json!({"crv": "P-256", "kty": "EC", "x": text(x), "y": text(y)})
            }
            Self::Hs256 { .. } => json!({"kty": "oct"}),
            Self::Rsa { n, e, .. } => json!({"e": text(e), "kty": "RSA", "n": text(n)}),
        }
    }

    fn thumbprint(&self) -> Option<KeyId> {
        // Written by hand: the thumbprint is a hash over one exact text, members in this order
        // (RFC 7638 §3.3), whatever order serde_json's maps happen to have in this build.
        let members = self.public_members();
        let member = |name: &str| members.get(name).and_then(Value::as_str).unwrap_or_default();
        let order: &[&str] = match self {
            Self::Ed25519 { .. } => &["crv", "kty", "x"],
            Self::Es256 { .. } => &["crv", "kty", "x", "y"],
            Self::Hs256 { .. } => return None,
            Self::Rsa { .. } => &["e", "kty", "n"],
        };
        let body: Vec<String> = order.iter().map(|name| format!("\"{name}\":\"{}\"", member(name))).collect();
        let canonical = format!("{{{}}}", body.join(","));
        Some(KeyId(BASE64URL_NOPAD.encode(digest(&SHA256, canonical.as_bytes()).as_ref())))
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyingKey")
            .field("key_id", &self.key_id)
            .field("algorithm", &self.algorithm())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
