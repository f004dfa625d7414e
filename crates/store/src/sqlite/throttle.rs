//! Login attempts, counted by core's rules inside the writer's transaction: the tally that a parallel attempt reads is the one
//! that this attempt left.
//! In: keyed digests and a time. Out: go ahead, or wait.

use async_trait::async_trait;
use sqlx::SqliteConnection;
use vestibule_core::port::Throttle;
use vestibule_core::throttle::{
    AccountCounter, Attempt, AttemptCounters, Bucket, FORGET_AFTER, FULL_AFTER, HARD_STOP, Receipt,
    Reservation,
};
use vestibule_core::{Fault, Timestamp};

use super::SqliteStore;
use super::error::SqliteError;
use super::rows::{self, integer, timestamp};
use super::writer::{Change, Written};

/// AttemptCounters that one change forgets.
const SLICE: i64 = 256;

#[async_trait]
impl Throttle for SqliteStore {
    async fn reserve(&self, attempt: Attempt, now: Timestamp) -> Result<Reservation, Fault> {
        self.writer.write(Reserve { attempt, now }).await
    }

    async fn succeeded(&self, receipt: &Receipt) -> Result<(), Fault> {
        self.writer.write(Settle { receipt: *receipt, settled: AttemptCounters::succeeded }).await
    }

    async fn give_back(&self, receipt: &Receipt) -> Result<(), Fault> {
        self.writer.write(Settle { receipt: *receipt, settled: AttemptCounters::give_back }).await
    }

    async fn tallies(&self, accounts: &[[u8; 32]]) -> Result<Vec<AccountCounter>, Fault> {
        let question = async {
            let rows: Vec<(Vec<u8>, i64, i64, i64)> = sqlx::query_as(
                "SELECT account, failures, not_before, counted_at FROM account_tallies
                 WHERE account IN (SELECT unhex(value) FROM json_each(?1))",
            )
            .bind(rows::hex_array(accounts.iter().map(|account| &account[..])))
            .fetch_all(&self.readers)
            .await?;
            let read = |row: &(Vec<u8>, i64, i64, i64)| tally(Some(row.1), Some(row.2), Some(row.3));
            let of = |account: &[u8; 32]| match rows.iter().find(|row| row.0 == account) {
                Some(row) => Ok(read(row)?.unwrap_or(AccountCounter::FRESH)),
                None => Ok(AccountCounter::FRESH),
            };
            accounts.iter().map(of).collect()
        };
        self.read(question).await
    }

    async fn forgive(&self, accounts: &[[u8; 32]]) -> Result<(), Fault> {
        self.writer.write(Forgive(accounts.to_vec())).await
    }
}

struct Reserve {
    attempt: Attempt,
    now: Timestamp,
}

impl Change for Reserve {
    type Answer = Reservation;

    async fn write(
        &mut self,
        transaction: &mut SqliteConnection,
    ) -> Result<Written<Reservation>, SqliteError> {
        let remembered = read(&self.attempt, transaction).await?;
        let answer = match remembered.count(self.attempt, self.now) {
            Ok((counted, receipt)) => {
                keep(&self.attempt, remembered, counted, transaction).await?;
                Reservation::Reserved(receipt)
            }
            Err(wait) => Reservation::Wait(wait),
        };
        Ok(Written::without_table(answer))
    }
}

/// What becomes of tallies once it is known how an attempt went.
struct Settle {
    receipt: Receipt,
    settled: fn(AttemptCounters, &Receipt) -> AttemptCounters,
}

impl Change for Settle {
    type Answer = ();

    async fn write(&mut self, transaction: &mut SqliteConnection) -> Result<Written<()>, SqliteError> {
        let attempt = &self.receipt.attempt;
        let remembered = read(attempt, transaction).await?;
        let settled = (self.settled)(remembered, &self.receipt);
        keep(attempt, remembered, settled, transaction).await?;
        Ok(Written::without_table(()))
    }
}

struct Forgive(Vec<[u8; 32]>);

impl Change for Forgive {
    type Answer = ();

    async fn write(&mut self, transaction: &mut SqliteConnection) -> Result<Written<()>, SqliteError> {
        for account in &self.0 {
            sqlx::query("DELETE FROM account_tallies WHERE account = ?1")
                .bind(&account[..])
                .execute(&mut *transaction)
                .await?;
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

    async fn write(&mut self, transaction: &mut SqliteConnection) -> Result<Written<u64>, SqliteError> {
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

/// What is remembered of all that an attempt counts against, in one question: a login waits for each.
async fn read(attempt: &Attempt, transaction: &mut SqliteConnection) -> Result<AttemptCounters, SqliteError> {
    let row: TalliesRow = sqlx::query_as(
        "SELECT account.failures, account.not_before, account.counted_at,
                devices.failures, devices.not_before, devices.counted_at,
                source.attempts_left, source.counted_at, crowd.attempts_left, crowd.counted_at,
                sign_ins.attempts_left, sign_ins.counted_at
         FROM (SELECT 1) LEFT JOIN account_tallies AS account ON account.account = ?1
              LEFT JOIN account_tallies AS devices ON devices.account = ?2
              LEFT JOIN source_tallies AS source ON source.source = ?3
              LEFT JOIN source_tallies AS crowd ON crowd.source = ?4
              LEFT JOIN source_tallies AS sign_ins ON sign_ins.source = ?5",
    )
    .bind(&attempt.account[..])
    .bind(devices(attempt))
    .bind(&attempt.source[..])
    .bind(crowd(attempt))
    .bind(sign_ins(attempt))
    .fetch_one(transaction)
    .await?;
    let fresh = AttemptCounters::fresh(attempt);
    Ok(AttemptCounters {
        account: tally(row.0, row.1, row.2)?.unwrap_or(fresh.account),
        devices: tally(row.3, row.4, row.5)?.unwrap_or(fresh.devices),
        source: bucket(row.6, row.7)?.unwrap_or(fresh.source),
        crowd: bucket(row.8, row.9)?.unwrap_or(fresh.crowd),
        sign_ins: bucket(row.10, row.11)?.unwrap_or(fresh.sign_ins),
    })
}

/// Keeps what has changed and leaves the rest as it was; all of it on one way to SQLite's thread and back. A tally without a failure is
/// as good as none.
async fn keep(
    attempt: &Attempt,
    before: AttemptCounters,
    now: AttemptCounters,
    transaction: &mut SqliteConnection,
) -> Result<(), SqliteError> {
    let account = (now.account != before.account).then_some(now.account);
    let in_devices = (now.devices != before.devices).then_some(now.devices);
    let source = (now.source != before.source).then_some(now.source);
    let in_crowd = (now.crowd != before.crowd).then_some(now.crowd);
    let in_sign_ins = (now.sign_ins != before.sign_ins).then_some(now.sign_ins);
    sqlx::query(
        "INSERT INTO account_tallies (account, failures, not_before, counted_at)
         SELECT column1, column2, column3, column4 FROM (VALUES (?1, ?2, ?3, ?4), (?5, ?6, ?7, ?8))
         WHERE column1 IS NOT NULL AND column2 IS NOT NULL
         ON CONFLICT (account) DO UPDATE
         SET failures = excluded.failures, not_before = excluded.not_before, counted_at = excluded.counted_at;
         DELETE FROM account_tallies WHERE account IN (?1, ?5) AND failures = 0;
         INSERT INTO source_tallies (source, attempts_left, counted_at)
         SELECT column1, column2, column3 FROM (VALUES (?9, ?10, ?11), (?12, ?13, ?14), (?15, ?16, ?17))
         WHERE column1 IS NOT NULL AND column2 IS NOT NULL
         ON CONFLICT (source) DO UPDATE
         SET attempts_left = excluded.attempts_left, counted_at = excluded.counted_at",
    )
    .bind(&attempt.account[..])
    .bind(account.map(|tally| i64::from(tally.failures)))
    .bind(account.map(|tally| integer(tally.not_before.millis())))
    .bind(account.map(|tally| integer(tally.counted_at.millis())))
    .bind(devices(attempt))
    .bind(in_devices.map(|tally| i64::from(tally.failures)))
    .bind(in_devices.map(|tally| integer(tally.not_before.millis())))
    .bind(in_devices.map(|tally| integer(tally.counted_at.millis())))
    .bind(&attempt.source[..])
    .bind(source.map(|bucket| i64::from(bucket.left)))
    .bind(source.map(|bucket| integer(bucket.counted_at.millis())))
    .bind(crowd(attempt))
    .bind(in_crowd.map(|bucket| i64::from(bucket.left)))
    .bind(in_crowd.map(|bucket| integer(bucket.counted_at.millis())))
    .bind(sign_ins(attempt))
    .bind(in_sign_ins.map(|bucket| i64::from(bucket.left)))
    .bind(in_sign_ins.map(|bucket| integer(bucket.counted_at.millis())))
    .execute(transaction)
    .await?;
    Ok(())
}

fn devices(attempt: &Attempt) -> Option<Vec<u8>> {
    attempt.by.devices().map(|key| key.to_vec())
}

fn crowd(attempt: &Attempt) -> Option<Vec<u8>> {
    attempt.by.crowd().map(|crowd| crowd.key.to_vec())
}

fn sign_ins(attempt: &Attempt) -> Option<Vec<u8>> {
    attempt.sign_ins().map(|key| key.to_vec())
}

/// Failures, when it may be tried again and when it was counted, of the account and of its known devices; what is left and when that was
/// so, of the source, of the crowd and of the account's sign-ins.
type TalliesRow = (
    Option<i64>,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    Option<i64>,
);

fn tally(
    failures: Option<i64>,
    not_before: Option<i64>,
    counted_at: Option<i64>,
) -> Result<Option<AccountCounter>, SqliteError> {
    let (Some(failures), Some(not_before), Some(counted_at)) = (failures, not_before, counted_at) else {
        return Ok(None);
    };
    Ok(Some(AccountCounter {
        failures: u32::try_from(failures).map_err(|_| corrupt("failures"))?,
        not_before: timestamp(not_before).ok_or_else(|| corrupt("not_before"))?,
        counted_at: timestamp(counted_at).ok_or_else(|| corrupt("counted_at"))?,
    }))
}

fn bucket(left: Option<i64>, counted_at: Option<i64>) -> Result<Option<Bucket>, SqliteError> {
    let (Some(left), Some(counted_at)) = (left, counted_at) else { return Ok(None) };
    Ok(Some(Bucket {
        left: u32::try_from(left).map_err(|_| corrupt("attempts_left"))?,
        counted_at: timestamp(counted_at).ok_or_else(|| corrupt("counted_at"))?,
    }))
}

fn corrupt(column: &str) -> SqliteError {
    SqliteError::corrupt("a stored tally of login attempts", column)
}
