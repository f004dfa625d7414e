//! Every token of the forge, under every algorithm: refused, with the code that names the reason.

mod common;

use std::collections::HashSet;

use common::{ALGORITHMS, NOW, forge, verifier};

/// JW-01 to JW-10, JW-13, JW-15: each refusal happens for its own reason, with an empty and with a warm cache.
#[test]
fn every_hostile_token_is_refused_for_its_own_reason() {
    for algorithm in ALGORITHMS {
        let forge = forge(algorithm);
        let verifier = verifier(&[&forge]);
        let tokens = forge.all();
        assert!(tokens.len() >= 320, "{algorithm}: only {} tokens", tokens.len());
        for round in ["cold", "warm"] {
            assert!(verifier.verify_at(&forge.control(), NOW).is_ok(), "{algorithm}: the control, {round}");
            for token in &tokens {
                let code = verifier.verify_at(&token.jwt, NOW).map_err(|reject| reject.code()).map(drop);
                assert_eq!(code, Err(token.code), "{algorithm}, {round}: {}", token.name);
            }
        }
    }
}

/// Two tokens of one name would hide each other in a report; two equal texts would count one refusal twice.
#[test]
fn every_hostile_token_has_its_own_name_and_text() {
    for algorithm in ALGORITHMS {
        let tokens = forge(algorithm).all();
        let (mut names, mut texts) = (HashSet::new(), HashSet::new());
        for token in &tokens {
            assert!(names.insert(token.name.as_str()), "{algorithm}: the name {:?} twice", token.name);
            assert!(texts.insert(token.jwt.as_str()), "{algorithm}: the text of {:?} twice", token.name);
        }
    }
}

/// Without these the test above could pass by refusing everything.
#[test]
fn harmless_variations_are_accepted() {
    for algorithm in ALGORITHMS {
        let forge = forge(algorithm);
        let verifier = verifier(&[&forge]);
        let accepted =
            |name: &str, header: &[(&str, serde_json::Value)], claims: &[(&str, serde_json::Value)]| {
                let (mut all_header, mut all_claims) = (forge.header(), forge.claims.clone());
                all_header.extend(header.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
                all_claims.extend(claims.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
                let verdict = verifier.verify_at(&forge.sign(&all_header, &all_claims), NOW);
                assert!(verdict.is_ok(), "{algorithm}, {name}: {verdict:?}");
            };
        accepted("typ in another case", &[("typ", "AT+JWT".into())], &[]);
        accepted("typ in full", &[("typ", "application/at+jwt".into())], &[]);
        accepted("typ in full, in another case", &[("typ", "Application/At+Jwt".into())], &[]);
        accepted("an unknown header member", &[("x-unknown", 1.into())], &[]);
        accepted("a content type", &[("cty", "json".into())], &[]);
        accepted("aud as a list of one", &[], &[("aud", vec![common::AUDIENCE].into())]);
        accepted(
            "a claim seven levels deep",
            &[],
            &[("x", serde_json::from_str("[[[[[[[1]]]]]]]").unwrap())],
        );
        accepted("not before now", &[], &[("nbf", NOW.into())]);
    }
}

/// A key that has been taken out of the set verifies nothing, its remembered tokens included.
#[test]
fn a_retired_key_verifies_nothing() {
    let (old, new) = (forge("ES256"), forge("ES256"));
    let verifier = verifier(&[&old, &new]);
    let token = old.control();
    assert!(verifier.verify_at(&token, NOW).is_ok());
    let keys = common::jwks(&[&new]).to_string();
    verifier.replace_keys(vestibule_verify::KeySet::from_jwks(&keys).unwrap());
    assert_eq!(verifier.verify_at(&token, NOW).unwrap_err().code(), "key-unknown");
    assert!(verifier.verify_at(&new.control(), NOW).is_ok());
}
