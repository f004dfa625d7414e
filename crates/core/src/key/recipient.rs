//! Keys for services that want their JWTs encrypted: drawn for them, handed out once, and not kept.
//! In: an algorithm and a curve. Out: both halves as JWKs.

use aws_lc_rs::agreement::{self, PrivateKey};
use aws_lc_rs::encoding::{AsBigEndian, Curve25519SeedBin, EcPrivateKeyBin};
use aws_lc_rs::error::Unspecified;
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};
use vestibule_verify::jwe::{Curve, KeyManagement, RecipientKey};
use zeroize::Zeroizing;

use crate::fault::Fault;

/// A key pair of a service. No Debug.
pub struct RecipientPair {
    /// What the service decrypts with, and nobody else.
    pub private_jwk: Zeroizing<String>,
    /// What its JWTs are encrypted to.
    pub public_jwk: String,
}

impl RecipientPair {
    /// Draws a pair, named by its thumbprint.
    pub fn generate(management: KeyManagement, curve: Curve) -> Result<Self, Fault> {
        let algorithm = match curve {
            Curve::P256 => &agreement::ECDH_P256,
            Curve::P384 => &agreement::ECDH_P384,
            Curve::P521 => &agreement::ECDH_P521,
            Curve::X25519 => &agreement::X25519,
            _ => return Err(Fault::Bug("nothing is agreed on this curve")),
        };
        if !management.is_agreement() {
            return Err(Fault::Bug("no key can be agreed on by this algorithm"));
        }
        let failed = |_| Fault::unavailable("the key generator", "no key could be drawn");
        let private = PrivateKey::generate(algorithm).map_err(failed)?;
        let mut jwk = curve.to_jwk(private.compute_public_key().map_err(failed)?.as_ref());
        let mut say = |member: &str, value: Value| {
            if let Value::Object(members) = &mut jwk {
                members.insert(member.to_owned(), value);
            }
        };
        say("alg", json!(management.name()));
        say("use", json!("enc"));
        let unnamed = RecipientKey::from_jwk_text(&jwk.to_string())
            .map_err(|_| Fault::Bug("a key that was drawn here is none"))?;
        let named = unnamed.to_jwk().to_string();
        let secret = scalar(&private, curve).map_err(failed)?;
        // By hand, so that no copy of the secret is left behind in a tree of values.
        let body = named.strip_suffix('}').ok_or(Fault::Bug("a JWK is no object"))?;
        let mut private_jwk = Zeroizing::new(String::with_capacity(named.len() + secret.len() + 8));
        for part in [body, ",\"d\":\"", &secret, "\"}"] {
            private_jwk.push_str(part);
        }
        Ok(Self { private_jwk, public_jwk: named })
    }
}

fn scalar(private: &PrivateKey, curve: Curve) -> Result<Zeroizing<String>, Unspecified> {
    let text = |bytes: &[u8]| Zeroizing::new(BASE64URL_NOPAD.encode(bytes));
    if curve == Curve::X25519 {
        let seed: Curve25519SeedBin<'_> = private.as_be_bytes()?;
        return Ok(text(seed.as_ref()));
    }
    let scalar: EcPrivateKeyBin<'_> = private.as_be_bytes()?;
    Ok(text(scalar.as_ref()))
}

#[cfg(test)]
mod tests {
    use vestibule_verify::jwe::DecryptionKey;

    use super::*;

    #[test]
    fn both_halves_are_of_one_key_and_of_one_name() {
        for curve in [Curve::P256, Curve::P384, Curve::P521, Curve::X25519] {
            for management in [KeyManagement::EcdhEs, KeyManagement::EcdhEsA256Kw] {
                let pair = RecipientPair::generate(management, curve).unwrap();
                let private = DecryptionKey::from_jwk_text(&pair.private_jwk).unwrap();
                let public = RecipientKey::from_jwk_text(&pair.public_jwk).unwrap();
                assert_eq!(private.recipient().unwrap().to_jwk(), public.to_jwk(), "{management} {curve:?}");
                assert_eq!(public.key_id().as_str().len(), 43);
                let other = RecipientPair::generate(management, curve).unwrap();
                assert_ne!(pair.public_jwk, other.public_jwk);
            }
        }
        assert!(RecipientPair::generate(KeyManagement::RsaOaep256, Curve::P256).is_err());
    }
}
