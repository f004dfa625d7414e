//! What a store did since it was opened, for metrics and for the proof that a warm request neither reads nor writes.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts since the store was opened, and sizes now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Questions that the database answered; what memory answers is not among them.
    pub reads: u64,
    /// Changes carried out, whether or not they were committed.
    pub writes: u64,
    /// Transactions committed; fewer than `writes` when changes come at once.
    pub commits: u64,
    /// Transactions that failed as a whole.
    pub failed_commits: u64,
    /// The most changes that one transaction carried.
    pub largest_batch: u64,
    /// Sessions in memory, those that expired lately included.
    pub sessions: u64,
    /// Uses of sessions that wait to be written.
    pub uses_waiting: u64,
    /// Bytes of minted JWTs kept with sessions, as of the last sweep.
    pub minted_bytes: u64,
}

/// The counters behind [`Statistics`].
#[derive(Default)]
pub(crate) struct Counters {
    pub(crate) reads: AtomicU64,
    pub(crate) writes: AtomicU64,
    pub(crate) commits: AtomicU64,
    pub(crate) failed_commits: AtomicU64,
    pub(crate) largest_batch: AtomicU64,
    pub(crate) minted_bytes: AtomicU64,
}

impl Counters {
    /// The counts; the sizes are the caller's to fill in.
    pub(crate) fn read(&self) -> Statistics {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Statistics {
            reads: load(&self.reads),
            writes: load(&self.writes),
            commits: load(&self.commits),
            failed_commits: load(&self.failed_commits),
            largest_batch: load(&self.largest_batch),
            minted_bytes: load(&self.minted_bytes),
            ..Statistics::default()
        }
    }
}
