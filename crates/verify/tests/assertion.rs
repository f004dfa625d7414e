//! OA-03: what proves that a program is a certain client, and everything that only looks so.
#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "a failure here is a failed test")]

mod common;

use common::{ALGORITHMS, Forge, ISSUER, NOW, forge, jwks};
use serde_json::{Map, Value, json};
use vestibule_verify::{Assertion, Claims, KeySet, Reject, Verified};

const CLIENT: &str = "vc_0000000000000000000000000g";

fn claims() -> Map<String, Value> {
    let claims = json!({
        "iss": CLIENT, "sub": CLIENT, "aud": ISSUER, "exp": NOW + 60, "iat": NOW, "jti": "one"
    });
    claims.as_object().cloned().unwrap()
}

fn judge(keys: &[&Forge], jwt: &str) -> Result<Verified<Claims>, Reject> {
    let keys = KeySet::from_jwks(&jwks(keys).to_string()).unwrap();
    let assertion = Assertion::read(jwt)?;
    assert_eq!(assertion.client_id(), CLIENT);
    assertion.verify(&keys, ISSUER, NOW)
}

/// Signed with these members changed; null takes one out.
fn signed(forge: &Forge, header: &Value, changed: &Value) -> String {
    let merged = |mut members: Map<String, Value>, changed: &Value| {
        for (name, value) in changed.as_object().unwrap() {
            members.remove(name);
            if !value.is_null() {
                members.insert(name.clone(), value.clone());
            }
        }
        members
    };
    let plain = json!({ "alg": forge.header()["alg"], "kid": forge.key_id });
    let header = merged(plain.as_object().cloned().unwrap(), header);
    forge.sign(&header, &merged(claims(), changed))
}

#[test]
fn an_assertion_by_the_clients_key_is_good() {
    for algorithm in ALGORITHMS {
        let own = forge(algorithm);
        for header in [
            json!({}),
            json!({ "kid": null }),
            json!({ "typ": "JWT" }),
            json!({ "typ": "client-authentication+jwt" }),
            json!({ "typ": "application/Client-Authentication+JWT" }),
        ] {
            let claims = judge(&[&own], &signed(&own, &header, &json!({}))).unwrap();
            assert_eq!((claims.jti(), claims.exp()), (Some("one"), NOW + 60), "{algorithm} {header}");
        }
        for changed in [
            json!({ "iat": null }),
            json!({ "nbf": NOW }),
            json!({ "exp": NOW + 300 }),
            json!({ "exp": NOW + 330 }),
            json!({ "exp": NOW - 29 }),
            json!({ "iat": NOW + 30 }),
            json!({ "something": { "else": 1 } }),
        ] {
            judge(&[&own], &signed(&own, &json!({}), &changed)).unwrap();
        }
    }
}

#[test]
fn what_is_not_said_exactly_so_proves_nothing() {
    for algorithm in ALGORITHMS {
        let own = forge(algorithm);
        for (changed, code) in [
            (json!({ "aud": "https://app.example.com/" }), "claim-mismatch"),
            (json!({ "aud": "https://app.example.com/auth/oauth/token" }), "claim-mismatch"),
            (json!({ "aud": "HTTPS://app.example.com" }), "claim-mismatch"),
            (json!({ "aud": [ISSUER] }), "claim-type"),
            (json!({ "aud": [ISSUER, "https://other.example.com"] }), "claim-range"),
            (json!({ "aud": [] }), "claim-range"),
            (json!({ "aud": "" }), "claim-range"),
            (json!({ "aud": null }), "claim-missing"),
            (json!({ "iss": "vc_00000000000000000000000010" }), "claim-mismatch"),
            (json!({ "iss": null }), "claim-missing"),
            (json!({ "jti": null }), "claim-missing"),
            (json!({ "jti": "" }), "claim-range"),
            (json!({ "jti": 1 }), "claim-type"),
            (json!({ "jti": "x".repeat(257) }), "claim-range"),
            (json!({ "exp": null }), "claim-missing"),
            (json!({ "exp": (NOW + 60).to_string() }), "claim-type"),
            (json!({ "exp": NOW - 30 }), "expired"),
            (json!({ "exp": NOW + 331 }), "lifetime"),
            (json!({ "nbf": NOW + 31 }), "not-yet-valid"),
            (json!({ "iat": NOW + 31 }), "issued-in-future"),
        ] {
            let refused = judge(&[&own], &signed(&own, &json!({}), &changed)).map(drop);
            assert_eq!(refused.unwrap_err().code(), code, "{changed}");
        }
        for header in [
            json!({ "typ": "at+jwt" }),
            json!({ "typ": "dpop+jwt" }),
            json!({ "typ": "token-introspection+jwt" }),
            json!({ "typ": "" }),
            json!({ "typ": 1 }),
            json!({ "kid": "other" }),
            json!({ "kid": "" }),
            json!({ "kid": 1 }),
            json!({ "alg": "none" }),
            json!({ "alg": "HS256" }),
            json!({ "jwk": own.signer.public_jwk() }),
            json!({ "crit": ["exp"] }),
        ] {
            assert!(judge(&[&own], &signed(&own, &header, &json!({}))).is_err(), "{algorithm} {header}");
        }
    }
}

#[test]
fn another_key_is_not_the_clients() {
    let (own, other) = (forge("ES256"), forge("ES256"));
    let under_its_name = Forge { key_id: own.key_id.clone(), ..forge("ES256") };
    for stranger in [&other, &under_its_name] {
        let refused = judge(&[&own], &signed(stranger, &json!({}), &json!({}))).map(drop);
        assert!(matches!(refused, Err(Reject::KeyUnknown | Reject::Signature)), "{refused:?}");
    }
    // With two keys it must be said which one.
    let unnamed = signed(&own, &json!({ "kid": null }), &json!({}));
    assert_eq!(judge(&[&own, &other], &unnamed).map(drop), Err(Reject::KeyUnknown));
    judge(&[&own, &other], &signed(&own, &json!({}), &json!({}))).unwrap();
}

/// JW-06: an access token is no assertion, by its kind, even where somebody registered the issuer's own keys.
#[test]
fn every_token_of_the_forge_proves_nothing() {
    for algorithm in ALGORITHMS {
        let own = forge(algorithm);
        let keys = KeySet::from_jwks(&jwks(&[&own]).to_string()).unwrap();
        let texts = own.all().into_iter().map(|token| token.jwt).chain([own.control()]);
        for jwt in texts {
            let verdict = Assertion::read(&jwt).and_then(|it| it.verify(&keys, ISSUER, NOW));
            assert!(verdict.is_err(), "{algorithm}: {jwt}");
        }
    }
}
