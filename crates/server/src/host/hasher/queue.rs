//! Who is hashed for next. In: jobs, each with its asker. Out: jobs in turn: one address after the other, and within an address one
//! account after the other; and what there is no room for.
//!
//! When all places are taken, the address with the most jobs gives one up for an address that has fewer, so one that asks for much
//! refuses its own. The same holds for the accounts within an address.

use std::collections::{HashMap, VecDeque};

use vestibule_core::throttle::Asker;

type Key = [u8; 32];

/// The most jobs that wait for one account: a person asks once at a time, a browser that is in a hurry twice.
const MOST_OF_AN_ACCOUNT: usize = 4;

/// Jobs that wait.
pub(super) struct FairQueue<T> {
    most: usize,
    waiting: usize,
    addresses: HashMap<Key, Address<T>>,
    /// The addresses that have jobs, the next one first.
    turns: VecDeque<Key>,
}

struct Address<T> {
    waiting: usize,
    accounts: HashMap<Key, VecDeque<T>>,
    turns: VecDeque<Key>,
}

impl<T> FairQueue<T> {
    /// So many jobs may wait.
    pub(super) fn new(most: usize) -> Self {
        Self { most: most.max(1), waiting: 0, addresses: HashMap::new(), turns: VecDeque::new() }
    }

    /// Takes a job in. Comes back with the one that there is no room for, if there is one: this one, or another that gave its place up.
    pub(super) fn push(&mut self, asker: Asker, job: T) -> Option<T> {
        if self.waiting_for(&asker) >= MOST_OF_AN_ACCOUNT {
            return Some(job);
        }
        let mut given_up = None;
        if self.waiting >= self.most {
            given_up = self.make_room(&asker);
            if given_up.is_none() {
                return Some(job);
            }
        }
        let address = self.addresses.entry(asker.address).or_insert_with(|| {
            self.turns.push_back(asker.address);
            Address { waiting: 0, accounts: HashMap::new(), turns: VecDeque::new() }
        });
        let account = address.accounts.entry(asker.account).or_insert_with(|| {
            address.turns.push_back(asker.account);
            VecDeque::new()
        });
        account.push_back(job);
        address.waiting += 1;
        self.waiting += 1;
        given_up
    }

    /// The job whose turn it is.
    pub(super) fn pop(&mut self) -> Option<T> {
        let key = self.turns.pop_front()?;
        let address = self.addresses.get_mut(&key)?;
        let job = address.pop();
        if address.waiting == 0 {
            self.addresses.remove(&key);
        } else {
            self.turns.push_back(key);
        }
        self.waiting = self.waiting.saturating_sub(usize::from(job.is_some()));
        job
    }

    fn waiting_for(&self, asker: &Asker) -> usize {
        let account = self.addresses.get(&asker.address).and_then(|it| it.accounts.get(&asker.account));
        account.map_or(0, VecDeque::len)
    }

    /// Takes the youngest job of the account with the most, of the address with the most, where the asker has less than that even with
    /// one job more.
    fn make_room(&mut self, asker: &Asker) -> Option<T> {
        let own = self.addresses.get(&asker.address).map_or(0, |it| it.waiting);
        let (fullest, most) =
            self.addresses.iter().map(|(key, it)| (*key, it.waiting)).max_by_key(|(_, waiting)| *waiting)?;
        let key = if own + 1 < most { fullest } else { asker.address };
        let floor = if key == asker.address { self.waiting_for(asker) + 1 } else { 0 };
        let address = self.addresses.get_mut(&key)?;
        let job = address.give_up(floor)?;
        if address.waiting == 0 {
            self.addresses.remove(&key);
            self.turns.retain(|turn| *turn != key);
        }
        self.waiting = self.waiting.saturating_sub(1);
        Some(job)
    }
}

impl<T> Address<T> {
    fn pop(&mut self) -> Option<T> {
        let key = self.turns.pop_front()?;
        let account = self.accounts.get_mut(&key)?;
        let job = account.pop_front();
        if account.is_empty() {
            self.accounts.remove(&key);
        } else {
            self.turns.push_back(key);
        }
        self.waiting = self.waiting.saturating_sub(usize::from(job.is_some()));
        job
    }

    /// The youngest job of the account with the most, if that are more than `floor`.
    fn give_up(&mut self, floor: usize) -> Option<T> {
        let (key, most) =
            self.accounts.iter().map(|(key, it)| (*key, it.len())).max_by_key(|(_, length)| *length)?;
        if most <= floor {
            return None;
        }
        let account = self.accounts.get_mut(&key)?;
        let job = account.pop_back()?;
        if account.is_empty() {
            self.accounts.remove(&key);
            self.turns.retain(|turn| *turn != key);
        }
        self.waiting = self.waiting.saturating_sub(1);
        Some(job)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asker(address: u8, account: u8) -> Asker {
        Asker { address: [address; 32], account: [account; 32] }
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
        assert!(queue.addresses.is_empty() && queue.turns.is_empty() && queue.waiting == 0);
    }

    #[test]
    fn one_account_has_four_places() {
        let mut queue = FairQueue::new(64);
        let refused = (0..10).filter(|_| push(&mut queue, 1, 1).is_some()).count();
        assert_eq!((refused, drained(&mut queue).len()), (6, 4));
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
            assert!(matches!(push(&mut queue, other, 1), Some((1, _))), "{other}");
        }
        // Four of the first address are left, and one of each other.
        assert!(matches!(push(&mut queue, 2, 2), Some((1, _))));
        assert!(matches!(push(&mut queue, 3, 2), Some((1, _))));
        assert_eq!(push(&mut queue, 2, 3), Some((2, 3)), "nobody has more than it would have then");
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
