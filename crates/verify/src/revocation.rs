//! What has been revoked and must not be believed although it is signed and in time.
//! In: revocations, in any order, any number of times. Out: yes or no for one set of claims.
//! Readers never lock. The state is bounded by the revocations of one token lifetime.

use std::sync::atomic::{AtomicU64, Ordering};

use papaya::HashMap;

use crate::claims::Claims;

/// One revocation: all that a view needs of it. Its place in a feed, and when it was decided, are the feed's to say.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Revocation {
    /// LoginTarget it concerns.
    pub scope: RevocationScope,
    /// From when on no token it concerns can still be valid, in Unix seconds.
    pub forget_after: u64,
}

impl Revocation {
    /// Revokes `scope` until `forget_after`, in Unix seconds.
    #[must_use]
    pub fn new(scope: RevocationScope, forget_after: u64) -> Self {
        Self { scope, forget_after }
    }
}

/// LoginTarget a revocation concerns.
///
/// `before` is in Unix seconds and exclusive: whoever signed in at `before` or later is not
/// concerned. Times are whole seconds, so whoever revokes *everything up to now* names the second
/// after the present one.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum RevocationScope {
    /// Every subject.
    Everyone {
        /// Sign-ins before this second.
        before: u64,
    },
    /// One session, by its `sid`.
    Session(String),
    /// One subject, by its `sub`.
    Subject {
        /// The subject.
        sub: String,
        /// Sign-ins before this second.
        before: u64,
    },
}

/// The revocations a verifier knows of. Applying is idempotent and the order does not matter, so a
/// feed may be replayed from any earlier point.
#[derive(Debug, Default)]
pub struct RevocationView {
    everyone_before: AtomicU64,
    sessions: HashMap<String, u64>,
    subjects: HashMap<String, Mark>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Mark {
    before: u64,
    forget_after: u64,
}

impl RevocationView {
    /// A view in which nothing is revoked.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes one revocation to heart. Every verification that begins after this returns sees it.
    pub fn apply(&self, revocation: Revocation) {
        let forget_after = revocation.forget_after;
        match revocation.scope {
            RevocationScope::Everyone { before } => {
                self.everyone_before.fetch_max(before, Ordering::AcqRel);
            }
            RevocationScope::Session(sid) => {
                let sessions = self.sessions.pin();
                sessions.update_or_insert(sid, |known| forget_after.max(*known), forget_after);
            }
            RevocationScope::Subject { sub, before } => {
                let new = Mark { before, forget_after };
                let subjects = self.subjects.pin();
                subjects.update_or_insert(sub, |known| known.join(new), new);
            }
        }
    }

    /// Whether these claims are revoked.
    ///
    /// A subject's or everyone's mark is held against the time of sign-in: `auth_time` where there
    /// is one, else `iat`. Issuers date `iat` back to allow for clock skew, so by `iat` alone a
    /// sign-in right after the revocation would be refused too. With neither: revoked.
    #[must_use]
    pub fn is_revoked(&self, claims: &Claims) -> bool {
        let signed_in = claims.auth_time().or(claims.iat()).unwrap_or(0);
        let everyone_before = self.everyone_before.load(Ordering::Acquire);
        if everyone_before > 0 && signed_in < everyone_before {
            return true;
        }
        if claims.sid().is_some_and(|sid| self.sessions.pin().contains_key(sid)) {
            return true;
        }
        let subjects = self.subjects.pin();
        subjects.get(claims.sub()).is_some_and(|mark| signed_in < mark.before)
    }

    /// Drops what no longer matters. `now` is in Unix seconds; call it now and then.
    /// The mark on everyone is one number and is kept.
    pub fn forget(&self, now: u64) {
        self.sessions.pin().retain(|_, forget_after| *forget_after > now);
        self.subjects.pin().retain(|_, mark| mark.forget_after > now);
    }

    /// How many sessions and subjects are remembered as revoked.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sessions.len() + self.subjects.len()
    }

    /// Whether no session and no subject is remembered as revoked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Mark {
    fn join(self, other: Self) -> Self {
        Self {
            before: self.before.max(other.before),
            forget_after: self.forget_after.max(other.forget_after),
        }
    }
}

#[cfg(test)]
mod tests;
