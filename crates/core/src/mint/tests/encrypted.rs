//! JWTs that their audience alone can read.

use vestibule_verify::jwe::{ContentEncryption, DecryptionKey, DecryptionKeys};

use super::*;
use crate::encrypt::{DEFAULT_ENCRYPTION, EncryptionKey};

/// Bob's, of RFC 8037 appendix A.6.
const PRIVATE: &str = r#"{"kty":"OKP","crv":"X25519","alg":"ECDH-ES","kid":"bob","x":"3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08","d":"XasIfmJKikt54X-Lg4AO5m87sSkmGLb9HC-LJ_-I4Os"}"#;

fn encrypted(fixture: &Fixture, with: ContentEncryption) {
    let private = DecryptionKey::from_jwk_text(PRIVATE).unwrap();
    let key = EncryptionKey::from_jwk_text(&private.recipient().unwrap().to_jwk().to_string(), with).unwrap();
    let traits = ["department", "city", "level", "none"].map(|name| (name, format!("account.traits.{name}")));
    let claims = traits.iter().map(|(name, source)| (*name, source.as_str()));
    let orders = Audience::new("orders", Duration::from_secs(100), claims).unwrap().encrypted_to(key);
    let plain = Audience::new("plain", Duration::from_secs(100), []).unwrap();
    fixture.minter.replace_audiences(AudienceTable::new(vec![orders, plain]));
}

fn verifier(fixture: &Fixture) -> Verifier {
    let keys = fixture.minter.ring().published(START).unwrap();
    Verifier::new(ISSUER, "orders", keys).nested(DecryptionKeys::from_text(PRIVATE).unwrap())
}

/// TK-03: signed and then encrypted, for this audience and for no other.
#[test]
fn an_audience_with_a_key_gets_what_it_alone_can_read() {
    let fixture = fixture();
    encrypted(&fixture, DEFAULT_ENCRYPTION);
    let token = fixture.jwt();
    let claims = verifier(&fixture).verify_at(token.jwt(), START.unix_seconds()).unwrap();
    assert_eq!((claims.aud(), claims.get("department")), ("orders", Some(&json!("R&D"))));
    let plain = fixture.swap("/plain").unwrap().unwrap();
    fixture.verified("plain", &plain);
    let code = |jwt: &str| verifier(&fixture).verify_at(jwt, START.unix_seconds()).unwrap_err().code();
    assert_eq!(code(plain.jwt()), "not-encrypted");
    assert_eq!(
        token.copy_of("department", HeaderEncoding::Drop).unwrap(),
        "R&D",
        "copies in headers are as they were"
    );
}

/// Encrypted once, with the signature, and kept with the session.
#[test]
fn the_warm_path_does_not_encrypt() {
    let fixture = fixture();
    encrypted(&fixture, DEFAULT_ENCRYPTION);
    let first = fixture.jwt();
    for _ in 0..1000 {
        assert!(Arc::ptr_eq(&first, &fixture.jwt()));
    }
    assert_eq!(fixture.signed(), 1);
}

/// The budget is about what the service's server takes: the encrypted form.
#[test]
fn what_is_encrypted_fits_as_well() {
    for with in ContentEncryption::ALL {
        let mut fixture = fixture();
        let budget = 2048;
        fixture.minter.budget.largest = budget;
        encrypted(&fixture, with);
        let mut longest = 0;
        for length in (0..900).step_by(7) {
            fixture.set_traits(
                &json!({ "department": "x".repeat(length), "city": "y".repeat(200) }).to_string(),
            );
            let token = fixture.jwt();
            assert!(token.jwt().len() <= budget, "{with}: {length}");
            longest = longest.max(token.jwt().len());
            verifier(&fixture).verify_at(token.jwt(), START.unix_seconds()).unwrap();
        }
        assert!(longest > budget - 40, "{with}: nothing was dropped in vain ({longest})");
    }
}
