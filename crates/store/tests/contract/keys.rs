//! Signing keys, sealed.

use std::time::Duration;

use vestibule_core::key::{KeyPurpose, KeyRecord, SealedKey};
use vestibule_core::port::KeyDates;
use vestibule_core::verify::{Algorithm, KeyId};
use vestibule_core::{Fault, Timestamp};

use crate::world::*;

const LATER: Timestamp = Timestamp::from_unix_seconds(1_800_001_000);

#[tokio::test]
async fn a_key_comes_and_others_are_dated_in_one_step() {
    on_every_store(async |store| {
        assert!(store.all().await.unwrap().is_empty());
        let mut first = key("first", 0);
        first.algorithm = Algorithm::EdDsa;
        let edge = KeyRecord { purpose: KeyPurpose::Edge, ..key("edge", 1) };
        store.change(Some(first), Vec::new()).await.unwrap();
        store.change(Some(edge), Vec::new()).await.unwrap();
        store.change(Some(key("second", 2)), vec![dates("first", START, Some(LATER))]).await.unwrap();

        let keys = store.all().await.unwrap();
        let found: Vec<_> = keys
            .iter()
            .map(|it| (it.key_id.as_str(), it.purpose.name(), it.active_from, it.gone_at))
            .collect();
        let begins = |seconds| START.after(Duration::from_secs(seconds));
        assert_eq!(
            found,
            [
                ("first", "services", START, Some(LATER)),
                ("edge", "edge", begins(101), None),
                ("second", "services", begins(102), None),
            ]
        );
        assert_eq!(keys[0].algorithm, Algorithm::EdDsa);
        assert!(keys[2].sealed == SealedKey::from_bytes(vec![2; 60]));
        assert_eq!(keys[2].created_at, START.after(Duration::from_secs(2)));

        // Dates can be taken back, and several keys are dated at once.
        let both = vec![dates("first", LATER, None), dates("second", LATER, Some(LATER))];
        store.change(None, both).await.unwrap();
        let keys = store.all().await.unwrap();
        let found: Vec<_> = keys.iter().map(|it| (it.active_from, it.gone_at)).collect();
        assert_eq!(found, [(LATER, None), (begins(101), None), (LATER, Some(LATER))]);
    })
    .await;
}

#[tokio::test]
async fn a_change_of_keys_that_fails_changes_nothing() {
    on_every_store(async |store| {
        store.change(Some(key("first", 0)), Vec::new()).await.unwrap();
        let edge = KeyRecord { purpose: KeyPurpose::Edge, ..key("first", 3) };
        for (new, dated) in [
            // A key id is never used twice, for another purpose neither.
            (Some(key("first", 1)), vec![dates("first", LATER, Some(LATER))]),
            (Some(edge), Vec::new()),
            (Some(key("second", 1)), vec![dates("first", LATER, Some(LATER)), dates("unknown", LATER, None)]),
            (None, vec![dates("unknown", LATER, None)]),
        ] {
            let fault = store.change(new, dated).await.unwrap_err();
            assert!(matches!(fault, Fault::Bug(_)), "{}", fault.report());
        }
        let keys = store.all().await.unwrap();
        let found: Vec<_> = keys.iter().map(|it| (it.key_id.as_str(), it.gone_at)).collect();
        assert_eq!(found, [("first", None)]);
        assert_eq!(keys[0].active_from, START.after(Duration::from_secs(100)));
    })
    .await;
}

fn dates(name: &str, active_from: Timestamp, gone_at: Option<Timestamp>) -> KeyDates {
    KeyDates { key_id: KeyId::parse(name).unwrap(), active_from, gone_at }
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
