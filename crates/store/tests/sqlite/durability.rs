//! Acknowledged means durable, and changes that come at once share a commit.

use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use tokio::task::JoinSet;
use vestibule_core::client::{ClientId, ShownAssertion};
use vestibule_core::key::{KeyPurpose, KeyRecord, SealedKey};
use vestibule_core::port::{
    Accounts, Consumed, Directory, Ending, Grants, Keys, OneTime, Opened, Redeemed, Redemption, Sessions,
    Throttle,
};
use vestibule_core::refresh_token::{Next, RefreshToken};
use vestibule_core::secret::Pepper;
use vestibule_core::session::Cap;
use vestibule_core::throttle::{Attempt, AttemptKind, FREE_ATTEMPTS, Reservation, STRANGERS};
use vestibule_core::verify::{Algorithm, KeyId};
use vestibule_store::{SqliteOptions, Upkeep};

use crate::world::*;

#[tokio::test]
async fn what_was_stored_is_there_after_a_restart() {
    let home = Home::new();
    let store = home.with_account(SqliteOptions::default()).await;
    store.open(session(1), None, Cap::NONE).await.unwrap();
    store.open(session(2), None, Cap::NONE).await.unwrap();
    store.end(Ending::One(id(1))).await.unwrap();
    let key = KeyRecord {
        key_id: KeyId::parse("first").unwrap(),
        purpose: KeyPurpose::Edge,
        algorithm: Algorithm::Es256,
        sealed: SealedKey::from_bytes(vec![3; 60]),
        created_at: START,
        active_from: START,
        gone_at: None,
    };
    store.change(Some(key), Vec::new()).await.unwrap();
    let attempt = Attempt { account: [1; 32], source: [2; 32], by: AttemptKind::Stranger(STRANGERS) };
    for _ in 0..FREE_ATTEMPTS {
        assert!(matches!(store.reserve(attempt, START).await.unwrap(), Reservation::Reserved(_)));
    }
    store.close().await.unwrap();

    let store = home.open().await;
    assert!(!is_live(&store, 1) && is_live(&store, 2));
    assert_eq!(store.session(id(2), START).await.unwrap(), Some(session(2)));
    assert!(Accounts::find(&*store, subject(1)).await.unwrap().is_some());
    let keys = store.all().await.unwrap();
    assert!(keys.len() == 1 && keys[0].sealed == SealedKey::from_bytes(vec![3; 60]));
    assert!(matches!(store.reserve(attempt, START).await.unwrap(), Reservation::Wait(_)));
}

/// RT-02: what was used before a restart is used after it, and what was forgiven before it is forgiven after it, no longer.
#[tokio::test]
async fn a_refresh_token_is_used_once_across_a_restart() {
    let home = Home::new();
    let pepper = Pepper::new(&[5; 32]);
    let first = |number| RefreshToken::first(id(number), [3; 32]);
    let redemption = |number, token: &RefreshToken, salt: u8, now| {
        let next = token.successor(&[salt; 16], &pepper).unwrap();
        Redemption {
            session: digest(number),
            presented: token.presented(&pepper),
            next: Next { digest: next.digest(&pepper), salt: [salt; 16] },
            now,
            window: Duration::from_secs(10),
        }
    };
    let store = home.with_account(SqliteOptions::default()).await;
    for number in [1, 2] {
        store.open(session(number), None, Cap::NONE).await.unwrap();
        store.begin(&digest(number), first(number).digest(&pepper)).await.unwrap();
        let asked = redemption(number, &first(number), 7, START);
        assert_eq!(store.redeem(asked).await.unwrap(), Redeemed::Rotated);
    }
    store.close().await.unwrap();

    let store = home.open().await;
    let again = redemption(1, &first(1), 8, START);
    assert_eq!(store.redeem(again).await.unwrap(), Redeemed::Repeated([7; 16]));
    let second = first(1).successor(&[7; 16], &pepper).unwrap();
    assert_eq!(store.redeem(redemption(1, &second, 9, START)).await.unwrap(), Redeemed::Rotated);
    let late = redemption(2, &first(2), 8, START.after(Duration::from_secs(10)));
    assert_eq!(store.redeem(late).await.unwrap(), Redeemed::Replayed(id(2)));
    store.close().await.unwrap();
    let store = home.open().await;
    assert!(is_live(&store, 1) && !is_live(&store, 2));
    assert_eq!(home.count("SELECT count(*) FROM token_families").await, 1);
}

#[tokio::test]
async fn uses_are_written_by_a_flush_and_by_closing_and_never_backwards() {
    let home = Home::new();
    let store = home.with_account(SqliteOptions::default()).await;
    for number in 0..600 {
        store.open(session(number), None, Cap::NONE).await.unwrap();
    }
    let later = |seconds| START.after(Duration::from_secs(seconds));
    let before = store.statistics();
    for number in 0..600 {
        store.note_use(&digest(number), later(61));
    }
    assert_eq!(store.statistics().writes, before.writes, "noting is not writing");
    assert_eq!(store.statistics().uses_waiting, 600);
    store.flush().await.unwrap();
    assert_eq!(store.statistics().uses_waiting, 0);
    assert!(store.statistics().commits - before.commits < 10);
    assert_eq!(home.count("SELECT count(*) FROM uses WHERE seen_at = 1800000061000").await, 600);

    store.note_use(&digest(1), later(30));
    store.note_use(&digest(2), later(122));
    store.note_use(&digest(2), later(121));
    store.end(Ending::One(id(3))).await.unwrap();
    store.note_use(&digest(3), later(122));
    store.close().await.unwrap();
    let store = home.open().await;
    let seen_at = async |number| store.session(id(number), START).await.unwrap().map(|found| found.seen_at);
    assert_eq!(seen_at(1).await, Some(later(61)));
    assert_eq!(seen_at(2).await, Some(later(122)));
    assert_eq!(seen_at(3).await, None);
    assert_eq!(home.count("SELECT count(*) FROM uses").await, 599, "nothing is kept of what has ended");
}

#[tokio::test]
async fn changes_that_come_at_once_share_a_commit() {
    let home = Home::new();
    let store = home.with_account(SqliteOptions::default()).await;
    let before = store.statistics();
    let mut writers = JoinSet::new();
    for writer in 0..64 {
        let store = Arc::clone(&store);
        writers.spawn(async move {
            for at in 0..10 {
                assert_eq!(
                    store.open(session(100 * writer + at), None, Cap::NONE).await.unwrap(),
                    Opened::Open { ended: vec![] }
                );
            }
        });
    }
    writers.join_all().await;
    let after = store.statistics();
    assert_eq!(after.writes - before.writes, 640);
    assert_eq!(after.sessions, 640);
    let commits = after.commits - before.commits;
    assert!((10..=640 / 4).contains(&commits), "{commits} commits for 640 changes of 64 writers");
    assert!((16..=256).contains(&after.largest_batch), "{after:?}");
}

/// The warm path: nothing is asked of the database and nothing is written.
#[tokio::test]
async fn looking_up_sessions_neither_reads_nor_writes() {
    let home = Home::new();
    let store = home.with_account(SqliteOptions::default()).await;
    store.open(session(1), None, Cap::NONE).await.unwrap();
    let before = store.statistics();
    for at in 0..10_000 {
        assert!(is_live(&store, 1) && !is_live(&store, 2));
        assert!(Sessions::find(&*store, &digest(1)).await.unwrap().is_some());
        store.note_use(&digest(1), START.after(Duration::from_secs(at)));
    }
    let after = store.statistics();
    assert_eq!((after.reads, after.writes, after.commits), (before.reads, before.writes, before.commits));
    // The counters count: one question is one read.
    Accounts::find(&*store, subject(1)).await.unwrap();
    assert_eq!(store.statistics().reads, before.reads + 1);
}

/// A caller that goes away (a browser that hangs up during its logout) does not take its change along.
#[tokio::test]
async fn a_change_outlives_its_caller() {
    let home = Home::new();
    let store = home.with_account(SqliteOptions::default()).await;
    for number in 0..50 {
        store.open(session(number), None, Cap::NONE).await.unwrap();
    }
    for number in 0..50 {
        let mut end = store.end(Ending::One(id(number)));
        // Polled once, which queues the change, and dropped.
        assert!(end.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    store.check().await.unwrap();
    assert_eq!(store.statistics().sessions, 0);
    assert_eq!(home.count("SELECT count(*) FROM sessions").await, 0);
}

/// OA-03, AU-05: a clock that is not believed forgets sessions of long ago at most. What guards against a repetition stays, or a clock that
/// was wrong for a minute makes an assertion good for a second time.
#[tokio::test]
async fn sweeping_sessions_alone_forgets_no_assertion_and_no_tally() {
    let home = Home::new();
    let store = home.with_account(SqliteOptions::default()).await;
    store.open(session(1), None, Cap::NONE).await.unwrap();
    let client = ClientId::from_bytes([1; 16]);
    let shown =
        || ShownAssertion { client, digest: [5; 32], forget_after: START.after(Duration::from_secs(300)) };
    assert_eq!(store.consume(shown(), START).await.unwrap(), Consumed::First);
    let attempt = Attempt { account: [1; 32], source: [2; 32], by: AttemptKind::Stranger(STRANGERS) };
    store.reserve(attempt, START).await.unwrap();

    let ahead = START.after(Duration::from_secs(10 * 24 * 3600));
    assert_eq!(store.forget_expired_sessions(ahead).await.unwrap(), 1);
    assert_eq!(store.consume(shown(), START).await.unwrap(), Consumed::Again);
    let tallies = "SELECT (SELECT count(*) FROM account_tallies) + (SELECT count(*) FROM source_tallies)";
    let kept = home.count(tallies).await;
    assert!(kept >= 2, "{kept}");
    store.forget_expired(ahead).await.unwrap();
    assert_eq!(home.count(tallies).await, 0);
    assert_eq!(store.consume(shown(), START).await.unwrap(), Consumed::First);
}
