//! Trading refresh tokens: one client that refreshes again and again beside many that do so at once, in turns, on a store that answers
//! when a rotation is durable (SQLite, synchronous=FULL). In: an empty store. Out: how much waiting they share.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use tempfile::TempDir;
use tokio::task::JoinSet;
use vestibule_core::grant::{Granter, Refreshed, Tokens};
use vestibule_core::logout::Logout;
use vestibule_core::mint::{Audience, AudienceTable, Minter};
use vestibule_core::port::{Added, Clock, Opened};
use vestibule_core::refresh_token::session_digest;
use vestibule_core::session::{Cap, Session};
use vestibule_core::verify::{Algorithm, RevocationView};
use vestibule_store::Stores;

use crate::Scale;
use crate::app::{ORIGIN, ring};
use crate::home;
use crate::host::{HeldClock, SystemEntropy};
use crate::report::{Progress, Row, Unit};
use crate::sample::Median;

const FIGURE: &str = "refresh";
const FAMILIES: u64 = 64;
/// How often each refreshes in a round.
const EACH: u64 = 200;
const ROUNDS: u64 = 9;
const PROMISED: f64 = 5.0;

pub(crate) fn measure(scale: Scale) -> Result<Vec<Row>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let folder = TempDir::with_prefix("vestibule-bench-")?;
        let stores = home::open(folder.path()).await?;
        let granter = Arc::new(granter(&stores)?);
        let mut held = Vec::new();
        for number in 0..FAMILIES {
            held.push(begin(number, &stores, &granter).await?);
        }
        let (mut one, mut many) = (Vec::new(), Vec::new());
        let (each, progress) = (scale.of(EACH), Progress::of("refreshing", ROUNDS * 2));
        for _ in 0..ROUNDS {
            for (families, rates) in [(1, &mut one), (FAMILIES, &mut many)] {
                let began = Instant::now();
                let mut working = JoinSet::new();
                for tokens in held.drain(..families as usize) {
                    let granter = Arc::clone(&granter);
                    working.spawn(async move { again(&granter, tokens, each).await });
                }
                let done = working.join_all().await;
                rates.push((families * each) as f64 / began.elapsed().as_secs_f64());
                for tokens in done {
                    held.push(tokens?);
                }
                progress.step(1);
            }
        }
        stores.upkeep.close().await?;
        let row = |what, rounds: &[f64]| Row::new(FIGURE, what, Median::of_rounds(rounds), Unit::PerSecond);
        Ok(vec![
            Row::new(FIGURE, format!("{FAMILIES} families ÷ 1"), Median::of_ratios(&many, &one), Unit::Ratio)
                .at_least(PROMISED)
                .note("each answered when durable, with an access token"),
            row("refreshes of 1 family", &one),
            row("refreshes of 64 families", &many),
        ])
    })
}

async fn again(granter: &Granter, mut held: Tokens, times: u64) -> Result<Tokens> {
    for _ in 0..times {
        held = match granter.refresh(&held.refresh).await? {
            Refreshed::Tokens(tokens) => *tokens,
            Refreshed::Refused(reject) => bail!("a refresh was refused: {}", reject.code()),
            Refreshed::Replayed(_) => bail!("a refresh was taken for a replay"),
        };
    }
    Ok(held)
}

async fn begin(number: u64, stores: &Stores, granter: &Granter) -> Result<Tokens> {
    let (now, pepper) = (HeldClock::new().now(), home::pepper());
    let session = home::session(number, &pepper, now);
    ensure!(
        stores.accounts.add(home::account(number, now)?).await? == Added::Added,
        "an account is there already"
    );
    let session = Session { digest: session_digest(session.id, &pepper), ..session };
    let id = session.id;
    ensure!(
        matches!(stores.sessions.open(session, None, Cap::NONE).await?, Opened::Open { .. }),
        "an account changed by itself"
    );
    granter.begin(id).await?.context("a session ended by itself")
}

fn granter(stores: &Stores) -> Result<Granter> {
    let clock: Arc<dyn Clock> = Arc::new(HeldClock::new());
    let entropy = Arc::new(SystemEntropy);
    let access = Duration::from_secs(600);
    let minter = Minter::new(
        ORIGIN.to_owned(),
        ring(Algorithm::Es256, clock.now())?,
        AudienceTable::new(vec![Audience::edge(ORIGIN, access)?]),
        Arc::clone(&stores.accounts),
        Arc::clone(&clock),
        entropy.clone(),
    );
    Ok(Granter {
        sessions: Arc::clone(&stores.sessions),
        grants: Arc::clone(&stores.grants),
        logout: Arc::new(Logout {
            sessions: Arc::clone(&stores.sessions),
            pepper: home::pepper(),
            revocations: Arc::new(RevocationView::new()),
            clock: Arc::clone(&clock),
            longest_jwt: access,
        }),
        minter: Arc::new(minter),
        pepper: home::pepper(),
        entropy,
        clock,
        window: Duration::from_secs(10),
    })
}
