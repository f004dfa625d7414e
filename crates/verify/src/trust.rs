//! The keys that are trusted now, with the signatures they have verified.
//! In: key sets, as they come and go. Out: one consistent view for each verification.
//! Whoever brings keys and whoever verifies share it.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use arc_swap::{ArcSwap, Guard};
use quick_cache::sync::Cache;

use crate::{
    claims::Claims,
    jws::{Header, LastHeader},
    key_set::KeySet,
};

/// The view at the moment, replaced as a whole.
pub(crate) struct Trust {
    current: ArcSwap<Trusted>,
    capacity: AtomicUsize,
}

/// The keys, and the signatures they have verified. They live and die together: whoever still
/// verifies with a retired set also remembers into the retired cache.
pub(crate) struct Trusted {
    pub(crate) keys: KeySet,
    pub(crate) last_header: LastHeader,
    pub(crate) seen: Option<Cache<[u8; 32], Seen>>,
}

/// A token whose signature is good. The cache knows it by the SHA-256 of its whole text, which
/// covers the header and so the key id, and in one set one key id is one key.
#[derive(Clone)]
pub(crate) struct Seen {
    pub(crate) header: Arc<Header>,
    pub(crate) claims: Arc<Claims>,
}

impl Trust {
    pub(crate) fn new(keys: KeySet, capacity: usize) -> Self {
        let current = ArcSwap::from_pointee(Trusted::new(keys, capacity));
        Self { current, capacity: AtomicUsize::new(capacity) }
    }

    pub(crate) fn now(&self) -> Guard<Arc<Trusted>> {
        self.current.load()
    }

    /// Trusts these keys and no others. What the old ones have verified is forgotten, unless they are the same.
    pub(crate) fn replace(&self, keys: KeySet) {
        if !self.now().keys.is_same(&keys) {
            let capacity = self.capacity.load(Ordering::Acquire);
            self.current.store(Arc::new(Trusted::new(keys, capacity)));
        }
    }

    /// Forgets what was verified.
    #[cfg(feature = "jwe")]
    pub(crate) fn forget(&self) {
        self.remember_at_most(self.capacity.load(Ordering::Acquire));
    }

    /// Keys that are replaced meanwhile stay replaced.
    pub(crate) fn remember_at_most(&self, capacity: usize) {
        self.capacity.store(capacity, Ordering::Release);
        self.current.rcu(|trusted| Trusted::new(trusted.keys.clone(), capacity));
    }
}

impl Trusted {
    fn new(keys: KeySet, capacity: usize) -> Self {
        let seen = (capacity > 0).then(|| Cache::new(capacity));
        Self { keys, last_header: LastHeader::default(), seen }
    }
}
