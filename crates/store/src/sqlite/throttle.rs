//! Login attempts, counted by core's rules inside the writer's transaction: the tally that a parallel attempt reads is the one
//! that this attempt left.
//! In: keyed digests and a time. Out: go ahead, or wait.

use async_trait::async_trait;
use sqlx::SqliteConnection;
use vestibule_core::port::{Attempt, Party, Reservation, Throttle};
use vestibule_core::throttle::{
    AccountTally, Allowance, Bucket, EVERYBODY, FORGET_AFTER, HARD_STOP, SOURCE, Tallies,
};
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
        let source = bucket(&self.attempt.source, transaction).await?;
        let everybody = match self.attempt.by {
            Party::Known => None,
            Party::Stranger => {
                Some(bucket(&EVERYBODYS, transaction).await?.unwrap_or(Bucket::full(EVERYBODY)))
            }
        };
        let remembered = Tallies {
            account: account_tally(&self.attempt, transaction).await?.unwrap_or(AccountTally::FRESH),
            source: source.unwrap_or(Bucket::full(SOURCE)),
            everybody,
        };
        let answer = match remembered.count(self.now) {
            Ok(counted) => {
                keep_account(&self.attempt, counted.account, transaction).await?;
                keep_bucket(&self.attempt.source, counted.source, transaction).await?;
                if let Some(everybody) = counted.everybody {
                    keep_bucket(&EVERYBODYS, everybody, transaction).await?;
                }
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
            give_back(&EVERYBODYS, EVERYBODY, transaction).await?;
        }
        Ok(Written::without_table(()))
    }
}

struct GiveBack(Attempt);

impl Change for GiveBack {
    type Answer = ();

    async fn write(&mut self, transaction: &mut SqliteConnection) -> Result<Written<()>, Trouble> {
        if let Some(tally) = account_tally(&self.0, transaction).await? {
            keep_account(&self.0, tally.give_back(), transaction).await?;
        }
        give_back(&self.0.source, SOURCE, transaction).await?;
        if self.0.by == Party::Stranger {
            give_back(&EVERYBODYS, EVERYBODY, transaction).await?;
        }
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

async fn account_tally(
    attempt: &Attempt,
    transaction: &mut SqliteConnection,
) -> Result<Option<AccountTally>, Trouble> {
    let row: Option<(i64, i64, i64)> =
        sqlx::query_as("SELECT failures, not_before, counted_at FROM account_tallies WHERE account = ?1")
            .bind(&attempt.account[..])
            .fetch_optional(transaction)
            .await?;
    let Some((failures, not_before, counted_at)) = row else { return Ok(None) };
    let corrupt = |column| Trouble::corrupt("a stored tally of login attempts", column);
    Ok(Some(AccountTally {
        failures: u32::try_from(failures).map_err(|_| corrupt("failures"))?,
        not_before: timestamp(not_before).ok_or_else(|| corrupt("not_before"))?,
        counted_at: timestamp(counted_at).ok_or_else(|| corrupt("counted_at"))?,
    }))
}

async fn bucket(key: &[u8; 32], transaction: &mut SqliteConnection) -> Result<Option<Bucket>, Trouble> {
    let row: Option<(i64, i64)> =
        sqlx::query_as("SELECT attempts_left, counted_at FROM source_tallies WHERE source = ?1")
            .bind(&key[..])
            .fetch_optional(transaction)
            .await?;
    let Some((left, counted_at)) = row else { return Ok(None) };
    let corrupt = |column| Trouble::corrupt("a stored tally of login attempts", column);
    Ok(Some(Bucket {
        left: u32::try_from(left).map_err(|_| corrupt("attempts_left"))?,
        counted_at: timestamp(counted_at).ok_or_else(|| corrupt("counted_at"))?,
    }))
}

async fn keep_account(
    attempt: &Attempt,
    tally: AccountTally,
    transaction: &mut SqliteConnection,
) -> Result<(), Trouble> {
    sqlx::query(
        "INSERT INTO account_tallies (account, failures, not_before, counted_at) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (account) DO UPDATE
         SET failures = excluded.failures, not_before = excluded.not_before, counted_at = excluded.counted_at",
    )
    .bind(&attempt.account[..])
    .bind(i64::from(tally.failures))
    .bind(integer(tally.not_before.millis()))
    .bind(integer(tally.counted_at.millis()))
    .execute(transaction)
    .await?;
    Ok(())
}

async fn give_back(
    key: &[u8; 32],
    allowance: Allowance,
    transaction: &mut SqliteConnection,
) -> Result<(), Trouble> {
    match bucket(key, transaction).await? {
        Some(bucket) => keep_bucket(key, bucket.give_back(allowance), transaction).await,
        None => Ok(()),
    }
}

async fn keep_bucket(
    key: &[u8; 32],
    bucket: Bucket,
    transaction: &mut SqliteConnection,
) -> Result<(), Trouble> {
    sqlx::query(
        "INSERT INTO source_tallies (source, attempts_left, counted_at) VALUES (?1, ?2, ?3)
         ON CONFLICT (source) DO UPDATE
         SET attempts_left = excluded.attempts_left, counted_at = excluded.counted_at",
    )
    .bind(&key[..])
    .bind(i64::from(bucket.left))
    .bind(integer(bucket.counted_at.millis()))
    .execute(transaction)
    .await?;
    Ok(())
}
