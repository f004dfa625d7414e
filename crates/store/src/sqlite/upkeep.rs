//! The store as a whole: whether it can be written, what is written by the clock, and how it is closed.
//! In: time, and check values. Out: counts, or what failed.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use vestibule_core::session::SessionDigest;
use vestibule_core::{Fault, Timestamp};

use super::SqliteStore;
use super::pulse::Pulse;
use super::secret_checks::{self, Keep};
use super::sessions::{Forget, SLICE};
use crate::statistics::Statistics;
use crate::stores::Upkeep;

#[async_trait]
impl Upkeep for SqliteStore {
    async fn check(&self) -> Result<(), Fault> {
        self.writer.write(Pulse::after(self.writer.is_failing())).await
    }

    async fn close(&self) -> Result<(), Fault> {
        let flushed = self.flush().await;
        self.readers.close().await;
        self.writer.close(self.options.answer_within * 4).await?;
        flushed
    }

    async fn flush(&self) -> Result<(), Fault> {
        self.uses.flush(&self.writer).await
    }

    async fn forget_expired_sessions(&self, now: Timestamp) -> Result<u64, Fault> {
        // Memory judges, not the database: it knows uses that are not yet written.
        let expired = self.sweep(now).await?;
        let mut forgotten = 0;
        for slice in expired.chunks(SLICE) {
            forgotten += self.writer.write(Forget(slice.to_vec())).await?;
        }
        Ok(forgotten)
    }

    async fn is_new(&self) -> Result<bool, Fault> {
        let question = async {
            let holds_something: bool = sqlx::query_scalar(
                "SELECT EXISTS (SELECT 1 FROM accounts) OR EXISTS (SELECT 1 FROM clients) \
                 OR EXISTS (SELECT 1 FROM signing_keys) OR EXISTS (SELECT 1 FROM secret_checks)",
            )
            .fetch_one(&self.readers)
            .await?;
            Ok(!holds_something)
        };
        self.read(question).await
    }

    async fn keep_secret_check(&self, secret: &'static str, value: [u8; 32]) -> Result<(), Fault> {
        self.writer.write(Keep { secret, value }).await
    }

    async fn secret_check(&self, secret: &str) -> Result<Option<[u8; 32]>, Fault> {
        self.read(secret_checks::find(secret, &self.readers)).await
    }

    fn statistics(&self) -> Statistics {
        Statistics {
            sessions: self.table.len() as u64,
            uses_waiting: self.uses.len() as u64,
            ..self.counters.read()
        }
    }

    async fn tidy(&self, now: Timestamp) -> Result<(), Fault> {
        self.sweep(now).await.map(|_| ())
    }
}

impl SqliteStore {
    /// Walks over all sessions beside the runtime's own threads, drops JWTs that expired, and says which sessions did.
    async fn sweep(&self, now: Timestamp) -> Result<Vec<SessionDigest>, Fault> {
        let table = Arc::clone(&self.table);
        let sweep = tokio::task::spawn_blocking(move || table.sweep(now))
            .await
            .map_err(|_| Fault::Bug("the sweep over the session table panicked"))?;
        self.counters.minted_bytes.store(sweep.minted_bytes, Ordering::Relaxed);
        Ok(sweep.expired)
    }
}
