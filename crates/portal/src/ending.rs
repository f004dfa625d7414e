//! Ending sessions of one's own, the same for the page and for the API. In: the holder of a session, and which. Out: what ended;
//! nothing that is not theirs ever does.

use http::request::Parts;
use vestibule_core::Fault;
use vestibule_core::id::SessionId;
use vestibule_core::port::Ending;

use crate::visitor::Known;
use crate::{Portal, event};

/// Which of one's sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    One(SessionId),
    /// All but the one that asks.
    Others,
}

impl Portal {
    /// Ends sessions of whoever asks; says which. Somebody else's, an ended one and an invented one are all the same: none.
    pub(crate) async fn end_own(
        &self,
        known: &Known,
        which: End,
        parts: &Parts,
    ) -> Result<Vec<SessionId>, Fault> {
        let subject = known.session.subject();
        let ending = match which {
            End::One(id) => {
                let found = self.directory.session(id, self.clock.now()).await?;
                if found.is_none_or(|session| session.subject != subject) {
                    return Ok(Vec::new());
                }
                // A public name is never given to a second session, so it is still that one.
                Ending::One(id)
            }
            End::Others => Ending::Others { subject, keep: known.session.id() },
        };
        let ended = self.logout.end(ending).await?;
        event::sessions_ended(&ended, known.session.id(), subject, self.source(parts));
        Ok(ended)
    }
}
