//! The files under the store: whose they are, who may read them, and that only one process writes.
//! In: the path of the database file. Out: a directory and a file that are private, and a lock on them.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use vestibule_core::Fault;

use super::error::SqliteError;
use crate::access::{Found, Identity, Kind, Verdict, judge};

const LOCK: &str = "vestibule.lock";

/// Another process has the store open. Found as the source of the fault that [`SqliteStore::open`](super::SqliteStore::open)
/// answers.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "another process has it open ({0} is locked); stop that one, or speak to it through its control socket"
)]
pub struct StoreInUse(String);

/// An advisory lock on the data directory; dropping it, or ending the process in any way, gives it back.
pub(super) struct Lock(#[expect(dead_code, reason = "held for what its drop does")] File);

/// Makes what is missing, private; refuses what others could put something else in place of, unless it may be `shared`.
pub(super) fn prepare(database: &Path, shared: bool) -> Result<Lock, Fault> {
    let directory = match database.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    prepare_directory(directory, shared)?;
    let lock = lock(&directory.join(LOCK))?;
    prepare_file(database, shared)?;
    Ok(lock)
}

fn prepare_directory(directory: &Path, shared: bool) -> Result<(), SqliteError> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(at(directory))?;
    let found = fs::metadata(directory).map_err(at(directory))?;
    if !found.is_dir() {
        return Err(SqliteError::NotOurs(format!("{} is not a directory", directory.display())));
    }
    if shared { Ok(()) } else { hold(Kind::Folder, directory, &found) }
}

/// Restricts the mode of what other accounts can reach, where this process owns it; refuses it otherwise.
fn hold(kind: Kind, path: &Path, metadata: &fs::Metadata) -> Result<(), SqliteError> {
    match judge(kind, Found::of(path, metadata), &Identity::own()) {
        Verdict::Fine => Ok(()),
        Verdict::Refused(what) => Err(SqliteError::NotOurs(format!("{} {what}", path.display()))),
        Verdict::Tighten(mode) => {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(at(path))?;
            tracing::warn!(path = %path.display(), "other accounts could reach it; its mode is now {mode:o}");
            Ok(())
        }
    }
}

fn lock(path: &Path) -> Result<Lock, Fault> {
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(path)
        .map_err(at(path))?;
    match file.try_lock() {
        Ok(()) => Ok(Lock(file)),
        Err(TryLockError::WouldBlock) => {
            Err(Fault::unavailable("the store", StoreInUse(path.display().to_string())))
        }
        Err(TryLockError::Error(error)) => Err(at(path)(error).into()),
    }
}

/// The database file must be there before SQLite opens it: its write-ahead log inherits its mode.
fn prepare_file(database: &Path, shared: bool) -> Result<(), SqliteError> {
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(database);
    match made {
        Ok(_) => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(at(database)(error)),
    }
    let found = fs::symlink_metadata(database).map_err(at(database))?;
    if !found.is_file() {
        return Err(SqliteError::NotOurs(format!("{} is not a plain file", database.display())));
    }
    if shared { Ok(()) } else { hold(Kind::Database, database, &found) }
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> SqliteError {
    let path = path.display().to_string();
    move |error| match SqliteError::from(error) {
        SqliteError::Io(detail) => SqliteError::Io(format!("{path}: {detail}")),
        SqliteError::Full(detail) => SqliteError::Full(format!("{path}: {detail}")),
        other => other,
    }
}
