//! The ports: all that the rules ask of the world. One method is one atomic step with a name of the domain; no transaction
//! crosses a port. What goes through are digests and sealed blobs, never a session token or a clear private key.
//!
//! Every method that returns `Result<_, Fault>` fails whole: after a fault nothing was changed, or the change will be seen by
//! all as if it had succeeded; it is never acknowledged before it is durable.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use vestibule_verify::KeyId;

use crate::account::{Account, Identifier, PasswordHash, Status, Traits};
use crate::client::{Client, ShownAssertion};
use crate::fault::Fault;
use crate::id::{ClientId, SessionId, Subject};
use crate::key::KeyRecord;
use crate::live::LiveSession;
use crate::refresh_token::{Next, Presented, RefreshDigest, Salt};
use crate::secret::Password;
use crate::session::{Cap, Reissue, Session, SessionDigest};
use crate::throttle::{AccountCounter, Attempt, HashRequester, Receipt, Reservation};
use crate::time::Timestamp;
use crate::token::Because;

/// The server's clock.
pub trait Clock: Send + Sync {
    /// Now, UTC.
    fn now(&self) -> Timestamp;
}

/// The operating system's random generator: every secret comes from here.
pub trait Entropy: Send + Sync {
    /// Fills the buffer.
    fn fill(&self, buffer: &mut [u8]) -> Result<(), Fault>;
}

/// Password hashing on a bounded pool: a number at once, a number waiting, the rest is [`Fault::Overloaded`]. Askers take turns: one with
/// many requests delays its own alone.
#[async_trait]
pub trait Hasher: Send + Sync {
    /// Hashes at the configured cost under a fresh salt.
    async fn hash(&self, password: Password, asker: HashRequester) -> Result<PasswordHash, Fault>;

    /// Whether the password is the one behind the hash. For `None` (no such account) it does the same work on a decoy, and says
    /// no: time does not tell who has an account.
    async fn verify(
        &self,
        password: Password,
        stored: Option<PasswordHash>,
        asker: HashRequester,
    ) -> Result<Verdict, Fault>;
}

/// What a password check found.
pub enum Verdict {
    /// It is the one.
    Match,
    /// It is the one, and its hash is below today's cost: store this one instead.
    MatchOutdated(PasswordHash),
    /// It is not.
    Mismatch,
}

/// Sessions.
#[async_trait]
pub trait Sessions: Send + Sync {
    /// Looks in memory alone; does not wait and does not read the store.
    fn recall(&self, digest: &SessionDigest) -> Recall;

    /// Looks in the store, and keeps what is found in memory.
    async fn find(&self, digest: &SessionDigest) -> Result<Option<Arc<LiveSession>>, Fault>;

    /// Opens a session, if its account is still enabled and of the same epoch. In the same step it ends the one that it replaces,
    /// and then, where the account has more than the cap, what lay unused for too long and after that the oldest.
    async fn open(&self, session: Session, replaces: Option<SessionId>, cap: Cap) -> Result<Opened, Fault>;

    /// Gives a session a new digest. The old one is dead in the same step, and JWTs minted under it are not handed out again. Of
    /// any number of replacements of one digest, one alone is carried out.
    async fn reissue(&self, old: &SessionDigest, reissue: Reissue) -> Result<Reissued, Fault>;

    /// Takes note of a use, in memory; written in batches by the store's own rhythm. Losing a batch
    /// shortens a session's idle limit by as much time as it held, and never prolongs it.
    fn note_use(&self, digest: &SessionDigest, seen_at: Timestamp);

    /// Ends sessions; says which. Ending what is already ended ends nothing and is no error.
    async fn end(&self, which: Ending) -> Result<Vec<SessionId>, Fault>;

    /// Removes what can never be used again at `now`; says how many.
    async fn forget_expired(&self, now: Timestamp) -> Result<u64, Fault>;
}

/// What memory knows of a session token.
pub enum Recall {
    /// Memory does not know: ask the store.
    Cold,
    /// It is a live session's.
    Known(Arc<LiveSession>),
    /// Memory knows all sessions, and this is none of them.
    Unknown,
}

/// How opening a session went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opened {
    /// The account was disabled, removed or changed meanwhile.
    AccountChanged,
    /// It is open, and durable.
    Open {
        /// The sessions that ended in the same step: the one replaced, and those beyond the cap.
        ended: Vec<SessionId>,
    },
}

/// How replacing a session token went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reissued {
    /// There is no such session any more, or its account has changed since the proof.
    Gone,
    /// It is done, and durable; the session as it is now.
    Reissued(Box<Session>),
}

/// Which sessions to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// All of them.
    Everyone,
    /// The one with this public name.
    One(SessionId),
    /// All of one account but this.
    Others {
        /// Whose.
        subject: Subject,
        /// The one that stays.
        keep: SessionId,
    },
    /// The one that a session token stands for.
    Presented(SessionDigest),
    /// All of one account.
    Subject(Subject),
}

/// Token families, each of which belongs to a session and ends with it.
#[async_trait]
pub trait Grants: Send + Sync {
    /// Gives an open session a family with this first token; says whether there still was such a session.
    async fn begin(&self, session: &SessionDigest, first: RefreshDigest) -> Result<Begun, Fault>;

    /// Judges a refresh token by [`TokenFamily::judge`](crate::refresh_token::TokenFamily::judge) and puts the next one in its place when it
    /// is its turn, in one step: of any number that present the same one, one alone rotates. A replay ends the session in the same step.
    async fn redeem(&self, redemption: Redemption) -> Result<Redeemed, Fault>;
}

/// How giving a session a family went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begun {
    /// It has one, and that is durable.
    Begun,
    /// The session has ended meanwhile.
    NoSession,
}

/// A refresh token that is to be traded for the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Redemption {
    /// Whose family it is of.
    pub session: SessionDigest,
    /// The refresh token.
    pub presented: Presented,
    /// What would take its place.
    pub next: Next,
    /// When.
    pub now: Timestamp,
    /// For how long one that was used is forgiven.
    pub window: Duration,
}

/// How trading a refresh token went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redeemed {
    /// It was used a moment ago, and its successor was used as well.
    Late,
    /// It was used a moment ago, and its successor, made with this salt, may be handed out again.
    Repeated(Salt),
    /// It was used up before: this session has ended.
    Replayed(SessionId),
    /// The next one is in its place, and that is durable.
    Rotated,
    /// There is no such family any more.
    Unknown,
}

/// Accounts. What changes an account also does, in the same step, what the change means for its sessions.
#[async_trait]
pub trait Accounts: Send + Sync {
    /// Adds an account.
    async fn add(&self, account: Account) -> Result<Added, Fault>;

    /// Finds by what its owner types.
    async fn find_by_identifier(&self, identifier: &Identifier) -> Result<Option<Account>, Fault>;

    /// Finds by its stable name.
    async fn find(&self, subject: Subject) -> Result<Option<Account>, Fault>;

    /// What signing in needs to know, in one look whatever there is: the account of this identifier, and of the account whose subject is
    /// `near` or comes next after it (the first one's after the last) the password hash. Subjects are random: so every account is as likely
    /// as any other to lend its hash.
    async fn find_to_sign_in(
        &self,
        identifier: Option<&Identifier>,
        near: Subject,
    ) -> Result<PasswordLookup, Fault>;

    /// Replaces a password hash by one of the same password at a higher cost, unless the hash has changed meanwhile.
    async fn upgrade_password(
        &self,
        subject: Subject,
        old: &PasswordHash,
        new: PasswordHash,
    ) -> Result<(), Fault>;

    /// Sets a new password, raises the epoch and ends all sessions but the one that the warrant is from, which goes on under a new session
    /// token.
    async fn set_password(
        &self,
        subject: Subject,
        new: PasswordHash,
        warrant: PasswordAuthority,
    ) -> Result<Changed, Fault>;

    /// Gives an account another identifier, if no other account has that; every live session gets a new version, so that the next JWT
    /// tells it. With an epoch given, only the account of that epoch is changed.
    async fn set_identifier(
        &self,
        subject: Subject,
        new: Identifier,
        epoch: Option<u64>,
    ) -> Result<Renamed, Fault>;

    /// Sets traits; every live session gets a new version, so that the next JWT tells them.
    async fn set_traits(&self, subject: Subject, traits: Traits) -> Result<Changed, Fault>;

    /// Enables or disables; disabling ends all sessions and raises the epoch.
    async fn set_status(&self, subject: Subject, status: Status) -> Result<Changed, Fault>;

    /// Removes an account and ends all its sessions. Its subject is never used again.
    async fn remove(&self, subject: Subject) -> Result<Changed, Fault>;
}

/// LoginTarget a password may be of. No Debug: it holds hashes.
#[derive(Clone, Default)]
pub struct PasswordLookup {
    /// The account of that identifier.
    pub account: Option<Account>,
    /// The hash that another account lends, to be compared with in its place; `None` when that one has no password.
    pub lent: Option<PasswordHash>,
}

/// On whose word a password is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordAuthority {
    /// An operator's: it holds whatever became of the account.
    Operator,
    /// Its owner's, who has just shown the present password.
    Owner {
        /// The account's epoch when it was shown. Of any other epoch nothing is changed: otherwise whoever has the old password
        /// could, with good timing, undo the change that was to shut them out.
        epoch: u64,
        /// The session that it was shown in, which stays.
        session: SessionId,
        /// The session token that it goes on under: whoever has a copy of the one before is out in the same step.
        reissue: Reissue,
    },
}

impl PasswordAuthority {
    /// The session that stays.
    pub const fn keeps(self) -> Option<SessionId> {
        match self {
            Self::Operator => None,
            Self::Owner { session, .. } => Some(session),
        }
    }

    /// Whether it holds for an account of this epoch.
    pub const fn holds_in(self, current: u64) -> bool {
        match self {
            Self::Operator => true,
            Self::Owner { epoch, .. } => epoch == current,
        }
    }
}

/// How adding an account went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Added {
    /// It is there.
    Added,
    /// Another account has this identifier.
    IdentifierTaken,
}

/// How giving an account another identifier went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renamed {
    /// It has it, and that is durable.
    Renamed,
    /// Another account has it; nothing is changed.
    Taken,
    /// There is no such account, or it is of another epoch.
    Unknown,
}

/// How changing an account went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Changed {
    /// It is changed; these sessions ended with it.
    Changed {
        /// The public names of the sessions that ended.
        ended: Vec<SessionId>,
        /// The session that stayed, as it goes on.
        kept: Option<Box<Session>>,
    },
    /// There is no such account, or it is not any more the one that the change was meant for.
    Unknown,
}

/// Signing keys, sealed.
#[async_trait]
pub trait Keys: Send + Sync {
    /// All records, the gone ones included.
    async fn all(&self) -> Result<Vec<KeyRecord>, Fault>;

    /// Adds a key, where there is a new one, and sets the dates of others, all in one step or not at all. A key id that is in use
    /// already, and dates for a key that is not there, are faults.
    async fn change(&self, new: Option<KeyRecord>, dates: Vec<KeyDates>) -> Result<(), Fault>;
}

/// When a key that is kept begins to sign, and when it is withdrawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyDates {
    /// Which key.
    pub key_id: KeyId,
    /// When it begins to sign.
    pub active_from: Timestamp,
    /// When it is withdrawn; `None` while no successor is known.
    pub gone_at: Option<Timestamp>,
}

/// OAuth clients: few, rarely changed, and asked for by every request that one of them makes.
#[async_trait]
pub trait Clients: Send + Sync {
    /// Adds a client under an id that was never used.
    async fn add(&self, client: Client) -> Result<(), Fault>;

    /// Finds by id; from memory where the store has all of them there.
    async fn find(&self, id: &ClientId) -> Result<Option<Arc<Client>>, Fault>;

    /// In the order in which they were added.
    async fn all(&self, page: Page) -> Result<Vec<Client>, Fault>;

    /// Removes a client; says whether there was one. Its id is never used again.
    async fn remove(&self, id: &ClientId) -> Result<bool, Fault>;
}

/// What counts once: it is remembered for as long as it could be shown again, by all nodes and over a restart.
#[async_trait]
pub trait OneTime: Send + Sync {
    /// Takes note of a client's assertion: of any number that show the same one, one alone is the first.
    async fn consume(&self, shown: ShownAssertion, now: Timestamp) -> Result<Consumed, Fault>;
}

/// Whether something that counts once has counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consumed {
    /// It was shown before.
    Again,
    /// It is remembered now, and that is durable.
    First,
    /// There is no room to remember it: whoever shows it has [`ShownAssertion::MOST`] that still hold. Nothing was forgotten for it.
    Full,
}

/// Login attempts, counted per account, per source and per crowd by the rules of [`crate::throttle`], shared by all nodes and kept
/// over a restart.
#[async_trait]
pub trait Throttle: Send + Sync {
    /// Counts an attempt against all its tallies before it is evaluated, or counts it against none and says how long to wait.
    async fn reserve(&self, attempt: Attempt, now: Timestamp) -> Result<Reservation, Fault>;

    /// The attempt succeeded: the account's tally starts afresh, and a crowd of strangers gets it back. The source does not.
    async fn succeeded(&self, receipt: &Receipt) -> Result<(), Fault>;

    /// The attempt was never evaluated: the account gets it back, and a crowd of strangers. The source does not.
    async fn give_back(&self, receipt: &Receipt) -> Result<(), Fault>;

    /// What is remembered of these accounts, in their order; [`AccountCounter::FRESH`] where nothing is. For operators: no attempt is
    /// decided by it.
    async fn tallies(&self, accounts: &[[u8; 32]]) -> Result<Vec<AccountCounter>, Fault>;

    /// Forgets what is remembered of these accounts, known or not; of sources and crowds nothing.
    async fn forgive(&self, accounts: &[[u8; 32]]) -> Result<(), Fault>;
}

/// Where faults are told that change no answer: what they kept from being done is made up for later, or can be done without.
pub trait FaultLog: Send + Sync {
    /// Takes note; `undone` says what was not done, in the operator's words.
    fn note(&self, undone: &'static str, fault: &Fault);
}

/// Where it is told that a JWT says less than its audience asks for. Every JWT anew: who writes it down says it once.
pub trait DropLog: Send + Sync {
    /// Takes note: for this subject and audience these claims were dropped.
    fn dropped(&self, subject: &str, audience: &str, claims: &[DroppedClaim]);

    /// Takes note: some account's claims are in its JWT for this audience, but not in the plain headers that routes copy them to,
    /// since they are not visible ASCII.
    fn not_copied(&self, audience: &str, claims: &[&str]);
}

/// A claim that a JWT could not carry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DroppedClaim {
    /// Its name.
    pub claim: String,
    /// How many bytes of JSON it would have taken.
    pub bytes: usize,
    /// Why it was dropped.
    pub because: Because,
}

/// What listings read, for people and operators; no request is decided by it. What knows a session by its id alone asks here, too.
#[async_trait]
pub trait Directory: Send + Sync {
    /// Live sessions at `now`, the newest first; of one account, or of all.
    async fn sessions(&self, of: Option<Subject>, page: Page, now: Timestamp) -> Result<Vec<Session>, Fault>;

    /// One live session.
    async fn session(&self, id: SessionId, now: Timestamp) -> Result<Option<Session>, Fault>;

    /// Accounts in the order of their identifiers.
    async fn accounts(&self, which: AccountsPage<'_>) -> Result<Vec<Account>, Fault>;

    /// What accounts are called; those that are gone are left out.
    async fn identifiers(&self, of: &[Subject]) -> Result<Vec<(Subject, Identifier)>, Fault>;

    /// When an account was last signed in to; `None` where that never happened, or before it was kept.
    async fn last_sign_in(&self, subject: Subject) -> Result<Option<Timestamp>, Fault>;
}

/// A part of the listing of accounts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AccountsPage<'a> {
    /// Those whose identifiers come after this one.
    pub after: Option<&'a Identifier>,
    /// Those whose identifiers have this within them, which is compared as it is.
    pub containing: Option<&'a str>,
    /// How many to return at most.
    pub take: u32,
}

/// A part of a listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// How many to pass over.
    pub skip: u32,
    /// How many to return at most.
    pub take: u32,
}
