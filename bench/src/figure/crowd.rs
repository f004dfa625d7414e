//! Whose JWT a swap gives: sixteen threads swap for ten thousand sessions in no order, while keys rotate and JWTs are renewed under
//! them, and every JWT is verified and compared with the session it was asked for. In: a filled store. Out: two counts that are to be
//! nought, and a rate.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use tokio::runtime::Handle;
use vestibule_core::Fault;
use vestibule_core::key::{KeyPurpose, KeyRecord, KeyRing, OVERLAP, SealKey};
use vestibule_core::port::Clock;
use vestibule_verify::{Algorithm, Verifier};

use crate::Scale;
use crate::app::{App, LIFETIME, ORIGIN};
use crate::home::{self, ACCOUNTS, Homes, pepper, subject};
use crate::load::headers;
use crate::report::{Progress, Row, Unit};
use crate::sample::{Median, Shuffle};

const FIGURE: &str = "crowd";
const SESSIONS: u64 = 10_000;
const THREADS: u64 = 16;
const SWAPS: u64 = 1_000_000;
const ROTATIONS: u64 = 20;
/// The clock goes on by as much with each rotation: within a run every JWT is renewed for its age, too.
const STEP: Duration = Duration::from_secs(20);

pub(crate) fn measure(scale: Scale, homes: &mut Homes) -> Result<Vec<Row>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let app = runtime.block_on(App::open(&homes.with(scale.of(SESSIONS))?))?;
    let mut keys = Keys::new()?;
    let verifier = Verifier::new(ORIGIN, "orders", Default::default());
    keys.rotate(&app, &verifier)?;
    let crowd = SharedBucket {
        app: &app,
        verifier: &verifier,
        sessions: scale.of(SESSIONS),
        swaps: scale.of(SWAPS),
        taken: AtomicU64::new(0),
        of_another: AtomicU64::new(0),
        unverified: AtomicU64::new(0),
        overtaken: AtomicU64::new(0),
        failed: AtomicBool::new(false),
    };
    let (progress, began) = (Progress::of("swapping", ROTATIONS), Instant::now());
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|number| {
                let (crowd, handle) = (&crowd, runtime.handle().clone());
                scope.spawn(move || crowd.swap_again_and_again(number, &handle))
            })
            .collect();
        let mut rotated = keys.rotate_in_time(&crowd, &progress);
        for thread in threads {
            let swapped = thread.join().map_err(|_| anyhow::anyhow!("a thread panicked"))?;
            rotated = rotated.and(swapped);
        }
        rotated
    })?;
    let seconds = began.elapsed().as_secs_f64();
    let signed = app.counts().signed;
    ensure!(signed > crowd.sessions * ROTATIONS / 2, "hardly anything was minted anew: {signed}");
    runtime.block_on(app.stores.upkeep.close())?;
    let counted = |what: &str, count: &AtomicU64| {
        let count = Median::exactly(count.load(Ordering::Relaxed) as f64);
        Row::new(FIGURE, what, count, Unit::Count).at_most(0.0)
    };
    Ok(vec![
        counted("JWTs of another subject or session", &crowd.of_another).note(format!(
            "of {}, {} sessions, {THREADS} threads, {ROTATIONS} rotations, {signed} signed, {} overtaken by the clock",
            crowd.swaps,
            crowd.sessions,
            crowd.overtaken.load(Ordering::Relaxed)
        )),
        counted("JWTs that did not verify", &crowd.unverified),
        Row::new(
            FIGURE,
            "swaps, each verified",
            Median::exactly(crowd.swaps as f64 / seconds),
            Unit::PerSecond,
        ),
    ])
}

struct SharedBucket<'a> {
    app: &'a App,
    verifier: &'a Verifier,
    sessions: u64,
    swaps: u64,
    taken: AtomicU64,
    of_another: AtomicU64,
    unverified: AtomicU64,
    /// Swaps that a step of the clock came between, and that gave nothing.
    overtaken: AtomicU64,
    /// Nobody waits for a thread that has given up.
    failed: AtomicBool,
}

impl SharedBucket<'_> {
    fn swap_again_and_again(&self, thread: u64, handle: &Handle) -> Result<()> {
        let swapped = self.try_swap(thread, handle);
        if swapped.is_err() {
            self.failed.store(true, Ordering::Relaxed);
        }
        swapped
    }

    fn try_swap(&self, thread: u64, handle: &Handle) -> Result<()> {
        let mut shuffle = Shuffle::new(thread);
        let (pepper, held) = (pepper(), self.app.clock.now());
        while self.taken.fetch_add(1, Ordering::Relaxed) < self.swaps && !self.failed.load(Ordering::Relaxed)
        {
            let number = shuffle.below(self.sessions);
            let token = match handle.block_on(self.app.swap(&headers(number))) {
                Ok(token) => token,
                // The clock went on between the decision and the JWT: too long ago to be handed out, so a door says 503, and nothing.
                Err(error) if matches!(error.downcast_ref(), Some(Fault::Overloaded { .. })) => {
                    self.overtaken.fetch_add(1, Ordering::Relaxed);
                    continue;
                }
                Err(error) => return Err(error),
            };
            let expected = (subject(number % ACCOUNTS).to_string(), home::session(number, &pepper, held).id);
            let expected = (expected.0.as_str(), expected.1.to_string());
            let Ok(claims) = self.verifier.verify_at(token.jwt(), self.app.clock.now().unix_seconds()) else {
                self.unverified.fetch_add(1, Ordering::Relaxed);
                continue;
            };
            let (beside, named) = (token.subject(), token.session());
            let told = [claims.sub(), beside.to_str()?].map(|told| told == expected.0);
            let named = [claims.sid().unwrap_or_default(), named.to_str()?].map(|named| named == expected.1);
            if told != [true; 2] || named != [true; 2] {
                self.of_another.fetch_add(1, Ordering::Relaxed);
            }
        }
        Ok(())
    }
}

/// The keys for services, as a store would keep them.
struct Keys {
    seal: SealKey,
    records: Vec<KeyRecord>,
}

impl Keys {
    fn new() -> Result<Self> {
        Ok(Self { seal: SealKey::new(&home::seal_bytes())?, records: Vec::new() })
    }

    /// One rotation for each part of the way.
    fn rotate_in_time(&mut self, crowd: &SharedBucket<'_>, progress: &Progress) -> Result<()> {
        for part in 1..=ROTATIONS {
            while crowd.taken.load(Ordering::Relaxed) < crowd.swaps * part / (ROTATIONS + 1) {
                if crowd.failed.load(Ordering::Relaxed) {
                    return Ok(());
                }
                std::thread::sleep(Duration::from_millis(1));
            }
            crowd.app.clock.step(STEP);
            self.rotate(crowd.app, crowd.verifier)?;
            progress.step(1);
        }
        Ok(())
    }

    /// A new key signs as soon as whoever verifies knows it; the old ones stay until their JWTs are gone.
    fn rotate(&mut self, app: &App, verifier: &Verifier) -> Result<()> {
        let (now, purpose, algorithm) = (app.clock.now(), KeyPurpose::Services, Algorithm::Es256);
        let count = u32::try_from(self.records.len())?;
        let mut nonce = [0; 12];
        nonce.iter_mut().zip(count.to_be_bytes()).for_each(|(to, from)| *to = from);
        for record in &mut self.records {
            record.gone_at.get_or_insert(now.after(LIFETIME).after(OVERLAP));
        }
        self.records.push(KeyRecord::generate(purpose, algorithm, &self.seal, nonce, now)?);
        // The app's own ring was the first.
        let stamp = count.checked_add(2).context("too many rings")?;
        let ring = KeyRing::unseal(&self.records, &self.seal, stamp, now)?;
        verifier.replace_keys(ring.published(now)?);
        app.minter.replace_ring(ring);
        Ok(())
    }
}
