//! JW-16: we against npm `jose`, PyJWT and joserfc. All take what is good, and we take nothing that the strict two of
//! them, `jose` and joserfc, both refuse. (PyJWT is looser by design; it counts for the good tokens.)

#![expect(clippy::indexing_slicing, reason = "a failure here is a failed test")]

mod common;

use common::{ALGORITHMS, AUDIENCE, Forge, ISSUER, NOW, forge, oracle::Oracles, verifier};
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use serde_json::{Map, Value, json};
use vestibule_verify::Verifier;

const SKEW: u64 = 30;

struct Court {
    oracles: Oracles,
    verifier: Verifier,
    jwks: Value,
}

/// Our answer and theirs to one text.
struct Verdicts {
    ours: Result<(), &'static str>,
    theirs: Map<String, Value>,
}

impl Court {
    fn convene(forges: &[&Forge]) -> Self {
        let verifier = verifier(forges).with_skew(SKEW);
        Self { oracles: Oracles::start(), verifier, jwks: common::jwks(forges) }
    }

    fn hear(&mut self, jwt: &str) -> Verdicts {
        let ours = self.verifier.verify_at(jwt, NOW).map(drop).map_err(|reject| reject.code());
        let theirs = self.oracles.ask(&json!({
            "jwt": jwt, "jwks": self.jwks, "issuer": ISSUER, "audience": AUDIENCE, "typ": "at+jwt", "now": NOW, "skew": SKEW,
        }));
        Verdicts { ours, theirs }
    }

    /// Whether we accept, having made sure that we do not stand alone.
    fn accepts(&mut self, name: &str, jwt: &str) -> bool {
        let Verdicts { ours, theirs } = self.hear(jwt);
        let alone = ours.is_ok() && !theirs["jose"].is_null() && !theirs["joserfc"].is_null();
        assert!(!alone, "only we accept {name}: {theirs:?}\n{jwt}");
        ours.is_ok()
    }
}

#[test]
fn everybody_accepts_our_good_tokens() {
    let forges = ALGORITHMS.map(forge);
    let mut court = Court::convene(&forges.iter().collect::<Vec<_>>());
    for forge in &forges {
        let Verdicts { ours, theirs } = court.hear(&forge.control());
        assert_eq!(ours, Ok(()));
        assert!(theirs.values().all(Value::is_null), "{}: {theirs:?}", forge.signer.algorithm());
    }
}

/// A forged signature is refused by everybody: the oracles do judge.
#[test]
fn everybody_refuses_a_forged_signature() {
    let (forge, stranger) = (forge("ES256"), forge("ES256"));
    let forged = Forge { key_id: forge.key_id.clone(), ..stranger }.control();
    let Verdicts { ours, theirs } = Court::convene(&[&forge]).hear(&forged);
    assert_eq!(ours, Err("signature"));
    assert!(theirs.values().all(Value::is_string), "{theirs:?}");
}

#[test]
fn no_hostile_token_is_accepted_by_us_alone() {
    for algorithm in ["EdDSA", "ES256", "RS256"] {
        let forge = forge(algorithm);
        let mut court = Court::convene(&[&forge]);
        for token in forge.all() {
            // Texts beyond a pipe's patience say nothing about parsers.
            if token.jwt.len() < 100_000 {
                assert!(!court.accepts(&token.name, &token.jwt), "{algorithm}: {}", token.name);
            }
        }
    }
}

/// Well-signed tokens with any header and claims that come to mind, and good tokens altered anywhere.
#[test]
fn no_random_token_is_accepted_by_us_alone() {
    let forge = forge("ES256");
    let mut court = Court::convene(&[&forge]);
    // One seed, one list of tokens: a failure can be looked at again.
    let mut runner =
        TestRunner::new_with_rng(Config::default(), TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]));
    let (mut accepted, mut refused) = (0, 0);
    for case in 0..1_500 {
        let header = odd_members(&["alg", "kid", "typ", "cty", "crit", "zip", "b64", "x"])
            .new_tree(&mut runner)
            .unwrap();
        let claims = odd_members(&["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "sid", "amr", "x"]);
        let claims = claims.new_tree(&mut runner).unwrap();
        let mut jwt = forge
            .sign(&with(forge.header(), header.current()), &with(forge.claims.clone(), claims.current()));
        if case % 3 == 0 {
            let (at, by) = (any::<prop::sample::Index>(), prop::sample::select(b"A_-.= \nz\x7f".to_vec()))
                .new_tree(&mut runner)
                .unwrap()
                .current();
            let at = at.index(jwt.len());
            jwt.replace_range(at..=at, &char::from(by).to_string());
        }
        if court.accepts(&format!("case {case}"), &jwt) { accepted += 1 } else { refused += 1 }
    }
    // A comparison in which one side always says no compares nothing.
    assert!(accepted >= 150 && refused >= 500, "{accepted} accepted, {refused} refused");
}

/// Up to two members with values that are nearly right, or not there at all.
fn odd_members(names: &'static [&'static str]) -> impl Strategy<Value = Vec<(String, Option<Value>)>> {
    let name = prop::sample::select(names).prop_map(str::to_owned);
    prop::collection::vec((name, prop::option::weighted(0.9, odd_value())), 0..=2)
}

fn odd_value() -> impl Strategy<Value = Value> {
    let values = [
        json!(null),
        json!(true),
        json!(""),
        json!("x"),
        json!("ES256"),
        json!("at+jwt"),
        json!("AT+JWT"),
        json!("application/at+jwt"),
        json!("JWT"),
        json!(ISSUER),
        json!(format!("{ISSUER}/")),
        json!([ISSUER]),
        json!(AUDIENCE),
        json!([AUDIENCE]),
        json!([AUDIENCE, "another"]),
        json!([[AUDIENCE]]),
        json!({}),
        json!([]),
        json!(0),
        json!(-1),
        json!(NOW),
        json!(NOW - SKEW),
        json!(NOW - SKEW + 1),
        json!(NOW + SKEW),
        json!(NOW + SKEW + 1),
        json!(NOW as f64 + 0.5),
        json!(NOW.to_string()),
        json!(u64::MAX),
        json!(1e300),
        json!(["pwd"]),
        json!([1]),
        json!("ada\u{0}"),
    ];
    prop::sample::select(values.to_vec())
}

fn with(mut members: Map<String, Value>, changes: Vec<(String, Option<Value>)>) -> Map<String, Value> {
    for (name, value) in changes {
        match value {
            Some(value) => members.insert(name, value),
            None => members.remove(&name),
        };
    }
    members
}
