//! How fast one client may ask. In: who asks about which token, and when; and then whether the token was good. Out: whether that is slow
//! enough, or how long to wait. In memory, for each process: what is bounded is the work of this one.
//!
//! Tokens that prove themselves, and tokens that were good a moment ago, are counted apart from all others. A client asks on behalf of
//! strangers: made-up tokens use up only what is there for unproven tokens.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::num::NonZeroU32;
use std::time::Duration;

use parking_lot::Mutex;

use crate::client::ClientId;
use crate::time::Timestamp;

/// The most clients that are remembered before those that say nothing are forgotten.
const TIDIED_AT: usize = 1024;
/// The most tokens in each of the two generations that are remembered as good. When the newer one is full, the older one is forgotten.
const REMEMBERED: usize = 16 * 1024;

/// Who has asked how much. A client can ask a second's worth at once, and gains it back as time goes by.
pub struct Pace {
    per_second: NonZeroU32,
    asked: Mutex<HashMap<ClientId, Asked>>,
    /// Names are hashes under a key of this process: no client can choose a token that has the name of a good one.
    names: RandomState,
    good: Mutex<Good>,
}

/// Whether a token proves by itself that it was issued here, before any store is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// It does: a stranger cannot make it up.
    Issued,
    /// It does not.
    Missing,
}

/// A question that was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question {
    client: ClientId,
    name: u64,
    counted_as: CountedAs,
}

/// Which questions a question is counted with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CountedAs {
    /// Those about tokens that are proven or were good before.
    Good,
    /// All others.
    Other,
}

#[derive(Default)]
struct Asked {
    /// About tokens that are proven, or were good when they were asked about last.
    good: Spent,
    /// About all others.
    others: Spent,
}

/// What a client has used of its second, in thousandths of a question.
#[derive(Default)]
struct Spent {
    thousandths: u64,
    counted_at: Option<Timestamp>,
}

/// Names of tokens that were good, in two generations.
#[derive(Default)]
struct Good {
    lately: HashSet<u64>,
    before: HashSet<u64>,
}

impl Pace {
    /// So many questions a second, for each client alone: about tokens that are proven or were good before, and as many about others.
    pub fn per_second(most: NonZeroU32) -> Self {
        Self { per_second: most, asked: Mutex::default(), names: RandomState::new(), good: Mutex::default() }
    }

    /// Counts one question, or says how long it is until there is room for one; that one does not count.
    pub fn count(
        &self,
        client: ClientId,
        token: &str,
        proof: Proof,
        now: Timestamp,
    ) -> Result<Question, Duration> {
        let name = self.names.hash_one(token);
        let counted_as = match proof {
            Proof::Issued => CountedAs::Good,
            Proof::Missing if self.good.lock().contains(name) => CountedAs::Good,
            Proof::Missing => CountedAs::Other,
        };
        let mut asked = self.asked.lock();
        if asked.len() >= TIDIED_AT && !asked.contains_key(&client) {
            // After a second all that was used is gained back. Only authenticated clients are here, so what stays is bounded by their
            // number.
            asked.retain(|_, asked| !(asked.good.is_over(now) && asked.others.is_over(now)));
        }
        let asked = asked.entry(client).or_default();
        let spent = match counted_as {
            CountedAs::Good => &mut asked.good,
            CountedAs::Other => &mut asked.others,
        };
        spent.count(self.per_second, now)?;
        Ok(Question { client, name, counted_as })
    }

    /// The token of the question was good: this question, and the next ones about it, count among those about good tokens.
    pub fn was_good(&self, question: &Question, now: Timestamp) {
        if question.counted_as == CountedAs::Good {
            return;
        }
        self.good.lock().insert(question.name);
        if let Some(asked) = self.asked.lock().get_mut(&question.client) {
            asked.others.give_back();
            // Where there is no room it does not count: it has been answered already.
            asked.good.count(self.per_second, now).ok();
        }
    }

    /// The token of the question was not good, or is not any more: the next one about it is counted with the others.
    pub fn was_not_good(&self, question: &Question) {
        if question.counted_as == CountedAs::Good {
            self.good.lock().remove(question.name);
        }
    }
}

impl Spent {
    fn count(&mut self, per_second: NonZeroU32, now: Timestamp) -> Result<(), Duration> {
        let per_second = u64::from(per_second.get());
        // A clock that was set back gains nobody anything, and locks nobody out: time goes on from there.
        let passed = self.counted_at.map_or(Duration::ZERO, |at| now.since(at));
        let gained = u64::try_from(passed.as_millis()).unwrap_or(u64::MAX);
        self.counted_at = Some(now);
        self.thousandths = self.thousandths.saturating_sub(gained.saturating_mul(per_second));
        match self.thousandths.saturating_add(1000).checked_sub(per_second * 1000) {
            None | Some(0) => {
                self.thousandths += 1000;
                Ok(())
            }
            Some(over) => Err(Duration::from_millis(over.div_ceil(per_second))),
        }
    }

    fn give_back(&mut self) {
        self.thousandths = self.thousandths.saturating_sub(1000);
    }

    fn is_over(&self, now: Timestamp) -> bool {
        self.counted_at.is_none_or(|at| now.since(at) >= Duration::from_secs(1))
    }
}

impl Good {
    fn contains(&self, name: u64) -> bool {
        self.lately.contains(&name) || self.before.contains(&name)
    }

    fn insert(&mut self, name: u64) {
        if self.lately.len() >= REMEMBERED {
            self.before = std::mem::take(&mut self.lately);
        }
        self.lately.insert(name);
    }

    fn remove(&mut self, name: u64) {
        self.lately.remove(&name);
        self.before.remove(&name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);
    const ODD: &str = "made.up.token";
    const GOOD: &str = "a.good.token";

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
            pace.count(client(1), ODD, Proof::Missing, START).unwrap();
        }
        assert_eq!(pace.count(client(1), ODD, Proof::Missing, START), Err(Duration::from_millis(1)));
        pace.count(client(2), ODD, Proof::Missing, START).unwrap();
        pace.count(client(1), ODD, Proof::Missing, at(1)).unwrap();
        pace.count(client(1), ODD, Proof::Missing, at(1)).unwrap_err();
        // However long it was quiet, it is a second's worth.
        let later = at(60_000);
        assert_eq!(
            (0..2000).filter(|_| pace.count(client(1), ODD, Proof::Missing, later).is_ok()).count(),
            1000
        );
    }

    #[test]
    fn over_any_time_it_is_not_faster_than_it_may_be() {
        let pace = pace(7);
        let taken =
            (0..10_000).filter(|step| pace.count(client(1), ODD, Proof::Missing, at(*step)).is_ok()).count();
        assert_eq!(taken, 7 + 7 * 10 - 1);
        let Err(wait) = pace.count(client(1), ODD, Proof::Missing, at(10_000 - 1)) else {
            panic!("there is room")
        };
        assert!(pace.count(client(1), ODD, Proof::Missing, at(10_000 - 1).after(wait)).is_ok(), "{wait:?}");
    }

    #[test]
    fn a_clock_that_is_set_back_locks_nobody_out() {
        let pace = pace(1);
        pace.count(client(1), ODD, Proof::Missing, at(3_600_000)).unwrap();
        assert_eq!(pace.count(client(1), ODD, Proof::Missing, START), Err(Duration::from_secs(1)));
        pace.count(client(1), ODD, Proof::Missing, at(1000)).unwrap();
    }

    #[test]
    fn what_says_nothing_is_forgotten() {
        let pace = pace(1);
        let most = u32::try_from(TIDIED_AT).unwrap();
        for number in 0..most {
            pace.count(client(number), ODD, Proof::Missing, START).unwrap();
        }
        pace.count(client(most), ODD, Proof::Missing, at(1000)).unwrap();
        assert_eq!(pace.asked.lock().len(), 1);
        pace.count(client(0), ODD, Proof::Missing, at(1000)).unwrap();
    }

    /// RV-03: whoever shows a client made-up tokens keeps nobody waiting whose token was good a moment ago.
    #[test]
    fn made_up_tokens_use_nothing_up_of_what_good_ones_have() {
        let pace = pace(100);
        let question = pace.count(client(1), GOOD, Proof::Missing, START).unwrap();
        pace.was_good(&question, START);
        let made_up =
            |number: u32| pace.count(client(1), &format!("made.up.{number}"), Proof::Missing, at(1));
        let taken = (0..1000).filter_map(|number| made_up(number).ok());
        let taken = taken.inspect(|question| pace.was_not_good(question)).count();
        assert_eq!(taken, 100, "a second's worth: the good one was given back");
        // Of a hundred good ones the first was counted already, and a tenth of one came back in a millisecond.
        let good = (0..1000).filter(|_| pace.count(client(1), GOOD, Proof::Missing, at(1)).is_ok()).count();
        assert_eq!(good, 99);
        made_up(2000).unwrap_err();
    }

    /// RV-03: a new token that proves itself is answered although made-up tokens have used up their share.
    #[test]
    fn a_proven_token_does_not_wait_behind_made_up_ones() {
        let pace = pace(10);
        let made_up = |number: u32| {
            pace.count(client(1), &format!("made.up.{number}"), Proof::Missing, START).map(|_| ())
        };
        assert_eq!((0..100).filter(|number| made_up(*number).is_ok()).count(), 10);
        pace.count(client(1), GOOD, Proof::Missing, START).unwrap_err();
        for number in 0..10 {
            let token = format!("proven.{number}");
            let question = pace.count(client(1), &token, Proof::Issued, START).unwrap();
            pace.was_good(&question, START);
        }
        // Proven tokens have a limit, too.
        assert_eq!(pace.count(client(1), GOOD, Proof::Issued, START), Err(Duration::from_millis(100)));
        made_up(100).unwrap_err();
    }

    #[test]
    fn what_is_not_good_any_more_counts_with_the_others() {
        let pace = pace(1);
        let question = pace.count(client(1), GOOD, Proof::Missing, START).unwrap();
        pace.was_good(&question, START);
        let again = pace.count(client(1), GOOD, Proof::Missing, at(1000)).unwrap();
        assert_eq!(again.counted_as, CountedAs::Good);
        pace.was_not_good(&again);
        let last = pace.count(client(1), GOOD, Proof::Missing, at(2000)).unwrap();
        assert_eq!(last.counted_as, CountedAs::Other);
        pace.count(client(1), ODD, Proof::Missing, at(2000)).unwrap_err();
    }

    #[test]
    fn so_many_good_ones_are_remembered_and_no_more() {
        let mut good = Good::default();
        let most = REMEMBERED as u64;
        (0..3 * most).for_each(|name| good.insert(name));
        assert_eq!((good.lately.len(), good.before.len()), (REMEMBERED, REMEMBERED));
        assert!(good.contains(most) && good.contains(3 * most - 1) && !good.contains(most - 1));
    }

    #[test]
    fn nothing_is_gained_within_the_moment_and_all_of_it_within_a_second() {
        let pace = pace(4);
        for _ in 0..4 {
            pace.count(client(1), ODD, Proof::Missing, START).unwrap();
        }
        // A quarter of a second for one, to the millisecond.
        assert_eq!(pace.count(client(1), ODD, Proof::Missing, at(249)), Err(Duration::from_millis(1)));
        pace.count(client(1), ODD, Proof::Missing, at(250)).unwrap();
        assert_eq!(pace.count(client(1), ODD, Proof::Missing, at(250)), Err(Duration::from_millis(250)));
    }

    #[test]
    fn a_client_that_asked_less_than_a_second_ago_is_not_forgotten() {
        let pace = pace(1);
        let most = u32::try_from(TIDIED_AT).unwrap();
        for number in 0..most {
            pace.count(client(number), ODD, Proof::Missing, at(u64::from(number % 2))).unwrap();
        }
        // Those of the first moment are over now, and those of the second are not.
        pace.count(client(most), ODD, Proof::Missing, at(1000)).unwrap();
        assert_eq!(pace.asked.lock().len(), TIDIED_AT / 2 + 1);
        pace.count(client(1), ODD, Proof::Missing, at(1000)).unwrap_err();
        // One that is known is no reason to tidy.
        for number in most + 1..=2 * most {
            pace.count(client(number), ODD, Proof::Missing, at(1500)).unwrap();
        }
        pace.count(client(2 * most), ODD, Proof::Missing, at(60_000)).unwrap();
        assert!(pace.asked.lock().len() >= TIDIED_AT);
    }
}
