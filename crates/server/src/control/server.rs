//! The running server's end of the control socket. In: connections from commands of the same account, or of root. Out: one answer each.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::fs::Mode;
use rustix::process::umask;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use zeroize::Zeroizing;

use super::address::Address;
use super::{Answer, Ask, Line, MAX_ASK, VERSION, peer};
use crate::operator::Operator;

/// A command asks one thing and is gone: so long it may take to ask, and to take its answer. What it asked for is done however long it
/// takes and whether or not anybody still waits for the answer, for half of it would be worse.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long the end of the program waits for what was begun.
const LAST_WORK: Duration = Duration::from_secs(4);

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
        // Others may enter its folder: it must be closed to them from its first moment. What another thread makes in that moment is closed
        // to others, too.
        let usual = umask(Mode::RWXG | Mode::RWXO);
        let bound = Address::of(path).and_then(|address| UnixListener::bind(address.path()));
        umask(usual);
        let listener = bound.with_context(|| format!("cannot open the control socket {}", path.display()))?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600))
            .with_context(|| format!("cannot close {} to others", path.display()))?;
        Ok(Self { listener, path: path.to_owned() })
    }

    /// Answers until `stop`, and finishes what was begun by then.
    pub(crate) async fn serve(self, operator: Arc<Operator>, stop: CancellationToken) {
        let commands = TaskTracker::new();
        loop {
            let accepted = tokio::select! {
                accepted = self.listener.accept() => accepted,
                () = stop.cancelled() => break,
            };
            match accepted {
                Ok((stream, _)) => {
                    let (operator, at_work) = (Arc::clone(&operator), commands.clone());
                    let held = peer::hold_command(&stream);
                    if let Err(error) = &held {
                        tracing::warn!(error = %error, "a command on the control socket is refused");
                    }
                    commands.spawn(async move {
                        let work = async move |ask| match held {
                            Ok(()) => operator.answer(ask).await,
                            Err(error) => Answer::Refused { what: error.to_string() },
                        };
                        if let Err(error) = attend(stream, PATIENCE, &at_work, work).await {
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
        commands.close();
        if tokio::time::timeout(LAST_WORK, commands.wait()).await.is_err() {
            tracing::warn!("some commands were not finished in time");
        }
    }
}

impl Drop for ControlSocket {
    fn drop(&mut self) {
        fs::remove_file(&self.path).ok();
    }
}

/// Reads one question, has it answered by a task of its own among `at_work`, and tells the answer.
async fn attend<F: Future<Output = Answer> + Send + 'static>(
    stream: UnixStream,
    patience: Duration,
    at_work: &TaskTracker,
    work: impl FnOnce(Ask) -> F,
) -> Result<()> {
    let mut stream = BufReader::new(stream);
    let Some(line) = timeout(patience, read_line(&mut stream)).await?? else {
        // Somebody looked whether we are here.
        return Ok(());
    };
    let answer = if line.len() > MAX_ASK {
        Answer::Refused { what: format!("the request is longer than {MAX_ASK} bytes") }
    } else {
        match serde_json::from_slice::<Line<Ask>>(&line) {
            Ok(Line { version: VERSION, body }) => at_work.spawn(work(body)).await?,
            _ => Answer::Refused {
                what: "the running server is of another version; use its own `vestibule`, or restart it"
                    .into(),
            },
        }
    };
    let mut text = serde_json::to_vec(&Line { version: VERSION, body: answer })?;
    text.push(b'\n');
    timeout(patience, async {
        stream.write_all(&text).await?;
        stream.shutdown().await
    })
    .await??;
    Ok(())
}

async fn read_line(stream: &mut BufReader<UnixStream>) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    let mut line = Zeroizing::new(Vec::new());
    stream.take(MAX_ASK as u64 + 1).read_until(b'\n', &mut line).await?;
    Ok(Some(line).filter(|line| !line.is_empty()))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    const HURRY: Duration = Duration::from_millis(100);
    const QUESTION: &[u8] = b"{\"version\":2,\"body\":{\"ask\":\"key-list\"}}\n";

    /// Asks for work that takes three times the patience; the socket, what came of the conversation, and whether the work was done.
    async fn ask_for_long_work(hangs_up: bool) -> (String, bool) {
        let (mut command, server) = UnixStream::pair().unwrap();
        command.write_all(QUESTION).await.unwrap();
        let (done, at_work) = (Arc::new(AtomicBool::new(false)), TaskTracker::new());
        let of_work = Arc::clone(&done);
        let work = async move |_| {
            tokio::time::sleep(3 * HURRY).await;
            of_work.store(true, Ordering::Relaxed);
            Answer::Done { ended: 7 }
        };
        let told = if hangs_up {
            drop(command);
            attend(server, HURRY, &at_work, work).await.ok();
            String::new()
        } else {
            attend(server, HURRY, &at_work, work).await.unwrap();
            let mut told = String::new();
            command.read_to_string(&mut told).await.unwrap();
            told
        };
        (told, done.load(Ordering::Relaxed))
    }

    #[tokio::test]
    async fn what_a_command_asked_for_is_done_however_long_it_takes() {
        let (told, is_done) = ask_for_long_work(false).await;
        assert!(is_done && told.contains("\"ended\":7"), "{told:?}");
        let (_, is_done) = ask_for_long_work(true).await;
        assert!(is_done, "half of it was done");
    }

    #[tokio::test]
    async fn who_does_not_ask_is_not_waited_for() {
        let (mut command, server) = UnixStream::pair().unwrap();
        command.write_all(&QUESTION[..10]).await.unwrap();
        let at_work = TaskTracker::new();
        let attended = attend(server, HURRY, &at_work, async |_| Answer::Done { ended: 0 });
        assert!(tokio::time::timeout(30 * HURRY, attended).await.is_ok_and(|attended| attended.is_err()));
    }
}
