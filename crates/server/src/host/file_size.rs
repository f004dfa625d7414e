//! Files that reach a limit of size (`ulimit -f`). In: nothing. Out: a write that fails with an error (EFBIG).

use std::io;

use rustix::process::Signal;
use tokio::signal::unix::{SignalKind, signal};

/// Has a write beyond the limit fail. By default SIGXFSZ ends the program in the middle of what it does, and nothing is undone.
pub(crate) fn fail_by_error() -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let _entered = runtime.enter();
    // A signal that was received once is received until the program ends; nothing has to be done at its arrival.
    signal(SignalKind::from_raw(Signal::XFSZ.as_raw())).map(drop)
}
