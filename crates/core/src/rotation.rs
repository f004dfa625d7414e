//! Rotating the signing key without one failed verification: publish ahead, switch by the clock, withdraw when nothing the old
//! key signed can still be alive. In: the key store and the schedule. Out: new records; the caller reloads its ring from them.
//!
//! The keys of a purpose stand in a line: at most one is active, those behind it wait, each with a later time to begin. A key of the
//! line is withdrawn when nothing that it signed before its successor began can still be alive; the last one has no such date. Every
//! change here dates the whole line, so that no key is withdrawn before another can sign.

use std::sync::Arc;
use std::time::Duration;

use async_lock::Mutex;
use vestibule_verify::{Algorithm, KeyId};

use crate::fault::Fault;
use crate::key::{KeyPurpose, KeyRecord, KeyState, OVERLAP, SealKey};
use crate::port::{Clock, Entropy, KeyDates, Keys};
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
    /// Held from reading the records to changing them.
    pub turn: RotationLock,
}

/// One change of the key ring after the other.
#[derive(Default)]
pub struct RotationLock(Mutex<()>);

/// When a key begins to sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begin {
    /// After it was published for as long as configured.
    Ahead,
    /// At once: verifiers that cache keys must fetch anew.
    Now,
}

/// How retiring a key went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Retirement {
    /// It was withdrawn before.
    AlreadyRetired,
    /// It signed, and is withdrawn; this key signs from now on.
    Replaced(KeyId),
    /// It is withdrawn. It did not sign, so the key that signs stays.
    Retired,
    /// It signs now, so nothing was changed: another key would begin unannounced, which is done for [`Begin::Now`] alone.
    Signs,
    /// There is no such key.
    Unknown,
}

impl Rotation {
    /// Makes sure that a key signs for each purpose, at the first start and after the clock was set back; says which keys began.
    pub async fn ensure_signers(&self) -> Result<Vec<KeyRecord>, Fault> {
        let _turn = self.turn.0.lock().await;
        let records = self.keys.all().await?;
        let mut began = Vec::new();
        for purpose in KeyPurpose::ALL {
            let line = self.line(purpose, &records);
            if line.active.is_none() {
                began.push(self.begin_now(line, purpose, None).await?);
            } else if line.in_order().last().is_some_and(|last| last.gone_at.is_some()) {
                // Dated for a successor that an earlier version withdrew: it would go, and none would be there.
                self.keys.change(None, self.dates(&line.in_order(), None)).await?;
            }
        }
        Ok(began)
    }

    /// Adds a key that takes over, in place of any that waits, and dates the withdrawal of the active one.
    pub async fn rotate(&self, purpose: KeyPurpose, begin: Begin) -> Result<KeyRecord, Fault> {
        let _turn = self.turn.0.lock().await;
        self.add(purpose, begin).await
    }

    /// Rotates ahead of time when a signer is older than `every` and no successor is waiting; says which keys were added.
    pub async fn rotate_if_due(&self, every: Duration) -> Result<Vec<KeyRecord>, Fault> {
        let _turn = self.turn.0.lock().await;
        let records = self.keys.all().await?;
        let now = self.clock.now();
        // What waits longer than any successor has to was made by a clock that ran ahead, and is not waited for.
        let latest = now.after(self.publish_ahead);
        let age = every.saturating_sub(self.publish_ahead);
        let mut added = Vec::new();
        for purpose in KeyPurpose::ALL {
            let line = self.line(purpose, &records);
            let waiting = line.waiting.iter().any(|record| record.active_from <= latest);
            let due = line.active.is_some_and(|record| now.since(record.active_from) >= age);
            if due && !waiting {
                added.push(self.add(purpose, Begin::Ahead).await?);
            }
        }
        Ok(added)
    }

    /// Withdraws a key at once, and no other one. The key that signs is withdrawn with [`Begin::Now`] alone: the one that waits, or
    /// else a new one, then begins in the same step.
    pub async fn retire(&self, key_id: &KeyId, begin: Begin) -> Result<Retirement, Fault> {
        let _turn = self.turn.0.lock().await;
        let records = self.keys.all().await?;
        let now = self.clock.now();
        let Some(named) = records.iter().find(|record| record.key_id == *key_id) else {
            return Ok(Retirement::Unknown);
        };
        let mut line = self.line(named.purpose, &records);
        match (named.state(&records, now), begin) {
            (KeyState::Retired, _) => return Ok(Retirement::AlreadyRetired),
            (KeyState::Active, Begin::Ahead) => return Ok(Retirement::Signs),
            (KeyState::Active, Begin::Now) => {
                line.active = None;
                let successor = self.begin_now(line, named.purpose, Some(named)).await?;
                return Ok(Retirement::Replaced(successor.key_id));
            }
            (KeyState::Retiring, _) => {
                self.keys.change(None, vec![gone(named, now)]).await?;
            }
            (KeyState::Waiting, _) => {
                line.waiting.retain(|record| record.key_id != *key_id);
                let mut dates = self.dates(&line.in_order(), None);
                dates.push(gone(named, now));
                self.keys.change(None, dates).await?;
            }
        }
        Ok(Retirement::Retired)
    }

    async fn add(&self, purpose: KeyPurpose, begin: Begin) -> Result<KeyRecord, Fault> {
        let drawn = self.draw(purpose)?;
        let records = self.keys.all().await?;
        let now = self.clock.now();
        let line = self.line(purpose, &records);
        // Where no key signs, the new one does at once.
        let active_from = match begin {
            Begin::Ahead if line.active.is_some() => now.after(self.publish_ahead),
            Begin::Ahead | Begin::Now => now,
        };
        let record = KeyRecord { created_at: now, active_from, ..drawn };
        // A successor that still waits will not be needed: were it left, it would take over from the key that dates it.
        let mut dates: Vec<_> = line.waiting.iter().map(|waiting| gone(waiting, now)).collect();
        dates.extend(self.dates(line.active.as_slice(), Some(active_from)));
        self.keys.change(Some(record.clone()), dates).await?;
        Ok(record)
    }

    /// Lets the key that waits begin at once, or else a new one, and withdraws `instead_of` in the same step.
    async fn begin_now(
        &self,
        mut line: Line<'_>,
        purpose: KeyPurpose,
        instead_of: Option<&KeyRecord>,
    ) -> Result<KeyRecord, Fault> {
        let drawn = if line.waiting.is_empty() { Some(self.draw(purpose)?) } else { None };
        let now = self.clock.now();
        let withdrawn = instead_of.map(|record| gone(record, now));
        if let Some(drawn) = drawn {
            let record = KeyRecord { created_at: now, active_from: now, ..drawn };
            self.keys.change(Some(record.clone()), withdrawn.into_iter().collect()).await?;
            return Ok(record);
        }
        // Verifiers that fetched the key set since it was published know it.
        let first = line.waiting.remove(0);
        let promoted = KeyRecord { active_from: now, ..first.clone() };
        let mut order = vec![&promoted];
        order.append(&mut line.waiting);
        let mut dates = self.dates(&order, None);
        dates.extend(withdrawn);
        self.keys.change(None, dates).await?;
        Ok(promoted)
    }

    /// It can take a second: what is read of the store after it is as it is then.
    fn draw(&self, purpose: KeyPurpose) -> Result<KeyRecord, Fault> {
        let mut nonce = [0; 12];
        self.entropy.fill(&mut nonce)?;
        KeyRecord::generate(purpose, self.algorithm, &self.seal, nonce, self.clock.now())
    }

    /// The dates of keys that sign one after the other: each goes when the next has signed for long enough, the last when `next`, a key
    /// that is to come, has; or it has no date.
    fn dates(&self, order: &[&KeyRecord], next: Option<Timestamp>) -> Vec<KeyDates> {
        let successors = order.iter().skip(1).map(|record| Some(record.active_from)).chain([next]);
        let of = |(record, begins): (&&KeyRecord, Option<Timestamp>)| KeyDates {
            key_id: record.key_id.clone(),
            active_from: record.active_from,
            gone_at: begins.map(|at| at.after(self.longest_jwt).after(OVERLAP)),
        };
        order.iter().zip(successors).map(of).collect()
    }

    fn line<'a>(&self, purpose: KeyPurpose, records: &'a [KeyRecord]) -> Line<'a> {
        let now = self.clock.now();
        let mut line = Line { active: None, waiting: Vec::new() };
        for record in records.iter().filter(|record| record.purpose == purpose) {
            match record.state(records, now) {
                KeyState::Active => line.active = Some(record),
                KeyState::Waiting => line.waiting.push(record),
                KeyState::Retired | KeyState::Retiring => {}
            }
        }
        line.waiting.sort_by_key(|record| (record.active_from, record.key_id.as_str()));
        line
    }
}

/// The keys of a purpose that sign or will sign.
struct Line<'a> {
    active: Option<&'a KeyRecord>,
    /// The one that begins first comes first.
    waiting: Vec<&'a KeyRecord>,
}

impl<'a> Line<'a> {
    fn in_order(&self) -> Vec<&'a KeyRecord> {
        self.active.into_iter().chain(self.waiting.iter().copied()).collect()
    }
}

fn gone(record: &KeyRecord, at: Timestamp) -> KeyDates {
    KeyDates { key_id: record.key_id.clone(), active_from: record.active_from, gone_at: Some(at) }
}

#[cfg(test)]
mod tests;
