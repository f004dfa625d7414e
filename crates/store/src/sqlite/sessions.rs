//! Sessions: read from the warm table alone, changed by the writer alone.
//! In: digests and records. Out: what is live, and which sessions a change ended.

use std::sync::Arc;

use async_trait::async_trait;
use data_encoding::HEXLOWER;
use serde_json::json;
use sqlx::SqliteConnection;
use vestibule_core::id::{SessionId, Subject};
use vestibule_core::live::LiveSession;
use vestibule_core::port::{Ending, Opened, Recall, Sessions};
use vestibule_core::session::{Session, SessionDigest};
use vestibule_core::{Fault, Timestamp};

use super::SqliteStore;
use super::rows::{self, EndedRow, NumberedSession, integer, millis};
use super::throttle::ForgetTallies;
use super::trouble::Trouble;
use super::writer::{Change, Written};
use crate::table::{Table, TableChange};

/// Sessions that one change forgets; logins do not wait behind more.
const SLICE: usize = 256;
/// Rows held at once while everything is read.
const LOADED_AT_ONCE: i64 = 4096;

/// Reads every session into a table; a million take seconds.
pub(super) async fn load(connection: &mut SqliteConnection) -> Result<Table, Trouble> {
    let sessions: i64 =
        sqlx::query_scalar("SELECT count(*) FROM sessions").fetch_one(&mut *connection).await?;
    let table = Table::with_capacity(usize::try_from(sessions).unwrap_or_default());
    let mut after = i64::MIN;
    loop {
        let page: Vec<NumberedSession> =
            sqlx::query_as("SELECT * FROM sessions WHERE number > ?1 ORDER BY number LIMIT ?2")
                .bind(after)
                .bind(LOADED_AT_ONCE)
                .fetch_all(&mut *connection)
                .await?;
        let Some(last) = page.last() else { return Ok(table) };
        after = last.number;
        for row in page {
            table.apply(TableChange::Open(Box::new(row.session.read()?)));
        }
    }
}

#[async_trait]
impl Sessions for SqliteStore {
    /// Never [`Recall::Cold`]: this process is the only writer, so the table is all there is.
    fn recall(&self, digest: &SessionDigest) -> Recall {
        match self.table.find(digest) {
            Some(live) => Recall::Known(live),
            None => Recall::Unknown,
        }
    }

    async fn find(&self, digest: &SessionDigest) -> Result<Option<Arc<LiveSession>>, Fault> {
        Ok(self.table.find(digest))
    }

    async fn open(&self, session: Session, replaces: Option<SessionDigest>) -> Result<Opened, Fault> {
        self.writer.write(Open { session, replaces }).await
    }

    fn note_use(&self, digest: &SessionDigest, seen_at: Timestamp) {
        self.uses.note(*digest, seen_at);
    }

    async fn end(&self, which: Ending) -> Result<Vec<SessionId>, Fault> {
        self.writer.write(End(which)).await
    }

    /// In slices, so that a login waits behind a few hundred of them at most. Also forgets what the throttle need not know any
    /// more, and drops JWTs that expired.
    async fn forget_expired(&self, now: Timestamp) -> Result<u64, Fault> {
        // Memory judges, not the database: it knows uses that are not yet written.
        let expired = self.sweep(now).await?;
        let mut forgotten = 0;
        for slice in expired.chunks(SLICE) {
            forgotten += self.writer.write(Forget(slice.to_vec())).await?;
        }
        while self.writer.write(ForgetTallies { now }).await? > 0 {}
        Ok(forgotten)
    }
}

struct Open {
    session: Session,
    replaces: Option<SessionDigest>,
}

impl Change for Open {
    type Answer = Opened;

    async fn write(&mut self, transaction: &mut SqliteConnection) -> Result<Written<Opened>, Trouble> {
        let session = &self.session;
        let is_current: bool = sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM accounts WHERE subject = ?1 AND epoch = ?2 AND status = 'enabled')",
        )
        .bind(&session.subject.bytes()[..])
        .bind(integer(session.epoch))
        .fetch_one(&mut *transaction)
        .await?;
        if !is_current {
            return Ok(Written::without_table(Opened::AccountChanged));
        }
        let mut table = Vec::with_capacity(2);
        if let Some(replaced) = self.replaces {
            sqlx::query("DELETE FROM sessions WHERE digest = ?1")
                .bind(&replaced.bytes()[..])
                .execute(&mut *transaction)
                .await?;
            table.push(TableChange::End(replaced));
        }
        insert(session, transaction).await?;
        table.push(TableChange::Open(Box::new(session.clone())));
        Ok(Written { answer: Opened::Open, table })
    }
}

async fn insert(session: &Session, transaction: &mut SqliteConnection) -> Result<(), Trouble> {
    let inserted = sqlx::query(
        "INSERT INTO sessions (digest, id, subject, version, epoch, kind, opened_at, proven_at, seen_at, idle, ends_at,
                               assurance, amr, address, user_agent)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
    )
    .bind(&session.digest.bytes()[..])
    .bind(&session.id.bytes()[..])
    .bind(&session.subject.bytes()[..])
    .bind(i64::from(session.version))
    .bind(integer(session.epoch))
    .bind(session.kind.name())
    .bind(integer(session.opened_at.millis()))
    .bind(integer(session.proven_at.millis()))
    .bind(integer(session.seen_at.millis()))
    .bind(millis(session.idle))
    .bind(integer(session.ends_at.millis()))
    .bind(i64::from(session.assurance.level()))
    .bind(i64::from(session.amr.bits()))
    .bind(session.device.address.map(|address| address.to_string()))
    .bind(session.device.user_agent.as_str())
    .execute(transaction)
    .await;
    match inserted {
        Ok(_) => Ok(()),
        Err(sqlx::Error::Database(error)) if error.is_unique_violation() => {
            Err(Trouble::Bug("a session was opened under a digest or id that is in use"))
        }
        Err(error) => Err(error.into()),
    }
}

struct End(Ending);

impl Change for End {
    type Answer = Vec<SessionId>;

    async fn write(
        &mut self,
        transaction: &mut SqliteConnection,
    ) -> Result<Written<Vec<SessionId>>, Trouble> {
        let ended = match self.0 {
            Ending::Everyone => return end_everyone(transaction).await,
            Ending::One(id) => {
                sqlx::query_as("DELETE FROM sessions WHERE id = ?1 RETURNING digest, id")
                    .bind(id.bytes().to_vec())
                    .fetch_all(transaction)
                    .await?
            }
            Ending::Others { subject, keep } => return end_of(subject, Some(keep), transaction).await,
            Ending::Presented(digest) => {
                sqlx::query_as("DELETE FROM sessions WHERE digest = ?1 RETURNING digest, id")
                    .bind(digest.bytes().to_vec())
                    .fetch_all(transaction)
                    .await?
            }
            Ending::Subject(subject) => return end_of(subject, None, transaction).await,
        };
        ended_by(ended)
    }

    fn patience(&self) -> u32 {
        match self.0 {
            Ending::Everyone => 12,
            _ => 1,
        }
    }
}

/// Ends the sessions of an account but the one to keep.
pub(super) async fn end_of(
    subject: Subject,
    keep: Option<SessionId>,
    transaction: &mut SqliteConnection,
) -> Result<Written<Vec<SessionId>>, Trouble> {
    let ended =
        sqlx::query_as("DELETE FROM sessions WHERE subject = ?1 AND id IS NOT ?2 RETURNING digest, id")
            .bind(&subject.bytes()[..])
            .bind(keep.map(|id| id.bytes().to_vec()))
            .fetch_all(transaction)
            .await?;
    ended_by(ended)
}

async fn end_everyone(transaction: &mut SqliteConnection) -> Result<Written<Vec<SessionId>>, Trouble> {
    let ids: Vec<Vec<u8>> =
        sqlx::query_scalar("SELECT id FROM sessions").fetch_all(&mut *transaction).await?;
    // Without a condition SQLite drops the table's pages instead of visiting each row.
    sqlx::query("DELETE FROM sessions").execute(transaction).await?;
    let answer = ids.iter().map(|id| rows::session_id(id)).collect::<Result<_, _>>()?;
    Ok(Written { answer, table: vec![TableChange::Clear] })
}

fn ended_by(rows: Vec<EndedRow>) -> Result<Written<Vec<SessionId>>, Trouble> {
    let ended = rows.iter().map(EndedRow::read).collect::<Result<Vec<_>, _>>()?;
    Ok(Written {
        answer: ended.iter().map(|(_, id)| *id).collect(),
        table: ended.iter().map(|(digest, _)| TableChange::End(*digest)).collect(),
    })
}

struct Forget(Vec<SessionDigest>);

impl Change for Forget {
    type Answer = u64;

    async fn write(&mut self, transaction: &mut SqliteConnection) -> Result<Written<u64>, Trouble> {
        let digests: Vec<_> = self.0.iter().map(|digest| HEXLOWER.encode(digest.bytes())).collect();
        let forgotten = sqlx::query(
            "DELETE FROM sessions WHERE digest IN (SELECT unhex(gone.value) FROM json_each(?1) AS gone)",
        )
        .bind(json!(digests).to_string())
        .execute(transaction)
        .await?;
        Ok(Written {
            answer: forgotten.rows_affected(),
            table: self.0.iter().copied().map(TableChange::End).collect(),
        })
    }
}
