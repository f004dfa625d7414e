//! LoginTarget an attempt was about, as a log may say it. In: what was typed as an identifier. Out: the account's subject where there is one, else
//! a keyed digest: people type passwords into the wrong field, so the typed text itself is never logged.

use std::fmt;

use data_encoding::HEXLOWER;

use super::Login;
use crate::account::Identifier;
use crate::id::Subject;
use crate::secret::{Pepper, Purpose};

/// LoginTarget an attempt was about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginTarget {
    /// This account.
    Account(Subject),
    /// An identifier that no account has.
    Name(NameDigest),
}

/// Stands for an identifier that was typed. Equal identifiers have equal digests, in this installation alone. Without its pepper a digest
/// cannot be compared with guesses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NameDigest([u8; 8]);

impl NameDigest {
    /// The digest of what was typed; spellings that mean one identifier have one digest.
    pub fn of(pepper: &Pepper, typed: &str) -> Self {
        let identifier = Identifier::known(typed).ok();
        let name = identifier.as_ref().map_or(typed, Identifier::as_str);
        let digest = pepper.digest(Purpose::TypedName, &[name.as_bytes()]);
        Self(digest.first_chunk().copied().unwrap_or_default())
    }
}

impl fmt::Display for NameDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl LoginTarget {
    /// The account, if there is one.
    pub const fn account(self) -> Option<Subject> {
        match self {
            Self::Account(subject) => Some(subject),
            Self::Name(_) => None,
        }
    }

    /// The digest of what was typed, where there is no account.
    pub const fn name(self) -> Option<NameDigest> {
        match self {
            Self::Account(_) => None,
            Self::Name(digest) => Some(digest),
        }
    }
}

impl Login {
    /// LoginTarget a failed attempt was about. A known and an unknown identifier cost the same: one lookup and one digest. Where the lookup fails,
    /// the digest is the answer.
    pub async fn whom(&self, typed: &str) -> LoginTarget {
        let digest = NameDigest::of(&self.pepper, typed);
        let Ok(identifier) = Identifier::known(typed) else { return LoginTarget::Name(digest) };
        match self.accounts.find_by_identifier(&identifier).await {
            Ok(Some(account)) => LoginTarget::Account(account.subject),
            Ok(None) | Err(_) => LoginTarget::Name(digest),
        }
    }
}
