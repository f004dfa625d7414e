//! Accounts in memory.
//! In: identifiers, hashes, traits. Out: accounts, and which sessions ended.

use std::sync::Arc;

use async_trait::async_trait;
use vestibule_core::Fault;
use vestibule_core::account::{Account, Identifier, PasswordHash, Status, Traits};
use vestibule_core::id::Subject;
use vestibule_core::live::LiveSession;
use vestibule_core::port::{Accounts, Added, Changed, PasswordAuthority, PasswordLookup, Renamed};

use super::{Kept, MemoryStore, State};

#[async_trait]
impl Accounts for MemoryStore {
    async fn add(&self, account: Account) -> Result<Added, Fault> {
        let state = &mut *self.0.lock();
        if state.identifiers.contains_key(&account.identifier) {
            return Ok(Added::IdentifierTaken);
        }
        if state.accounts.contains_key(&account.subject) {
            return Err(Fault::Bug("an account was added under a subject that is in use"));
        }
        state.identifiers.insert(account.identifier.clone(), account.subject);
        state.accounts.insert(account.subject, account);
        Ok(Added::Added)
    }

    async fn find_by_identifier(&self, identifier: &Identifier) -> Result<Option<Account>, Fault> {
        let state = self.0.lock();
        Ok(state.identifiers.get(identifier).and_then(|subject| state.accounts.get(subject)).cloned())
    }

    async fn find(&self, subject: Subject) -> Result<Option<Account>, Fault> {
        Ok(self.0.lock().accounts.get(&subject).cloned())
    }

    async fn find_to_sign_in(
        &self,
        identifier: Option<&Identifier>,
        near: Subject,
    ) -> Result<PasswordLookup, Fault> {
        let state = self.0.lock();
        let subject = identifier.and_then(|identifier| state.identifiers.get(identifier));
        let next = state.accounts.values().min_by_key(|account| (account.subject < near, account.subject));
        Ok(PasswordLookup {
            account: subject.and_then(|subject| state.accounts.get(subject)).cloned(),
            lent: next.and_then(|account| account.password.clone()),
        })
    }

    async fn upgrade_password(
        &self,
        subject: Subject,
        old: &PasswordHash,
        new: PasswordHash,
    ) -> Result<(), Fault> {
        if let Some(account) = self.0.lock().accounts.get_mut(&subject)
            && account.password.as_ref() == Some(old)
        {
            account.password = Some(new);
        }
        Ok(())
    }

    async fn set_password(
        &self,
        subject: Subject,
        new: PasswordHash,
        warrant: PasswordAuthority,
    ) -> Result<Changed, Fault> {
        let state = &mut *self.0.lock();
        let account = state.accounts.get_mut(&subject).filter(|account| warrant.holds_in(account.epoch));
        let Some(account) = account else { return Ok(Changed::Unknown) };
        account.password = Some(new);
        account.epoch += 1;
        let epoch = account.epoch;
        let keep = warrant.keeps();
        let ended = state.end(|Kept { session, .. }| session.subject == subject && Some(session.id) != keep);
        state.renew(subject, Some(epoch));
        let kept = match warrant {
            PasswordAuthority::Owner { session, reissue, .. } => {
                state.reissue_by_name(session, subject, reissue)?
            }
            PasswordAuthority::Operator => None,
        };
        Ok(Changed::Changed { ended, kept })
    }

    async fn set_identifier(
        &self,
        subject: Subject,
        new: Identifier,
        epoch: Option<u64>,
    ) -> Result<Renamed, Fault> {
        let state = &mut *self.0.lock();
        let account =
            state.accounts.get_mut(&subject).filter(|account| epoch.is_none_or(|it| it == account.epoch));
        let Some(account) = account else { return Ok(Renamed::Unknown) };
        if state.identifiers.get(&new).is_some_and(|holder| *holder != subject) {
            return Ok(Renamed::Taken);
        }
        state.identifiers.remove(&account.identifier);
        state.identifiers.insert(new.clone(), subject);
        account.identifier = new;
        state.renew(subject, None);
        Ok(Renamed::Renamed)
    }

    async fn set_traits(&self, subject: Subject, traits: Traits) -> Result<Changed, Fault> {
        let state = &mut *self.0.lock();
        let Some(account) = state.accounts.get_mut(&subject) else { return Ok(Changed::Unknown) };
        account.traits = traits;
        state.renew(subject, None);
        Ok(Changed::Changed { ended: Vec::new(), kept: None })
    }

    async fn set_status(&self, subject: Subject, status: Status) -> Result<Changed, Fault> {
        let state = &mut *self.0.lock();
        let Some(account) = state.accounts.get_mut(&subject) else { return Ok(Changed::Unknown) };
        account.status = status;
        let ended = match status {
            Status::Disabled => {
                account.epoch += 1;
                state.end(|kept| kept.session.subject == subject)
            }
            Status::Enabled => Vec::new(),
        };
        Ok(Changed::Changed { ended, kept: None })
    }

    async fn remove(&self, subject: Subject) -> Result<Changed, Fault> {
        let state = &mut *self.0.lock();
        let Some(account) = state.accounts.remove(&subject) else { return Ok(Changed::Unknown) };
        state.identifiers.remove(&account.identifier);
        state.sign_ins.remove(&subject);
        Ok(Changed::Changed { ended: state.end(|kept| kept.session.subject == subject), kept: None })
    }
}

impl State {
    /// Gives every session of an account a new version, and lifts it into an epoch when one is given.
    fn renew(&mut self, subject: Subject, epoch: Option<u64>) {
        for kept in self.sessions.values_mut().filter(|kept| kept.session.subject == subject) {
            kept.session.version += 1;
            kept.session.epoch = epoch.unwrap_or(kept.session.epoch);
            kept.session.seen_at = kept.session.seen_at.max(kept.live.seen_at());
            kept.live = Arc::new(LiveSession::new(&kept.session));
        }
    }
}
