//! Opening sessions without hashing: what a party that is proven already waits for is the disk. One writer beside many, in turns, on a
//! store that answers when a session is durable (SQLite, synchronous=FULL). In: an empty store. Out: how much waiting they share.

use std::sync::Arc;
use std::time::Instant;

use anyhow::{Result, bail, ensure};
use tempfile::TempDir;
use tokio::task::JoinSet;
use vestibule_core::port::{Added, Clock, Opened};
use vestibule_core::session::Cap;
use vestibule_store::Stores;

use crate::Scale;
use crate::home::{self, ACCOUNTS};
use crate::host::HeldClock;
use crate::report::{Progress, Row, Unit};
use crate::sample::Median;

const FIGURE: &str = "open";
const WRITERS: u64 = 64;
/// Sessions that one writer opens in a round.
const EACH: u64 = 200;
const ROUNDS: u64 = 9;
const PROMISED: f64 = 5.0;

pub(crate) fn measure(scale: Scale) -> Result<Vec<Row>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let folder = TempDir::with_prefix("vestibule-bench-")?;
        let stores = home::open(folder.path()).await?;
        let now = HeldClock::new().now();
        for number in 0..ACCOUNTS {
            ensure!(
                stores.accounts.add(home::account(number, now)?).await? == Added::Added,
                "an account is there already"
            );
        }
        let (mut one, mut many, mut opened) = (Vec::new(), Vec::new(), 0);
        let (each, progress) = (scale.of(EACH), Progress::of("opening", ROUNDS * 2));
        for _ in 0..ROUNDS {
            for (writers, rates) in [(1, &mut one), (WRITERS, &mut many)] {
                rates.push(rate(&stores, writers, each, opened).await?);
                opened += writers * each;
                progress.step(1);
            }
        }
        stores.upkeep.close().await?;
        // What was acknowledged is there for whoever opens the file anew.
        let reopened = home::open(folder.path()).await?;
        let pepper = home::pepper();
        for number in 0..opened {
            let digest = home::session(number, &pepper, now).digest;
            ensure!(
                reopened.sessions.find(&digest).await?.is_some(),
                "a session that was acknowledged is gone"
            );
        }
        reopened.upkeep.close().await?;
        let row = |what, rounds: &[f64]| Row::new(FIGURE, what, Median::of_rounds(rounds), Unit::PerSecond);
        Ok(vec![
            Row::new(FIGURE, format!("{WRITERS} writers ÷ 1"), Median::of_ratios(&many, &one), Unit::Ratio)
                .at_least(PROMISED)
                .note("each answered when durable"),
            row("sessions opened by 1 writer", &one),
            row("sessions opened by 64 writers", &many),
        ])
    })
}

/// Sessions opened per second by so many writers, each of which waits for one before it opens the next.
async fn rate(stores: &Stores, writers: u64, each: u64, first: u64) -> Result<f64> {
    let (now, pepper) = (HeldClock::new().now(), home::pepper());
    let began = Instant::now();
    let mut working = JoinSet::new();
    for writer in 0..writers {
        let (store, pepper) = (Arc::clone(&stores.sessions), pepper.clone());
        working.spawn(async move {
            for number in 0..each {
                let session = home::session(first + writer * each + number, &pepper, now);
                match store.open(session, None, Cap::NONE).await? {
                    Opened::Open { .. } => {}
                    Opened::AccountChanged => bail!("an account changed by itself"),
                }
            }
            anyhow::Ok(())
        });
    }
    while let Some(done) = working.join_next().await {
        done??;
    }
    Ok((writers * each) as f64 / began.elapsed().as_secs_f64())
}
