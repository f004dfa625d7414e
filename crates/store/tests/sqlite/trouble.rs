//! A full disk, a locked file, a damaged row: a fault each, nothing changed, and all is well again when the cause is gone.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use vestibule_core::Fault;
use vestibule_core::account::Traits;
use vestibule_core::port::Changed;
use vestibule_core::port::{Accounts, AccountsPage, Directory, Ending, Keys, Opened, Sessions, Throttle};
use vestibule_core::session::Cap;
use vestibule_core::throttle::{Attempt, AttemptKind, STRANGERS};
use vestibule_store::{SqliteOptions, Upkeep};

use crate::world::*;

#[tokio::test]
async fn a_full_disk_refuses_logins_and_takes_logouts() {
    let home = Home::new();
    let store = home.with_account(SqliteOptions { max_pages: Some(80), ..SqliteOptions::default() }).await;
    let mut opened = 0;
    let fault = loop {
        match store.open(session(opened), None, Cap::NONE).await {
            Ok(_) => opened += 1,
            Err(fault) => break fault,
        }
        assert!(opened < 10_000, "80 pages do not hold that many");
    };
    assert!(opened > 100);
    assert_unavailable(&fault, "full");
    assert!(!is_live(&store, opened), "a refused login opened all the same");
    assert_eq!(store.statistics().sessions, opened);
    assert_eq!(home.count("SELECT count(*) FROM sessions").await as u64, opened);

    // A logout takes no room.
    assert_eq!(store.end(Ending::Presented(digest(0))).await.unwrap(), [id(0)]);
    assert_eq!(store.end(Ending::Everyone).await.unwrap().len() as u64, opened - 1);
    assert_eq!(store.open(session(0), None, Cap::NONE).await.unwrap(), Opened::Open { ended: vec![] });
    store.check().await.unwrap();
    store.close().await.unwrap();
    let store = home.open().await;
    assert_eq!(store.statistics().sessions, 1);
}

/// What does not fit takes nothing down that came at the same time: neither the logins that fit nor, above all, a logout.
#[tokio::test]
async fn what_does_not_fit_fails_alone() {
    let home = Home::new();
    let store = home.with_account(SqliteOptions { max_pages: Some(80), ..SqliteOptions::default() }).await;
    let mut racers = JoinSet::new();
    for number in 0..1000 {
        let store = Arc::clone(&store);
        racers.spawn(async move { (number, store.open(session(number), None, Cap::NONE).await) });
    }
    let (mut opened, mut refused) = (Vec::new(), 0);
    for (number, answer) in racers.join_all().await {
        match answer {
            Ok(answer) => {
                assert!(answer == (Opened::Open { ended: vec![] }) && is_live(&store, number));
                opened.push(number);
            }
            Err(fault) => {
                assert_unavailable(&fault, "full");
                assert!(!is_live(&store, number));
                refused += 1;
            }
        }
    }
    assert!(refused > 0, "80 pages do not hold a thousand sessions");
    assert_unavailable(&store.open(session(5000), None, Cap::NONE).await.unwrap_err(), "full");
    assert_eq!(home.count("SELECT count(*) FROM sessions").await as usize, opened.len());

    // One batch: accounts too large to fit, whose failure makes SQLite undo all of the transaction, and a logout behind them.
    let mut racers = JoinSet::new();
    let leaving = opened[0];
    for number in 2..20 {
        let store = Arc::clone(&store);
        racers.spawn(async move {
            let mut large = account(number);
            large.traits = Traits::parse(&format!(r#"{{"story":"{}"}}"#, "x".repeat(16_000))).unwrap();
            assert_unavailable(&store.add(large).await.unwrap_err(), "full");
        });
    }
    racers.spawn({
        let store = Arc::clone(&store);
        async move { assert_eq!(store.end(Ending::Presented(digest(leaving))).await.unwrap(), [id(leaving)]) }
    });
    racers.join_all().await;
    assert!(!is_live(&store, leaving));
}

#[tokio::test]
async fn a_locked_database_changes_nothing_until_it_is_let_go() {
    let home = Home::new();
    let lock_wait = Duration::from_millis(200);
    let store = home.with_account(SqliteOptions { lock_wait, ..SqliteOptions::default() }).await;
    store.open(session(1), None, Cap::NONE).await.unwrap();
    store.note_use(&digest(1), START.after(Duration::from_secs(61)));

    let mut intruder = home.intruder().await;
    sqlx::query("BEGIN IMMEDIATE").execute(&mut intruder).await.unwrap();
    assert_unavailable(&store.open(session(2), Some(id(1)), Cap::NONE).await.unwrap_err(), "locked");
    assert_unavailable(&store.end(Ending::Everyone).await.unwrap_err(), "locked");
    assert_unavailable(&store.remove(subject(1)).await.unwrap_err(), "locked");
    assert_unavailable(&store.check().await.unwrap_err(), "locked");
    assert_unavailable(&store.flush().await.unwrap_err(), "locked");
    assert!(is_live(&store, 1) && !is_live(&store, 2));
    assert_eq!(store.statistics().uses_waiting, 1, "what could not be written waits on");
    // Reading goes on.
    assert!(Accounts::find(&*store, subject(1)).await.unwrap().is_some());

    sqlx::query("COMMIT").execute(&mut intruder).await.unwrap();
    // After a failure a probe writes, for the test; when all is well it does not wear the disk.
    store.check().await.unwrap();
    store.check().await.unwrap();
    assert_eq!(home.count("SELECT beat FROM pulse").await, 1);
    store.flush().await.unwrap();
    assert_eq!(
        store.open(session(2), Some(id(1)), Cap::NONE).await.unwrap(),
        Opened::Open { ended: vec![id(1)] }
    );
    assert!(!is_live(&store, 1) && is_live(&store, 2));
    assert!(store.statistics().failed_commits >= 5);
}

#[tokio::test]
async fn a_writer_that_is_stuck_is_a_fault_in_time_and_its_change_still_counts_for_all() {
    let home = Home::new();
    let options = SqliteOptions {
        lock_wait: Duration::from_secs(10),
        answer_within: Duration::from_millis(300),
        ..SqliteOptions::default()
    };
    let store = home.with_account(options).await;
    let mut intruder = home.intruder().await;
    sqlx::query("BEGIN IMMEDIATE").execute(&mut intruder).await.unwrap();
    let asked = Instant::now();
    let fault = store.open(session(1), None, Cap::NONE).await.unwrap_err();
    assert_unavailable(&fault, "no answer within");
    assert!(asked.elapsed() < Duration::from_secs(3), "{:?}", asked.elapsed());
    assert!(!is_live(&store, 1), "nothing is in memory that is not on disk");

    sqlx::query("COMMIT").execute(&mut intruder).await.unwrap();
    // What was queued is carried out, in memory and on disk alike.
    tokio::time::timeout(Duration::from_secs(10), async { while store.check().await.is_err() {} })
        .await
        .unwrap();
    assert!(is_live(&store, 1));
    assert_eq!(home.count("SELECT count(*) FROM sessions").await, 1);
}

#[tokio::test]
async fn a_full_queue_refuses_at_once() {
    let home = Home::new();
    let options = SqliteOptions { queue: 8, lock_wait: Duration::from_secs(2), ..SqliteOptions::default() };
    let store = home.with_account(options).await;
    let mut intruder = home.intruder().await;
    sqlx::query("BEGIN IMMEDIATE").execute(&mut intruder).await.unwrap();
    let asked = Instant::now();
    let mut racers = JoinSet::new();
    for number in 0..100 {
        let store = Arc::clone(&store);
        racers.spawn(async move { (number, store.open(session(number), None, Cap::NONE).await) });
    }
    // Those that found no place are answered while the writer is still stuck.
    for _ in 0..100 - 8 - 8 {
        let (_, answer) = racers.join_next().await.unwrap().unwrap();
        let fault = answer.unwrap_err();
        assert!(matches!(fault, Fault::Overloaded { .. }), "{}", fault.report());
    }
    assert!(asked.elapsed() < Duration::from_millis(1500), "{:?}", asked.elapsed());
    sqlx::query("COMMIT").execute(&mut intruder).await.unwrap();
    let mut opened = 0;
    for (number, answer) in racers.join_all().await {
        assert_eq!(answer.is_ok(), is_live(&store, number));
        opened += u64::from(answer.is_ok());
    }
    assert!(opened >= 8);
    assert_eq!(store.statistics().sessions, opened);
}

#[tokio::test]
async fn a_closed_store_answers_faults() {
    let home = Home::new();
    let store = home.with_account(SqliteOptions::default()).await;
    store.open(session(1), None, Cap::NONE).await.unwrap();
    store.close().await.unwrap();
    assert_unavailable(&store.open(session(2), None, Cap::NONE).await.unwrap_err(), "closed");
    assert_unavailable(&store.end(Ending::Everyone).await.unwrap_err(), "closed");
    assert_unavailable(&store.check().await.unwrap_err(), "closed");
    assert_unavailable(&Accounts::find(&*store, subject(1)).await.err().unwrap(), "closed");
    store.close().await.unwrap();
}

/// Whatever is queued when the store closes is carried out before it is closed.
#[tokio::test]
async fn closing_carries_out_what_is_queued() {
    let home = Home::new();
    let store = home.with_account(SqliteOptions::default()).await;
    let mut racers = JoinSet::new();
    for number in 0..200 {
        let store = Arc::clone(&store);
        racers.spawn(async move { (number, store.open(session(number), None, Cap::NONE).await) });
    }
    tokio::task::yield_now().await;
    store.close().await.unwrap();
    let answers = racers.join_all().await;
    let store = home.open().await;
    for (number, answer) in answers {
        match answer {
            Ok(opened) => assert!(opened == (Opened::Open { ended: vec![] }) && is_live(&store, number)),
            Err(fault) => {
                assert_unavailable(&fault, "closed");
                assert!(!is_live(&store, number));
            }
        }
    }
}

#[tokio::test]
async fn damaged_rows_are_told_as_damaged() {
    for damage in [
        "UPDATE accounts SET identifier = 'SHOUTING@example.com'",
        "UPDATE accounts SET traits = '[]'",
        "UPDATE accounts SET traits = '{\"a\":1,\"a\":2}'",
        "UPDATE accounts SET status = 'asleep'",
        "UPDATE accounts SET epoch = -1",
        "UPDATE accounts SET created_at = -5",
        "UPDATE accounts SET subject = x'00'",
        "UPDATE accounts SET identifier = CAST(x'ff41' AS TEXT)",
    ] {
        let home = Home::new();
        let store = home.with_account(SqliteOptions::default()).await;
        harm(&home, damage).await;
        let page = AccountsPage { take: 10, ..Default::default() };
        assert_corrupt(store.accounts(page).await.err(), damage);
    }
    for damage in [
        "UPDATE sessions SET digest = x'00'",
        "UPDATE sessions SET id = x'00'",
        "UPDATE sessions SET subject = x'00'",
        "UPDATE sessions SET version = -1",
        "UPDATE sessions SET version = 4294967296",
        "UPDATE sessions SET epoch = -1",
        "UPDATE sessions SET kind = 'toaster'",
        "UPDATE sessions SET opened_at = -1",
        "UPDATE sessions SET seen_at = -1",
        "UPDATE sessions SET idle = -1",
        "UPDATE sessions SET ends_at = -1",
        "UPDATE sessions SET assurance = 3",
        "UPDATE sessions SET amr = 255",
        "UPDATE sessions SET address = 'nowhere'",
        "UPDATE sessions SET user_agent = CAST(x'ff' AS TEXT)",
    ] {
        let home = Home::new();
        let store = home.with_account(SqliteOptions::default()).await;
        store.open(session(1), None, Cap::NONE).await.unwrap();
        store.close().await.unwrap();
        harm(&home, damage).await;
        assert_corrupt(home.open_with(SqliteOptions::default()).await.err(), damage);
    }
}

#[tokio::test]
async fn a_damaged_row_fails_its_own_change_and_no_other() {
    let home = Home::new();
    let store = home.with_account(SqliteOptions::default()).await;
    store.add(account(2)).await.unwrap();
    store.open(session(1), None, Cap::NONE).await.unwrap();
    harm(&home, "UPDATE sessions SET version = 4294967296").await;
    let traits = account(1).traits;
    let fault = store.set_traits(subject(1), traits.clone()).await.err();
    assert_corrupt(fault, "version");
    assert_eq!(
        home.count("SELECT version FROM sessions").await,
        4_294_967_296,
        "the failed change was undone"
    );
    assert!(matches!(store.set_traits(subject(2), traits).await, Ok(Changed::Changed { .. })));

    let attempt = Attempt { account: [1; 32], source: [1; 32], by: AttemptKind::Stranger(STRANGERS) };
    store.reserve(attempt, START).await.unwrap();
    harm(&home, "UPDATE account_tallies SET failures = -1").await;
    assert_corrupt(store.reserve(attempt, START).await.err(), "failures");
    harm(&home, "INSERT INTO signing_keys VALUES ('k', 'none', x'00', 0, 0, NULL, 'edge')").await;
    assert_corrupt(store.all().await.err(), "algorithm");
    harm(&home, "UPDATE signing_keys SET algorithm = 'ES256', purpose = 'both'").await;
    assert_corrupt(store.all().await.err(), "purpose");
    store.check().await.unwrap();
}

async fn harm(home: &Home, sql: &'static str) {
    let mut intruder = home.intruder().await;
    sqlx::query("PRAGMA ignore_check_constraints = ON").execute(&mut intruder).await.unwrap();
    let done = sqlx::query(sql).execute(&mut intruder).await.unwrap();
    assert_eq!(done.rows_affected(), 1, "{sql}");
}

fn assert_unavailable(fault: &Fault, word: &str) {
    assert!(matches!(fault, Fault::Unavailable { .. }), "{}", fault.report());
    assert!(fault.report().contains(word), "{}", fault.report());
}

fn assert_corrupt(fault: Option<Fault>, damage: &str) {
    let Some(fault) = fault else { panic!("{damage}: nobody noticed") };
    assert!(matches!(fault, Fault::Corrupt { .. }), "{damage}: {}", fault.report());
}
