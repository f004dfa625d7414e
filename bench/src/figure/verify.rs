//! What a JWT costs the service behind: seen for the first time, beside the bare check of its signature by the cryptographic library on
//! the same bytes with the same key; and seen again. In: JWTs as the minter signs them. Out: ratios and nanoseconds.

use std::hint::black_box;
use std::time::Instant;

use anyhow::{Context, Result, anyhow};
use aws_lc_rs::rsa::PublicKeyComponents;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256,
};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};
use vestibule_core::key::KeyPurpose;
use vestibule_core::port::Clock;
use vestibule_verify::{Algorithm, Verifier, VerifyingKey};

use crate::Scale;
use crate::app::{ORIGIN, ring};
use crate::host::HeldClock;
use crate::report::{Progress, Row, Unit};
use crate::sample::Median;

const FIGURE: &str = "verify";
const JWTS: u64 = 1000;
const ROUNDS: usize = 21;
const PROMISED_FIRST: f64 = 1.15;
const PROMISED_AGAIN: f64 = 3000.0;

pub(crate) fn measure(scale: Scale) -> Result<Vec<Row>> {
    let algorithms = [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Rs256, Algorithm::Ps256];
    let progress = Progress::of("verifying", algorithms.len() as u64);
    let mut rows = Vec::new();
    for algorithm in algorithms {
        rows.extend(of(algorithm, scale)?);
        progress.step(1);
    }
    Ok(rows)
}

fn of(algorithm: Algorithm, scale: Scale) -> Result<Vec<Row>> {
    let now = HeldClock::new().now();
    let ring = ring(algorithm, now)?;
    let signer = ring.signer(KeyPurpose::Services, now)?;
    let jwts: Vec<String> = (0..scale.of(JWTS))
        .map(|number| signer.sign_jwt(&claims(number, now.unix_seconds())))
        .collect::<Result<_, _>>()?;
    let parted: Vec<(&str, Vec<u8>)> = jwts.iter().map(|jwt| part(jwt)).collect::<Result<_>>()?;
    let key = raw(signer.public())?;
    let (mut bare, mut first, mut again) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        bare.push(each(&parted, |(input, signature)| {
            key.verify_sig(input.as_bytes(), signature).map_err(|_| anyhow!("a good signature was refused"))
        })?);
        let verifier = Verifier::new(ORIGIN, "orders", ring.published(now)?);
        let verify = |jwt: &String| {
            let verified = verifier.verify_at(jwt, now.unix_seconds());
            verified.map_err(|reject| anyhow!("a good JWT was refused: {reject}"))
        };
        first.push(each(&jwts, verify)?);
        again.push(each(&jwts, verify)?);
    }
    let name = algorithm.name();
    let length = jwts.first().map_or(0, String::len);
    let ratio = Row::new(
        FIGURE,
        format!("{name}: first sight ÷ its signature alone"),
        Median::of_ratios(&first, &bare),
        Unit::Ratio,
    );
    let time = |what: &str, times: &[f64]| {
        Row::new(FIGURE, format!("{name}: {what}"), Median::of_rounds(times), Unit::Nanoseconds)
    };
    Ok(vec![
        ratio.at_most(PROMISED_FIRST).note(format!("JWTs of {length} bytes")),
        time("second sight", &again).at_most(PROMISED_AGAIN),
        time("signature alone", &bare),
    ])
}

/// What the minter says of a session, and two claims of the audience's own.
pub(super) fn claims(number: u64, now: u64) -> Value {
    json!({
        "iss": ORIGIN,
        "sub": "0000000000000000000000000g",
        "aud": "orders",
        "exp": now + 120,
        "iat": now - 30,
        "jti": BASE64URL_NOPAD.encode(&u128::from(number).to_be_bytes()),
        "sid": "0000000000000000000000000g",
        "client_id": "vestibule",
        "auth_time": now - 100,
        "amr": ["pwd"],
        "acr": "aal1",
        "department": "Research and Development",
        "email": "person0001@example.com",
    })
}

/// Nanoseconds for each item of one pass over all.
fn each<T, U>(items: &[T], work: impl Fn(&T) -> Result<U>) -> Result<f64> {
    let started = Instant::now();
    for item in items {
        black_box(work(item)?);
    }
    Ok(started.elapsed().as_nanos() as f64 / items.len() as f64)
}

fn part(jwt: &str) -> Result<(&str, Vec<u8>)> {
    let (input, signature) = jwt.rsplit_once('.').context("not a JWT")?;
    Ok((input, BASE64URL_NOPAD.decode(signature.as_bytes())?))
}

/// The same public key, for the cryptographic library itself.
fn raw(key: &VerifyingKey) -> Result<ParsedPublicKey> {
    let jwk = key.to_jwk();
    let bytes = |member: &str| {
        let text =
            jwk.get(member).and_then(Value::as_str).with_context(|| format!("no {member} in the JWK"))?;
        anyhow::Ok(BASE64URL_NOPAD.decode(text.as_bytes())?)
    };
    let rsa = || anyhow::Ok(PublicKeyComponents { n: bytes("n")?, e: bytes("e")? });
    let parsed = match key.algorithm() {
        Algorithm::EdDsa => ParsedPublicKey::new(&ED25519, bytes("x")?),
        Algorithm::Es256 => {
            ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, [vec![4], bytes("x")?, bytes("y")?].concat())
        }
        Algorithm::Ps256 => rsa()?.to_parsed_public_key(&RSA_PSS_2048_8192_SHA256),
        _ => rsa()?.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256),
    };
    parsed.map_err(|_| anyhow!("the library refuses our public key"))
}
