//! Changing one's own password. In: a live session, the current password and a new one. Out: a new password, no other session, and
//! a new session token for this one; or which of the two passwords is no good.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::account::policy::{PasswordReject, Policy};
use crate::fault::Fault;
use crate::id::SessionId;
use crate::live::LiveSession;
use crate::login::{Confirmation, DeviceMark, Login, NewToken};
use crate::port::{Changed, PasswordAuthority};
use crate::session::Reissue;

#[cfg(test)]
mod tests;

/// Changes passwords for their owners.
pub struct PasswordChange {
    /// Confirms the current one, hashes the new one, ends sessions.
    pub login: Arc<Login>,
    /// What a new password must be.
    pub policy: Arc<Policy>,
}

/// What was typed.
pub struct NewPassword<'a> {
    /// As typed.
    pub current: &'a str,
    /// As typed.
    pub new: &'a str,
}

/// How changing a password went.
pub enum PasswordChanged {
    /// It is changed.
    Changed {
        /// All other sessions of the account. Verifiers are told already.
        ended: Vec<SessionId>,
        /// The session's new token; `None` when it ended meanwhile.
        renewed: Option<NewToken>,
        /// What marks the device as known from now on: the marks of before ended with the old password.
        mark: Option<DeviceMark>,
    },
    /// The account is gone.
    Gone,
    /// No account may get the new password.
    NewRefused(PasswordReject),
    /// The current password is not right.
    Refused,
    /// Too many attempts; the current password was not looked at.
    Wait(Duration),
}

impl PasswordChange {
    /// Changes the password of whose session this is, ends all others and gives this one a new session token, in one step. A fault
    /// leaves the old password in force, and the session with the token that it has. `source` is the address that asks, if it is known.
    pub async fn attempt(
        &self,
        session: &LiveSession,
        typed: NewPassword<'_>,
        source: Option<IpAddr>,
    ) -> Result<PasswordChanged, Fault> {
        let login = &self.login;
        let Some(account) = login.accounts.find(session.subject()).await? else {
            return Ok(PasswordChanged::Gone);
        };
        // Judged first, as it costs nothing: a bad choice is no attempt at the current password.
        let new = match self.policy.read(typed.new, &[account.identifier.as_str()]) {
            Ok(new) => new,
            Err(reject) => return Ok(PasswordChanged::NewRefused(reject)),
        };
        let (epoch, asker) = match login.confirm(session, typed.current, source).await? {
            Confirmation::Confirmed { account, asker } => (account.epoch, asker),
            Confirmation::Refused => return Ok(PasswordChanged::Refused),
            Confirmation::Wait(wait) => return Ok(PasswordChanged::Wait(wait)),
        };
        let hash = login.hasher.hash(new, asker).await?;
        let token = login.fresh_token()?;
        let reissue = Reissue { digest: token.digest(&login.pepper), at: login.clock.now(), proof: None };
        let warrant = PasswordAuthority::Owner { epoch, session: session.id(), reissue };
        match login.accounts.set_password(session.subject(), hash, warrant).await? {
            Changed::Changed { ended, kept } => {
                login.logout.revoke(&ended);
                let renewed = kept.map(|session| NewToken { token, session });
                let mark = renewed.as_ref().and_then(|renewed| login.mark_for(&renewed.session).ok());
                Ok(PasswordChanged::Changed { ended, renewed, mark })
            }
            Changed::Unknown => Ok(PasswordChanged::Gone),
        }
    }
}
