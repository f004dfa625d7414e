//! Sessions: read from the warm table alone, changed by the writer alone.
//! In: digests and records. Out: what is live, and which sessions a change ended.

use std::sync::Arc;

use async_trait::async_trait;
use sqlx::SqliteConnection;
use vestibule_core::id::SessionId;
use vestibule_core::live::LiveSession;
use vestibule_core::port::{Ending, Opened, Recall, Reissued, Sessions};
use vestibule_core::session::{Cap, Reissue, Session, SessionDigest};
use vestibule_core::{Fault, Timestamp};

use super::SqliteStore;
use super::clients::ForgetAssertions;
use super::error::SqliteError;
use super::opening::{Open, Reissuing};
use super::rows::{self, EndedRow, NumberedSession};
use super::throttle::ForgetTallies;
use super::uses;
use super::writer::{Change, Written};
use crate::stores::Upkeep;
use crate::table::{Table, TableChange};

/// Sessions that one change forgets; logins do not wait behind more.
pub(super) const SLICE: usize = 256;
/// Rows held at once while everything is read.
const LOADED_AT_ONCE: i64 = 4096;

/// Reads every session into a table; a million take seconds.
pub(super) async fn load(connection: &mut SqliteConnection) -> Result<Table, SqliteError> {
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
        let Some(last) = page.last() else { break };
        after = last.number;
        for row in page {
            table.apply(TableChange::Open(Box::new(row.session.read()?)));
        }
    }
    uses::load(&table, connection).await?;
    Ok(table)
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

    async fn open(&self, session: Session, replaces: Option<SessionId>, cap: Cap) -> Result<Opened, Fault> {
        self.writer.open(Open { session, replaces, cap, table: Arc::clone(&self.table) }).await
    }

    async fn reissue(&self, old: &SessionDigest, reissue: Reissue) -> Result<Reissued, Fault> {
        self.writer.write(Reissuing { old: *old, reissue }).await
    }

    fn note_use(&self, digest: &SessionDigest, seen_at: Timestamp) {
        self.uses.note(*digest, seen_at);
    }

    async fn end(&self, which: Ending) -> Result<Vec<SessionId>, Fault> {
        self.writer.write(End(which)).await
    }

    /// Also forgets tallies and assertions that say nothing any more, and drops JWTs that expired.
    async fn forget_expired(&self, now: Timestamp) -> Result<u64, Fault> {
        let forgotten = self.forget_expired_sessions(now).await?;
        while self.writer.write(ForgetTallies { now }).await? > 0 {}
        while self.writer.write(ForgetAssertions { now }).await? > 0 {}
        Ok(forgotten)
    }
}

struct End(Ending);

impl Change for End {
    type Answer = Vec<SessionId>;

    async fn write(
        &mut self,
        transaction: &mut SqliteConnection,
    ) -> Result<Written<Vec<SessionId>>, SqliteError> {
        end(self.0, transaction).await
    }

    fn patience(&self) -> u32 {
        match self.0 {
            Ending::Everyone => 12,
            _ => 1,
        }
    }
}

/// Ends sessions, inside whatever else is done in the same step.
pub(super) async fn end(
    which: Ending,
    transaction: &mut SqliteConnection,
) -> Result<Written<Vec<SessionId>>, SqliteError> {
    let ended = match which {
        Ending::Everyone => return end_everyone(transaction).await,
        Ending::One(id) => sqlx::query_as("DELETE FROM sessions WHERE id = ?1 RETURNING digest, id")
            .bind(id.bytes().to_vec()),
        Ending::Others { subject, keep } => {
            sqlx::query_as("DELETE FROM sessions WHERE subject = ?1 AND id <> ?2 RETURNING digest, id")
                .bind(subject.bytes().to_vec())
                .bind(keep.bytes().to_vec())
        }
        Ending::Presented(digest) => {
            sqlx::query_as("DELETE FROM sessions WHERE digest = ?1 RETURNING digest, id")
                .bind(digest.bytes().to_vec())
        }
        Ending::Subject(subject) => {
            sqlx::query_as("DELETE FROM sessions WHERE subject = ?1 RETURNING digest, id")
                .bind(subject.bytes().to_vec())
        }
    };
    let ended: Vec<EndedRow> = ended.fetch_all(&mut *transaction).await?;
    let ended = ended.iter().map(EndedRow::read).collect::<Result<Vec<_>, _>>()?;
    if !ended.is_empty() {
        uses::forget(ended.iter().map(|(digest, _)| *digest), transaction).await?;
    }
    Ok(Written {
        answer: ended.iter().map(|(_, id)| *id).collect(),
        table: ended.iter().map(|(digest, _)| TableChange::End(*digest)).collect(),
    })
}

async fn end_everyone(transaction: &mut SqliteConnection) -> Result<Written<Vec<SessionId>>, SqliteError> {
    let ids: Vec<Vec<u8>> =
        sqlx::query_scalar("SELECT id FROM sessions").fetch_all(&mut *transaction).await?;
    // Without a condition SQLite drops the tables' pages instead of visiting each row.
    sqlx::query("DELETE FROM uses").execute(&mut *transaction).await?;
    sqlx::query("DELETE FROM token_families").execute(&mut *transaction).await?;
    sqlx::query("DELETE FROM sessions").execute(transaction).await?;
    let answer = ids.iter().map(|id| rows::session_id(id)).collect::<Result<_, _>>()?;
    Ok(Written { answer, table: vec![TableChange::Clear] })
}

pub(super) struct Forget(pub(super) Vec<SessionDigest>);

impl Change for Forget {
    type Answer = u64;

    async fn write(&mut self, transaction: &mut SqliteConnection) -> Result<Written<u64>, SqliteError> {
        let forgotten = sqlx::query(
            "DELETE FROM sessions WHERE digest IN (SELECT unhex(gone.value) FROM json_each(?1) AS gone)",
        )
        .bind(uses::hex_list(self.0.iter().copied()))
        .execute(&mut *transaction)
        .await?;
        uses::forget(self.0.iter().copied(), transaction).await?;
        Ok(Written {
            answer: forgotten.rows_affected(),
            table: self.0.iter().copied().map(TableChange::End).collect(),
        })
    }
}
