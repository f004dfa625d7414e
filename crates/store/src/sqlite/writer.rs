//! The one writer: a task that carries out all changes, many in one transaction (group commit), so that a disk that syncs a
//! hundred times a second still takes thousands of logins.
//! In: changes over a bounded queue. Out: their answers, once the transaction that carried them is durable and the warm table
//! says the same; until then nobody is told anything.
//!
//! FailureScope the table changes here and nowhere else, in the order of the commits, it can never hold a session that the database
//! does not: whatever raced, raced for a place in this queue. What a change costs is less SQLite's work than the way to its thread
//! and back, so sessions that are opened one after the other go there together.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection};
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::task::JoinHandle;
use vestibule_core::Fault;
use vestibule_core::port::{Opened, Redeemed, Redemption};

use super::error::SqliteError;
use super::files::Lock;
use super::grants::{Redeeming, Redemptions};
use super::opening::{Open, Opening, Openings};
use crate::statistics::Counters;
use crate::table::{Table, TableChange};

/// The most changes in one transaction.
const BATCH: usize = 256;

/// One atomic step, as it is carried out inside a transaction.
pub(super) trait Change: Send + 'static {
    /// What its caller is told.
    type Answer: Send + 'static;

    /// Does it. An error undoes this change alone; the others of the transaction stay.
    fn write(
        &mut self,
        transaction: &mut SqliteConnection,
    ) -> impl Future<Output = Result<Written<Self::Answer>, SqliteError>> + Send;

    /// How much longer than usual its caller should wait: what touches every row takes its time.
    fn patience(&self) -> u32 {
        1
    }
}

/// What a change did.
pub(super) struct Written<A> {
    pub(super) answer: A,
    pub(super) table: Vec<TableChange>,
}

impl<A> Written<A> {
    pub(super) fn without_table(answer: A) -> Self {
        Self { answer, table: Vec::new() }
    }
}

/// The callers' side of the writer.
pub(super) struct Writer {
    queue: mpsc::Sender<Message>,
    answer_within: Duration,
    is_failing: Arc<AtomicBool>,
    task: Mutex<Option<JoinHandle<()>>>,
}

enum Message {
    Change(Box<dyn Job>),
    Open(Box<Opening>),
    Redeem(Box<Redeeming>),
    Close,
}

/// What the writer needs to do its work. It owns the lock on the data directory: as long as it may still write, no other
/// process opens the store.
pub(super) struct WriterParts {
    pub(super) connect: SqliteConnectOptions,
    pub(super) connection: SqliteConnection,
    pub(super) table: Arc<Table>,
    pub(super) counters: Arc<Counters>,
    pub(super) lock: Lock,
}

impl Writer {
    pub(super) fn start(bench: WriterParts, queue: usize, answer_within: Duration) -> Self {
        let (sender, receiver) = mpsc::channel(queue.max(1));
        let is_failing = Arc::new(AtomicBool::new(false));
        let worker = Worker {
            connect: bench.connect,
            connection: Some(bench.connection),
            table: bench.table,
            counters: bench.counters,
            is_failing: Arc::clone(&is_failing),
            _lock: bench.lock,
        };
        let task = tokio::spawn(worker.run(receiver));
        Self { queue: sender, answer_within, is_failing, task: Mutex::new(Some(task)) }
    }

    /// Has a change carried out and says how it went, once it is durable. A caller that goes away does not take its change along:
    /// what is queued is carried out.
    pub(super) async fn write<C: Change>(&self, change: C) -> Result<C::Answer, Fault> {
        let wait = self.answer_within * change.patience();
        let (reply, answer) = oneshot::channel();
        let job = Box::new(Pending { change, table: Vec::new(), answer: None, reply });
        self.send(Message::Change(job), answer, wait).await
    }

    /// As [`Self::write`], together with other sessions that are opened at the same time.
    pub(super) async fn open(&self, open: Open) -> Result<Opened, Fault> {
        let (reply, answer) = oneshot::channel();
        self.send(Message::Open(Box::new(Opening { open, reply })), answer, self.answer_within).await
    }

    /// As [`Self::write`], together with other refresh tokens that are presented at the same time.
    pub(super) async fn redeem(&self, redemption: Redemption) -> Result<Redeemed, Fault> {
        let (reply, answer) = oneshot::channel();
        let message = Message::Redeem(Box::new(Redeeming { redemption, reply }));
        self.send(message, answer, self.answer_within).await
    }

    async fn send<A>(
        &self,
        message: Message,
        answer: oneshot::Receiver<Result<A, SqliteError>>,
        wait: Duration,
    ) -> Result<A, Fault> {
        self.queue.try_send(message).map_err(|refused| match refused {
            mpsc::error::TrySendError::Full(_) => Fault::Overloaded {
                what: "the store's queue of changes",
                retry_after: Duration::from_secs(1),
            },
            mpsc::error::TrySendError::Closed(_) => SqliteError::Closed.into(),
        })?;
        match tokio::time::timeout(wait, answer).await {
            Ok(Ok(answer)) => Ok(answer?),
            Ok(Err(_)) => Err(SqliteError::Closed.into()),
            Err(_) => Err(SqliteError::Slow(wait.as_secs()).into()),
        }
    }

    /// Whether the last transaction failed.
    pub(super) fn is_failing(&self) -> bool {
        self.is_failing.load(Ordering::Relaxed)
    }

    /// Carries out what is queued, takes nothing more, and gives the lock back. A second call has nothing to do.
    pub(super) async fn close(&self, within: Duration) -> Result<(), Fault> {
        let mut task = self.task.lock().await;
        let Some(running) = task.as_mut() else { return Ok(()) };
        // An error means that the writer has ended already.
        let told = async {
            self.queue.send(Message::Close).await.ok();
            running.await
        };
        match tokio::time::timeout(within, told).await {
            Ok(ended) => {
                *task = None;
                ended.map_err(|_| Fault::Bug("the store's writer panicked"))
            }
            Err(_) => Err(SqliteError::Slow(within.as_secs()).into()),
        }
    }
}

/// What is carried out as one, with its types put aside so that changes of all kinds fit one queue.
#[async_trait]
pub(super) trait Job: Send {
    /// Writes it, for the first time or anew after the transaction of the last time was undone.
    async fn write(&mut self, transaction: &mut SqliteConnection) -> Result<(), SqliteError>;
    /// What the table has to change once that is durable.
    fn table(&mut self) -> Vec<TableChange>;
    fn acknowledge(self: Box<Self>);
    fn fail(self: Box<Self>, trouble: SqliteError);
    /// The changes in it, each to be carried out for itself.
    fn apart(self: Box<Self>) -> Vec<Box<dyn Job>>;
    /// How many changes that are.
    fn changes(&self) -> usize {
        1
    }
}

struct Pending<C: Change> {
    change: C,
    table: Vec<TableChange>,
    answer: Option<C::Answer>,
    reply: oneshot::Sender<Result<C::Answer, SqliteError>>,
}

#[async_trait]
impl<C: Change> Job for Pending<C> {
    async fn write(&mut self, transaction: &mut SqliteConnection) -> Result<(), SqliteError> {
        let written = self.change.write(transaction).await?;
        self.table = written.table;
        self.answer = Some(written.answer);
        Ok(())
    }

    fn table(&mut self) -> Vec<TableChange> {
        std::mem::take(&mut self.table)
    }

    fn acknowledge(self: Box<Self>) {
        let answer = self.answer.ok_or(SqliteError::Bug("a change was acknowledged that was not written"));
        // Nobody listens when the caller went away; the change stands all the same.
        self.reply.send(answer).ok();
    }

    fn fail(self: Box<Self>, trouble: SqliteError) {
        self.reply.send(Err(trouble)).ok();
    }

    fn apart(self: Box<Self>) -> Vec<Box<dyn Job>> {
        vec![self]
    }
}

/// The writer's own side.
struct Worker {
    connect: SqliteConnectOptions,
    /// `None` after a failure: a connection that failed once is not trusted again.
    connection: Option<SqliteConnection>,
    table: Arc<Table>,
    counters: Arc<Counters>,
    is_failing: Arc<AtomicBool>,
    _lock: Lock,
}

impl Worker {
    async fn run(mut self, mut queue: mpsc::Receiver<Message>) {
        let mut messages = Vec::with_capacity(BATCH);
        while queue.recv_many(&mut messages, BATCH).await > 0 {
            let mut batch = Batch::default();
            for message in messages.drain(..) {
                match message {
                    Message::Open(opening) => batch.open(*opening),
                    Message::Redeem(redeeming) => batch.redeem(*redeeming),
                    Message::Change(job) => batch.push(job),
                    // What is queued behind is still carried out; then `recv_many` answers 0.
                    Message::Close => queue.close(),
                }
            }
            let batch = batch.jobs();
            if !batch.is_empty() {
                self.carry_out(batch).await;
            }
        }
        if let Some(connection) = self.connection.take()
            && let Err(error) = connection.close().await
        {
            tracing::warn!(error = %error, "the store's database did not close cleanly; it will recover when opened");
        }
    }

    async fn carry_out(&mut self, batch: Vec<Box<dyn Job>>) {
        let changes = changes(&batch);
        self.counters.writes.fetch_add(changes, Ordering::Relaxed);
        match self.commit(batch).await {
            // What does not fit or cannot be done must not take those down that can, a logout least of all: each for itself.
            Some(Failed { trouble, jobs, because: FailureScope::Change }) if changes > 1 => {
                tracing::debug!(error = %trouble, changes, "a change failed; all that came with it are carried out one by one");
                for job in jobs.into_iter().flat_map(|job| job.apart()) {
                    if let Some(failed) = self.commit(vec![job]).await {
                        failed.tell();
                    }
                }
            }
            Some(failed) => failed.tell(),
            None => {}
        }
    }

    /// Commits a batch, changes the table accordingly and acknowledges. Otherwise hands back what nobody was told anything of yet,
    /// with the reason; nothing of it is in the database then.
    async fn commit(&mut self, mut batch: Vec<Box<dyn Job>>) -> Option<Failed> {
        let (trouble, because) = match self.try_commit(&mut batch).await {
            Ok(()) => {
                self.counters.commits.fetch_add(1, Ordering::Relaxed);
                self.counters.largest_batch.fetch_max(changes(&batch), Ordering::Relaxed);
                if self.is_failing.swap(false, Ordering::Relaxed) {
                    tracing::info!("the store takes changes again");
                }
                for change in batch.iter_mut().flat_map(|job| job.table()) {
                    self.table.apply(change);
                }
                batch.into_iter().for_each(|job| job.acknowledge());
                return None;
            }
            Err(failure) => failure,
        };
        if because == FailureScope::Store {
            self.counters.failed_commits.fetch_add(1, Ordering::Relaxed);
            if !self.is_failing.swap(true, Ordering::Relaxed) {
                tracing::error!(error = %trouble, "the store could not commit; changes are refused until it can");
            }
            if let Some(connection) = self.connection.take() {
                // It is given up because it failed: how its end goes makes no difference.
                connection.close().await.ok();
            }
        }
        // A full disk may have room for the rest, above all for what gives room back.
        let because = if matches!(trouble, SqliteError::Full(_)) { FailureScope::Change } else { because };
        Some(Failed { trouble, jobs: batch, because })
    }

    /// All in one transaction without a way back to the middle of it: failures are rare, and a savepoint for each change costs more
    /// than most changes do.
    async fn try_commit(&mut self, batch: &mut [Box<dyn Job>]) -> Result<(), (SqliteError, FailureScope)> {
        let store = |error: sqlx::Error| (error.into(), FailureScope::Store);
        let connection = match &mut self.connection {
            Some(connection) => connection,
            none => none.insert(self.connect.connect().await.map_err(store)?),
        };
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await.map_err(store)?;
        for job in batch {
            if let Err(trouble) = job.write(&mut transaction).await {
                // Some failures (a full disk) make SQLite undo the transaction by itself: then there is none left to undo, and
                // the connection is not trusted any more.
                return Err(match transaction.rollback().await {
                    Ok(()) => (trouble, FailureScope::Change),
                    Err(_) => (trouble, FailureScope::Store),
                });
            }
        }
        transaction.commit().await.map_err(store)
    }
}

/// What one transaction carries, in the order in which it came. Changes of one kind that nothing else came between are one job.
#[derive(Default)]
struct Batch {
    jobs: Vec<Box<dyn Job>>,
    openings: Vec<Opening>,
    redeeming: Vec<Redeeming>,
}

impl Batch {
    fn open(&mut self, opening: Opening) {
        self.jobs.extend(Redemptions::of(std::mem::take(&mut self.redeeming)));
        self.openings.push(opening);
    }

    fn redeem(&mut self, redeeming: Redeeming) {
        self.jobs.extend(Openings::of(std::mem::take(&mut self.openings)));
        self.redeeming.push(redeeming);
    }

    fn push(&mut self, job: Box<dyn Job>) {
        self.gather();
        self.jobs.push(job);
    }

    fn jobs(mut self) -> Vec<Box<dyn Job>> {
        self.gather();
        self.jobs
    }

    /// At most one of the two holds any.
    fn gather(&mut self) {
        self.jobs.extend(Openings::of(std::mem::take(&mut self.openings)));
        self.jobs.extend(Redemptions::of(std::mem::take(&mut self.redeeming)));
    }
}

/// Whose fault it is that a transaction came to nothing.
#[derive(Clone, Copy, PartialEq, Eq)]
enum FailureScope {
    /// One change could not be written; others may.
    Change,
    /// Nothing can be written.
    Store,
}

/// Jobs of which nothing is in the database, and nobody was told.
struct Failed {
    trouble: SqliteError,
    jobs: Vec<Box<dyn Job>>,
    because: FailureScope,
}

impl Failed {
    fn tell(self) {
        self.jobs.into_iter().for_each(|job| job.fail(self.trouble.clone()));
    }
}

fn changes(batch: &[Box<dyn Job>]) -> u64 {
    batch.iter().map(|job| job.changes() as u64).sum()
}
