//! JW-16 for encrypted tokens: we against npm `jose` and joserfc, both ways, by every algorithm on every curve with every encryption; and
//! nothing is taken by us that both of them refuse.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failure here is a failed test"
)]

#[expect(dead_code, reason = "here nobody judges signatures")]
#[path = "../../verify/tests/common/oracle.rs"]
mod oracle;
#[expect(dead_code, reason = "nothing is encrypted to keys of others here")]
#[path = "../../../tests/forge/sealer.rs"]
mod sealer;

use data_encoding::BASE64URL_NOPAD;
use oracle::Oracles;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use sealer::{ENCRYPTIONS, MANAGEMENTS, Parts, Sealer};
use serde_json::{Map, Value, json};
use vestibule_core::Fault;
use vestibule_core::encrypt::EncryptionKey;
use vestibule_core::port::Entropy;
use vestibule_verify::jwe::{ContentEncryption, DecryptionKeys, Policy, decrypt};

const CONTENT: &str = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJBZGEsIFrDvHJpY2gifQ.c2lnbmF0dXJl";

fn base64(bytes: impl AsRef<[u8]>) -> String {
    BASE64URL_NOPAD.encode(bytes.as_ref())
}

/// Never the same bytes twice.
struct Counted(std::sync::atomic::AtomicU8);

impl Entropy for Counted {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), Fault> {
        for byte in buffer {
            *byte = self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        }
        Ok(())
    }
}

/// Every algorithm on every curve with every encryption.
fn every(mut test: impl FnMut(&Sealer, &str)) {
    for (alg, crv) in MANAGEMENTS {
        let sealer = Sealer::generate(alg, crv, "A256GCM");
        for enc in ENCRYPTIONS {
            if alg == "dir" {
                test(&Sealer::generate(alg, crv, enc), enc);
            } else {
                test(&sealer, enc);
            }
        }
    }
}

/// What a sender has.
fn to_encrypt_with(sealer: &Sealer) -> Value {
    let jwk = sealer.private_jwk();
    if jwk["kty"] == "oct" { jwk } else { sealer.public_jwk() }
}

fn they_decrypt(oracles: &mut Oracles, sealer: &Sealer, enc: &str, jwe: &str) -> Map<String, Value> {
    let jwk = sealer.private_jwk();
    oracles.ask(&json!({ "do": "decrypt", "jwk": jwk, "alg": jwk["alg"], "enc": enc, "jwe": jwe }))
}

#[test]
fn what_others_encrypt_we_decrypt() {
    let (mut oracles, mut count) = (Oracles::of_encryption(), 0);
    every(|sealer, enc| {
        let keys = DecryptionKeys::from_text(&sealer.private_jwk().to_string()).unwrap();
        let jwk = to_encrypt_with(sealer);
        for content in [CONTENT, "x", &"7".repeat(5000)] {
            let header = sealer.header(enc);
            let answers =
                oracles.ask(&json!({ "do": "encrypt", "jwk": jwk, "header": header, "content": content }));
            for (library, answer) in answers {
                let jwe = answer["jwe"].as_str().unwrap_or_else(|| panic!("{library}, {enc}: {answer}"));
                let opened = decrypt(jwe, &keys, &Policy::NESTED);
                assert_eq!(opened.as_deref(), Ok(content.as_bytes()), "{library}: {jwe}");
                count += 1;
            }
        }
    });
    assert_eq!(count, 33 * 3 * 2);
}

#[test]
fn what_we_encrypt_others_decrypt() {
    let (mut oracles, mut count) = (Oracles::of_encryption(), 0);
    let entropy = Counted(std::sync::atomic::AtomicU8::new(7));
    every(|sealer, enc| {
        if sealer.private_jwk()["kty"] == "oct" {
            return;
        }
        let encryption = ContentEncryption::parse(enc).unwrap();
        let key = EncryptionKey::from_jwk_text(&sealer.public_jwk().to_string(), encryption).unwrap();
        for content in [CONTENT, "x", &"7".repeat(5000)] {
            let jwe = key.encrypt(content, &entropy).unwrap();
            for (library, answer) in they_decrypt(&mut oracles, sealer, enc, &jwe) {
                assert_eq!(answer["content"], content, "{library}: {answer} {jwe}");
                count += 1;
            }
        }
    });
    assert_eq!(count, 27 * 3 * 2);
}

/// The forge of the tests encrypts as everybody does: what it says of hostile tokens is about them, and not about itself.
#[test]
fn what_the_forge_encrypts_others_decrypt() {
    let mut oracles = Oracles::of_encryption();
    every(|sealer, enc| {
        for (library, answer) in they_decrypt(&mut oracles, sealer, enc, &sealer.seal(CONTENT, enc)) {
            assert_eq!(answer["content"], CONTENT, "{library}: {answer}");
        }
    });
}

/// Good tokens with a header that is nearly right, and good tokens altered anywhere.
#[test]
fn no_altered_token_is_decrypted_by_us_alone() {
    let mut oracles = Oracles::of_encryption();
    // One seed, one list of tokens: a failure can be looked at again.
    let mut runner =
        TestRunner::new_with_rng(Config::default(), TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]));
    let (mut accepted, mut refused) = (0, 0);
    every(|sealer, enc| {
        let keys = DecryptionKeys::from_text(&sealer.private_jwk().to_string()).unwrap();
        for case in 0..24 {
            let jwe = altered(sealer, enc, case % 3, &mut runner);
            let ours = decrypt(&jwe, &keys, &Policy::ANY);
            let theirs = they_decrypt(&mut oracles, sealer, enc, &jwe);
            let they_refuse = theirs.values().all(|answer| answer["content"].is_null());
            assert!(ours.is_err() || !they_refuse, "only we decrypt: {theirs:?}\n{jwe}");
            if let Ok(content) = &ours {
                let said = theirs.values().filter_map(|answer| answer["content"].as_str());
                assert!(said.into_iter().all(|theirs| theirs.as_bytes() == content), "{theirs:?}\n{jwe}");
                accepted += 1;
            } else {
                refused += 1;
            }
        }
    });
    // A comparison in which one side always says no compares nothing.
    assert!(accepted >= 60 && refused >= 300, "{accepted} accepted, {refused} refused");
}

/// By kind: another header that is encrypted under, another part, another character.
fn altered(sealer: &Sealer, enc: &str, kind: usize, runner: &mut TestRunner) -> String {
    let names = ["alg", "enc", "kid", "typ", "cty", "apu", "apv", "crit", "zip", "x"];
    let values = [
        json!(null),
        json!(true),
        json!(""),
        json!("JWT"),
        json!("application/jwt"),
        json!("QWxpY2U"),
        json!("QWxpY2U="),
        json!(["x"]),
        json!({}),
        json!("at+jwt"),
    ];
    let mut draw = |of: usize| (0..of).new_tree(runner).unwrap().current();
    match kind {
        0 => {
            let mut header = sealer.header(enc);
            let (name, value) = (names[draw(names.len())], values[draw(values.len())].clone());
            if name != "enc" && name != "alg" {
                header.insert(name.to_owned(), value);
            }
            sealer.parts(&header, CONTENT.as_bytes()).text()
        }
        1 => {
            let mut parts = sealer.parts(&sealer.header(enc), CONTENT.as_bytes());
            let Parts { encrypted_key, iv, ciphertext, tag, .. } = &mut parts;
            let part = [encrypted_key, iv, ciphertext, tag].into_iter().nth(draw(4)).unwrap();
            match draw(3) {
                0 => part.push(0),
                1 => drop(part.pop()),
                _ if part.is_empty() => part.push(1),
                _ => {
                    let at = draw(part.len());
                    part[at] ^= 1 << draw(8);
                }
            }
            parts.text()
        }
        _ => {
            let mut jwe = sealer.seal(CONTENT, enc);
            let at = draw(jwe.len());
            let by = b"A_-.= \n\x7f"[draw(8)];
            jwe.replace_range(at..=at, &char::from(by).to_string());
            jwe
        }
    }
}
