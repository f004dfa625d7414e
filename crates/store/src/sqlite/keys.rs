//! Signing keys, sealed: few, rarely changed, all read at once.
//! In: key records. Out: key records.

use async_trait::async_trait;
use sqlx::SqliteConnection;
use vestibule_core::Fault;
use vestibule_core::key::KeyRecord;
use vestibule_core::port::{KeyDates, Keys};

use super::SqliteStore;
use super::error::SqliteError;
use super::rows::{KeyRow, integer};
use super::writer::{Change, Written};

#[async_trait]
impl Keys for SqliteStore {
    /// The oldest first.
    async fn all(&self) -> Result<Vec<KeyRecord>, Fault> {
        let question = async {
            let rows: Vec<KeyRow> = sqlx::query_as("SELECT * FROM signing_keys ORDER BY created_at, key_id")
                .fetch_all(&self.readers)
                .await?;
            rows.into_iter().map(KeyRow::read).collect()
        };
        self.read(question).await
    }

    async fn change(&self, new: Option<KeyRecord>, dates: Vec<KeyDates>) -> Result<(), Fault> {
        self.writer.write(Redate { new, dates }).await
    }
}

struct Redate {
    new: Option<KeyRecord>,
    dates: Vec<KeyDates>,
}

impl Change for Redate {
    type Answer = ();

    async fn write(&mut self, transaction: &mut SqliteConnection) -> Result<Written<()>, SqliteError> {
        for KeyDates { key_id, active_from, gone_at } in &self.dates {
            let dated =
                sqlx::query("UPDATE signing_keys SET active_from = ?2, gone_at = ?3 WHERE key_id = ?1")
                    .bind(key_id.as_str())
                    .bind(integer(active_from.millis()))
                    .bind(gone_at.map(|at| integer(at.millis())))
                    .execute(&mut *transaction)
                    .await?;
            if dated.rows_affected() != 1 {
                return Err(SqliteError::Bug("a signing key was dated that is not there"));
            }
        }
        if let Some(new) = &self.new {
            add(new, transaction).await?;
        }
        Ok(Written::without_table(()))
    }
}

async fn add(new: &KeyRecord, transaction: &mut SqliteConnection) -> Result<(), SqliteError> {
    let added = sqlx::query(
        "INSERT INTO signing_keys (key_id, algorithm, sealed, created_at, active_from, gone_at, purpose)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )
    .bind(new.key_id.as_str())
    .bind(new.algorithm.name())
    .bind(new.sealed.bytes())
    .bind(integer(new.created_at.millis()))
    .bind(integer(new.active_from.millis()))
    .bind(new.gone_at.map(|at| integer(at.millis())))
    .bind(new.purpose.name())
    .execute(transaction)
    .await;
    match added {
        Ok(_) => Ok(()),
        Err(sqlx::Error::Database(error)) if error.is_unique_violation() => {
            Err(SqliteError::Bug("a signing key was added under a key id that is in use"))
        }
        Err(error) => Err(error.into()),
    }
}
