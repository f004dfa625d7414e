//! Rotating the signing key without one failed verification: publish ahead, switch by the clock, withdraw when nothing the old
//! key signed can still be alive. In: the key store and the schedule. Out: new records; the caller reloads its ring from them.

use std::sync::Arc;
use std::time::Duration;

use vestibule_verify::{Algorithm, KeyId};

use crate::fault::Fault;
use crate::key::{KeyPurpose, KeyRecord, KeyState, OVERLAP, SealKey};
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
    /// Makes sure that a key signs for each purpose, at the first start and after everything was retired.
    pub async fn ensure_signers(&self) -> Result<(), Fault> {
        let records = self.keys.all().await?;
        for purpose in KeyPurpose::ALL {
            let mut states = self.keys_for(purpose, &records);
            if !states.any(|(_, state)| state == KeyState::Active) {
                self.rotate(purpose, Begin::Now).await?;
            }
        }
        Ok(())
    }

    /// Adds a key that takes over, and dates the withdrawal of the others of its purpose.
    pub async fn rotate(&self, purpose: KeyPurpose, begin: Begin) -> Result<KeyRecord, Fault> {
        let mut nonce = [0; 12];
        self.entropy.fill(&mut nonce)?;
        // It can take a second: what is read below is to be as it is then.
        let drawn = KeyRecord::generate(purpose, self.algorithm, &self.seal, nonce, self.clock.now())?;
        let records = self.keys.all().await?;
        let now = self.clock.now();
        // A successor that still waits will not be needed: were it left, it would take over from the key that dates it.
        let waits = |(_, state): &(_, KeyState)| *state == KeyState::Waiting;
        for (waiting, _) in self.keys_for(purpose, &records).filter(waits) {
            self.keys.retire(&waiting.key_id, now).await?;
        }
        let active_from = match begin {
            Begin::Ahead => now.after(self.publish_ahead),
            Begin::Now => now,
        };
        let record = KeyRecord { created_at: now, active_from, ..drawn };
        self.keys.rotate(record.clone(), self.gone_at(active_from)).await?;
        Ok(record)
    }

    /// Rotates ahead of time when a signer is older than `every` and no successor is waiting; says which keys were added.
    pub async fn rotate_if_due(&self, every: Duration) -> Result<Vec<KeyRecord>, Fault> {
        let records = self.keys.all().await?;
        let now = self.clock.now();
        // What waits longer than any successor has to was made by a clock that ran ahead, and is not waited for.
        let latest = now.after(self.publish_ahead);
        let age = every.saturating_sub(self.publish_ahead);
        let mut added = Vec::new();
        for purpose in KeyPurpose::ALL {
            let waiting = self
                .keys_for(purpose, &records)
                .any(|(record, state)| state == KeyState::Waiting && record.active_from <= latest);
            let due = self
                .keys_for(purpose, &records)
                .any(|(record, state)| state == KeyState::Active && now.since(record.active_from) >= age);
            if due && !waiting {
                added.push(self.rotate(purpose, Begin::Ahead).await?);
            }
        }
        Ok(added)
    }

    /// Withdraws a key at once; if none would be left to sign for its purpose, a successor begins first.
    pub async fn retire(&self, key_id: &KeyId) -> Result<Retirement, Fault> {
        let records = self.keys.all().await?;
        let now = self.clock.now();
        let is_there = |it: &&KeyRecord| it.key_id == *key_id && it.state(&records, now) != KeyState::Retired;
        let Some(purpose) = records.iter().find(is_there).map(|record| record.purpose) else {
            return Ok(Retirement::Unknown);
        };
        // A key that is dated to go signs on only until its successor is missed: it does not count.
        let another_signs = self.keys_for(purpose, &records).any(|(record, state)| {
            let may_sign = matches!(state, KeyState::Active | KeyState::Retiring);
            record.key_id != *key_id && may_sign && record.gone_at.is_none()
        });
        if !another_signs {
            self.rotate(purpose, Begin::Now).await?;
        }
        match (self.keys.retire(key_id, self.clock.now()).await?, another_signs) {
            (Retired::Unknown, _) => Ok(Retirement::Unknown),
            (Retired::Retired, true) => Ok(Retirement::Retired),
            (Retired::Retired, false) => Ok(Retirement::Replaced),
        }
    }

    /// The keys for a purpose, and what each is doing now.
    fn keys_for<'a>(
        &self,
        purpose: KeyPurpose,
        records: &'a [KeyRecord],
    ) -> impl Iterator<Item = (&'a KeyRecord, KeyState)> + use<'a> {
        let now = self.clock.now();
        let of_purpose = records.iter().filter(move |record| record.purpose == purpose);
        of_purpose.map(move |record| (record, record.state(records, now)))
    }

    fn gone_at(&self, active_from: Timestamp) -> Timestamp {
        active_from.after(self.longest_jwt).after(OVERLAP)
    }
}

#[cfg(test)]
mod tests;
