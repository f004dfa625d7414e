use data_encoding::BASE64URL_NOPAD;
use serde_json::json;

use super::{KeyId, VerifyingKey};
use crate::{Algorithm, KeyReject};

#[test]
fn a_key_id_is_short_and_visible() {
    for good in ["a", "../../dev/null", "' OR 1=1 --x".replace(' ', "_").as_str(), &"k".repeat(128)] {
        assert_eq!(KeyId::parse(good).unwrap().as_str(), good);
    }
    for bad in ["", " ", "a b", "a\r\nb", "a\0", "é", "\u{200b}", &"k".repeat(129)] {
        assert_eq!(KeyId::parse(bad), Err(KeyReject::KeyIdMalformed), "{bad:?}");
    }
}

/// RFC 8037, appendix A.3.
#[test]
fn rfc_8037_thumbprint() {
    let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
    let key = VerifyingKey::from_jwk(&jwk).unwrap();
    assert_eq!(key.key_id().as_str(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    assert_eq!(key.thumbprint().as_ref(), Some(key.key_id()));
}

/// RFC 7638 §3.1.
#[test]
fn rfc_7638_thumbprint() {
    let jwk = json!({
        "kty": "RSA", "e": "AQAB", "alg": "RS256", "kid": "2011-04-29",
        "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
    });
    let key = VerifyingKey::from_jwk(&jwk).unwrap();
    assert_eq!(key.thumbprint().unwrap().as_str(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    assert_eq!(key.key_id().as_str(), "2011-04-29");
}

#[test]
fn points_that_are_none_are_refused() {
    assert_eq!(VerifyingKey::es256(&[4; 65]).unwrap_err(), KeyReject::NotOnCurve);
    let jwk = json!({
        "kty": "EC", "crv": "P-256",
        "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
        "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"
    });
    let decode = |member: &str| BASE64URL_NOPAD.decode(jwk[member].as_str().unwrap().as_bytes()).unwrap();
    for (first, taken) in [(4, true), (0, false), (2, false), (6, false), (7, false)] {
        let point = [vec![first], decode("x"), decode("y")].concat().try_into().unwrap();
        assert_eq!(VerifyingKey::es256(&point).is_ok(), taken, "first byte {first}");
    }
    assert_eq!(VerifyingKey::es256(&[0; 65]).unwrap_err(), KeyReject::NotOnCurve);
    let mut one = [0; 32];
    one[0] = 1;
    let mut minus_one = [0xff; 32];
    minus_one[0] = 0xec;
    minus_one[31] = 0x7f;
    let mut with_sign = minus_one;
    with_sign[31] = 0xff;
    for small in [[0; 32], one, minus_one, with_sign] {
        assert_eq!(VerifyingKey::ed25519(&small).unwrap_err(), KeyReject::SmallOrder);
    }
}

/// Nothing about a shared secret leaves the key, not even a digest.
#[test]
fn a_shared_secret_stays_inside() {
    let secret: Vec<u8> = (0..32).map(|at| at * 7 + 3).collect();
    let key_id = KeyId::parse("local").unwrap();
    let key = VerifyingKey::hs256_where_issuer_is_verifier(key_id, &secret).unwrap();
    assert_eq!(key.algorithm(), Algorithm::Hs256);
    assert_eq!(key.thumbprint(), None);
    assert_eq!(key.to_jwk(), json!({"kty": "oct", "kid": "local", "alg": "HS256", "use": "sig"}));
    let shown = format!("{key:?}");
    assert_eq!(shown, "VerifyingKey { key_id: KeyId(\"local\"), algorithm: Hs256, .. }");
}

#[test]
fn a_jwk_reads_back_as_the_same_key() {
    let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "kid": "k"});
    let key = VerifyingKey::from_jwk(&jwk).unwrap();
    let again = VerifyingKey::from_jwk(&key.to_jwk()).unwrap();
    assert_eq!(again.to_jwk(), key.to_jwk());
    assert_eq!(key.to_jwk()["alg"], "EdDSA");
    assert_eq!(key.to_jwk()["use"], "sig");
}
