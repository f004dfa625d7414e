//! Keys as JWKs: one algorithm, one purpose, both halves of one key.

use data_encoding::BASE64URL_NOPAD;
use serde_json::json;
use vestibule_verify::{
    KeyReject, Reject,
    jwe::{ContentEncryption, DecryptionKey, DecryptionKeys, Policy, RecipientKey, decrypt},
};

use crate::{
    CONTENT, code,
    common::forge::sealer::{MANAGEMENTS, Parts, Sealer},
    default, keys, with,
};

/// A key has one algorithm, and the header cannot choose another that would fit it as well.
#[test]
fn the_key_says_which_algorithm() {
    let direct = Sealer::generate("dir", "", "A256GCM");
    let mut wrapping = direct.private_jwk();
    wrapping["alg"] = json!("A256KW");
    let keys = DecryptionKeys::from_text(&wrapping.to_string()).unwrap();
    assert_eq!(code(&direct.seal("x", "A256GCM"), &keys), "alg-mismatch");
    let mut agreed = default().private_jwk();
    let sealer = default();
    agreed["alg"] = json!("ECDH-ES+A256KW");
    agreed["kid"] = json!("ECDH-ES-P-256");
    let keys = DecryptionKeys::from_text(&agreed.to_string()).unwrap();
    assert_eq!(code(&sealer.seal("x", "A256GCM"), &keys), "alg-mismatch");
    // A direct key's length says which encryption it is for.
    let jwe = direct.parts(&direct.header("A256GCM"), CONTENT);
    let renamed = Parts { header: jwe.header.replace("A256GCM", "A128GCM"), ..jwe };
    assert_eq!(code(&renamed.text(), &crate::keys(&direct)), "alg-mismatch");
    let policy = Policy { encryptions: &[ContentEncryption::A256CbcHs512], ..Policy::NESTED };
    let sealed = sealer.seal("x", "A256GCM");
    assert_eq!(decrypt(&sealed, &crate::keys(&sealer), &policy), Err(Reject::AlgorithmMismatch));
}

/// Each JWK rule, one by one.
#[test]
fn keys_are_looked_at() {
    let ec = default().private_jwk();
    let rsa = Sealer::generate("RSA-OAEP-256", "", "A256GCM").private_jwk();
    let oct = Sealer::generate("A256KW", "", "A256GCM").private_jwk();
    let okp = Sealer::generate("ECDH-ES", "X25519", "A256GCM").private_jwk();
    let direct = Sealer::generate("dir", "", "A256GCM").private_jwk();
    let other = default().private_jwk();
    for (jwk, changes, expected) in [
        (&ec, json!({}), None),
        (&ec, json!({"kid": null, "use": null}), None),
        (&ec, json!({"key_ops": ["deriveKey"]}), None),
        (&ec, json!({"key_ops": ["deriveKey", "deriveBits"]}), None),
        (&rsa, json!({"key_ops": ["unwrapKey"]}), None),
        (&direct, json!({"alg": "A256GCM"}), None),
        (&ec, json!({"alg": null}), Some("key-alg-missing")),
        (&ec, json!({"alg": "RSA-OAEP-256"}), Some("key-alg-mismatch")),
        (&ec, json!({"alg": "A256GCM"}), Some("key-alg-mismatch")),
        (&rsa, json!({"alg": "RSA1_5"}), Some("key-alg-unsupported")),
        (&rsa, json!({"alg": "RSA-OAEP"}), Some("key-alg-unsupported")),
        (&oct, json!({"alg": "PBES2-HS512+A256KW"}), Some("key-alg-unsupported")),
        (&ec, json!({"alg": "ES256"}), Some("key-alg-unsupported")),
        (&ec, json!({"kty": "AKP"}), Some("key-type-unsupported")),
        (&ec, json!({"kty": null}), Some("key-member")),
        (&ec, json!({"crv": "secp256k1"}), Some("key-curve-unsupported")),
        (&okp, json!({"crv": "Ed25519"}), Some("key-curve-unsupported")),
        (&ec, json!({"use": "sig"}), Some("key-not-for-encryption")),
        (&ec, json!({"use": 1}), Some("key-member")),
        (&ec, json!({"key_ops": ["sign"]}), Some("key-not-for-encryption")),
        (&ec, json!({"key_ops": ["deriveKey", "sign"]}), Some("key-not-for-encryption")),
        (&ec, json!({"key_ops": []}), Some("key-not-for-encryption")),
        (&ec, json!({"key_ops": ["deriveKey", "deriveKey"]}), Some("key-operations-mismatch")),
        (&ec, json!({"key_ops": "deriveKey"}), Some("key-member")),
        (&ec, json!({"kid": ""}), Some("key-id-malformed")),
        (&ec, json!({"d": null}), Some("key-member")),
        (&ec, json!({"d": "AAAA"}), Some("key-length")),
        (&ec, json!({"d": "AA=="}), Some("key-encoding")),
        (&ec, json!({"d": other["d"]}), Some("key-halves-mismatch")),
        (&ec, json!({"x": other["x"], "y": other["y"]}), Some("key-halves-mismatch")),
        (&ec, json!({"y": other["y"]}), Some("key-not-on-curve")),
        (&ec, json!({"d": BASE64URL_NOPAD.encode(&[0; 32])}), Some("key-encoding")),
        (&okp, json!({"d": other["d"]}), Some("key-halves-mismatch")),
        (&rsa, json!({"p": null}), Some("key-member")),
        (&rsa, json!({"oth": []}), Some("key-rsa-modulus")),
        (&rsa, json!({"d": rsa["dp"]}), Some("key-halves-mismatch")),
        (&rsa, json!({"n": rsa["p"]}), Some("key-rsa-too-small")),
        (&rsa, json!({"e": "Aw"}), Some("key-rsa-exponent")),
        (&oct, json!({"k": BASE64URL_NOPAD.encode(&[7; 32])}), Some("key-secret-guessable")),
        (&oct, json!({"k": "AAECAwQFBgcICQoLDA0ODw"}), Some("key-length")),
        (&direct, json!({"alg": "A128GCM"}), Some("key-length")),
        (&direct, json!({"k": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"}), Some("key-length")),
        (&oct, json!({"k": ""}), Some("key-secret-too-short")),
    ] {
        let mut altered = jwk.clone();
        for (member, value) in changes.as_object().unwrap() {
            if value.is_null() {
                altered.as_object_mut().unwrap().remove(member);
            } else {
                altered[member] = value.clone();
            }
        }
        let code = DecryptionKey::from_jwk_text(&altered.to_string()).err().map(|reject| reject.code());
        assert_eq!(code, expected, "{changes}");
    }
    let twice = ec.to_string().replacen('{', r#"{"alg":"ECDH-ES","#, 1);
    assert_eq!(DecryptionKey::from_jwk_text(&twice).err().unwrap().code(), "key-json");
}

#[test]
fn the_key_of_a_recipient_is_public() {
    for (alg, crv) in MANAGEMENTS {
        let sealer = Sealer::generate(alg, crv, "A256GCM");
        let private = RecipientKey::from_jwk_text(&sealer.private_jwk().to_string()).err();
        if sealer.private_jwk()["kty"] == "oct" {
            assert_eq!(private, Some(KeyReject::Symmetric));
            continue;
        }
        assert_eq!(private, Some(KeyReject::PrivateMaterial), "{alg}");
        let public = sealer.public_jwk();
        let recipient = RecipientKey::from_jwk_text(&public.to_string()).unwrap();
        assert_eq!(recipient.to_jwk(), public);
        let key = DecryptionKey::from_jwk_text(&sealer.private_jwk().to_string()).unwrap();
        assert_eq!(key.recipient().unwrap().to_jwk(), public);
    }
    for (changes, expected) in [
        (json!({"use": "sig"}), "key-not-for-encryption"),
        (json!({"key_ops": ["deriveKey"]}), "key-not-for-encryption"),
        (json!({"alg": "ES256"}), "key-alg-unsupported"),
        (json!({"y": default().public_jwk()["y"]}), "key-not-on-curve"),
    ] {
        let mut jwk = default().public_jwk();
        jwk.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        assert_eq!(
            RecipientKey::from_jwk_text(&jwk.to_string()).err().unwrap().code(),
            expected,
            "{changes}"
        );
    }
}

/// RFC 7638, by the example of its section 3.1, with the algorithm changed to one of ours: the thumbprint does not depend on it.
#[test]
fn a_key_without_a_name_is_named_by_its_thumbprint() {
    let jwk = json!({"kty":"RSA","e":"AQAB","alg":"RSA-OAEP-256","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"});
    let key = RecipientKey::from_jwk_text(&jwk.to_string()).unwrap();
    assert_eq!(key.key_id().as_str(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
}

#[test]
fn keys_are_picked_by_name() {
    let (first, second) =
        (Sealer::generate("ECDH-ES", "P-256", ""), Sealer::generate("ECDH-ES", "X25519", ""));
    let key = |sealer: &Sealer| DecryptionKey::from_jwk_text(&sealer.private_jwk().to_string()).unwrap();
    let both = DecryptionKeys::new([key(&first), key(&second)]).unwrap();
    for sealer in [&first, &second] {
        assert_eq!(code(&sealer.seal("x", "A256GCM"), &both), "accepted");
        let unnamed = sealer.parts(&with(sealer, json!({"kid": null})), CONTENT).text();
        assert_eq!(code(&unnamed, &both), "decryption-key-unknown", "no key is tried out");
    }
    assert!(matches!(DecryptionKeys::new([key(&first), key(&first)]), Err(KeyReject::KeyIdDuplicate)));
    assert!(matches!(DecryptionKeys::new([]), Err(KeyReject::NoUsableKey)));
    let many = DecryptionKeys::new((0..65).map(|_| key(&first)));
    assert!(matches!(many, Err(KeyReject::SetTooLarge)));
}

/// JW-12: points with which the secret would be known to everybody, and points written in a second way.
#[test]
fn x25519_points_that_are_none() {
    let sealer = Sealer::generate("ECDH-ES", "X25519", "A256GCM");
    let hex = |text: &str| data_encoding::HEXLOWER.decode(text.as_bytes()).unwrap();
    let ff = "ff".repeat(30);
    for (name, u) in [
        ("zero", "00".repeat(32)),
        ("one", format!("01{}", "00".repeat(31))),
        ("order 8", "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800".to_owned()),
        ("order 8, the other", "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157".to_owned()),
        ("p - 1", format!("ec{ff}7f")),
        ("p", format!("ed{ff}7f")),
        ("p + 1", format!("ee{ff}7f")),
        ("p + 9, a second text for the base point", format!("f6{ff}7f")),
        ("the base point with the unused bit", format!("09{}80", "00".repeat(30))),
        ("2^256 - 1", "ff".repeat(32)),
    ] {
        let x = BASE64URL_NOPAD.encode(&hex(&u));
        let epk = json!({"kty": "OKP", "crv": "X25519", "x": x});
        let jwe = sealer.parts(&with(&sealer, json!({ "epk": epk })), CONTENT).text();
        assert_eq!(code(&jwe, &keys(&sealer)), "header-range", "{name}");
        let mut public = sealer.public_jwk();
        public["x"] = json!(x);
        assert!(RecipientKey::from_jwk_text(&public.to_string()).is_err(), "{name}");
    }
    let base = json!({"kty": "OKP", "crv": "X25519", "x": BASE64URL_NOPAD.encode(&hex(&format!("09{}", "00".repeat(31))))});
    let jwe = sealer.parts(&with(&sealer, json!({ "epk": base })), CONTENT).text();
    assert_eq!(code(&jwe, &keys(&sealer)), "decryption", "a good point, that was not agreed with");
}
