//! People who sign in, all at once and again and again, through the program's public listener. In: the program. Out: how many got in.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use vestibule_core::account::password::{self, PasswordCost};
use vestibule_core::port::Clock;
use vestibule_core::secret::Password;

use crate::home::{ACCOUNTS, Home, account, identifier};
use crate::host::HeldClock;

/// People at once.
pub(super) const PEOPLE: u64 = 64;

/// Everybody's.
pub(super) const PASSWORD: &str = "correct horse battery staple";
/// Longer than any login waits: one that takes so long is broken.
const PATIENCE: Duration = Duration::from_secs(30);

/// Gives the home accounts that one can sign in to, beside those whose sessions it has.
pub(super) fn settle(home: &Home) -> Result<()> {
    let password = Password::parse(PASSWORD).context("the password is too long")?;
    let hash = password::hash(&password, &[7; 16], PasswordCost::FLOOR)?;
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let stores = home.open().await?;
        let now = HeldClock::new().now();
        for number in 0..PEOPLE {
            let mut person = account(ACCOUNTS + number, now)?;
            person.password = Some(hash.clone());
            // There already, when another figure was first.
            stores.accounts.add(person).await?;
        }
        anyhow::Ok(stores.upkeep.close().await?)
    })
}

/// Signs in until it is told to stop.
pub(super) struct SharedBucket {
    shared: Arc<Shared>,
    people: Vec<JoinHandle<Result<()>>>,
}

#[derive(Default)]
struct Shared {
    stop: AtomicBool,
    attempts: AtomicU64,
    entered: AtomicU64,
    sent_away: AtomicU64,
}

impl SharedBucket {
    pub(super) fn gather(server: SocketAddr) -> Self {
        let shared = Arc::new(Shared::default());
        let person = |number| {
            let shared = Arc::clone(&shared);
            std::thread::spawn(move || shared.sign_in_again_and_again(server, number))
        };
        Self { people: (0..PEOPLE).map(person).collect(), shared }
    }

    /// Logins that succeeded so far.
    pub(super) fn entered(&self) -> u64 {
        self.shared.entered.load(Ordering::Relaxed)
    }

    /// Logins that were told to come back so far, for there were too many.
    pub(super) fn sent_away(&self) -> u64 {
        self.shared.sent_away.load(Ordering::Relaxed)
    }

    /// Waits for the last answers, and says whether each was one of the two.
    pub(super) fn disperse(self) -> Result<()> {
        self.shared.stop.store(true, Ordering::Relaxed);
        for person in self.people {
            person.join().map_err(|_| anyhow!("a client panicked"))??;
        }
        Ok(())
    }
}

impl Shared {
    fn sign_in_again_and_again(&self, server: SocketAddr, number: u64) -> Result<()> {
        let name = identifier(ACCOUNTS + number);
        while !self.stop.load(Ordering::Relaxed) {
            let attempt = self.attempts.fetch_add(1, Ordering::Relaxed);
            match status(server, &request(&name, attempt))?.as_str() {
                "200" => self.entered.fetch_add(1, Ordering::Relaxed),
                "503" => self.sent_away.fetch_add(1, Ordering::Relaxed),
                other => bail!("a login was answered with {other}"),
            };
        }
        Ok(())
    }
}

/// Each attempt comes from an address prefix of its own, as a crowd's do: one prefix has twenty attempts a minute.
fn request(name: &str, attempt: u64) -> Vec<u8> {
    let [.., high, middle, low] = attempt.to_be_bytes();
    let body = format!(r#"{{"identifier":"{name}","password":"{PASSWORD}","deliver":"body"}}"#);
    format!(
        "POST /auth/api/v1/login HTTP/1.1\r\nHost: app.example.com\r\nX-Forwarded-For: {}.{middle}.{low}.1\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        11 + high,
        body.len()
    )
    .into_bytes()
}

fn status(server: SocketAddr, request: &[u8]) -> Result<String> {
    let mut stream = TcpStream::connect(server)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(request)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).context("a login was not answered")?;
    let head = answer.get(..12).context("a login was answered with less than a status")?;
    Ok(String::from_utf8_lossy(head).trim_start_matches("HTTP/1.1 ").to_owned())
}
