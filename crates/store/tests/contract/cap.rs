//! SS-09: how many sessions an account may have, and which of them make room.

use std::num::NonZeroU32;
use std::time::Duration;

use vestibule_core::id::SessionId;
use vestibule_core::port::Opened;
use vestibule_core::session::Cap;

use crate::world::*;

fn at(most: u32) -> Cap {
    Cap::at(NonZeroU32::new(most).unwrap())
}

#[tokio::test]
async fn at_the_cap_the_oldest_makes_room() {
    on_every_store(async |store| {
        with_sessions(&*store, 1, &[1, 2, 3]).await;
        with_sessions(&*store, 2, &[10]).await;
        // The oldest by opening, not by name, and whether or not it is in use.
        live(&*store, digest(1)).unwrap().used(START.after(IDLE / 2));
        assert_eq!(ended_by(store.open(session(0, 1), None, at(3)).await.unwrap()), [id(1)]);
        assert_eq!(ended_by(store.open(session(4, 1), None, at(3)).await.unwrap()), [id(2)]);
        assert_eq!(numbers_alive(&*store), [0, 3, 4, 10]);
        // A cap that is set when there are more already holds from the next login on.
        assert_eq!(sorted(store.open(session(5, 1), None, at(1)).await.unwrap()), [id(0), id(3), id(4)]);
        assert_eq!(numbers_alive(&*store), [5, 10]);
        assert_eq!(ended_by(store.open(session(6, 1), None, at(2)).await.unwrap()), []);
        assert_eq!(ended_by(store.open(session(7, 1), None, Cap::NONE).await.unwrap()), []);
        assert_eq!(numbers_alive(&*store), [5, 6, 7, 10]);
    })
    .await;
}

/// A browser that signs in again does not cost another device its session.
#[tokio::test]
async fn what_is_replaced_makes_room_first() {
    on_every_store(async |store| {
        with_sessions(&*store, 1, &[1, 2, 3]).await;
        with_sessions(&*store, 2, &[10]).await;
        let ended = ended_by(store.open(session(4, 1), Some(id(3)), at(3)).await.unwrap());
        assert_eq!(ended, [id(3)]);
        // The one replaced may be another account's: then there is still room to be made in this one.
        let ended = sorted(store.open(session(5, 1), Some(id(10)), at(3)).await.unwrap());
        assert_eq!(ended, [id(1), id(10)]);
        assert_eq!(numbers_alive(&*store), [2, 4, 5]);
    })
    .await;
}

/// What lay unused for too long is dead, though it may not be swept yet: nothing alive has to go for it.
#[tokio::test]
async fn what_can_never_be_used_again_makes_room_before_what_can() {
    on_every_store(async |store| {
        with_sessions(&*store, 1, &[1, 2, 3]).await;
        // Only memory knows that the first and the third are in use.
        for in_use in [1, 3] {
            live(&*store, digest(in_use)).unwrap().used(START.after(IDLE).before(Duration::from_secs(1)));
        }
        let mut coming = session(4, 1);
        (coming.opened_at, coming.seen_at) = (START.after(IDLE), START.after(IDLE));
        coming.issued_at = coming.opened_at;
        assert_eq!(ended_by(store.open(coming, None, at(3)).await.unwrap()), [id(2)]);
        assert_eq!(numbers_alive(&*store), [1, 3, 4]);
    })
    .await;
}

#[tokio::test]
async fn a_login_that_opens_nothing_ends_nothing() {
    on_every_store(async |store| {
        with_sessions(&*store, 1, &[1, 2, 3]).await;
        let mut of_another_epoch = session(4, 1);
        of_another_epoch.epoch = 2;
        assert_eq!(store.open(of_another_epoch, None, at(1)).await.unwrap(), Opened::AccountChanged);
        let mut same_id = session(4, 1);
        same_id.id = id(2);
        store.open(same_id, None, at(1)).await.unwrap_err();
        assert_eq!(numbers_alive(&*store), [1, 2, 3]);
    })
    .await;
}

/// Those among the first sixteen that a request would find alive.
fn numbers_alive(store: &dyn Store) -> Vec<u16> {
    (0..16).filter(|number| is_live(store, *number)).collect()
}

fn sorted(opened: Opened) -> Vec<SessionId> {
    let mut ended = ended_by(opened);
    ended.sort();
    ended
}
