//! The signing keys of a running program: what the store has, unsealed into the ring that signs, and its public half before
//! the verifier at the edge. In: records and time. Out: a ring that is up to date, after every change and whenever a key's time comes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::sync::Mutex;
use vestibule_core::key::{KeyPurpose, KeyRecord, KeyRing, SealKey};
use vestibule_core::mint::Minter;
use vestibule_core::port::{Clock, Keys};
use vestibule_core::rotation::{Begin, Retirement, Rotation};
use vestibule_core::{Fault, Timestamp};
use vestibule_verify::{KeyId, Verifier};

/// Keeps ring and verifier up to date.
pub(crate) struct KeyManager {
    pub(crate) keys: Arc<dyn Keys>,
    pub(crate) seal: Arc<SealKey>,
    pub(crate) rotation: Rotation,
    pub(crate) rotate_every: Duration,
    pub(crate) minter: Arc<Minter>,
    pub(crate) edge: Arc<Verifier>,
    pub(crate) clock: Arc<dyn Clock>,
    /// Tells rings of this process apart.
    pub(crate) stamps: AtomicU32,
    /// What the present ring was made of.
    pub(crate) made_of: Mutex<Vec<Ingredient>>,
}

/// What of a record goes into a ring: where it changes, a new ring is made.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Ingredient {
    key_id: KeyId,
    active_from: Timestamp,
    gone_at: Option<Timestamp>,
}

impl KeyManager {
    /// Makes sure that a key signs for each purpose.
    pub(crate) async fn ensure_signers(&self) -> Result<(), Fault> {
        for began in self.rotation.ensure_signers().await? {
            let (key_id, purpose) = (began.key_id.as_str(), began.purpose.name());
            tracing::info!(target: "vestibule::event", event = "key.rotated", key.id = key_id, key.purpose = purpose, "a signing key begins: there was none");
        }
        self.refresh().await
    }

    /// Rotates when it is time, and takes over what changed in the store or by the clock.
    pub(crate) async fn tick(&self) -> Result<(), Fault> {
        for added in self.rotation.rotate_if_due(self.rotate_every).await? {
            let (key_id, purpose) = (added.key_id.as_str(), added.purpose.name());
            tracing::info!(target: "vestibule::event", event = "key.rotated", key.id = key_id, key.purpose = purpose, "a new signing key waits for its time");
        }
        self.ensure_signers().await
    }

    /// Adds a key that takes over.
    pub(crate) async fn rotate(&self, purpose: KeyPurpose, begin: Begin) -> Result<KeyRecord, Fault> {
        let record = self.rotation.rotate(purpose, begin).await?;
        self.refresh().await?;
        Ok(record)
    }

    /// Withdraws a key at once; the one that signs with [`Begin::Now`] alone.
    pub(crate) async fn retire(&self, key_id: &KeyId, begin: Begin) -> Result<Retirement, Fault> {
        let retirement = self.rotation.retire(key_id, begin).await?;
        self.refresh().await?;
        Ok(retirement)
    }

    /// Reads the records, makes a new ring if they changed, and lets the edge trust its own keys alone.
    pub(crate) async fn refresh(&self) -> Result<(), Fault> {
        // Held from reading to replacing: of two at once the older must not put back a key that the newer saw withdrawn.
        let mut present = self.made_of.lock().await;
        let records = self.keys.all().await?;
        let now = self.clock.now();
        let made_of = ingredients(&records);
        if *present != made_of {
            let stamp = self.stamps.fetch_add(1, Ordering::Relaxed);
            self.minter.replace_ring(KeyRing::unseal(&records, &self.seal, stamp, now)?);
            *present = made_of;
        }
        self.edge.replace_keys(self.minter.ring().edge(now)?);
        Ok(())
    }

    /// Whether a JWT could be signed now.
    pub(crate) fn check(&self) -> Result<(), Fault> {
        let (ring, now) = (self.minter.ring(), self.clock.now());
        KeyPurpose::ALL.iter().try_for_each(|purpose| ring.signer(*purpose, now).map(|_| ()))
    }
}

pub(crate) fn ingredients(records: &[KeyRecord]) -> Vec<Ingredient> {
    let of = |record: &KeyRecord| Ingredient {
        key_id: record.key_id.clone(),
        active_from: record.active_from,
        gone_at: record.gone_at,
    };
    records.iter().map(of).collect()
}
