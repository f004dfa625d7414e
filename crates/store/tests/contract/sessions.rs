//! Opening, finding, ending and forgetting sessions.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use vestibule_core::account::Status;
use vestibule_core::port::{Ending, Opened, Sessions};
use vestibule_core::session::{Cap, Device, SessionKind};
use vestibule_core::token::{AccessToken, JwtCacheKey, Minted};
use vestibule_core::{Fault, Timestamp};

use crate::world::*;

#[tokio::test]
async fn an_open_session_is_found_and_nothing_else_is() {
    on_every_store(async |store| {
        with_sessions(&*store, 1, &[1]).await;
        let opened = session(1, 1);
        let found = live(&*store, digest(1)).unwrap();
        assert_eq!((found.id(), found.subject(), found.version()), (opened.id, opened.subject, 1));
        assert_eq!((found.epoch(), found.idle(), found.ends_at()), (1, IDLE, opened.ends_at));
        assert_eq!(found.principal().amr, opened.amr);
        assert!(Arc::ptr_eq(&found, &Sessions::find(&*store, &digest(1)).await.unwrap().unwrap()));

        assert!(!is_live(&*store, 2));
        assert!(Sessions::find(&*store, &digest(2)).await.unwrap().is_none());
    })
    .await;
}

#[tokio::test]
async fn what_was_opened_is_what_is_listed() {
    on_every_store(async |store| {
        store.add(account(1)).await.unwrap();
        let mut sessions = [session(1, 1), session(2, 1), session(3, 1), session(4, 1)];
        sessions[0].device = Device::new(None, "");
        sessions[1].device = Device::new(
            Some(IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1])),
            r#"Ünïcode 🦀 'x'; -- "]},\u0000{}"#,
        );
        sessions[1].kind = SessionKind::Client;
        sessions[2].idle = Duration::from_millis(1);
        sessions[2].ends_at = Timestamp::from_millis(i64::MAX as u64);
        sessions[3].kind = SessionKind::Remembered;
        sessions[3].issued_at = START.before(Duration::from_secs(1));
        for session in &sessions {
            store.open(session.clone(), None, Cap::NONE).await.unwrap();
        }
        for session in sessions {
            assert_eq!(store.session(session.id, START).await.unwrap(), Some(session));
        }
        assert_eq!(store.session(id(5), START).await.unwrap(), None);
        assert_eq!(live(&*store, digest(4)).unwrap().kind(), SessionKind::Remembered);
    })
    .await;
}

/// SS-06, SS-07: a login that was under way while its account changed opens nothing, and ends nothing.
#[tokio::test]
async fn a_session_opens_only_for_an_enabled_account_of_its_epoch() {
    on_every_store(async |store| {
        with_sessions(&*store, 1, &[1]).await;
        let mut of_another_epoch = session(2, 1);
        of_another_epoch.epoch = 2;
        let mut disabled = account(2);
        disabled.status = Status::Disabled;
        store.add(disabled).await.unwrap();

        for refused in [of_another_epoch, session(2, 2), session(2, 3)] {
            let answer = store.open(refused, Some(id(1)), Cap::NONE).await.unwrap();
            assert_eq!(answer, Opened::AccountChanged);
            assert!(!is_live(&*store, 2));
            assert!(is_live(&*store, 1), "what was not replaced must live on");
        }
    })
    .await;
}

/// SS-03: the session that a browser had dies in the same step as its new one opens.
#[tokio::test]
async fn opening_ends_what_it_replaces() {
    on_every_store(async |store| {
        with_sessions(&*store, 1, &[1]).await;
        assert_eq!(
            store.open(session(2, 1), Some(id(1)), Cap::NONE).await.unwrap(),
            Opened::Open { ended: vec![id(1)] }
        );
        assert!(!is_live(&*store, 1));
        assert!(is_live(&*store, 2));
        // What it would replace is gone already: no reason not to open.
        assert_eq!(
            store.open(session(3, 1), Some(id(1)), Cap::NONE).await.unwrap(),
            Opened::Open { ended: vec![] }
        );
        assert!(is_live(&*store, 2) && is_live(&*store, 3));
    })
    .await;
}

#[tokio::test]
async fn a_digest_or_id_in_use_is_our_defect_and_changes_nothing() {
    on_every_store(async |store| {
        with_sessions(&*store, 1, &[1, 2]).await;
        let mut same_id = session(3, 1);
        same_id.id = id(1);
        let mut same_digest = session(3, 1);
        same_digest.digest = digest(1);
        for twice in [same_id, same_digest] {
            let fault = store.open(twice, Some(id(2)), Cap::NONE).await.unwrap_err();
            assert!(matches!(fault, Fault::Bug(_)), "{}", fault.report());
            assert_eq!(live(&*store, digest(1)).unwrap().id(), id(1));
            assert!(is_live(&*store, 2), "the failed step must not end what it would have replaced");
            assert!(!is_live(&*store, 3));
        }
    })
    .await;
}

#[tokio::test]
async fn ending_ends_what_was_named_and_says_which() {
    for (which, expected) in [
        (Ending::Everyone, vec![1, 2, 3, 4]),
        (Ending::One(id(2)), vec![2]),
        (Ending::Others { subject: subject(1), keep: id(2) }, vec![1, 3]),
        (Ending::Others { subject: subject(1), keep: id(4) }, vec![1, 2, 3]),
        (Ending::Presented(digest(3)), vec![3]),
        (Ending::Subject(subject(1)), vec![1, 2, 3]),
        (Ending::Subject(subject(9)), vec![]),
        (Ending::One(id(9)), vec![]),
        (Ending::Presented(digest(9)), vec![]),
    ] {
        on_every_store(async |store| {
            with_sessions(&*store, 1, &[1, 2, 3]).await;
            with_sessions(&*store, 2, &[4]).await;
            let mut ended = store.end(which).await.unwrap();
            ended.sort();
            assert_eq!(ended, expected.iter().map(|number| id(*number)).collect::<Vec<_>>(), "{which:?}");
            for number in 1..=4 {
                assert_eq!(is_live(&*store, number), !expected.contains(&number), "{which:?}: {number}");
                let listed = store.session(id(number), START).await.unwrap();
                assert_eq!(listed.is_some(), !expected.contains(&number), "{which:?}: {number}");
            }
            assert_eq!(store.end(which).await.unwrap(), vec![], "what is ended cannot be ended again");
        })
        .await;
    }
}

#[tokio::test]
async fn a_digest_that_ended_may_be_opened_anew() {
    on_every_store(async |store| {
        with_sessions(&*store, 1, &[1]).await;
        store.end(Ending::One(id(1))).await.unwrap();
        assert_eq!(store.open(session(1, 1), None, Cap::NONE).await.unwrap(), Opened::Open { ended: vec![] });
        assert!(is_live(&*store, 1));
    })
    .await;
}

#[tokio::test]
async fn noting_a_use_brings_nothing_back() {
    on_every_store(async |store| {
        with_sessions(&*store, 1, &[1]).await;
        store.end(Ending::One(id(1))).await.unwrap();
        store.note_use(&digest(1), START.after(IDLE));
        store.note_use(&digest(2), START.after(IDLE));
        assert!(!is_live(&*store, 1) && !is_live(&*store, 2));
        assert_eq!(store.session(id(1), START).await.unwrap(), None);
    })
    .await;
}

/// SS-04, at the edges of both limits.
#[tokio::test]
async fn what_can_never_be_used_again_is_forgotten_and_nothing_else() {
    on_every_store(async |store| {
        with_sessions(&*store, 1, &[1, 2]).await;
        let short = START.after(Duration::from_secs(60));
        let mut about_to_end = session(3, 1);
        about_to_end.ends_at = short;
        store.open(about_to_end, None, Cap::NONE).await.unwrap();

        assert_eq!(store.forget_expired(short.before(Duration::from_millis(1))).await.unwrap(), 0);
        assert_eq!(store.forget_expired(short).await.unwrap(), 1);
        assert!(!is_live(&*store, 3));

        // The second is used just before its idle limit; memory alone knows.
        live(&*store, digest(2)).unwrap().used(START.after(IDLE).before(Duration::from_millis(1)));
        assert_eq!(store.forget_expired(START.after(IDLE)).await.unwrap(), 1);
        assert!(!is_live(&*store, 1) && is_live(&*store, 2));
        assert_eq!(store.session(id(1), START).await.unwrap(), None);
        assert_eq!(store.forget_expired(START.after(IDLE)).await.unwrap(), 0);
    })
    .await;
}

#[tokio::test]
async fn forgetting_gives_back_the_jwts_that_expired() {
    on_every_store(async |store| {
        with_sessions(&*store, 1, &[1]).await;
        let kept = live(&*store, digest(1)).unwrap();
        let stamp = JwtCacheKey { audience: 1, ring: 1 };
        kept.keep(Arc::new(jwt(stamp, START.after(Duration::from_secs(120)))), START);
        store.forget_expired(START.after(Duration::from_secs(119))).await.unwrap();
        assert!(kept.minted(stamp).is_some());
        store.forget_expired(START.after(Duration::from_secs(120))).await.unwrap();
        assert!(kept.minted(stamp).is_none());
    })
    .await;
}

pub(crate) fn jwt(stamp: JwtCacheKey, expires_at: Timestamp) -> AccessToken {
    AccessToken::new(Minted {
        jwt: "e30.e30.AA",
        subject: subject(1),
        session: id(1),
        claims: Arc::new([]),
        copies: Vec::new(),
        minted_at: START,
        expires_at,
        renew_at: expires_at,
        stamp,
    })
    .unwrap()
}
