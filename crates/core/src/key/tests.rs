use std::time::Duration;

use vestibule_verify::{KeySet, Verifier};

use super::*;
use crate::time::Timestamp;

const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);

fn seal() -> SealKey {
    SealKey::new(&[9; 32]).unwrap()
}

fn record(algorithm: Algorithm, active_from: Timestamp, nonce: u8) -> KeyRecord {
    record_for(KeyPurpose::Services, algorithm, active_from, nonce)
}

fn record_for(purpose: KeyPurpose, algorithm: Algorithm, active_from: Timestamp, nonce: u8) -> KeyRecord {
    let (key, sealed) = SigningKey::generate(purpose, algorithm, &seal(), [nonce; 12]).unwrap();
    let key_id = key.key_id().clone();
    KeyRecord { key_id, purpose, algorithm, sealed, created_at: NOW, active_from, gone_at: None }
}

fn claims() -> Value {
    json!({
        "iss": "https://app.test", "sub": "s", "aud": "orders", "iat": NOW.unix_seconds(), "exp": NOW.unix_seconds() + 60,
        "jti": "j", "client_id": "vestibule"
    })
}

#[test]
fn every_algorithm_signs_what_our_verifier_accepts_under_its_thumbprint() {
    for (nonce, algorithm) in
        [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Rs256, Algorithm::Ps256].into_iter().enumerate()
    {
        let record = record(algorithm, NOW, nonce as u8);
        let ring = KeyRing::unseal(std::slice::from_ref(&record), &seal(), 1, NOW).unwrap();
        let jwt = ring.signer(KeyPurpose::Services, NOW).unwrap().sign_jwt(&claims()).unwrap();
        let verifier = Verifier::new("https://app.test", "orders", ring.published(NOW).unwrap());
        let verified = verifier.verify_at(&jwt, NOW.unix_seconds()).unwrap();
        assert_eq!(verified.sub(), "s");
    }
}

#[test]
fn a_seal_opens_only_with_its_key_its_key_id_its_algorithm_and_its_purpose() {
    let mine = record(Algorithm::Es256, NOW, 1);
    let opens = |record: KeyRecord| SigningKey::unseal(&record, &seal()).is_ok();
    assert!(opens(mine.clone()));
    let wrong_file = SealKey::new(&[8; 32]).unwrap();
    assert!(SigningKey::unseal(&mine, &wrong_file).is_err());
    assert!(!opens(KeyRecord { key_id: record(Algorithm::Es256, NOW, 2).key_id, ..mine.clone() }));
    assert!(!opens(KeyRecord { algorithm: Algorithm::EdDsa, ..mine.clone() }));
    assert!(!opens(KeyRecord { purpose: KeyPurpose::Edge, ..mine.clone() }));
    let edge = record_for(KeyPurpose::Edge, Algorithm::Es256, NOW, 3);
    assert!(opens(edge.clone()));
    assert!(!opens(KeyRecord { purpose: KeyPurpose::Services, ..edge }));
    let mut cut = mine.sealed.bytes().to_vec();
    cut.truncate(5);
    assert!(!opens(KeyRecord { sealed: SealedKey::from_bytes(cut), ..mine }));
}

/// KM-04, TK-07: a key for one purpose does nothing for the other, however new it is, and the public does not see the edge's.
#[test]
fn one_purpose_knows_nothing_of_the_keys_of_the_other() {
    let services = record(Algorithm::Es256, NOW, 1);
    let edge = record_for(KeyPurpose::Edge, Algorithm::Es256, NOW.after(Duration::from_secs(1)), 2);
    let (all, later) = ([services.clone(), edge.clone()], NOW.after(Duration::from_secs(2)));
    let ring = KeyRing::unseal(&all, &seal(), 1, NOW).unwrap();
    for mine in [&services, &edge] {
        assert_eq!(*ring.signer(mine.purpose, later).unwrap().key_id(), mine.key_id);
        assert_eq!(mine.state(&all, later), KeyState::Active);
    }
    let names = |set: KeySet| set.iter().map(|key| key.key_id().clone()).collect::<Vec<_>>();
    assert_eq!(names(ring.published(later).unwrap()), std::slice::from_ref(&services.key_id));
    assert_eq!(names(ring.edge(later).unwrap()), [edge.key_id]);
    let alone = KeyRing::unseal(&[services], &seal(), 1, NOW).unwrap();
    assert!(alone.signer(KeyPurpose::Edge, later).is_err());
}

#[test]
fn rotation_publishes_ahead_switches_and_withdraws_by_the_clock_alone() {
    let hour = Duration::from_secs(3600);
    let mut old = record(Algorithm::Es256, NOW, 1);
    let new = record(Algorithm::Es256, NOW.after(hour), 2);
    old.gone_at = Some(NOW.after(2 * hour));
    let all = [old.clone(), new.clone()];
    let ring = KeyRing::unseal(&all, &seal(), 1, NOW).unwrap();

    let signer = |now| ring.signer(KeyPurpose::Services, now).unwrap().key_id().clone();
    let states = |now| (old.state(&all, now), new.state(&all, now));
    assert_eq!((signer(NOW), states(NOW)), (old.key_id.clone(), (KeyState::Active, KeyState::Waiting)));
    let later = NOW.after(hour);
    assert_eq!((signer(later), states(later)), (new.key_id.clone(), (KeyState::Retiring, KeyState::Active)));
    assert!(ring.published(later).unwrap().get(old.key_id.as_str()).is_some());
    let late = NOW.after(2 * hour);
    assert_eq!((signer(late), states(late)), (new.key_id.clone(), (KeyState::Retired, KeyState::Active)));
    assert!(ring.published(late).unwrap().get(old.key_id.as_str()).is_none());
}

#[test]
fn an_empty_ring_signs_nothing() {
    let ring = KeyRing::unseal(&[], &seal(), 1, NOW).unwrap();
    assert!(ring.signer(KeyPurpose::Services, NOW).is_err());
    assert!(ring.published(NOW).is_ok());
}
