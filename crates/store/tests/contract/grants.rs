//! Token families: one successor for each refresh token, whoever asks and however often, and none once the session has ended.

use std::time::Duration;

use vestibule_core::Timestamp;
use vestibule_core::account::Status;
use vestibule_core::port::{Begun, Ending, Redeemed, Redemption};
use vestibule_core::refresh_token::{Next, RefreshToken};
use vestibule_core::secret::Pepper;

use crate::races::race;
use crate::world::*;

pub(crate) const WINDOW: Duration = Duration::from_secs(10);
const ROUNDS: u16 = 20;
const RACERS: u8 = 64;

pub(crate) fn pepper() -> Pepper {
    Pepper::new(&[5; 32])
}

/// The first token of the family of the session with this number.
fn first(number: u16) -> RefreshToken {
    RefreshToken::first(id(number), [3; 32])
}

pub(crate) fn after(token: &RefreshToken, salt: u8) -> RefreshToken {
    token.successor(&[salt; 16], &pepper()).unwrap()
}

fn redemption(number: u16, token: &RefreshToken, salt: u8, now: Timestamp) -> Redemption {
    let next = Next { digest: after(token, salt).digest(&pepper()), salt: [salt; 16] };
    Redemption { session: digest(number), presented: token.presented(&pepper()), next, now, window: WINDOW }
}

pub(crate) async fn redeem(
    store: &dyn Store,
    number: u16,
    token: &RefreshToken,
    salt: u8,
    now: Timestamp,
) -> Redeemed {
    store.redeem(redemption(number, token, salt, now)).await.unwrap()
}

/// Opens sessions of account 1, each with a family.
async fn with_families(store: &dyn Store, numbers: &[u16]) {
    with_sessions(store, 1, numbers).await;
    for number in numbers {
        let begun = store.begin(&digest(*number), first(*number).digest(&pepper())).await.unwrap();
        assert_eq!(begun, Begun::Begun);
    }
}

#[tokio::test]
async fn each_token_is_traded_once_and_a_lost_answer_is_given_again() {
    on_every_store(async |store| {
        with_families(&*store, &[1, 2]).await;
        let (one, two) = (first(1), after(&first(1), 10));
        assert_eq!(redeem(&*store, 1, &one, 10, START).await, Redeemed::Rotated);
        assert_eq!(redeem(&*store, 1, &one, 11, START).await, Redeemed::Repeated([10; 16]));
        assert_eq!(redeem(&*store, 1, &two, 12, START).await, Redeemed::Rotated);
        assert_eq!(redeem(&*store, 1, &one, 13, START).await, Redeemed::Late);
        assert_eq!(redeem(&*store, 1, &two, 14, START).await, Redeemed::Repeated([12; 16]));
        assert_eq!(redeem(&*store, 1, &after(&two, 12), 15, START.after(WINDOW)).await, Redeemed::Rotated);
        // The other family is another.
        assert_eq!(redeem(&*store, 2, &first(2), 10, START).await, Redeemed::Rotated);
        assert_eq!(redeem(&*store, 3, &first(3), 10, START).await, Redeemed::Unknown);
    })
    .await;
}

/// RT-01: two parties hold the family, and one of them stole it.
#[tokio::test]
async fn a_replay_ends_the_session_and_nobody_elses() {
    on_every_store(async |store| {
        with_families(&*store, &[1, 2]).await;
        assert_eq!(redeem(&*store, 1, &first(1), 10, START).await, Redeemed::Rotated);
        assert_eq!(redeem(&*store, 1, &first(1), 11, START.after(WINDOW)).await, Redeemed::Replayed(id(1)));
        assert!(!is_live(&*store, 1) && is_live(&*store, 2));
        assert_eq!(store.session(id(1), START).await.unwrap(), None);
        let newest = after(&first(1), 10);
        assert_eq!(redeem(&*store, 1, &newest, 12, START.after(WINDOW)).await, Redeemed::Unknown);
        assert_eq!(redeem(&*store, 1, &first(1), 12, START.after(WINDOW)).await, Redeemed::Unknown);
    })
    .await;
}

/// RT-03: whatever ends a session ends its family.
#[tokio::test]
async fn a_family_ends_with_its_session() {
    for ending in [
        Ending::Everyone,
        Ending::One(id(1)),
        Ending::Others { subject: subject(1), keep: id(2) },
        Ending::Presented(digest(1)),
        Ending::Subject(subject(1)),
    ] {
        on_every_store(async |store| {
            with_families(&*store, &[1, 2]).await;
            store.end(ending).await.unwrap();
            assert_eq!(redeem(&*store, 1, &first(1), 10, START).await, Redeemed::Unknown, "{ending:?}");
            assert_eq!(store.begin(&digest(1), first(1).digest(&pepper())).await.unwrap(), Begun::NoSession);
        })
        .await;
    }
    on_every_store(async |store| {
        with_families(&*store, &[1]).await;
        store.set_status(subject(1), Status::Disabled).await.unwrap();
        assert_eq!(redeem(&*store, 1, &first(1), 10, START).await, Redeemed::Unknown);
        store.set_status(subject(1), Status::Enabled).await.unwrap();
        assert_eq!(redeem(&*store, 1, &first(1), 10, START).await, Redeemed::Unknown);
    })
    .await;
    on_every_store(async |store| {
        with_families(&*store, &[1]).await;
        assert_eq!(store.forget_expired(START.after(IDLE)).await.unwrap(), 1);
        assert_eq!(redeem(&*store, 1, &first(1), 10, START).await, Redeemed::Unknown);
    })
    .await;
}

/// RT-02: of 64 that present one token at once one rotates, and all of them get the same successor.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn parallel_refreshes_make_exactly_one_successor() {
    on_every_store(async |store| {
        with_families(&*store, &[1]).await;
        let mut token = first(1);
        for _ in 0..ROUNDS {
            let asked: Vec<_> = (0..RACERS).map(|salt| redemption(1, &token, salt, START)).collect();
            let answers = race(asked, &store, |store, redemption| async move {
                (redemption.next.salt, store.redeem(redemption).await.unwrap())
            });
            let (mut rotated, mut repeated) = (Vec::new(), Vec::new());
            for (salt, answer) in answers.await {
                match answer {
                    Redeemed::Rotated => rotated.push(salt),
                    Redeemed::Repeated(salt) => repeated.push(salt),
                    other => panic!("{other:?}"),
                }
            }
            assert_eq!((rotated.len(), repeated.len()), (1, usize::from(RACERS) - 1));
            assert!(repeated.iter().all(|salt| *salt == rotated[0]));
            token = token.successor(&rotated[0], &pepper()).unwrap();
        }
    })
    .await;
}

/// Families of many sessions at once, as a store takes them together: nobody gets the answer of another.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_families_at_once_rotate_each_for_itself() {
    on_every_store(async |store| {
        let numbers: Vec<u16> = (0..u16::from(RACERS)).collect();
        with_families(&*store, &numbers).await;
        let mut tokens: Vec<_> = numbers.iter().map(|number| first(*number)).collect();
        for round in 0..4 {
            // The last of them presents what it had at the beginning.
            let asked: Vec<_> = numbers
                .iter()
                .zip(&tokens)
                .map(|(number, token)| redemption(*number, token, *number as u8, START))
                .chain((round == 3).then(|| redemption(7, &first(7), 99, START.after(WINDOW))))
                .collect();
            let answers =
                race(asked, &store, |store, asked| async move { store.redeem(asked).await.unwrap() }).await;
            let rotated = answers.iter().filter(|answer| **answer == Redeemed::Rotated).count();
            match round {
                3 => {
                    assert!(answers.contains(&Redeemed::Replayed(id(7))));
                    assert!(rotated >= usize::from(RACERS) - 1);
                }
                _ => assert_eq!(rotated, usize::from(RACERS)),
            }
            tokens = numbers.iter().zip(&tokens).map(|(number, token)| after(token, *number as u8)).collect();
        }
        assert!(numbers.iter().all(|number| is_live(&*store, *number) == (*number != 7)));
        for (number, token) in numbers.iter().zip(&tokens).filter(|(number, _)| **number != 7) {
            assert_eq!(redeem(&*store, *number, token, 1, START).await, Redeemed::Rotated);
        }
    })
    .await;
}
