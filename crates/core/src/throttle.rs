//! How many guesses a login may cost: pure bookkeeping over what a store remembers for an account, a source and a crowd together.
//! In: an attempt, the remembered tallies and `now`. Out: the new tallies, or how long to wait. An attempt is counted *before* the
//! password is looked at, so that any number of parallel guesses cannot evaluate more than the budget.

use std::net::IpAddr;
use std::time::Duration;

use crate::time::Timestamp;

mod book;
mod bucket;
mod tally;

pub use book::CounterTable;
pub use bucket::{Allowance, Bucket, FULL_AFTER};
pub use tally::{AccountCounter, FORGET_AFTER, FREE_ATTEMPTS, HARD_STOP, HARD_WAIT, LONGEST_WAIT};

#[cfg(test)]
mod tests;

/// What a source may.
pub const SOURCE: Allowance = Allowance::per_minute(20);
/// What all strangers may together, unless the operator says otherwise: the breaker for guesses that come from everywhere and go to
/// every account. A login that succeeds gives back what it took, so that people who know their passwords do not use it up,
/// however many they are.
pub const STRANGERS: Allowance = Allowance::per_minute(300);
/// What all may together who ask for an account. It is theirs alone: whoever makes accounts keeps nobody from signing in.
pub const NEWCOMERS: Allowance = Allowance::per_minute(300);
/// What may be tried at one address on known devices and within sessions, of any accounts. It is beyond the one attempt a minute that
/// each account has for itself.
pub const KNOWN_AT_ADDRESS: Allowance = SOURCE;
/// How often an account may be signed in to by those whom [`SOURCE`] counts by their address alone: strangers, and programs without a
/// known device. Only sign-ins that succeed are counted, so guesses at an account use none of it up. Without it, those who know one
/// password and ask from many addresses would never wait.
pub const SIGN_INS: Allowance = SOURCE;
/// Sign-ins that an attempt must find beyond its own. An attempt takes its sign-in when it succeeds: these are for attempts that are being
/// evaluated at the same time, so that they take what a later one would have.
pub const SIGN_INS_IN_FLIGHT: u32 = 20;
/// A source that had no attempt for this long has one that asks no crowd: so nobody, from however many sources, can close the door
/// to all others.
pub const OWN_EVERY: Duration = Duration::from_secs(60);
/// Attempts come to a store out of order, as they waited for it or for their processor; a clock that is behind by more than this was
/// set back.
const CLOCK_STEP: Duration = Duration::from_secs(60);

/// What an attempt counts against; keyed digests, so that the store learns neither identifiers nor addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Digest of what is guessed at: the identifier that was typed, whether or not there is such an account; a known device; a
    /// session.
    pub account: [u8; 32],
    /// Digest of the source's address prefix; or of all known devices or all sessions of an account together.
    pub source: [u8; 32],
    /// Who is trying.
    pub by: AttemptKind,
}

/// Who makes an attempt, and whom else it is counted with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttemptKind {
    /// Somebody on a device that the account was signed in on.
    Device {
        /// Digest of all such devices of the account.
        devices: [u8; 32],
        /// Digest of the address, as that of a known device.
        address: [u8; 32],
    },
    /// Somebody who asks for an account: counted against all who do.
    Newcomer,
    /// Somebody within a session of the account.
    Session {
        /// Digest of the address, as that of a known device.
        address: [u8; 32],
    },
    /// Anybody else: counted against all strangers, who may so much together.
    Stranger(Allowance),
}

/// Many who have one bucket together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SharedBucket {
    /// Where its bucket is kept among those of the sources. Theirs are keyed digests: none of them is this, unless it is an address.
    pub key: [u8; 32],
    /// What it may.
    pub allowance: Allowance,
}

impl AttemptKind {
    /// The digest of all known devices of the account, if it is one of them.
    pub const fn devices(self) -> Option<[u8; 32]> {
        match self {
            Self::Device { devices, .. } => Some(devices),
            Self::Newcomer | Self::Session { .. } | Self::Stranger(_) => None,
        }
    }

    /// LoginTarget it shares a bucket with, if anybody.
    pub const fn crowd(self) -> Option<SharedBucket> {
        match self {
            Self::Device { address, .. } | Self::Session { address } => {
                Some(SharedBucket { key: address, allowance: KNOWN_AT_ADDRESS })
            }
            Self::Newcomer => Some(SharedBucket { key: [1; 32], allowance: NEWCOMERS }),
            Self::Stranger(allowance) => Some(SharedBucket { key: [0; 32], allowance }),
        }
    }
}

/// For whom a password is hashed: what a hasher that has too much to do shares its time by. Keyed digests, as in [`Attempt`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashRequester {
    /// The address. The same address with and without a known device or a session has two digests.
    pub address: [u8; 32],
    /// Within the address: the account that is asked for, with all its known devices, or with all its sessions.
    pub account: [u8; 32],
}

impl Attempt {
    /// Where the bucket of the account's sign-ins is kept among those of the sources, for an attempt of a stranger. It is a keyed digest
    /// as theirs are, with each bit turned, so it is none of them.
    pub fn sign_ins(&self) -> Option<[u8; 32]> {
        match self.by {
            AttemptKind::Stranger(_) => Some(self.account.map(|byte| !byte)),
            AttemptKind::Device { .. } | AttemptKind::Newcomer | AttemptKind::Session { .. } => None,
        }
    }

    /// For whom its password is hashed.
    pub const fn asker(&self) -> HashRequester {
        match self.by {
            AttemptKind::Device { devices, address } => HashRequester { address, account: devices },
            AttemptKind::Session { address } => HashRequester { address, account: self.source },
            AttemptKind::Newcomer | AttemptKind::Stranger(_) => {
                HashRequester { address: self.source, account: self.account }
            }
        }
    }
}

/// Whether an attempt may be evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reservation {
    /// It is counted and may be evaluated.
    Reserved(Receipt),
    /// It may not yet.
    Wait(Duration),
}

/// What an attempt was counted against: no more than this is given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The attempt.
    pub attempt: Attempt,
    /// The moment that the account's tally has of it.
    pub counted_at: Timestamp,
    /// The crowd whose bucket it was taken from; none where it was its source's own.
    pub taken_from: Option<SharedBucket>,
}

/// All that is remembered of what an attempt counts against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttemptCounters {
    /// Of the account.
    pub account: AccountCounter,
    /// Of all known devices of the account together; looked at for an attempt on one of them alone.
    pub devices: AccountCounter,
    /// Of the source, within [`SOURCE`].
    pub source: Bucket,
    /// Of the attempt's crowd; looked at for an attempt that has one alone.
    pub crowd: Bucket,
    /// Of the account's sign-ins by strangers, within [`SIGN_INS`]; looked at for an attempt of a stranger alone.
    pub sign_ins: Bucket,
}

impl AttemptCounters {
    /// Where nothing is remembered of anything that the attempt counts against.
    pub fn fresh(attempt: &Attempt) -> Self {
        Self {
            account: AccountCounter::FRESH,
            devices: AccountCounter::FRESH,
            source: Bucket::full(SOURCE),
            crowd: Bucket::full(attempt.by.crowd().map_or(STRANGERS, |crowd| crowd.allowance)),
            sign_ins: Bucket::full(SIGN_INS),
        }
    }

    /// Counts one attempt against all that it concerns, or against none and says how long the most patient of them waits.
    pub fn count(self, attempt: Attempt, now: Timestamp) -> Result<(Self, Receipt), Duration> {
        let account = self.account.count(now);
        let devices = match attempt.by.devices() {
            Some(_) => self.devices.count_together(now),
            None => Ok(self.devices),
        };
        let source = self.source.count(SOURCE, now);
        let until_own = self.source.since_last(now).map_or(Duration::ZERO, |it| OWN_EVERY.saturating_sub(it));
        let taken_from = attempt.by.crowd().filter(|_| !until_own.is_zero());
        let crowd = match taken_from {
            Some(crowd) => self.crowd.count(crowd.allowance, now).map_err(|wait| wait.min(until_own)),
            None => Ok(self.crowd),
        };
        // Looked at now, taken from by success alone: an attempt that fails uses up no sign-in.
        let sign_in = match attempt.sign_ins() {
            Some(_) => self.sign_ins.leaves(SIGN_INS_IN_FLIGHT, SIGN_INS, now),
            None => Ok(()),
        };
        match (account, devices, source, crowd, sign_in) {
            (Ok(account), Ok(devices), Ok(source), Ok(crowd), Ok(())) => {
                let receipt = Receipt { attempt, counted_at: account.counted_at, taken_from };
                Ok((Self { account, devices, source, crowd, ..self }, receipt))
            }
            (account, devices, source, crowd, sign_in) => {
                let waits = [account.err(), devices.err(), source.err(), crowd.err(), sign_in.err()];
                Err(waits.into_iter().flatten().max().unwrap_or_default())
            }
        }
    }

    /// The attempt succeeded: the account starts afresh, and so do its known devices if it was on one; a crowd of strangers gets it
    /// back, and it is one of the account's sign-ins. The source does not get it back: those who know one password pay for guesses at
    /// others, and for what each sign-in costs.
    pub fn succeeded(self, receipt: &Receipt) -> Self {
        let devices = match receipt.attempt.by.devices() {
            Some(_) => AccountCounter::FRESH,
            None => self.devices,
        };
        let sign_ins = match receipt.attempt.sign_ins() {
            // Where attempts that were evaluated at once have used it up already, there is nothing to take.
            Some(_) => self.sign_ins.count(SIGN_INS, receipt.counted_at).unwrap_or(self.sign_ins),
            None => self.sign_ins,
        };
        Self { account: AccountCounter::FRESH, devices, sign_ins, ..self }.crowd_given_back(receipt)
    }

    /// The attempt was never evaluated: the account gets it back, and so does a crowd of strangers. The source does not, nor does an
    /// address: a request counts even where there is no time to answer it, or an attacker could fill the hasher's queue without end.
    pub fn give_back(self, receipt: &Receipt) -> Self {
        let devices = match receipt.attempt.by.devices() {
            Some(_) => self.devices.give_back(receipt.counted_at),
            None => self.devices,
        };
        let account = self.account.give_back(receipt.counted_at);
        Self { account, devices, ..self }.crowd_given_back(receipt)
    }

    fn crowd_given_back(self, receipt: &Receipt) -> Self {
        let crowd = match (receipt.attempt.by, receipt.taken_from) {
            (AttemptKind::Newcomer | AttemptKind::Stranger(_), Some(crowd)) => {
                self.crowd.give_back(crowd.allowance)
            }
            // An address is counted whether or not the password was right, as a source is.
            (AttemptKind::Device { .. } | AttemptKind::Session { .. }, _) | (_, None) => self.crowd,
        };
        Self { crowd, ..self }
    }
}

/// The /24 of an IPv4 address or the /48 of an IPv6 address, told apart by the first byte. A /48 is what one site gets at most (RFC
/// 6177): by the /64, one line at home would be sixteen sources or more.
pub fn prefix_of(address: IpAddr) -> [u8; 7] {
    let mut prefix = [0; 7];
    let (kind, bytes): (u8, Vec<u8>) = match address.to_canonical() {
        IpAddr::V4(v4) => (4, v4.octets().into_iter().take(3).collect()),
        IpAddr::V6(v6) => (6, v6.octets().into_iter().take(6).collect()),
    };
    prefix.iter_mut().zip([kind].into_iter().chain(bytes)).for_each(|(to, from)| *to = from);
    prefix
}

/// Whether the clock was set back since something was counted: by its own time, what a later clock wrote would hold for as long as
/// the step was wide.
fn was_set_back(now: Timestamp, counted_at: Timestamp) -> bool {
    counted_at.since(now) > CLOCK_STEP
}
