//! Which key files belong to this store. In: the name of a secret, and its check value. Out: the value that was kept.

use sqlx::SqliteConnection;
use vestibule_core::Fault;

use super::SqliteStore;
use super::error::SqliteError;
use super::writer::{Change, Written};

impl SqliteStore {
    /// The check value that was kept for a secret; `None` where none was, in a new store or one of an older version.
    pub async fn secret_check(&self, secret: &str) -> Result<Option<[u8; 32]>, Fault> {
        let question = async {
            let kept: Option<Vec<u8>> =
                sqlx::query_scalar("SELECT value FROM secret_checks WHERE secret = ?1")
                    .bind(secret)
                    .fetch_optional(&self.readers)
                    .await?;
            let read = |value: Vec<u8>| {
                value.try_into().map_err(|_| SqliteError::corrupt("a stored check of a secret", "value"))
            };
            kept.map(read).transpose()
        };
        self.read(question).await
    }

    /// Keeps the check value of a secret that has none yet. One that is there is never replaced: that is a fault.
    pub async fn keep_secret_check(&self, secret: &'static str, value: [u8; 32]) -> Result<(), Fault> {
        self.writer.write(Keep { secret, value }).await
    }
}

struct Keep {
    secret: &'static str,
    value: [u8; 32],
}

impl Change for Keep {
    type Answer = ();

    async fn write(&mut self, transaction: &mut SqliteConnection) -> Result<Written<()>, SqliteError> {
        let kept =
            sqlx::query("INSERT INTO secret_checks (secret, value) VALUES (?1, ?2) ON CONFLICT DO NOTHING")
                .bind(self.secret)
                .bind(&self.value[..])
                .execute(transaction)
                .await?;
        if kept.rows_affected() != 1 {
            return Err(SqliteError::Bug("a secret has a check value already"));
        }
        Ok(Written::without_table(()))
    }
}
