//! Listings.

use std::time::Duration;

use vestibule_core::account::{Account, Identifier};
use vestibule_core::port::{AccountsPage, Ending, Page};
use vestibule_core::session::{Cap, Session};

use crate::world::*;

#[tokio::test]
async fn sessions_are_listed_newest_first_and_page_by_page() {
    on_every_store(async |store| {
        with_sessions(&*store, 1, &(0..600).step_by(2).collect::<Vec<_>>()).await;
        with_sessions(&*store, 2, &(1..600).step_by(2).collect::<Vec<_>>()).await;
        let ids = async |of, skip, take| {
            let listed = store.sessions(of, Page { skip, take }, START).await.unwrap();
            listed.into_iter().map(|session| session.id).collect::<Vec<_>>()
        };
        let odd_first: Vec<_> = (1..600).step_by(2).rev().chain((0..600).step_by(2).rev()).map(id).collect();
        assert_eq!(ids(None, 0, 1000).await, odd_first);
        assert_eq!(ids(None, 290, 20).await, odd_first[290..310]);
        assert_eq!(ids(Some(subject(1)), 0, 1000).await, odd_first[300..]);
        assert_eq!(ids(Some(subject(1)), 299, 5).await, [id(0)]);
        assert_eq!(ids(Some(subject(2)), 2, 1).await, [id(595)]);
        assert_eq!(ids(Some(subject(1)), 300, 5).await, []);
        assert_eq!(ids(None, 0, 0).await, []);
        assert_eq!(ids(Some(subject(9)), 0, 10).await, []);
    })
    .await;
}

#[tokio::test]
async fn only_live_sessions_are_listed_with_their_last_use() {
    on_every_store(async |store| {
        with_sessions(&*store, 1, &[1, 2, 3]).await;
        let used = START.after(IDLE).before(Duration::from_secs(1));
        live(&*store, digest(2)).unwrap().used(used);
        let now = START.after(IDLE);
        let listed = store.sessions(Some(subject(1)), ALL, now).await.unwrap();
        assert_eq!(
            listed.iter().map(|session| (session.id, session.seen_at)).collect::<Vec<_>>(),
            [(id(2), used)]
        );
        assert_eq!(store.session(id(2), now).await.unwrap().unwrap().seen_at, used);
        assert_eq!(store.session(id(1), now).await.unwrap(), None);
        assert_eq!(store.sessions(None, ALL, START.after(ABSOLUTE)).await.unwrap(), []);
    })
    .await;
}

#[tokio::test]
async fn accounts_are_listed_in_the_order_of_their_identifiers() {
    on_every_store(async |store| {
        for number in [3, 1, 2, 5, 4] {
            store.add(account(number)).await.unwrap();
        }
        let subjects = async |after: Option<u8>, containing, take| {
            let after = after.map(|number| account(number).identifier);
            let page = AccountsPage { after: after.as_ref(), containing, take };
            let listed = store.accounts(page).await.unwrap();
            listed.into_iter().map(|account| account.subject).collect::<Vec<_>>()
        };
        assert_eq!(subjects(None, None, 10).await, [1, 2, 3, 4, 5].map(subject));
        assert_eq!(subjects(Some(3), None, 10).await, [4, 5].map(subject));
        assert_eq!(subjects(Some(1), None, 2).await, [2, 3].map(subject));
        assert_eq!(subjects(Some(5), None, 2).await, []);
        // An identifier that nobody has is a place in the order as well.
        assert_eq!(subjects(Some(200), None, 2).await, []);
        assert_eq!(subjects(None, Some("on004@"), 10).await, [4].map(subject));
        assert_eq!(subjects(Some(2), Some("example"), 2).await, [3, 4].map(subject));
        for nobodys in ["%", "_", "*", "PERSON", "'"] {
            assert_eq!(subjects(None, Some(nobodys), 10).await, [], "{nobodys} is a text like any other");
        }
    })
    .await;
}

#[tokio::test]
async fn accounts_are_called_by_their_identifiers() {
    on_every_store(async |store| {
        // One of an earlier version, which would be refused today.
        let old = Identifier::known("o\u{AD}ld@example.com").unwrap();
        store.add(Account { identifier: old.clone(), ..account(1) }).await.unwrap();
        store.add(account(2)).await.unwrap();
        let mut called = store.identifiers(&[subject(2), subject(7), subject(1)]).await.unwrap();
        called.sort();
        assert_eq!(called, [(subject(1), old), (subject(2), account(2).identifier)]);
        assert_eq!(store.identifiers(&[]).await.unwrap(), []);
    })
    .await;
}

#[tokio::test]
async fn the_last_sign_in_outlives_its_session_and_not_its_account() {
    on_every_store(async |store| {
        with_sessions(&*store, 1, &[1]).await;
        store.add(account(2)).await.unwrap();
        assert_eq!(store.last_sign_in(subject(1)).await.unwrap(), Some(START));
        assert_eq!(store.last_sign_in(subject(2)).await.unwrap(), None);
        let later = START.after(IDLE);
        store.open(Session { opened_at: later, ..session(2, 1) }, None, Cap::NONE).await.unwrap();
        // One that waited longer for the store is not the last.
        store.open(session(3, 1), None, Cap::NONE).await.unwrap();
        store.end(Ending::Everyone).await.unwrap();
        assert_eq!(store.last_sign_in(subject(1)).await.unwrap(), Some(later));
        store.remove(subject(1)).await.unwrap();
        assert_eq!(store.last_sign_in(subject(1)).await.unwrap(), None);
    })
    .await;
}
