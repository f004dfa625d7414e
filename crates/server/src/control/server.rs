//! The running server's end of the control socket. In: connections from commands of the same account. Out: one answer each.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use super::{Answer, Ask, Line, MAX_ASK, VERSION};
use crate::operator::Operator;

/// A command asks one thing and is gone.
const PATIENCE: Duration = Duration::from_secs(30);

/// The socket; its file goes when it is dropped.
pub(crate) struct ControlSocket {
    listener: UnixListener,
    path: PathBuf,
}

impl ControlSocket {
    /// Opens the socket. The caller holds the store's lock, so a file that is there is a dead server's and is replaced.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        match fs::remove_file(path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error).with_context(|| format!("cannot replace {}", path.display())),
        }
        // Its folder has mode 0700, so nobody else reaches it in the moment before its own mode is set.
        let listener = UnixListener::bind(path)
            .with_context(|| format!("cannot open the control socket {}", path.display()))?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600))
            .with_context(|| format!("cannot close {} to others", path.display()))?;
        Ok(Self { listener, path: path.to_owned() })
    }

    /// Answers until `stop`.
    pub(crate) async fn serve(self, operator: Arc<Operator>, stop: CancellationToken) {
        loop {
            let accepted = tokio::select! {
                accepted = self.listener.accept() => accepted,
                () = stop.cancelled() => return,
            };
            match accepted {
                Ok((stream, _)) => {
                    let operator = Arc::clone(&operator);
                    tokio::spawn(async move {
                        let answered = tokio::time::timeout(PATIENCE, answer(stream, &operator)).await;
                        if let Err(error) = answered.map_err(anyhow::Error::from).flatten() {
                            tracing::warn!(error = %error, "a command on the control socket got no answer");
                        }
                    });
                }
                Err(error) => {
                    tracing::error!(error = %error, "the control socket cannot accept");
                    tokio::time::sleep(Duration::from_millis(500)).await;
                }
            }
        }
    }
}

impl Drop for ControlSocket {
    fn drop(&mut self) {
        fs::remove_file(&self.path).ok();
    }
}

async fn answer(stream: UnixStream, operator: &Operator) -> Result<()> {
    let mut stream = BufReader::new(stream);
    let mut line = Zeroizing::new(Vec::new());
    (&mut stream).take(MAX_ASK as u64 + 1).read_until(b'\n', &mut line).await?;
    if line.is_empty() {
        // Somebody looked whether we are here.
        return Ok(());
    }
    let answer = if line.len() > MAX_ASK {
        Answer::Refused { what: format!("the request is longer than {MAX_ASK} bytes") }
    } else {
        match serde_json::from_slice::<Line<Ask>>(&line) {
            Ok(Line { version: VERSION, body }) => operator.answer(body).await,
            _ => Answer::Refused {
                what: "the running server is of another version; use its own `vestibule`, or restart it"
                    .into(),
            },
        }
    };
    let mut text = serde_json::to_vec(&Line { version: VERSION, body: answer })?;
    text.push(b'\n');
    stream.write_all(&text).await?;
    stream.shutdown().await?;
    Ok(())
}
