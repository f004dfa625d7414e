//! One round of fuzzing decryption: for libFuzzer, and for the bounded run on stable.
//! In: any bytes. Out: nothing; what must never happen is an assertion.

use std::sync::LazyLock;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use data_encoding::BASE64URL_NOPAD;
use vestibule_verify::{
    KeySet, Verifier,
    jwe::{DecryptionKey, DecryptionKeys, Policy, RecipientKey, decrypt, header},
};

const NOW: u64 = 1_800_000_000;
const CONTENT_KEY: &[u8; 32] = b"\x07\x4c\x91\xd6\x1b\x60\xa5\xea\x2f\x74\xb9\xfe\x43\x88\xcd\x12\x57\x9c\xe1\x26\x6b\xb0\xf5\x3a\x7f\xc4\x09\x4e\x93\xd8\x1d\x62";

/// A shared key that is known here, so that fuzzed content gets past the tag; and one to agree with (RFC 8037 appendix A.6).
static KEYS: LazyLock<DecryptionKeys> = LazyLock::new(|| {
    let shared = BASE64URL_NOPAD.encode(CONTENT_KEY);
    let shared = format!(r#"{{"kty":"oct","alg":"dir","kid":"shared","k":"{shared}"}}"#);
    let agreed = r#"{"kty":"OKP","crv":"X25519","alg":"ECDH-ES","kid":"agreed","x":"3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08","d":"XasIfmJKikt54X-Lg4AO5m87sSkmGLb9HC-LJ_-I4Os"}"#;
    let keys = [&*shared, agreed].map(|jwk| DecryptionKey::from_jwk_text(jwk).unwrap());
    DecryptionKeys::new(keys).unwrap()
});

/// Believes nobody's signature, so no token may get through it.
static VERIFIER: LazyLock<Verifier> =
    LazyLock::new(|| Verifier::new("i", "a", KeySet::default()).nested(KEYS.clone()).with_cache_capacity(0));

/// Nothing panics; nothing is decrypted that nobody encrypted; what is decrypted is what was encrypted.
pub(crate) fn run(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = header(text);
        assert!(decrypt(text, &KEYS, &Policy::ANY).is_err(), "decrypted what nobody encrypted: {text}");
        assert!(VERIFIER.verify_at(text, NOW).is_err());
        if let Ok(key) = RecipientKey::from_jwk_text(text) {
            let again = RecipientKey::from_jwk_text(&key.to_jwk().to_string()).unwrap();
            assert_eq!(again.to_jwk(), key.to_jwk());
        }
        if let Ok(key) = DecryptionKey::from_jwk_text(text) {
            assert_eq!(key.management().is_symmetric(), key.recipient().is_none());
        }
    }
    encrypted(bytes);
}

/// The bytes as the content of a token that is encrypted, and, split at a NUL, as header and content of one.
fn encrypted(bytes: &[u8]) {
    const HEADER: &[u8] = br#"{"alg":"dir","enc":"A256GCM","kid":"shared","cty":"JWT"}"#;
    let mut halves = bytes.splitn(2, |byte| *byte == 0);
    let given = halves.next().unwrap_or_default();
    for (header, content) in [(HEADER, bytes), (given, halves.next().unwrap_or(b"{}"))] {
        let header = BASE64URL_NOPAD.encode(header);
        let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, CONTENT_KEY).unwrap());
        let nonce = Nonce::assume_unique_for_key([7; 12]);
        let mut ciphertext = content.to_vec();
        let tag =
            key.seal_in_place_separate_tag(nonce, Aad::from(header.as_bytes()), &mut ciphertext).unwrap();
        let text = |bytes: &[u8]| BASE64URL_NOPAD.encode(bytes);
        let jwe = format!("{header}..{}.{}.{}", text(&[7; 12]), text(&ciphertext), text(tag.as_ref()));
        assert!(VERIFIER.verify_at(&jwe, NOW).is_err(), "verified what nobody signed: {jwe}");
        match decrypt(&jwe, &KEYS, &Policy::ANY) {
            Ok(opened) => assert_eq!(opened, content),
            Err(_) => assert!(header != BASE64URL_NOPAD.encode(HEADER) || jwe.len() > 16 * 1024),
        }
    }
}
