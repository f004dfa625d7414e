use data_encoding::BASE64URL_NOPAD;
use serde_json::json;

use super::inspect;
use crate::Reject;

const NOW: u64 = 1_800_000_000;

fn token(header: &serde_json::Value, claims: &serde_json::Value, signature: &str) -> String {
    let text = |value: &serde_json::Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    format!("{}.{}.{signature}", text(header), text(claims))
}

fn findings(header: serde_json::Value, claims: serde_json::Value, signature: &str) -> Vec<&'static str> {
    let seen = inspect(&token(&header, &claims, signature), NOW).unwrap();
    seen.findings.into_iter().map(|finding| finding.code).collect()
}

fn good_header() -> serde_json::Value {
    json!({"alg": "ES256", "kid": "k", "typ": "at+jwt"})
}

fn good_claims() -> serde_json::Value {
    json!({"iss": "i", "sub": "s", "aud": "a", "exp": NOW + 60, "iat": NOW})
}

#[test]
fn a_sound_token_gives_nothing_to_say() {
    let seen = inspect(&token(&good_header(), &good_claims(), "AA"), NOW).unwrap();
    assert_eq!(seen.findings, []);
    assert_eq!(serde_json::Value::Object(seen.header), good_header());
    assert_eq!(seen.claims.map(serde_json::Value::Object), Some(good_claims()));
}

#[test]
fn what_is_odd_is_said() {
    let none = json!({"alg": "none"});
    assert_eq!(findings(none, good_claims(), ""), ["alg-unsupported", "unsigned", "no-signature"]);
    let hs256 = json!({"alg": "HS256", "kid": "k", "typ": "at+jwt"});
    assert_eq!(findings(hs256, good_claims(), "AA"), ["symmetric"]);
    assert_eq!(findings(json!({"alg": "ES256", "kid": "k"}), good_claims(), "AA"), ["header-missing"]);
    let cases = [
        ("exp", json!(NOW - 5), vec!["expired"]),
        ("exp", json!("soon"), vec!["claim-type"]),
        ("exp", json!(NOW + 100_000), vec!["lifetime"]),
        ("nbf", json!(NOW + 5), vec!["not-yet-valid"]),
        ("iat", json!(NOW + 5), vec!["issued-in-future"]),
        ("sub", json!("ada@example.com"), vec!["sub-is-address"]),
    ];
    for (claim, value, expected) in cases {
        let mut claims = good_claims();
        claims[claim] = value;
        assert_eq!(findings(good_header(), claims, "AA"), expected, "{claim}");
    }
    assert_eq!(findings(good_header(), json!([]), "AA"), ["claims-json"]);
    let bad = inspect(&format!("{}!", token(&good_header(), &good_claims(), "AA")), NOW).unwrap();
    assert_eq!(bad.findings.len(), 2, "{bad:?}");
}

#[test]
fn what_cannot_be_read_is_refused() {
    assert_eq!(inspect("", NOW).err(), Some(Reject::Segments));
    assert_eq!(inspect("a.b.c.d.e", NOW).err(), Some(Reject::Encrypted));
    assert_eq!(inspect("!.e30.", NOW).err(), Some(Reject::Encoding));
    assert_eq!(inspect("e30.!.", NOW).unwrap().claims, None);
}
