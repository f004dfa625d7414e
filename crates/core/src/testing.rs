//! What the rules' own tests stand on: a clock that is set, entropy that counts, and a world in memory that can be made to fail.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use vestibule_verify::RevocationView;

use crate::account::{Account, Identifier, PasswordHash, Status, Traits};
use crate::fault::Fault;
use crate::id::{SessionId, Subject};
use crate::live::LiveSession;
use crate::login::{Login, LoginOutcome, LoginRequest};
use crate::logout::Logout;
use crate::port::*;
use crate::refresh_token::{RefreshDigest, RefreshVerdict, TokenFamily};
use crate::secret::{Password, Pepper};
use crate::session::{Cap, Reissue, Session, SessionDigest, SessionKind, SessionLimits};
use crate::throttle::{
    AccountCounter, Attempt, CounterTable, HashRequester, Receipt, Reservation, STRANGERS,
};
use crate::time::Timestamp;

pub(crate) mod trade;

pub(crate) const START: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);

pub(crate) fn pepper() -> Pepper {
    Pepper::new(&[42; 32])
}

pub(crate) struct SetClock(AtomicU64);

impl SetClock {
    pub(crate) fn at_start() -> Arc<Self> {
        Arc::new(Self(AtomicU64::new(START.millis())))
    }

    pub(crate) fn advance(&self, span: Duration) {
        self.0.fetch_add(span.as_millis() as u64, Ordering::SeqCst);
    }

    pub(crate) fn set(&self, to: Timestamp) {
        self.0.store(to.millis(), Ordering::SeqCst);
    }
}

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

#[derive(Default)]
pub(crate) struct CountingEntropy(AtomicU64);

impl Entropy for CountingEntropy {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), Fault> {
        let count = self.0.fetch_add(1, Ordering::SeqCst) + 1;
        buffer
            .iter_mut()
            .enumerate()
            .for_each(|(at, byte)| *byte = (count as u8).wrapping_mul(31).wrapping_add(at as u8));
        Ok(())
    }
}

/// What happens to an account at a moment that a test chooses.
pub(crate) type Happening = fn(&mut Account) -> Result<(), Fault>;

/// Sessions, accounts and tallies in memory.
#[derive(Default)]
pub(crate) struct World {
    pub(crate) live: Mutex<HashMap<SessionDigest, Arc<LiveSession>>>,
    /// What was opened, and under which cap.
    pub(crate) opened: Mutex<HashMap<SessionDigest, (Session, Cap)>>,
    pub(crate) accounts: Mutex<HashMap<Subject, Account>>,
    families: Mutex<HashMap<SessionDigest, TokenFamily>>,
    tallies: Mutex<CounterTable>,
    /// What was noted of faults that changed no answer.
    pub(crate) undone: Mutex<Vec<&'static str>>,
    /// Memory knows nothing: every look goes to the store.
    pub(crate) is_cold: AtomicBool,
    /// The store does not answer.
    pub(crate) is_down: AtomicBool,
    /// What is done beside a login fails: noting its success, making its hash anew.
    pub(crate) fails_beside: AtomicBool,
    pub(crate) store_reads: AtomicU64,
    pub(crate) noted: AtomicU64,
    pub(crate) hashed: AtomicU64,
    /// What the hasher was given last.
    pub(crate) compared_with: Mutex<Option<PasswordHash>>,
    pub(crate) hasher_is_full: AtomicBool,
    /// What happens right before an account is renamed.
    pub(crate) before_renaming: Mutex<Option<Happening>>,
}

impl World {
    fn answer(&self) -> Result<(), Fault> {
        self.store_reads.fetch_add(1, Ordering::SeqCst);
        if self.is_down.load(Ordering::SeqCst) {
            Err(Fault::unavailable("the store", "it is down"))
        } else {
            Ok(())
        }
    }

    fn answer_beside(&self) -> Result<(), Fault> {
        if self.fails_beside.load(Ordering::SeqCst) {
            return Err(Fault::unavailable("the store", "it fails beside a login"));
        }
        Ok(())
    }

    pub(crate) fn renew(&self, digest: &SessionDigest) {
        let mut live = self.live.lock();
        let renewed = live.get(digest).map(|old| Arc::new(old.renewed(old.version() + 1)));
        live.insert(*digest, renewed.unwrap());
    }
}

#[async_trait]
impl Sessions for World {
    fn recall(&self, digest: &SessionDigest) -> Recall {
        if self.is_cold.load(Ordering::SeqCst) {
            return Recall::Cold;
        }
        self.live.lock().get(digest).map_or(Recall::Unknown, |live| Recall::Known(Arc::clone(live)))
    }

    async fn find(&self, digest: &SessionDigest) -> Result<Option<Arc<LiveSession>>, Fault> {
        self.answer()?;
        Ok(self.live.lock().get(digest).map(Arc::clone))
    }

    async fn open(&self, session: Session, replaces: Option<SessionId>, cap: Cap) -> Result<Opened, Fault> {
        self.answer()?;
        let current = self
            .accounts
            .lock()
            .get(&session.subject)
            .is_some_and(|a| a.epoch == session.epoch && a.status == Status::Enabled);
        if !current {
            return Ok(Opened::AccountChanged);
        }
        let mut live = self.live.lock();
        let replaced = live.extract_if(|_, session| Some(session.id()) == replaces).next().map(|(_, it)| it);
        live.insert(session.digest, Arc::new(LiveSession::new(&session)));
        self.opened.lock().insert(session.digest, (session, cap));
        Ok(Opened::Open { ended: replaced.into_iter().map(|replaced| replaced.id()).collect() })
    }

    async fn reissue(&self, old: &SessionDigest, reissue: Reissue) -> Result<Reissued, Fault> {
        self.answer()?;
        let (mut live, mut opened) = (self.live.lock(), self.opened.lock());
        let known = opened.get(old).filter(|_| live.contains_key(old)).cloned();
        let Some((session, cap)) = known.and_then(|(session, cap)| Some((session.reissued(reissue)?, cap)))
        else {
            return Ok(Reissued::Gone);
        };
        live.remove(old);
        live.insert(session.digest, Arc::new(LiveSession::new(&session)));
        opened.insert(session.digest, (session.clone(), cap));
        Ok(Reissued::Reissued(Box::new(session)))
    }

    fn note_use(&self, _: &SessionDigest, _: Timestamp) {
        self.noted.fetch_add(1, Ordering::SeqCst);
    }

    async fn end(&self, which: Ending) -> Result<Vec<SessionId>, Fault> {
        self.answer()?;
        let Ending::Presented(digest) = which else {
            unimplemented!("the rules' tests end sessions by their token")
        };
        Ok(self.live.lock().remove(&digest).map(|live| live.id()).into_iter().collect())
    }

    async fn forget_expired(&self, _: Timestamp) -> Result<u64, Fault> {
        Ok(0)
    }
}

#[async_trait]
impl Grants for World {
    async fn begin(&self, session: &SessionDigest, first: RefreshDigest) -> Result<Begun, Fault> {
        self.answer()?;
        if !self.live.lock().contains_key(session) {
            return Ok(Begun::NoSession);
        }
        self.families.lock().insert(*session, TokenFamily::new(first));
        Ok(Begun::Begun)
    }

    async fn redeem(&self, redemption: Redemption) -> Result<Redeemed, Fault> {
        self.answer()?;
        let Redemption { session, presented, next, now, window } = redemption;
        let (mut live, mut families) = (self.live.lock(), self.families.lock());
        let known = live.get(&session).cloned().zip(families.get(&session).copied());
        let Some((known, family)) = known else { return Ok(Redeemed::Unknown) };
        Ok(match family.judge(&presented, next, now, window) {
            RefreshVerdict::Rotate(rotated) => {
                families.insert(session, rotated);
                Redeemed::Rotated
            }
            RefreshVerdict::Repeat(salt) => Redeemed::Repeated(salt),
            RefreshVerdict::Late => Redeemed::Late,
            RefreshVerdict::Replay => {
                live.remove(&session);
                Redeemed::Replayed(known.id())
            }
            RefreshVerdict::Unknown => Redeemed::Unknown,
        })
    }
}

#[async_trait]
impl Accounts for World {
    async fn add(&self, account: Account) -> Result<Added, Fault> {
        self.answer()?;
        let mut accounts = self.accounts.lock();
        if accounts.values().any(|other| other.identifier == account.identifier) {
            return Ok(Added::IdentifierTaken);
        }
        accounts.insert(account.subject, account);
        Ok(Added::Added)
    }

    async fn find_by_identifier(&self, identifier: &Identifier) -> Result<Option<Account>, Fault> {
        self.answer()?;
        Ok(self.accounts.lock().values().find(|account| account.identifier == *identifier).cloned())
    }

    async fn find(&self, subject: Subject) -> Result<Option<Account>, Fault> {
        self.answer()?;
        Ok(self.accounts.lock().get(&subject).cloned())
    }

    async fn find_to_sign_in(
        &self,
        identifier: Option<&Identifier>,
        _: Subject,
    ) -> Result<PasswordLookup, Fault> {
        self.answer()?;
        let accounts = self.accounts.lock();
        let lender = accounts.values().min_by_key(|account| account.subject);
        Ok(PasswordLookup {
            account: accounts.values().find(|account| Some(&account.identifier) == identifier).cloned(),
            lent: lender.and_then(|account| account.password.clone()),
        })
    }

    async fn upgrade_password(
        &self,
        subject: Subject,
        _: &PasswordHash,
        new: PasswordHash,
    ) -> Result<(), Fault> {
        self.answer_beside()?;
        self.accounts.lock().get_mut(&subject).unwrap().password = Some(new);
        Ok(())
    }

    async fn set_password(
        &self,
        subject: Subject,
        new: PasswordHash,
        warrant: PasswordAuthority,
    ) -> Result<Changed, Fault> {
        self.answer()?;
        let mut accounts = self.accounts.lock();
        let Some(account) = accounts.get_mut(&subject).filter(|account| warrant.holds_in(account.epoch))
        else {
            return Ok(Changed::Unknown);
        };
        account.password = Some(new);
        let mut live = self.live.lock();
        let ended = live.extract_if(|_, it| it.subject() == subject && Some(it.id()) != warrant.keeps());
        let ended = ended.map(|(_, it)| it.id()).collect();
        let PasswordAuthority::Owner { session, reissue, .. } = warrant else {
            return Ok(Changed::Changed { ended, kept: None });
        };
        let Some(old) = live.values().find(|it| it.id() == session).map(|it| *it.digest()) else {
            return Ok(Changed::Changed { ended, kept: None });
        };
        let mut opened = self.opened.lock();
        let kept = opened.remove(&old).and_then(|(session, cap)| Some((session.reissued(reissue)?, cap)));
        live.remove(&old);
        if let Some((kept, cap)) = &kept {
            live.insert(kept.digest, Arc::new(LiveSession::new(kept)));
            opened.insert(kept.digest, (kept.clone(), *cap));
        }
        Ok(Changed::Changed { ended, kept: kept.map(|(kept, _)| Box::new(kept)) })
    }

    async fn set_identifier(
        &self,
        subject: Subject,
        new: Identifier,
        epoch: Option<u64>,
    ) -> Result<Renamed, Fault> {
        self.answer()?;
        let mut accounts = self.accounts.lock();
        if let (Some(happens), Some(account)) = (*self.before_renaming.lock(), accounts.get_mut(&subject)) {
            happens(account)?;
        }
        if accounts.values().any(|other| other.identifier == new && other.subject != subject) {
            return Ok(Renamed::Taken);
        }
        match accounts.get_mut(&subject).filter(|account| epoch.is_none_or(|it| it == account.epoch)) {
            Some(account) => {
                account.identifier = new;
                Ok(Renamed::Renamed)
            }
            None => Ok(Renamed::Unknown),
        }
    }

    async fn set_traits(&self, subject: Subject, traits: Traits) -> Result<Changed, Fault> {
        self.accounts.lock().get_mut(&subject).unwrap().traits = traits;
        Ok(Changed::Changed { ended: Vec::new(), kept: None })
    }

    async fn set_status(&self, subject: Subject, status: Status) -> Result<Changed, Fault> {
        self.accounts.lock().get_mut(&subject).unwrap().status = status;
        Ok(Changed::Changed { ended: Vec::new(), kept: None })
    }

    async fn remove(&self, _: Subject) -> Result<Changed, Fault> {
        unimplemented!("not asked by the rules")
    }
}

#[async_trait]
impl Throttle for World {
    async fn reserve(&self, attempt: Attempt, now: Timestamp) -> Result<Reservation, Fault> {
        self.answer()?;
        Ok(self.tallies.lock().reserve(attempt, now))
    }

    async fn succeeded(&self, receipt: &Receipt) -> Result<(), Fault> {
        self.answer_beside()?;
        self.tallies.lock().succeeded(receipt);
        Ok(())
    }

    async fn give_back(&self, receipt: &Receipt) -> Result<(), Fault> {
        self.tallies.lock().give_back(receipt);
        Ok(())
    }

    async fn tallies(&self, accounts: &[[u8; 32]]) -> Result<Vec<AccountCounter>, Fault> {
        let tallies = self.tallies.lock();
        Ok(accounts.iter().map(|account| tallies.tally(account)).collect())
    }

    async fn forgive(&self, accounts: &[[u8; 32]]) -> Result<(), Fault> {
        self.tallies.lock().forgive(accounts);
        Ok(())
    }
}

impl FaultLog for World {
    fn note(&self, undone: &'static str, _: &Fault) {
        self.undone.lock().push(undone);
    }
}

/// A hasher whose "hash" is the password behind a mark: the rules' tests are not about Argon2.
#[async_trait]
impl Hasher for World {
    async fn hash(&self, password: Password, _: HashRequester) -> Result<PasswordHash, Fault> {
        if self.hasher_is_full.load(Ordering::SeqCst) {
            return Err(Fault::Overloaded { what: "password hashing", retry_after: Duration::from_secs(2) });
        }
        self.hashed.fetch_add(1, Ordering::SeqCst);
        Ok(cheap_hash("new", &password))
    }

    async fn verify(
        &self,
        password: Password,
        stored: Option<PasswordHash>,
        _: HashRequester,
    ) -> Result<Verdict, Fault> {
        if self.hasher_is_full.load(Ordering::SeqCst) {
            return Err(Fault::Overloaded { what: "password hashing", retry_after: Duration::from_secs(2) });
        }
        self.hashed.fetch_add(1, Ordering::SeqCst);
        self.compared_with.lock().clone_from(&stored);
        Ok(match stored {
            Some(hash) if hash == cheap_hash("new", &password) => Verdict::Match,
            Some(hash) if hash == cheap_hash("old", &password) => {
                Verdict::MatchOutdated(cheap_hash("new", &password))
            }
            _ => Verdict::Mismatch,
        })
    }
}

pub(crate) fn cheap_hash(age: &str, password: &Password) -> PasswordHash {
    PasswordHash::from_phc(format!("{age}:{}", str::from_utf8(password.reveal()).unwrap()))
}

pub(crate) fn account(byte: u8, identifier: &str, age: &str) -> Account {
    Account {
        subject: Subject::from_bytes([byte; 16]),
        identifier: Identifier::parse(identifier).unwrap(),
        password: Some(cheap_hash(age, &Password::parse(PASSWORD).unwrap())),
        traits: Traits::parse(r#"{"department":"R&D","city":"Z\u00fcrich","level":3}"#).unwrap(),
        status: Status::Enabled,
        epoch: 1,
        created_at: START,
    }
}

pub(crate) const PASSWORD: &str = "correct horse battery staple";

/// Drives a future that never really waits.
pub(crate) fn run<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    loop {
        if let std::task::Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
        std::thread::yield_now();
    }
}

/// What signs in, over a world with one account.
pub(crate) struct Desk {
    pub(crate) world: Arc<World>,
    pub(crate) login: Arc<Login>,
}

impl Desk {
    pub(crate) fn new() -> Self {
        let world = Arc::new(World::default());
        let ada = account(1, "ada@example.com", "new");
        world.accounts.lock().insert(ada.subject, ada);
        let clock = SetClock::at_start();
        let login = Login {
            accounts: world.clone(),
            sessions: world.clone(),
            throttle: world.clone(),
            guesses: STRANGERS,
            fault_log: world.clone(),
            hasher: world.clone(),
            clock: clock.clone(),
            entropy: Arc::new(CountingEntropy::default()),
            pepper: pepper(),
            limits: SessionLimits { idle: Duration::from_secs(1800), absolute: Duration::from_secs(43_200) },
            remember: None,
            refresh: SessionLimits {
                idle: Duration::from_secs(14 * 86_400),
                absolute: Duration::from_secs(30 * 86_400),
            },
            cap: Cap::NONE,
            step_up: Duration::from_secs(600),
            logout: Arc::new(Logout {
                sessions: world.clone(),
                pepper: pepper(),
                revocations: Arc::new(RevocationView::new()),
                clock,
                longest_jwt: Duration::from_secs(120),
            }),
        };
        Self { world, login: Arc::new(login) }
    }

    /// A session of an account that has the password of all.
    pub(crate) fn open(&self, identifier: &str) -> Arc<LiveSession> {
        match self.attempt(identifier, PASSWORD) {
            LoginOutcome::Opened { session, .. } => Arc::new(LiveSession::new(&session)),
            LoginOutcome::Refused | LoginOutcome::Wait(_) => panic!("{identifier} is not let in"),
        }
    }

    pub(crate) fn signs_in(&self, identifier: &str, password: &str) -> bool {
        matches!(self.attempt(identifier, password), LoginOutcome::Opened { .. })
    }

    fn attempt(&self, identifier: &str, password: &str) -> LoginOutcome {
        let request = LoginRequest {
            identifier,
            password,
            source: Some("203.0.113.9".parse().unwrap()),
            user_agent: "test",
            mark: None,
            kind: SessionKind::Browser,
            replaces: None,
        };
        run(self.login.attempt(request)).unwrap()
    }
}
