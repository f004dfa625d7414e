use async_trait::async_trait;

use super::*;
use crate::key::{KeyPurpose, KeyRing};
use crate::testing::{CountingEntropy, SetClock, run};

#[derive(Default)]
struct Records(parking_lot::Mutex<Vec<KeyRecord>>);

#[async_trait]
impl Keys for Records {
    async fn all(&self) -> Result<Vec<KeyRecord>, Fault> {
        Ok(self.0.lock().clone())
    }

    async fn change(&self, new: Option<KeyRecord>, dates: Vec<KeyDates>) -> Result<(), Fault> {
        let mut records = self.0.lock();
        for of in dates {
            let record = records.iter_mut().find(|record| record.key_id == of.key_id).unwrap();
            (record.active_from, record.gone_at) = (of.active_from, of.gone_at);
        }
        records.extend(new);
        Ok(())
    }
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn rotation() -> (Rotation, Arc<SetClock>) {
    let clock = SetClock::at_start();
    let rotation = Rotation {
        keys: Arc::new(Records::default()),
        seal: Arc::new(SealKey::new(&[1; 32]).unwrap()),
        clock: clock.clone(),
        entropy: Arc::new(CountingEntropy::default()),
        algorithm: Algorithm::Es256,
        publish_ahead: DAY,
        longest_jwt: Duration::from_secs(300),
        turn: RotationLock::default(),
    };
    (rotation, clock)
}

impl Rotation {
    /// Of those for services, as everything below unless said otherwise.
    fn records(&self) -> Vec<KeyRecord> {
        let records = run(self.keys.all()).unwrap().into_iter();
        records.filter(|record| record.purpose == KeyPurpose::Services).collect()
    }

    fn states(&self) -> Vec<KeyState> {
        let records = self.records();
        records.iter().map(|record| record.state(&records, self.clock.now())).collect()
    }

    fn key_id(&self, at: usize) -> KeyId {
        self.records()[at].key_id.clone()
    }
}

#[test]
fn the_first_start_makes_one_key_and_the_second_none() {
    let (rotation, _) = rotation();
    run(rotation.ensure_signers()).unwrap();
    run(rotation.ensure_signers()).unwrap();
    assert_eq!(rotation.states(), [KeyState::Active]);
}

/// KM-02: at every moment of many rotations, one key signs and every key that may still be met is published.
#[test]
fn scheduled_rotations_leave_no_moment_without_a_published_signer() {
    let (rotation, clock) = rotation();
    run(rotation.ensure_signers()).unwrap();
    let seal = SealKey::new(&[1; 32]).unwrap();
    let mut signers = std::collections::HashSet::new();
    let mut known_since = std::collections::HashMap::new();
    for _ in 0..30 * 20 * 4 {
        run(rotation.rotate_if_due(30 * DAY)).unwrap();
        let now = clock.now();
        let ring = KeyRing::unseal(&run(rotation.keys.all()).unwrap(), &seal, 1, now).unwrap();
        let signer = ring.signer(KeyPurpose::Services, now).unwrap().key_id().clone();
        let published = ring.published(now).unwrap();
        for key in published.iter() {
            known_since.entry(key.key_id().clone()).or_insert(now);
        }
        assert!(published.get(signer.as_str()).is_some());
        // A verifier that fetched keys at any time in the last day less one step already knows the signer.
        let first = signers.is_empty() || signers.contains(&signer);
        assert!(first || now.since(known_since[&signer]) >= DAY);
        signers.insert(signer);
        clock.advance(DAY / 4);
    }
    assert!((19..=21).contains(&signers.len()), "{}", signers.len());
}

/// KM-04: each purpose has keys of its own, that come and go without the other's.
#[test]
fn rotating_or_retiring_for_one_purpose_changes_nothing_for_the_other() {
    let (rotation, clock) = rotation();
    run(rotation.ensure_signers()).unwrap();
    let edge = || {
        let records = run(rotation.keys.all()).unwrap().into_iter();
        let edge = records.filter(|record| record.purpose == KeyPurpose::Edge);
        edge.map(|record| (record.key_id, record.gone_at)).collect::<Vec<_>>()
    };
    let before = edge();
    assert_eq!(before.len(), 1);
    run(rotation.rotate(KeyPurpose::Services, Begin::Now)).unwrap();
    assert_eq!(run(rotation.retire(&rotation.key_id(1), Begin::Now)).unwrap(), replaced(&rotation, 2));
    assert_eq!(edge(), before);
    let services = rotation.states();
    assert!(matches!(run(rotation.retire(&before[0].0, Begin::Now)).unwrap(), Retirement::Replaced(_)));
    assert_eq!((edge().len(), rotation.states()), (2, services));
    // The schedule looks after both, each when its own key is old enough.
    clock.advance(30 * DAY);
    let mut added: Vec<_> =
        run(rotation.rotate_if_due(30 * DAY)).unwrap().iter().map(|it| it.purpose).collect();
    added.sort();
    assert_eq!(added, KeyPurpose::ALL);
}

/// The key that signs goes when it is said that another may begin unannounced, and not otherwise.
#[test]
fn retiring_the_signer_asks_for_now() {
    let (rotation, _) = rotation();
    run(rotation.ensure_signers()).unwrap();
    assert_eq!(run(rotation.retire(&rotation.key_id(0), Begin::Ahead)).unwrap(), Retirement::Signs);
    assert_eq!(rotation.states(), [KeyState::Active]);
    assert_eq!(run(rotation.retire(&rotation.key_id(0), Begin::Now)).unwrap(), replaced(&rotation, 1));
    assert_eq!(rotation.states(), [KeyState::Retired, KeyState::Active]);
    for begin in [Begin::Ahead, Begin::Now] {
        let again = run(rotation.retire(&rotation.key_id(0), begin)).unwrap();
        assert_eq!(again, Retirement::AlreadyRetired);
    }
    assert_eq!(rotation.states(), [KeyState::Retired, KeyState::Active]);
}

/// A waiting key goes alone: the key that signs is dated for no successor any more.
#[test]
fn retiring_the_waiting_key_leaves_the_signer() {
    for begin in [Begin::Ahead, Begin::Now] {
        let (rotation, clock) = rotation();
        run(rotation.ensure_signers()).unwrap();
        run(rotation.rotate(KeyPurpose::Services, Begin::Ahead)).unwrap();
        assert_eq!(run(rotation.retire(&rotation.key_id(1), begin)).unwrap(), Retirement::Retired);
        assert_eq!(rotation.states(), [KeyState::Active, KeyState::Retired]);
        clock.advance(20 * DAY);
        run(rotation.ensure_signers()).unwrap();
        assert_eq!(rotation.states(), [KeyState::Active, KeyState::Retired]);
    }
}

/// The key that verifiers know already begins, rather than one that they never saw.
#[test]
fn retiring_the_signer_lets_the_waiting_key_begin() {
    let (rotation, _) = rotation();
    run(rotation.ensure_signers()).unwrap();
    run(rotation.rotate(KeyPurpose::Services, Begin::Ahead)).unwrap();
    assert_eq!(run(rotation.retire(&rotation.key_id(0), Begin::Now)).unwrap(), replaced(&rotation, 1));
    assert_eq!(rotation.states(), [KeyState::Retired, KeyState::Active]);
    assert_eq!(rotation.records()[1].gone_at, None);
}

/// Rotating again moves the time of the signer's end with that of its successor.
#[test]
fn rotating_ahead_twice_leaves_no_gap() {
    let (rotation, clock) = rotation();
    run(rotation.ensure_signers()).unwrap();
    run(rotation.rotate(KeyPurpose::Services, Begin::Ahead)).unwrap();
    clock.advance(DAY / 2);
    run(rotation.rotate(KeyPurpose::Services, Begin::Ahead)).unwrap();
    clock.advance(DAY - Duration::from_secs(60));
    assert_eq!(rotation.states(), [KeyState::Active, KeyState::Retired, KeyState::Waiting]);
    clock.advance(Duration::from_secs(60));
    assert_eq!(rotation.states(), [KeyState::Retiring, KeyState::Retired, KeyState::Active]);
}

/// With the clock set back, the key that signed goes on; none that verifiers do not know begins.
#[test]
fn a_clock_set_back_lets_a_known_key_sign() {
    let (rotation, clock) = rotation();
    clock.advance(DAY);
    run(rotation.ensure_signers()).unwrap();
    clock.set(Timestamp::from_millis(clock.now().millis() - 3_600_000));
    assert_eq!(rotation.states(), [KeyState::Waiting]);
    run(rotation.ensure_signers()).unwrap();
    assert_eq!(rotation.states(), [KeyState::Active]);
}

/// An operator rotates while no key signs: the waiting key is withdrawn, so the new one must not wait.
#[test]
fn a_new_key_signs_at_once_where_none_does() {
    let (rotation, clock) = rotation();
    clock.advance(DAY);
    run(rotation.ensure_signers()).unwrap();
    clock.set(Timestamp::from_millis(clock.now().millis() - 3_600_000));
    run(rotation.rotate(KeyPurpose::Services, Begin::Ahead)).unwrap();
    assert_eq!(rotation.states(), [KeyState::Retired, KeyState::Active]);
}

/// What an earlier version left behind: the signer is dated, and its successor is withdrawn.
#[test]
fn a_signer_that_is_dated_for_nobody_stays() {
    let (rotation, clock) = rotation();
    run(rotation.ensure_signers()).unwrap();
    run(rotation.rotate(KeyPurpose::Services, Begin::Ahead)).unwrap();
    run(rotation.keys.change(None, vec![gone(&rotation.records()[1], clock.now())])).unwrap();
    run(rotation.ensure_signers()).unwrap();
    assert_eq!(rotation.records()[0].gone_at, None);
    clock.advance(20 * DAY);
    assert_eq!(rotation.states(), [KeyState::Active, KeyState::Retired]);
}

fn replaced(rotation: &Rotation, by: usize) -> Retirement {
    Retirement::Replaced(rotation.key_id(by))
}

/// KM-02: whatever an operator withdraws or hurries, what is signed now stays verifiable until it expires.
#[test]
fn no_jwt_is_orphaned_by_retiring_or_rotating_out_of_turn() {
    type Act = fn(&Rotation, &SetClock);
    let retire_the_waiting: Act = |rotation, clock| {
        run(rotation.rotate(KeyPurpose::Services, Begin::Ahead)).unwrap();
        clock.advance(DAY - Duration::from_secs(600));
        assert_eq!(run(rotation.retire(&rotation.key_id(1), Begin::Now)).unwrap(), Retirement::Retired);
    };
    let retire_the_new_signer: Act = |rotation, clock| {
        run(rotation.rotate(KeyPurpose::Services, Begin::Ahead)).unwrap();
        clock.advance(DAY + Duration::from_secs(300));
        assert_eq!(run(rotation.retire(&rotation.key_id(1), Begin::Now)).unwrap(), replaced(rotation, 2));
    };
    let hurry_past_the_waiting: Act = |rotation, clock| {
        run(rotation.rotate(KeyPurpose::Services, Begin::Ahead)).unwrap();
        clock.advance(DAY - Duration::from_secs(300));
        run(rotation.rotate(KeyPurpose::Services, Begin::Now)).unwrap();
    };
    let rotate_ahead_twice: Act = |rotation, clock| {
        run(rotation.rotate(KeyPurpose::Services, Begin::Ahead)).unwrap();
        clock.advance(DAY - Duration::from_secs(300));
        run(rotation.rotate(KeyPurpose::Services, Begin::Ahead)).unwrap();
    };
    let rotate_twice_at_once: Act = |rotation, _| {
        run(rotation.rotate(KeyPurpose::Services, Begin::Now)).unwrap();
        run(rotation.rotate(KeyPurpose::Services, Begin::Now)).unwrap();
    };
    let seal = SealKey::new(&[1; 32]).unwrap();
    let acts = [
        retire_the_waiting,
        retire_the_new_signer,
        hurry_past_the_waiting,
        rotate_ahead_twice,
        rotate_twice_at_once,
    ];
    for act in acts {
        let (rotation, clock) = rotation();
        run(rotation.ensure_signers()).unwrap();
        act(&rotation, &clock);
        for _ in 0..3 * 24 * 60 {
            run(rotation.ensure_signers()).unwrap();
            let (records, now) = (run(rotation.keys.all()).unwrap(), clock.now());
            let ring = KeyRing::unseal(&records, &seal, 1, now).unwrap();
            let signer = ring.signer(KeyPurpose::Services, now).unwrap().key_id().clone();
            let its_end = records.iter().find(|record| record.key_id == signer).unwrap().gone_at;
            let longest = now.after(rotation.longest_jwt);
            assert!(its_end.is_none_or(|end| end >= longest), "{signer:?} goes before what it signs now");
            clock.advance(Duration::from_secs(60));
        }
    }
}
