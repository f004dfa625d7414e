use serde_json::{Value, json};

use super::Claims;
use crate::reject::{MemberFault, Reject};

fn minimal() -> Value {
    json!({"iss": "https://app.example.com", "sub": "ada", "aud": "orders", "exp": 1_800_000_000})
}

fn parse(claims: &Value) -> Result<Claims, Reject> {
    Claims::parse(claims.to_string().as_bytes())
}

fn fault(claim: &'static str, reason: MemberFault) -> Result<Claims, Reject> {
    Err(Reject::Claim { claim, reason })
}

#[test]
fn four_claims_are_enough() {
    let claims = parse(&minimal()).unwrap();
    assert_eq!(
        (claims.iss(), claims.sub(), claims.aud(), claims.exp()),
        ("https://app.example.com", "ada", "orders", 1_800_000_000)
    );
    assert_eq!((claims.iat(), claims.nbf(), claims.auth_time()), (None, None, None));
    assert_eq!((claims.jti(), claims.sid(), claims.client_id(), claims.acr()), (None, None, None, None));
    assert_eq!((claims.amr().count(), claims.scope().count(), claims.extra().count()), (0, 0, 0));
}

#[test]
fn every_claim_can_be_read() {
    let mut all = minimal();
    let more = json!({
        "iat": 1, "nbf": 2, "auth_time": 3, "jti": "j", "sid": "s", "client_id": "c", "acr": "aal2",
        "amr": ["pwd", "otp"], "scope": "read  write", "department": "R&D", "level": 7
    });
    all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let claims = parse(&all).unwrap();
    assert_eq!((claims.iat(), claims.nbf(), claims.auth_time()), (Some(1), Some(2), Some(3)));
    assert_eq!((claims.jti(), claims.sid(), claims.client_id()), (Some("j"), Some("s"), Some("c")));
    assert_eq!(claims.acr(), Some("aal2"));
    assert_eq!(claims.amr().collect::<Vec<_>>(), ["pwd", "otp"]);
    assert_eq!(claims.scope().collect::<Vec<_>>(), ["read", "write"]);
    assert_eq!(claims.get("level"), Some(&json!(7)));
    assert_eq!(claims.get("sub"), Some(&json!("ada")));
    assert_eq!(claims.get("none"), None);
    let extra: Vec<&str> = claims.extra().map(|(name, _)| name).collect();
    assert_eq!(extra, ["department", "level"]);
}

#[test]
fn a_missing_claim_is_named() {
    for claim in ["iss", "sub", "aud", "exp"] {
        let mut claims = minimal();
        claims.as_object_mut().unwrap().remove(claim);
        assert_eq!(parse(&claims), fault(claim, MemberFault::Missing));
    }
}

/// RFC 7519 section 2: a date may have a fraction; it is cut off.
#[test]
fn a_date_with_a_fraction_counts_as_its_whole_second() {
    for (written, expected) in [
        ("1800000000.9", 1_800_000_000),
        ("1800000000.0", 1_800_000_000),
        ("1.8e9", 1_800_000_000),
        ("0.25", 0),
        ("253402300799.5", 253_402_300_799),
    ] {
        let text = format!(
            r#"{{"iss":"i","sub":"s","aud":"a","exp":{written},"iat":{written},"nbf":{written},"auth_time":{written}}}"#
        );
        let claims = Claims::parse(text.as_bytes()).unwrap();
        assert_eq!(claims.exp(), expected, "{written}");
        let others = [claims.iat(), claims.nbf(), claims.auth_time()];
        assert_eq!(others, [Some(expected); 3], "{written}");
    }
}

/// JW-08: whatever is not a number in range is refused, and is never taken as absent.
#[test]
fn a_date_is_a_number_in_range() {
    for claim in ["exp", "iat", "nbf", "auth_time"] {
        for (value, reason) in [
            (json!("1800000000"), MemberFault::WrongType),
            (json!(""), MemberFault::WrongType),
            (json!(true), MemberFault::WrongType),
            (json!(null), MemberFault::WrongType),
            (json!([1_800_000_000]), MemberFault::WrongType),
            (json!({}), MemberFault::WrongType),
            (json!(-1), MemberFault::OutOfRange),
            (json!(-0.5), MemberFault::OutOfRange),
            (json!(253_402_300_800.5), MemberFault::OutOfRange),
            (json!(1e300), MemberFault::OutOfRange),
            (json!(253_402_300_800_u64), MemberFault::OutOfRange),
            (json!(u64::MAX), MemberFault::OutOfRange),
        ] {
            let mut claims = minimal();
            claims[claim] = value.clone();
            assert_eq!(parse(&claims), fault(claim, reason), "{claim} = {value}");
        }
        for value in [0, 1, 253_402_300_799_u64] {
            let mut claims = minimal();
            claims[claim] = json!(value);
            assert!(parse(&claims).is_ok(), "{claim} = {value}");
        }
    }
}

#[test]
fn one_audience_as_text_or_as_a_list_of_one() {
    let mut claims = minimal();
    claims["aud"] = json!(["orders"]);
    assert_eq!(parse(&claims).unwrap().aud(), "orders");
    for (aud, reason) in [
        (json!([]), MemberFault::OutOfRange),
        (json!(["orders", "orders"]), MemberFault::OutOfRange),
        (json!(["orders", "billing"]), MemberFault::OutOfRange),
        (json!(""), MemberFault::OutOfRange),
        (json!([""]), MemberFault::WrongType),
        (json!([7]), MemberFault::WrongType),
        (json!(7), MemberFault::WrongType),
        (json!(null), MemberFault::WrongType),
    ] {
        claims["aud"] = aud.clone();
        assert_eq!(parse(&claims), fault("aud", reason), "{aud}");
    }
}

#[test]
fn texts_are_texts_and_not_empty() {
    for claim in ["iss", "sub", "jti", "sid", "client_id", "acr", "scope"] {
        let mut claims = minimal();
        claims[claim] = json!("");
        assert_eq!(parse(&claims), fault(claim, MemberFault::OutOfRange));
        for value in [json!(7), json!(null), json!(["x"]), json!({}), json!(true)] {
            claims[claim] = value;
            assert_eq!(parse(&claims), fault(claim, MemberFault::WrongType));
        }
    }
}
