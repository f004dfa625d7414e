//! Figures, printed: `cargo test --release -p vestibule-store --test sqlite -- --ignored --nocapture speed`.

use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use vestibule_core::port::{Directory, Ending, Page, Sessions};
use vestibule_core::session::Cap;
use vestibule_store::{SqliteOptions, Upkeep};

use crate::load::fill;
use crate::world::*;

const SESSIONS: u64 = 1_000_000;

/// A million sessions: seconds to load, and at most 400 bytes each.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes a minute; meant for an optimised build"]
async fn a_million_sessions() {
    let home = Home::new();
    home.with_account(SqliteOptions::default()).await.close().await.unwrap();
    fill(&home, SESSIONS).await;
    spread_another_accounts_sessions(&home).await;
    println!("database: {} MB", fs::metadata(home.database()).unwrap().len() / 1_000_000);

    let before = resident();
    let loading = Instant::now();
    let store = home.open().await;
    println!("loaded in {:?}", loading.elapsed());
    assert_eq!(store.statistics().sessions, SESSIONS);
    let each = (resident() - before) / SESSIONS;
    println!("{each} bytes of resident memory a session");
    assert!(each <= 400, "{each}");

    let looking = Instant::now();
    let found = (0..SESSIONS).filter(|number| is_live(&store, number * 7919 % SESSIONS)).count();
    println!("{:?} a look-up, making the digest included", looking.elapsed() / found as u32);

    let mut slowest = Duration::ZERO;
    for _ in 0..100 {
        let listing = Instant::now();
        let listed = store.sessions(Some(subject(2)), Page { skip: 0, take: 100 }, START).await.unwrap();
        slowest = slowest.max(listing.elapsed());
        assert_eq!(listed.len(), 10);
    }
    println!("one account's ten sessions listed: {slowest:?} at the slowest of 100");
    assert!(slowest <= Duration::from_millis(5));

    let mut noted = 0;
    for number in (0..SESSIONS).step_by(10) {
        store.note_use(&digest(number), START.after(Duration::from_secs(61)));
        noted += 1;
    }
    let flushing = Instant::now();
    store.flush().await.unwrap();
    println!("{noted} uses written in {:?}", flushing.elapsed());

    let sweeping = Instant::now();
    assert_eq!(store.forget_expired(START).await.unwrap(), 0);
    println!("swept, nothing expired: {:?}", sweeping.elapsed());

    let ending = Instant::now();
    assert_eq!(store.end(Ending::Everyone).await.unwrap().len() as u64, SESSIONS);
    println!("everyone ended in {:?}", ending.elapsed());
    store.close().await.unwrap();
}

/// Logins a second, as the store sees them, by how many come at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes a while; meant for an optimised build"]
async fn group_commit() {
    for at_once in [1, 8, 64, 256] {
        let home = Home::new();
        let store = home.with_account(SqliteOptions::default()).await;
        let before = store.statistics();
        let begun = Instant::now();
        let mut writers = JoinSet::new();
        for writer in 0..at_once {
            let store = Arc::clone(&store);
            writers.spawn(async move {
                for at in 0.. {
                    if begun.elapsed() > Duration::from_secs(2) {
                        break;
                    }
                    store.open(session(writer * 1_000_000 + at), None, Cap::NONE).await.unwrap();
                }
            });
        }
        writers.join_all().await;
        let elapsed = begun.elapsed().as_secs_f64();
        let after = store.statistics();
        println!(
            "{at_once} at once: {:.0} sessions/s, {:.0} commits/s",
            (after.writes - before.writes) as f64 / elapsed,
            (after.commits - before.commits) as f64 / elapsed,
        );
    }
}

/// Ten of the million are another account's, as far from each other as can be.
async fn spread_another_accounts_sessions(home: &Home) {
    let changed = sqlx::query("UPDATE sessions SET subject = ?1 WHERE number % 100000 = 1")
        .bind(subject(2).bytes().to_vec())
        .execute(&mut home.intruder().await)
        .await
        .unwrap();
    assert_eq!(changed.rows_affected(), 10);
}

/// Bytes of resident memory, as the kernel counts them.
fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}
