//! Token families: judged by core's rules inside the writer's transaction, so that a token that two present at once is used once.
//! In: refresh tokens' digests and a time. Out: whose turn it was. Tokens that are presented at the same time are judged together.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use async_trait::async_trait;
use data_encoding::HEXLOWER;
use serde_json::{Value, json};
use sqlx::{FromRow, SqliteConnection};
use tokio::sync::oneshot;
use vestibule_core::Fault;
use vestibule_core::id::SessionId;
use vestibule_core::port::{Begun, Grants, Redeemed, Redemption};
use vestibule_core::refresh_token::{RefreshDigest, RefreshVerdict, Replaced, TokenFamily};
use vestibule_core::session::SessionDigest;

use super::SqliteStore;
use super::error::SqliteError;
use super::opening::delete;
use super::rows::{self, integer, timestamp};
use super::uses::hex_list;
use super::writer::{Change, Job, Written};
use crate::table::TableChange;

#[async_trait]
impl Grants for SqliteStore {
    async fn begin(&self, session: &SessionDigest, first: RefreshDigest) -> Result<Begun, Fault> {
        self.writer.write(Begin { session: *session, first }).await
    }

    async fn redeem(&self, redemption: Redemption) -> Result<Redeemed, Fault> {
        self.writer.redeem(redemption).await
    }
}

struct Begin {
    session: SessionDigest,
    first: RefreshDigest,
}

impl Change for Begin {
    type Answer = Begun;

    async fn write(&mut self, transaction: &mut SqliteConnection) -> Result<Written<Begun>, SqliteError> {
        let begun = sqlx::query(
            "INSERT INTO token_families (session, generation, current)
             SELECT digest, 0, ?2 FROM sessions WHERE digest = ?1",
        )
        .bind(&self.session.bytes()[..])
        .bind(&self.first.bytes()[..])
        .execute(transaction)
        .await;
        match begun {
            Ok(done) if done.rows_affected() > 0 => Ok(Written::without_table(Begun::Begun)),
            Ok(_) => Ok(Written::without_table(Begun::NoSession)),
            Err(error) => {
                Err(SqliteError::or_bug_if_taken(error, "a session was given a second token family"))
            }
        }
    }
}

/// One that somebody waits for.
pub(super) struct Redeeming {
    pub(super) redemption: Redemption,
    pub(super) reply: oneshot::Sender<Result<Redeemed, SqliteError>>,
}

/// Refresh tokens that are judged together, one after the other.
pub(super) struct Redemptions {
    redeeming: Vec<Redeeming>,
    answers: Vec<Redeemed>,
    ended: Vec<SessionDigest>,
}

impl Redemptions {
    /// As a job, if there are any.
    pub(super) fn of(redeeming: Vec<Redeeming>) -> Option<Box<dyn Job>> {
        if redeeming.is_empty() {
            return None;
        }
        Some(Box::new(Self { redeeming, answers: Vec::new(), ended: Vec::new() }))
    }
}

#[async_trait]
impl Job for Redemptions {
    async fn write(&mut self, transaction: &mut SqliteConnection) -> Result<(), SqliteError> {
        let sessions = self.redeeming.iter().map(|one| one.redemption.session);
        let mut families = read(sessions, transaction).await?;
        let (mut changed, mut ended) = (HashMap::new(), Vec::new());
        self.answers.clear();
        for Redemption { session, presented, next, now, window } in
            self.redeeming.iter().map(|it| it.redemption)
        {
            let Entry::Occupied(mut known) = families.entry(session) else {
                self.answers.push(Redeemed::Unknown);
                continue;
            };
            let (id, family) = *known.get();
            self.answers.push(match family.judge(&presented, next, now, window) {
                RefreshVerdict::Rotate(rotated) => {
                    known.insert((id, rotated));
                    changed.insert(session, rotated);
                    Redeemed::Rotated
                }
                RefreshVerdict::Repeat(salt) => Redeemed::Repeated(salt),
                RefreshVerdict::Late => Redeemed::Late,
                RefreshVerdict::Replay => {
                    known.remove();
                    changed.remove(&session);
                    ended.push(session);
                    Redeemed::Replayed(id)
                }
                RefreshVerdict::Unknown => Redeemed::Unknown,
            });
        }
        keep(&changed, &mut *transaction).await?;
        delete(ended.iter().copied(), transaction).await?;
        self.ended = ended;
        Ok(())
    }

    fn table(&mut self) -> Vec<TableChange> {
        std::mem::take(&mut self.ended).into_iter().map(TableChange::End).collect()
    }

    fn acknowledge(self: Box<Self>) {
        for (redeeming, answer) in self.redeeming.into_iter().zip(self.answers) {
            // Nobody listens when the caller went away; whoever asks again is told the same for as long as the window is open.
            redeeming.reply.send(Ok(answer)).ok();
        }
    }

    fn fail(self: Box<Self>, trouble: SqliteError) {
        for redeeming in self.redeeming {
            redeeming.reply.send(Err(trouble.clone())).ok();
        }
    }

    fn apart(self: Box<Self>) -> Vec<Box<dyn Job>> {
        self.redeeming.into_iter().filter_map(|redeeming| Self::of(vec![redeeming])).collect()
    }

    fn changes(&self) -> usize {
        self.redeeming.len()
    }
}

/// The families of these sessions, with the sessions' public names: of those that are open.
async fn read(
    sessions: impl Iterator<Item = SessionDigest>,
    transaction: &mut SqliteConnection,
) -> Result<HashMap<SessionDigest, (SessionId, TokenFamily)>, SqliteError> {
    let rows: Vec<FamilyRow> = sqlx::query_as(
        "SELECT token_families.*, sessions.id FROM token_families JOIN sessions ON sessions.digest = token_families.session
         WHERE token_families.session IN (SELECT unhex(presented.value) FROM json_each(?1) AS presented)",
    )
    .bind(hex_list(sessions))
    .fetch_all(transaction)
    .await?;
    rows.into_iter().map(FamilyRow::read).collect()
}

/// Writes families down as they are now, all in one statement.
async fn keep(
    changed: &HashMap<SessionDigest, TokenFamily>,
    transaction: &mut SqliteConnection,
) -> Result<(), SqliteError> {
    if changed.is_empty() {
        return Ok(());
    }
    let rows: Vec<Value> = changed.iter().map(|(session, family)| row(session, family)).collect();
    sqlx::query(
        "UPDATE token_families
         SET generation = now.value ->> 1, current = unhex(now.value ->> 2), replaced = unhex(now.value ->> 3),
             salt = unhex(now.value ->> 4), replaced_at = now.value ->> 5, replaced_before_at = now.value ->> 6
         FROM json_each(?1) AS now WHERE token_families.session = unhex(now.value ->> 0)",
    )
    .bind(Value::from(rows).to_string())
    .execute(transaction)
    .await?;
    Ok(())
}

/// In the order that the statement takes it in.
fn row(session: &SessionDigest, family: &TokenFamily) -> Value {
    let replaced = family.replaced;
    json!([
        HEXLOWER.encode(session.bytes()),
        family.generation,
        HEXLOWER.encode(family.current.bytes()),
        replaced.map(|replaced| HEXLOWER.encode(replaced.digest.bytes())),
        replaced.map(|replaced| HEXLOWER.encode(&replaced.salt)),
        replaced.map(|replaced| integer(replaced.at.millis())),
        family.replaced_before_at.map(|at| integer(at.millis())),
    ])
}

#[derive(FromRow)]
struct FamilyRow {
    session: Vec<u8>,
    generation: i64,
    current: Vec<u8>,
    replaced: Option<Vec<u8>>,
    salt: Option<Vec<u8>>,
    replaced_at: Option<i64>,
    replaced_before_at: Option<i64>,
    id: Vec<u8>,
}

impl FamilyRow {
    fn read(self) -> Result<(SessionDigest, (SessionId, TokenFamily)), SqliteError> {
        let replaced = match (self.replaced, self.salt, self.replaced_at) {
            (Some(replaced), Some(salt), Some(at)) => Some(Replaced {
                digest: digest(&replaced)?,
                salt: salt.try_into().map_err(|_| corrupt("salt"))?,
                at: timestamp(at).ok_or_else(|| corrupt("replaced_at"))?,
            }),
            (None, None, None) => None,
            _ => return Err(corrupt("replaced")),
        };
        let family = TokenFamily {
            generation: u32::try_from(self.generation).map_err(|_| corrupt("generation"))?,
            current: digest(&self.current)?,
            replaced,
            replaced_before_at: match self.replaced_before_at {
                Some(at) => Some(timestamp(at).ok_or_else(|| corrupt("replaced_before_at"))?),
                None => None,
            },
        };
        Ok((rows::digest(&self.session)?, (rows::session_id(&self.id)?, family)))
    }
}

fn digest(blob: &[u8]) -> Result<RefreshDigest, SqliteError> {
    let bytes = blob.try_into().map_err(|_| corrupt("digest"))?;
    Ok(RefreshDigest::from_bytes(bytes))
}

fn corrupt(column: &str) -> SqliteError {
    SqliteError::corrupt("a stored token family", column)
}
