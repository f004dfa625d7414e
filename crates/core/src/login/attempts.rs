//! What attempts to show a password count against. In: what was typed, from where; a known device; a session. Out: keyed digests,
//! so that a store learns neither names nor addresses.

use std::net::IpAddr;

use super::DeviceMark;
use crate::account::{Account, Identifier};
use crate::id::{SessionId, Subject};
use crate::secret::{Pepper, Purpose};
use crate::throttle::{Allowance, Attempt, AttemptKind, prefix_of};

/// The tallies of an account that an operator may have forgotten: of strangers' attempts at it, and of those on all its known devices
/// together. What a single device or session has counted is its holder's own.
pub fn tallies_of(pepper: &Pepper, account: &Account) -> [[u8; 32]; 2] {
    [at_account(pepper, account.identifier.as_str()), on_devices(pepper, account.subject)]
}

/// By anybody, at this name; unknown and unparsable ones are counted exactly as known ones are.
pub(super) fn of_stranger(
    pepper: &Pepper,
    name: &str,
    source: Option<IpAddr>,
    guesses: Allowance,
) -> Attempt {
    Attempt {
        account: at_account(pepper, name),
        source: from_source(pepper, source),
        by: AttemptKind::Stranger(guesses),
    }
}

/// To make an account of this name. The source's tally is the one that counts its logins: who tries names pays for asking and for
/// signing in.
pub(crate) fn of_newcomer(pepper: &Pepper, identifier: &Identifier, source: Option<IpAddr>) -> Attempt {
    Attempt {
        account: pepper.digest(Purpose::Throttle, &[b"registration\0", identifier.as_str().as_bytes()]),
        source: from_source(pepper, source),
        by: AttemptKind::Newcomer,
    }
}

/// By the owner of an account, to give it another identifier. The source's tally and the crowd are those of newcomers: both learn whether
/// a name is taken.
pub(crate) fn of_renaming(pepper: &Pepper, subject: Subject, source: Option<IpAddr>) -> Attempt {
    Attempt {
        account: pepper.digest(Purpose::Throttle, &[b"identifier\0", subject.bytes()]),
        source: from_source(pepper, source),
        by: AttemptKind::Newcomer,
    }
}

/// On a device that the account was signed in on. Failures are counted for the device: who has signed in there before waits for their
/// own mistakes, whatever strangers or neighbours do. All such devices of the account are one source together, and stop together at a
/// hundred failures in a row: each sign-in gives a mark, and the account has one budget however many marks are collected. The address
/// is counted as well, beyond one attempt a minute for each account.
pub(super) fn on_device(
    pepper: &Pepper,
    mark: &DeviceMark,
    subject: Subject,
    source: Option<IpAddr>,
) -> Attempt {
    Attempt {
        account: pepper.digest(Purpose::Throttle, &[b"device\0", mark.bytes()]),
        source: pepper.digest(Purpose::Throttle, &[b"devices-source\0", subject.bytes()]),
        by: AttemptKind::Device { devices: on_devices(pepper, subject), address: from_known(pepper, source) },
    }
}

/// Within a session. Failures are counted for the session; all sessions of the account are one source together, as its known devices
/// are: each sign-in gives a session, too.
pub(super) fn within(
    pepper: &Pepper,
    session: SessionId,
    subject: Subject,
    source: Option<IpAddr>,
) -> Attempt {
    Attempt {
        account: pepper.digest(Purpose::Throttle, &[b"session\0", session.bytes()]),
        source: pepper.digest(Purpose::Throttle, &[b"sessions-source\0", subject.bytes()]),
        by: AttemptKind::Session { address: from_known(pepper, source) },
    }
}

fn at_account(pepper: &Pepper, name: &str) -> [u8; 32] {
    pepper.digest(Purpose::Throttle, &[b"account\0", name.as_bytes()])
}

fn on_devices(pepper: &Pepper, subject: Subject) -> [u8; 32] {
    pepper.digest(Purpose::Throttle, &[b"devices\0", subject.bytes()])
}

fn from_known(pepper: &Pepper, source: Option<IpAddr>) -> [u8; 32] {
    pepper.digest(Purpose::Throttle, &[b"known-source\0", &source.map_or([0; 7], prefix_of)])
}

fn from_source(pepper: &Pepper, source: Option<IpAddr>) -> [u8; 32] {
    pepper.digest(Purpose::Throttle, &[b"source\0", &source.map_or([0; 7], prefix_of)])
}
