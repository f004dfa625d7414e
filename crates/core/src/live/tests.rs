use super::*;
use crate::session::{Device, SessionKind};
use crate::token::Minted;

const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);

fn live() -> LiveSession {
    LiveSession::new(&Session {
        digest: SessionDigest::from_bytes([1; 32]),
        id: SessionId::from_bytes([2; 16]),
        subject: Subject::from_bytes([3; 16]),
        version: 1,
        epoch: 1,
        kind: SessionKind::Browser,
        opened_at: NOW,
        proven_at: NOW,
        seen_at: NOW,
        issued_at: NOW,
        idle: Duration::from_secs(1800),
        ends_at: NOW.after(Duration::from_secs(43_200)),
        assurance: Assurance::Aal1,
        amr: Amr::PASSWORD,
        device: Device::new(None, ""),
    })
}

fn token(audience: u32, ring: u32, lives: u64) -> Arc<AccessToken> {
    let minted = Minted {
        jwt: "a.b.c",
        subject: Subject::from_bytes([3; 16]),
        session: SessionId::from_bytes([2; 16]),
        claims: Arc::new([]),
        copies: Vec::new(),
        minted_at: NOW,
        expires_at: NOW.after(Duration::from_secs(lives)),
        renew_at: NOW,
        stamp: JwtCacheKey { audience, ring },
    };
    Arc::new(AccessToken::new(minted).unwrap())
}

#[test]
fn activity_extends_idle_and_is_noted_once_a_minute_by_one_caller() {
    let live = live();
    let at = |seconds| NOW.after(Duration::from_secs(seconds));
    assert_eq!(live.used(at(59)), Use::Known);
    assert_eq!(live.used(at(60)), Use::ToBeNoted);
    assert_eq!(live.used(at(60)), Use::Known);
    assert_eq!(live.used(at(120)), Use::ToBeNoted);
    assert_eq!(live.judge(at(120 + 1799)), Ok(()));
    assert_eq!(live.judge(at(120 + 1800)), Err(Reject::SessionIdle));
    // A clock that steps back does not shorten what was already granted.
    live.used(at(0));
    assert_eq!(live.seen_at(), at(120));
}

/// SS-04: two days of steady traffic do not carry a session over its absolute limit.
#[test]
fn steady_traffic_still_dies_at_the_absolute_limit() {
    let live = live();
    let mut now = NOW;
    while live.judge(now).is_ok() {
        live.used(now);
        now = now.after(Duration::from_secs(60));
    }
    assert_eq!((now.since(NOW), live.judge(now)), (Duration::from_secs(43_200), Err(Reject::SessionEnded)));
}

#[test]
fn a_jwt_is_handed_out_for_its_exact_stamp_only() {
    let live = live();
    live.keep(token(1, 1, 120), NOW);
    live.keep(token(2, 1, 120), NOW);
    assert!(live.minted(JwtCacheKey { audience: 1, ring: 1 }).is_some());
    assert!(live.minted(JwtCacheKey { audience: 2, ring: 1 }).is_some());
    assert!(live.minted(JwtCacheKey { audience: 3, ring: 1 }).is_none());
    assert!(live.minted(JwtCacheKey { audience: 1, ring: 2 }).is_none());
    // A new ring drops all that the old one signed.
    live.keep(token(1, 2, 120), NOW);
    assert!(live.minted(JwtCacheKey { audience: 2, ring: 1 }).is_none());
}

#[test]
fn a_renewed_session_has_no_jwts_and_a_late_fill_of_the_old_one_stays_unseen() {
    let old = live();
    let new = old.renewed(2);
    old.keep(token(1, 1, 120), NOW);
    assert!(new.minted(JwtCacheKey { audience: 1, ring: 1 }).is_none());
    assert_eq!((new.version(), new.id(), new.ends_at()), (2, old.id(), old.ends_at()));
}

#[test]
fn tidying_drops_what_expired_and_counts_the_rest() {
    let live = live();
    live.keep(token(1, 1, 10), NOW);
    live.keep(token(2, 1, 100), NOW);
    let each = token(1, 1, 10).text_length();
    assert_eq!(live.tidy(NOW), 2 * each);
    assert_eq!(live.tidy(NOW.after(Duration::from_secs(10))), each);
    assert!(live.minted(JwtCacheKey { audience: 1, ring: 1 }).is_none());
    assert_eq!(live.tidy(NOW.after(Duration::from_secs(100))), 0);
}

/// A million of them lie in memory: a field more is weighed.
#[test]
fn a_live_session_takes_136_bytes() {
    assert_eq!(size_of::<LiveSession>(), 136);
}
