//! A store in a folder of its own, and the records it is tested with.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Row};
use tempfile::TempDir;
use vestibule_core::account::{Account, Identifier, PasswordHash, Status, Traits};
use vestibule_core::id::{SessionId, Subject};
use vestibule_core::port::{Accounts, Added, Recall, Sessions};
use vestibule_core::principal::{Amr, Assurance};
use vestibule_core::session::{Device, Session, SessionDigest, SessionKind};
use vestibule_core::{Fault, Timestamp};
use vestibule_store::{SqliteOptions, SqliteStore};

pub(crate) const START: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);

pub(crate) struct Home(TempDir);

impl Home {
    pub(crate) fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.0.path().join("vestibule.db")
    }

    pub(crate) async fn open(&self) -> Arc<SqliteStore> {
        self.open_with(SqliteOptions::default()).await.unwrap()
    }

    pub(crate) async fn open_with(&self, options: SqliteOptions) -> Result<Arc<SqliteStore>, Fault> {
        SqliteStore::open(self.database(), options).await
    }

    /// With one account, number 1.
    pub(crate) async fn with_account(&self, options: SqliteOptions) -> Arc<SqliteStore> {
        let store = self.open_with(options).await.unwrap();
        assert_eq!(store.add(account(1)).await.unwrap(), Added::Added);
        store
    }

    /// Another program's connection to the same file.
    pub(crate) async fn intruder(&self) -> SqliteConnection {
        let connect = SqliteConnectOptions::new().filename(self.database());
        connect.busy_timeout(Duration::from_secs(5)).foreign_keys(false).connect().await.unwrap()
    }

    pub(crate) async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query(sql).fetch_one(&mut self.intruder().await).await.unwrap().get(0)
    }
}

pub(crate) fn account(number: u8) -> Account {
    Account {
        subject: subject(number),
        identifier: Identifier::parse(&format!("person{number:03}@example.com")).unwrap(),
        password: Some(PasswordHash::from_phc("old".to_owned())),
        traits: Traits::parse(r#"{"department":"R&D"}"#).unwrap(),
        status: Status::Enabled,
        epoch: 1,
        created_at: START,
    }
}

pub(crate) fn session(number: u64) -> Session {
    Session {
        digest: digest(number),
        id: id(number),
        subject: subject(1),
        version: 1,
        epoch: 1,
        kind: SessionKind::Browser,
        opened_at: START,
        proven_at: START,
        seen_at: START,
        issued_at: START,
        idle: Duration::from_secs(30 * 60),
        ends_at: START.after(Duration::from_secs(12 * 60 * 60)),
        assurance: Assurance::Aal1,
        amr: Amr::PASSWORD,
        device: Device::new(Some([192, 0, 2, 7].into()), "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101"),
    }
}

pub(crate) fn subject(number: u8) -> Subject {
    Subject::from_bytes([number; 16])
}

pub(crate) fn id(number: u64) -> SessionId {
    SessionId::from_bytes((u128::from(mixed(number)) << 64 | u128::from(number)).to_le_bytes())
}

/// As uniform as an HMAC's.
pub(crate) fn digest(number: u64) -> SessionDigest {
    let words = [mixed(number), mixed(number ^ 1 << 62), mixed(number ^ 1 << 63), number];
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    SessionDigest::from_bytes(bytes.try_into().unwrap())
}

/// SplitMix64's mixer.
fn mixed(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}

pub(crate) fn is_live(store: &SqliteStore, number: u64) -> bool {
    matches!(store.recall(&digest(number)), Recall::Known(_))
}
