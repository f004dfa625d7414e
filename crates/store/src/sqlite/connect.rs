//! How connections to the database are made, and that it is one of ours at the version we know.
//! In: a path and options. Out: connections that all keep the same promises.

use std::path::Path;

use sqlx::ConnectOptions;
use sqlx::migrate::Migrator;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};

use super::SqliteOptions;
use super::error::SqliteError;

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

/// "VSTB", as the first migration writes it.
const APPLICATION_ID: i64 = 0x5653_5442;

/// How the writer connects.
pub(super) fn writer(database: &Path, options: &SqliteOptions) -> SqliteConnectOptions {
    let connect = common(database, options)
        .journal_mode(SqliteJournalMode::Wal)
        // Every commit is on the disk before it is acknowledged, power cut or not.
        .synchronous(SqliteSynchronous::Full)
        // 16 MiB of pages: what a batch of logins touches of the indexes of a million sessions.
        .pragma("cache_size", "-16384")
        // Rows on their way while everything is loaded.
        .row_buffer_size(1024)
        // Overwrites what is deleted wherever that costs no further write: an ended session's address, a removed account's hash.
        .pragma("secure_delete", "FAST")
        // After a burst the log shrinks back to this many bytes.
        .pragma("journal_size_limit", "67108864");
    match options.max_pages {
        Some(pages) => connect.pragma("max_page_count", pages.to_string()),
        None => connect,
    }
}

/// The connections that only read.
pub(super) fn readers(database: &Path, options: &SqliteOptions) -> SqlitePool {
    SqlitePoolOptions::new()
        .max_connections(options.readers.max(1))
        .acquire_timeout(options.answer_within)
        // There is no network in between that a connection could be lost on.
        .test_before_acquire(false)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_lazy_with(common(database, options).pragma("query_only", "ON"))
}

/// Refuses what is not ours, and brings what is to today's schema.
pub(super) async fn migrate(connection: &mut SqliteConnection) -> Result<(), SqliteError> {
    let application_id: i64 = sqlx::query_scalar("PRAGMA application_id").fetch_one(&mut *connection).await?;
    let tables: i64 =
        sqlx::query_scalar("SELECT count(*) FROM sqlite_schema").fetch_one(&mut *connection).await?;
    if application_id != APPLICATION_ID && tables > 0 {
        return Err(SqliteError::NotOurs("the database file belongs to another program".to_owned()));
    }
    MIGRATIONS.run(connection).await?;
    Ok(())
}

fn common(database: &Path, options: &SqliteOptions) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(database)
        .busy_timeout(options.lock_wait)
        // A schema that somebody tampered with may not call functions with side effects.
        .pragma("trusted_schema", "OFF")
        .pragma("cell_size_check", "ON")
        // Sorting leaves nothing in a folder for temporary files.
        .pragma("temp_store", "MEMORY")
        .disable_statement_logging()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What durability and safety rest on is set where it counts, on the connections that are used.
    #[tokio::test]
    async fn connections_keep_their_promises() {
        let directory = tempfile::TempDir::new().unwrap();
        let database = directory.path().join("vestibule.db");
        std::fs::write(&database, "").unwrap();
        let options = SqliteOptions::default();
        let mut writer = writer(&database, &options).connect().await.unwrap();
        let journal: String = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&mut writer).await.unwrap();
        assert_eq!(journal, "wal");
        // FULL is 2, FAST is 2.
        for (pragma, expected) in [
            ("PRAGMA synchronous", 2),
            ("PRAGMA secure_delete", 2),
            ("PRAGMA trusted_schema", 0),
            ("PRAGMA busy_timeout", 2000),
        ] {
            let found: i64 = sqlx::query_scalar(pragma).fetch_one(&mut writer).await.unwrap();
            assert_eq!(found, expected, "{pragma}");
        }

        migrate(&mut writer).await.unwrap();
        let readers = readers(&database, &options);
        let refused = sqlx::query("DELETE FROM pulse").execute(&readers).await;
        assert!(refused.unwrap_err().to_string().contains("readonly"));
    }

    /// What an older version wrote is taken over as it is; a session's token was issued when it was opened.
    #[tokio::test]
    async fn sessions_of_the_first_schema_are_taken_over() {
        let directory = tempfile::TempDir::new().unwrap();
        let database = directory.path().join("vestibule.db");
        std::fs::write(&database, "").unwrap();
        let mut writer = writer(&database, &SqliteOptions::default()).connect().await.unwrap();
        let first =
            Migrator { migrations: MIGRATIONS.iter().take(1).cloned().collect(), ..Migrator::DEFAULT };
        first.run(&mut writer).await.unwrap();
        for (number, kind) in [(3, "client"), (7, "browser")] {
            sqlx::query(
                "INSERT INTO sessions VALUES (?1, randomblob(32), randomblob(16), randomblob(16), 2, 3, ?2, 1000, 2000, 3000,
                 4000, 5000, 1, 1, '192.0.2.7', 'an old browser')",
            )
            .bind(number)
            .bind(kind)
            .execute(&mut writer)
            .await
            .unwrap();
        }
        let before: String = sqlx::query_scalar(PICTURE).fetch_one(&mut writer).await.unwrap();

        migrate(&mut writer).await.unwrap();
        let after: String = sqlx::query_scalar(PICTURE).fetch_one(&mut writer).await.unwrap();
        assert_eq!(after, before);
        let issued: Vec<i64> =
            sqlx::query_scalar("SELECT issued_at FROM sessions").fetch_all(&mut writer).await.unwrap();
        assert_eq!(issued, [1000, 1000]);
        sqlx::query("UPDATE sessions SET kind = 'remembered'").execute(&mut writer).await.unwrap();
        let refused = sqlx::query("UPDATE sessions SET kind = 'royal'").execute(&mut writer).await;
        assert!(refused.unwrap_err().to_string().contains("CHECK"));
    }

    const PICTURE: &str = "SELECT group_concat(concat_ws(',', number, hex(digest), hex(id), hex(subject), version, epoch, kind,
                                  opened_at, proven_at, seen_at, idle, ends_at, assurance, amr, address, user_agent), ';')
                           FROM sessions";
}
