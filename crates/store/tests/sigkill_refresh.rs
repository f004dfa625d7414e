//! RT-02: killed at any moment of a refresh, also between the commit and the answer, a family goes on from where it was: with one
//! successor, which whoever asks again is given, and never with two.
//!
//! A program of its own, for the reason that `sigkill.rs` gives.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a failure here is a failed test")]

#[expect(dead_code, reason = "shared with tests that need more of it")]
#[path = "sqlite/world.rs"]
mod world;

#[path = "sqlite/child.rs"]
mod child;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use vestibule_core::port::{Begun, Grants, Opened, Redeemed, Redemption, Sessions};
use vestibule_core::refresh_token::{Next, RefreshToken, Salt};
use vestibule_core::secret::Pepper;
use vestibule_core::session::Cap;
use vestibule_store::{SqliteOptions, SqliteStore, Upkeep};

use crate::child::{MARK, said_until_killed, told_by_the_parent};
use crate::world::*;

const ROUNDS: u64 = 12;
const FAMILIES: u64 = 16;
const WINDOW: Duration = Duration::from_secs(10);

/// How far the child said that a family was.
#[derive(Clone, Copy, Debug, Default)]
struct Told {
    /// Tokens that it was answered a successor for.
    rotated: u8,
    /// Whether it had presented the next one when it died.
    is_presenting: bool,
}

#[tokio::test]
async fn a_refresh_that_was_cut_off_gives_the_one_successor_that_there_is() {
    let home = Home::new();
    home.with_account(SqliteOptions::default()).await.close().await.unwrap();
    let (mut cut_before, mut cut_after) = (0, 0);
    for round in 0..ROUNDS {
        let first = round * 1000;
        let told = run_child_and_kill_it(&home, round, first);
        let store = home.open().await;
        for (number, told) in told {
            let newest = nth(number, told.rotated);
            if told.is_presenting {
                // Under way when the process died. It may be durable or not; either way there is one successor.
                let salt = salt(told.rotated);
                match redeem(&store, number, &newest, [200; 16]).await {
                    Redeemed::Rotated => {
                        cut_before += 1;
                        goes_on(&store, number, &newest, [200; 16]).await;
                    }
                    Redeemed::Repeated(found) => {
                        cut_after += 1;
                        assert_eq!(found, salt, "round {round}: {number} has another successor");
                        goes_on(&store, number, &newest, salt).await;
                    }
                    other => panic!("round {round}: {number} after {told:?}: {other:?}"),
                }
            } else if told.rotated > 0 {
                // Answered: used up for good, and the successor is the one that was told.
                let used = nth(number, told.rotated - 1);
                let expected = salt(told.rotated - 1);
                let found = redeem(&store, number, &used, [201; 16]).await;
                assert_eq!(found, Redeemed::Repeated(expected), "round {round}: {number}");
                goes_on(&store, number, &used, expected).await;
            }
        }
        store.close().await.unwrap();
    }
    println!("{cut_before} were cut off before the commit, {cut_after} between the commit and the answer");
    assert!(cut_before + cut_after > 0, "no child was killed while it refreshed");
}

/// The successor is good, once; and after that what came before it is not, not even within the window.
async fn goes_on(store: &SqliteStore, number: u64, used: &RefreshToken, salt: Salt) {
    let successor = used.successor(&salt, &pepper()).unwrap();
    assert_eq!(redeem(store, number, &successor, [202; 16]).await, Redeemed::Rotated, "{number}");
    assert_eq!(redeem(store, number, used, [203; 16]).await, Redeemed::Late, "{number}");
    assert_eq!(redeem(store, number, &successor, [204; 16]).await, Redeemed::Repeated([202; 16]), "{number}");
    // The other one that could have been is nobody's.
    let never = used.successor(&[255; 16], &pepper()).unwrap();
    let replayed = Redeemed::Replayed(id(number));
    assert_eq!(redeem(store, number, &never, [205; 16]).await, replayed, "{number}");
    assert!(!is_live(store, number));
}

fn run_child_and_kill_it(home: &Home, round: u64, first: u64) -> BTreeMap<u64, Told> {
    let works = Duration::from_millis(20 + 13 * round);
    let mut told = BTreeMap::<u64, Told>::new();
    for (verb, number) in said_until_killed(home, first, works) {
        let family = told.entry(number).or_default();
        match verb.as_str() {
            "presenting" => family.is_presenting = true,
            "rotated" => *family = Told { rotated: family.rotated + 1, is_presenting: false },
            other => panic!("the child said {other}"),
        }
    }
    told
}

/// Not a test of its own: what the test above runs as a process and kills.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by the test that kills it"]
async fn child_that_is_killed() {
    let (database, first) = told_by_the_parent();
    let store = SqliteStore::open(database, SqliteOptions::default()).await.unwrap();
    for number in first..first + FAMILIES {
        let opened = store.open(session(number), None, Cap::NONE).await.unwrap();
        assert_eq!(opened, Opened::Open { ended: vec![] });
        let begun = store.begin(&digest(number), nth(number, 0).digest(&pepper())).await.unwrap();
        assert_eq!(begun, Begun::Begun);
    }
    println!("\n{MARK}ready");
    let mut clients = JoinSet::new();
    for number in first..first + FAMILIES {
        let store = Arc::clone(&store);
        clients.spawn(async move {
            for generation in 0..200 {
                let token = nth(number, generation);
                println!("{MARK}presenting {number}.");
                assert_eq!(redeem(&store, number, &token, salt(generation)).await, Redeemed::Rotated);
                println!("{MARK}rotated {number}.");
            }
            std::future::pending::<()>().await;
        });
    }
    clients.join_all().await;
}

async fn redeem(store: &SqliteStore, number: u64, token: &RefreshToken, salt: Salt) -> Redeemed {
    let next = Next { digest: token.successor(&salt, &pepper()).unwrap().digest(&pepper()), salt };
    let presented = token.presented(&pepper());
    let session = digest(number);
    store.redeem(Redemption { session, presented, next, now: START, window: WINDOW }).await.unwrap()
}

/// The token of a family after so many, as the child has them made.
fn nth(number: u64, generation: u8) -> RefreshToken {
    let mut token = RefreshToken::first(id(number), [number.to_le_bytes()[0]; 32]);
    for before in 0..generation {
        token = token.successor(&salt(before), &pepper()).unwrap();
    }
    token
}

fn salt(generation: u8) -> Salt {
    [generation; 16]
}

fn pepper() -> Pepper {
    Pepper::new(&[5; 32])
}
