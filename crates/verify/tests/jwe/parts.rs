//! The compact form: one spelling, exact lengths, and one answer for all that cannot be decrypted.

use serde_json::json;

use crate::{
    CONTENT, code,
    common::forge::sealer::{ENCRYPTIONS, Parts, Sealer, encrypt, key_length},
    default, every, keys,
};

/// One of the parts.
type Part = fn(&mut Parts) -> &mut Vec<u8>;

/// The compact form has one spelling, and each part one length.
#[test]
fn parts_are_exact() {
    every(|sealer, enc| {
        let keys = keys(sealer);
        let good = sealer.parts(&sealer.header(enc), CONTENT);
        assert_eq!(code(&good.text(), &keys), "accepted");
        let lengths: [(&str, Part); 3] = [
            ("the encrypted key", |parts| &mut parts.encrypted_key),
            ("the IV", |parts| &mut parts.iv),
            ("the tag", |parts| &mut parts.tag),
        ];
        for (name, part) in lengths {
            let length = part(&mut good.clone()).len();
            for other in (0..=length + 40).filter(|other| *other != length) {
                let mut parts = good.clone();
                part(&mut parts).resize(other, 0);
                assert_eq!(code(&parts.text(), &keys), "length", "{enc}: {name} of {other} bytes");
            }
        }
        if enc == "A256CBC-HS512" {
            for other in [0, 1, 15, 17] {
                let mut parts = good.clone();
                parts.ciphertext.resize(other, 0);
                assert_eq!(code(&parts.text(), &keys), "length", "a ciphertext of {other} bytes");
            }
        }
    });
}

#[test]
fn the_compact_form_has_one_spelling() {
    let sealer = default();
    let keys = keys(&sealer);
    let good = sealer.seal("x", "A256GCM");
    assert_eq!(code(&good, &keys), "accepted");
    for (text, expected) in [
        (String::new(), "segments"),
        ("....".to_owned(), "header-json"),
        (format!("{good}."), "segments"),
        (format!(".{good}"), "segments"),
        (good.rsplit_once('.').unwrap().0.to_owned(), "segments"),
        ("a.b.c".to_owned(), "not-encrypted"),
        (format!("{good} "), "encoding"),
        (format!("{good}="), "encoding"),
        (format!("{good}\n"), "encoding"),
        (good.replacen('.', "=.", 1), "encoding"),
        (format!("{good}{}", "A".repeat(16 * 1024)), "too-large"),
        (json!({"protected": good}).to_string(), "encoding"),
    ] {
        assert_eq!(code(&text, &keys), expected, "{text:.60}");
    }
    // The tag's last character carries four bits that mean nothing: one of 16 texts is the right one.
    let (head, last) = good.split_at(good.len() - 1);
    let twins = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".chars();
    let accepted = twins.filter(|twin| code(&format!("{head}{twin}"), &keys) == "accepted");
    assert_eq!(accepted.collect::<String>(), last);
}

/// RFC 7516 section 11.5: whatever is wrong with what is encrypted, the answer is one.
#[test]
fn one_bit_anywhere_and_nothing_is_decrypted() {
    every(|sealer, enc| {
        let keys = keys(sealer);
        let good = sealer.parts(&sealer.header(enc), CONTENT);
        let parts: [Part; 4] = [
            |parts| &mut parts.encrypted_key,
            |parts| &mut parts.iv,
            |parts| &mut parts.ciphertext,
            |parts| &mut parts.tag,
        ];
        for part in parts {
            // Of an RSA key every eighth byte, for they are slow.
            for at in (0..part(&mut good.clone()).len()).step_by(if sealer.private_jwk()["kty"] == "RSA" {
                8
            } else {
                1
            }) {
                let mut altered = good.clone();
                part(&mut altered)[at] ^= 1 << (at % 8);
                assert_eq!(code(&altered.text(), &keys), "decryption", "{enc}, byte {at}");
            }
        }
        // The header is covered by the tag: even where nothing else depends on it.
        let spaced = Parts { header: good.header.replacen('{', "{ ", 1), ..good.clone() };
        assert_eq!(code(&spaced.text(), &keys), "decryption");
    });
}

/// A token under a key that an attacker knows, behind an encrypted key that cannot be unwrapped, is not a token.
#[test]
fn what_stands_in_for_a_content_key_cannot_be_known() {
    for (alg, crv) in [("RSA-OAEP-256", ""), ("A256KW", ""), ("ECDH-ES+A256KW", "X25519")] {
        let sealer = Sealer::generate(alg, crv, "A256GCM");
        for enc in ENCRYPTIONS {
            let good = sealer.parts(&sealer.header(enc), CONTENT);
            let nonsense = vec![0x55; good.encrypted_key.len()];
            let under_zeros = encrypt(enc, &vec![0; key_length(enc)], good.header, nonsense, CONTENT).text();
            assert_eq!(code(&under_zeros, &keys(&sealer)), "decryption", "{alg} {enc}");
        }
    }
}
