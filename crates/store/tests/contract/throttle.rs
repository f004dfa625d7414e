//! Login attempts: both tallies or neither, and nothing that is still needed is forgotten.

use std::time::Duration;

use vestibule_core::Timestamp;
use vestibule_core::port::{Attempt, Party, Reservation};
use vestibule_core::throttle::{EVERYBODY, FORGET_AFTER, FREE_ATTEMPTS, HARD_STOP, HARD_WAIT, SOURCE};

use crate::world::*;

#[tokio::test]
async fn an_account_has_its_free_attempts_and_then_waits() {
    on_every_store(async |store| {
        for source in 0..FREE_ATTEMPTS as u8 {
            assert_eq!(reserve(&*store, attempt(1, source), START).await, None);
        }
        let second = Duration::from_secs(1);
        assert_eq!(reserve(&*store, attempt(1, 9), START).await, Some(second));
        assert_eq!(reserve(&*store, attempt(2, 9), START).await, None, "another account is not concerned");
        assert_eq!(reserve(&*store, attempt(1, 9), START.after(second)).await, None);
        assert_eq!(reserve(&*store, attempt(1, 9), START.after(second)).await, Some(2 * second));
    })
    .await;
}

#[tokio::test]
async fn what_one_tally_refuses_is_not_counted_against_the_other() {
    on_every_store(async |store| {
        for account in 0..SOURCE.burst as u8 {
            assert_eq!(reserve(&*store, attempt(account, 1), START).await, None);
        }
        // The source is exhausted: a hundred tries from there cost the account nothing.
        for _ in 0..100 {
            assert!(reserve(&*store, attempt(200, 1), START).await.is_some());
        }
        for _ in 0..FREE_ATTEMPTS {
            assert_eq!(reserve(&*store, attempt(200, 2), START).await, None);
        }
        // And the account is exhausted: a hundred tries on it cost the other source nothing.
        for _ in 0..100 {
            assert!(reserve(&*store, attempt(200, 3), START).await.is_some());
        }
        for account in 0..SOURCE.burst as u8 {
            assert_eq!(reserve(&*store, attempt(account, 3), START).await, None, "{account}");
        }
        // Both are: the longer wait is told.
        assert_eq!(reserve(&*store, attempt(200, 1), START).await, Some(Duration::from_secs(3)));
    })
    .await;
}

#[tokio::test]
async fn success_clears_the_account_and_not_the_source() {
    on_every_store(async |store| {
        for _ in 0..FREE_ATTEMPTS {
            reserve(&*store, attempt(1, 1), START).await;
        }
        store.succeeded(attempt(1, 1)).await.unwrap();
        store.succeeded(attempt(77, 77)).await.unwrap();
        for _ in 0..FREE_ATTEMPTS {
            assert_eq!(reserve(&*store, attempt(1, 2), START).await, None);
        }
        for account in 0..(SOURCE.burst - FREE_ATTEMPTS) as u8 {
            assert_eq!(reserve(&*store, attempt(100 + account, 1), START).await, None);
        }
        assert!(reserve(&*store, attempt(250, 1), START).await.is_some());
    })
    .await;
}

#[tokio::test]
async fn what_was_not_evaluated_is_given_back() {
    on_every_store(async |store| {
        for _ in 0..10 * SOURCE.burst {
            assert_eq!(reserve(&*store, attempt(1, 1), START).await, None);
            store.give_back(attempt(1, 1)).await.unwrap();
        }
        // Nothing was taken, so there is nothing to give.
        store.give_back(attempt(2, 2)).await.unwrap();
        for _ in 0..FREE_ATTEMPTS {
            assert_eq!(reserve(&*store, attempt(2, 2), START).await, None);
        }
        assert!(reserve(&*store, attempt(2, 2), START).await.is_some());
    })
    .await;
}

#[tokio::test]
async fn forgetting_forgives_nobody() {
    on_every_store(async |store| {
        let mut now = START;
        for _ in 0..=FREE_ATTEMPTS + 10 {
            while let Some(wait) = reserve(&*store, attempt(1, 1), now).await {
                now = now.after(wait);
            }
        }
        let wait = reserve(&*store, attempt(1, 1), now).await.unwrap();
        store.forget_expired(now).await.unwrap();
        assert_eq!(reserve(&*store, attempt(1, 1), now).await, Some(wait));

        // The source is full again and may be forgotten; the account is not.
        let almost = now.after(FORGET_AFTER).before(Duration::from_millis(1));
        store.forget_expired(almost).await.unwrap();
        assert_eq!(reserve(&*store, attempt(1, 2), almost).await, None);
        assert!(reserve(&*store, attempt(1, 2), almost).await.is_some(), "still at the end of its patience");

        let fresh = almost.after(FORGET_AFTER);
        store.forget_expired(fresh).await.unwrap();
        for _ in 0..FREE_ATTEMPTS {
            assert_eq!(reserve(&*store, attempt(1, 3), fresh).await, None);
        }
    })
    .await;
}

/// AU-05: guesses that come from everywhere and go to every account wait for each other; who is known waits for none of them, and
/// whoever gets in has taken nothing from the rest.
#[tokio::test]
async fn strangers_have_one_budget_together_and_the_known_have_none_of_it() {
    on_every_store(async |store| {
        for number in 0..EVERYBODY.burst as u16 {
            assert_eq!(reserve(&*store, stranger(number), START).await, None, "{number}");
        }
        let wait = Duration::from_millis(200);
        assert_eq!(reserve(&*store, stranger(60_000), START).await, Some(wait));
        let known = Attempt { by: Party::Known, ..stranger(60_001) };
        for _ in 0..FREE_ATTEMPTS {
            assert_eq!(reserve(&*store, known, START).await, None);
        }
        store.succeeded(known).await.unwrap();
        assert_eq!(
            reserve(&*store, stranger(60_000), START).await,
            Some(wait),
            "the known gave nothing back"
        );
        store.succeeded(stranger(0)).await.unwrap();
        assert_eq!(reserve(&*store, stranger(60_000), START).await, None);
        store.give_back(stranger(60_000)).await.unwrap();
        assert_eq!(reserve(&*store, stranger(60_002), START).await, None);
        assert_eq!(reserve(&*store, stranger(60_003), START).await, Some(wait));
        store.forget_expired(START).await.unwrap();
        assert_eq!(
            reserve(&*store, stranger(60_003), START).await,
            Some(wait),
            "nothing was forgotten too early"
        );
        assert_eq!(reserve(&*store, stranger(60_003), START.after(wait)).await, None);
    })
    .await;
}

/// An attempt on an account and from a source that no other attempt concerns.
pub(crate) fn stranger(number: u16) -> Attempt {
    let mut key = [0xee; 32];
    key[..2].copy_from_slice(&number.to_be_bytes());
    Attempt { account: key, source: key, by: Party::Stranger }
}

async fn reserve(store: &dyn Store, attempt: Attempt, now: Timestamp) -> Option<Duration> {
    match store.reserve(attempt, now).await.unwrap() {
        Reservation::Reserved => None,
        Reservation::Wait(wait) => Some(wait),
    }
}

pub(crate) fn attempt(account: u8, source: u8) -> Attempt {
    Attempt { account: [account; 32], source: [source; 32], by: Party::Stranger }
}

/// AU-05: a hundred failures in a row are not forgotten by waiting, though less than that is.
#[tokio::test]
async fn patience_does_not_reset_a_count_that_reached_the_stop() {
    on_every_store(async |store| {
        let mut now = START;
        for failure in 0..HARD_STOP {
            let source = failure as u8;
            while let Some(wait) = reserve(&*store, attempt(1, source), now).await {
                now = now.after(wait);
            }
        }
        let year = now.after(Duration::from_secs(365 * 24 * 60 * 60));
        store.forget_expired(year).await.unwrap();
        assert_eq!(reserve(&*store, attempt(1, 200), year).await, None);
        let waits = reserve(&*store, attempt(1, 201), year).await;
        assert_eq!(waits, Some(HARD_WAIT), "the count went on where it was");
    })
    .await;
}
