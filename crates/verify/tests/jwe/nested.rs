//! Signed inside, encrypted outside: both or nothing.

use data_encoding::BASE64URL_NOPAD;
use serde_json::json;
use vestibule_verify::Verifier;

use crate::{
    common::forge::sealer::Sealer,
    common::{self, Forge, NOW, forge, verifier},
    default, every, keys, with,
};

struct Nest {
    forge: Forge,
    sealer: Sealer,
    verifier: Verifier,
}

fn nest() -> Nest {
    let (forge, sealer) = (forge("ES256"), default());
    let verifier = verifier(&[&forge]).nested(keys(&sealer));
    Nest { forge, sealer, verifier }
}

/// JW-07: both layers are verified, each by keys that the caller chose, with an empty and with a warm cache.
#[test]
fn a_nested_token_is_signed_and_encrypted() {
    let Nest { forge, sealer, verifier } = nest();
    let control = forge.control();
    let seal = |jwt: &str| sealer.seal(jwt, "A256GCM");
    let good = seal(&control);
    let stranger = Forge { key_id: forge.key_id.clone(), ..common::forge("ES256") };
    let claims = serde_json::to_string(&forge.claims).unwrap();
    let other = default();
    let of_kind = |typ: &str| sealer.parts(&with(&sealer, json!({ "typ": typ })), control.as_bytes()).text();
    for round in ["cold", "warm"] {
        assert_eq!(verifier.verify_at(&good, NOW).unwrap().sub(), forge.claims["sub"], "{round}");
        for (name, token, expected) in [
            ("a signed token that is not encrypted", control.clone(), "not-encrypted"),
            ("encrypted claims that nobody signed", seal(&claims), "segments"),
            (
                "encrypted claims, unsigned",
                seal(&format!("eyJhbGciOiJub25lIn0.{}.", BASE64URL_NOPAD.encode(claims.as_bytes()))),
                "alg-unsupported",
            ),
            ("encrypted and signed by a stranger", seal(&stranger.control()), "signature"),
            ("encrypted twice", seal(&good), "encrypted"),
            ("nothing inside", seal(""), "segments"),
            ("no text inside", sealer.parts(&sealer.header("A256GCM"), &[0xff; 40]).text(), "encoding"),
            ("encrypted to another key of this name", other.seal(&control, "A256GCM"), "decryption"),
            ("of another kind outside", of_kind("other+jwt"), "header-mismatch"),
            (
                "without a content type",
                sealer.parts(&with(&sealer, json!({"cty": null})), control.as_bytes()).text(),
                "header-missing",
            ),
        ] {
            let verdict = verifier.verify_at(&token, NOW).map_err(|reject| reject.code()).map(drop);
            assert_eq!(verdict, Err(expected), "{round}: {name}");
        }
        for typ in ["at+jwt", "application/at+jwt", "JWT", "jwt"] {
            assert!(verifier.verify_at(&of_kind(typ), NOW).is_ok(), "{round}: {typ}");
        }
        assert_eq!(verifier.verify_at(&good, NOW + 3_600).unwrap_err().code(), "expired", "{round}");
    }
}

/// Every hostile token of the forge, encrypted properly, is refused for the same reason as when it is shown bare.
#[test]
fn encryption_makes_no_hostile_token_good() {
    let Nest { forge, sealer, verifier } = nest();
    let tokens = forge.all();
    assert!(tokens.len() >= 320);
    for token in &tokens {
        let expected = if token.jwt.len() > 11_000 { "too-large" } else { token.code };
        let sealed = sealer.seal(&token.jwt, "A256GCM");
        let code = verifier.verify_at(&sealed, NOW).map_err(|reject| reject.code()).map(drop);
        assert_eq!(code, Err(expected), "{}", token.name);
        let code = verifier.verify_at(&token.jwt, NOW).map_err(|reject| reject.code()).map(drop);
        assert!(code.is_err(), "{}", token.name);
    }
}

/// What was verified before nesting was demanded is not remembered when it is.
#[test]
fn a_demand_is_not_outlived_by_what_was_remembered() {
    let (forge, sealer) = (forge("ES256"), default());
    let verifier = verifier(&[&forge]);
    let (bare, sealed) = (forge.control(), sealer.seal(&forge.control(), "A256GCM"));
    assert!(verifier.verify_at(&bare, NOW).is_ok());
    assert_eq!(verifier.verify_at(&sealed, NOW).unwrap_err().code(), "encrypted");
    let verifier = verifier.nested(keys(&sealer));
    assert_eq!(verifier.verify_at(&bare, NOW).unwrap_err().code(), "not-encrypted");
    assert!(verifier.verify_at(&sealed, NOW).is_ok());
    let verifier = verifier.nested(keys(&default()));
    assert_eq!(verifier.verify_at(&sealed, NOW).unwrap_err().code(), "decryption");
}

/// The largest signed token fits into the largest encrypted one, by whichever algorithm.
#[test]
fn the_largest_token_can_be_nested() {
    let forge = forge("ES256");
    let padded = |length: usize| {
        let mut claims = forge.claims.clone();
        claims.insert("padding".to_owned(), json!("x".repeat(length)));
        forge.sign(&forge.header(), &claims)
    };
    let room = (8 * 1024 - padded(0).len()) * 3 / 4 - 2;
    let largest = padded(room);
    assert!((8 * 1024 - 8..=8 * 1024).contains(&largest.len()), "{}", largest.len());
    every(|sealer, enc| {
        let verifier = verifier(&[&forge]).nested(keys(sealer));
        assert!(verifier.verify_at(&sealer.seal(&largest, enc), NOW).is_ok(), "{enc}");
    });
}
