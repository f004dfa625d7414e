//! Sessions in memory.
//! In: digests and records. Out: what is live, and which sessions a change ended.

use std::sync::Arc;

use async_trait::async_trait;
use vestibule_core::account::Status;
use vestibule_core::id::{SessionId, Subject};
use vestibule_core::live::LiveSession;
use vestibule_core::port::{Ending, Opened, Recall, Reissued, Sessions};
use vestibule_core::session::{Cap, Reissue, Session, SessionDigest};
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

    async fn open(&self, session: Session, replaces: Option<SessionId>, cap: Cap) -> Result<Opened, Fault> {
        let state = &mut *self.0.lock();
        let is_current = state
            .accounts
            .get(&session.subject)
            .is_some_and(|account| account.epoch == session.epoch && account.status == Status::Enabled);
        if !is_current {
            return Ok(Opened::AccountChanged);
        }
        if state.sessions.contains_key(&session.digest) || state.ids.contains(&session.id) {
            return Err(Fault::Bug("a session was opened under a digest or id that is in use"));
        }
        let mut ended = state.end(|kept| Some(kept.session.id) == replaces);
        ended.extend(state.make_room(&session, cap));
        state.opened += 1;
        let last = state.sign_ins.entry(session.subject).or_insert(session.opened_at);
        *last = (*last).max(session.opened_at);
        state.ids.insert(session.id);
        let live = Arc::new(LiveSession::new(&session));
        state.sessions.insert(session.digest, Kept { number: state.opened, session, family: None, live });
        Ok(Opened::Open { ended })
    }

    async fn reissue(&self, old: &SessionDigest, reissue: Reissue) -> Result<Reissued, Fault> {
        Ok(self.0.lock().reissue(old, reissue)?.map_or(Reissued::Gone, Reissued::Reissued))
    }

    fn note_use(&self, digest: &SessionDigest, seen_at: Timestamp) {
        if let Some(kept) = self.0.lock().sessions.get_mut(digest) {
            kept.session.seen_at = kept.session.seen_at.max(seen_at);
        }
    }

    async fn end(&self, which: Ending) -> Result<Vec<SessionId>, Fault> {
        Ok(self.0.lock().end(|Kept { session, .. }| match which {
            Ending::Everyone => true,
            Ending::One(id) => session.id == id,
            Ending::Others { subject, keep } => session.subject == subject && session.id != keep,
            Ending::Presented(digest) => session.digest == digest,
            Ending::Subject(subject) => session.subject == subject,
        }))
    }

    async fn forget_expired(&self, now: Timestamp) -> Result<u64, Fault> {
        let state = &mut *self.0.lock();
        let forgotten = state.end(|kept| kept.live.judge(now).is_err());
        state.sessions.values().for_each(|kept| {
            kept.live.tidy(now);
        });
        state.tallies.forget(now);
        state.assertions.retain(|_, forget_after| *forget_after > now);
        Ok(forgotten.len() as u64)
    }
}

impl State {
    /// Ends what an account has too many of once `coming` is open: first what can never be used again, then the oldest.
    fn make_room(&mut self, coming: &Session, cap: Cap) -> Vec<SessionId> {
        let Some(most) = cap.most else { return Vec::new() };
        let of_account = self.sessions.values().filter(|kept| kept.session.subject == coming.subject);
        let mut held: Vec<_> = of_account
            .map(|kept| (kept.live.judge(coming.opened_at).is_ok(), kept.number, kept.session.id))
            .collect();
        held.sort_unstable();
        let room = usize::try_from(most.get() - 1).unwrap_or(usize::MAX);
        held.truncate(held.len().saturating_sub(room));
        self.end(|kept| held.iter().any(|(.., id)| *id == kept.session.id))
    }

    /// The session of this name under a new session token.
    pub(super) fn reissue_by_name(
        &mut self,
        id: SessionId,
        of: Subject,
        reissue: Reissue,
    ) -> Result<Option<Box<Session>>, Fault> {
        let is_meant = |kept: &&Kept| kept.session.id == id && kept.session.subject == of;
        let old = self.sessions.values().find(is_meant).map(|kept| kept.session.digest);
        old.map_or(Ok(None), |old| self.reissue(&old, reissue))
    }

    fn reissue(&mut self, old: &SessionDigest, reissue: Reissue) -> Result<Option<Box<Session>>, Fault> {
        if self.sessions.contains_key(&reissue.digest) {
            return Err(Fault::Bug("a session token was replaced by one that is in use"));
        }
        let Some(kept) = self.sessions.get(old) else { return Ok(None) };
        let (number, replaced) = (kept.number, kept.session.clone().reissued(reissue));
        let Some(session) = replaced else { return Ok(None) };
        let live = Arc::new(LiveSession::new(&session));
        self.sessions.remove(old);
        self.sessions.insert(session.digest, Kept { number, session: session.clone(), family: None, live });
        Ok(Some(Box::new(session)))
    }

    pub(super) fn end(&mut self, which: impl Fn(&Kept) -> bool) -> Vec<SessionId> {
        let ended = self.sessions.extract_if(|_, kept| which(kept)).map(|(_, kept)| kept.session.id);
        let ended: Vec<_> = ended.collect();
        ended.iter().for_each(|id| {
            self.ids.remove(id);
        });
        ended
    }
}
