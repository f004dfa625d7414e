//! Whether the database can be written, asked without waiting for somebody to need it.
//! In: whether it failed lately. Out: an answer within the time that any change has.

use sqlx::SqliteConnection;

use super::error::SqliteError;
use super::writer::{Change, Written};

/// Takes the write lock; after a failure, also writes.
pub(super) enum Pulse {
    Lock,
    Write,
}

impl Pulse {
    /// A probe that comes every second should not sync the disk every second: only a failing store is written for the test.
    pub(super) fn after(is_failing: bool) -> Self {
        if is_failing { Self::Write } else { Self::Lock }
    }
}

impl Change for Pulse {
    type Answer = ();

    async fn write(&mut self, transaction: &mut SqliteConnection) -> Result<Written<()>, SqliteError> {
        if matches!(self, Self::Write) {
            sqlx::query("UPDATE pulse SET beat = beat + 1, ballast = randomblob(length(ballast))")
                .execute(transaction)
                .await?;
        }
        Ok(Written::without_table(()))
    }
}
