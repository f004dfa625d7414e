use async_trait::async_trait;
use parking_lot::Mutex;

use super::*;
use crate::key::{KeyPurpose, KeyRing};
use crate::testing::{CountingEntropy, SetClock, run};

#[derive(Default)]
struct Records(Mutex<Vec<KeyRecord>>);

#[async_trait]
impl Keys for Records {
    async fn all(&self) -> Result<Vec<KeyRecord>, Fault> {
        Ok(self.0.lock().clone())
    }

    async fn rotate(&self, new: KeyRecord, others_gone_at: Timestamp) -> Result<(), Fault> {
        let mut records = self.0.lock();
        for record in records.iter_mut().filter(|record| record.purpose == new.purpose) {
            record.gone_at.get_or_insert(others_gone_at);
        }
        records.push(new);
        Ok(())
    }

    async fn retire(&self, key_id: &KeyId, at: Timestamp) -> Result<Retired, Fault> {
        let mut records = self.0.lock();
        match records.iter_mut().find(|record| record.key_id == *key_id) {
            Some(record) => {
                record.gone_at = Some(at);
                Ok(Retired::Retired)
            }
            None => Ok(Retired::Unknown),
        }
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
    run(rotation.retire(&rotation.key_id(1))).unwrap();
    assert_eq!(edge(), before);
    let services = rotation.states();
    assert_eq!(run(rotation.retire(&before[0].0)).unwrap(), Retirement::Replaced);
    assert_eq!((edge().len(), rotation.states()), (2, services));
    // The schedule looks after both, each when its own key is old enough.
    clock.advance(30 * DAY);
    let mut added: Vec<_> =
        run(rotation.rotate_if_due(30 * DAY)).unwrap().iter().map(|it| it.purpose).collect();
    added.sort();
    assert_eq!(added, KeyPurpose::ALL);
}

#[test]
fn retiring_the_only_signer_begins_a_successor_first() {
    let (rotation, _) = rotation();
    run(rotation.ensure_signers()).unwrap();
    assert_eq!(run(rotation.retire(&rotation.key_id(0))).unwrap(), Retirement::Replaced);
    assert_eq!(rotation.states(), [KeyState::Retired, KeyState::Active]);
    assert_eq!(run(rotation.retire(&rotation.key_id(0))).unwrap(), Retirement::Unknown);
}

#[test]
fn retiring_one_of_two_needs_no_successor() {
    let (rotation, _) = rotation();
    run(rotation.ensure_signers()).unwrap();
    run(rotation.rotate(KeyPurpose::Services, Begin::Now)).unwrap();
    assert_eq!(run(rotation.retire(&rotation.key_id(0))).unwrap(), Retirement::Retired);
    assert_eq!(rotation.states(), [KeyState::Retired, KeyState::Active]);
}

/// KM-02: whatever an operator withdraws or hurries, what is signed now stays verifiable until it expires.
#[test]
fn no_jwt_is_orphaned_by_retiring_or_rotating_out_of_turn() {
    type Act = fn(&Rotation, &SetClock);
    let retire_the_waiting: Act = |rotation, clock| {
        run(rotation.rotate(KeyPurpose::Services, Begin::Ahead)).unwrap();
        clock.advance(DAY - Duration::from_secs(600));
        assert_eq!(run(rotation.retire(&rotation.key_id(1))).unwrap(), Retirement::Replaced);
    };
    let retire_the_new_signer: Act = |rotation, clock| {
        run(rotation.rotate(KeyPurpose::Services, Begin::Ahead)).unwrap();
        clock.advance(DAY + Duration::from_secs(300));
        assert_eq!(run(rotation.retire(&rotation.key_id(1))).unwrap(), Retirement::Replaced);
    };
    let hurry_past_the_waiting: Act = |rotation, clock| {
        run(rotation.rotate(KeyPurpose::Services, Begin::Ahead)).unwrap();
        clock.advance(DAY - Duration::from_secs(300));
        run(rotation.rotate(KeyPurpose::Services, Begin::Now)).unwrap();
    };
    let rotate_twice_at_once: Act = |rotation, _| {
        run(rotation.rotate(KeyPurpose::Services, Begin::Now)).unwrap();
        run(rotation.rotate(KeyPurpose::Services, Begin::Now)).unwrap();
    };
    let seal = SealKey::new(&[1; 32]).unwrap();
    for act in [retire_the_waiting, retire_the_new_signer, hurry_past_the_waiting, rotate_twice_at_once] {
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
