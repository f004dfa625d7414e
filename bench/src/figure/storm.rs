//! What a storm of logins does to requests that only need a decision: how long the slowest in a hundred `/check` takes while 64 people
//! sign in at once, beside the same program at rest, in turns. In: the program. Out: a ratio, and how many checks failed.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::people::{self, PEOPLE, SharedBucket};
use super::program;
use crate::Scale;
use crate::home::Homes;
use crate::load::request;
use crate::report::{Progress, Row, Unit};
use crate::sample::{Median, Shuffle};

const FIGURE: &str = "storm";
const SESSIONS: u64 = 1000;
const ROUNDS: u64 = 9;
const CHECKS: u64 = 2000;
/// Between two checks: few enough that they do not wait for each other.
const PAUSE: Duration = Duration::from_millis(2);
const GATHERING: Duration = Duration::from_millis(500);
const PROMISED: f64 = 3.0;

pub(crate) fn measure(scale: Scale, homes: &mut Homes, file: Option<&Path>) -> Result<Vec<Row>> {
    // Logins need the whole program; `cargo xtask bench` always has it.
    let Some(file) = file else { return Ok(Vec::new()) };
    let home = homes.with(SESSIONS)?;
    people::settle(&home)?;
    let running = program::start_whole(file, &home)?;
    let mut proxy = Proxy::of(running.internal, SESSIONS)?;
    proxy.warm_up()?;
    let rounds = if scale.divisor == 1 { ROUNDS } else { 1 };
    let progress = Progress::of("checking", rounds);
    let (mut storm, mut idle, mut entered) = (Vec::new(), Vec::new(), 0);
    for _ in 0..rounds {
        idle.push(proxy.slowest_in_a_hundred(CHECKS)?);
        let crowd = SharedBucket::gather(running.public);
        std::thread::sleep(GATHERING);
        storm.push(proxy.slowest_in_a_hundred(CHECKS)?);
        entered += crowd.entered();
        crowd.disperse()?;
        progress.step(1);
    }
    let row =
        |what: &str, rounds: &[f64]| Row::new(FIGURE, what, Median::of_rounds(rounds), Unit::Nanoseconds);
    let ratio = Median::of_ratios(&storm, &idle);
    let failed = Median::exactly(proxy.failed as f64);
    Ok(vec![
        Row::new(FIGURE, "/check, p99 in a storm of logins ÷ p99 at rest", ratio, Unit::Ratio)
            .at_most(PROMISED)
            .note(format!("{PEOPLE} sign in at once, {entered} logins in all")),
        Row::new(FIGURE, "checks that failed", failed, Unit::Count)
            .at_most(0.0)
            .note(format!("of {}", rounds * 2 * CHECKS)),
        row("/check, p99 in the storm", &storm),
        row("/check, p99 at rest", &idle),
    ])
}

/// Asks one after the other on one connection, as a proxy's worker does.
struct Proxy {
    stream: TcpStream,
    requests: Vec<Vec<u8>>,
    shuffle: Shuffle,
    failed: u64,
}

impl Proxy {
    fn of(server: SocketAddr, sessions: u64) -> Result<Self> {
        let stream = TcpStream::connect(server)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        let requests = (0..sessions).map(request).collect();
        Ok(Self { stream, requests, shuffle: Shuffle::new(3), failed: 0 })
    }

    /// Every session gets its JWT.
    fn warm_up(&mut self) -> Result<()> {
        for number in 0..self.requests.len() {
            ensure!(self.check(number)?, "a check failed before there was any load");
        }
        Ok(())
    }

    /// The 99th percentile of so many checks, in nanoseconds. One that was late because the one before took so long has waited, too.
    fn slowest_in_a_hundred(&mut self, checks: u64) -> Result<f64> {
        let mut times = Vec::new();
        let mut due = Instant::now();
        for _ in 0..checks {
            due += PAUSE;
            let now = Instant::now();
            let began = if now < due {
                std::thread::sleep(due - now);
                Instant::now()
            } else {
                due
            };
            let number = usize::try_from(self.shuffle.below(self.requests.len() as u64))?;
            self.failed += u64::from(!self.check(number)?);
            times.push(began.elapsed().as_nanos() as f64);
        }
        times.sort_by(f64::total_cmp);
        times.get(times.len() * 99 / 100).copied().context("nothing was checked")
    }

    /// Whether there was a JWT in the answer.
    fn check(&mut self, number: usize) -> Result<bool> {
        let request = self.requests.get(number).context("no such session")?;
        self.stream.write_all(request)?;
        let (mut answer, mut filled) = ([0; 8192], 0);
        loop {
            let room = answer.get_mut(filled..).context("an answer is too long")?;
            let more = self.stream.read(room).context("a check was not answered")?;
            ensure!(more > 0, "the program hung up on a check");
            filled += more;
            let answer = answer.get(..filled).unwrap_or_default();
            // No body is expected of a swap; what has one has failed, and the connection with it.
            if answer.ends_with(b"\r\n\r\n") {
                return Ok(answer.starts_with(b"HTTP/1.1 200"));
            }
        }
    }
}
