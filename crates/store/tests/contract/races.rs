//! What must hold whoever comes first. Each race is run many times, on threads.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use vestibule_core::account::{Status, Traits};
use vestibule_core::id::SessionId;
use vestibule_core::port::{Added, Ending, Opened, PasswordAuthority, Reissued};
use vestibule_core::session::{Cap, Reissue};
use vestibule_core::throttle::{
    Attempt, FREE_ATTEMPTS, HARD_STOP, HARD_WAIT, Reservation, SOURCE, STRANGERS,
};
use vestibule_core::{Fault, Timestamp};

use crate::throttle::{STRANGER, attempt, from_source, stranger};
use crate::world::*;

const ROUNDS: u16 = 20;
const RACERS: u16 = 64;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_opens_that_replace_one_session_both_open_and_the_old_one_is_dead() {
    on_every_store(async |store| {
        store.add(account(1)).await.unwrap();
        for round in 0..ROUNDS {
            let (old, one, other) = (3 * round, 3 * round + 1, 3 * round + 2);
            store.open(session(old, 1), None, Cap::NONE).await.unwrap();
            let answers = race([one, other], &store, move |store, number| async move {
                store.open(session(number, 1), Some(id(old)), Cap::NONE).await.unwrap()
            });
            let ended: Vec<_> = answers.await.into_iter().map(ended_by).collect();
            assert_eq!(set(ended.clone()), BTreeSet::from([id(old)]));
            assert_eq!(ended.concat().len(), 1, "what ended is named once");
            assert!(!is_live(&*store, old) && is_live(&*store, one) && is_live(&*store, other));
        }
    })
    .await;
}

/// A login that fails, or whose account changed, takes none of those down that came at the same moment, on a store that carries
/// them out together.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_login_that_fails_fails_alone() {
    on_every_store(async |store| {
        store.add(account(1)).await.unwrap();
        for round in 0..ROUNDS {
            let first = RACERS * round;
            let answers = race(0..RACERS, &store, move |store, number| async move {
                let mut one = session(first + number, 1);
                match number {
                    // The id of one that comes at the same time: whichever of the two is first opens.
                    7 => one.id = id(first + 40),
                    21 => one.epoch = 9,
                    _ => {}
                }
                store.open(one, None, Cap::NONE).await
            });
            let (mut failed, mut changed, mut opened) = (0, 0, 0);
            for answer in answers.await {
                match answer {
                    Err(fault) => {
                        assert!(matches!(fault, Fault::Bug(_)), "{}", fault.report());
                        failed += 1;
                    }
                    Ok(Opened::AccountChanged) => changed += 1,
                    Ok(Opened::Open { ended }) => {
                        assert_eq!(ended, []);
                        opened += 1;
                    }
                }
            }
            assert_eq!((failed, changed, opened), (1, 1, RACERS - 2));
            let alive = (first..first + RACERS).filter(|number| is_live(&*store, *number)).count();
            assert_eq!(alive, usize::from(RACERS) - 2);
        }
    })
    .await;
}

/// SS-09: of 200 logins at once under a cap of three, three are live, and every other one is named by the login that ended it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn parallel_logins_leave_exactly_the_cap() {
    const LOGINS: u16 = 200;
    on_every_store(async |store| {
        let cap = Cap::at(3.try_into().unwrap());
        for round in 0..5 {
            let of = round as u8;
            store.add(account(of)).await.unwrap();
            let first = LOGINS * round;
            let answers = race(0..LOGINS, &store, move |store, number| async move {
                ended_by(store.open(session(first + number, of), None, cap).await.unwrap())
            });
            let named = answers.await;
            let ended = set(named.clone());
            assert_eq!(ended.len(), named.concat().len(), "what ended is named once");
            let alive = |number: &u16| is_live(&*store, *number);
            let live: Vec<_> = (first..first + LOGINS).filter(alive).collect();
            assert_eq!((live.len(), ended.len()), (3, usize::from(LOGINS) - 3));
            assert!(live.iter().all(|number| !ended.contains(&id(*number))));
            assert_eq!(store.sessions(Some(subject(of)), ALL, START).await.unwrap().len(), 3);
        }
    })
    .await;
}

/// SS-03: however many tabs ask at once for a new session token, one of them gets it, and one token is good at any time.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_of_many_reissues_is_carried_out() {
    on_every_store(async |store| {
        store.add(account(1)).await.unwrap();
        for round in 0..ROUNDS {
            let old = (RACERS + 1) * round;
            store.open(session(old, 1), None, Cap::NONE).await.unwrap();
            let answers = race(1..=RACERS, &store, move |store, number| async move {
                let reissue = Reissue { digest: digest(old + number), at: START, proof: None };
                store.reissue(&digest(old), reissue).await.unwrap()
            });
            let done: Vec<_> = answers.await.into_iter().filter(|it| *it != Reissued::Gone).collect();
            assert_eq!(done.len(), 1);
            assert!(!is_live(&*store, old));
            let alive = (old..=old + RACERS).filter(|number| is_live(&*store, *number));
            assert_eq!(alive.count(), 1);
            store.end(Ending::Everyone).await.unwrap();
        }
    })
    .await;
}

/// SS-06, SS-07: an ending wins against a new session token, whoever comes first.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_session_escapes_its_ending_under_a_new_token() {
    on_every_store(async |store| {
        for round in 0..ROUNDS {
            let of = round as u8;
            store.add(account(of)).await.unwrap();
            let old = (RACERS + 1) * round;
            store.open(session(old, of), None, Cap::NONE).await.unwrap();
            let answers = race(1..=RACERS, &store, move |store, number| async move {
                if number != RACERS / 2 {
                    let reissue = Reissue { digest: digest(old + number), at: START, proof: None };
                    store.reissue(&digest(old), reissue).await.unwrap();
                    return vec![];
                }
                match round % 4 {
                    0 => store.end(Ending::One(id(old))).await.unwrap(),
                    1 => ended(store.set_status(subject(of), Status::Disabled).await.unwrap()),
                    2 => ended(
                        store
                            .set_password(subject(of), hash("new"), PasswordAuthority::Operator)
                            .await
                            .unwrap(),
                    ),
                    _ => store.end(Ending::Everyone).await.unwrap(),
                }
            });
            assert_eq!(answers.await.concat(), [id(old)]);
            assert!((old..=old + RACERS).all(|number| !is_live(&*store, number)), "round {round}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_of_many_ends_ends_it() {
    on_every_store(async |store| {
        store.add(account(1)).await.unwrap();
        for round in 0..ROUNDS {
            store.open(session(round, 1), None, Cap::NONE).await.unwrap();
            let ended = race(0..RACERS, &store, move |store, number| async move {
                let which = match number % 3 {
                    0 => Ending::One(id(round)),
                    1 => Ending::Presented(digest(round)),
                    _ => Ending::Subject(subject(1)),
                };
                store.end(which).await.unwrap()
            });
            assert_eq!(ended.await.concat(), [id(round)]);
            assert!(!is_live(&*store, round));
        }
    })
    .await;
}

/// A session that opens while its account is disabled, removed or given a new password either does not open, or is among those
/// that ended: nothing in between is left to walk the house.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_session_survives_the_change_that_ends_it() {
    on_every_store(async |store| {
        for round in 0..ROUNDS {
            let of = round as u8;
            store.add(account(of)).await.unwrap();
            let first = RACERS * round;
            let answers = race(0..RACERS, &store, move |store, number| async move {
                if number != RACERS / 2 {
                    let session = session(first + number, of);
                    let id = session.id;
                    return match store.open(session, None, Cap::NONE).await.unwrap() {
                        Opened::Open { .. } => (vec![id], vec![]),
                        Opened::AccountChanged => (vec![], vec![]),
                    };
                }
                let changed = match round % 3 {
                    0 => store.set_status(subject(of), Status::Disabled).await,
                    1 => store.remove(subject(of)).await,
                    _ => store.set_password(subject(of), hash("new"), PasswordAuthority::Operator).await,
                };
                (vec![], ended(changed.unwrap()))
            });
            let (opened, ended): (Vec<_>, Vec<_>) = answers.await.into_iter().unzip();
            assert_eq!(set(opened), set(ended), "round {round}");
            for number in first..first + RACERS {
                assert!(!is_live(&*store, number), "round {round}: {number}");
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whoever_opens_beside_an_ending_of_everyone_is_open_or_ended() {
    on_every_store(async |store| {
        store.add(account(1)).await.unwrap();
        for round in 0..ROUNDS {
            let first = RACERS * round;
            let answers = race(0..RACERS, &store, move |store, number| async move {
                if number % 16 == 8 {
                    return store.end(Ending::Everyone).await.unwrap();
                }
                assert_eq!(
                    store.open(session(first + number, 1), None, Cap::NONE).await.unwrap(),
                    Opened::Open { ended: vec![] }
                );
                vec![]
            });
            let ended = set(answers.await);
            for number in (first..first + RACERS).filter(|number| number % 16 != 8) {
                assert_eq!(is_live(&*store, number), !ended.contains(&id(number)), "round {round}: {number}");
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn new_traits_bring_no_ended_session_back() {
    on_every_store(async |store| {
        store.add(account(1)).await.unwrap();
        for round in 0..ROUNDS {
            store.open(session(round, 1), None, Cap::NONE).await.unwrap();
            race(0..RACERS, &store, move |store, number| async move {
                if number == RACERS / 2 {
                    assert_eq!(store.end(Ending::One(id(round))).await.unwrap(), [id(round)]);
                } else {
                    let traits = Traits::parse(&format!(r#"{{"level":{number}}}"#)).unwrap();
                    ended(store.set_traits(subject(1), traits).await.unwrap());
                }
            })
            .await;
            assert!(!is_live(&*store, round));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_change_of_traits_is_a_version_of_its_own() {
    on_every_store(async |store| {
        with_sessions(&*store, 1, &[1]).await;
        race(0..RACERS, &store, move |store, number| async move {
            let traits = Traits::parse(&format!(r#"{{"level":{number}}}"#)).unwrap();
            ended(store.set_traits(subject(1), traits).await.unwrap());
        })
        .await;
        assert_eq!(live(&*store, digest(1)).unwrap().version(), 1 + u32::from(RACERS));
    })
    .await;
}

/// AU-04: any number of parallel guesses evaluates no more passwords than the budget.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn parallel_guesses_evaluate_exactly_the_budget() {
    on_every_store(async |store| {
        for round in 0..ROUNDS as u8 {
            let on_one_account = race(0..RACERS, &store, move |store, number| async move {
                let attempt = Attempt { account: [round; 32], source: [number as u8; 32], by: STRANGER };
                store.reserve(attempt, START.after(DAY * u32::from(round))).await.unwrap()
            });
            assert_eq!(reserved(on_one_account.await), FREE_ATTEMPTS as usize);
        }
        for round in 0..ROUNDS as u8 {
            let from_one_source = race(0..2 * RACERS, &store, move |store, number| async move {
                // Like no other digest, also not with each bit turned.
                let mut source = [7; 32];
                source[0] = round;
                let attempt = Attempt { account: [100 + number as u8; 32], source, by: STRANGER };
                let now = START.after(DAY * (100 + 3 * u32::from(round)));
                store.reserve(attempt, now).await.unwrap()
            });
            assert_eq!(reserved(from_one_source.await), SOURCE.burst() as usize);
        }
    })
    .await;
}

/// AU-05: ten thousand guesses at one moment, hundreds of them at once. All at one account, each from a source of its own, they evaluate
/// what one account allows. Each at an account of its own, from a hundred sources, they evaluate one for each source and what all
/// strangers together are allowed: the sources would have had 60 each.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ten_thousand_parallel_guesses_evaluate_exactly_the_budget() {
    const SOURCES: u16 = 100;
    on_every_store(async |store| {
        let on_one_account = race(0..10_000_u16, &store, |store, number| async move {
            let attempt = Attempt { account: [1; 32], ..stranger(number) };
            guess(&*store, attempt, START).await
        });
        assert_eq!(reserved(on_one_account.await), FREE_ATTEMPTS as usize);
        let on_every_account = race(0..10_000_u16, &store, |store, number| async move {
            guess(&*store, from_source(number % SOURCES, number), START.after(DAY)).await
        });
        assert_eq!(reserved(on_every_account.await), usize::from(SOURCES) + STRANGERS.burst() as usize);
    })
    .await;
}

/// AU-05: guesses carry the moment at which they began, and reach the store in any order: an earlier one is no clock that was set back.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn guesses_that_come_out_of_order_evaluate_exactly_the_budget() {
    on_every_store(async |store| {
        let mut now = START;
        for number in 0..HARD_STOP as u8 {
            while let Reservation::Wait(wait) = store.reserve(attempt(1, number), now).await.unwrap() {
                now = now.after(wait);
            }
        }
        // The hundred and first, and then a day of waiting for each.
        let due = now.after(HARD_WAIT);
        for expected in [1, 0] {
            let guesses = race(0..RACERS, &store, move |store, number| async move {
                let began = due.after(Duration::from_millis((RACERS - number).into()));
                store.reserve(attempt(1, 100 + number as u8), began).await.unwrap()
            });
            assert_eq!(reserved(guesses.await), expected);
        }
    })
    .await;
}

/// As many at once as connections would bring: a store answers within seconds or not at all, on a slow machine, too.
static AT_ONCE: Semaphore = Semaphore::const_new(256);

async fn guess(store: &dyn Store, attempt: Attempt, now: Timestamp) -> Reservation {
    let _place = AT_ONCE.acquire().await.unwrap();
    store.reserve(attempt, now).await.unwrap()
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_of_many_gets_an_identifier() {
    on_every_store(async |store| {
        for round in 0..ROUNDS as u8 {
            let answers = race(0..10, &store, move |store, number| async move {
                let mut added = account(10 * round + number);
                added.identifier = account(10 * round).identifier;
                (added.subject, store.add(added).await.unwrap())
            })
            .await;
            let winners: Vec<_> = answers.iter().filter(|(_, answer)| *answer == Added::Added).collect();
            assert_eq!(winners.len(), 1);
            let found = store.find_by_identifier(&account(10 * round).identifier).await.unwrap();
            assert_eq!(found.unwrap().subject, winners[0].0);
        }
    })
    .await;
}

/// Runs them all at once, each in a task of its own; answers in the order of the racers.
pub(crate) async fn race<N, T, F>(
    racers: impl IntoIterator<Item = N>,
    store: &Arc<dyn Store>,
    run: impl Fn(Arc<dyn Store>, N) -> F,
) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let mut tasks = JoinSet::new();
    for (at, racer) in racers.into_iter().enumerate() {
        let running = run(Arc::clone(store), racer);
        tasks.spawn(async move { (at, running.await) });
    }
    let mut answers = tasks.join_all().await;
    answers.sort_by_key(|(at, _)| *at);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

fn reserved(answers: Vec<Reservation>) -> usize {
    answers.into_iter().filter(|answer| matches!(answer, Reservation::Reserved(_))).count()
}

fn set(ids: Vec<Vec<SessionId>>) -> BTreeSet<SessionId> {
    ids.into_iter().flatten().collect()
}
