use serde_json::json;

use super::*;
use crate::exchange::{Exchanged, SubjectToken};
use crate::mint::tests::trade;
use crate::port::Clients;
use crate::testing::trade::{ISSUER, Trade};
use crate::testing::{START, run};

fn phantom(trade: &Trade, presented: &str, audience: &str) -> Option<Phantom> {
    run(trade.introspector.phantom(&trade.introspector.read(presented, audience).unwrap())).unwrap()
}

fn claims(trade: &Trade, presented: &str, audience: &str) -> Option<Map<String, Value>> {
    run(trade.introspector.claims(&trade.introspector.read(presented, audience).unwrap())).unwrap()
}

/// A JWT for `orders` that a client got for Ada's session.
fn traded(trade: &Trade, number: u8) -> String {
    let client = trade.client(number);
    let session = SubjectToken::Session(&trade.session_token);
    match run(trade.exchange.exchange(&client, session, "orders", &[])).unwrap() {
        Exchanged::Jwt { jwt, .. } => jwt.jwt.to_string(),
        Exchanged::Refused(why) => panic!("{why:?}"),
    }
}

#[test]
fn a_session_token_and_an_access_token_become_the_same_jwt() {
    let trade = trade();
    let access = trade.access_token();
    let by_session = phantom(&trade, &trade.session_token, "orders").unwrap();
    let by_access = phantom(&trade, &access, "orders").unwrap();
    assert_eq!(by_session.jwt(), by_access.jwt());
    let text = String::from_utf8(by_session.jwt().to_vec()).unwrap();
    let told = trade.claims("orders", &text);
    assert_eq!(told["sub"], json!(trade.live().subject().to_string()));
    assert_eq!(told["department"], json!("R&D"));
    assert_eq!(by_session.authorization().unwrap().to_str().unwrap(), format!("Bearer {text}"));
    assert!(by_session.authorization().unwrap().is_sensitive());
}

/// RV-03: an answer may be kept for 30 seconds, and never beyond what it speaks of.
#[test]
fn an_answer_is_kept_no_longer_than_it_is_true() {
    let trade = trade();
    let access = trade.access_token();
    let kept = |presented: &str| phantom(&trade, presented, "orders").unwrap().kept_for.as_secs();
    assert_eq!((kept(&trade.session_token), kept(&access)), (30, 30));
    trade.clock.advance(Duration::from_secs(75));
    // Of the JWT 25 seconds are left, and as many of the access token; its renewal is due at 80.
    assert_eq!((kept(&trade.session_token), kept(&access)), (25, 25));
    trade.clock.advance(Duration::from_secs(10));
    // The JWT is renewed; the access token is not.
    assert_eq!((kept(&trade.session_token), kept(&access)), (30, 15));
    trade.clock.set(START.after(Duration::from_secs(995)));
    assert_eq!(kept(&trade.session_token), 5);
}

/// RFC 7662 section 2.2: `exp` is that of the token that was presented.
#[test]
fn claims_are_those_of_a_jwt_for_the_audience() {
    let trade = trade();
    let access = trade.access_token();
    trade.clock.advance(Duration::from_secs(10));
    let told = claims(&trade, &access, "orders").unwrap();
    assert_eq!((&told["iss"], &told["aud"]), (&json!(ISSUER), &json!("orders")));
    assert_eq!(told["exp"], json!(START.unix_seconds() + 100));
    assert_eq!(told["department"], json!("R&D"));
    let told = claims(&trade, &trade.session_token, "bills").unwrap();
    assert_eq!(told["exp"], json!(START.unix_seconds() + 1000), "the session's end");
    assert!(!told.contains_key("department"), "only what the audience is told");
}

#[test]
fn a_jwt_of_the_audience_that_asks_is_answered_with_itself() {
    let trade = trade();
    let jwt = traded(&trade, 1);
    let answer = phantom(&trade, &jwt, "orders").unwrap();
    assert_eq!(answer.jwt(), jwt.as_bytes());
    assert_eq!(answer.authorization().unwrap().to_str().unwrap(), format!("Bearer {jwt}"));
    assert!(answer.authorization().unwrap().is_sensitive());
    assert_eq!(answer.kept_for, Duration::from_secs(30));
    assert_eq!(claims(&trade, &jwt, "orders").unwrap()["aud"], json!("orders"));
    trade.clock.advance(Duration::from_secs(90));
    assert_eq!(phantom(&trade, &jwt, "orders").unwrap().kept_for, Duration::from_secs(10));
    trade.clock.advance(Duration::from_secs(10));
    assert!(phantom(&trade, &jwt, "orders").is_none(), "expired, without any skew");
    assert!(claims(&trade, &jwt, "orders").is_none());
}

#[test]
fn tokens_for_others_and_invented_ones_are_good_for_nothing() {
    let trade = trade();
    let jwt = traded(&trade, 1);
    let mut forged = jwt.clone();
    forged.replace_range(forged.len() - 4.., "AAAA");
    let refused = [
        ("bills", jwt.as_str()),
        ("orders", &forged),
        ("orders", ""),
        ("orders", "vst_x"),
        ("orders", "a.b.c"),
    ];
    for (audience, presented) in refused {
        assert!(phantom(&trade, presented, audience).is_none(), "{presented} for {audience}");
        assert!(claims(&trade, presented, audience).is_none(), "{presented} for {audience}");
    }
    // The edge is no audience that can ask, and neither is one that is not configured.
    for audience in [ISSUER, "payroll"] {
        assert!(phantom(&trade, &trade.session_token, audience).is_none(), "{audience}");
        assert!(claims(&trade, &trade.session_token, audience).is_none(), "{audience}");
    }
}

#[test]
fn whatever_ends_behind_a_token_ends_its_answer() {
    let trade = trade();
    let (access, first, second) = (trade.access_token(), traded(&trade, 1), traded(&trade, 2));
    let own = trade.minter.for_client(&trade.client(3), "orders", &[]).unwrap().unwrap().jwt.to_string();
    let session = trade.session_token.clone();
    let is_good = |presented: &str| {
        let good = phantom(&trade, presented, "orders").is_some();
        assert_eq!(claims(&trade, presented, "orders").is_some(), good);
        good
    };
    for presented in [&session, &access, &first, &second, &own] {
        assert!(is_good(presented));
    }
    // A client that was removed: what it traded for, and its own.
    for (number, gone) in [(1, &first), (3, &own)] {
        assert!(run(trade.clients.remove(&crate::client::ClientId::from_bytes([number; 16]))).unwrap());
        assert!(!is_good(gone), "{number}");
    }
    assert!(is_good(&second));
    trade.end_session();
    for presented in [&session, &access, &second] {
        assert!(!is_good(presented));
    }
}

/// Introspection by claims is a look; the swap is a use.
#[test]
fn only_the_phantom_answer_counts_as_use_of_the_session() {
    let trade = trade();
    trade.clock.advance(Duration::from_secs(61));
    let noted = || trade.world.noted.load(std::sync::atomic::Ordering::SeqCst);
    let before = noted();
    claims(&trade, &trade.session_token, "orders").unwrap();
    assert_eq!(noted(), before);
    phantom(&trade, &trade.session_token, "orders").unwrap();
    assert_eq!(noted(), before + 1);
}

#[test]
fn a_store_that_is_down_is_a_fault() {
    let trade = trade();
    let jwt = traded(&trade, 1);
    trade.world.is_down.store(true, std::sync::atomic::Ordering::SeqCst);
    let presented = trade.introspector.read(&jwt, "orders").unwrap();
    assert!(run(trade.introspector.phantom(&presented)).is_err());
    assert!(run(trade.introspector.claims(&presented)).is_err());
}

/// RV-03: what is counted as proven cannot be made up, and is told without a store.
#[test]
fn only_what_was_issued_here_is_proven() {
    let trade = trade();
    let (access, jwt) = (trade.access_token(), traded(&trade, 1));
    let own = trade.minter.for_client(&trade.client(3), "orders", &[]).unwrap().unwrap().jwt.to_string();
    let unknown = crate::session::SessionToken::from_random([77; 32]).reveal_bearer();
    let mut forged = access.clone();
    forged.replace_range(forged.len() - 4.., "AAAA");
    let refresh = format!("vrt_{}", "A".repeat(91));
    trade.world.is_down.store(true, std::sync::atomic::Ordering::SeqCst);
    let proof = |presented: &str, audience: &str| {
        trade.introspector.proof(&trade.introspector.read(presented, audience).unwrap())
    };
    for presented in [&trade.session_token, &access, &jwt, &own] {
        assert_eq!(proof(presented, "orders"), Proof::Issued);
    }
    for presented in ["", "vst_x", "a.b.c", &unknown, &forged, &refresh] {
        assert_eq!(proof(presented, "orders"), Proof::Missing, "{presented}");
    }
    assert_eq!(proof(&jwt, "bills"), Proof::Missing, "for another audience");
    trade.clock.advance(Duration::from_secs(200));
    assert_eq!((proof(&access, "orders"), proof(&jwt, "orders")), (Proof::Missing, Proof::Missing));
}
