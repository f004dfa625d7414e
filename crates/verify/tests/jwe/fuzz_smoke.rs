//! The fuzz target's body on stable: bounded and seeded, so that it runs everywhere and fails the same way twice.

#[path = "../../../../fuzz/fuzz_targets/bodies/jwe.rs"]
mod body;

use proptest::prelude::Rng;
use proptest::test_runner::{RngAlgorithm, TestRng};

const ROUNDS: usize = 20_000;

/// Seeds close to what passes: most of the code lies behind the first right character.
const SEEDS: [&str; 7] = [
    "{\"alg\":\"dir\",\"enc\":\"A256GCM\",\"kid\":\"shared\"}\0content",
    "{\"alg\":\"ECDH-ES\",\"enc\":\"A256GCM\",\"kid\":\"agreed\",\"epk\":{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"hSDwCYkwp1R0i33ctD73Wg2_Og0mOBr066SpjqqbTmo\"}}\0content",
    "{\"alg\":\"dir\",\"enc\":\"A256GCM\",\"kid\":\"shared\",\"typ\":\"at+jwt\",\"cty\":\"JWT\"}\0eyJhbGciOiJub25lIn0.e30.",
    "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIiwia2lkIjoic2hhcmVkIn0..AAAAAAAAAAAAAAAA.AAAA.AAAAAAAAAAAAAAAAAAAAAA",
    r#"{"kty":"EC","crv":"P-256","alg":"ECDH-ES","use":"enc","x":"weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ","y":"e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck","d":"VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw"}"#,
    r#"{"kty":"OKP","crv":"X25519","alg":"ECDH-ES+A256KW","x":"3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08"}"#,
    r#"{"kty":"oct","alg":"A256GCM","k":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"}"#,
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
        match below(5) {
            0 => bytes.insert(at, below(256) as u8),
            1 => bytes.insert(at, b"{}[]\":,\\0.-e_\0"[below(14)]),
            2 => bytes.truncate(at),
            _ if at < bytes.len() && below(2) == 0 => drop(bytes.remove(at)),
            _ if at < bytes.len() => bytes[at] ^= 1 << below(8),
            _ => {}
        }
    }
    bytes
}
