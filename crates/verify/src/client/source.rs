//! What verifiers and the refresher of their keys share: wishes one way, keys and their age the other.
//! In: that a key is unknown. Out: whether the keys are too old, and when the issuer has been asked.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use tokio::sync::{Notify, watch};
use tokio::task::AbortHandle;

use super::fault::DiscoveryFault;
use crate::trust::Trust;

/// A verifier's end. With it ends the task.
pub(crate) struct KeySource {
    shared: Arc<Shared>,
    task: AbortHandle,
}

pub(super) struct Shared {
    trust: Arc<Trust>,
    born: Instant,
    /// Until when the keys may be trusted, in milliseconds since `born`.
    good_until: AtomicU64,
    gate: Mutex<Gate>,
    wish: Notify,
    rounds: watch::Sender<u64>,
    fault: ArcSwapOption<DiscoveryFault>,
    unknown_key_interval: Duration,
    /// Metadata and keys: as long as both may take.
    patience: Duration,
}

struct Gate {
    /// From a wish, or from the moment that asking is due, until there is an outcome.
    is_asking: bool,
    is_wished: bool,
    /// Before this, unknown keys are no reason to ask again.
    not_before: Option<Instant>,
}

impl KeySource {
    pub(super) fn new(shared: Arc<Shared>, task: AbortHandle) -> Self {
        Self { shared, task }
    }

    /// Whether the issuer has not confirmed the keys for so long that none of them counts.
    pub(crate) fn is_stale(&self) -> bool {
        self.shared.is_stale()
    }

    /// Asks the issuer about an unknown key, in the background, unless that was done lately or is being done. Where there are no keys at
    /// all the issuer is being asked every few seconds anyway, and a wish would only use up the one that a rotation will need.
    pub(crate) fn wish(&self) {
        if !self.shared.has_keys() {
            return;
        }
        let now = Instant::now();
        let mut gate = self.shared.gate();
        if gate.is_asking || gate.not_before.is_some_and(|not_before| now < not_before) {
            return;
        }
        gate.is_asking = true;
        gate.is_wished = true;
        gate.not_before = now.checked_add(self.shared.unknown_key_interval);
        self.shared.wish.notify_one();
    }

    /// What went wrong when the issuer was asked last.
    pub(super) fn fault(&self) -> Option<Arc<DiscoveryFault>> {
        self.shared.fault.load_full()
    }

    /// Waits while the issuer is being asked, and not longer than it may take to answer.
    pub(crate) async fn settled(&self) {
        let mut rounds = {
            let gate = self.shared.gate();
            if !gate.is_asking {
                return;
            }
            self.shared.rounds.subscribe()
        };
        // Whichever way it ends, the caller looks at the keys again.
        let _ = tokio::time::timeout(self.shared.patience, rounds.changed()).await;
    }
}

impl Drop for KeySource {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Shared {
    pub(super) fn new(trust: Arc<Trust>, unknown_key_interval: Duration, patience: Duration) -> Self {
        Self {
            trust,
            born: Instant::now(),
            good_until: AtomicU64::new(0),
            // The first question is due at once.
            gate: Mutex::new(Gate { is_asking: true, is_wished: false, not_before: None }),
            wish: Notify::new(),
            rounds: watch::Sender::new(0),
            fault: ArcSwapOption::empty(),
            unknown_key_interval,
            patience: patience.saturating_mul(2),
        }
    }

    pub(super) fn trust(&self) -> Arc<Trust> {
        Arc::clone(&self.trust)
    }

    pub(super) fn has_keys(&self) -> bool {
        !self.is_stale() && !self.trust.now().keys.is_empty()
    }

    pub(super) fn is_stale(&self) -> bool {
        self.age() > self.good_until.load(Ordering::Acquire)
    }

    /// The keys that are there now count for this much longer.
    pub(super) fn confirm(&self, span: Duration) {
        let span = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        self.good_until.store(self.age().saturating_add(span), Ordering::Release);
    }

    pub(super) async fn wished(&self) {
        // A permit may be left of a wish that another question has fulfilled.
        while !self.gate().is_wished {
            self.wish.notified().await;
        }
    }

    pub(super) fn begin(&self) {
        let mut gate = self.gate();
        gate.is_asking = true;
        gate.is_wished = false;
    }

    /// Whoever waits looks again.
    pub(super) fn end(&self, fault: Option<DiscoveryFault>) {
        self.fault.store(fault.map(Arc::new));
        let mut gate = self.gate();
        gate.is_asking = false;
        self.rounds.send_modify(|rounds| *rounds = rounds.wrapping_add(1));
    }

    fn age(&self) -> u64 {
        u64::try_from(self.born.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn gate(&self) -> MutexGuard<'_, Gate> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
