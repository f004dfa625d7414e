//! A program that was started by a test. It ends with this value, by its own process id; what it said is shown when the test fails.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

pub(crate) use rustix::process::Signal;
use rustix::process::{Pid, kill_process};

/// How long a program may take to do what it is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Running {
    name: &'static str,
    child: Child,
    log: PathBuf,
}

impl Running {
    /// Starts a program; all it says goes to `log`.
    pub(crate) fn start(name: &'static str, mut command: Command, log: PathBuf) -> Self {
        let out = File::options().create(true).append(true).open(&log).unwrap();
        let child = command
            .stdin(Stdio::null())
            .stdout(out.try_clone().unwrap())
            .stderr(out)
            .spawn()
            .unwrap_or_else(|error| panic!("{name} cannot be started: {error}"));
        Self { name, child, log }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// All it said so far.
    pub(crate) fn logged(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// Waits until it has said `text`, and returns that line.
    #[track_caller]
    pub(crate) fn wait_for(&mut self, text: &str) -> String {
        let began = Instant::now();
        loop {
            // Whole lines only: the end of what is being written may be missing.
            let logged = self.logged();
            let whole = &logged[..logged.rfind('\n').map_or(0, |at| at + 1)];
            if let Some(line) = whole.lines().rev().find(|line| line.contains(text)) {
                return line.to_owned();
            }
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "{} ended ({ended:?}) without {text:?}:\n{logged}", self.name);
            assert!(began.elapsed() < PATIENCE, "{} never said {text:?}:\n{logged}", self.name);
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let id = Pid::from_child(&self.child);
        kill_process(id, signal).unwrap_or_else(|error| panic!("{}: {error}", self.name));
    }

    /// Asks it to end, and waits.
    pub(crate) fn end(&mut self) -> ExitStatus {
        self.signal(Signal::TERM);
        self.ended().unwrap_or_else(|| panic!("{} does not end:\n{}", self.name, self.logged()))
    }

    /// Ends it where it stands.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for its end.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.ended_within(PATIENCE)
    }

    /// The same for one that takes its time.
    pub(crate) fn ended_within(&mut self, patience: Duration) -> Option<ExitStatus> {
        let began = Instant::now();
        while began.elapsed() < patience {
            if let Some(status) = self.child.try_wait().unwrap() {
                return Some(status);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        None
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let logged = self.logged();
            let start = logged.char_indices().rev().nth(4000).map_or(0, |(at, _)| at);
            eprintln!("--- {} said:\n{}", self.name, &logged[start..]);
        }
        if !matches!(self.child.try_wait(), Ok(None)) {
            return;
        }
        // Gently first: nginx and chromedriver have children of their own to end.
        let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(5) {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
