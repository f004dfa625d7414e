//! The two promises about speed, measured. Not part of the usual run: figures need a release build and a quiet machine.
//! `cargo test --release -p vestibule-verify --test speed -- --ignored --nocapture`

mod common;

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256,
};
use common::{ALGORITHMS, NOW, forge, verifier};
use data_encoding::BASE64URL_NOPAD;

const ROUNDS: usize = 60;
const TOKENS: usize = 128;

#[test]
#[ignore = "measures; needs --release"]
fn a_first_sight_costs_little_more_than_the_signature_and_a_second_next_to_nothing() {
    let mut slow = Vec::new();
    for algorithm in ALGORITHMS {
        let forge = forge(algorithm);
        let tokens: Vec<String> = (0..TOKENS)
            .map(|at| {
                let mut claims = forge.claims.clone();
                claims.insert("jti".to_owned(), format!("token-{at:06}").into());
                forge.sign(&forge.header(), &claims)
            })
            .collect();
        let signed: Vec<(&str, Vec<u8>)> = tokens
            .iter()
            .map(|token| {
                let (input, signature) = token.rsplit_once('.').unwrap();
                (input, BASE64URL_NOPAD.decode(signature.as_bytes()).unwrap())
            })
            .collect();
        let der = forge.signer.public_der();
        let key = match algorithm {
            "EdDSA" => ParsedPublicKey::new(&ED25519, der),
            "ES256" => ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, der),
            "PS256" => ParsedPublicKey::new(&RSA_PSS_2048_8192_SHA256, der),
            _ => ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, der),
        }
        .unwrap();

        // Interleaved, best of many: what is measured is the code, not its neighbours.
        let (mut raw, mut first, mut again) = (Duration::MAX, Duration::MAX, Duration::MAX);
        for _ in 0..ROUNDS {
            raw = raw.min(per_item(&signed, |(input, signature)| {
                key.verify_sig(input.as_bytes(), signature).unwrap();
            }));
            let verifier = verifier(&[&forge]);
            let verify = |token: &String| drop(black_box(verifier.verify_at(token, NOW).unwrap()));
            first = first.min(per_item(&tokens, verify));
            again = again.min(per_item(&tokens, verify));
        }
        let ratio = first.as_secs_f64() / raw.as_secs_f64();
        println!(
            "{algorithm:6} token {} B: signature alone {raw:?}, first sight {first:?} = {ratio:.3} of it, again {again:?}",
            tokens[0].len()
        );
        // What is ours costs the same under every algorithm; an RSA signature is so cheap to check that it shows.
        let most = if algorithm.ends_with("S256") && algorithm != "ES256" { 1.40 } else { 1.15 };
        if again > Duration::from_micros(3) || ratio > most {
            slow.push(algorithm);
        }
    }
    assert!(slow.is_empty(), "too slow: {slow:?}");
}

fn per_item<T>(items: &[T], work: impl Fn(&T)) -> Duration {
    let start = Instant::now();
    items.iter().for_each(work);
    start.elapsed() / items.len() as u32
}
