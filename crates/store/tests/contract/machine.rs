//! SS-07 as a machine: any order of logins and of what ends sessions, over every kind of session, against a model that fits on a
//! page. After each step the store has alive exactly what the model has, and has named exactly what ended.

use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use vestibule_core::account::Status;
use vestibule_core::id::SessionId;
use vestibule_core::port::{Changed, Ending, Opened, PasswordAuthority, Reissued};
use vestibule_core::session::{Cap, Reissue, Session, SessionKind};

use crate::world::*;

const ACCOUNTS: u8 = 3;

#[derive(Clone, Copy, Debug)]
enum Step {
    Login {
        of: u8,
        kind: SessionKind,
        replaces: Option<usize>,
        most: u32,
    },
    /// Which session: the so-manieth that was ever opened, dead or alive.
    Logout(usize),
    End(usize),
    EndOthers(usize),
    NewToken(usize),
    PasswordChange {
        of: u8,
        keep: Option<usize>,
    },
    Disable(u8),
    Enable(u8),
    Remove(u8),
    EndAllOf(u8),
    EndEveryone,
}

fn step() -> impl Strategy<Value = Step> {
    let kind = select(vec![SessionKind::Browser, SessionKind::Client, SessionKind::Remembered]);
    let (of, which) = (0..ACCOUNTS, 0..12usize);
    prop_oneof![
        8 => (of.clone(), kind, proptest::option::weighted(0.3, which.clone()), 0..4u32)
            .prop_map(|(of, kind, replaces, most)| Step::Login { of, kind, replaces, most }),
        2 => which.clone().prop_map(Step::Logout),
        1 => which.clone().prop_map(Step::End),
        2 => which.clone().prop_map(Step::EndOthers),
        3 => which.clone().prop_map(Step::NewToken),
        2 => (of.clone(), proptest::option::of(which)).prop_map(|(of, keep)| Step::PasswordChange { of, keep }),
        1 => of.clone().prop_map(Step::Disable),
        2 => of.clone().prop_map(Step::Enable),
        1 => of.clone().prop_map(Step::Remove),
        1 => of.prop_map(Step::EndAllOf),
        1 => Just(Step::EndEveryone),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_ends_sessions_ends_them_all_whatever_came_before(steps in vec(step(), 1..48)) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(on_every_store(async |store| {
            let mut model = Model::default();
            for of in 0..ACCOUNTS {
                store.add(account(of)).await.unwrap();
                model.accounts.insert(of, (1, Status::Enabled));
            }
            for (at, step) in steps.iter().enumerate() {
                let before = model.alive.clone();
                let named = model.take(*step, &*store).await;
                let gone = before.keys().filter(|id| !model.alive.contains_key(id)).copied();
                assert_eq!(BTreeSet::from_iter(named.clone()), gone.collect(), "step {at}: {step:?}");
                assert_eq!(named.len(), BTreeSet::from_iter(named).len(), "step {at}: {step:?}: named twice");
                for digest_number in 0..model.digests {
                    let found = live(&*store, digest(digest_number)).map(|live| (live.id(), live.kind()));
                    let expected = model.holder_of(digest_number);
                    assert_eq!(found, expected, "step {at}: {step:?}: digest {digest_number}");
                }
            }
        }));
    }
}

/// What should be: who is there, and what is alive.
#[derive(Default)]
struct Model {
    /// Epoch and status.
    accounts: BTreeMap<u8, (u64, Status)>,
    alive: BTreeMap<SessionId, Alive>,
    /// All that were ever opened, in their order.
    opened: Vec<SessionId>,
    digests: u16,
}

#[derive(Clone, Copy)]
struct Alive {
    digest: u16,
    of: u8,
    kind: SessionKind,
}

impl Model {
    /// Does one step, to the store and in the model; answers what the store says has ended.
    async fn take(&mut self, step: Step, store: &dyn Store) -> Vec<SessionId> {
        match step {
            Step::Login { of, kind, replaces, most } => self.login(store, of, kind, replaces, most).await,
            Step::Logout(which) => {
                let Some(alive) = self.nth(which) else { return vec![] };
                self.alive.retain(|_, it| it.digest != alive.digest);
                store.end(Ending::Presented(digest(alive.digest))).await.unwrap()
            }
            Step::End(which) => {
                let Some(id) = self.opened.get(which).copied() else { return vec![] };
                self.alive.remove(&id);
                store.end(Ending::One(id)).await.unwrap()
            }
            Step::EndOthers(which) => {
                let Some((keep, Alive { of, .. })) = self.named(which) else { return vec![] };
                self.alive.retain(|id, it| it.of != of || *id == keep);
                store.end(Ending::Others { subject: subject(of), keep }).await.unwrap()
            }
            Step::NewToken(which) => self.new_token(store, which).await,
            Step::PasswordChange { of, keep } => {
                let keep = keep.and_then(|which| self.opened.get(which).copied());
                let epoch = self.accounts.get(&of).map_or(0, |account| account.0);
                let number = self.next_digest();
                let reissue = Reissue { digest: digest(number), at: START, proof: None };
                let warrant = keep.map_or(PasswordAuthority::Operator, |session| PasswordAuthority::Owner {
                    epoch,
                    session,
                    reissue,
                });
                let changed = store.set_password(subject(of), hash("new"), warrant).await.unwrap();
                self.raise_epoch(of);
                if self.accounts.contains_key(&of) {
                    self.alive.retain(|id, it| it.of != of || Some(*id) == keep);
                    self.alive.values_mut().filter(|it| it.of == of).for_each(|it| it.digest = number);
                }
                ended_of(changed)
            }
            Step::Disable(of) => {
                let changed = store.set_status(subject(of), Status::Disabled).await.unwrap();
                self.raise_epoch(of);
                self.accounts.entry(of).and_modify(|account| account.1 = Status::Disabled);
                self.alive.retain(|_, it| it.of != of);
                ended_of(changed)
            }
            Step::Enable(of) => {
                let changed = store.set_status(subject(of), Status::Enabled).await.unwrap();
                self.accounts.entry(of).and_modify(|account| account.1 = Status::Enabled);
                ended_of(changed)
            }
            Step::Remove(of) => {
                let changed = store.remove(subject(of)).await.unwrap();
                self.accounts.remove(&of);
                self.alive.retain(|_, it| it.of != of);
                ended_of(changed)
            }
            Step::EndAllOf(of) => {
                self.alive.retain(|_, it| it.of != of);
                store.end(Ending::Subject(subject(of))).await.unwrap()
            }
            Step::EndEveryone => {
                self.alive.clear();
                store.end(Ending::Everyone).await.unwrap()
            }
        }
    }

    async fn login(
        &mut self,
        store: &dyn Store,
        of: u8,
        kind: SessionKind,
        replaces: Option<usize>,
        most: u32,
    ) -> Vec<SessionId> {
        let number = self.next_digest();
        // An account that is gone is as one of an epoch that never was.
        let (epoch, status) = self.accounts.get(&of).copied().unwrap_or((1, Status::Disabled));
        let replaced = replaces.and_then(|which| self.nth(which));
        let coming = Session { kind, epoch, ..session(number, of) };
        let cap = Cap { most: most.try_into().ok() };
        let answer = store
            .open(coming, replaces.and_then(|which| self.opened.get(which).copied()), cap)
            .await
            .unwrap();
        let Opened::Open { ended } = answer else {
            assert_eq!(status, Status::Disabled, "an enabled account's session opens");
            return vec![];
        };
        assert_eq!(status, Status::Enabled, "nobody else's does");
        self.alive.retain(|_, it| Some(it.digest) != replaced.map(|it| it.digest));
        while most > 0 && self.alive.values().filter(|it| it.of == of).count() >= most as usize {
            let is_of = |id: &&SessionId| self.alive.get(id).is_some_and(|it| it.of == of);
            let oldest = *self.opened.iter().find(is_of).unwrap();
            self.alive.remove(&oldest);
        }
        self.opened.push(id(number));
        self.alive.insert(id(number), Alive { digest: number, of, kind });
        ended
    }

    async fn new_token(&mut self, store: &dyn Store, which: usize) -> Vec<SessionId> {
        let Some((id, alive)) = self.named(which) else { return vec![] };
        let number = self.next_digest();
        let reissue = Reissue { digest: digest(number), at: START, proof: None };
        let Reissued::Reissued(session) = store.reissue(&digest(alive.digest), reissue).await.unwrap() else {
            panic!("the session is alive");
        };
        assert_eq!((session.id, session.kind), (id, alive.kind));
        self.alive.insert(id, Alive { digest: number, ..alive });
        vec![]
    }

    fn next_digest(&mut self) -> u16 {
        self.digests += 1;
        self.digests - 1
    }

    fn raise_epoch(&mut self, of: u8) {
        self.accounts.entry(of).and_modify(|account| account.0 += 1);
    }

    fn nth(&self, which: usize) -> Option<Alive> {
        self.named(which).map(|(_, alive)| alive)
    }

    fn named(&self, which: usize) -> Option<(SessionId, Alive)> {
        let id = self.opened.get(which)?;
        Some((*id, *self.alive.get(id)?))
    }

    fn holder_of(&self, digest: u16) -> Option<(SessionId, SessionKind)> {
        self.alive.iter().find(|(_, it)| it.digest == digest).map(|(id, it)| (*id, it.kind))
    }
}

fn ended_of(changed: Changed) -> Vec<SessionId> {
    match changed {
        Changed::Changed { ended, .. } => ended,
        Changed::Unknown => vec![],
    }
}
