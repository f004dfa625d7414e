//! How fast one client may ask. In: who asks, and when. Out: whether that is slow enough, or how long to wait. In memory, for each process:
//! what is bounded is the work of this one.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::time::Duration;

use parking_lot::Mutex;

use crate::client::ClientId;
use crate::time::Timestamp;

/// The most clients that are remembered before those that say nothing are forgotten.
const TIDIED_AT: usize = 1024;

/// Who has asked how much. A client can ask a second's worth at once, and gains it back as time goes by.
pub struct Pace {
    per_second: NonZeroU32,
    asked: Mutex<HashMap<ClientId, Spent>>,
}

/// What a client has used of its second, in thousandths of a question.
struct Spent {
    thousandths: u64,
    counted_at: Timestamp,
}

impl Pace {
    /// So many questions a second, for each client alone.
    pub fn per_second(most: NonZeroU32) -> Self {
        Self { per_second: most, asked: Mutex::default() }
    }

    /// Counts one question, or says how long it is until there is room for one; that one does not count.
    pub fn count(&self, client: ClientId, now: Timestamp) -> Result<(), Duration> {
        let per_second = u64::from(self.per_second.get());
        let mut asked = self.asked.lock();
        if asked.len() >= TIDIED_AT && !asked.contains_key(&client) {
            // After a second all that was used is gained back. Nobody is here who did not prove who it is, so what stays is bounded by
            // the clients that there are.
            asked.retain(|_, spent| !spent.is_over(now));
        }
        let spent = asked.entry(client).or_insert(Spent { thousandths: 0, counted_at: now });
        // A clock that was set back gains nobody anything, and locks nobody out: time goes on from there.
        let gained = u64::try_from(now.since(spent.counted_at).as_millis()).unwrap_or(u64::MAX);
        let left = spent.thousandths.saturating_sub(gained.saturating_mul(per_second));
        spent.counted_at = now;
        spent.thousandths = left;
        match left.saturating_add(1000).checked_sub(per_second * 1000) {
            None | Some(0) => {
                spent.thousandths = left + 1000;
                Ok(())
            }
            Some(over) => Err(Duration::from_millis(over.div_ceil(per_second))),
        }
    }
}

impl Spent {
    fn is_over(&self, now: Timestamp) -> bool {
        now.since(self.counted_at) >= Duration::from_secs(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);

    fn at(millis: u64) -> Timestamp {
        START.after(Duration::from_millis(millis))
    }

    fn client(number: u32) -> ClientId {
        ClientId::from_bytes(u128::from(number).to_be_bytes())
    }

    fn pace(most: u32) -> Pace {
        Pace::per_second(NonZeroU32::new(most).unwrap())
    }

    #[test]
    fn a_second_holds_so_many_and_they_come_back_one_by_one() {
        let pace = pace(1000);
        for _ in 0..1000 {
            pace.count(client(1), START).unwrap();
        }
        assert_eq!(pace.count(client(1), START), Err(Duration::from_millis(1)));
        pace.count(client(2), START).unwrap();
        pace.count(client(1), at(1)).unwrap();
        pace.count(client(1), at(1)).unwrap_err();
        // However long it was quiet, it is a second's worth.
        let later = at(60_000);
        assert_eq!((0..2000).filter(|_| pace.count(client(1), later).is_ok()).count(), 1000);
    }

    #[test]
    fn over_any_time_it_is_not_faster_than_it_may_be() {
        let pace = pace(7);
        let taken = (0..10_000).filter(|step| pace.count(client(1), at(*step)).is_ok()).count();
        assert_eq!(taken, 7 + 7 * 10 - 1);
        let Err(wait) = pace.count(client(1), at(10_000 - 1)) else { panic!("there is room") };
        assert!(pace.count(client(1), at(10_000 - 1).after(wait)).is_ok(), "{wait:?}");
    }

    #[test]
    fn a_clock_that_is_set_back_locks_nobody_out() {
        let pace = pace(1);
        pace.count(client(1), at(3_600_000)).unwrap();
        assert_eq!(pace.count(client(1), START), Err(Duration::from_secs(1)));
        pace.count(client(1), at(1000)).unwrap();
    }

    #[test]
    fn what_says_nothing_is_forgotten() {
        let pace = pace(1);
        let most = u32::try_from(TIDIED_AT).unwrap();
        for number in 0..most {
            pace.count(client(number), START).unwrap();
        }
        pace.count(client(most), at(1000)).unwrap();
        assert_eq!(pace.asked.lock().len(), 1);
        pace.count(client(0), at(1000)).unwrap();
    }
}
