//! The fuzz target's body on stable: bounded and seeded, so that it runs everywhere and fails the same way twice.

#![expect(clippy::indexing_slicing, reason = "a failure here is a failed test")]

#[expect(clippy::unwrap_used, reason = "a failure here is a failed test")]
#[path = "../../../fuzz/fuzz_targets/bodies/cookie.rs"]
mod body;

use proptest::prelude::Rng;
use proptest::test_runner::{RngAlgorithm, TestRng};

const ROUNDS: usize = 50_000;

/// Seeds close to what passes: most of the code lies behind the first right character.
const SEEDS: [&str; 9] = [
    "paWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaU",
    "vst_AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEcs1uhC",
    "__Host-Http-vestibule=paWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaU",
    "a=1; __Host-Http-vestibule=paWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaU; b=\"2\"",
    "a=1\n__Host-Http-vestibule=paWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaU\n__Host-Http-vestibule_pre=x",
    "a=1; __Host-Http-vestibule_access=a.b.c",
    "__Host-Http-vestibule_access=a.b.c; __Host-Http-vestibule=paWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaU",
    "__Host-Http-vestibule=paWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaU\0Bearer a.b.c",
    "theme=dark\0Bearer vst_AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEcs1uhC",
];

#[test]
fn fifty_thousand_mutations_break_nothing() {
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
            1 => bytes.insert(at, b"=;, \"$_-+/\t\nA"[below(13)]),
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
