//! A session: the outer door's credential, what the store remembers of it, and the one pure rule that says whether it
//! is still alive. In: a secret from a cookie or header, or a record. Out: a digest to look it up by, or a verdict.

use std::net::IpAddr;
use std::num::NonZeroU32;
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
    /// When its present session token was issued: at its opening, or when the token was last replaced.
    pub issued_at: Timestamp,
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

impl Session {
    /// The same session under a new session token, and as it is after a proof. `None`: the proof is of another epoch than the
    /// session, so it proves nothing of the account as it is now.
    #[must_use]
    pub fn reissued(mut self, reissue: Reissue) -> Option<Self> {
        self.digest = reissue.digest;
        self.issued_at = reissue.at;
        self.seen_at = reissue.at;
        if let Some(proof) = reissue.proof {
            if proof.epoch != self.epoch {
                return None;
            }
            self.proven_at = reissue.at;
            self.assurance = proof.assurance.min(self.kind.strongest());
            self.amr = proof.amr;
            self.ends_at = proof.ends_at;
            self.version = self.version.saturating_add(1);
        }
        Some(self)
    }
}

/// A new session token for a session that goes on under its public name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reissue {
    /// What it is known by from now on.
    pub digest: SessionDigest,
    /// Now; counts as a use.
    pub at: Timestamp,
    /// What its subject has just proved, when that is why; `None` changes the session token alone.
    pub proof: Option<Proof>,
}

/// What a subject proved once more. It starts both limits afresh, and the session's version rises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The account's epoch when it was proved: of any other epoch, nothing is changed.
    pub epoch: u64,
    /// How strong it is.
    pub assurance: Assurance,
    /// By which methods.
    pub amr: Amr,
    /// When the session ends from now on, whatever happens.
    pub ends_at: Timestamp,
}

/// How the holder keeps its session token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionKind {
    /// In a browser's cookie, gone when the browser closes (if the browser keeps to it).
    Browser,
    /// Delivered in a body, sent in a header: mobile and command-line clients.
    Client,
    /// In a browser's cookie that outlives the browser, because its holder asked to be remembered: longer limits, one factor for
    /// ever ([`Self::strongest`]), and a new session token every day.
    Remembered,
    /// There is none: its holder has an access token and a refresh token ([`crate::refresh_token`]).
    Tokens,
}

impl SessionKind {
    /// As a store keeps it and as listings show it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Browser => "browser",
            Self::Client => "client",
            Self::Remembered => "remembered",
            Self::Tokens => "tokens",
        }
    }

    /// Back from [`Self::name`].
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Browser, Self::Client, Self::Remembered, Self::Tokens]
            .into_iter()
            .find(|kind| kind.name() == name)
    }

    /// The most that a proof is worth in such a session: a browser that is remembered stands in for nobody's second factor
    /// (NIST SP 800-63B-4 section 5.1).
    pub const fn strongest(self) -> Assurance {
        match self {
            Self::Browser | Self::Client | Self::Tokens => Assurance::Aal2,
            Self::Remembered => Assurance::Aal1,
        }
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

/// How many sessions an account may have at once. Opening one more ends the oldest, so that nobody is kept out by sessions that were
/// left behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cap {
    /// The most; `None` sets no cap.
    pub most: Option<NonZeroU32>,
}

impl Cap {
    /// As many as there are.
    pub const NONE: Self = Self { most: None };

    /// At most so many.
    pub const fn at(most: NonZeroU32) -> Self {
        Self { most: Some(most) }
    }
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
