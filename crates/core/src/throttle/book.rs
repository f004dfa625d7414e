//! AttemptCounters in memory, for a store that keeps them nowhere else. In: the verbs of [`crate::port::Throttle`], one after the other. Out:
//! what every store must answer.

use std::collections::HashMap;

use super::{
    AccountCounter, Attempt, AttemptCounters, Bucket, FORGET_AFTER, FULL_AFTER, HARD_STOP, Receipt,
    Reservation, SIGN_INS,
};
use crate::time::Timestamp;

/// All tallies, by digest.
#[derive(Clone, Debug, Default)]
pub struct CounterTable {
    accounts: HashMap<[u8; 32], AccountCounter>,
    buckets: HashMap<[u8; 32], Bucket>,
}

impl CounterTable {
    /// Counts an attempt, or says how long to wait.
    pub fn reserve(&mut self, attempt: Attempt, now: Timestamp) -> Reservation {
        match self.tallies(&attempt).count(attempt, now) {
            Ok((counted, receipt)) => {
                self.keep(&attempt, counted);
                Reservation::Reserved(receipt)
            }
            Err(wait) => Reservation::Wait(wait),
        }
    }

    /// The attempt succeeded.
    pub fn succeeded(&mut self, receipt: &Receipt) {
        self.keep(&receipt.attempt, self.tallies(&receipt.attempt).succeeded(receipt));
    }

    /// The attempt was never evaluated.
    pub fn give_back(&mut self, receipt: &Receipt) {
        self.keep(&receipt.attempt, self.tallies(&receipt.attempt).give_back(receipt));
    }

    /// What is remembered of an account.
    pub fn tally(&self, account: &[u8; 32]) -> AccountCounter {
        self.accounts.get(account).copied().unwrap_or(AccountCounter::FRESH)
    }

    /// Forgets what is remembered of these accounts.
    pub fn forgive(&mut self, accounts: &[[u8; 32]]) {
        self.accounts.retain(|account, _| !accounts.contains(account));
    }

    /// Forgets what a fresh tally would equal at `now`, never one that reached the stop.
    pub fn forget(&mut self, now: Timestamp) {
        self.accounts
            .retain(|_, tally| tally.failures >= HARD_STOP || now.since(tally.counted_at) < FORGET_AFTER);
        self.buckets.retain(|_, bucket| now.since(bucket.counted_at) < FULL_AFTER);
    }

    fn tallies(&self, attempt: &Attempt) -> AttemptCounters {
        let fresh = AttemptCounters::fresh(attempt);
        let account = |key: &[u8; 32]| self.accounts.get(key).copied();
        let bucket = |key: &[u8; 32]| self.buckets.get(key).copied();
        AttemptCounters {
            account: account(&attempt.account).unwrap_or(fresh.account),
            devices: attempt.by.devices().and_then(|key| account(&key)).unwrap_or(fresh.devices),
            source: bucket(&attempt.source).unwrap_or(fresh.source),
            crowd: attempt.by.crowd().and_then(|crowd| bucket(&crowd.key)).unwrap_or(fresh.crowd),
            sign_ins: attempt.sign_ins().and_then(|key| bucket(&key)).unwrap_or(fresh.sign_ins),
        }
    }

    fn keep(&mut self, attempt: &Attempt, tallies: AttemptCounters) {
        self.accounts.insert(attempt.account, tallies.account);
        self.buckets.insert(attempt.source, tallies.source);
        if let Some(devices) = attempt.by.devices() {
            self.accounts.insert(devices, tallies.devices);
        }
        if let Some(crowd) = attempt.by.crowd() {
            self.buckets.insert(crowd.key, tallies.crowd);
        }
        if let Some(key) = attempt.sign_ins().filter(|_| tallies.sign_ins != Bucket::full(SIGN_INS)) {
            self.buckets.insert(key, tallies.sign_ins);
        }
    }
}
