//! Stores filled with sessions, each in a temporary folder laid out as the program's own data folder. In: how many sessions.
//! Out: a folder that this process, its children and the program can open, and the session tokens to it.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use data_encoding::BASE64URL_NOPAD;
use tempfile::TempDir;
use tokio::task::JoinSet;
use vestibule_core::Timestamp;
use vestibule_core::account::{Account, Identifier, Status, Traits};
use vestibule_core::id::{SessionId, Subject};
use vestibule_core::port::{Added, Clock, Opened};
use vestibule_core::principal::{Amr, Assurance};
use vestibule_core::secret::Pepper;
use vestibule_core::session::{Cap, Device, Session, SessionKind, SessionToken};
use vestibule_store::{SharedFiles, StoreUrl, Stores};

use crate::host::HeldClock;
use crate::report::Progress;

/// Accounts that the sessions belong to.
pub(crate) const ACCOUNTS: u64 = 1000;
/// Logins at once while a store is filled: what one commit can carry.
const AT_ONCE: u64 = 512;

/// Filled stores by their number of sessions, each filled once a run.
#[derive(Default)]
pub(crate) struct Homes(BTreeMap<u64, (Option<TempDir>, Home)>);

/// A data folder.
#[derive(Clone)]
pub(crate) struct Home {
    folder: PathBuf,
    sessions: u64,
}

impl Homes {
    /// Takes a folder that was filled before, for whoever profiles and does not want to wait for it again.
    pub(crate) fn take(&mut self, folder: &Path) -> Result<()> {
        let home = Home::at(folder)?;
        self.0.insert(home.sessions, (None, home));
        Ok(())
    }

    /// A store with this many live sessions.
    pub(crate) fn with(&mut self, sessions: u64) -> Result<Home> {
        if let Some((_, home)) = self.0.get(&sessions) {
            return Ok(home.clone());
        }
        let (temporary, home) = Home::temporary(sessions)?;
        self.0.insert(sessions, (Some(temporary), home.clone()));
        Ok(home)
    }
}

/// The store in a folder.
pub(crate) async fn open(folder: &Path) -> Result<Stores> {
    let url = StoreUrl::Sqlite(folder.join("vestibule.db"));
    Ok(vestibule_store::open(&url, SharedFiles::Refused).await?)
}

impl Home {
    /// A store with this many live sessions that nobody else measures with; it goes with the folder.
    pub(crate) fn temporary(sessions: u64) -> Result<(TempDir, Self)> {
        let temporary = TempDir::with_prefix("vestibule-bench-")?;
        let home = Self { folder: temporary.path().join("data"), sessions };
        home.make()?;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(home.fill())?;
        Ok((temporary, home))
    }

    /// A folder that [`Homes::with`] made, in a child process.
    pub(crate) fn at(folder: &Path) -> Result<Self> {
        let sessions = fs::read_to_string(folder.join("sessions")).context("not a folder of this program")?;
        Ok(Self { folder: folder.to_owned(), sessions: sessions.trim().parse()? })
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn sessions(&self) -> u64 {
        self.sessions
    }

    pub(crate) async fn open(&self) -> Result<Stores> {
        open(&self.folder).await
    }

    fn make(&self) -> Result<()> {
        DirBuilder::new().mode(0o700).create(&self.folder)?;
        fs::write(self.folder.join("sessions"), self.sessions.to_string())?;
        for (name, bytes) in [("pepper.key", pepper_bytes()), ("seal.key", seal_bytes())] {
            let file =
                OpenOptions::new().write(true).create_new(true).mode(0o600).open(self.folder.join(name));
            writeln!(file?, "{}", BASE64URL_NOPAD.encode(&bytes))?;
        }
        Ok(())
    }

    async fn fill(&self) -> Result<()> {
        let stores = self.open().await?;
        let now = HeldClock::new().now();
        for number in 0..ACCOUNTS {
            ensure!(
                stores.accounts.add(account(number, now)?).await? == Added::Added,
                "an account is there already"
            );
        }
        let progress = Progress::of("opening sessions", self.sessions);
        let (next, pepper) = (Arc::new(AtomicU64::new(0)), pepper());
        let mut logins = JoinSet::new();
        for _ in 0..AT_ONCE {
            let (sessions, next, pepper, progress) =
                (stores.sessions.clone(), next.clone(), pepper.clone(), progress.clone());
            let most = self.sessions;
            logins.spawn(async move {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= most {
                        return anyhow::Ok(());
                    }
                    match sessions.open(session(number, &pepper, now), None, Cap::NONE).await? {
                        Opened::Open { .. } => progress.step(1),
                        Opened::AccountChanged => bail!("an account changed by itself"),
                    }
                }
            });
        }
        while let Some(login) = logins.join_next().await {
            login??;
        }
        stores.upkeep.close().await?;
        Ok(())
    }
}

/// Nobody signs in to it: its sessions are opened as they are.
pub(crate) fn account(number: u64, now: Timestamp) -> Result<Account> {
    Ok(Account {
        subject: subject(number),
        identifier: Identifier::parse(&identifier(number))?,
        password: None,
        traits: Traits::parse(r#"{"department":"Research and Development"}"#)?,
        status: Status::Enabled,
        epoch: 1,
        created_at: now,
    })
}

/// What account `number` is called.
pub(crate) fn identifier(number: u64) -> String {
    format!("person{number:04}@example.com")
}

/// The secret in the browser that has session `number`. Not random: what makes the table's keys uniform is the digest.
pub(crate) fn token(number: u64) -> SessionToken {
    let mut bytes = [0x5a; 32];
    bytes.iter_mut().zip(number.to_le_bytes()).for_each(|(to, from)| *to = from);
    SessionToken::from_random(bytes)
}

/// What the digests are made under.
pub(crate) fn pepper() -> Pepper {
    Pepper::new(&pepper_bytes())
}

/// What the signing keys are sealed under.
pub(crate) fn seal_bytes() -> [u8; 32] {
    pepper_bytes().map(|byte| byte ^ 0xff)
}

// Nothing secret is ever under these: varied bytes, as the program asks of a key file.
fn pepper_bytes() -> [u8; 32] {
    std::array::from_fn(|at| u8::try_from(at * 7 + 3).unwrap_or_default())
}

pub(crate) fn subject(number: u64) -> Subject {
    Subject::from_bytes((u128::from(number) + 1).to_be_bytes())
}

pub(crate) fn session(number: u64, pepper: &Pepper, now: Timestamp) -> Session {
    let day = Duration::from_secs(24 * 60 * 60);
    Session {
        digest: token(number).digest(pepper),
        id: SessionId::from_bytes((u128::from(number) << 64 | 1).to_be_bytes()),
        subject: subject(number % ACCOUNTS),
        version: 1,
        epoch: 1,
        kind: SessionKind::Browser,
        opened_at: now,
        proven_at: now,
        seen_at: now,
        issued_at: now,
        idle: day,
        ends_at: now.after(day),
        assurance: Assurance::Aal1,
        amr: Amr::PASSWORD,
        device: Device::new(None, crate::load::USER_AGENT),
    }
}
