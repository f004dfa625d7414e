//! What an account allows: some attempts at once, then waits that grow, and after a hundred in a row one a day.
//! In: what is remembered of the attempts so far, and `now`. Out: the same with one more, or how long to wait.

use std::time::Duration;

use super::was_set_back;
use crate::time::Timestamp;

/// What is remembered of one account's failed logins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountCounter {
    /// Attempts in a row without success, those under way included.
    pub failures: u32,
    /// No attempt is evaluated before this.
    pub not_before: Timestamp,
    /// The last attempt counted.
    pub counted_at: Timestamp,
}

/// Attempts that cost no wait.
pub const FREE_ATTEMPTS: u32 = 5;
/// The longest wait between two attempts on one account.
pub const LONGEST_WAIT: Duration = Duration::from_secs(15 * 60);
/// Attempts in a row without success after which guessing is pointless (SP 800-63B section 3.2.2): from then on the wait is
/// [`HARD_WAIT`], until one succeeds.
pub const HARD_STOP: u32 = 100;
/// The wait between attempts once [`HARD_STOP`] is reached. It holds for the owner, too, as long as somebody keeps guessing;
/// sessions that are open stay open.
pub const HARD_WAIT: Duration = Duration::from_secs(24 * 60 * 60);
/// What is remembered of an account that was not tried for this long may be forgotten, unless [`HARD_STOP`] was reached: patience must
/// not reset the count. Only a sweep by a clock that has gone steadily forgets: a clock that is ahead for a moment resets no count.
pub const FORGET_AFTER: Duration = Duration::from_secs(48 * 60 * 60);

impl AccountCounter {
    /// Nothing remembered.
    pub const FRESH: Self = Self { failures: 0, not_before: Timestamp::EPOCH, counted_at: Timestamp::EPOCH };

    /// Counts one attempt, or says how long to wait. Five attempts are free; then the wait is 1 s and doubles to 15 min.
    pub fn count(self, now: Timestamp) -> Result<Self, Duration> {
        self.counted(now, wait_after)
    }

    /// The same for many tallies together, each of which has its own waits: there is none but at the stop.
    pub fn count_together(self, now: Timestamp) -> Result<Self, Duration> {
        self.counted(now, |failures| if failures >= HARD_STOP { HARD_WAIT } else { Duration::ZERO })
    }

    fn counted(self, now: Timestamp, wait_after: impl Fn(u32) -> Duration) -> Result<Self, Duration> {
        let is_set_back = was_set_back(now, self.counted_at);
        let now = if is_set_back { now } else { now.max(self.counted_at) };
        if now < self.not_before && !is_set_back {
            return Err(self.not_before.since(now));
        }
        let failures = self.failures.saturating_add(1);
        Ok(Self { failures, not_before: now.after(wait_after(failures)), counted_at: now })
    }

    /// Takes back an attempt that was counted at this moment but never evaluated (the hasher was full): it cost the guesser nothing.
    pub fn give_back(self, counted_at: Timestamp) -> Self {
        // It was allowed when it was counted, so no wait was due then. A wait that a later attempt is owed stays.
        let not_before = if self.counted_at == counted_at { counted_at } else { self.not_before };
        Self { failures: self.failures.saturating_sub(1), not_before, counted_at: self.counted_at }
    }
}

fn wait_after(failures: u32) -> Duration {
    if failures >= HARD_STOP {
        return HARD_WAIT;
    }
    match failures.checked_sub(FREE_ATTEMPTS) {
        None => Duration::ZERO,
        Some(over) => Duration::from_secs(1_u64.checked_shl(over).unwrap_or(u64::MAX)).min(LONGEST_WAIT),
    }
}
