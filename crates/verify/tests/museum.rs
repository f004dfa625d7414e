//! Published failures of JWT libraries, made again against ours. Each test is named after its failure.

mod common;

use common::{ALGORITHMS, NOW, Signer, forge, verifier};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

fn text(value: &Value) -> String {
    BASE64URL_NOPAD.encode(value.to_string().as_bytes())
}

/// A date written as a string was taken as absent, so an expired token passed.
#[test]
fn cve_2026_25537_a_date_of_the_wrong_type_is_not_an_absent_date() {
    let forge = forge("ES256");
    let verifier = verifier(&[&forge]);
    for (claim, date) in [("exp", NOW - 3_600), ("nbf", NOW + 3_600)] {
        for value in [json!(date.to_string()), json!([date]), json!(null)] {
            let mut claims = forge.claims.clone();
            claims.insert(claim.to_owned(), value.clone());
            let verdict = verifier.verify_at(&forge.sign(&forge.header(), &claims), NOW);
            assert_eq!(
                verdict.map_err(|reject| reject.code()).map(drop),
                Err("claim-type"),
                "{claim} {value}"
            );
        }
    }
}

/// A fraction was taken as a wrong type, so tokens of issuers that write milliseconds were refused; as an absent date it would never
/// have ended.
#[test]
fn a_date_with_a_fraction_is_a_date() {
    let forge = forge("ES256");
    let verifier = verifier(&[&forge]);
    let verdict = |claim: &str, date: f64| {
        let mut claims = forge.claims.clone();
        claims.insert(claim.to_owned(), json!(date));
        verifier
            .verify_at(&forge.sign(&forge.header(), &claims), NOW)
            .map(drop)
            .map_err(|reject| reject.code())
    };
    let now = NOW as f64;
    assert_eq!(verdict("exp", now + 60.75), Ok(()));
    assert_eq!(verdict("exp", now - 3_600.5), Err("expired"));
    assert_eq!(verdict("nbf", now - 60.5), Ok(()));
    assert_eq!(verdict("nbf", now + 3_600.5), Err("not-yet-valid"));
}

/// r = s = 0 was a good signature for every message and every key.
#[test]
fn cve_2022_21449_psychic_signatures() {
    let forge = forge("ES256");
    let verifier = verifier(&[&forge]);
    let token = forge.control();
    let (input, _) = token.rsplit_once('.').unwrap();
    for signature in
        [vec![0; 64], vec![0; 63], vec![0; 65], b"\x30\x06\x02\x01\x00\x02\x01\x00".to_vec(), vec![]]
    {
        let forged = format!("{input}.{}", BASE64URL_NOPAD.encode(&signature));
        assert_eq!(verifier.verify_at(&forged, NOW).unwrap_err().code(), "signature");
    }
}

/// The published RSA key was taken for an HMAC secret, or `none` for an algorithm.
#[test]
fn cve_2015_9235_the_header_chooses_neither_algorithm_nor_key_type() {
    for algorithm in ALGORITHMS {
        let forge = forge(algorithm);
        let verifier = verifier(&[&forge]);
        let claims = text(&json!(forge.claims));
        for (alg, code) in [("HS256", "alg-mismatch"), ("none", "alg-unsupported")] {
            let input =
                format!("{}.{claims}", text(&json!({"alg": alg, "kid": forge.key_id, "typ": "at+jwt"})));
            for secret in [forge.signer.public_der(), forge.signer.public_raw(), Vec::new()] {
                let tag = common::forge::hs256(&secret, input.as_bytes());
                let forged = format!("{input}.{}", BASE64URL_NOPAD.encode(&tag));
                assert_eq!(verifier.verify_at(&forged, NOW).unwrap_err().code(), code);
            }
        }
    }
}

/// The token was verified with the key it brought along.
#[test]
fn cve_2018_0114_an_embedded_key_verifies_nothing() {
    let forge = forge("ES256");
    let verifier = verifier(&[&forge]);
    let mut attacker = forge_with(Signer::generate("ES256"));
    attacker.key_id = forge.key_id.clone();
    for kid in [Some(forge.key_id.clone()), Some("mine".to_owned()), None] {
        let mut header = attacker.header();
        header.remove("kid");
        header.extend(kid.map(|kid| ("kid".to_owned(), json!(kid))));
        header.insert("jwk".to_owned(), attacker.signer.public_jwk());
        let forged = attacker.sign(&header, &attacker.claims);
        assert_eq!(verifier.verify_at(&forged, NOW).unwrap_err().code(), "key-in-header");
    }
}

/// A token encrypted to the published key was accepted as if its issuer had signed it.
#[test]
fn cve_2023_51774_an_encrypted_token_is_not_a_signed_one() {
    let forge = forge("ES256");
    let verifier = verifier(&[&forge]);
    let recipient = &forge.signer.public_jwk();
    for header in [
        json!({"alg": "ECDH-ES", "enc": "A256GCM", "epk": recipient, "kid": forge.key_id, "typ": "at+jwt"}),
        json!({"alg": "RSA-OAEP", "enc": "A256GCM", "kid": forge.key_id, "typ": "at+jwt"}),
        json!({"alg": "ES256", "kid": forge.key_id, "typ": "at+jwt"}),
    ] {
        let forged = format!(
            "{}..AAAAAAAAAAAAAAAA.{}.AAAAAAAAAAAAAAAAAAAAAA",
            text(&header),
            text(&json!(forge.claims))
        );
        assert_eq!(verifier.verify_at(&forged, NOW).unwrap_err().code(), "encrypted");
    }
}

fn forge_with(signer: Signer) -> common::Forge {
    common::Forge { signer, ..forge("ES256") }
}
