//! How many guesses a login may cost: pure bookkeeping over what a store remembers for an account, a source and all strangers together.
//! In: the remembered tally and `now`. Out: the new tally, or how long to wait. An attempt is counted *before* the password
//! is looked at, so that any number of parallel guesses cannot evaluate more than the budget.

use std::time::Duration;

use crate::time::Timestamp;

/// What is remembered of one account's failed logins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountTally {
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
/// An account nobody tried for this long starts afresh, unless [`HARD_STOP`] was reached: patience must not reset the count.
pub const FORGET_AFTER: Duration = Duration::from_secs(48 * 60 * 60);

impl AccountTally {
    /// Nothing remembered.
    pub const FRESH: Self = Self { failures: 0, not_before: Timestamp::EPOCH, counted_at: Timestamp::EPOCH };

    /// Counts one attempt, or says how long to wait. Five attempts are free; then the wait is 1 s and doubles to 15 min.
    pub fn count(self, now: Timestamp) -> Result<Self, Duration> {
        let is_forgotten = self.failures < HARD_STOP && now.since(self.counted_at) >= FORGET_AFTER;
        let tally = if is_forgotten { Self::FRESH } else { self };
        // After the clock stepped back, what was written by the later clock would hold for as long as the step was wide.
        let clock_stepped_back = now < tally.counted_at;
        if now < tally.not_before && !clock_stepped_back {
            return Err(tally.not_before.since(now));
        }
        let failures = tally.failures.saturating_add(1);
        Ok(Self { failures, not_before: now.after(wait_after(failures)), counted_at: now })
    }

    /// Takes back an attempt that was counted but never evaluated (the hasher was full): it cost the guesser nothing.
    pub fn give_back(self) -> Self {
        // It was allowed when it was counted, so no wait was due then.
        Self {
            failures: self.failures.saturating_sub(1),
            not_before: self.counted_at,
            counted_at: self.counted_at,
        }
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

/// What is remembered of a source prefix (an IPv4 /24 or IPv6 /64), or of all strangers together: a bucket of attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// Attempts left, in thousandths.
    pub left: u32,
    /// When that was so.
    pub counted_at: Timestamp,
}

/// How much a bucket holds, and how it fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// Attempts at once.
    pub burst: u32,
    /// Attempts gained a minute.
    pub per_minute: u32,
}

/// What a source may.
pub const SOURCE: Allowance = Allowance { burst: 60, per_minute: 20 };
/// What all strangers may together: the breaker for guesses that come from everywhere and go to every account. A login that succeeds
/// gives back what it took, so that people who know their passwords do not use it up, however many they are.
pub const EVERYBODY: Allowance = Allowance { burst: 900, per_minute: 300 };

impl Allowance {
    /// How long an empty bucket takes to fill: what is remembered of one that is older says nothing.
    pub const fn full_after(self) -> Duration {
        Duration::from_secs((self.burst as u64 * 60).div_ceil(self.per_minute as u64))
    }

    const fn full(self) -> u32 {
        self.burst.saturating_mul(1000)
    }
}

impl Bucket {
    /// Nothing remembered: a full bucket.
    pub const fn full(allowance: Allowance) -> Self {
        Self { left: allowance.full(), counted_at: Timestamp::EPOCH }
    }

    /// Takes one attempt out, or says how long until there is one.
    pub fn count(self, allowance: Allowance, now: Timestamp) -> Result<Self, Duration> {
        let per_minute = allowance.per_minute;
        let gained = now.since(self.counted_at).as_millis().saturating_mul(u128::from(per_minute)) / 60;
        let gained = u32::try_from(gained).unwrap_or(u32::MAX);
        let left = self.left.saturating_add(gained).min(allowance.full());
        // After the clock stepped back the bucket fills by the new time from the next attempt on; this one is let through.
        let left = if now < self.counted_at { left.max(1000) } else { left };
        match left.checked_sub(1000) {
            Some(left) => Ok(Self { left, counted_at: now }),
            None => Err(Duration::from_millis(u64::from(1000 - left) * 60 / u64::from(per_minute))
                .max(Duration::from_millis(1))),
        }
    }

    /// Takes back an attempt that was never evaluated, or that is not held against anybody.
    pub fn give_back(self, allowance: Allowance) -> Self {
        Self { left: self.left.saturating_add(1000).min(allowance.full()), counted_at: self.counted_at }
    }
}

/// All that is remembered of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tallies {
    /// Of the account.
    pub account: AccountTally,
    /// Of the source, within [`SOURCE`].
    pub source: Bucket,
    /// Of all strangers, within [`EVERYBODY`]; `None` for an attempt by somebody who is known.
    pub everybody: Option<Bucket>,
}

impl Tallies {
    /// Counts one attempt against all, or against none and says how long the most patient of them waits.
    pub fn count(self, now: Timestamp) -> Result<Self, Duration> {
        let account = self.account.count(now);
        let source = self.source.count(SOURCE, now);
        let everybody = self.everybody.map(|it| it.count(EVERYBODY, now)).transpose();
        match (account, source, everybody) {
            (Ok(account), Ok(source), Ok(everybody)) => Ok(Self { account, source, everybody }),
            (account, source, everybody) => {
                let waits = [account.err(), source.err(), everybody.err()];
                Err(waits.into_iter().flatten().max().unwrap_or_default())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_unix_seconds(1_000_000 + seconds)
    }

    #[test]
    fn five_are_free_then_the_wait_doubles_to_a_quarter_of_an_hour() {
        let mut tally = AccountTally::FRESH;
        let mut now = at(0);
        for _ in 0..5 {
            tally = tally.count(now).unwrap();
        }
        for expected in [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900] {
            assert_eq!(tally.count(now), Err(Duration::from_secs(expected)));
            now = now.after(Duration::from_secs(expected));
            tally = tally.count(now).unwrap();
        }
    }

    #[test]
    fn a_hundred_in_a_row_slow_a_guesser_to_one_a_day_and_never_lock() {
        let tally = AccountTally { failures: 99, not_before: at(0), counted_at: at(0) };
        let tally = tally.count(at(0)).unwrap();
        assert_eq!(tally.count(at(1)), Err(HARD_WAIT - Duration::from_secs(1)));
        assert!(tally.count(at(24 * 60 * 60)).is_ok());
    }

    #[test]
    fn what_was_never_evaluated_costs_nothing() {
        let five = (0..5).fold(AccountTally::FRESH, |tally, _| tally.count(at(0)).unwrap());
        assert!(five.count(at(0)).is_err());
        assert_eq!(five.give_back().count(at(0)).unwrap().failures, 5);
        assert_eq!(full().count(SOURCE, at(0)).unwrap().give_back(SOURCE).left, full().left);
    }

    #[test]
    fn a_source_has_sixty_at_once_and_twenty_a_minute() {
        let mut tally = full();
        for _ in 0..60 {
            tally = tally.count(SOURCE, at(0)).unwrap();
        }
        assert_eq!(tally.count(SOURCE, at(0)), Err(Duration::from_secs(3)));
        assert!(tally.count(SOURCE, at(3)).is_ok());
        let mut later = tally;
        for _ in 0..20 {
            later = later.count(SOURCE, at(60)).unwrap();
        }
        assert!(later.count(SOURCE, at(60)).is_err());
    }

    /// AU-05: the breaker slows all strangers to five attempts a second, and whoever is known is not asked about it.
    #[test]
    fn the_breaker_slows_strangers_and_nobody_else() {
        let fresh = |everybody| Tallies { account: AccountTally::FRESH, source: full(), everybody };
        let mut everybody = Some(Bucket::full(EVERYBODY));
        for _ in 0..EVERYBODY.burst {
            everybody = fresh(everybody).count(at(0)).unwrap().everybody;
        }
        assert_eq!(fresh(everybody).count(at(0)), Err(Duration::from_millis(200)));
        assert!(fresh(None).count(at(0)).is_ok());
        let after = at(0).after(Duration::from_millis(200));
        let spent = fresh(everybody).count(after).unwrap();
        assert!(fresh(spent.everybody).count(after).is_err());
        assert_eq!(fresh(Some(Bucket::full(EVERYBODY))).count(at(0)).unwrap().account.failures, 1);
    }

    fn full() -> Bucket {
        Bucket::full(SOURCE)
    }

    #[test]
    fn a_clock_step_back_lets_one_attempt_through_and_then_counts_on() {
        let tally = AccountTally { failures: 7, not_before: at(86_400), counted_at: at(86_396) };
        let tally = tally.count(at(0)).unwrap();
        assert_eq!((tally.failures, tally.count(at(0))), (8, Err(Duration::from_secs(8))));
        let bucket = Bucket { left: 0, counted_at: at(3600) }.count(SOURCE, at(0)).unwrap();
        assert_eq!(bucket.count(SOURCE, at(0)), Err(Duration::from_secs(3)));
        assert!(bucket.count(SOURCE, at(3)).is_ok());
    }

    #[test]
    fn an_attempt_that_was_given_back_owes_no_wait() {
        let due = AccountTally { failures: 14, not_before: at(0), counted_at: at(0) };
        let back = due.count(at(0)).unwrap().give_back();
        assert_eq!((back.failures, back.count(at(0)).unwrap().failures), (14, 15));
    }

    #[test]
    fn patience_does_not_reset_a_count_that_reached_the_stop() {
        let year = 365 * 24 * 60 * 60;
        let stopped = AccountTally { failures: 100, not_before: at(0), counted_at: at(0) };
        assert_eq!(stopped.count(at(year)).unwrap().failures, 101);
        let below = AccountTally { failures: 99, not_before: at(0), counted_at: at(0) };
        assert_eq!(below.count(at(year)).unwrap().failures, 1);
    }
}
