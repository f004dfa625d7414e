//! What several tests of the verifier need: a forge with a known issuer, and a verifier that trusts it.
#![expect(dead_code, reason = "each test uses its own part of this")]
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failure here is a failed test"
)]

use serde_json::{Map, Value, json};
use vestibule_verify::{KeySet, Verifier, VerifyingKey};

#[path = "../../../../tests/forge/mod.rs"]
pub(crate) mod forge;
pub(crate) mod oracle;
pub(crate) mod vectors;

pub(crate) use forge::{Forge, Signer};

pub(crate) const ISSUER: &str = "https://app.example.com";
pub(crate) const AUDIENCE: &str = "orders";
pub(crate) const NOW: u64 = 1_800_000_000;
pub(crate) const ALGORITHMS: [&str; 4] = ["EdDSA", "ES256", "PS256", "RS256"];

/// A forge whose valid token looks like one of ours.
pub(crate) fn forge(algorithm: &str) -> Forge {
    let signer = Signer::generate(algorithm);
    let key = VerifyingKey::from_jwk(&signer.public_jwk()).unwrap();
    Forge { signer, key_id: key.key_id().to_string(), typ: "at+jwt".to_owned(), claims: claims(), now: NOW }
}

/// The claims of a valid token, with 90 seconds left at [`NOW`].
pub(crate) fn claims() -> Map<String, Value> {
    let claims = json!({
        "iss": ISSUER,
        "sub": "0193a0f2-7d6c-7c3e-9f5e-0b6a4c1d2e3f",
        "aud": AUDIENCE,
        "exp": NOW + 90,
        "iat": NOW - 30,
        "jti": "rWQ1pVh0Q6C2m5cO1yqk8w",
        "sid": "0193a0f2-8001-7aaa-8bbb-0123456789ab",
        "client_id": "vestibule",
        "auth_time": NOW - 600,
        "amr": ["pwd"],
        "acr": "aal1",
        "department": "R&D",
        "address": {"street": "Ada-Lovelace-Weg 1", "city": "Zürich"},
        "email": "ada@example.com",
    });
    claims.as_object().cloned().unwrap()
}

/// The published keys of a forge.
pub(crate) fn jwks(forges: &[&Forge]) -> Value {
    let keys = forges.iter().map(|forge| {
        let mut jwk = forge.signer.public_jwk();
        jwk["kid"] = json!(forge.key_id);
        jwk["use"] = json!("sig");
        jwk
    });
    json!({ "keys": keys.collect::<Vec<_>>() })
}

/// A verifier that trusts these forges.
pub(crate) fn verifier(forges: &[&Forge]) -> Verifier {
    let keys = KeySet::from_jwks(&jwks(forges).to_string()).unwrap();
    Verifier::new(ISSUER, AUDIENCE, keys)
}
