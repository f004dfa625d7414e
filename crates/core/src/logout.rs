//! Signing out: ends on the server first; clearing the cookie is the page's business. In: a session token, or which sessions.
//! Out: which sessions ended. Every JWT minted for them is refused by whoever holds the revocation view, at once.

use std::sync::Arc;
use std::time::Duration;

use vestibule_verify::{Revocation, RevocationScope, RevocationView};

use crate::fault::Fault;
use crate::id::SessionId;
use crate::port::{Clock, Ending, Sessions};
use crate::secret::Pepper;
use crate::session::SessionToken;

/// Ends sessions.
pub struct Logout {
    /// Sessions.
    pub sessions: Arc<dyn Sessions>,
    /// What session tokens are digested under.
    pub pepper: Pepper,
    /// What verifiers in this process look at.
    pub revocations: Arc<RevocationView>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The longest life of a JWT that could have been minted for a session.
    pub longest_jwt: Duration,
}

impl Logout {
    /// Ends the session of a token; ending an unknown or ended one is no error (logout is idempotent).
    pub async fn presented(&self, token: &SessionToken) -> Result<Vec<SessionId>, Fault> {
        self.end(Ending::Presented(token.digest(&self.pepper))).await
    }

    /// Ends sessions, durably, and says which.
    pub async fn end(&self, which: Ending) -> Result<Vec<SessionId>, Fault> {
        let ended = self.sessions.end(which).await?;
        self.revoke(&ended);
        Ok(ended)
    }

    /// Tells the verifiers in this process of sessions that ended in some other step (a disabled account).
    pub fn revoke(&self, ended: &[SessionId]) {
        let now = self.clock.now();
        for id in ended {
            let forget_after = now.after(self.longest_jwt).unix_seconds() + 60;
            self.revocations.apply(Revocation::new(RevocationScope::Session(id.to_string()), forget_after));
        }
    }
}
