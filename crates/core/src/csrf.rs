//! Cross-site request forgery: an unsafe request with a credential that browsers send unasked must prove that one of our
//! own pages made it. First by what the browser says of its origin ([`origin`]), then by a token that only such a page has.
//! In: request headers and a token. Out: a reject, or nothing to say.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aws_lc_rs::cipher::{AES_128, EncryptingKey, UnboundCipherKey};
use data_encoding::BASE64URL_NOPAD;

use crate::fault::Fault;
use crate::id::SessionId;
use crate::reject::Reject;
use crate::secret::{Pepper, Purpose};
use crate::time::Timestamp;

pub mod origin;

#[cfg(test)]
mod tests;

/// How long a token is valid, if its session lives that long.
pub const LIFETIME: Duration = Duration::from_secs(12 * 60 * 60);

/// Length of a token's text.
pub const TOKEN_LENGTH: usize = 48;

/// What a token belongs to; it dies with it.
#[derive(Clone, Copy)]
pub enum Binding<'a> {
    /// The random value of the pre-session cookie that comes with a login form.
    PreSession(&'a [u8; 32]),
    /// A session.
    Session(&'a SessionId),
}

/// Makes and checks tokens. Stateless: any number are valid at once, on any node with the same pepper.
///
/// A token is expiry (4 bytes, seconds) ‖ nonce (16) ‖ the first 16 bytes of HMAC-SHA-256 over binding, expiry and nonce.
pub struct CsrfTokens {
    pepper: Pepper,
    /// Nonces need to differ, not to be secret: the tag is what cannot be forged. They are counted, and the count is encrypted, so that a
    /// token does not show how many were issued.
    nonces: EncryptingKey,
    issued: AtomicU64,
}

impl CsrfTokens {
    /// `process` is 16 random bytes, drawn once at start. A [`Fault::Bug`] when they cannot be a key, which does not happen.
    pub fn new(pepper: Pepper, process: [u8; 16]) -> Result<Self, Fault> {
        let nonces = UnboundCipherKey::new(&AES_128, &process).and_then(EncryptingKey::ecb);
        let nonces = nonces.map_err(|_| Fault::Bug("16 bytes are no AES-128 key"))?;
        Ok(Self { pepper, nonces, issued: AtomicU64::new(0) })
    }

    /// A fresh token, different each time: 48 characters that need no escaping in HTML, headers or forms.
    pub fn issue(&self, binding: Binding<'_>, now: Timestamp) -> String {
        let expiry = u32::try_from(now.after(LIFETIME).unix_seconds()).unwrap_or(u32::MAX);
        let count = self.issued.fetch_add(1, Ordering::Relaxed);
        let mut token = [0; 36];
        let (plain, tag) = token.split_at_mut(20);
        let (expiry_bytes, nonce) = plain.split_at_mut(4);
        expiry_bytes.copy_from_slice(&expiry.to_be_bytes());
        nonce.copy_from_slice(&u128::from(count).to_be_bytes());
        // One block: no two counts have the same nonce. A token does not depend on its nonce, so a failure here is harmless.
        if self.nonces.encrypt(nonce).is_err() {
            nonce.fill(0);
        }
        let (purpose, bound) = binding.parts();
        let digest = self.pepper.digest(purpose, &[bound, plain]);
        tag.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
        BASE64URL_NOPAD.encode(&token)
    }

    /// Whether a token was issued for this binding and is not older than its lifetime.
    pub fn check(&self, binding: Binding<'_>, token: &[u8], now: Timestamp) -> Result<(), Reject> {
        let mut bytes = [0; 36];
        if token.len() != TOKEN_LENGTH || BASE64URL_NOPAD.decode_mut(token, &mut bytes).is_err() {
            return Err(Reject::CsrfToken);
        }
        let (plain, tag) = bytes.split_at(20);
        let (purpose, bound) = binding.parts();
        if !self.pepper.confirms(purpose, &[bound, plain], tag) {
            return Err(Reject::CsrfToken);
        }
        let expiry = plain.first_chunk::<4>().map_or(0, |bytes| u32::from_be_bytes(*bytes));
        if now.unix_seconds() >= u64::from(expiry) {
            return Err(Reject::CsrfToken);
        }
        Ok(())
    }
}

impl<'a> Binding<'a> {
    fn parts(self) -> (Purpose, &'a [u8]) {
        match self {
            Self::PreSession(value) => (Purpose::CsrfPreSession, value),
            Self::Session(id) => (Purpose::Csrf, id.bytes()),
        }
    }
}
