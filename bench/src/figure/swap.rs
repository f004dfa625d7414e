//! The way of a warm request within the process: headers to permit to JWT, with few sessions and with many, and what it asks of store
//! and key. In: two filled stores. Out: nanoseconds, how they grow, and three zeros.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use http::HeaderMap;
use http::request::Parts;

use crate::Scale;
use crate::app::{App, Counts, PROXY, at_once};
use crate::home::Homes;
use crate::load::headers;
use crate::report::{Progress, Row, Unit};
use crate::sample::{Median, Shuffle, median};

const FIGURE: &str = "swap";
const FEW: u64 = 1000;
const MANY: u64 = 1_000_000;
/// Sessions asked for in each round, at random among all.
const SAMPLE: u64 = 100_000;
/// Requests between two looks at the clock, and whose headers are built just before: as fresh in the processor's caches as if they had
/// just been read from a socket, while the sessions are not.
const BATCH: u64 = 64;
const ROUNDS: u64 = 9;
const PROMISED: f64 = 1500.0;
const PROMISED_GROWTH: f64 = 3.0;

pub(crate) fn measure(scale: Scale, homes: &mut Homes) -> Result<Vec<Row>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let (few, many) = (homes.with(FEW)?, homes.with(scale.of(MANY))?);
    let open = |home| {
        runtime.block_on(async {
            let app = App::open(home).await?;
            app.warm_all().await?;
            anyhow::Ok(app)
        })
    };
    let houses = [(FEW, open(&few)?), (many.sessions(), open(&many)?)];
    let mut rows = in_turns(scale, &houses)?;
    let [_, (sessions, app)] = &houses;
    rows.extend(counted(scale, app, *sessions)?);
    for (_, app) in houses {
        runtime.block_on(app.stores.upkeep.close())?;
    }
    Ok(rows)
}

fn in_turns(scale: Scale, houses: &[(u64, App); 2]) -> Result<Vec<Row>> {
    let [few, many] = houses;
    let rounds = scale.of(SAMPLE) / BATCH;
    let progress = Progress::of("swapping", ROUNDS * 2);
    let mut shuffle = Shuffle::new(2);
    let (mut few_times, mut many_times, mut first_times) = (Vec::new(), Vec::new(), Vec::new());
    let (mut door_few_times, mut door_times) = (Vec::new(), Vec::new());
    let minute = Duration::from_secs(61);
    for _ in 0..ROUNDS {
        few_times.push(batches(rounds, &few.1, few.0, &mut shuffle, swap_all)?);
        many_times.push(batches(rounds, &many.1, many.0, &mut shuffle, swap_all)?);
        door_few_times.push(batches(rounds, &few.1, few.0, &mut shuffle, answer_all)?);
        door_times.push(batches(rounds, &many.1, many.0, &mut shuffle, answer_all)?);
        progress.step(2);
    }
    // At most two minutes on, or the JWTs would be renewed.
    for _ in 0..2 {
        many.1.clock.step(minute);
        first_times.push(batches(rounds, &many.1, many.0, &mut shuffle, swap_all)?);
    }
    let row =
        |what: String, times: &[f64]| Row::new(FIGURE, what, Median::of_rounds(times), Unit::Nanoseconds);
    let growth = Median::of_ratios(&many_times, &few_times);
    Ok(vec![
        row(format!("headers → permit → JWT, {} sessions", many.0), &many_times).at_most(PROMISED),
        row(format!("the same, {} sessions", few.0), &few_times),
        Row::new(FIGURE, format!("{} ÷ {} sessions", many.0, few.0), growth, Unit::Ratio)
            .at_most(PROMISED_GROWTH),
        row("the same, first use of a session in a minute".to_owned(), &first_times),
        row(format!("the whole door, request → answer, {} sessions", many.0), &door_times)
            .note("with identity headers and a fresh CSRF token"),
        row(format!("the same, {} sessions", few.0), &door_few_times),
    ])
}

/// Median nanoseconds of one request over many batches.
fn batches(
    count: u64,
    app: &App,
    sessions: u64,
    shuffle: &mut Shuffle,
    work: impl Fn(&App, &[Parts]) -> Result<()>,
) -> Result<f64> {
    let mut times = Vec::new();
    for _ in 0..count {
        let batch: Vec<Parts> = (0..BATCH).map(|_| parts(headers(shuffle.below(sessions)))).collect();
        let started = Instant::now();
        work(app, &batch)?;
        times.push(started.elapsed().as_nanos() as f64 / BATCH as f64);
    }
    Ok(median(&mut times))
}

fn swap_all(app: &App, batch: &[Parts]) -> Result<()> {
    batch.iter().try_for_each(|parts| at_once(app.swap(&parts.headers))?.map(drop))
}

fn answer_all(app: &App, batch: &[Parts]) -> Result<()> {
    batch.iter().try_for_each(|parts| {
        let answer = at_once(app.forward_auth.answer(parts, PROXY))?;
        ensure!(answer.status() == 200, "not 200: {}", answer.status());
        Ok(())
    })
}

fn parts(headers: HeaderMap) -> Parts {
    let mut parts = http::Request::new(()).into_parts().0;
    parts.uri = http::Uri::from_static("/check");
    parts.headers = headers;
    parts
}

/// What warm requests asked of store and key, counted by those themselves.
fn counted(scale: Scale, app: &App, sessions: u64) -> Result<Vec<Row>> {
    let requests = scale.of(SAMPLE);
    let mut shuffle = Shuffle::new(3);
    let before = app.counts();
    for _ in 0..requests {
        let parts = parts(headers(shuffle.below(sessions)));
        answer_all(app, &[parts])?;
    }
    let after = app.counts();
    // The proof that the counters look at these requests.
    ensure!(
        after.reused - before.reused == requests,
        "not every request was answered with a JWT from memory"
    );
    let row = |what: &str, count: fn(Counts) -> u64| {
        let per_request = (count(after) - count(before)) as f64 / requests as f64;
        Row::new(FIGURE, format!("{what} per warm request"), Median::exactly(per_request), Unit::Count)
            .at_most(0.0)
            .note(format!("over {requests} requests"))
    };
    Ok(vec![
        row("store reads", |counts| counts.reads),
        row("signatures", |counts| counts.signed),
        row("store writes", |counts| counts.writes),
    ])
}
