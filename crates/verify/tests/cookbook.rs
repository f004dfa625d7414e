//! JW-02: the JOSE cookbook (RFC 7520, with its RFC 7797 and RFC 8037 parts), every file with its expected outcome.

#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "a failure here is a failed test")]

mod common;

use common::{NOW, vectors};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};
use vestibule_verify::{KeyId, KeySet, Verifier, VerifyingKey};

const FOLDER: &str = "rfc7520";

/// What becomes of a published example.
#[derive(Debug, PartialEq)]
enum Outcome {
    /// The signature checks. As a JWT it is refused with this code: no example has a `typ`.
    SignatureGood(&'static str),
    /// Refused with this code although the example is right: a deviation, with its reason in the table.
    Refused(&'static str),
    /// The file itself is wrong: its signature does not belong to its text. Refused with this code.
    SignatureBad(&'static str),
}
use Outcome::{Refused, SignatureBad, SignatureGood};

const EXPECTED: [(&str, Outcome); 32] = [
    // Nested sign-then-encrypt: the inner signature is ours, the whole is a JWE, and those come later.
    ("6.nesting_signatures_and_encryption.json", SignatureGood("encrypted")),
    ("curve25519/ecdh-es.json", Refused("encrypted")),
    ("curve25519/jws.json", SignatureGood("header-missing")),
    // Encryption says nothing about the author. Refused as a signed token, whatever the algorithm.
    ("jwe/5_1.key_encryption_using_rsa_v15_and_aes-hmac-sha2.json", Refused("encrypted")),
    ("jwe/5_10.including_additional_authentication_data.json", Refused("json")),
    ("jwe/5_11.protecting_specific_header_fields.json", Refused("json")),
    ("jwe/5_12.protecting_content_only.json", Refused("json")),
    ("jwe/5_13.encrypting_to_multiple_recipients.json", Refused("json")),
    ("jwe/5_2.key_encryption_using_rsa-oaep_with_aes-gcm.json", Refused("encrypted")),
    ("jwe/5_3.key_wrap_using_pbes2-aes-keywrap_with-aes-cbc-hmac-sha2.json", Refused("encrypted")),
    (
        "jwe/5_4.key_agreement_with_key_wrapping_using_ecdh-es_and_aes-keywrap_with_aes-gcm.json",
        Refused("encrypted"),
    ),
    ("jwe/5_5.key_agreement_using_ecdh-es_with_aes-cbc-hmac-sha2.json", Refused("encrypted")),
    ("jwe/5_6.direct_encryption_using_aes-gcm.json", Refused("encrypted")),
    ("jwe/5_7.key_wrap_using_aes-gcm_keywrap_with_aes-cbc-hmac-sha2.json", Refused("encrypted")),
    ("jwe/5_8.key_wrap_using_aes-keywrap_with_aes-gcm.json", Refused("encrypted")),
    ("jwe/5_9.compressed_content.json", Refused("encrypted")),
    // P-521 is not among our algorithms.
    ("jwk/3_1.ec_public_key.json", Refused("key-curve-unsupported")),
    // Private and secret keys are never imported.
    ("jwk/3_2.ec_private_key.json", Refused("key-private-material")),
    // No `alg`: RS256 and PS256 would both fit.
    ("jwk/3_3.rsa_public_key.json", Refused("key-alg-missing")),
    ("jwk/3_4.rsa_private_key.json", Refused("key-private-material")),
    ("jwk/3_5.symmetric_key_mac_computation.json", Refused("key-symmetric")),
    ("jwk/3_6.symmetric_key_encryption.json", Refused("key-symmetric")),
    ("jws/4_1.rsa_v15_signature.json", SignatureGood("header-missing")),
    // PS384 and ES512 are not among our algorithms.
    ("jws/4_2.rsa-pss_signature.json", Refused("alg-unsupported")),
    ("jws/4_3.ecdsa_signature.json", Refused("alg-unsupported")),
    ("jws/4_4.hmac-sha2_integrity_protection.json", SignatureGood("header-missing")),
    ("jws/4_5.signature_with_detached_content.json", SignatureGood("header-missing")),
    // JSON serialisations are no JWTs.
    ("jws/4_6.protecting_specific_header_fields.json", SignatureGood("json")),
    ("jws/4_7.protecting_content_only.json", SignatureGood("json")),
    ("jws/4_8.multiple_signatures.json", Refused("json")),
    // RFC 7797 changes what is signed. The second file repeats the first one's signature over another payload.
    ("rfc7797/4.2.hmac-sha2_b64_false.json", SignatureGood("json")),
    ("rfc7797/hmac-sha2_b64_false.json", SignatureBad("crit")),
];

#[test]
fn every_example_of_the_cookbook_has_its_expected_outcome() {
    let mut seen = Vec::new();
    for file in vectors::files(FOLDER) {
        let example = vectors::json(FOLDER, &file);
        seen.push((file.clone(), outcome(&file, &example)));
    }
    let expected: Vec<(String, Outcome)> =
        EXPECTED.into_iter().map(|(file, outcome)| (file.to_owned(), outcome)).collect();
    assert_eq!(seen, expected);
}

fn outcome(file: &str, example: &Value) -> Outcome {
    if file.starts_with("jwk/") {
        return Refused(VerifyingKey::from_jwk(example).unwrap_err().code());
    }
    let (signed, whole) = match example.get("sign") {
        Some(sign) => (sign, &example["encrypt"]["output"]),
        None => (example, &example["output"]),
    };
    let code = verdict(whole);
    match signature_is_good(signed) {
        Some(true) => SignatureGood(code),
        Some(false) => SignatureBad(code),
        None => Refused(code),
    }
}

/// What the verifier says to the compact text, or `json` when only JSON serialisations exist and each is refused.
fn verdict(output: &Value) -> &'static str {
    let verifier = Verifier::new("joe", "anybody", KeySet::default()).with_typ("JWT");
    let refusal = |text: &str| verifier.verify_at(text, NOW).unwrap_err().code();
    for member in ["json", "json_flat"] {
        if let Some(json) = output.get(member) {
            refusal(&json.to_string());
        }
    }
    output.get("compact").map_or("json", |compact| refusal(compact.as_str().unwrap()))
}

/// Checks the published signature by the published key, or `None` when the algorithm is not one of ours.
fn signature_is_good(example: &Value) -> Option<bool> {
    let signing = example.get("signing").filter(|signing| signing.is_object())?;
    let key = key(&example["input"])?;
    let signature = BASE64URL_NOPAD.decode(signing["sig"].as_str()?.as_bytes()).unwrap();
    Some(key.check(signing["sig-input"].as_str()?.as_bytes(), &signature).is_ok())
}

/// The example's key, by its public members alone and with the algorithm the example uses.
fn key(input: &Value) -> Option<VerifyingKey> {
    let published = &input["key"];
    let alg = input["alg"].as_str()?;
    if alg == "HS256" {
        let secret = BASE64URL_NOPAD.decode(published["k"].as_str()?.as_bytes()).unwrap();
        let key_id = KeyId::parse("cookbook").unwrap();
        return Some(VerifyingKey::hs256_where_issuer_is_verifier(key_id, &secret).unwrap());
    }
    let mut jwk = json!({ "alg": alg });
    for member in ["kty", "crv", "x", "y", "n", "e"] {
        if let Some(value) = published.get(member) {
            jwk[member] = value.clone();
        }
    }
    VerifyingKey::from_jwk(&jwk).ok()
}
