//! What a source or a crowd allows: a bucket of attempts that fills as time goes by.
//! In: what was left and when, and `now`. Out: the same with one attempt less, or how long until there is one.

use std::time::Duration;

use super::was_set_back;
use crate::time::Timestamp;

/// What is remembered of a source prefix, or of a crowd together: a bucket of attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// Attempts left, in thousandths.
    pub left: u32,
    /// When that was so.
    pub counted_at: Timestamp,
}

/// How a bucket fills, and how much it holds: three minutes' worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance(u32);

const MINUTES_HELD: u32 = 3;

/// How long an empty bucket takes to fill, whoever's it is: what is remembered of one that is older says nothing.
pub const FULL_AFTER: Duration = Duration::from_secs(60 * MINUTES_HELD as u64);

impl Allowance {
    /// So many attempts gained a minute, at least one, and three times as many at once.
    pub const fn per_minute(attempts: u32) -> Self {
        Self(if attempts == 0 { 1 } else { attempts })
    }

    /// Attempts at once.
    pub const fn burst(self) -> u32 {
        self.0.saturating_mul(MINUTES_HELD)
    }

    /// How long it takes to gain so many thousandths of an attempt.
    fn gains(self, thousandths: u32) -> Duration {
        Duration::from_millis(u64::from(thousandths) * 60 / u64::from(self.0)).max(Duration::from_millis(1))
    }

    const fn full(self) -> u32 {
        self.burst().saturating_mul(1000)
    }
}

impl Bucket {
    /// Nothing remembered: a full bucket.
    pub const fn full(allowance: Allowance) -> Self {
        Self { left: allowance.full(), counted_at: Timestamp::EPOCH }
    }

    /// Takes one attempt out, or says how long until there is one.
    pub fn count(self, allowance: Allowance, now: Timestamp) -> Result<Self, Duration> {
        let Allowance(per_minute) = allowance;
        let is_set_back = was_set_back(now, self.counted_at);
        let now = if is_set_back { now } else { now.max(self.counted_at) };
        let gained = now.since(self.counted_at).as_millis().saturating_mul(u128::from(per_minute)) / 60;
        let gained = u32::try_from(gained).unwrap_or(u32::MAX);
        let left = self.left.saturating_add(gained).min(allowance.full());
        // After the clock was set back the bucket fills by the new time from the next attempt on; this one is let through.
        let left = if is_set_back { left.max(1000) } else { left };
        match left.checked_sub(1000) {
            Some(left) => Ok(Self { left, counted_at: now }),
            None => Err(Duration::from_millis(u64::from(1000 - left) * 60 / u64::from(per_minute))
                .max(Duration::from_millis(1))),
        }
    }

    /// Whether one attempt may be taken out where so many have to be left, or how long until then; takes none.
    pub(super) fn leaves(self, room: u32, allowance: Allowance, now: Timestamp) -> Result<(), Duration> {
        if was_set_back(now, self.counted_at) {
            // What is taken next counts by the new time.
            return Ok(());
        }
        let room = room.saturating_mul(1000);
        let left = match self.count(allowance, now) {
            Ok(counted) => counted.left,
            Err(wait) => return Err(wait.saturating_add(allowance.gains(room))),
        };
        match room.checked_sub(left) {
            None | Some(0) => Ok(()),
            Some(missing) => Err(allowance.gains(missing)),
        }
    }

    /// Takes back an attempt that was never evaluated, or that is not held against anybody.
    pub fn give_back(self, allowance: Allowance) -> Self {
        Self { left: self.left.saturating_add(1000).min(allowance.full()), counted_at: self.counted_at }
    }

    /// How long ago its last attempt was; `None` where nobody can know, as the clock was set back.
    pub(super) fn since_last(self, now: Timestamp) -> Option<Duration> {
        (!was_set_back(now, self.counted_at)).then(|| now.since(self.counted_at))
    }
}
