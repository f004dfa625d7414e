//! The store in one SQLite file, for one process: every live session also in memory, one writer with group commit, a few readers
//! for what memory does not hold (accounts, keys, listings).
//! In: the ports' verbs. Out: answers that are durable when they are given.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use sqlx::ConnectOptions;
use sqlx::sqlite::SqlitePool;
use vestibule_core::Fault;

use crate::statistics::Counters;
use crate::table::Table;

mod accounts;
mod clients;
mod connect;
mod directory;
mod error;
mod files;
mod grants;
mod keys;
mod opening;
mod pulse;
mod rows;
mod secret_checks;
mod sessions;
mod throttle;
mod upkeep;
mod uses;
mod writer;

pub use files::StoreInUse;

use error::SqliteError;
use uses::UsesWaiting;
use writer::{Writer, WriterParts};

/// How a store in SQLite behaves.
#[derive(Clone, Debug)]
pub struct SqliteOptions {
    /// Connections that read, at most.
    pub readers: u32,
    /// Changes that may wait; one more is refused as overload.
    pub queue: usize,
    /// How long a caller waits for an answer before it is told that there is none.
    pub answer_within: Duration,
    /// How long another program may hold the database locked before changes are refused; below `answer_within`.
    pub lock_wait: Duration,
    /// Takes files and folders that other accounts can read or write.
    pub shared_files: bool,
    /// The most pages of 4096 bytes that the file may have; `None`: what the disk has room for.
    pub max_pages: Option<u32>,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self {
            readers: 4,
            queue: 1024,
            answer_within: Duration::from_secs(5),
            lock_wait: Duration::from_secs(2),
            shared_files: false,
            max_pages: None,
        }
    }
}

/// The store in one SQLite file.
pub struct SqliteStore {
    table: Arc<Table>,
    uses: UsesWaiting,
    writer: Writer,
    readers: SqlitePool,
    counters: Arc<Counters>,
    options: SqliteOptions,
}

impl SqliteStore {
    /// Opens the database at `path`, making it and its directory if need be, and loads every session into memory. Must be called
    /// within a tokio runtime.
    ///
    /// The fault's source is [`StoreInUse`] when another process has it open.
    pub async fn open(path: impl AsRef<Path>, options: SqliteOptions) -> Result<Arc<Self>, Fault> {
        let path: PathBuf = path.as_ref().to_owned();
        let lock = files::prepare(&path, options.shared_files)?;
        let connect = connect::writer(&path, &options);
        let mut connection = connect.connect().await.map_err(SqliteError::from)?;
        connect::migrate(&mut connection).await?;
        let table = Arc::new(sessions::load(&mut connection).await?);
        clients::load(&table, &mut connection).await?;
        let counters = Arc::new(Counters::default());
        let readers = connect::readers(&path, &options);
        let bench = WriterParts {
            connect,
            connection,
            table: Arc::clone(&table),
            counters: Arc::clone(&counters),
            lock,
        };
        let writer = Writer::start(bench, options.queue, options.answer_within);
        Ok(Arc::new(Self { table, uses: UsesWaiting::default(), writer, readers, counters, options }))
    }

    /// Asks the database through a reader, and gives up after a while.
    async fn read<T>(&self, question: impl Future<Output = Result<T, SqliteError>>) -> Result<T, Fault> {
        self.counters.reads.fetch_add(1, Ordering::Relaxed);
        let wait = self.options.answer_within;
        match tokio::time::timeout(wait, question).await {
            Ok(answer) => Ok(answer?),
            Err(_) => Err(SqliteError::Slow(wait.as_secs()).into()),
        }
    }
}
