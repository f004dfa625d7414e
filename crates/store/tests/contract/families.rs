//! RT-01 as a machine: any order of refreshing, replaying, revoking, disabling and expiring, over several families of two accounts,
//! against a model that remembers every refresh token there ever was. The store keeps two digests of each family, and answers the same.

use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use vestibule_core::Timestamp;
use vestibule_core::account::Status;
use vestibule_core::port::{Begun, Ending, Opened, Redeemed};
use vestibule_core::refresh_token::RefreshToken;
use vestibule_core::session::{Cap, Session};

use crate::grants::{WINDOW, after, pepper, redeem};
use crate::world::*;

const ACCOUNTS: u8 = 2;
/// What expires within a run, so that some do.
const UNUSED: Duration = Duration::from_secs(60);

#[derive(Clone, Debug)]
enum Step {
    /// Somebody signs in for tokens.
    Issue {
        of: u8,
    },
    /// Somebody presents one of the refresh tokens that a family ever had: the newest, or one that was used up.
    Use {
        family: Index,
        behind: usize,
    },
    /// The same for one that this installation made and the family never had.
    Forge {
        family: Index,
    },
    Revoke {
        family: Index,
    },
    Disable {
        of: u8,
    },
    Expire,
    Wait {
        seconds: u64,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let (of, family) = (0..ACCOUNTS, any::<Index>());
    // The newest most of the time, or no family would live for long.
    let behind = prop_oneof![6 => Just(0_usize), 3 => Just(1), 1 => Just(2), 1 => 3..6_usize];
    prop_oneof![
        3 => of.clone().prop_map(|of| Step::Issue { of }),
        12 => (family.clone(), behind).prop_map(|(family, behind)| Step::Use { family, behind }),
        1 => family.clone().prop_map(|family| Step::Forge { family }),
        1 => family.prop_map(|family| Step::Revoke { family }),
        1 => of.prop_map(|of| Step::Disable { of }),
        1 => Just(Step::Expire),
        4 => (0..15_u64).prop_map(|seconds| Step::Wait { seconds }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_store_answers_as_one_that_remembers_every_token_would(steps in vec(step(), 1..64)) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(on_every_store(async |store| {
            let mut model = Model { now: START, families: Vec::new() };
            for of in 0..ACCOUNTS {
                store.add(account(of)).await.unwrap();
            }
            for (at, step) in steps.iter().enumerate() {
                model.take(step, at, &*store).await;
                for family in &model.families {
                    let found = is_live(&*store, family.number);
                    assert_eq!(found, family.is_alive, "step {at}: {step:?}: session {}", family.number);
                }
            }
        }));
    }
}

struct Model {
    now: Timestamp,
    families: Vec<Family>,
}

/// A family with all that was ever of it.
struct Family {
    number: u16,
    of: u8,
    is_alive: bool,
    opened_at: Timestamp,
    issued: Vec<RefreshToken>,
    /// When each was used up, and with which salt; the newest is not.
    used: Vec<(Timestamp, u8)>,
}

impl Family {
    /// What is due to one that lies so many behind the newest.
    fn expected(&self, behind: usize, now: Timestamp) -> Redeemed {
        if !self.is_alive {
            return Redeemed::Unknown;
        }
        let used = self.used.len().checked_sub(behind).and_then(|at| self.used.get(at));
        let forgiven = used.filter(|(at, _)| now.since(*at) < WINDOW);
        match (behind, forgiven) {
            (0, _) => Redeemed::Rotated,
            (1, Some((_, salt))) => Redeemed::Repeated([*salt; 16]),
            (2, Some(_)) => Redeemed::Late,
            _ => Redeemed::Replayed(id(self.number)),
        }
    }
}

impl Model {
    async fn take(&mut self, step: &Step, at: usize, store: &dyn Store) {
        let salt = u8::try_from(at).unwrap();
        let now = self.now;
        match step {
            Step::Issue { of } => self.issue(*of, store).await,
            Step::Use { family, behind } => {
                let Some(family) = pick(&mut self.families, family) else { return };
                let behind = (*behind).min(family.issued.len() - 1);
                let presented = family.issued.iter().rev().nth(behind).unwrap();
                let answer = redeem(store, family.number, presented, salt, now).await;
                assert_eq!(answer, family.expected(behind, now), "step {at}: {behind} behind");
                match answer {
                    Redeemed::Rotated => {
                        let next = after(presented, salt);
                        family.issued.push(next);
                        family.used.push((now, salt));
                    }
                    Redeemed::Replayed(_) => family.is_alive = false,
                    _ => {}
                }
            }
            Step::Forge { family } => {
                let Some(family) = pick(&mut self.families, family) else { return };
                let forged = RefreshToken::first(id(family.number), [66; 32]);
                let answer = redeem(store, family.number, &forged, salt, now).await;
                let expected = match (family.issued.len() - 1, family.is_alive) {
                    // It is told apart from the one in its place, and never good for anything.
                    (0 | 1, true) => Redeemed::Replayed(id(family.number)),
                    (behind, _) => family.expected(behind, now),
                };
                assert_eq!(answer, expected, "step {at}");
                family.is_alive &= !matches!(answer, Redeemed::Replayed(_));
            }
            Step::Revoke { family } => {
                let Some(family) = pick(&mut self.families, family) else { return };
                let ended = store.end(Ending::Presented(digest(family.number))).await.unwrap();
                assert_eq!(ended, Vec::from_iter(family.is_alive.then(|| id(family.number))));
                family.is_alive = false;
            }
            Step::Disable { of } => {
                store.set_status(subject(*of), Status::Disabled).await.unwrap();
                store.set_status(subject(*of), Status::Enabled).await.unwrap();
                self.families.iter_mut().filter(|it| it.of == *of).for_each(|it| it.is_alive = false);
            }
            Step::Expire => {
                store.forget_expired(now).await.unwrap();
                let is_over = |it: &&mut Family| now.since(it.opened_at) >= UNUSED;
                self.families.iter_mut().filter(is_over).for_each(|it| it.is_alive = false);
            }
            Step::Wait { seconds } => self.now = now.after(Duration::from_secs(*seconds)),
        }
    }

    async fn issue(&mut self, of: u8, store: &dyn Store) {
        let (number, now) = (u16::try_from(self.families.len()).unwrap(), self.now);
        let epoch = find_account(store, of).await.unwrap().epoch;
        let base = session(number, of);
        let opening = Session { epoch, opened_at: now, seen_at: now, issued_at: now, idle: UNUSED, ..base };
        assert_eq!(store.open(opening, None, Cap::NONE).await.unwrap(), Opened::Open { ended: vec![] });
        let first = RefreshToken::first(id(number), [number.to_le_bytes()[0]; 32]);
        let begun = store.begin(&digest(number), first.digest(&pepper())).await.unwrap();
        assert_eq!(begun, Begun::Begun);
        let (issued, used) = (vec![first], Vec::new());
        self.families.push(Family { number, of, is_alive: true, opened_at: now, issued, used });
    }
}

fn pick<'a>(families: &'a mut [Family], which: &Index) -> Option<&'a mut Family> {
    if families.is_empty() { None } else { Some(which.get_mut(families)) }
}
