//! What a session weighs: resident memory of a fresh process before and after it opens a store, and after it has minted a JWT for each
//! session. All that grows is in the figure: the table, LiveSession, allocator overhead, SQLite's page cache, uses waiting to be written.

use std::ffi::OsStr;
use std::io::Write;
use std::path::Path;

use anyhow::Result;
use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use crate::Scale;
use crate::app::App;
use crate::child::Started;
use crate::home::{Home, Homes};
use crate::host::resident;
use crate::report::{Row, Unit};
use crate::sample::Median;

const FIGURE: &str = "memory";
const SESSIONS: u64 = 1_000_000;
const WITHOUT_JWT: f64 = 400.0;
const WITH_JWT: f64 = 1400.0;

/// What a child process holds of each session.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kept {
    /// The session with a JWT.
    Minted,
    /// The session alone.
    Opened,
}

/// What a child process says.
#[derive(Serialize, Deserialize)]
struct Weight {
    grown: u64,
    jwt_length: usize,
}

pub(crate) fn measure(scale: Scale, homes: &mut Homes) -> Result<Vec<Row>> {
    let home = homes.with(scale.of(SESSIONS))?;
    let row = |kept, name: &OsStr, what: &str, promised| {
        let folder = home.folder().as_os_str();
        let (_child, mut said) = Started::own(&["--weigh".as_ref(), name, "--home".as_ref(), folder])?;
        let weight: Weight = serde_json::from_str(&said.next()?)?;
        let each = weight.grown as f64 / home.sessions() as f64;
        let note = match kept {
            Kept::Opened => format!("{} sessions; with SQLite's page cache", home.sessions()),
            Kept::Minted => {
                format!("JWTs of {} bytes; with each session's use waiting to be written", weight.jwt_length)
            }
        };
        anyhow::Ok(Row::new(FIGURE, what, Median::exactly(each), Unit::Bytes).at_most(promised).note(note))
    };
    Ok(vec![
        row(Kept::Opened, "opened".as_ref(), "resident per session", WITHOUT_JWT)?,
        row(Kept::Minted, "minted".as_ref(), "resident per session with its JWT", WITH_JWT)?,
    ])
}

/// The child's part: opens the store, fills what is asked for, says by how much the process grew.
pub(crate) fn weigh(kept: Kept, home: &Path) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(async {
        let home = Home::at(home)?;
        let before = resident()?;
        let app = App::open(&home).await?;
        let mut jwt_length = 0;
        if kept == Kept::Minted {
            // A minute after the login, so that each use is one to be noted.
            app.clock.step(std::time::Duration::from_secs(61));
            app.warm_all().await?;
            jwt_length = app.swap(&crate::load::headers(0)).await?.jwt().len();
        }
        let weight = Weight { grown: resident()?.saturating_sub(before), jwt_length };
        writeln!(std::io::stdout(), "{}", serde_json::to_string(&weight)?)?;
        app.stores.upkeep.close().await?;
        Ok(())
    })
}
