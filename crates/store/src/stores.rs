//! One door to every store. In: a URL. Out: the ports of [`vestibule_core::port`], each by itself, so that nothing outside this crate
//! knows which database is behind them.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use vestibule_core::port::{Accounts, Clients, Directory, Grants, Keys, OneTime, Sessions, Throttle};
use vestibule_core::{Fault, Timestamp};

use crate::sqlite::{SqliteOptions, SqliteStore};
use crate::statistics::Statistics;

#[cfg(test)]
mod tests;

/// Where a store is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreUrl {
    /// A database file.
    Sqlite(PathBuf),
}

/// Why a text is no [`StoreUrl`]. The text is not repeated: URLs of other databases carry passwords.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAStoreUrl {
    /// A kind of store that comes later.
    #[error("{0} is not available yet; use \"sqlite:PATH\" or leave this key out")]
    Later(&'static str),
    /// SQLite without a file, or with parameters.
    #[error("names no file; write it like \"sqlite:vestibule-data/vestibule.db\"")]
    NoFile,
    /// Anything else.
    #[error("is not a store; write it like \"sqlite:vestibule-data/vestibule.db\"")]
    Unknown,
}

impl StoreUrl {
    /// Reads `sqlite:PATH`; a relative path is below `base`, and `.` and doubled slashes within it are dropped.
    pub fn parse(text: &str, base: &Path) -> Result<Self, NotAStoreUrl> {
        match text.split_once(':') {
            Some(("sqlite", path)) => {
                let path = path.strip_prefix("//").unwrap_or(path);
                if path.is_empty() || path.contains('?') || path == ":memory:" {
                    return Err(NotAStoreUrl::NoFile);
                }
                Ok(Self::Sqlite(base.join(path).components().collect()))
            }
            Some(("postgres" | "postgresql", _)) => Err(NotAStoreUrl::Later("PostgreSQL")),
            Some(("redis" | "rediss" | "redis+cluster", _)) => Err(NotAStoreUrl::Later("Redis")),
            _ => Err(NotAStoreUrl::Unknown),
        }
    }

    /// The database file, where the store is one.
    pub fn file(&self) -> Option<&Path> {
        let Self::Sqlite(file) = self;
        Some(file)
    }

    /// Whether it is certain, without asking, that there is no store: its file does not exist.
    pub fn is_missing(&self) -> bool {
        self.file().is_some_and(|file| !file.exists())
    }

    /// The place as messages name it: an absolute path, which is the same from every folder.
    pub fn place(&self) -> String {
        let Self::Sqlite(file) = self;
        std::path::absolute(file).unwrap_or_else(|_| file.clone()).display().to_string()
    }
}

impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Sqlite(file) = self;
        write!(f, "sqlite:{}", file.display())
    }
}

/// Whether files and folders are accepted that other accounts of the machine can read or write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SharedFiles {
    /// They are.
    Accepted,
    /// They are refused.
    Refused,
}

/// Opens the store at `url`, and creates it where there is none. Must be called within a tokio runtime.
///
/// The fault's source is [`StoreInUse`](crate::StoreInUse) when another process has the store open and it takes one process only.
pub async fn open(url: &StoreUrl, shared: SharedFiles) -> Result<Stores, Fault> {
    let StoreUrl::Sqlite(file) = url;
    let options = SqliteOptions { shared_files: shared == SharedFiles::Accepted, ..SqliteOptions::default() };
    Ok(Stores::from(SqliteStore::open(file, options).await?))
}

/// An open store: each port of the rules, and its upkeep.
#[derive(Clone)]
pub struct Stores {
    /// Accounts.
    pub accounts: Arc<dyn Accounts>,
    /// OAuth clients.
    pub clients: Arc<dyn Clients>,
    /// What listings read.
    pub directory: Arc<dyn Directory>,
    /// Families of refresh tokens.
    pub grants: Arc<dyn Grants>,
    /// Signing keys, sealed.
    pub keys: Arc<dyn Keys>,
    /// What counts once.
    pub one_time: Arc<dyn OneTime>,
    /// Sessions.
    pub sessions: Arc<dyn Sessions>,
    /// Counted attempts.
    pub throttle: Arc<dyn Throttle>,
    /// What the program does with the store as a whole.
    pub upkeep: Arc<dyn Upkeep>,
}

impl<T> From<Arc<T>> for Stores
where
    T: Accounts + Clients + Directory + Grants + Keys + OneTime + Sessions + Throttle + Upkeep + 'static,
{
    fn from(store: Arc<T>) -> Self {
        Self {
            accounts: store.clone(),
            clients: store.clone(),
            directory: store.clone(),
            grants: store.clone(),
            keys: store.clone(),
            one_time: store.clone(),
            sessions: store.clone(),
            throttle: store.clone(),
            upkeep: store,
        }
    }
}

/// What the program does with a store as a whole. No rule asks for it.
#[async_trait]
pub trait Upkeep: Send + Sync {
    /// Whether changes can be made, for a readiness probe: asks the writer, and after a failure writes for the test.
    async fn check(&self) -> Result<(), Fault>;

    /// Writes what is waiting and gives the store back; every later call is a fault. When the last uses cannot be written, the store is
    /// closed all the same, and the fault tells of them.
    async fn close(&self) -> Result<(), Fault>;

    /// Writes which sessions were used since the last time. To be called about once a minute.
    async fn flush(&self) -> Result<(), Fault>;

    /// Deletes the sessions that expired at `now` and returns their number. It keeps counted attempts and assertions: this is for a clock
    /// that may be wrong, and one that is deleted too early lets somebody in again once the clock is right.
    ///
    /// Works in slices, so that a login waits behind a few hundred sessions at most.
    async fn forget_expired_sessions(&self, now: Timestamp) -> Result<u64, Fault>;

    /// Whether nothing is stored that depends on the secrets of the installation: no key, no account, no client, no check value. Secrets
    /// that are missing may be made for such a store alone.
    async fn is_new(&self) -> Result<bool, Fault>;

    /// Keeps the check value of a secret that has none yet. A value that is there is never replaced: that is a fault.
    async fn keep_secret_check(&self, secret: &'static str, value: [u8; 32]) -> Result<(), Fault>;

    /// The check value that was kept for a secret; `None` where none was, in a new store or one of an older version.
    async fn secret_check(&self, secret: &str) -> Result<Option<[u8; 32]>, Fault>;

    /// Counts since the store was opened, and sizes now.
    fn statistics(&self) -> Statistics;

    /// Frees the memory of JWTs that are expired at `now`, and ends nothing: for while the clock is not believed.
    /// [`Sessions::forget_expired`] does so as well.
    async fn tidy(&self, now: Timestamp) -> Result<(), Fault>;
}
