//! OAuth clients, and what they have shown once.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use vestibule_core::client::{Client, ClientId, ClientProof, ClientSecretDigest, ShownAssertion};
use vestibule_core::port::{Consumed, Page};
use vestibule_core::verify::KeySet;
use vestibule_core::{Fault, Timestamp};

use crate::world::*;

#[tokio::test]
async fn a_client_is_found_as_it_was_added() {
    on_every_store(async |store| {
        let secret = client(1);
        let with_keys = Client {
            name: "Schlüssel & \"Quotes\"".to_owned(),
            proof: ClientProof::Keys(KeySet::from_jwks(KEYS).unwrap()),
            audiences: vec![],
            scopes: vec![],
            exchanges: true,
            serves: Some("orders".to_owned()),
            ..client(2)
        };
        for client in [&secret, &with_keys] {
            store.clients().add(client.clone()).await.unwrap();
            let found = store.clients().find(&client.id).await.unwrap().unwrap();
            assert_eq!(described(&found), described(client));
        }
        assert!(store.clients().find(&client(3).id).await.unwrap().is_none());
        let fault = store.clients().add(client(1)).await.unwrap_err();
        assert!(matches!(fault, Fault::Bug(_)), "{}", fault.report());
        assert_eq!(store.clients().all(ALL).await.unwrap().len(), 2);
    })
    .await;
}

#[tokio::test]
async fn clients_are_listed_in_the_order_of_their_adding_by_pages() {
    on_every_store(async |store| {
        for number in [3, 1, 2] {
            store.clients().add(client(number)).await.unwrap();
        }
        let listed = async |skip, take| {
            let page = store.clients().all(Page { skip, take }).await.unwrap();
            page.iter().map(|client| client.id.bytes()[0]).collect::<Vec<_>>()
        };
        assert_eq!(listed(0, 10).await, [3, 1, 2]);
        assert_eq!(listed(1, 1).await, [1]);
        assert!(listed(3, 1).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_removed_client_is_gone_and_the_others_stay() {
    on_every_store(async |store| {
        for number in [1, 2] {
            store.clients().add(client(number)).await.unwrap();
        }
        assert!(store.clients().remove(&client(1).id).await.unwrap());
        assert!(!store.clients().remove(&client(1).id).await.unwrap(), "there is none any more");
        assert!(store.clients().find(&client(1).id).await.unwrap().is_none());
        assert!(store.clients().find(&client(2).id).await.unwrap().is_some());
        // Ending everybody's session concerns no program.
        store.end(vestibule_core::port::Ending::Everyone).await.unwrap();
        assert!(store.clients().find(&client(2).id).await.unwrap().is_some());
    })
    .await;
}

/// OA-03.
#[tokio::test]
async fn an_assertion_counts_once_whoever_asks_at_the_same_time() {
    on_every_store(async |store| {
        let asked = (0..32).map(|_| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { store.consume(shown(1, 1), START).await.unwrap() })
        });
        let mut first = 0;
        for answer in asked.collect::<Vec<_>>() {
            match answer.await.unwrap() {
                Consumed::First => first += 1,
                other => assert_eq!(other, Consumed::Again),
            }
        }
        assert_eq!(first, 1);
        assert_eq!(store.consume(shown(2, 1), START).await.unwrap(), Consumed::First, "another client's");
        assert_eq!(store.consume(shown(1, 2), START).await.unwrap(), Consumed::First, "another one");
        // One that has had its time may be forgotten, and until then it is not.
        let end = START.after(Duration::from_secs(300));
        let just_before = end.before(Duration::from_millis(1));
        store.forget_expired(just_before).await.unwrap();
        assert_eq!(store.consume(shown(1, 1), just_before).await.unwrap(), Consumed::Again);
    })
    .await;
}

/// OA-03: a clock that is ahead for a moment, and set right again, brings no assertion to life. What others show meanwhile forgets nothing;
/// only a sweep does, which is done by a clock that has gone steadily.
#[tokio::test]
async fn a_clock_that_jumps_makes_no_assertion_good_again() {
    on_every_store(async |store| {
        assert_eq!(store.consume(shown(1, 1), START).await.unwrap(), Consumed::First);
        let ahead = START.after(Duration::from_secs(30 * 24 * 3600));
        let later = |of, number| ShownAssertion {
            forget_after: ahead.after(Duration::from_secs(300)),
            ..shown(of, number)
        };
        assert_eq!(store.consume(later(1, 2), ahead).await.unwrap(), Consumed::First);
        assert_eq!(store.consume(later(2, 3), ahead).await.unwrap(), Consumed::First);
        assert_eq!(store.consume(shown(1, 1), ahead).await.unwrap(), Consumed::Again);
        assert_eq!(store.consume(shown(1, 1), START).await.unwrap(), Consumed::Again);
        // The sweep forgets it, and keeps what still holds.
        store.forget_expired(ahead).await.unwrap();
        assert_eq!(store.consume(shown(1, 1), START).await.unwrap(), Consumed::First);
        assert_eq!(store.consume(later(1, 2), ahead).await.unwrap(), Consumed::Again);
    })
    .await;
}

#[tokio::test]
async fn who_has_shown_too_many_waits_and_nobody_else_does() {
    on_every_store(async |store| {
        let most = u32::try_from(ShownAssertion::MOST).unwrap();
        let mut asked = JoinSet::new();
        for number in 0..most {
            let store = Arc::clone(&store);
            asked.spawn(async move { store.consume(shown(1, number), START).await.unwrap() });
            // No more than the store's queue holds.
            if asked.len() == 256 || number + 1 == most {
                while let Some(answer) = asked.join_next().await {
                    assert_eq!(answer.unwrap(), Consumed::First);
                }
            }
        }
        assert_eq!(store.consume(shown(1, most), START).await.unwrap(), Consumed::Full);
        assert_eq!(store.consume(shown(1, 0), START).await.unwrap(), Consumed::Again, "none was forgotten");
        assert_eq!(store.consume(shown(2, 0), START).await.unwrap(), Consumed::First);
        // Time makes room without anybody tidying up.
        let end = START.after(Duration::from_secs(300));
        assert_eq!(store.consume(shown(1, most), end).await.unwrap(), Consumed::First);
    })
    .await;
}

fn client(number: u8) -> Client {
    Client {
        id: ClientId::from_bytes([number; 16]),
        name: format!("client {number}"),
        proof: ClientProof::Secret(ClientSecretDigest::from_bytes([number; 32])),
        audiences: vec!["orders".to_owned(), "https://parts.example.com/".to_owned()],
        scopes: vec!["orders:read".to_owned(), "b".to_owned(), "a".to_owned()],
        exchanges: false,
        serves: None,
        added_at: START.after(Duration::from_millis(u64::from(number))),
    }
}

/// The assertion of this number, of the client with that one.
fn shown(of: u8, number: u32) -> ShownAssertion {
    let mut digest = [5; 32];
    digest[..4].copy_from_slice(&number.to_le_bytes());
    let forget_after: Timestamp = START.after(Duration::from_secs(300));
    ShownAssertion { client: ClientId::from_bytes([of; 16]), digest, forget_after }
}

/// RFC 7515 appendix A.3 and RFC 8037 appendix A.2, the latter under a name of its own.
const KEYS: &str = r#"{"keys":[
    {"kty":"EC","crv":"P-256","alg":"ES256","use":"sig",
     "x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"},
    {"kty":"OKP","crv":"Ed25519","kid":"night","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
]}"#;
