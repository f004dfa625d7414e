use proptest::prelude::*;
use serde_json::json;

use super::{Revocation, RevocationScope, RevocationView};
use crate::Claims;

fn claims(sub: &str, sid: Option<&str>, auth_time: Option<u64>, iat: Option<u64>) -> Claims {
    let mut claims = json!({"iss": "i", "sub": sub, "aud": "a", "exp": 10_000});
    for (name, value) in [("auth_time", auth_time), ("iat", iat)] {
        if let Some(value) = value {
            claims[name] = json!(value);
        }
    }
    if let Some(sid) = sid {
        claims["sid"] = json!(sid);
    }
    Claims::parse(claims.to_string().as_bytes()).unwrap()
}

fn revoke(view: &RevocationView, scope: RevocationScope) {
    view.apply(Revocation::new(scope, 200));
}

fn subject(sub: &str, before: u64) -> RevocationScope {
    RevocationScope::Subject { sub: sub.to_owned(), before }
}

#[test]
fn nothing_is_revoked_at_first() {
    let view = RevocationView::new();
    assert!(!view.is_revoked(&claims("ada", Some("s1"), None, None)));
    assert!(view.is_empty());
}

#[test]
fn a_session_is_revoked_alone() {
    let view = RevocationView::new();
    revoke(&view, RevocationScope::Session("s1".to_owned()));
    assert!(view.is_revoked(&claims("ada", Some("s1"), Some(150), Some(150))));
    assert!(!view.is_revoked(&claims("ada", Some("s2"), Some(50), Some(50))));
    assert!(!view.is_revoked(&claims("ada", None, Some(50), Some(50))));
}

#[test]
fn a_subject_is_revoked_up_to_a_moment() {
    let view = RevocationView::new();
    revoke(&view, subject("ada", 100));
    assert!(view.is_revoked(&claims("ada", None, Some(99), Some(99))));
    assert!(!view.is_revoked(&claims("ada", None, Some(100), Some(100))));
    assert!(!view.is_revoked(&claims("bob", None, Some(99), Some(99))));
}

/// `iat` is dated back by the issuer, so the time of sign-in decides where it is known.
#[test]
fn the_sign_in_counts_before_the_issue() {
    let view = RevocationView::new();
    revoke(&view, subject("ada", 100));
    assert!(!view.is_revoked(&claims("ada", None, Some(101), Some(71))));
    assert!(view.is_revoked(&claims("ada", None, Some(50), Some(150))));
    assert!(view.is_revoked(&claims("ada", None, None, Some(99))));
    assert!(!view.is_revoked(&claims("ada", None, None, Some(100))));
    assert!(view.is_revoked(&claims("ada", None, None, None)));
}

#[test]
fn everyone_is_revoked_up_to_a_moment() {
    let view = RevocationView::new();
    revoke(&view, RevocationScope::Everyone { before: 100 });
    assert!(view.is_revoked(&claims("ada", None, Some(99), None)));
    assert!(view.is_revoked(&claims("bob", None, None, None)));
    assert!(!view.is_revoked(&claims("ada", None, Some(100), None)));
    revoke(&view, RevocationScope::Everyone { before: 50 });
    assert!(
        view.is_revoked(&claims("ada", None, Some(99), None)),
        "an older mark must not weaken a newer one"
    );
}

#[test]
fn what_no_longer_matters_is_forgotten() {
    let view = RevocationView::new();
    revoke(&view, RevocationScope::Session("s1".to_owned()));
    revoke(&view, subject("ada", 100));
    revoke(&view, RevocationScope::Everyone { before: 10 });
    view.forget(199);
    assert_eq!(view.len(), 2);
    view.forget(200);
    assert!(view.is_empty());
    assert!(view.is_revoked(&claims("ada", None, Some(9), None)));
}

#[test]
fn a_repetition_keeps_the_stricter_of_both() {
    let view = RevocationView::new();
    view.apply(Revocation::new(subject("ada", 100), 500));
    view.apply(Revocation::new(subject("ada", 50), 300));
    view.apply(Revocation::new(RevocationScope::Session("s".to_owned()), 500));
    view.apply(Revocation::new(RevocationScope::Session("s".to_owned()), 300));
    view.forget(400);
    assert!(view.is_revoked(&claims("ada", None, Some(99), None)));
    assert!(view.is_revoked(&claims("bob", Some("s"), Some(99), None)));
}

fn any_scope() -> impl Strategy<Value = RevocationScope> {
    prop_oneof![
        "[st][0-2]".prop_map(RevocationScope::Session),
        ("[ab]", 0_u64..6).prop_map(|(sub, before)| RevocationScope::Subject { sub, before }),
        (0_u64..4).prop_map(|before| RevocationScope::Everyone { before }),
    ]
}

proptest! {
    /// A feed may be replayed in any order, any number of times.
    #[test]
    fn order_and_repetition_do_not_matter(
        (scopes, shuffled) in prop::collection::vec(any_scope(), 0..12)
            .prop_flat_map(|scopes| (Just(scopes.clone()), Just(scopes).prop_shuffle())),
        sub in "[ab]", sid in "[st][0-2]", auth_time in 0_u64..7,
    ) {
        let (straight, mixed) = (RevocationView::new(), RevocationView::new());
        for scope in &scopes {
            revoke(&straight, scope.clone());
        }
        for scope in shuffled.iter().chain(&scopes) {
            revoke(&mixed, scope.clone());
        }
        let token = claims(&sub, Some(&sid), Some(auth_time), None);
        let expected = scopes.iter().any(|scope| match scope {
            RevocationScope::Session(revoked) => *revoked == sid,
            RevocationScope::Subject { sub: revoked, before } => *revoked == sub && auth_time < *before,
            RevocationScope::Everyone { before } => auth_time < *before,
        });
        prop_assert_eq!(straight.is_revoked(&token), expected);
        prop_assert_eq!(mixed.is_revoked(&token), expected);
    }
}
