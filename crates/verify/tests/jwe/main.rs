//! JW-07, JW-11, JW-12: what is encrypted to us, by every algorithm that is taken, and what only pretends to be.

#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "a failure here is a failed test")]

#[path = "../common/mod.rs"]
mod common;
mod fuzz_smoke;
mod header;
mod keys;
mod nested;
mod parts;
mod vectors;

use common::forge::sealer::{ENCRYPTIONS, MANAGEMENTS, Sealer};
use serde_json::{Map, Value};
use vestibule_verify::jwe::{DecryptionKeys, Policy, decrypt};

const CONTENT: &[u8] = b"the content";

fn keys(sealer: &Sealer) -> DecryptionKeys {
    DecryptionKeys::from_text(&sealer.private_jwk().to_string()).unwrap()
}

fn default() -> Sealer {
    Sealer::generate("ECDH-ES", "P-256", "A256GCM")
}

fn code(jwe: &str, keys: &DecryptionKeys) -> &'static str {
    decrypt(jwe, keys, &Policy::NESTED).map_or_else(|reject| reject.code(), |_| "accepted")
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

/// The header with members changed; `null` takes one away.
fn with(sealer: &Sealer, changes: Value) -> Map<String, Value> {
    let mut header = sealer.header("A256GCM");
    for (member, value) in changes.as_object().unwrap() {
        if value.is_null() {
            header.remove(member);
        } else {
            header.insert(member.clone(), value.clone());
        }
    }
    header
}
