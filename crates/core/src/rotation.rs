//! Rotating the signing key without one failed verification: publish ahead, switch by the clock, withdraw when nothing the old
//! key signed can still be alive. In: the key store and the schedule. Out: new records; the caller reloads its ring from them.

use std::sync::Arc;
use std::time::Duration;

use vestibule_verify::{Algorithm, KeyId};

use crate::fault::Fault;
use crate::key::{KeyRecord, KeyState, OVERLAP, SealKey, SigningKey};
use crate::port::{Clock, Entropy, Keys, Retired};
use crate::time::Timestamp;

/// Rotates.
pub struct Rotation {
    /// Where sealed keys are.
    pub keys: Arc<dyn Keys>,
    /// What seals them.
    pub seal: Arc<SealKey>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// What new keys sign with.
    pub algorithm: Algorithm,
    /// How long a new key is published before it signs.
    pub publish_ahead: Duration,
    /// The longest life of a JWT: an old key stays published that long and [`OVERLAP`] more.
    pub longest_jwt: Duration,
}

/// When a new key begins to sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begin {
    /// After it was published for as long as configured.
    Ahead,
    /// At once: verifiers that cache keys must fetch anew.
    Now,
}

/// How retiring a key went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retirement {
    /// It was the only one that could sign; a successor signs now.
    Replaced,
    /// It is withdrawn.
    Retired,
    /// There is no such key, or it was gone already.
    Unknown,
}

impl Rotation {
    /// Makes sure that a key signs, at the first start and after everything was retired.
    pub async fn ensure_signer(&self) -> Result<(), Fault> {
        let records = self.keys.all().await?;
        let now = self.clock.now();
        if records.iter().any(|record| record.state(&records, now) == KeyState::Active) {
            return Ok(());
        }
        self.rotate(Begin::Now).await.map(|_| ())
    }

    /// Adds a key that takes over, and dates the withdrawal of the others.
    pub async fn rotate(&self, begin: Begin) -> Result<KeyRecord, Fault> {
        let mut nonce = [0; 12];
        self.entropy.fill(&mut nonce)?;
        let (key, sealed) = SigningKey::generate(self.algorithm, &self.seal, nonce)?;
        let records = self.keys.all().await?;
        let now = self.clock.now();
        // A successor that still waits will not be needed: were it left, it would take over from the key that dates it.
        for waiting in records.iter().filter(|record| record.state(&records, now) == KeyState::Published) {
            self.keys.retire(&waiting.key_id, now).await?;
        }
        let active_from = match begin {
            Begin::Ahead => now.after(self.publish_ahead),
            Begin::Now => now,
        };
        let record = KeyRecord {
            key_id: key.key_id().clone(),
            algorithm: self.algorithm,
            sealed,
            created_at: now,
            active_from,
            gone_at: None,
        };
        self.keys.rotate(record.clone(), self.gone_at(active_from)).await?;
        Ok(record)
    }

    /// Rotates ahead of time when the signer is older than `every` and no successor is waiting; says whether it did.
    pub async fn rotate_if_due(&self, every: Duration) -> Result<bool, Fault> {
        let records = self.keys.all().await?;
        let now = self.clock.now();
        let states = || records.iter().map(|record| (record, record.state(&records, now)));
        // What waits longer than any successor has to was made by a clock that ran ahead, and is not waited for.
        let latest = now.after(self.publish_ahead);
        let waiting =
            states().any(|(record, state)| state == KeyState::Published && record.active_from <= latest);
        let due = states().any(|(record, state)| {
            state == KeyState::Active
                && now.since(record.active_from) >= every.saturating_sub(self.publish_ahead)
        });
        if waiting || !due {
            return Ok(false);
        }
        self.rotate(Begin::Ahead).await.map(|_| true)
    }

    /// Withdraws a key at once; if none would be left to sign, a successor begins first.
    pub async fn retire(&self, key_id: &KeyId) -> Result<Retirement, Fault> {
        let records = self.keys.all().await?;
        let now = self.clock.now();
        // A key that is dated to go signs on only until its successor is missed: it does not count.
        let another_signs = records.iter().any(|record| {
            let may_sign = matches!(record.state(&records, now), KeyState::Active | KeyState::Retiring);
            record.key_id != *key_id && may_sign && record.gone_at.is_none()
        });
        if !records
            .iter()
            .any(|record| record.key_id == *key_id && record.state(&records, now) != KeyState::Retired)
        {
            return Ok(Retirement::Unknown);
        }
        if !another_signs {
            self.rotate(Begin::Now).await?;
        }
        match (self.keys.retire(key_id, self.clock.now()).await?, another_signs) {
            (Retired::Unknown, _) => Ok(Retirement::Unknown),
            (Retired::Retired, true) => Ok(Retirement::Retired),
            (Retired::Retired, false) => Ok(Retirement::Replaced),
        }
    }

    fn gone_at(&self, active_from: Timestamp) -> Timestamp {
        active_from.after(self.longest_jwt).after(OVERLAP)
    }
}

#[cfg(test)]
mod tests;
