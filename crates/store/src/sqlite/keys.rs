//! Signing keys, sealed: few, rarely changed, all read at once.
//! In: key records. Out: key records.

use async_trait::async_trait;
use sqlx::SqliteConnection;
use vestibule_core::key::KeyRecord;
use vestibule_core::port::{Keys, Retired};
use vestibule_core::verify::KeyId;
use vestibule_core::{Fault, Timestamp};

use super::SqliteStore;
use super::rows::{KeyRow, integer};
use super::trouble::Trouble;
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

    async fn rotate(&self, new: KeyRecord, others_gone_at: Timestamp) -> Result<(), Fault> {
        self.writer.write(Rotate { new, others_gone_at }).await
    }

    async fn retire(&self, key_id: &KeyId, at: Timestamp) -> Result<Retired, Fault> {
        self.writer.write(Retire { key_id: key_id.clone(), at }).await
    }
}

struct Rotate {
    new: KeyRecord,
    others_gone_at: Timestamp,
}

impl Change for Rotate {
    type Answer = ();

    async fn write(&mut self, transaction: &mut SqliteConnection) -> Result<Written<()>, Trouble> {
        sqlx::query("UPDATE signing_keys SET gone_at = ?1 WHERE gone_at IS NULL AND purpose = ?2")
            .bind(integer(self.others_gone_at.millis()))
            .bind(self.new.purpose.name())
            .execute(&mut *transaction)
            .await?;
        let added = sqlx::query(
            "INSERT INTO signing_keys (key_id, algorithm, sealed, created_at, active_from, gone_at, purpose)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )
        .bind(self.new.key_id.as_str())
        .bind(self.new.algorithm.name())
        .bind(self.new.sealed.bytes())
        .bind(integer(self.new.created_at.millis()))
        .bind(integer(self.new.active_from.millis()))
        .bind(self.new.gone_at.map(|at| integer(at.millis())))
        .bind(self.new.purpose.name())
        .execute(transaction)
        .await;
        match added {
            Ok(_) => Ok(Written::without_table(())),
            Err(sqlx::Error::Database(error)) if error.is_unique_violation() => {
                Err(Trouble::Bug("a signing key was added under a key id that is in use"))
            }
            Err(error) => Err(error.into()),
        }
    }
}

struct Retire {
    key_id: KeyId,
    at: Timestamp,
}

impl Change for Retire {
    type Answer = Retired;

    async fn write(&mut self, transaction: &mut SqliteConnection) -> Result<Written<Retired>, Trouble> {
        let retired = sqlx::query(
            "UPDATE signing_keys SET gone_at = ?2 WHERE key_id = ?1 AND (gone_at IS NULL OR gone_at > ?2)",
        )
        .bind(self.key_id.as_str())
        .bind(integer(self.at.millis()))
        .execute(transaction)
        .await?;
        Ok(Written::without_table(match retired.rows_affected() {
            0 => Retired::Unknown,
            _ => Retired::Retired,
        }))
    }
}
