//! Sessions in memory.
//! In: digests and records. Out: what is live, and which sessions a change ended.

use std::sync::Arc;

use async_trait::async_trait;
use vestibule_core::account::Status;
use vestibule_core::id::SessionId;
use vestibule_core::live::LiveSession;
use vestibule_core::port::{Ending, Opened, Recall, Sessions};
use vestibule_core::session::{Session, SessionDigest};
use vestibule_core::{Fault, Timestamp};

use super::{Kept, MemoryStore, State};

#[async_trait]
impl Sessions for MemoryStore {
    fn recall(&self, digest: &SessionDigest) -> Recall {
        match self.0.lock().sessions.get(digest) {
            Some(kept) => Recall::Known(Arc::clone(&kept.live)),
            None => Recall::Unknown,
        }
    }

    async fn find(&self, digest: &SessionDigest) -> Result<Option<Arc<LiveSession>>, Fault> {
        Ok(self.0.lock().sessions.get(digest).map(|kept| Arc::clone(&kept.live)))
    }

    async fn open(&self, session: Session, replaces: Option<SessionDigest>) -> Result<Opened, Fault> {
        let state = &mut *self.0.lock();
        let is_current = state
            .accounts
            .get(&session.subject)
            .is_some_and(|account| account.epoch == session.epoch && account.status == Status::Enabled);
        if !is_current {
            return Ok(Opened::AccountChanged);
        }
        let others = || state.sessions.values().filter(|kept| Some(kept.session.digest) != replaces);
        if others().any(|kept| kept.session.digest == session.digest || kept.session.id == session.id) {
            return Err(Fault::Bug("a session was opened under a digest or id that is in use"));
        }
        replaces.map(|digest| state.sessions.remove(&digest));
        state.opened += 1;
        let live = Arc::new(LiveSession::new(&session));
        state.sessions.insert(session.digest, Kept { number: state.opened, session, live });
        Ok(Opened::Open)
    }

    fn note_use(&self, digest: &SessionDigest, seen_at: Timestamp) {
        if let Some(kept) = self.0.lock().sessions.get_mut(digest) {
            kept.session.seen_at = kept.session.seen_at.max(seen_at);
        }
    }

    async fn end(&self, which: Ending) -> Result<Vec<SessionId>, Fault> {
        Ok(self.0.lock().end(|session| match which {
            Ending::Everyone => true,
            Ending::One(id) => session.id == id,
            Ending::Others { subject, keep } => session.subject == subject && session.id != keep,
            Ending::Presented(digest) => session.digest == digest,
            Ending::Subject(subject) => session.subject == subject,
        }))
    }

    async fn forget_expired(&self, now: Timestamp) -> Result<u64, Fault> {
        let state = &mut *self.0.lock();
        let before = state.sessions.len();
        state.sessions.retain(|_, kept| kept.live.judge(now).is_ok());
        state.sessions.values().for_each(|kept| {
            kept.live.tidy(now);
        });
        state.forget_tallies(now);
        Ok((before - state.sessions.len()) as u64)
    }
}

impl State {
    pub(super) fn end(&mut self, which: impl Fn(&Session) -> bool) -> Vec<SessionId> {
        self.sessions.extract_if(|_, kept| which(&kept.session)).map(|(_, kept)| kept.session.id).collect()
    }
}
