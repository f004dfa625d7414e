//! The store in memory, under one lock: gone with the process, so for tests and nobody's production. What it answers is what
//! every other store must answer; what it does is what their queries mean.
//! In: the ports' verbs. Out: the same answers as from a database, at once.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use async_trait::async_trait;
use parking_lot::Mutex;
use vestibule_core::account::{Account, Identifier};
use vestibule_core::client::{Client, ClientId};
use vestibule_core::id::{SessionId, Subject};
use vestibule_core::key::KeyRecord;
use vestibule_core::live::LiveSession;
use vestibule_core::port::{AccountsPage, Directory, KeyDates, Keys, Page, Throttle};
use vestibule_core::refresh_token::TokenFamily;
use vestibule_core::session::{Session, SessionDigest, Span, judge};
use vestibule_core::throttle::{AccountCounter, Attempt, CounterTable, Receipt, Reservation};
use vestibule_core::{Fault, Timestamp};

mod accounts;
mod clients;
mod grants;
mod sessions;

/// The store in memory.
#[derive(Default)]
pub struct MemoryStore(Mutex<State>);

#[derive(Default)]
struct State {
    accounts: HashMap<Subject, Account>,
    identifiers: BTreeMap<Identifier, Subject>,
    sessions: HashMap<SessionDigest, Kept>,
    /// When each account was last signed in to.
    sign_ins: HashMap<Subject, Timestamp>,
    /// Of the sessions that are open.
    ids: HashSet<SessionId>,
    /// How many sessions were ever opened.
    opened: u64,
    keys: Vec<KeyRecord>,
    /// In the order in which they were added.
    clients: Vec<Arc<Client>>,
    /// Assertions that were shown, with the time of each from when on nobody would take it anyway.
    assertions: HashMap<(ClientId, [u8; 32]), Timestamp>,
    tallies: CounterTable,
}

/// A session as a database would have it, and as the hot path does.
struct Kept {
    number: u64,
    session: Session,
    family: Option<TokenFamily>,
    live: Arc<LiveSession>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Arc<Self> {
        Arc::default()
    }
}

#[async_trait]
impl Keys for MemoryStore {
    async fn all(&self) -> Result<Vec<KeyRecord>, Fault> {
        let mut keys = self.0.lock().keys.clone();
        keys.sort_by(|one, other| {
            (one.created_at, one.key_id.as_str()).cmp(&(other.created_at, other.key_id.as_str()))
        });
        Ok(keys)
    }

    async fn change(&self, new: Option<KeyRecord>, dates: Vec<KeyDates>) -> Result<(), Fault> {
        let keys = &mut self.0.lock().keys;
        if new.iter().any(|new| keys.iter().any(|key| key.key_id == new.key_id)) {
            return Err(Fault::Bug("a signing key was added under a key id that is in use"));
        }
        if dates.iter().any(|of| keys.iter().all(|key| key.key_id != of.key_id)) {
            return Err(Fault::Bug("a signing key was dated that is not there"));
        }
        for KeyDates { key_id, active_from, gone_at } in dates {
            for key in keys.iter_mut().filter(|key| key.key_id == key_id) {
                (key.active_from, key.gone_at) = (active_from, gone_at);
            }
        }
        keys.extend(new);
        Ok(())
    }
}

#[async_trait]
impl Throttle for MemoryStore {
    async fn reserve(&self, attempt: Attempt, now: Timestamp) -> Result<Reservation, Fault> {
        Ok(self.0.lock().tallies.reserve(attempt, now))
    }

    async fn succeeded(&self, receipt: &Receipt) -> Result<(), Fault> {
        self.0.lock().tallies.succeeded(receipt);
        Ok(())
    }

    async fn give_back(&self, receipt: &Receipt) -> Result<(), Fault> {
        self.0.lock().tallies.give_back(receipt);
        Ok(())
    }

    async fn tallies(&self, accounts: &[[u8; 32]]) -> Result<Vec<AccountCounter>, Fault> {
        let state = self.0.lock();
        Ok(accounts.iter().map(|account| state.tallies.tally(account)).collect())
    }

    async fn forgive(&self, accounts: &[[u8; 32]]) -> Result<(), Fault> {
        self.0.lock().tallies.forgive(accounts);
        Ok(())
    }
}

#[async_trait]
impl Directory for MemoryStore {
    async fn sessions(&self, of: Option<Subject>, page: Page, now: Timestamp) -> Result<Vec<Session>, Fault> {
        let state = self.0.lock();
        let of_subject = |kept: &&Kept| of.is_none_or(|subject| kept.session.subject == subject);
        let mut found: Vec<_> = state
            .sessions
            .values()
            .filter(of_subject)
            .filter_map(|kept| Some((kept.number, kept.if_live(now)?)))
            .collect();
        found.sort_by_key(|(number, _)| std::cmp::Reverse(*number));
        let listed = found.into_iter().map(|(_, session)| session);
        Ok(listed.skip(page.skip as usize).take(page.take as usize).collect())
    }

    async fn session(&self, id: SessionId, now: Timestamp) -> Result<Option<Session>, Fault> {
        let state = self.0.lock();
        Ok(state.sessions.values().find(|kept| kept.session.id == id).and_then(|kept| kept.if_live(now)))
    }

    async fn accounts(&self, which: AccountsPage<'_>) -> Result<Vec<Account>, Fault> {
        let state = self.0.lock();
        let AccountsPage { after, containing, take } = which;
        let ordered = state.identifiers.iter().filter(|(identifier, _)| {
            after.is_none_or(|after| *identifier > after)
                && containing.is_none_or(|part| identifier.as_str().contains(part))
        });
        let accounts = ordered.filter_map(|(_, subject)| state.accounts.get(subject));
        Ok(accounts.take(take as usize).cloned().collect())
    }

    async fn identifiers(&self, of: &[Subject]) -> Result<Vec<(Subject, Identifier)>, Fault> {
        let state = self.0.lock();
        let called = |subject: &Subject| Some((*subject, state.accounts.get(subject)?.identifier.clone()));
        Ok(of.iter().filter_map(called).collect())
    }

    async fn last_sign_in(&self, subject: Subject) -> Result<Option<Timestamp>, Fault> {
        Ok(self.0.lock().sign_ins.get(&subject).copied())
    }
}

impl Kept {
    fn if_live(&self, now: Timestamp) -> Option<Session> {
        let mut session = self.session.clone();
        session.seen_at = session.seen_at.max(self.live.seen_at());
        let span = Span { seen_at: session.seen_at, idle: session.idle, ends_at: session.ends_at };
        judge(span, now).is_ok().then_some(session)
    }
}
