//! Accounts, and what changing one does to its sessions.

use std::sync::Arc;
use std::time::Duration;

use vestibule_core::Fault;
use vestibule_core::account::{Account, Identifier, Status, Traits};
use vestibule_core::port::{AccountsPage, Added, Changed, Opened, PasswordAuthority, Reissued, Renamed};
use vestibule_core::session::{Cap, Reissue};
use vestibule_core::token::JwtCacheKey;

use crate::sessions::jwt;
use crate::world::*;

#[tokio::test]
async fn an_account_is_found_by_both_of_its_names() {
    on_every_store(async |store| {
        let added = account(1);
        assert_eq!(store.add(added.clone()).await.unwrap(), Added::Added);
        let mut without_password = account(2);
        without_password.password = None;
        without_password.status = Status::Disabled;
        store.add(without_password).await.unwrap();

        let by_subject = find_account(&*store, 1).await.unwrap();
        let by_identifier = store.find_by_identifier(&added.identifier).await.unwrap().unwrap();
        for found in [by_subject, by_identifier] {
            assert!(found.subject == added.subject && found.identifier == added.identifier);
            assert!(found.password == added.password && found.traits == added.traits);
            assert!(found.status == Status::Enabled && found.epoch == 1 && found.created_at == START);
        }
        let second = find_account(&*store, 2).await.unwrap();
        assert!(second.password.is_none() && second.status == Status::Disabled);

        assert!(find_account(&*store, 3).await.is_none());
        let unknown = Identifier::parse("nobody@example.com").unwrap();
        assert!(store.find_by_identifier(&unknown).await.unwrap().is_none());
    })
    .await;
}

/// What an earlier version let an account be called is read back, found and listed: no record is corrupt by a stricter rule.
#[tokio::test]
async fn an_account_keeps_a_name_that_is_refused_today() {
    on_every_store(async |store| {
        let mut old = account(1);
        old.identifier = Identifier::known("a\u{AD}da@example.com").unwrap();
        assert!(Identifier::parse(old.identifier.as_str()).is_err());
        store.add(old.clone()).await.unwrap();
        let found = store.find_by_identifier(&old.identifier).await.unwrap();
        assert!(found.unwrap().subject == old.subject);
        assert!(find_account(&*store, 1).await.unwrap().identifier == old.identifier);
        assert_eq!(
            store.accounts(AccountsPage { take: ALL.take, ..Default::default() }).await.unwrap().len(),
            1
        );
        let candidate = store.find_to_sign_in(Some(&old.identifier), subject(2)).await.unwrap();
        assert!(candidate.account.unwrap().subject == old.subject);
    })
    .await;
}

#[tokio::test]
async fn one_identifier_is_one_account() {
    on_every_store(async |store| {
        store.add(account(1)).await.unwrap();
        let mut second = account(2);
        second.identifier = account(1).identifier;
        assert_eq!(store.add(second).await.unwrap(), Added::IdentifierTaken);
        assert!(find_account(&*store, 2).await.is_none());

        let mut same_subject = account(1);
        same_subject.identifier = account(3).identifier;
        let fault = store.add(same_subject).await.unwrap_err();
        assert!(matches!(fault, Fault::Bug(_)), "{}", fault.report());
        assert!(find_account(&*store, 1).await.unwrap().identifier == account(1).identifier);
    })
    .await;
}

#[tokio::test]
async fn a_better_hash_replaces_only_the_one_it_was_made_from() {
    on_every_store(async |store| {
        with_sessions(&*store, 1, &[1]).await;
        store.upgrade_password(subject(1), &hash("old"), hash("better")).await.unwrap();
        assert!(find_account(&*store, 1).await.unwrap().password == Some(hash("better")));
        // The password was changed meanwhile: the upgrade comes too late.
        store.upgrade_password(subject(1), &hash("old"), hash("stale")).await.unwrap();
        assert!(find_account(&*store, 1).await.unwrap().password == Some(hash("better")));
        store.upgrade_password(subject(9), &hash("old"), hash("better")).await.unwrap();

        assert!(is_live(&*store, 1), "it is the same password");
        assert_eq!(find_account(&*store, 1).await.unwrap().epoch, 1);
    })
    .await;
}

/// AU-04: what unknown accounts are compared with.
#[tokio::test]
async fn the_password_near_a_subject_is_the_next_accounts_own_and_goes_around() {
    on_every_store(async |store| {
        let near = async |number| store.find_to_sign_in(None, subject(number)).await.unwrap().lent;
        assert!(near(1).await.is_none(), "nobody is there");
        for (number, password) in [(2, Some("two")), (4, None), (6, Some("six"))] {
            let mut account = account(number);
            account.password = password.map(hash);
            store.add(account).await.unwrap();
        }
        for (number, expected) in
            [(1, Some("two")), (2, Some("two")), (3, None), (4, None), (5, Some("six")), (7, Some("two"))]
        {
            assert!(near(number).await == expected.map(hash), "{number}");
        }
        // Whoever lends, the account that is asked for is the one of that name.
        let asked = account(4).identifier;
        let found = store.find_to_sign_in(Some(&asked), subject(5)).await.unwrap();
        assert!(found.account.unwrap().subject == subject(4) && found.lent == Some(hash("six")));
        let unknown = store.find_to_sign_in(Some(&account(5).identifier), subject(4)).await.unwrap();
        assert!(unknown.account.is_none() && unknown.lent.is_none());
    })
    .await;
}

/// SS-07.
#[tokio::test]
async fn a_new_password_ends_all_sessions_but_the_one_to_keep() {
    on_every_store(async |store| {
        with_sessions(&*store, 1, &[1, 2, 3]).await;
        with_sessions(&*store, 2, &[4]).await;
        // Whoever has a copy had the session token replaced a moment ago: it is the owner who goes on.
        let theirs = Reissue { digest: digest(9), at: START, proof: None };
        assert!(matches!(store.reissue(&digest(2), theirs).await.unwrap(), Reissued::Reissued(_)));

        let changed = store.set_password(subject(1), hash("new"), owner(1, 2)).await.unwrap();
        let Changed::Changed { kept: Some(kept), .. } = &changed else { panic!("none is kept") };
        assert_eq!((kept.id, kept.digest), (id(2), digest(102)));
        assert_eq!(store.session(id(2), START).await.unwrap().as_ref(), Some(&**kept));
        assert_eq!(ended(changed), [id(1), id(3)]);
        assert!([1, 2, 3, 9].iter().all(|number| !is_live(&*store, *number)) && is_live(&*store, 4));
        let account = find_account(&*store, 1).await.unwrap();
        assert!(account.password == Some(hash("new")));
        let kept = live(&*store, digest(102)).unwrap();
        assert_eq!(kept.epoch(), account.epoch, "a session of an older epoch is a dead one");

        let changed =
            store.set_password(subject(1), hash("newer"), PasswordAuthority::Operator).await.unwrap();
        assert_eq!(ended(changed), [id(2)]);
        let unknown = store.set_password(subject(9), hash("new"), PasswordAuthority::Operator).await.unwrap();
        assert_eq!(unknown, Changed::Unknown);
    })
    .await;
}

/// Whoever showed a password that was replaced meanwhile must not replace the new one: it was to shut them out.
#[tokio::test]
async fn a_password_that_was_shown_before_another_change_warrants_none() {
    on_every_store(async |store| {
        with_sessions(&*store, 1, &[1, 2]).await;
        let changed = store.set_password(subject(1), hash("the owner's"), owner(1, 2)).await.unwrap();
        assert_eq!(ended(changed), [id(1)]);
        let late = store.set_password(subject(1), hash("the thief's"), owner(1, 1)).await.unwrap();
        assert_eq!(late, Changed::Unknown);
        let account = find_account(&*store, 1).await.unwrap();
        assert!(account.password == Some(hash("the owner's")) && account.epoch == 2);
        assert!(is_live(&*store, 102), "and nothing ended");

        store.set_status(subject(1), Status::Disabled).await.unwrap();
        let late = store.set_password(subject(1), hash("the thief's"), owner(2, 2)).await.unwrap();
        assert_eq!(late, Changed::Unknown, "nor does one that was shown before the account was disabled");
    })
    .await;
}

/// To keep a session of somebody else's is to keep none.
#[tokio::test]
async fn a_new_password_keeps_no_session_of_another_account() {
    on_every_store(async |store| {
        with_sessions(&*store, 1, &[1]).await;
        with_sessions(&*store, 2, &[2]).await;
        let changed = store.set_password(subject(1), hash("new"), owner(1, 2)).await.unwrap();
        assert!(matches!(changed, Changed::Changed { kept: None, .. }));
        assert_eq!(ended(changed), [id(1)]);
        let other = live(&*store, digest(2)).unwrap();
        assert_eq!((other.epoch(), other.version()), (1, 1));
    })
    .await;
}

/// A login that proved the old password and has not opened its session yet comes too late.
#[tokio::test]
async fn the_old_password_opens_nothing_after_it_was_changed() {
    on_every_store(async |store| {
        store.add(account(1)).await.unwrap();
        let proven_with_the_old = session(1, 1);
        store.set_password(subject(1), hash("new"), PasswordAuthority::Operator).await.unwrap();
        assert_eq!(store.open(proven_with_the_old, None, Cap::NONE).await.unwrap(), Opened::AccountChanged);
        let mut proven_with_the_new = session(2, 1);
        proven_with_the_new.epoch = find_account(&*store, 1).await.unwrap().epoch;
        assert_eq!(
            store.open(proven_with_the_new, None, Cap::NONE).await.unwrap(),
            Opened::Open { ended: vec![] }
        );
    })
    .await;
}

/// HX-05: what services are told goes stale with the traits, so nothing minted before is handed out again.
#[tokio::test]
async fn new_traits_renew_every_session_of_the_account() {
    on_every_store(async |store| {
        with_sessions(&*store, 1, &[1, 2]).await;
        with_sessions(&*store, 2, &[3]).await;
        let stamp = JwtCacheKey { audience: 1, ring: 1 };
        for number in 1..=3 {
            let token = jwt(stamp, START.after(Duration::from_secs(120)));
            live(&*store, digest(number)).unwrap().keep(Arc::new(token), START);
        }
        live(&*store, digest(1)).unwrap().used(START.after(Duration::from_secs(5)));

        let traits = Traits::parse(r#"{"department":"Legal"}"#).unwrap();
        let changed = store.set_traits(subject(1), traits.clone()).await.unwrap();
        assert_eq!(ended(changed), []);
        assert!(find_account(&*store, 1).await.unwrap().traits == traits);
        for number in [1, 2] {
            let renewed = live(&*store, digest(number)).unwrap();
            assert_eq!((renewed.version(), renewed.epoch(), renewed.id()), (2, 1, id(number)));
            assert!(renewed.minted(stamp).is_none());
        }
        assert_eq!(live(&*store, digest(1)).unwrap().seen_at(), START.after(Duration::from_secs(5)));
        let other = live(&*store, digest(3)).unwrap();
        assert_eq!(other.version(), 1);
        assert!(other.minted(stamp).is_some());
        assert_eq!(store.set_traits(subject(9), traits).await.unwrap(), Changed::Unknown);
    })
    .await;
}

/// SS-07.
#[tokio::test]
async fn disabling_ends_all_sessions_and_whatever_was_under_way() {
    on_every_store(async |store| {
        with_sessions(&*store, 1, &[1, 2]).await;
        with_sessions(&*store, 2, &[3]).await;
        let changed = store.set_status(subject(1), Status::Disabled).await.unwrap();
        assert_eq!(ended(changed), [id(1), id(2)]);
        assert!(!is_live(&*store, 1) && !is_live(&*store, 2) && is_live(&*store, 3));
        assert_eq!(store.open(session(4, 1), None, Cap::NONE).await.unwrap(), Opened::AccountChanged);

        assert_eq!(ended(store.set_status(subject(1), Status::Enabled).await.unwrap()), []);
        let account = find_account(&*store, 1).await.unwrap();
        assert!(account.status == Status::Enabled && account.epoch > 1);
        // Proven before the account was disabled: enabling it does not make that proof good again.
        assert_eq!(store.open(session(4, 1), None, Cap::NONE).await.unwrap(), Opened::AccountChanged);
        let mut anew = session(4, 1);
        anew.epoch = account.epoch;
        assert_eq!(store.open(anew, None, Cap::NONE).await.unwrap(), Opened::Open { ended: vec![] });

        assert_eq!(store.set_status(subject(9), Status::Enabled).await.unwrap(), Changed::Unknown);
        assert_eq!(store.set_status(subject(9), Status::Disabled).await.unwrap(), Changed::Unknown);
    })
    .await;
}

#[tokio::test]
async fn enabling_an_enabled_account_disturbs_nobody() {
    on_every_store(async |store| {
        with_sessions(&*store, 1, &[1]).await;
        assert_eq!(ended(store.set_status(subject(1), Status::Enabled).await.unwrap()), []);
        assert!(is_live(&*store, 1));
        assert_eq!(find_account(&*store, 1).await.unwrap().epoch, 1);
    })
    .await;
}

/// SS-07.
#[tokio::test]
async fn a_removed_account_leaves_nothing_but_a_free_identifier() {
    on_every_store(async |store| {
        with_sessions(&*store, 1, &[1, 2]).await;
        with_sessions(&*store, 2, &[3]).await;
        assert_eq!(ended(store.remove(subject(1)).await.unwrap()), [id(1), id(2)]);
        assert!(!is_live(&*store, 1) && !is_live(&*store, 2) && is_live(&*store, 3));
        assert!(find_account(&*store, 1).await.is_none());
        assert!(store.find_by_identifier(&account(1).identifier).await.unwrap().is_none());
        assert_eq!(store.open(session(1, 1), None, Cap::NONE).await.unwrap(), Opened::AccountChanged);
        assert_eq!(store.remove(subject(1)).await.unwrap(), Changed::Unknown);

        let mut next = account(5);
        next.identifier = account(1).identifier;
        assert_eq!(store.add(next).await.unwrap(), Added::Added);
    })
    .await;
}

#[tokio::test]
async fn a_new_identifier_is_the_accounts_alone_and_renews_its_sessions() {
    on_every_store(async |store| {
        with_sessions(&*store, 1, &[1, 2]).await;
        with_sessions(&*store, 2, &[3]).await;
        let named = |text| Identifier::parse(text).unwrap();
        let found = async |text| {
            let account = store.find_by_identifier(&named(text)).await.unwrap();
            account.map(|account| account.subject)
        };
        let rename =
            async |of, text, epoch| store.set_identifier(subject(of), named(text), epoch).await.unwrap();

        assert_eq!(rename(1, "ada@example.com", None).await, Renamed::Renamed);
        assert_eq!(found("ada@example.com").await, Some(subject(1)));
        assert_eq!(found("person001@example.com").await, None, "the old one is free");
        assert_eq!(find_account(&*store, 1).await.unwrap().epoch, 1);
        for number in [1, 2] {
            assert_eq!(live(&*store, digest(number)).unwrap().version(), 2, "its next JWT says so");
        }
        assert_eq!(live(&*store, digest(3)).unwrap().version(), 1, "nobody else's changes");

        assert_eq!(rename(2, "ada@example.com", None).await, Renamed::Taken);
        assert_eq!(found("person002@example.com").await, Some(subject(2)), "nothing is changed by that");
        assert_eq!(live(&*store, digest(3)).unwrap().version(), 1);
        assert_eq!(rename(1, "ada@example.com", Some(1)).await, Renamed::Renamed, "its own is not taken");
        assert_eq!(rename(1, "grace@example.com", Some(7)).await, Renamed::Unknown, "of another epoch");
        assert_eq!(rename(1, "person002@example.com", Some(7)).await, Renamed::Unknown);
        assert_eq!(rename(9, "grace@example.com", None).await, Renamed::Unknown);
        assert_eq!(rename(9, "ada@example.com", None).await, Renamed::Unknown);
        assert_eq!(found("grace@example.com").await, None);
        // What one account gave up another may have, and a new one as well.
        assert_eq!(rename(2, "person001@example.com", Some(1)).await, Renamed::Renamed);
        let newcomer = Account { identifier: named("person002@example.com"), ..account(3) };
        assert_eq!(store.add(newcomer).await.unwrap(), Added::Added);
        assert_eq!(
            store.add(Account { subject: subject(4), ..account(1) }).await.unwrap(),
            Added::IdentifierTaken
        );
        store.remove(subject(1)).await.unwrap();
        assert_eq!(found("ada@example.com").await, None, "and it goes with its account");
    })
    .await;
}
