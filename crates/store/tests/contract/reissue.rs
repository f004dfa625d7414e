//! A session that goes on under a new session token.

use std::sync::Arc;
use std::time::Duration;

use vestibule_core::Timestamp;
use vestibule_core::port::{Changed, Ending, Reissued, Sessions};
use vestibule_core::principal::{Amr, Assurance};
use vestibule_core::session::{Cap, Proof, Reissue, Session, SessionKind};
use vestibule_core::token::JwtCacheKey;

use crate::sessions::jwt;
use crate::world::*;

const LATER: Timestamp = Timestamp::from_unix_seconds(1_800_000_600);

/// SS-03: the old session token is dead in the step in which the new one comes alive.
#[tokio::test]
async fn a_session_goes_on_under_its_new_token_and_the_old_one_is_dead() {
    on_every_store(async |store| {
        with_sessions(&*store, 1, &[1, 2]).await;
        let before = store.session(id(1), START).await.unwrap().unwrap();
        let held = live(&*store, digest(1)).unwrap();
        let stamp = JwtCacheKey { audience: 1, ring: 1 };
        held.keep(Arc::new(jwt(stamp, LATER.after(IDLE))), START);

        let after = reissued(store.reissue(&digest(1), to(7)).await.unwrap());
        assert_eq!(
            after,
            Session { digest: digest(7), issued_at: LATER, seen_at: LATER, ..before },
            "nothing else changes"
        );
        assert_eq!(store.session(id(1), LATER).await.unwrap(), Some(after));
        assert!(!is_live(&*store, 1));
        assert!(Sessions::find(&*store, &digest(1)).await.unwrap().is_none());
        let now = live(&*store, digest(7)).unwrap();
        assert_eq!((now.id(), now.version(), now.seen_at()), (id(1), 1, LATER));
        assert!(now.minted(stamp).is_none(), "JWTs stay with the token that they were minted under");
        // What still holds the old one cannot keep it alive, nor what is in the new one's place.
        held.keep(Arc::new(jwt(stamp, LATER.after(IDLE))), LATER);
        assert!(now.minted(stamp).is_none());
        store.note_use(&digest(1), LATER.after(IDLE));
        assert!(!is_live(&*store, 1));
        assert_eq!(store.end(Ending::Presented(digest(1))).await.unwrap(), []);
        assert!(is_live(&*store, 2), "nobody else is touched");
        assert_eq!(store.end(Ending::Presented(digest(7))).await.unwrap(), [id(1)]);
    })
    .await;
}

/// SS-04, SS-10: who proves itself again has both limits afresh; a remembered session stays at one factor for ever.
#[tokio::test]
async fn a_proof_starts_both_limits_afresh_and_raises_the_version() {
    on_every_store(async |store| {
        store.add(account(1)).await.unwrap();
        for (number, kind, assurance) in
            [(1, SessionKind::Browser, Assurance::Aal2), (2, SessionKind::Remembered, Assurance::Aal1)]
        {
            store.open(Session { kind, ..session(number, 1) }, None, Cap::NONE).await.unwrap();
            let proof = Proof {
                epoch: 1,
                assurance: Assurance::Aal2,
                amr: Amr::PASSWORD,
                ends_at: LATER.after(ABSOLUTE),
            };
            let reissue = Reissue { proof: Some(proof), ..to(number + 10) };
            let proven = reissued(store.reissue(&digest(number), reissue).await.unwrap());
            assert_eq!((proven.proven_at, proven.ends_at), (LATER, LATER.after(ABSOLUTE)));
            assert_eq!((proven.seen_at, proven.version, proven.assurance), (LATER, 2, assurance));
            let live = live(&*store, digest(number + 10)).unwrap();
            assert_eq!((live.version(), live.principal().proven_at), (2, LATER));
            assert_eq!((live.assurance(), live.ends_at()), (assurance, LATER.after(ABSOLUTE)));
        }
    })
    .await;
}

#[tokio::test]
async fn a_proof_of_another_epoch_changes_nothing() {
    on_every_store(async |store| {
        with_sessions(&*store, 1, &[1]).await;
        // The password that was shown is not the account's any more, though this very session stayed.
        let changed = store.set_password(subject(1), hash("new"), owner(1, 1)).await.unwrap();
        let before = store.session(id(1), START).await.unwrap();
        assert_eq!(changed, Changed::Changed { ended: vec![], kept: before.clone().map(Box::new) });
        let proof = Proof {
            epoch: 1,
            assurance: Assurance::Aal1,
            amr: Amr::PASSWORD,
            ends_at: LATER.after(ABSOLUTE),
        };
        let reissue = Reissue { proof: Some(proof), ..to(7) };
        assert_eq!(store.reissue(&digest(101), reissue).await.unwrap(), Reissued::Gone);
        assert!(is_live(&*store, 101) && !is_live(&*store, 7));
        assert_eq!(store.session(id(1), START).await.unwrap(), before);
    })
    .await;
}

#[tokio::test]
async fn what_has_ended_goes_on_under_nothing() {
    on_every_store(async |store| {
        with_sessions(&*store, 1, &[1]).await;
        store.end(Ending::One(id(1))).await.unwrap();
        for old in [1, 9] {
            assert_eq!(store.reissue(&digest(old), to(7)).await.unwrap(), Reissued::Gone);
            assert!(!is_live(&*store, 7));
        }
    })
    .await;
}

#[tokio::test]
async fn a_digest_in_use_is_our_defect_and_changes_nothing() {
    on_every_store(async |store| {
        with_sessions(&*store, 1, &[1, 2]).await;
        store.reissue(&digest(1), to(2)).await.unwrap_err();
        assert_eq!(live(&*store, digest(1)).unwrap().id(), id(1));
        assert_eq!(live(&*store, digest(2)).unwrap().id(), id(2));
    })
    .await;
}

/// The place in the order of opening stays: a cap and a listing go by when somebody signed in.
#[tokio::test]
async fn a_new_token_makes_no_session_younger() {
    on_every_store(async |store| {
        with_sessions(&*store, 1, &[1, 2]).await;
        store.reissue(&digest(1), to(7)).await.unwrap();
        let listed = store.sessions(Some(subject(1)), ALL, LATER).await.unwrap();
        assert_eq!(listed.iter().map(|session| session.id).collect::<Vec<_>>(), [id(2), id(1)]);
        let cap = Cap::at(2.try_into().unwrap());
        assert_eq!(ended_by(store.open(session(3, 1), None, cap).await.unwrap()), [id(1)]);
        assert!(!is_live(&*store, 7));
    })
    .await;
}

/// The last use is counted from the new token on, though uses of the old one were written before and noted after.
#[tokio::test]
async fn uses_of_the_old_token_are_not_the_new_ones() {
    on_every_store(async |store| {
        with_sessions(&*store, 1, &[1]).await;
        store.note_use(&digest(1), LATER.after(Duration::from_secs(60)));
        store.reissue(&digest(1), to(7)).await.unwrap();
        store.note_use(&digest(1), LATER.after(Duration::from_secs(120)));
        assert_eq!(live(&*store, digest(7)).unwrap().seen_at(), LATER);
    })
    .await;
}

fn to(number: u16) -> Reissue {
    Reissue { digest: digest(number), at: LATER, proof: None }
}

fn reissued(answer: Reissued) -> Session {
    match answer {
        Reissued::Reissued(session) => *session,
        Reissued::Gone => panic!("the session is there"),
    }
}
