//! The inner door's credential: a signed JWT for one audience, ready to be handed to a service, with all that tells
//! whether it may still be handed out. In: what `mint` signed. Out: header values that are cloned, not built, per request.

use http::HeaderValue;

use crate::time::Timestamp;

/// A minted JWT with the headers that accompany it. No Debug: it is a credential until it expires.
pub struct AccessToken {
    /// `Bearer <jwt>`.
    pub authorization: HeaderValue,
    /// The subject's text form.
    pub subject: HeaderValue,
    /// The session id's text form.
    pub session: HeaderValue,
    /// The audience's own claims that can be a header value, by claim name.
    pub copies: Vec<(String, HeaderValue)>,
    /// When it was signed.
    pub minted_at: Timestamp,
    /// When it expires (`exp`).
    pub expires_at: Timestamp,
    /// From when on it should be minted anew, while this one is still handed out.
    pub renew_at: Timestamp,
    /// What it was minted for and with.
    pub stamp: Stamp,
}

/// What a cached JWT is valid for, beside the session, its version and the subject's epoch, which own the cache slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The audience with its claims template and lifetime, as configured now.
    pub audience: u32,
    /// The key ring.
    pub ring: u32,
}

impl AccessToken {
    /// The JWT itself.
    pub fn jwt(&self) -> &str {
        self.authorization.to_str().ok().and_then(|text| text.strip_prefix("Bearer ")).unwrap_or_default()
    }

    /// The header value of one of the audience's claims, if it has one.
    pub fn copy_of(&self, claim: &str) -> Option<&HeaderValue> {
        self.copies.iter().find(|(name, _)| name == claim).map(|(_, value)| value)
    }
}
