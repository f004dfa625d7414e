//! Reading one account's sessions among very many: what the account page and `vestibule session list` wait for. In: a filled store.
//! Out: milliseconds.

use std::time::Instant;

use anyhow::{Result, ensure};
use vestibule_core::port::{Clock, Page};

use crate::Scale;
use crate::home::{ACCOUNTS, Homes, subject};
use crate::host::HeldClock;
use crate::report::{Row, Unit};
use crate::sample::{Median, Shuffle};

const FIGURE: &str = "list";
const MANY: u64 = 1_000_000;
const ROUNDS: u64 = 101;
const PAGE: u32 = 100;
const PROMISED: f64 = 5_000_000.0;

pub(crate) fn measure(scale: Scale, homes: &mut Homes) -> Result<Vec<Row>> {
    let home = homes.with(scale.of(MANY))?;
    let per_account = u32::try_from(home.sessions() / ACCOUNTS)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(async {
        let stores = home.open().await?;
        let now = HeldClock::new().now();
        let mut shuffle = Shuffle::new(4);
        let mut rows = Vec::new();
        for take in [PAGE, per_account] {
            let mut times = Vec::new();
            for _ in 0..ROUNDS {
                let of = subject(shuffle.below(ACCOUNTS));
                let began = Instant::now();
                let listed = stores.directory.sessions(Some(of), Page { skip: 0, take }, now).await?;
                times.push(began.elapsed().as_nanos() as f64);
                ensure!(listed.len() == take.min(per_account) as usize, "sessions are missing");
            }
            let what = format!("the newest {take} sessions of an account that has {per_account}");
            rows.push(
                Row::new(FIGURE, what, Median::of_rounds(&times), Unit::Nanoseconds)
                    .at_most(PROMISED)
                    .note(format!("among {} sessions; {ROUNDS} accounts at random", home.sessions())),
            );
        }
        stores.upkeep.close().await?;
        Ok(rows)
    })
}
