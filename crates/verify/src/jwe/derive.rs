//! The key that follows from what was agreed on: Concat KDF with SHA-256 (RFC 7518 section 4.6.2, NIST SP 800-56C).

use aws_lc_rs::kdf::{SskdfDigestAlgorithmId, get_sskdf_digest_algorithm, sskdf_digest};
use zeroize::Zeroizing;

/// What a derived key is bound to, beside the secret.
#[derive(Clone, Copy, Debug, Default)]
pub struct Context<'a> {
    /// What the key is for: the `enc` where it is the content key, otherwise the `alg`.
    pub algorithm: &'a str,
    /// About the sender: the bytes of `apu`.
    pub sender: &'a [u8],
    /// About the recipient: the bytes of `apv`.
    pub recipient: &'a [u8],
}

/// A key of `length` bytes, from the secret that was agreed on. Part of the crate's surface because who encrypts derives the same.
///
/// `None` when the secret or the length is none.
#[must_use]
pub fn derive(secret: &[u8], context: &Context<'_>, length: usize) -> Option<Zeroizing<Vec<u8>>> {
    let Context { algorithm, sender, recipient } = context;
    let mut info = Vec::with_capacity(16 + algorithm.len() + sender.len() + recipient.len());
    for part in [algorithm.as_bytes(), sender, recipient] {
        info.extend(u32::try_from(part.len()).ok()?.to_be_bytes());
        info.extend(part);
    }
    info.extend(u32::try_from(length.checked_mul(8)?).ok()?.to_be_bytes());
    expand(secret, &info, length)
}

/// A key of `length` bytes from a secret and a text.
pub(super) fn expand(secret: &[u8], info: &[u8], length: usize) -> Option<Zeroizing<Vec<u8>>> {
    let sha256 = get_sskdf_digest_algorithm(SskdfDigestAlgorithmId::Sha256)?;
    let mut key = Zeroizing::new(vec![0; length]);
    sskdf_digest(sha256, secret, info, &mut key).ok()?;
    Some(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use data_encoding::BASE64URL_NOPAD;

    #[test]
    fn rfc_7518_appendix_c() {
        let secret = [
            158, 86, 217, 29, 129, 113, 53, 211, 114, 131, 66, 131, 191, 132, 38, 156, 251, 49, 110, 163,
            218, 128, 106, 72, 246, 218, 167, 121, 140, 254, 144, 196,
        ];
        let context = Context { algorithm: "A128GCM", sender: b"Alice", recipient: b"Bob" };
        let key = derive(&secret, &context, 16).map(|key| BASE64URL_NOPAD.encode(&key));
        assert_eq!(key.as_deref(), Some("VqqN6vgjbSBcIijNcacQGg"));
    }

    #[test]
    fn nothing_follows_from_nothing() {
        assert!(derive(&[], &Context::default(), 16).is_none());
        assert!(derive(&[1; 32], &Context::default(), 0).is_none());
        assert!(derive(&[1; 32], &Context::default(), usize::MAX).is_none());
    }
}
