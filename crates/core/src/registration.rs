//! Making an account for oneself. In: an identifier and a new password, from where. Out: one answer, whether or not the identifier
//! had an account already, after the same work; or what is wrong with what was typed, which says nothing about accounts either.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::account::policy::{PasswordReject, Policy};
use crate::account::{Account, Identifier, NotAnIdentifier, Status, Traits};
use crate::fault::Fault;
use crate::id::Subject;
use crate::login::{Login, attempts};
use crate::port::Added;
use crate::secret::Password;
use crate::throttle::{HashRequester, Reservation};

#[cfg(test)]
mod tests;

/// Makes accounts for those who ask. It stands on what signs in, so that both count a source's attempts in one tally.
pub struct Registration {
    /// Accounts, attempts, the hasher, the clock and randomness.
    pub login: Arc<Login>,
    /// What a new password must be.
    pub policy: Arc<Policy>,
}

/// What was typed, and from where.
pub struct RegistrationRequest<'a> {
    /// As typed.
    pub identifier: &'a str,
    /// As typed.
    pub password: &'a str,
    /// The client's address, if it is known.
    pub source: Option<IpAddr>,
}

/// How an attempt to register went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegistrationOutcome {
    /// No account can have this identifier.
    IdentifierRefused(NotAnIdentifier),
    /// No account may get this password.
    PasswordRefused(PasswordReject),
    /// Somebody has an account of this name: who asked, or whoever had it before. `added` tells which, and is for the log alone:
    /// told to who asked, it would tell strangers who has an account.
    Registered {
        /// The new account.
        added: Option<Subject>,
    },
    /// Too many attempts; nothing was looked at.
    Wait(Duration),
}

impl Registration {
    /// Tries to make an account. An account that is there is left as it is, whatever the password.
    pub async fn attempt(&self, request: RegistrationRequest<'_>) -> Result<RegistrationOutcome, Fault> {
        let identifier = match Identifier::parse(request.identifier) {
            Ok(identifier) => identifier,
            Err(cause) => return Ok(RegistrationOutcome::IdentifierRefused(cause)),
        };
        let password = match self.policy.read(request.password, &[identifier.as_str()]) {
            Ok(password) => password,
            Err(cause) => return Ok(RegistrationOutcome::PasswordRefused(cause)),
        };
        let login = &self.login;
        let attempt = attempts::of_newcomer(&login.pepper, &identifier, request.source);
        let receipt = match login.throttle.reserve(attempt, login.clock.now()).await? {
            Reservation::Reserved(receipt) => receipt,
            Reservation::Wait(wait) => return Ok(RegistrationOutcome::Wait(wait)),
        };
        match self.add(identifier, password, attempt.asker()).await {
            Ok(added) => Ok(RegistrationOutcome::Registered { added }),
            Err(fault) => {
                // Best effort, as at login.
                login.throttle.give_back(&receipt).await.ok();
                Err(fault)
            }
        }
    }

    /// Hashes first, and lets the store say whether the name is taken: the work is the same for both, and of two who ask at once
    /// one alone gets it.
    async fn add(
        &self,
        identifier: Identifier,
        password: Password,
        asker: HashRequester,
    ) -> Result<Option<Subject>, Fault> {
        let login = &self.login;
        let hash = login.hasher.hash(password, asker).await?;
        let mut subject = [0; 16];
        login.entropy.fill(&mut subject)?;
        let subject = Subject::from_bytes(subject);
        let account = Account {
            subject,
            identifier,
            password: Some(hash),
            traits: Traits::default(),
            status: Status::Enabled,
            epoch: 1,
            created_at: login.clock.now(),
        };
        Ok(match login.accounts.add(account).await? {
            Added::Added => Some(subject),
            Added::IdentifierTaken => None,
        })
    }
}
