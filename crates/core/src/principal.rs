//! Who passed, and how sure we are: what a decision hands on once a credential was proven.

use crate::id::{SessionId, Subject};
use crate::time::Timestamp;

/// Who a request speaks for, as proven by its credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// LoginTarget the credential speaks for.
    pub subject: Subject,
    /// The session behind the credential.
    pub session: SessionId,
    /// When the subject last proved itself (`auth_time`, OpenID Connect Core section 2).
    pub proven_at: Timestamp,
    /// How strong that proof was.
    pub assurance: Assurance,
    /// Which methods were used.
    pub amr: Amr,
}

/// Authenticator assurance level (NIST SP 800-63B): the `acr` claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Assurance {
    /// One factor.
    Aal1,
    /// Two factors.
    Aal2,
}

impl Assurance {
    /// The `acr` value.
    pub const fn acr(self) -> &'static str {
        match self {
            Self::Aal1 => "aal1",
            Self::Aal2 => "aal2",
        }
    }

    /// As a store keeps it.
    pub const fn level(self) -> u8 {
        match self {
            Self::Aal1 => 1,
            Self::Aal2 => 2,
        }
    }

    /// Back from [`Self::level`].
    pub const fn from_level(level: u8) -> Option<Self> {
        match level {
            1 => Some(Self::Aal1),
            2 => Some(Self::Aal2),
            _ => None,
        }
    }
}

/// Authentication methods used (RFC 8176), as a small set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amr(u8);

impl Amr {
    /// A password was shown.
    pub const PASSWORD: Self = Self(1);

    /// The RFC 8176 names in this set.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        [(Self::PASSWORD, "pwd")]
            .into_iter()
            .filter(move |(method, _)| self.0 & method.0 != 0)
            .map(|(_, name)| name)
    }

    /// The methods among `names` that we know; others are left out (RFC 8176 section 1 lets them be ignored).
    pub fn from_names<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        Self(names.filter(|name| *name == "pwd").fold(0, |bits, _| bits | Self::PASSWORD.0))
    }

    /// As a store keeps it.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// Back from [`Self::bits`]; unknown bits are corrupt, not ignored.
    pub const fn from_bits(bits: u8) -> Option<Self> {
        if bits & !1 == 0 { Some(Self(bits)) } else { None }
    }
}
