//! A command's end: asks the running server, or does the work itself when none runs. In: settings and a question. Out: the answer.

use std::error::Error;
use std::io;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use vestibule_core::Fault;
use zeroize::Zeroizing;

use super::{Answer, Ask, Line, MAX_ANSWER, VERSION};
use crate::assemble::House;
use crate::config::Settings;
use crate::operator::Operator;

const PATIENCE: Duration = Duration::from_secs(30);

/// Whoever answers.
pub(crate) enum Desk {
    /// No server runs: the store itself, opened for this command.
    Here(Operator),
    /// The running server.
    There(Box<Settings>),
}

impl Desk {
    /// Finds the running server, or opens the store.
    pub(crate) async fn find(settings: Settings) -> Result<Self> {
        match UnixStream::connect(settings.control_socket()).await {
            Ok(_) => Ok(Self::There(Box::new(settings))),
            Err(error)
                if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) =>
            {
                let house = House::open(settings).await?;
                Ok(Self::Here(Operator::new(house)))
            }
            Err(error) => Err(error).with_context(|| {
                format!("cannot reach the running server by {}", settings.control_socket().display())
            }),
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
            Self::Here(operator) => Ok(operator.house().store.close().await?),
            Self::There(_) => Ok(()),
        }
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

/// Sends a line and reads one.
async fn exchange(settings: &Settings, text: &[u8]) -> io::Result<Vec<u8>> {
    let mut stream = BufReader::new(UnixStream::connect(settings.control_socket()).await?);
    stream.write_all(text).await?;
    let mut line = Vec::new();
    (&mut stream).take(MAX_ANSWER as u64 + 1).read_until(b'\n', &mut line).await?;
    Ok(line)
}

fn lost(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Fault {
    Fault::unavailable("the running server", cause)
}
