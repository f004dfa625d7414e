//! A token family: what lets the holder of a refresh token have the next one, once. In: a refresh token as it was presented, and what
//! the store remembers of its family. Out: the next one, the same next one again, or that somebody presents what was used up.
//!
//! A family belongs to one session and shares its name and both its limits: ending the session ends the family. The store keeps a
//! fixed number of bytes for each, however often its token was replaced. It need not remember tokens of long ago to know them again,
//! because each says which one it is and carries a tag that only this installation can have made.

use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::id::SessionId;
use crate::reject::Reject;
use crate::secret::{Pepper, Purpose};
use crate::session::SessionDigest;
use crate::time::Timestamp;

#[cfg(test)]
mod tests;

/// What a client trades for its next access token, and for the refresh token after this one (RFC 6749 section 1.5). Has no Debug and
/// no Display, and is wiped when dropped.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct RefreshToken {
    #[zeroize(skip)]
    session: SessionId,
    /// Big-endian, as it is digested.
    generation: [u8; 4],
    secret: [u8; 32],
}

/// Tells a leaked one to scanners, and from other credentials to us.
const PREFIX: &str = "vrt_";
const TAG_LENGTH: usize = 16;
const LENGTH: usize = 16 + 4 + 32 + TAG_LENGTH;
/// The prefix, and 68 bytes in base64url.
const TEXT_LENGTH: usize = PREFIX.len() + 91;

impl RefreshToken {
    /// A family's first one, from 32 bytes freshly drawn from [`crate::port::Entropy`].
    pub const fn first(session: SessionId, random: [u8; 32]) -> Self {
        Self { session, generation: [0; 4], secret: random }
    }

    /// Reads what a client presents: exactly what we issue, nothing trimmed. Whatever this installation did not make is refused here,
    /// before anything is looked up.
    pub fn parse(text: &str, pepper: &Pepper) -> Result<Self, Reject> {
        let value = text.strip_prefix(PREFIX).filter(|_| text.len() == TEXT_LENGTH);
        let value = value.ok_or(Reject::MalformedCredential)?;
        let mut bytes = Zeroizing::new([0; LENGTH]);
        match BASE64URL_NOPAD.decode_mut(value.as_bytes(), &mut *bytes) {
            Ok(LENGTH) => {}
            _ => return Err(Reject::MalformedCredential),
        }
        let malformed = || Reject::MalformedCredential;
        let (session, rest) = bytes.split_first_chunk().ok_or_else(malformed)?;
        let (generation, rest) = rest.split_first_chunk().ok_or_else(malformed)?;
        let (secret, tag) = rest.split_first_chunk().ok_or_else(malformed)?;
        let token =
            Self { session: SessionId::from_bytes(*session), generation: *generation, secret: *secret };
        if pepper.confirms(Purpose::RefreshTag, &token.parts(), tag) { Ok(token) } else { Err(malformed()) }
    }

    /// Whether a text claims to be a refresh token.
    pub fn looks_like(text: &str) -> bool {
        text.starts_with(PREFIX)
    }

    /// As the client gets it. For the one response that delivers it.
    pub fn reveal(&self, pepper: &Pepper) -> Zeroizing<String> {
        let tag = pepper.digest(Purpose::RefreshTag, &self.parts());
        let mut bytes = Zeroizing::new(Vec::with_capacity(LENGTH));
        self.parts().iter().for_each(|part| bytes.extend_from_slice(part));
        bytes.extend(tag.iter().take(TAG_LENGTH));
        Zeroizing::new(format!("{PREFIX}{}", BASE64URL_NOPAD.encode(&bytes)))
    }

    /// The family it is of.
    pub const fn session(&self) -> SessionId {
        self.session
    }

    /// What the store knows the family's session by: one that has a family has no session token, and is found by its public name.
    pub fn session_digest(&self, pepper: &Pepper) -> SessionDigest {
        session_digest(self.session, pepper)
    }

    /// What the store is asked with.
    pub fn presented(&self, pepper: &Pepper) -> Presented {
        Presented { generation: self.generation(), digest: self.digest(pepper) }
    }

    /// The one after this, under a salt that the store remembers: whoever asks with the same token for a second time gets the same one,
    /// though the store has none of them. `None` after four thousand million.
    pub fn successor(&self, salt: &Salt, pepper: &Pepper) -> Option<Self> {
        let generation = self.generation().checked_add(1)?.to_be_bytes();
        let [session, own_generation, secret] = self.parts();
        let secret = pepper.digest(Purpose::RefreshSuccessor, &[session, own_generation, secret, salt]);
        Some(Self { session: self.session, generation, secret })
    }

    /// What the store knows it by.
    pub fn digest(&self, pepper: &Pepper) -> RefreshDigest {
        RefreshDigest(pepper.digest(Purpose::Refresh, &self.parts()))
    }

    fn generation(&self) -> u32 {
        u32::from_be_bytes(self.generation)
    }

    fn parts(&self) -> [&[u8]; 3] {
        [self.session.bytes(), &self.generation, &self.secret]
    }
}

/// What the store knows a session with a token family by.
pub fn session_digest(session: SessionId, pepper: &Pepper) -> SessionDigest {
    SessionDigest::from_bytes(pepper.digest(Purpose::FamilySession, &[session.bytes()]))
}

/// Sixteen random bytes that go into a successor, so that a refresh token and the pepper do not tell those after it without the store.
pub type Salt = [u8; 16];

/// HMAC-SHA-256 of a refresh token under the pepper: the only form of it that leaves this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RefreshDigest([u8; 32]);

impl RefreshDigest {
    /// Back from a store.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// As a store keeps it.
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// A refresh token that this installation made, as the store is asked about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Presented {
    /// How many there were before it.
    pub generation: u32,
    /// The token itself.
    pub digest: RefreshDigest,
}

/// What takes its place, if it is the one whose turn it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Next {
    /// The successor.
    pub digest: RefreshDigest,
    /// What it was made with.
    pub salt: Salt,
}

/// A family as the store keeps it, beside its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenFamily {
    /// How many there were before the one that is good now.
    pub generation: u32,
    /// The one that is good now.
    pub current: RefreshDigest,
    /// How it came to be, unless it is the first.
    pub replaced: Option<Replaced>,
    /// When the one before the one before was replaced, if there is such a one.
    pub replaced_before_at: Option<Timestamp>,
}

/// The replacement that the current token came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replaced {
    /// The token that was used up.
    pub digest: RefreshDigest,
    /// What its successor was made with.
    pub salt: Salt,
    /// When.
    pub at: Timestamp,
}

/// What becomes of a refresh token that is presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefreshVerdict {
    /// It is its turn: this is the family from now on.
    Rotate(TokenFamily),
    /// It was used a moment ago and its successor is still unused: the same successor, made with this salt, may be handed out once more,
    /// for the answer may have been lost on its way.
    Repeat(Salt),
    /// It was used a moment ago and its successor was used as well: no, and no harm done.
    Late,
    /// It was used up long ago, or never was: two parties hold this family, and one of them stole it (RFC 9700 section 4.14.2).
    Replay,
    /// It is from the future: the store was brought back from a backup.
    Unknown,
}

impl TokenFamily {
    /// A family with its first token.
    pub const fn new(first: RefreshDigest) -> Self {
        Self { generation: 0, current: first, replaced: None, replaced_before_at: None }
    }

    /// Says whose turn it is at `now`. A token that was just used is forgiven for as long as the window is open; a window of zero forgives
    /// nothing.
    #[must_use]
    pub fn judge(
        &self,
        presented: &Presented,
        next: Next,
        now: Timestamp,
        window: Duration,
    ) -> RefreshVerdict {
        // A clock that was set back opens no window that was closed for longer than it is wide.
        let is_open = |at: Timestamp| now.since(at) < window && at.since(now) < window;
        match self.generation.checked_sub(presented.generation) {
            None => RefreshVerdict::Unknown,
            Some(0) if presented.digest == self.current => RefreshVerdict::Rotate(Self {
                generation: self.generation.saturating_add(1),
                current: next.digest,
                replaced: Some(Replaced { digest: self.current, salt: next.salt, at: now }),
                replaced_before_at: self.replaced.map(|replaced| replaced.at),
            }),
            Some(1) => match self.replaced {
                Some(replaced) if replaced.digest == presented.digest && is_open(replaced.at) => {
                    RefreshVerdict::Repeat(replaced.salt)
                }
                _ => RefreshVerdict::Replay,
            },
            Some(2) if self.replaced_before_at.is_some_and(is_open) => RefreshVerdict::Late,
            Some(_) => RefreshVerdict::Replay,
        }
    }
}
