//! Signing keys, sealed.

use std::time::Duration;

use vestibule_core::key::{KeyPurpose, KeyRecord, SealedKey};
use vestibule_core::port::Retired;
use vestibule_core::verify::{Algorithm, KeyId};
use vestibule_core::{Fault, Timestamp};

use crate::world::*;

const LATER: Timestamp = Timestamp::from_unix_seconds(1_800_001_000);

#[tokio::test]
async fn a_new_key_dates_the_end_of_the_others() {
    on_every_store(async |store| {
        assert!(store.all().await.unwrap().is_empty());
        let mut first = key("first", 0);
        first.algorithm = Algorithm::EdDsa;
        store.rotate(first, LATER).await.unwrap();
        store.rotate(key("second", 1), LATER).await.unwrap();
        // One that has a date keeps it.
        store.rotate(key("third", 2), LATER.after(Duration::from_secs(1))).await.unwrap();

        let keys = store.all().await.unwrap();
        let names: Vec<_> = keys.iter().map(|key| (key.key_id.as_str(), key.gone_at)).collect();
        let after = LATER.after(Duration::from_secs(1));
        assert_eq!(names, [("first", Some(LATER)), ("second", Some(after)), ("third", None)]);
        assert_eq!(keys[0].algorithm, Algorithm::EdDsa);
        assert!(keys[2].sealed == SealedKey::from_bytes(vec![2; 60]));
        assert_eq!(keys[2].created_at, START.after(Duration::from_secs(2)));
        assert_eq!(keys[2].active_from, START.after(Duration::from_secs(102)));
    })
    .await;
}

/// KM-04: a new key for one purpose takes nothing over from the other.
#[tokio::test]
async fn a_new_key_dates_the_end_of_no_key_for_another_purpose() {
    on_every_store(async |store| {
        let edge = |name, number| KeyRecord { purpose: KeyPurpose::Edge, ..key(name, number) };
        store.rotate(key("services", 0), LATER).await.unwrap();
        store.rotate(edge("edge", 1), LATER).await.unwrap();
        store.rotate(edge("edge-too", 2), LATER).await.unwrap();
        let keys = store.all().await.unwrap();
        let found: Vec<_> =
            keys.iter().map(|key| (key.key_id.as_str(), key.purpose.name(), key.gone_at)).collect();
        assert_eq!(
            found,
            [("services", "services", None), ("edge", "edge", Some(LATER)), ("edge-too", "edge", None)]
        );
        let fault = store.rotate(key("edge", 3), LATER).await.unwrap_err();
        assert!(matches!(fault, Fault::Bug(_)), "one key id, one purpose: {}", fault.report());
    })
    .await;
}

#[tokio::test]
async fn a_key_id_is_never_used_twice() {
    on_every_store(async |store| {
        store.rotate(key("first", 0), LATER).await.unwrap();
        let fault = store.rotate(key("first", 1), LATER).await.unwrap_err();
        assert!(matches!(fault, Fault::Bug(_)), "{}", fault.report());
        let keys = store.all().await.unwrap();
        assert_eq!(keys.len(), 1);
        assert_eq!(keys[0].gone_at, None, "a rotation that failed withdraws nothing");
    })
    .await;
}

#[tokio::test]
async fn a_key_is_withdrawn_at_once_and_once() {
    on_every_store(async |store| {
        store.rotate(key("first", 0), LATER).await.unwrap();
        store.rotate(key("second", 1), LATER).await.unwrap();
        let first = KeyId::parse("first").unwrap();
        let unknown = KeyId::parse("unknown").unwrap();
        assert_eq!(store.retire(&unknown, START).await.unwrap(), Retired::Unknown);
        // It would have gone later anyway: now it goes at once.
        assert_eq!(store.retire(&first, START).await.unwrap(), Retired::Retired);
        assert_eq!(store.all().await.unwrap()[0].gone_at, Some(START));
        assert_eq!(store.retire(&first, LATER).await.unwrap(), Retired::Unknown);
        assert_eq!(store.all().await.unwrap()[0].gone_at, Some(START));
        assert_eq!(store.all().await.unwrap()[1].gone_at, None);
    })
    .await;
}

fn key(name: &str, number: u8) -> KeyRecord {
    let created_at = START.after(Duration::from_secs(u64::from(number)));
    KeyRecord {
        key_id: KeyId::parse(name).unwrap(),
        purpose: KeyPurpose::Services,
        algorithm: Algorithm::Es256,
        sealed: SealedKey::from_bytes(vec![number; 60]),
        created_at,
        active_from: created_at.after(Duration::from_secs(100)),
        gone_at: None,
    }
}
