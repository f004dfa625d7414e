use serde_json::{Value, json};

use super::{KeySet, LeftOut, MAX_KEYS};
use crate::{KeyId, KeyReject, MemberFault, VerifyingKey};

fn okp(kid: &str) -> Value {
    json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "kid": kid})
}

fn read(keys: Value) -> Result<KeySet, KeyReject> {
    KeySet::from_jwks(&json!({ "keys": keys }).to_string())
}

fn key(kid: &str) -> VerifyingKey {
    VerifyingKey::from_jwk(&okp(kid)).unwrap()
}

fn secret(kid: &str) -> VerifyingKey {
    let secret: Vec<u8> = (0..32).map(|at| at * 7 + 3).collect();
    VerifyingKey::hs256_where_issuer_is_verifier(KeyId::parse(kid).unwrap(), &secret).unwrap()
}

#[test]
fn keys_are_found_by_their_exact_name() {
    let set = read(json!([okp("a"), okp("A")])).unwrap();
    assert_eq!(set.len(), 2);
    assert_eq!(set.get("a").unwrap().key_id().as_str(), "a");
    assert_eq!(set.get("A").unwrap().key_id().as_str(), "A");
    for name in ["", "b", "a ", " a", "a\0"] {
        assert!(set.get(name).is_none(), "{name:?}");
    }
}

/// RFC 7517 §5: keys that are not for us do not spoil the set.
#[test]
fn foreign_keys_are_passed_over() {
    let foreign = [
        json!({"kty": "AKP", "alg": "ML-DSA-44", "pub": "AA"}),
        json!({"kty": "OKP", "crv": "X25519", "x": "AA"}),
        json!({"kty": "EC", "crv": "P-384", "x": "AA", "y": "AA"}),
        json!({"kty": "RSA", "alg": "RSA-OAEP", "n": "AA", "e": "AQAB"}),
        json!({"kty": "RSA", "use": "enc", "n": "AA", "e": "AQAB"}),
        json!({"kty": "EC", "key_ops": ["deriveKey"], "crv": "P-256"}),
    ];
    for jwk in foreign {
        assert_eq!(read(json!([jwk, okp("a")])).map(|set| set.len()), Ok(1), "{jwk}");
        assert_eq!(read(json!([jwk])).err(), Some(KeyReject::NoUsableKey), "{jwk}");
    }
}

/// RFC 7517 §5: a key that breaks a rule is left out and named, and the others verify.
#[test]
fn a_broken_key_is_left_out_and_named() {
    let cases = [
        (
            json!({"kty": "RSA", "alg": "RS256", "kid": "old", "n": "AQAB", "e": "AQAB"}),
            KeyReject::RsaTooSmall,
        ),
        (json!({"kty": "RSA", "kid": "old", "n": "AQAB", "e": "AQAB"}), KeyReject::AlgorithmMissing),
        (json!({"kty": "EC", "crv": "P-256", "kid": "old", "x": "AA", "y": "AA"}), KeyReject::Length("x")),
        (
            json!({"kty": "EC", "crv": "P-256", "kid": "old"}),
            KeyReject::Member { member: "x", reason: MemberFault::Missing },
        ),
    ];
    for (jwk, reject) in cases {
        let set = read(json!([okp("a"), jwk, okp("b")])).unwrap();
        assert_eq!((set.len(), set.get("old").is_none()), (2, true), "{jwk}");
        let left_out = LeftOut { place: 1, key_id: Some("old".to_owned()), reject };
        assert_eq!(set.left_out(), [left_out], "{jwk}");
        assert_eq!(read(json!([jwk])).err(), Some(reject), "nothing is left: {jwk}");
        assert!(!set.is_same(&read(json!([okp("a"), okp("b")])).unwrap()));
    }
    let nameless = read(json!([7, okp("a")])).unwrap();
    let reject = KeyReject::Member { member: "kty", reason: MemberFault::Missing };
    assert_eq!(nameless.left_out(), [LeftOut { place: 0, key_id: None, reject }]);
    assert!(read(json!([okp("a")])).unwrap().left_out().is_empty());
}

#[test]
fn what_makes_a_set_doubtful_refuses_it() {
    let cases = [
        (json!([okp("a"), okp("a")]), KeyReject::KeyIdDuplicate),
        (json!([okp("a"), {"kty": "AKP", "kid": "a"}]), KeyReject::KeyIdDuplicate),
        (json!([okp("a"), {"kty": "oct", "k": "AA"}]), KeyReject::Symmetric),
        (json!([okp("a"), {"kty": "RSA", "use": "enc", "d": "AA"}]), KeyReject::PrivateMaterial),
        // The kid of a key that is left out is taken all the same.
        (json!([okp("a"), {"kty": "RSA", "alg": "RS256", "kid": "a"}]), KeyReject::KeyIdDuplicate),
        (json!([]), KeyReject::NoUsableKey),
    ];
    for (keys, expected) in cases {
        assert_eq!(read(keys.clone()).err(), Some(expected), "{keys}");
    }
}

/// Without a `kid` the thumbprint names the key, so the same key twice is one name twice.
#[test]
fn the_same_nameless_key_twice_is_a_duplicate() {
    let mut nameless = okp("");
    nameless.as_object_mut().unwrap().remove("kid");
    assert_eq!(read(json!([nameless, nameless])).err(), Some(KeyReject::KeyIdDuplicate));
}

#[test]
fn a_set_has_a_shape_and_a_size() {
    let member = |reason| Some(KeyReject::Member { member: "keys", reason });
    assert_eq!(KeySet::from_jwks("{}").err(), member(MemberFault::Missing));
    assert_eq!(KeySet::from_jwks(r#"{"keys":{}}"#).err(), member(MemberFault::WrongType));
    for text in ["", "[]", "null", "{\"keys\":[]}x"] {
        assert_eq!(KeySet::from_jwks(text).unwrap_err().code(), "key-json", "{text}");
    }
    assert_eq!(KeySet::from_jwks(r#"{"keys":[],"keys":[]}"#).unwrap_err().code(), "key-json");
    let many = |count: usize| (0..count).map(|at| okp(&format!("k{at}"))).collect::<Vec<_>>();
    assert!(read(json!(many(MAX_KEYS))).is_ok());
    assert_eq!(read(json!(many(MAX_KEYS + 1))).err(), Some(KeyReject::SetTooLarge));
    let foreign = vec![json!({"kty": "AKP"}); MAX_KEYS];
    assert_eq!(read(json!([foreign, vec![okp("a")]].concat())).err(), Some(KeyReject::SetTooLarge));
    let large = format!("{{\"keys\":[],\"x\":\"{}\"}}", "x".repeat(super::MAX_JWKS_BYTES));
    assert_eq!(KeySet::from_jwks(&large).err(), Some(KeyReject::SetTooLarge));
}

#[test]
fn secrets_and_public_keys_do_not_mix() {
    assert!(KeySet::new([secret("a"), secret("b")]).is_ok());
    for mixed in [[secret("a"), key("b")], [key("a"), secret("b")]] {
        assert_eq!(KeySet::new(mixed).err(), Some(KeyReject::MixedSymmetry));
    }
    assert_eq!(KeySet::new([key("a"), key("a")]).err(), Some(KeyReject::KeyIdDuplicate));
}

#[test]
fn what_is_published_reads_back() {
    let set = KeySet::new([key("b"), key("a")]).unwrap();
    let published = set.to_jwks();
    let order: Vec<&Value> = published["keys"].as_array().unwrap().iter().map(|jwk| &jwk["kid"]).collect();
    assert_eq!(order, ["a", "b"]);
    assert!(KeySet::from_jwks(&published.to_string()).unwrap().is_same(&set));
    assert_eq!(KeySet::new([secret("a")]).unwrap().to_jwks(), json!({"keys": []}));
}

#[test]
fn sets_are_the_same_only_with_the_same_keys() {
    let set = |keys: Vec<VerifyingKey>| KeySet::new(keys).unwrap();
    assert!(set(vec![key("a"), key("b")]).is_same(&set(vec![key("b"), key("a")])));
    assert!(!set(vec![key("a")]).is_same(&set(vec![key("b")])));
    assert!(!set(vec![key("a")]).is_same(&set(vec![key("a"), key("b")])));
    assert!(!set(vec![secret("a")]).is_same(&set(vec![secret("a")])));
    assert!(set(vec![]).is_same(&set(vec![])));
    let n = [&[0xc1; 255][..], &[0x2f]].concat();
    let rsa = |import: fn(&[u8], &[u8]) -> Result<VerifyingKey, KeyReject>| {
        set(vec![import(&n, &[1, 0, 1]).unwrap().with_key_id(KeyId::parse("a").unwrap())])
    };
    assert!(rsa(VerifyingKey::rs256).is_same(&rsa(VerifyingKey::rs256)));
    assert!(!rsa(VerifyingKey::rs256).is_same(&rsa(VerifyingKey::ps256)), "one key, two algorithms");
}
