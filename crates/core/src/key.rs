//! The key room: the only place where private keys exist. They are drawn here, sealed here before they go to a store,
//! unsealed here, and used here; nothing hands their bytes out.
//! In: a seal key from its file, sealed keys from a store. Out: signed JWTs and public keys.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{self, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RSA_PSS_SHA256,
};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};
use vestibule_verify::{Algorithm, KeyId, VerifyingKey};
use zeroize::Zeroizing;

use crate::fault::Fault;
use crate::time::Timestamp;

mod purpose;
mod recipient;
mod ring;
mod seal;

pub use purpose::KeyPurpose;
pub use recipient::RecipientPair;
pub use ring::{KeyRecord, KeyRing, KeyState, OVERLAP};
use seal::Bound;
pub use seal::{SealKey, SealedKey};

#[cfg(test)]
mod tests;

/// A private key that signs the JWTs of this installation: one key, one algorithm, one purpose. No Debug.
pub struct SigningKey {
    private: Private,
    public: VerifyingKey,
    /// `base64url({"alg","kid","typ"})` and the dot behind it: the same for every JWT this key signs.
    header: String,
}

enum Private {
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(rsa::KeyPair),
}

impl SigningKey {
    /// Draws a new key and seals it for the store. RSA keys have 3072 bits and take a second or so.
    ///
    /// HS256 is refused: a service could sign with what it verifies with.
    pub fn generate(
        purpose: KeyPurpose,
        algorithm: Algorithm,
        seal: &SealKey,
        nonce: [u8; 12],
    ) -> Result<(Self, SealedKey), Fault> {
        let private = match algorithm {
            Algorithm::Es256 => EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map(Private::Ecdsa),
            Algorithm::EdDsa => Ed25519KeyPair::generate().map(Private::Ed25519),
            Algorithm::Ps256 | Algorithm::Rs256 => rsa::KeyPair::generate(KeySize::Rsa3072).map(Private::Rsa),
            _ => return Err(Fault::Bug("this algorithm does not sign for services")),
        };
        let private =
            private.map_err(|_| Fault::unavailable("the key generator", "no key could be drawn"))?;
        let key = Self::from_private(private, algorithm)?;
        let bound = Bound { purpose, algorithm, key_id: key.key_id() };
        let sealed = seal.seal(&key.private.to_pkcs8()?, bound, nonce)?;
        Ok((key, sealed))
    }

    /// Opens a sealed key; a seal that does not fit the key file, the key id, the algorithm or the purpose is corrupt.
    pub fn unseal(record: &KeyRecord, seal: &SealKey) -> Result<Self, Fault> {
        let KeyRecord { key_id, purpose, algorithm, sealed, .. } = record;
        let (purpose, algorithm) = (*purpose, *algorithm);
        let pkcs8 = seal.unseal(sealed, Bound { purpose, algorithm, key_id })?;
        let private = match algorithm {
            Algorithm::Es256 => {
                EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &pkcs8).map(Private::Ecdsa)
            }
            Algorithm::EdDsa => Ed25519KeyPair::from_pkcs8(&pkcs8).map(Private::Ed25519),
            Algorithm::Ps256 | Algorithm::Rs256 => rsa::KeyPair::from_pkcs8(&pkcs8).map(Private::Rsa),
            _ => return Err(Fault::Bug("this algorithm does not sign for services")),
        };
        let private = private.map_err(|cause| Fault::corrupt("a sealed signing key", cause.to_string()))?;
        let key = Self::from_private(private, algorithm)?;
        if key.key_id() != key_id {
            return Err(Fault::corrupt(
                "a sealed signing key",
                "its thumbprint is not the key id it is stored under",
            ));
        }
        Ok(key)
    }

    /// The key's RFC 7638 thumbprint: the `kid` of every JWT it signs.
    pub fn key_id(&self) -> &KeyId {
        self.public.key_id()
    }

    /// The one algorithm this key signs with.
    pub fn algorithm(&self) -> Algorithm {
        self.public.algorithm()
    }

    /// The public half.
    pub fn public(&self) -> &VerifyingKey {
        &self.public
    }

    /// Signs a claims set as an `at+jwt` in compact form (RFC 7515 section 7.1, RFC 9068 section 2.1).
    ///
    /// ECDSA nonces come from the cryptographic library's own generator, seeded by the operating system.
    pub fn sign_jwt(&self, claims: &Value) -> Result<String, Fault> {
        self.sign_under(&self.header, claims)
    }

    /// The same with another `typ`: for what is no access token.
    pub fn sign_as(&self, typ: &str, claims: &Value) -> Result<String, Fault> {
        self.sign_under(&header(&self.public, typ), claims)
    }

    fn sign_under(&self, header: &str, claims: &Value) -> Result<String, Fault> {
        let payload = claims.to_string();
        let mut jwt = String::with_capacity(header.len() + payload.len() * 4 / 3 + 520);
        jwt.push_str(header);
        BASE64URL_NOPAD.encode_append(payload.as_bytes(), &mut jwt);
        let signature = self.private.sign(jwt.as_bytes(), self.algorithm())?;
        jwt.push('.');
        BASE64URL_NOPAD.encode_append(&signature, &mut jwt);
        Ok(jwt)
    }

    /// How many bytes of claims fit into a JWT of so many bytes: header, dots and signature always take the same.
    pub fn room_for_claims(&self, jwt_bytes: usize) -> usize {
        let signature = (self.private.signature_length() * 4).div_ceil(3);
        jwt_bytes.saturating_sub(self.header.len() + 1 + signature) * 3 / 4
    }

    fn from_private(private: Private, algorithm: Algorithm) -> Result<Self, Fault> {
        let public = VerifyingKey::from_jwk(&private.public_jwk(algorithm)?)
            .map_err(|cause| Fault::corrupt("a signing key", cause.to_string()))?;
        let header = header(&public, "at+jwt");
        Ok(Self { private, public, header })
    }
}

impl KeyRecord {
    /// A new key, sealed for the store, that signs from `at` on. RSA keys take a second or so.
    pub fn generate(
        purpose: KeyPurpose,
        algorithm: Algorithm,
        seal: &SealKey,
        nonce: [u8; 12],
        at: Timestamp,
    ) -> Result<Self, Fault> {
        let (key, sealed) = SigningKey::generate(purpose, algorithm, seal, nonce)?;
        let key_id = key.key_id().clone();
        Ok(Self { key_id, purpose, algorithm, sealed, created_at: at, active_from: at, gone_at: None })
    }
}

/// The header of everything that a key signs under one `typ`, encoded, with its dot.
fn header(public: &VerifyingKey, typ: &str) -> String {
    let header = json!({ "alg": public.algorithm().name(), "kid": public.key_id().as_str(), "typ": typ });
    format!("{}.", BASE64URL_NOPAD.encode(header.to_string().as_bytes()))
}

impl Private {
    fn public_jwk(&self, algorithm: Algorithm) -> Result<Value, Fault> {
        let text = |bytes: &[u8]| BASE64URL_NOPAD.encode(bytes);
        let mut jwk = match self {
            Self::Ecdsa(key) => {
                // SEC 1 uncompressed point: 0x04, x, y.
                let point = key.public_key().as_ref();
                let (x, y) = match (point.get(1..33), point.get(33..65)) {
                    (Some(x), Some(y)) if point.len() == 65 => (x, y),
                    _ => return Err(Fault::Bug("a P-256 public key is not an uncompressed point")),
                };
                json!({ "kty": "EC", "crv": "P-256", "x": text(x), "y": text(y) })
            }
            Self::Ed25519(key) => {
                json!({ "kty": "OKP", "crv": "Ed25519", "x": text(key.public_key().as_ref()) })
            }
            Self::Rsa(key) => {
                let public = key.public_key();
                let n = public.modulus().big_endian_without_leading_zero();
                let e = public.exponent().big_endian_without_leading_zero();
                json!({ "kty": "RSA", "n": text(n), "e": text(e) })
            }
        };
        if let Value::Object(members) = &mut jwk {
            members.insert("alg".into(), algorithm.name().into());
            members.insert("use".into(), "sig".into());
        }
        Ok(jwk)
    }

    fn signature_length(&self) -> usize {
        match self {
            Self::Ecdsa(_) | Self::Ed25519(_) => 64,
            Self::Rsa(key) => key.public_modulus_len(),
        }
    }

    fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, Fault> {
        let failed = |_| Fault::Bug("a private key could not be serialised");
        let bytes = match self {
            Self::Ecdsa(key) => key.to_pkcs8v1().map_err(failed)?.as_ref().to_vec(),
            Self::Ed25519(key) => key.to_pkcs8v1().map_err(failed)?.as_ref().to_vec(),
            Self::Rsa(key) => AsDer::<Pkcs8V1Der<'_>>::as_der(key).map_err(failed)?.as_ref().to_vec(),
        };
        Ok(Zeroizing::new(bytes))
    }

    fn sign(&self, message: &[u8], algorithm: Algorithm) -> Result<Vec<u8>, Fault> {
        let random = SystemRandom::new();
        let failed = |_| Fault::Bug("a signature could not be made");
        match self {
            Self::Ecdsa(key) => Ok(key.sign(&random, message).map_err(failed)?.as_ref().to_vec()),
            Self::Ed25519(key) => Ok(key.sign(message).as_ref().to_vec()),
            Self::Rsa(key) => {
                let padding = if algorithm == Algorithm::Ps256 { &RSA_PSS_SHA256 } else { &RSA_PKCS1_SHA256 };
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(padding, &random, message, &mut signature).map_err(failed)?;
                Ok(signature)
            }
        }
    }
}
