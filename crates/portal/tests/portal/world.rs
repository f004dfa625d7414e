//! The world in memory: one lock, a clock that is set, entropy that counts, a hasher that is cheap. It can be made to fail.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use parking_lot::Mutex;
use vestibule_core::account::{Account, Identifier, PasswordHash, Status, Traits};
use vestibule_core::id::{SessionId, Subject};
use vestibule_core::live::LiveSession;
use vestibule_core::port::*;
use vestibule_core::refresh_token::{RefreshDigest, RefreshVerdict, TokenFamily};
use vestibule_core::secret::Password;
use vestibule_core::session::{Cap, Reissue, Session, SessionDigest};
use vestibule_core::throttle::{AccountCounter, Attempt, CounterTable, HashRequester, Receipt, Reservation};
use vestibule_core::{Fault, Timestamp};

pub(crate) const START: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);

#[derive(Default)]
pub(crate) struct World {
    state: Mutex<State>,
    now: AtomicU64,
    drawn: AtomicU64,
    /// Changes of anything but `seen_at`, so that a test can tell that nothing changed.
    pub(crate) changes: AtomicU64,
    pub(crate) noted: AtomicU64,
    pub(crate) hashed: AtomicU64,
    pub(crate) is_down: AtomicBool,
    /// How many accounts have got another identifier.
    pub(crate) renamed: AtomicU64,
    pub(crate) hasher_is_full: AtomicBool,
    /// Whatever ends or replaces sessions finds each under a session token that somebody had replaced the moment before.
    pub(crate) is_outrun: AtomicBool,
    /// Noting that a login succeeded fails.
    pub(crate) fails_beside: AtomicBool,
    /// When an account was last looked up by its identifier.
    pub(crate) looked_up_at: Mutex<Option<Instant>>,
}

#[derive(Default)]
struct State {
    sessions: HashMap<SessionDigest, (Session, Arc<LiveSession>)>,
    accounts: HashMap<Subject, Account>,
    families: HashMap<SessionDigest, TokenFamily>,
    tallies: CounterTable,
}

impl State {
    fn end(&mut self, is_meant: impl Fn(&Session) -> bool) -> Vec<SessionId> {
        let ended = self.sessions.extract_if(|_, (session, _)| is_meant(session));
        ended.map(|(_, (session, _))| session.id).collect()
    }
}

impl World {
    pub(crate) fn new() -> Arc<Self> {
        let world = Self { now: AtomicU64::new(START.millis()), ..Self::default() };
        Arc::new(world)
    }

    fn outrun(&self) {
        if !self.is_outrun.load(SeqCst) {
            return;
        }
        let mut state = self.state.lock();
        for (digest, (mut session, _)) in std::mem::take(&mut state.sessions) {
            session.digest = SessionDigest::from_bytes(digest.bytes().map(|byte| !byte));
            let live = Arc::new(LiveSession::new(&session));
            state.sessions.insert(session.digest, (session, live));
        }
    }

    pub(crate) fn advance(&self, span: Duration) {
        self.now.fetch_add(span.as_millis() as u64, SeqCst);
    }

    pub(crate) fn add_account(&self, byte: u8, identifier: &str, password: &str, status: Status) {
        let account = Account {
            subject: Subject::from_bytes([byte; 16]),
            identifier: Identifier::parse(identifier).unwrap(),
            password: Some(cheap_hash(&Password::parse(password).unwrap())),
            traits: Traits::default(),
            status,
            epoch: 1,
            created_at: START,
        };
        self.state.lock().accounts.insert(account.subject, account);
    }

    pub(crate) fn remove_account(&self, byte: u8) {
        self.state.lock().accounts.remove(&Subject::from_bytes([byte; 16]));
    }

    pub(crate) fn sessions_held(&self) -> Vec<Session> {
        self.state.lock().sessions.values().map(|(session, _)| session.clone()).collect()
    }

    fn answers(&self) -> Result<(), Fault> {
        match self.is_down.load(SeqCst) {
            true => Err(Fault::unavailable("the session store", "disk /var/lib/x is full")),
            false => Ok(()),
        }
    }

    fn changed(&self) -> Result<(), Fault> {
        self.answers()?;
        self.changes.fetch_add(1, SeqCst);
        Ok(())
    }
}

impl Clock for World {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.now.load(SeqCst))
    }
}

impl Entropy for World {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), Fault> {
        let count = self.drawn.fetch_add(1, SeqCst) + 1;
        for (at, byte) in buffer.iter_mut().enumerate() {
            *byte = (count as u8).wrapping_mul(37).wrapping_add((at as u8).wrapping_mul(11));
        }
        Ok(())
    }
}

#[async_trait]
impl Hasher for World {
    async fn hash(&self, password: Password, _: HashRequester) -> Result<PasswordHash, Fault> {
        self.hashed.fetch_add(1, SeqCst);
        Ok(cheap_hash(&password))
    }

    async fn verify(
        &self,
        password: Password,
        stored: Option<PasswordHash>,
        _: HashRequester,
    ) -> Result<Verdict, Fault> {
        if self.hasher_is_full.load(SeqCst) {
            return Err(Fault::Overloaded {
                what: "password hashing",
                retry_after: Duration::from_millis(2500),
            });
        }
        self.hashed.fetch_add(1, SeqCst);
        Ok(match stored == Some(cheap_hash(&password)) {
            true => Verdict::Match,
            false => Verdict::Mismatch,
        })
    }
}

fn cheap_hash(password: &Password) -> PasswordHash {
    PasswordHash::from_phc(format!("cheap:{}", str::from_utf8(password.reveal()).unwrap()))
}

#[async_trait]
impl Sessions for World {
    fn recall(&self, digest: &SessionDigest) -> Recall {
        // A store that is down knows nothing by heart either, so that every look at a session can be made to fail.
        if self.is_down.load(SeqCst) {
            return Recall::Cold;
        }
        match self.state.lock().sessions.get(digest) {
            Some((_, live)) => Recall::Known(Arc::clone(live)),
            None => Recall::Unknown,
        }
    }

    async fn find(&self, digest: &SessionDigest) -> Result<Option<Arc<LiveSession>>, Fault> {
        self.answers()?;
        Ok(self.state.lock().sessions.get(digest).map(|(_, live)| Arc::clone(live)))
    }

    async fn open(&self, session: Session, replaces: Option<SessionId>, _: Cap) -> Result<Opened, Fault> {
        self.changed()?;
        self.outrun();
        let mut state = self.state.lock();
        let replaced = state.end(|session| Some(session.id) == replaces);
        let live = Arc::new(LiveSession::new(&session));
        state.sessions.insert(session.digest, (session, live));
        Ok(Opened::Open { ended: replaced })
    }

    async fn reissue(&self, old: &SessionDigest, reissue: Reissue) -> Result<Reissued, Fault> {
        self.changed()?;
        let mut state = self.state.lock();
        let known = state.sessions.get(old).map(|(session, _)| session.clone());
        let Some(session) = known.and_then(|session| session.reissued(reissue)) else {
            return Ok(Reissued::Gone);
        };
        state.sessions.remove(old);
        let live = Arc::new(LiveSession::new(&session));
        state.sessions.insert(session.digest, (session.clone(), live));
        Ok(Reissued::Reissued(Box::new(session)))
    }

    fn note_use(&self, _: &SessionDigest, _: Timestamp) {
        self.noted.fetch_add(1, SeqCst);
    }

    async fn end(&self, which: Ending) -> Result<Vec<SessionId>, Fault> {
        self.changed()?;
        self.outrun();
        Ok(self.state.lock().end(|session| match which {
            Ending::One(id) => session.id == id,
            Ending::Others { subject, keep } => session.subject == subject && session.id != keep,
            Ending::Presented(digest) => session.digest == digest,
            Ending::Everyone | Ending::Subject(_) => unimplemented!("not asked by the portal"),
        }))
    }

    async fn forget_expired(&self, _: Timestamp) -> Result<u64, Fault> {
        unimplemented!("not asked by the portal")
    }
}

#[async_trait]
impl Grants for World {
    async fn begin(&self, session: &SessionDigest, first: RefreshDigest) -> Result<Begun, Fault> {
        self.changed()?;
        self.state.lock().families.insert(*session, TokenFamily::new(first));
        Ok(Begun::Begun)
    }

    async fn redeem(&self, asked: Redemption) -> Result<Redeemed, Fault> {
        self.changed()?;
        let state = &mut *self.state.lock();
        let known = state.sessions.get(&asked.session).map(|(session, _)| session.id);
        let family = state.families.get(&asked.session).copied();
        let (Some(id), Some(family)) = (known, family) else { return Ok(Redeemed::Unknown) };
        Ok(match family.judge(&asked.presented, asked.next, asked.now, asked.window) {
            RefreshVerdict::Rotate(rotated) => {
                state.families.insert(asked.session, rotated);
                Redeemed::Rotated
            }
            RefreshVerdict::Repeat(salt) => Redeemed::Repeated(salt),
            RefreshVerdict::Late => Redeemed::Late,
            RefreshVerdict::Replay => {
                state.end(|session| session.id == id);
                Redeemed::Replayed(id)
            }
            RefreshVerdict::Unknown => Redeemed::Unknown,
        })
    }
}

#[async_trait]
impl Directory for World {
    async fn sessions(&self, of: Option<Subject>, page: Page, now: Timestamp) -> Result<Vec<Session>, Fault> {
        self.answers()?;
        let mut listed: Vec<Session> = self
            .sessions_held()
            .into_iter()
            .filter(|session| of.is_none_or(|of| session.subject == of) && session.ends_at > now)
            .collect();
        listed.sort_by_key(|session| (std::cmp::Reverse(session.opened_at), session.id));
        Ok(listed.into_iter().skip(page.skip as usize).take(page.take as usize).collect())
    }

    async fn session(&self, id: SessionId, _: Timestamp) -> Result<Option<Session>, Fault> {
        self.answers()?;
        Ok(self.sessions_held().into_iter().find(|session| session.id == id))
    }

    async fn accounts(&self, _: AccountsPage<'_>) -> Result<Vec<Account>, Fault> {
        unimplemented!("not asked by the portal")
    }

    async fn identifiers(&self, _: &[Subject]) -> Result<Vec<(Subject, Identifier)>, Fault> {
        unimplemented!("not asked by the portal")
    }

    async fn last_sign_in(&self, _: Subject) -> Result<Option<Timestamp>, Fault> {
        unimplemented!("not asked by the portal")
    }
}

#[async_trait]
impl Accounts for World {
    async fn find_by_identifier(&self, identifier: &Identifier) -> Result<Option<Account>, Fault> {
        self.answers()?;
        *self.looked_up_at.lock() = Some(Instant::now());
        let state = self.state.lock();
        Ok(state.accounts.values().find(|account| account.identifier == *identifier).cloned())
    }

    async fn find(&self, subject: Subject) -> Result<Option<Account>, Fault> {
        self.answers()?;
        Ok(self.state.lock().accounts.get(&subject).cloned())
    }

    async fn add(&self, account: Account) -> Result<Added, Fault> {
        self.answers()?;
        let mut state = self.state.lock();
        if state.accounts.values().any(|other| other.identifier == account.identifier) {
            return Ok(Added::IdentifierTaken);
        }
        self.changes.fetch_add(1, SeqCst);
        state.accounts.insert(account.subject, account);
        Ok(Added::Added)
    }

    async fn find_to_sign_in(
        &self,
        identifier: Option<&Identifier>,
        _: Subject,
    ) -> Result<PasswordLookup, Fault> {
        self.answers()?;
        let state = self.state.lock();
        let lender = state.accounts.values().min_by_key(|account| account.subject);
        Ok(PasswordLookup {
            account: state.accounts.values().find(|account| Some(&account.identifier) == identifier).cloned(),
            lent: lender.and_then(|account| account.password.clone()),
        })
    }

    async fn upgrade_password(&self, _: Subject, _: &PasswordHash, _: PasswordHash) -> Result<(), Fault> {
        unimplemented!("not asked by the portal")
    }

    async fn set_password(
        &self,
        subject: Subject,
        new: PasswordHash,
        warrant: PasswordAuthority,
    ) -> Result<Changed, Fault> {
        self.changed()?;
        let mut state = self.state.lock();
        let Some(account) = state.accounts.get_mut(&subject).filter(|it| warrant.holds_in(it.epoch)) else {
            return Ok(Changed::Unknown);
        };
        account.password = Some(new);
        account.epoch += 1;
        let epoch = account.epoch;
        let ended = state.end(|session| session.subject == subject && Some(session.id) != warrant.keeps());
        for (session, _) in state.sessions.values_mut().filter(|(session, _)| session.subject == subject) {
            session.epoch = epoch;
        }
        let PasswordAuthority::Owner { session, reissue, .. } = warrant else {
            return Ok(Changed::Changed { ended, kept: None });
        };
        let old = state.sessions.values().find(|(it, _)| it.id == session).map(|(it, _)| it.digest);
        let kept = old.and_then(|old| state.sessions.remove(&old)).and_then(|(it, _)| it.reissued(reissue));
        if let Some(kept) = &kept {
            state.sessions.insert(kept.digest, (kept.clone(), Arc::new(LiveSession::new(kept))));
        }
        Ok(Changed::Changed { ended, kept: kept.map(Box::new) })
    }

    async fn set_identifier(
        &self,
        subject: Subject,
        new: Identifier,
        epoch: Option<u64>,
    ) -> Result<Renamed, Fault> {
        self.changed()?;
        let mut state = self.state.lock();
        if state.accounts.values().any(|other| other.identifier == new && other.subject != subject) {
            return Ok(Renamed::Taken);
        }
        match state.accounts.get_mut(&subject).filter(|account| epoch.is_none_or(|it| it == account.epoch)) {
            Some(account) => {
                account.identifier = new;
                self.renamed.fetch_add(1, SeqCst);
                Ok(Renamed::Renamed)
            }
            None => Ok(Renamed::Unknown),
        }
    }

    async fn set_traits(&self, _: Subject, _: Traits) -> Result<Changed, Fault> {
        unimplemented!("not asked by the portal")
    }

    async fn set_status(&self, _: Subject, _: Status) -> Result<Changed, Fault> {
        unimplemented!("not asked by the portal")
    }

    async fn remove(&self, _: Subject) -> Result<Changed, Fault> {
        unimplemented!("not asked by the portal")
    }
}

#[async_trait]
impl Throttle for World {
    async fn reserve(&self, attempt: Attempt, now: Timestamp) -> Result<Reservation, Fault> {
        self.changed()?;
        Ok(self.state.lock().tallies.reserve(attempt, now))
    }

    async fn succeeded(&self, receipt: &Receipt) -> Result<(), Fault> {
        self.changed()?;
        if self.fails_beside.load(SeqCst) {
            return Err(Fault::unavailable("the store", "it fails beside a login"));
        }
        self.state.lock().tallies.succeeded(receipt);
        Ok(())
    }

    async fn give_back(&self, receipt: &Receipt) -> Result<(), Fault> {
        self.changed()?;
        self.state.lock().tallies.give_back(receipt);
        Ok(())
    }

    async fn tallies(&self, _: &[[u8; 32]]) -> Result<Vec<AccountCounter>, Fault> {
        unimplemented!("not asked by the portal")
    }

    async fn forgive(&self, _: &[[u8; 32]]) -> Result<(), Fault> {
        unimplemented!("not asked by the portal")
    }
}
