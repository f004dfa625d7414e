//! A session as the hot path sees it: in memory, shared, with the JWTs minted for it. Ending or changing the session replaces
//! or drops this whole value, and its JWTs go with it: a fill of an old one can never be seen through the new one.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwapOption;

use crate::id::{SessionId, Subject};
use crate::principal::{Amr, Assurance, Principal};
use crate::reject::Reject;
use crate::session::{Session, SessionDigest, SessionKind, Span, judge};
use crate::time::Timestamp;
use crate::token::{AccessToken, JwtCacheKey};

/// Uses of a session are written down at most this often.
pub const NOTED_EVERY: Duration = Duration::from_secs(60);

/// How long a remembered session keeps one session token before page loads are sent to the login page, which replaces it.
pub const ROTATED_EVERY: Duration = Duration::from_secs(24 * 60 * 60);

/// After this long nothing but a page load passes on an old session token.
const ROTATED_WITHIN: Duration = Duration::from_secs(2 * 24 * 60 * 60);

/// One page load in so many seconds is sent to the login page. A browser that restores ten tabs sends ten requests at once: were
/// all of them sent there with the old session token, one would replace it, and nine would find that theirs is dead.
const ROTATION_ASKED_EVERY: u32 = 10;

/// A live session with its JWT cache.
///
/// The order of the fields is kept: what every request asks for comes first, right behind the reference count, so that a request waits
/// for one or two lines of memory instead of three.
#[repr(C)]
pub struct LiveSession {
    /// Almost always one, and further ones behind it: one for each audience.
    minted: ArcSwapOption<AccessToken>,
    seen_at: AtomicU64,
    noted_at: AtomicU64,
    ends_at: Timestamp,
    issued_at: Timestamp,
    idle_seconds: u32,
    assurance: Assurance,
    amr: Amr,
    kind: SessionKind,
    id: SessionId,
    digest: SessionDigest,
    subject: Subject,
    version: u32,
    /// When a page load was last sent to have the session token replaced, in seconds after `issued_at`.
    rotation_asked: AtomicU32,
    epoch: u64,
    proven_at: Timestamp,
}

/// What a request is to a browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Load {
    /// A page that it shows: it can be sent elsewhere and come back.
    Page,
    /// Something that a page or a program fetches.
    Part,
}

/// What a use of a session asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// Nothing more.
    Known,
    /// It is a minute since a use was last written down: this one should be.
    ToBeNoted,
}

impl LiveSession {
    /// Takes what the store knows.
    pub fn new(session: &Session) -> Self {
        Self {
            digest: session.digest,
            id: session.id,
            subject: session.subject,
            version: session.version,
            idle_seconds: u32::try_from(session.idle.as_secs()).unwrap_or(u32::MAX),
            epoch: session.epoch,
            proven_at: session.proven_at,
            ends_at: session.ends_at,
            issued_at: session.issued_at,
            assurance: session.assurance,
            amr: session.amr,
            kind: session.kind,
            rotation_asked: AtomicU32::new(0),
            seen_at: AtomicU64::new(session.seen_at.millis()),
            noted_at: AtomicU64::new(session.seen_at.millis()),
            minted: ArcSwapOption::empty(),
        }
    }

    /// The same session, one version on: nothing minted for it before is handed out again.
    #[must_use]
    pub fn renewed(&self, version: u32) -> Self {
        Self {
            version,
            seen_at: AtomicU64::new(self.seen_at.load(Ordering::Relaxed)),
            noted_at: AtomicU64::new(self.noted_at.load(Ordering::Relaxed)),
            rotation_asked: AtomicU32::new(self.rotation_asked.load(Ordering::Relaxed)),
            minted: ArcSwapOption::empty(),
            ..*self
        }
    }

    /// What the store knows it by.
    pub fn digest(&self) -> &SessionDigest {
        &self.digest
    }

    /// Its public name.
    pub fn id(&self) -> SessionId {
        self.id
    }

    /// Whose it is.
    pub fn subject(&self) -> Subject {
        self.subject
    }

    /// Its version.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// The subject's epoch when it was opened.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// When it ends whatever happens.
    pub fn ends_at(&self) -> Timestamp {
        self.ends_at
    }

    /// When it was last used.
    pub fn seen_at(&self) -> Timestamp {
        Timestamp::from_millis(self.seen_at.load(Ordering::Relaxed))
    }

    /// How long it may lie unused.
    pub fn idle(&self) -> Duration {
        Duration::from_secs(u64::from(self.idle_seconds))
    }

    /// How it is kept by its holder.
    pub fn kind(&self) -> SessionKind {
        self.kind
    }

    /// When its subject last proved itself.
    pub fn proven_at(&self) -> Timestamp {
        self.proven_at
    }

    /// Whether its session token is due to be replaced at `now`: a remembered session's, a day after it was issued.
    pub fn rotation_due(&self, now: Timestamp) -> bool {
        self.kind == SessionKind::Remembered && now.since(self.issued_at) >= ROTATED_EVERY
    }

    /// Says no to a request that is to have the session token replaced first: where it is due, one page load in ten seconds, and
    /// whatever is no page load once the token is two days old.
    pub fn judge_rotation(&self, load: Load, now: Timestamp) -> Result<(), Reject> {
        if !self.rotation_due(now) {
            return Ok(());
        }
        let is_asked = match load {
            Load::Page => self.asks_for_rotation(now),
            Load::Part => now.since(self.issued_at) >= ROTATED_WITHIN,
        };
        if is_asked { Err(Reject::RotationDue) } else { Ok(()) }
    }

    /// To one caller alone.
    fn asks_for_rotation(&self, now: Timestamp) -> bool {
        let seconds = u32::try_from(now.since(self.issued_at).as_secs()).unwrap_or(u32::MAX);
        let asked = self.rotation_asked.load(Ordering::Relaxed);
        let due = asked == 0 || seconds.abs_diff(asked) >= ROTATION_ASKED_EVERY;
        due && self
            .rotation_asked
            .compare_exchange(asked, seconds, Ordering::Relaxed, Ordering::Relaxed)
            .is_ok()
    }

    /// Who passes with it.
    pub fn principal(&self) -> Principal {
        Principal {
            subject: self.subject,
            session: self.id,
            proven_at: self.proven_at,
            assurance: self.assurance,
            amr: self.amr,
        }
    }

    /// How strong the proof behind it was.
    pub fn assurance(&self) -> Assurance {
        self.assurance
    }

    /// Whether it is alive at `now`.
    pub fn judge(&self, now: Timestamp) -> Result<(), Reject> {
        judge(Span { seen_at: self.seen_at(), idle: self.idle(), ends_at: self.ends_at }, now)
    }

    /// Takes note of a use at `now`, in memory; says once a minute that it should be written down, to one caller alone.
    pub fn used(&self, now: Timestamp) -> Use {
        let now = now.millis();
        if self.seen_at.load(Ordering::Relaxed) < now {
            self.seen_at.store(now, Ordering::Relaxed);
        }
        let noted = self.noted_at.load(Ordering::Relaxed);
        let due = now.saturating_sub(noted) >= u64::try_from(NOTED_EVERY.as_millis()).unwrap_or(u64::MAX);
        if due && self.noted_at.compare_exchange(noted, now, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            return Use::ToBeNoted;
        }
        Use::Known
    }

    /// The JWT minted for exactly this stamp, if one is kept.
    pub fn minted(&self, stamp: JwtCacheKey) -> Option<Arc<AccessToken>> {
        let minted = self.minted.load();
        all(minted.as_ref()).find(|kept| kept.stamp == stamp).cloned()
    }

    /// Keeps a JWT beside those for other audiences; what is of another ring, or expired at `now`, goes.
    pub fn keep(&self, token: Arc<AccessToken>, now: Timestamp) {
        self.minted.rcu(|kept| {
            let others = without(kept.as_ref(), |kept| {
                kept.stamp.ring != token.stamp.ring
                    || kept.stamp.audience == token.stamp.audience
                    || kept.expires_at <= now
            });
            Some(match others {
                None => Arc::clone(&token),
                others => Arc::new(token.beside(others)),
            })
        });
    }

    /// Drops what is expired at `now`, to give the memory back; says how many bytes of text are still kept.
    pub fn tidy(&self, now: Timestamp) -> usize {
        let kept = self.minted.load();
        if !all(kept.as_ref()).any(|kept| kept.expires_at <= now) {
            return all(kept.as_ref()).map(|kept| kept.text_length()).sum();
        }
        self.minted.rcu(|kept| without(kept.as_ref(), |kept| kept.expires_at <= now));
        all(self.minted.load().as_ref()).map(|kept| kept.text_length()).sum()
    }
}

fn all(first: Option<&Arc<AccessToken>>) -> impl Iterator<Item = &Arc<AccessToken>> {
    std::iter::successors(first, |kept| kept.others.as_ref())
}

fn without(
    first: Option<&Arc<AccessToken>>,
    gone: impl Fn(&AccessToken) -> bool + Copy,
) -> Option<Arc<AccessToken>> {
    let kept = first?;
    let others = without(kept.others.as_ref(), gone);
    match (gone(kept), &others, &kept.others) {
        (true, ..) => others,
        (false, None, None) => Some(Arc::clone(kept)),
        (false, ..) => Some(Arc::new(kept.beside(others))),
    }
}

#[cfg(test)]
mod tests;
