//! What can go wrong between us and SQLite, in an operator's words.
//! In: errors of sqlx. Out: a [`Fault`] that says what to do. Cloned, because one failed commit fails many changes.

use std::io;

use sqlx::migrate::MigrateError;
use vestibule_core::Fault;

/// Why SQLite did not do its part.
#[derive(Clone, Debug, thiserror::Error)]
pub(super) enum SqliteError {
    /// A defect of ours.
    #[error("{0}")]
    Bug(&'static str),
    /// It was closed.
    #[error("the store is closed")]
    Closed,
    /// What is stored cannot be what we wrote.
    #[error("{what}: {detail}; restore a backup if the disk is to blame")]
    Corrupt { what: &'static str, detail: String },
    /// No room.
    #[error("the disk or the database's quota is full; make room, nothing was changed ({0})")]
    Full(String),
    /// The disk, or the permissions on it.
    #[error("the database file cannot be read or written ({0})")]
    Io(String),
    /// Somebody else writes.
    #[error("another program holds the database locked ({0})")]
    Locked(String),
    /// The file is not what we expect it to be.
    #[error("{0}")]
    NotOurs(String),
    /// Anything else.
    #[error("{0}")]
    Other(String),
    /// It takes too long.
    #[error("no answer within {0} seconds; the change may still come into force")]
    Slow(u64),
}

impl SqliteError {
    pub(super) fn corrupt(what: &'static str, detail: impl ToString) -> Self {
        Self::Corrupt { what, detail: detail.to_string() }
    }

    /// What it means that a row could not be written which must be the only one of its kind.
    pub(super) fn or_bug_if_taken(error: sqlx::Error, bug: &'static str) -> Self {
        match error {
            sqlx::Error::Database(error) if error.is_unique_violation() => Self::Bug(bug),
            error => error.into(),
        }
    }
}

impl From<SqliteError> for Fault {
    fn from(trouble: SqliteError) -> Self {
        match trouble {
            SqliteError::Bug(what) => Self::Bug(what),
            SqliteError::Corrupt { what, .. } => Self::corrupt(what, trouble),
            other => Self::unavailable("the store", other),
        }
    }
}

impl From<sqlx::Error> for SqliteError {
    fn from(error: sqlx::Error) -> Self {
        let text = error.to_string();
        match &error {
            sqlx::Error::Database(database) => match primary_code(database.code().as_deref()) {
                // https://www.sqlite.org/rescode.html
                Some(5 | 6) => Self::Locked(text),
                Some(3 | 8 | 10 | 14) => Self::Io(text),
                Some(11) => Self::corrupt("the database", text),
                Some(13) => Self::Full(text),
                Some(26) => Self::NotOurs("the database file is not a SQLite database".to_owned()),
                _ => Self::Other(text),
            },
            sqlx::Error::Io(_) => Self::Io(text),
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => Self::corrupt("a stored row", text),
            sqlx::Error::PoolTimedOut => Self::Other("all of its readers are busy".to_owned()),
            sqlx::Error::PoolClosed => Self::Closed,
            _ => Self::Other(text),
        }
    }
}

impl From<MigrateError> for SqliteError {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::VersionMissing(version) | MigrateError::VersionTooNew(version, _) => {
                Self::NotOurs(format!(
                    "the database was written by a newer Vestibule (its schema is at version {version}); run that one"
                ))
            }
            MigrateError::VersionMismatch(version) => Self::NotOurs(format!(
                "step {version} of the database's schema is not the one that this Vestibule knows; it was made by another build"
            )),
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => error.into(),
            other => Self::Other(other.to_string()),
        }
    }
}

impl From<io::Error> for SqliteError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full(error.to_string()),
            _ => Self::Io(error.to_string()),
        }
    }
}

/// The low byte of SQLite's extended result code, which sqlx hands on as text.
fn primary_code(code: Option<&str>) -> Option<u32> {
    Some(code?.parse::<u32>().ok()? & 0xff)
}
