//! The machine's clock behind core's port: the one place where it is read.

use std::time::SystemTime;

use vestibule_core::Timestamp;
use vestibule_core::port::Clock;

/// The operating system's clock, UTC.
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        #[expect(clippy::disallowed_methods, reason = "this is the port's implementation")]
        let now = SystemTime::now();
        // A clock before 1970 counts as 1970: a step back like any other, which ends nothing and moves nobody's end.
        let since = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }
}
