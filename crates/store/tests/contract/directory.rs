//! Listings.

use std::time::Duration;

use vestibule_core::port::Page;

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
        let subjects = async |skip, take| {
            let listed = store.accounts(Page { skip, take }).await.unwrap();
            listed.into_iter().map(|account| account.subject).collect::<Vec<_>>()
        };
        assert_eq!(subjects(0, 10).await, [1, 2, 3, 4, 5].map(subject));
        assert_eq!(subjects(3, 10).await, [4, 5].map(subject));
        assert_eq!(subjects(1, 2).await, [2, 3].map(subject));
        assert_eq!(subjects(5, 2).await, []);
    })
    .await;
}
