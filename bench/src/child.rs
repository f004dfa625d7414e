//! Child processes: this program again, with a hidden option. In: arguments. Out: what the child says first, and a process that ends
//! when it is let go.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};

use anyhow::{Context, Result};

/// A child process that is ended and waited for when dropped.
pub(crate) struct Started(Child);

impl Started {
    /// Starts this program with one worker thread, should it use a runtime that has many.
    pub(crate) fn own(arguments: &[&OsStr]) -> Result<(Self, Lines<ChildStdout>)> {
        let program = std::env::current_exe()?;
        let mut command = Command::new(program);
        command.args(arguments).env("TOKIO_WORKER_THREADS", "1");
        let mut child = command.stdout(Stdio::piped()).spawn()?;
        let lines = Lines(BufReader::new(child.stdout.take().context("no pipe")?));
        Ok((Self(child), lines))
    }

    /// Starts another program, of which stderr is read.
    pub(crate) fn other(command: &mut Command) -> Result<(Self, Lines<ChildStderr>)> {
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        let lines = Lines(BufReader::new(child.stderr.take().context("no pipe")?));
        Ok((Self(child), lines))
    }

    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        // Gone already is as good.
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// What a child says, line by line.
pub(crate) struct Lines<R>(BufReader<R>);

impl<R: std::io::Read> Lines<R> {
    pub(crate) fn next(&mut self) -> Result<String> {
        let mut line = String::new();
        self.0.read_line(&mut line)?;
        anyhow::ensure!(!line.is_empty(), "the child process ended without a word");
        Ok(line.trim_end().to_owned())
    }
}
