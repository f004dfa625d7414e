//! Changing one's own identifier. In: a live session, the current password, another identifier, from where. Out: the account under that
//! identifier; or a no that says which of the two is no good, or that another account has it.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::account::{Identifier, NotAnIdentifier};
use crate::fault::Fault;
use crate::live::LiveSession;
use crate::login::{Confirmation, Login, attempts};
use crate::port::Renamed;
use crate::throttle::Reservation;

#[cfg(test)]
mod tests;

/// Changes identifiers for their owners.
pub struct IdentifierChange {
    /// Confirms the password, counts attempts, has the accounts.
    pub login: Arc<Login>,
}

/// What was typed.
pub struct NewIdentifier<'a> {
    /// As typed.
    pub current_password: &'a str,
    /// As typed.
    pub identifier: &'a str,
}

/// How changing an identifier went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IdentifierChanged {
    /// It is changed to this. The sessions stay; their next JWTs say so.
    Changed(Identifier),
    /// The account is gone, or its password was changed meanwhile.
    Gone,
    /// No account can have this identifier.
    NewRefused(NotAnIdentifier),
    /// The current password is not right.
    Refused,
    /// Another account has this identifier.
    Taken,
    /// It is the one that the account has.
    Unchanged(Identifier),
    /// Too many attempts: to show the password, or to ask for another identifier.
    Wait(Duration),
}

impl IdentifierChange {
    /// Gives the account whose session this is another identifier. Its owner learns whether another account has it, so each request for
    /// one is counted, whatever comes of it: for the account, for the source, and for all who ask for identifiers, newcomers included.
    /// `source` is the address that asks, if it is known.
    pub async fn attempt(
        &self,
        session: &LiveSession,
        typed: NewIdentifier<'_>,
        source: Option<IpAddr>,
    ) -> Result<IdentifierChanged, Fault> {
        let login = &self.login;
        // Judged first, as it costs nothing and says nothing about accounts.
        let identifier = match Identifier::parse(typed.identifier) {
            Ok(identifier) => identifier,
            Err(cause) => return Ok(IdentifierChanged::NewRefused(cause)),
        };
        let account = match login.confirm(session, typed.current_password, source).await? {
            Confirmation::Confirmed { account, .. } => account,
            Confirmation::Refused => return Ok(IdentifierChanged::Refused),
            Confirmation::Wait(wait) => return Ok(IdentifierChanged::Wait(wait)),
        };
        if account.identifier == identifier {
            return Ok(IdentifierChanged::Unchanged(identifier));
        }
        let attempt = attempts::of_renaming(&login.pepper, account.subject, source);
        let receipt = match login.throttle.reserve(attempt, login.clock.now()).await? {
            Reservation::Reserved(receipt) => receipt,
            Reservation::Wait(wait) => return Ok(IdentifierChanged::Wait(wait)),
        };
        // The epoch is that of the password that was shown: if it was replaced meanwhile, nothing changes.
        match login.accounts.set_identifier(account.subject, identifier.clone(), Some(account.epoch)).await {
            Ok(Renamed::Renamed) => Ok(IdentifierChanged::Changed(identifier)),
            Ok(Renamed::Taken) => Ok(IdentifierChanged::Taken),
            Ok(Renamed::Unknown) => Ok(IdentifierChanged::Gone),
            Err(fault) => {
                // Best effort, as in signing in.
                login.throttle.give_back(&receipt).await.ok();
                Err(fault)
            }
        }
    }
}
