//! Logins per second beside what Argon2 alone does on the same cores, in turns. In: the program, 64 people who sign in. Out: a ratio.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};
use vestibule_core::account::PasswordHash;
use vestibule_core::account::password::{self, PasswordCost};
use vestibule_core::secret::Password;

use super::people::{self, PASSWORD, PEOPLE, SharedBucket};
use super::program;
use crate::Scale;
use crate::home::Homes;
use crate::report::{Progress, Row, Unit};
use crate::sample::Median;

const FIGURE: &str = "login";
const SESSIONS: u64 = 1000;
const ROUNDS: u64 = 7;
const ROUND: Duration = Duration::from_secs(4);
/// Until every hashing thread has work and others wait for it.
const GATHERING: Duration = Duration::from_millis(500);
const PROMISED: f64 = 0.90;

pub(crate) fn measure(scale: Scale, homes: &mut Homes, file: Option<&Path>) -> Result<Vec<Row>> {
    // Logins need the whole program; `cargo xtask bench` always has it.
    let Some(file) = file else { return Ok(Vec::new()) };
    let home = homes.with(SESSIONS)?;
    people::settle(&home)?;
    let running = program::start_whole(file, &home)?;
    let rounds = if scale.divisor == 1 { ROUNDS } else { 1 };
    let progress = Progress::of("signing in", rounds);
    let (mut logins, mut hashes, mut sent_away) = (Vec::new(), Vec::new(), 0);
    for _ in 0..rounds {
        hashes.push(hashing_alone()?);
        let crowd = SharedBucket::gather(running.public);
        std::thread::sleep(GATHERING);
        let (before, began) = (crowd.entered(), Instant::now());
        std::thread::sleep(ROUND);
        logins.push((crowd.entered() - before) as f64 / began.elapsed().as_secs_f64());
        sent_away += crowd.sent_away();
        crowd.disperse()?;
        progress.step(1);
    }
    let row = |what: &str, rounds: &[f64]| Row::new(FIGURE, what, Median::of_rounds(rounds), Unit::PerSecond);
    Ok(vec![
        Row::new(FIGURE, "logins ÷ Argon2 alone", Median::of_ratios(&logins, &hashes), Unit::Ratio)
            .at_least(PROMISED)
            .note(format!("{PEOPLE} at once; {sent_away} told to come back")),
        row("logins", &logins),
        row("Argon2id on all cores, nothing else", &hashes),
    ])
}

/// Hashes per second with one thread on each core, at the priority that the server hashes at: whatever else the machine does then takes
/// from both alike.
fn hashing_alone() -> Result<f64> {
    let password = Password::parse(PASSWORD).context("the password is too long")?;
    let stored = password::hash(&password, &[7; 16], PasswordCost::FLOOR)?;
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let rates: Vec<Result<f64>> = std::thread::scope(|scope| {
        let working: Vec<_> = (0..threads).map(|_| scope.spawn(|| rate(&password, &stored))).collect();
        working
            .into_iter()
            .map(|it| it.join().unwrap_or_else(|_| Err(anyhow!("a hashing thread panicked"))))
            .collect()
    });
    rates.into_iter().sum()
}

fn rate(password: &Password, stored: &PasswordHash) -> Result<f64> {
    crate::host::step_back()?;
    let (began, mut hashes) = (Instant::now(), 0_u32);
    while began.elapsed() < ROUND {
        ensure!(password::verify(password, stored)?, "the password is not the one that was hashed");
        hashes += 1;
    }
    Ok(f64::from(hashes) / began.elapsed().as_secs_f64())
}
