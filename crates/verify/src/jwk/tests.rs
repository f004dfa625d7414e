use serde_json::{Value, json};

use crate::{Algorithm, KeyReject, MemberFault, VerifyingKey};

fn okp() -> Value {
    json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})
}

/// RFC 7517, appendix A.1.
fn ec() -> Value {
    json!({
        "kty": "EC", "crv": "P-256",
        "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
        "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"
    })
}

/// RFC 7517, appendix A.1, with the `alg` the RFC leaves out there.
fn rsa() -> Value {
    json!({
        "kty": "RSA", "e": "AQAB", "alg": "RS256",
        "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
    })
}

fn with(mut jwk: Value, member: &str, value: Value) -> Value {
    jwk[member] = value;
    jwk
}

fn without(mut jwk: Value, member: &str) -> Value {
    jwk.as_object_mut().unwrap().remove(member);
    jwk
}

#[test]
fn good_keys_are_taken() {
    for (jwk, algorithm) in [
        (okp(), Algorithm::EdDsa),
        (with(okp(), "alg", json!("EdDSA")), Algorithm::EdDsa),
        (with(okp(), "alg", json!("Ed25519")), Algorithm::EdDsa),
        (ec(), Algorithm::Es256),
        (with(ec(), "alg", json!("ES256")), Algorithm::Es256),
        (with(ec(), "use", json!("sig")), Algorithm::Es256),
        (with(ec(), "key_ops", json!(["verify"])), Algorithm::Es256),
        (with(with(ec(), "use", json!("sig")), "key_ops", json!(["verify"])), Algorithm::Es256),
        (with(ec(), "x5c", json!(["anything"])), Algorithm::Es256),
        (with(ec(), "unknown", json!({"a": 1})), Algorithm::Es256),
        (rsa(), Algorithm::Rs256),
        (with(rsa(), "alg", json!("PS256")), Algorithm::Ps256),
    ] {
        assert_eq!(VerifyingKey::from_jwk(&jwk).map(|key| key.algorithm()), Ok(algorithm), "{jwk}");
    }
}

/// JW-14: one bad key for each rule, each refused with its own code.
#[test]
fn bad_keys_are_refused_each_for_its_own_reason() {
    let missing = |member| KeyReject::Member { member, reason: MemberFault::Missing };
    let wrong_type = |member| KeyReject::Member { member, reason: MemberFault::WrongType };
    let cases = [
        (json!([]), missing("kty")),
        (json!("key"), missing("kty")),
        (json!({}), missing("kty")),
        (with(ec(), "kty", json!(null)), wrong_type("kty")),
        (with(ec(), "kty", json!("ec")), KeyReject::KeyTypeUnsupported),
        (with(ec(), "kty", json!("AKP")), KeyReject::KeyTypeUnsupported),
        (json!({"kty": "oct", "k": "c2VjcmV0", "alg": "HS256"}), KeyReject::Symmetric),
        (json!({"kty": "oct"}), KeyReject::Symmetric),
        (with(ec(), "d", json!("AA")), KeyReject::PrivateMaterial),
        (with(rsa(), "dp", json!("AA")), KeyReject::PrivateMaterial),
        (with(okp(), "d", json!("AA")), KeyReject::PrivateMaterial),
        (with(with(ec(), "use", json!("enc")), "d", json!("AA")), KeyReject::PrivateMaterial),
        (with(ec(), "kid", json!("")), KeyReject::KeyIdMalformed),
        (with(ec(), "kid", json!("k".repeat(129))), KeyReject::KeyIdMalformed),
        (with(ec(), "kid", json!("a\nb")), KeyReject::KeyIdMalformed),
        (with(ec(), "kid", json!(1)), wrong_type("kid")),
        (with(ec(), "use", json!("enc")), KeyReject::NotForVerifying),
        (with(ec(), "use", json!("")), KeyReject::NotForVerifying),
        (with(ec(), "use", json!(null)), wrong_type("use")),
        (with(ec(), "key_ops", json!(["encrypt"])), KeyReject::NotForVerifying),
        (with(ec(), "key_ops", json!([])), KeyReject::NotForVerifying),
        (with(ec(), "key_ops", json!(["sign", "verify"])), KeyReject::OperationsMismatch),
        (with(ec(), "key_ops", json!(["verify", "verify"])), KeyReject::OperationsMismatch),
        (with(ec(), "key_ops", json!("verify")), wrong_type("key_ops")),
        (with(with(ec(), "use", json!("enc")), "key_ops", json!(["verify"])), KeyReject::OperationsMismatch),
        (with(with(ec(), "use", json!("sig")), "key_ops", json!(["encrypt"])), KeyReject::OperationsMismatch),
        (with(ec(), "alg", json!("ES384")), KeyReject::AlgorithmUnsupported),
        (with(ec(), "alg", json!("none")), KeyReject::AlgorithmUnsupported),
        (with(ec(), "alg", json!("RS256")), KeyReject::AlgorithmMismatch),
        (with(ec(), "alg", json!("HS256")), KeyReject::AlgorithmMismatch),
        (with(ec(), "alg", json!("EdDSA")), KeyReject::AlgorithmMismatch),
        (with(okp(), "alg", json!("ES256")), KeyReject::AlgorithmMismatch),
        (with(rsa(), "alg", json!("ES256")), KeyReject::AlgorithmMismatch),
        (with(rsa(), "alg", json!("HS256")), KeyReject::AlgorithmMismatch),
        (without(rsa(), "alg"), KeyReject::AlgorithmMissing),
        (with(ec(), "crv", json!("P-384")), KeyReject::CurveUnsupported),
        (with(ec(), "crv", json!("secp256k1")), KeyReject::CurveUnsupported),
        (with(okp(), "crv", json!("X25519")), KeyReject::CurveUnsupported),
        (with(okp(), "crv", json!("Ed448")), KeyReject::CurveUnsupported),
        (without(ec(), "crv"), missing("crv")),
        (without(ec(), "y"), missing("y")),
        (without(okp(), "x"), missing("x")),
        (without(rsa(), "n"), missing("n")),
        (without(rsa(), "e"), missing("e")),
        (with(ec(), "x", json!("AA")), KeyReject::Length("x")),
        (with(okp(), "x", json!("")), KeyReject::Length("x")),
        (with(ec(), "x", json!(ec()["y"])), KeyReject::NotOnCurve),
        (with(ec(), "x", json!("MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D5")), KeyReject::Encoding("x")),
        (with(ec(), "x", json!("MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4=")), KeyReject::Encoding("x")),
        (with(okp(), "x", json!("A".repeat(43))), KeyReject::SmallOrder),
        (with(rsa(), "n", json!("AQAB")), KeyReject::RsaTooSmall),
        (with(rsa(), "n", json!(format!("AAAA{}", rsa()["n"].as_str().unwrap()))), KeyReject::Encoding("n")),
        (with(rsa(), "e", json!("Aw")), KeyReject::RsaExponent),
        (with(rsa(), "e", json!("AAEAAQ")), KeyReject::Encoding("e")),
    ];
    for (jwk, expected) in cases {
        assert_eq!(VerifyingKey::from_jwk(&jwk).map(|_| "taken"), Err(expected), "{jwk}");
    }
}

#[test]
fn a_jwk_text_is_strict_json() {
    assert!(VerifyingKey::from_jwk_text(&ec().to_string()).is_ok());
    let twice = ec().to_string().replacen('{', "{\"crv\":\"P-256\",", 1);
    assert_eq!(VerifyingKey::from_jwk_text(&twice).unwrap_err().code(), "key-json");
}
