//! How a session comes into being, and under which digest it goes on: both with all that has to end in the same step.
//! In: a session with what it replaces and how many its account may have, or a new digest. Out: what is live then.

use std::sync::Arc;

use sqlx::SqliteConnection;
use vestibule_core::id::SessionId;
use vestibule_core::port::{Ending, Opened, Reissued};
use vestibule_core::session::{Cap, Reissue, Session, SessionDigest};

use super::rows::{EndedRow, SessionRow, integer, millis};
use super::sessions::end;
use super::trouble::Trouble;
use super::uses;
use super::writer::{Change, Written};
use crate::table::{Table, TableChange};

pub(super) struct Open {
    pub(super) session: Session,
    pub(super) replaces: Option<SessionDigest>,
    pub(super) cap: Cap,
    /// Knows which sessions lay unused for too long: the database does not to the minute.
    pub(super) table: Arc<Table>,
}

impl Change for Open {
    type Answer = Opened;

    async fn write(&mut self, transaction: &mut SqliteConnection) -> Result<Written<Opened>, Trouble> {
        // The new one first: an account that changed opens nothing, and then nothing ends either.
        if !insert(&self.session, &mut *transaction).await? {
            return Ok(Written::without_table(Opened::AccountChanged));
        }
        let mut ended = match self.replaces {
            Some(replaced) => end(Ending::Presented(replaced), &mut *transaction).await?,
            None => Written { answer: Vec::new(), table: Vec::new() },
        };
        for id in self.surplus(&mut *transaction).await? {
            let surplus = end(Ending::One(id), &mut *transaction).await?;
            ended.answer.extend(surplus.answer);
            ended.table.extend(surplus.table);
        }
        ended.table.push(TableChange::Open(Box::new(self.session.clone())));
        Ok(Written { answer: Opened::Open { ended: ended.answer }, table: ended.table })
    }
}

impl Open {
    /// What the account has beyond the cap: first what can never be used again, then the oldest.
    async fn surplus(&self, transaction: &mut SqliteConnection) -> Result<Vec<SessionId>, Trouble> {
        let Some(most) = self.cap.most else { return Ok(Vec::new()) };
        let others: Vec<EndedRow> = sqlx::query_as(
            "SELECT digest, id FROM sessions WHERE subject = ?1 AND digest <> ?2 ORDER BY number",
        )
        .bind(&self.session.subject.bytes()[..])
        .bind(&self.session.digest.bytes()[..])
        .fetch_all(transaction)
        .await?;
        let mut others = others.iter().map(EndedRow::read).collect::<Result<Vec<_>, _>>()?;
        // Opened in this very transaction means not in the table yet, and alive. The order by age stays within both halves.
        others.sort_by_key(|(digest, _)| {
            self.table.find(digest).is_none_or(|live| live.judge(self.session.opened_at).is_ok())
        });
        let room = usize::try_from(most.get() - 1).unwrap_or(usize::MAX);
        others.truncate(others.len().saturating_sub(room));
        Ok(others.into_iter().map(|(_, id)| id).collect())
    }
}

/// Whether the account is still there to have it.
async fn insert(session: &Session, transaction: &mut SqliteConnection) -> Result<bool, Trouble> {
    let inserted = sqlx::query(
        "INSERT INTO sessions (digest, id, subject, version, epoch, kind, opened_at, proven_at, seen_at, issued_at, idle,
                               ends_at, assurance, amr, address, user_agent)
         SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16
         WHERE EXISTS (SELECT 1 FROM accounts WHERE subject = ?3 AND epoch = ?5 AND status = 'enabled')",
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
    .bind(integer(session.issued_at.millis()))
    .bind(millis(session.idle))
    .bind(integer(session.ends_at.millis()))
    .bind(i64::from(session.assurance.level()))
    .bind(i64::from(session.amr.bits()))
    .bind(session.device.address.map(|address| address.to_string()))
    .bind(session.device.user_agent.as_str())
    .execute(transaction)
    .await;
    match inserted {
        Ok(done) => Ok(done.rows_affected() > 0),
        Err(error) => {
            Err(Trouble::or_bug_if_taken(error, "a session was opened under a digest or id that is in use"))
        }
    }
}

pub(super) struct Reissuing {
    pub(super) old: SessionDigest,
    pub(super) reissue: Reissue,
}

impl Change for Reissuing {
    type Answer = Reissued;

    async fn write(&mut self, transaction: &mut SqliteConnection) -> Result<Written<Reissued>, Trouble> {
        let row: Option<SessionRow> = sqlx::query_as("SELECT * FROM sessions WHERE digest = ?1")
            .bind(&self.old.bytes()[..])
            .fetch_optional(&mut *transaction)
            .await?;
        let known = row.map(SessionRow::read).transpose()?;
        let Some(session) = known.and_then(|session| session.reissued(self.reissue)) else {
            return Ok(Written::without_table(Reissued::Gone));
        };
        update(&self.old, &session, &mut *transaction).await?;
        uses::forget([self.old].into_iter(), transaction).await?;
        let table = vec![TableChange::End(self.old), TableChange::Open(Box::new(session.clone()))];
        Ok(Written { answer: Reissued::Reissued(Box::new(session)), table })
    }
}

async fn update(
    old: &SessionDigest,
    session: &Session,
    transaction: &mut SqliteConnection,
) -> Result<(), Trouble> {
    let updated = sqlx::query(
        "UPDATE sessions SET digest = ?2, version = ?3, proven_at = ?4, seen_at = ?5, issued_at = ?6, ends_at = ?7,
                             assurance = ?8, amr = ?9
         WHERE digest = ?1",
    )
    .bind(&old.bytes()[..])
    .bind(&session.digest.bytes()[..])
    .bind(i64::from(session.version))
    .bind(integer(session.proven_at.millis()))
    .bind(integer(session.seen_at.millis()))
    .bind(integer(session.issued_at.millis()))
    .bind(integer(session.ends_at.millis()))
    .bind(i64::from(session.assurance.level()))
    .bind(i64::from(session.amr.bits()))
    .execute(transaction)
    .await;
    match updated {
        Ok(_) => Ok(()),
        Err(error) => {
            Err(Trouble::or_bug_if_taken(error, "a session token was replaced by one that is in use"))
        }
    }
}
