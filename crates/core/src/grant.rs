//! Trading a refresh token for an access token and the next refresh token (RFC 6749 section 6), and giving a session its family to
//! begin with. In: what a client presents. Out: both tokens; or why not, after a replay has ended the session.

use std::sync::Arc;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::fault::Fault;
use crate::id::SessionId;
use crate::live::{LiveSession, Use};
use crate::logout::Logout;
use crate::mint::Minter;
use crate::port::{Begun, Clock, Ending, Entropy, Grants, Recall, Redeemed, Redemption, Sessions};
use crate::refresh_token::{Next, RefreshToken};
use crate::reject::Reject;
use crate::secret::Pepper;
use crate::session::SessionDigest;
use crate::token::AccessToken;

#[cfg(test)]
mod tests;

/// Issues access tokens with the refresh tokens that go with them.
pub struct Granter {
    /// Sessions.
    pub sessions: Arc<dyn Sessions>,
    /// Their families.
    pub grants: Arc<dyn Grants>,
    /// What tells verifiers that a session ended.
    pub logout: Arc<Logout>,
    /// What signs access tokens.
    pub minter: Arc<Minter>,
    /// What refresh tokens are digested under.
    pub pepper: Pepper,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// For how long a refresh token that was used is forgiven, so that a lost answer costs nobody their session; zero is the strict
    /// profile (ASVS 10.4.5).
    pub window: Duration,
}

/// An access token and the refresh token that goes with it. No Debug: they are credentials.
pub struct Tokens {
    /// The access token, for this gateway's doors.
    pub access: AccessToken,
    /// The refresh token, as the client gets it.
    pub refresh: Zeroizing<String>,
    /// The session that both are of.
    pub session: Arc<LiveSession>,
}

/// How refreshing went.
pub enum Refreshed {
    /// It was its turn, or its answer was lost a moment ago.
    Tokens(Box<Tokens>),
    /// It is not good, and no harm is done.
    Refused(Reject),
    /// It was used up before: this session has ended, and both parties that hold its family are out. An event.
    Replayed(SessionId),
}

impl Granter {
    /// Gives a session that was just opened under [`crate::refresh_token::session_digest`] its family, and both tokens. `None`: it has ended
    /// meanwhile.
    pub async fn begin(&self, session: SessionId) -> Result<Option<Tokens>, Fault> {
        let mut random = Zeroizing::new([0; 32]);
        self.entropy.fill(&mut *random)?;
        let first = RefreshToken::first(session, *random);
        let digest = first.session_digest(&self.pepper);
        match self.grants.begin(&digest, first.digest(&self.pepper)).await? {
            Begun::Begun => {}
            Begun::NoSession => return Ok(None),
        }
        match self.live(&first).await? {
            Ok(live) => self.tokens(live, &first).await.map(Some),
            Err(_) => Ok(None),
        }
    }

    /// Trades a refresh token. Whoever is refused is told nothing of why but that it is not good.
    pub async fn refresh(&self, presented: &str) -> Result<Refreshed, Fault> {
        let token = match RefreshToken::parse(presented, &self.pepper) {
            Ok(token) => token,
            Err(reject) => return Ok(Refreshed::Refused(reject)),
        };
        let live = match self.live(&token).await? {
            Ok(live) => live,
            Err(reject) => return Ok(Refreshed::Refused(reject)),
        };
        let mut salt = [0; 16];
        self.entropy.fill(&mut salt)?;
        let next = token.successor(&salt, &self.pepper).ok_or(TOO_MANY)?;
        let redemption = Redemption {
            session: *live.digest(),
            presented: token.presented(&self.pepper),
            next: Next { digest: next.digest(&self.pepper), salt },
            now: self.clock.now(),
            window: self.window,
        };
        // Signed before the refresh token is used up for it: one that was used up for an answer that is not given looks stolen at the
        // next try.
        let access = self.minter.access(&live).await?;
        let next = match self.grants.redeem(redemption).await? {
            Redeemed::Rotated => next,
            Redeemed::Repeated(salt) => token.successor(&salt, &self.pepper).ok_or(TOO_MANY)?,
            Redeemed::Late => return Ok(Refreshed::Refused(Reject::RefreshTokenUsed)),
            Redeemed::Unknown => return Ok(Refreshed::Refused(Reject::UnknownSession)),
            Redeemed::Replayed(session) => {
                self.logout.revoke(&[session]);
                return Ok(Refreshed::Replayed(session));
            }
        };
        if live.used(redemption.now) == Use::ToBeNoted {
            self.sessions.note_use(live.digest(), redemption.now);
        }
        let refresh = next.reveal(&self.pepper);
        Ok(Refreshed::Tokens(Box::new(Tokens { access, refresh, session: live })))
    }

    /// The live session of a refresh token, which need not be the present one of its family.
    pub async fn holder(&self, presented: &str) -> Result<Result<Arc<LiveSession>, Reject>, Fault> {
        match RefreshToken::parse(presented, &self.pepper) {
            Ok(token) => self.live(&token).await,
            Err(reject) => Ok(Err(reject)),
        }
    }

    /// What the session of a refresh token is looked up by; `None` for what is no refresh token of ours. A used one tells it, too.
    pub fn session_of(&self, presented: &str) -> Option<SessionDigest> {
        RefreshToken::parse(presented, &self.pepper).ok().map(|token| token.session_digest(&self.pepper))
    }

    /// Ends a session with its family; says which, if there still was one.
    pub async fn end(&self, session: SessionDigest) -> Result<Vec<SessionId>, Fault> {
        self.logout.end(Ending::Presented(session)).await
    }

    /// The session that a family belongs to, judged by the clock.
    async fn live(&self, token: &RefreshToken) -> Result<Result<Arc<LiveSession>, Reject>, Fault> {
        let digest = token.session_digest(&self.pepper);
        let found = match self.sessions.recall(&digest) {
            Recall::Known(live) => Some(live),
            Recall::Unknown => None,
            Recall::Cold => self.sessions.find(&digest).await?,
        };
        let Some(live) = found else { return Ok(Err(Reject::UnknownSession)) };
        Ok(live.judge(self.clock.now()).map(|()| live))
    }

    async fn tokens(&self, live: Arc<LiveSession>, refresh: &RefreshToken) -> Result<Tokens, Fault> {
        let access = self.minter.access(&live).await?;
        Ok(Tokens { access, refresh: refresh.reveal(&self.pepper), session: live })
    }
}

const TOO_MANY: Fault = Fault::Bug("a token family has had four thousand million tokens");
