//! Single steps, to see where time goes: nothing is promised about them. In: nothing. Out: nanoseconds.

use std::hint::black_box;
use std::time::Instant;

use anyhow::{Result, anyhow};
use vestibule_core::csrf::{Binding, CsrfTokens};
use vestibule_core::id::SessionId;
use vestibule_core::key::KeyPurpose;
use vestibule_core::port::Clock;
use vestibule_verify::Algorithm;

use super::verify::claims;
use crate::Scale;
use crate::app::ring;
use crate::home::{pepper, token};
use crate::host::HeldClock;
use crate::report::{Row, Unit};
use crate::sample::Median;

const FIGURE: &str = "steps";
const ROUNDS: usize = 15;

pub(crate) fn measure(scale: Scale) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    let clock = HeldClock::new();
    let now = clock.now();
    for algorithm in [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Rs256, Algorithm::Ps256] {
        let ring = ring(algorithm, now)?;
        let signer = ring.signer(KeyPurpose::Services, now)?;
        let claims = claims(1, now.unix_seconds());
        let times = rounds(scale.of(200), || Ok(signer.sign_jwt(&claims)?))?;
        rows.push(row(format!("sign a JWT, {}", algorithm.name()), &times));
    }

    let (pepper, session_token) = (pepper(), token(1));
    let times = rounds(scale.of(100_000), || Ok(session_token.digest(&pepper)))?;
    rows.push(row("digest of a session token (HMAC-SHA-256)", &times));

    let csrf = CsrfTokens::new(pepper, [0; 16])?;
    let session = SessionId::from_bytes([7; 16]);
    let binding = || Binding::Session(&session);
    let times = rounds(scale.of(100_000), || Ok(csrf.issue(binding(), now)))?;
    rows.push(row("issue a CSRF token", &times));
    let issued = csrf.issue(binding(), now);
    let check =
        || csrf.check(binding(), issued.as_bytes(), now).map_err(|_| anyhow!("a fresh token was refused"));
    rows.push(row("check a CSRF token", &rounds(scale.of(100_000), check)?));

    let times = rounds(scale.of(100_000), || Ok(clock.now()))?;
    rows.push(row("read the clock", &times));
    Ok(rows)
}

fn row(what: impl Into<String>, times: &[f64]) -> Row {
    Row::new(FIGURE, what, Median::of_rounds(times), Unit::Nanoseconds)
}

fn rounds<T>(count: u64, work: impl Fn() -> Result<T>) -> Result<Vec<f64>> {
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let started = Instant::now();
        for _ in 0..count {
            black_box(work()?);
        }
        times.push(started.elapsed().as_nanos() as f64 / count as f64);
    }
    Ok(times)
}
