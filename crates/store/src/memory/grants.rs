//! Token families in memory, each with its session.
//! In: refresh tokens' digests and a time. Out: whose turn it was.

use async_trait::async_trait;
use vestibule_core::Fault;
use vestibule_core::port::{Begun, Grants, Redeemed, Redemption};
use vestibule_core::refresh_token::{RefreshDigest, RefreshVerdict, TokenFamily};
use vestibule_core::session::SessionDigest;

use super::MemoryStore;

#[async_trait]
impl Grants for MemoryStore {
    async fn begin(&self, session: &SessionDigest, first: RefreshDigest) -> Result<Begun, Fault> {
        let state = &mut *self.0.lock();
        let Some(kept) = state.sessions.get_mut(session) else { return Ok(Begun::NoSession) };
        if kept.family.is_some() {
            return Err(Fault::Bug("a session was given a second token family"));
        }
        kept.family = Some(TokenFamily::new(first));
        Ok(Begun::Begun)
    }

    async fn redeem(&self, redemption: Redemption) -> Result<Redeemed, Fault> {
        let Redemption { session, presented, next, now, window } = redemption;
        let state = &mut *self.0.lock();
        let Some(kept) = state.sessions.get_mut(&session) else { return Ok(Redeemed::Unknown) };
        let Some(family) = &mut kept.family else { return Ok(Redeemed::Unknown) };
        Ok(match family.judge(&presented, next, now, window) {
            RefreshVerdict::Rotate(rotated) => {
                *family = rotated;
                Redeemed::Rotated
            }
            RefreshVerdict::Repeat(salt) => Redeemed::Repeated(salt),
            RefreshVerdict::Late => Redeemed::Late,
            RefreshVerdict::Replay => {
                let id = kept.session.id;
                state.end(|kept| kept.session.id == id);
                Redeemed::Replayed(id)
            }
            RefreshVerdict::Unknown => Redeemed::Unknown,
        })
    }
}
