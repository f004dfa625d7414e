//! How much is said to callers that prove nothing. In: failures, by source. Out: whether one more is answered as such, or told
//! to wait. In memory, for each process: nothing can be guessed by more tries, so there is nothing to share.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use parking_lot::Mutex;

use crate::throttle::{Allowance, Bucket, FULL_AFTER, prefix_of};
use crate::time::Timestamp;

/// Failures from one source, whichever clients they name: were those counted apart that there are, the answer would tell which there are.
const EACH: Allowance = Allowance::per_minute(60);
/// The most buckets that are remembered. Those for whom there is no room share one.
const MOST: usize = 4096;
/// While there is no room, it is looked for this often.
const TIDIED_EVERY: Duration = Duration::from_secs(1);

#[derive(Default)]
pub(super) struct Failures(Mutex<Book>);

#[derive(Default)]
struct Book {
    buckets: HashMap<[u8; 7], Bucket>,
    rest: Option<Bucket>,
    tidied_at: Option<Timestamp>,
}

impl Failures {
    /// Counts one, or says how long it is until the next one counts.
    pub(super) fn count(&self, source: Option<IpAddr>, now: Timestamp) -> Result<(), Duration> {
        let whose = source.map_or([0; 7], prefix_of);
        let mut book = self.0.lock();
        let Book { buckets, rest, tidied_at } = &mut *book;
        let is_due = tidied_at.is_none_or(|at| now.since(at) >= TIDIED_EVERY);
        if buckets.len() >= MOST && is_due {
            // Those that are full again say nothing.
            buckets.retain(|_, bucket| now.since(bucket.counted_at) < FULL_AFTER);
            *tidied_at = Some(now);
        }
        let is_known = buckets.contains_key(&whose);
        let bucket = if is_known || buckets.len() < MOST {
            buckets.entry(whose).or_insert(Bucket::full(EACH))
        } else {
            rest.get_or_insert(Bucket::full(EACH))
        };
        *bucket = bucket.count(EACH, now)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);

    #[test]
    fn each_source_has_its_own() {
        let failures = Failures::default();
        let (here, there) = (Some([192, 0, 2, 1].into()), Some([198, 51, 100, 1].into()));
        for _ in 0..EACH.burst() {
            failures.count(here, START).unwrap();
        }
        assert_eq!(failures.count(here, START), Err(Duration::from_secs(1)));
        for source in [there, None] {
            failures.count(source, START).unwrap();
        }
        failures.count(here, START.after(Duration::from_secs(1))).unwrap();
        failures.count(here, START.after(Duration::from_secs(1))).unwrap_err();
    }

    #[test]
    fn whoever_comes_from_everywhere_makes_no_more_buckets_than_there_are_places() {
        let failures = Failures::default();
        let from = |number: u32| Some(IpAddr::from((number << 8).to_be_bytes()));
        let most = u32::try_from(MOST).unwrap();
        for number in 0..most {
            failures.count(from(number), START).unwrap();
        }
        let more = (most..10 * most).filter(|number| failures.count(from(*number), START).is_ok());
        assert_eq!(more.count(), EACH.burst() as usize);
        assert_eq!(failures.0.lock().buckets.len(), MOST);
        failures.count(from(0), START).unwrap();
        // Time makes room.
        failures.count(from(most), START.after(FULL_AFTER)).unwrap();
        assert_eq!(failures.0.lock().buckets.len(), 1);
    }
}
