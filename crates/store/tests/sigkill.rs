//! Acknowledged means durable, even when the process is killed under load.
//!
//! A program of its own: between fork and exec a child holds its parent's file locks, and tests beside this one would find
//! their stores locked.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a failure here is a failed test")]

#[path = "sqlite/world.rs"]
mod world;

#[path = "sqlite/child.rs"]
mod child;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use vestibule_core::port::{Directory, Ending, Opened, Page, Reissued, Sessions};
use vestibule_core::session::{Cap, Reissue};
use vestibule_store::{SqliteOptions, SqliteStore, Upkeep};

use crate::child::{MARK, said_until_killed, told_by_the_parent};
use crate::world::*;

const ROUNDS: u64 = 10;

/// The digest that a session goes on under is this much further.
const ANEW: u64 = 1 << 40;

/// Killing the process under load loses no acknowledged login, no acknowledged logout and no acknowledged new session token.
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
                Told::Reissued => {
                    assert!(!is_live(&store, *number), "round {round}: the old token of {number} came back");
                    assert!(is_live(&store, number + ANEW), "round {round}: {number} lost its new token");
                }
                Told::Reissuing => {
                    let is_one = is_live(&store, *number) ^ is_live(&store, number + ANEW);
                    assert!(is_one, "round {round}: {number} has both tokens, or none");
                }
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
    Reissuing,
    Reissued,
}

fn run_child_and_kill_it(home: &Home, round: u64) -> BTreeMap<u64, Told> {
    let works = Duration::from_millis(30 + 37 * round);
    let mut told = BTreeMap::new();
    for (verb, number) in said_until_killed(home, round * 1_000_000, works) {
        let state = match verb.as_str() {
            "opening" => Told::Opening,
            "open" => Told::Open,
            "ending" => Told::Ending,
            "ended" => Told::Ended,
            "reissuing" => Told::Reissuing,
            "reissued" => Told::Reissued,
            other => panic!("the child said {other}"),
        };
        told.insert(number, state);
    }
    told
}

/// Not a test of its own: what [`what_was_acknowledged_survives_sigkill`] runs as a process and kills.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by the test that kills it"]
async fn child_that_is_killed() {
    let (database, first) = told_by_the_parent();
    let store = SqliteStore::open(database, SqliteOptions::default()).await.unwrap();
    println!("\n{MARK}ready");
    let mut writers = JoinSet::new();
    for writer in 0..16 {
        let store = Arc::clone(&store);
        writers.spawn(async move {
            for at in 0_u64.. {
                let number = first + writer * 10_000 + at;
                println!("{MARK}opening {number}.");
                assert_eq!(
                    store.open(session(number), None, Cap::NONE).await.unwrap(),
                    Opened::Open { ended: vec![] }
                );
                println!("{MARK}open {number}.");
                if at % 3 == 0 {
                    println!("{MARK}ending {number}.");
                    assert_eq!(store.end(Ending::Presented(digest(number))).await.unwrap(), [id(number)]);
                    println!("{MARK}ended {number}.");
                }
                if at % 3 == 1 {
                    println!("{MARK}reissuing {number}.");
                    let reissue = Reissue { digest: digest(number + ANEW), at: START, proof: None };
                    let answer = store.reissue(&digest(number), reissue).await.unwrap();
                    assert!(matches!(answer, Reissued::Reissued(session) if session.id == id(number)));
                    println!("{MARK}reissued {number}.");
                }
            }
        });
    }
    writers.join_all().await;
}
