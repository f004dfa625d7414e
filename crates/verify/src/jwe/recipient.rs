//! The key of somebody to whom tokens are encrypted: the public half, looked at as closely as a key that verifies.
//! In: a public JWK. Out: what who encrypts needs. This crate encrypts nothing.

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Map, Value, json};

use super::{
    Curve, KeyManagement,
    jwk::{Common, Half, public_half, thumbprint},
};
use crate::{
    jwk::{MAX_JWK_BYTES, PRIVATE_MEMBERS, required},
    key::KeyId,
    key_reject::KeyReject,
    strict_json::{self, Limits},
};

/// The public key of a recipient, and the one algorithm by which content keys reach it.
#[derive(Clone, Debug)]
pub struct RecipientKey {
    key_id: KeyId,
    management: KeyManagement,
    public: PublicHalf,
}

/// What there is to encrypt with.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum PublicHalf {
    /// To agree on a key.
    Agreement {
        /// On which curve.
        curve: Curve,
        /// For NIST's curves uncompressed: `04`, x, y; for X25519 the u coordinate, in little endian.
        point: Vec<u8>,
    },
    /// To encrypt a key to.
    Rsa {
        /// The modulus, in big endian without leading zeros.
        n: Vec<u8>,
        /// The exponent, in big endian without leading zeros.
        e: Vec<u8>,
    },
}

impl RecipientKey {
    /// Imports a public JWK from its text, by strict JSON rules. It has an `alg`; without `kid` it is named by its RFC 7638 thumbprint.
    ///
    /// # Errors
    /// The first rule the JWK breaks: [`KeyReject::PrivateMaterial`] and [`KeyReject::Symmetric`] before anything else, because such a
    /// key has come to where it must never be.
    pub fn from_jwk_text(jwk: &str) -> Result<Self, KeyReject> {
        let limits = Limits { bytes: MAX_JWK_BYTES, ..Limits::JOSE };
        let members = strict_json::parse_object(jwk.as_bytes(), limits).map_err(KeyReject::KeyJson)?;
        if required(&members, "kty")? == "oct" {
            return Err(KeyReject::Symmetric);
        }
        if PRIVATE_MEMBERS.iter().any(|member| members.contains_key(*member)) {
            return Err(KeyReject::PrivateMaterial);
        }
        Self::read(&members, Half::Public)
    }

    pub(super) fn read(members: &Map<String, Value>, half: Half) -> Result<Self, KeyReject> {
        let Common { key_id, management, .. } = Common::read(members, half)?;
        let public = public_half(members)?;
        let key_id = match key_id {
            Some(key_id) => key_id,
            None => thumbprint(&public)?,
        };
        Ok(Self { key_id, management, public })
    }

    /// The key's name.
    #[must_use]
    pub fn key_id(&self) -> &KeyId {
        &self.key_id
    }

    /// How content keys reach it.
    #[must_use]
    pub fn management(&self) -> KeyManagement {
        self.management
    }

    /// What there is to encrypt with.
    #[must_use]
    pub fn public(&self) -> &PublicHalf {
        &self.public
    }

    /// The public JWK, with `kid`, `alg` and `use`.
    #[must_use]
    pub fn to_jwk(&self) -> Value {
        let mut jwk = self.public.to_jwk();
        if let Value::Object(members) = &mut jwk {
            members.insert("kid".to_owned(), json!(self.key_id.as_str()));
            members.insert("alg".to_owned(), json!(self.management.name()));
            members.insert("use".to_owned(), json!("enc"));
        }
        jwk
    }
}

impl PublicHalf {
    /// The members that every JWK of it has.
    pub(super) fn to_jwk(&self) -> Value {
        let text = |bytes: &[u8]| BASE64URL_NOPAD.encode(bytes);
        match self {
            Self::Agreement { curve, point } => curve.to_jwk(point),
            Self::Rsa { n, e } => json!({ "kty": "RSA", "n": text(n), "e": text(e) }),
        }
    }
}
