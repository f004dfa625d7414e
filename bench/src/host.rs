//! The machine: time, randomness, memory, processor time. In: the operating system. Out: core's ports, and numbers from `/proc`.

use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, ensure};
use vestibule_core::port::{Clock, Entropy};
use vestibule_core::{Fault, Timestamp};

/// Reads the machine's clock each time, for that is part of the cost, and tells a time that stands still: no minute
/// comes to its end and no JWT to its renewal in the middle of a measurement.
pub(crate) struct HeldClock {
    millis: AtomicU64,
    /// Keeps the reading from being optimised away.
    read: AtomicU64,
}

impl HeldClock {
    pub(crate) fn new() -> Self {
        Self { millis: AtomicU64::new(machine_millis()), read: AtomicU64::new(0) }
    }

    pub(crate) fn step(&self, span: Duration) {
        let millis = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        self.millis.fetch_add(millis, Ordering::Relaxed);
    }
}

impl Clock for HeldClock {
    fn now(&self) -> Timestamp {
        self.read.store(machine_millis(), Ordering::Relaxed);
        Timestamp::from_millis(self.millis.load(Ordering::Relaxed))
    }
}

fn machine_millis() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "this is the port's implementation")]
    let now = SystemTime::now();
    let since = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// The operating system's generator.
pub(crate) struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), Fault> {
        #[expect(clippy::disallowed_methods, reason = "this is the port's implementation")]
        getrandom::fill(buffer).map_err(|error| Fault::unavailable("the random generator", error.to_string()))
    }
}

/// Lets everything else go first, from now on and as far as the program's hashing threads do: this thread alone.
pub(crate) fn step_back() -> Result<()> {
    rustix::process::nice(10).context("the priority of a thread could not be lowered")?;
    Ok(())
}

/// Resident memory of this process in bytes.
pub(crate) fn resident() -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS in /proc")?;
    let kilobytes: u64 = line.split_whitespace().next().context("VmRSS is empty")?.parse()?;
    Ok(kilobytes * 1024)
}

/// Processor time that all threads of a process have used, in nanoseconds. `utime` and `stime` count in hundredths of
/// a second; the scheduler's own account is exact.
pub(crate) fn processor_time(process: u32) -> Result<u64> {
    let mut sum = 0;
    for task in fs::read_dir(format!("/proc/{process}/task"))? {
        let account = fs::read_to_string(task?.path().join("schedstat"))
            .context("the kernel keeps no account of processor time (CONFIG_SCHED_INFO)")?;
        let nanoseconds = account.split_whitespace().next().context("schedstat is empty")?;
        sum += nanoseconds.parse::<u64>()?;
    }
    ensure!(sum > 0, "the kernel counts no processor time for process {process}");
    Ok(sum)
}
