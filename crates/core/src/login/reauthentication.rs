//! What somebody who is signed in already does with a password, or without one: show it again, or have the session token replaced.
//! In: a live session. Out: a new session token, with the old one dead in the same step; or a wait, or a no.

use std::net::IpAddr;
use std::time::Duration;

use super::{Login, attempts};
use crate::account::Account;
use crate::fault::Fault;
use crate::live::LiveSession;
use crate::port::Reissued;
use crate::principal::{Amr, Assurance};
use crate::secret::Password;
use crate::session::{Proof, Reissue, Session, SessionToken};
use crate::throttle::{HashRequester, Reservation};

/// How showing the password again went.
pub enum Confirmation {
    /// It is the account's.
    Confirmed {
        /// As it is now.
        account: Box<Account>,
        /// For whom further passwords are hashed in the same request.
        asker: HashRequester,
    },
    /// It is not.
    Refused,
    /// Too many attempts; the password was not looked at.
    Wait(Duration),
}

/// How proving oneself again within a session went.
pub enum Reauthentication {
    /// Proven: the session goes on under a new session token, with both limits afresh.
    Proven(NewToken),
    /// The password is wrong.
    Refused,
    /// Too many attempts; the password was not looked at.
    Wait(Duration),
    /// The session ended meanwhile.
    Gone,
}

/// A session under its new session token.
pub struct NewToken {
    /// The secret, for its holder, once.
    pub token: SessionToken,
    /// What the store knows.
    pub session: Box<Session>,
}

impl Login {
    /// Whether a password is the one of the account whose session this is. Failures are counted by the session, attempts by all sessions
    /// of the account together and by the address: a stolen session is no way around the throttle, nor are many, and who guesses without
    /// one does not keep the owner waiting. `source` is the address that asks, if it is known.
    pub async fn confirm(
        &self,
        session: &LiveSession,
        password: &str,
        source: Option<IpAddr>,
    ) -> Result<Confirmation, Fault> {
        let Some(password) = Password::parse(password) else { return Ok(Confirmation::Refused) };
        let account = self.accounts.find(session.subject()).await?;
        let attempt = attempts::within(&self.pepper, session.id(), session.subject(), source);
        let asker = attempt.asker();
        let receipt = match self.throttle.reserve(attempt, self.clock.now()).await? {
            Reservation::Reserved(receipt) => receipt,
            Reservation::Wait(wait) => return Ok(Confirmation::Wait(wait)),
        };
        match self.shown(account, None, password, asker).await {
            Ok(Some(account)) => {
                self.note_success(&receipt).await;
                Ok(Confirmation::Confirmed { account: Box::new(account), asker })
            }
            Ok(None) => Ok(Confirmation::Refused),
            Err(fault) => {
                // Best effort, as in signing in.
                self.throttle.give_back(&receipt).await.ok();
                Err(fault)
            }
        }
    }

    /// Has the owner of a live session prove itself again. Who succeeds gets a new session token; the old one is dead in the same
    /// step, and both limits start afresh (NIST SP 800-63B-4 section 5.2).
    pub async fn reprove(
        &self,
        session: &LiveSession,
        password: &str,
        source: Option<IpAddr>,
    ) -> Result<Reauthentication, Fault> {
        let account = match self.confirm(session, password, source).await? {
            Confirmation::Confirmed { account, .. } => account,
            Confirmation::Refused => return Ok(Reauthentication::Refused),
            Confirmation::Wait(wait) => return Ok(Reauthentication::Wait(wait)),
        };
        let proof = Proof {
            epoch: account.epoch,
            assurance: Assurance::Aal1,
            amr: Amr::PASSWORD,
            ends_at: self.clock.now().after(self.limits_of(session.kind()).absolute),
        };
        Ok(self.replace(session, Some(proof)).await?.map_or(Reauthentication::Gone, Reauthentication::Proven))
    }

    /// Gives a live session a new session token; the old one is dead in the same step. `None`: the session has ended, or another
    /// request has just replaced the token.
    pub async fn rotate(&self, session: &LiveSession) -> Result<Option<NewToken>, Fault> {
        self.replace(session, None).await
    }

    /// Whether the subject of a session proved itself so shortly ago that it may change its account without doing so again.
    pub fn is_freshly_proven(&self, session: &LiveSession) -> bool {
        // A proof from the future is one from before the clock was set back: how old it is nobody knows.
        let now = self.clock.now();
        session.proven_at() <= now && now.since(session.proven_at()) <= self.step_up
    }

    async fn replace(&self, session: &LiveSession, proof: Option<Proof>) -> Result<Option<NewToken>, Fault> {
        let token = self.fresh_token()?;
        let reissue = Reissue { digest: token.digest(&self.pepper), at: self.clock.now(), proof };
        Ok(match self.sessions.reissue(session.digest(), reissue).await? {
            Reissued::Reissued(session) => Some(NewToken { token, session }),
            Reissued::Gone => None,
        })
    }
}
