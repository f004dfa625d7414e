//! Login attempts, counted by core's rules inside the writer's transaction: the tally that a parallel attempt reads is the one
//! that this attempt left.
//! In: keyed digests and a time. Out: go ahead, or wait.

use async_trait::async_trait;
use sqlx::SqliteConnection;
use vestibule_core::port::{Attempt, Party, Reservation, Throttle};
use vestibule_core::throttle::{AccountTally, Bucket, EVERYBODY, FORGET_AFTER, HARD_STOP, SOURCE, Tallies};
use vestibule_core::{Fault, Timestamp};

use super::SqliteStore;
use super::rows::{integer, timestamp};
use super::trouble::Trouble;
use super::writer::{Change, Written};
use crate::tally::{EVERYBODYS, FULL_AFTER};

/// Tallies that one change forgets.
const SLICE: i64 = 256;

#[async_trait]
impl Throttle for SqliteStore {
    async fn reserve(&self, attempt: Attempt, now: Timestamp) -> Result<Reservation, Fault> {
        self.writer.write(Reserve { attempt, now }).await
    }

    async fn succeeded(&self, attempt: Attempt) -> Result<(), Fault> {
        self.writer.write(Succeeded(attempt)).await
    }

    async fn give_back(&self, attempt: Attempt) -> Result<(), Fault> {
        self.writer.write(GiveBack(attempt)).await
    }
}

struct Reserve {
    attempt: Attempt,
    now: Timestamp,
}

impl Change for Reserve {
    type Answer = Reservation;

    async fn write(&mut self, transaction: &mut SqliteConnection) -> Result<Written<Reservation>, Trouble> {
        let stored = Stored::read(&self.attempt, transaction).await?;
        let remembered = Tallies {
            account: stored.account.unwrap_or(AccountTally::FRESH),
            source: stored.source.unwrap_or(Bucket::full(SOURCE)),
            everybody: match self.attempt.by {
                Party::Known => None,
                Party::Stranger => Some(stored.everybody.unwrap_or(Bucket::full(EVERYBODY))),
            },
        };
        let answer = match remembered.count(self.now) {
            Ok(counted) => {
                let counted = Stored {
                    account: Some(counted.account),
                    source: Some(counted.source),
                    everybody: counted.everybody,
                };
                counted.write(&self.attempt, transaction).await?;
                Reservation::Reserved
            }
            Err(wait) => Reservation::Wait(wait),
        };
        Ok(Written::without_table(answer))
    }
}

struct Succeeded(Attempt);

impl Change for Succeeded {
    type Answer = ();

    async fn write(&mut self, transaction: &mut SqliteConnection) -> Result<Written<()>, Trouble> {
        sqlx::query("DELETE FROM account_tallies WHERE account = ?1")
            .bind(&self.0.account[..])
            .execute(&mut *transaction)
            .await?;
        if self.0.by == Party::Stranger {
            let stored = Stored::read(&self.0, transaction).await?;
            let given_back = Stored { account: None, source: None, ..stored.given_back(Party::Stranger) };
            given_back.write(&self.0, transaction).await?;
        }
        Ok(Written::without_table(()))
    }
}

struct GiveBack(Attempt);

impl Change for GiveBack {
    type Answer = ();

    async fn write(&mut self, transaction: &mut SqliteConnection) -> Result<Written<()>, Trouble> {
        let stored = Stored::read(&self.0, transaction).await?;
        stored.given_back(self.0.by).write(&self.0, transaction).await?;
        Ok(Written::without_table(()))
    }
}

/// Forgets tallies that a fresh one would equal at `now`, never one that reached the stop; answers how many, which is 0 when none are left.
pub(super) struct ForgetTallies {
    pub(super) now: Timestamp,
}

impl Change for ForgetTallies {
    type Answer = u64;

    async fn write(&mut self, transaction: &mut SqliteConnection) -> Result<Written<u64>, Trouble> {
        let accounts = sqlx::query(
            "DELETE FROM account_tallies WHERE account IN
                 (SELECT account FROM account_tallies WHERE counted_at <= ?1 AND failures < ?3 LIMIT ?2)",
        )
        .bind(integer(self.now.before(FORGET_AFTER).millis()))
        .bind(SLICE)
        .bind(i64::from(HARD_STOP))
        .execute(&mut *transaction)
        .await?;
        let sources = sqlx::query(
            "DELETE FROM source_tallies WHERE source IN
                 (SELECT source FROM source_tallies WHERE counted_at <= ?1 LIMIT ?2)",
        )
        .bind(integer(self.now.before(FULL_AFTER).millis()))
        .bind(SLICE)
        .execute(transaction)
        .await?;
        Ok(Written::without_table(accounts.rows_affected() + sources.rows_affected()))
    }
}

/// What is stored of all that an attempt counts against; `None` where nothing is.
struct Stored {
    account: Option<AccountTally>,
    source: Option<Bucket>,
    everybody: Option<Bucket>,
}

impl Stored {
    /// In one question: a login waits for each.
    async fn read(attempt: &Attempt, transaction: &mut SqliteConnection) -> Result<Self, Trouble> {
        let row: TalliesRow = sqlx::query_as(
            "SELECT account.failures, account.not_before, account.counted_at,
                    source.attempts_left, source.counted_at, everybody.attempts_left, everybody.counted_at
             FROM (SELECT 1) LEFT JOIN account_tallies AS account ON account.account = ?1
                  LEFT JOIN source_tallies AS source ON source.source = ?2
                  LEFT JOIN source_tallies AS everybody ON everybody.source = ?3",
        )
        .bind(&attempt.account[..])
        .bind(&attempt.source[..])
        .bind(&EVERYBODYS[..])
        .fetch_one(transaction)
        .await?;
        let (failures, not_before, counted_at, source_left, source_counted_at, left, everybody_counted_at) =
            row;
        Ok(Self {
            account: match (failures, not_before, counted_at) {
                (Some(failures), Some(not_before), Some(counted_at)) => Some(AccountTally {
                    failures: u32::try_from(failures).map_err(|_| corrupt("failures"))?,
                    not_before: timestamp(not_before).ok_or_else(|| corrupt("not_before"))?,
                    counted_at: timestamp(counted_at).ok_or_else(|| corrupt("counted_at"))?,
                }),
                _ => None,
            },
            source: bucket(source_left, source_counted_at)?,
            everybody: bucket(left, everybody_counted_at)?,
        })
    }

    fn given_back(self, by: Party) -> Self {
        Self {
            account: self.account.map(AccountTally::give_back),
            source: self.source.map(|bucket| bucket.give_back(SOURCE)),
            everybody: match by {
                Party::Known => None,
                Party::Stranger => self.everybody.map(|bucket| bucket.give_back(EVERYBODY)),
            },
        }
    }

    /// Keeps what there is and leaves the rest as it was; all of it on one way to SQLite's thread and back.
    async fn write(&self, attempt: &Attempt, transaction: &mut SqliteConnection) -> Result<(), Trouble> {
        let left = |bucket: Option<Bucket>| bucket.map(|bucket| i64::from(bucket.left));
        let counted_at = |bucket: Option<Bucket>| bucket.map(|bucket| integer(bucket.counted_at.millis()));
        sqlx::query(
            "INSERT INTO account_tallies (account, failures, not_before, counted_at)
             SELECT ?1, ?2, ?3, ?4 WHERE ?2 IS NOT NULL
             ON CONFLICT (account) DO UPDATE
             SET failures = excluded.failures, not_before = excluded.not_before, counted_at = excluded.counted_at;
             INSERT INTO source_tallies (source, attempts_left, counted_at)
             SELECT column1, column2, column3 FROM (VALUES (?5, ?6, ?7), (?8, ?9, ?10)) WHERE column2 IS NOT NULL
             ON CONFLICT (source) DO UPDATE
             SET attempts_left = excluded.attempts_left, counted_at = excluded.counted_at",
        )
        .bind(&attempt.account[..])
        .bind(self.account.map(|tally| i64::from(tally.failures)))
        .bind(self.account.map(|tally| integer(tally.not_before.millis())))
        .bind(self.account.map(|tally| integer(tally.counted_at.millis())))
        .bind(&attempt.source[..])
        .bind(left(self.source))
        .bind(counted_at(self.source))
        .bind(&EVERYBODYS[..])
        .bind(left(self.everybody))
        .bind(counted_at(self.everybody))
        .execute(transaction)
        .await?;
        Ok(())
    }
}

/// An account's failures, when it may be tried again and when it was counted; what is left to a source and to everybody, and when
/// that was counted.
type TalliesRow = (Option<i64>, Option<i64>, Option<i64>, Option<i64>, Option<i64>, Option<i64>, Option<i64>);

fn bucket(left: Option<i64>, counted_at: Option<i64>) -> Result<Option<Bucket>, Trouble> {
    let (Some(left), Some(counted_at)) = (left, counted_at) else { return Ok(None) };
    Ok(Some(Bucket {
        left: u32::try_from(left).map_err(|_| corrupt("attempts_left"))?,
        counted_at: timestamp(counted_at).ok_or_else(|| corrupt("counted_at"))?,
    }))
}

fn corrupt(column: &str) -> Trouble {
    Trouble::corrupt("a stored tally of login attempts", column)
}
