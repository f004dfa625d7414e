//! What a header may say.

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Map, Value, json};
use vestibule_verify::{Reject, jwe::header};

use crate::{
    CONTENT, code,
    common::forge::sealer::{Parts, Sealer},
    default, keys, with,
};

/// The examples of RFC 7516 appendix A are all made with what is not taken here.
#[test]
fn algorithms_that_are_not_taken() {
    let sealer = default();
    let keys = keys(&sealer);
    for alg in [
        "RSA1_5",
        "RSA-OAEP",
        "RSA-OAEP-384",
        "RSA-OAEP-512",
        "A128KW",
        "A192KW",
        "A128GCMKW",
        "A256GCMKW",
        "ECDH-ES+A128KW",
        "ECDH-ES+A192KW",
        "ecdh-es",
        "ECDH-ES ",
        "ECDH-1PU",
        "PBES2-HS256+A128KW",
        "PBES2-HS512+A256KW",
        "none",
        "HS256",
        "",
    ] {
        let parts = sealer.parts(&with(&sealer, json!({ "alg": alg })), CONTENT);
        assert_eq!(code(&parts.text(), &keys), "alg-unsupported", "{alg}");
    }
    for enc in ["A192GCM", "A128CBC-HS256", "A192CBC-HS384", "a256gcm", "A256GCM ", "none", ""] {
        let mut parts = sealer.parts(&sealer.header("A256GCM"), CONTENT);
        parts.header = parts.header.replace("A256GCM", enc);
        assert_eq!(code(&parts.text(), &keys), "alg-unsupported", "{enc}");
    }
}

/// The allow-list: whatever else a header says is refused, because it could change what the token means.
#[test]
fn a_header_says_what_it_may_and_nothing_else() {
    let sealer = default();
    let keys = keys(&sealer);
    let epk = |changes: Value| {
        let good = sealer.parts(&sealer.header("A256GCM"), CONTENT);
        let mut header: Value = serde_json::from_str(&good.header).unwrap();
        for (member, value) in changes.as_object().unwrap() {
            header["epk"][member] = value.clone();
        }
        header["epk"].clone()
    };
    let jwk = sealer.public_jwk();
    for (changes, expected) in [
        (json!({"typ": "at+jwt"}), "accepted"),
        (json!({"cty": "jwt"}), "accepted"),
        (json!({"cty": "application/JWT"}), "accepted"),
        (json!({"apu": "QWxpY2U", "apv": "Qm9i"}), "accepted"),
        (json!({"kid": null}), "accepted"),
        (json!({"cty": null}), "header-missing"),
        (json!({"cty": "JSON"}), "header-mismatch"),
        (json!({"cty": ["JWT"]}), "header-type"),
        (json!({"kid": ""}), "header-range"),
        (json!({"kid": "x".repeat(129)}), "header-range"),
        (json!({"kid": 7}), "header-type"),
        (json!({"kid": "another"}), "decryption-key-unknown"),
        (json!({"typ": ""}), "header-range"),
        (json!({"typ": 1}), "header-type"),
        (json!({"zip": "DEF"}), "compressed"),
        (json!({"zip": ""}), "compressed"),
        (json!({"crit": ["exp"], "exp": 1}), "crit"),
        (json!({"crit": []}), "crit"),
        (json!({"jwk": jwk}), "key-in-header"),
        (json!({"jku": "https://evil.example"}), "key-in-header"),
        (json!({"x5u": "https://evil.example"}), "key-in-header"),
        (json!({"x5c": []}), "key-in-header"),
        (json!({"x5t": "x"}), "key-in-header"),
        (json!({"x5t#S256": "x"}), "key-in-header"),
        (json!({"p2c": 2_147_483_648_u64}), "header-member"),
        (json!({"p2s": "c2FsdA"}), "header-member"),
        (json!({"iv": "AAAAAAAAAAAAAAAA"}), "header-member"),
        (json!({"tag": "AAAA"}), "header-member"),
        (json!({"iss": "https://app.example.com"}), "header-member"),
        (json!({"b64": false}), "header-member"),
        (json!({"x": 1}), "header-member"),
        (json!({"apu": "QWxpY2"}), "encoding"),
        (json!({"apu": 1}), "header-type"),
        (json!({"apv": "A".repeat(172 + 4)}), "header-range"),
        (json!({"epk": "x"}), "header-type"),
        (json!({"epk": {}}), "header-missing"),
        (json!({"epk": epk(json!({"d": "AAAA"}))}), "header-member"),
        (json!({"epk": epk(json!({"kid": "x"}))}), "header-member"),
        (json!({"epk": epk(json!({"crv": "P-384"}))}), "header-range"),
        (json!({"epk": epk(json!({"crv": "secp256k1"}))}), "header-range"),
        (json!({"epk": epk(json!({"kty": "OKP"}))}), "header-range"),
        (json!({"epk": epk(json!({"x": "AAAA"}))}), "header-range"),
        (json!({"epk": epk(json!({"x": 7}))}), "header-type"),
        (json!({"epk": epk(json!({"y": BASE64URL_NOPAD.encode(&[1; 32])}))}), "header-range"),
        (
            json!({"epk": epk(json!({"x": BASE64URL_NOPAD.encode(&[0; 32]), "y": BASE64URL_NOPAD.encode(&[0; 32])}))}),
            "header-range",
        ),
        // A good point, and not the one that was agreed with.
        (json!({"epk": epk(json!({}))}), "decryption"),
    ] {
        let jwe = sealer.parts(&with(&sealer, changes.clone()), CONTENT).text();
        assert_eq!(code(&jwe, &keys), expected, "{changes}");
    }
}

/// What belongs to an agreement has no business where nothing is agreed on.
#[test]
fn an_agreement_belongs_to_algorithms_that_agree() {
    for alg in ["RSA-OAEP-256", "A256KW", "dir"] {
        let sealer = Sealer::generate(alg, "", "A256GCM");
        for changes in
            [json!({"epk": default().public_jwk()}), json!({"apu": "QWxpY2U"}), json!({"apv": "Qm9i"})]
        {
            let jwe = sealer.parts(&with(&sealer, changes.clone()), CONTENT).text();
            assert_eq!(code(&jwe, &keys(&sealer)), "header-member", "{alg}: {changes}");
        }
    }
    let sealer = default();
    let mut parts = sealer.parts(&sealer.header("A256GCM"), CONTENT);
    let mut header: Map<String, Value> = serde_json::from_str(&parts.header).unwrap();
    header.remove("epk");
    parts.header = serde_json::to_string(&header).unwrap();
    assert_eq!(code(&parts.text(), &keys(&sealer)), "header-missing");
}

/// JW-08 for encrypted tokens: one meaning or none.
#[test]
fn a_header_is_strict_json() {
    let sealer = default();
    let keys = keys(&sealer);
    let good = sealer.parts(&sealer.header("A256GCM"), CONTENT);
    for (header, expected) in [
        (good.header.replacen('{', r#"{"enc":"A256GCM","#, 1), "header-json-duplicate"),
        (good.header.replacen('{', r#"{"\u0065nc":"A256GCM","#, 1), "header-json-duplicate"),
        (good.header.replace(r#""kty":"#, r#""kty":"EC","kty":"#), "header-json-duplicate"),
        (format!("\u{feff}{}", good.header), "header-json"),
        (format!("{} x", good.header), "header-json"),
        ("[]".to_owned(), "header-json"),
        (
            good.header.replacen('{', &format!("{{\"x\":{}1{},", "[".repeat(9), "]".repeat(9)), 1),
            "header-json-depth",
        ),
        (good.header.replacen('{', &format!("{{\"x\":\"{}\",", "x".repeat(2048)), 1), "header-too-large"),
        (good.header.replacen("\"alg\"", "\"alh\"", 1), "header-missing"),
        (good.header.replacen("\"enc\"", "\"end\"", 1), "header-missing"),
        (good.header.replacen("\"A256GCM\"", "[\"A256GCM\"]", 1), "header-type"),
    ] {
        let jwe = Parts { header: header.clone(), ..good.clone() }.text();
        assert_eq!(code(&jwe, &keys), expected, "{header:.120}");
    }
}

#[test]
fn a_header_is_shown_as_it_is() {
    let sealed = default().seal("x", "A256GCM");
    assert_eq!(header(&sealed).unwrap()["enc"], "A256GCM");
    assert_eq!(header("a.b.c"), Err(Reject::NotEncrypted));
}
