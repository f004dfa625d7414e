//! Whether the time of a refused login tells an unknown name from a known one with a wrong password: one request after the other, the
//! two kinds mixed, on a program that does nothing else. In: the program. Out: how far their medians lie apart, and how often who
//! guesses by time is right.
//!
//! Measured where all passwords were hashed by us, and where all came from another system with hashes of its own.

use std::fmt::Display;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use vestibule_core::account::PasswordHash;
use vestibule_core::account::password::{self, PasswordCost};
use vestibule_core::id::Subject;
use vestibule_core::port::Clock;
use vestibule_core::secret::Password;

use super::people::PASSWORD;
use super::program;
use crate::Scale;
use crate::home::{ACCOUNTS, Home, account, identifier};
use crate::host::HeldClock;
use crate::report::{Progress, Row, Unit};
use crate::sample::{Median, Shuffle, median, telling};

const FIGURE: &str = "timing";
/// Each on a store of its own with the program started anew; no name and no source is tried twice, so nothing is slowed down.
const ROUNDS: u64 = 5;
const PAIRS: u64 = 400;
/// Before it counts: threads are awake, pages are read.
const WARM_UP: u64 = 20;
/// bcrypt of cost 8, a few hashes of ours; nobody knows its password.
const IMPORTED: &str = "$2b$08$abcdefghijklmnopqrstuu10cNU3mXRamSUZYs8I8M/Szu..qXq5K";
/// Longer than any login waits: one that takes so long is broken.
const PATIENCE: Duration = Duration::from_secs(30);

/// How far apart medians may lie, in nanoseconds: this, or two hundredths of what a refusal takes, where that is more.
const APART: f64 = 1_000_000.0;
/// How far from one half the share of right guesses may lie.
const TELLING: f64 = 0.03;

/// Nanoseconds that refusals took.
#[derive(Default)]
struct Samples {
    known: Vec<f64>,
    unknown: Vec<f64>,
}

pub(crate) fn measure(scale: Scale, file: Option<&Path>) -> Result<Vec<Row>> {
    // Logins need the whole program; `cargo xtask bench` always has it.
    let Some(file) = file else { return Ok(Vec::new()) };
    let typed = Password::parse(PASSWORD).context("the password is too long")?;
    let ours = password::hash(&typed, &[7; 16], PasswordCost::FLOOR)?;
    let imported = password::import(IMPORTED).ok().context("the imported hash is not taken")?;
    let mut rows = told_apart(scale, file, "Argon2id", &ours)?;
    rows.extend(told_apart(scale, file, "imported bcrypt", &imported)?);
    Ok(rows)
}

fn told_apart(scale: Scale, file: &Path, scheme: &str, hash: &PasswordHash) -> Result<Vec<Row>> {
    let rounds = if scale.divisor == 1 { ROUNDS } else { 1 };
    let progress = Progress::of("refusing", rounds);
    let mut shuffle = Shuffle::new(11);
    let (mut all, mut apart, mut right) = (Samples::default(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        let mut round = refusals(file, hash, scale.of(PAIRS), &mut shuffle)?;
        apart.push(round.apart());
        right.push(round.telling());
        all.known.append(&mut round.known);
        all.unknown.append(&mut round.unknown);
        progress.step(1);
    }
    let spread = |value, rounds: &[f64]| Median { value, ..Median::of_rounds(rounds) };
    let note = format!("{} of each kind; one half is right: {:.3}", all.known.len(), all.telling());
    let bound = APART.max(median(&mut all.known) * 0.02);
    let row =
        |what: &dyn Display, measured, unit| Row::new(FIGURE, format!("{scheme}: {what}"), measured, unit);
    let (known, unknown) = (median(&mut all.known), median(&mut all.unknown));
    let off: Vec<f64> = right.iter().map(|share| (share - 0.5).abs()).collect();
    Ok(vec![
        row(
            &"refusing an unknown name − a wrong password, medians",
            spread(all.apart(), &apart),
            Unit::Nanoseconds,
        )
        .at_most(bound),
        row(
            &"right guesses by time, their share off one half",
            spread((all.telling() - 0.5).abs(), &off),
            Unit::Ratio,
        )
        .at_most(TELLING)
        .note(note),
        row(&"refusing an unknown name", Median::exactly(unknown), Unit::Nanoseconds),
        row(&"refusing a wrong password", Median::exactly(known), Unit::Nanoseconds),
    ])
}

impl Samples {
    /// How far apart the medians lie, whichever is larger.
    fn apart(&self) -> f64 {
        (median(&mut self.unknown.clone()) - median(&mut self.known.clone())).abs()
    }

    fn telling(&self) -> f64 {
        telling(&self.unknown, &self.known)
    }
}

/// So many refusals of each kind, in pairs of which either may come first.
fn refusals(file: &Path, hash: &PasswordHash, pairs: u64, shuffle: &mut Shuffle) -> Result<Samples> {
    let (_folder, home) = Home::temporary(1)?;
    settle(&home, hash, WARM_UP + pairs)?;
    let running = program::start_whole(file, &home)?;
    let mut guesser = Guesser::at(running.public)?;
    let mut samples = Samples::default();
    for number in 0..WARM_UP + pairs {
        let known = identifier(ACCOUNTS + number);
        let unknown = known.replace("person", "nobody");
        let (of_known, of_unknown) = if shuffle.below(2) == 0 {
            let first = guesser.refused(&known, 2 * number)?;
            (first, guesser.refused(&unknown, 2 * number + 1)?)
        } else {
            let first = guesser.refused(&unknown, 2 * number)?;
            (guesser.refused(&known, 2 * number + 1)?, first)
        };
        if number >= WARM_UP {
            samples.known.push(of_known);
            samples.unknown.push(of_unknown);
        }
    }
    Ok(samples)
}

/// People with this hash. Their subjects lie evenly among all that there can be, as random ones do: what an unknown name is compared
/// with is taken from the account that is next to it.
fn settle(home: &Home, hash: &PasswordHash, people: u64) -> Result<()> {
    let gap = u128::MAX / u128::from(people);
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let stores = home.open().await?;
        let now = HeldClock::new().now();
        for number in 0..people {
            let mut person = account(ACCOUNTS + number, now)?;
            person.subject = Subject::from_bytes((u128::MAX - u128::from(number) * gap).to_be_bytes());
            person.password = Some(hash.clone());
            stores.accounts.add(person).await?;
        }
        anyhow::Ok(stores.upkeep.close().await?)
    })
}

/// Tries names one after the other on one connection.
struct Guesser {
    stream: TcpStream,
}

impl Guesser {
    fn at(server: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(server)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self { stream })
    }

    /// How long it takes to be refused, in nanoseconds. Each attempt comes from an address prefix of its own: one prefix has twenty
    /// attempts a minute.
    fn refused(&mut self, name: &str, attempt: u64) -> Result<f64> {
        let body = format!(r#"{{"identifier":"{name}","password":"not {PASSWORD}"}}"#);
        let [.., middle, low] = attempt.to_be_bytes();
        let request = format!(
            "POST /auth/api/v1/login HTTP/1.1\r\nHost: app.example.com\r\nX-Forwarded-For: 11.{middle}.{low}.1\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let began = Instant::now();
        self.stream.write_all(request.as_bytes())?;
        let (mut answer, mut filled) = ([0; 8192], 0);
        loop {
            let room = answer.get_mut(filled..).context("an answer is too long")?;
            let more = self.stream.read(room).context("a login was not answered")?;
            ensure!(more > 0, "the program hung up on a login");
            filled += more;
            let text = std::str::from_utf8(answer.get(..filled).unwrap_or_default())?;
            if is_whole(text)? {
                let took = began.elapsed().as_nanos() as f64;
                ensure!(text.starts_with("HTTP/1.1 401"), "not refused: {text}");
                return Ok(took);
            }
        }
    }
}

fn is_whole(answer: &str) -> Result<bool> {
    let Some((head, body)) = answer.split_once("\r\n\r\n") else { return Ok(false) };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    Ok(body.len() >= length.context("an answer does not say how long it is")?.parse()?)
}
