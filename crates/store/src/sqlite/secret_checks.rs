//! Which key files belong to this store. In: the name of a secret, and its check value. Out: the value that was kept.

use sqlx::SqliteConnection;
use sqlx::sqlite::SqlitePool;

use super::error::SqliteError;
use super::writer::{Change, Written};

/// The value that was kept for `secret`.
pub(super) async fn find(secret: &str, readers: &SqlitePool) -> Result<Option<[u8; 32]>, SqliteError> {
    let kept: Option<Vec<u8>> = sqlx::query_scalar("SELECT value FROM secret_checks WHERE secret = ?1")
        .bind(secret)
        .fetch_optional(readers)
        .await?;
    let read = |value: Vec<u8>| {
        value.try_into().map_err(|_| SqliteError::corrupt("a stored check of a secret", "value"))
    };
    kept.map(read).transpose()
}

/// Keeps a value for a secret that has none.
pub(super) struct Keep {
    pub(super) secret: &'static str,
    pub(super) value: [u8; 32],
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
