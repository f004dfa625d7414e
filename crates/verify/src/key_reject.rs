//! Every way a key or a set of keys can be refused at import.
//! In: nothing; these are answers. Out: a stable code and one plain sentence.
//! A bad key found at import costs a log line; found later it costs the house.

use crate::{reject::MemberFault, strict_json::JsonReject};

/// Why a key, or a whole set, was refused.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyReject {
    /// `alg` does not belong to this `kty` and `crv`.
    #[error("the key's alg does not fit its kty and crv")]
    AlgorithmMismatch,
    /// A key without `alg` where more than one would fit: one key has one algorithm.
    #[error("the key needs an alg: more than one would fit, and one key has one")]
    AlgorithmMissing,
    /// `alg` is none of ours.
    #[error("the key's alg is not supported")]
    AlgorithmUnsupported,
    /// `crv` is none of ours.
    #[error("the key's curve is not supported")]
    CurveUnsupported,
    /// A member is not canonical base64url, or has leading zero octets where none may be.
    #[error("the key's member {0} is not canonically encoded")]
    Encoding(&'static str),
    /// Two keys of a set have the same `kid`.
    #[error("two keys of the set have the same kid")]
    KeyIdDuplicate,
    /// `kid` is empty, longer than 128 characters, or not visible ASCII.
    #[error("the kid is empty, too long, or not visible ASCII")]
    KeyIdMalformed,
    /// Not strict JSON.
    #[error("the key is refused: {0}")]
    KeyJson(JsonReject),
    /// `kty` is none of ours.
    #[error("the key's type is not supported")]
    KeyTypeUnsupported,
    /// A coordinate has the wrong length.
    #[error("the key's member {0} has the wrong length")]
    Length(&'static str),
    /// The private half is not the one of the public half.
    #[error("the key's private and public members are not of one key")]
    HalvesMismatch,
    /// A member is missing or of the wrong type.
    #[error("the key's member {member} {reason}")]
    Member {
        /// The member's name.
        member: &'static str,
        /// What is wrong with it.
        reason: MemberFault,
    },
    /// Symmetric and asymmetric keys in one set: the way to algorithm confusion.
    #[error("the set mixes symmetric and asymmetric keys")]
    MixedSymmetry,
    /// Not one key of the set can be used here.
    #[error("the set has no key that can be used")]
    NoUsableKey,
    /// `use` or `key_ops` speak of something other than encryption.
    #[error("the key is not meant for encryption")]
    NotForEncryption,
    /// `use` or `key_ops` speak of something other than verifying signatures.
    #[error("the key is not meant for verifying signatures")]
    NotForVerifying,
    /// The coordinates are not a point of the curve.
    #[error("the key is not a point on its curve")]
    NotOnCurve,
    /// `use` and `key_ops` contradict each other, or `key_ops` has more than the purpose asks for.
    #[error("the key's use and key_ops contradict each other")]
    OperationsMismatch,
    /// The key carries private members: it has been published by mistake and must be considered lost.
    #[error("the key carries private members")]
    PrivateMaterial,
    /// `e` is even, smaller than 65537 or longer than 32 bits.
    #[error("the RSA exponent is not acceptable")]
    RsaExponent,
    /// `n` is even, has a small factor, or is otherwise no RSA modulus.
    #[error("the RSA modulus is not acceptable")]
    RsaModulus,
    /// `n` has the fingerprint of CVE-2017-15361.
    #[error("the RSA key was made by a broken generator (ROCA)")]
    RsaRoca,
    /// `n` has more than 8192 bits.
    #[error("the RSA key is too large")]
    RsaTooLarge,
    /// `n` has fewer than 2048 bits.
    #[error("the RSA key is too small")]
    RsaTooSmall,
    /// The shared secret has too few different bytes to be random.
    #[error("the shared secret is guessable")]
    SecretGuessable,
    /// The shared secret is a public key in PEM, DER or JSON.
    #[error("the shared secret is a public key")]
    SecretIsPublicKey,
    /// The shared secret is shorter than the hash (RFC 7518 §3.2).
    #[error("the shared secret is too short")]
    SecretTooShort,
    /// The set's text is too large, or it has too many keys.
    #[error("the set of keys is too large")]
    SetTooLarge,
    /// A point of small order, under which anybody can make signatures, or know what is agreed on.
    #[error("the key is a point of small order")]
    SmallOrder,
    /// A symmetric key where only public keys may be.
    #[error("a symmetric key has no place in a JWK set")]
    Symmetric,
}

impl KeyReject {
    /// A short stable name, fit for a metric label.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::AlgorithmMismatch => "key-alg-mismatch",
            Self::AlgorithmMissing => "key-alg-missing",
            Self::AlgorithmUnsupported => "key-alg-unsupported",
            Self::CurveUnsupported => "key-curve-unsupported",
            Self::Encoding(_) => "key-encoding",
            Self::HalvesMismatch => "key-halves-mismatch",
            Self::KeyIdDuplicate => "key-id-duplicate",
            Self::KeyIdMalformed => "key-id-malformed",
            Self::KeyJson(_) => "key-json",
            Self::KeyTypeUnsupported => "key-type-unsupported",
            Self::Length(_) => "key-length",
            Self::Member { .. } => "key-member",
            Self::MixedSymmetry => "key-mixed-symmetry",
            Self::NoUsableKey => "key-none-usable",
            Self::NotForEncryption => "key-not-for-encryption",
            Self::NotForVerifying => "key-not-for-verifying",
            Self::NotOnCurve => "key-not-on-curve",
            Self::OperationsMismatch => "key-operations-mismatch",
            Self::PrivateMaterial => "key-private-material",
            Self::RsaExponent => "key-rsa-exponent",
            Self::RsaModulus => "key-rsa-modulus",
            Self::RsaRoca => "key-rsa-roca",
            Self::RsaTooLarge => "key-rsa-too-large",
            Self::RsaTooSmall => "key-rsa-too-small",
            Self::SecretGuessable => "key-secret-guessable",
            Self::SecretIsPublicKey => "key-secret-is-public-key",
            Self::SecretTooShort => "key-secret-too-short",
            Self::SetTooLarge => "key-set-too-large",
            Self::SmallOrder => "key-small-order",
            Self::Symmetric => "key-symmetric",
        }
    }

    /// Whether the key is merely not for us: a set is read without it (RFC 7517 §5).
    pub(crate) fn is_foreign(self) -> bool {
        matches!(
            self,
            Self::AlgorithmUnsupported
                | Self::CurveUnsupported
                | Self::KeyTypeUnsupported
                | Self::NotForVerifying
        )
    }
}
