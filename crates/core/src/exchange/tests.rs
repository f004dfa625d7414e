use serde_json::Map;

use super::*;
use crate::mint::tests::trade;
use crate::testing::trade::Trade;
use crate::testing::{START, run};

/// Exchanges, and reads what comes of it.
fn exchange(
    trade: &Trade,
    client: &Client,
    token: SubjectToken<'_>,
    audience: &str,
    scopes: &[&str],
) -> Result<Map<String, Value>, NotExchanged> {
    match run(trade.exchange.exchange(client, token, audience, scopes)).unwrap() {
        Exchanged::Jwt { jwt, session, .. } => {
            assert_eq!(session, trade.live().id());
            Ok(trade.claims(audience, &jwt.jwt))
        }
        Exchanged::Refused(why) => Err(why),
    }
}

fn jwt(trade: &Trade, client: &Client, token: SubjectToken<'_>, audience: &str, scopes: &[&str]) -> String {
    match run(trade.exchange.exchange(client, token, audience, scopes)).unwrap() {
        Exchanged::Jwt { jwt, .. } => jwt.jwt.to_string(),
        Exchanged::Refused(why) => panic!("{why:?}"),
    }
}

#[test]
fn actors_are_counted_from_the_outermost_in() {
    assert_eq!(actors(None), 0);
    assert_eq!(actors(Some(&json!({"sub": "a"}))), 1);
    assert_eq!(actors(Some(&json!({"sub": "a", "act": {"sub": "b", "act": {"sub": "c"}}}))), 3);
}

/// RFC 8693 section 4.1: the subject stays, the client is the actor.
#[test]
fn a_session_token_and_an_access_token_can_be_exchanged() {
    let trade = trade();
    let client = trade.client(1);
    let access = trade.access_token();
    for token in [SubjectToken::Session(&trade.session_token), SubjectToken::Access(&access)] {
        let claims = exchange(&trade, &client, token, "bills", &[]).unwrap();
        assert_eq!(claims["sub"], json!(trade.live().subject().to_string()));
        assert_eq!(claims["sid"], json!(trade.live().id().to_string()));
        assert_eq!(claims["act"], json!({ "sub": client.id.to_string() }));
        assert_eq!(claims["client_id"], json!(client.id.to_string()));
        assert_eq!(claims["scope"], json!("read write"));
        assert_eq!(claims["exp"], json!(START.unix_seconds() + 100));
    }
    // Each kind is taken under its own name alone.
    let swapped = [SubjectToken::Access(&trade.session_token), SubjectToken::Session(&access)];
    for token in swapped {
        assert_eq!(exchange(&trade, &client, token, "bills", &[]), Err(NotExchanged::Token));
    }
    assert_eq!(
        exchange(&trade, &client, SubjectToken::Session("vst_x"), "bills", &[]),
        Err(NotExchanged::Token)
    );
}

/// An exchanged JWT ends with the credential that was exchanged, and with the session.
#[test]
fn an_exchanged_jwt_never_outlives_what_it_stands_for() {
    let trade = trade();
    let client = trade.client(1);
    let access = trade.access_token();
    trade.clock.advance(std::time::Duration::from_secs(40));
    let claims = exchange(&trade, &client, SubjectToken::Access(&access), "bills", &[]).unwrap();
    assert_eq!(claims["exp"], json!(START.unix_seconds() + 100), "the access token ends at 100 s");
    trade.clock.advance(std::time::Duration::from_secs(60));
    assert_eq!(
        exchange(&trade, &client, SubjectToken::Access(&access), "bills", &[]),
        Err(NotExchanged::Token),
        "without the skew that doors allow"
    );
    trade.clock.set(START.after(std::time::Duration::from_secs(990)));
    let claims =
        exchange(&trade, &client, SubjectToken::Session(&trade.session_token), "bills", &[]).unwrap();
    assert_eq!(claims["exp"], json!(START.unix_seconds() + 1000), "the session ends at 1000 s");
}

#[test]
fn nothing_is_exchanged_for_a_session_that_has_ended() {
    let trade = trade();
    let client = trade.client(1);
    let access = trade.access_token();
    let shown = jwt(&trade, &client, SubjectToken::Access(&access), "orders", &[]);
    trade.end_session();
    let session_token = trade.session_token.clone();
    for token in
        [SubjectToken::Session(&session_token), SubjectToken::Access(&access), SubjectToken::Access(&shown)]
    {
        let outcome = run(trade.exchange.exchange(&client, token, "bills", &[])).unwrap();
        assert!(matches!(outcome, Exchanged::Refused(NotExchanged::Token)));
    }
}

/// OA-04: scopes are the client's own, and never more than those of the JWT that it was shown.
#[test]
fn scopes_never_grow() {
    let trade = trade();
    let client = trade.client(1);
    let session = SubjectToken::Session(&trade.session_token);
    let read = exchange(&trade, &client, session, "bills", &["read"]).unwrap();
    assert_eq!(read["scope"], json!("read"));
    // The client's own order, not that of the question.
    let both = exchange(&trade, &client, session, "bills", &["write", "read"]).unwrap();
    assert_eq!(both["scope"], json!("read write"));
    assert_eq!(exchange(&trade, &client, session, "bills", &["admin"]), Err(NotExchanged::Scope));
    assert_eq!(exchange(&trade, &client, session, "bills", &["read", "admin"]), Err(NotExchanged::Scope));
    let shown = jwt(&trade, &client, session, "orders", &["read"]);
    let next = SubjectToken::Access(&shown);
    assert_eq!(exchange(&trade, &client, next, "bills", &["write"]), Err(NotExchanged::Scope));
    assert_eq!(exchange(&trade, &client, next, "bills", &[]).unwrap()["scope"], json!("read"));
}

/// A JWT may be exchanged by the service that it is for, and by no other client.
#[test]
fn a_jwt_is_exchanged_by_the_service_that_it_is_for() {
    let trade = trade();
    let first = trade.client(1);
    let shown = jwt(&trade, &first, SubjectToken::Session(&trade.session_token), "orders", &[]);
    let second = trade.client(2);
    let claims = exchange(&trade, &second, SubjectToken::Access(&shown), "bills", &[]).unwrap();
    let chain = json!({ "sub": second.id.to_string(), "act": { "sub": first.id.to_string() } });
    assert_eq!(claims["act"], chain);
    let elsewhere = Client { serves: Some("bills".to_owned()), ..second.clone() };
    let serves_none = Client { serves: None, ..second.clone() };
    for client in [elsewhere, serves_none] {
        assert_eq!(
            exchange(&trade, &client, SubjectToken::Access(&shown), "bills", &[]),
            Err(NotExchanged::Token)
        );
    }
    // Of its own JWT a client exchanges nothing: no subject is behind it.
    let own = trade.minter.for_client(&first, "orders", &[]).unwrap().unwrap();
    assert_eq!(
        exchange(&trade, &second, SubjectToken::Access(&own.jwt), "bills", &[]),
        Err(NotExchanged::Token)
    );
    // A client that was removed takes with it what it had traded for.
    assert!(run(trade.clients.remove(&first.id)).unwrap());
    assert_eq!(
        exchange(&trade, &second, SubjectToken::Access(&shown), "bills", &[]),
        Err(NotExchanged::Token)
    );
}

#[test]
fn a_jwt_passes_through_four_clients_at_most() {
    let trade = trade();
    let mut held: Option<String> = None;
    for number in 1..=5 {
        let client = trade.client(number);
        let token = match &held {
            None => SubjectToken::Session(&trade.session_token),
            Some(jwt) => SubjectToken::Access(jwt),
        };
        let outcome = run(trade.exchange.exchange(&client, token, "orders", &[])).unwrap();
        match (number, outcome) {
            (1..=4, Exchanged::Jwt { jwt, .. }) => held = Some(jwt.jwt.to_string()),
            (5, Exchanged::Refused(why)) => assert_eq!(why, NotExchanged::Actors),
            (number, _) => panic!("client {number}"),
        }
    }
}

#[test]
fn nothing_is_exchanged_for_an_unknown_audience_or_the_edge() {
    let trade = trade();
    let client = trade.client(1);
    for audience in ["payroll", "", crate::testing::trade::ISSUER] {
        let outcome =
            run(trade.exchange.exchange(&client, SubjectToken::Session(&trade.session_token), audience, &[]));
        assert!(matches!(outcome, Ok(Exchanged::Refused(NotExchanged::Audience))), "{audience:?}");
    }
}

/// A store that does not answer is no refusal.
#[test]
fn a_store_that_is_down_is_a_fault() {
    let trade = trade();
    let client = trade.client(1);
    let shown = jwt(&trade, &client, SubjectToken::Session(&trade.session_token), "orders", &[]);
    trade.world.is_down.store(true, std::sync::atomic::Ordering::SeqCst);
    assert!(run(trade.exchange.exchange(&client, SubjectToken::Access(&shown), "bills", &[])).is_err());
}
