//! The key ring under every command in every state, over every store: a model says what each key does afterwards.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use vestibule_core::key::{KeyPurpose, KeyRecord, KeyState, OVERLAP, SealKey};
use vestibule_core::port::{Clock, Entropy, Keys};
use vestibule_core::rotation::{Begin, Retirement, Rotation, RotationLock};
use vestibule_core::verify::{Algorithm, KeyId};
use vestibule_core::{Fault, Timestamp};

use crate::world::*;

const AHEAD: Duration = Duration::from_secs(24 * 60 * 60);
const LONGEST_JWT: Duration = Duration::from_secs(300);
const HOUR: Duration = Duration::from_secs(60 * 60);

struct Hands(AtomicU64);

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

struct Counting(AtomicU64);

impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), Fault> {
        let count = self.0.fetch_add(1, Ordering::SeqCst).to_le_bytes();
        bytes.iter_mut().zip(count).for_each(|(to, from)| *to = from);
        Ok(())
    }
}

/// The keys of a purpose by the names that a case gives them.
struct Ring {
    rotation: Rotation,
    hands: Arc<Hands>,
    store: Arc<dyn Store>,
    purpose: KeyPurpose,
    names: BTreeMap<&'static str, KeyId>,
}

impl Ring {
    fn over(store: Arc<dyn Store>, purpose: KeyPurpose) -> Self {
        let hands = Arc::new(Hands(AtomicU64::new(START.millis())));
        let keys: Arc<dyn Keys> = Arc::new(Only(store.clone()));
        let rotation = Rotation {
            keys,
            seal: Arc::new(SealKey::new(&[7; 32]).unwrap()),
            clock: hands.clone(),
            entropy: Arc::new(Counting(AtomicU64::new(1))),
            algorithm: Algorithm::EdDsa,
            publish_ahead: AHEAD,
            longest_jwt: LONGEST_JWT,
            turn: RotationLock::default(),
        };
        Self { rotation, hands, store, purpose, names: BTreeMap::new() }
    }

    fn wait(&self, span: Duration) {
        self.hands.0.fetch_add(span.as_millis() as u64, Ordering::SeqCst);
    }

    async fn rotate(&mut self, name: &'static str, begin: Begin) {
        let added = self.rotation.rotate(self.purpose, begin).await.unwrap();
        self.names.insert(name, added.key_id);
    }

    async fn retire(&self, name: &str, begin: Begin) -> Retirement {
        let unknown = KeyId::parse("unknown").unwrap();
        self.rotation.retire(self.names.get(name).unwrap_or(&unknown), begin).await.unwrap()
    }

    async fn records(&self, purpose: KeyPurpose) -> Vec<KeyRecord> {
        let records = self.store.all().await.unwrap();
        records.into_iter().filter(|record| record.purpose == purpose).collect()
    }

    /// `a:active w:waiting`, in the order of names; one without a name is `new`.
    async fn picture(&self) -> String {
        let records = self.records(self.purpose).await;
        let state = |of: &KeyRecord| of.state(&records, self.hands.now()).name();
        let name_of =
            |id: &KeyId| self.names.iter().find(|(_, it)| *it == id).map_or("new", |(name, _)| name);
        let mut all: Vec<_> =
            records.iter().map(|of| format!("{}:{}", name_of(&of.key_id), state(of))).collect();
        all.sort();
        all.join(" ")
    }

    /// At every moment of the next days one key signs, nothing that signs is withdrawn before what it signed is gone, and none signs
    /// that was not published for as long as configured, save those that began on demand. No rotation is made in that time.
    async fn holds(&self, case: &str) {
        let records = self.records(self.purpose).await;
        let start = self.hands.now();
        let signer_at = |now: Timestamp| {
            let mut active = records.iter().filter(|record| record.state(&records, now) == KeyState::Active);
            let signer = active.next().unwrap_or_else(|| panic!("{case}: nothing signs at {now:?}"));
            assert!(active.next().is_none(), "{case}: two sign");
            signer
        };
        let first = signer_at(start).key_id.clone();
        for step in 0..(3 * 24 * 12) {
            let now = start.after(Duration::from_secs(300 * step));
            let signer = signer_at(now);
            let lasts = signer.gone_at.is_none_or(|gone| gone >= now.after(LONGEST_JWT));
            assert!(lasts, "{case}: {} goes before what it signs", signer.key_id.as_str());
            let known = signer.key_id == first || signer.active_from.since(signer.created_at) >= AHEAD;
            assert!(known, "{case}: another signs that was not announced");
        }
    }
}

/// A store's keys alone.
struct Only(Arc<dyn Store>);

#[async_trait::async_trait]
impl Keys for Only {
    async fn all(&self) -> Result<Vec<KeyRecord>, Fault> {
        Keys::all(&*self.0).await
    }

    async fn change(
        &self,
        new: Option<KeyRecord>,
        dates: Vec<vestibule_core::port::KeyDates>,
    ) -> Result<(), Fault> {
        self.0.change(new, dates).await
    }
}

#[derive(Clone, Copy, Debug)]
enum Command {
    Retire(&'static str, Begin),
    Rotate(Begin),
}

use Begin::{Ahead, Now};
use Command::{Retire, Rotate};

/// From which state, which command, and what is there afterwards. In the states, `r` is retiring, `a` active, `w` waiting, `g` gone.
/// A command that is refused leaves the picture as it was: `=`.
const TABLE: &[(&str, Command, &str)] = &[
    ("a", Rotate(Ahead), "a:active n:waiting"),
    ("a", Rotate(Now), "a:retiring n:active"),
    ("a", Retire("a", Ahead), "="),
    ("a", Retire("a", Now), "a:retired new:active"),
    ("a", Retire("unknown", Ahead), "="),
    ("a", Retire("unknown", Now), "="),
    ("aw", Rotate(Ahead), "a:active n:waiting w:retired"),
    ("aw", Rotate(Now), "a:retiring n:active w:retired"),
    ("aw", Retire("w", Ahead), "a:active w:retired"),
    ("aw", Retire("w", Now), "a:active w:retired"),
    ("aw", Retire("a", Ahead), "="),
    ("aw", Retire("a", Now), "a:retired w:active"),
    ("aw", Retire("unknown", Now), "="),
    ("ra", Rotate(Ahead), "a:active n:waiting r:retiring"),
    ("ra", Rotate(Now), "a:retiring n:active r:retiring"),
    ("ra", Retire("r", Ahead), "a:active r:retired"),
    ("ra", Retire("r", Now), "a:active r:retired"),
    ("ra", Retire("a", Ahead), "="),
    ("ra", Retire("a", Now), "a:retired new:active r:retiring"),
    ("raw", Rotate(Ahead), "a:active n:waiting r:retiring w:retired"),
    ("raw", Rotate(Now), "a:retiring n:active r:retiring w:retired"),
    ("raw", Retire("r", Ahead), "a:active r:retired w:waiting"),
    ("raw", Retire("r", Now), "a:active r:retired w:waiting"),
    ("raw", Retire("w", Ahead), "a:active r:retiring w:retired"),
    ("raw", Retire("w", Now), "a:active r:retiring w:retired"),
    ("raw", Retire("a", Ahead), "="),
    ("raw", Retire("a", Now), "a:retired r:retiring w:active"),
    ("raw", Retire("unknown", Ahead), "="),
    ("ga", Rotate(Ahead), "a:active g:retired n:waiting"),
    ("ga", Retire("g", Ahead), "="),
    ("ga", Retire("g", Now), "="),
    ("ga", Retire("a", Now), "a:retired g:retired new:active"),
];

#[tokio::test]
async fn every_key_command_in_every_state_does_what_it_says() {
    for purpose in KeyPurpose::ALL {
        for (state, command, expected) in TABLE {
            on_every_store(async |store| {
                let case = format!("{} {state}: {command:?}", purpose.name());
                let mut ring = Ring::over(store, purpose);
                ring.rotation.ensure_signers().await.unwrap();
                prepare(&mut ring, state).await;
                ring.holds(&case).await;
                let other = KeyPurpose::ALL.into_iter().find(|it| *it != purpose).unwrap();
                let dates_of = |of: Vec<KeyRecord>| {
                    of.into_iter().map(|it| (it.key_id, it.active_from, it.gone_at)).collect::<Vec<_>>()
                };
                let others = dates_of(ring.records(other).await);
                let (before, dates) = (ring.picture().await, dates_of(ring.records(purpose).await));

                match command {
                    Rotate(begin) => ring.rotate("n", *begin).await,
                    Retire(name, begin) => {
                        let retirement = ring.retire(name, *begin).await;
                        let is_refused = matches!(
                            retirement,
                            Retirement::AlreadyRetired | Retirement::Signs | Retirement::Unknown
                        );
                        assert_eq!(is_refused, *expected == "=", "{case}: {retirement:?}");
                    }
                }
                if *expected == "=" {
                    assert_eq!(ring.picture().await, before, "{case}");
                    assert_eq!(dates_of(ring.records(purpose).await), dates, "{case}");
                } else {
                    assert_eq!(ring.picture().await, *expected, "{case}");
                }
                ring.holds(&case).await;
                assert_eq!(dates_of(ring.records(other).await), others, "{case}: the other purpose");
                // The clock finds nothing to do: no key begins but by a command or the schedule.
                assert!(ring.rotation.ensure_signers().await.unwrap().is_empty(), "{case}");
            })
            .await;
        }
    }
}

/// Brings the ring of one fresh key to a state.
async fn prepare(ring: &mut Ring, state: &str) {
    let fresh = ring.records(ring.purpose).await.remove(0).key_id;
    let first = if state.starts_with(['r', 'g']) { &state[..1] } else { "a" };
    let name = ["a", "g", "r"].into_iter().find(|it| *it == first).unwrap();
    ring.names.insert(name, fresh);
    if name != "a" {
        ring.wait(HOUR);
        ring.rotate("a", Begin::Now).await;
        ring.wait(Duration::from_secs(60));
    }
    if name == "g" {
        ring.wait(LONGEST_JWT + OVERLAP);
    }
    if state.ends_with('w') {
        ring.rotate("w", Begin::Ahead).await;
        ring.wait(Duration::from_secs(60));
    }
}
