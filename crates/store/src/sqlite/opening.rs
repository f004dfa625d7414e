//! How a session comes into being, and under which digest it goes on: both with all that has to end in the same step.
//! In: a session with what it replaces and how many its account may have, or a new digest. Out: what is live then.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use async_trait::async_trait;
use data_encoding::HEXLOWER;
use serde_json::{Value, json};
use sqlx::{FromRow, SqliteConnection};
use tokio::sync::oneshot;
use vestibule_core::Timestamp;
use vestibule_core::id::SessionId;
use vestibule_core::port::{Opened, Reissued};
use vestibule_core::session::{Cap, Reissue, Session, SessionDigest};

use super::error::SqliteError;
use super::rows::{EndedRow, SessionRow, integer, millis};
use super::uses::{self, hex_list};
use super::writer::{Change, Job, Written};
use crate::table::{Table, TableChange};

/// A session to be opened, with all that has to make room for it.
pub(super) struct Open {
    pub(super) session: Session,
    pub(super) replaces: Option<SessionId>,
    pub(super) cap: Cap,
    /// Knows which sessions lay unused for too long: the database does not to the minute.
    pub(super) table: Arc<Table>,
}

/// One that somebody waits for.
pub(super) struct Opening {
    pub(super) open: Open,
    pub(super) reply: oneshot::Sender<Result<Opened, SqliteError>>,
}

/// Sessions that are opened together, in as many statements as one of them takes; what comes of it is what would come of one after
/// the other.
pub(super) struct Openings {
    openings: Vec<Opening>,
    answers: Vec<Opened>,
    table: Vec<TableChange>,
}

impl Openings {
    /// As a job, if there are any.
    pub(super) fn of(openings: Vec<Opening>) -> Option<Box<dyn Job>> {
        if openings.is_empty() {
            return None;
        }
        Some(Box::new(Self { openings, answers: Vec::new(), table: Vec::new() }))
    }
}

#[async_trait]
impl Job for Openings {
    async fn write(&mut self, transaction: &mut SqliteConnection) -> Result<(), SqliteError> {
        let numbers = insert(&self.openings, &mut *transaction).await?;
        let mut room = Room::default();
        // Who was inserted first opens first: in the order of numbers, each makes room among those before it.
        let mut opened: Vec<(i64, &Open)> = self
            .openings
            .iter()
            .filter_map(|opening| Some((*numbers.get(&opening.open.session.digest)?, &opening.open)))
            .collect();
        opened.sort_unstable_by_key(|(number, _)| *number);
        note_sign_ins(&opened, &mut *transaction).await?;
        room.replace(&opened, transaction).await?;
        room.cap(&opened, transaction).await?;

        self.answers = self
            .openings
            .iter()
            .map(|opening| &opening.open.session.digest)
            .map(|digest| match numbers.contains_key(digest) {
                true => Opened::Open { ended: room.made_for.remove(digest).unwrap_or_default() },
                false => Opened::AccountChanged,
            })
            .collect();
        let sessions = opened.into_iter().map(|(_, open)| open.session.clone());
        self.table = sessions
            .map(|session| TableChange::Open(Box::new(session)))
            .chain(room.ended.into_iter().map(TableChange::End))
            .collect();
        Ok(())
    }

    fn table(&mut self) -> Vec<TableChange> {
        std::mem::take(&mut self.table)
    }

    fn acknowledge(self: Box<Self>) {
        for (opening, answer) in self.openings.into_iter().zip(self.answers) {
            // Nobody listens when the caller went away; the session stands all the same.
            opening.reply.send(Ok(answer)).ok();
        }
    }

    fn fail(self: Box<Self>, trouble: SqliteError) {
        for opening in self.openings {
            opening.reply.send(Err(trouble.clone())).ok();
        }
    }

    fn apart(self: Box<Self>) -> Vec<Box<dyn Job>> {
        self.openings.into_iter().filter_map(|opening| Self::of(vec![opening])).collect()
    }

    fn changes(&self) -> usize {
        self.openings.len()
    }
}

/// Keeps when their accounts were signed in to.
async fn note_sign_ins(
    opened: &[(i64, &Open)],
    transaction: &mut SqliteConnection,
) -> Result<(), SqliteError> {
    let of = |(_, open): &(i64, &Open)| {
        json!([HEXLOWER.encode(open.session.subject.bytes()), open.session.opened_at.millis()])
    };
    let sign_ins: Vec<Value> = opened.iter().map(of).collect();
    sqlx::query(
        "INSERT INTO sign_ins (subject, at)
         SELECT unhex(one.value ->> 0), one.value ->> 1 FROM json_each(?1) AS one WHERE true
         ON CONFLICT (subject) DO UPDATE SET at = max(at, excluded.at)",
    )
    .bind(Value::from(sign_ins).to_string())
    .execute(transaction)
    .await?;
    Ok(())
}

/// Inserts those whose account is still there to have them, and answers their numbers.
async fn insert(
    openings: &[Opening],
    transaction: &mut SqliteConnection,
) -> Result<HashMap<SessionDigest, i64>, SqliteError> {
    let sessions: Vec<Value> = openings.iter().map(|opening| row(&opening.open.session)).collect();
    let inserted: Result<Vec<InsertedRow>, _> = sqlx::query_as(
        "INSERT INTO sessions (digest, id, subject, version, epoch, kind, opened_at, proven_at, seen_at, issued_at, idle,
                               ends_at, assurance, amr, address, user_agent)
         SELECT unhex(opening.value ->> 0), unhex(opening.value ->> 1), accounts.subject, opening.value ->> 3, accounts.epoch,
                opening.value ->> 5, opening.value ->> 6, opening.value ->> 7, opening.value ->> 8, opening.value ->> 9,
                opening.value ->> 10, opening.value ->> 11, opening.value ->> 12, opening.value ->> 13, opening.value ->> 14,
                opening.value ->> 15
         FROM json_each(?1) AS opening CROSS JOIN accounts
         WHERE accounts.subject = unhex(opening.value ->> 2) AND accounts.epoch = opening.value ->> 4
               AND accounts.status = 'enabled'
         RETURNING number, digest",
    )
    .bind(Value::from(sessions).to_string())
    .fetch_all(transaction)
    .await;
    match inserted {
        Ok(rows) => rows.iter().map(|row| Ok((super::rows::digest(&row.digest)?, row.number))).collect(),
        Err(error) => Err(SqliteError::or_bug_if_taken(
            error,
            "a session was opened under a digest or id that is in use",
        )),
    }
}

/// In the order that the statement takes it in.
fn row(session: &Session) -> Value {
    json!([
        HEXLOWER.encode(session.digest.bytes()),
        HEXLOWER.encode(session.id.bytes()),
        HEXLOWER.encode(session.subject.bytes()),
        session.version,
        integer(session.epoch),
        session.kind.name(),
        integer(session.opened_at.millis()),
        integer(session.proven_at.millis()),
        integer(session.seen_at.millis()),
        integer(session.issued_at.millis()),
        millis(session.idle),
        integer(session.ends_at.millis()),
        session.assurance.level(),
        session.amr.bits(),
        session.device.address,
        session.device.user_agent,
    ])
}

#[derive(FromRow)]
struct InsertedRow {
    number: i64,
    digest: Vec<u8>,
}

/// What ended so that others could be opened.
#[derive(Default)]
struct Room {
    ended: HashSet<SessionDigest>,
    made_for: HashMap<SessionDigest, Vec<SessionId>>,
}

impl Room {
    /// Ends what browsers had before they signed in.
    async fn replace(
        &mut self,
        opened: &[(i64, &Open)],
        transaction: &mut SqliteConnection,
    ) -> Result<(), SqliteError> {
        let replaced = opened.iter().filter_map(|(_, open)| Some((open.replaces?, open.session.digest)));
        // The first of two that replace the same session is the one that ended it.
        let replaced: HashMap<_, _> = replaced.rev().collect();
        if replaced.is_empty() {
            return Ok(());
        }
        let names: Vec<_> = replaced.keys().map(|id| HEXLOWER.encode(id.bytes())).collect();
        let rows: Vec<EndedRow> = sqlx::query_as(
            "DELETE FROM sessions WHERE id IN (SELECT unhex(gone.value) FROM json_each(?1) AS gone)
             RETURNING digest, id",
        )
        .bind(json!(names).to_string())
        .fetch_all(&mut *transaction)
        .await?;
        let ended = rows.iter().map(EndedRow::read).collect::<Result<Vec<_>, _>>()?;
        if !ended.is_empty() {
            uses::forget(ended.iter().map(|(digest, _)| *digest), transaction).await?;
        }
        for (digest, id) in ended {
            if let Some(by) = replaced.get(&id) {
                self.note(digest, id, *by);
            }
        }
        Ok(())
    }

    /// Ends what accounts have beyond their cap: first what can never be used again, then the oldest.
    async fn cap(
        &mut self,
        opened: &[(i64, &Open)],
        transaction: &mut SqliteConnection,
    ) -> Result<(), SqliteError> {
        let capped: HashSet<_> = opened
            .iter()
            .filter(|(_, open)| open.cap.most.is_some())
            .map(|(_, open)| HEXLOWER.encode(open.session.subject.bytes()))
            .collect();
        if capped.is_empty() {
            return Ok(());
        }
        let rows: Vec<OwnedRow> = sqlx::query_as(
            "SELECT number, subject, digest, id FROM sessions
             WHERE subject IN (SELECT unhex(capped.value) FROM json_each(?1) AS capped) ORDER BY number",
        )
        .bind(json!(capped).to_string())
        .fetch_all(&mut *transaction)
        .await?;
        let mut owned: HashMap<Vec<u8>, Vec<(i64, SessionDigest, SessionId)>> = HashMap::new();
        for row in rows {
            let (digest, id) = row.ended.read()?;
            owned.entry(row.subject).or_default().push((row.number, digest, id));
        }
        let before = self.ended.len();
        for (number, open) in opened {
            let (Some(most), Some(owned)) = (open.cap.most, owned.get(&open.session.subject.bytes()[..]))
            else {
                continue;
            };
            let others =
                owned.iter().filter(|(other, digest, _)| other < number && !self.ended.contains(digest));
            let mut others: Vec<_> = others.map(|(_, digest, id)| (*digest, *id)).collect();
            // The order by age stays within both halves.
            others.sort_by_key(|(digest, _)| open.is_alive(digest, open.session.opened_at));
            let room = usize::try_from(most.get() - 1).unwrap_or(usize::MAX);
            others.truncate(others.len().saturating_sub(room));
            others.into_iter().for_each(|(digest, id)| self.note(digest, id, open.session.digest));
        }
        if self.ended.len() > before {
            delete(self.ended.iter().copied(), transaction).await?;
        }
        Ok(())
    }

    fn note(&mut self, ended: SessionDigest, id: SessionId, by: SessionDigest) {
        self.ended.insert(ended);
        self.made_for.entry(by).or_default().push(id);
    }
}

impl Open {
    /// Opened in this very transaction means not in the table yet, and alive.
    fn is_alive(&self, digest: &SessionDigest, now: Timestamp) -> bool {
        self.table.find(digest).is_none_or(|live| live.judge(now).is_ok())
    }
}

#[derive(FromRow)]
struct OwnedRow {
    number: i64,
    subject: Vec<u8>,
    #[sqlx(flatten)]
    ended: EndedRow,
}

/// Ends these sessions, and answers which of them there were.
pub(super) async fn delete(
    digests: impl Iterator<Item = SessionDigest>,
    transaction: &mut SqliteConnection,
) -> Result<Vec<(SessionDigest, SessionId)>, SqliteError> {
    let digests: Vec<_> = digests.collect();
    if digests.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<EndedRow> = sqlx::query_as(
        "DELETE FROM sessions WHERE digest IN (SELECT unhex(gone.value) FROM json_each(?1) AS gone)
         RETURNING digest, id",
    )
    .bind(hex_list(digests.iter().copied()))
    .fetch_all(&mut *transaction)
    .await?;
    uses::forget(digests.into_iter(), transaction).await?;
    rows.iter().map(EndedRow::read).collect()
}

pub(super) struct Reissuing {
    pub(super) old: SessionDigest,
    pub(super) reissue: Reissue,
}

impl Change for Reissuing {
    type Answer = Reissued;

    async fn write(&mut self, transaction: &mut SqliteConnection) -> Result<Written<Reissued>, SqliteError> {
        let row: Option<SessionRow> = sqlx::query_as("SELECT * FROM sessions WHERE digest = ?1")
            .bind(&self.old.bytes()[..])
            .fetch_optional(&mut *transaction)
            .await?;
        let Some(known) = row.map(SessionRow::read).transpose()? else {
            return Ok(Written::without_table(Reissued::Gone));
        };
        let Some(session) = renewed(&self.old, known, self.reissue, transaction).await? else {
            return Ok(Written::without_table(Reissued::Gone));
        };
        let table = vec![TableChange::End(self.old), TableChange::Open(Box::new(session.clone()))];
        Ok(Written { answer: Reissued::Reissued(Box::new(session)), table })
    }
}

/// Writes a session down under its new session token; `None` when the proof is not of its epoch.
pub(super) async fn renewed(
    old: &SessionDigest,
    session: Session,
    reissue: Reissue,
    transaction: &mut SqliteConnection,
) -> Result<Option<Session>, SqliteError> {
    let Some(session) = session.reissued(reissue) else { return Ok(None) };
    update(old, &session, &mut *transaction).await?;
    uses::forget([*old].into_iter(), transaction).await?;
    Ok(Some(session))
}

async fn update(
    old: &SessionDigest,
    session: &Session,
    transaction: &mut SqliteConnection,
) -> Result<(), SqliteError> {
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
            Err(SqliteError::or_bug_if_taken(error, "a session token was replaced by one that is in use"))
        }
    }
}
