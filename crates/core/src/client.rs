//! An OAuth client: a program that proves who it is, and what it may ask for. In: what an operator registers, and secrets as programs
//! show them. Out: a record with no secret in it, only a digest or public keys.
//!
//! The first party, `vestibule`, is none: whoever signs in here with a password has no secret, and there is no record of it.

use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use vestibule_verify::KeySet;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

pub use crate::id::ClientId;
use crate::secret::{Pepper, Purpose};
use crate::text::was_always_refused;
use crate::time::Timestamp;

#[cfg(test)]
mod tests;

/// A client as the store keeps it.
#[derive(Clone, Debug)]
pub struct Client {
    /// Its public name, the `client_id`.
    pub id: ClientId,
    /// What operators call it.
    pub name: String,
    /// How it proves who it is.
    pub proof: ClientProof,
    /// For which audiences it may ask for JWTs.
    pub audiences: Vec<String>,
    /// What it may ask for (RFC 6749 section 3.3), each once, in the order in which they were given.
    pub scopes: Vec<String>,
    /// Whether it may trade what stands for a subject for a JWT of one of its audiences (RFC 8693).
    pub exchanges: bool,
    /// The audience that it *is*: it may introspect what is presented to it.
    pub serves: Option<String>,
    /// When it was registered.
    pub added_at: Timestamp,
}

/// How a client proves who it is: one way each, never both.
#[derive(Clone, Debug)]
pub enum ClientProof {
    /// By assertions under one of its keys (`private_key_jwt`, RFC 7523).
    Keys(KeySet),
    /// By its secret (`client_secret_basic`).
    Secret(ClientSecretDigest),
}

impl ClientProof {
    /// The name of the method in the metadata (RFC 8414) and in listings.
    pub const fn method(&self) -> &'static str {
        match self {
            Self::Keys(_) => "private_key_jwt",
            Self::Secret(_) => "client_secret_basic",
        }
    }
}

/// The most audiences, scopes or keys that one client has.
pub const MOST: usize = 64;

/// Why a client cannot be registered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAClient {
    /// An audience that cannot be one.
    #[error("\"{0}\" is no audience: 1 to 200 visible ASCII characters, without spaces")]
    Audience(String),
    /// More audiences or scopes than [`MOST`].
    #[error("a client has {MOST} audiences and {MOST} scopes at most; add another for the rest")]
    Many,
    /// An empty, long or unreadable name.
    #[error("a client's name is 1 to 100 characters that can be seen, without spaces around it")]
    Name,
    /// It could ask for nothing.
    #[error("a client needs an audience that it may ask for (--audience) or that it serves (--serves)")]
    Nothing,
    /// A scope that RFC 6749 section 3.3 does not allow.
    #[error(
        "\"{0}\" is no scope: 1 to 128 visible ASCII characters, without spaces, \" and \\; one --scope for each"
    )]
    Scope(String),
    /// An audience or a scope that stands there twice.
    #[error("\"{0}\" is named twice; name each audience and each scope once")]
    Twice(String),
}

impl Client {
    /// Whether this can be registered, and can have been: asked before it is kept and when it is read back.
    pub fn check(&self) -> Result<(), NotAClient> {
        let is_seen = !self.name.chars().any(was_always_refused) && self.name.trim() == self.name;
        if !(1..=100).contains(&self.name.chars().count()) || !is_seen {
            return Err(NotAClient::Name);
        }
        check_each(&self.audiences, is_audience, NotAClient::Audience)?;
        if let Some(odd) = self.serves.as_ref().filter(|audience| !is_audience(audience)) {
            return Err(NotAClient::Audience(odd.clone()));
        }
        check_each(&self.scopes, is_scope, NotAClient::Scope)?;
        if self.audiences.is_empty() && self.serves.is_none() {
            return Err(NotAClient::Nothing);
        }
        Ok(())
    }

    /// Whether it may ask for JWTs for this audience.
    pub fn may_ask_for(&self, audience: &str) -> bool {
        self.audiences.iter().any(|own| own == audience)
    }
}

/// Names the first that cannot be there, or stands there twice.
fn check_each(
    listed: &[String],
    fits: fn(&str) -> bool,
    odd: fn(String) -> NotAClient,
) -> Result<(), NotAClient> {
    if listed.len() > MOST {
        return Err(NotAClient::Many);
    }
    for (at, one) in listed.iter().enumerate() {
        if !fits(one) {
            return Err(odd(one.clone()));
        }
        if listed.iter().take(at).any(|before| before == one) {
            return Err(NotAClient::Twice(one.clone()));
        }
    }
    Ok(())
}

fn is_audience(text: &str) -> bool {
    (1..=200).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// RFC 6749 section 3.3: `%x21 / %x23-5B / %x5D-7E`.
fn is_scope(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\')
}

/// What a client shows to prove who it is: 256 random bits. Has no Debug and no Display, and is wiped when dropped.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct ClientSecret([u8; 32]);

/// Tells a leaked one to scanners.
const PREFIX: &str = "vcs_";

impl ClientSecret {
    /// Wraps 32 bytes freshly drawn from [`crate::port::Entropy`].
    pub const fn from_random(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Reads what a client shows: exactly what we issue, nothing trimmed.
    pub fn parse(text: &str) -> Option<Self> {
        let value = text.strip_prefix(PREFIX).filter(|value| value.len() == 43)?;
        let mut secret = Self([0; 32]);
        match BASE64URL_NOPAD.decode_mut(value.as_bytes(), &mut secret.0) {
            Ok(32) => Some(secret),
            _ => None,
        }
    }

    /// As the operator gets it, once.
    pub fn reveal(&self) -> Zeroizing<String> {
        Zeroizing::new(format!("{PREFIX}{}", BASE64URL_NOPAD.encode(&self.0)))
    }

    /// What the store knows it by.
    pub fn digest(&self, pepper: &Pepper) -> ClientSecretDigest {
        ClientSecretDigest(pepper.digest(Purpose::ClientSecret, &[&self.0]))
    }

    /// Whether it is the one behind the digest, compared in constant time.
    pub fn is_behind(&self, digest: &ClientSecretDigest, pepper: &Pepper) -> bool {
        pepper.confirms(Purpose::ClientSecret, &[&self.0], &digest.0)
    }
}

/// HMAC-SHA-256 of a client's secret under the pepper: the only form of it that is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientSecretDigest([u8; 32]);

impl ClientSecretDigest {
    /// Back from a store.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// As a store keeps it.
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// A client's assertion that was found good, and must not be taken again (RFC 7523 section 3, `jti`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShownAssertion {
    /// Whose it is.
    pub client: ClientId,
    /// Keyed digest of its `jti`.
    pub digest: [u8; 32],
    /// From when on it would not be taken anyway.
    pub forget_after: Timestamp,
}

impl ShownAssertion {
    /// The most of one client that are remembered at a time. They are bounded for each client and not for all together, so that none of
    /// them can use up the room of another.
    pub const MOST: usize = 10_000;

    /// How much longer than it holds an assertion is remembered: a clock that is set back by less does not bring it to life again.
    pub const REMEMBERED_BEYOND: Duration = Duration::from_secs(60);

    /// What is remembered of an assertion that holds until `expires_at`.
    pub fn new(client: ClientId, jti: &str, expires_at: Timestamp, pepper: &Pepper) -> Self {
        let digest = pepper.digest(Purpose::ClientAssertion, &[client.bytes(), jti.as_bytes()]);
        Self { client, digest, forget_after: expires_at.after(Self::REMEMBERED_BEYOND) }
    }
}
