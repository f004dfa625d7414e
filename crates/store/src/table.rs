//! The warm table: every live session and every client in memory, so that a request is answered without asking a database.
//! In: changes that are durable, in the order of their commits, from one writer. Out: sessions by digest and clients by id, to any
//! number of readers that never wait for each other.

use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use papaya::HashMap;
use vestibule_core::Timestamp;
use vestibule_core::client::{Client, ClientId};
use vestibule_core::live::LiveSession;
use vestibule_core::session::{Session, SessionDigest};

/// All live sessions, and all clients. Whoever changes it is alone in doing so; readers see each entry whole, before or after.
pub(crate) struct Table {
    sessions: HashMap<SessionDigest, Arc<LiveSession>, BuildHasherDefault<DigestHasher>>,
    clients: HashMap<ClientId, Arc<Client>>,
}

/// What a committed change means for the table.
pub(crate) enum TableChange {
    /// There is this client.
    AddClient(Arc<Client>),
    /// All sessions ended.
    Clear,
    /// This one ended.
    End(SessionDigest),
    /// This one is open, or something of it changed that its holder's old JWTs do not say.
    Open(Box<Session>),
    /// This client is no more.
    RemoveClient(ClientId),
    /// This one has a new version: what was minted for the old one is not handed out again.
    Renew(SessionDigest, u32),
}

/// What one walk over the table found.
pub(crate) struct Sweep {
    pub(crate) expired: Vec<SessionDigest>,
    pub(crate) minted_bytes: u64,
}

impl Table {
    pub(crate) fn with_capacity(sessions: usize) -> Self {
        let sessions = HashMap::with_capacity_and_hasher(sessions, BuildHasherDefault::default());
        Self { sessions, clients: HashMap::new() }
    }

    pub(crate) fn find(&self, digest: &SessionDigest) -> Option<Arc<LiveSession>> {
        self.sessions.pin().get(digest).map(Arc::clone)
    }

    pub(crate) fn client(&self, id: &ClientId) -> Option<Arc<Client>> {
        self.clients.pin().get(id).map(Arc::clone)
    }

    pub(crate) fn len(&self) -> usize {
        self.sessions.len()
    }

    pub(crate) fn apply(&self, change: TableChange) {
        match change {
            TableChange::AddClient(client) => {
                self.clients.pin().insert(client.id, client);
            }
            TableChange::RemoveClient(id) => {
                self.clients.pin().remove(&id);
            }
            TableChange::Clear => self.sessions.pin().clear(),
            TableChange::End(digest) => {
                self.sessions.pin().remove(&digest);
            }
            TableChange::Open(session) => self.open(*session),
            TableChange::Renew(digest, version) => {
                if let Some(live) = self.find(&digest) {
                    self.sessions.pin().insert(digest, Arc::new(live.renewed(version)));
                }
            }
        }
    }

    /// Drops JWTs that are expired at `now`, and says which sessions can never be used again. Takes a fraction of a second for a
    /// million sessions: not for a thread that has requests to answer.
    pub(crate) fn sweep(&self, now: Timestamp) -> Sweep {
        let mut sweep = Sweep { expired: Vec::new(), minted_bytes: 0 };
        for live in self.sessions.pin().values() {
            if live.judge(now).is_err() {
                sweep.expired.push(*live.digest());
            } else {
                sweep.minted_bytes += live.tidy(now) as u64;
            }
        }
        sweep
    }

    fn open(&self, mut session: Session) {
        // What memory knows of its last use is newer than what the database does.
        if let Some(live) = self.find(&session.digest) {
            session.seen_at = session.seen_at.max(live.seen_at());
        }
        self.sessions.pin().insert(session.digest, Arc::new(LiveSession::new(&session)));
    }
}

/// Takes the first eight bytes of a digest for its hash. A digest is an HMAC under a secret pepper, so its bytes are uniform and
/// nobody outside can choose them: hashing them again, with a key or without, would add nothing but time.
#[derive(Default)]
pub(crate) struct DigestHasher(u64);

impl Hasher for DigestHasher {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk() {
            self.0 = u64::from_le_bytes(*first);
        }
    }

    fn write_usize(&mut self, _length: usize) {
        // The length prefix of the array: always 32.
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use std::hash::{BuildHasher, BuildHasherDefault};

    use super::*;

    #[test]
    fn a_digest_hashes_to_its_first_eight_bytes() {
        let hashed =
            |bytes| BuildHasherDefault::<DigestHasher>::default().hash_one(SessionDigest::from_bytes(bytes));
        let bytes = std::array::from_fn(|at| at as u8);
        assert_eq!(hashed(bytes), 0x0706_0504_0302_0100);
        let mut other = bytes;
        other[7] ^= 0x80;
        assert_ne!(hashed(other), hashed(bytes));
    }
}
