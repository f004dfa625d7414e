//! Login attempts, counted by core's rules inside the writer's transaction: the tally that a parallel attempt reads is the one
//! that this attempt left.
//! In: keyed digests and a time. Out: go ahead, or wait.

use async_trait::async_trait;
use sqlx::SqliteConnection;
use vestibule_core::port::{Attempt, Reservation, Throttle};
use vestibule_core::throttle::{AccountTally, FORGET_AFTER, HARD_STOP, SourceTally};
use vestibule_core::{Fault, Timestamp};

use super::SqliteStore;
use super::rows::{integer, timestamp};
use super::trouble::Trouble;
use super::writer::{Change, Written};
use crate::tally::{self, SOURCE_FULL_AFTER};

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
        let account = account_tally(&self.attempt, transaction).await?;
        let source = source_tally(&self.attempt, transaction).await?;
        let answer = match tally::count(account, source, self.now) {
            Ok((account, source)) => {
                keep_account(&self.attempt, account, transaction).await?;
                keep_source(&self.attempt, source, transaction).await?;
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
            .execute(transaction)
            .await?;
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
        if let Some(tally) = source_tally(&self.0, transaction).await? {
            keep_source(&self.0, tally.give_back(), transaction).await?;
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
        .bind(integer(self.now.before(SOURCE_FULL_AFTER).millis()))
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

async fn source_tally(
    attempt: &Attempt,
    transaction: &mut SqliteConnection,
) -> Result<Option<SourceTally>, Trouble> {
    let row: Option<(i64, i64)> =
        sqlx::query_as("SELECT attempts_left, counted_at FROM source_tallies WHERE source = ?1")
            .bind(&attempt.source[..])
            .fetch_optional(transaction)
            .await?;
    let Some((left, counted_at)) = row else { return Ok(None) };
    let corrupt = |column| Trouble::corrupt("a stored tally of login attempts", column);
    Ok(Some(SourceTally {
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

async fn keep_source(
    attempt: &Attempt,
    tally: SourceTally,
    transaction: &mut SqliteConnection,
) -> Result<(), Trouble> {
    sqlx::query(
        "INSERT INTO source_tallies (source, attempts_left, counted_at) VALUES (?1, ?2, ?3)
         ON CONFLICT (source) DO UPDATE
         SET attempts_left = excluded.attempts_left, counted_at = excluded.counted_at",
    )
    .bind(&attempt.source[..])
    .bind(i64::from(tally.left))
    .bind(integer(tally.counted_at.millis()))
    .execute(transaction)
    .await?;
    Ok(())
}
