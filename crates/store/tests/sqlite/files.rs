//! The files are private, and one process's alone.

use std::error::Error;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use sqlx::ConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use tempfile::TempDir;
use vestibule_core::Fault;
use vestibule_core::port::Sessions;
use vestibule_core::session::Cap;
use vestibule_store::{SqliteOptions, SqliteStore, StoreInUse, Upkeep};

use crate::world::*;

#[tokio::test]
async fn what_is_made_is_private() {
    let parent = TempDir::new().unwrap();
    let directory = parent.path().join("a/b");
    let store = SqliteStore::open(directory.join("vestibule.db"), SqliteOptions::default()).await.unwrap();
    store.check().await.unwrap();
    assert_eq!(mode(&directory), 0o700);
    assert_eq!(mode(&parent.path().join("a")), 0o700);
    for file in ["vestibule.db", "vestibule.db-wal", "vestibule.db-shm", "vestibule.lock"] {
        assert_eq!(mode(&directory.join(file)), 0o600, "{file}");
    }
}

#[tokio::test]
async fn a_database_that_others_could_read_is_closed_to_them() {
    let home = Home::new();
    home.open().await.close().await.unwrap();
    fs::set_permissions(home.database(), fs::Permissions::from_mode(0o644)).unwrap();
    let store = home.open().await;
    assert_eq!(mode(&home.database()), 0o600);
    store.close().await.unwrap();
}

#[tokio::test]
async fn a_second_opener_is_told_who_is_in_the_way() {
    let home = Home::new();
    let store = home.with_account(SqliteOptions::default()).await;
    let fault = home.open_with(SqliteOptions::default()).await.err().unwrap();
    let source = fault.source().and_then(|source| source.downcast_ref::<StoreInUse>());
    assert!(source.is_some(), "{}", fault.report());
    assert!(fault.report().contains("vestibule.lock"), "{}", fault.report());
    // The first is not disturbed, and once it is closed the second may.
    store.open(session(1), None, Cap::NONE).await.unwrap();
    store.close().await.unwrap();
    let second = home.open().await;
    assert!(is_live(&second, 1));
    // Nor does a store that was dropped without being closed stay in the way for longer than its writer needs.
    drop(second);
    let patience = async {
        while home.open_with(SqliteOptions::default()).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(10), patience).await.unwrap();
}

#[tokio::test]
async fn what_is_not_ours_is_refused_and_left_alone() {
    let refused = async |home: &Home, word: &str| {
        let fault = home.open_with(SqliteOptions::default()).await.err().expect(word);
        assert!(fault.report().contains(word), "{}", fault.report());
        assert!(matches!(fault, Fault::Unavailable { .. }), "{}", fault.report());
    };

    let home = Home::new();
    fs::write(
        home.database(),
        "a letter to my grandmother, and not a short one, for a header has a hundred bytes ".repeat(9),
    )
    .unwrap();
    refused(&home, "not a SQLite database").await;
    assert!(fs::read_to_string(home.database()).unwrap().starts_with("a letter"));

    let home = Home::new();
    let connect = SqliteConnectOptions::new().filename(home.database()).create_if_missing(true);
    let mut theirs = connect.connect().await.unwrap();
    sqlx::query("CREATE TABLE recipes (name TEXT)").execute(&mut theirs).await.unwrap();
    refused(&home, "belongs to another program").await;
    assert_eq!(home.count("SELECT count(*) FROM sqlite_schema").await, 1);

    let home = Home::new();
    fs::create_dir(home.database()).unwrap();
    refused(&home, "not a plain file").await;

    let home = Home::new();
    let elsewhere = TempDir::new().unwrap();
    fs::write(elsewhere.path().join("target"), "").unwrap();
    symlink(elsewhere.path().join("target"), home.database()).unwrap();
    refused(&home, "not a plain file").await;

    let home = Home::new();
    fs::set_permissions(home.database().parent().unwrap(), fs::Permissions::from_mode(0o777)).unwrap();
    refused(&home, "can be written by others").await;
}

#[tokio::test]
async fn a_parent_that_is_a_file_is_refused() {
    let directory = TempDir::new().unwrap();
    fs::write(directory.path().join("file"), "").unwrap();
    let fault = SqliteStore::open(directory.path().join("file/vestibule.db"), SqliteOptions::default()).await;
    assert!(fault.err().unwrap().report().contains("file"));
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_refused() {
    let home = Home::new();
    home.open().await.close().await.unwrap();
    let mut newer = home.intruder().await;
    sqlx::query("INSERT INTO _sqlx_migrations VALUES (9999, 'later', '2027-01-01', 1, x'00', 0)")
        .execute(&mut newer)
        .await
        .unwrap();
    let fault = home.open_with(SqliteOptions::default()).await.err().unwrap();
    assert!(fault.report().contains("newer Vestibule"), "{}", fault.report());
}

/// What shows that a key file is this store's is kept once, over restarts, and replaced by an operator's own hand alone.
#[tokio::test]
async fn a_check_of_a_secret_is_kept_and_never_replaced() {
    let home = Home::new();
    let store = home.open().await;
    assert_eq!(store.secret_check("pepper").await.unwrap(), None);
    store.keep_secret_check("pepper", [7; 32]).await.unwrap();
    assert!(store.keep_secret_check("pepper", [8; 32]).await.is_err());
    store.keep_secret_check("seal", [9; 32]).await.unwrap();
    store.close().await.unwrap();
    let store = home.open().await;
    assert_eq!(store.secret_check("pepper").await.unwrap(), Some([7; 32]));
    assert_eq!(store.secret_check("seal").await.unwrap(), Some([9; 32]));
    store.close().await.unwrap();

    // As docs/operations.md says it, for a secret that is lost.
    let page = include_str!("../../../../docs/operations.md");
    let statement = "DELETE FROM secret_checks WHERE secret = 'pepper'";
    assert!(page.contains(statement));
    sqlx::query(statement).execute(&mut home.intruder().await).await.unwrap();
    let store = home.open().await;
    assert_eq!(store.secret_check("pepper").await.unwrap(), None);
    assert_eq!(store.secret_check("seal").await.unwrap(), Some([9; 32]));
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}
