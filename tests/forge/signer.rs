//! The keys a forge signs with.
//! In: an algorithm's name. Out: signatures, and the public key in every encoding somebody once took for a secret.

use aws_lc_rs::{
    encoding::{AsDer, PublicKeyX509Der},
    hmac,
    rand::SystemRandom,
    rsa::KeySize,
    signature::{
        ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
        KeyPair, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaKeyPair,
    },
};
use serde_json::{Value, json};

use super::base64;

/// A private key and its algorithm.
pub(crate) enum Signer {
    /// Ed25519.
    EdDsa(Ed25519KeyPair),
    /// ECDSA P-256.
    Es256(EcdsaKeyPair),
    /// RSA with PSS padding.
    Ps256(RsaKeyPair),
    /// RSA with PKCS #1 v1.5 padding.
    Rs256(RsaKeyPair),
}

impl Signer {
    /// A fresh key. `algorithm` is a JOSE name.
    pub(crate) fn generate(algorithm: &str) -> Self {
        let rsa = || RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        match algorithm {
            "EdDSA" => Self::EdDsa(Ed25519KeyPair::generate().unwrap()),
            "ES256" => Self::Es256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap()),
            "PS256" => Self::Ps256(rsa()),
            "RS256" => Self::Rs256(rsa()),
            other => panic!("no signer for {other}"),
        }
    }

    /// A P-256 key as core's key ring keeps it.
    pub(crate) fn es256_from_pkcs8(pkcs8: &[u8]) -> Self {
        Self::Es256(EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8).unwrap())
    }

    /// The JOSE name of the algorithm.
    pub(crate) fn algorithm(&self) -> &'static str {
        match self {
            Self::EdDsa(_) => "EdDSA",
            Self::Es256(_) => "ES256",
            Self::Ps256(_) => "PS256",
            Self::Rs256(_) => "RS256",
        }
    }

    /// A JWS signature.
    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        let rsa = |pair: &RsaKeyPair, padding| {
            let mut signature = vec![0; pair.public_modulus_len()];
            pair.sign(padding, &random, message, &mut signature).unwrap();
            signature
        };
        match self {
            Self::EdDsa(pair) => pair.sign(message).as_ref().to_vec(),
            Self::Es256(pair) => pair.sign(&random, message).unwrap().as_ref().to_vec(),
            Self::Ps256(pair) => rsa(pair, &RSA_PSS_SHA256),
            Self::Rs256(pair) => rsa(pair, &RSA_PKCS1_SHA256),
        }
    }

    /// The same ECDSA signature as an ASN.1 sequence, as certificates have it and JWS does not.
    pub(crate) fn sign_in_der(&self, message: &[u8]) -> Option<Vec<u8>> {
        let Self::Es256(pair) = self else { return None };
        let pkcs8 = pair.to_pkcs8v1().unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8.as_ref()).unwrap();
        Some(pair.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec())
    }

    /// The public key as a JWK, without `kid`.
    pub(crate) fn public_jwk(&self) -> Value {
        match self {
            Self::EdDsa(pair) => {
                json!({"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "x": base64(pair.public_key())})
            }
            Self::Es256(pair) => {
                let point = pair.public_key().as_ref();
                let (x, y) = (base64(&point[1..33]), base64(&point[33..]));
                json!({"kty": "EC", "crv": "P-256", "alg": "ES256", "x": x, "y": y})
            }
            Self::Ps256(pair) | Self::Rs256(pair) => {
                let (n, e) = modulus_and_exponent(pair.public_key().as_ref());
                json!({"kty": "RSA", "alg": self.algorithm(), "n": base64(n), "e": base64(e)})
            }
        }
    }

    /// The public key as SubjectPublicKeyInfo.
    pub(crate) fn public_der(&self) -> Vec<u8> {
        let der: PublicKeyX509Der<'_> = match self {
            Self::EdDsa(pair) => pair.public_key().as_der(),
            Self::Es256(pair) => pair.public_key().as_der(),
            Self::Ps256(pair) | Self::Rs256(pair) => pair.public_key().as_der(),
        }
        .unwrap();
        der.as_ref().to_vec()
    }

    /// The public key in its own encoding: an X9.62 point, 32 bytes, or RSAPublicKey.
    pub(crate) fn public_raw(&self) -> Vec<u8> {
        match self {
            Self::EdDsa(pair) => pair.public_key().as_ref().to_vec(),
            Self::Es256(pair) => pair.public_key().as_ref().to_vec(),
            Self::Ps256(pair) | Self::Rs256(pair) => pair.public_key().as_ref().to_vec(),
        }
    }
}

/// HMAC-SHA-256 under any secret.
pub(crate) fn hs256(secret: &[u8], message: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message).as_ref().to_vec()
}

/// The two INTEGERs of an RSAPublicKey SEQUENCE, without leading zeros.
fn modulus_and_exponent(der: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let (_, sequence, _) = tag_length_value(der);
    let (_, n, rest) = tag_length_value(sequence);
    let (_, e, _) = tag_length_value(rest);
    let significant = |bytes: &[u8]| bytes.iter().copied().skip_while(|byte| *byte == 0).collect();
    (significant(n), significant(e))
}

fn tag_length_value(der: &[u8]) -> (u8, &[u8], &[u8]) {
    let (length, start) = match usize::from(der[1]) {
        short @ 0..=0x7f => (short, 2),
        0x81 => (usize::from(der[2]), 3),
        0x82 => (usize::from(der[2]) << 8 | usize::from(der[3]), 4),
        other => panic!("an RSA key has no length of form {other:x}"),
    };
    (der[0], &der[start..start + length], &der[start + length..])
}
