//! Encrypted tokens (JWE in compact form, RFC 7516), by strict rules. Feature `jwe`.
//!
//! A JWT is signed, and readable by whoever holds it. One that is encrypted besides is readable by its recipient alone. Encryption
//! proves nothing about who made a token: whoever has the public key can encrypt to it. So what this crate verifies is always a
//! signed token inside of an encrypted one, by [`Verifier::nested`](crate::Verifier::nested); [`decrypt`] alone yields bytes, and no
//! [`Verified`](crate::Verified).
//!
//! | `alg` | keys |
//! |---|---|
//! | `ECDH-ES`, `ECDH-ES+A256KW` | P-256, P-384, P-521, X25519 |
//! | `RSA-OAEP-256` | 2048 to 8192 bits |
//! | `dir`, `A256KW` | shared keys |
//!
//! with `A128GCM`, `A256GCM` and `A256CBC-HS512`. There is no `RSA1_5`, no `RSA-OAEP` with SHA-1, no password, no compression.
//!
//! ```
//! use vestibule_verify::{jwe::DecryptionKeys, KeySet, Verifier};
//!
//! # let private_jwk = r#"{"kty":"OKP","crv":"X25519","alg":"ECDH-ES","kid":"orders",
//! #   "x":"hSDwCYkwp1R0i33ctD73Wg2_Og0mOBr066SpjqqbTmo","d":"dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo"}"#;
//! let keys = DecryptionKeys::from_text(private_jwk)?;
//! let verifier = Verifier::new("https://example.org", "orders", KeySet::default()).nested(keys);
//! # assert!(verifier.verify("e30.e30.").is_err());
//! # Ok::<(), vestibule_verify::KeyReject>(())
//! ```

use serde_json::{Map, Value};

mod algorithm;
mod compact;
mod content;
mod curve;
mod derive;
mod jwk;
mod key;
mod recipient;

pub use algorithm::{ContentEncryption, KeyManagement};
pub use curve::Curve;
pub use derive::{Context, derive};
pub use key::{DecryptionKey, DecryptionKeys};
pub use recipient::{PublicHalf, RecipientKey};

use crate::{
    jws::header_members,
    reject::{MemberFault, Reject},
    verifier::media_type,
};
use compact::Jwe;

/// The longest encrypted token that is looked at: a signed one of the longest, in base64url once more, and what goes with it.
pub const MAX_JWE_BYTES: usize = 16 * 1024;

/// What else is asked of an encrypted token, beside that it can be decrypted.
#[derive(Clone, Copy, Debug)]
pub struct Policy<'a> {
    /// The `cty` that the header must have; `None` takes any, and none.
    pub content_type: Option<&'a str>,
    /// The encryptions that are taken.
    pub encryptions: &'a [ContentEncryption],
}

impl Policy<'static> {
    /// Any content, by any encryption that there is.
    pub const ANY: Self = Self { content_type: None, encryptions: &ContentEncryption::ALL };
    /// Another JWT as the content (RFC 7519 section 5.2).
    pub const NESTED: Self = Self { content_type: Some("JWT"), ..Self::ANY };
}

/// Decrypts a token that was encrypted to one of `keys`. Who made it remains unknown.
///
/// Which key is meant is for the header's `kid` to say; without one, and where there is one key, that. Which algorithm is for the key to
/// say. A content key that cannot be unwrapped is replaced by one that nobody knows and then everything goes on as if it were good, so
/// that nothing tells one failure from the other (RFC 7516 section 11.5).
///
/// # Errors
/// Why the token is refused. [`Reject::Decryption`] is the one answer for all that can be wrong with what is encrypted.
pub fn decrypt(jwe: &str, keys: &DecryptionKeys, policy: &Policy<'_>) -> Result<Vec<u8>, Reject> {
    let jwe = Jwe::parse(jwe)?;
    decrypt_parsed(&jwe, keys, policy)
}

/// The header of an encrypted token, for people to look at: strict JSON, and nothing else of it is judged.
///
/// # Errors
/// It is not five segments, or the first is not strict JSON in base64url.
pub fn header(jwe: &str) -> Result<Map<String, Value>, Reject> {
    let [header, ..] = compact::split(jwe)?;
    header_members(header)
}

/// The signed token inside of an encrypted one, of which `typ` may say that it is one of this kind, or a JWT, or nothing.
pub(crate) fn open_nested(jwe: &str, keys: &DecryptionKeys, typ: &str) -> Result<String, Reject> {
    let jwe = Jwe::parse(jwe)?;
    let is_kind = |outer: &String| {
        [typ, "JWT"].into_iter().any(|kind| media_type(outer).eq_ignore_ascii_case(media_type(kind)))
    };
    if !jwe.header.typ.as_ref().is_none_or(is_kind) {
        return Err(Reject::Header { member: "typ", reason: MemberFault::Mismatch });
    }
    let jwt = decrypt_parsed(&jwe, keys, &Policy::NESTED)?;
    String::from_utf8(jwt).map_err(|_| Reject::Encoding)
}

fn decrypt_parsed(jwe: &Jwe<'_>, keys: &DecryptionKeys, policy: &Policy<'_>) -> Result<Vec<u8>, Reject> {
    if let Some(asked) = policy.content_type {
        let reason = match &jwe.header.cty {
            Some(cty) if media_type(cty).eq_ignore_ascii_case(asked) => None,
            Some(_) => Some(MemberFault::Mismatch),
            None => Some(MemberFault::Missing),
        };
        if let Some(reason) = reason {
            return Err(Reject::Header { member: "cty", reason });
        }
    }
    if !policy.encryptions.contains(&jwe.header.encryption) {
        return Err(Reject::AlgorithmMismatch);
    }
    keys.pick(jwe.header.key_id.as_deref())?.decrypt(jwe)
}
