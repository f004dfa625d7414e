//! One round of fuzzing the verifier: for libFuzzer, and for the bounded run on stable.
//! In: any bytes. Out: nothing; what must never happen is an assertion.

use std::sync::LazyLock;

use aws_lc_rs::hmac;
use data_encoding::BASE64URL_NOPAD;
use vestibule_verify::{
    Claims, KeyId, KeySet, Verifier, VerifyingKey, inspect,
    strict_json::{Limits, parse},
};

const NOW: u64 = 1_800_000_000;
const SECRET: &[u8; 32] = b"\x07\x4c\x91\xd6\x1b\x60\xa5\xea\x2f\x74\xb9\xfe\x43\x88\xcd\x12\x57\x9c\xe1\x26\x6b\xb0\xf5\x3a\x7f\xc4\x09\x4e\x93\xd8\x1d\x62";

/// Trusts a key whose secret is known here, so that fuzzed claims get past the signature.
static VERIFIER: LazyLock<Verifier> = LazyLock::new(|| {
    let key = VerifyingKey::hs256_where_issuer_is_verifier(KeyId::parse("fuzz").unwrap(), SECRET).unwrap();
    // Without a memory every round does the whole work.
    Verifier::new("i", "a", KeySet::new([key]).unwrap()).with_cache_capacity(0)
});

/// Nothing panics; nothing unsigned is accepted; what is accepted says what the policy asks for.
pub(crate) fn run(bytes: &[u8]) {
    if let Ok(value) = parse(bytes, Limits::JOSE) {
        let again = parse(value.to_string().as_bytes(), Limits { bytes: usize::MAX, ..Limits::JOSE });
        // Floats are the one thing that may change in a text and back.
        assert!(again.is_ok(), "what was taken must be taken again");
        assert_eq!(serde_json::from_slice::<serde_json::Value>(bytes).ok(), Some(value));
    }
    let _ = Claims::parse(bytes);
    if let Ok(text) = std::str::from_utf8(bytes) {
        assert!(VERIFIER.verify_at(text, NOW).is_err(), "accepted without the secret: {text}");
        let _ = inspect(text, NOW);
        if let Ok(keys) = KeySet::from_jwks(text) {
            assert!(keys.iter().all(|key| !key.algorithm().is_symmetric()));
            assert_eq!(KeySet::from_jwks(&keys.to_jwks().to_string()).unwrap().len(), keys.len());
        }
        let _ = VerifyingKey::from_jwk_text(text);
    }
    signed(bytes);
}

/// The bytes as the claims of a token that is signed, and, split at a NUL, as header and claims of one.
fn signed(bytes: &[u8]) {
    const HEADER: &[u8] = br#"{"alg":"HS256","kid":"fuzz","typ":"at+jwt"}"#;
    let mut halves = bytes.splitn(2, |byte| *byte == 0);
    let header = halves.next().unwrap_or_default();
    for (header, payload) in [(HEADER, bytes), (header, halves.next().unwrap_or(b"{}"))] {
        let input = format!("{}.{}", BASE64URL_NOPAD.encode(header), BASE64URL_NOPAD.encode(payload));
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SECRET), input.as_bytes());
        let jwt = format!("{input}.{}", BASE64URL_NOPAD.encode(tag.as_ref()));
        let _ = inspect(&jwt, NOW);
        if let Ok(claims) = VERIFIER.verify_at(&jwt, NOW) {
            assert_eq!((claims.iss(), claims.aud()), ("i", "a"));
            assert!(!claims.sub().is_empty() && claims.exp() + 30 > NOW);
        }
    }
}
