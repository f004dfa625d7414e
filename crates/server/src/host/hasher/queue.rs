//! Which password is hashed next. In: jobs, each with its asker. Out: jobs in turn: one address after the other, and within an address one
//! account after the other; and what there is no room for.
//!
//! An account has a few places at one address and a few more over all addresses. When all places are taken, the address or the account
//! with the most jobs gives one up for an asker that has fewer, so one that asks for much is itself refused. The same holds for the
//! accounts within an address.

use std::collections::{HashMap, VecDeque};

use vestibule_core::throttle::HashRequester;

type Key = [u8; 32];

/// The most jobs of one account that wait at one address: a person asks once at a time, a browser that is in a hurry twice.
const MOST_AT_AN_ADDRESS: usize = 4;

/// The most jobs of one account that wait at all addresses together. Those who only guess at an account never have so many: the account's
/// tally allows [`vestibule_core::throttle::FREE_ATTEMPTS`] at once, then one after a second, then one after two more.
const MOST_OF_AN_ACCOUNT: usize = 8;

/// Jobs that wait.
pub(super) struct FairQueue<T> {
    most: usize,
    waiting: usize,
    /// How many jobs came so far: the number of the next one.
    came: u64,
    addresses: HashMap<Key, Address<T>>,
    /// The addresses that have jobs, the next one first.
    turns: VecDeque<Key>,
    /// How many jobs each account has, at all addresses together.
    accounts: HashMap<Key, usize>,
}

struct Address<T> {
    waiting: usize,
    accounts: HashMap<Key, VecDeque<Numbered<T>>>,
    turns: VecDeque<Key>,
}

/// A job and its place in the order of arrival.
struct Numbered<T> {
    number: u64,
    job: T,
}

impl<T> FairQueue<T> {
    /// So many jobs may wait.
    pub(super) fn new(most: usize) -> Self {
        Self {
            most: most.max(1),
            waiting: 0,
            came: 0,
            addresses: HashMap::new(),
            turns: VecDeque::new(),
            accounts: HashMap::new(),
        }
    }

    /// Takes a job in. Returns the one that there is no room for, if there is one: this one, or another that gave its place up.
    pub(super) fn push(&mut self, asker: HashRequester, job: T) -> Option<T> {
        let here = self.waiting_here(&asker);
        if here >= MOST_AT_AN_ADDRESS {
            return Some(job);
        }
        let given_up = if self.waiting_of(&asker.account) >= MOST_OF_AN_ACCOUNT {
            self.give_up_of(asker.account, here + 1)
        } else if self.waiting >= self.most {
            self.make_room(&asker)
        } else {
            self.take_in(asker, job);
            return None;
        };
        if given_up.is_none() {
            return Some(job);
        }
        self.take_in(asker, job);
        given_up
    }

    /// The job whose turn it is.
    pub(super) fn pop(&mut self) -> Option<T> {
        let key = self.turns.pop_front()?;
        let address = self.addresses.get_mut(&key)?;
        let popped = address.pop();
        if address.waiting == 0 {
            self.addresses.remove(&key);
        } else {
            self.turns.push_back(key);
        }
        let (account, job) = popped?;
        self.count_out(account);
        Some(job)
    }

    fn take_in(&mut self, asker: HashRequester, job: T) {
        let address = self.addresses.entry(asker.address).or_insert_with(|| {
            self.turns.push_back(asker.address);
            Address { waiting: 0, accounts: HashMap::new(), turns: VecDeque::new() }
        });
        let account = address.accounts.entry(asker.account).or_insert_with(|| {
            address.turns.push_back(asker.account);
            VecDeque::new()
        });
        account.push_back(Numbered { number: self.came, job });
        address.waiting += 1;
        self.came += 1;
        self.waiting += 1;
        *self.accounts.entry(asker.account).or_default() += 1;
    }

    /// How many jobs the account has at the address.
    fn waiting_here(&self, asker: &HashRequester) -> usize {
        self.addresses.get(&asker.address).map_or(0, |it| it.waiting_for(&asker.account))
    }

    /// How many jobs the account has at all addresses.
    fn waiting_of(&self, account: &Key) -> usize {
        self.accounts.get(account).copied().unwrap_or(0)
    }

    /// Takes a job of the address or of the account with the most, whichever has more, where the asker has less than that even with one job
    /// more; or one of the asker's own address.
    fn make_room(&mut self, asker: &HashRequester) -> Option<T> {
        let at_address = self.addresses.get(&asker.address).map_or(0, |it| it.waiting) + 1;
        let address = self.addresses.iter().map(|(key, it)| (*key, it.waiting)).max_by_key(|(_, it)| *it);
        let address = address.filter(|(_, most)| at_address < *most);
        let of_account = self.waiting_of(&asker.account) + 1;
        let account = self.accounts.iter().map(|(key, it)| (*key, *it)).max_by_key(|(_, it)| *it);
        let account = account.filter(|(_, most)| of_account < *most);
        match (address, account) {
            (Some((key, most)), account) if account.is_none_or(|(_, it)| it < most) => {
                let floor = if key == asker.address { self.waiting_here(asker) + 1 } else { 0 };
                self.give_up_at(key, floor)
            }
            (_, Some((key, _))) => self.give_up_of(key, 0),
            (_, None) => self.give_up_at(asker.address, self.waiting_here(asker) + 1),
        }
    }

    /// The youngest job of the account with the most at this address, if those are more than `floor`.
    fn give_up_at(&mut self, key: Key, floor: usize) -> Option<T> {
        let address = self.addresses.get(&key)?;
        let (account, most) = address.accounts.iter().max_by_key(|(_, jobs)| jobs.len())?;
        let account = *account;
        if most.len() <= floor {
            return None;
        }
        self.take_out(key, account)
    }

    /// The youngest job of this account at the address where it has the most, if those are more than `floor`.
    fn give_up_of(&mut self, account: Key, floor: usize) -> Option<T> {
        let at = self.addresses.iter().filter_map(|(key, it)| Some((*key, it.accounts.get(&account)?)));
        let (key, most) = at.max_by_key(|(_, jobs)| (jobs.len(), jobs.back().map(|it| it.number)))?;
        if most.len() <= floor {
            return None;
        }
        self.take_out(key, account)
    }

    fn take_out(&mut self, key: Key, account: Key) -> Option<T> {
        let address = self.addresses.get_mut(&key)?;
        let job = address.take_out(&account)?;
        if address.waiting == 0 {
            self.addresses.remove(&key);
            self.turns.retain(|turn| *turn != key);
        }
        self.count_out(account);
        Some(job)
    }

    fn count_out(&mut self, account: Key) {
        self.waiting = self.waiting.saturating_sub(1);
        if let Some(waiting) = self.accounts.get_mut(&account) {
            *waiting = waiting.saturating_sub(1);
            if *waiting == 0 {
                self.accounts.remove(&account);
            }
        }
    }
}

impl<T> Address<T> {
    fn waiting_for(&self, account: &Key) -> usize {
        self.accounts.get(account).map_or(0, VecDeque::len)
    }

    /// The job whose turn it is, and whose it is.
    fn pop(&mut self) -> Option<(Key, T)> {
        let key = self.turns.pop_front()?;
        let account = self.accounts.get_mut(&key)?;
        let job = account.pop_front();
        if account.is_empty() {
            self.accounts.remove(&key);
        } else {
            self.turns.push_back(key);
        }
        self.waiting = self.waiting.saturating_sub(usize::from(job.is_some()));
        Some((key, job?.job))
    }

    /// The youngest job of the account.
    fn take_out(&mut self, key: &Key) -> Option<T> {
        let account = self.accounts.get_mut(key)?;
        let job = account.pop_back()?.job;
        if account.is_empty() {
            self.accounts.remove(key);
            self.turns.retain(|turn| turn != key);
        }
        self.waiting = self.waiting.saturating_sub(1);
        Some(job)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asker(address: u8, account: u8) -> HashRequester {
        HashRequester { address: [address; 32], account: [account; 32] }
    }

    /// Pushes a job that is called like its asker.
    fn push(queue: &mut FairQueue<(u8, u8)>, address: u8, account: u8) -> Option<(u8, u8)> {
        queue.push(asker(address, account), (address, account))
    }

    fn drained(queue: &mut FairQueue<(u8, u8)>) -> Vec<(u8, u8)> {
        std::iter::from_fn(|| queue.pop()).collect()
    }

    #[test]
    fn addresses_take_turns_and_accounts_within_them() {
        let mut queue = FairQueue::new(64);
        for (address, account) in [(1, 1), (1, 1), (1, 1), (1, 2), (2, 1), (3, 1), (2, 2)] {
            assert_eq!(push(&mut queue, address, account), None);
        }
        assert_eq!(drained(&mut queue), [(1, 1), (2, 1), (3, 1), (1, 2), (2, 2), (1, 1), (1, 1)]);
        assert!(queue.addresses.is_empty() && queue.turns.is_empty() && queue.accounts.is_empty());
        assert_eq!(queue.waiting, 0);
    }

    #[test]
    fn one_account_has_four_places_at_an_address() {
        let mut queue = FairQueue::new(64);
        let refused = (0..10).filter(|_| push(&mut queue, 1, 1).is_some()).count();
        assert_eq!((refused, drained(&mut queue).len()), (6, 4));
    }

    /// AU-07: one account takes no more than its share from however many addresses, and keeps no other account out.
    #[test]
    fn one_account_has_eight_places_from_any_number_of_addresses() {
        let mut queue = FairQueue::new(64);
        let refused = (0..64).filter(|address| push(&mut queue, *address, 1).is_some()).count();
        assert_eq!(refused, 56);
        assert_eq!(push(&mut queue, 100, 2), None);
        assert_eq!(drained(&mut queue).len(), 9);
    }

    /// At its limit, an account gives up a place where it has more for an address where it has fewer.
    #[test]
    fn an_account_at_its_limit_shares_among_its_addresses() {
        let mut queue = FairQueue::new(64);
        for _ in 0..4 {
            assert_eq!(push(&mut queue, 1, 1), None);
            assert_eq!(push(&mut queue, 2, 1), None);
        }
        assert_eq!(push(&mut queue, 3, 1), Some((2, 1)), "the youngest of as many");
        assert_eq!(push(&mut queue, 3, 1), Some((1, 1)));
        assert_eq!(push(&mut queue, 3, 1), Some((3, 1)), "as many as the others would have");
        assert_eq!(drained(&mut queue).len(), 8);
    }

    /// AU-07: where each address has one job, the account with the most gives up its youngest.
    #[test]
    fn an_account_at_many_addresses_gives_up_a_place() {
        let mut queue = FairQueue::new(64);
        for address in 0..64 {
            assert_eq!(push(&mut queue, address, address / 8), None);
        }
        for (address, account) in (100..).zip(20..64) {
            let given_up = push(&mut queue, address, account);
            assert!(given_up.is_some_and(|(_, account)| account < 8), "{account}: {given_up:?}");
        }
        // Of each account that had eight, the oldest is left.
        let left = drained(&mut queue);
        assert_eq!(left.len(), 64);
        let oldest = left.iter().filter(|(address, _)| *address < 64 && address % 8 == 0);
        assert_eq!(oldest.count(), 8);
    }

    /// An address with many accounts gives way before an account with two jobs does.
    #[test]
    fn of_address_and_account_the_one_with_more_gives_way() {
        let mut queue = FairQueue::new(8);
        for account in 10..16 {
            assert_eq!(push(&mut queue, 1, account), None);
        }
        assert_eq!(push(&mut queue, 2, 1), None);
        assert_eq!(push(&mut queue, 3, 1), None);
        assert!(matches!(push(&mut queue, 4, 2), Some((1, _))));
    }

    /// AU-07: however much one address asks for, others get in until each has as much.
    #[test]
    fn who_has_most_gives_up_a_place_for_who_has_less() {
        let mut queue = FairQueue::new(8);
        for account in 0..8 {
            assert_eq!(push(&mut queue, 1, account), None);
        }
        assert_eq!(push(&mut queue, 1, 100), Some((1, 100)), "as much as its neighbours: none gives way");
        for other in 2..6 {
            assert!(matches!(push(&mut queue, other, 10 * other), Some((1, _))), "{other}");
        }
        // Four of the first address are left, and one of each other.
        assert!(matches!(push(&mut queue, 2, 21), Some((1, _))));
        assert!(matches!(push(&mut queue, 3, 31), Some((1, _))));
        assert_eq!(push(&mut queue, 2, 22), Some((2, 22)), "none has more than it would have then");
        let left = drained(&mut queue);
        assert_eq!(left.len(), 8);
        assert_eq!(left[..5].iter().map(|(address, _)| *address).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    }

    /// People who share an address with somebody who asks for one account over and over still get in.
    #[test]
    fn within_an_address_who_has_most_gives_way_too() {
        let mut queue = FairQueue::new(4);
        for _ in 0..4 {
            assert_eq!(push(&mut queue, 1, 1), None);
        }
        assert_eq!(push(&mut queue, 1, 2), Some((1, 1)));
        assert_eq!(push(&mut queue, 1, 3), Some((1, 1)));
        assert_eq!(push(&mut queue, 1, 4), Some((1, 1)));
        assert_eq!(push(&mut queue, 1, 5), Some((1, 5)));
        assert_eq!(drained(&mut queue).len(), 4);
    }
}
