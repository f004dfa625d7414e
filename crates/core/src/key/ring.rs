//! The key ring: which key signs now, which are published, and when each goes. A pure function of records and time, so that
//! every node with the same records and clock agrees without talking.

use std::sync::Arc;
use std::time::Duration;

use vestibule_verify::{Algorithm, KeyId, KeySet};

use super::{KeyPurpose, SealKey, SealedKey, SigningKey};
use crate::fault::Fault;
use crate::time::Timestamp;

/// How long a key stays published after it stopped signing, beyond the longest life of a JWT: caches and clocks are late.
pub const OVERLAP: Duration = Duration::from_secs(10 * 60);

/// A signing key as the store keeps it.
#[derive(Clone)]
pub struct KeyRecord {
    /// RFC 7638 thumbprint; never used twice.
    pub key_id: KeyId,
    /// The one thing that it is for.
    pub purpose: KeyPurpose,
    /// The one algorithm it signs with.
    pub algorithm: Algorithm,
    /// The private key, sealed.
    pub sealed: SealedKey,
    /// When it was made and published.
    pub created_at: Timestamp,
    /// When it begins to sign.
    pub active_from: Timestamp,
    /// When it is withdrawn from the published set; `None` while no successor is known.
    pub gone_at: Option<Timestamp>,
}

/// What a key is doing at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// Signs.
    Active,
    /// Withdrawn: nothing it signed is accepted any more.
    Retired,
    /// Signs no more, but what it signed may still be on its way.
    Retiring,
    /// Will sign when its time comes. One for services is published already, so that verifiers know it before they meet it.
    Waiting,
}

impl KeyState {
    /// The word for listings.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Retired => "retired",
            Self::Retiring => "retiring",
            Self::Waiting => "waiting",
        }
    }
}

/// All keys of the installation that are not yet gone, unsealed. Replaced as a whole when the records change.
pub struct KeyRing {
    /// By `active_from`, the newest first.
    keys: Vec<RingKey>,
    stamp: u32,
}

struct RingKey {
    key: Arc<SigningKey>,
    purpose: KeyPurpose,
    active_from: Timestamp,
    gone_at: Option<Timestamp>,
}

impl KeyRing {
    /// Unseals every record that is not gone. `stamp` tells this ring from any other of this process.
    pub fn unseal(records: &[KeyRecord], seal: &SealKey, stamp: u32, now: Timestamp) -> Result<Self, Fault> {
        let mut keys = Vec::new();
        for record in records.iter().filter(|record| !is_gone(record.gone_at, now)) {
            let key = SigningKey::unseal(record, seal)?;
            keys.push(RingKey {
                key: Arc::new(key),
                purpose: record.purpose,
                active_from: record.active_from,
                gone_at: record.gone_at,
            });
        }
        keys.sort_by(|a, b| b.rank().cmp(&a.rank()));
        Ok(Self { keys, stamp })
    }

    /// The key that signs for this at `now`: the newest whose time has come.
    pub fn signer(&self, purpose: KeyPurpose, now: Timestamp) -> Result<&Arc<SigningKey>, Fault> {
        self.keys_for(purpose, now).find(|key| key.active_from <= now).map(|key| &key.key).ok_or_else(|| {
            Fault::unavailable(
                "the key ring",
                "it holds no key that may sign now; run `vestibule key rotate --now`",
            )
        })
    }

    /// The public keys to publish at `now`: those that sign for services, will sign, or signed lately.
    pub fn published(&self, now: Timestamp) -> Result<KeySet, Fault> {
        self.public(KeyPurpose::Services, now)
    }

    /// The public keys that the doors of this gateway verify access tokens by; nobody else's business.
    pub fn edge(&self, now: Timestamp) -> Result<KeySet, Fault> {
        self.public(KeyPurpose::Edge, now)
    }

    fn public(&self, purpose: KeyPurpose, now: Timestamp) -> Result<KeySet, Fault> {
        KeySet::new(self.keys_for(purpose, now).map(|key| key.key.public().clone()))
            .map_err(|cause| Fault::corrupt("the key ring", cause.to_string()))
    }

    fn keys_for(&self, purpose: KeyPurpose, now: Timestamp) -> impl Iterator<Item = &RingKey> {
        self.keys.iter().filter(move |key| key.purpose == purpose && !is_gone(key.gone_at, now))
    }

    /// Tells this ring from any other of this process: part of what a cached JWT is valid for.
    pub fn stamp(&self) -> u32 {
        self.stamp
    }
}

impl KeyRecord {
    /// What this key is doing at `now`, among all records of the installation.
    pub fn state(&self, all: &[Self], now: Timestamp) -> KeyState {
        if is_gone(self.gone_at, now) {
            return KeyState::Retired;
        }
        if self.active_from > now {
            return KeyState::Waiting;
        }
        let takes_over = |other: &Self| {
            let may_sign = other.active_from <= now && !is_gone(other.gone_at, now);
            other.purpose == self.purpose && other.rank() > self.rank() && may_sign
        };
        if all.iter().any(takes_over) { KeyState::Retiring } else { KeyState::Active }
    }

    fn rank(&self) -> Rank<'_> {
        Rank(self.active_from, self.gone_at.is_none(), self.key_id.as_str())
    }
}

impl RingKey {
    fn rank(&self) -> Rank<'_> {
        Rank(self.active_from, self.gone_at.is_none(), self.key.key_id().as_str())
    }
}

/// Which key signs rather than another: the one that began later; of two that begin in the same instant, the one that stays;
/// and then any one that all nodes agree on.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Rank<'a>(Timestamp, bool, &'a str);

fn is_gone(gone_at: Option<Timestamp>, now: Timestamp) -> bool {
    gone_at.is_some_and(|at| at <= now)
}
