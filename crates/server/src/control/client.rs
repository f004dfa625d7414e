//! A command's end: asks the running server, or does the work itself when none runs. In: settings and a question. Out: the answer.

use std::error::Error;
use std::io;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use vestibule_core::Fault;
use zeroize::Zeroizing;

use super::address::Address;
use super::{Answer, Ask, Line, MAX_ANSWER, VERSION, peer};
use crate::assemble::App;
use crate::config::{Settings, Source};
use crate::operator::Operator;
use crate::secrets::Unchecked;

const PATIENCE: Duration = Duration::from_secs(30);

/// Whoever answers.
pub(crate) enum Desk {
    /// No server runs: the store itself, opened for this command.
    Here(Operator),
    /// The running server.
    There(Box<Settings>),
}

impl Desk {
    /// Finds the running server, or opens the store that `source` leads to. It makes none: a command in the wrong folder would otherwise
    /// work on an empty one.
    pub(crate) async fn find(settings: Settings, source: &Source) -> Result<Self> {
        match connect(&settings).await {
            Ok(_) => Ok(Self::There(Box::new(settings))),
            Err(error)
                if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) =>
            {
                refuse_without_store(&settings, source)?;
                let app = App::open(settings, Unchecked::Leave).await?;
                Ok(Self::Here(Operator::new(app)))
            }
            Err(error) => Err(error).with_context(|| {
                format!("cannot reach the running server by {}", settings.control_socket().display())
            }),
        }
    }

    /// The store that was opened for this command; none where the running server answers.
    pub(crate) fn store(&self) -> Option<String> {
        match self {
            Self::Here(operator) => Some(operator.app().settings.store.place()),
            Self::There(_) => None,
        }
    }

    /// Asks one thing. A server that is gone, or does not answer, is a fault: whether it did what was asked cannot be told.
    pub(crate) async fn ask(&self, ask: Ask) -> Result<Answer> {
        match self {
            Self::Here(operator) => Ok(operator.answer(ask).await),
            Self::There(settings) => match tokio::time::timeout(PATIENCE, over_socket(settings, ask)).await {
                Ok(answer) => answer,
                Err(_) => {
                    Err(lost("it has not answered for 30 seconds, and goes on with what it was asked").into())
                }
            },
        }
    }

    /// Closes the store if it was opened here.
    pub(crate) async fn close(self) -> Result<()> {
        match self {
            Self::Here(operator) => Ok(operator.app().stores.upkeep.close().await?),
            Self::There(_) => Ok(()),
        }
    }
}

fn refuse_without_store(settings: &Settings, source: &Source) -> Result<()> {
    if !settings.store.is_missing() {
        return Ok(());
    }
    let database = settings.store.place();
    match source.file() {
        Some(file) => bail!(
            "there is no store {database}, which {} leads to; `vestibule serve` makes it, and so does `vestibule init`",
            file.display()
        ),
        None => bail!(
            "there is no store {database}, and no configuration was named that leads to another: give --config FILE, or begin with \
             `vestibule init`"
        ),
    }
}

async fn over_socket(settings: &Settings, ask: Ask) -> Result<Answer> {
    let mut text = Zeroizing::new(serde_json::to_vec(&Line { version: VERSION, body: ask })?);
    text.push(b'\n');
    let line = exchange(settings, &text).await.map_err(lost)?;
    if line.len() > MAX_ANSWER {
        bail!("the running server's answer is longer than {MAX_ANSWER} bytes");
    }
    if line.is_empty() {
        return Err(lost("it ended before it answered; look whether it was done, or ask again").into());
    }
    match serde_json::from_slice(&line) {
        Ok(Line { version: VERSION, body }) => Ok(body),
        _ => bail!("the running server is of another version; use its own `vestibule`, or restart it"),
    }
}

async fn connect(settings: &Settings) -> io::Result<UnixStream> {
    let address = Address::of(&settings.control_socket())?;
    let stream = UnixStream::connect(address.path()).await?;
    peer::hold_server(&stream, settings)?;
    Ok(stream)
}

/// Sends a line and reads one.
async fn exchange(settings: &Settings, text: &[u8]) -> io::Result<Vec<u8>> {
    let mut stream = BufReader::new(connect(settings).await?);
    stream.write_all(text).await?;
    let mut line = Vec::new();
    (&mut stream).take(MAX_ANSWER as u64 + 1).read_until(b'\n', &mut line).await?;
    Ok(line)
}

fn lost(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Fault {
    Fault::unavailable("the running server", cause)
}
