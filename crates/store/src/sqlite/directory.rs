//! Listings for people and operators, read through the readers: a long one holds up neither requests nor logins.
//! In: a page. Out: records, with the last use as memory knows it.

use async_trait::async_trait;
use vestibule_core::account::{Account, Identifier};
use vestibule_core::id::{SessionId, Subject};
use vestibule_core::port::{AccountsPage, Directory, Page};
use vestibule_core::session::{Session, Span, judge};
use vestibule_core::{Fault, Timestamp};

use super::SqliteStore;
use super::error::SqliteError;
use super::rows::{self, AccountRow, NumberedSession, SessionRow, integer, timestamp};

/// The most rows looked at between two questions.
const SLICE: u32 = 256;

/// By the index on subjects, whose entries are in the order of numbers: what it costs goes by the account's sessions, not by all.
const OF_ONE_ACCOUNT: &str = "SELECT * FROM sessions WHERE number < ?1 AND ends_at > ?2 AND subject = ?4 ORDER BY number DESC LIMIT ?3";

#[async_trait]
impl Directory for SqliteStore {
    async fn sessions(&self, of: Option<Subject>, page: Page, now: Timestamp) -> Result<Vec<Session>, Fault> {
        self.read(self.live_sessions(of, page, now)).await
    }

    async fn session(&self, id: SessionId, now: Timestamp) -> Result<Option<Session>, Fault> {
        let question = async {
            let row: Option<SessionRow> = sqlx::query_as("SELECT * FROM sessions WHERE id = ?1")
                .bind(&id.bytes()[..])
                .fetch_optional(&self.readers)
                .await?;
            let Some(row) = row else { return Ok(None) };
            Ok(self.if_live(row.read()?, now))
        };
        self.read(question).await
    }

    async fn accounts(&self, which: AccountsPage<'_>) -> Result<Vec<Account>, Fault> {
        let question = async {
            // No identifier is empty: all come after that.
            let rows: Vec<AccountRow> = sqlx::query_as(
                "SELECT * FROM accounts WHERE identifier > ?1 AND (?2 IS NULL OR instr(identifier, ?2) > 0)
                 ORDER BY identifier LIMIT ?3",
            )
            .bind(which.after.map_or("", Identifier::as_str))
            .bind(which.containing)
            .bind(i64::from(which.take))
            .fetch_all(&self.readers)
            .await?;
            rows.into_iter().map(AccountRow::read).collect()
        };
        self.read(question).await
    }

    async fn identifiers(&self, of: &[Subject]) -> Result<Vec<(Subject, Identifier)>, Fault> {
        let question = async {
            let subjects = of.iter().map(|subject| &subject.bytes()[..]);
            let rows: Vec<(Vec<u8>, String)> = sqlx::query_as(
                "SELECT subject, identifier FROM accounts
                 WHERE subject IN (SELECT unhex(value) FROM json_each(?1))",
            )
            .bind(rows::hex_array(subjects))
            .fetch_all(&self.readers)
            .await?;
            let read = |(subject, identifier): (Vec<u8>, String)| {
                let identifier = Identifier::known(&identifier)
                    .map_err(|_| SqliteError::corrupt("a stored account", "identifier"))?;
                Ok((rows::subject(&subject)?, identifier))
            };
            rows.into_iter().map(read).collect()
        };
        self.read(question).await
    }

    async fn last_sign_in(&self, subject: Subject) -> Result<Option<Timestamp>, Fault> {
        let question = async {
            let at: Option<i64> = sqlx::query_scalar("SELECT at FROM sign_ins WHERE subject = ?1")
                .bind(&subject.bytes()[..])
                .fetch_optional(&self.readers)
                .await?;
            let read = |at| timestamp(at).ok_or_else(|| SqliteError::corrupt("a stored sign-in", "at"));
            at.map(read).transpose()
        };
        self.read(question).await
    }
}

impl SqliteStore {
    /// Walks down from the newest until the page is full. Which sessions are alive is judged here and not in SQL, because only
    /// memory knows their last use to the minute.
    async fn live_sessions(
        &self,
        of: Option<Subject>,
        page: Page,
        now: Timestamp,
    ) -> Result<Vec<Session>, SqliteError> {
        let mut found = Vec::new();
        let mut to_skip = page.skip;
        let mut below = i64::MAX;
        while found.len() < page.take as usize {
            // What the page lacks and no more: of those that the database takes for alive, nearly all are.
            let wanted = page.take.saturating_sub(u32::try_from(found.len()).unwrap_or(u32::MAX));
            let rows = self.rows_below(below, of, now, wanted.saturating_add(to_skip).min(SLICE)).await?;
            let Some(last) = rows.last() else { break };
            below = last.number;
            for row in rows {
                match self.if_live(row.session.read()?, now) {
                    Some(_) if to_skip > 0 => to_skip -= 1,
                    Some(session) if found.len() < page.take as usize => found.push(session),
                    _ => {}
                }
            }
        }
        Ok(found)
    }

    async fn rows_below(
        &self,
        below: i64,
        of: Option<Subject>,
        now: Timestamp,
        at_most: u32,
    ) -> Result<Vec<NumberedSession>, SqliteError> {
        let query = match of {
            Some(subject) => sqlx::query_as(OF_ONE_ACCOUNT)
                .bind(below)
                .bind(integer(now.millis()))
                .bind(i64::from(at_most))
                .bind(subject.bytes().to_vec()),
            None => sqlx::query_as(
                "SELECT * FROM sessions WHERE number < ?1 AND ends_at > ?2 ORDER BY number DESC LIMIT ?3",
            )
            .bind(below)
            .bind(integer(now.millis()))
            .bind(i64::from(at_most)),
        };
        Ok(query.fetch_all(&self.readers).await?)
    }

    fn if_live(&self, mut session: Session, now: Timestamp) -> Option<Session> {
        let live = self.table.find(&session.digest)?;
        session.seen_at = session.seen_at.max(live.seen_at());
        let span = Span { seen_at: session.seen_at, idle: session.idle, ends_at: session.ends_at };
        judge(span, now).is_ok().then_some(session)
    }
}

#[cfg(test)]
mod tests {
    use sqlx::{AssertSqlSafe, ConnectOptions};

    use super::*;
    use crate::sqlite::{SqliteOptions, connect};

    #[tokio::test]
    async fn one_accounts_sessions_are_found_by_the_index_and_not_sorted() {
        let directory = tempfile::TempDir::new().unwrap();
        let database = directory.path().join("vestibule.db");
        std::fs::write(&database, "").unwrap();
        let mut writer = connect::writer(&database, &SqliteOptions::default()).connect().await.unwrap();
        connect::migrate(&mut writer).await.unwrap();
        let plan: Vec<(i64, i64, i64, String)> =
            sqlx::query_as(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {OF_ONE_ACCOUNT}")))
                .fetch_all(&mut writer)
                .await
                .unwrap();
        let steps: Vec<&str> = plan.iter().map(|(.., step)| step.as_str()).collect();
        assert_eq!(steps, ["SEARCH sessions USING INDEX sessions_of_subject (subject=? AND rowid<?)"]);
    }
}
