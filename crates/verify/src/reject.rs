//! Every way a JWT can be refused.
//! In: nothing; these are answers. Out: a stable code for metrics and one plain sentence for people.
//! Say less than this to the caller who presented the JWT: all of them look the same from outside.

use crate::strict_json::JsonReject;

/// Why a JWT was refused. A refusal is an answer, not a failure: nothing here means *could not tell*.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Reject {
    /// The header's `alg` is not the one algorithm of the key it names (RFC 8725 §3.1).
    #[error("the algorithm is not the one of the key")]
    AlgorithmMismatch,
    /// The header's `alg` is none of ours; `none` lands here in every spelling.
    #[error("the algorithm is not supported")]
    AlgorithmUnsupported,
    /// A claim is missing, of the wrong type, out of range, or not the one asked for.
    #[error("the claim {claim} {reason}")]
    Claim {
        /// The claim's name.
        claim: &'static str,
        /// What is wrong with it.
        reason: MemberFault,
    },
    /// The payload is not one strict JSON object.
    #[error("the claims are refused: {0}")]
    ClaimsJson(JsonReject),
    /// The header has `zip`: a JWS is never compressed.
    #[error("the header asks for compression")]
    Compressed,
    /// The header has `crit` (RFC 7515 §4.1.11): no extension is understood here.
    #[error("the header demands an extension")]
    Critical,
    /// No key of the recipient's has this `kid`, or there is no `kid` and more than one key.
    #[error("the key to decrypt with is unknown")]
    DecryptionKeyUnknown,
    /// The token was not encrypted to this key, or not as it stands: nothing tells which (RFC 7516 §11.5).
    #[error("the token cannot be decrypted")]
    Decryption,
    /// A segment is not canonical base64url without padding (RFC 7515 §2).
    #[error("a segment is not canonical base64url")]
    Encoding,
    /// Five segments: a JWE, which is not a signed token.
    #[error("the text is an encrypted token, not a signed one")]
    Encrypted,
    /// `exp` has passed.
    #[error("the token has expired")]
    Expired,
    /// A header member is missing or of the wrong type.
    #[error("the header member {member} {reason}")]
    Header {
        /// The member's name.
        member: &'static str,
        /// What is wrong with it.
        reason: MemberFault,
    },
    /// The header has a member that has no business there.
    #[error("the header has a member that is not understood")]
    HeaderMember,
    /// The header is not one strict JSON object.
    #[error("the header is refused: {0}")]
    HeaderJson(JsonReject),
    /// The header is longer than [`crate::MAX_HEADER_BYTES`].
    #[error("the header is too large")]
    HeaderTooLarge,
    /// `iat` lies in the future.
    #[error("the token was issued in the future")]
    IssuedInFuture,
    /// The header brings or points to a key of its own (`jwk`, `jku`, `x5u`, `x5c`, `x5t`).
    #[error("the header brings its own key")]
    KeyInHeader,
    /// No key of the set has this `kid`.
    #[error("the key is unknown")]
    KeyUnknown,
    /// A part of an encrypted token is longer or shorter than its algorithms make it.
    #[error("a part of the encrypted token has the wrong length")]
    Length,
    /// The token lives longer than the verifier allows.
    #[error("the token lives too long")]
    LifetimeTooLong,
    /// A signed token that everybody can read, where an encrypted one is demanded.
    #[error("the text is a signed token that is not encrypted")]
    NotEncrypted,
    /// `nbf` lies in the future.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// The session, the subject or everyone was revoked.
    #[error("the token was revoked")]
    Revoked,
    /// Neither three segments nor five.
    #[error("the text is not a compact JWS of three segments")]
    Segments,
    /// The signature does not fit.
    #[error("the signature is wrong")]
    Signature,
    /// The text is longer than [`crate::MAX_JWT_BYTES`].
    #[error("the token is too large")]
    TooLarge,
    /// The header has `b64` (RFC 7797): a JWT's payload is always encoded.
    #[error("the header asks for an unencoded payload")]
    UnencodedPayload,
}

/// What is wrong with one member of a header or of the claims.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum MemberFault {
    /// It has a value, and the verifier asked for another.
    Mismatch,
    /// It is required and absent.
    Missing,
    /// It has the right type and an impossible value: negative, beyond the year 9999, empty, too long.
    OutOfRange,
    /// It has the wrong JSON type.
    WrongType,
}

impl Reject {
    /// A short stable name, fit for a metric label.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::AlgorithmMismatch => "alg-mismatch",
            Self::AlgorithmUnsupported => "alg-unsupported",
            Self::Claim { reason: MemberFault::Mismatch, .. } => "claim-mismatch",
            Self::Claim { reason: MemberFault::Missing, .. } => "claim-missing",
            Self::Claim { reason: MemberFault::OutOfRange, .. } => "claim-range",
            Self::Claim { reason: MemberFault::WrongType, .. } => "claim-type",
            Self::ClaimsJson(JsonReject::Depth) => "claims-json-depth",
            Self::ClaimsJson(JsonReject::Duplicate) => "claims-json-duplicate",
            Self::ClaimsJson(JsonReject::Members) => "claims-json-members",
            Self::ClaimsJson(_) => "claims-json",
            Self::Compressed => "compressed",
            Self::Critical => "crit",
            Self::DecryptionKeyUnknown => "decryption-key-unknown",
            Self::Decryption => "decryption",
            Self::Encoding => "encoding",
            Self::Encrypted => "encrypted",
            Self::Expired => "expired",
            Self::Header { reason: MemberFault::Mismatch, .. } => "header-mismatch",
            Self::Header { reason: MemberFault::Missing, .. } => "header-missing",
            Self::Header { reason: MemberFault::OutOfRange, .. } => "header-range",
            Self::Header { reason: MemberFault::WrongType, .. } => "header-type",
            Self::HeaderMember => "header-member",
            Self::HeaderJson(JsonReject::Depth) => "header-json-depth",
            Self::HeaderJson(JsonReject::Duplicate) => "header-json-duplicate",
            Self::HeaderJson(JsonReject::Members) => "header-json-members",
            Self::HeaderJson(_) => "header-json",
            Self::HeaderTooLarge => "header-too-large",
            Self::IssuedInFuture => "issued-in-future",
            Self::KeyInHeader => "key-in-header",
            Self::KeyUnknown => "key-unknown",
            Self::Length => "length",
            Self::LifetimeTooLong => "lifetime",
            Self::NotEncrypted => "not-encrypted",
            Self::NotYetValid => "not-yet-valid",
            Self::Revoked => "revoked",
            Self::Segments => "segments",
            Self::Signature => "signature",
            Self::TooLarge => "too-large",
            Self::UnencodedPayload => "b64",
        }
    }
}

impl std::fmt::Display for MemberFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Mismatch => "is not the one expected",
            Self::Missing => "is missing",
            Self::OutOfRange => "is out of range",
            Self::WrongType => "has the wrong type",
        })
    }
}
