//! What the tower layer adds to a request beside verifying: finding the JWT, handing its claims over, passing the answer on. In: JWTs
//! as the minter signs them, seen before. Out: nanoseconds over the bare service and the bare verification.

use std::convert::Infallible;
use std::future::{Future, Ready, ready};
use std::hint::black_box;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Result, anyhow};
use http::header::AUTHORIZATION;
use http::{HeaderValue, Request, Response};
use tower::{Layer, Service};
use vestibule_core::key::KeyPurpose;
use vestibule_core::port::Clock;
use vestibule_verify::tower::{InnerDoor, VerifyLayer};
use vestibule_verify::{Algorithm, Claims, Verified, Verifier};

use super::verify::claims;
use crate::Scale;
use crate::app::{ORIGIN, ring};
use crate::host::HeldClock;
use crate::report::{Row, Unit};
use crate::sample::Median;

const FIGURE: &str = "layer";
const JWTS: u64 = 1000;
const ROUNDS: usize = 41;
const PROMISED: f64 = 1000.0;

pub(crate) fn measure(scale: Scale) -> Result<Vec<Row>> {
    let ring = ring(Algorithm::Es256, HeldClock::new().now())?;
    // The layer reads the machine's clock, so these are of now.
    let now = present()?;
    let held = HeldClock::new().now();
    let signer = ring.signer(KeyPurpose::Services, held)?;
    let jwts: Vec<String> =
        (0..scale.of(JWTS)).map(|number| signer.sign_jwt(&claims(number, now))).collect::<Result<_, _>>()?;
    let headers: Vec<HeaderValue> =
        jwts.iter().map(|jwt| HeaderValue::try_from(format!("Bearer {jwt}"))).collect::<Result<_, _>>()?;
    let verifier = Arc::new(Verifier::new(ORIGIN, "orders", ring.published(held)?));
    let mut open = Answering;
    let mut closed = VerifyLayer::new(InnerDoor::new(Arc::clone(&verifier))).layer(Answering);
    each(&headers, |header| ask(&mut closed, header, HashRequester::Known))?;

    let (mut alone, mut bare, mut layered, mut added) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let verifying = each(&jwts, |jwt| {
            verifier.verify(jwt).map_err(|reject| anyhow!("a good JWT was refused: {reject}"))
        })?;
        let answering = each(&headers, |header| ask(&mut open, header, HashRequester::Nobody))?;
        let both = each(&headers, |header| ask(&mut closed, header, HashRequester::Known))?;
        alone.push(verifying);
        bare.push(answering);
        layered.push(both);
        added.push((both - answering - verifying).max(0.0));
    }
    let row = |what: &str, times: &[f64]| Row::new(FIGURE, what, Median::of_rounds(times), Unit::Nanoseconds);
    Ok(vec![
        row("what the layer adds beside verifying", &added).at_most(PROMISED),
        row("a request through it, its JWT seen before", &layered),
        row("verifying alone", &alone),
        row("the service alone", &bare),
    ])
}

/// Answers at once with nothing, and says whether it was told who asks.
#[derive(Clone)]
struct Answering;

#[derive(Clone, Copy, PartialEq, Eq)]
enum HashRequester {
    Known,
    Nobody,
}

impl Service<Request<()>> for Answering {
    type Response = Response<String>;
    type Error = Infallible;
    type Future = Ready<Result<Response<String>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<()>) -> Self::Future {
        let known = request.extensions().get::<Verified<Claims>>().is_some();
        let mut answer = Response::new(String::new());
        answer.extensions_mut().insert(if known { HashRequester::Known } else { HashRequester::Nobody });
        ready(Ok(answer))
    }
}

/// One request, from its making to its answer. A measurement of refusals would be none.
fn ask<S>(service: &mut S, header: &HeaderValue, expected: HashRequester) -> Result<()>
where
    S: Service<Request<()>, Response = Response<String>, Error = Infallible>,
{
    let mut request = Request::new(());
    request.headers_mut().insert(AUTHORIZATION, header.clone());
    let mut context = Context::from_waker(Waker::noop());
    match pin!(service.call(request)).poll(&mut context) {
        Poll::Ready(Ok(answer)) if answer.extensions().get() == Some(&expected) => {
            black_box(answer);
            Ok(())
        }
        _ => Err(anyhow!("the service was not told what it should have been")),
    }
}

/// Nanoseconds for each item of one pass over all.
fn each<T, U>(items: &[T], mut work: impl FnMut(&T) -> Result<U>) -> Result<f64> {
    let started = Instant::now();
    for item in items {
        black_box(work(item)?);
    }
    Ok(started.elapsed().as_nanos() as f64 / items.len() as f64)
}

#[expect(clippy::disallowed_methods, reason = "the layer reads the clock of this machine")]
fn present() -> Result<u64> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs())
}
