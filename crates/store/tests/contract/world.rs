//! The stores under test, and the records they are tested with.

use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use vestibule_core::Timestamp;
use vestibule_core::account::{Account, Identifier, PasswordHash, Status, Traits};
use vestibule_core::client::{Client, ClientProof};
use vestibule_core::id::{SessionId, Subject};
use vestibule_core::live::LiveSession;
use vestibule_core::port::*;
use vestibule_core::principal::{Amr, Assurance};
use vestibule_core::session::{Cap, Device, Reissue, Session, SessionDigest, SessionKind};
use vestibule_store::{MemoryStore, SqliteOptions, SqliteStore, Upkeep};

pub(crate) const START: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);
pub(crate) const IDLE: Duration = Duration::from_secs(30 * 60);
pub(crate) const ABSOLUTE: Duration = Duration::from_secs(12 * 60 * 60);
pub(crate) const ALL: Page = Page { skip: 0, take: 10_000 };

pub(crate) trait Store: Sessions + Grants + Accounts + OneTime + Keys + Throttle + Directory {
    /// Apart, because its verbs have the names of those for accounts.
    fn clients(&self) -> &dyn Clients;
}
impl<T: Sessions + Grants + Accounts + Clients + OneTime + Keys + Throttle + Directory> Store for T {
    fn clients(&self) -> &dyn Clients {
        self
    }
}

/// The account with this number.
pub(crate) async fn find_account(store: &dyn Store, number: u8) -> Option<Account> {
    Accounts::find(store, subject(number)).await.unwrap()
}

/// Runs one case over every store. A store on disk is then opened anew, and must remember what it answered.
pub(crate) async fn on_every_store(case: impl AsyncFn(Arc<dyn Store>)) {
    println!("on the memory store");
    case(MemoryStore::new()).await;
    println!("on the SQLite store");
    let directory = TempDir::new().unwrap();
    let store = open(&directory).await;
    case(store.clone()).await;
    let before = picture(&*store).await;
    store.close().await.unwrap();
    drop(store);
    println!("after the SQLite store was opened anew");
    let store = open(&directory).await;
    assert!(before == picture(&*store).await, "what is on disk is not what was in memory");
    store.close().await.unwrap();
}

async fn open(directory: &TempDir) -> Arc<SqliteStore> {
    SqliteStore::open(directory.path().join("vestibule.db"), SqliteOptions::default()).await.unwrap()
}

/// All that a store knows of accounts, clients and sessions, the way that requests see it.
async fn picture(store: &dyn Store) -> Picture {
    let mut sessions = Vec::new();
    for mut session in store.sessions(None, ALL, Timestamp::EPOCH).await.unwrap() {
        let live = live(store, session.digest).expect("a listed session is a live one");
        // The last use may be a minute behind on disk.
        session.seen_at = START;
        sessions.push((session, live.version(), live.epoch()));
    }
    let accounts =
        store.accounts(AccountsPage { take: ALL.take, ..Default::default() }).await.unwrap().into_iter();
    let mut clients = Vec::new();
    for client in store.clients().all(ALL).await.unwrap() {
        let found = store.clients().find(&client.id).await.unwrap().expect("a listed client is found");
        assert_eq!(described(&found), described(&client));
        clients.push(described(&client));
    }
    Picture {
        sessions,
        accounts: accounts.map(|a| (a.subject, a.identifier, a.epoch, a.traits.to_json())).collect(),
        clients,
    }
}

#[derive(PartialEq)]
struct Picture {
    sessions: Vec<(Session, u32, u64)>,
    accounts: Vec<(Subject, Identifier, u64, String)>,
    clients: Vec<String>,
}

/// All that there is to a client, to be compared.
pub(crate) fn described(client: &Client) -> String {
    let proof = match &client.proof {
        ClientProof::Keys(keys) => keys.to_jwks().to_string(),
        ClientProof::Secret(digest) => format!("{:?}", digest.bytes()),
    };
    let Client { id, name, audiences, scopes, exchanges, serves, added_at, .. } = client;
    format!("{id} {name:?} {proof} {audiences:?} {scopes:?} {exchanges} {serves:?} {added_at:?}")
}

pub(crate) fn account(number: u8) -> Account {
    Account {
        subject: subject(number),
        identifier: Identifier::parse(&format!("person{number:03}@example.com")).unwrap(),
        password: Some(hash("old")),
        traits: Traits::parse(r#"{"department":"R&D","city":"Zürich","level":3.5}"#).unwrap(),
        status: Status::Enabled,
        epoch: 1,
        created_at: START,
    }
}

/// The session with this number, of the account with that one.
pub(crate) fn session(number: u16, of: u8) -> Session {
    Session {
        digest: digest(number),
        id: id(number),
        subject: subject(of),
        version: 1,
        epoch: 1,
        kind: SessionKind::Browser,
        opened_at: START,
        proven_at: START,
        seen_at: START,
        issued_at: START,
        idle: IDLE,
        ends_at: START.after(ABSOLUTE),
        assurance: Assurance::Aal1,
        amr: Amr::PASSWORD,
        device: Device::new(Some([192, 0, 2, 7].into()), "Mozilla/5.0 (X11; Linux x86_64)"),
    }
}

pub(crate) fn subject(number: u8) -> Subject {
    Subject::from_bytes([number; 16])
}

pub(crate) fn id(number: u16) -> SessionId {
    let mut bytes = [7; 16];
    bytes[..2].copy_from_slice(&number.to_le_bytes());
    SessionId::from_bytes(bytes)
}

pub(crate) fn digest(number: u16) -> SessionDigest {
    let mut bytes = [9; 32];
    bytes[..2].copy_from_slice(&number.to_le_bytes());
    SessionDigest::from_bytes(bytes)
}

pub(crate) fn hash(text: &str) -> PasswordHash {
    PasswordHash::from_phc(text.to_owned())
}

/// What a request would find.
pub(crate) fn live(store: &dyn Store, digest: SessionDigest) -> Option<Arc<LiveSession>> {
    match store.recall(&digest) {
        Recall::Known(live) => Some(live),
        Recall::Unknown => None,
        Recall::Cold => panic!("these stores know all their sessions"),
    }
}

pub(crate) fn is_live(store: &dyn Store, number: u16) -> bool {
    live(store, digest(number)).is_some()
}

/// Adds the account and opens these sessions of it.
pub(crate) async fn with_sessions(store: &dyn Store, of: u8, numbers: &[u16]) {
    assert_eq!(store.add(account(of)).await.unwrap(), Added::Added);
    for number in numbers {
        assert_eq!(
            store.open(session(*number, of), None, Cap::NONE).await.unwrap(),
            Opened::Open { ended: vec![] }
        );
    }
}

pub(crate) fn ended(changed: Changed) -> Vec<SessionId> {
    match changed {
        Changed::Changed { mut ended, .. } => {
            ended.sort();
            ended
        }
        Changed::Unknown => panic!("the account is known"),
    }
}

/// Which sessions ended when another one opened.
pub(crate) fn ended_by(opened: Opened) -> Vec<SessionId> {
    match opened {
        Opened::Open { ended } => ended,
        Opened::AccountChanged => panic!("the account has not changed"),
    }
}

/// The word of the account's owner, given in a session, which goes on under the digest a hundred further.
pub(crate) fn owner(epoch: u64, session: u16) -> PasswordAuthority {
    let reissue = Reissue { digest: digest(session + 100), at: START, proof: None };
    PasswordAuthority::Owner { epoch, session: id(session), reissue }
}
