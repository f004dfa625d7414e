//! What attempts to show a password count against. In: what was typed, from where; a known device; a session. Out: keyed digests,
//! so that a store learns neither names nor addresses.

use std::net::IpAddr;

use super::DeviceMark;
use crate::account::{Account, Identifier};
use crate::id::{SessionId, Subject};
use crate::secret::{Pepper, Purpose};
use crate::throttle::{Allowance, Attempt, Party, prefix_of};

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
        by: Party::Stranger(guesses),
    }
}

/// To make an account of this name. The source's tally is the one that counts its logins: who tries names pays for asking and for
/// signing in.
pub(crate) fn of_newcomer(pepper: &Pepper, identifier: &Identifier, source: Option<IpAddr>) -> Attempt {
    Attempt {
        account: pepper.digest(Purpose::Throttle, &[b"registration\0", identifier.as_str().as_bytes()]),
        source: from_source(pepper, source),
        by: Party::Newcomer,
    }
}

/// On a device that the account was signed in on. Counted for itself, against budgets as large as those of an account and a source: who
/// has signed in there before waits for their own mistakes, whatever strangers or neighbours do. All such devices of the account
/// are counted together as well: however many marks somebody has of it, it stops at a hundred failures in a row.
pub(super) fn on_device(pepper: &Pepper, mark: &DeviceMark, subject: Subject) -> Attempt {
    Attempt {
        account: pepper.digest(Purpose::Throttle, &[b"device\0", mark.bytes()]),
        source: pepper.digest(Purpose::Throttle, &[b"device-source\0", mark.bytes()]),
        by: Party::Device(on_devices(pepper, subject)),
    }
}

/// Within a session, counted for itself as on a device.
pub(super) fn within(pepper: &Pepper, session: SessionId) -> Attempt {
    Attempt {
        account: pepper.digest(Purpose::Throttle, &[b"session\0", session.bytes()]),
        source: pepper.digest(Purpose::Throttle, &[b"session-source\0", session.bytes()]),
        by: Party::Session,
    }
}

fn at_account(pepper: &Pepper, name: &str) -> [u8; 32] {
    pepper.digest(Purpose::Throttle, &[b"account\0", name.as_bytes()])
}

fn on_devices(pepper: &Pepper, subject: Subject) -> [u8; 32] {
    pepper.digest(Purpose::Throttle, &[b"devices\0", subject.bytes()])
}

fn from_source(pepper: &Pepper, source: Option<IpAddr>) -> [u8; 32] {
    pepper.digest(Purpose::Throttle, &[b"source\0", &source.map_or([0; 7], prefix_of)])
}
