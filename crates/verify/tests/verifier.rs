//! The verifier as a service uses it: policy, time, keys that change, revocation, and the memory of signatures.

#![expect(clippy::unwrap_used, reason = "a failure here is a failed test")]

mod common;

use std::sync::Arc;

use common::{AUDIENCE, ISSUER, NOW, forge, verifier};
use serde::Deserialize;
use serde_json::json;
use vestibule_verify::{
    Claims, KeyId, KeySet, MemberFault, Reject, Revocation, RevocationScope, RevocationView, Verified,
    Verifier, VerifyingKey,
};

fn session_revoked(claims: &Claims) -> Revocation {
    let scope = RevocationScope::Session(claims.sid().unwrap().to_owned());
    Revocation::new(scope, NOW + 300)
}

#[test]
fn the_claims_come_out_as_they_were_signed() {
    let forge = forge("ES256");
    let verified = verifier(&[&forge]).verify_at(&forge.control(), NOW).unwrap();
    assert_eq!(verified.members(), &forge.claims);
    assert_eq!((verified.iss(), verified.aud()), (ISSUER, AUDIENCE));
    let copy = verified.clone();
    assert!(std::ptr::eq(copy.sub(), verified.sub()), "a clone shares the claims");
}

#[test]
fn the_claims_can_be_read_as_a_type_of_the_services_own() {
    #[derive(Debug, Deserialize, PartialEq)]
    struct Customer {
        sub: String,
        department: String,
    }
    #[derive(Debug, Deserialize)]
    struct Robot {
        #[expect(dead_code, reason = "there is none to read")]
        serial: u64,
    }
    let forge = forge("ES256");
    let verified = verifier(&[&forge]).verify_at(&forge.control(), NOW).unwrap();
    let customer: Verified<Customer> = verified.read().unwrap();
    assert_eq!(customer.department, "R&D");
    assert_eq!(customer.sub, verified.sub());
    assert!(verified.read::<Robot>().is_err());
}

/// JW-08: every bound, to the second, with and without skew, and the same from memory.
#[test]
fn time_is_judged_to_the_second() {
    let forge = forge("ES256");
    for skew in [0, 10, 30] {
        let verifier = verifier(&[&forge]).with_skew(skew);
        let verdict = |claim: &str, value: u64, now: u64| {
            let mut claims = forge.claims.clone();
            claims.insert(claim.to_owned(), json!(value));
            let token = forge.sign(&forge.header(), &claims);
            let first = verifier.verify_at(&token, now).map(drop);
            assert_eq!(verifier.verify_at(&token, now).map(drop), first, "{claim} from memory");
            first
        };
        assert_eq!(verdict("exp", NOW + 1, NOW + skew), Ok(()));
        assert_eq!(verdict("exp", NOW, NOW + skew), Err(Reject::Expired));
        assert_eq!(verdict("nbf", NOW + skew, NOW), Ok(()));
        assert_eq!(verdict("nbf", NOW + skew + 1, NOW), Err(Reject::NotYetValid));
        assert_eq!(verdict("iat", NOW + skew, NOW), Ok(()));
        assert_eq!(verdict("iat", NOW + skew + 1, NOW), Err(Reject::IssuedInFuture));
    }
}

#[test]
fn more_skew_than_thirty_seconds_cannot_be_had() {
    let forge = forge("ES256");
    let verifier = verifier(&[&forge]).with_skew(3_600);
    let exp = NOW + 90;
    assert!(verifier.verify_at(&forge.control(), exp + 29).is_ok());
    assert_eq!(verifier.verify_at(&forge.control(), exp + 30).err(), Some(Reject::Expired));
}

#[test]
fn a_life_has_a_longest_length() {
    let forge = forge("ES256");
    let token = |iat: Option<u64>, exp: u64| {
        let mut claims = forge.claims.clone();
        claims.remove("iat");
        claims.extend(iat.map(|iat| ("iat".to_owned(), json!(iat))));
        claims.insert("exp".to_owned(), json!(exp));
        forge.sign(&forge.header(), &claims)
    };
    let verifier = verifier(&[&forge]).with_max_lifetime(120);
    assert!(verifier.verify_at(&token(Some(NOW - 30), NOW + 90), NOW).is_ok());
    let long = verifier.verify_at(&token(Some(NOW - 30), NOW + 91), NOW);
    assert_eq!(long.err(), Some(Reject::LifetimeTooLong));
    assert!(verifier.verify_at(&token(None, NOW + 120), NOW).is_ok());
    assert_eq!(verifier.verify_at(&token(None, NOW + 121), NOW).err(), Some(Reject::LifetimeTooLong));
}

/// JW-06: ten kinds of token, ten verifiers: only the diagonal passes.
#[test]
fn kinds_of_token_exclude_each_other() {
    const KINDS: [&str; 10] = [
        "at+jwt",
        "JWT",
        "txntoken+jwt",
        "logout+jwt",
        "secevent+jwt",
        "token-introspection+jwt",
        "statuslist+jwt",
        "dpop+jwt",
        "dbsc+jwt",
        "client-authentication+jwt",
    ];
    let mut forge = forge("ES256");
    for given in KINDS {
        forge.typ = given.to_owned();
        let token = forge.control();
        for asked in KINDS {
            let verdict = verifier(&[&forge]).with_typ(asked).verify_at(&token, NOW).map(drop);
            let mismatch = Reject::Header { member: "typ", reason: MemberFault::Mismatch };
            assert_eq!(verdict, if given == asked { Ok(()) } else { Err(mismatch) }, "{given} as {asked}");
        }
    }
}

#[test]
fn an_empty_policy_accepts_nothing() {
    let forge = forge("ES256");
    let keys = || verifier(&[&forge]).keys();
    for verifier in [Verifier::new("", AUDIENCE, keys()), Verifier::new(ISSUER, "", keys())] {
        assert!(verifier.verify_at(&forge.control(), NOW).is_err());
    }
    let nobody = Verifier::new(ISSUER, AUDIENCE, KeySet::default());
    assert_eq!(nobody.verify_at(&forge.control(), NOW).err(), Some(Reject::KeyUnknown));
}

#[test]
fn the_system_clock_is_used_where_no_time_is_given() {
    let forge = forge("ES256");
    let mut claims = forge.claims.clone();
    claims.insert("exp".to_owned(), json!(1_000_000_000));
    claims.insert("iat".to_owned(), json!(999_999_990));
    let old = forge.sign(&forge.header(), &claims);
    assert_eq!(verifier(&[&forge]).verify(&old).err(), Some(Reject::Expired));
    assert!(verifier(&[&forge]).verify_at(&old, 999_999_999).is_ok());
}

/// Revocation is judged on every sight, the remembered ones included.
#[test]
fn a_revoked_session_is_refused_at_the_next_sight() {
    let forge = forge("ES256");
    let view = Arc::new(RevocationView::new());
    let verifier = verifier(&[&forge]).with_revocation(Arc::clone(&view));
    let token = forge.control();
    let claims = verifier.verify_at(&token, NOW).unwrap();
    view.apply(session_revoked(&claims));
    assert_eq!(verifier.verify_at(&token, NOW).err(), Some(Reject::Revoked));
    view.forget(NOW + 300);
    assert!(verifier.verify_at(&token, NOW).is_ok());
}

#[test]
fn a_remembered_token_still_expires() {
    let forge = forge("ES256");
    let verifier = verifier(&[&forge]);
    let token = forge.control();
    assert!(verifier.verify_at(&token, NOW).is_ok());
    assert_eq!(verifier.verify_at(&token, NOW + 200).err(), Some(Reject::Expired));
    assert_eq!(verifier.verify_at(&token, NOW + 200).err(), Some(Reject::Expired));
}

/// Only the whole text is remembered: another signature under the same claims is looked at anew.
#[test]
fn a_remembered_token_vouches_for_no_other_text() {
    let forge = forge("ES256");
    let verifier = verifier(&[&forge]);
    let token = forge.control();
    assert!(verifier.verify_at(&token, NOW).is_ok());
    for at in 0..token.len() {
        let mut bytes = token.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let altered = String::from_utf8(bytes).unwrap();
        assert!(verifier.verify_at(&altered, NOW).is_err(), "altered at {at}");
    }
}

/// What is remembered under one set of keys is not asked under another.
#[test]
fn new_keys_start_with_an_empty_memory() {
    let (old, new) = (forge("ES256"), forge("EdDSA"));
    let both = || KeySet::from_jwks(&common::jwks(&[&old, &new]).to_string()).unwrap();
    let only = |forge| KeySet::from_jwks(&common::jwks(&[forge]).to_string()).unwrap();
    for capacity in [0, 1, 1_000] {
        let verifier = verifier(&[&old]).with_cache_capacity(capacity);
        assert!(verifier.verify_at(&old.control(), NOW).is_ok());
        verifier.replace_keys(both());
        assert!(verifier.verify_at(&old.control(), NOW).is_ok());
        assert!(verifier.verify_at(&new.control(), NOW).is_ok());
        verifier.replace_keys(only(&new));
        assert_eq!(verifier.verify_at(&old.control(), NOW).err(), Some(Reject::KeyUnknown));
        assert!(verifier.verify_at(&new.control(), NOW).is_ok());
        assert_eq!(verifier.keys().len(), 1);
    }
}

/// The same `kid` with another key behind it: the old key's tokens are gone with the old key.
#[test]
fn a_key_replaced_under_its_name_takes_its_tokens_along() {
    let old = forge("ES256");
    let mut new = forge("ES256");
    new.key_id = old.key_id.clone();
    let verifier = verifier(&[&old]);
    let token = old.control();
    assert!(verifier.verify_at(&token, NOW).is_ok());
    verifier.replace_keys(KeySet::from_jwks(&common::jwks(&[&new]).to_string()).unwrap());
    assert_eq!(verifier.verify_at(&token, NOW).err(), Some(Reject::Signature));
}

/// A memory of ten stays a memory of ten, and forgetting costs time, not truth.
#[test]
fn a_full_memory_forgets_and_stays_right() {
    let forge = forge("ES256");
    let verifier = verifier(&[&forge]).with_cache_capacity(10);
    let tokens: Vec<String> = (0..100)
        .map(|at| {
            let mut claims = forge.claims.clone();
            claims.insert("sub".to_owned(), json!(format!("subject-{at}")));
            forge.sign(&forge.header(), &claims)
        })
        .collect();
    for _ in 0..2 {
        for (at, token) in tokens.iter().enumerate() {
            assert_eq!(verifier.verify_at(token, NOW).unwrap().sub(), format!("subject-{at}"));
        }
    }
}

#[test]
fn a_shared_secret_verifies_where_issuer_and_verifier_are_one() {
    let secret: Vec<u8> = (0..32).map(|at| at * 7 + 3).collect();
    let key_id = KeyId::parse("local").unwrap();
    let key = VerifyingKey::hs256_where_issuer_is_verifier(key_id, &secret).unwrap();
    let verifier = Verifier::new(ISSUER, AUDIENCE, KeySet::new([key]).unwrap());
    let token = |secret: &[u8]| {
        let text =
            |value: serde_json::Value| data_encoding::BASE64URL_NOPAD.encode(value.to_string().as_bytes());
        let header = text(json!({"alg": "HS256", "kid": "local", "typ": "at+jwt"}));
        let input = format!("{header}.{}", text(json!(common::claims())));
        let tag = common::forge::hs256(secret, input.as_bytes());
        format!("{input}.{}", data_encoding::BASE64URL_NOPAD.encode(&tag))
    };
    assert!(verifier.verify_at(&token(&secret), NOW).is_ok());
    assert_eq!(verifier.verify_at(&token(b"another"), NOW).err(), Some(Reject::Signature));
}

/// Keys change while other threads verify: the retired key's tokens are refused by whoever begins afterwards.
#[test]
fn keys_can_be_replaced_while_others_verify() {
    let (old, new) = (forge("ES256"), forge("ES256"));
    let verifier = verifier(&[&old]);
    let (old_token, new_token) = (old.control(), new.control());
    let sets: Vec<KeySet> =
        [&old, &new].map(|forge| KeySet::from_jwks(&common::jwks(&[forge]).to_string()).unwrap()).into();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..500 {
                    for token in [&old_token, &new_token] {
                        if let Err(reject) = verifier.verify_at(token, NOW) {
                            assert_eq!(reject, Reject::KeyUnknown);
                        }
                    }
                }
            });
        }
        for round in 0..200 {
            verifier.replace_keys(sets[round % 2].clone());
        }
    });
    verifier.replace_keys(sets[1].clone());
    assert_eq!(verifier.verify_at(&old_token, NOW).err(), Some(Reject::KeyUnknown));
    assert!(verifier.verify_at(&new_token, NOW).is_ok());
}
