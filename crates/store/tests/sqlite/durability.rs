//! Acknowledged means durable, and changes that come at once share a commit.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use tokio::task::JoinSet;
use vestibule_core::key::{KeyRecord, SealedKey};
use vestibule_core::port::{
    Accounts, Attempt, Directory, Ending, Keys, Opened, Page, Reservation, Sessions, Throttle,
};
use vestibule_core::throttle::FREE_ATTEMPTS;
use vestibule_core::verify::{Algorithm, KeyId};
use vestibule_store::SqliteOptions;

use crate::world::*;

const ROUNDS: u64 = 10;
/// Marks the child's lines among those of the test harness.
const MARK: &str = "child:";

#[tokio::test]
async fn what_was_stored_is_there_after_a_restart() {
    let home = Home::new();
    let store = home.with_account(SqliteOptions::default()).await;
    store.open(session(1), None).await.unwrap();
    store.open(session(2), None).await.unwrap();
    store.end(Ending::One(id(1))).await.unwrap();
    let key = KeyRecord {
        key_id: KeyId::parse("first").unwrap(),
        algorithm: Algorithm::Es256,
        sealed: SealedKey::from_bytes(vec![3; 60]),
        created_at: START,
        active_from: START,
        gone_at: None,
    };
    store.rotate(key, START).await.unwrap();
    let attempt = Attempt { account: [1; 32], source: [2; 32] };
    for _ in 0..FREE_ATTEMPTS {
        assert_eq!(store.reserve(attempt, START).await.unwrap(), Reservation::Reserved);
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

#[tokio::test]
async fn uses_are_written_by_a_flush_and_by_closing_and_never_backwards() {
    let home = Home::new();
    let store = home.with_account(SqliteOptions::default()).await;
    for number in 0..600 {
        store.open(session(number), None).await.unwrap();
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
                assert_eq!(store.open(session(100 * writer + at), None).await.unwrap(), Opened::Open);
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
    store.open(session(1), None).await.unwrap();
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
        store.open(session(number), None).await.unwrap();
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

/// Killing the process under load loses no acknowledged login and no acknowledged logout.
#[tokio::test]
async fn what_was_acknowledged_survives_sigkill() {
    let home = Home::new();
    home.with_account(SqliteOptions::default()).await.close().await.unwrap();
    let mut acknowledged = BTreeMap::new();
    let mut opened = 0;
    for round in 0..ROUNDS {
        let told = run_child_and_kill_it(&home, round);
        opened += told.values().filter(|state| !matches!(state, Told::Opening)).count();
        acknowledged.extend(told);

        let store = home.open().await;
        for (number, told) in &acknowledged {
            match told {
                Told::Open => assert!(is_live(&store, *number), "round {round}: login {number} was lost"),
                Told::Ended => assert!(!is_live(&store, *number), "round {round}: {number} came back"),
                // Under way when the process died: either is right, and it stays as it is found.
                Told::Opening | Told::Ending => {}
            }
        }
        let listed = store.sessions(None, Page { skip: 0, take: u32::MAX }, START).await.unwrap();
        assert_eq!(listed.len() as u64, store.statistics().sessions, "round {round}: memory and disk differ");
        store.close().await.unwrap();
    }
    assert!(opened > 100, "the children did hardly anything: {opened}");
    assert_eq!(
        home.count("SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'").await,
        0
    );
}

/// The last that a child said of a session.
#[derive(Clone, Copy, Debug)]
enum Told {
    Opening,
    Open,
    Ending,
    Ended,
}

fn run_child_and_kill_it(home: &Home, round: u64) -> BTreeMap<u64, Told> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "durability::child_that_is_killed", "--ignored", "--nocapture", "--test-threads=1"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    writeln!(stdin, "{}", home.database().display()).unwrap();
    writeln!(stdin, "{}", round * 1_000_000).unwrap();

    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let ready = lines.by_ref().map(Result::unwrap).find(|line| line.ends_with("ready"));
    assert!(ready.is_some(), "the child ended before it began");
    let killer = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(30 + 37 * round));
        child.kill().unwrap();
        child.wait().unwrap();
    });
    let mut told = BTreeMap::new();
    for line in lines.map(Result::unwrap) {
        // The last line may have been cut by the kill; its end marks a whole one.
        let Some(rest) = line.strip_prefix(MARK).and_then(|rest| rest.strip_suffix('.')) else { continue };
        let (verb, number) = rest.split_once(' ').unwrap();
        let state = match verb {
            "opening" => Told::Opening,
            "open" => Told::Open,
            "ending" => Told::Ending,
            "ended" => Told::Ended,
            other => panic!("the child said {other}"),
        };
        told.insert(number.parse().unwrap(), state);
    }
    killer.join().unwrap();
    told
}

/// Not a test of its own: what [`what_was_acknowledged_survives_sigkill`] runs as a process and kills.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by the test that kills it"]
async fn child_that_is_killed() {
    let mut lines = std::io::stdin().lines().map(Result::unwrap);
    let database = lines.next().unwrap();
    let first: u64 = lines.next().unwrap().parse().unwrap();
    let store = vestibule_store::SqliteStore::open(database, SqliteOptions::default()).await.unwrap();
    println!("\n{MARK}ready");
    let mut writers = JoinSet::new();
    for writer in 0..16 {
        let store = Arc::clone(&store);
        writers.spawn(async move {
            for at in 0_u64.. {
                let number = first + writer * 10_000 + at;
                println!("{MARK}opening {number}.");
                assert_eq!(store.open(session(number), None).await.unwrap(), Opened::Open);
                println!("{MARK}open {number}.");
                if at % 3 == 0 {
                    println!("{MARK}ending {number}.");
                    assert_eq!(store.end(Ending::Presented(digest(number))).await.unwrap(), [id(number)]);
                    println!("{MARK}ended {number}.");
                }
            }
        });
    }
    writers.join_all().await;
}
