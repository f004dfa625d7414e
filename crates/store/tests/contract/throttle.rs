//! Login attempts: both tallies or neither, and nothing that is still needed is forgotten.

use std::time::Duration;

use vestibule_core::Timestamp;
use vestibule_core::throttle::{
    Attempt, AttemptKind, FORGET_AFTER, FREE_ATTEMPTS, HARD_STOP, HARD_WAIT, Receipt, Reservation, SIGN_INS,
    SIGN_INS_IN_FLIGHT, SOURCE, STRANGERS,
};

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
        for account in 0..SOURCE.burst() as u8 {
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
        for account in 0..SOURCE.burst() as u8 {
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
        for _ in 1..FREE_ATTEMPTS {
            reserve(&*store, attempt(1, 1), START).await;
        }
        let receipt = counted(&*store, attempt(1, 1), START).await;
        store.succeeded(&receipt).await.unwrap();
        // Twice tells nothing new.
        store.succeeded(&receipt).await.unwrap();
        for _ in 0..FREE_ATTEMPTS {
            assert_eq!(reserve(&*store, attempt(1, 2), START).await, None);
        }
        for account in 0..(SOURCE.burst() - FREE_ATTEMPTS) as u8 {
            assert_eq!(reserve(&*store, attempt(100 + account, 1), START).await, None);
        }
        assert!(reserve(&*store, attempt(250, 1), START).await.is_some());
    })
    .await;
}

#[tokio::test]
async fn what_was_not_evaluated_is_given_back_to_all_but_the_source() {
    on_every_store(async |store| {
        for _ in 0..SOURCE.burst() {
            let receipt = counted(&*store, attempt(1, 1), START).await;
            store.give_back(&receipt).await.unwrap();
        }
        // To ask has its price where there was no time to answer, too: the source has none left, and the account all.
        assert_eq!(reserve(&*store, attempt(1, 1), START).await, Some(Duration::from_secs(3)));
        for source in 0..FREE_ATTEMPTS as u8 {
            assert_eq!(reserve(&*store, attempt(1, 100 + source), START).await, None);
        }
        // Nothing is left of it, so there is nothing to give.
        let gone = counted(&*store, attempt(2, 2), START).await;
        store.give_back(&gone).await.unwrap();
        store.give_back(&gone).await.unwrap();
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

/// AU-05: guesses that come from everywhere and go to every account wait for each other beyond one a minute from each source; who is
/// known waits for none of them, and whoever gets in has taken nothing from the rest.
#[tokio::test]
async fn strangers_have_one_budget_together_and_the_known_have_none_of_it() {
    on_every_store(async |store| {
        let sources = 20;
        for number in 0..STRANGERS.burst() as u16 + sources {
            let receipt = counted(&*store, from_source(number % sources, number), START).await;
            assert_eq!(receipt.taken_from.is_none(), number < sources, "{number}");
        }
        let wait = Duration::from_millis(200);
        let probe = from_source(0, 60_000);
        assert_eq!(reserve(&*store, probe, START).await, Some(wait));
        for (number, by) in [(60_001, AttemptKind::Session { address: [7; 32] }), (60_002, device(8))] {
            let known = Attempt { by, ..from_source(1, number) };
            for _ in 1..FREE_ATTEMPTS {
                assert_eq!(reserve(&*store, known, START).await, None);
            }
            let receipt = counted(&*store, known, START).await;
            store.succeeded(&receipt).await.unwrap();
            assert_eq!(reserve(&*store, probe, START).await, Some(wait), "the known gave nothing back");
        }
        let own = counted(&*store, from_source(100, 60_003), START).await;
        assert_eq!(own.taken_from, None, "a source that nobody used has one of its own");
        store.succeeded(&own).await.unwrap();
        assert_eq!(reserve(&*store, probe, START).await, Some(wait), "nothing was taken from the rest");

        let newcomer =
            counted(&*store, Attempt { by: AttemptKind::Newcomer, ..from_source(2, 60_004) }, START).await;
        assert_eq!(newcomer.taken_from, AttemptKind::Newcomer.crowd());
        let later = START.after(wait);
        let taken = counted(&*store, probe, later).await;
        assert_eq!(reserve(&*store, from_source(0, 60_005), later).await, Some(wait));
        store.succeeded(&taken).await.unwrap();
        let taken = counted(&*store, from_source(0, 60_005), later).await;
        assert_eq!(reserve(&*store, from_source(0, 60_006), later).await, Some(wait));
        store.give_back(&taken).await.unwrap();
        assert_eq!(reserve(&*store, from_source(0, 60_006), later).await, None);
        store.forget_expired(later).await.unwrap();
        assert_eq!(
            reserve(&*store, from_source(0, 60_007), later).await,
            Some(wait),
            "nothing was forgotten too early"
        );
    })
    .await;
}

/// AU-05: all known devices of an account stop at a hundred failures in a row, however few each has; success on one starts afresh.
#[tokio::test]
async fn known_devices_of_an_account_stop_together() {
    on_every_store(async |store| {
        let device = |number: u8| Attempt { by: device(8), ..attempt(number, number) };
        for number in 0..HARD_STOP as u8 {
            assert_eq!(reserve(&*store, device(number), START).await, None, "{number}");
        }
        assert_eq!(reserve(&*store, device(200), START).await, Some(HARD_WAIT));
        let elsewhere = Attempt { by: self::device(9), ..attempt(200, 200) };
        assert_eq!(reserve(&*store, elsewhere, START).await, None, "another account's");
        let receipt = counted(&*store, device(200), START.after(HARD_WAIT)).await;
        store.give_back(&receipt).await.unwrap();
        let receipt = counted(&*store, device(200), START.after(HARD_WAIT)).await;
        store.succeeded(&receipt).await.unwrap();
        assert_eq!(reserve(&*store, device(201), START.after(HARD_WAIT)).await, None);
    })
    .await;
}

/// AU-07: whoever knows a password, and signs in with it over and over on devices that it knows, has one budget for the account and one for the
/// address; a neighbour on a known device of another account has an attempt a minute that asks neither.
#[tokio::test]
async fn known_devices_are_one_source_together_and_their_address_counts() {
    on_every_store(async |store| {
        let on = |account: u8, number: u16| {
            let own = stranger(number);
            Attempt { account: own.account, source: [account; 32], by: device(account) }
        };
        let mut number = 0;
        let mut signs_in = async |account, now| {
            number += 1;
            match store.reserve(on(account, number), now).await.unwrap() {
                Reservation::Reserved(receipt) => {
                    store.succeeded(&receipt).await.unwrap();
                    true
                }
                Reservation::Wait(_) => false,
            }
        };
        let mut let_in = 0;
        for _ in 0..200 {
            let_in += u32::from(signs_in(1, START).await);
        }
        assert_eq!(let_in, SOURCE.burst(), "the account's devices together");
        // One more account at the address: its own attempt, and the one that is left of what the address has.
        let mut let_in = 0;
        for _ in 0..10 {
            let_in += u32::from(signs_in(2, START).await);
        }
        assert_eq!(let_in, 2);
        assert!(signs_in(3, START).await, "a neighbour has one of its own");
        assert!(signs_in(3, START.after(Duration::from_secs(61))).await, "and a minute later again");
    })
    .await;
}

/// AU-07: an account's sign-ins by strangers are counted over all addresses; failures are not, and forgiving failures forgets none.
#[tokio::test]
async fn sign_ins_of_strangers_are_counted_by_account() {
    on_every_store(async |store| {
        let from = |source: u16| Attempt { source: stranger(source).source, ..attempt(1, 1) };
        for source in 0..u16::try_from(SIGN_INS.burst() - SIGN_INS_IN_FLIGHT).unwrap() {
            let failed = counted(&*store, from(1000 + source), START).await;
            assert_eq!(failed.attempt.sign_ins(), Some([0xfe; 32]));
            let receipt = counted(&*store, from(source), START).await;
            store.succeeded(&receipt).await.unwrap();
        }
        let wait = Some(Duration::from_secs(3));
        assert_eq!(reserve(&*store, from(500), START).await, wait);
        store.forgive(&[[1; 32]]).await.unwrap();
        store.forget_expired(START).await.unwrap();
        assert_eq!(reserve(&*store, from(500), START).await, wait);
        assert_eq!(reserve(&*store, attempt(2, 2), START).await, None, "another account");
        let on_device = Attempt { by: device(8), ..attempt(1, 3) };
        assert_eq!(reserve(&*store, on_device, START).await, None, "a known device");
        assert_eq!(reserve(&*store, from(500), START.after(Duration::from_secs(3))).await, None);
    })
    .await;
}

#[tokio::test]
async fn what_is_forgiven_is_forgotten_of_these_accounts_alone() {
    on_every_store(async |store| {
        let device = Attempt { by: device(8), ..attempt(3, 3) };
        for source in 0..FREE_ATTEMPTS as u8 {
            reserve(&*store, attempt(1, source), START).await;
            reserve(&*store, attempt(2, source), START).await;
        }
        for number in 0..HARD_STOP as u8 {
            reserve(&*store, Attempt { by: device.by, ..attempt(100 + number, number) }, START).await;
        }
        assert!(reserve(&*store, device, START).await.is_some());
        store.forgive(&[[1; 32], [8; 32], [77; 32]]).await.unwrap();
        assert_eq!(reserve(&*store, attempt(1, 99), START).await, None);
        assert_eq!(reserve(&*store, device, START).await, None);
        assert_eq!(reserve(&*store, attempt(2, 99), START).await, Some(Duration::from_secs(1)));
    })
    .await;
}

/// What is given back late leaves the wait of an attempt after it.
#[tokio::test]
async fn giving_back_wipes_no_later_attempts_wait() {
    on_every_store(async |store| {
        for source in 1..FREE_ATTEMPTS as u8 {
            reserve(&*store, attempt(1, source), START).await;
        }
        let first = counted(&*store, attempt(1, 9), START).await;
        let later = START.after(Duration::from_secs(1));
        assert_eq!(reserve(&*store, attempt(1, 9), later).await, None);
        store.give_back(&first).await.unwrap();
        assert_eq!(reserve(&*store, attempt(1, 9), later).await, Some(Duration::from_secs(2)));
    })
    .await;
}

/// An attempt on an account and from a source that no other attempt concerns.
pub(crate) fn stranger(number: u16) -> Attempt {
    let mut key = [0xee; 32];
    key[..2].copy_from_slice(&number.to_be_bytes());
    Attempt { account: key, source: key, by: STRANGER }
}

/// An attempt on an account that no other attempt concerns, from this source.
pub(crate) fn from_source(source: u16, number: u16) -> Attempt {
    Attempt { source: stranger(source).source, ..stranger(number) }
}

/// On a known device of the account with this number.
fn device(account: u8) -> AttemptKind {
    AttemptKind::Device { devices: [account; 32], address: [7; 32] }
}

pub(crate) const STRANGER: AttemptKind = AttemptKind::Stranger(STRANGERS);

async fn counted(store: &dyn Store, attempt: Attempt, now: Timestamp) -> Receipt {
    match store.reserve(attempt, now).await.unwrap() {
        Reservation::Reserved(receipt) => receipt,
        Reservation::Wait(wait) => panic!("wait {wait:?}"),
    }
}

async fn reserve(store: &dyn Store, attempt: Attempt, now: Timestamp) -> Option<Duration> {
    match store.reserve(attempt, now).await.unwrap() {
        Reservation::Reserved(_) => None,
        Reservation::Wait(wait) => Some(wait),
    }
}

pub(crate) fn attempt(account: u8, source: u8) -> Attempt {
    Attempt { account: [account; 32], source: [source; 32], by: STRANGER }
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
