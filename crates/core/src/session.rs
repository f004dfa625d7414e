//! A session: the outer door's credential, what the store remembers of it, and the one pure rule that says whether it
//! is still alive. In: a secret from a cookie or header, or a record. Out: a digest to look it up by, or a verdict.

use std::net::IpAddr;
use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::id::{SessionId, Subject};
use crate::principal::{Amr, Assurance};
use crate::reject::Reject;
use crate::secret::{Pepper, Purpose};
use crate::text::is_unseen;
use crate::time::Timestamp;

#[cfg(test)]
mod tests;

/// The secret that the browser holds: 256 random bits. Has no Debug and no Display, and is wiped when dropped.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct SessionToken([u8; 32]);

/// Length of a session token as a cookie value: 32 bytes in base64url without padding.
pub const COOKIE_VALUE_LENGTH: usize = 43;

const BEARER_PREFIX: &str = "vst_";
const CHECK_LENGTH: usize = 6;

impl SessionToken {
    /// Wraps 32 bytes freshly drawn from [`crate::port::Entropy`].
    pub const fn from_random(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Reads a cookie value: exactly 43 canonical base64url characters, nothing trimmed or unquoted.
    pub fn from_cookie_value(value: &[u8]) -> Result<Self, Reject> {
        let mut token = Self([0; 32]);
        if value.len() != COOKIE_VALUE_LENGTH {
            return Err(Reject::MalformedCredential);
        }
        match BASE64URL_NOPAD.decode_mut(value, &mut token.0) {
            Ok(32) => Ok(token),
            _ => Err(Reject::MalformedCredential),
        }
    }

    /// Reads the form for API clients: `vst_`, the 43 characters, and 6 check characters, so that scanners find a leaked
    /// one and a mistyped one is refused before any lookup.
    pub fn from_bearer(text: &str) -> Result<Self, Reject> {
        let rest = text.strip_prefix(BEARER_PREFIX).ok_or(Reject::MalformedCredential)?;
        let (value, check) = rest.split_at_checked(COOKIE_VALUE_LENGTH).ok_or(Reject::MalformedCredential)?;
        let token = Self::from_cookie_value(value.as_bytes())?;
        // Not a secret comparison: the check characters are computable by anyone who has the rest.
        if token.check() == check { Ok(token) } else { Err(Reject::MalformedCredential) }
    }

    /// Whether a bearer text claims to be a session token rather than a JWT.
    pub fn looks_like_bearer(text: &str) -> bool {
        text.starts_with(BEARER_PREFIX)
    }

    /// The cookie value. For the Set-Cookie header alone.
    pub fn reveal_cookie_value(&self) -> String {
        BASE64URL_NOPAD.encode(&self.0)
    }

    /// The form for API clients. For the one response that delivers it.
    pub fn reveal_bearer(&self) -> String {
        format!("{BEARER_PREFIX}{}{}", self.reveal_cookie_value(), self.check())
    }

    /// What the store knows this token by.
    pub fn digest(&self, pepper: &Pepper) -> SessionDigest {
        SessionDigest(pepper.digest(Purpose::Session, &[&self.0]))
    }

    fn check(&self) -> String {
        use sha2::Digest;
        let mut text = BASE64URL_NOPAD.encode(&sha2::Sha256::digest(self.0));
        text.truncate(CHECK_LENGTH);
        text
    }
}

/// HMAC-SHA-256 of a session token under the pepper: the only form of it that leaves this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionDigest([u8; 32]);

impl SessionDigest {
    /// Back from a store.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// As a store keeps it.
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// A session as the store keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// What the cookie hashes to.
    pub digest: SessionDigest,
    /// Its public name.
    pub id: SessionId,
    /// Whose it is.
    pub subject: Subject,
    /// Rises when something a service is told changes (roles, traits), so that no older JWT is handed out again.
    pub version: u32,
    /// The subject's epoch when the session was opened; a session of an older epoch is dead.
    pub epoch: u64,
    /// How it is kept by its holder.
    pub kind: SessionKind,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When its subject last proved itself.
    pub proven_at: Timestamp,
    /// When it was last used, to the minute.
    pub seen_at: Timestamp,
    /// How long it may lie unused.
    pub idle: Duration,
    /// When it ends whatever happens.
    pub ends_at: Timestamp,
    /// How strong the proof was.
    pub assurance: Assurance,
    /// Which methods were used.
    pub amr: Amr,
    /// What it was opened from, for the account page.
    pub device: Device,
}

/// How the holder keeps its session token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionKind {
    /// In a browser's cookie, gone when the browser closes (if the browser keeps to it).
    Browser,
    /// Delivered in a body, sent in a header: mobile and command-line clients.
    Client,
}

impl SessionKind {
    /// As a store keeps it and as listings show it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Browser => "browser",
            Self::Client => "client",
        }
    }

    /// Back from [`Self::name`].
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Browser, Self::Client].into_iter().find(|kind| kind.name() == name)
    }
}

/// What a session was opened from, as claimed by the client: shown to its owner, never judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// The address seen by us or by a trusted proxy.
    pub address: Option<IpAddr>,
    /// The User-Agent, printable and at most 256 bytes.
    pub user_agent: String,
}

impl Device {
    /// Cuts what the client claimed to what may be stored and shown: nothing that cannot be seen.
    pub fn new(address: Option<IpAddr>, user_agent: &str) -> Self {
        let mut kept = String::new();
        for character in user_agent.chars().filter(|character| !is_unseen(*character)) {
            if kept.len() + character.len_utf8() > 256 {
                break;
            }
            kept.push(character);
        }
        Self { address, user_agent: kept }
    }
}

/// How long sessions live, from configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionLimits {
    /// How long a session may lie unused.
    pub idle: Duration,
    /// How long it lives at most.
    pub absolute: Duration,
}

/// What `judge` looks at.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    /// When the session was last used.
    pub seen_at: Timestamp,
    /// How long it may lie unused.
    pub idle: Duration,
    /// When it ends whatever happens.
    pub ends_at: Timestamp,
}

/// Says whether a session is alive at `now`, by the server's clock alone.
///
/// A clock that stepped back makes nothing die and nothing live beyond `ends_at`.
pub fn judge(span: Span, now: Timestamp) -> Result<(), Reject> {
    if now >= span.ends_at {
        return Err(Reject::SessionEnded);
    }
    if now >= span.seen_at.after(span.idle) {
        return Err(Reject::SessionIdle);
    }
    Ok(())
}
