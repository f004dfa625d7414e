//! The fuzz target's body on stable: bounded and seeded, so that it runs everywhere and fails the same way twice.

#![expect(clippy::indexing_slicing, reason = "a failure here is a failed test")]

#[expect(clippy::unwrap_used, reason = "a failure here is a failed test")]
#[path = "../../../fuzz/fuzz_targets/bodies/jws.rs"]
mod body;

use proptest::prelude::Rng;
use proptest::test_runner::{RngAlgorithm, TestRng};

const ROUNDS: usize = 20_000;

/// Seeds close to what passes: most of the code lies behind the first right character.
const SEEDS: [&str; 8] = [
    r#"{"iss":"i","sub":"s","aud":"a","exp":1800000060,"iat":1799999990}"#,
    r#"{"iss":"i","sub":"s","aud":["a"],"exp":1800000060,"nbf":1800000000,"amr":["pwd"],"x":{"y":[1,2.5,null]}}"#,
    "{\"alg\":\"HS256\",\"kid\":\"fuzz\",\"typ\":\"at+jwt\"}\0{\"iss\":\"i\",\"sub\":\"s\",\"aud\":\"a\",\"exp\":1800000060}",
    r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"k"}]}"#,
    r#"{"kty":"EC","crv":"P-256","alg":"ES256","use":"sig","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}"#,
    r#"{"keys":[{"kty":"RSA","alg":"RS256","e":"AQAB","n":"AQAB"}]}"#,
    "eyJhbGciOiJIUzI1NiIsImtpZCI6ImZ1enoiLCJ0eXAiOiJhdCtqd3QifQ.eyJpc3MiOiJpIn0.AAAA",
    r#"["\u0061\ud83d\ude00",1e3,-0,18446744073709551615]"#,
];

#[test]
fn twenty_thousand_mutations_break_nothing() {
    for seed in SEEDS {
        body::run(seed.as_bytes());
    }
    let mut rng = TestRng::from_seed(RngAlgorithm::ChaCha, b"the same thirty-two bytes always");
    for _ in 0..ROUNDS {
        body::run(&mutated(&mut rng));
    }
}

/// A seed with up to eight small wounds.
fn mutated(rng: &mut impl Rng) -> Vec<u8> {
    let mut below = |limit: usize| (rng.next_u64() % limit as u64) as usize;
    let mut bytes = SEEDS[below(SEEDS.len())].as_bytes().to_vec();
    for _ in 0..below(9) {
        let at = below(bytes.len() + 1);
        match below(6) {
            0 => bytes.insert(at, below(256) as u8),
            1 => bytes.insert(at, b"{}[]\":,\\0.-e_"[below(13)]),
            2 => bytes.truncate(at),
            3 => {
                let from = below(bytes.len() + 1);
                let piece = bytes[from.min(at)..from.max(at)].to_vec();
                bytes.splice(at..at, piece);
            }
            _ if at < bytes.len() && below(2) == 0 => drop(bytes.remove(at)),
            _ if at < bytes.len() => bytes[at] ^= 1 << below(8),
            _ => {}
        }
    }
    bytes
}
